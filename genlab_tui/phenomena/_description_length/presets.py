"""Description length: the presets."""

from __future__ import annotations

from genlab_tui.phenomena._description_length.config import MIXTURE
from genlab_tui.phenomenon import Preset

PUBLISHED_RECIPE = (
    "the published networks and recipe are not known here: architecture, optimiser, epochs, splits and how models are "
    "switched between are as set, confirmed by no text that could be read"
)

PRESETS = {
    "quick": Preset(seeds=3, data="digits", note="1,200 labels in nine blocks, four models"),
    "hard-data": Preset(
        seeds=3,
        data="mnist1d",
        note="MNIST-1D, hard for a perceptron: half of the bits are too much to ask; expected NOT SHOWN",
    ),
    "over-confident": Preset(
        {"calibration": MIXTURE},
        seeds=3,
        data="digits",
        note="the same as quick with no temperature fitted: what confident mistakes cost",
    ),
    "standard": Preset({"n": 4000}, seeds=5, data="fashion-mnist", note="4,000 labels of real images"),
    "paper": Preset(
        {"models": ("cnn-5", "vgg-11"), "batch": 128},
        seeds=3,
        data="cifar10",
        regularisers={"batch-norm": 0.1},
        note=f"all labels of CIFAR-10 with a VGG; {PUBLISHED_RECIPE}",
        gpu="about 10 hours and 10 GB",
    ),
    "paper-mnist": Preset(
        {"models": ("logistic", "lenet", "1x128", "2x256"), "batch": 128},
        seeds=3,
        data="mnist",
        note=f"all labels of MNIST; {PUBLISHED_RECIPE}",
        gpu="about 2 hours and 4 GB",
    ),
}
