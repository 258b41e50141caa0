"""The prequential (online) code of labels: what networks trained on the labels sent so far ask for the next block.

Labels are sent in blocks that double. Sender and receiver train the same network on what both have, so nothing but
labels is ever sent. All lengths are in bits.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from genlab_tui import events as ev
    from genlab_tui.phenomenon import Context
    from genlab_tui.training.evaluate import Networks
    from genlab_tui.training.members import Member, Recipe, Samples
    from genlab_tui.training.state import State
    from genlab_tui.training.train import Share

UNIFORM = 1e-4
"""The share of the uniform distribution in every prediction: no label costs more than log2(K / 1e-4) bits."""

DOUBT = math.log(2.0)
"""The standard deviation of ln T before anything was seen: a single held-out label cannot make a network sure."""

COLDEST, HOTTEST = 1 / 16, 64.0
"""Temperatures that are looked at."""

CHUNK = 2048
"""Samples whose outputs are taken at once."""


def splits(first: int, n: int) -> list[int]:
    """Return how many labels were sent when a network is trained: 8, 16, 32, ..., each below `n`."""
    found = [first]
    while found[-1] * 2 < n:
        found.append(found[-1] * 2)
    return found


def blocks(first: int, n: int) -> list[tuple[int, int]]:
    """Return where the blocks after the first one start and stop: the last one ends at `n`."""
    return list(pairwise([*splits(first, n), n]))


def outputs(network: Networks, inputs: Tensor) -> Tensor:
    """Return the outputs [B, K] of one network on inputs [B, d], in float64."""
    import torch

    parts = torch.split(inputs, CHUNK)
    return torch.cat([network.logits([part[None]])[0].t().double() for part in parts])


def label_bits(logits: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Return what each label [B] costs in bits under outputs [B, K] divided by a temperature."""
    import torch

    share = torch.softmax(logits / temperature, 1).gather(1, labels[:, None])[:, 0]
    return -torch.log2((1.0 - UNIFORM) * share + UNIFORM / logits.shape[1])


def temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature with the shortest code of some labels (those held out), drawn towards 1.

    The most probable one, where ln T is normal around 0 with standard deviation `DOUBT` beforehand. Found on a grid of
    temperatures, then on a finer one around the best; 1 where outputs are not finite.
    """
    if not bool(logits.isfinite().all()):
        return 1.0

    def cost(log: float) -> float:
        nats = math.log(2.0) * float(label_bits(logits, labels, math.exp(log)).sum())
        return nats + 0.5 * (log / DOUBT) ** 2

    low, high, count = math.log(COLDEST), math.log(HOTTEST), 24
    for _ in range(3):
        step = (high - low) / count
        best = min((low + k * step for k in range(count + 1)), key=cost)
        low, high, count = best - step, best + step, 8
    return math.exp(best)


@dataclass(frozen=True)
class Sent:
    """What a block cost a member: bits, how many of its labels it would have guessed, and its temperature."""

    bits: float
    right: float
    temperature: float


def send(network: Networks, samples: Samples, member: Member, start: int, stop: int, held: int, *, cool: bool) -> Sent:
    """Code the labels of a block with a network trained on those before it.

    The last `held` of the labels before it were held out in training and choose the temperature (1 unless `cool`).
    """
    x, y = samples.inputs[member.inputs], samples.labels[member.labels]
    own = 1.0
    if cool and held:
        own = temperature(outputs(network, x[start - held : start]), y[start - held : start])
    logits = outputs(network, x[start:stop])
    bits = float(label_bits(logits, y[start:stop], own).sum())
    right = float((logits.argmax(1) == y[start:stop]).double().mean())
    return Sent(bits, right, own)


def train_on(
    members: Sequence[Member],
    samples: Samples,
    recipe: Recipe,
    context: Context,
    *,
    count: int,
    cohort: str,
    share: Share,
) -> Generator[ev.Event, None, State]:
    """Train all members from scratch on the first `count` samples; yield progress and logs alone.

    They get no other sample, and of the test set one that nobody looks at: nothing to come can leak into them.
    """
    from genlab_tui import events as ev
    from genlab_tui.training.train import train

    seen = replace(
        samples,
        inputs=samples.inputs[:, :count].contiguous(),
        labels=samples.labels[:, :count].contiguous(),
        test_inputs=samples.test_inputs[:, :1].contiguous(),
        test_labels=samples.test_labels[:, :1].contiguous(),
    )
    events = train(members, seen, recipe, context, cohort=cohort, share=share)
    while True:
        try:
            event = next(events)
        except StopIteration as stop:
            state: State = stop.value
            return state
        if isinstance(event, (ev.Progress, ev.Log)):
            yield event
