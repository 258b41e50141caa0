"""One row per run, arm and measure: mean and spread over seeds, and deltas paired by seed against two baselines.

The first baseline is the same arm of another run, the second another arm of the same run. A pair is a seed that both
sides have: same seed means same initialisation, split and batch order, so the difference carries less noise than
either side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from genlab_tui.errors import GenlabError, NotFound, nearest
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.phenomenon import USUAL, Phenomenon
from genlab_tui.run import RunRecord, RunSpec
from genlab_tui.rundata import Curve, RunData
from genlab_tui.stats import SETTING, Summary, over_seeds, paired_delta, summarise
from genlab_tui.verdict import Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

METHOD = "mean difference over shared seeds, Student-t 95 % interval (pairs - 1 degrees of freedom)"
Values = Literal["all", "measured", "final", "best", "at"]
VALUES: tuple[Values, ...] = ("all", "measured", "final", "best", "at")
"""Which numbers a summary has: measures of the run, and of every curve its final, its best, its value at a step."""


@dataclass(frozen=True, eq=False)  # arrays have no single truth: a run equals itself alone
class LoadedRun:
    """A run with everything a comparison needs. `phenomenon` is None where its file is no longer installed."""

    record: RunRecord
    data: RunData
    verdict: Verdict | None = None
    phenomenon: Phenomenon | None = None

    @cached_property
    def taken(self) -> dict[tuple[str, str, str], dict[int, tuple[float, float]]]:
        """What was read off the curves before: a run never changes, and looking is the dear part of a summary."""
        return {}

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def spec(self) -> RunSpec:
        return self.data.spec

    @property
    def title(self) -> str:
        """Its name and short id, or its id: unique among the runs of a lab for the eye."""
        return f"{self.record.name} {self.id[:4]}" if self.record.name else self.id

    @property
    def flags(self) -> tuple[str, ...]:
        """What keeps its numbers from being pooled with others: regularisers changed in flight, an unfinished run."""
        changed = ("changed in flight",) if self.data.changes or self.record.changed else ()
        return changed if self.record.state == "done" else (*changed, str(self.record.state))

    def figures(self) -> tuple[Figure | HeatMap, ...]:
        """Return the figures of `drawn`; made once."""
        return self.drawn

    @cached_property
    def drawn(self) -> tuple[Figure | HeatMap, ...]:
        """The phenomenon's figures of the data there is. Raises GenlabError where its code fails on it.

        Which weight decay it was (it has several meanings) and an unusual precision stand in the note of each.
        """
        if self.phenomenon is None:
            return ()
        decay = self.spec.regularisers.get("weight-decay")
        try:
            kind = self.phenomenon.weight_decay(self.phenomenon.config_of(self.spec))
            flavour = f"weight decay {decay:g}: {kind}" if decay else ""
            exact = "" if self.phenomenon.precision == USUAL else f"computed in {self.phenomenon.precision}"
            drawn = self.phenomenon.figures(self.data)
            return tuple(replace(f, note="; ".join(filter(None, (flavour, f.note, exact)))) for f in drawn)
        except Exception as error:
            raise GenlabError(
                f"the figures of {self.spec.phenomenon} failed on run {self.id}: {type(error).__name__}: {error}"
            ) from error


@dataclass(frozen=True)
class SummaryRow:
    """One measure of one arm of a run.

    `delta` is against the same arm of `baseline` (a run id; empty where that run lacks the arm or the measure, and for
    the baseline itself), `arm_delta` against `arm_baseline` in the same run. `higher_is_better` is None where unknown.
    `steps` are the smallest and the largest step at which a value at a step was measured.
    """

    run: str
    arm: str
    arm_title: str
    measure: str
    value: Summary
    seeds: tuple[int, ...]
    baseline: str = ""
    delta: Summary | None = None
    arm_baseline: str = ""
    arm_delta: Summary | None = None
    higher_is_better: bool | None = None
    steps: tuple[float, float] | None = None


def find_baseline(runs: Sequence[LoadedRun], baseline: str | None) -> LoadedRun:
    """Return the baseline among the runs by its id (default: the first). Raises NotFound."""
    if baseline is None:
        return runs[0]
    found = next((r for r in runs if r.id == baseline), None)
    if found is None:
        raise NotFound(f"the baseline {baseline!r} is not among the runs", nearest(baseline, tuple(r.id for r in runs)))
    return found


def baseline_arm(run: LoadedRun) -> str:
    """Return the arm that the others of a run are measured against: the first that is no control."""
    arms = run.data.arms
    return next((a.name for a in arms if not a.control), arms[0].name if arms else "")


def measure_names(run: LoadedRun, at: float | None = None) -> tuple[str, ...]:
    """Return what is summarised: headline measures first, then measures, then values of the curves.

    `loss (final)` is a member's last finite value; `loss (best)` its smallest or largest, where the phenomenon
    declares which of them is better; `loss (at 100)` the finite value measured nearest to a step `at`.
    """
    headline = run.phenomenon.headline if run.phenomenon else ()
    measures = [*(h for h in headline if h in run.data.measures), *run.data.measures]
    better = _directions(run)
    curves = []
    for metric in [*(m for m in better if m in run.data.curves), *run.data.curves]:
        curves.append(f"{metric} (final)")
        if metric in better:
            curves.append(f"{metric} (best)")
        if at is not None:
            curves.append(f"{metric} (at {step_text(at)})")
    return tuple(dict.fromkeys(measures + curves))


def step_text(step: float) -> str:
    """Return a step with all its digits: `1000`, `0.5`."""
    return str(int(step)) if float(step).is_integer() else repr(float(step))


def is_of(measure: str, values: Values) -> bool:
    """Tell whether a name of `measure_names` is among the values asked for."""
    ending = measure.rpartition(" (")[2] if measure.endswith(")") else ""
    kind = ending.rstrip(")").partition(" ")[0]
    return values == "all" or values == (kind if kind in VALUES else "measured")


def values_of(run: LoadedRun, measure: str, arm: str) -> dict[int, float]:
    """Return a measure of one arm per seed; seeds without a number are left out."""
    return {seed: value for seed, (value, _) in _taken(run, measure, arm).items()}


def _taken(run: LoadedRun, measure: str, arm: str) -> dict[int, tuple[float, float]]:
    """Return value and step per seed; what stands for no step has NaN for it."""
    if measure in run.data.measures:
        return {seed: (value, math.nan) for seed, value in run.data.measure(measure, arm).items()}
    metric, _, kind = measure.removesuffix(")").rpartition(" (")
    if (metric, kind, arm) in run.taken:
        return run.taken[metric, kind, arm]
    better = _directions(run).get(metric, False)
    found = run.taken[metric, kind, arm] = {}
    for (name, seed), curve in sorted(run.data.curves.get(metric, {}).items()):
        taken = _end(curve, kind, better) if name == arm else None
        if taken is not None:
            found[seed] = taken
    return found


def summary_rows(
    runs: Sequence[LoadedRun],
    baseline: str | None = None,
    measures: Sequence[str] | None = None,
    arm_baseline: str | None = None,
    *,
    values: Values = "all",
    at: float | None = None,
) -> tuple[SummaryRow, ...]:
    """Return the rows of every run, grouped by run, then by measure, then by arm in the order of the plan.

    `measures` are the only ones wanted, `values` which kinds of them. Raises NotFound where `baseline` is not the id
    of one of the runs.
    """
    if not runs:
        return ()
    base = find_baseline(runs, baseline)
    rows: list[SummaryRow] = []
    kept: dict[tuple[str, str], dict[int, float]] = {}
    for run in runs:
        first_arm = arm_baseline or baseline_arm(run)
        better = _directions(run)
        for measure in measure_names(run, at):
            if (measures is not None and measure not in measures) or not is_of(measure, values):
                continue
            reference = values_of(run, measure, first_arm)
            for arm in run.data.arms:
                taken = _taken(run, measure, arm.name)
                if not taken:
                    continue
                found = {seed: value for seed, (value, _) in taken.items()}
                steps = [step for _, step in taken.values()]
                if (measure, arm.name) not in kept:
                    kept[measure, arm.name] = values_of(base, measure, arm.name)
                across = kept[measure, arm.name] if run is not base else {}
                within = reference if arm.name != first_arm else {}
                rows.append(
                    SummaryRow(
                        run=run.id,
                        arm=arm.name,
                        arm_title=arm.title,
                        measure=measure,
                        value=summarise(over_seeds(found).values()),
                        seeds=tuple(dict.fromkeys(number % SETTING for number in found)),
                        baseline=base.id if across else "",
                        delta=paired_delta(found, across) if across else None,
                        arm_baseline=first_arm if within else "",
                        arm_delta=paired_delta(found, within) if within else None,
                        higher_is_better=better.get(measure.rpartition(" (")[0]),
                        steps=(min(steps), max(steps)) if is_of(measure, "at") else None,
                    )
                )
    return tuple(rows)


def pairing_note(runs: Sequence[LoadedRun], baseline: str | None = None) -> str:
    """Say where pairing by seed means less than it should: another data set, another phenomenon. Empty if nowhere."""
    base = find_baseline(runs, baseline)
    for field, what in (("phenomenon", "phenomenon"), ("data", "data set")):
        others = [r.title for r in runs if getattr(r.spec, field) != getattr(base.spec, field)]
        if others:
            return f"another {what} than the baseline's ({', '.join(others)}): pairs share no more than the seed number"
    return ""


def _directions(run: LoadedRun) -> dict[str, bool]:
    return {m.name: m.higher_is_better for m in run.phenomenon.metrics} if run.phenomenon else {}


def _end(curve: Curve, kind: str, better: bool) -> tuple[float, float] | None:
    """Return the finite value that is the last, the best or nearest to a step, and its own step."""
    import numpy as np

    keep = np.isfinite(curve.value)
    if not keep.any():
        return None
    values, steps = curve.value[keep], curve.step[keep]
    place = _place(values, steps, kind, better)
    return None if place is None else (float(values[place]), float(steps[place]))


def _place(values: NDArray[np.float64], steps: NDArray[np.float64], kind: str, better: bool) -> int | None:
    import numpy as np

    if kind == "final":
        return len(values) - 1
    if kind == "best":
        return int(values.argmax() if better else values.argmin())
    if kind.startswith("at "):
        at = float(kind.removeprefix("at "))
        # One that ended before has no value there: what it had long before is no value at this step.
        gap = steps[-1] - steps[-2] if len(steps) > 1 else 0.0
        return int(np.abs(steps - at).argmin()) if at <= steps[-1] + gap else None
    return None
