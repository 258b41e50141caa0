"""Speed by batch norm: accuracy and steps over learning rates, both starts, weight decay, learning curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from genlab_tui.figure import Figure, HeatMap, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.measures import mean, over_factor
from genlab_tui.phenomena._batch_norm_speed import numbers
from genlab_tui.phenomena._batch_norm_speed.config import (
    ACCURACY,
    AFTER,
    BN,
    DECAY,
    DECAY_NOTE,
    FASTER,
    FIT,
    NORM,
    PLAIN,
    RATES_OF_START,
    SCALE,
    SMALL,
    Config,
    Family,
    data_of,
    families,
    statistics_note,
)
from genlab_tui.phenomenon import Arm, PerSeed
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise

BAND = "line: mean over seeds, band: 1 standard deviation"
DIVERGED = "a network that diverged counts as guessing"


def figures(config: Config, run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return what the claims are of, also of data still coming."""
    kinds = [family for family in families(config) if _arms(run_data, family)]
    good = [family for family in kinds if family.gain == config.gain and not family.decay]
    small = [family for family in kinds if family.name.endswith(SMALL)]
    decayed = [family for family in kinds if family.decay]
    found: list[Figure | HeatMap] = [
        _over_rates(config, run_data, "accuracy", "Test accuracy over the learning rate", good),
        _steps(config, run_data, good),
    ]
    if small:
        title = f"Test accuracy from a small start (variance {config.small_gain:g} / inputs)"
        found += [_over_rates(config, run_data, "small-start", title, small), _starts(config, run_data)]
    if decayed:
        beside = [family for family in good if family.name + DECAY in {each.name for each in decayed}]
        shown = [*beside, *decayed]
        found += [
            _over_rates(config, run_data, "weight-decay", "Test accuracy with weight decay", shown, DECAY_NOTE),
            _norms(run_data, shown),
        ]
    return (*found, _grid(config, run_data, kinds), _learning(config, run_data, good))


def _arms(run_data: RunData, family: Family) -> list[Arm]:
    return [arm for arm in run_data.arms if arm.name.rpartition("@")[0] == family.name]


def _lines(run_data: RunData, kinds: Sequence[Family], of: Callable[[str], PerSeed]) -> tuple[Line, ...]:
    return tuple(line for family in kinds for line in over_factor(family.label, _arms(run_data, family), "lr", of))


def _accuracy(run_data: RunData) -> Callable[[str], PerSeed]:
    chance = 1 / data_of(run_data.spec).classes

    def of(arm: str) -> PerSeed:
        return {s: v if math.isfinite(v) else chance for s, v in run_data.measure(ACCURACY, arm).items()}

    return of


def _over_rates(
    config: Config, run_data: RunData, name: str, title: str, kinds: Sequence[Family], more: str = ""
) -> Figure:
    return Figure(
        name,
        title,
        "learning rate",
        "test accuracy at the end",
        _lines(run_data, kinds, _accuracy(run_data)),
        (Reference(config.usable, "usable"), Reference(1 / data_of(run_data.spec).classes, "guessing")),
        log_x=True,
        note="; ".join(part for part in (BAND, DIVERGED, statistics_note(config, run_data.spec), more) if part),
    )


def _steps(config: Config, run_data: RunData, kinds: Sequence[Family]) -> Figure:
    curves = run_data.curves.get(FIT, {})

    def of(arm: str) -> PerSeed:
        found = {
            seed: numbers.crossing(curve.step.tolist(), curve.value.tolist(), config.target)
            for (name, seed), curve in curves.items()
            if name == arm
        }
        return found if all(map(math.isfinite, found.values())) else {}

    best = mean(numbers.fewest(run_data, config, PLAIN)) if any(f.name == PLAIN for f in kinds) else math.nan
    references = (
        Reference(best, "without, at its best rate"),
        Reference(FASTER * best, f"{FASTER:g} of that"),
    )
    return Figure(
        "steps",
        f"Steps to {100 * config.target:g} % training accuracy",
        "learning rate",
        "steps",
        _lines(run_data, kinds, of),
        references if math.isfinite(best) else (),
        log_x=True,
        log_y=True,
        note=f"{BAND}; no point where a seed does not get there; the lowest points are compared, not those at one "
        f"rate; {statistics_note(config, run_data.spec, looks=True)}",
    )


def _starts(config: Config, run_data: RunData) -> Figure:
    """Return what the start does: the best rate without batch norm against the worst one with it."""
    low, high = RATES_OF_START
    x = (config.small_gain, config.gain)

    def line(label: str, family: str, *, worst: bool) -> tuple[Line, ...]:
        rows = []
        for name in (family + SMALL, family):
            of = partial(numbers.worst, within=RATES_OF_START) if worst else numbers.best
            rows.append(summarise(of(run_data, config, name).values()))
        if not any(row.n for row in rows):
            return ()
        return (
            Line(
                label,
                x,
                tuple(row.mean for row in rows),
                tuple(row.mean - row.sd for row in rows),
                tuple(row.mean + row.sd for row in rows),
                n=tuple(row.n for row in rows),
            ),
        )

    span = f"rates {low:g} to {high:g}"
    return Figure(
        "starts",
        "What the start decides",
        "variance of an initial weight times its inputs",
        "test accuracy at the end",
        (
            *line("without: its best rate", PLAIN, worst=False),
            *line(f"batch norm: the worst of {span}", BN, worst=True),
            *line(f"batch norm after: the worst of {span}", AFTER, worst=True),
            *line(f"scale and shift alone: the worst of {span}", SCALE, worst=True),
        ),
        (Reference(1 / data_of(run_data.spec).classes, "guessing"),),
        log_x=True,
        note=f"{BAND}; {DIVERGED}; {statistics_note(config, run_data.spec)}",
    )


def _norms(run_data: RunData, kinds: Sequence[Family]) -> Figure:
    return Figure(
        "weight-norm",
        "Norm of the weights at the end",
        "learning rate",
        "2-norm of all weight matrices",
        _lines(run_data, kinds, lambda arm: run_data.measure(NORM, arm)),
        log_x=True,
        log_y=True,
        note=f"{BAND}; batch norm frees the scale of each layer before it: the effective rate of such a layer is about "
        f"lr / norm^2, by its own norm; here all layers are together, the output layer too, whose scale is not free; "
        f"{DECAY_NOTE}",
    )


def _grid(config: Config, run_data: RunData, kinds: Sequence[Family]) -> HeatMap:
    lrs, of = sorted(set(config.lrs)), _accuracy(run_data)
    rows = tuple(
        tuple(100 * mean(of(family.arm(lr))) if lr in family.rates(config) else math.nan for lr in lrs)
        for family in kinds
    )
    return HeatMap(
        "grid",
        "Test accuracy, %",
        "learning rate",
        "network",
        tuple(f"{lr:g}" for lr in lrs),
        tuple(family.label for family in kinds),
        rows,
        note=f"mean over seeds; {DIVERGED}; × not trained; {statistics_note(config, run_data.spec)}; {DECAY_NOTE}",
    )


def _learning(config: Config, run_data: RunData, kinds: Sequence[Family]) -> Figure:
    """Return training accuracy at the learning rate where the most seeds get there, in the fewest steps."""
    chosen = []
    for family in kinds:
        rows = list(numbers.steps(run_data, config, family.name).values())
        columns = list(zip(*rows, strict=True))
        ranked = [(-sum(map(math.isfinite, c)), mean(dict(enumerate(c))), k) for k, c in enumerate(columns)]
        reached = [each for each in ranked if each[0]]
        if reached:
            chosen.append(family.arm(family.rates(config)[min(reached)[2]]))
    return Figure(
        "learning",
        "Training accuracy, each at its best learning rate",
        "step",
        "training accuracy",
        curve_lines(run_data, FIT, arms=chosen),
        (Reference(config.target, "target"),),
        note=f"{BAND}; {statistics_note(config, run_data.spec, looks=True)}",
    )
