"""What a launch would cost, in a line; durations in words."""

from __future__ import annotations

from genlab_tui.phenomenon import USUAL, Estimate
from genlab_tui.text import human_bytes


def cost_line(
    estimate: Estimate, arms: int, seeds: int, width: int = 80, took: float = 0.0, precision: str = USUAL
) -> str:
    """Return `18 members (6 × 3) · about 40 s · 60 MB` in a width; a run like it that `took` its time is no guess.

    An unusual precision is said too, as far as it fits.
    """
    members = f"{estimate.members} member" + ("" if estimate.members == 1 else "s")
    time = f"took {about(took)} here" if took else f"about {about(estimate.seconds)}"
    memory = human_bytes(estimate.bytes)
    short = f"{members} · {time} · {memory}"
    forms = [f"{members} ({arms} × {seeds}) · {time} · {memory}", short]
    if precision != USUAL:
        forms[:0] = [f"{form} · {said}" for form in forms for said in (precision, precision.split()[0])]
    return next((form for form in forms if len(form) <= width), short)


def about(seconds: float) -> str:
    """Return a rough duration in words: `40 s`, `3 min`, `2.5 h`, `4 days`."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{round(seconds / 86_400)} days"
