"""Convolutional networks without branches: LeNet, small AlexNet, Conv-2/4/6, VGG-11, 5-layer CNN, 1-D CNN.

Max-pools of 2 round up, so that images of 8x8 pixels survive five of them; at the papers' sizes nothing is rounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.vgg import cfgs


class ChannelNorm(nn.Module):
    """Local response normalisation, x / (1 + alpha * sum of x^2 over 9 channels)^(3/4), with alpha = 0.001 / 9.

    The constants are those of TensorFlow's CIFAR-10 network, which has the same layers. `nn.LocalResponseNorm` gives
    the same numbers, slower than the 5x5 convolution before it; as a 1x1 convolution it takes a sixth of that.
    """

    def forward(self, x: Tensor) -> Tensor:
        near = torch.ones(x.shape[1], x.shape[1], dtype=x.dtype, device=x.device).triu(-4).tril(4)
        return x * (1 + 0.001 / 9 * F.conv2d(x * x, near[:, :, None, None])) ** -0.75


HE_FAN_OUT = partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu")


def initialise(network: nn.Module, draw: Callable[[Tensor], Tensor]) -> None:
    """Draw the weights of convolutions and linear layers anew, and set their biases to zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            draw(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def small_alexnet(shape: Sequence[int], classes: int, *, dropout: float) -> nn.Sequential:
    """Return two of 5x5 convolution (64), 3x3 max-pool and normalisation, then 384-192 (Zhang et al. 2017, appendix A).

    The paper does not state its initial weights: Glorot uniform, zero biases (the defaults of TensorFlow-slim).
    """
    channels, height, width = shape
    layers: list[nn.Module] = []
    for inputs in (channels, 64):
        layers += [nn.Conv2d(inputs, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), ChannelNorm()]
    layers += _dense(64 * (height // 4) * (width // 4), (384, 192), classes, dropout)
    network = nn.Sequential(*layers)
    initialise(network, nn.init.xavier_uniform_)
    return network


def lenet(shape: Sequence[int], classes: int, *, dropout: float) -> nn.Sequential:
    """Return LeNet-5 with max-pools and ReLU, without padding, drawn as torch does (Li et al. 2018)."""
    channels, height, width = shape
    layers: list[nn.Module] = []
    for inputs, filters in ((channels, 6), (6, 16)):
        layers += [nn.Conv2d(inputs, filters, 5), nn.ReLU(), nn.MaxPool2d(2)]
    layers += _dense(16 * ((height - 12) // 4) * ((width - 12) // 4), (120, 84), classes, dropout)
    return nn.Sequential(*layers)


def conv_k(depth: int, shape: Sequence[int], classes: int, *, dropout: float) -> nn.Sequential:
    """Return Conv-2, -4 or -6: Glorot normal weights, zero biases (Frankle & Carbin 2019, figure 2)."""
    channels, height, width = shape
    stages = depth // 2
    layout = [layer for stage in range(stages) for layer in (64 << stage, 64 << stage, "M")]
    pixels = math.ceil(height / 2**stages) * math.ceil(width / 2**stages)
    dense = _dense((32 << stages) * pixels, (256, 256), classes, dropout)
    network = nn.Sequential(*_convolutions(channels, layout), *dense)
    initialise(network, nn.init.xavier_normal_)
    return network


def vgg_11(shape: Sequence[int], classes: int, *, momentum: float | None, dropout: float) -> nn.Sequential:
    """Return torchvision's VGG-11 features and draw, its head replaced by a mean over pixels and one linear layer.

    `momentum` None is without batch norm; with it the convolutions have no biases.
    """
    layers = _convolutions(shape[0], cfgs["A"], momentum=momentum, bias=momentum is None)
    last = nn.Linear(512, classes)
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), last)
    initialise(network, HE_FAN_OUT)
    nn.init.normal_(last.weight, std=0.01)
    return network


def cnn_5(k: int, shape: Sequence[int], classes: int, *, momentum: float, dropout: float) -> nn.Sequential:
    """Return the 5-layer CNN of widths k to 8k, pools 1, 2, 2 and global, drawn as torch does (Nakkiran et al. 2019).

    As in the paper's count the convolutions have biases, which the batch norm behind them takes out again.
    """
    channels, height, width = shape
    layers = _convolutions(channels, (k, 2 * k, "M", 4 * k, "M", 8 * k), momentum=momentum)
    whole = nn.MaxPool2d((math.ceil(height / 4), math.ceil(width / 4)))
    return nn.Sequential(*layers, whole, nn.Flatten(), nn.Dropout(dropout), nn.Linear(8 * k, classes))


def cnn_1d(shape: Sequence[int], classes: int, *, dropout: float) -> nn.Sequential:
    """Return three 1-D convolutions (25 channels, kernels 5, 3, 3, stride 2, padding 1), then one linear layer.

    The convolutional baseline of MNIST-1D, drawn as torch does (Greydanus 2020).
    """
    layers: list[nn.Module] = [nn.Unflatten(1, (1, shape[0]))]
    channels, length = 1, shape[0]
    for kernel in (5, 3, 3):
        layers += [nn.Conv1d(channels, 25, kernel, stride=2, padding=1), nn.ReLU()]
        channels, length = 25, (length + 2 - kernel) // 2 + 1
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout), nn.Linear(25 * length, classes))


def _convolutions(
    channels: int, layout: Sequence[int | str], *, momentum: float | None = None, bias: bool = True
) -> list[nn.Module]:
    """Return 3x3 convolutions of the given widths, each with ReLU, and 2x2 max-pools where the layout says "M"."""
    layers: list[nn.Module] = []
    for width in layout:
        if isinstance(width, str):
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
            continue
        layers.append(nn.Conv2d(channels, width, 3, padding=1, bias=bias))
        if momentum is not None:
            layers.append(nn.BatchNorm2d(width, momentum=momentum))
        layers.append(nn.ReLU())
        channels = width
    return layers


def _dense(inputs: int, hidden: Sequence[int], classes: int, dropout: float) -> list[nn.Module]:
    """Return linear, ReLU and dropout per hidden width, then linear, from flattened images."""
    layers: list[nn.Module] = [nn.Flatten()]
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(dropout)]
        inputs = width
    return [*layers, nn.Linear(inputs, classes)]
