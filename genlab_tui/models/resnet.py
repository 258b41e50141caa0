"""Residual networks for small images, of torchvision's basic blocks: ResNet-18, -20, and of any depth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock

from genlab_tui.models.conv import HE_FAN_OUT, initialise

Shortcut = Callable[[int, int], nn.Module | None]
"""What makes the shortcut of a block that halves the image, from its channels before and after."""


class Padded(nn.Module):
    """The parameter-free shortcut (option A of He et al. 2016): every second pixel, new channels zero."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.extra = outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.extra))


def resnet_18(k: int, shape: Sequence[int], classes: int, *, momentum: float, dropout: float) -> nn.Sequential:
    """Return four stages of two blocks, widths k to 8k, with projections (option B) where the image is halved.

    Nakkiran et al. 2019 take the same widths with blocks of the pre-activation kind; these are torchvision's.
    """

    return _residual((k, 2 * k, 4 * k, 8 * k), 2, _projection(momentum), shape[0], classes, momentum, dropout)


def _projection(momentum: float) -> Shortcut:
    """Return what makes a 1x1 convolution of every second pixel with batch norm (option B of He et al. 2016)."""

    def projection(inputs: int, outputs: int) -> nn.Module:
        convolution = nn.Conv2d(inputs, outputs, 1, 2, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(outputs, momentum=momentum))

    return projection


def resnet_20(k: int, shape: Sequence[int], classes: int, *, momentum: float, dropout: float) -> nn.Sequential:
    """Return three stages of three blocks, widths 16k, 32k, 64k, with parameter-free shortcuts (He et al. 2016)."""
    return _residual((16 * k, 32 * k, 64 * k), 3, Padded, shape[0], classes, momentum, dropout)


def cifar_resnet(depth: int, shape: Sequence[int], classes: int, *, momentum: float, dropout: float) -> nn.Sequential:
    """Return three stages of n blocks, widths 16, 32, 64, with projections: 6n + 2 layers but for those (He 2016).

    With these shortcuts, ResNet-14, -110 and -866 have the 1.12K, 8.29K and 64.7K scales and shifts that Frankle et
    al. 2021 count; with the parameter-free ones they would have fewer.
    """
    return _residual((16, 32, 64), (depth - 2) // 6, _projection(momentum), shape[0], classes, momentum, dropout)


class PlainBlock(BasicBlock):  # type: ignore[misc]
    """A basic block without its shortcut: two convolutions, each with batch norm and ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        result: Tensor = self.relu(self.bn2(self.conv2(out)))
        return result


def cifar_resnet_plain(
    depth: int, shape: Sequence[int], classes: int, *, momentum: float, dropout: float
) -> nn.Sequential:
    """Return the layers of `cifar_resnet` without its shortcuts, and without their projections (Li et al. 2018)."""
    widths, blocks = (16, 32, 64), (depth - 2) // 6
    return _residual(widths, blocks, lambda _, __: None, shape[0], classes, momentum, dropout, block=PlainBlock)


def _residual(
    widths: Sequence[int],
    blocks: int,
    shortcut: Shortcut,
    channels: int,
    classes: int,
    momentum: float,
    dropout: float,
    block: type[BasicBlock] = BasicBlock,
) -> nn.Sequential:
    """Return a 3x3 stem, stages that each but the first halve the image, a mean over pixels and one linear layer.

    Convolutions are drawn from He's normal by fan-out, as torchvision does; the linear layer as torch does.
    """
    norm = partial(nn.BatchNorm2d, momentum=momentum)
    inputs = widths[0]
    layers: list[nn.Module] = [nn.Conv2d(channels, inputs, 3, padding=1, bias=False), norm(inputs), nn.ReLU()]
    for stage, width in enumerate(widths):
        for place in range(blocks):
            if stage and not place:
                layers.append(block(inputs, width, 2, shortcut(inputs, width), norm_layer=norm))
            else:
                layers.append(block(inputs, width, norm_layer=norm))
            inputs = width
    features = nn.Sequential(*layers)
    initialise(features, HE_FAN_OUT)
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(inputs, classes))
    return nn.Sequential(*features, *head)
