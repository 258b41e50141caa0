"""Grokking: its presets."""

from __future__ import annotations

from genlab_tui.phenomena._grokking.config import PLAIN, SPLITS, SUMMED, TRANSFORMER
from genlab_tui.phenomenon import Preset

LONG = {"p": 59, "hidden": 256, "lr": 3e-3, "steps": 8000}

PRESETS = {
    "quick": Preset({"fractions": (0.8,)}, seeds=3, note="addition modulo 59 by a perceptron, in seconds"),
    "standard": Preset(
        {**LONG, "fractions": (0.3, 0.8)},
        seeds=5,
        note="a wider perceptron, a smaller learning rate, also less data; minutes",
    ),
    "leak": Preset(
        {"embedding": SUMMED, "split": SPLITS[1], "fractions": (0.8,)},
        seeds=3,
        note="a counter-example: embeddings are summed and ordered pairs are held out, so that the mirror images of "
        "half of them are trained on; test accuracy jumps as the network fits, and the verdict must not be SHOWN",
    ),
    "paper": Preset(
        {
            "model": TRANSFORMER,
            "operation": "division",
            "p": 97,
            "embed": 128,
            "hidden": 512,
            "layers": 2,
            "heads": 4,
            "lr": 1e-3,
            "warmup": 10,
            "batch": 512,
            "steps": 100_000,
        },
        seeds=3,
        note="Power et al.: division modulo 97 by a transformer of 2 layers, batches of 512; the hidden width of its "
        "blocks, its initialisation, its positions (learned here) and where its layer norms stand are not confirmed, "
        "and pairs are held out with their mirror images; the published delay of about 1000 was seen in a longer "
        "training, test accuracy near a million steps: in 100,000 steps it cannot be reached (steps = 1000000 allows "
        "for it)",
        gpu="about 40 minutes and 8 GB",
    ),
    "nanda": Preset(
        {
            "model": PLAIN,
            "p": 113,
            "embed": 128,
            "hidden": 512,
            "layers": 1,
            "heads": 4,
            "lr": 1e-3,
            "fraction": 0.3,
            "fractions": (0.25, 0.5),
            "steps": 40_000,
        },
        seeds=3,
        note="Nanda et al.: addition modulo 113 by a transformer of 1 layer without layer norm, all pairs in every "
        "step; its initialisation is not confirmed, and pairs are held out with their mirror images",
        gpu="about 40 minutes and 12 GB",
    ),
}
