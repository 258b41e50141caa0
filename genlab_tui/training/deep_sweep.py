"""Tents met by trained networks that have the same number of units in fewer or more layers."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence

import numpy as np

from genlab_tui import events as ev
from genlab_tui.phenomenon import Arm, Checkpoint, Context
from genlab_tui.training.deep_training import Deep
from genlab_tui.training.line_networks import draw_tents, tents
from genlab_tui.training.line_sweep import SLICE, Ends, Place

FINE = 8193  # points of the grid on which errors are read


def trained_by_depth(
    arms: Sequence[Arm], pieces: int, samples: int, steps: int, lr: float, place: Place, context: Context
) -> Generator[ev.Event, None, Ends]:
    """Train one network an arm on 2^pieces linear pieces, its `units` in its `trained layers`; return the errors."""
    tops = draw_tents(place.seed, pieces)
    x = np.linspace(0.0, 1.0, samples)
    y = tents(tops, x)
    networks = []
    for arm in arms:
        layers = int(arm.factors["trained layers"])
        networks.append(Deep([int(arm.factors["units"]) // layers] * layers, place.seed, lr))
    saved = context.resume()
    before = 0.0
    if saved is not None:
        before = float(saved.meta["seconds"])
        for at, network in enumerate(networks):
            own = {name: saved.arrays[f"{name}-{at}"] for name in ("numbers", "first", "second")}
            network.restore(own, saved.step)
    began = time.monotonic()

    def seconds() -> float:
        return before + time.monotonic() - began

    def save() -> Checkpoint:
        found = {f"{k}-{at}": v for at, network in enumerate(networks) for k, v in network.arrays().items()}
        return Checkpoint(networks[0].steps, found, {"seconds": seconds()})

    cohort = f"trained by depth, seed {place.seed}"
    yield ev.Cohort(id=cohort, members=tuple((arm.name, place.seed) for arm in arms))
    while (at := networks[0].steps) < steps:
        context.poll(save)
        losses = []
        for network in networks:
            network.step(x, y)
            losses.append(network.loss)  # before this step
            for _ in range(min(SLICE, steps - at) - 1):
                network.step(x, y)
        values = ev.to_values(losses)
        yield ev.Curve(cohort=cohort, metric="train_loss", step=at, seconds=seconds(), values=values)
        yield place.progress(networks[0].steps / steps, f"{cohort}, step {networks[0].steps:,}")
    grid = np.linspace(0.0, 1.0, FINE)
    away = [network(grid) - tents(tops, grid) for network in networks]
    ends = {
        arm.name: {"sup_wide": float(np.abs(miss).max()), "l2_wide": float(np.sqrt(np.mean(miss**2)))}
        for arm, miss in zip(arms, away, strict=True)
    }
    for name in ("sup_wide", "l2_wide"):
        yield ev.Measure(cohort=cohort, name=name, values=ev.to_values(found[name] for found in ends.values()))
    return ends
