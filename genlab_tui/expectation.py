"""What was expected of a run beside what came out: one answer for screens, reports and exports."""

from __future__ import annotations

from genlab_tui.run import RunState
from genlab_tui.summary import LoadedRun


def outcome(expected: str, verdict: str) -> str:
    """Return whether an expected verdict was `right` or `wrong`; INCONCLUSIVE leaves every other one `undecided`."""
    return "right" if expected == verdict else "undecided" if verdict == "INCONCLUSIVE" else "wrong"


def judged(run: LoadedRun) -> bool:
    """Whether the verdict of a run is final: a run that goes on has one so far, one that ended early never has one."""
    return run.verdict is not None and run.record.state is RunState.DONE


def expectation(run: LoadedRun) -> str:
    """Return the `outcome` of what was expected of a run; empty where nothing was, or where it is not judged."""
    if not run.spec.expected or run.verdict is None or not judged(run):
        return ""
    return outcome(run.spec.expected, run.verdict.status)
