"""Why batch norm helps: training, internal covariate shift, smoothness against loss, gradient predictiveness."""

from __future__ import annotations

import math

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.phenomena._batch_norm_why.config import BATCH, L1, LINEAR, NOISY, PERCEPTRON, PLAIN, Config
from genlab_tui.phenomena._batch_norm_why.numbers import levels
from genlab_tui.rundata import RunData

BAND = "line: mean over seeds, band: 1 standard deviation"
LOOKED = (PLAIN, BATCH, NOISY, L1)
PER_DECADE = 2  # levels of loss in a decade, as in training.normalised_training


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return the pictures of a run, also of data still coming."""
    same = f"all at learning rate {config.lr:g}"
    found = [
        Figure(
            "learning",
            "Training loss",
            "step",
            "squared error, summed" if config.model == LINEAR else "training loss (nats)",
            curve_lines(run_data, "train_loss"),
            log_y=True,
            note=f"all training samples; {BAND}",
        )
    ]
    if config.model == PERCEPTRON:
        found.append(
            Figure(
                "accuracy",
                "Test accuracy",
                "epoch",
                "test accuracy",
                curve_lines(run_data, "test_accuracy", x="epoch"),
                note=f"statistics of all training samples, noise at its mean; {BAND}",
            )
        )
    found += [
        Figure(
            "shift",
            "Internal covariate shift: change of a layer's gradient",
            "step",
            "|G - G'|, mean of layers",
            curve_lines(run_data, "ics", arms=LOOKED),
            log_y=True,
            note=f"G': the layers before have taken their step, same samples; {same}; {BAND}",
        ),
        Figure(
            "cosine",
            "Internal covariate shift: direction of a layer's gradient",
            "step",
            "cosine of G and G'",
            curve_lines(run_data, "ics_cosine", arms=LOOKED),
            (Reference(1.0, "no shift"),),
            note=f"mean of layers; {same}; {BAND}",
        ),
        Figure(
            "smoothness",
            "Effective smoothness at the same loss",
            "loss of the step's samples",
            "effective beta",
            _over_loss(run_data, "effective_beta"),
            log_x=True,
            log_y=True,
            note=f"largest change of the gradient per distance along the step; {same}; levels of half a decade; "
            "line: geometric mean over seeds, band: 1 standard deviation of the logarithm",
        ),
        Figure(
            "predictiveness",
            "Gradient predictiveness: how far a step changes the gradient",
            "step",
            "largest |change of the gradient|",
            curve_lines(run_data, "gradient_change", arms=LOOKED),
            log_y=True,
            note=f"smaller: the gradient is a better guide; {same}; {BAND}",
        ),
        Figure(
            "inputs",
            "How far a step moves the inputs of the layers",
            "step",
            "shift of mean and spread / spread",
            curve_lines(run_data, "input_shift", arms=LOOKED),
            log_y=True,
            note=f"mean of layers, same samples; noise of one step and the next; {same}; {BAND}",
        ),
    ]
    return tuple(found)


def _over_loss(run_data: RunData, metric: str) -> tuple[Line, ...]:
    """Return a probe's medians over levels of loss, an arm a line, from high loss to low."""
    lines = []
    for arm in run_data.arms:
        if arm.name not in LOOKED:
            continue
        logs: dict[int, list[float]] = {}
        for seed in run_data.seeds:
            for level, value in levels(run_data, metric, (arm.name, seed)).items():
                if value > 0:
                    logs.setdefault(level, []).append(math.log(value))
        if not logs:
            continue
        places = sorted(logs)
        means = [math.fsum(logs[k]) / len(logs[k]) for k in places]
        spreads = [
            math.sqrt(math.fsum((v - mean) ** 2 for v in logs[k]) / (len(logs[k]) - 1)) if len(logs[k]) > 1 else 0.0
            for k, mean in zip(places, means, strict=True)
        ]
        lines.append(
            Line(
                arm.title,
                tuple(10 ** ((k + 0.5) / PER_DECADE) for k in places),
                tuple(math.exp(mean) for mean in means),
                tuple(math.exp(mean - sd) for mean, sd in zip(means, spreads, strict=True)),
                tuple(math.exp(mean + sd) for mean, sd in zip(means, spreads, strict=True)),
                n=tuple(len(logs[k]) for k in places),
            )
        )
    return tuple(lines)
