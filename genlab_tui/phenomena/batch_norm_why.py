"""Why batch norm helps (Santurkar et al. 2018): not by keeping layers' inputs stable, but by a smoother landscape.

Protocol: sections 2 and 3 of the paper on a deep perceptron: internal covariate shift as the change of a layer's
gradient when the layers before it have taken their step (and noise is drawn anew, as for the next step), noise after
every batch norm whose distribution changes at every step, and probes along the gradient. What the paper reads off
pictures over steps is compared at matched loss here: a network that trains faster is elsewhere at the same step.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure
from genlab_tui.papers import IOFFE, SANTURKAR
from genlab_tui.phenomena._batch_norm_why import figures as drawn
from genlab_tui.phenomena._batch_norm_why.claims import claims
from genlab_tui.phenomena._batch_norm_why.config import (
    FACTORS,
    LINEAR,
    LINEAR_FACTORS,
    Config,
    estimate,
    kind_of,
    looked_into,
    plan,
    seed_bytes,
    sizes,
)
from genlab_tui.phenomenon import Context, Metric, Phenomenon, Preset
from genlab_tui.rundata import RunData
from genlab_tui.training import cost


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train every arm and seed side by side: one stage a group of seeds."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir) if config.model != LINEAR else None
    groups = cost.groups(spec.seed_list, seed_bytes(config, spec, len(context.arms)), context.device)
    for at, (name, group) in enumerate(groups):
        yield from context.stage(name, partial(_group, config, context, arrays, group, name, at, len(groups)))


def _group(
    config: Config,
    context: Context,
    arrays: data.Arrays | None,
    seeds: Sequence[int],
    name: str,
    at: int,
    groups: int,
) -> Generator[ev.Event, None, int]:
    """Train all arms of some seeds as one batch; return the number of networks."""
    import torch

    from genlab_tui.training.layer_swaps import per_seed
    from genlab_tui.training.normalised_shard import Net, Plan, Task, gaussian_task
    from genlab_tui.training.normalised_training import train

    n, test = sizes(config, context.spec)
    if arrays is None:
        task = gaussian_task(seeds, n, config.width, context.device)
        steps = config.epochs
    else:
        samples = per_seed(arrays, seeds, n=n, n_test=test, device=context.device)
        x, y, x_test, y_test = samples.inputs, samples.labels, samples.test_inputs, samples.test_labels
        task = Task(tuple(seeds), x, y, x_test, y_test, samples.classes)
        steps = config.epochs * (n // config.batch)
    linear = config.model == LINEAR
    nets = [
        Net(arm.name, seed, kind_of(arm), float(arm.factors["lr"]), looked_into(arm))
        for arm in context.arms
        for seed in seeds
    ]
    how = Plan(
        hidden=(config.width,) * config.depth,
        gain=config.gain,
        batch=config.batch,
        steps=steps,
        looks=config.looks,
        probes=config.probes,
        factors=LINEAR_FACTORS if linear else FACTORS,
        linear=linear,
        dtype=torch.float64 if linear else torch.float32,
    )
    yield from train(nets, task, how, context, cohort=name, before=at / groups, size=1 / groups)
    return len(nets)


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return training, internal covariate shift, smoothness and predictiveness, also of data still coming."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


DEEP_LINEAR = {
    "model": LINEAR,
    "depth": 24,
    "width": 10,
    "gain": 1.0,
    "lr": 1e-6,
    "grid": (3e-7,),
    "l1": True,
}
UNVERIFIED = "Unverified: number of samples, initial weights, that the squared error is summed over samples"

PHENOMENON = Phenomenon(
    name="batch-norm-why",
    title="Batch norm: why",
    group="Normalisation",
    question="Does batch norm help because it keeps the inputs of every layer stable?",
    explanation=(
        "Batch norm was invented against internal covariate shift: while the layers below learn, a layer's inputs "
        "move, and it has to chase them. Santurkar et al. proposed another reason, and three measurements test it. "
        "Noise behind every batch norm, drawn anew at every step, moves the inputs of the layers: does the network "
        "train worse? The change of a layer's gradient when the layers before it take their step (and noise is drawn "
        "anew) is that shift: is it smaller with batch norm? And along the step to be taken, a gradient that stays "
        "what it was can be trusted (small effective beta): is the landscape smoother? Read these figures at one "
        "place of the x axis, at the same loss: at the same step, the one that trains faster has smaller gradients "
        "anyway. Effective beta also depends on the length of the step, so the main claim compares networks at one "
        "learning rate. Networks are evaluated with noise at its mean and statistics of all training samples."
    ),
    papers=(SANTURKAR, IOFFE),
    config=Config,
    presets={
        "quick": Preset(seeds=3, data="digits", note="ten layers of 64 on 1,200 digits"),
        "standard": Preset(
            {"epochs": 60, "probes": 120, "looks": 30, "grid": (0.01, 0.03, 0.3), "l1": True},
            seeds=5,
            data="digits",
            note="longer, looked into more often, with l1 normalisation: a few minutes",
        ),
        "hard-data": Preset(
            {"epochs": 60, "grid": (0.03, 0.2)}, seeds=3, data="mnist1d", note="the same networks on MNIST-1D"
        ),
        "deep-linear": Preset(
            DEEP_LINEAR | {"n": 200, "epochs": 1500, "probes": 40, "looks": 40},
            seeds=3,
            data="digits",
            note="25 linear layers, Gaussian inputs: the paper's second network with fewer samples and steps, "
            "in float64; draws its own samples, so the data set is not read",
        ),
        "paper": Preset(
            DEEP_LINEAR | {"n": 1000, "epochs": 10_000, "probes": 200, "looks": 100},
            seeds=5,
            data="digits",
            note="the paper's deep linear network: 25 layers, |W1..W25 x - Ax|^2, full-batch descent, 10,000 steps at "
            f"lr 1e-6. {UNVERIFIED}. Its VGG on CIFAR-10 is not there: these networks have no convolutions. The data "
            "set is not read",
        ),
    },
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist"),
    refused={
        "cifar10": "the paper's network there is a VGG; a perceptron hardly learns it",
        "cifar100": "a perceptron hardly learns it",
        "svhn": "a perceptron hardly learns it",
    },
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        Metric("train_loss", "training loss", log=True, higher_is_better=False),
        Metric("train_accuracy", "training accuracy"),
        Metric("test_accuracy", "test accuracy"),
        Metric("ics", "internal covariate shift |G - G'|", log=True, higher_is_better=False),
        Metric("ics_cosine", "cosine of G and G'", references=((1.0, "no shift"),)),
        Metric("effective_beta", "effective beta", log=True, higher_is_better=False),
        Metric("gradient_change", "change of the gradient along a step", log=True, higher_is_better=False),
        Metric("input_shift", "shift of layers' inputs", log=True, higher_is_better=False),
        Metric("loss_range", "range of the loss along a step", log=True, higher_is_better=False),
        Metric("batch_loss", "loss of the step's samples", log=True, higher_is_better=False),
    ),
    headline=(
        "best test accuracy: batch norm minus noisy batch norm",
        "effective beta, plain over batch norm, at matched loss",
        "best_test_accuracy:bn",
    ),
    panels=("smoothness", "accuracy", "inputs", "shift"),
    in_flight=lambda config: False,
    precision="float32, probes and deep linear networks float64",
)
