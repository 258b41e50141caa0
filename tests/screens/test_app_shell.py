"""The app around the screens: sizes, keys, help, palette, leaving, toasts, two apps on one lab, what it imports."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from textual.app import App
from textual.binding import Binding
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES
from textual.widgets import Input

import screens
import screens.panels
from genlab_tui.errors import GenlabError
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunState
from jobs import runs
from jobs.launcher import Device
from jobs.request import build_spec
from screens.base import MODES, ModeScreen
from screens.help import HelpScreen, sections
from screens.messages import Looked
from screens.panels.chrome import HeaderLine, KeyLine, count_line
from screens.panels.gpu import load_line
from screens.panels.marks import bar, fit, remaining
from screens.panels.regularisers import Regularisers
from screens.poller import Poller, Snapshot
from screens.themes import TERMINAL_THEMES
from screens.toosmall import TooSmall

OpenApp = Callable[..., AbstractAsyncContextManager[Pilot[None]]]
Until = Callable[[Callable[[], object]], Awaitable[None]]
Text = Callable[[App[None]], str]

pytestmark = pytest.mark.usefixtures("toys")


# --- sizes ------------------------------------------------------------------------------------------------------------


async def test_a_terminal_too_small_says_so_takes_no_keys_and_recovers(
    open_app: OpenApp, lab: Lab, shown: Text
) -> None:
    async with open_app() as pilot:
        await pilot.press("tab", "tab")
        focused = pilot.app.focused
        assert isinstance(focused, Regularisers)
        await pilot.resize_terminal(59, 20)
        await pilot.pause()
        assert "59x20" in shown(pilot.app)
        assert "60x20" in shown(pilot.app)
        await pilot.press("r", "2")
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert "40x10" in shown(pilot.app)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert not isinstance(pilot.app.screen, TooSmall)
        assert pilot.app.focused is focused
        assert pilot.app.current_mode == "lab"
        assert runs.list_runs(lab) == []


async def test_it_starts_in_a_terminal_too_small_and_q_leaves(open_app: OpenApp, shown: Text) -> None:
    async with open_app(size=(50, 12)) as pilot:
        await pilot.pause()
        assert "genlab needs 60x20" in shown(pilot.app)
        await pilot.press("q")
        await pilot.pause()
    assert pilot.app.return_code == 0


async def test_a_mode_that_was_in_the_background_takes_the_new_size(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        lab_screen = pilot.app.screen
        await pilot.press("3")
        await pilot.resize_terminal(180, 50)
        await pilot.press("1")
        await pilot.pause()
        assert pilot.app.screen is lab_screen
        assert lab_screen.has_class("-huge")
        assert lab_screen.has_class("-tall")
        assert not lab_screen.has_class("-normal")


# --- keys, help, palette ----------------------------------------------------------------------------------------------


def bound_classes() -> list[type]:
    """Return every class of the screens that binds keys."""
    modules = [
        import_module(info.name)
        for package in (screens, screens.panels)
        for info in iter_modules(package.__path__, package.__name__ + ".")
    ]
    found = [(module, value) for module in modules for value in vars(module).values() if isinstance(value, type)]
    return [cls for module, cls in found if cls.__module__ == module.__name__ and "BINDINGS" in vars(cls)]


@pytest.mark.parametrize("cls", bound_classes(), ids=lambda cls: cls.__name__)
def test_every_binding_says_what_it_does_and_no_key_is_bound_twice(cls: type) -> None:
    keys: list[str] = []
    for binding in vars(cls)["BINDINGS"]:
        assert isinstance(binding, Binding)
        assert binding.description.strip()
        keys += [each.key for each in Binding.make_bindings([binding])]
    twice = {key for key in keys if keys.count(key) > 1}
    # Live's p pauses or resumes, Runs' u undoes or brings back: `check_action` leaves the one that fits.
    assert twice == {"LiveScreen": {"p"}, "RunsScreen": {"u"}}.get(cls.__name__, set())


async def test_help_shows_every_key_of_the_screen_and_its_panels(open_app: OpenApp, shown: Text) -> None:
    async with open_app(size=(100, 100)) as pilot:
        below = pilot.app.screen
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        text = shown(pilot.app)
        titles = [title for title, _ in sections(below)]
        assert titles[0] == "Lab"
        assert titles[-1] == "Everywhere"
        for title, bindings in sections(below):
            assert title in text
            for binding in bindings:
                assert binding.tooltip[:24] in text
        await pilot.press("escape")
        assert pilot.app.screen is below


@pytest.mark.parametrize("width", [60, 80, 200])
async def test_the_first_and_last_lines_fit_and_name_what_matters(open_app: OpenApp, shown: Text, width: int) -> None:
    async with open_app(size=(width, 24)) as pilot:
        for key in ("tab", "tab", "tab", "tab"):
            await pilot.press(key)
            await pilot.pause()
            lines = shown(pilot.app).splitlines()
            assert len(lines[0].rstrip()) <= width
            for mode in MODES:
                assert mode in lines[0]
            assert lines[-1].rstrip().endswith("? help  q leave")


async def test_a_click_on_the_key_line_presses_the_key(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        line = pilot.app.screen.query_one(KeyLine)
        await pilot.click(KeyLine, offset=(line.render().plain.index("? help"), 0))
        await pilot.pause()
        assert isinstance(pilot.app.screen, HelpScreen)


async def test_a_click_on_the_header_switches_the_mode(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        line = pilot.app.screen.query_one(HeaderLine)
        await pilot.click(HeaderLine, offset=(line.render().plain.index("3 runs"), 0))
        await pilot.pause()
        assert pilot.app.current_mode == "runs"


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
async def test_the_palette_finds_actions_phenomena_and_themes(open_app: OpenApp, until: Until, key: str) -> None:
    async with open_app() as pilot:
        await pilot.press("tab", key)
        await until(lambda: isinstance(pilot.app.screen, CommandPalette))
        await pilot.press(*"theme nord")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.pause(0.1)
        if isinstance(pilot.app.screen, CommandPalette):
            await pilot.press("enter")
        await until(lambda: pilot.app.theme == "nord")


# --- leaving, acting, saying ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("queue_held")
@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_leaving_says_that_the_runs_go_on(
    open_app: OpenApp, lab: Lab, until: Until, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.submit(lab, build_spec("toy", lab=lab))
    said: list[object] = []
    async with open_app() as pilot:
        await until(lambda: pilot.app.runs)
        monkeypatch.setattr(pilot.app, "exit", lambda return_code=0, message=None: said.append(message))
        await pilot.press(key)
        await pilot.pause()
    assert "1 run goes on without the screen" in str(said[0])
    assert runs.list_runs(lab)[0].state is RunState.QUEUED


async def test_a_verb_that_fails_becomes_a_toast_and_nothing_worse(
    open_app: OpenApp, until: Until, toasts: Text
) -> None:
    def fail(what: str) -> None:
        raise GenlabError(f"[/x] {what}\x1b[31m", "do something else")

    done: list[str] = []
    async with open_app() as pilot:
        pilot.app.act("stop 7f3a", fail, "broke")
        pilot.app.act("join", "".join, ["a", "b"], then=done.append)
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert "cannot stop 7f3a: [/x] broke (do something else)" in toasts(pilot.app)
        assert done == ["ab"]
        assert pilot.app.is_running
        pilot.app.act("fork it", {}.__getitem__, "[/x] plan of one's own")
        await until(lambda: 'cannot fork it: KeyError: "[/x] plan of one\'s own"' in toasts(pilot.app))
        assert pilot.app.is_running


def record(run_id: str, state: RunState, **more: object) -> RunRecord:
    return RunRecord(id=run_id, phenomenon="toy", state=state, **more)  # type: ignore[arg-type]


async def test_the_end_of_a_run_is_told_unless_it_is_being_watched(
    open_app: OpenApp, toasts: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_app() as pilot:
        pilot.app._poller.stop()
        await pilot.pause()
        running = tuple(record(i * 8, RunState.RUNNING) for i in "abc")
        pilot.app.post_message(Looked(Snapshot(running)))
        await pilot.pause()
        assert toasts(pilot.app) == "", "runs that were there before are no news"
        monkeypatch.setattr(type(pilot.app.screen), "watched", ("cccccccc",))
        ended = (
            record("a" * 8, RunState.DONE, verdict="SHOWN", name="[/x]"),
            record("b" * 8, RunState.FAILED, reason="CUDA OOM"),
            record("c" * 8, RunState.DONE),
        )
        pilot.app.post_message(Looked(Snapshot(ended)))
        await pilot.pause()
        assert "toy [/x]: done · SHOWN" in toasts(pilot.app)
        assert "toy bbbbbbbb: failed · CUDA OOM" in toasts(pilot.app)
        assert "cccccccc" not in toasts(pilot.app)


# --- the lab behind it ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("queue_held")
async def test_two_apps_on_one_lab_see_the_same(open_app: OpenApp, lab: Lab, until: Until) -> None:
    async with open_app() as first, open_app() as second:
        first.app.theme = "genlab-light"
        run = runs.submit(lab, build_spec("toy", lab=lab))
        await until(lambda: first.app.runs and second.app.runs)
        assert [r.id for r in first.app.runs] == [r.id for r in second.app.runs] == [run.id]
        second.app.act("cancel", runs.cancel, lab, run.id)
        await until(lambda: first.app.runs[0].state.ended and second.app.runs[0].state.ended)


async def test_the_theme_is_remembered(open_app: OpenApp, lab: Lab) -> None:
    async with open_app() as pilot:
        assert pilot.app.theme == "genlab-dark"
        pilot.app.theme = "gruvbox"
        await pilot.pause()
    assert json.loads(lab.view.read_text())["theme"] == "gruvbox"
    async with open_app() as pilot:
        assert pilot.app.theme == "gruvbox"


async def test_without_colours_no_theme_of_the_terminal_is_restored(
    open_app: OpenApp, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.root.mkdir(parents=True)
    lab.view.write_text(json.dumps({"theme": "ansi-dark"}))
    async with open_app() as pilot:
        assert pilot.app.theme == "ansi-dark"
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_app() as pilot:
        assert pilot.app.theme == "genlab-dark"


def test_the_themes_that_are_not_offered_are_those_in_the_colours_of_the_terminal() -> None:
    assert {name for name, theme in BUILTIN_THEMES.items() if theme.ansi} <= TERMINAL_THEMES


async def test_a_toast_waits_while_a_sheet_is_read(open_app: OpenApp, toasts: Text) -> None:
    async with open_app() as pilot:
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        pilot.app.say("[news]", title="later")
        assert toasts(pilot.app) == ""
        await pilot.press("escape")
        await pilot.pause()
        assert toasts(pilot.app) == "later: [news]"


@pytest.mark.parametrize("content", [b"", b"{", b'{"theme": "no such theme"}', b'{"theme": 7}', b"\xff\xfe"])
async def test_a_broken_view_file_costs_the_view_alone(open_app: OpenApp, lab: Lab, content: bytes) -> None:
    lab.root.mkdir(parents=True)
    lab.view.write_bytes(content)
    async with open_app() as pilot:
        assert pilot.app.theme == "genlab-dark"


async def test_runs_that_cannot_be_read_are_said_and_the_thread_lives_on(
    open_app: OpenApp, until: Until, toasts: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Exception] = [GenlabError("the index is locked"), RuntimeError("surprise")]

    def failing(lab: Lab) -> list[RunRecord]:
        if answers:
            raise answers.pop(0)
        return [record("a" * 8, RunState.DONE)]

    monkeypatch.setattr(runs, "list_runs", failing)
    async with open_app() as pilot:
        await until(lambda: "the index is locked" in toasts(pilot.app))
        pilot.app._poller.wake()
        await until(lambda: "surprise" in toasts(pilot.app))
        pilot.app._poller.wake()
        await until(lambda: len(pilot.app.runs) == 1)


def test_the_poller_delivers_only_what_changed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [record("a" * 8, RunState.DONE)]
    monkeypatch.setattr(runs, "list_runs", lambda lab: list(found))
    monkeypatch.setattr("jobs.local.devices", lambda lab: [])
    delivered: list[Snapshot] = []
    poller = Poller(lab, delivered.append)
    poller.start()
    for _ in range(3):
        time.sleep(0.05)
        poller.wake()
    assert len(delivered) == 1
    found.append(record("b" * 8, RunState.QUEUED))
    poller.wake()
    time.sleep(0.2)
    poller.stop()
    assert [len(s.runs) for s in delivered] == [1, 2]
    assert not poller._thread.is_alive()


async def test_readers_are_kept_and_not_too_many(open_app: OpenApp, lab: Lab, queue_held: None) -> None:
    run = runs.submit(lab, build_spec("toy", lab=lab))
    async with open_app() as pilot:
        assert pilot.app.reader(run.id) is pilot.app.reader(run.id)


IMPORTS = """
import asyncio, sys
from genlab_tui.app import GenlabApp
from genlab_tui.paths import lab_home
seen = {}
class Watched(GenlabApp):
    def on_mount(self):
        self.call_after_refresh(lambda: seen.setdefault("first", set(sys.modules)))
async def main():
    app = Watched(lab_home())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(1.5)
        for key in "1234":
            await pilot.press(key)
            await pilot.pause(0.2)
asyncio.run(main())
heavy = {"torch", "torchvision", "sklearn", "scipy", "numpy", "plotext", "tinydb", "pandas"}
assert not heavy & seen["first"], heavy & seen["first"]
assert not {"torch", "torchvision", "sklearn"} & set(sys.modules)
print("light")
"""


def test_neither_first_paint_nor_the_modes_import_what_is_heavy(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.endswith("light\n"), done.stderr


# --- small drawings ---------------------------------------------------------------------------------------------------


def test_counts_leave_out_what_is_nought() -> None:
    some = [record("a" * 8, s) for s in (RunState.RUNNING, RunState.STARTING, RunState.PAUSED, RunState.DONE)]
    assert count_line(some) == "2 running · 1 paused"
    assert count_line(some, short=True) == "▶2 ‖1"
    assert count_line([]) == ""


def test_the_load_line_prefers_the_gpu_and_lives_without_numbers() -> None:
    cpu = Device("cpu", "2 cores", 1, utilisation=0.5, memory_used=int(3e9), memory_total=int(23e9))
    gpu = Device(
        "cuda:0", "H200", 1, utilisation=0.81, memory_used=int(12.3e9), memory_total=int(139e9), temperature=61
    )
    bare = Device("cuda:1", "H200", 1)
    assert load_line([cpu, gpu, bare], 2) == "GPU0 81% 12.3/139G 61°C +1"
    assert load_line([cpu, gpu], 0) == "GPU0 81%"
    assert load_line([cpu], 2) == "CPU 50% 3.0/23G"
    assert load_line([bare], 2) == "GPU1"
    assert load_line([], 2) == ""


@pytest.mark.parametrize("done", [0.0, 0.5, 1.0, 7.0, -1.0, float("nan")])
def test_a_bar_has_its_width_whatever_it_is_told(done: float) -> None:
    assert bar(done, 10).cell_length == 10


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(41, "0:41"), (725, "12:05"), (12_000, "3h20"), (187_200, "2d4h"), (-1, "–:––"), (float("nan"), "–:––")],
)
def test_the_time_left_takes_five_characters_at_most(seconds: float, text: str) -> None:
    assert remaining(seconds) == text


@pytest.mark.parametrize("text", ["", "abc", "a much longer text than fits", "日本語のテキスト"])
@pytest.mark.parametrize("width", [0, 1, 5, 12])
def test_fit_gives_exactly_the_width(text: str, width: int) -> None:
    from rich.cells import cell_len

    assert cell_len(fit(text, width)) == width


async def test_every_mode_opens_on_an_empty_lab(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        for key, mode in zip("2341", ("live", "runs", "compare", "lab"), strict=True):
            await pilot.press(key)
            await pilot.pause()
            assert pilot.app.current_mode == mode
            assert isinstance(pilot.app.screen, ModeScreen)


async def test_the_keys_of_a_text_field_are_not_offered_while_it_has_the_focus(open_app: OpenApp, shown: Text) -> None:
    async with open_app() as pilot:
        await pilot.press("slash")
        assert isinstance(pilot.app.focused, Input)
        await pilot.pause()
        assert "launch" not in shown(pilot.app).splitlines()[-1]
