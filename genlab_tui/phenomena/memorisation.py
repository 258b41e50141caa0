"""Memorisation order (Arpit et al. 2017): what labels have in common is learnt first, then the wrong ones by heart.

Of a share of the training labels another class is given, never the true one, drawn once a seed. Four curves a member:
accuracy on the samples that kept their labels, on the others against the wrong label and against the true one, and on
clean test samples. The control is 100 % random labels, split at random in two parts of the same shares.

The paper's own labels are random, the true class among them, and it shows accuracies on the whole training set; the
parts, the wrong labels and the thresholds are this lab's. Easy samples are those of its section 3.1, critical ones of
4.1; loss sensitivity is a stand-in for that of 3.2 (see `training/sensitivity.py`).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure
from genlab_tui.models.mlp import parameter_count
from genlab_tui.papers import ARPIT, KRUEGER, ZHANG
from genlab_tui.phenomena._memorisation import figures as drawn
from genlab_tui.phenomena._memorisation.claims import claims
from genlab_tui.phenomena._memorisation.config import (
    CHANCE,
    CRITICAL_POINTS,
    EASY,
    RADII,
    Config,
    critical_at,
    data_set,
    plan,
    sizes,
)
from genlab_tui.phenomenon import Context, Estimate, Metric, Phenomenon, Preset
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

if TYPE_CHECKING:
    from genlab_tui.training.members import Recipe

# --- cost -------------------------------------------------------------------------------------------------------------

LOOKING = 0.7
"""The time of one measurement over that of an epoch of training: measured, rough."""


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    n, _ = sizes(config, spec)
    known = data_set(spec)
    arms = len([arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms])
    size = parameter_count(known.features, config.hidden, known.classes)
    epochs = [float(config.epochs)] * arms * spec.seeds
    short = [1.0] * (2 * config.inits * spec.seeds)
    seconds = cost.seconds(size, n, config.batch, epochs, spec.device, spec.regularisers)
    dense = min(config.dense, config.epochs)
    looks = dense + (config.epochs - dense) / 6  # where not all epochs are measured, about every sixth is
    seconds += (seconds - cost.START) * LOOKING * looks / config.epochs
    seconds += cost.seconds(size, n, config.batch, short, spec.device, spec.regularisers) - cost.START
    each = _seed_bytes(config, spec, arms)
    return Estimate(len(epochs), seconds, each * min(spec.seeds, cost.at_once(each, spec.device)))


def _seed_bytes(config: Config, spec: RunSpec, networks: int) -> float:
    """Return the memory of one seed: its inputs, weights, gradient and two moments."""
    n, test = sizes(config, spec)
    known = data_set(spec)
    size = parameter_count(known.features, config.hidden, known.classes)
    return 4.0 * 2 * (n + test) * known.features + 16.0 * networks * size


# --- the run ----------------------------------------------------------------------------------------------------------


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train all arms of some seeds at a time, then the networks of one epoch: a stage each."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    seeds = spec.seed_list
    arms, short = len(context.arms), 2 * config.inits

    def groups(networks: int) -> list[tuple[int, ...]]:
        """Return the seeds in groups that fit the memory, with so many networks a seed."""
        size = cost.at_once(_seed_bytes(config, spec, networks), context.device)
        return [seeds[i : i + size] for i in range(0, len(seeds), size)]

    stages = [(f"seeds-{g[0]}-{g[-1]}", _train, g, float(len(g) * arms * config.epochs)) for g in groups(arms)]
    if short and any(arm.name == "clean" for arm in context.arms):
        stages += [(f"epoch-{g[0]}-{g[-1]}", _easy, g, float(len(g) * short)) for g in groups(short)]
    total, done = sum(weight for *_, weight in stages), 0.0
    for name, work, group, weight in stages:
        share = (done / total, weight / total)
        yield from context.stage(name, partial(work, config, context, arrays, group, name, share))
        done += weight


def _train(
    config: Config,
    context: Context,
    arrays: data.Arrays,
    seeds: Sequence[int],
    name: str,
    share: tuple[float, float],
) -> Generator[ev.Event, None, int]:
    """Train all arms of some seeds as one population, then search around test samples; return how many networks."""
    from genlab_tui.training.noisy_labels import noisy_labels
    from genlab_tui.training.sensitivity import Layers, Looks, critical_sample_ratio, spaced
    from genlab_tui.training.train import Share, train

    n, test = sizes(config, context.spec)
    recipe = _recipe(config, context.spec)
    drawn = noisy_labels(
        arrays, context.arms, seeds, recipe, n=n, n_test=test, share=config.noise, device=context.device
    )
    epoch_steps = math.ceil((n - recipe.validation(n)) / config.batch)
    looks = Looks(context, name, [epoch * epoch_steps for epoch in spaced(config.epochs)])
    probes = [*drawn.probes(), looks.probe()]
    samples, members = drawn.samples, drawn.members
    state = yield from train(members, samples, recipe, context, cohort=name, share=Share(*share), probes=probes)

    ratios: list[list[float]] = []
    for i, member in enumerate(members):
        if state.outcomes[i].end == "diverged":
            ratios.append([math.nan] * len(RADII))
            continue
        points = samples.test_inputs[member.inputs][:CRITICAL_POINTS]
        ratios.append(critical_sample_ratio(Layers.of(state.trained(i)), points, RADII, context.poll))
    searched = f"{name}-searched"
    yield ev.Cohort(id=searched, members=tuple((member.arm, member.seed) for member in members))
    for radius, values in zip(RADII, zip(*ratios, strict=True), strict=True):
        yield ev.Measure(cohort=searched, name=critical_at(radius), values=ev.to_values(values))
    return len(members)


def _easy(
    config: Config,
    context: Context,
    arrays: data.Arrays,
    seeds: Sequence[int],
    name: str,
    share: tuple[float, float],
) -> Generator[ev.Event, None, int]:
    """Train networks of many initialisations for one epoch: which samples are right, of how many of them."""
    from genlab_tui.training.first_epoch import shares_right, spread
    from genlab_tui.training.train import Share

    n, _ = sizes(config, context.spec)
    found = yield from shares_right(
        arrays,
        seeds,
        _recipe(config, context.spec),
        context,
        n=n,
        inits=config.inits,
        cohort=f"{name}-training",
        share=Share(*share),
    )
    yield ev.Cohort(id=name, members=tuple(("clean", seed) for seed in seeds))
    for kind, metric in EASY.items():
        shares = [found[seed][kind].double() for seed in seeds]
        spreads = [spread(one, config.inits) for one in shares]
        yield ev.Measure(cohort=name, name=f"{metric}_spread", values=ev.to_values(spreads))
        yield ev.Measure(cohort=name, name=f"{metric}_mean", values=ev.to_values(float(one.mean()) for one in shares))
        ordered = [one.sort().values for one in shares]
        for percent in range(101):
            values = [float(one[round(percent / 100 * (len(one) - 1))]) for one in ordered]
            yield ev.Curve(cohort=name, metric=metric, step=percent, values=ev.to_values(values))
    return len(seeds)


def _recipe(config: Config, spec: RunSpec) -> Recipe:
    from genlab_tui.training.members import Recipe

    return Recipe(
        hidden=config.hidden,
        optimiser=config.optimiser,
        lr=config.lr,
        momentum=config.momentum,
        batch=config.batch,
        epochs=config.epochs,
        target=2.0,
        dense=config.dense,
        regularisers=spec.regularisers,
    )


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return what is learnt when, the control, peak and end over noise, dropout, sensitivity; also of data to come."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


# --- declaration ------------------------------------------------------------------------------------------------------

PHENOMENON = Phenomenon(
    name="memorisation",
    title="Memorisation",
    group="Data",
    question="Are wrong labels learnt at the same time as the right ones?",
    explanation=(
        "Give 40 % of the training samples a wrong label and train until the network knows every label by heart, the "
        "wrong ones included. One would expect both kinds to be learnt side by side. The surprise of Arpit et al. is "
        "the order: the network first learns what the right labels have in common. After a few epochs it fits nearly "
        "all right labels, hardly any wrong one, and gives most wrongly labelled samples the class that they should "
        "have had. Only then does it learn the exceptions one by one, and accuracy on new samples falls. In the "
        "figure, read the first two curves: the gap between them is the order. The curve of the true class rises "
        "above 60 % and falls again while the wrong labels are learnt; so does the test curve. Stopping at its "
        "peak, or dropout, keeps most of what is lost. The control has random labels only, split at random into two "
        "parts of the same sizes: there is nothing in common to learn, so neither part may come first, and with "
        "nothing learnt about new samples there is nothing to lose. On hard data (preset `hard-data`) the order "
        "is much weaker: the network has to learn by heart to get even the right labels right."
    ),
    papers=(ARPIT, KRUEGER, ZHANG),
    config=Config,
    presets={
        "quick": Preset(seeds=3, data="digits", note="five conditions on 1,200 samples, half a minute"),
        "standard": Preset(
            {"levels": (0.1, 0.2, 0.3, 0.5, 0.6), "gaussian": True, "inits": 50},
            seeds=10,
            data="digits",
            note="ten seeds, six shares of wrong labels, Gaussian inputs, 50 initialisations for easy samples",
        ),
        "fashion": Preset(
            {"n": 2000, "gaussian": True, "inits": 20},
            seeds=5,
            data="fashion-mnist",
            note="2,000 images of clothes: classes that overlap more than digits do",
        ),
        "hard-data": Preset(
            {"n": 4000},
            seeds=3,
            data="mnist1d",
            note="a counter-example: a perceptron cannot learn these true labels without learning by heart, so the "
            "wrong ones come with them; expect NOT SHOWN",
        ),
        "paper": Preset(
            {
                "n": 0,
                "test": 0,
                "levels": (0.2, 0.6, 0.8),
                "hidden": (4096, 4096),
                "gaussian": True,
                "optimiser": "sgd",
                "lr": 0.01,
                "momentum": 0.0,
                "batch": 128,
                "epochs": 1000,
                "dense": 100,
                "inits": 100,
            },
            seeds=3,
            data="mnist",
            gpu="about 6 hours and 9 GB",
            note="the paper's kind of perceptron on MNIST, 20 to 80 % of noise. Unverified: 2x4096 units, SGD at 0.01 "
            "without momentum, batch size, 1,000 epochs, 100 initialisations, all 60,000 samples. The paper's labels "
            "are random where these are wrong",
        ),
    },
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn"),
    refused={"cifar100": "a perceptron gets 90 % of 100 classes right by learning by heart alone"},
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        Metric("clean_fit", "true labels fitted"),
        Metric("noisy_fit", "wrong labels fitted", references=((CHANCE, "chance"),)),
        Metric("recovery", "true class of the wrongly labelled", references=((CHANCE, "chance"),)),
        Metric("test_accuracy", "test accuracy", references=((CHANCE, "chance"),)),
        Metric("test_loss", "test loss", log=True, higher_is_better=False, unit="nats"),
        Metric("train_accuracy", "training accuracy, labels as given", references=((CHANCE, "chance"),)),
        Metric("train_loss", "training loss, labels as given", log=True, higher_is_better=False, unit="nats"),
        Metric("sensitivity_gini", "Gini coefficient of the loss sensitivity"),
        *(
            Metric(metric, f"right after one epoch, {inputs} inputs", step_label="samples, hardest first (%)")
            for metric, inputs in zip(EASY.values(), ("real", "Gaussian"), strict=True)
        ),
    ),
    regularisers=tuple(r.name for r in REGULARISERS),
    headline=(
        "wrong labels fitted once the true ones are learnt",
        "true class of the wrongly labelled by then",
        "test accuracy lost after the true labels were learnt",
        "final test accuracy gained by dropout",
    ),
)
