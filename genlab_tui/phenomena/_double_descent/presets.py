"""The presets of double descent: quick ones of every mode, and the protocols of its sources."""

from __future__ import annotations

from genlab_tui.phenomena._double_descent.config import ENSEMBLE, EPOCHS, NETWORK, REUSE, SAMPLES
from genlab_tui.phenomenon import Preset

_BELKIN = {
    "model": NETWORK,
    "n": 4000,
    "noise": 0.0,
    "test": 0,
    "loss": "squared",
    "optimiser": "sgd",
    "init": "glorot-uniform",
}

_LILLOG = {
    **_BELKIN,
    "hidden": (
        *(5, 10, 15, 20, 25, 30, 35, 40, 42, 44, 46, 48, 49, 50, 51, 52, 54, 56, 58, 60, 65, 70, 80, 100),
        *(120, 150, 200),
    ),
    "lr": 3e-4,
    "batch": 128,
    "epochs": 500,
}
_LILLOG_NOTE = (
    "Weng 2019: 27 widths, n = 4,000, squared loss, 500 epochs, SGD of momentum 0.95; runs on fashion-mnist too. "
    "Unverified: optimiser (a public copy of its code has Adam), widths, learning rate, batch size, initial weights. "
    "Such curves are known to fail often. "
    "The control, weight decay, is not the source's, and so weak that it may peak as well"
)

_NAKKIRAN = {
    "model": NETWORK,
    "n": 50_000,
    "test": 0,
    "noise": 0.15,
    "hidden": (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64),
    "lr": 1e-4,
    "batch": 128,
    "epochs": 4000,
}
_NAKKIRAN_NOTE = (
    "Nakkiran et al. 2020: widths k = 1 to 64 on CIFAR-10 with 15 % label noise, Adam at 1e-4, 4,000 epochs. "
    "Unverified: batch size, which k, augmentation (off here; --on augmentation shifts images). The control, clean "
    "labels, may show a plateau"
)

PRESETS = {
    "quick": Preset(seeds=5, data="digits", note="the whole curve at n = 300, in seconds"),
    "network": Preset(
        {"model": NETWORK, "n": 1000},
        seeds=4,
        data="digits",
        note="networks of 14 widths trained with 20 % noisy and with clean labels, all at once",
    ),
    "epoch-wise": Preset(
        {"model": NETWORK, "sweep": EPOCHS, "n": 1000, "size": 250, "lr": 1e-3, "epochs": 1000},
        seeds=5,
        data="digits",
        note="one large network, ten times what just fits: test error over epochs, 20 % noisy against clean labels. On "
        "digits and mnist1d it rises and the second fall does not come",
    ),
    "sample-wise": Preset(
        {"sweep": SAMPLES},
        seeds=5,
        data="digits",
        note="300 random features, ever more samples: test error peaks at n = 300, in seconds",
    ),
    "sample-wise-network": Preset(
        {
            "model": NETWORK,
            "sweep": SAMPLES,
            "size": 12,
            "samples": (60, 90, 125, 180, 250, 360, 500, 720, 1000),
            "epochs": 150,
        },
        seeds=5,
        data="digits",
        note="networks of 12 hidden units, ever more samples with 20 % noisy and with clean labels: on digits and "
        "mnist1d more data did not hurt",
    ),
    "ensemble": Preset(
        {
            "model": NETWORK,
            "sweep": ENSEMBLE,
            "n": 1000,
            "hidden": (5, 8, 11, 14, 18, 22, 28, 36, 60, 120),
        },
        seeds=5,
        data="digits",
        note="the outputs of 5 networks that differ in initial weights alone, averaged at every width",
    ),
    "standard": Preset(
        {
            "widths": (
                *(5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 100, 120, 150, 180, 210, 240, 260, 290, 295, 305, 310),
                *(340, 370, 400, 450, 500, 600, 700, 850, 1000, 1400, 2000, 3000, 5000, 7000, 10_000),
            ),
            "test": 0,
        },
        seeds=10,
        data="digits",
        note="a dense grid, out to N = 33 n",
    ),
    "lillog": Preset(_LILLOG, seeds=5, data="mnist", note=f"{_LILLOG_NOTE}. Every width from weights of its own"),
    "lillog-reuse": Preset(
        _LILLOG | {"start": REUSE},
        seeds=5,
        data="mnist",
        note=f"{_LILLOG_NOTE}. Every width from the trained one before it: a chain, which batches seeds alone",
    ),
    "paper": Preset(
        {
            "n": 10_000,
            "features": "fourier",
            "sigma": 5.0,
            "noise": 0.0,
            "test": 0,
            "validation": 1000,
            "widths": (
                *(100, 500, 1000, 2000, 4000, 6000, 8000, 9000, 11_500, 13_000),
                *(16_000, 20_000, 30_000, 40_000, 60_000),
            ),
        },
        seeds=3,
        data="mnist",
        note=(
            "Belkin et al. 2019, Fig. 2: random Fourier features of sigma = 5, MNIST, n = 10,000, threshold at "
            "N = n, N to about 60,000. Unverified: the list of N, the number of seeds, which 10,000 images. The "
            "paper prints curves, no numbers. About fifteen hours on two cores, 18 GB of memory"
        ),
    ),
    "belkin": Preset(
        {
            **_BELKIN,
            "hidden": (4, 6, 10, 16, 25, 31, 38, 44, 46, 48, 49, 50, 51, 53, 57, 63, 76, 113, 252, 500, 1000),
            "lr": 3e-4,
            "batch": 128,
            "epochs": 6000,
        },
        seeds=5,
        data="mnist",
        note=(
            "Belkin et al. 2019, one hidden layer: MNIST, n = 4,000, squared loss, momentum 0.95, Glorot-uniform "
            "weights, 6,000 epochs, threshold at n x classes parameters. Unverified: learning rate, batch size, the "
            "list of H. Not as there: below the threshold they reuse weights (start = reuse does at all widths), let "
            "steps shrink by a tenth every 500 epochs and stop at zero error. Known to fail often"
        ),
        gpu="about 10 minutes and 2 GB",
    ),
    "nakkiran": Preset(
        _NAKKIRAN | {"network": "resnet-18"},
        seeds=3,
        data="cifar10",
        note=f"{_NAKKIRAN_NOTE}. Blocks are torchvision's, theirs normalise before they convolve",
        gpu="about 16 days and 8 GB",
    ),
    "nakkiran-cnn": Preset(
        _NAKKIRAN | {"network": "cnn-5"},
        seeds=3,
        data="cifar10",
        note=_NAKKIRAN_NOTE,
        gpu="about 9 days and 8 GB",
    ),
}
