"""What is claimed of networks over the width: a peak where they just fit, and that it is not there in the control."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from genlab_tui.peaks import first_below, largest_rise, profile, rise_near
from genlab_tui.phenomena._double_descent import networks
from genlab_tui.phenomena._double_descent.config import LABELS, Config, of_kind
from genlab_tui.phenomena._double_descent.networks import FITS
from genlab_tui.phenomenon import Arm, Claim, Criterion, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

# Thresholds, fixed before any run that is judged by them.
RISE = 0.05  # of the mean test error, from its first minimum to the peak
NEAR = 1.6  # how far from the first width that fits the peak may lie, as a factor
RISE_NEAR = 0.03  # in every seed, within that factor
FALL = 0.05  # of the mean test error, from the peak to the widest network
CONTROL_RISE = 0.03  # of the control's test error: above this, in any seed, it peaks too
CONTROL_MEAN_RISE = 0.01  # and above this on the mean


def spans(arms: Sequence[Arm], factor: str, *, fits_first: bool = False) -> Test:
    """Make the precondition that the training error crosses 1 % along a factor, in most of the seeds.

    It does so from above to below (over the width); with `fits_first` the other way (over the number of samples).
    """

    def crosses(run_data: RunData) -> dict[int, float]:
        rows = profile(run_data, "train_accuracy", arms, factor).per_seed
        ends = {
            seed: (1 - row[-1], 1 - row[0]) if fits_first else (1 - row[0], 1 - row[-1]) for seed, row in rows.items()
        }
        return {seed: float(unfit > FITS >= fit) for seed, (unfit, fit) in ends.items()}

    what = "numbers of samples" if fits_first else "widths"
    words = f"the {what} span the threshold: training error crosses 1 %"
    return Test(words, crosses, Rule(low=1.0), tuple(arm.name for arm in arms))


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims about networks over the width: with noisy labels, or with clean ones where none are noisy."""
    arms = networks.plan(config, spec)
    kind, control = networks.labels(config)
    own, others = of_kind(arms, kind), of_kind(arms, control)
    needs = tuple(arm.name for arm in own)

    def over(
        run_data: RunData, of: Callable[[tuple[float, ...]], float], which: Sequence[Arm] = own
    ) -> dict[int, float]:
        return {seed: of(row) for seed, row in profile(run_data, "test_error", which, "width").per_seed.items()}

    def on_mean(run_data: RunData, of: Callable[[tuple[float, ...]], float], which: Sequence[Arm] = own) -> float:
        mean = profile(run_data, "test_error", which, "width").mean
        return of(mean) if mean else math.nan

    def threshold(run_data: RunData) -> float:
        """The first width whose mean training error is that of a network that fits."""
        found = profile(run_data, "train_accuracy", own, "width")
        place = first_below([1 - value for value in found.mean], FITS)
        return math.nan if place is None else found.x[place]

    def near(run_data: RunData) -> dict[int, float]:
        found, centre = profile(run_data, "test_error", own, "width"), threshold(run_data)
        return {seed: rise_near(row, found.x, centre, NEAR) for seed, row in found.per_seed.items()}

    def offset(run_data: RunData) -> float:
        found = profile(run_data, "test_error", own, "width")
        if not found.mean:
            return math.nan
        ratio = found.x[largest_rise(found.mean)[2]] / threshold(run_data)
        return max(ratio, 1 / ratio)

    def rise(row: Sequence[float]) -> float:
        return largest_rise(row)[0]

    def fall(row: Sequence[float]) -> float:
        return row[largest_rise(row)[2]] - row[-1]

    def gain(row: Sequence[float]) -> float:
        return row[largest_rise(row)[1]] - row[-1]

    def of_mean(words: str, of: Callable[[Sequence[float]], float], rule: Rule, which: Sequence[Arm] = own) -> Test:
        """Return the test of a number of the mean curve over the seeds."""
        names = tuple(arm.name for arm in which)
        return Test(words, lambda d: over(d, of, which), rule, names, lambda d: on_mean(d, of, which))

    span = spans(own, "width")
    controls = (
        Test(
            f"largest rise of test error with {LABELS[control]}, in any seed",
            lambda d: over(d, rise, others),
            Rule(low=CONTROL_RISE, strict=True),
            tuple(arm.name for arm in others),
            lambda d: max(over(d, rise, others).values(), default=math.nan),
        ),
        of_mean(
            f"rise of the mean test error with {LABELS[control]}",
            rise,
            Rule(low=CONTROL_MEAN_RISE, strict=True),
            others,
        ),
    )
    place = Test(
        "place of the peak: factor from the first width that fits",
        lambda d: over(d, rise),
        Rule(high=NEAR),
        needs,
        offset,
        statement=f"The peak of the mean test error lies within a factor {NEAR:g} of that width.",
    )
    height = of_mean("rise of the mean test error to its peak", rise, Rule(low=RISE))
    each = Test("rise near the threshold, in every seed", near, Rule(low=RISE_NEAR, every=True), needs)
    down = of_mean("fall of the mean test error to the widest network", fall, Rule(low=FALL))
    better = of_mean(
        "first minimum of the mean test error minus the widest network's", gain, Rule(low=0.0, strict=True)
    )
    return (
        Claim(
            f"peak where networks just fit, {LABELS[kind]}",
            "The test error of trained networks falls, rises to a peak where they just fit their training data, and "
            "falls again.",
            (
                Criterion(height, span, controls[0]),
                Criterion(each, span, controls[1]),
                Criterion(place, span, unit="times"),
                Criterion(down, span),
            ),
            paper="Belkin et al. 2019; Nakkiran et al. 2020",
        ),
        Claim(
            f"second descent beats the first minimum, {LABELS[kind]}, networks",
            "The widest network beats the best of those that do not fit.",
            (Criterion(better, span),),
            main=False,
        ),
    )
