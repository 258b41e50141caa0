"""The SVG drawer: whatever a figure holds, a well-formed picture comes of it, and nothing hostile gets into it."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlab_tui.colours import COLOURS, MARKERS
from genlab_tui.drawing import LEGEND, draw
from genlab_tui.figure import Figure, HeatMap, Line, Reference, Tick
from genlab_tui.svg import WIDTH

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script> & \" ' ]]> \x1b[31m\x00\x07\u202e\ud800 [/x]"
NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, 1e-320, 1e308, -1e308, 1e300, math.nan, math.inf, -math.inf, 1.0]),
)
TEXTS = st.one_of(st.text(max_size=30), st.just(HOSTILE), st.just(""))


def parsed(drawn: str) -> ET.Element:
    """Return the picture as XML; raises where it is not well formed."""
    return ET.fromstring(drawn.encode())


def numbers(root: ET.Element) -> list[float]:
    """Return every coordinate of the picture."""
    found = []
    for node in root.iter():
        for name, value in node.attrib.items():
            if name in ("x", "y", "cx", "cy", "width", "height", "d", "viewBox"):
                assert "nan" not in value.lower(), value
                assert "inf" not in value.lower(), value
                found += [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", value)]
    return found


def texts(root: ET.Element) -> str:
    """Return what is written in the picture, without its style sheet."""
    return " ".join(node.text or "" for node in root.iter() if node.tag != f"{SVG}style")


@st.composite
def lines(draw_: st.DrawFn) -> Line:
    n = draw_(st.integers(0, 12))
    values = st.lists(NUMBERS, min_size=n, max_size=n).map(tuple)
    banded = draw_(st.booleans())
    return Line(
        draw_(TEXTS),
        draw_(values),
        draw_(values),
        draw_(values) if banded else None,
        draw_(values) if banded else None,
        points=draw_(st.booleans()),
    )


@settings(max_examples=150, deadline=None)
@given(
    st.lists(lines(), max_size=5).map(tuple),
    st.lists(st.builds(Reference, NUMBERS, TEXTS, st.sampled_from(["x", "y"])), max_size=4).map(tuple),
    st.booleans(),
    st.booleans(),
    TEXTS,
)
def test_any_figure_becomes_a_picture(
    drawn: tuple[Line, ...], references: tuple[Reference, ...], log_x: bool, log_y: bool, text: str
) -> None:
    figure = Figure("f", text, text, text, drawn, references, log_x=log_x, log_y=log_y, note=text)
    root = parsed(draw(figure))
    height = float(root.attrib["height"])
    assert all(-60 <= number <= max(WIDTH, height) + 60 for number in numbers(root))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(NUMBERS, max_size=8).map(tuple), max_size=8).map(tuple), TEXTS)
def test_any_heat_map_becomes_a_picture(values: tuple[tuple[float, ...], ...], text: str) -> None:
    wide = max((len(row) for row in values), default=0)
    heat = HeatMap("h", text, text, text, (text,) * wide, (text,) * len(values), values, text)
    numbers(parsed(draw(heat)))


@pytest.mark.parametrize("titled", [True, False])
@pytest.mark.parametrize("standalone", [True, False])
def test_hostile_text_stays_text(standalone: bool, titled: bool) -> None:
    line = Line(HOSTILE, (0.0, 1.0), (0.0, 1.0))
    figure = Figure(
        "f", HOSTILE, HOSTILE, HOSTILE, (line, Line("b", (0.0, 1.0), (1.0, 2.0))), (Reference(0.5, HOSTILE),),
        note=HOSTILE, ticks=(Tick(0.5, HOSTILE, line.label),),
    )  # fmt: skip
    heat = HeatMap("h", HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), (HOSTILE,), ((1.0,),), HOSTILE)
    for picture in (figure, heat):
        drawn = draw(picture, standalone=standalone, titled=titled)
        tags = {node.tag.removeprefix(SVG) for node in parsed(drawn).iter()}
        assert tags <= {"svg", "style", "title", "text", "path", "rect", "circle"}
        assert not {"\x1b", "\x00", "\x07", "\u202e", "\ud800"} & set(drawn)
        assert ("<style>" in drawn) == standalone


def test_lines_bands_points_and_references_are_where_they_belong() -> None:
    falling = Line("falling", (0.0, 1.0, 2.0), (4.0, 2.0, 1.0), (3.0, 1.5, 0.5), (5.0, 2.5, 1.5))
    dots = Line("dots", (0.0, 2.0), (1.0, 3.0), (0.5, 2.5), (1.5, 3.5), points=True)
    figure = Figure(
        "f", "title", "step", "loss", (falling, dots), (Reference(2.0, "chance"), Reference(1.0, "here", "x"))
    )
    root = parsed(draw(figure))
    classes = [node.attrib.get("class", "") for node in root.iter(f"{SVG}path")]
    assert classes.count("b c0") == 1  # one band, of the line
    assert classes.count("l s1") == 2  # two error bars, of the points
    assert classes.count("r") == 2
    stroke = next(n for n in root.iter(f"{SVG}path") if n.attrib.get("class") == "l s0").attrib["d"]
    points = [tuple(map(float, p.split())) for p in stroke.removeprefix("M").split("L")]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted(y for _, y in points)  # down on the page: y grows
    for word in ("title", "step", "loss", "chance", "here", "falling", "dots"):
        assert word in texts(root)


def test_a_gap_splits_a_line() -> None:
    whole = Line("a", (0.0, 1.0, 2.0, 3.0), (1.0, 2.0, 3.0, 4.0))
    torn = Line("a", (0.0, 1.0, 2.0, 3.0, 4.0), (1.0, 2.0, math.nan, 3.0, 4.0))
    count = [draw(Figure("f", "", "", "", (line,))).count('class="l s0"') for line in (whole, torn)]
    assert count == [1, 2]


def test_a_log_axis_has_decades_and_leaves_out_what_it_cannot_show() -> None:
    line = Line("a", (1.0, 10.0, 100.0, 1000.0), (1e-3, 0.0, 1.0, 1e3), (-1.0, -1.0, 0.5, 1e2), (1.0, 1.0, 2.0, 1e4))
    root = parsed(draw(Figure("f", "t", "width", "error", (line,), log_x=True, log_y=True)))
    for word in ("width (log)", "error (log)", "0.01", "100"):
        assert word in texts(root)
    assert sum(node.attrib.get("class") == "m c0" for node in root.iter(f"{SVG}path")) == 3


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (None, "no data yet"),
        (Line("a", (), ()), "no data yet"),
        (Line("a", (1.0, 2.0), (math.nan, math.inf)), "nothing that can be drawn"),
    ],
)
def test_nothing_to_draw_is_said(line: Line | None, words: str) -> None:
    assert words in texts(parsed(draw(Figure("f", "t", "x", "y", (line,) if line else ()))))


@pytest.mark.parametrize("xy", [((5.0,), (7.0,)), ((1.0, 2.0, 3.0), (4.0, 4.0, 4.0)), ((0.0, 0.0), (0.0, 0.0))])
def test_one_point_and_a_constant_are_seen(xy: tuple[tuple[float, ...], tuple[float, ...]]) -> None:
    root = parsed(draw(Figure("f", "t", "x", "y", (Line("a", *xy),))))
    assert sum(node.attrib.get("class") == "m c0" for node in root.iter(f"{SVG}path")) == len(xy[0])
    assert "nothing" not in texts(root)


def test_five_hundred_lines_stay_readable_and_small() -> None:
    xs = tuple(float(i) for i in range(50))
    many = tuple(Line(f"arm {k}", xs, tuple(k + x for x in xs)) for k in range(500))
    drawn = draw(Figure("f", "t", "x", "y", many))
    assert f"and {500 - LEGEND + 1} more" in drawn
    assert "arm 3<" in drawn
    assert len(drawn) < 2_000_000
    assert float(parsed(drawn).attrib["height"]) < 800


def test_members_are_faint_and_not_in_the_legend() -> None:
    xs, ys = (0.0, 1.0), (0.0, 1.0)
    drawn = draw(Figure("f", "t", "x", "y", (Line("a", xs, ys), Line("a · seed 3", xs, ys), Line("b", xs, ys))))
    assert "seed 3" not in drawn
    assert drawn.count('class="l s0 f"') == 1


def test_every_line_differs_from_the_next_fifty_by_colour_or_marker() -> None:
    xs = (0.0, 1.0)
    root = parsed(draw(Figure("f", "t", "x", "y", tuple(Line(f"{k}", xs, (k, k + 1.0)) for k in range(20)))))
    marks = [n.attrib for n in root.iter(f"{SVG}path") if n.attrib.get("class", "").startswith(("m ", "o "))]
    looks = [(a["class"], re.sub(r"^M[\d. -]+?(?=[a-z])", "", a["d"])) for a in marks]
    assert len(set(looks)) == 20


def test_a_large_heat_map_is_folded_and_its_scale_says_its_ends() -> None:
    values = tuple(tuple(float(i + j) for j in range(300)) for i in range(300))
    heat = HeatMap("h", "t", "x", "y", tuple(map(str, range(300))), tuple(map(str, range(300))), values)
    drawn = draw(heat)
    assert drawn.count("<rect") < 64 * 64 + 40
    assert "×" in draw(HeatMap("h", "t", "x", "y", ("a", "b"), ("r",), ((1.0, math.nan),)))
    left = texts(parsed(draw(HeatMap("h", "t", "x", "y", ("a", "b"), ("r",), ((2.22e-15, 88.7),)))))
    assert left.count("0") == 2, "what rounding left of nothing, in its cell and on the scale"
    ends = texts(parsed(draw(HeatMap("h", "t", "x", "y", ("a", "b"), ("r",), ((0.25, 8.5),)))))
    assert "0.25" in ends
    assert "8.5" in ends


def test_a_line_has_the_slot_that_it_asks_for_and_the_next_one_the_next() -> None:
    xs, ys = (0.0, 1.0), (0.0, 1.0)
    drawn = draw(Figure("f", "t", "x", "y", (Line("a", xs, ys, slot=6), Line("a · seed 3", xs, ys), Line("b", xs, ys))))
    assert 'class="l s6 f"' in drawn
    assert 'class="m c7"' not in drawn
    assert {'class="o s7"', 'class="o s6"'} <= set(re.findall(r'class="o s\d"', drawn))


def test_every_marker_of_the_screens_is_drawn_in_a_shape_of_its_own() -> None:
    lines = tuple(Line(str(slot), (0.0,), (float(slot),), slot=slot * COLOURS) for slot in range(len(MARKERS)))
    root = parsed(draw(Figure("f", "t", "x", "y", lines)))
    marks = [n.attrib for n in root.iter(f"{SVG}path") if n.attrib.get("class", "").startswith(("m ", "o "))]
    looks = {(a["class"], re.sub(r"^M[\d. -]+?(?=[a-z])", "", a["d"])) for a in marks}
    assert len(looks) == len(MARKERS)
