"""The config of the width sweep: arms, sizes, and what a run will cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.models.mlp import parameter_count
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec
from genlab_tui.training import cost

CLEAN, NOISE, RANDOM = "clean", "noise", "random"


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    n: int = param(1000, help="training samples (0: all)", low=0, high=1_000_000)
    test: int = param(0, help="test samples at most (0: all)", low=0, high=1_000_000)
    widths: tuple[int, ...] = param(
        (4, 8, 16, 32, 64, 128, 256, 512, 1024), help="numbers of hidden units H", low=1, high=100_000
    )
    noise: tuple[float, ...] = param(
        (0.05, 0.2),
        help="chances that a training label is redrawn (0, clean labels, is always there, and so is 1 as control)",
        low=0.0,
        high=0.9,
    )
    optimiser: str = param("adam", help="for sgd see momentum", choices=("adam", "sgd"))
    lr: float = param(2e-3, help="learning rate", low=1e-7, high=100.0)
    momentum: float = param(0.9, help="of sgd", low=0.0, high=0.999, only={"optimiser": ("sgd",)})
    batch: int = param(50, help="batch size", low=2, high=100_000)
    epochs: int = param(200, help="epochs at most", low=1, high=100_000)
    stop_loss: float = param(
        0.0, help="training ends at this training loss (0: when every training label is fitted)", low=0.0, high=10.0
    )
    init: str = param("he-normal", help="initial weights", choices=("he-normal", "torch"))
    dof: bool = param(True, help="degrees of freedom, from clean labels and those of the lowest noise")


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return an arm per level of label noise and width; random labels are controls. Raises BadValue."""
    known = data.DATASETS.get(spec.data)
    if known and config.n > known.train:
        raise BadValue(
            f"n = {config.n} does not fit the {known.train} training samples of {spec.data}",
            f"nearest valid value: {known.train}",
        )
    widths = sorted(set(config.widths))
    if len(widths) < 2:
        raise BadValue(f"widths = {widths[0]}: with one width there is nothing to compare", "give two or more")
    if len({kind_of(p) for p in levels(config)}) < len(levels(config)):
        raise BadValue("two levels of noise read the same", "leave one of them out")
    return tuple(
        Arm(f"{kind_of(p)}-{h}", f"H {h}, {label(p)}", {"noise": p, "width": h}, control=p == 1.0)
        for p in levels(config)
        for h in widths
    )


def levels(config: Config) -> list[float]:
    """Return the chances that a label is redrawn: clean first, the control, random labels, last."""
    return sorted({0.0, *config.noise, 1.0})


def kind_of(noise: float) -> str:
    """Return what the arms of a level of noise begin with."""
    return {0.0: CLEAN, 1.0: RANDOM}.get(noise, f"{NOISE}-{noise:g}")


def label(noise: float) -> str:
    """Return a level of noise in words."""
    return {0.0: "clean labels", 1.0: "random labels"}.get(noise, f"{100 * noise:g} % label noise")


def at_level(arms: Sequence[Arm], noise: float) -> tuple[Arm, ...]:
    """Return the arms of a level of noise, narrowest first."""
    own = (arm for arm in arms if arm.factors.get("noise") == noise)
    return tuple(sorted(own, key=lambda arm: float(arm.factors["width"])))


def data_of(spec: RunSpec) -> data.DataSet:
    """Return the declaration of a run's data set."""
    return data.known(spec.data)


def parameters(spec: RunSpec, arm: Arm) -> int:
    """Return the weights and biases of an arm's networks."""
    known = data_of(spec)
    return parameter_count(known.features, (int(arm.factors["width"]),), known.classes)


# --- cost -------------------------------------------------------------------------------------------------------------


def expected_epochs(config: Config, spec: RunSpec, arm: Arm) -> float:
    """Guess the epochs that an arm needs: for the estimate and the progress bar alone."""
    noise = float(arm.factors["noise"])
    n = config.n or data_of(spec).train
    room = parameters(spec, arm) / (n * (1.0 + 6.0 * noise))
    if room < 1.5 or (noise and cost.SLOWING & spec.regularisers.keys()):
        return float(config.epochs)
    guess = (1.0 + 2.0 * noise) * (12.0 + 60.0 / room)
    slow = 1.0 if config.optimiser == "adam" else 3.0
    return min(slow * guess * (2.0 if config.stop_loss else 1.0), float(config.epochs))


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    epochs = [expected_epochs(config, spec, arm) for arm in arms]
    longest = max(epochs)
    work = sum(parameters(spec, arm) * e for arm, e in zip(arms, epochs, strict=True)) / longest
    each = seed_bytes(config, spec, arms)
    together = min(spec.seeds, cost.at_once(each, spec.device))
    n = config.n or data_of(spec).train
    one = cost.seconds(work * together, n, config.batch, [longest], spec.device, spec.regularisers) - cost.START
    return Estimate(len(arms) * spec.seeds, cost.START + one * math.ceil(spec.seeds / together), each * together)


def seed_bytes(config: Config, spec: RunSpec, arms: Sequence[Arm]) -> float:
    """Return the memory of one seed: its inputs, and weights, gradient and two moments of its networks."""
    known = data_of(spec)
    stored = (config.n or known.train) + min(config.test or known.test, known.test)
    return 4.0 * known.features * stored + 16.0 * sum(parameters(spec, arm) for arm in arms)
