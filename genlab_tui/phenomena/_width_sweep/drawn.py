"""The figures of the width sweep: errors, norms, capacities, margin, degrees of freedom and epochs over H."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.measures import mean, over_factor
from genlab_tui.phenomena._width_sweep.config import Config, at_level, data_of, label, levels, parameters
from genlab_tui.phenomena._width_sweep.ranges import first_of_all, ranks
from genlab_tui.phenomenon import Arm, PerSeed
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise

HIDDEN = "hidden units H"
BAND = "line: mean over seeds, band: 1 standard deviation"


def figures(run_data: RunData, config: Config) -> tuple[Figure, ...]:
    """Return errors, norms, capacities, margin, degrees of freedom and epochs over H, also of data still coming."""
    known = data_of(run_data.spec)
    n = config.n or known.train
    by_level = {p: own for p in levels(config) if (own := at_level(run_data.arms, p))}
    clean = by_level.get(0.0, ())
    everywhere = _first_fits(run_data, by_level)
    of_clean = _first_fits(run_data, {0.0: clean} if clean else {})
    guessing = Reference(1 - 1 / known.classes, "guessing")
    most = Reference(n * (known.classes - 1.0), f"n (K - 1) = {n * (known.classes - 1):,}: every label as it is")

    def lines(of: Callable[[str], PerSeed]) -> tuple[Line, ...]:
        return tuple(line for p, arms in by_level.items() for line in over_factor(label(p), arms, "width", of))

    def train_error(arm: str) -> dict[int, float]:
        return {seed: 1.0 - value for seed, value in run_data.measure("train_accuracy", arm).items()}

    def all_levels(
        name: str, title: str, axis: str, of: Callable[[str], PerSeed], *more: Reference, log: bool = False
    ) -> Figure:
        """Draw every level of noise."""
        marks = (*everywhere, *more)
        return Figure(name, f"{title} over the width", HIDDEN, axis, lines(of), marks, log_x=True, log_y=log, note=BAND)

    def clean_alone(name: str, title: str, axis: str, drawn: tuple[Line, ...], *more: Reference, note: str) -> Figure:
        title = f"{title} over the width, clean labels"
        return Figure(name, title, HIDDEN, axis, drawn, (*of_clean, *more), log_x=True, log_y=True, note=note)

    measured = partial(partial, run_data.measure)
    error = all_levels("error", "Test error", "test error", measured("test_error"), guessing)
    found = [
        replace(error, note="; ".join((BAND, *_range_in_words(run_data, n, by_level)))),
        all_levels("fit", "Training error", "training error", train_error, guessing),
        clean_alone("norms", "Norms and distances", "norm", _norms(run_data, clean), note=BAND),
        clean_alone(
            "capacity",
            "Capacity",
            "capacity / that of the first width that fits",
            _capacities(run_data, clean),
            Reference(1.0, "as at the first width that fits"),
            note=f"squares over margin squared: they count samples, as parameters do; no constants; {BAND}",
        ),
        all_levels("margin", "Margin", "margin", measured("margin"), Reference(0.0, "classified wrong below")),
        clean_alone(
            "degrees",
            "Degrees of freedom",
            "degrees of freedom",
            _degrees(run_data, clean),
            most,
            note=f"share of a redrawn label that is taken up, times n (K - 1); many labels at a time, so that small "
            f"networks may have more than parameters; {BAND}",
        ),
        all_levels("epochs", "Epochs of training", "epochs", measured("epochs"), log=True),
    ]
    return tuple(figure for figure in found if figure.name != "degrees" or config.dof)


def _first_fits(run_data: RunData, by_level: dict[float, tuple[Arm, ...]]) -> list[Reference]:
    """Return a line at the first width that fits in every seed, for each level of noise; equal ones as one."""
    names: dict[float, list[str]] = {}
    for p, arms in by_level.items():
        if (first := first_of_all(run_data, arms)) is not None:
            names.setdefault(float(first.factors["width"]), []).append(label(p))
    return [Reference(h, f"fits from H = {h:g}: {', '.join(which)}", "x") for h, which in sorted(names.items())]


def _range_in_words(run_data: RunData, n: int, by_level: dict[float, tuple[Arm, ...]]) -> Iterator[str]:
    """Yield, per level, the interpolating range as parameters and the rank correlation, which is never judged."""
    for p, arms in by_level.items():
        first = first_of_all(run_data, arms)
        if first is not None:
            low, high = (parameters(run_data.spec, arm) for arm in (first, arms[-1]))
            rank = mean(ranks(run_data, arms))
            yield f"{label(p)}: {low:,} to {high:,} parameters fit n = {n:,}, rank correlation {rank:.2f}"


def _norms(run_data: RunData, arms: Sequence[Arm]) -> tuple[Line, ...]:
    """Return norms and distances, and what falls as 1 / sqrt(H) from the first unit's distance that fits."""
    shown = {
        "unit_distance": "distance from its start, a unit",
        "distance": "distance from its start, hidden layer",
        "norm_hidden": "norm, hidden layer",
        "norm_output": "norm, output layer",
    }
    drawn = [
        line
        for measure, words in shown.items()
        for line in over_factor(words, arms, "width", partial(run_data.measure, measure))
    ]
    first = first_of_all(run_data, arms)
    if first is not None:
        own = summarise(run_data.measure("unit_distance", first.name).values()).mean
        widths = (float(arm.factors["width"]) for arm in arms)
        x = tuple(width for width in widths if width >= float(first.factors["width"]))
        drawn.append(Line("1 / sqrt(H), to compare", x, tuple(own * math.sqrt(x[0] / h) for h in x)))
    return tuple(drawn)


CAPACITIES = {
    "unit_capacity": "by units (Neyshabur et al. 2019)",
    "spectral_capacity": "spectral (Bartlett et al. 2017)",
    "frobenius_capacity": "Frobenius (Neyshabur et al. 2015)",
}


def _capacities(run_data: RunData, arms: Sequence[Arm]) -> tuple[Line, ...]:
    """Return capacities and parameters, each relative to the first width that fits in every seed."""
    first = first_of_all(run_data, arms)
    if first is None:
        return ()
    kept = arms[arms.index(first) :]

    def relative(measure: str, arm: str) -> dict[int, float]:
        base = run_data.measure(measure, first.name)
        return {s: v / base[s] for s, v in run_data.measure(measure, arm).items() if s in base}

    drawn = [
        line
        for measure, words in CAPACITIES.items()
        for line in over_factor(words, kept, "width", partial(relative, measure))
    ]
    x = tuple(float(arm.factors["width"]) for arm in kept)
    counts = [parameters(run_data.spec, arm) for arm in kept]
    return (*drawn, Line("parameters", x, tuple(count / counts[0] for count in counts)))


def _degrees(run_data: RunData, arms: Sequence[Arm]) -> tuple[Line, ...]:
    drawn = over_factor("degrees of freedom", arms, "width", partial(run_data.measure, "degrees_of_freedom"))
    if not drawn:
        return ()
    x = tuple(float(arm.factors["width"]) for arm in arms)
    return (*drawn, Line("parameters", x, tuple(float(parameters(run_data.spec, arm)) for arm in arms)))
