"""The chart: whatever numbers and labels it gets, it draws, stays inside its size and lets nothing else out."""

from __future__ import annotations

import itertools
import math
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color, ColorSystem
from textual.app import App, ComposeResult
from textual.theme import Theme

from genlab_tui.axes import Axis, make_axis, number_labels, stops, ticks
from genlab_tui.colours import COLOURS, DARK, LIGHT, MARKERS, colour, marker
from genlab_tui.figure import Figure, Line, Reference, Tick
from screens.panels import chart as chart_module
from screens.panels import series
from screens.panels.cells import Cells, shorten, wrapped
from screens.panels.chart import Chart, render_chart
from screens.themes import THEMES

Until = Callable[[Callable[[], object]], Awaitable[None]]
NAN, INF = math.nan, math.inf
BRAILLE = {chr(c) for c in range(0x2801, 0x2900)}


def line(y: Any, x: Any = None, label: str = "a", **options: Any) -> Line:
    x = tuple(float(i) for i in range(len(y))) if x is None else x
    return Line(label, tuple(x), tuple(y), **options)


def figure(*lines: Line, **options: Any) -> Figure:
    return Figure("f", options.pop("title", "title"), "step", options.pop("y_label", "value"), tuple(lines), **options)


def lines_of(fig: Figure, width: int = 60, height: int = 16, **options: Any) -> list[str]:
    drawn = render_chart(fig, width, height, **options)
    assert len(drawn) == height
    assert all(cell_len(row) == width for row in drawn)
    return drawn


def ink(drawn: list[str]) -> int:
    return sum(c in BRAILLE for row in drawn for c in row)


# --- numbers ----------------------------------------------------------------------------------------------------------

ODD: dict[str, list[float]] = {
    "empty": [],
    "one point": [1.0],
    "constant": [3.0] * 20,
    "nan in the middle": [1.0, 2.0, NAN, 2.0, 1.0],
    "all nan": [NAN] * 5,
    "inf": [1.0, INF, 2.0, -INF, 3.0],
    "1e308": [1e308, -1e308, 1.0],
    "almost too large": [9.9e299, -9.9e299, 0.0],
    "denormal": [5e-324, 1e-323, 0.0],
    "too close to tell": [1e16, 1e16 + 2, 1e16],
    "alternating gaps": [1.0, NAN] * 200,
    "minus zero": [-0.0, 0.0],
}


@pytest.mark.parametrize("log", [False, True], ids=["linear", "log"])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (11, 4), (39, 9), (80, 24), (200, 60)])
@pytest.mark.parametrize("values", ODD.values(), ids=ODD.keys())
def test_odd_numbers_draw_at_every_size(values: list[float], size: tuple[int, int], log: bool) -> None:
    bands = {"low": tuple(v - 1 for v in values), "high": tuple(v + 1 for v in values)}
    for options in ({}, bands, {**bands, "points": True}):
        lines_of(figure(line(values, **options), log_y=log, log_x=log), *size)
        lines_of(figure(line(values, **options), log_y=log), *size, smooth=0.9)


number = st.floats(allow_nan=True, allow_infinity=True, width=64)


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(st.tuples(number, number), max_size=300),
    size=st.tuples(st.integers(1, 90), st.integers(1, 30)),
    log_x=st.booleans(),
    log_y=st.booleans(),
    reference=number,
)
def test_any_numbers_at_any_size_stay_inside(
    points: list[tuple[float, float]], size: tuple[int, int], log_x: bool, log_y: bool, reference: float
) -> None:
    shown = line([y for _, y in points], [x for x, _ in points], low=tuple(y for _, y in points), high=None)
    fig = figure(
        shown, log_x=log_x, log_y=log_y, references=(Reference(reference, "r"), Reference(reference, "x", "x"))
    )
    lines_of(fig, *size)


def test_nothing_but_whole_dots_on_the_canvas_reaches_plotext(monkeypatch: pytest.MonkeyPatch) -> None:
    import plotext

    given_points: list[tuple[float, float]] = []
    true_signal = plotext.figure.signal

    def spy(x: list[float], y: list[float], **options: Any) -> Any:
        given_points.extend(zip(x, y, strict=True))
        return true_signal(x, y, **options)

    monkeypatch.setattr(plotext.figure, "signal", spy)
    for values in ODD.values():
        lines_of(figure(line(values), log_y=True), 40, 10)
        lines_of(figure(line(values)), 40, 10)
    assert given_points
    assert all(0 < x < 80 and 0 < y < 40 and x % 1 == y % 1 == 0.5 for x, y in given_points)


def test_a_gap_breaks_the_line_and_is_counted() -> None:
    whole = lines_of(figure(line([0.0] * 50)), 60, 10)
    broken = lines_of(figure(line([0.0] * 20 + [NAN] * 10 + [0.0] * 20)), 60, 10)
    assert ink(broken) < ink(whole)
    row = next(row for row in broken if BRAILLE & set(row))
    middle = row[len(row) // 2 - 2 : len(row) // 2 + 2]
    assert not BRAILLE & set(middle)
    assert "10 not finite" in broken[0]


def test_a_log_axis_leaves_out_what_is_not_positive_and_says_so() -> None:
    drawn = lines_of(figure(line([0.0, -1.0, 0.01, 1.0, 100.0]), log_y=True))
    assert "2 ≤ 0 left out" in drawn[0]
    assert "log y" in drawn[0]
    assert [label for label in ("0.01", "1", "100") if any(row.lstrip().startswith(label) for row in drawn)]
    only = lines_of(figure(line([0.0, -1.0]), log_y=True))
    assert any("nothing that can be drawn" in row for row in only)


def test_no_data_yet_is_said_even_where_there_is_hardly_room() -> None:
    assert any("no data yet" in row for row in lines_of(figure()))
    assert "no d" in "".join(lines_of(figure(), 6, 1))


def test_a_spike_between_two_columns_is_never_lost() -> None:
    values = [0.0] * 100_000
    values[77_777] = 1.0
    drawn = lines_of(figure(line(values)), 80, 20)
    body = drawn[1:-1]
    assert any(BRAILLE & set(row) for row in body[:3])
    assert sum(bool(BRAILLE & set(row)) for row in body) == len(body)


@pytest.mark.parametrize("size", [(80, 24)])
def test_a_million_points_are_redrawn_in_a_moment(size: tuple[int, int]) -> None:
    steps = np.arange(250_000, dtype=float)
    noise = np.random.default_rng(0)
    many = figure(*(line(np.exp(-steps / 5e4) + noise.normal(0, 0.01, steps.size), steps, str(k)) for k in range(4)))
    render_chart(many, *size)
    began = time.process_time()
    render_chart(many, *size)
    # About 12 ms (and the conversion of the tuples); the bound leaves room for a slow and busy machine.
    assert time.process_time() - began < 0.5


def test_five_hundred_lines_draw_and_the_legend_says_how_many_it_leaves_out() -> None:
    drawn = lines_of(figure(*(line([k, k + 1.0], label=f"line {k}") for k in range(500))), 80, 24)
    assert any(f"+{left}" in row for row in drawn[:5] for left in range(420, 500))


def test_x_may_run_back() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=50_000), rng.normal(size=50_000)
    assert ink(lines_of(figure(line(y, x)))) > 100


# --- labels -----------------------------------------------------------------------------------------------------------

HOSTILE = "\x1b[31mred\x1b[0m [/x] [bold]\x07\x1b]0;title\x07 \u202egnp\x9b2J end"


def test_escapes_and_markup_in_labels_are_only_text() -> None:
    fig = Figure(
        "f", HOSTILE, HOSTILE, HOSTILE,
        (line([1.0, 2.0], label=HOSTILE), line([2.0, 1.0], label="b" + HOSTILE)),
        (Reference(1.5, HOSTILE), Reference(0.5, HOSTILE, "x")),
        note=HOSTILE,
    )  # fmt: skip
    for size in ((80, 24), (40, 8), (200, 60)):
        text = "\n".join(lines_of(fig, *size))
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)
    assert "[/x]" in text


def test_wide_characters_take_two_cells_and_never_half_of_one() -> None:
    drawn = lines_of(
        figure(line([1.0, 2.0], label="汎化"), line([2.0, 3.0], label="誤差"), title="汎化誤差 " * 20), 41, 12
    )
    assert "汎化" in drawn[0]
    assert shorten("汎化誤差", 5) == "汎化…"
    cells = Cells(3, 1)
    assert cells.put(0, 1, "汎化") == 3
    assert cells.text[0] == [" ", "汎", ""]


def test_the_legend_gives_every_line_a_marker_of_its_own() -> None:
    drawn = lines_of(figure(line([0.0, 1.0], label="one"), line([1.0, 0.0], label="two"), title="t"))
    assert f"{marker(0)} one" in drawn[0]
    assert f"{marker(1)} two" in drawn[0]
    body = "".join(drawn[1:])
    assert marker(0) in body
    assert marker(1) in body


def test_labels_of_a_legend_are_never_cut_so_that_they_look_alike() -> None:
    arms = [f"{run} · {arm} labels" for run in ("d5f3", "a71c") for arm in ("true", "random", "half random", "rigid")]
    for width in (44, 60, 80):
        drawn = lines_of(figure(*(line([k, k + 1.0], label=arm) for k, arm in enumerate(arms))), width, 15)
        for k in range(8):
            drawn = [row.replace(marker(k), "|") for row in drawn]
        entries, _, left_out = "".join(row + "|" for row in drawn[1:3]).rstrip("| ").partition("+")
        labels = [entry.strip() for entry in entries.split("|") if entry.strip()]
        assert len(labels) == len(set(labels)), drawn[1:3]
        assert all(len(label) >= 12 for label in labels), drawn[1:3]
        assert len(labels) + int(left_out or 0) == 8


def test_a_tall_chart_has_room_for_its_whole_note_and_a_third_row_of_legend() -> None:
    note = "band: 1 standard deviation over seeds; what is dashed was measured on the samples with the wrong labels"
    arms = [line([k, k + 1.0], label=f"arm {k} of them") for k in range(12)]
    for height, whole in ((14, False), (15, False), (20, True), (30, True)):
        drawn = lines_of(figure(*arms, note=note), 72, height)
        text = " ".join(" ".join(row.split()) for row in drawn)
        assert (note in text) is whole, drawn
        assert ("arm 11 of them" in text) is whole, drawn
        assert ink(drawn)
    assert note[:60] in "\n".join(lines_of(figure(arms[0], note=note), 72, 14))


@given(st.text("ab 汎-", max_size=60), st.integers(2, 20), st.integers(1, 4))
def test_wrapped_text_fits_and_is_whole_where_it_can_be(text: str, width: int, most: int) -> None:
    text = " ".join(text.split())
    lines = wrapped(text, width, most)
    assert len(lines) <= most
    assert all(cell_len(row) <= width for row in lines)
    if "…" not in "".join(lines):
        assert " ".join(lines) == text


def test_no_mark_and_no_other_label_is_drawn_over_a_label() -> None:
    heights = (0.0, 0.04, 0.5, 0.96, 1.0)
    flat = tuple(Line(f"arm {k}", tuple(map(float, range(40))), (y,) * 40) for k, y in enumerate(heights))
    changes = tuple(Reference(at, words, "x") for at, words in ((10.0, "label-smoothing 0.1"), (14.0, "dropout 0.7")))
    marked = tuple(Tick(10.0 + k, "fitted", f"arm {i}") for k in range(1, 20, 2) for i in range(len(flat)))
    for width, height in ((60, 9), (60, 16), (44, 12), (120, 30)):
        body = "\n".join(lines_of(figure(*flat, references=changes, ticks=marked), width, height)[1:])
        rest = re.sub(r"label-smoothing 0\.1|dropout 0\.7|fitted ×50|arm \d", "", body)
        assert not any(character.isalpha() for character in rest.replace("step", "")), body
        if height >= 16:
            assert "label-smoothing 0.1" in body
            assert "dropout 0.7" in body


def test_members_are_faint_and_not_in_the_legend() -> None:
    drawn = lines_of(
        figure(line([0.0, 1.0], label="arm"), line([0.0, 2.0], label="arm · seed 7"), line([1.0, 1.0], label="other"))
    )
    assert "seed 7" not in "".join(drawn)
    assert marker(1) in "".join(drawn[1:])  # the member took no marker: the next arm has the second one
    assert marker(2) not in "".join(drawn)


def test_reference_lines_are_drawn_and_named() -> None:
    drawn = lines_of(figure(line([0.0, 1.0]), references=(Reference(0.8, "published"), Reference(0.5, "chosen", "x"))))
    assert any("published" in row and "┈" in row for row in drawn)
    assert any("chosen" in row for row in drawn)
    assert sum("┊" in row for row in drawn) > 5


def test_smoothing_keeps_what_was_measured_visible() -> None:
    values = [(-1.0) ** i for i in range(200)]
    drawn = lines_of(figure(line(values)), smooth=0.9)
    assert any(BRAILLE & set(row) for row in drawn[1:4])
    assert any(BRAILLE & set(row) for row in drawn[-4:-1])
    x, smoothed = series.smooth(np.arange(6.0), np.array([1.0, 3.0, NAN, 5.0, 5.0, 9.0]), 0.5)
    assert smoothed[0] == 1.0
    assert smoothed[1] == pytest.approx((0.5 * 0.5 * 1 + 0.5 * 3) / 0.75)
    assert math.isnan(smoothed[2])
    assert smoothed[3:5].tolist() == [5.0, 5.0]
    assert len(series.smooth(np.arange(1e5), np.ones(100_000), 0.5)[0]) <= series.SMOOTHED
    assert len(x) == 6


# --- axes -------------------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.lists(number, min_size=1, max_size=5), st.booleans(), st.integers(0, 12))
def test_ticks_are_few_ascending_distinct_and_on_the_axis(values: list[float], log: bool, most: int) -> None:
    found = ticks(make_axis(values, log=log, pad=0.05), most)
    assert len(found) <= most
    places = [place for place, _ in found]
    assert places == sorted(places)
    assert all(0 <= place <= 1 for place in places)
    assert len({label for _, label in found}) == len(found)


@pytest.mark.parametrize(
    ("axis", "most", "labels"),
    [
        (Axis(0, 1), 5, ["0", "0.25", "0.5", "0.75", "1"]),
        (Axis(0, 100_000), 5, ["0", "25k", "50k", "75k", "100k"]),
        (Axis(-3, 2, log=True), 6, ["0.001", "0.01", "0.1", "1", "10", "100"]),
        (Axis(0, 5, log=True), 3, ["1", "100", "10k"]),
        (Axis(0, 0.5, log=True), 4, ["1", "2"]),
        (Axis(2e-9, 8e-9), 4, ["2e-9", "4e-9", "6e-9", "8e-9"]),
        (Axis(0.9990, 1.0), 3, ["0.999", "0.9995", "1"]),
    ],
)
def test_ticks_fall_on_round_values(axis: Axis, most: int, labels: list[str]) -> None:
    assert [label for _, label in ticks(axis, most)] == labels


def test_few_values_that_were_tried_have_ticks_of_their_own() -> None:
    sizes, layers = (2.0, 4.0, 8.0, 16.0, 64.0, 256.0), (1.0, 2.0, 3.0)
    assert stops([sizes, sizes[1:]], log=True) == sizes
    assert stops([layers], log=False) == layers
    assert stops([(0.5, 1.5)], log=False) == (), "no short labels"
    assert stops([(0.0, 1.0, 10.0)], log=False) == (), "a curve that has just begun"
    assert stops([(0.5, 1.5, -1.0)], log=True) == (0.5, 1.5)
    assert stops([tuple(range(1, 9)), tuple(range(6, 14))], log=True) == ()
    assert stops([tuple(range(1000))], log=False) == ()
    assert [label for _, label in ticks(make_axis(sizes, log=True), 3, sizes)] == ["2", "4", "8", "16", "64", "256"]
    assert ticks(Axis(0, 1), 2, (5.0, 6.0)) == ticks(Axis(0, 1), 2), "none of them is there"
    row = lines_of(figure(line(layers, x=sizes[:3]), log_x=True), width=40, height=10)[-1]
    assert row.split()[0] == "2"
    assert row.split()[-1] == "8"


def test_the_name_of_an_axis_leaves_its_last_tick_alone() -> None:
    for width in (38, 60):
        row = lines_of(
            figure(line([float(k) for k in range(40)], x=np.geomspace(1, 1e6, 40)), log_x=True),
            width=width,
            height=10,
        )[-1]
        assert row.rstrip().endswith("1M"), row
        assert row.strip().startswith("1"), row
    assert "step" in row


def test_number_labels_of_one_axis_are_alike() -> None:
    assert number_labels([0.0, 1e6, 2.5e6]) == ["0", "1M", "2.5M"]
    assert number_labels([0.0]) == ["0"]


# --- colours ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("palette", [DARK, LIGHT])
def test_colours_stay_different_when_a_terminal_has_sixteen(palette: tuple[str, ...]) -> None:
    rounded = [Color.parse(c).downgrade(ColorSystem.STANDARD).number for c in palette]
    assert len(set(rounded)) == len(rounded)


def test_a_hundred_lines_differ_in_colour_or_marker_and_a_dozen_in_their_marker() -> None:
    looks = {(colour(i, dark=True), marker(i)) for i in range(104)}
    assert len(looks) == 104
    assert len({marker(i) for i in range(12)}) == 12
    assert all(cell_len(character) == 1 for character in MARKERS)


# --- the widget -------------------------------------------------------------------------------------------------------


class Shown(App[None]):
    """A chart alone."""

    def compose(self) -> ComposeResult:
        yield Chart()


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often a chart is drawn."""
    counted: list[int] = []
    true_paint = chart_module.paint

    def spy(*args: Any) -> None:
        counted.append(1)
        true_paint(*args)

    monkeypatch.setattr(chart_module, "paint", spy)
    return counted


async def test_the_same_figure_is_drawn_once(builds: list[int], until: Until) -> None:
    app = Shown()
    async with app.run_test(size=(60, 20)) as pilot:
        chart = app.query_one(Chart)
        await pilot.pause()
        shown = figure(line([1.0, 2.0]))
        chart.draw(shown)
        await pilot.pause()
        before = len(builds)
        chart.draw(shown)
        chart.refresh()
        await pilot.pause()
        assert len(builds) == before
        chart.draw(shown, smooth=0.5)
        await pilot.pause()
        assert len(builds) == before + 1
        await pilot.resize_terminal(70, 20)
        await until(lambda: chart.size.width == 70)
        rows = [chart.render_line(y) for y in range(20)]  # without a terminal, nobody else asks for them
        assert len(builds) == before + 2
        assert {row.cell_length for row in rows} == {70}


async def test_only_rows_that_changed_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Shown()
    async with app.run_test(size=(60, 20)) as pilot:
        chart = app.query_one(Chart)
        chart.draw(figure(line([0.0, 0.0, 1.0]), references=(Reference(2.0, "r"),)))
        await pilot.pause()
        regions: list[Any] = []
        true_refresh: Callable[..., Any] = chart.refresh
        monkeypatch.setattr(chart, "refresh", lambda *a, **k: (regions.extend(a), true_refresh(*a, **k))[1])
        chart.draw(figure(line([0.0, 0.1, 1.0]), references=(Reference(2.0, "r"),)))
        assert 0 < len(regions) < 19
        await pilot.pause()


async def test_a_chart_that_is_not_seen_is_not_drawn(builds: list[int]) -> None:
    app = Shown()
    async with app.run_test(size=(60, 20)) as pilot:
        chart = app.query_one(Chart)
        await pilot.pause()
        chart.display = False
        await pilot.pause()
        before = len(builds)
        for k in range(5):
            chart.draw(figure(line([1.0, float(k)])))
            await pilot.pause()
        assert len(builds) == before
        chart.display = True
        await pilot.pause()
        assert len(builds) == before + 1


@pytest.mark.parametrize("theme", [*THEMES, Theme(name="plain", primary="#888888")], ids=lambda t: t.name)
async def test_lines_and_text_stand_out_from_the_background(theme: Theme) -> None:
    app = Shown()
    async with app.run_test(size=(60, 20)) as pilot:
        app.register_theme(theme)
        app.theme = theme.name
        app.query_one(Chart).draw(figure(line([0.0, 1.0]), references=(Reference(0.5, "half"),)))
        await pilot.pause()
        seen = set()
        for strip in app.query_one(Chart)._strips or ():
            for segment in strip:
                if segment.text.strip() and segment.style and segment.style.color and segment.style.bgcolor:
                    back, fore = segment.style.bgcolor.get_truecolor(), segment.style.color.get_truecolor()
                    distance = sum(abs(a - b) for a, b in zip(back, fore, strict=True))
                    if set(segment.text) & (BRAILLE | set("0123456789hlf")):
                        assert distance > 120, segment
                    seen.add(segment.style.color.name)
        assert colour(0, dark=theme.dark).lower() in {name.lower() for name in seen}


async def test_a_change_of_theme_changes_the_colours() -> None:
    app = Shown()
    async with app.run_test(size=(60, 20)) as pilot:
        for theme in THEMES:
            app.register_theme(theme)
        app.query_one(Chart).draw(figure(line([0.0, 1.0])))
        looks = []
        for theme in THEMES:
            app.theme = theme.name
            await pilot.pause()
            looks.append(app.query_one(Chart).render_line(5))
        assert looks[0] != looks[1]
        assert looks[0].text == looks[1].text


def test_every_style_a_chart_uses_is_known() -> None:
    cells = Cells(80, 24)
    values = [math.sin(i / 9) for i in range(300)]
    shown = figure(
        *(
            line(values, label=str(k), low=tuple(v - 1 for v in values), high=tuple(v + 1 for v in values))
            for k in range(9)
        ),
        line([0.0, 1.0], label="p", points=True, low=(0.0, 0.5), high=(1.0, 1.5)),
        references=(Reference(0.0, "r"),),
        note="note",
    )
    for tints in ((), tuple("#000000" for _ in range(COLOURS))):
        chart_module.paint(chart_module.Frame(shown), cells, chart_module.raster, "empty", tints)
        used = set(itertools.chain.from_iterable(cells.keys)) - {""}
        kinds = {key.split("-")[0] for key in used}
        assert kinds <= {"title", "rule", "text", "tick", "reference", "note", "ground", "line", "faint", "tint"}


def test_plotext_is_imported_at_the_first_draw_and_by_one_module() -> None:
    code = (
        "import sys, screens.live, screens.panels.chart; assert 'plotext' not in sys.modules;"
        "screens.panels.chart.warm_up(); assert 'plotext' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
