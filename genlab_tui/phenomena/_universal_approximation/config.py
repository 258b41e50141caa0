"""Universal approximation: fields, arms, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec

TARGETS = {"sine": "sine", "kink": "kink |x - c|", "sawtooth": "sawtooth", "step": "step"}
SHALLOW = "shallow"
START = 2.0  # seconds to start
TRAINED_DEPTHS = (1, 2, 3)  # hidden layers of the networks trained on tents
UNITS = 48  # of each of them, whatever its depth: three times what one layer needs
TRAINED_TENTS = 4
TRAINED_SAMPLES = 256
FEWEST = 6  # widths that a slope in log-log is read off


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside the seeds."""

    widths: tuple[int, ...] = param(
        (2, 4, 8, 16, 32, 64, 128, 256, 512),
        help="hidden units, written down and trained",
        low=2,
        high=8192,
        distinct=True,
    )
    draws: int = param(16, help="shifts of a target that a seed draws; the worst one counts", low=1, high=1000)
    samples: int = param(512, help="equispaced samples that networks are trained on", low=16, high=100_000)
    steps: int = param(2000, help="full-batch steps of Adam", low=1, high=1_000_000)
    lr: float = param(1e-2, help="learning rate of Adam", low=1e-7, high=10.0)
    tents: int = param(6, help="tents applied one after another: 2^tents linear pieces", low=6, high=12)


def grid(config: Config) -> tuple[int, ...]:
    """Return the widths in ascending order."""
    return tuple(sorted(set(config.widths)))


def depths(config: Config) -> tuple[int, ...]:
    """Return the numbers of hidden layers that the tents are written out with."""
    return (1, 2, 3, config.tents)


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: every target written down and trained, the tents by depth, the control. Raises BadValue."""
    widths = grid(config)
    if len(widths) < FEWEST or widths[-1] < 16 * widths[0]:
        raise BadValue(
            f"widths: {len(widths)} of them, {widths[0]} to {widths[-1]}, do not show a law",
            f"at least {FEWEST} different ones, the largest 16 times the smallest",
        )
    written = [Arm(name, f"{label}, written down", {"target": name}) for name, label in TARGETS.items()]
    learnt = [
        Arm(f"trained-{name}", f"{label}, trained", {"target": name, "trained": 1}) for name, label in TARGETS.items()
    ]
    layers = [Arm(f"depth-{k}", f"{k} hidden layer{'s' if k > 1 else ''}", {"layers": k}) for k in depths(config)]
    shallow = Arm(SHALLOW, "1 hidden layer, units of 3", {"layers": 1, "units of": 3}, control=True)
    trained = [
        Arm(
            f"trained-depth-{k}",
            f"{k} hidden layer{'s' if k > 1 else ''}, trained",
            {"trained layers": k, "units": UNITS},
        )
        for k in TRAINED_DEPTHS
    ]
    return (*written, *learnt, *layers, shallow, *trained)


def kinds(arms: tuple[Arm, ...]) -> tuple[tuple[Arm, ...], tuple[Arm, ...], tuple[Arm, ...], tuple[Arm, ...]]:
    """Return the arms that are written down, the same by depth, those that are trained, and those by depth."""
    return (
        tuple(arm for arm in arms if "target" in arm.factors and "trained" not in arm.factors),
        tuple(arm for arm in arms if "layers" in arm.factors),
        tuple(arm for arm in arms if "trained" in arm.factors),
        tuple(arm for arm in arms if "trained layers" in arm.factors),
    )


def shares(config: Config, arms: tuple[Arm, ...]) -> tuple[float, float, float]:
    """Return the seconds that one seed takes to write down, to train, and to train by depth: measured."""
    written, layers, learnt, deep = kinds(arms)
    widths = grid(config)
    points = 32.0 * widths[-1] + 1
    write = len(written) * config.draws * len(widths) * points * 6e-8 + (0.02 * 2**config.tents / 64 if layers else 0.0)
    step = 1e-4 + len(learnt) * (sum(widths) * 1e-7 + len(widths) * config.samples * 3e-8)
    return write, config.steps * step if learnt else 0.0, config.steps * 2e-4 * len(deep)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    arms = tuple(arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms)
    widths = grid(config)
    numbers = 40.0 * len(TARGETS) * (sum(widths) + len(widths) * config.samples)
    grids = 8.0 * 12 * 32 * widths[-1] * config.draws
    return Estimate(len(arms) * spec.seeds, START + spec.seeds * sum(shares(config, arms)), 2e8 + 8 * numbers + grids)
