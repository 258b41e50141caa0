"""The verdict: pure functions from run data, recomputable at any time.

Algebra. A criterion is UNMET when its precondition is, or when a number is missing; else PASS or FAIL by its rule.
A claim is INCONCLUSIVE when a criterion is unmet, a control fires, fewer than 3 seeds ran or a regulariser was changed
in flight; else NOT SHOWN when a criterion fails; else SHOWN. A claim whose arms were not launched is left out and the
scope says so. The run's status is the worst of its main claims: INCONCLUSIVE, NOT SHOWN, SHOWN in that order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from genlab_tui.events import Value, from_value, to_value
from genlab_tui.phenomenon import Claim, Criterion, Phenomenon, Test
from genlab_tui.run import OWN_SAMPLES, RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.stats import NOTHING, summarise

MIN_SEEDS = 3
SIGN_SHARE = 2 / 3


class Status(StrEnum):
    """The status of a claim and of a run."""

    SHOWN = "SHOWN"
    NOT_SHOWN = "NOT SHOWN"
    INCONCLUSIVE = "INCONCLUSIVE"


class Grade(StrEnum):
    """The status of a criterion."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNMET = "UNMET"


@dataclass(frozen=True)
class ControlResult:
    """A negative control: `fired` means that it passed the effect's rule, which it must not."""

    name: str
    value: Value
    threshold: str
    fired: bool
    seeds: dict[str, Value]
    missing: bool = False


@dataclass(frozen=True)
class CriterionResult:
    """A judged criterion. `value` is the mean over seeds (or the pooled number), `seeds` the number of each seed."""

    name: str
    status: Grade
    value: Value
    threshold: str
    seeds: dict[str, Value]
    control: ControlResult | None = None
    published: float | str | None = None
    published_source: str = ""
    agree: int = 0
    reason: str = ""
    unit: str = ""
    statement: str = ""


@dataclass(frozen=True)
class ClaimResult:
    """A judged claim; `reason` says why it is not SHOWN."""

    name: str
    main: bool
    status: Status
    criteria: tuple[CriterionResult, ...]
    statement: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """The verdict of a run. `scope` says what it covers: claims left out, preset, data, seeds, regularisers."""

    status: Status
    scope: str
    claims: tuple[ClaimResult, ...]
    schema: int = 1


def encode(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as a JSON document."""
    document: dict[str, Any] = msgspec.to_builtins(verdict)
    return document


def decode(document: dict[str, Any]) -> Verdict:
    """Return the verdict of a JSON document; raises msgspec.ValidationError."""
    return msgspec.convert(document, Verdict)


def judge(phenomenon: Phenomenon, spec: RunSpec, data: RunData) -> Verdict:
    """Judge a run from its data: the same data always gives the same verdict."""
    launched = {arm.name for arm in data.arms}
    results, left_out = [], []
    for claim in phenomenon.claims(phenomenon.config_of(spec), spec):
        needed = {arm for criterion in claim.criteria for arm in criterion.needs}
        if needed - launched:
            left_out.append(claim.name)
        else:
            results.append(judge_claim(claim, data))
    return Verdict(overall(results), _scope(spec, data, left_out), tuple(results))


def overall(claims: list[ClaimResult]) -> Status:
    """Return the worst status of the main claims; without any, INCONCLUSIVE."""
    statuses = {claim.status for claim in claims if claim.main}
    for status in (Status.INCONCLUSIVE, Status.NOT_SHOWN):
        if status in statuses:
            return status
    return Status.SHOWN if statuses else Status.INCONCLUSIVE


def judge_claim(claim: Claim, data: RunData) -> ClaimResult:
    """Judge one claim."""
    criteria = tuple(judge_criterion(criterion, data) for criterion in claim.criteria)
    status, reason = _claim_status(criteria, data)
    return ClaimResult(claim.name, claim.main, status, criteria, claim.statement, reason)


def _claim_status(criteria: tuple[CriterionResult, ...], data: RunData) -> tuple[Status, str]:
    if not criteria:
        return Status.INCONCLUSIVE, "nothing is asked"
    unmet = next((c for c in criteria if c.status is Grade.UNMET), None)
    if unmet:
        return Status.INCONCLUSIVE, f"{unmet.name}: {unmet.reason}"
    fired = next((c.control for c in criteria if c.control and (c.control.fired or c.control.missing)), None)
    if fired:
        what = "has no numbers" if fired.missing else f"fired ({_short(fired.value)} {fired.threshold})"
        return Status.INCONCLUSIVE, f"the control {fired.name!r} {what}"
    if len(data.seeds) < MIN_SEEDS or any(_finite(c) < MIN_SEEDS for c in criteria):
        return Status.INCONCLUSIVE, f"fewer than {MIN_SEEDS} seeds"
    if data.changes:
        first = data.changes[0]
        return Status.INCONCLUSIVE, f"{first.regulariser} was changed in flight at step {first.step}"
    if data.spec.forked_at >= 0:  # also before its change takes effect, and where no epoch is left for it
        what = ", ".join(data.spec.forked_with) or "nothing"
        return Status.INCONCLUSIVE, f"{what} was changed in flight: forked at step {data.spec.forked_at}"
    failed = next((c for c in criteria if c.status is Grade.FAIL), None)
    if failed:
        share = f" ({failed.agree} of {len(failed.seeds)} seeds)"
        return Status.NOT_SHOWN, f"{failed.name}: {_short(failed.value)}, asked {failed.threshold}{share}"
    return Status.SHOWN, ""


def _finite(criterion: CriterionResult) -> int:
    """Return how many seeds have a number: one that diverged is no evidence either way."""
    return sum(math.isfinite(from_value(value)) for value in criterion.seeds.values())


def judge_criterion(criterion: Criterion, data: RunData) -> CriterionResult:
    """Judge one criterion with its precondition and its control."""
    value, per_seed, passed, agree = run_test(criterion.effect, data)
    control = _judge_control(criterion.control, data) if criterion.control else None
    status, reason = (Grade.PASS, "") if passed else (Grade.FAIL, "")
    if not per_seed or not math.isfinite(value):
        status, reason = Grade.UNMET, "no finite number was measured"
    if criterion.precondition:
        before, _, met, _ = run_test(criterion.precondition, data)
        if not met:
            test = criterion.precondition
            status, reason = Grade.UNMET, f"precondition {test.name}: {_short(before)}, needs {test.rule.text}"
    return CriterionResult(
        name=criterion.name,
        status=status,
        value=to_value(value),
        threshold=criterion.effect.rule.text,
        seeds={str(seed): to_value(v) for seed, v in per_seed.items()},
        control=control,
        published=criterion.published,
        published_source=criterion.published_source,
        agree=agree,
        reason=reason,
        unit=criterion.unit,
        statement=criterion.effect.statement,
    )


def _judge_control(test: Test, data: RunData) -> ControlResult:
    """Judge a negative control. It fires on its number alone, in however few seeds: a doubt is enough.

    It is missing where a seed has no number: one that diverged cannot speak for the others.
    """
    value, per_seed, fired, _ = run_test(test, data)
    seeds = {str(seed): to_value(v) for seed, v in per_seed.items()}
    fired = fired or (test.rule.chance is None and test.rule.passes(value))
    missing = not per_seed or any(map(math.isnan, (value, *per_seed.values())))
    return ControlResult(test.name, to_value(value), test.rule.text, fired, seeds, missing=missing)


def interval(seeds: Mapping[str, Value], value: Value) -> tuple[float, float] | None:
    """Return Student's t 95 % interval of a criterion's mean over seeds; None for one seed and for pooled numbers."""
    found = summarise(from_value(v) for v in seeds.values())
    if found.n < 2 or not math.isclose(found.mean, from_value(value), rel_tol=1e-9, abs_tol=1e-300):
        return None
    return found.low, found.high


def _mean(values: Sequence[float]) -> float:
    """Return the mean; 0 where it is what rounding leaves of values that cancel."""
    if not values:
        return math.nan
    mean = math.fsum(values) / len(values)
    largest = max(map(abs, values))
    return 0.0 if math.isfinite(largest) and abs(mean) <= NOTHING * largest else mean


def _geometric(ratios: Sequence[float]) -> float:
    """Return the geometric mean; NaN where a number is not positive."""
    return math.exp(_mean([math.log(r) for r in ratios])) if all(r > 0 for r in ratios) else math.nan


def run_test(test: Test, data: RunData) -> tuple[float, dict[int, float], bool, int]:
    """Return the number of a test, its value per seed, whether it passes and how many seeds pass alone.

    The number is the mean over seeds (of ratios the geometric one), or the pooled one. A seed without a number is left
    out of the mean.
    """
    per_seed = {seed: float(v) for seed, v in sorted(test.measure(data).items())}
    values = list(per_seed.values())
    rule = test.rule
    if rule.chance is not None:
        summary = summarise(values)
        near = abs(summary.mean - rule.chance) <= (rule.high if rule.high is not None else math.inf)
        agree = sum(abs(v - rule.chance) <= (rule.high if rule.high is not None else math.inf) for v in values)
        return summary.mean, per_seed, near and summary.low <= rule.chance <= summary.high, agree
    agree = sum(rule.passes(v) for v in values)
    number = test.pooled(data) if test.pooled else _geometric(values) if test.geometric else _mean(values)
    if test.pooled and not rule.every:
        return number, per_seed, rule.passes(number), agree
    share = agree == len(values) if rule.every else agree >= SIGN_SHARE * len(values)
    return number, per_seed, bool(values) and rule.passes(number) and share, agree


def _short(value: Value | float) -> str:
    return f"{from_value(value):.4g}"


def _scope(spec: RunSpec, data: RunData, left_out: list[str]) -> str:
    parts = [f"{spec.preset} preset", spec.data or OWN_SAMPLES, f"{len(data.seeds)} seeds from {spec.first_seed}"]
    if spec.regularisers:
        from genlab_tui.regularisers import summary

        parts.append("with " + summary(spec.regularisers))
    if spec.arms:
        parts.append("arms " + ", ".join(spec.arms))
    if left_out:
        parts.append("not judged, their arms were not launched: " + "; ".join(left_out))
    return " · ".join(parts)
