"""The drift to the largest margin: presets, from toy sets alone to a convolutional network on CIFAR-10."""

from __future__ import annotations

from collections.abc import Mapping

from genlab_tui.phenomenon import Preset

UNVERIFIED = (
    "Unverified: the paper's own toy set, which is not the one drawn here, and of its network on CIFAR-10 the "
    "architecture, learning rate, batch size and number of epochs"
)

PRESETS: Mapping[str, Preset] = {
    "quick": Preset(seeds=5, data="digits", note="20 points, a million steps; a small perceptron on digits"),
    "standard": Preset(
        {"steps": 10_000_000, "network": "mlp-2x256", "n": 4000, "epochs": 150},
        seeds=5,
        data="mnist1d",
        note="ten million steps; 2x256 on all of MNIST-1D, where test loss rises plainly: a few minutes",
    ),
    "bias": Preset(
        {"bias": True, "network": "none"},
        seeds=5,
        data="digits",
        note="with a bias, penalised like the other weights, in descent and SVM alike; no network",
    ),
    "not-separable": Preset(
        {"contradictions": 1, "network": "none", "steps": 100_000, "contrast_steps": 10_000},
        seeds=3,
        data="digits",
        note="the honest counter-example: one point is there under both labels, so there is no margin to drift to; "
        "expected INCONCLUSIVE, and the norm converges",
    ),
    "paper": Preset(
        {"network": "conv-4", "n": 0, "epochs": 400, "batch": 128, "lr": 0.01, "decay": 5e-4},
        seeds=3,
        data="cifar10",
        note=f"the theorem on toy sets, and a convolutional network on CIFAR-10. {UNVERIFIED}",
        gpu="about 3 hours and 6 GB",
    ),
}
