"""Regularisers (Zhang et al. 2017, section 3): they help, but neither make a network generalise nor keep it from noise.

Every regulariser alone and all together, on true, partly noisy and random labels, against no regulariser and against a
better architecture. Comparisons are made after equally many steps and at equal clean training loss: dropout, mixup and
label smoothing change what is minimised, so all losses are measured in evaluation mode as plain cross-entropy.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.models import networks
from genlab_tui.models.mlp import parameter_count
from genlab_tui.papers import GREYDANUS, KESKAR, MIXUP, SMITH_LE, SRIVASTAVA, SZEGEDY, ZHANG
from genlab_tui.phenomena._regularisers import claims as judged
from genlab_tui.phenomena._regularisers import figures as drawn
from genlab_tui.phenomena._regularisers.config import CHANCE, CROP, TABLE_1, Config, dataset, shape, sizes
from genlab_tui.phenomena._regularisers.rows import FRESH, RANDOM, plan, recipe
from genlab_tui.phenomenon import Arm, Claim, Context, Estimate, Metric, Phenomenon, Preset
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training import cost
from genlab_tui.training.members import Recipe

OF_A_STEP = 2.5e-3
"""Seconds that a step of a small convolutional network takes on one core, whatever its arithmetic: measured."""

STUBBORN = frozenset({"dropout", "augmentation", "mixup"})
"""Regularisers under which noise is expected to stay unlearnt: for the estimate."""


# --- cost -------------------------------------------------------------------------------------------------------------


def expected_epochs(made: Recipe, arm: Arm) -> float:
    """Guess the epochs that an arm needs: for the estimate alone."""
    if "early-stopping" in made.regularisers:
        return min(made.epochs, 20.0)
    noise = arm.factors["labels"] in (RANDOM, FRESH)
    return made.epochs * (0.5 if noise and not STUBBORN & made.regularisers.keys() else 1.0)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    n, _ = sizes(config, spec)
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    size, classes = shape(config, spec), dataset(spec).classes
    features = 1
    for side in size:
        features *= side
    seconds = cost.START
    for arm in arms:
        made = recipe(config, spec, arm)
        steps_each = -(-n // made.batch)
        epochs = made.steps / steps_each if made.steps else expected_epochs(made, arm)
        if made.network:
            own = cost.network_seconds(networks.multiplications(made.network, size), n, [epochs], spec.device)
            at_least = epochs * steps_each * OF_A_STEP / (2 if cost.kind_of(spec.device) == "cpu" else 1)
            seconds += spec.seeds * max(own - cost.START, at_least)
        else:
            weights = parameter_count(features, made.hidden, classes)
            own = cost.seconds(weights, n, made.batch, [epochs] * spec.seeds, spec.device, made.regularisers)
            # Steps are shared with the other arms of a program: counted once for every ten.
            shared = 0.9 * epochs * steps_each * cost.STEP_SECONDS[cost.kind_of(spec.device)]
            seconds += max(own - cost.START - shared, 0.0)
    each = _seed_bytes(config, spec, arms)
    return Estimate(len(arms) * spec.seeds, seconds, each * min(spec.seeds, cost.at_once(each, spec.device)))


def _seed_bytes(config: Config, spec: RunSpec, arms: Sequence[Arm]) -> float:
    """Return the memory of one seed: its inputs, shuffled ones too, weights, gradient and two moments."""
    n, test = sizes(config, spec)
    features = 1
    for side in shape(config, spec):
        features *= side
    hidden = [recipe(config, spec, arm).hidden for arm in arms]
    weights = sum(parameter_count(features, widths, dataset(spec).classes) for widths in hidden)
    return 8.0 * (n + test) * features + 16.0 * weights


# --- the run ----------------------------------------------------------------------------------------------------------


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train every arm and seed: one stage for as many seeds as fit the memory."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    groups = cost.groups(spec.seed_list, _seed_bytes(config, spec, context.arms), context.device)
    for at, (name, group) in enumerate(groups):
        yield from context.stage(name, partial(_train, config, context, arrays, group, name, at, len(groups)))


def _train(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train all arms of some seeds; return how many networks ended how."""
    from genlab_tui.training.regularised import regularised
    from genlab_tui.training.train import Share, train

    spec = context.spec
    n, test = sizes(config, spec)
    recipes = {arm.name: recipe(config, spec, arm) for arm in context.arms}
    members, samples = regularised(
        arrays,
        context.arms,
        seeds,
        recipes,
        n=n,
        n_test=test,
        crop=CROP if config.protocol == TABLE_1 else 0,
        whiten=config.protocol == TABLE_1,
        # One guess for all arms: whoever is compared at equal loss is then measured after the same epochs.
        expected={name: float(config.epochs) for name, made in recipes.items() if not made.steps},
        device=context.device,
    )
    common = Recipe(hidden=config.hidden)
    share = Share(at / groups, 1 / groups)
    state = yield from train(members, samples, common, context, cohort=name, share=share)
    return state.ends


# --- figures and claims -----------------------------------------------------------------------------------------------


def figures(run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return the table beside the paper's, the gains with intervals, and accuracy over loss."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims."""
    return judged.claims(config, spec)


# --- declaration ------------------------------------------------------------------------------------------------------

QUICK = {
    "lr": 3e-3,
    "batch": 128,
    "epochs": 30,
    "fit_epochs": 45,
    "weight_decay": (0.1,),
    "dropout": (0.0,),
    "smoothing": 0.0,
    "mixup": 0.0,
    "batch_norm": False,
    "together": False,
    "batches": (0,),
}
PROTOCOL = "CIFAR-10, SGD with momentum 0.9, learning rate 0.1 (Inception) or 0.01, times 0.95 an epoch"
PHENOMENON = Phenomenon(
    name="regularisers",
    title="Regularisers",
    group="Regularisation",
    question="Is it the regulariser that makes a network generalise?",
    explanation=(
        "Weight decay, dropout, shifted inputs, label smoothing, mixup, early stopping: all are said to keep a large "
        "network from learning its data by heart. Zhang et al. switched off those of their time, and found that "
        "without any of them a network still does far better than guessing on new data, and that with them it can "
        "often still learn pure noise by heart. So regularisers are a help, but neither necessary nor sufficient. The"
        " table has a row for each of them: what it gains in points of test accuracy over the same network without "
        "it, with true labels and with a fifth of the labels noisy; the gain where both have the same training loss, "
        "as an arm that is made to learn more slowly looks better or worse by that alone; and which share of purely "
        "random labels it still learns. The paper's own numbers stand beside them. The last row is what a better "
        "architecture gives without any regulariser (on digits it has batch norm). Where shifting the inputs gives "
        "more, that is a finding too, as a shift is knowledge about the data, just as a convolution is. Controls: "
        "labels drawn anew in every epoch cannot be learnt, and with the pixels shuffled the architecture has nothing"
        " left to give."
    ),
    papers=(ZHANG, SRIVASTAVA, SZEGEDY, MIXUP, KESKAR, SMITH_LE, GREYDANUS),
    config=Config,
    presets={
        "quick": Preset(
            QUICK, seeds=3, data="mnist1d", note="weight decay, random shifts, early stopping; half a minute"
        ),
        "standard": Preset(
            {},
            seeds=5,
            data="mnist1d",
            note="every regulariser and batch size; about half an hour on two quiet cores, an estimate",
        ),
        "images": Preset(
            {
                **QUICK,
                "n": 2000,
                "lr": 1e-3,
                "batch": 64,
                "epochs": 45,
                "fit_epochs": 90,
                "weight_decay": (0.1, 0.3),
                "smoothing": 0.1,
            },
            seeds=3,
            data="fashion-mnist",
            note="clothes instead of sequences, where a perceptron is good and a better architecture gives little: "
            "a counter-example to its part of the claim",
        ),
        "paper": Preset(
            {
                "protocol": TABLE_1,
                "n": 0,
                "test": 0,
                "optimiser": "sgd",
                "lr": 0.01,
                "decay": 0.95,
                "batch": 128,
                "epochs": 100,
                "fit_epochs": 200,
                "noise": 0.0,
                "loss_target": 0.1,
            },
            seeds=3,
            data="cifar10",
            gpu="about 4 hours and 6 GB",
            note=(
                "Zhang et al. 2017, tables 1 and 4: " + PROTOCOL + "; images cropped to 28x28 and whitened one "
                "by one. Unverified: the coefficients of weight decay, batch size, initial weights and number of "
                "epochs, which the paper does not state. Random crops are shifts by up to 2 pixels of the cropped "
                "image, with an empty border"
            ),
        ),
    },
    data=("mnist1d", "digits", "fashion-mnist", "mnist5k", "mnist", "kmnist", "cifar10", "svhn"),
    refused={"cifar100": "the criteria are about ten classes: guessing is right once in ten times"},
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
    # The arms are the regularisers: one that were on in all of them would be in what they are compared with.
    regularisers=(),
    headline=(
        "test accuracy without regularisers, above chance",
        "training accuracy on random labels, best fitting regulariser",
        "the architecture's gain minus the largest regulariser's",
    ),
)
