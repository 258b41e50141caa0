"""Batch norm's two modes: what the size of the batch, running statistics and dropout do to a trained network.

Protocol: a deep perceptron with batch norm before every ReLU, trained by SGD for equally many steps at one learning
rate, whatever the batch size. Tested in evaluation mode (running statistics), in training mode (statistics of
mini-batches of test samples) and with statistics recomputed on the training set. Dropout before batch norm: the ratio
of real to running variance of Li et al. 2019 (arXiv 1801.05134).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.papers import IOFFE, LI_SHIFT
from genlab_tui.phenomena._batch_norm_modes import figures as drawn
from genlab_tui.phenomena._batch_norm_modes.claims import FAIR, claims
from genlab_tui.phenomena._batch_norm_modes.config import (
    ALONE,
    AT_PLAIN_LR,
    BATCH_MODE,
    DROPPED,
    LAST,
    PLAIN,
    RATIO,
    RECOMPUTED,
    SHIFT_ARMS,
    STATISTICS_NOTE,
    WORST,
    Config,
    Part,
    estimate,
    layer_arm,
    parts,
    plan,
    seconds,
    seed_bytes,
    sizes,
)
from genlab_tui.phenomenon import Arm, Context, Metric, Phenomenon, Preset
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

if TYPE_CHECKING:
    from genlab_tui.training.train import Share


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train and measure every arm and seed: one stage a batch size and group of seeds."""
    from genlab_tui.training.train import Share

    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    groups = cost.groups(spec.seed_list, seed_bytes(config, spec, context.arms), context.device)
    stages = [(f"{name}, {part.name}", part, seeds) for name, seeds in groups for part in parts(context.arms)]
    each = [seconds(config, spec, part, len(seeds)) for _, part, seeds in stages]
    for at, (name, part, seeds) in enumerate(stages):
        share = Share(sum(each[:at]) / sum(each), each[at] / sum(each))
        yield from context.stage(name, partial(_part, config, context, arrays, seeds, name, part, share))


def _part(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, part: Part, share: Share
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train the arms of one batch size, measure them with other statistics; return how many ended how."""
    from genlab_tui.training.batch_statistics import modes, worst
    from genlab_tui.training.layer_swaps import per_seed
    from genlab_tui.training.members import Member, Recipe
    from genlab_tui.training.train import train

    n, test = sizes(config, context.spec)
    samples = per_seed(arrays, seeds, n=n, n_test=test, device=context.device)

    def recipe(arm: Arm) -> Recipe:
        regularisers = dict(context.spec.regularisers)
        plain = arm.factors["kind"] == PLAIN
        lower = arm.factors["kind"] in (PLAIN, AT_PLAIN_LR)
        if not plain:
            regularisers["batch-norm"] = config.shift_momentum if arm.name in SHIFT_ARMS else config.momentum
        if arm.name in (DROPPED, LAST):
            regularisers["dropout"] = config.dropout
        return Recipe(
            hidden=(config.width,) * config.depth,
            optimiser="sgd",
            lr=config.plain_lr if lower else config.lr,
            momentum=config.sgd_momentum,
            decay=config.shift_decay if arm.name in SHIFT_ARMS else 1.0,
            batch=part.batch,
            steps=int(arm.factors["steps"]),
            target=2.0,  # never: steps are what the arms have in common
            regularisers=regularisers,
            dropout_layers=1 if arm.name == LAST else 0,
        )

    members = [
        Member(arm.name, seed, inputs=k, labels=k, recipe=recipe(arm))
        for k, seed in enumerate(seeds)
        for arm in part.arms
    ]
    # Small steps are fastest on one core: threads that meet after each of them wait longer than they compute.
    threads = 1 if len(members) * part.batch <= ALONE else None
    state = yield from train(members, samples, recipe(part.arms[0]), context, cohort=name, share=share, threads=threads)
    found = []
    for i in range(len(members)):
        found.append(modes(state, i, batch=part.batch, partitions=config.partitions))
        context.poll()
    cohort = f"{name}, other statistics"
    yield ev.Cohort(id=cohort, members=tuple((member.arm, member.seed) for member in members))
    yield ev.Measure(cohort=cohort, name=BATCH_MODE, values=ev.to_values(one.batch_mode for one in found))
    yield ev.Measure(cohort=cohort, name=RECOMPUTED, values=ev.to_values(one.recomputed for one in found))
    compared = [(m, one.ratios) for m, one in zip(members, found, strict=True) if m.arm in SHIFT_ARMS]
    if compared:
        cohort = f"{name}, variances"
        yield ev.Cohort(id=cohort, members=tuple((member.arm, member.seed) for member, _ in compared))
        yield ev.Measure(cohort=cohort, name=WORST, values=ev.to_values(worst(ratios) for _, ratios in compared))
        cohort = f"{name}, layers"
        layers = [(layer_arm(m.arm, k), m.seed, r) for m, ratios in compared for k, r in enumerate(ratios, start=1)]
        yield ev.Cohort(id=cohort, members=tuple((arm, seed) for arm, seed, _ in layers))
        yield ev.Measure(cohort=cohort, name=RATIO, values=ev.to_values(ratio for _, _, ratio in layers))
    return state.ends


def figures(run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return accuracy and gap over batch size, variance ratios by layer, learning curves; also of data still coming."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


OWN = frozenset({"batch-norm", "dropout", "early-stopping"})
"""Regularisers that the arms are about, or that would end them after other numbers of steps."""

PHENOMENON = Phenomenon(
    name="batch-norm-modes",
    title="Batch norm: modes",
    group="Normalisation",
    question="Is a network with batch norm the same in training and in use?",
    explanation=(
        "While a network trains, batch norm centres and scales every unit by the mini-batch at hand, so that what it "
        "answers for one image depends on the other images beside it. In use it takes running averages instead: "
        "strictly speaking, another network. With large batches nobody notices; with small ones the two part. Every "
        "batch size trains here for equally many steps at one learning rate and is tested in evaluation mode, in "
        "training mode with mini-batches of test samples of its own size, and with statistics computed anew over the "
        "training set. Read the first figure from right to left: the lines meet on the right, then training mode "
        "falls, and with two samples everything does. At this learning rate two samples are too few for a network "
        "without batch norm as well; so both are compared at the smaller rate that suits the one without, which is "
        "the control: it sees as few samples, and must learn. The line of equal epochs shows a trap: there a large "
        "batch can look bad because it takes few steps. The third figure is about dropout: dropped units make the "
        "variance in the next layer larger, its running average learns that, and in evaluation mode, with all units "
        "there, it is wrong, layer after layer. The ratio of the two variances is 1 where all is well; dropout after "
        "the last batch norm leaves it alone. "
        f"{STATISTICS_NOTE[0].upper()}{STATISTICS_NOTE[1:]}."
    ),
    papers=(IOFFE, LI_SHIFT),
    config=Config,
    presets={
        "quick": Preset(
            seeds=3,
            data="digits",
            note="six batch sizes on 1,200 digits, 1,500 steps, five hidden layers: with ten, networks of batch 4 and "
            "such with dropout do not meet the preconditions (preset deep); under half a minute",
        ),
        "hard-data": Preset(
            {"n": 0},
            seeds=3,
            data="mnist1d",
            note="the same on MNIST-1D, all 4,000 samples: without batch norm or with dropout, 1,500 steps are too few "
            "to be right on half of the test set; expected INCONCLUSIVE",
        ),
        "deep": Preset(
            {"depth": 10},
            seeds=3,
            data="digits",
            note="ten layers: batch 4 breaks as batch 2 does, and with dropout everywhere the network no longer "
            "learns; the claims about the gap and about dropout are not expected to hold",
        ),
        "equal-epochs": Preset(
            {"epochs": 3},
            seeds=3,
            data="digits",
            note="the confound by name: beside equal steps, three epochs for every size, about what batch 2 sees; "
            "batch 256 then takes 15 steps",
        ),
        "settled": Preset(
            {"shift_decay": 0.94},
            seeds=3,
            data="digits",
            arms=SHIFT_ARMS,
            note="dropout alone, the learning rate falling to a hundredth: running variances no longer lag behind",
        ),
        "noisy-averages": Preset(
            {"shift_momentum": 0.1},
            seeds=3,
            data="digits",
            arms=SHIFT_ARMS,
            note="dropout alone, with running variances at the usual momentum 0.1: the noise of so few batches exceeds "
            "1.1 in the worst channel without any dropout; expected NOT SHOWN",
        ),
        "standard": Preset(
            {"n": 10_000, "steps": 3000, "batches": (2, 4, 8, 16, 32, 64, 128, 256)},
            seeds=5,
            data="fashion-mnist",
            note="eight batch sizes on 10,000 images, 3,000 steps, five seeds",
        ),
        "paper": Preset(
            {"n": 0, "steps": 30_000, "epochs": 30, "width": 512, "batches": (2, 4, 8, 16, 32, 64, 128, 256)},
            seeds=5,
            data="cifar10",
            note="the dropout of 0.5 is the paper's (Li et al.); its DenseNet on CIFAR-100 is not in the lab: a 5x512 "
            "perceptron on CIFAR-10 stands in. Unverified: learning rate, batch sizes and number of steps",
            gpu="about 30 minutes and 6 GB",
        ),
    },
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn"),
    refused={"cifar100": "a perceptron is right on less than the fifty points that the claims presuppose"},
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
    regularisers=tuple(r.name for r in REGULARISERS if r.name not in OWN),
    panels=("accuracy", "gap", "ratio", "learning"),
    headline=(
        FAIR,
        "smallest fall of the gap over batch 4, 8, 16, 64",
        "test_accuracy:bn-64",
    ),
)
