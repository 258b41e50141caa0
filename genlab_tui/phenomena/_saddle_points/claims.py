"""Saddle points: what is judged, and from which thresholds."""

from __future__ import annotations

from genlab_tui import events as ev
from genlab_tui.measures import measure_test
from genlab_tui.phenomena._saddle_points.config import CONVEX, NETWORK, Config
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

# Thresholds, fixed before any run that is judged by them.
CORRELATION = 0.8  # of index and loss over the critical points of a seed
SADDLES = 0.95  # share of saddles among the critical points in the upper half of the losses
LOW = 0.25  # where the highest minimum lies in the range of the losses, 0 the lowest critical point, 1 the highest
MINIMA = 2.0  # different minima of a seed, to speak of the highest
POINTS = 10.0  # different critical points that a seed must have found


def minima_of(data: RunData) -> PerSeed:
    """Return how many different minima, critical points of index 0, each seed has found."""
    heats = data.heats.get("critical points", {})
    return {
        seed: float(sum(ev.from_value(index) == 0 for index in heat.values[1]))
        for (arm, seed), heat in heats.items()
        if arm == NETWORK
    }


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: high critical points are saddles (main), minima are all low (side)."""
    enough = measure_test("points", NETWORK, "different critical points", Rule(low=POINTS, every=True))
    correlated, saddles = Rule(low=CORRELATION), Rule(low=SADDLES)
    high = Claim(
        "critical points of high loss are saddles",
        "The higher the loss at a critical point, the larger the share of directions in which it still falls (the "
        "index); what lies in the upper half of the losses is a saddle, not a minimum. The two controls check the "
        "computation: beside a mistake in it, hardly anything can make them fire. What they leave open is which points "
        "Newton's method reaches: the share of searches that arrived is the measure `arrived`.",
        (
            Criterion(
                measure_test("correlation", NETWORK, "correlation of index and loss", correlated),
                enough,
                measure_test("shuffled", NETWORK, "the same with the losses exchanged at random", correlated),
            ),
            Criterion(
                measure_test("saddles", NETWORK, "share of saddles in the upper half of the losses", saddles),
                enough,
                measure_test("saddles", CONVEX, "the same without a hidden layer", saddles),
            ),
        ),
        paper="Dauphin et al. 2014",
    )
    minima = Claim(
        "the minima are all low",
        "Of the critical points without a direction down, the highest still lies in the lowest quarter of the losses.",
        (
            Criterion(
                measure_test(
                    "highest_minimum",
                    NETWORK,
                    "place of the highest minimum in the losses",
                    Rule(high=LOW),
                    "Of one minimum alone it says nothing: it is the lowest point then.",
                ),
                Test("different minima of a seed", minima_of, Rule(low=MINIMA), (NETWORK,)),
            ),
        ),
        main=False,
    )
    return (high, minima)
