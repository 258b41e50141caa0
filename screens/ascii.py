"""The lab in plain ASCII, for terminals that can show nothing else.

Everything is drawn as ever; the last step before the terminal puts a character of the same width in the place of
every one that is not ASCII, so nothing can be forgotten. Only charts and heat maps ask whether they are seen like
that: lines of dots would be lost, so they are drawn with a character for each arm.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter

POOR_TERMINALS = ("linux", "vt", "ansi", "cons25", "sun")
"""Terminals (`TERM` begins so) whose fonts have no braille and few of the symbols."""
YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
RAMP = " .:-=+*%@#"
"""Characters with more and more ink: the shades of a heat map."""

# Where there is a blank to spare, two characters say more than one.
_WORDS = ((" ± ", " +-"), (" ±", "+-"), ("≤ ", "<="), ("≥ ", ">="), (" · ", " - "))
_CHARACTERS = {
    **dict(zip("–—―‐‑−…·•∙“”„‘’‚«»‹›", "------~:*:\"\"\"'''<><>", strict=True)),
    # Markers of lines: all different.
    **dict(zip("●■▲◆○□△◇✚★▼▽✦", "x#A@o%^&+*Vv$", strict=True)),
    # States, marks, arrows.
    **dict(zip("▶▷‖▪✓✔✗✘◦⚑⚠▸▹▾▴◂⏎↵←→↑↓↔⇥", ">)=,++XXo!!>>v^<<<<>^v-|", strict=True)),
    **dict(
        zip("×÷±≤≥≈≠≡∝∞√∑∏∂∫∈∅°ΔΣΠΩαβγδεηθκλμµνπρστφχψω", "x/~<>~!=~8VSPdfE0 DSPWabgdehtklmmnprstfcyw", strict=True)
    ),
    # Frames, bars and ramps.
    **dict.fromkeys("─╌┄┈╴╶▔⎯", "-"),
    **dict.fromkeys("━═╍┅┉", "="),
    **dict.fromkeys("│┃║╎╏┆┊┇┋├┤╵╷▏▎▍▕▐▊▉⎸⎹", "|"),
    **dict.fromkeys("╭╮╰╯┌┐└┘┏┓┗┛╔╗╚╝┬┴┼╋╬╪╫┣┫╠╣┳┻▖▗▘▝▛▜▙▟", "+"),
    **dict(zip("╸╺▌▀▁▂▃▄▅▆▇█░▒▓", '><>"_.:-=+*#.:%', strict=True)),
    **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "01234567890123456789", strict=True)),
}


KEYS = {"⏎": "enter", "↑": "up", "↓": "down", "←": "left", "→": "right", "⌫": "back", "⇥": "tab", "␣": "space"}
"""What keys are called whose signs are not ASCII."""


def ascii_wanted(environ: Mapping[str, str], encoding: str, remembered: object = None) -> bool:
    """Whether to draw in ASCII: as `GENLAB_ASCII` says, else as was chosen before, else as the terminal needs it."""
    said = environ.get("GENLAB_ASCII", "").lower()
    if said in YES or said in NO:
        return said in YES
    if isinstance(remembered, bool):
        return remembered
    term = environ.get("TERM", "")
    return encoding.lower().replace("-", "") not in ("utf8", "utf8sig") or term.startswith(POOR_TERMINALS)


@lru_cache(8192)
def to_ascii(text: str) -> str:
    """Return text in ASCII alone that takes the same number of cells."""
    if text.isascii():
        return text
    for words, plain in _WORDS:
        text = text.replace(words, plain)
    return "".join(c if c.isascii() else _character(c) for c in text)


def _character(character: str) -> str:
    size = cell_len(character)
    if not size:
        return ""
    if "\u2800" <= character <= "\u28ff":  # braille: by how many of its dots are set
        return " .:"[min((ord(character) - 0x2800).bit_count(), 2)]
    plain = _CHARACTERS.get(character, "")
    if not plain:
        base = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
        plain = base[:size] if base.isprintable() else ""
    return plain.ljust(size) if plain else "?" * size


class AsciiFilter(LineFilter):
    """What every line passes before it goes to the terminal."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(segment.text.isascii() for segment in segments):
            return segments
        return [Segment(to_ascii(text), style, control) for text, style, control in segments]


def in_ascii(app: App[Any]) -> bool:
    """Whether an app is seen in ASCII now."""
    return any(isinstance(each, AsciiFilter) for each in app.get_line_filters())
