"""The edge of stability: presets, from a small perceptron on digits to that of the paper on CIFAR-10."""

from __future__ import annotations

from collections.abc import Mapping

from genlab_tui.phenomenon import Preset

UNVERIFIED = (
    "Unverified: all step sizes but 0.01, the initial weights (Glorot's times 0.6 have about the variance of torch's "
    "usual ones), the momentum arms"
)

PRESETS: Mapping[str, Preset] = {
    "quick": Preset(seeds=3, data="digits", note="tanh 64-64-64-10 on 1,000 digits, 3,000 steps of all samples"),
    "standard": Preset(
        {"etas": (0.2, 0.3, 0.4, 0.6), "small": 0.07, "steps": 4000, "every": 40, "precision": "float64"},
        seeds=5,
        data="digits",
        note="four step sizes, longer, more looks, all in float64: a few minutes",
    ),
    "hard-data": Preset(
        {"small": 0.05, "steps": 4000, "momentum": False},
        seeds=3,
        data="mnist1d",
        note="the same networks on MNIST-1D, where a step size of 0.1 meets the edge too: half of it is the control",
    ),
    "fashion": Preset(
        {"etas": (0.05, 0.1), "small": 0.02, "momentum": False},
        seeds=3,
        data="fashion-mnist",
        note="784 inputs make a sharper start: step sizes a quarter of those for digits; a minute or two",
    ),
    "cross-entropy": Preset(
        {"activation": "relu", "loss": "cross-entropy", "etas": (1.0, 1.6), "small": 0.1, "steps": 2000, "every": 20,
         "momentum": False},
        seeds=3,
        data="digits",
        note="the honest counter-example: ReLU and cross-entropy. Sharpness meets the edge and falls far below it "
        "again, so that it does not stay there; expected NOT SHOWN, with the late drop SHOWN",
    ),
    "sharp-start": Preset(
        {"gain": 0.7, "momentum": False},
        seeds=3,
        data="digits",
        note="weights of about the usual size: sharpness starts above the edge of the larger step size, so nothing "
        "is seen to rise; expected INCONCLUSIVE",
    ),
    "paper": Preset(
        {
            "n": 5000,
            "first": True,
            "hidden": (200, 200),
            "gain": 0.6,
            "etas": (0.01, 0.02),
            "small": 0.0025,
            "steps": 100_000,
            "every": 100,
            "until": 0.99,
            "polyak": 0.01,
            "nesterov": 0.005,
            "momentum_steps": 20_000,
        },
        seeds=3,
        data="cifar10",
        note="the paper's fully connected tanh network 200-200 on the first 5,000 samples of CIFAR-10, squared error, "
        f"to 99 % of them right or 100,000 steps, sharpness every 100. {UNVERIFIED}",
        gpu="about 40 minutes and 3 GB",
    ),
}  # fmt: skip
