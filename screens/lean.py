"""What goes to the terminal with no more style codes than it needs: the same picture in about half of the bytes.

Textual sets fore- and background anew for every few cells and takes them back after each. Here a code is sent where
something is drawn that it changes: on blanks only the background is seen.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_CODES = re.compile(r"\x1b\[([0-9;]*)m")
_MOVES = re.compile(r"\x1b\[[0-9;]*H")


class Pen(NamedTuple):
    """A style: the codes of foreground, background, and of everything else that is on (empty: as the terminal has it).

    `odd` is a code that is not understood here: from it on nothing is left out until the next reset.
    """

    front: str = ""
    ground: str = ""
    rest: tuple[str, ...] = ()
    odd: bool = False


PLAIN = Pen()


def lean(data: str) -> str:
    """Return output without the style codes that change nothing that is seen. It begins and ends with a plain pen."""
    parts = _CODES.split(data)
    if len(parts) < 3:
        return data
    out: list[str] = []
    now = wanted = PLAIN
    for i, part in enumerate(parts):
        if i % 2:
            before, wanted = wanted, _turned(wanted, part)
            if wanted.odd:
                out.append(("" if before.odd else _change(now, before)) + f"\x1b[{part}m")
                now = wanted
        elif part:
            needed = _needed(now, wanted, part)
            if needed != now:
                out.append(_change(now, needed))
                now = needed
            out.append(part)
    if now != wanted:
        out.append(_change(now, wanted))
    return "".join(out)


def _needed(now: Pen, wanted: Pen, text: str) -> Pen:
    """Return the pen that a text needs: moves need none, blanks only the background, all else the whole of it."""
    drawn = _MOVES.sub("", text) if "\x1b" in text else text
    if "\x1b" in drawn or drawn.strip(" \r\n") or wanted.rest or now.rest or wanted.odd or now.odd:
        return wanted
    return Pen(now.front, wanted.ground) if " " in drawn else now


@lru_cache(maxsize=4096)
def _turned(pen: Pen, codes: str) -> Pen:
    """Return a pen after some codes."""
    numbers = codes.split(";")
    front, ground, rest, odd = pen
    at = 0
    while at < len(numbers):
        number = numbers[at].lstrip("0")
        size = {"5": 3, "2": 5}.get(numbers[at + 1] if at + 1 < len(numbers) else "", 0) if number in _LONG else 1
        code = ";".join(numbers[at : at + size])
        if number == "":
            front, ground, rest, odd = PLAIN
        elif number == "38" and size:
            front = code
        elif number == "48" and size:
            ground = code
        elif number in _FRONTS:
            front = "" if number == "39" else code
        elif number in _GROUNDS:
            ground = "" if number == "49" else code
        elif number in _RESTS:
            rest = rest if number in rest else (*rest, number)
        else:
            return Pen(front, ground, rest, True)
        at += size
    return Pen(front, ground, rest, odd)


_LONG = frozenset(("38", "48"))
_FRONTS = frozenset(map(str, (*range(30, 38), 39, *range(90, 98))))
_GROUNDS = frozenset(map(str, (*range(40, 48), 49, *range(100, 108))))
_RESTS = frozenset(map(str, (*range(1, 10), 21, 51, 52, 53)))


@lru_cache(maxsize=4096)
def _change(now: Pen, wanted: Pen) -> str:
    """Return the code that turns one pen into another."""
    if wanted == now:
        return ""
    if wanted == PLAIN:
        return "\x1b[0m"
    codes = []
    if now.odd or not set(now.rest) <= set(wanted.rest):
        codes, now = ["0"], PLAIN
    codes += [code for code in wanted.rest if code not in now.rest]
    if wanted.front != now.front:
        codes.append(wanted.front or "39")
    if wanted.ground != now.ground:
        codes.append(wanted.ground or "49")
    return f"\x1b[{';'.join(codes)}m" if codes else ""
