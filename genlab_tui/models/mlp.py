"""The perceptrons of Zhang et al. 2017 (appendix A) by name, and any of their kind as a plain torch module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

HIDDEN: Mapping[str, tuple[int, ...]] = {
    "mlp-1x512": (512,),
    "mlp-2x512": (512, 512),
    "mlp-3x512": (512, 512, 512),
}
"""Hidden widths by name. The paper has 1x512 and 3x512; ReLU everywhere."""


def parameter_count(inputs: int, hidden: Sequence[int], classes: int) -> int:
    """Return the number of weights and biases: 1,209,866 for 1x512 on 28x28x3 inputs with ten classes."""
    sizes = (inputs, *hidden, classes)
    return sum((a + 1) * b for a, b in pairwise(sizes))


def build(
    inputs: int,
    hidden: Sequence[int],
    classes: int,
    *,
    batch_norm: bool = False,
    dropout: float = 0.0,
    momentum: float = 0.1,
) -> nn.Sequential:
    """Return one network as a torch module: linear, batch norm, ReLU, dropout per hidden layer, then linear.

    With batch norm a hidden layer has no bias. This is the form in which a trained member leaves the population, and
    the reference that the batched program is tested against.
    """
    from torch import nn

    layers: list[nn.Module] = []
    width = inputs
    for size in hidden:
        layers.append(nn.Linear(width, size, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm1d(size, momentum=momentum))
        layers.append(nn.ReLU())
        if dropout:
            layers.append(nn.Dropout(dropout))
        width = size
    layers.append(nn.Linear(width, classes))
    return nn.Sequential(*layers)
