"""Intrinsic dimension: presets, from seconds on digits to the released code's defaults."""

from __future__ import annotations

from collections.abc import Mapping

from genlab_tui.phenomena._intrinsic_dimension.config import LENET, RANDOM, SHUFFLED, TRUE
from genlab_tui.phenomenon import Preset

PRESETS: Mapping[str, Preset] = {
    "quick": Preset(
        seeds=3,
        data="digits",
        note="three networks whose sizes differ eightfold, six dimensions, three draws of P, four controls",
    ),
    "standard": Preset(
        {
            "nets": ("32", "64", "128", "64-64", "256"),
            "d": (10, 30, 60, 100, 140, 200, 300, 500),
            "projection": "dense",
            "control_d": (200, 400, 800, 1600, 2400),
        },
        seeds=5,
        data="digits",
        note="five networks, eight dimensions, dense Gaussian projections, five draws",
    ),
    "hard-data": Preset(
        {
            "nets": ("64", "128-128", "512"),
            "d": (100, 200, 400, 800, 1600),
            "lr": 0.03,
            "epochs": 120,
            "control_d": (400, 800, 1600, 3200),
        },
        seeds=3,
        data="mnist1d",
        note="the counter-example: a task on which few samples are nearly as hard to learn as noise. Quick's "
        "dimensions are too few for it. Expect NOT SHOWN; about half a minute",
    ),
    "lenet": Preset(
        {
            "nets": (LENET, "128"),
            "n": 4000,
            "d": (50, 100, 200, 300, 500, 800),
            "epochs": 15,
            "direct_lr": 2e-3,
            "control_net": LENET,
            "control_n": 1000,
            "control_d": (800, 2000, 6000),
            "control_epochs": 40,
            "control_lr": 0.02,
        },
        seeds=3,
        data="fashion-mnist",
        arms=(LENET, "128", TRUE, SHUFFLED, RANDOM),
        note="LeNet beside a perceptron on 4,000 real images: about five minutes on two cores",
    ),
    "lillog": Preset(
        {
            "nets": ("64-64", "128"),
            "n": 0,
            "d": (10, 30, 60, 100, 200, 400, 800),
            "columns": "normal",
            "projection": "dense",
            "lr": 4e-4,
            "direct_lr": 1e-3,
            "epochs": 100,
            "control_net": "32",
            "control_d": (400, 1000, 3000),
            "control_lr": 1e-4,
        },
        seeds=3,
        data="mnist5k",
        note=(
            "Weng 2019 tries it with two networks on a tenth of MNIST (here: 4,000 images; with data mnist, set "
            "n = 6000), 100 epochs, columns as drawn from N(0, 1). Unverified: optimiser, learning rates, batch"
        ),
    ),
    "paper": Preset(
        {
            "nets": ("200-200",),
            "n": 0,
            "d": (10, 50, 100, 200, 300, 400, 500, 600, 700, 750, 800, 1000, 1500),
            "lr": 1e-3,
            "direct_lr": 1e-3,
            "epochs": 100,
            "batch": 128,
            "control_net": "200-200",
            "control_n": 5000,
            "control_d": (2000, 5000, 10_000, 25_000),
            "control_lr": 1e-3,
            "control_epochs": 300,
        },
        seeds=3,
        data="mnist",
        regularisers={"weight-decay": 2e-5},
        note=(
            "the released code's defaults for its 784-200-200-10 on MNIST (D = 199,210): Adam 0.001, batches of "
            "128, 100 epochs, 1e-5 times the squared weights in the loss. The paper picks a learning rate for "
            "every d; unverified: its dimensions. The controls are this lab's"
        ),
        gpu="about 30 minutes and 4 GB",
    ),
    "paper-lenet": Preset(
        {
            "nets": (LENET,),
            "n": 0,
            "d": (50, 100, 150, 200, 250, 275, 290, 300, 350, 400, 500),
            "lr": 1e-3,
            "direct_lr": 1e-3,
            "epochs": 100,
            "batch": 128,
            "control_net": LENET,
            "control_n": 10_000,
            "control_d": (1000, 3000, 8000),
            "control_lr": 1e-3,
            "control_epochs": 200,
        },
        seeds=3,
        data="mnist",
        regularisers={"weight-decay": 2e-5},
        arms=(LENET, TRUE, SHUFFLED, RANDOM),
        note="the same for LeNet (D = 44,426); the controls, shuffled pixels among them, on 10,000 images; "
        "unverified: its dimensions",
        gpu="about 4 hours and 4 GB",
    ),
}
