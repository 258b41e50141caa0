"""The convolutional networks of the papers by name: what each is, what it takes, how to build it. No torch here.

A network with a width takes it behind a colon: `resnet-18:16` is a ResNet-18 of widths 16, 32, 64, 128. So does one
with a depth: `cifar-resnet:110` is a ResNet-110.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from genlab_tui.errors import BadValue, nearest

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Network:
    """One network: `smallest` is the least height and width of its images; `width` is 0 where it cannot be chosen.

    `work` are the millions of multiplications of a forward pass on one 28x28 image, at the standard width: for
    estimates and progress bars. A `sequential` one takes one-dimensional inputs of at least `smallest` values instead
    of images (`work`: of 784 values).
    """

    name: str
    title: str
    paper: str
    help: str
    has_batch_norm: Literal["always", "never", "optional"]
    work: float
    smallest: int = 8
    width: int = 0
    widest: int = 0
    sequential: bool = False
    deep: bool = False


_FRANKLE = "Frankle & Carbin 2019, arXiv 1803.03635"

_ALL = (
    Network(
        "small-inception",
        "Small Inception",
        "Zhang et al. 2017, arXiv 1611.03530",
        "Eight blocks of parallel 1x1 and 3x3 convolutions; 1,649,402 parameters on 28x28x3, batch norm or not.",
        "optional",
        203,
    ),
    Network(
        "small-alexnet",
        "Small AlexNet",
        "Zhang et al. 2017, arXiv 1611.03530",
        "Two 5x5 convolutions, pooled and normalised across channels, then 384-192; 1,387,786 parameters on 28x28x3.",
        "never",
        22.6,
    ),
    Network(
        "lenet",
        "LeNet-5",
        "LeCun et al. 1998, as in Li et al. 2018, arXiv 1804.08838",
        "Two 5x5 convolutions (6, 16), each max-pooled, then 120-84, with ReLU; 44,426 parameters on MNIST.",
        "never",
        0.28,
        smallest=16,
    ),
    Network("conv-2", "Conv-2", _FRANKLE, "Two 3x3 convolutions (64, 64), a max-pool, then 256-256.", "never", 32.6),
    Network("conv-4", "Conv-4", _FRANKLE, "Conv-2 with a second stage (128, 128), then 256-256.", "never", 74.4),
    Network("conv-6", "Conv-6", _FRANKLE, "Conv-4 with a third stage (256, 256), then 256-256.", "never", 117),
    Network(
        "vgg-11",
        "VGG-11",
        "Simonyan & Zisserman 2015, arXiv 1409.1556",
        "Eight 3x3 convolutions (64 to 512) with five max-pools, then one linear layer, as usual for small images.",
        "optional",
        134,
    ),
    Network(
        "resnet-18",
        "ResNet-18",
        "He et al. 2016, arXiv 1512.03385; widths of Nakkiran et al. 2019, arXiv 1912.02292",
        "Eight residual blocks of widths k, 2k, 4k, 8k behind a 3x3 stem without pooling; k = 64 is the standard one.",
        "always",
        456,
        width=64,
        widest=256,
    ),
    Network(
        "resnet-20",
        "ResNet-20",
        "He et al. 2016, arXiv 1512.03385, section 4.2",
        "Nine residual blocks of widths 16k, 32k, 64k with parameter-free shortcuts (option A); k = 1 is the paper's.",
        "always",
        30.8,
        width=1,
        widest=16,
    ),
    Network(
        "cifar-resnet",
        "ResNet-(6n+2)",
        "He et al. 2016, arXiv 1512.03385, section 4.2; shortcuts of Frankle, Schwab & Morcos 2021, arXiv 2003.00152",
        "3n residual blocks of widths 16, 32, 64 with projections and batch norm as shortcuts (option B); the number "
        "behind the colon is the depth: 8, 14, 20, up to 1,202.",
        "always",
        20.4,
        width=14,
        widest=1202,
        deep=True,
    ),
    Network(
        "cifar-resnet-plain",
        "ResNet-(6n+2) without shortcuts",
        "Li et al. 2018, arXiv 1712.09913",
        "The convolutions of cifar-resnet with batch norm, without shortcuts around them; the number behind the colon "
        "is the depth.",
        "always",
        20.4,
        width=14,
        widest=1202,
        deep=True,
    ),
    Network(
        "cnn-5",
        "5-layer CNN",
        "Nakkiran et al. 2019, arXiv 1912.02292",
        "Four 3x3 convolutions of widths k to 8k, then one linear layer; k = 64 has 1,558,026 parameters on CIFAR-10.",
        "always",
        174,
        width=64,
        widest=512,
    ),
    Network(
        "cnn-1d",
        "1-D CNN",
        "Greydanus 2020, arXiv 2011.14439",
        "Three 1-D convolutions of 25 channels, kernels 5, 3, 3, stride 2, then one linear layer; 5,210 parameters on "
        "MNIST-1D.",
        "never",
        0.62,
        sequential=True,
    ),
)

NETWORKS: Mapping[str, Network] = {network.name: network for network in _ALL}


def resolve(name: str) -> tuple[Network, int]:
    """Return the network that a name means and its width (0 where it has none). Raises BadValue."""
    stem, colon, suffix = name.partition(":")
    if stem not in NETWORKS:
        raise BadValue(f"there is no network {stem!r}", nearest(stem, tuple(NETWORKS)))
    network = NETWORKS[stem]
    if not colon:
        return network, network.width
    if not network.width:
        raise BadValue(f"{stem} comes in one width only, not {suffix!r}", f"write {stem}")
    if suffix.isascii() and suffix.isdigit() and 1 <= int(suffix) <= network.widest:
        if network.deep and (int(suffix) < 8 or int(suffix) % 6 != 2):
            raise BadValue(
                f"a {network.title} of depth {suffix} does not exist: depths are 8, 14, 20 and so on",
                f"nearest valid value: {max(6 * round((int(suffix) - 2) / 6) + 2, 8)}",
            )
        return network, int(suffix)
    raise BadValue(
        f"{'depth' if network.deep else 'width'} {suffix!r} of {stem} is not a whole number from 1 to {network.widest}",
        f"the standard one is {stem}:{network.width}",
    )


def check(name: str, shape: tuple[int, ...]) -> None:
    """Raise BadValue unless the name is known and its network takes inputs of this shape, (C, H, W) or (values,)."""
    network, _ = resolve(name)
    text = "x".join(str(size) for size in shape) or "scalar"
    if network.sequential:
        if len(shape) != 1:
            raise BadValue(f"{name} needs one-dimensional inputs, not {text}", "choose mnist1d")
        if shape[0] < network.smallest:
            raise BadValue(f"{name} needs at least {network.smallest} values, not {shape[0]}")
        return
    if len(shape) != 3 or min(shape) < 1:
        raise BadValue(f"{name} needs images (channels, height, width), not {text} inputs", "choose an image data set")
    if min(shape[1:]) < network.smallest:
        least = f"{network.smallest}x{network.smallest}"
        raise BadValue(f"{name} needs images of at least {least} pixels, not {shape[1]}x{shape[2]}")


def multiplications(name: str, shape: tuple[int, ...]) -> float:
    """Return roughly how many multiplications a forward pass on one image takes. Raises BadValue."""
    network, width = resolve(name)
    pixels = math.prod(shape[-2:])
    if network.deep:
        return 1e6 * network.work * pixels / 784 * (width - 2) / (network.width - 2)
    return 1e6 * network.work * pixels / 784 * ((width / network.width) ** 2 if network.width else 1.0)


def build(
    name: str,
    shape: tuple[int, ...],
    classes: int,
    *,
    batch_norm: bool = False,
    batch_norm_momentum: float = 0.1,
    dropout: float = 0.0,
) -> nn.Module:
    """Return a network for inputs (N, *shape) that gives logits (N, classes), drawn from torch's global generator.

    A network that always has batch norm has it whatever `batch_norm` says. Dropout modules are there at 0 too: on the
    hidden units of dense layers, or on the pooled features where the last layer is the only dense one. Raises BadValue.
    """
    network, width = resolve(name)
    check(name, shape)
    if batch_norm and network.has_batch_norm == "never":
        others = ", ".join(other.name for other in _ALL if other.has_batch_norm != "never")
        raise BadValue(f"{network.name} has no batch norm", f"these have: {others}")

    from genlab_tui.models import conv, inception, resnet

    momentum = batch_norm_momentum if batch_norm or network.has_batch_norm == "always" else None
    match network.name:
        case "small-inception":
            return inception.small_inception(shape, classes, momentum=momentum, dropout=dropout)
        case "small-alexnet":
            return conv.small_alexnet(shape, classes, dropout=dropout)
        case "lenet":
            return conv.lenet(shape, classes, dropout=dropout)
        case "vgg-11":
            return conv.vgg_11(shape, classes, momentum=momentum, dropout=dropout)
        case "resnet-18":
            return resnet.resnet_18(width, shape, classes, momentum=batch_norm_momentum, dropout=dropout)
        case "resnet-20":
            return resnet.resnet_20(width, shape, classes, momentum=batch_norm_momentum, dropout=dropout)
        case "cifar-resnet":
            return resnet.cifar_resnet(width, shape, classes, momentum=batch_norm_momentum, dropout=dropout)
        case "cifar-resnet-plain":
            return resnet.cifar_resnet_plain(width, shape, classes, momentum=batch_norm_momentum, dropout=dropout)
        case "cnn-5":
            return conv.cnn_5(width, shape, classes, momentum=batch_norm_momentum, dropout=dropout)
        case "cnn-1d":
            return conv.cnn_1d(shape, classes, dropout=dropout)
        case _:
            return conv.conv_k(int(network.name.removeprefix("conv-")), shape, classes, dropout=dropout)


def parameter_count(name: str, shape: tuple[int, ...], classes: int, **options: Any) -> int:
    """Return the number of weights and biases of what `build` would return, without drawing or keeping any."""
    import torch

    with torch.device("meta"):
        module = build(name, shape, classes, **options)
    return sum(p.numel() for p in module.parameters())
