"""Neural collapse (Papyan, Han & Donoho 2020): after the last training error, features go on falling into a simplex.

Protocol: classes of equal size, no augmentation, training far beyond the first epoch without a training error. Between
that epoch and the last are compared, all on the training set: spread within classes over that between them (NC1),
lengths of class means and the angles between them (NC2), how far output weights and class means are the same (NC3),
and whether the nearest class mean says what the network says (NC4). Definitions follow the authors' notebook; there
weight decay acts on all numbers, here on weight matrices alone.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.papers import PAPYAN
from genlab_tui.phenomena._neural_collapse import figures as drawn
from genlab_tui.phenomena._neural_collapse.claims import GAIN, NAMES, claims
from genlab_tui.phenomena._neural_collapse.config import (
    ANGLES,
    COSINES,
    FIT_EPOCHS,
    MLP,
    NC1,
    NC3,
    NC4,
    NORMS,
    STEPS,
    Config,
    drops_of,
    estimate,
    fit_of,
    name_of,
    plan,
    seed_bytes,
    sizes,
)
from genlab_tui.phenomenon import Context, Metric, Phenomenon, Preset
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.rundata import RunData
from genlab_tui.training import cost


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train every arm and seed: one stage a group of seeds."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    groups = cost.groups(spec.seed_list, seed_bytes(config, spec, len(context.arms)), context.device)
    for at, (name, group) in enumerate(groups):
        yield from context.stage(name, partial(_group, config, context, arrays, group, name, at, len(groups)))


def _group(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train all arms of some seeds, each to its end and to its first epoch without a training error.

    The second network of an arm and seed is the first one until it stops: what it measures there is where the terminal
    phase of the first one begins. Returns how many networks ended how.
    """
    from genlab_tui.training import balanced, collapse
    from genlab_tui.training.members import Member, Recipe
    from genlab_tui.training.train import Share, train

    n, n_test = sizes(config, context.spec)
    each = balanced.per_class(arrays, config.n)
    samples = balanced.balanced(
        arrays, seeds, each=each, n_test=n_test, device=context.device, centred=config.network == MLP
    )
    left = n - each * arrays.classes
    yield ev.Log(text=f"{each} training samples of each of {arrays.classes} classes; {left} more are left out")
    recipe = Recipe(
        hidden=(config.width,) * config.layers if config.network == MLP else (),
        network=name_of(config),
        optimiser="sgd",
        lr=config.lr,
        momentum=config.momentum,
        decay=1.0 if config.schedule == STEPS else config.decay,
        drops=drops_of(config),
        coupled=True,
        batch=config.batch,
        epochs=config.epochs,
        target=2.0,  # never: training goes on after the last error, that is what it is about
    )
    members = []
    for place, seed in enumerate(seeds):
        for arm in context.arms:
            decay = float(arm.factors["weight_decay"])
            own = replace(recipe, regularisers={**context.spec.regularisers, "weight-decay": decay})
            ends = Member(arm.name, seed, inputs=place, labels=place, recipe=own)
            members += [
                ends,
                replace(ends, arm=fit_of(arm.name), recipe=replace(own, target=1.0), expected_epochs=FIT_EPOCHS),
            ]
    share = Share(at / groups, 1 / groups)
    state = yield from train(members, samples, recipe, context, cohort=name, share=share, probes=collapse.probes())
    whole = [i for i, member in enumerate(members) if member.recipe and member.recipe.target > 1]
    ticks = tuple(str(label) for label in range(arrays.classes))
    for i, found in collapse.at_the_end(state, whole).items():
        values = tuple(ev.to_values(row) for row in found.cosines)
        yield ev.Heat(
            name=COSINES, arm=members[i].arm, seed=members[i].seed, x_ticks=ticks, y_ticks=ticks, values=values
        )
    return state.ends


def figures(run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return the numbers of collapse over epochs and the angles between class means, also of data still coming."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


PAPER = {
    "network": "resnet-18",
    "n": 0,
    "weight_decays": (5e-4, 0.0),
    "lr": 0.0679,
    "schedule": STEPS,
}
PAPER_NOTE = (
    "ResNet-18 on MNIST with the numbers of the authors' notebook (350 epochs, batch 128, SGD at 0.0679, a tenth after "
    "one and two thirds, weight decay 5e-4). Unlike there: images are not padded to 32x32, classes are of equal size, "
    "weight decay spares biases and batch norm, and weight decay 0 is added as the control"
)

PHENOMENON = Phenomenon(
    name="neural-collapse",
    title="Neural collapse",
    group="Dynamics",
    question="What does a network go on to learn when it makes no training error any more?",
    explanation=(
        "Train a classifier until it is right on every training sample, and then go on, long after. Nothing seems "
        "left to learn, and yet what the last hidden layer makes of the images keeps changing, towards one very "
        "simple picture. The images of one class gather around their mean (NC1), the class means become equally "
        "long and spread to equal angles, as far apart as they can be (NC2), the output layer turns into a copy of "
        "these means (NC3), and the network's answer becomes the class whose mean is nearest (NC4). All four are "
        "measured on the training set and go to zero where the collapse is complete. In the figures read from the "
        "mark on each line on, the first epoch without a training error: what falls from there is the phenomenon. "
        "Weight decay drives it. The control is the same network from the same start without weight decay: there "
        "NC1 may fall a little, but not by more than 15 %. The heat map shows the cosines of the "
        "angles between class means beside the one that all of them should have, -1/9 for ten classes. Small "
        "perceptrons on small data go only part of the way: at this scale equal angles are usually not reached, and "
        "the lights say so. Longer training, larger learning rates and convolutional networks go further."
    ),
    papers=(PAPYAN,),
    config=Config,
    presets={
        "quick": Preset(
            seeds=3,
            data="digits",
            note="a 3x256 perceptron on 87 digits of each class, 350 epochs; NC1 ends close to its threshold",
        ),
        "hard-data": Preset(
            seeds=3,
            data="mnist1d",
            note="the same on MNIST-1D: classes contract and test accuracy gains, but output weights stay far from the "
            "class means, and the nearest class mean often disagrees",
        ),
        "standard": Preset(
            {"n": 4000},
            seeds=5,
            data="fashion-mnist",
            note="the same perceptron on 4,000 images, 400 of each class: some minutes",
        ),
        "convolutional": Preset(
            {"network": "cnn-5", "channels": 8, "epochs": 150, "weight_decays": (5e-3, 0.0)},
            seeds=3,
            data="digits",
            note="a small convolutional network with batch norm on 870 digits: about a minute",
        ),
        "paper": Preset(PAPER, seeds=3, data="mnist", note=PAPER_NOTE, gpu="about 6 hours and 12 GB"),
    },
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn"),
    refused={"cifar100": "the thresholds are those of ten classes, each with many samples"},
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        Metric(NC1, NAMES[NC1], log=True, higher_is_better=False),
        Metric(NORMS, NAMES[NORMS], log=True, higher_is_better=False),
        Metric(ANGLES, NAMES[ANGLES], log=True, higher_is_better=False),
        Metric(NC3, NAMES[NC3], log=True, higher_is_better=False),
        Metric(NC4, NAMES[NC4], higher_is_better=False),
        Metric("train_loss", "training loss", log=True, higher_is_better=False, unit="nats"),
        Metric("train_accuracy", "training accuracy"),
        Metric("test_loss", "test loss", log=True, higher_is_better=False, unit="nats"),
        Metric("test_accuracy", "test accuracy"),
    ),
    # Weight decay is what the arms differ in; augmentation has no training set to be right on; early stopping ends
    # before what is looked for begins.
    regularisers=tuple(
        r.name for r in REGULARISERS if r.name not in ("weight-decay", "augmentation", "early-stopping")
    ),
    headline=("NC1, last epoch over first without an error", GAIN, "test_accuracy:wd-0.005"),
    weight_decay=lambda config: "L2 in the loss, on weight matrices alone",
    precision="float64 (networks: float32)",
    panels=("nc1", "nc3", "cosines", "nc2-angles"),
)
