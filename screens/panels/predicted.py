"""What was expected of a run before it ran, and how it came out: the same words on every screen."""

from __future__ import annotations

from textual.content import Content

from genlab_tui.text import clean_text
from screens.panels.cells import shorten
from screens.panels.marks import VERDICT_STYLES

OUTCOMES = {"right": "$text-success", "wrong": "$text-warning", "undecided": "$foreground-muted"}


def predicted_text(expected: str, prediction: str, width: int, lead: str = "predicted", verdict: str = "") -> Content:
    """Return `predicted SHOWN: right, “slower by 3x”` in a width; empty where nothing was predicted.

    `verdict` is how it came out, empty as long as it has not. A guess in words alone is right or wrong for nobody.
    """
    words = clean_text(prediction, 500)
    if not expected and not words:
        return Content("")
    parts = [Content.styled(lead, "$foreground-muted")]
    if expected:
        parts.append(Content.styled(f" {clean_text(expected, 20)}", VERDICT_STYLES.get(expected, "")))
    if expected and verdict:
        from genlab_tui.expectation import outcome  # not for the first paint: it brings the statistics

        came = outcome(expected, verdict)
        parts.append(Content.styled(f": {came}", OUTCOMES[came]))
    line = Content("").join(parts)
    room = width - line.cell_length - (2 if expected else 1)
    if words and room >= 6:
        line += Content(", " if expected else " ") + Content(f"“{shorten(words, room - 2)}”")
    return line
