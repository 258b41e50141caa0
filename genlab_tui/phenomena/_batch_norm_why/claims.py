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
    rates,
)
from genlab_tui.phenomena._batch_norm_why.numbers import of, trained
from genlab_tui.phenomena._batch_norm_why.side_claims import (
    SOURCE,
    accuracy,
    compare,
    faster,
    l1_too,
    noise_shift,
    own_steps,
    predictiveness,
    shift,
    stops,
    two_seeds,
)
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

NOISE_CLAIM = "unstable inputs do not undo batch norm"
SMOOTH_CLAIM = "batch norm makes the landscape smoother"


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return what is judged: noise after batch norm and smoothness (main), and what else the paper says."""
    found = [_noise(config)] if config.model == PERCEPTRON else []
    found += [_smoothness(config), predictiveness(config), shift(config)]
    if len(rates(config)) > 1:
        found.append(own_steps(config))
    if config.model == PERCEPTRON:
        found += [noise_shift(config), stops(config), accuracy(config)]
    else:
        found.append(faster(config))
    if config.l1:
        found.append(l1_too(config))
    return tuple(found)


def _noise(config: Config) -> Claim:
    """Return the claim that batch norm with noise behind it trains as well, though nothing is stable any more."""
    lost = Test(
        "best test accuracy: batch norm minus noisy batch norm",
        lambda run_data: difference(run_data, "best_test_accuracy", BATCH, NOISY),
        Rule(high=AS_GOOD),
        (BATCH, NOISY),
    )
    untrained = Test("the noisy network is as good before training", _untrained, Rule(high=AS_GOOD), (BATCH, NOISY))
    inputs = Test(
        "shift of layers' inputs, noise drawn anew and the layers before stepped, noisy batch norm over plain",
        lambda run_data: ratio(run_data, "median input_shift", NOISY, PLAIN),
        Rule(low=UNSTABLE, strict=True),
        (NOISY, PLAIN),
        statement="From the inputs at one step to those at the next, on the same samples. The noise is drawn anew in "
        "between, which moves them also where no layer takes a step.",
        geometric=True,
    )
    clean = Test(
        "batch norm without noise shifts them more than the plain network too",
        lambda run_data: ratio(run_data, "median input_shift", BATCH, PLAIN),
        Rule(low=UNSTABLE, strict=True),
        (BATCH, PLAIN),
        geometric=True,
    )
    learnt, every = f"learnt its training data (accuracy {TRAINED:g})", Rule(low=1.0, every=True)
    met = Test(f"batch norm {learnt}", trained(config, of(BATCH)), every, (BATCH,))
    two_trained = trained(config, of(BATCH), of(PLAIN))
    both = Test(f"batch norm and the plain network have each {learnt}", two_trained, every, (BATCH, PLAIN))
    return Claim(
        NOISE_CLAIM,
        "Noise that is drawn anew at every step, so that the inputs of every layer move more than in a network without "
        "batch norm, costs a network with batch norm next to nothing.",
        (
            Criterion(lost, met, untrained, unit="share"),
            Criterion(
                inputs,
                both,
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
    rule = Rule(low=SMOOTHER)
    effect, met = compare(
        config,
        "effective beta, plain over batch norm, at matched loss",
        "effective_beta",
        of(PLAIN),
        of(BATCH),
        rule,
        (PLAIN, BATCH),
        statement=f"Both at learning rate {config.lr:g}, so over the same steps.",
    )
    two = two_seeds("effective_beta", BATCH, "two seeds of batch norm differ as much", rule)
    return Claim(
        SMOOTH_CLAIM,
        "Along the step that is to be taken, the gradient changes less per distance with batch norm than without, at "
        "the same loss and learning rate.",
        (Criterion(effect, met, two, unit="times"),),
        paper=SOURCE,
    )
