"""Two-part codes of labels: the network's numbers, then the labels given it; in float32, or pruned and quantised.

Lengths in bits. A pruned and quantised network is sent as: how many numbers are left (log2(D + 1)), which ones
(log2 C(D, k)), the codebook of 2^b centres in float32, and b bits a number. The other numbers are zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlab_tui.training.prequential import label_bits, outputs, temperature

if TYPE_CHECKING:
    from torch import Tensor

    from genlab_tui.training.members import Member, Samples
    from genlab_tui.training.population import Population

WIDTH = 32
"""Bits of a number in float32: of weights, of a centre of the codebook, of the temperature."""

KEPT = tuple(10 ** (-k / 8) for k in range(25))
"""Shares of the numbers that are kept: all of them down to one in a thousand, eight a decade."""

ROUNDS = 30
"""Rounds of k-means at most."""


def choose_bits(total: int, chosen: int) -> float:
    """Return log2 C(total, chosen), what it takes to say which ones were chosen."""
    nats = math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)
    return nats / math.log(2.0)


def network_bits(total: int, kept: int, bits: int) -> float:
    """Return what it takes to send a network of `total` numbers of which `kept` take one of 2^bits values."""
    return math.log2(total + 1) + choose_bits(total, kept) + float(WIDTH << bits) + bits * kept


def quantise(values: Tensor, bits: int) -> Tensor:
    """Return numbers [k], each replaced by the nearest of at most 2^bits centres found by k-means.

    Lloyd's rounds on sorted numbers, so that a cluster is a stretch of them; centres start evenly spread in value, as
    in Deep Compression, and one without numbers stays where it is.
    """
    import torch

    ordered = values.double().sort()
    x, count = ordered.values, len(values)
    centres = torch.linspace(float(x[0]), float(x[-1]), 2**bits, dtype=torch.float64, device=x.device)
    sums = torch.cat((x.new_zeros(1), x.cumsum(0)))
    for _ in range(ROUNDS):
        cuts = torch.searchsorted(x, (centres[1:] + centres[:-1]) / 2)
        edges = torch.cat((cuts.new_zeros(1), cuts, cuts.new_full((1,), count)))
        size = edges[1:] - edges[:-1]
        means = (sums[edges[1:]] - sums[edges[:-1]]) / size.clamp(min=1)
        moved = torch.where(size > 0, means, centres)
        if torch.equal(moved, centres):
            break
        centres = moved
    nearest = torch.bucketize(values.double(), (centres[1:] + centres[:-1]) / 2)
    return centres[nearest].to(values.dtype)


@dataclass(frozen=True)
class Compressed:
    """A network pruned and quantised: the numbers left, bits of each, what sending it takes, its test accuracy."""

    kept: int
    bits: int
    length: float
    accuracy: float
    numbers: Tensor


def compress(flat: Tensor, score: Callable[[Tensor], float], worst: float, widths: Sequence[int]) -> Compressed | None:
    """Return the shortest code of a network [P] whose accuracy stays at `worst` or above; None where there is none.

    The largest magnitudes are kept, of all numbers together; `score(numbers)` is the accuracy with others in their
    place. For each of `widths` bits the sparsest network that will do is found by bisection over `KEPT`.
    """
    import torch

    order = flat.abs().argsort(descending=True, stable=True)
    total, best = flat.numel(), None
    for bits in widths:
        low, high = 0, len(KEPT)  # dense enough below `low`, too sparse from `high` on
        while low < high:
            middle = (low + high) // 2
            kept = max(round(KEPT[middle] * total), 1)
            numbers = torch.zeros_like(flat)
            numbers[order[:kept]] = quantise(flat[order[:kept]], bits)
            accuracy = score(numbers)
            if accuracy >= worst:
                length = network_bits(total, kept, bits)
                if best is None or length < best.length:
                    best = Compressed(kept, bits, length, accuracy, numbers)
                low = middle + 1
            else:
                high = middle
    return best


@dataclass(frozen=True)
class TwoPart:
    """The two-part codes of a member: `plain` in float32, `small` pruned and quantised; NaN where nothing will do.

    `labels` and `small_labels` are the second parts; `kept` the share of the numbers that is left, at `bits` each, and
    `lost` the test accuracy that it cost.
    """

    parameters: int
    plain: float
    labels: float
    small: float
    small_labels: float
    kept: float
    bits: float
    lost: float


def two_part(network: Population, samples: Samples, member: Member, *, drop: float, widths: Sequence[int]) -> TwoPart:
    """Return both codes of the labels that a member has learnt. Its temperature is sent with it, in float32.

    The pruned and quantised one is at a test accuracy at most `drop` lower. As a code that is no peeking: any network
    may be sent, and what is sent is counted. A test error of that network would be one of a network chosen by it.
    """
    x, y = samples.inputs[member.inputs], samples.labels[member.labels]
    x_test, y_test = samples.test_inputs[member.inputs], samples.test_labels[member.inputs]
    flat, statistics = network.parameters.flat, network.statistics.flat.numel()
    parameters = flat.numel() + statistics

    def labels_given() -> float:
        logits = outputs(network, x)
        return float(label_bits(logits, y, temperature(logits, y)).sum())

    def score(numbers: Tensor) -> float:
        flat.copy_(numbers)
        return float((outputs(network, x_test).argmax(1) == y_test).double().mean())

    whole = flat.clone()
    given = labels_given()
    plain = WIDTH * (parameters + 1) + given
    accuracy, found = score(whole), None
    if bool(whole.isfinite().all()):
        found = compress(whole, score, accuracy - drop - 1e-9, widths)
        flat.copy_(whole)
    if found is None:
        return TwoPart(parameters, plain, given, *(math.nan,) * 5)
    flat.copy_(found.numbers)
    rest = labels_given()
    flat.copy_(whole)
    length = found.length + WIDTH * (statistics + 1) + rest
    lost = accuracy - found.accuracy
    return TwoPart(parameters, plain, given, length, rest, found.kept / flat.numel(), found.bits, lost)
