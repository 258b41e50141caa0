"""What keeps the screens quick: work in turns, faint lines in one go, output without needless codes."""

from __future__ import annotations

import asyncio
import math
import random

import numpy as np
import pytest
from textual.app import App

from genlab_tui.axes import make_axis
from genlab_tui.commands.bench_pty import Screen
from genlab_tui.lines import curve_lines, thin
from genlab_tui.phenomenon import Arm
from genlab_tui.run import RunSpec
from genlab_tui.rundata import Curve, RunData
from screens.lean import PLAIN, Pen, _turned, lean
from screens.lens import ends
from screens.panels import series
from screens.panels.cells import Cells
from screens.panels.chart import raster
from screens.panels.dots import lay
from screens.panels.paint import Plot, Stroke
from screens.turns import PATIENCE, Turns

# --- turns ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("busy", [False, True])
async def test_the_first_part_is_done_at_once_for_a_key_and_the_others_in_order(busy: bool) -> None:
    app: App[None] = App()
    done: list[int] = []
    keys = [busy]
    async with app.run_test():
        Turns(app, lambda: keys[0]).take([lambda n=n: done.append(n) for n in range(4)])  # type: ignore[misc]
        assert done == ([0] if busy else [])
        keys[0] = False
        await asyncio.sleep(0.2)
    assert done == [0, 1, 2, 3]


async def test_newer_work_takes_the_place_of_what_was_left() -> None:
    app: App[None] = App()
    done: list[str] = []
    async with app.run_test():
        turns = Turns(app, bool)
        turns.take([lambda n=n: done.append(f"old {n}") for n in range(4)])  # type: ignore[misc]
        turns.take([lambda n=n: done.append(f"new {n}") for n in range(3)])  # type: ignore[misc]
        await asyncio.sleep(0.2)
    assert done == ["new 0", "new 1", "new 2"]


async def test_a_key_goes_first_but_not_for_ever() -> None:
    app: App[None] = App()
    done: list[int] = []
    asked: list[int] = []

    def busy() -> bool:
        asked.append(len(done))
        return True

    async with app.run_test():
        Turns(app, busy).take([lambda n=n: done.append(n) for n in range(2)])  # type: ignore[misc]
        await asyncio.sleep(0.5)
    assert done == [0, 1]
    assert asked.count(1) == PATIENCE + 1, "it was let pass that often, then the part was done all the same"


# --- output -----------------------------------------------------------------------------------------------------------


class _Drawn(Screen):
    """A terminal that tells cells apart by what is seen of them."""

    pen = PLAIN

    def _control(self, given: str, final: str) -> None:
        if final == "m":
            self.pen = _turned(self.pen, given)
            front, ground, rest, odd = self.pen
            self._style = "|".join((front, ground, *sorted(rest), str(odd)))
        else:
            super()._control(given, final)

    def look(self) -> list[tuple[str, str]]:
        plain = "||False"
        seen = []
        for character, style in (cell for row in self.cells for cell in row):
            front, ground, *rest = (style or plain).split("|")
            seen.append(
                (character, ground if character == " " and rest == ["False"] else "|".join((front, ground, *rest)))
            )
        return seen


@pytest.mark.parametrize("seed", range(30))
def test_lean_output_gives_the_same_picture(seed: int) -> None:
    chance = random.Random(seed)
    codes = ["38;2;1;2;3", "31", "48;2;9;9;9", "1;38;5;7", "7", "0", "", "4;97;48;5;3", "39", "49", "58;5;3", "22"]
    texts = ["abc", "   ", " x ", "\r\n", "⠉⠛", "\x1b[0m", "\x1b[2J", "\x1b]52;c;aGk=\x07"]
    out = ""
    for _ in range(80):
        out += f"\x1b[{chance.choice(codes)}m" + chance.choice([*texts, f"\x1b[{chance.randint(1, 24)};7H"])
    out += "\x1b[0m"
    plain, less = _Drawn(), _Drawn()
    plain.feed(out.encode())
    less.feed(lean(out).encode())
    assert plain.look() == less.look()
    assert less.pen == plain.pen == PLAIN


def test_lean_output_is_shorter_and_text_alone_is_left_as_it_is() -> None:
    cell = "\x1b[38;2;9;9;9;48;2;1;1;1mx\x1b[0m\x1b[38;2;5;5;5;48;2;1;1;1m  \x1b[0m"
    assert len(lean(cell * 10)) < len(cell * 10) / 3
    assert lean("no code \x1b[3;4H") == "no code \x1b[3;4H"
    assert _turned(Pen("31"), "0;1") == Pen("", "", ("1",))
    assert lean("\x1b[31mred\x1b[0m after") == "\x1b[31mred\x1b[0m after"


def test_changed_cells_are_one_stretch_a_row() -> None:
    before, now = Cells(10, 4), Cells(10, 4)
    assert now.changes(before) == []
    now.put(1, 2, "ab", "title")
    now.put(1, 7, "c")
    now.tints[2, 9] = "#102030"
    assert now.changes(before) == [(1, 2, 6), (2, 9, 1)]
    now.put(3, 4, "漢")
    assert now.changes(before)[-1] == (3, 4, 2), "a wide character is never cut in two"
    now.put(3, 5, "x")
    wide = Cells(10, 4)
    wide.put(3, 4, "漢")
    assert (3, 5, 1) in now.changes(wide) or (3, 4, 2) in now.changes(wide)


# --- lines ------------------------------------------------------------------------------------------------------------


def _stroke(key: str, *pieces: list[tuple[int, int]], joined: bool = True) -> Stroke:
    return Stroke(key, list(pieces), joined, "●")


def _shown(*strokes: Stroke, width: int = 4, height: int = 2) -> Cells:
    cells = Cells(width, height)
    lay(strokes, cells, 0, 0, width, height)
    return cells


def test_faint_lines_are_dots_on_the_way_from_point_to_point() -> None:
    assert _shown(_stroke("faint-0", [(0, 0), (7, 0)])).text[1] == ["⣀"] * 4
    assert [row[0] for row in _shown(_stroke("faint-0", [(0, 0), (0, 7)])).text] == ["⡇", "⡇"]
    assert _shown(_stroke("faint-1", [(0, 0), (7, 7)])).keys[0] == ["", "", "faint-1", "faint-1"]
    assert _shown(_stroke("faint-0", [(0, 0), (7, 0)], joined=False)).text[1] == ["⡀", " ", " ", "⢀"]
    assert _shown(_stroke("faint-0", [(1, 1)], [(6, 1)])).text[1] == ["⠠", " ", " ", "⠄"], "pieces are not joined"
    assert _shown().text == Cells(4, 2).text


def test_faint_lines_lie_below_the_others() -> None:
    cells = Cells(4, 1)
    cells.put(0, 0, "⠁", "line-2")
    cells.put(0, 1, "┈", "reference")
    cells.put(0, 2, "●", "line-1")
    lay([_stroke("faint-0", [(0, 0), (7, 0)])], cells, 0, 0, 4, 1)
    assert cells.text[0] == ["⣁", "⣀", "●", "⣀"]
    assert cells.keys[0] == ["line-2", "faint-0", "line-1", "faint-0"]


def test_plotext_and_the_faint_lines_agree_on_where_a_point_is() -> None:
    points = [(0, 0), (5, 11), (9, 3), (19, 19)]
    drawn, faint = Cells(10, 5), Cells(10, 5)
    raster(Plot([_stroke("line-0", points, joined=False)]), drawn, 0, 0, 10, 5)
    raster(Plot([_stroke("faint-0", points, joined=False)]), faint, 0, 0, 10, 5)
    assert drawn.text == faint.text


def test_points_straight_between_others_are_left_out_of_lines_alone() -> None:
    x = np.arange(9.0)
    y = np.array([0, 1, 2, 3, 4, 3, 2, 1, 0.0])
    axes = make_axis([0, 8]), make_axis([0, 4])
    keep = np.ones(9, dtype=bool)
    (line,) = series.path(x, y, keep, *axes, 9, 5)
    assert len(line) == 3
    assert line[1] == (4, 4)
    (points,) = series.path(x, y, keep, *axes, 9, 5, joined=False)
    assert len(points) == 9
    keep[2] = False
    assert [len(piece) for piece in series.path(x, y, keep, *axes, 9, 5)] == [2, 3], "a gap has two ends"


@pytest.mark.parametrize("n", [5, 399, 400, 401, 1000, 1001, 4096])
def test_thinning_keeps_ends_and_extremes_of_any_length(n: int) -> None:
    y = np.sin(np.arange(n) * 0.7) * np.arange(n)
    y[n // 3] = math.nan
    kept = thin(y, 100)
    assert kept[0] == 0
    assert kept[-1] == n - 1
    assert (np.diff(kept) > 0).all()
    assert {int(np.nanargmax(y)), int(np.nanargmin(y))} <= set(kept.tolist())
    assert len(kept) <= max(100, 5) + 2


def test_a_single_seed_is_its_own_mean_without_a_band() -> None:
    step = np.arange(6.0)
    value = np.array([1, math.nan, 3, math.inf, 5, 6.0])
    data = RunData(
        RunSpec("a0000000", "", {}), (Arm("a"),), (0,), curves={"loss": {("a", 0): Curve(step, step, step, value)}}
    )
    (line,) = curve_lines(data, "loss")
    assert (line.x, line.y, line.n) == ((0, 2, 4, 5), (1, 3, 5, 6), (1, 1, 1, 1))
    assert line.low is None
    assert line.high is None


def test_the_ends_of_an_axis_pass_over_what_cannot_be_drawn() -> None:
    assert ends((3.0, 1.0, 2.0), log=False) == (1.0, 3.0)
    assert ends((math.nan, 1.0, math.inf, 2.0), log=False) == (1.0, 2.0)
    assert ends((0.0, -1.0, 10.0, 5.0), log=True) == (5.0, 10.0)
    assert ends((1e305, 1.0), log=False) == (1.0, 1.0)
    assert ends((), log=False) == ends((math.nan,), log=False) == ()
