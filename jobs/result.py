"""What a finished run comes to: the verdict on its own events, a summary, headline numbers, in `result.json`."""

from __future__ import annotations

import math
from typing import Any

from genlab_tui import events as ev
from genlab_tui import verdict
from genlab_tui.paths import RunDir
from genlab_tui.phenomenon import Phenomenon
from genlab_tui.rundata import RunData
from genlab_tui.safe_io import write_json
from genlab_tui.stats import summarise
from jobs.tail import RunReader

RESULT_SCHEMA = 1


def write_result(run: RunDir, phenomenon: Phenomenon, attempt: int) -> None:
    """Judge the run from its own events and write `result.json`. Raises FloatingPointError where all is divergence."""
    reader = RunReader(run)
    reader.read_all()
    data = reader.data()
    if diverged(data):
        raise FloatingPointError("every member ended without a finite number")
    judged = verdict.judge(phenomenon, reader.spec, data)
    write_json(
        run.result,
        {
            "schema": RESULT_SCHEMA,
            "attempt": attempt,
            "summary": summary(data),
            "verdict": verdict.encode(judged),
            "headline": headline(phenomenon, data, judged),
            "changed": bool(data.changes),
        },
    )


def diverged(data: RunData) -> bool:
    """Tell whether there are curves and nothing in their ends or in the measures is finite."""
    ends = [c.value[-1] for by_member in data.curves.values() for c in by_member.values() if len(c.value)]
    finals = [v for by_member in data.measures.values() for v in by_member.values()]
    return bool(ends) and not any(math.isfinite(v) for v in (*ends, *finals))


def summary(data: RunData) -> dict[str, dict[str, dict[str, Any]]]:
    """Return mean, sample standard deviation and number of seeds by arm and measure; non-finite numbers by name."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for arm in data.arms:
        for name in data.measures:
            s = summarise(data.measure(name, arm.name).values())
            if s.n:
                sd = None if math.isnan(s.sd) else s.sd
                found.setdefault(arm.name, {})[name] = {"mean": s.mean, "sd": sd, "n": s.n}
    return found


def headline(phenomenon: Phenomenon, data: RunData, judged: verdict.Verdict) -> dict[str, float]:
    """Return the finite numbers that `Phenomenon.headline` names.

    A name is a criterion, a measure (its mean in the first arm that has it), or `measure:arm`.
    """
    criteria = {c.name: ev.from_value(c.value) for claim in judged.claims for c in claim.criteria}
    found = {}
    for name in phenomenon.headline:
        measure, _, wanted = name.partition(":")
        per_arm = [data.measure(measure, arm.name) for arm in data.arms if wanted in ("", arm.name)]
        values = next((per_seed for per_seed in per_arm if per_seed), {})
        number = criteria[name] if name in criteria else summarise(values.values()).mean
        if math.isfinite(number):
            found[name] = number
    return found
