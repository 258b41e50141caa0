"""Saddle points: index against loss, and the eigenvalues of low, middle and high critical points."""

from __future__ import annotations

import math
from collections.abc import Iterator

from genlab_tui import events as ev
from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.phenomena._saddle_points.config import NETWORK
from genlab_tui.rundata import RunData

SEEDS = 6
"""Seeds whose points are drawn, at most: more hide each other."""
THIRDS = ("lowest third", "middle third", "highest third")


LOWEST = 0.4
"""The share of the spectrum that is drawn, from its lowest end: above it everything leads up everywhere."""


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return index and lowest eigenvalue against the loss, one colour a seed, and spectra by thirds of the loss."""
    found = {seed: heat for (arm, seed), heat in run_data.heats.get("critical points", {}).items() if arm == NETWORK}
    some = f"the first {SEEDS} seeds of {len(found)}" if len(found) > SEEDS else ""
    points = Figure(
        "index",
        "Negative eigenvalues of critical points",
        "loss",
        "share of eigenvalues",
        tuple(_points(seed, found[seed], 1) for seed in sorted(found)[:SEEDS]),
        (Reference(0.0, "minima"),),
        note=some,
    )
    steepest = Figure(
        "steepest",
        "Lowest eigenvalue of critical points",
        "loss",
        "eigenvalue",
        tuple(_points(seed, found[seed], 2) for seed in sorted(found)[:SEEDS]),
        (Reference(0.0, "minima above"),),
        note=some,
    )
    spectra = Figure(
        "spectrum",
        "Lowest eigenvalues, by the loss of the point",
        "place in the spectrum, 0 the lowest",
        "eigenvalue",
        tuple(_spectra(run_data)),
        (Reference(0.0, ""),),
        note="means over critical points, thirds of their number ordered by loss; line: mean over seeds, band: "
        "smallest to largest seed",
    )
    return points, spectra, steepest


def _points(seed: int, heat: ev.Heat, row: int) -> Line:
    """Return a row of the table of a seed's points against their loss; without points where it has no such row."""
    loss, *others = ([ev.from_value(value) for value in line] for line in heat.values)
    if row > len(others):
        return Line(f"seed {seed}", (), (), points=True)
    return Line(f"seed {seed}", tuple(loss), tuple(others[row - 1]), points=True)


def _spectra(run_data: RunData) -> Iterator[Line]:
    heats = [heat for (arm, _), heat in sorted(run_data.heats.get("spectra", {}).items()) if arm == NETWORK]
    if not heats:
        return
    size = len(heats[0].values[0])
    drawn = max(round(LOWEST * size), 1)
    places = tuple(k / max(size - 1, 1) for k in range(drawn))
    for row, name in enumerate(THIRDS):
        columns = [[ev.from_value(heat.values[row][k]) for heat in heats] for k in range(drawn)]
        finite = [[v for v in column if math.isfinite(v)] for column in columns]
        means = tuple(math.fsum(column) / len(column) if column else math.nan for column in finite)
        low = tuple(min(column, default=math.nan) for column in finite)
        high = tuple(max(column, default=math.nan) for column in finite)
        yield Line(name, places, means, low, high)
