"""Lottery tickets (Frankle & Carbin 2019): a pruned network, reset to its own initial weights, learns as the whole did.

Protocol: sections 1 and 2 of the paper (arXiv 1803.03635v5). Layer by layer, the smallest weights are pruned after a
full training, round by round; what is left goes back to where it began, and is trained again with a new optimiser.
Every training runs to the end of its budget; the early-stop step, where the validation loss was smallest, is found
afterwards. Accuracy is that on the test set at that step. Rewinding: Frankle et al. 2020 (arXiv 1912.05671).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure
from genlab_tui.models import networks
from genlab_tui.papers import FRANKLE_CARBIN, FRANKLE_REWINDING
from genlab_tui.phenomena._lottery_ticket import claims, figures
from genlab_tui.phenomena._lottery_ticket.rounds import (
    ACCURACY,
    HIDDEN,
    JUDGED,
    STEP,
    Config,
    budget,
    cells,
    data_set,
    epoch_steps,
    layers,
    plan,
    samples,
)
from genlab_tui.phenomenon import Context, Estimate, Metric, Phenomenon, Preset
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training import cost
from genlab_tui.training.tickets import Cell, needed

STEPS = 3240  # of a training in the small presets: 60 epochs of mnist1d

# --- cost -------------------------------------------------------------------------------------------------------------

STEP_SECONDS = 4e-4  # what a step costs beside its arithmetic, on the CPU, in populations as small as these: measured
LOOKS = 1.15  # what measuring test and validation samples after every epoch adds
KEPT = 20.0  # bytes a weight: itself, its gradient, two moments, its mask


def _round_seconds(config: Config, spec: RunSpec, here: Sequence[Cell], seeds: int) -> float:
    """Guess what a round costs beyond the start of the process."""
    n = samples(config, spec)[0]
    epochs = budget(config, spec) / epoch_steps(n, config.batch)
    if config.network not in HIDDEN:
        work = networks.multiplications(config.network, data_set(spec).shape)
        many = [epochs] * (len(here) * seeds)
        return LOOKS * (cost.network_seconds(work, n, many, spec.device) - cost.START)
    size = seeds * sum(_weights(config, spec, cell) for cell in here)
    seconds = cost.seconds(size, n, config.batch, [epochs], spec.device, spec.regularisers) - cost.START
    if cost.kind_of(spec.device) == "cpu":
        seconds -= budget(config, spec) * (cost.STEP_SECONDS["cpu"] - STEP_SECONDS)
    return LOOKS * seconds


def _weights(config: Config, spec: RunSpec, cell: Cell) -> int:
    return sum(layer.weights for layer in layers(config, spec, cell.size))


def _seed_bytes(config: Config, spec: RunSpec, trained: Sequence[Cell]) -> float:
    """Return the memory of one seed: its samples and the largest round."""
    rounds = {cell.round for cell in trained}
    largest = max(sum(_weights(config, spec, c) for c in trained if c.round == number) for number in rounds)
    return 4.0 * sum(samples(config, spec)) * data_set(spec).features + KEPT * largest


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    arms = [arm.name for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    trained = needed(cells(config, spec), arms)
    rounds = [[cell for cell in trained if cell.round == number] for number in {cell.round for cell in trained}]
    seconds = cost.START + sum(_round_seconds(config, spec, here, spec.seeds) for here in rounds)
    each = _seed_bytes(config, spec, trained)
    return Estimate(len(arms) * spec.seeds, seconds, each * min(spec.seeds, cost.at_once(each, spec.device)))


# --- the run ----------------------------------------------------------------------------------------------------------


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train, prune and reset: a stage a round, all seeds of a group at once."""
    from genlab_tui.training.members import Recipe
    from genlab_tui.training.tickets import Tickets
    from genlab_tui.training.train import Share

    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    n, validation, test = samples(config, spec)
    trained = needed(cells(config, spec), [arm.name for arm in context.arms])
    recipe = Recipe(
        network="" if config.network in HIDDEN else config.network,
        optimiser=config.optimiser,
        momentum=0.0,
        lr=config.lr,
        batch=config.batch,
        epochs=config.epochs,
        steps=config.iterations,
        target=2.0,
        init=config.init,
        every=config.every or epoch_steps(n, config.batch),
        regularisers=spec.regularisers,
    )
    seeds = spec.seed_list
    size = cost.at_once(_seed_bytes(config, spec, trained), context.device)
    groups = [seeds[i : i + size] for i in range(0, len(seeds), size)]
    rounds = sorted({cell.round for cell in trained})
    work = {number: float(sum(_weights(config, spec, c) for c in trained if c.round == number)) for number in rounds}
    whole, done = sum(work.values()) * len(seeds), 0.0
    for at, group in enumerate(groups):
        title = "" if len(groups) == 1 else f", seeds {group[0]} to {group[-1]}"
        tickets = Tickets(arrays, trained, group, recipe, n, validation, test, config.rewind, str(at), title, context)
        for number in rounds:
            share = Share(done / whole, work[number] * len(group) / whole)
            yield from context.stage(f"round {number}{title}", partial(tickets.train, number, share))
            done += work[number] * len(group)


def _figures(run_data: RunData) -> tuple[Figure, ...]:
    return figures.figures(PHENOMENON.config_of(run_data.spec), run_data)


# --- declaration ------------------------------------------------------------------------------------------------------


def _convolutions(network: str, iterations: int, lr: float, kernels: float, gpu: str, more: str = "") -> Preset:
    values = {
        "network": network,
        "n": 45_000,
        "validation": 5000,
        "test": 0,
        "iterations": iterations,
        "every": 100,
        "lr": lr,
        "prune_kernels": kernels,
        "rounds": 16,
        "controls": (0.5, 0.216, 0.1, 0.05),
    }
    return Preset(
        values,
        seeds=5,
        data="cifar10",
        gpu=gpu,
        note=f"the paper's {network.title()} on CIFAR-10: {iterations:,} iterations a round; one re-initialisation a "
        "seed where the paper has three" + more,
    )


PHENOMENON = Phenomenon(
    name="lottery-ticket",
    title="Lottery tickets",
    group="Layers and sub-networks",
    question="Is there, inside an untrained network, a small one that would have been enough?",
    explanation=(
        "A trained network can lose most of its weights and still be as good: that was known. What surprised is that "
        "the small network can be trained on its own, if it starts from the very numbers it started with inside the "
        "large one. Train a network, prune the fifth of weights that ended smallest, put the others back to their "
        "initial values, and train again; do so round by round. Read the figures from right to left: fewer and fewer "
        "weights are left. The ticket keeps the accuracy of the dense network, and needs hardly more steps until "
        "its validation loss is smallest, down to a fifth of the weights and often far below. The controls tell why. "
        "The same places with newly drawn numbers, or the same numbers at random places, should learn slower and end "
        "worse: then the initial values that happened to sit in the right places, the winning ticket, matter. (The "
        "authors of MNIST-1D report that such masks help a little under other initial values too.) All networks train "
        "to the end of one budget; the step of the smallest validation loss is read off afterwards, and accuracy is "
        "that on the test set at that step."
    ),
    papers=(FRANKLE_CARBIN, FRANKLE_REWINDING),
    config=Config,
    presets={
        "quick": Preset(
            {"controls": (JUDGED,), "iterations": STEPS},
            seeds=5,
            data="mnist1d",
            note=f"seven rounds of {STEPS:,} steps (60 epochs of mnist1d) to 21.6 % of the weights, controls there; "
            "variants are in `standard`",
        ),
        "standard": Preset(
            {
                "iterations": STEPS,
                "rounds": 16,
                "controls": (0.512, 0.216, 0.1, 0.05, 0.03),
                "one_shot": True,
                "magnitude": True,
                "rewind": 54,
                "sizes": (0.5, 1.0, 2.0),
            },
            seeds=5,
            data="mnist1d",
            note="sixteen rounds to 3 % of the weights, with one-shot and rewound tickets, magnitude pruning without "
            "reset, and networks of half and twice the width",
        ),
        "paper": Preset(
            {
                "n": 55_000,
                "validation": 5000,
                "test": 0,
                "iterations": 50_000,
                "every": 100,
                "rounds": 20,
                "controls": (0.512, 0.211, 0.135, 0.036),
                "one_shot": True,
            },
            seeds=5,
            data="mnist",
            gpu="about 45 minutes and 2 GB",
            note="LeNet-300-100 on MNIST as in the paper: 50,000 iterations a round; one re-initialisation a seed "
            "where the paper has three",
        ),
        "conv-2": _convolutions("conv-2", 20_000, 2e-4, 0.1, "about 40 minutes and 5 GB"),
        "conv-4": _convolutions("conv-4", 25_000, 3e-4, 0.1, "about two hours and 5 GB"),
        "conv-6": _convolutions(
            "conv-6",
            *(30_000, 3e-4, 0.15),
            gpu="about three and a half hours and 5 GB",
            more="; the layers that it lists have 2.3 million weights, its table says 1.7",
        ),
    },
    data=("mnist1d", "digits", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn"),
    plan=plan,
    estimate=estimate,
    figures=_figures,
    claims=claims.claims,
    run=run,
    metrics=(
        Metric("validation_loss", "validation loss", log=True, higher_is_better=False),
        Metric("test_accuracy", "test accuracy"),
        Metric("test_loss", "test loss", log=True, higher_is_better=False),
        Metric("train_accuracy", "training accuracy"),
        Metric("train_loss", "training loss", log=True, higher_is_better=False),
    ),
    regularisers=tuple(r.name for r in REGULARISERS if r.name != "early-stopping"),
    headline=(ACCURACY, STEP),
    in_flight=lambda config: False,
    refused={"cifar100": "chance and the dense network's least accuracy are those of ten classes"},
)
