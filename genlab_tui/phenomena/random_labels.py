"""Randomisation tests (Zhang et al. 2017): a network that learns true labels fits random ones almost as fast.

Protocol: section 2, figure 1 and appendix A of the paper. Labels are drawn once, test labels are never corrupted, the
pixel permutation of training and test images is one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.measures import all_finite, at_least_seeds, difference, least, mean, over_factor, ratio, together
from genlab_tui.models import networks
from genlab_tui.models.mlp import HIDDEN, parameter_count
from genlab_tui.papers import ARPIT, ZHANG
from genlab_tui.phenomenon import (
    Arm,
    Claim,
    Context,
    Criterion,
    Estimate,
    Metric,
    PerSeed,
    Phenomenon,
    Preset,
    Rule,
    Test,
    param,
)
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.stats import spearman, summarise
from genlab_tui.training import cost

# Thresholds, fixed before any run that is judged by them.
FITTED = 0.995  # training accuracy that counts as having fitted
NEAR_CHANCE = 0.025  # how far from chance the mean test accuracy after random labels may be
SEEDS_ON_DIGITS = 5  # the digits' test set is small and its classes uneven: fewer seeds cannot tell chance
CONTROL_ABOVE = 0.025  # the control fires where labels not seen yet are predicted this much better than by chance
SLOWDOWN = (1.0, 8.0)  # steps to fit random labels over those to fit true ones, strictly between
GRADED = 0.95  # rank correlation of corruption and test error
NEAR_CHANCE_ERROR = 0.03  # how far from 1 - 1 / classes the test error at full corruption may be
UNCHANGED = 0.02  # mean paired difference in test accuracy that shuffled pixels may make
SEEDS_UNCHANGED = 5
RADEMACHER = 0.99  # how much of random labels is fitted beyond guessing, as a share of all there is to fit
AT_MOST = 4.0  # the slowdown that the paper's figure 1b stays below

QUICK_EPOCHS = 100
CONVOLUTIONAL = ("small-alexnet", "small-inception")
PARAMETERS = {"small-alexnet": 1.39e6, "small-inception": 1.65e6}  # on 28x28x3 images
FRESH_EPOCHS = 10  # of a convolutional network on labels drawn anew: a leak would show at once

INPUTS = {
    "shuffled-pixels": "shuffled pixels",
    "random-pixels": "random pixels",
    "gaussian": "Gaussian inputs",
}
FRESH = "fresh-labels"
CHANCE = 0.1  # every data set here has ten classes


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    n: int = param(1000, help="training samples at most (0: all)", low=0, high=1_000_000)
    test: int = param(1000, help="test samples at most (0: all)", low=0, high=1_000_000)
    network: str = param(
        "mlp-2x512",
        help="perceptron: layers x width; small AlexNet or Inception: images, batch norm by its toggle",
        choices=(*HIDDEN, *CONVOLUTIONAL),
    )
    corruption: tuple[float, ...] = param(
        (0.2, 0.4, 0.6, 0.8),
        help="chances that a label is replaced by a random class (0 and 1 are always there)",
        low=0.001,
        high=0.999,
    )
    optimiser: str = param("adam", help="sgd has momentum 0.9", choices=("adam", "sgd"))
    lr: float = param(1e-3, help="learning rate at the start", low=1e-7, high=100.0)
    decay: float = param(1.0, help="factor on the learning rate after every epoch", low=0.1, high=1.0)
    batch: int = param(100, help="batch size (the paper does not state it)", low=2, high=100_000, unverified=True)
    epochs: int = param(300, help="epochs at most (the paper does not state it)", low=1, high=100_000, unverified=True)
    target: float = param(FITTED, help="training accuracy at which a network is done", low=0.1, high=1.0)
    whiten: bool = param(False, help="whiten every image by itself, as the paper does, instead of all alike")
    crop: int = param(0, help="centre crop of images to this side (0: none)", low=0, high=1000, unit="pixels")
    precision: str = param(
        "float32", help="of a convolutional network's products; bf16 is faster", choices=("float32", "bf16")
    )


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: labels true to random, inputs destroyed, and the control. Raises BadValue."""
    shape = _data(spec).shape
    if config.crop and (len(shape) != 3 or config.crop > shape[-1]):
        raise BadValue(f"crop = {config.crop} does not fit inputs of {spec.data}", "nearest valid value: 0")
    if config.network in CONVOLUTIONAL:
        networks.check(config.network, (shape[0], config.crop, config.crop) if config.crop else shape)
        if config.network == "small-alexnet" and "batch-norm" in spec.regularisers:
            raise BadValue("batch-norm: the small AlexNet has none", "switch it off, or set network = small-inception")
    elif config.precision != "float32":
        raise BadValue(f"precision = {config.precision}: perceptrons train in float32", "nearest valid value: float32")
    levels = sorted({0.0, *config.corruption, 1.0})
    if len({_name(p) for p in levels}) < len(levels):
        raise BadValue("two levels of corruption read the same", "leave one of them out")
    labels = [Arm(_name(p), _label(p), {"corruption": p, "inputs": "true"}) for p in levels]
    inputs = [Arm(name, label, {"corruption": 0.0, "inputs": label}) for name, label in INPUTS.items()]
    fresh = Arm(FRESH, "fresh labels every epoch", {"corruption": 1.0, "inputs": "true"}, control=True)
    return (*labels, *inputs, fresh)


def _name(corruption: float) -> str:
    return {0.0: "true", 1.0: "random"}.get(corruption, f"corrupt-{corruption:g}")


def _label(corruption: float) -> str:
    return {0.0: "true labels", 1.0: "random labels"}.get(corruption, f"{100 * corruption:g} % corrupted")


def _data(spec: RunSpec) -> data.DataSet:
    return data.DATASETS.get(spec.data, data.DATASETS["digits"])


def _sizes(config: Config, spec: RunSpec) -> tuple[int, int, int]:
    """Return training samples, test samples and features of a run."""
    known = _data(spec)
    features = known.features if not config.crop else known.shape[0] * config.crop**2
    return min(config.n or known.train, known.train), min(config.test or known.test, known.test), features


# --- cost -------------------------------------------------------------------------------------------------------------


def expected_epochs(config: Config, spec: RunSpec, arm: Arm) -> float:
    """Guess the epochs that an arm needs: for the estimate and the progress bar alone.

    With a regulariser that may keep noise from being fitted, noise is expected to take all there are.
    """
    noise = float(arm.factors["corruption"])
    if config.network in CONVOLUTIONAL and arm.name == FRESH:
        return min(FRESH_EPOCHS, config.epochs)
    guess = {"gaussian": 6.0, "random-pixels": 14.0}.get(arm.name, 20.0 * (1.0 + noise))
    if cost.SLOWING & spec.regularisers.keys():
        guess = config.epochs if noise else 2 * guess
    return min(guess if config.optimiser == "adam" else 3 * guess, config.epochs)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    n, _, features = _sizes(config, spec)
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    epochs = [expected_epochs(config, spec, arm) for arm in arms] * spec.seeds
    if config.network in CONVOLUTIONAL:
        shape = (1, config.crop, config.crop) if config.crop else _data(spec).shape
        work = networks.multiplications(config.network, shape)
        seconds = cost.network_seconds(work, n, epochs, spec.device, config.precision)
    else:
        size = _weights(config, spec, features)
        seconds = cost.seconds(size, n, config.batch, epochs, spec.device, spec.regularisers)
    each = _seed_bytes(config, spec, len(arms))
    return Estimate(len(epochs), seconds, each * min(spec.seeds, cost.at_once(each, spec.device)))


def _seed_bytes(config: Config, spec: RunSpec, arms: int) -> float:
    """Return the memory of one seed: its inputs, weights, gradient and two moments."""
    n, test, features = _sizes(config, spec)
    return 4.0 * (len(INPUTS) + 1) * (n + test) * features + 16.0 * arms * _weights(config, spec, features)


def _weights(config: Config, spec: RunSpec, features: int) -> float:
    if config.network in CONVOLUTIONAL:
        return PARAMETERS[config.network]
    return parameter_count(features, HIDDEN[config.network], _data(spec).classes)


# --- the run ----------------------------------------------------------------------------------------------------------


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train every arm and seed: one stage a population."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    seeds = spec.seed_list
    size = cost.at_once(_seed_bytes(config, spec, len(context.arms)), context.device)
    groups = [seeds[i : i + size] for i in range(0, len(seeds), size)]
    for at, group in enumerate(groups):
        name = f"seeds {group[0]} to {group[-1]}" if len(group) > 1 else f"seed {group[0]}"
        yield from context.stage(name, partial(_train, config, context, arrays, group, name, at, len(groups)))


def _train(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train all arms of some seeds as one population; return how many networks ended how."""
    from dataclasses import replace

    from genlab_tui.training.conditions import randomised
    from genlab_tui.training.members import Recipe
    from genlab_tui.training.train import Share, train

    n, test, _ = _sizes(config, context.spec)
    convolutional = config.network in CONVOLUTIONAL
    recipe = Recipe(
        hidden=() if convolutional else HIDDEN[config.network],
        network=config.network if convolutional else "",
        optimiser=config.optimiser,
        lr=config.lr,
        decay=config.decay,
        batch=config.batch,
        epochs=config.epochs,
        target=config.target,
        regularisers=context.spec.regularisers,
        precision=config.precision,
    )
    members, samples = randomised(
        arrays,
        context.arms,
        seeds,
        n=n,
        n_test=test,
        crop=config.crop,
        whiten=config.whiten,
        fresh=FRESH,
        expected={arm.name: expected_epochs(config, context.spec, arm) for arm in context.arms},
        device=context.device,
    )
    if convolutional:  # trained one by one, so nothing is won by ending with a partner
        short = replace(recipe, epochs=min(FRESH_EPOCHS, config.epochs))
        members = [replace(m, recipe=short, follows=None) if m.fresh else m for m in members]
    share = Share(at / groups, 1 / groups)
    state = yield from train(members, samples, recipe, context, cohort=name, share=share)
    ends = [outcome.end for outcome in state.outcomes.values()]
    return {end: ends.count(end) for end in dict.fromkeys(ends)}


# --- figures ----------------------------------------------------------------------------------------------------------


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return figure 1 of the paper: learning curves, relative time to fit, test error; also of data still coming."""
    curves = Figure(
        "learning",
        "Training loss of every condition",
        "step",
        "training loss (nats)",
        curve_lines(run_data, "train_loss"),
        log_y=True,
        note="evaluation mode, plain cross-entropy; line: mean over seeds, band: 1 standard deviation",
    )
    slowdown = Figure(
        "slowdown",
        "Steps to fit, relative to true labels",
        "share of labels corrupted",
        "steps to fit / steps with true labels",
        _over_corruption(run_data, "labels", lambda arm: ratio(run_data, "steps_to_fit", arm, "true")),
        (Reference(1.0, "as fast as true labels"), Reference(4.0, "the paper's models stay below about 4x")),
        note=f"to {100 * PHENOMENON.config_of(run_data.spec).target:g} % training accuracy; band: 1 standard deviation",
    )
    error = Figure(
        "error",
        "Test error after fitting",
        "share of labels corrupted",
        "test error",
        _over_corruption(run_data, "test error", lambda arm: run_data.measure("test_error", arm)),
        (Reference(1 - CHANCE, "guessing"),),
        note="clean test labels; line: mean over seeds, band: 1 standard deviation",
    )
    return (curves, slowdown, error)


def _over_corruption(run_data: RunData, label: str, of: Callable[[str], PerSeed]) -> tuple[Line, ...]:
    """Return a number over corruption, with its spread over seeds, and that of destroyed inputs as points at 0."""
    levels = [arm for arm in run_data.arms if arm.factors.get("inputs") == "true" and not arm.control]
    lines = over_factor(label, levels, "corruption", of)
    for arm in run_data.arms:
        if arm.name in INPUTS:
            lines += over_factor(arm.title, [arm], "corruption", of, points=True)
    return lines


# --- claims -----------------------------------------------------------------------------------------------------------

TABLE_1 = {
    "mlp-1x512": (0.9934, 0.1061),
    "mlp-3x512": (1.0, 0.1048),
    "small-alexnet": (0.9982, 0.0986),
    "small-inception": (1.0, 0.0978),
    "small-inception without batch norm": (1.0, 0.1012),
}
"""Training and test accuracy after random labels on CIFAR-10."""

TABLE_SOURCE = "Zhang et al. 2017, table 1 (CIFAR-10)"
FIGURE_SOURCE = "Zhang et al. 2017, figure 1b (CIFAR-10)"


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims; criteria about every condition are about those that were launched."""
    arms = [a.name for a in plan(config, spec) if not a.control and (not spec.arms or a.name in spec.arms)]
    partly = tuple(_name(p) for p in sorted(config.corruption))
    launched = tuple(name for name in partly if name in arms)
    return (
        _fits_noise(config, spec, tuple(arms)),
        _small_slowdown(),
        _graded(("true", *(launched if len(launched) > 1 else partly), "random")),
        _rademacher(),
        _really_slower(),
        _no_change(),
        _at_most_four(),
        _gaussian_is_easy(),
        _pixels_matter() if config.network in CONVOLUTIONAL else _pixels_do_not_matter(),
    )


def _fits_noise(config: Config, spec: RunSpec, arms: tuple[str, ...]) -> Claim:
    plain = config.network == "small-inception" and "batch-norm" not in spec.regularisers
    row = config.network + " without batch norm" * plain
    published = TABLE_1.get(row, (None, None))
    source = TABLE_SOURCE if row in TABLE_1 else ""

    fit = Test(
        "training accuracy, worst condition",
        lambda d: {seed: least(values) for seed, values in together(d, "train_accuracy", arms).items()},
        Rule(low=FITTED, every=True),
        arms,
        statement="Every condition is fitted, in every seed.",
    )
    chance = Test(
        "test accuracy after random labels",
        lambda d: d.measure("test_accuracy", "random"),
        Rule(chance=CHANCE, high=NEAR_CHANCE),
        ("random",),
        statement="What is learnt from random labels says nothing about clean test labels.",
    )
    control = Test(
        "accuracy on labels drawn anew every epoch",
        lambda d: d.measure("train_accuracy", FRESH),
        Rule(low=CHANCE + CONTROL_ABOVE, strict=True),
        (FRESH,),
        statement="Scored on the next draw, which nobody can know: above chance would mean that labels leak.",
    )
    enough = at_least_seeds(SEEDS_ON_DIGITS, "test_accuracy", "random") if spec.data == "digits" else None
    return Claim(
        "fits noise",
        "A network large enough to generalise also fits labels and inputs that have nothing to teach.",
        (
            Criterion(fit, published=published[0], published_source=source),
            Criterion(chance, enough, control, published=published[1], published_source=source),
        ),
        paper="Zhang et al. 2017",
    )


def _small_slowdown() -> Claim:
    low, high = SLOWDOWN
    effect = _slowdown("slowdown by random labels", Rule(low=low, high=high, strict=True))
    return Claim(
        "small constant slowdown",
        "Random labels take longer to fit than true ones, but only by a small factor.",
        (Criterion(effect, _both_fitted("true", "random"), published="below about 4", published_source=FIGURE_SOURCE),),
        paper="Zhang et al. 2017",
    )


def _really_slower() -> Claim:
    def lower_end(run_data: RunData) -> float:
        return summarise(ratio(run_data, "steps_to_fit", "random", "true").values()).low

    effect = _slowdown("lower end of the slowdown's 95 % interval", Rule(low=1.0, strict=True), lower_end)
    return Claim(
        "slower beyond doubt",
        "The Student-t interval of the slowdown over seeds excludes 1.",
        (Criterion(effect, _both_fitted("true", "random")),),
        main=False,
    )


def _no_change() -> Claim:
    def lower_end(run_data: RunData) -> float:
        return summarise(ratio(run_data, "steps_to_fit", "random", "true").values()).low

    effect = _slowdown("lower end of the slowdown's 95 % interval", Rule(high=1.0), lower_end)
    return Claim(
        "random labels change nothing about training time",
        "What summaries of the paper say. It cannot hold together with a slowdown beyond doubt.",
        (Criterion(effect, _both_fitted("true", "random")),),
        main=False,
    )


def _at_most_four() -> Claim:
    effect = _slowdown("slowdown by random labels", Rule(high=AT_MOST))
    return Claim(
        "at most about four times slower",
        "What the paper's figure 1b shows of its three models on CIFAR-10.",
        (Criterion(effect, _both_fitted("true", "random"), published="below about 4", published_source=FIGURE_SOURCE),),
        main=False,
        paper="Zhang et al. 2017",
    )


def _rademacher() -> Claim:
    def fitted(run_data: RunData) -> PerSeed:
        return {s: (a - CHANCE) / (1 - CHANCE) for s, a in run_data.measure("train_accuracy", "random").items()}

    effect = Test(
        "share of random labels fitted beyond guessing",
        fitted,
        Rule(low=RADEMACHER),
        ("random",),
        statement="An estimate of the empirical Rademacher complexity of what training reaches, scaled to 0 to 1.",
    )
    return Claim(
        "Rademacher complexity says nothing",
        "Networks that fit random labels have the largest Rademacher complexity there is: bounds made of it are empty.",
        (Criterion(effect, published="about 1", published_source="Zhang et al. 2017, section 2.2"),),
        main=False,
        paper="Zhang et al. 2017",
    )


def _slowdown(name: str, rule: Rule, pooled: Callable[[RunData], float] | None = None) -> Test:
    def measure(run_data: RunData) -> PerSeed:
        return ratio(run_data, "steps_to_fit", "random", "true")

    return Test(name, measure, rule, ("true", "random"), pooled)


def _graded(arms: tuple[str, ...]) -> Claim:
    def rank(run_data: RunData) -> PerSeed:
        levels = [float(a.factors["corruption"]) for arm in arms if (a := run_data.arm(arm))]
        return {seed: spearman(levels, errors) for seed, errors in together(run_data, "test_error", arms).items()}

    at_one = Test(
        "test error at full corruption",
        lambda d: d.measure("test_error", "random"),
        Rule(low=1 - CHANCE - NEAR_CHANCE_ERROR, high=1 - CHANCE + NEAR_CHANCE_ERROR),
        ("random",),
        pooled=lambda d: mean(d.measure("test_error", "random")),
    )
    published = Criterion(at_one, published=0.9, published_source="Zhang et al. 2017, figure 1c (CIFAR-10)")
    return Claim(
        "graded",
        "The more labels are corrupted, the worse the test error, up to guessing.",
        (Criterion(Test("rank correlation of corruption and test error", rank, Rule(low=GRADED), arms)), published),
        paper="Zhang et al. 2017",
    )


def _gaussian_is_easy() -> Claim:
    effect = Test(
        "steps to fit Gaussian inputs / random labels",
        lambda d: ratio(d, "steps_to_fit", "gaussian", "random"),
        Rule(high=1.0, strict=True),
        ("gaussian", "random"),
    )
    return Claim(
        "Gaussian inputs are easier than random labels",
        "Noise images, far apart from each other, are fitted in fewer steps than real ones with random labels.",
        (Criterion(effect, _both_fitted("gaussian", "random")),),
        main=False,
        paper="Zhang et al. 2017",
    )


def _pixels_do_not_matter() -> Claim:
    def gain(run_data: RunData) -> PerSeed:
        return difference(run_data, "test_accuracy", "shuffled-pixels", "true")

    effect = Test(
        "test accuracy, shuffled pixels minus true",
        gain,
        Rule(low=-UNCHANGED, high=UNCHANGED),
        ("shuffled-pixels", "true"),
        pooled=lambda d: mean(gain(d)),
    )
    return Claim(
        "shuffled pixels change nothing for a perceptron",
        "Dense layers know no neighbours: one permutation of all pixels leaves test accuracy as it was.",
        (Criterion(effect, at_least_seeds(SEEDS_UNCHANGED, "test_accuracy", "shuffled-pixels")),),
        main=False,
    )


def _pixels_matter() -> Claim:
    effect = Test(
        "test accuracy, shuffled pixels minus true",
        lambda d: difference(d, "test_accuracy", "shuffled-pixels", "true"),
        Rule(high=-UNCHANGED, every=True),
        ("shuffled-pixels", "true"),
    )
    return Claim(
        "shuffled pixels hurt a convolutional network",
        "What such a network knows about images is that neighbours belong together; one permutation takes it away.",
        (Criterion(effect, _both_fitted("shuffled-pixels", "true")),),
        main=False,
    )


def _both_fitted(*arms: str) -> Test:
    return all_finite("share fitted of " + " and ".join(arms), "steps_to_fit", *arms)


# --- declaration ------------------------------------------------------------------------------------------------------

PAPER = {
    "n": 0,
    "test": 0,
    "network": "mlp-3x512",
    "optimiser": "sgd",
    "lr": 0.01,
    "decay": 0.95,
    "batch": 128,
    "epochs": 200,
    "target": 1.0,
    "whiten": True,
    "crop": 28,
}
CONVOLVED = {"lr": 5e-4, "batch": 100, "test": 2000, "epochs": 150, "precision": "bf16"}
NOT_STATED = "batch size and number of epochs are not stated in the paper"

PHENOMENON = Phenomenon(
    name="random-labels",
    title="Random labels",
    group="Data",
    question="Can a network that generalises also learn pure noise by heart?",
    explanation=(
        "Take a network that learns to recognise digits, and shuffle the labels: each image now carries a random "
        "class, so there is nothing left to learn but the list itself. The surprise of Zhang et al. is that the same "
        "network, trained in the same way, learns that list by heart, and takes only a little longer than with true "
        "labels; on new images it then guesses, of course. The same holds when the images are destroyed instead: one "
        "fixed permutation of the pixels, another one for every image, or plain Gaussian noise. In between, with a "
        "part of the labels corrupted, test error grows step by step. So the size of a network, or that it could "
        "fit anything, cannot be what explains why it generalises on real data. A regulariser that is switched on "
        "here shows whether it stops the memorising. The control draws new labels in every epoch and is scored on "
        "the draw to come: nothing can be learnt there, and a score above chance would mean a leak in the code."
    ),
    papers=(ZHANG, ARPIT),
    config=Config,
    presets={
        "quick": Preset(
            {"epochs": QUICK_EPOCHS},
            seeds=5,
            data="digits",
            note=f"ten conditions on 1,000 samples, under a minute; {QUICK_EPOCHS} epochs at most, three times what "
            "noise needs: a regulariser that keeps noise from being fitted takes longer",
        ),
        "demo": Preset(
            {"epochs": QUICK_EPOCHS},
            seeds=3,
            data="digits",
            arms=("true", "random", FRESH),
            note="true against random labels, in seconds",
        ),
        "standard": Preset(
            {
                "n": 4000,
                "test": 0,
                "corruption": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
            },
            seeds=5,
            data="mnist1d",
            note="4,000 samples, nine levels of corruption",
        ),
        "alexnet": Preset(
            CONVOLVED | {"network": "small-alexnet", "n": 10_000},
            seeds=3,
            data="fashion-mnist",
            arms=("true", "random", FRESH),
            note="the small AlexNet on 10,000 real images, products in bf16: tens of minutes on a CPU",
        ),
        "inception": Preset(
            CONVOLVED | {"network": "small-inception", "n": 1000},
            seeds=3,
            data="fashion-mnist",
            regularisers={"batch-norm": 0.1},
            arms=("true", "random", FRESH),
            note="the small Inception with batch norm on 1,000 real images, products in bf16: tens of minutes on a CPU",
        ),
        "paper": Preset(
            PAPER,
            seeds=3,
            data="cifar10",
            note=f"the paper's protocol for its 3x512 perceptron, all of CIFAR-10; {NOT_STATED}",
            gpu="about 10 minutes and 4 GB",
        ),
        "paper-mlp-1x512": Preset(
            PAPER | {"network": "mlp-1x512"},
            seeds=3,
            data="cifar10",
            note=f"the same for its 1x512 perceptron; {NOT_STATED}",
            gpu="about 8 minutes and 4 GB",
        ),
        "paper-alexnet": Preset(
            PAPER | {"network": "small-alexnet"},
            seeds=3,
            data="cifar10",
            note=f"the same for its small AlexNet; {NOT_STATED}",
            gpu="about 4 hours and 3 GB",
        ),
        "paper-inception": Preset(
            PAPER | {"network": "small-inception", "lr": 0.1},
            seeds=3,
            data="cifar10",
            regularisers={"batch-norm": 0.1},
            note=f"the same for its small Inception with batch norm (switch it off for the other); {NOT_STATED}",
            gpu="about 30 hours and 4 GB",
        ),
    },
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn"),
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        Metric("train_loss", "training loss", log=True, higher_is_better=False, unit="nats"),
        Metric("train_accuracy", "training accuracy", references=((CHANCE, "chance"),)),
        Metric("test_loss", "test loss", log=True, higher_is_better=False, unit="nats"),
        Metric("test_accuracy", "test accuracy", references=((CHANCE, "chance"),)),
    ),
    regularisers=tuple(r.name for r in REGULARISERS),
    headline=(
        "slowdown by random labels",
        "test_accuracy:true",
        "test_accuracy:random",
        "training accuracy, worst condition",
    ),
)
