"""Fields: smooth colours, contours where they belong, a path with its two ends, logarithmic colours."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlab_tui.drawing import draw
from genlab_tui.figure import HeatMap
from genlab_tui.shades import contour, placed, stretch
from screens.panels.cells import Cells
from screens.panels.heatmap import paint


def heat(values: Any, **options: Any) -> HeatMap:
    rows = tuple(tuple(row) for row in values)
    wide = max((len(row) for row in rows), default=0)
    return HeatMap(
        "h", "title", "columns", "rows", tuple(f"x{i}" for i in range(wide)), tuple(f"y{i}" for i in range(len(rows))),
        rows, **options,
    )  # fmt: skip


def painted(heat_map: HeatMap, width: int = 60, height: int = 20, *, ascii_only: bool = False) -> list[str]:
    cells = Cells(width, height)
    paint(heat_map, cells, ascii_only=ascii_only)
    assert all(0 <= r < height and 0 <= c < width for r, c in cells.tints)
    return ["".join(row) for row in cells.text]


def test_a_linear_field_is_stretched_exactly() -> None:
    values = [[2.0 * i + 3.0 * j for j in range(4)] for i in range(3)]
    found = stretch(values, 9, 12)
    for i, line in enumerate(found):
        for j, value in enumerate(line):
            y, x = min(max((i + 0.5) / 3 - 0.5, 0), 2), min(max((j + 0.5) / 3 - 0.5, 0), 3)
            assert value == pytest.approx(2 * y + 3 * x)
    assert stretch(values, 3, 4) == values


def test_the_contour_of_a_cone_is_a_circle() -> None:
    values = [[math.hypot(i - 10, j - 10) for j in range(21)] for i in range(21)]
    segments = contour(values, 6.0)
    ends = [end for segment in segments for end in segment]
    assert len(segments) > 20
    assert all(math.hypot(x - 10, y - 10) == pytest.approx(6.0, abs=0.1) for x, y in ends)
    assert {place for place in ends if ends.count(place) == 1} == set()  # closed: every end meets another
    assert contour(values, 99.0) == []


def test_nothing_is_drawn_through_a_hole() -> None:
    values = [[0.0, 1.0, 2.0], [0.0, math.nan, 2.0], [0.0, 1.0, math.inf]]
    assert all(math.isfinite(v) for segment in contour(values, 0.5) for end in segment for v in end)
    assert math.isnan(stretch(values, 3, 3)[1][1])


def test_logarithmic_colours_put_what_is_not_positive_at_the_bottom() -> None:
    assert placed([[0.0, 10.0], [-3.0, 1000.0]], True) == [[1.0, 1.0], [1.0, 3.0]]
    assert placed([[0.0, 10.0]], False) == [[0.0, 10.0]]
    nothing = placed([[0.0, -3.0], [math.nan, math.inf]], True)
    assert [math.isnan(v) for row in nothing for v in row] == [True, True, True, False], "no value above 0"
    assert "nothing that can be drawn" in "\n".join(painted(heat([[0.0, -3.0]], log=True)))
    shown = "\n".join(painted(heat([[1.0, 10.0], [100.0, 1e6]], log=True)))
    assert "1e6" in shown.replace("e+", "e") or "1,000,000" in shown or "1e+06" in shown
    assert "100" in shown


def test_levels_are_named_and_the_path_has_a_start_and_an_end() -> None:
    values = [[math.hypot(i - 10, j - 10) for j in range(21)] for i in range(21)]
    field = heat(values, levels=(3.0, 6.5), path=((0, 0), (4, 4), (10, 10), (99, 99)))
    rows = painted(field)
    assert rows[-1].startswith("line 3, dotted 6.5 · rows × columns")
    text = "".join(rows[1:-2])
    assert text.count("o") == 1
    assert text.count("•") == 2  # the third lies inside too, the last one outside
    plain = "".join(painted(field, ascii_only=True)[1:-2])
    assert "/" in plain
    assert plain.isascii()
    svg = draw(field)
    assert svg.count("<circle") == 3
    assert svg.count("<path") >= 4


def test_a_path_lies_on_its_cells_where_they_are_folded() -> None:
    """65 columns are drawn as 33 cells, of which the last holds one: not all of them are 65 / 33 columns wide."""
    places = (0.5, 1.0, 31.0, 62.5, 63.0, 64.0, 80.0)
    svg = draw(heat([[float(j) for j in range(65)] for _ in range(3)], path=tuple((x, 1.0) for x in places)))
    cells = [float(x) for x, y in re.findall(r'<rect x="([\d.]+)" y="([\d.]+)"', svg) if y == "30.0"]
    assert len(cells) == 33
    wide = (cells[-1] - cells[0]) / 32
    drawn = [(float(x) - cells[0]) / wide - 0.5 for x in re.findall(r'<circle cx="([\d.]+)"', svg)]
    assert drawn == pytest.approx([0.0, 0.25, 15.25, 31.0, 31.25, 32.0], abs=0.02), "and the last one lies outside"


def test_a_path_that_stays_inside_ends_with_its_sign() -> None:
    text = "\n".join(painted(heat([[1.0, 2.0], [3.0, 4.0]], path=((0, 0), (1, 1)))))
    assert "×" in text.replace("rows × columns", "")


def test_the_first_contour_is_full_and_the_others_are_dotted() -> None:
    values = [[math.hypot(i - 10, j - 10) for j in range(21)] for i in range(21)]

    def dots(levels: tuple[float, ...]) -> int:
        text = "".join(painted(heat(values, levels=levels))[1:-2])
        return sum((ord(sign) - 0x2800).bit_count() for sign in text if 0x2800 <= ord(sign) < 0x2900)

    alone, both = dots((6.5,)), dots((3.0, 6.5))
    full = dots((3.0,))
    assert full + alone / 5 < both < full + alone / 2
    assert draw(heat(values, levels=(3.0, 6.5))).count("dasharray:2 4") == 2
    assert "dasharray:2 4" not in draw(heat(values, levels=(3.0,)))


def test_maps_with_one_scale_have_one_colour_for_one_value() -> None:
    def ends(field: HeatMap) -> list[str]:
        scale = next(row for row in painted(field) if row.startswith("rows × columns"))
        return scale.split()[-2:]

    assert ends(heat([[1.0, 10.0]], log=True, limits=(0.1, 200.0))) == ["0.1", "200"]
    assert ends(heat([[10.0, 500.0]], log=True)) == ["10", "500"]
    assert ends(heat([[1.0, 10.0]], log=True, limits=(math.nan, math.inf))) == ["1", "10"]


number = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 5))


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.lists(number, min_size=1, max_size=12), min_size=1, max_size=12),
    levels=st.lists(number, max_size=3),
    path=st.lists(st.tuples(st.floats(-3, 20), st.floats(-3, 20)), max_size=4),
    size=st.tuples(st.integers(1, 60), st.integers(1, 20)),
    log=st.booleans(),
    ascii_only=st.booleans(),
)
def test_any_field_at_any_size_stays_inside(
    values: list[list[float]],
    levels: list[float],
    path: list[tuple[float, float]],
    size: tuple[int, int],
    log: bool,
    ascii_only: bool,
) -> None:
    field = heat(values, levels=tuple(levels), path=tuple(path), log=log)
    painted(field, *size, ascii_only=ascii_only)
    assert draw(field).startswith("<svg")
