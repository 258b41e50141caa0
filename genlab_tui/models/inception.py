"""The small Inception of Zhang et al. 2017 (appendix A, figure 3) as a plain torch module."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genlab_tui.models.conv import initialise

LAYOUT: tuple[tuple[int, ...], ...] = (
    (32, 32),
    (32, 48),
    (80,),
    (112, 48),
    (96, 64),
    (80, 80),
    (48, 96),
    (96,),
    (176, 160),
    (176, 160),
)
"""Two numbers: an Inception block with that many 1x1 and 3x3 filters. One: a downsampling block with that many."""


class Branches(nn.Module):
    """Several modules on the same images, their outputs side by side as channels."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)


def small_inception(shape: Sequence[int], classes: int, *, momentum: float | None, dropout: float) -> nn.Sequential:
    """Return the network for images of any size; `momentum` None is without batch norm, with the same count.

    The paper does not state its initial weights: Glorot uniform, zero biases (the defaults of TensorFlow-slim). Without
    batch norm He's, of twice the variance, diverged at the paper's learning rate of 0.1 when it was tried.
    """
    layers: list[nn.Module] = [_convolution(shape[0], 96, 3, 1, momentum)]
    channels = 96
    for widths in LAYOUT:
        if len(widths) == 2:
            branches = (_convolution(channels, w, size, 1, momentum) for w, size in zip(widths, (1, 3), strict=True))
            layers.append(Branches(*branches))
            channels = sum(widths)
        else:
            layers.append(Branches(_convolution(channels, widths[0], 3, 2, momentum), nn.MaxPool2d(3, 2, padding=1)))
            channels += widths[0]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels, classes)]
    network = nn.Sequential(*layers)
    initialise(network, nn.init.xavier_uniform_)
    return network


def _convolution(inputs: int, filters: int, size: int, stride: int, momentum: float | None) -> nn.Sequential:
    """Return convolution, batch norm and ReLU, with one vector a convolution: the paper's count has room for no more.

    With batch norm it is the norm's shift, as TensorFlow-slim has it (a shift, no scale, no bias below); else the bias.
    """
    layers: list[nn.Module] = [nn.Conv2d(inputs, filters, size, stride, size // 2, bias=momentum is None)]
    if momentum is not None:
        norm = nn.BatchNorm2d(filters, momentum=momentum)
        norm.register_parameter("weight", None)
        layers.append(norm)
    return nn.Sequential(*layers, nn.ReLU())
