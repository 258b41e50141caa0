"""Why batch norm helps: training, internal covariate shift, smoothness against loss, gradient predictiveness."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping

from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.phenomena._batch_norm_why.config import BATCH, L1, LINEAR, NOISY, PERCEPTRON, PLAIN, Config
from genlab_tui.phenomena._batch_norm_why.numbers import levels
from genlab_tui.rundata import RunData
from genlab_tui.stats import Summary, summarise

BAND = "line: mean over seeds, band: 1 standard deviation"
GEOMETRIC = "line: geometric mean over seeds, band: 1 standard deviation of the logarithm"
STEPPED = "same samples; the layers before have taken their step, and noise is drawn anew"
LOSS = "loss of the step's samples"
LOOKED = (PLAIN, BATCH, NOISY, L1)
PER_DECADE, LEAST = 2, 3  # levels of loss in a decade and probes in a level, as in training.normalised_training


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
    matched = f"medians within half a decade of loss; {same}"
    found += [
        Figure(
            "smoothness",
            "Effective smoothness at the same loss",
            LOSS,
            "effective beta",
            _over_loss(run_data, "effective_beta"),
            log_x=True,
            log_y=True,
            note=f"largest change of the gradient per distance along the step; {matched}; {GEOMETRIC}",
        ),
        Figure(
            "shift",
            "Internal covariate shift: change of a layer's gradient at the same loss",
            LOSS,
            "|G - G'|, mean of layers",
            _over_loss(run_data, "ics"),
            log_x=True,
            log_y=True,
            note=f"{STEPPED}; {matched}; {GEOMETRIC}",
        ),
        Figure(
            "cosine",
            "Internal covariate shift: direction of a layer's gradient at the same loss",
            LOSS,
            "cosine of G and G'",
            _over_loss(run_data, "ics_cosine", geometric=False),
            (Reference(1.0, "no shift"),),
            log_x=True,
            note=f"mean of layers; {STEPPED}; {matched}; {BAND}",
        ),
        Figure(
            "predictiveness",
            "Gradient predictiveness: how far a step changes the gradient at the same loss",
            LOSS,
            "largest |change of the gradient|",
            _over_loss(run_data, "gradient_change"),
            log_x=True,
            log_y=True,
            note=f"smaller: the gradient is a better guide; {matched}; {GEOMETRIC}",
        ),
        Figure(
            "inputs",
            "How far the inputs of the layers move from one step to the next",
            "step",
            "shift of mean and spread / spread",
            curve_lines(run_data, "input_shift", arms=LOOKED),
            log_y=True,
            note=f"mean of layers; {STEPPED}; {same}; {BAND}",
        ),
    ]
    return tuple(found)


def _levels(run_data: RunData, metric: str, member: tuple[str, int]) -> dict[int, float]:
    """Return a probe's median at every level of loss, of a network that still trains from what it has sent so far."""
    if final := levels(run_data, metric, member):
        return final
    losses, values = (run_data.curves.get(name, {}).get(member) for name in ("batch_loss", metric))
    if losses is None or values is None:
        return {}
    loss_at = dict(zip(losses.step.tolist(), losses.value.tolist(), strict=True))
    found: dict[int, list[float]] = {}
    for step, value in zip(values.step.tolist(), values.value.tolist(), strict=True):
        loss = loss_at.get(step, math.nan)
        if math.isfinite(loss) and loss > 0 and math.isfinite(value):
            found.setdefault(math.floor(PER_DECADE * math.log10(loss)), []).append(value)
    return {level: statistics.median(own) for level, own in found.items() if len(own) >= LEAST}


def _over_loss(run_data: RunData, metric: str, *, geometric: bool = True) -> tuple[Line, ...]:
    """Return a probe's medians over levels of loss, an arm a line: mean over seeds, geometric unless told otherwise."""
    lines = []
    for arm in run_data.arms:
        if arm.name not in LOOKED:
            continue
        rows: dict[int, list[float]] = {}
        for seed in run_data.seeds:
            for level, value in _levels(run_data, metric, (arm.name, seed)).items():
                if value > 0 or not geometric:
                    rows.setdefault(level, []).append(math.log(value) if geometric else value)
        if not rows:
            continue
        found = {level: summarise(rows[level]) for level in sorted(rows)}

        def line(sign: float, found: Mapping[int, Summary] = found) -> tuple[float, ...]:
            values = (s.mean + sign * (s.sd if s.n > 1 else 0.0) for s in found.values())
            return tuple(math.exp(value) if geometric else value for value in values)

        lines.append(
            Line(
                arm.title,
                tuple(10 ** ((level + 0.5) / PER_DECADE) for level in found),
                line(0),
                line(-1),
                line(1),
                n=tuple(s.n for s in found.values()),
            )
        )
    return tuple(lines)
