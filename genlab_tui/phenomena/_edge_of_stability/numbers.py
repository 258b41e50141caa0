"""What a member's looks say: where it crossed its edge, where it stays, how often its loss rises. No torch."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from genlab_tui.phenomena._edge_of_stability.config import EDGE, NEAR
from genlab_tui.training.edge_columns import ACCURACY, ERROR, LOSS, RISES, SHARPNESS, UNSURE

MEASURES = (
    "steps",
    "first",
    "crossing",
    "crossed_early",
    "late",
    "late_sd",
    "late_sharpness",
    "late_of_edge",
    "late_of_plain",
    "largest",
    "largest_sharpness",
    "end_sharpness",
    "rises_before",
    "rises_after",
    "rising_share",
    "loss_ratio",
    "end_loss",
    "end_accuracy",
    "unsure",
)


def landmarks(
    steps: Sequence[int], noted: Sequence[Sequence[float]], eta: float, threshold: float, *, plain: bool = True
) -> dict[str, float]:
    """Return the MEASURES of one member from its looks: at which steps, and the columns noted there.

    `first`, `late`, `late_sd` and `largest` are of the sharpness in halves of its edge, which is eta * lambda without
    momentum: crossing is at 2. `late` numbers are over the looks of the second half of its steps. What happens before
    the crossing ends with the last look before it, what happens after begins with the first look at or above. A member
    that diverged has no late numbers, one that never crossed none after a crossing.

    A `plain` member (no momentum) may cross between two looks and be below again at the next: on a parabola no step
    raises the loss below 2, so the loss that rises from a look at NEAR or more is the crossing too. From a lower level
    it is not: it stays a rise before the crossing, of which there should be none.
    """
    columns = list(zip(*noted, strict=True))
    sharpness, errors, losses = columns[SHARPNESS], columns[ERROR], columns[LOSS]
    rises, accuracy = columns[RISES], columns[ACCURACY]
    level = [EDGE * value / threshold for value in sharpness]
    total, last = steps[-1], len(steps) - 1
    alive = all(map(math.isfinite, sharpness)) and total > 0
    half = [k for k in range(last + 1) if 2 * steps[k] >= total] if alive else []

    def crossed(k: int) -> bool:
        between = plain and k > 0 and rises[k] > rises[k - 1] and level[k - 1] >= NEAR
        return bool(between or level[k] >= EDGE)

    at = next(filter(crossed, range(last + 1)), None)
    before = (last if at is None else max(at - 1, 0)) if alive else 0
    found = dict.fromkeys(MEASURES, math.nan)
    found |= {"steps": float(total), "first": level[0], "crossed_early": 0.0}
    found |= {"end_loss": losses[-1], "end_accuracy": accuracy[-1]}
    found["unsure"] = sum(e > UNSURE * abs(s) for e, s in zip(errors, sharpness, strict=True)) / len(errors)
    if at is not None:
        found |= {"crossing": float(steps[at]), "crossed_early": float(alive and 2 * steps[at] <= total)}
    if not alive:
        return found
    late = [level[k] for k in half]
    mean = statistics.fmean(late)
    found |= {
        "late": mean,
        "late_sd": statistics.stdev(late) if len(late) > 1 else math.nan,
        "late_sharpness": mean * threshold / EDGE,
        "late_of_edge": mean / EDGE,
        "late_of_plain": mean * threshold / EDGE / (EDGE / eta),
        "largest": max(level),
        "largest_sharpness": max(sharpness),
        "end_sharpness": sharpness[-1],
        "rises_before": rises[before],
        "rising_share": rises[-1] / total,
    }
    if at is not None and at < last:
        found["rises_after"] = (rises[-1] - rises[at]) / (total - steps[at])
        found["loss_ratio"] = losses[-1] / losses[at]
    return found
