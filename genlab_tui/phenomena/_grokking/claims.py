"""Grokking: what is judged, and from which thresholds."""

from __future__ import annotations

import math

from genlab_tui.measures import all_finite, measure_test
from genlab_tui.phenomena._grokking.config import (
    CONTROL,
    FIT,
    GENERAL,
    LEAK,
    MAIN,
    Config,
    decay_arm,
    fraction_arm,
    has_leak,
)
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

# Thresholds, fixed before any run that is judged by them.
DELAY = 5.0  # steps to 95 % of the test pairs over steps to 99 % of the training pairs, at least
AT_FIT = 0.10  # test accuracy when the network has fitted, at most
SOONER = Rule(low=1.0, strict=True)  # steps of the arm that should be slower over those of the quicker one

LATE = f"steps to test {GENERAL:.0%} over steps to train {FIT:.0%}"
BEST = "largest test accuracy in its budget"
LOW = f"test accuracy when train accuracy reaches {FIT:.0%}"


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: the network groks (main); more decay, and more data, make it sooner (side)."""
    decays = sorted((config.weight_decay, *config.decays))
    fractions = sorted((config.fraction, *config.fractions))
    by_decay = [MAIN if d == config.weight_decay else decay_arm(d) for d in decays]
    by_fraction = [MAIN if f == config.fraction else fraction_arm(f) for f in fractions]
    found = [_main(config, spec)]
    if len(decays) > 1:
        words = [f"weight decay {d:g}" for d in decays]
        found.append(
            _order(
                "more weight decay groks sooner",
                "The stronger the weight decay, the fewer steps until the test accuracy is there.",
                by_decay,
                words,
            )
        )
    if len(fractions) > 1:
        words = [f"{f:.0%} of the table" for f in fractions]
        found.append(
            _order(
                "more data groks sooner",
                "The larger the share of the table that is trained on, the fewer steps until the rest of it is known.",
                by_fraction,
                words,
            )
        )
    return tuple(found)


def _main(config: Config, spec: RunSpec) -> Claim:
    both = all_finite(f"main arm and control reach train accuracy {FIT:.0%}", "fit_step", MAIN, CONTROL)
    high, late, low = Rule(low=GENERAL, every=True), Rule(low=DELAY, every=True), Rule(high=AT_FIT, every=True)
    leaks = has_leak(config) and (not spec.arms or LEAK in spec.arms)
    # A control may not pass in a single seed: of its seeds the one that comes nearest is judged.
    return Claim(
        "the network generalises long after it fits",
        f"With weight decay {config.weight_decay:g}, train accuracy is at {FIT:.0%} long before test accuracy is at "
        f"{GENERAL:.0%}, and until then the network knows nothing of the pairs held out. Without weight decay, all "
        f"else equal, it never gets there: it is given {config.cap:g} times the steps that the same seed took with "
        f"it, or all {config.steps:,} steps where those are fewer or where the seed did not get there with it either.",
        (
            Criterion(
                measure_test("best_test", MAIN, BEST, high),
                both,
                measure_test("best_test", CONTROL, "the same without weight decay", Rule(low=GENERAL), pooled=max),
            ),
            Criterion(
                measure_test("delay", MAIN, LATE, late, "0 counts for a network that did not get there in its budget."),
                both,
                measure_test("delay", CONTROL, "the same without weight decay", Rule(low=DELAY), pooled=max),
                published="about 1000 (division modulo 97, transformer)",
                published_source="Power et al. 2022",
                unit="times",
            ),
            Criterion(
                measure_test("test_at_fit", MAIN, LOW, low),
                both,
                measure_test("test_at_fit", LEAK, "the same of a split that leaks", Rule(high=AT_FIT), pooled=min)
                if leaks
                else None,
            ),
        ),
        paper="Power et al. 2022",
    )


def waited(data: RunData, arm: str) -> dict[int, float]:
    """Return the steps after which each seed of an arm generalised; where it did not, those that it trained."""
    ends = data.measure("end_step", arm)
    return {
        seed: ends.get(seed, math.nan) if math.isinf(step) else step
        for seed, step in data.measure("general_step", arm).items()
    }


def _order(name: str, statement: str, arms: list[str], words: list[str]) -> Claim:
    """Return the claim that each arm needs fewer steps than the one before it."""
    criteria = []
    for k in range(1, len(arms)):
        slow, quick = arms[k - 1], arms[k]

        def over(data: RunData, slow: str = slow, quick: str = quick) -> PerSeed:
            top, bottom, never = waited(data, slow), waited(data, quick), data.measure("general_step", slow)
            got = data.measure("general_step", quick)
            return {
                s: math.nan if math.isinf(never[s]) and math.isinf(got[s]) else top[s] / bottom[s]
                for s in top
                if s in bottom
            }

        criteria.append(
            Criterion(
                Test(
                    f"steps with {words[k - 1]} over steps with {words[k]}",
                    over,
                    SOONER,
                    (slow, quick),
                    statement="A network that did not generalise counts with the steps that it trained.",
                    geometric=True,
                ),
                unit="times",
            )
        )
    return Claim(name, statement, tuple(criteria), main=False)
