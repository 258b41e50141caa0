"""One row per run, arm and measure: mean and spread over seeds, and deltas paired by seed against two baselines.

The first baseline is the same arm of another run, the second another arm of the same run. A pair is a seed that both
sides have: same seed means same initialisation, split and batch order, so the difference carries less noise than
either side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from genlab_tui.errors import GenlabError, NotFound, nearest
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.phenomenon import Phenomenon
from genlab_tui.run import RunRecord, RunSpec
from genlab_tui.rundata import Curve, RunData
from genlab_tui.stats import Summary, paired_delta, summarise
from genlab_tui.verdict import Verdict

METHOD = "mean difference over shared seeds, Student-t 95 % interval (pairs - 1 degrees of freedom)"


@dataclass(frozen=True, eq=False)  # arrays have no single truth: a run equals itself alone
class LoadedRun:
    """A run with everything a comparison needs. `phenomenon` is None where its file is no longer installed."""

    record: RunRecord
    data: RunData
    verdict: Verdict | None = None
    phenomenon: Phenomenon | None = None

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
        """Draw the phenomenon's figures from the data there is. Raises GenlabError where its code fails on it.

        Which weight decay it was (it has several meanings) stands in the note of each.
        """
        if self.phenomenon is None:
            return ()
        decay = self.spec.regularisers.get("weight-decay")
        try:
            kind = self.phenomenon.weight_decay(self.phenomenon.config_of(self.spec))
            flavour = f"weight decay {decay:g}: {kind}" if decay else ""
            drawn = self.phenomenon.figures(self.data)
            return tuple(replace(f, note="; ".join(filter(None, (flavour, f.note)))) for f in drawn)
        except Exception as error:
            raise GenlabError(
                f"the figures of {self.spec.phenomenon} failed on run {self.id}: {type(error).__name__}: {error}"
            ) from error


@dataclass(frozen=True)
class SummaryRow:
    """One measure of one arm of a run.

    `delta` is against the same arm of `baseline` (a run id; empty where that run lacks the arm or the measure, and for
    the baseline itself), `arm_delta` against `arm_baseline` in the same run. `higher_is_better` is None where unknown.
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


def measure_names(run: LoadedRun) -> tuple[str, ...]:
    """Return what is summarised: headline measures first, then measures, then final and best curve values.

    `loss (final)` is a member's last finite value; `loss (best)` its smallest or largest, where the phenomenon
    declares which of them is better.
    """
    headline = run.phenomenon.headline if run.phenomenon else ()
    measures = [*(h for h in headline if h in run.data.measures), *run.data.measures]
    better = _directions(run)
    curves = []
    for metric in [*(m for m in better if m in run.data.curves), *run.data.curves]:
        curves.append(f"{metric} (final)")
        if metric in better:
            curves.append(f"{metric} (best)")
    return tuple(dict.fromkeys(measures + curves))


def values_of(run: LoadedRun, measure: str, arm: str) -> dict[int, float]:
    """Return a measure of one arm per seed; seeds without a number are left out."""
    if measure in run.data.measures:
        return run.data.measure(measure, arm)
    for suffix in (" (final)", " (best)"):
        if measure.endswith(suffix):
            metric = measure.removesuffix(suffix)
            better = _directions(run).get(metric, False) if suffix == " (best)" else None
            members = run.data.curves.get(metric, {})
            found = {seed: _end(curve, better) for (name, seed), curve in sorted(members.items()) if name == arm}
            return {seed: value for seed, value in found.items() if value is not None}
    return {}


def summary_rows(
    runs: Sequence[LoadedRun],
    baseline: str | None = None,
    measures: Sequence[str] | None = None,
    arm_baseline: str | None = None,
) -> tuple[SummaryRow, ...]:
    """Return the rows of every run, grouped by run, then by measure, then by arm in the order of the plan.

    Raises NotFound where `baseline` is not the id of one of the runs.
    """
    if not runs:
        return ()
    base = find_baseline(runs, baseline)
    rows: list[SummaryRow] = []
    for run in runs:
        first_arm = arm_baseline or baseline_arm(run)
        better = _directions(run)
        for measure in measure_names(run):
            if measures is not None and measure not in measures:
                continue
            reference = values_of(run, measure, first_arm)
            for arm in run.data.arms:
                values = values_of(run, measure, arm.name)
                if not values:
                    continue
                across = values_of(base, measure, arm.name) if run is not base else {}
                within = reference if arm.name != first_arm else {}
                rows.append(
                    SummaryRow(
                        run=run.id,
                        arm=arm.name,
                        arm_title=arm.title,
                        measure=measure,
                        value=summarise(values.values()),
                        seeds=tuple(values),
                        baseline=base.id if across else "",
                        delta=paired_delta(values, across) if across else None,
                        arm_baseline=first_arm if within else "",
                        arm_delta=paired_delta(values, within) if within else None,
                        higher_is_better=better.get(measure.rpartition(" (")[0]),
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


def _end(curve: Curve, better: bool | None) -> float | None:
    """Return the last finite value (`better` None), else the largest (True) or smallest (False) finite one."""
    import numpy as np

    finite = curve.value[np.isfinite(curve.value)]
    if not len(finite):
        return None
    return float(finite[-1] if better is None else finite.max() if better else finite.min())
