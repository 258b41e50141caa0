"""Network size as capacity (Neyshabur, Tomioka, Srebro 2015): wider networks that all fit do not generalise worse.

Networks of one hidden layer of H units, all widths, levels of label noise and seeds as one population; every width is
an arm. What grows and what shrinks with H follows Neyshabur et al. (2017, 2019), degrees of freedom Gao & Jojic (2016).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure
from genlab_tui.papers import GAO_DEGREES, NEYSHABUR_EXPLORING, NEYSHABUR_OVER, NEYSHABUR_SEARCH
from genlab_tui.phenomena._width_sweep import drawn
from genlab_tui.phenomena._width_sweep.claims import claims
from genlab_tui.phenomena._width_sweep.config import (
    CLEAN,
    Config,
    estimate,
    expected_epochs,
    kind_of,
    label,
    levels,
    plan,
    seed_bytes,
)
from genlab_tui.phenomenon import Context, Metric, Phenomenon, Preset
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.rundata import RunData
from genlab_tui.training import cost


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train all widths, levels of noise and seeds: one stage a population that fits the memory."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    groups = cost.groups(spec.seed_list, seed_bytes(config, spec, context.arms), context.device)
    for at, (name, group) in enumerate(groups):
        yield from context.stage(name, partial(_train, config, context, arrays, group, name, at, len(groups)))


def _train(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train all arms of some seeds and measure what they have become; return how many networks ended how."""
    from genlab_tui.training import capacity
    from genlab_tui.training.members import Recipe
    from genlab_tui.training.train import Share, train
    from genlab_tui.training.width_sweep import widths

    recipe = Recipe(
        optimiser=config.optimiser,
        lr=config.lr,
        momentum=config.momentum,
        batch=config.batch,
        epochs=config.epochs,
        target=2.0 if config.stop_loss else 1.0,
        loss_target=config.stop_loss or -math.inf,
        init=config.init,
        regularisers=context.spec.regularisers,
    )
    members, samples = widths(
        arrays,
        context.arms,
        seeds,
        recipe,
        n=config.n or len(arrays.y_train),
        n_test=config.test,
        device=context.device,
    )
    expected = {arm.name: expected_epochs(config, context.spec, arm) for arm in context.arms}
    members = [replace(member, expected_epochs=expected[member.arm]) for member in members]
    share = Share(at / groups, 1 / groups)
    state = yield from train(members, samples, recipe, context, cohort=name, share=share)
    low = min((p for p in levels(config) if 0.0 < p < 1.0), default=0.0)
    place = {(member.arm, member.seed): i for i, member in enumerate(members)}
    perturbed = {
        i: place[twin, seed]
        for (arm, seed), i in place.items()
        if config.dof
        and low
        and (twin := arm.replace(f"{CLEAN}-", f"{kind_of(low)}-")) != arm
        and (twin, seed) in place
    }
    yield from capacity.report(state, f"size, {name}", perturbed, context.poll)
    return state.ends


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return errors, norms, capacities, margin, degrees of freedom and epochs over H, also of data still coming."""
    return drawn.figures(run_data, PHENOMENON.config_of(run_data.spec))


POWERS = tuple(2**k for k in range(2, 14))  # 4 to 8192

PHENOMENON = Phenomenon(
    name="width-sweep",
    title="Width sweep",
    group="Size",
    question="Does a network that already fits its data get worse when it is made wider?",
    explanation=(
        "Make a network of one hidden layer wider and wider. At some width it fits every training label, and from "
        "there on, the textbook says, each further unit only adds room to overfit. The surprise of Neyshabur, Tomioka "
        "and Srebro: test error goes on falling, with ten times as many parameters as samples, even when part of the "
        "labels is wrong and the network has learnt those by heart. So the number of parameters is not what limits "
        "it. Read the first figure from the vertical lines on: right of its line, every network of that noise fits "
        "its training data. With 20 % noise the curve first climbs towards that line and then falls: double descent "
        "over the width. What may limit a network instead is in the figures of norms: the more units there are, the "
        "less each one moves from where it began, and a capacity counted unit by unit can shrink while the count of "
        "parameters grows. The control: after purely random labels there is nothing to get better at, and test error "
        "must stay at guessing at every width. Degrees of freedom ask how much of a wrong label a network takes up; "
        "they cannot exceed what the data offer, however many parameters there are. Biases are left out of norms."
    ),
    papers=(NEYSHABUR_SEARCH, NEYSHABUR_OVER, NEYSHABUR_EXPLORING, GAO_DEGREES),
    config=Config,
    presets={
        "quick": Preset(seeds=5, data="digits", note="nine widths, four kinds of labels, 1,000 samples, all at once"),
        "standard": Preset(
            {"n": 4000, "widths": POWERS[:11]},
            seeds=5,
            data="fashion-mnist",
            note="4,000 images, out to 4,096 units: 800 times as many parameters as samples",
        ),
        "hard-data": Preset(
            seeds=5,
            data="mnist1d",
            note="the counter-example: on this harder set, networks with label noise do not get better with width",
        ),
        "paper": Preset(
            {
                "n": 0,
                "widths": POWERS[:11],
                "noise": (0.05,),
                "optimiser": "sgd",
                "lr": 0.01,
                "batch": 100,
            },
            seeds=3,
            data="mnist",
            note=(
                "Neyshabur, Tomioka & Srebro 2015: one hidden layer, all of MNIST, clean labels and 5 % noise. "
                "Unverified: widths 4 to 4,096, SGD with momentum 0.9 and batches of 100, training to near-zero error, "
                "all of MNIST also with noise (the paper may have used less), a learning rate of 0.01 for all. It "
                "prints curves, no numbers"
            ),
            gpu="about 10 minutes and 2 GB",
        ),
        "neyshabur-2018": Preset(
            {
                "n": 0,
                "widths": POWERS[1:],
                "noise": (0.0,),
                "optimiser": "sgd",
                "lr": 1e-3,
                "momentum": 0.9,
                "batch": 64,
                "epochs": 1000,
                "stop_loss": 0.01,
                "init": "torch",
                "dof": False,
            },
            seeds=3,
            data="cifar10",
            note=(
                "Neyshabur et al. 2019 as in their released code: SGD 0.001 with momentum 0.9, batches of 64, until "
                "the training loss is 0.01, 1,000 epochs at most, torch's initial weights. Unverified: the widths. "
                "Not done here: the code's random crops and flips, and its scaling of images to 32x32"
            ),
            gpu="about 2 hours and 8 GB",
        ),
    },
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100", "svhn"),
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
    # Behind batch norm the scale of a hidden layer has no effect: norms would say nothing.
    regularisers=tuple(r.name for r in REGULARISERS if r.name != "batch-norm"),
    headline=tuple(f"fall of test error with width, {label(p)}" for p in (0.0, 0.05, 0.2)),
)
