"""Which samples one epoch of training already gets right, over many initialisations (Arpit et al. 2017, 3.1)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from genlab_tui import events as ev
from genlab_tui.data import Arrays
from genlab_tui.phenomenon import Arm, Context
from genlab_tui.training.members import Member, Recipe
from genlab_tui.training.noisy_labels import noisy_labels
from genlab_tui.training.seeds import stream
from genlab_tui.training.sensitivity import Layers
from genlab_tui.training.train import Share, train

KINDS = ("true", "gaussian")
"""Real inputs, and Gaussian ones with the same labels."""


def shares_right(
    arrays: Arrays,
    seeds: Sequence[int],
    recipe: Recipe,
    context: Context,
    *,
    n: int,
    inits: int,
    cohort: str,
    share: Share,
) -> Generator[ev.Event, None, dict[int, dict[str, Tensor]]]:
    """Train `inits` networks for one epoch a seed and kind of input; return the share that is right of every sample.

    Networks of a seed differ in their initial weights and in their order of samples, so that no sample is favoured by
    its place. Yields no curves: these networks are no members of the run.
    """
    arms = [Arm(kind, factors={"noise": 0.0, "labels": "wrong", "inputs": kind, "dropout": 0.0}) for kind in KINDS]
    short = replace(recipe, epochs=1, dense=0, target=2.0)
    drawn = noisy_labels(arrays, arms, seeds, short, n=n, n_test=1, share=0.0, device=context.device)
    members: list[Member] = []
    for first in drawn.members:
        for k in range(inits):
            init = stream(first.seed, "first epoch", k)
            members.append(replace(first, arm=f"{first.arm} {k}", init=init, order=init))
    training = train(members, drawn.samples, short, context, cohort=cohort, share=share)
    try:
        while True:
            event = next(training)
            if isinstance(event, ev.Progress | ev.Log | ev.Change):
                yield event
    except StopIteration as stop:
        state = stop.value
    right: dict[int, dict[str, Tensor]] = {seed: {kind: torch.zeros(n) for kind in KINDS} for seed in seeds}
    for i, member in enumerate(members):
        x, labels = drawn.samples.inputs[member.inputs], drawn.samples.labels[member.labels]
        good = Layers.of(state.trained(i)).predictions(x) == labels
        right[member.seed][member.arm.split()[0]] += good.float().cpu() / inits
    return right


def spread(shares: Tensor, inits: int) -> float:
    """Return the variance of the shares over samples, relative to that of independent answers, all as good on average.

    1: no sample is easier than another. NaN where all or none are right.
    """
    mean = float(shares.double().mean())
    chance = mean * (1 - mean) / inits
    return float(shares.double().var(correction=0)) / chance if chance > 0 else float("nan")
