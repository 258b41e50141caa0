"""Minimum norm: what is judged, and from which thresholds."""

from __future__ import annotations

from functools import partial

from genlab_tui.measures import measure_test, ratio
from genlab_tui.phenomena._minimum_norm.config import (
    ACCURATE,
    AGAIN,
    CLOSE,
    CONSISTENT,
    DIGITS,
    FAR,
    FAR_START,
    FITTED,
    FOURIER,
    FURTHER,
    GAUSSIAN,
    GD,
    ILL,
    IN_SPAN,
    NARROW,
    NOISY,
    RANDOM,
    RATIO,
    RATIO_WIDE,
    RESOLVED,
    RIDGE,
    SGD,
    SOLVED,
    SYSTEM_TESTS,
    TRUE,
    Config,
    arm_of,
    bandwidths,
    sizes,
)
from genlab_tui.phenomena._minimum_norm.numbers import in_resolutions, price_of_the_smallest, ridge_gain, worst
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

SOURCE = "Zhang et al. 2017, section 5"
PUBLISHED = dict.fromkeys(DIGITS, "0.988 on MNIST, 60,000 images")  # no other data has a number of its kind


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: exact fits that predict, the norm of noise, the limit of descent (main); and what else."""
    sigmas, tests = bandwidths(config), sizes(config, spec)[1]
    judged = tuple(sigma for sigma in sigmas if sigma >= NARROW)
    side = [_ridge(config, tests), _not_the_whole_story(sigmas, tests), _stochastic()]
    if config.system == GAUSSIAN:
        side.append(_accuracy_is_no_convergence(min(tests, SYSTEM_TESTS)))
    return (_interpolates(judged, spec), _norm(judged), _descent(), *side)


# --- kernels ----------------------------------------------------------------------------------------------------------


def _fitted(arms: tuple[str, ...], words: str) -> Test:
    return Test(
        words,
        partial(worst, measure="residual", arms=arms, high=True),
        Rule(high=FITTED, strict=True, every=True),
        arms,
    )


def _interpolates(judged: tuple[float, ...], spec: RunSpec) -> Claim:
    true, noise = (tuple(arm_of(kind, sigma) for sigma in judged) for kind in (TRUE, RANDOM))
    where = f"sigma {judged[0]:g} and above"
    residual = _fitted((*true, *noise), f"largest residual of the fit, true and random labels, {where}")
    learnt = Test(
        f"least training accuracy with random labels, {where}",
        partial(worst, measure="train_accuracy", arms=noise, high=False),
        Rule(low=1.0, every=True),
        noise,
    )

    def predicts(arms: tuple[str, ...], words: str) -> Test:
        measure = partial(worst, measure="test_accuracy", arms=arms, high=False)
        return Test(f"least test accuracy with {words} labels, {where}", measure, Rule(low=ACCURATE), arms)

    return Claim(
        "interpolation predicts",
        "Solved exactly, without any regularisation, a Gaussian kernel fits true and random labels alike; with true "
        f"ones it predicts well. {100 * ACCURATE:g} % is asked on every data set, easy or hard: where the "
        "kernel predicts less, the claim stays NOT SHOWN.",
        (
            Criterion(residual),
            Criterion(learnt, residual),
            Criterion(
                predicts(true, "true"),
                residual,
                predicts(noise, "random"),
                published=PUBLISHED.get(spec.data),
                published_source=SOURCE if spec.data in PUBLISHED else "",
            ),
        ),
        paper="Zhang et al. 2017",
    )


def _norm(judged: tuple[float, ...]) -> Claim:
    criteria = []
    for sigma in judged:
        true, noise, again = (arm_of(kind, sigma) for kind in (TRUE, RANDOM, AGAIN))
        rule = Rule(low=RATIO_WIDE if sigma > NARROW else RATIO)
        effect = Test(
            f"norm of random labels over that of true ones, sigma = {sigma:g}",
            partial(ratio, name="norm", arm=noise, base=true),
            rule,
            (true, noise),
        )
        control = Test(
            f"the same of two draws of random labels, sigma = {sigma:g}",
            partial(ratio, name="norm", arm=again, base=noise),
            rule,
            (noise, again),
        )
        words = f"residual of the fit, sigma = {sigma:g}"
        criteria.append(Criterion(effect, _fitted((true, noise), words), control, unit="times"))
    return Claim(
        "random labels cost more norm",
        "The same kernel that fits true labels with a small norm needs a much larger one for random labels.",
        tuple(criteria),
        paper="Zhang et al. 2017",
    )


def _ridge(config: Config, tests: int) -> Claim:
    penalties = tuple(sorted(set(config.penalties)))

    def gain(kind: str, words: str) -> Test:
        arms = tuple(arm_of(kind, value) for value in (0.0, *penalties))
        measure = partial(ridge_gain, kind=kind, penalties=penalties, tests=tests)
        return Test(f"what the best ridge wins in test error{words}", measure, Rule(high=RESOLVED), arms)

    zero = arm_of(RIDGE, 0.0)
    return Claim(
        "no ridge is as good as the best",
        "With true labels, no penalty lowers the test error of the interpolant by more than the test set resolves; "
        "with noisy labels, the control, one does.",
        (
            Criterion(
                gain(RIDGE, ""),
                _fitted((zero,), "residual of the fit without a ridge"),
                gain(NOISY, " with noisy labels") if config.noise else None,
                published="no gain (MNIST)",
                published_source=SOURCE,
                unit="of what the test set resolves",
            ),
        ),
        main=False,
        paper="Liang & Rakhlin 2020",
    )


def _not_the_whole_story(sigmas: tuple[float, ...], tests: int) -> Claim:
    arms = tuple(arm_of(TRUE, sigma) for sigma in sigmas)
    effect = Test(
        "test error of the kernel of smallest norm, above that of the best predictor",
        partial(price_of_the_smallest, sigmas=sigmas, tests=tests),
        Rule(low=RESOLVED),
        arms,
        statement="The bandwidth that predicts best is read off the other seeds.",
    )
    return Claim(
        "a small norm is not the whole story",
        "The bandwidth whose solution has the smallest norm is not the one that predicts best.",
        (
            Criterion(
                effect,
                _fitted(arms, "largest residual of the fit, true labels, every sigma"),
                published="norm 220 with error 1.2 %, 390 with 0.6 % (MNIST, raw pixels and Gabor wavelets)",
                published_source=SOURCE,
                unit="of what the test set resolves",
            ),
        ),
        main=False,
        paper="Zhang et al. 2017",
    )


# --- descents ---------------------------------------------------------------------------------------------------------


def _consistent(arm: str) -> Test:
    rule = Rule(high=CONSISTENT, every=True)
    return measure_test(
        "pseudo_inverse_residual", arm, "residual of the pseudo-inverse: there is an exact solution", rule
    )


def _close(arm: str, words: str) -> Test:
    return measure_test("relative_distance", arm, words, Rule(high=CLOSE, strict=True, every=True))


def _in_span(arm: str, words: str) -> Test:
    return measure_test("off_span_most", arm, words, Rule(high=IN_SPAN, strict=True, every=True))


def _descent() -> Claim:
    def further(run_data: RunData) -> PerSeed:
        near, far = (run_data.measure("relative_distance", arm) for arm in (GD, FAR_START))
        return {seed: far[seed] / max(near[seed], 1e-16) for seed in far if seed in near}

    solvable = _consistent(GD)
    elsewhere = Test(
        "how many times further from it a random start ends",
        further,
        Rule(low=FURTHER, strict=True, every=True),
        (GD, FAR_START),
    )
    return Claim(
        "gradient descent from zero finds the minimum norm",
        "From zero, gradient descent never leaves the span of the samples, and ends at the solution of the "
        "pseudo-inverse; from a random start it ends elsewhere.",
        (
            Criterion(
                _close(GD, "relative distance to the minimum-norm solution"),
                solvable,
                _close(FAR_START, "the same from a random start"),
            ),
            Criterion(
                measure_test("solved", GD, "residual after descent", Rule(high=SOLVED, strict=True, every=True)),
                solvable,
            ),
            Criterion(
                _in_span(GD, "most of the weights that was off the span"),
                solvable,
                _in_span(FAR_START, "the same from a random start"),
            ),
            Criterion(
                measure_test("rises", GD, "passes that did not come closer", Rule(high=0.0, every=True)), solvable
            ),
            Criterion(elsewhere, solvable, unit="times"),
        ),
        paper="Zhang et al. 2017",
    )


def _stochastic() -> Claim:
    solvable = _consistent(SGD)
    return Claim(
        "so does stochastic gradient descent",
        "One equation a step: still in the span of the samples, still the solution of least norm.",
        (
            Criterion(
                _close(SGD, "relative distance, one equation a step"),
                solvable,
                _close(FAR_START, "the same from a random start"),
            ),
            Criterion(_in_span(SGD, "most of the weights off the span, one equation a step"), solvable),
        ),
        main=False,
        paper="Zhang et al. 2017",
    )


def _accuracy_is_no_convergence(tests: int) -> Claim:
    def drift(run_data: RunData) -> PerSeed:
        early, late = (run_data.measure(name, FOURIER) for name in ("early_accuracy", "late_accuracy"))
        return {
            seed: in_resolutions(abs(late[seed] - early[seed]), 1.0 - late[seed], tests)
            for seed in late
            if seed in early
        }

    ill = measure_test("system_condition", FOURIER, "condition number of the system", Rule(low=ILL, every=True))
    settled = Test(
        "test accuracy at the end against that after a twentieth of the passes", drift, Rule(high=RESOLVED), (FOURIER,)
    )
    far = measure_test("relative_distance", FOURIER, "relative distance of the weights that is left", Rule(low=FAR))
    return Claim(
        "accuracy settles long before the weights",
        "On an ill-conditioned system, test accuracy has settled after a twentieth of the passes, and at the end the "
        "weights are still far from the solution of least norm: accuracy says nothing about convergence.",
        (Criterion(settled, ill, unit="of what the test set resolves"), Criterion(far, ill)),
        main=False,
    )
