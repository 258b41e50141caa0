"""Randomisation tests (Zhang et al. 2017): a network that learns true labels fits random ones almost as fast.

Protocol: section 2, figure 1 and appendix A of the paper. Labels are drawn once, test labels are never corrupted, the
pixel permutation of training and test images is one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.measures import over_factor, ratio
from genlab_tui.models.mlp import HIDDEN
from genlab_tui.papers import ARPIT, ZHANG
from genlab_tui.phenomena._random_labels.claims import claims
from genlab_tui.phenomena._random_labels.config import (
    CHANCE,
    CONVOLUTIONAL,
    FRESH,
    FRESH_EPOCHS,
    INPUTS,
    QUICK_EPOCHS,
    Config,
    estimate,
    expected_epochs,
    plan,
    seed_bytes,
    sizes,
)
from genlab_tui.phenomenon import (
    Context,
    Metric,
    PerSeed,
    Phenomenon,
    Preset,
)
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

# --- the run ----------------------------------------------------------------------------------------------------------


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train every arm and seed: one stage a population."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    groups = cost.groups(spec.seed_list, seed_bytes(config, spec, len(context.arms)), context.device)
    for at, (name, group) in enumerate(groups):
        yield from context.stage(name, partial(_train, config, context, arrays, group, name, at, len(groups)))


def _train(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train all arms of some seeds as one population; return how many networks ended how."""
    from dataclasses import replace

    from genlab_tui.training.conditions import randomised
    from genlab_tui.training.members import Recipe
    from genlab_tui.training.train import Share, train

    n, test, _ = sizes(config, context.spec)
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
    return state.ends


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
NOT_STATED = "batch size, number of epochs and initial weights are not stated in the paper"

PHENOMENON = Phenomenon(
    name="random-labels",
    title="Random labels",
    group="Data",
    question="Can a network that generalises also learn pure noise by heart?",
    explanation=(
        "Take a network that learns to recognise digits, and shuffle the labels: each image now carries a random "
        "class, so there is nothing left to learn but the list itself. The surprise of Zhang et al. is that the same "
        "network, trained in the same way, learns that list by heart, and takes only a little longer than with true "
        "labels; on new images it then guesses, of course. Destroyed images are learnt by heart too: with one fixed "
        "permutation of the pixels, another one for every image, or plain Gaussian noise. In between, with a "
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
            gpu="about 4 minutes and 8 GB",
        ),
        "paper-mlp-1x512": Preset(
            PAPER | {"network": "mlp-1x512"},
            seeds=3,
            data="cifar10",
            note=f"the same for its 1x512 perceptron; {NOT_STATED}",
            gpu="about 3 minutes and 8 GB",
        ),
        "paper-alexnet": Preset(
            PAPER | {"network": "small-alexnet"},
            seeds=3,
            data="cifar10",
            note=f"the same for its small AlexNet; {NOT_STATED}",
            gpu="about 15 minutes and 8 GB",
        ),
        "paper-inception": Preset(
            PAPER | {"network": "small-inception", "lr": 0.1},
            seeds=3,
            data="cifar10",
            regularisers={"batch-norm": 0.1},
            note=f"the same for its small Inception with batch norm (switch it off for the other); {NOT_STATED}",
            gpu="about 2 hours and 8 GB",
        ),
    },
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn"),
    refused={"cifar100": "guessing and the published numbers are those of ten classes"},
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
