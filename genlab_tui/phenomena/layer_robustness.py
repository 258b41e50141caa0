"""Layers put back (Zhang, Bengio & Singer 2022): most of a trained network survives on its initial values, not on new.

Protocol: train; replace one layer, weights and biases, of the final network by its value at an earlier epoch
(re-initialisation; epoch 0 is its own start) or by a fresh draw of the same initialiser (re-randomisation); everything
else stays final, nothing is trained again. The paper prints heat maps, no numbers.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.papers import ZHANG_LAYERS
from genlab_tui.phenomena._layer_robustness import figures as drawn
from genlab_tui.phenomena._layer_robustness.claims import claims
from genlab_tui.phenomena._layer_robustness.config import (
    BATCH_NORM_NOTE,
    DROP,
    FINAL,
    HIDDEN,
    LARGEST,
    MOVED,
    Config,
    arm_of,
    estimate,
    plan,
    seed_bytes,
    sizes,
)
from genlab_tui.phenomenon import (
    Context,
    Metric,
    Phenomenon,
    Preset,
)
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.rundata import RunData
from genlab_tui.training import cost


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train every arm and seed, then replace layers: one stage a group of seeds."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    groups = cost.groups(spec.seed_list, seed_bytes(config, spec, len(context.arms)), context.device)
    for at, (name, group) in enumerate(groups):
        yield from context.stage(name, partial(_group, config, context, arrays, group, name, at, len(groups)))


def _group(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, dict[str, list[str]]]:
    """Train all arms of some seeds as one population, replace their layers; return the names of the layers.

    A checkpoint is a network of the same seed that trains that many epochs: it ends where the long one passed.
    """
    from dataclasses import replace

    from genlab_tui.training.layer_swaps import per_seed, swapped
    from genlab_tui.training.members import Member, Recipe
    from genlab_tui.training.train import Share, train

    n, test = sizes(config, context.spec)
    samples = per_seed(arrays, seeds, n=n, n_test=test, device=context.device)
    perceptron = config.network in HIDDEN
    recipe = Recipe(
        hidden=HIDDEN[config.network] if perceptron else (),
        network="" if perceptron else config.network,
        optimiser=config.optimiser,
        lr=config.lr,
        decay=config.decay,
        batch=config.batch,
        epochs=config.epochs,
        target=2.0,  # never: a network trains to its last epoch
        regularisers=context.spec.regularisers,
        init=config.init,
    )
    # Members of one place in their seeds share a core: in turn at another place, the long ones spread over all cores.
    arms = [[*context.arms[k % len(context.arms) :], *context.arms[: k % len(context.arms)]] for k in range(len(seeds))]
    members = [
        Member(arm.name, seed, inputs=k, labels=k, recipe=replace(recipe, epochs=int(arm.factors["epochs"])))
        for k, seed in enumerate(seeds)
        for arm in arms[k]
    ]
    share = Share(at / groups, 1 / groups)
    state = yield from train(members, samples, recipe, context, cohort=name, share=share)
    finals = {member.seed: i for i, member in enumerate(members) if member.arm == FINAL}
    ends: dict[int, dict[int, int]] = {seed: {} for seed in seeds}
    for i, member in enumerate(members):
        if member.arm != FINAL:
            ends[member.seed][state.recipes[i].epochs] = i
    if not finals:
        return {"layers": []}
    found = swapped(state, finals, ends, config.draws, context.poll)
    names = list(found[seeds[0]].names)
    pairs = [(seed, key) for seed, one in found.items() for key in one.accuracy]
    cohort = f"{name}, layers replaced"
    yield ev.Cohort(id=cohort, members=tuple((arm_of(*key), seed) for seed, key in pairs))
    accuracies = [found[seed].accuracy[key] for seed, key in pairs]
    drops = [found[seed].whole - accuracy for (seed, _), accuracy in zip(pairs, accuracies, strict=True)]
    yield ev.Measure(cohort=cohort, name=DROP, values=ev.to_values(drops))
    yield ev.Measure(cohort=cohort, name="test_accuracy", values=ev.to_values(accuracies))
    cohort = f"{name}, layers"
    yield ev.Cohort(id=cohort, members=tuple((layer, seed) for seed in found for layer in names))
    for k, measure in enumerate((MOVED, LARGEST)):
        moved = [found[seed].moved[layer][k] for seed in found for layer in names]
        yield ev.Measure(cohort=cohort, name=measure, values=ev.to_values(moved))
    return {"layers": names}


def figures(run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return heat map, drops by layer, movement and learning curves, also of data still coming."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


ALL = {"n": 0, "test": 0}
UNVERIFIED = "Unverified: learning rate and how it falls (smoothly here), batch size, number of epochs, initialiser"
LILLOG = ALL | {"optimiser": "adam", "lr": 0.002, "decay": 0.933, "batch": 128, "checkpoints": (1, 2, 3, 8, 40)}
LILLOG_NOTE = (
    "Lil'Log's replication on MNIST: Adam at 0.002, halved every ten epochs (here smoothly), but with fresh draws of "
    "the real initialiser, where its code draws uniformly from 0 to 1. Batch size unverified"
)
CONVOLVED = ALL | {"batch": 128, "decay": 0.96, "checkpoints": (1, 2, 3, 8, 40)}

PHENOMENON = Phenomenon(
    name="layer-robustness",
    title="Layer robustness",
    group="Layers and sub-networks",
    question="Does a trained network need what every one of its layers has learnt?",
    explanation=(
        "Train a network, then take one layer and put it back to the values that it had before training, leave all "
        "others as they are and train nothing again. One would expect ruin: a layer full of noise in the middle of a "
        "finished network. Often next to nothing happens: the network has learnt around the values it started from, "
        "and such a layer is called robust; a layer whose loss hurts is called critical. Noise as such does not do: "
        "other random values, drawn in the very same way, take the network down to guessing. Read the heat map row by "
        "row: a row is a layer, its first cell what fresh random values cost in points of test accuracy, the next one "
        "what its own initial values cost, then its values after some epochs. The control of the second claim puts "
        "in the initial values of another network. How much of this is seen depends on the task: on easy digits going "
        "back costs a few points in any layer, on harder data (preset `hard-data`) a good part of what fresh values "
        "cost. Where training hardly moves the weights, all layers look robust for a dull reason, so the "
        "movement of every layer is drawn too. Biases belong to their layer; with batch norm so do its scale and "
        "shift, while running statistics stay those of the trained network. In VGG and ResNets a layer is a kernel or "
        "matrix with the vectors that follow it."
    ),
    papers=(ZHANG_LAYERS,),
    config=Config,
    presets={
        "quick": Preset(seeds=5, data="digits", note="3x256 on 1,200 digits, well under a minute"),
        "hard-data": Preset(
            ALL,
            seeds=5,
            data="mnist1d",
            note="the honest counter-example: the same network on MNIST-1D, where putting back a layer costs a good "
            "part of what fresh values cost; expected NOT SHOWN",
        ),
        "deep": Preset({"network": "mlp-4x128"}, seeds=5, data="digits", note="4x128: deeper and narrower"),
        "standard": Preset(
            {"n": 10_000, "draws": 10}, seeds=10, data="fashion-mnist", note="3x256 on 10,000 images, ten seeds"
        ),
        "paper": Preset(
            ALL | {"batch": 128, "lr": 0.1, "decay": 0.96, "checkpoints": (1, 2, 3, 8, 90), "draws": 10},
            seeds=5,
            data="mnist",
            note=f"the paper's 3x256 on MNIST: about 20 minutes on two cores, an estimate. {UNVERIFIED}",
        ),
        "lillog": Preset(LILLOG, seeds=3, data="mnist", note=LILLOG_NOTE),
        "lillog-deep": Preset(LILLOG | {"network": "mlp-4x128"}, seeds=3, data="mnist", note=f"4x128. {LILLOG_NOTE}"),
        "vgg-11": Preset(
            CONVOLVED | {"network": "vgg-11", "lr": 0.01},
            seeds=3,
            data="cifar10",
            note=f"the paper's VGG-11 on CIFAR-10, without batch norm. {UNVERIFIED}",
            gpu="about 30 minutes and 8 GB",
        ),
        "resnet-18": Preset(
            CONVOLVED | {"network": "resnet-18", "lr": 0.1},
            seeds=3,
            data="cifar10",
            note=f"a ResNet-18 on CIFAR-10; {BATCH_NORM_NOTE} (the paper's networks are without batch norm first). "
            f"{UNVERIFIED}",
            gpu="about 1.5 hours and 10 GB",
        ),
    },
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn"),
    refused={
        "cifar100": "a network that small is right on less than the fifty points that the claims are about",
    },
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
    # Early stopping ends a network at its best weights: its checkpoints would not be its past.
    regularisers=tuple(r.name for r in REGULARISERS if r.name != "early-stopping"),
    headline=(
        "largest drop with a layer's initial values, of that with fresh ones",
        "least drop with a layer drawn anew, of the gap to chance",
        "test_accuracy:final",
    ),
)
