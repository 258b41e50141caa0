"""Simplicity bias: fields, arms, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec
from genlab_tui.training import cost

BOTH, COMPLEX = "simple-and-slabs", "slabs-only"
LINE, FOURIER = "line", "fourier"
SLAB_ARMS, SINE_ARMS = (BOTH, COMPLEX), (LINE, FOURIER)

FEWEST = 3  # frequencies: an order of two says little
SINE_FLOPS = 8e10  # operations a second of one core on sines: measured, others working too
HIGHEST = 20  # a frequency and
ARRIVES = 3500.0  # the steps after which it is learnt, about: measured with the default fields
OVERHEAD = 1e-3  # seconds of a step, whatever its size


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside the seeds."""

    n: int = param(5000, help="slabs: training samples", low=100, high=1_000_000)
    test: int = param(5000, help="slabs: test samples", low=200, high=1_000_000)
    features: int = param(20, help="slabs: input coordinates, the first of which is the simple one", low=3, high=1000)
    slabs: tuple[int, ...] = param(
        (5, 7), help="slabs of the complex coordinates, by turns", choices=(5, 7), distinct=True
    )
    margin: float = param(
        0.1, help="slabs: half of the gap between two slabs, and between the classes", low=0.001, high=0.16
    )
    odds: str = param(
        "released",
        help="how likely a sample lies in which slab of its class: as in the paper's released code, so that classes "
        "agree in the mean square of a complex coordinate, or all alike (easier to learn)",
        choices=("released", "equal"),
    )
    rotate: bool = param(False, help="slabs: rotate the inputs by a random orthogonal matrix of the seed")
    units: int = param(100, help="slabs: units of a hidden layer", low=2, high=4096)
    depth: int = param(1, help="slabs: hidden layers", low=1, high=6)
    batch: int = param(256, help="slabs: batch size", low=1, high=100_000)
    epochs: int = param(60, help="slabs: epochs", low=1, high=10_000)
    lr: float = param(3e-3, help="slabs: learning rate of Adam", low=1e-7, high=1.0)
    frequencies: tuple[int, ...] = param(
        (2, 5, 10, 15, 20), help="sines: periods on [0, 1]", low=1, high=1000, distinct=True
    )
    amplitudes: str = param(
        "equal",
        help="sines: all 1, or growing with the frequency from 0.5 to 1 (coefficients are relative to them)",
        choices=("equal", "growing"),
    )
    points: int = param(256, help="sines: equispaced points of [0, 1), all of them in every step", low=16, high=4096)
    width: int = param(256, help="sines: units of a hidden layer", low=16, high=2048)
    layers: int = param(3, help="sines: hidden layers", low=1, high=10)
    kinks: str = param(
        "spread",
        help="sines: where the kinks of the first layer lie at the start: all over [0, 1], all at 0 (biases zero), or "
        "as torch draws weights and biases",
        choices=("spread", "zero", "torch"),
    )
    fourier: int = param(64, help="sines: random Fourier features of the control", low=8, high=2048)
    spread: float = param(
        0.0, help="their standard deviation, in periods on [0, 1]; 0: the highest frequency", low=0.0, high=1000.0
    )
    sine_lr: float = param(1e-3, help="sines: learning rate of Adam", low=1e-7, high=1.0)
    steps: int = param(10_000, help="sines: full-batch steps at most", low=20, high=1_000_000)


def ordered(config: Config) -> tuple[int, ...]:
    """Return the frequencies in ascending order."""
    return tuple(sorted(config.frequencies))


def part(arm: str, frequency: int) -> str:
    """Return the name under which the numbers of one frequency of an arm are kept."""
    return f"{arm}: k = {frequency}"


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: slabs with and without the simple coordinate, sines from the point and from features.

    Raises BadValue.
    """
    waves = ordered(config)
    if len(waves) < FEWEST:
        raise BadValue(f"frequencies: the order of {len(waves)} says little", f"at least {FEWEST} different ones")
    if 2 * waves[-1] >= config.points:
        raise BadValue(
            f"frequencies: {config.points} points cannot tell {waves[-1]} periods from fewer",
            f"nearest valid value: at most {(config.points - 1) // 2} periods, or points = {2 * waves[-1] + 1}",
        )
    return (
        Arm(BOTH, "all coordinates", {"data": "slabs", "simple": 1}),
        Arm(COMPLEX, "slabs only", {"data": "slabs", "simple": 0}, True),
        Arm(LINE, "sines", {"data": "sines", "input": "x"}),
        Arm(FOURIER, "sines, Fourier features", {"data": "sines", "input": "features"}, True),
    )


def shares(config: Config, arms: tuple[str, ...], seeds: int, device: str) -> tuple[float, float]:
    """Return the seconds that slabs and sines take: from their operations."""
    slabs = sum(arm in SLAB_ARMS for arm in arms) * seeds
    size = config.features * config.units + (config.depth - 1) * config.units**2 + 2 * config.units
    first = 0.0
    if slabs:
        first = cost.seconds(size, config.n, config.batch, [float(config.epochs)] * slabs, device) - cost.START
    second = 0.0
    if LINE in arms or FOURIER in arms:
        numbers = config.width + (config.layers - 1) * config.width**2
        steps = min(ARRIVES * (ordered(config)[-1] / HIGHEST) ** 2 * 1e-3 / config.sine_lr, config.steps)
        kind = cost.kind_of(device)
        speed = 2 * SINE_FLOPS if kind == "cpu" else cost.FLOPS_PER_SECOND[kind]
        members = seeds * (LINE in arms)
        second = steps * (6.0 * numbers * config.points * members / speed + OVERHEAD)
    return first, second


def seed_bytes(config: Config) -> float:
    """Return the bytes of the slab samples of one seed, all arms and versions."""
    return 4.0 * config.features * (2 * config.n + 6 * config.test) + 4e6


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    arms = tuple(arm.name for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms)
    seconds = cost.START + sum(shares(config, arms, spec.seeds, spec.device))
    numbers = 4.0 * 5 * (config.layers * config.width**2 + config.layers * config.width * config.points)
    return Estimate(len(arms) * spec.seeds, seconds, 3e8 + spec.seeds * (seed_bytes(config) + 2 * numbers))
