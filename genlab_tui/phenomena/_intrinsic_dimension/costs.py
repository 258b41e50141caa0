"""Intrinsic dimension: what a run costs, before anything is launched."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genlab_tui.models import networks
from genlab_tui.phenomena._intrinsic_dimension.config import (
    CONTROLS,
    LENET,
    SMALL_NETS,
    Config,
    columns_of,
    data_of,
    dense_bytes,
    dims_of,
    launched,
    net_of,
    size,
    sizes,
)
from genlab_tui.phenomenon import Estimate
from genlab_tui.run import RunSpec
from genlab_tui.training import cost

STEP_SECONDS = {"cpu": 4e-4, "cuda": 3e-3}
"""What a step of one network at all its dimensions costs beside its arithmetic; cpu: on one core, measured, rough.
cuda: derived, not measured."""

MODULE_STEP = {"cpu": 1e-3, "cuda": 4e-3}
"""What a step of a LeNet costs, one dimension after another, beside its samples; cpu: on one core, measured.
cuda: derived, not measured."""

LENET_WORK = 0.28e6
TRAINED, LOOKED = 6e-5, 3e-5
"""Core-seconds of a LeNet on 28x28 pixels for a sample trained on and one looked at: measured. Its convolutions are so
small that a processor does a small part of what it could."""


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    n, test, few = sizes(config, spec)
    kind = cost.kind_of(spec.device)
    cores = 2.0 if kind == "cpu" else 1.0
    members, seconds = 0, 0.0
    for arm in launched(config, spec):
        if arm.name == SMALL_NETS:
            members += len(config.small)
            continue
        control = arm.name in CONTROLS
        samples, epochs = (few, config.control_epochs) if control else (n, config.epochs)
        dims = dims_of(config, arm.name)
        rows = len(dims) + 1  # the last: all numbers, directly
        steps, trained = math.ceil(samples / config.batch) * epochs, samples * epochs
        looked = looks(epochs) * (samples + test)
        weights = float(arm.factors["D"])
        members += rows
        seconds += steps * STEP_SECONDS[kind] / cores
        seconds += steps * weights * _per_weight(config, dims) / cost.FLOPS_PER_SECOND[kind]
        if net_of(config, arm.name) == LENET:
            seconds += rows * (steps * MODULE_STEP[kind] / cores + _lenet_seconds(trained, looked, spec))
        else:
            seconds += rows * weights * (6.0 * trained + 3.0 * looked) / cost.FLOPS_PER_SECOND[kind]
    each = seed_bytes(config, spec)
    together = min(spec.seeds, cost.at_once(each, spec.device))
    return Estimate(members * spec.seeds, cost.START + spec.seeds * seconds, each * together)


def looks(epochs: int) -> int:
    """Return how often networks are evaluated: before, after 1, 2, 4, 8, ... epochs, and at the end."""
    return 2 + math.ceil(math.log2(epochs))


def _lenet_seconds(trained: int, looked: int, spec: RunSpec) -> float:
    """Return the seconds in which a LeNet trains on some samples and looks at others."""
    one = networks.multiplications(LENET, data_of(spec).shape)
    if cost.kind_of(spec.device) == "cpu":
        return one / LENET_WORK * (TRAINED * trained + LOOKED * looked) / 2.0
    return one * (6.0 * trained + 2.0 * looked) / cost.CONVOLVED["cuda"]


def _per_weight(config: Config, dims: Sequence[int]) -> float:
    """Return the operations of one step's projections, there and back, per weight of the network."""
    if config.projection == "dense":
        return 8.0 * sum(dims)
    # A few passes over all numbers of every dimension, each as slow as some twenty multiplications.
    return 400.0 * len(dims)


def seed_bytes(config: Config, spec: RunSpec) -> float:
    """Return the memory of one seed: its inputs, projections, and the networks at all their dimensions."""
    n, test, _ = sizes(config, spec)
    numbers = 0.0
    for arm in launched(config, spec):
        if arm.name != SMALL_NETS:
            numbers += float(arm.factors["D"]) * (4 * len(dims_of(config, arm.name)) + 8)
    projections = dense_bytes(config, spec) if config.projection == "dense" else 0.0
    if config.projection == "sparse":
        projections = _sparse_bytes(config, spec)
    return 4.0 * (3 * (n + test) * data_of(spec).features + numbers) + projections


def _sparse_bytes(config: Config, spec: RunSpec) -> float:
    """Return the bytes of sparse projections: places and signs of all that are kept, and what a product makes of them.

    A product there and back has every sign once for every dimension of a nested basis, once of an independent one.
    """
    arms = [arm.name for arm in launched(config, spec) if arm.name != SMALL_NETS]
    kept: dict[tuple[bool, str], set[int]] = {}
    products = 0.0
    for arm in arms:
        net, control, dims = net_of(config, arm), arm in CONTROLS, dims_of(config, arm)
        column, widest = math.sqrt(size(net, spec)), columns_of(config, arm)
        nested = config.basis == "nested"
        kept.setdefault((control, net), set()).update([widest] if nested else dims)
        # Two of them are there at once on the way back; on two cores, two arms do this side by side.
        products = max(products, 2 * 2 * 4.0 * column * (len(dims) * widest if nested else max(dims)))
    return products + sum(12.0 * math.sqrt(size(net, spec)) * sum(columns) for (_, net), columns in kept.items())
