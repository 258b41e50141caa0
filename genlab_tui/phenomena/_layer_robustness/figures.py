"""Layer robustness: the heat map, the drops by layer, how far layers moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genlab_tui.figure import Figure, HeatMap, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.phenomena._layer_robustness.config import (
    BATCH_NORM_NOTE,
    CRITICAL,
    DROP,
    FINAL,
    LARGEST,
    MOVED,
    OTHER,
    RAND,
    ROBUST,
    START,
    TRAINED,
    Config,
    arm_of,
    checkpoints_of,
    data_of,
)
from genlab_tui.phenomena._layer_robustness.numbers import drops, layer_names, movements, over_seeds
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise


def figures(config: Config, run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return the paper's heat map, the drop layer by layer, how far layers moved, and learning curves."""
    names = layer_names(run_data)
    where = "; ".join(f"{k} = {name}" for k, name in enumerate(names, start=1))
    curves = curve_lines(run_data, "train_accuracy", x="epoch", arms=(FINAL,), prefix="training: ")
    curves += curve_lines(run_data, "test_accuracy", x="epoch", arms=(FINAL,), prefix="test: ")
    return (
        _heat_map(run_data, config, names),
        Figure(
            "layers",
            "Accuracy lost with one layer replaced",
            "layer, from the inputs on",
            "test accuracy lost (points)",
            (
                *_by_layer("fresh draw", drops(run_data, RAND), 100.0),
                *_by_layer("another network's start", drops(run_data, OTHER), 100.0, points=True),
                *_by_layer("its own start", drops(run_data, START), 100.0),
            ),
            (*_gap(run_data), Reference(100 * CRITICAL, "critical"), Reference(100 * ROBUST, "robust")),
            note=f"{where}; band: 1 standard deviation over seeds; {BATCH_NORM_NOTE}",
        ),
        Figure(
            "movement",
            "How far each layer moved in training",
            "layer, from the inputs on",
            "change",
            (
                *_by_layer("|end - start| / |start|", movements(run_data, MOVED)),
                *_by_layer("largest change of a number", movements(run_data, LARGEST)),
            ),
            log_y=True,
            note=f"{where}; where layers hardly move (small learning rate, large width), all of them look robust",
        ),
        Figure(
            "learning",
            "Learning",
            "epoch",
            "accuracy",
            curves,
            (Reference(TRAINED, "trained"), Reference(1 / data_of(run_data.spec).classes, "chance")),
            note="line: mean over seeds, band: 1 standard deviation",
        ),
    )


def _heat_map(run_data: RunData, config: Config, names: Sequence[str]) -> HeatMap:
    columns = (RAND, START, *(str(epoch) for epoch in checkpoints_of(config)))
    rows = []
    for layer in names:
        found = [summarise(run_data.measure(DROP, arm_of(layer, column)).values()).mean for column in columns]
        rows.append(tuple(100 * value for value in found))
    return HeatMap(
        "heat",
        "Test accuracy lost with one layer put back, points",
        "put back to",
        "layer",
        ("rand", *(f"epoch {column}" for column in columns[1:])),
        tuple(names),
        tuple(rows),
        note=f"rand: a fresh draw of the initialiser (mean of {config.draws}); mean over seeds; {BATCH_NORM_NOTE}",
    )


def _by_layer(
    label: str, rows: Mapping[int, Sequence[float]], scale: float = 1.0, *, points: bool = False
) -> tuple[Line, ...]:
    found = over_seeds(rows)
    if not found:
        return ()
    return (
        Line(
            label,
            tuple(float(k) for k in range(1, len(found) + 1)),
            tuple(scale * s.mean for s in found),
            tuple(scale * (s.mean - s.sd) for s in found),
            tuple(scale * (s.mean + s.sd) for s in found),
            points=points,
            n=tuple(s.n for s in found),
        ),
    )


def _gap(run_data: RunData) -> tuple[Reference, ...]:
    """Return the line of what there is to lose."""
    if not layer_names(run_data):
        return ()
    whole = summarise(run_data.measure("test_accuracy", FINAL).values()).mean
    return (Reference(100 * (whole - 1 / data_of(run_data.spec).classes), "down to chance"),)
