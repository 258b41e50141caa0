"""Intrinsic dimension: fields, arms, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.models import networks
from genlab_tui.models.mlp import parameter_count
from genlab_tui.phenomenon import Arm, param
from genlab_tui.run import RunSpec

# Thresholds, fixed before any run that is judged by them.
REACH = 0.9  # of the baseline's accuracy: what the intrinsic dimension has to reach (Li et al. 2018, section 2)
SMALL = 0.1  # d_int90 / D of every network but the smallest
INVARIANT = 2.0  # largest d_int90 over smallest, on means over draws
SPAN = 5.0  # the largest network over the smallest: with less there is no invariance to speak of
HARDER = 5.0  # d_int90 of random labels over that of true ones
UNCHANGED = 1.5  # factor by which shuffled pixels may change d_int90 of a perceptron
LEARNT = 3.0  # test accuracy of a network trained directly over chance: without it, 90 % of it says nothing
DENSE_BYTES = 6e9  # of one seed's projections, that a run may take: fixed, or a stored run could not be read elsewhere

LENET = "lenet"
TRUE, SHUFFLED, RANDOM_PIXELS, RANDOM = "true-labels", "shuffled-pixels", "random-pixels", "random-labels"
SMALL_NETS = "small-networks"
CONTROLS = {
    TRUE: "true labels, few samples",
    SHUFFLED: "shuffled pixels",
    RANDOM_PIXELS: "random pixels",
    RANDOM: "random labels",
}
HARD = (RANDOM_PIXELS, RANDOM)
"""What may take as many dimensions as there are: trained over `control_d`, the others over `d`."""


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    nets: tuple[str, ...] = param(
        ("32", "64-64", "256"), help="networks: widths of hidden layers joined by -, or lenet (images)", distinct=True
    )
    n: int = param(1200, help="training samples at most (0: all)", low=0, high=1_000_000)
    test: int = param(0, help="test samples at most (0: all)", low=0, high=1_000_000)
    d: tuple[int, ...] = param(
        (20, 60, 100, 140, 200, 300), help="dimensions trained", low=1, high=1_000_000, distinct=True
    )
    projection: str = param(
        "fastfood", help="P: Gaussian, very sparse signs, or Fastfood", choices=("dense", "sparse", "fastfood")
    )
    basis: str = param(
        "nested",
        help="nested: dimension d takes the first d columns of one P; independent: every d draws its own",
        choices=("nested", "independent"),
    )
    columns: str = param(
        "unit", help="unit: columns of norm 1; normal: entries as of N(0, 1), norm sqrt(D)", choices=("unit", "normal")
    )
    lr: float = param(0.1, help="learning rate of Adam on the d numbers", low=1e-7, high=100.0)
    direct_lr: float = param(0.01, help="learning rate of Adam on all numbers: the baseline", low=1e-7, high=100.0)
    epochs: int = param(60, help="epochs of training", low=1, high=100_000)
    batch: int = param(100, help="batch size", low=2, high=100_000)
    control_net: str = param("64", help="network of the controls: written like nets")
    control_n: int = param(600, help="training samples of the controls at most (0: all)", low=0, high=1_000_000)
    control_d: tuple[int, ...] = param(
        (400, 800, 1600), help="dimensions trained on random labels and pixels", low=1, high=1_000_000, distinct=True
    )
    control_lr: float = param(
        0.03, help="learning rate of Adam in the controls: large d needs a small one", low=1e-7, high=100.0
    )
    control_epochs: int = param(120, help="epochs of the controls", low=1, high=100_000)
    small: tuple[int, ...] = param(
        (1, 2, 3, 4, 6),
        help="hidden units of the small networks that are trained directly",
        low=1,
        high=10_000,
        distinct=True,
    )


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return an arm a network, one a control, and one for the small networks. Raises BadValue."""
    if len(set(config.nets)) < len(config.nets):
        raise BadValue("nets names a network twice", "leave one of them out")
    arms = [Arm(net, f"network {net}", {"D": size(net, spec, "nets"), "kind": "network"}) for net in config.nets]
    reference = size(config.control_net, spec, "control_net")
    for field, dims, least in (
        ("d", config.d, min([reference, *(int(arm.factors["D"]) for arm in arms)])),
        ("control_d", config.control_d, reference),
    ):
        if max(dims) > least:
            raise BadValue(
                f"{field} = {max(dims)} is more than the {least:,} parameters of a network",
                f"nearest valid value: {least}",
            )
    if "batch-norm" in spec.regularisers and LENET in (*config.nets, config.control_net):
        raise BadValue("batch-norm: LeNet has none", "switch it off, or leave lenet out of nets")
    _check_memory(config, spec)
    arms += [
        Arm(name, f"{config.control_net}, {label}", {"D": reference, "kind": "control"}, control=name in HARD)
        for name, label in CONTROLS.items()
    ]
    arms.append(Arm(SMALL_NETS, "small networks, trained directly", {"D": 0, "kind": "small"}))
    return tuple(arms)


def hidden_of(net: str, field: str = "nets") -> tuple[int, ...]:
    """Return the widths of a perceptron written like `64-64`; none of LeNet. Raises BadValue."""
    if net == LENET:
        return ()
    parts = net.split("-")
    if not all(part.isascii() and part.isdigit() and 1 <= int(part) <= 100_000 for part in parts):
        raise BadValue(f"{field} = {net!r} is neither lenet nor widths joined by -", "for example 64-64")
    return tuple(int(part) for part in parts)


def size(net: str, spec: RunSpec, field: str = "nets") -> int:
    """Return D: all weights and biases of a network, and scales and shifts of batch norm. Raises BadValue."""
    known = data_of(spec)
    hidden = hidden_of(net, field)
    if not hidden:
        networks.check(LENET, known.shape)
        channels, height, width = known.shape
        flat = 16 * ((height - 12) // 4) * ((width - 12) // 4)
        filters = (25 * channels + 1) * 6 + (25 * 6 + 1) * 16
        return filters + parameter_count(flat, (120, 84), known.classes)
    normal = sum(hidden) if "batch-norm" in spec.regularisers else 0
    return parameter_count(known.features, hidden, known.classes) + normal


def dims_of(config: Config, arm: str) -> tuple[int, ...]:
    """Return the dimensions that an arm trains, ascending."""
    return tuple(sorted(set(config.control_d if arm in HARD else config.d)))


def columns_of(config: Config, arm: str) -> int:
    """Return the columns of an arm's nested P: the same whichever arms are launched beside it."""
    return max(*config.d, *config.control_d) if arm in CONTROLS else max(config.d)


def net_of(config: Config, arm: str) -> str:
    """Return the network of an arm."""
    return config.control_net if arm in CONTROLS else arm


def data_of(spec: RunSpec) -> data.DataSet:
    return data.known(spec.data)


def sizes(config: Config, spec: RunSpec) -> tuple[int, int, int]:
    """Return training samples, test samples, and training samples of the controls."""
    n, test = data_of(spec).at_most(config.n, config.test)
    return n, test, min(config.control_n or n, n)


def _check_memory(config: Config, spec: RunSpec) -> None:
    """Refuse dense projections that do not fit."""
    if config.projection != "dense":
        return
    needed = dense_bytes(config, spec)
    if needed > DENSE_BYTES:
        raise BadValue(
            f"projection = dense: the matrices of one seed would take {needed / 1e9:,.0f} GB",
            "nearest valid value: fastfood",
        )


def dense_bytes(config: Config, spec: RunSpec) -> float:
    """Return the bytes of one seed's dense projections."""
    together = max if config.basis == "nested" else sum
    own = sum(size(net, spec) for net in config.nets) * float(together(set(config.d)))
    return 4.0 * (own + size(config.control_net, spec) * float(together({*config.d, *config.control_d})))


def launched(config: Config, spec: RunSpec) -> list[Arm]:
    """Return the arms of a run."""
    return [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
