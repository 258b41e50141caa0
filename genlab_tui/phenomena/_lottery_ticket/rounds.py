"""What lottery tickets are made of: the config, the rounds of pruning, and which networks every round trains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.models import networks
from genlab_tui.phenomenon import Arm, param
from genlab_tui.run import RunSpec
from genlab_tui.training import pruning
from genlab_tui.training.tickets import DENSE, ONE_SHOT, RANDOM, REINIT, REWOUND, TICKET, TUNED, Cell

# Thresholds, fixed before any run that is judged by them.
JUDGED = 0.216  # share of weights left at which tickets are judged
JUDGED_WITHIN = (0.18, 0.25)  # a round must end there, or nothing can be judged

MOST_ROUNDS = 60
STEP, ACCURACY, START = "early_stop_step", "early_stop_accuracy", "start_accuracy"
HIDDEN = {"lenet-300-100": (300, 100)}
KINDS = {
    TICKET: "ticket",
    REINIT: "re-initialised",
    RANDOM: "random mask",
    TUNED: "not reset, fine-tuned",
    ONE_SHOT: "one-shot ticket",
    REWOUND: "rewound ticket",
}


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    network: str = param(
        "lenet-300-100",
        help="a perceptron of 300 and 100 hidden units, or convolutions (images alone)",
        choices=(*HIDDEN, "conv-2", "conv-4", "conv-6"),
    )
    n: int = param(3200, help="training samples at most (0: all that validation leaves)", low=0, high=1_000_000)
    validation: int = param(0, help="samples held out for the early stop (0: a fifth of all)", low=0, high=100_000)
    test: int = param(1000, help="test samples at most (0: all)", low=0, high=1_000_000)
    rounds: int = param(7, help="rounds of pruning: the paper's seventh leaves 21 %", low=1, high=MOST_ROUNDS)
    prune: float = param(0.2, help="share of a dense layer's weights pruned a round", low=0.01, high=0.9)
    prune_output: float = param(0.1, help="the same, of the output layer", low=0.01, high=0.9)
    prune_kernels: float = param(0.1, help="the same, of convolutions", low=0.01, high=0.9)
    controls: tuple[float, ...] = param(
        (0.512, 0.216, 0.1),
        help="shares of weights left at which the controls are trained (the nearest rounds; 21.6 % always)",
        low=0.001,
        high=0.99,
    )
    epochs: int = param(60, help="epochs of every training", low=1, high=100_000)
    iterations: int = param(0, help="steps of every training instead of epochs (0: epochs)", low=0, high=10_000_000)
    every: int = param(0, help="steps between two looks at the validation loss (0: an epoch)", low=0, high=1_000_000)
    optimiser: str = param("adam", help="sgd is without momentum", choices=("adam", "sgd"))
    lr: float = param(1.2e-3, help="learning rate", low=1e-7, high=100.0)
    batch: int = param(60, help="batch size", low=2, high=100_000)
    init: str = param("glorot-normal", help="initial weights of the perceptron", choices=("glorot-normal", "he-normal"))
    one_shot: bool = param(False, help="also tickets pruned at one blow from the dense network, where controls are")
    magnitude: bool = param(False, help="also weights pruned but not reset, raw and fine-tuned, where controls are")
    rewind: int = param(0, help="also tickets reset to this step instead of to 0 (0: none)", low=0, high=1_000_000)
    sizes: tuple[float, ...] = param(
        (1.0,), help="widths of the perceptron, relative: each pruned to as many weights", low=0.05, high=20.0
    )


def data_set(spec: RunSpec) -> data.DataSet:
    """Return the declared data set of a run."""
    return data.known(spec.data, "mnist1d")


def samples(config: Config, spec: RunSpec) -> tuple[int, int, int]:
    """Return how many training, validation and test samples a seed has. Raises BadValue."""
    known = data_set(spec)
    if config.validation >= known.train:
        raise BadValue(
            f"validation = {config.validation} leaves nothing of the {known.train} training samples of {spec.data}",
            "nearest valid value: 0 (a fifth of all)",
        )
    held = config.validation or known.train // 5
    n = min(config.n or known.train, known.train - held)
    held = config.validation or min(held, max(n // 4, 1))
    return n, held, min(config.test or known.test, known.test)


def epoch_steps(n: int, batch: int) -> int:
    """Return the steps of an epoch; a last batch of one sample joins the one before."""
    return max((n + batch - 1) // batch - (n > batch and n % batch == 1), 1)


def budget(config: Config, spec: RunSpec) -> int:
    """Return the steps of every training."""
    return config.iterations or config.epochs * epoch_steps(samples(config, spec)[0], config.batch)


def layers(config: Config, spec: RunSpec, size: float = 1.0) -> tuple[pruning.Layer, ...]:
    """Return the layers that are pruned, of the network or of one `size` times as wide."""
    known = data_set(spec)
    if config.network in HIDDEN:
        widths = hidden_widths(config, size)
        return pruning.perceptron(known.features, widths, known.classes, config.prune, config.prune_output)
    depth = int(config.network.removeprefix("conv-"))
    shares = (config.prune, config.prune_output, config.prune_kernels)
    return pruning.convolutional(depth, known.shape, known.classes, *shares)


def hidden_widths(config: Config, size: float) -> tuple[int, ...]:
    """Return the hidden widths of the perceptron, `size` times the base's; empty for networks by name."""
    return tuple(max(round(size * width), 1) for width in HIDDEN.get(config.network, ()))


def _nearest(shares: Sequence[float], wanted: float) -> int:
    """Return the round (from 1) whose share of weights left is nearest to one, by their ratio."""
    return min(range(1, len(shares)), key=lambda number: abs(math.log(shares[number] / wanted)))


def _enough(own: Sequence[pruning.Layer]) -> str:
    """Return how many rounds of pruning would reach the share that is judged, in words."""
    low, high = JUDGED_WITHIN
    for number, left in enumerate(pruning.survivors(own, MOST_ROUNDS)):
        if low <= pruning.remaining(own, left) <= high:
            return f"nearest valid value: {number}"
    return "prune less a round"


def levels(config: Config, spec: RunSpec) -> tuple[list[pruning.Counts], list[float], int]:
    """Return survivors and shares left after every round, and the round that is judged. Raises BadValue."""
    own = layers(config, spec)
    counts = pruning.survivors(own, config.rounds)
    shares = [pruning.remaining(own, left) for left in counts]
    judged = _nearest(shares, JUDGED)
    low, high = JUDGED_WITHIN
    if not low <= shares[judged] <= high:
        raise BadValue(
            f"rounds = {config.rounds}: none of them leaves {low:.0%} to {high:.0%} of the weights, where the verdict "
            "is read",
            _enough(own),
        )
    return counts, shares, judged


def cells(config: Config, spec: RunSpec) -> tuple[Cell, ...]:
    """Return what is trained: dense and tickets of all rounds, then controls and variants. Raises BadValue."""
    counts, shares, judged = levels(config, spec)
    chosen = {judged}
    for wanted in config.controls:
        near = _nearest(shares, wanted)
        if abs(math.log(shares[near] / wanted)) < 0.2:  # a share that no round reaches has no controls
            chosen.add(near)
    hidden = hidden_widths(config, 1.0)

    def cell(kind: str, number: int) -> Cell:
        name = DENSE if kind == DENSE else f"{kind}-{percent(shares[number])}"
        return Cell(name, kind, number, counts[number], hidden)

    found = [cell(DENSE, 0), *(cell(TICKET, number) for number in range(1, len(counts)))]
    kinds = [REINIT, RANDOM, *([ONE_SHOT] if config.one_shot else []), *([TUNED] if config.magnitude else [])]
    found += [cell(kind, number) for kind in kinds for number in sorted(chosen)]
    if config.rewind:
        found += [cell(REWOUND, number) for number in range(1, len(counts))]
    for size in sorted({*config.sizes} - {1.0}):
        own = layers(config, spec, size)
        for number, left in enumerate(pruning.reaching(own, sum(counts[judged]), config.prune)):
            kind = TICKET if number else DENSE
            name = f"x{size:g}" + (f"-{percent(pruning.remaining(own, left))}" if number else "")
            found.append(Cell(name, kind, number, left, hidden_widths(config, size), size))
    return tuple(found)


def percent(share: float) -> str:
    """Return a share in percent with three digits, as names and labels have it."""
    return f"{100 * share:.3g}"


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return an arm per kind of network and share of weights left. Raises BadValue."""
    known = data_set(spec)
    samples(config, spec)
    if config.network not in HIDDEN:
        networks.check(config.network, known.shape)
        if {*config.sizes} != {1.0}:
            raise BadValue(f"sizes: {config.network} comes in one width", "nearest valid value: 1")
        if "batch-norm" in spec.regularisers:
            raise BadValue(f"batch-norm: {config.network} has none", "switch it off")
    if config.rewind >= budget(config, spec):
        last = budget(config, spec)
        raise BadValue(f"rewind = {config.rewind} is not before the last step, {last}", f"at most {last - 1}")
    return tuple(_arm(config, spec, cell) for cell in cells(config, spec))


def _arm(config: Config, spec: RunSpec, cell: Cell) -> Arm:
    left = sum(cell.counts)
    whole = sum(layer.weights for layer in layers(config, spec, cell.size))
    width = "" if cell.size == 1 else f", {cell.size:g}x as wide"
    label = f"{KINDS.get(cell.kind, DENSE)}{width}" + (f", {percent(left / whole)} %" if cell.round else "")
    factors: dict[str, float | str] = {
        "remaining": left / whole,
        "kind": cell.kind,
        "weights": float(left),
        "size": cell.size,
    }
    return Arm(cell.arm, label, factors, control=cell.kind in (REINIT, RANDOM))


def judged_arms(config: Config, spec: RunSpec) -> dict[str, str]:
    """Return the arm of every kind at the judged round."""
    _, _, judged = levels(config, spec)
    return {cell.kind: cell.arm for cell in cells(config, spec) if cell.round == judged and cell.size == 1}
