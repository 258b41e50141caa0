"""The presets of minimum norm: quick ones, counter-examples and warnings, the protocol of its source."""

from __future__ import annotations

from genlab_tui.phenomena._minimum_norm.config import FEATURES
from genlab_tui.phenomenon import Preset

PRESETS = {
    "quick": Preset(seeds=5, data="digits", note="five kernels, a ridge curve and four descents, in seconds"),
    "standard": Preset(
        {
            "n": 4000,
            "test": 0,
            "bandwidths": (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.5, 8.0),
            "penalties": (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0),
        },
        seeds=5,
        data="mnist5k",
        note="4,000 images, ten bandwidths, ten penalties: a few minutes",
    ),
    "hard-data": Preset(
        seeds=5,
        data="mnist1d",
        note="a counter-example: to a Gaussian kernel on raw values, true labels look nearly as costly as random "
        "ones, and the interpolant predicts badly; NOT SHOWN",
    ),
    "ill-conditioned": Preset(
        {"system": FEATURES, "passes": 20_000},
        seeds=5,
        data="digits",
        note="a warning: gradient descent on random Fourier features of the data: the weights "
        "are far from the minimum norm even after 20,000 passes; NOT SHOWN",
    ),
    "too-wide": Preset(
        {"bandwidths": (2.0, 3.0, 8.0, 30.0, 300.0)},
        seeds=3,
        data="digits",
        note="kernels so wide that float64 cannot solve them: named and INCONCLUSIVE, never mended by a jitter",
    ),
    "contradictions": Preset(
        {"contradictions": 20},
        seeds=3,
        data="digits",
        note="20 images appear twice with different labels: exact interpolation is impossible; INCONCLUSIVE",
    ),
    "paper": Preset(
        {"n": 0, "test": 0, "bandwidths": (2.0, 3.0, 5.0), "penalties": (1e-4, 1e-2, 1.0)},
        seeds=3,
        data="mnist",
        note="Zhang et al. 2017: Gaussian kernel on all 60,000 pixel images, test error 1.2 %. Unverified: the "
        "bandwidth, which no text that could be read gives, and how pixels were scaled; three are tried here. The "
        "matrix takes 29 GB and its factor as much. All of the official images: the seeds only permute them, true "
        "labels give every seed the same numbers. On two cores about an hour a kernel, a day in all",
        gpu="some minutes and 60 GB, and as much main memory, not tried",
    ),
}
