"""Random features of ever more kinds on one seed's problem: solved N by N, with a checkpoint after each."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np

from genlab_tui import events as ev
from genlab_tui.phenomenon import Checkpoint, Context
from genlab_tui.training.random_features import Fit, Problem, landmarks


@dataclass(frozen=True)
class Sweep:
    """What is solved: `fits` gives each arm its labels and its kind of fit (plain or ridge).

    `penalty` is that of the plain fits, `metrics` names the fields of a `Fit`, `costs` what each width takes.
    """

    n: int
    widths: Sequence[int]
    fits: Mapping[str, tuple[str, str]]
    penalty: float
    metrics: Sequence[str]
    costs: Sequence[float]


def solve(
    sweep: Sweep, problem: Problem, context: Context, index: int
) -> Generator[ev.Event, None, dict[str, dict[str, float]]]:
    """Solve every width for the seed at `index`, or those after a checkpoint; return the landmarks of each arm."""
    spec, widths, arms = context.spec, sweep.widths, tuple(sweep.fits)
    seed = spec.seed_list[index]
    plain = tuple(labels for labels, fit in sweep.fits.values() if fit == "plain")
    ridge = tuple(labels for labels, fit in sweep.fits.values() if fit == "ridge")

    saved = context.resume()
    rows = [] if saved is None else [np.asarray(row, dtype=np.float64) for row in saved.arrays["rows"]]
    before = 0.0 if saved is None else float(saved.meta["seconds"])
    cohort, began = f"seed {seed}", time.monotonic()

    def save() -> Checkpoint:
        table = np.asarray(rows).reshape(len(rows), len(arms), len(sweep.metrics))
        meta = {"seconds": before + time.monotonic() - began}
        return Checkpoint(widths[len(rows) - 1] if rows else 0, {"rows": table}, meta)

    yield ev.Cohort(id=cohort, members=tuple((arm, seed) for arm in arms))
    for at in range(len(rows), len(widths)):
        context.poll(save)
        solved = problem.solve(widths[at], plain, ridge, sweep.penalty)
        rows.append(np.array([astuple(solved[fit]) for fit in sweep.fits.values()]))
        seconds = before + time.monotonic() - began
        for column, metric in enumerate(sweep.metrics):
            values = ev.to_values(rows[-1][:, column])
            yield ev.Curve(cohort=cohort, metric=metric, step=widths[at], seconds=seconds, values=values)
        done = (index + sum(sweep.costs[: at + 1]) / sum(sweep.costs)) / spec.seeds
        yield ev.Progress(done=done, label=f"seed {index + 1} of {spec.seeds}, N = {widths[at]:,}")

    found = {arm: landmarks(sweep.n, widths, [Fit(*row[i].tolist()) for row in rows]) for i, arm in enumerate(arms)}
    for name in found[arms[0]]:
        yield ev.Measure(cohort=cohort, name=name, values=ev.to_values(found[arm][name] for arm in arms))
    for arm, (_, fit) in sweep.fits.items():
        if fit == "plain":
            width, height = found[arm]["peak_width"], found[arm]["peak_mse"]
            text = f"test MSE peaks at N = {width:.0f}: {height:.3g}"
            yield ev.Mark(text=text, step=int(width), arm=arm, seed=seed)
    return found
