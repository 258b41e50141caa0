"""Training BatchNorm and only BatchNorm (Frankle, Schwab & Morcos 2021): random weights that never change will do.

Protocol of this lab: all weights stay as they were drawn, the output layer too; only scale (gamma) and shift (beta) of
every batch norm are trained. Against that: as many randomly chosen weights, everything, and nothing but running
statistics. The paper's recipe of training is unverified.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure
from genlab_tui.papers import FRANKLE_BATCH_NORM
from genlab_tui.phenomena._batch_norm_only import figures as drawn
from genlab_tui.phenomena._batch_norm_only.claims import claims
from genlab_tui.phenomena._batch_norm_only.config import (
    BOUNDS,
    FULL,
    LABELS,
    NOTHING,
    RANDOM,
    RESNET,
    SCALES,
    SECOND,
    STATISTICS_STEPS,
    Config,
    estimate,
    plan,
    samples_of,
    seed_bytes,
    share_name,
)
from genlab_tui.phenomenon import Arm, Context, Metric, Phenomenon, Preset
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

if TYPE_CHECKING:
    from torch import Tensor

    from genlab_tui.training.members import Member, Recipe, Samples


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train every arm and seed: one stage a group of seeds."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    groups = cost.groups(spec.seed_list, seed_bytes(config, spec, context.arms), context.device)
    for at, (name, group) in enumerate(groups):
        yield from context.stage(name, partial(_group, config, context, arrays, group, name, at, len(groups)))


def _group(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train all arms of some seeds and measure their scales; return how many networks ended how."""
    from dataclasses import replace

    import torch

    from genlab_tui.data import corrupt
    from genlab_tui.training.frozen import shares_below
    from genlab_tui.training.layer_swaps import per_seed
    from genlab_tui.training.members import Recipe
    from genlab_tui.training.train import Share, train

    n, test = samples_of(config, context.spec)
    samples = per_seed(arrays, seeds, n=n, n_test=test, device=context.device)
    noise = [
        corrupt.corrupt_labels(labels, 1.0, arrays.classes, seed)
        for seed, labels in zip(seeds, samples.labels.cpu().numpy(), strict=True)
    ]
    wrong = torch.stack([torch.from_numpy(labels) for labels in noise]).to(context.device)
    samples = replace(samples, labels=torch.cat([samples.labels, wrong]))
    recipe = Recipe(
        optimiser=config.optimiser,
        decay=config.decay,
        batch=config.batch,
        epochs=config.epochs,
        target=2.0,  # never: a network trains to its last epoch
        regularisers={**context.spec.regularisers, "batch-norm": config.momentum},
    )
    members = [
        _member(config, arm, seed, place, len(seeds), recipe, samples)
        for place, seed in enumerate(seeds)
        for arm in context.arms
    ]
    share = Share(at / groups, 1 / groups)
    state = yield from train(members, samples, recipe, context, cohort=name, share=share)
    kinds = {arm.name: arm.factors["trains"] for arm in context.arms}
    chosen = [i for i, member in enumerate(members) if kinds[member.arm] in (SCALES, FULL, LABELS)]
    if chosen:
        cohort = f"{name}, scales"
        yield ev.Cohort(id=cohort, members=tuple((members[i].arm, members[i].seed) for i in chosen))
        for bound, shares in zip(BOUNDS, shares_below(state, chosen, BOUNDS), strict=True):
            yield ev.Measure(cohort=cohort, name=share_name(bound), values=ev.to_values(shares))
    return state.ends


def _member(config: Config, arm: Arm, seed: int, place: int, count: int, recipe: Recipe, samples: Samples) -> Member:
    """Return the network of an arm at a seed; all arms of one size and seed start alike."""
    from dataclasses import replace

    from genlab_tui.training import frozen
    from genlab_tui.training.members import Member

    kind, depth, width = arm.factors["trains"], int(arm.factors["depth"]), int(arm.factors["width"])
    resnet = config.network == RESNET
    own = replace(
        recipe,
        hidden=() if resnet else (width,) * depth,
        network=f"cifar-resnet:{depth}" if resnet else "",
        lr=float(arm.factors["lr"]),
    )
    if kind == NOTHING:
        longest = config.epochs * math.ceil(samples.n / config.batch)
        own = replace(own, steps=min(STATISTICS_STEPS, longest))
    numbers = frozen.numbers_of(own, samples)
    trains: list[Tensor] | None = None  # everything
    if kind in (SCALES, LABELS):
        trains = frozen.scales_and_shifts(numbers)
    elif kind in (RANDOM, SECOND):
        trains = frozen.random_weights(numbers, seed, (RANDOM, SECOND).index(str(kind)))
    elif kind == NOTHING:
        trains = frozen.nothing(numbers)
    return Member(
        arm.name,
        seed,
        inputs=place,
        labels=place + count * (kind == LABELS),
        recipe=own,
        start=frozen.uniform_scales(own, seed, samples) if config.gamma == "uniform" else None,
        trains=trains,
    )


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return accuracy over width and depth, sizes of scales, and learning curves, also of data still coming."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


ALL = {"n": 0, "test": 0}
RESNETS = {"network": "resnet", "epochs": 10}
PAPER = ALL | {
    "network": "resnet",
    "optimiser": "sgd",
    "lr": 0.1,
    "lrs": (0.1,),
    "decay": 0.972,
    "batch": 128,
    "epochs": 160,
    "gamma": "uniform",
}
PAPER_NOTE = (
    "the paper's ResNets on CIFAR-10, with as many scales and shifts as it counts. Its recipe is unverified: "
    "optimiser, learning rates, epochs, batch size, weight decay, augmentation, initial scales and whether the output "
    "layer trains are as set here, confirmed by no text that could be read"
)

PHENOMENON = Phenomenon(
    name="batch-norm-only",
    title="Batch norm: only",
    group="Normalisation",
    question="Can a network learn if none of its weights may change?",
    explanation=(
        "Batch norm gives every unit of a network two numbers of its own: a scale, gamma, and a shift, beta. They are "
        "few (about 3 % of all numbers in the largest perceptron of `quick`, less than 1 % in the ResNets) and are "
        "usually thought of as a detail. Here they are all that is "
        "trained: every weight, the output layer's too, stays the random number that it was drawn as. One would "
        "expect guessing. But the network learns, far beyond guessing, and the larger it is the better: among "
        "more random features there are more that help, and scale and shift choose among them. In the first figure, "
        "compare the line of scales and shifts with that of as many weights chosen at random from anywhere in the "
        "network, and with training everything. The controls: with nothing trained, so that batch norm only settles "
        "its running means and variances, the network must stay near guessing; after random labels, size must not "
        "help; a second choice of random weights must not be ahead of the first. A further figure shows how many "
        "scales end near zero, which switches a unit off. The paper trains convolutional ResNets: presets "
        "`resnet` and `paper`. In the small perceptrons of the other presets the lead over random weights is thin, and "
        "in shallow ones it is not there at all (preset `shallow`)."
    ),
    papers=(FRANKLE_BATCH_NORM,),
    config=Config,
    presets={
        "quick": Preset(
            seeds=3, data="digits", note="perceptrons 1 to 8 layers deep, and 16 to 128 wide, on 1,200 digits"
        ),
        "shallow": Preset(
            {"axis": "width", "widths": (16, 32, 64, 128, 256)},
            seeds=3,
            data="digits",
            note="the honest counter-example: in wide perceptrons of two layers, as many random weights do about as "
            "well; expected NOT SHOWN",
        ),
        "hard-data": Preset(seeds=3, data="mnist1d", note="MNIST-1D, hard for any perceptron; expected NOT SHOWN"),
        "standard": Preset(
            {"n": 4000, "depths": (1, 2, 4, 8, 12), "widths": (16, 32, 64, 128, 256)},
            seeds=5,
            data="fashion-mnist",
            note="the same on 4,000 images, out to 12 layers and 256 units",
        ),
        "resnet": Preset(
            RESNETS,
            seeds=3,
            data="digits",
            note="ResNets of 8 to 26 layers on 1,200 digits, ten epochs: some minutes on a CPU",
        ),
        "paper": Preset(
            PAPER | {"layers": (14, 32, 56, 110)},
            seeds=3,
            data="cifar10",
            regularisers={"augmentation": 4.0, "weight-decay": 1e-4},
            note=PAPER_NOTE,
            gpu="about 5 hours and 10 GB",
        ),
        "paper-small": Preset(
            PAPER | {"layers": (8, 14)},
            seeds=3,
            data="cifar10",
            regularisers={"augmentation": 4.0, "weight-decay": 1e-4},
            note=f"the smallest of {PAPER_NOTE}",
            gpu="about 30 minutes and 10 GB",
        ),
    },
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn"),
    refused={"cifar100": "thirty points above guessing and the published numbers are those of ten classes"},
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        Metric("train_loss", "training loss", log=True, higher_is_better=False, unit="nats"),
        Metric("train_accuracy", "training accuracy"),
        Metric("test_loss", "test loss", log=True, higher_is_better=False, unit="nats"),
        Metric("test_accuracy", "test accuracy"),
    ),
    # Batch norm is what is looked at: it is always on. Early stopping would end the networks of a seed at other times.
    regularisers=tuple(r.name for r in REGULARISERS if r.name not in ("batch-norm", "early-stopping")),
    headline=(
        "test accuracy, scales and shifts alone",
        "test accuracy, scales and shifts minus as many random weights, less 2 standard errors of the test set",
        "rank correlation of test accuracy and depth",
    ),
)
