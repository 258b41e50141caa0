"""How long runs take: what one like it took here, else what the estimate says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from genlab_tui import phenomena
from genlab_tui.paths import Lab
from genlab_tui.run import RunId, RunRecord, RunState
from jobs import tail

_estimates: dict[tuple[Lab, RunId], float] = {}


def took(records: Iterable[RunRecord]) -> dict[str, float]:
    """Return how many seconds runs that are done took, by the beginning of their identity: the newest of each.

    Only those that trained everything in one go, as it was asked for, say how long it takes.
    """
    done = [r for r in records if r.state is RunState.DONE and r.attempt == 1 and not (r.inherited or r.changed)]
    done.sort(key=lambda r: r.created)
    return {r.identity: r.ended - r.started for r in done if r.ended > r.started > 0}


def expected(lab: Lab, record: RunRecord, known: Mapping[str, float]) -> float:
    """Return how many seconds a run is expected to take: what one like it took, else the estimate, else -1.

    One that took seeds over trains the others alone.
    """
    if record.identity in known and not record.inherited:
        return known[record.identity]
    key = lab, record.id
    if key not in _estimates:
        try:
            spec = tail.read_spec(lab.run(record.id)).own_seeds
            phenomenon = phenomena.get(spec.phenomenon)
            _estimates[key] = float(phenomenon.estimate(phenomenon.config_of(spec), spec).seconds)
        except Exception:  # noqa: BLE001 - a phenomenon's own code: its mistakes must not hide the queue
            _estimates[key] = -1.0
    return _estimates[key]
