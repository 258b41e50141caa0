"""Text from outside (run names, files, exceptions, data) made safe for a terminal, a file name and a spreadsheet."""

from __future__ import annotations

import re
import unicodedata

# CSI, OSC/DCS/PM/APC strings (ended by BEL or ST, or cut off), and two-character escapes, in 7- and 8-bit form.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_SPACE = re.compile(r"[\s\u2028\u2029]+")
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def clean_text(text: object, limit: int = 500, *, multiline: bool = False) -> str:
    """Return `text` with nothing in it that could drive a terminal: no escapes, controls, bidi or zero-width marks.

    White space collapses to single blanks; with `multiline`, line breaks stay. Longer text ends in an ellipsis.
    """
    raw = _ESCAPES.sub("", str(text))
    if multiline:
        lines = (_clean_line(line.expandtabs(4)) for line in raw.replace("\r\n", "\n").split("\n"))
        cleaned = "\n".join(lines)
    else:
        # Once more at the end: what was taken out may have stood between two blanks.
        cleaned = _SPACE.sub(" ", _clean_line(_SPACE.sub(" ", raw))).strip()
    return cleaned if len(cleaned) <= limit else cleaned[: max(limit - 1, 0)] + "…"


def _clean_line(line: str) -> str:
    if line.isascii() and line.isprintable():
        return line
    return "".join(c for c in line if unicodedata.category(c) not in _UNSAFE_CATEGORIES)


def slug(text: str, limit: int = 60) -> str:
    """Return `text` as a safe file-name part: letters, digits, dots, dashes; never empty, never a dot file."""
    safe = re.sub(r"[^A-Za-z0-9.]+", "-", unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode())
    return safe.strip("-.")[:limit].rstrip("-.") or "unnamed"


def human_bytes(count: float) -> str:
    """Return a byte count as `12 MB` (decimal units)."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(count) < 1000 or unit == "TB":
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")


def human_seconds(seconds: float) -> str:
    """Return a duration as `0:41`, `12:05` or `3:20:11`."""
    whole = max(round(seconds), 0)
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{secs:02d}" if hours else f"{minutes}:{secs:02d}"


def human_number(value: float | None, digits: int = 4) -> str:
    """Return a number in few characters for a table: significant digits, no trailing zeros, `–` for none."""
    if value is None:
        return "–"
    if value != value:
        return "nan"
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa}e{int(exponent)}"
    return text
