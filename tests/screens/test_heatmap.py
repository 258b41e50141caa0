"""The heat map: numbers where they fit, halves where they do not, a scale, and any matrix at any size."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.color import Color

from genlab_tui.figure import HeatMap
from genlab_tui.shades import STOPS, fold, shade
from screens.panels.cells import Cells
from screens.panels.heatmap import HeatMapPanel, paint

NAN = math.nan


def heat(values: Any, **options: Any) -> HeatMap:
    rows = tuple(tuple(row) for row in values)
    wide = max((len(row) for row in rows), default=0)
    return HeatMap(
        "h", options.get("title", "title"), "columns", "rows",
        tuple(options.get("x_ticks", [f"x{i}" for i in range(wide)])), tuple(f"y{i}" for i in range(len(rows))), rows,
    )  # fmt: skip


def painted(heat_map: HeatMap | None, width: int = 60, height: int = 16) -> tuple[Cells, list[str]]:
    cells = Cells(width, height)
    paint(heat_map, cells)
    rows = ["".join(row) for row in cells.text]
    assert all(cell_len(row) == width for row in rows)
    assert all(0 <= r < height and 0 <= c < width for r, c in cells.tints)
    return cells, rows


number = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.lists(number, max_size=30), max_size=50),
    size=st.tuples(st.integers(1, 90), st.integers(1, 30)),
)
def test_any_matrix_at_any_size_stays_inside(values: list[list[float]], size: tuple[int, int]) -> None:
    painted(heat(values), *size)


def test_what_rounding_left_of_nothing_is_nothing_in_cells_and_scale() -> None:
    for size in ((80, 16), (60, 12), (32, 9)):
        _, rows = painted(heat([[88.7, 2.22e-15, 4.4e-16], [2.0, -1e-15, 2.22e-15]]), *size)
        text = "\n".join(rows)
        assert "e-" not in text
        scale = next(row for row in rows if row.startswith("rows × "))
        assert scale.split()[-2:] == ["0", "88.7"]
        assert [row.split()[-2:] for row in rows if "88.7" in row or " 2 " in row][:2] == [["0", "0"]] * 2, text


def test_rows_that_share_a_line_do_not_write_over_each_other() -> None:
    values = [[float(i)] * 3 for i in range(30)]
    names = tuple(str(100 + i) if i % 2 == 0 else str(i % 10) for i in range(30))
    _, lines = painted(dataclasses.replace(heat(values), y_ticks=names), 40, 12)
    labels = [line.split("▀")[0].strip() for line in lines if "▀" in line]
    assert 5 < len(labels) < 30
    assert set(labels) <= set(names)


def test_numbers_are_written_where_they_fit() -> None:
    _, rows = painted(heat([[1.0, 2.5], [314.0, 0.001]]))
    text = "\n".join(rows)
    for shown in ("1", "2.5", "314", "0.001", "y0", "y1", "x0", "x1", "title"):
        assert shown in text


def test_text_on_a_cell_is_black_or_white_whichever_is_read_better() -> None:
    cells, rows = painted(heat([[0.0, 1.0]]))
    row = next(i for i, text in enumerate(rows) if "y0" in text)
    keys = {cells.keys[row][c] for c in range(60) if cells.keys[row][c].startswith("#")} or {
        key for line in cells.keys for key in line if key.startswith("#")
    }
    assert keys == {"#ffffff", "#000000"}


def test_many_rows_share_a_cell_and_none_is_lost() -> None:
    cells, rows = painted(heat([[float(i)] for i in range(20)]), 40, 14)
    assert sum("▀" in row for row in rows) == 10
    assert cells.tints


def test_more_than_halves_can_show_becomes_means_over_neighbours() -> None:
    assert fold([[1.0, 3.0], [5.0, 7.0]], 1, 1) == [[4.0]]
    assert fold([[1.0, NAN], [math.inf, 3.0]], 1, 1) == [[2.0]]
    assert math.isnan(fold([[NAN]], 1, 1)[0][0])
    assert fold([[1.0], [2.0, 3.0]], 2, 2)[0][0] == 1.0
    painted(heat([[float(i * j) for i in range(300)] for j in range(200)]), 80, 24)


def test_what_is_not_finite_is_crossed_out_and_does_not_move_the_scale() -> None:
    _, rows = painted(heat([[NAN, 1.0, math.inf, 2.0]]))
    assert "".join(rows).count("×") >= 2 + 1  # the two cells; the third is in "rows × columns"
    assert "1 " in rows[-1] or any(" 2" in row for row in rows)


def test_no_data_and_nothing_to_draw_are_said() -> None:
    assert "no data yet" in "".join(painted(None)[1])
    assert "no data yet" in "".join(painted(heat([]))[1])
    assert "nothing that can be drawn" in "".join(painted(heat([[NAN]]))[1])


def test_hostile_labels_are_only_text() -> None:
    hostile = "\x1b[31m[/x]\x07\u202e"
    shown = HeatMap("h", hostile, hostile, hostile, (hostile,), (hostile,), ((1.0,),))
    text = "".join(painted(shown)[1])
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "[/x]" in text


def test_the_scale_grows_in_lightness_so_that_it_reads_without_colour() -> None:
    lightness = [Color.parse(shade(i / 20)).brightness for i in range(21)]
    assert all(b > a - 0.02 for a, b in pairwise(lightness))
    assert shade(-1) == Color.parse(STOPS[0]).hex6
    assert shade(2) == Color.parse(STOPS[-1]).hex6


@pytest.mark.parametrize("size", [(80, 24), (20, 4), (3, 1)])
async def test_the_widget_draws_and_takes_another_map(size: tuple[int, int]) -> None:
    class Shown(App[None]):
        def compose(self) -> ComposeResult:
            yield HeatMapPanel()

    app = Shown()
    async with app.run_test(size=size) as pilot:
        panel = app.query_one(HeatMapPanel)
        await pilot.pause()
        panel.draw(heat([[1.0, 2.0]]))
        await pilot.pause()
        first = [panel.render_line(y).text for y in range(size[1])]
        panel.draw(heat([[1.0, 2.0]], title="other"))
        await pilot.pause()
        assert size == (3, 1) or [panel.render_line(y).text for y in range(size[1])] != first
        await pilot.resize_terminal(50, 12)
        await pilot.pause()
        assert panel.render_line(0).cell_length == 50
