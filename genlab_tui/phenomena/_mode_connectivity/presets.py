"""Mode connectivity: presets."""

from __future__ import annotations

from genlab_tui.phenomenon import Preset

ALL = {"n": 0, "test": 0}

PRESETS = {
    "quick": Preset(seeds=5, data="digits", note="300-100 on 1,200 digits: stable from its start"),
    "standard": Preset(
        ALL | {"forks": (0, 1, 10, 100, 1000)},
        seeds=5,
        data="mnist1d",
        note="300-100 on all of MNIST-1D, where independent networks lie further apart: about a minute",
    ),
    "unstable": Preset(
        ALL | {"lr": 1e-2, "forks": (0, 10, 30, 100, 300, 1000)},
        seeds=5,
        data="mnist1d",
        note="the counter-example: the same network with eight times the learning rate on MNIST-1D, where a start "
        "does not decide the basin: the main claim is expected NOT SHOWN, and the steps k are looked for from which on "
        "copies are stable",
    ),
    "paper": Preset(
        ALL | {"epochs": 24, "forks": (0, 10, 100, 1000, 10_000)},
        seeds=3,
        data="mnist",
        gpu="about 10 minutes and 3 GB",
        note="the paper's LeNet-300-100 on MNIST: Adam at 0.0012, batch 60. Unverified: number of epochs, initialiser",
    ),
    "resnet-20": Preset(
        ALL
        | {
            "network": "resnet-20",
            "optimiser": "sgd",
            "lr": 0.1,
            "drops": (56, 71),
            "batch": 128,
            "epochs": 85,
            "forks": (0, 100, 500, 1000, 2000, 5000, 10_000),
        },
        seeds=3,
        data="cifar10",
        regularisers={"augmentation": 4.0, "weight-decay": 1e-4},
        gpu="about 6 hours and 6 GB",
        note="the paper's ResNet-20 on CIFAR-10, unstable at its start (main claim expected NOT SHOWN) and stable from "
        "step 2,000 on: SGD at 0.1, batch 128, 85 epochs, the rate a tenth from epochs 56 and 71 on. Unverified: "
        "augmentation (shifts without flips here), weight decay, initialiser. Batch norm statistics are taken anew at "
        "every place",
    ),
}
