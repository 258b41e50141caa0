"""Expressivity: fields, arms, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec

JUDGED = 2000  # the most points at which errors are judged
DENSE = 4000  # the most points for which a network is built from n x n numbers
GAUSSIAN, REAL = "Gaussian", "real"
CONSTRUCTION, FLOAT32, HALF, BETWEEN = "construction", "float32", "half the weights", "thresholds between"
ONE, DEEP, NEAREST = "one direction", "deep", "nearest neighbour"
START = 3.0  # seconds to start and load
SPEED = 1.5e8  # hidden activations a second: measured on one core, others working too


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set and seeds."""

    sizes: tuple[int, ...] = param(
        (100, 300, 1000, 2000),
        help="numbers of points n (of a data set: all there are at most)",
        low=10,
        high=100_000,
        distinct=True,
    )
    inputs: int = param(50, help="values of a Gaussian input, d", low=1, high=10_000)
    directions: int = param(32, help="random directions to choose from: the most even projection", low=1, high=1000)
    depths: tuple[int, ...] = param(
        (4,), help="hidden layers of the deep variant, each about n / depth wide", low=2, high=64, distinct=True
    )
    test: int = param(500, help="new inputs at most (0: all of the data set, 500 Gaussian ones)", low=0, high=100_000)


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: constructions on Gaussian and on real inputs, their variants and controls. Raises BadValue."""
    if min(config.sizes) > JUDGED:
        raise BadValue(f"sizes: errors are judged up to n = {JUDGED}, none is", f"nearest valid value: {JUDGED}")
    least = min(config.sizes)
    if least < 2 * max(config.depths):
        raise BadValue(f"depths: {least} points are too few for {max(config.depths)} layers", f"at most {least // 2}")
    data.known(spec.data)

    def arm(name: str, label: str, inputs: str, targets: str, network: str, *, tries: int = 0, layers: int = 1) -> Arm:
        factors: dict[str, float | str] = {"inputs": inputs, "targets": targets, "network": network, "layers": layers}
        if network != NEAREST:
            factors["directions"] = tries or config.directions
        return Arm(name, label, factors, control=network in (FLOAT32, HALF))

    deep = [
        arm(f"deep-{k}", f"{k} hidden layers", GAUSSIAN, "random", DEEP, layers=k) for k in sorted(set(config.depths))
    ]
    return (
        arm("gaussian", "2n + d weights", GAUSSIAN, "random", CONSTRUCTION),
        arm("float32", "the same in float32", GAUSSIAN, "random", FLOAT32),
        arm("half", "n + d weights", GAUSSIAN, "random", HALF),
        arm("between", "thresholds between the points", GAUSSIAN, "random", BETWEEN),
        arm("one-direction", "the first direction", GAUSSIAN, "random", ONE, tries=1),
        *deep,
        arm("real-random", "real inputs, random labels", REAL, "random", CONSTRUCTION),
        arm("real-true", "real inputs, true labels", REAL, "true", CONSTRUCTION),
        arm("real-half", "random labels, n + d weights", REAL, "random", HALF),
        arm("neighbour", "nearest neighbour, true labels", REAL, "true", NEAREST),
    )


def chosen(config: Config, spec: RunSpec, inputs: str) -> tuple[Arm, ...]:
    """Return the arms launched that read inputs of a kind."""
    arms = plan(config, spec)
    return tuple(arm for arm in arms if arm.factors["inputs"] == inputs and (not spec.arms or arm.name in spec.arms))


def new_inputs(config: Config, inputs: str) -> int:
    """Return how many inputs that nobody fitted are asked for (0: all of a data set)."""
    return config.test or (500 if inputs == GAUSSIAN else 0)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and the memory of the largest system."""
    known = data.known(spec.data)
    _, tests = known.at_most(0, config.test)
    work, largest = 0.0, 0.0
    for inputs in (GAUSSIAN, REAL):
        d, new = (config.inputs, config.test or 500) if inputs == GAUSSIAN else (known.features, tests)
        points = sorted({n if inputs == GAUSSIAN else min(n, known.train) for n in config.sizes})
        kept = 8.0 * points[-1] * d
        for arm in chosen(config, spec, inputs):
            largest = max(largest, kept if inputs == GAUSSIAN else 1.5 * kept)  # real ones: float32 too, while drawn
            for n in points:
                dense = arm.factors["network"] in (BETWEEN, DEEP)
                if dense and n > DENSE:
                    continue
                width = n * (8 if dense else 1)
                work += (n + new) * width + 0.5 * n * d + 10.0 * n * int(arm.factors.get("directions", 1))
                if dense:
                    largest = max(largest, kept + 16.0 * n * n)
    arms = len(spec.arms) or len(plan(config, spec))
    stored = 4.0 * known.features * (known.train + known.test)
    return Estimate(arms * spec.seeds, START + spec.seeds * work / SPEED, 3e8 + stored + largest)
