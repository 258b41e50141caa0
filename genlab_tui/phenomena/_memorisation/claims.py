"""What Arpit et al. say about partly wrong labels, as criteria."""

from __future__ import annotations

import math
from collections.abc import Callable

from genlab_tui.landmarks import at_epochs, first_reaching, largest_gap, where_crossing
from genlab_tui.measures import difference, least, together
from genlab_tui.phenomena._memorisation.config import (
    APART,
    CLEAN_FIT,
    DROPOUT_FITS,
    DROPOUT_GAIN,
    EASY,
    GAUSSIAN,
    HURT,
    LEARNT,
    MEMORISED,
    RADII,
    RANDOM,
    RECOVERED,
    STILL_UNFITTED,
    Config,
    critical_at,
    dropped,
    label_of,
    name_of,
)
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData


def learnt_at(run_data: RunData, arm: str) -> dict[int, float]:
    """Return the first epoch after which the samples with true labels are learnt, per seed; NaN: never."""
    return first_reaching(run_data, "clean_fit", arm, LEARNT)


def at_learnt(run_data: RunData, metric: str, arm: str) -> dict[int, float]:
    """Return a metric at that epoch, per seed; NaN where there is none."""
    return at_epochs(run_data, metric, arm, learnt_at(run_data, arm))


def lost(run_data: RunData, arm: str) -> dict[int, float]:
    """Return the test accuracy at that epoch minus the final one, per seed."""
    return _minus(at_learnt(run_data, "test_accuracy", arm), run_data.measure("test_accuracy", arm))


def matched(run_data: RunData, arm: str) -> dict[int, float]:
    """Return the fit of wrong labels where that of true ones first reaches `CLEAN_FIT`, per seed."""
    return where_crossing(run_data, "noisy_fit", arm, CLEAN_FIT, of="clean_fit")


def _gap(run_data: RunData, arm: str) -> dict[int, float]:
    return largest_gap(run_data, "clean_fit", "noisy_fit", arm)


def _minus(first: PerSeed, second: PerSeed) -> dict[int, float]:
    return {seed: value - second[seed] for seed, value in first.items() if seed in second}


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: the main ones are about the main share of wrong labels."""
    others = sorted({p for p in config.levels if p != config.noise})
    return (
        _patterns_first(config.noise),
        _hurts(name_of(config.noise)),
        *(_patterns_first(p, main=False) for p in others),
        *_dropout(config),
        *_uneven(config),
        *(_critical(radius, name_of(config.noise)) for radius in RADII),
        *((_easy_samples(),) if config.inits else ()),
    )


def _patterns_first(noise: float, *, main: bool = True) -> Claim:
    arm = name_of(noise)
    learnt = Test(
        f"the samples with true labels are learnt ({LEARNT:.0%}), and so are random labels",
        lambda d: {s: float(all(map(math.isfinite, e))) for s, e in _both(d, arm).items()},
        Rule(low=1.0, every=True),
        (arm, RANDOM),
    )

    def of(words: str, measure: Callable[[RunData, str], PerSeed], rule: Rule, statement: str = "") -> Criterion:
        return Criterion(
            Test(words, lambda d: measure(d, arm), rule, (arm,), statement=statement),
            learnt,
            Test(f"{words}, random labels", lambda d: measure(d, RANDOM), rule, (RANDOM,)),
        )

    criteria = [
        of(
            "wrong labels fitted once the true ones are learnt",
            lambda d, name: at_learnt(d, "noisy_fit", name),
            Rule(high=STILL_UNFITTED),
            f"At the first epoch with {LEARNT:.0%} of the true labels learnt, few wrong ones are.",
        ),
        of(
            "true class of the wrongly labelled by then",
            lambda d, name: at_learnt(d, "recovery", name),
            Rule(low=RECOVERED),
            "By then the network gives most samples with a wrong label the class that they should have had.",
        ),
    ]
    if main:
        words = "largest gap between the fits of the two parts"
        criteria.append(of(words, _gap, Rule(low=APART, strict=True), "Random labels have no part learnt first."))
    return Claim(
        "simple patterns first" + ("" if main else f", {label_of(noise)}"),
        "What the labels have in common is learnt before the labels that fit nothing.",
        tuple(criteria),
        main=main,
        paper="Arpit et al. 2017",
    )


def _both(run_data: RunData, arm: str) -> dict[int, tuple[float, float]]:
    """Return when an arm and random labels were learnt, for every seed of either; NaN: never."""
    one, other = learnt_at(run_data, arm), learnt_at(run_data, RANDOM)
    return {seed: (one.get(seed, math.nan), other.get(seed, math.nan)) for seed in sorted(one.keys() | other.keys())}


def _hurts(arm: str) -> Claim:
    fitted = Test(
        "wrong labels fitted at the end", lambda d: d.measure("noisy_fit", arm), Rule(low=MEMORISED), (arm,),
        statement="In the end the wrong labels are known by heart.",
    )  # fmt: skip
    words = "test accuracy lost after the true labels were learnt"
    loss = Test(
        words, lambda d: lost(d, arm), Rule(low=HURT), (arm,),
        statement="On the way there the network unlearns a part of what it knew about new samples.",
    )  # fmt: skip
    control = Test(f"{words}, random labels", lambda d: lost(d, RANDOM), Rule(low=HURT), (RANDOM,))
    return Claim(
        "memorisation hurts",
        "Learning wrong labels by heart costs accuracy on new samples.",
        (Criterion(fitted), Criterion(loss, control=control)),
        paper="Arpit et al. 2017",
    )


def _dropout(config: Config) -> tuple[Claim, Claim]:
    plain, kept_out = name_of(config.noise), dropped(config)
    both = (plain, kept_out)
    at_end = Claim(
        "dropout hinders memorisation",
        "With dropout the wrong labels are not learnt, the true ones are, and new samples fare better.",
        (
            Criterion(_final("noisy_fit", kept_out, Rule(high=DROPOUT_FITS), "wrong labels fitted, with dropout")),
            Criterion(_final("noisy_fit", plain, Rule(low=MEMORISED), "wrong labels fitted, without")),
            Criterion(
                Test(
                    "true labels fitted, the worse of the two",
                    lambda d: {s: least(values) for s, values in together(d, "clean_fit", both).items()},
                    Rule(low=CLEAN_FIT),
                    both,
                )
            ),
            Criterion(
                Test(
                    "final test accuracy gained by dropout",
                    lambda d: difference(d, "test_accuracy", kept_out, plain),
                    Rule(low=DROPOUT_GAIN),
                    both,
                )
            ),
        ),
        main=False,
        paper="Arpit et al. 2017",
    )
    equal = Claim(
        "dropout, at equal fit of the true labels",
        f"Also when both have learnt {CLEAN_FIT:.0%} of the true labels, dropout has learnt fewer wrong ones.",
        (
            Criterion(
                Test(
                    "wrong labels fitted, without dropout minus with it",
                    lambda d: _minus(matched(d, plain), matched(d, kept_out)),
                    Rule(low=0.0, strict=True),
                    both,
                )
            ),
        ),
        main=False,
    )
    return at_end, equal


def _final(metric: str, arm: str, rule: Rule, words: str) -> Test:
    return Test(words, lambda d: d.measure(metric, arm), rule, (arm,))


def _above(words: str, metric: str, arm: str, base: str) -> Criterion:
    """Make the criterion that a measure of one arm is above that of another, in every seed."""
    rule = Rule(low=0.0, strict=True, every=True)
    return Criterion(Test(words, lambda d: difference(d, metric, arm, base), rule, (arm, base)))


def _uneven(config: Config) -> tuple[Claim, ...]:
    words = "Gini coefficient of the loss sensitivity, true labels minus "
    bases = {RANDOM: "random labels"} | ({GAUSSIAN: "Gaussian inputs"} if config.gaussian else {})
    return tuple(
        Claim(
            f"real data depend on fewer samples than {label}",
            "On real data the loss of a few samples is sensitive to its input; on noise that of most is. A stand-in "
            "for the paper's measure, which looks at what a sample does to the loss by having been trained on.",
            (_above(words + label, "sensitivity_gini", "clean", base),),
            main=False,
        )
        for base, label in bases.items()
    )


def _critical(radius: float, arm: str) -> Claim:
    words = f"critical sample ratio at radius {radius:g}, wrong labels minus true ones"
    return Claim(
        f"wrong labels bring classes closer, radius {radius:g}",
        "A network that fitted wrong labels has decision boundaries closer to new samples.",
        (_above(words, critical_at(radius), arm, "clean"),),
        main=False,
        paper="Arpit et al. 2017",
    )


def _easy_samples() -> Claim:
    real, noise = EASY.values()

    def more(run_data: RunData) -> PerSeed:
        return _minus(run_data.measure(f"{real}_spread", "clean"), run_data.measure(f"{noise}_spread", "clean"))

    words = "spread of the share right after one epoch over that of equal samples, real minus Gaussian inputs"
    return Claim(
        "some samples are easy",
        "After one epoch the same real samples are right whatever the initialisation; noise has no easy samples.",
        (Criterion(Test(words, more, Rule(low=0.0, strict=True, every=True), ("clean",))),),
        main=False,
        paper="Arpit et al. 2017",
    )
