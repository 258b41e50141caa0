"""Random features on one seed's problem, ever more of them or on ever more samples: a checkpoint after each solve."""

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

    `places` are numbers of features, with `fixed` samples; or of samples, with `fixed` features. `decay` is the weight
    decay of the plain fits, `metrics` names the fields of a `Fit`, `costs` what each place takes.
    """

    fixed: int
    places: Sequence[int]
    fits: Mapping[str, tuple[str, str]]
    decay: float
    metrics: Sequence[str]
    costs: Sequence[float]
    over_samples: bool = False

    def part(self, problem: Problem, place: int) -> tuple[Problem, int]:
        """Return the samples and the number of features at a place."""
        return (problem.first(place), self.fixed) if self.over_samples else (problem, place)


def solve(
    sweep: Sweep, problem: Problem, context: Context, index: int
) -> Generator[ev.Event, None, dict[str, dict[str, float]]]:
    """Solve every place for the seed at `index`, or those after a checkpoint; return the landmarks of each arm."""
    spec, places, arms = context.spec, sweep.places, tuple(sweep.fits)
    axis = "n" if sweep.over_samples else "N"
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
        return Checkpoint(places[len(rows) - 1] if rows else 0, {"rows": table}, meta)

    yield ev.Cohort(id=cohort, members=tuple((arm, seed) for arm in arms))
    for at in range(len(rows), len(places)):
        context.poll(save)
        part, width = sweep.part(problem, places[at])
        # What weight decay stands for in closed form: mean squared error + coefficient * |w|^2.
        solved = part.solve(width, plain, ridge, sweep.decay * len(part.x_train))
        rows.append(np.array([astuple(solved[fit]) for fit in sweep.fits.values()]))
        seconds = before + time.monotonic() - began
        for column, metric in enumerate(sweep.metrics):
            values = ev.to_values(rows[-1][:, column])
            yield ev.Curve(cohort=cohort, metric=metric, step=places[at], seconds=seconds, values=values)
        done = (index + sum(sweep.costs[: at + 1]) / sum(sweep.costs)) / spec.seeds
        yield ev.Progress(done=done, label=f"seed {index + 1} of {spec.seeds}, {axis} = {places[at]:,}")

    solves = {arm: [Fit(*row[i].tolist()) for row in rows] for i, arm in enumerate(arms)}
    found = {arm: landmarks(sweep.fixed, places, fits, sweep.over_samples) for arm, fits in solves.items()}
    for name in found[arms[0]]:
        yield ev.Measure(cohort=cohort, name=name, values=ev.to_values(found[arm][name] for arm in arms))
    for arm, (_, fit) in sweep.fits.items():
        if fit == "plain":
            at_peak, height = found[arm]["peak_width"], found[arm]["peak_mse"]
            text = f"test MSE peaks at {axis} = {at_peak:.0f}: {height:.3g}"
            yield ev.Mark(text=text, step=int(at_peak), arm=arm, seed=seed)
    return found
