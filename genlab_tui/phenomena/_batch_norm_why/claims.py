"""Why batch norm helps: what is judged, at which thresholds, against which controls."""

from __future__ import annotations

from genlab_tui.measures import difference, ratio
from genlab_tui.phenomena._batch_norm_why.config import (
    AS_GOOD,
    BATCH,
    NOISY,
    PERCEPTRON,
    PLAIN,
    SMOOTHER,
    TRAINED,
    UNSTABLE,
    Config,
    name_of,
    rates,
)
from genlab_tui.phenomena._batch_norm_why.numbers import (
    at_matched_loss,
    best_plain,
    next_best_plain,
    of,
    of_next,
    trained,
)
from genlab_tui.phenomena._batch_norm_why.side_claims import (
    SOURCE,
    accuracy,
    compare,
    faster,
    l1_too,
    noise_shift,
    predictiveness,
    shift,
    stops,
)
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

NOISE_CLAIM = "unstable inputs do not undo batch norm"
SMOOTH_CLAIM = "batch norm makes the landscape smoother"
OWN_STEPS = (
    "Each is probed over steps of its own learning rate. Where a gradient turns altogether within a step, effective "
    "beta is about one over the step: at a smaller learning rate it is larger for that reason alone."
)


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return what is judged: noise after batch norm and smoothness (main), and what else the paper says."""
    found = [_noise(config)] if config.model == PERCEPTRON else []
    found += [_smoothness(config), predictiveness(config), shift(config)]
    if config.model == PERCEPTRON:
        found += [noise_shift(config), stops(config), accuracy(config)]
    else:
        found.append(faster(config))
    if config.l1:
        found.append(l1_too(config))
    return tuple(found)


def _noise(config: Config) -> Claim:
    """Return the claim that batch norm with noise behind it trains as well, though nothing is stable any more."""
    ready = trained(config, of(BATCH))
    lost = Test(
        "best test accuracy: batch norm minus noisy batch norm",
        lambda run_data: difference(run_data, "best_test_accuracy", BATCH, NOISY),
        Rule(high=AS_GOOD),
        (BATCH, NOISY),
    )
    untrained = Test("the noisy network is as good before training", _untrained, Rule(high=AS_GOOD), (BATCH, NOISY))
    inputs = Test(
        "shift of layers' inputs in a step, noisy batch norm over plain",
        lambda run_data: ratio(run_data, "median input_shift", NOISY, PLAIN),
        Rule(low=UNSTABLE, strict=True),
        (NOISY, PLAIN),
    )
    clean = Test(
        "batch norm without noise shifts them more than the plain network too",
        lambda run_data: ratio(run_data, "median input_shift", BATCH, PLAIN),
        Rule(low=UNSTABLE, strict=True),
        (BATCH, PLAIN),
    )
    met = Test(
        f"batch norm learnt its training data (accuracy {TRAINED:g})", ready, Rule(low=1.0, every=True), (BATCH,)
    )
    return Claim(
        NOISE_CLAIM,
        "Noise that moves the inputs of every layer at every step, more than they move in a network without batch "
        "norm, costs a network with batch norm next to nothing.",
        (
            Criterion(lost, met, untrained, unit="share"),
            Criterion(
                inputs,
                met,
                clean,
                published="less stable than the plain network",
                published_source=f"{SOURCE}, section 2 (histograms of activations)",
                unit="times",
            ),
        ),
        paper=SOURCE,
    )


def _untrained(run_data: RunData) -> PerSeed:
    """Return the best test accuracy of batch norm minus that of the noisy network before its first step."""
    best, start = run_data.measure("best_test_accuracy", BATCH), run_data.measure("first_test_accuracy", NOISY)
    return {seed: best[seed] - start[seed] for seed in best if seed in start}


def _smoothness(config: Config) -> Claim:
    """Return the claim that effective beta is smaller with batch norm at the same loss."""
    rule, everyone = Rule(low=SMOOTHER), tuple(name_of(PLAIN, lr, config) for lr in rates(config))
    common, common_met = compare(
        config,
        f"effective beta, plain over batch norm, both at lr {config.lr:g}, at matched loss",
        "effective_beta",
        of(PLAIN),
        of(BATCH),
        rule,
        (PLAIN, BATCH),
    )
    two = Test(
        "two seeds of batch norm differ as much",
        at_matched_loss("effective_beta", of_next(BATCH), of(BATCH)),
        rule,
        (BATCH,),
    )
    found = [Criterion(common, common_met, two, unit="times")]
    if len(everyone) > 1:
        best, best_met = compare(
            config,
            "effective beta, plain at its best learning rate over batch norm, at matched loss",
            "effective_beta",
            best_plain(config),
            of(BATCH),
            rule,
            (*everyone, BATCH),
            statement=OWN_STEPS,
        )
        plain = Test(
            "two seeds of the plain network differ as much",
            at_matched_loss("effective_beta", next_best_plain(config), best_plain(config)),
            rule,
            everyone,
        )
        found.append(Criterion(best, best_met, plain, unit="times"))
    return Claim(
        SMOOTH_CLAIM,
        "Along the step that is to be taken, the gradient changes less per distance with batch norm than without, at "
        "the same loss.",
        tuple(found),
        paper=SOURCE,
    )
