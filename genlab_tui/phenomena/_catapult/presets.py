"""The catapult: presets, from milliseconds of the model to wider networks."""

from __future__ import annotations

from collections.abc import Mapping

from genlab_tui.phenomenon import Preset

PRESETS: Mapping[str, Preset] = {
    "quick": Preset(
        seeds=5,
        data="digits",
        note="the model with 1,000 units; ReLU and linear networks with 512 units on 100 digits 0 and 1: in seconds",
    ),
    "standard": Preset(
        {"sweep": 90, "widths": (100, 316, 1000, 3162, 10_000), "samples": 200, "network_steps": 300,
         "network_rounds": 9},
        seeds=10,
        data="digits",
        note="a finer sweep, more widths, longer training of the networks: about a minute",
    ),
    "model": Preset(
        {"networks": False},
        seeds=20,
        data="digits",
        note="the model alone, more seeds; it draws its own samples and reads no data set",
    ),
    "narrow": Preset(
        {"width": 10, "networks": False},
        seeds=20,
        data="digits",
        note="the honest counter-example: the theory is that of wide models. With 10 units the curvature falls below "
        "the onset too, and the onset moves with every draw; expected INCONCLUSIVE, as a control fires",
    ),
    "paper": Preset(
        {"width": 10_000, "sweep": 90, "widths": (100, 1000, 10_000, 100_000), "network_steps": 2000,
         "network_rounds": 12},
        seeds=10,
        data="mnist",
        note="two classes of MNIST, one hidden layer of 512 ReLU units, squared error, all samples in every step, with "
        "the model ten times wider. Unverified: which classes, how many samples and steps; the width of the model",
    ),
}  # fmt: skip
