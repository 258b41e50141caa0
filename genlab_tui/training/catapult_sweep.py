"""The model at many rates: descents step by step, ends over a sweep, boundaries by bisection, peaks against width."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence

import numpy as np
from numpy.typing import NDArray

from genlab_tui import events as ev
from genlab_tui.phenomenon import Arm, Context
from genlab_tui.training.bisection import Bisection
from genlab_tui.training.catapult_model import Descent, Model, chunks, descend, descend_linearised, stack
from genlab_tui.training.power_law import growth

Array = NDArray[np.float64]
Columns = dict[str, Array]


def ends(descent: Descent, products: Array) -> Columns:
    """Return what is measured of descents at values of eta * lambda_0 [M].

    `rise` is the largest loss over the first; of one that diverged all is as it was where it did.
    """
    track = descent.track
    ratio = descent.last / descent.first
    return {
        "peak": track.peak,
        "peak_step": track.peak_step,
        "rise": track.peak / track.first,
        "ratio": ratio,
        "eta_lambda_end": products * ratio,
        "end_loss": track.last,
        "diverged": track.diverged.astype(np.float64),
    }


def measures(cohort: str, columns: Columns) -> Generator[ev.Event, None, None]:
    """Yield the measures of a cohort."""
    for name, values in columns.items():
        yield ev.Measure(cohort=cohort, name=name, values=ev.to_values(values.tolist()))


def step_by_step(
    arms: Sequence[Arm], seeds: Sequence[int], width: int, steps: int, shown: float, cohort: str, context: Context
) -> Generator[ev.Event, None, int]:
    """Descend at the rate of every arm; yield losses and eta * lambda of every step, then the ends.

    eta * lambda is yielded until it is more than `shown`: that of a descent that diverges runs to any number.
    """
    model = stack(width, list(seeds), repeats=len(arms))
    products = np.tile([float(arm.factors["product"]) for arm in arms], len(seeds))
    rates = products / model.curvature
    rows: list[tuple[int, Array, Array]] = []

    def look(step: int, loss: Array, now: Array) -> None:
        rows.append((step, loss.copy(), rates * now))

    descent = descend(model, rates, steps, look, context.poll)
    context.poll()
    yield ev.Cohort(id=cohort, members=tuple((arm.name, seed) for seed in seeds for arm in arms))
    ended, left = (np.zeros(len(products), dtype=bool) for _ in range(2))
    for step, loss, level in rows:
        left = left | ~(level <= shown)
        for metric, values, gone in (("loss", loss, ended), ("eta_lambda", level, ended | left)):
            seen = ev.to_values(np.where(gone, math.nan, values).tolist())
            yield ev.Curve(cohort=cohort, metric=metric, step=step, epoch=float(step), values=seen)
        ended = ended | (loss > descent.track.limit)  # the loss that it diverged with is shown, nothing after
    yield from measures(cohort, ends(descent, products))
    return len(products)


def sweep(
    places: Sequence[Arm], seeds: Sequence[int], width: int, steps: int, cohort: str, context: Context
) -> Generator[ev.Event, None, int]:
    """Descend at every place of the sweep; yield the ends."""
    members = [(place, seed) for seed in seeds for place in places]
    model = stack(width, list(seeds), repeats=len(places))
    products = np.array([float(place.factors["product"]) for place, _ in members])
    found: list[Columns] = []
    for part in chunks(len(members), width):
        context.poll()
        own = Model(model.u[part], model.v[part])
        found.append(ends(descend(own, products[part] / own.curvature, steps, poll=context.poll), products[part]))
    yield ev.Cohort(id=cohort, members=tuple((place.name, seed) for place, seed in members))
    yield from measures(cohort, {name: np.concatenate([f[name] for f in found]) for name in found[0]})
    return len(members)


def boundaries(
    arm: Arm,
    seeds: Sequence[int],
    width: int,
    steps: int,
    bracket: tuple[float, float],
    rounds: int,
    cohort: str,
    context: Context,
) -> Generator[ev.Event, None, dict[str, list[float]]]:
    """Search where a step first raises the loss (`onset`) and where the loss diverges, in eta * lambda_0."""
    model = stack(width, list(seeds))
    lambdas = model.curvature

    def tracks(products: Array) -> Descent:
        rates = products / lambdas
        if "linearised" in arm.factors:
            return descend_linearised(model, rates, steps, context.poll)
        return descend(model, rates, steps, poll=context.poll)

    asked = {
        "onset": lambda products: tracks(products).track.rose,
        "divergence": lambda products: tracks(products).track.diverged,
    }
    found: Columns = {"lambda": lambdas}
    for name, holds in asked.items():
        search = Bisection(len(seeds), *bracket)
        search.check(holds)
        for _ in range(rounds):
            context.poll()
            search.halve(holds)
        found[name] = search.found
    yield ev.Cohort(id=cohort, members=tuple((arm.name, seed) for seed in seeds))
    yield from measures(cohort, found)
    if bad := [seed for at, seed in enumerate(seeds) if not all(math.isfinite(f[at]) for f in found.values())]:
        low, high = bracket
        text = f"{arm.title}: no boundary between eta lambda {low:g} and {high:g}, seeds {', '.join(map(str, bad))}"
        yield ev.Log(text=text, level="warning")
    return {name: values.tolist() for name, values in found.items()}


def peaks(
    arm: Arm,
    places: Sequence[Arm],
    seeds: Sequence[int],
    draws: int,
    steps: int,
    cohort: str,
    context: Context,
) -> Generator[ev.Event, None, int]:
    """Descend at one eta * lambda_0 in models of several widths; yield how peaks go with the width.

    `peak_mean` is the geometric mean over the draws; `peak_exponent` that of its power law; `steps_growth` the steps
    to the peak per e-fold of the width, over what early growth by (eta lambda - 1)^2 a step makes of it: 1.
    """
    product = float(arm.factors["product"])
    widths = [int(place.factors["width"]) for place in places]
    peak, step = (np.zeros((len(seeds), len(widths))) for _ in range(2))
    for at, width in enumerate(widths):
        for row, seed in enumerate(seeds):
            context.poll()
            whole = stack(width, [seed], draws=draws)
            logs, when = [], []
            for part in chunks(draws, width):
                own = Model(whole.u[part], whole.v[part])
                track = descend(own, product / own.curvature, steps, poll=context.poll).track
                logs += np.log(track.peak).tolist()
                when += track.peak_step.tolist()
            peak[row, at], step[row, at] = math.exp(np.mean(logs)), np.mean(when)
    members = [(f"{arm.name}-{width}", seed) for seed in seeds for width in widths]
    own_cohort = f"{cohort}, by width"
    yield ev.Cohort(id=own_cohort, members=tuple(members))
    yield from measures(own_cohort, {"peak_mean": peak.ravel(), "peak_step_mean": step.ravel()})
    found = {"peak_exponent": np.array([growth(widths, row) for row in peak.tolist()])}
    if product > 2:
        slopes = [growth(widths, np.exp(row).tolist()) for row in step]
        found["steps_growth"] = np.array(slopes) * 2 * math.log(product - 1)
    yield ev.Cohort(id=cohort, members=tuple((arm.name, seed) for seed in seeds))
    yield from measures(cohort, found)
    return len(members)
