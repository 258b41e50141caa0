"""What holds on every screen: ASCII, sizes, jumping, the palette, notices, what is remembered, how it ends."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from textual.app import App
from textual.binding import Binding
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input

from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunState
from screens.base import MODES, ModeScreen
from screens.help import HINTS, HelpScreen
from screens.jump import JumpScreen, panes
from screens.messages import Looked
from screens.notices import WAYS
from screens.palette import MOTIONS, GenlabCommands
from screens.panels.chart import Chart
from screens.poller import Snapshot
from screens.toosmall import LEAST, TooSmall, fits

OpenApp = Callable[..., AbstractAsyncContextManager[Pilot[None]]]
Until = Callable[[Callable[[], object]], Awaitable[None]]
Text = Callable[[App[None]], str]
KeepRun = Callable[..., str]

pytestmark = pytest.mark.usefixtures("toys")

HOSTILE = "[/x] \x1b[31mé “ünï” 日本 ±Δ·…"
SIZES = ((60, 20), (80, 24), (200, 60))


async def settled(pilot: Pilot[None], until: Until, mode: str) -> None:
    """Wait until the runs are there and a mode shows them."""
    await until(lambda: pilot.app.runs)
    if mode == "compare":
        pilot.app.open_compare(*(run.id for run in pilot.app.runs))
    else:
        pilot.app.show_mode(mode)
    await pilot.pause(0.4)


# --- ASCII ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES[1:])
@pytest.mark.parametrize("mode", MODES)
async def test_every_screen_is_ascii_where_ascii_is_wanted(
    open_app: OpenApp,
    keep_run: KeepRun,
    until: Until,
    shown: Text,
    mode: str,
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GENLAB_ASCII", "1")
    for state in ("done", "failed", "running"):
        keep_run(HOSTILE, state, steps=40 if state == "done" else 12)
    async with open_app(size=size) as pilot:
        await settled(pilot, until, mode)
        pilot.app.say("“said” – ±0.5 …", title="· title ·")
        await pilot.pause()
        looks = [shown(pilot.app)]
        for keys in (("question_mark",), ("ctrl+o",), ("colon",), ("tab",), ("slash",)):
            await pilot.press(*keys)
            await pilot.pause(0.05)
            looks.append(shown(pilot.app))
            if len(pilot.app.screen_stack) > 1:
                await pilot.press("escape")
                await pilot.pause()
        for text in looks:
            assert {c for c in text if not c.isascii()} == set()
            assert all(len(line) == size[0] for line in text.splitlines())


async def test_charts_in_ascii_draw_each_arm_with_its_own_character(
    open_app: OpenApp, keep_run: KeepRun, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLAB_ASCII", "1")
    keep_run("curves")
    async with open_app(size=(120, 40)) as pilot:
        await settled(pilot, until, "live")
        charts = pilot.app.screen.query(Chart)
        await until(lambda: any("xxx" in drawn(chart) and "###" in drawn(chart) for chart in charts))


def drawn(chart: Chart) -> str:
    """Return what a chart shows below its title and legend."""
    return "\n".join(chart.render_line(y).text for y in range(2, chart.size.height) if chart.size)


async def test_ascii_is_switched_in_the_palette_and_remembered(
    open_app: OpenApp, lab: Lab, until: Until, shown: Text
) -> None:
    async with open_app() as pilot:
        await until(lambda: "╭" in shown(pilot.app))
        await pilot.press("colon")
        await until(lambda: isinstance(pilot.app.screen, CommandPalette))
        await pilot.press(*"ascii")
        await pilot.pause(0.4)
        await pilot.press("enter")
        await pilot.pause(0.1)
        if isinstance(pilot.app.screen, CommandPalette):
            await pilot.press("enter")
        await until(lambda: shown(pilot.app).isascii())
        assert json.loads(lab.view.read_text())["ascii"] is True
    async with open_app() as pilot:
        assert shown(pilot.app).isascii()
        pilot.app.action_ascii()
        await until(lambda: "╭" in shown(pilot.app))
    async with open_app() as pilot:
        assert not shown(pilot.app).isascii()


# --- sizes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
async def test_any_size_at_any_time(open_app: OpenApp, keep_run: KeepRun, until: Until, shown: Text, mode: str) -> None:
    keep_run(HOSTILE)
    keep_run("going", "running", steps=9)
    sizes = random.Random(mode)
    async with open_app() as pilot:
        await settled(pilot, until, mode)
        for _ in range(50):
            width, height = sizes.randint(1, 240), sizes.randint(1, 70)
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            lines = shown(pilot.app).splitlines()
            if fits(pilot.app.size):
                assert isinstance(pilot.app.screen, ModeScreen)
                assert all(name in lines[0] for name in MODES)
                assert lines[-1].rstrip().endswith("? help  q leave")
            else:
                assert isinstance(pilot.app.screen, TooSmall)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert pilot.app.current_mode == mode
        assert isinstance(pilot.app.screen, ModeScreen)


@pytest.mark.parametrize("mode", MODES)
async def test_no_widget_reaches_out_of_its_screen(
    open_app: OpenApp, keep_run: KeepRun, until: Until, mode: str
) -> None:
    keep_run(HOSTILE)
    async with open_app() as pilot:
        await settled(pilot, until, mode)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await pilot.pause(0.2)
            whole = pilot.app.size.region
            for panel in pilot.app.screen.query(".panel"):
                if panel.display and panel.region.area:
                    assert whole.contains_region(panel.region), (size, panel)


async def test_a_terminal_too_small_says_what_it_needs_whatever_its_size(open_app: OpenApp, shown: Text) -> None:
    async with open_app(size=(LEAST.width - 1, LEAST.height)) as pilot:
        for size in ((59, 20), (60, 19), (30, 10), (16, 5), (3, 2), (1, 1)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            if size[0] >= 16:
                assert "60x20" in shown(pilot.app)


async def test_what_a_small_terminal_leaves_out_is_said(
    open_app: OpenApp, keep_run: KeepRun, until: Until, shown: Text
) -> None:
    keep_run("one")
    async with open_app(size=(60, 20)) as pilot:
        await settled(pilot, until, "runs")
        assert "more in 80x24" in shown(pilot.app).splitlines()[0]
        await pilot.press("question_mark")
        await pilot.pause()
        assert "In 60x20 there is no room for the details" in shown(pilot.app)
        await pilot.press("escape")
        await pilot.resize_terminal(80, 24)
        await pilot.pause(0.2)
        assert "80x24" not in shown(pilot.app)


# --- jumping ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
async def test_every_pane_has_a_letter_that_leads_there(
    open_app: OpenApp, keep_run: KeepRun, until: Until, shown: Text, mode: str
) -> None:
    keep_run("one")
    async with open_app(size=(120, 40)) as pilot:
        await settled(pilot, until, mode)
        below = pilot.app.screen
        found = panes(below)
        assert found
        for _ in found:
            await pilot.press("ctrl+o")
            await pilot.pause()
            jump = pilot.app.screen
            assert isinstance(jump, JumpScreen)
            letter, pane = list(jump.panes.items())[found.index(_)]
            row = shown(pilot.app).splitlines()[pane.region.y]
            assert f" {letter} " in row
            await pilot.press(letter)
            await pilot.pause()
            assert pilot.app.screen is below
            assert pilot.app.focused is pane.target


async def test_jumping_reaches_the_modes_and_goes_back_where_one_was(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await pilot.press("tab")
        focused = pilot.app.focused
        await pilot.press("ctrl+o", "escape")
        await pilot.pause()
        assert pilot.app.focused is focused
        await pilot.press("ctrl+o", "exclamation_mark")
        await pilot.pause()
        assert pilot.app.focused is focused
        assert pilot.app.current_mode == "lab"
        await pilot.press("ctrl+o", "3")
        await pilot.pause()
        assert pilot.app.current_mode == "runs"
        assert isinstance(pilot.app.screen, ModeScreen)
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert isinstance(pilot.app.screen, JumpScreen)
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert isinstance(pilot.app.screen, ModeScreen), "letters over panes that moved would lie"


async def test_jumping_works_from_a_text_field(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await pilot.press("slash")
        assert isinstance(pilot.app.focused, Input)
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert isinstance(pilot.app.screen, JumpScreen)


# --- palette and help -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
async def test_the_palette_has_every_key_of_a_screen_with_its_key(
    open_app: OpenApp, keep_run: KeepRun, until: Until, mode: str
) -> None:
    run_id = keep_run("[/x] one")
    async with open_app(size=(160, 50)) as pilot:
        await settled(pilot, until, mode)
        screen = pilot.app.screen
        commands = list(GenlabCommands(screen)._commands())
        names = [command.name for command in commands]
        assert len(set(names)) == len(names)
        for node in (screen, *(w for w in screen.walk_children(Widget) if w.focusable and w.region.area)):
            for binding in vars(type(node)).get("BINDINGS", []) if type(node).__module__.startswith("screens") else []:
                each = next(iter(Binding.make_bindings([binding])))
                allowed = node.check_action(each.action.split("(")[0], ())
                if allowed and each.description not in MOTIONS and "palette" not in each.action:
                    assert any(name.startswith(f"{each.description} (") for name in names), each
        assert "watch toy [/x] one" in names
        assert {f"notify: {way}" for way in WAYS} <= set(names)
        assert "ascii on or off" in names
        assert "theme genlab-light" in names
        watch = next(command for command in commands if command.name == "watch toy [/x] one")
        watch.run()
        await pilot.pause(0.1)
        assert pilot.app.current_mode == "live"
        assert pilot.app.screen.ids == (run_id,)


async def test_an_action_of_another_panel_goes_there_first(open_app: OpenApp, until: Until) -> None:
    async with open_app() as pilot:
        await pilot.press("slash", *"filter")
        command = next(c for c in GenlabCommands(pilot.app.screen)._commands() if c.name.startswith("about ("))
        await command.run()
        await pilot.pause()
        assert len(pilot.app.screen_stack) == 2


async def test_help_ends_with_mouse_and_terminal(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        text = pilot.app.screen.text.plain
        for keys, words in HINTS:
            assert keys in text
            assert words.split(":")[0][:20] in text
        assert max(len(line) for line in text.splitlines()) <= 69


# --- notices ----------------------------------------------------------------------------------------------------------


def looked(state: RunState) -> Looked:
    return Looked(Snapshot((RunRecord(id="a" * 8, phenomenon="toy", state=state, name="[/x]; \x1b[31mred"),)))


@pytest.mark.parametrize(
    ("way", "sent"),
    [
        ("bell", "\a"),
        ("osc 9", "\x1b]9;genlab: toy [/x], red: done\a"),
        ("osc 777", "\x1b]777;notify;genlab;toy [/x], red: done\a"),
        ("off", ""),
    ],
)
async def test_a_run_that_ends_is_told_through_the_terminal_while_it_is_in_the_background(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, way: str, sent: str
) -> None:
    written: list[str] = []
    async with open_app() as pilot:
        pilot.app._poller.stop()
        await pilot.pause(0.1)
        monkeypatch.setattr(pilot.app._driver, "write", written.append)
        pilot.app.action_tell_by(way)
        for focus in (True, False):
            pilot.app.app_focus = focus
            pilot.app.post_message(looked(RunState.RUNNING))
            await pilot.pause()
            pilot.app.post_message(looked(RunState.DONE))
            await pilot.pause()
            assert "".join(written) == ("" if focus else sent)


async def test_the_way_to_tell_is_remembered_and_a_strange_one_forgotten(open_app: OpenApp, lab: Lab) -> None:
    async with open_app() as pilot:
        assert pilot.app._notices.way == "bell"
        pilot.app.action_tell_by("osc 9")
    async with open_app() as pilot:
        assert pilot.app._notices.way == "osc 9"
    lab.view.write_text(json.dumps({"notify": ["rm -rf"]}))
    async with open_app() as pilot:
        assert pilot.app._notices.way == "bell"


# --- what is remembered -----------------------------------------------------------------------------------------------


async def test_it_opens_where_it_was_left(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await pilot.press("3", "q")
        await pilot.pause()
    async with open_app(start="") as pilot:
        assert pilot.app.current_mode == "runs"
    async with open_app(start="compare") as pilot:
        assert pilot.app.current_mode == "compare"


@pytest.mark.parametrize("value", [7, "[/x]", [[1], {}], {"panels": -3, "x": {}, "choices": [1]}])
async def test_no_value_in_the_view_file_breaks_a_screen(
    open_app: OpenApp, keep_run: KeepRun, lab: Lab, until: Until, value: object
) -> None:
    keep_run("one")
    async with open_app(start="") as pilot:
        for mode in MODES:
            await settled(pilot, until, mode)
        await pilot.press("1", "slash", *"toy", "enter", "2", "plus", "a", "o", "3", "s", "4", "q")
        await pilot.pause()
    known = json.loads(lab.view.read_text())
    assert {"mode", "live"} <= set(known)
    lab.view.write_text(json.dumps(dict.fromkeys(known, value) | {"theme": value, "ascii": value, "notify": value}))
    async with open_app(start="") as pilot:
        for mode in MODES:
            await settled(pilot, until, mode)
            assert pilot.app.current_mode == mode
        assert len(pilot.app.runs) == 1


# --- how it ends ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
async def test_escape_never_leaves(open_app: OpenApp, keep_run: KeepRun, until: Until, mode: str) -> None:
    keep_run("one")
    async with open_app() as pilot:
        await settled(pilot, until, mode)
        await pilot.press(*["escape"] * 8)
        await pilot.pause()
        assert pilot.app.is_running
        assert pilot.app.return_code is None


async def test_ctrl_c_says_how_to_leave_and_twice_leaves(open_app: OpenApp, toasts: Text) -> None:
    async with open_app() as pilot:
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert "q or ctrl+c again leaves; runs go on" in toasts(pilot.app)
        assert pilot.app.return_code is None
        await pilot.press("ctrl+c")
        await pilot.pause()
    assert pilot.app.return_code == 0


async def test_a_mistake_in_an_action_does_not_end_the_app(
    open_app: OpenApp, lab: Lab, until: Until, toasts: Callable[[App[None]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody is at work: it is said, written down with its traceback, and the next key works."""

    def broken(self: object) -> None:
        raise ImportError("[/x] was replaced under the app")

    async with open_app() as pilot:
        monkeypatch.setattr(type(pilot.app.screen), "action_about", broken)
        monkeypatch.setattr(type(pilot.app), "is_headless", property(lambda self: False))
        await pilot.press("i")
        await until(lambda: "ImportError: [/x] was replaced" in toasts(pilot.app))
        assert "Traceback" in lab.screen_log.read_text(encoding="utf-8")
        await pilot.press("3")
        await until(lambda: pilot.app.current_mode == "runs")
