"""The home screen as a place to live in: the welcome, predictions, the catalogue at a glance, the queue taken back."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from rich.style import Style as RichStyle
from textual.app import App
from textual.color import Color
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Input, Static

from genlab_tui import phenomena
from genlab_tui.events import Progress
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunSpec, RunState
from genlab_tui.verdict import Status, Verdict
from jobs import demo, runs
from jobs.launcher import Device, QueueEntry
from jobs.request import build_spec
from screens import welcome
from screens.draft import Draft
from screens.panels.catalogue import Catalogue
from screens.panels.form import Form
from screens.panels.gpu import Devices
from screens.panels.launch import Launch
from screens.panels.predicted import predicted_text
from screens.panels.queue import Queue
from screens.panels.readable import LEAST_CONTRAST, ReadableList, contrast
from screens.panels.verdict import verdict_line, verdict_table
from screens.predict import Predict
from screens.seeding import MoreSeeds
from screens.sheet import Ask
from screens.themes import TERMINAL_THEMES
from screens.welcome import Welcome

OpenApp = Callable[..., AbstractAsyncContextManager[Pilot[None]]]
Until = Callable[[Callable[[], object]], Awaitable[None]]
Text = Callable[[App[None]], str]

pytestmark = pytest.mark.usefixtures("toys")
HOSTILE = "slower [/x] \x1b]0;pwn\x07\x1b[31m by 3x"


def draft(pilot: Pilot[None]) -> Draft:
    found = pilot.app.screen_stack[0].query_one(Launch).draft
    assert found is not None
    return found


def standing(pilot: Pilot[None]) -> str:
    """What stands below the form: why it cannot be launched, or what is predicted."""
    return Content.from_markup(str(pilot.app.screen_stack[0].query_one(Launch).border_subtitle)).plain


def text_of(pilot: Pilot[None], name: str) -> str:
    return str(pilot.app.screen.query_one(name, Static).content)


async def choose(pilot: Pilot[None], name: str) -> None:
    pilot.app.screen.query_one(Catalogue).choose(name)
    form = pilot.app.screen.query_one(Form)
    while form.shown != name:
        await pilot.pause(0.01)
    await pilot.pause()


# --- the welcome ------------------------------------------------------------------------------------------------------


@pytest.fixture
def somebody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test draws for no terminal, which nobody is welcomed at."""
    monkeypatch.setattr(welcome, "nobody_there", lambda screen: False)


@pytest.mark.usefixtures("somebody_there", "queue_held")
async def test_a_lab_without_runs_welcomes_and_launches_the_demo(open_app: OpenApp, lab: Lab, until: Until) -> None:
    async with open_app() as pilot:
        await until(lambda: isinstance(pilot.app.screen, Welcome))
        await pilot.press("d")
        await until(lambda: pilot.app.current_mode == "live")
        (run,) = runs.list_runs(lab)
        assert (run.phenomenon, run.preset, run.name) == (demo.PHENOMENON, demo.PRESET, demo.NAME)
        assert pilot.app.screen.watched == (run.id,)


@pytest.mark.usefixtures("somebody_there", "queue_held")
@pytest.mark.parametrize("key", ["escape", "q"])
async def test_the_welcome_that_was_left_never_comes_again(open_app: OpenApp, lab: Lab, until: Until, key: str) -> None:
    async with open_app() as pilot:
        await until(lambda: isinstance(pilot.app.screen, Welcome))
        await pilot.press(key)
        assert pilot.app.is_running
        assert pilot.app.focused is pilot.app.screen.query_one(Catalogue)
        assert runs.list_runs(lab) == []
    async with open_app() as pilot:
        await until(lambda: pilot.app._looked)
        await pilot.pause()
        assert not isinstance(pilot.app.screen, Welcome)


@pytest.mark.usefixtures("somebody_there", "queue_held")
async def test_a_lab_that_has_had_a_run_needs_no_welcome(open_app: OpenApp, lab: Lab, until: Until) -> None:
    run = runs.submit(lab, build_spec("toy", lab=lab))
    async with open_app() as pilot:
        await until(lambda: pilot.app.recall(welcome.SEEN))
        assert not isinstance(pilot.app.screen, Welcome)
    runs.cancel(lab, run.id)
    runs.trash(lab, run.id)
    async with open_app() as pilot:
        await until(lambda: pilot.app._looked)
        await pilot.pause()
        assert not isinstance(pilot.app.screen, Welcome)


@pytest.mark.usefixtures("queue_held")
async def test_the_palette_brings_the_welcome_back(open_app: OpenApp, until: Until, shown: Text) -> None:
    async with open_app() as pilot:
        await pilot.press("3", "colon", *"welcome")
        await until(lambda: "What this is, the keys" in shown(pilot.app))
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, Welcome))
        await pilot.press("escape")
        await until(lambda: not isinstance(pilot.app.screen, Welcome))
        assert pilot.app.current_mode == "runs"


@pytest.mark.usefixtures("somebody_there", "queue_held")
@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)])
async def test_the_welcome_fits(open_app: OpenApp, until: Until, shown: Text, size: tuple[int, int]) -> None:
    async with open_app(size=size) as pilot:
        await until(lambda: isinstance(pilot.app.screen, Welcome))
        await pilot.pause()
        text = shown(pilot.app)
        for words in ("4 Compare", "r launches", "The demo", "d launches the demo", "esc looks around"):
            assert words in text


# --- predictions ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("queue_held")
@pytest.mark.parametrize(
    ("key", "verdict", "option"),
    [("s", "SHOWN", "shown"), ("n", "NOT SHOWN", "not-shown"), ("i", "INCONCLUSIVE", "inconclusive")],
)
async def test_a_prediction_goes_into_the_run_and_is_gone_after_the_launch(
    open_app: OpenApp, lab: Lab, until: Until, key: str, verdict: str, option: str
) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        assert "P predict" in standing(pilot)
        await pilot.press("P", key, *"3x", "enter")
        await pilot.pause()
        assert not isinstance(pilot.app.screen, Predict)
        assert f"you predict {verdict}, “3x”" in standing(pilot)
        await pilot.press("y")
        words = shlex.split(pilot.app.clipboard)
        assert words[words.index("--expect") + 1] == option
        assert words[words.index("--predict") + 1] == "3x"
        await pilot.press("r")
        await until(lambda: len(runs.list_runs(lab)) == 1)
        spec = runs.read_spec(lab, runs.list_runs(lab)[0].id)
        assert (spec.expected, spec.prediction) == (verdict, "3x")
        await until(lambda: not draft(pilot).expected)
        await pilot.pause()
        assert "P predict" in standing(pilot)
        await pilot.press("y")
        assert "--expect" not in pilot.app.clipboard


async def test_escape_leaves_a_prediction_as_it_was_and_no_guess_takes_it_back(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        await pilot.press("P", "s", "enter", "P", "n", *"never", "escape")
        await pilot.pause()
        assert (draft(pilot).expected, draft(pilot).prediction) == ("SHOWN", "")
        await pilot.press("P", "g", "enter")
        await pilot.pause()
        assert draft(pilot).expected == ""
        assert "P predict" in standing(pilot)


async def test_the_words_alone_are_a_prediction_and_up_leads_back_to_the_guess(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        await pilot.press("P", "down", *"sn", "up", "i", "enter")
        await pilot.pause()
        assert (draft(pilot).expected, draft(pilot).prediction) == ("INCONCLUSIVE", "sn")
        await pilot.press("P", "g", "tab", "enter")
        await pilot.pause()
        assert (draft(pilot).expected, draft(pilot).prediction) == ("", "sn")
        assert "you predict “sn”" in standing(pilot)


async def test_p_types_in_a_field_and_the_dialog_shows_what_is_claimed(open_app: OpenApp, shown: Text) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        pilot.app.screen.query_one(Form).take_focus("rates")
        await pilot.pause()
        await pilot.press("P")
        assert not isinstance(pilot.app.screen, Predict)
        assert draft(pilot).values["rates"] == "P"
        await pilot.press("backspace", "1", "escape", "P")
        assert isinstance(pilot.app.screen, Predict)
        await pilot.pause()
        assert "A faster learner ends with a higher test accuracy" in shown(pilot.app)


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_a_hostile_prediction_is_shown_and_does_nothing(
    open_app: OpenApp, lab: Lab, shown: Text, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as pilot:
        await choose(pilot, "toy")
        await pilot.press("P", "s")
        pilot.app.screen.query_one(Input).value = HOSTILE
        await pilot.press("enter", "enter")
        await pilot.pause()
        assert "slower [/x]" in shown(pilot.app)
        assert not {"\x1b", "\x07"} & set(shown(pilot.app) + draft(pilot).prediction)
        assert build_spec("toy", lab=lab, **draft(pilot).request()).expected == "SHOWN"


async def test_a_prediction_waits_over_the_end_of_the_app(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        await pilot.press("P", "n", *"no", "enter")
        await pilot.pause()
    async with open_app() as pilot:
        await pilot.pause()
        assert (draft(pilot).expected, draft(pilot).prediction) == ("NOT SHOWN", "no")


def test_how_a_prediction_came_out_is_said_beside_the_verdict() -> None:
    judged = Verdict(status=Status.SHOWN, scope="", claims=())
    spec = RunSpec("aaaaaaaa", "toy", {}, expected="SHOWN", prediction=HOSTILE)
    assert "you predicted SHOWN: right, “slower [/x]" in verdict_table(judged, ended=True, spec=spec).plain
    assert "you predicted SHOWN, “slower" in verdict_table(judged, ended=False, spec=spec).plain
    assert "predicted" not in verdict_table(judged, ended=True).plain
    for expected, verdict, word in (
        ("SHOWN", "SHOWN", "right"),
        ("SHOWN", "NOT SHOWN", "wrong"),
        ("INCONCLUSIVE", "SHOWN", "wrong"),
        ("SHOWN", "INCONCLUSIVE", "undecided"),
        ("INCONCLUSIVE", "INCONCLUSIVE", "right"),
    ):
        assert predicted_text(expected, "", 80, verdict=verdict).plain == f"predicted {expected}: {word}"
    assert predicted_text("", "", 80).plain == ""
    assert predicted_text("SHOWN", "a" * 500, 40).cell_length <= 40


@pytest.mark.parametrize(
    ("width", "words"), [(60, "you: wrong"), (80, "you: wrong"), (140, "you predicted INCONCLUSIVE: wrong")]
)
async def test_live_says_how_a_prediction_came_out(
    open_app: OpenApp, keep_run: Callable[..., str], until: Until, shown: Text, width: int, words: str
) -> None:
    found = keep_run(expected="INCONCLUSIVE", prediction="too few seeds")
    async with open_app(size=(width, 24)) as pilot:
        await until(lambda: pilot.app.runs)
        assert pilot.app.runs[0].verdict == "SHOWN"
        pilot.app.open_live(found)
        await until(lambda: f"SHOWN  {words}" in shown(pilot.app))
        await pilot.press("v")
        await pilot.pause()
        assert "“too few seeds”" in shown(pilot.app)


def test_the_verdict_line_of_a_run_that_goes_on_says_nothing_of_the_guess() -> None:
    judged = Verdict(status=Status.NOT_SHOWN, scope="", claims=())
    spec = RunSpec("aaaaaaaa", "toy", {}, expected="SHOWN")
    for width in (60, 80, 200):
        assert "you" not in verdict_line(judged, width, ended=False, spec=spec).plain


async def test_a_run_that_was_stopped_says_nothing_of_the_guess(
    open_app: OpenApp, keep_run: Callable[..., str], until: Until, shown: Text
) -> None:
    found = keep_run(state="stopped", expected="NOT SHOWN")
    async with open_app(size=(140, 24)) as pilot:
        await until(lambda: pilot.app.runs)
        pilot.app.open_live(found)
        await until(lambda: "SHOWN" in shown(pilot.app))
        assert "you predicted" not in shown(pilot.app)
        await pilot.press("v")
        await pilot.pause()
        assert "you predicted NOT SHOWN" in shown(pilot.app)
        assert not any(word in shown(pilot.app) for word in ("right", "wrong"))


# --- the catalogue at a glance ----------------------------------------------------------------------------------------


def ended(name: str, verdict: str, state: RunState = RunState.DONE) -> RunRecord:
    return RunRecord(f"a{name[:3]}", name, state, verdict=verdict, ended=1.0, created=1.0, identity=name)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60)])
async def test_each_verdict_has_a_mark_and_its_own_word(open_app: OpenApp, shown: Text, size: tuple[int, int]) -> None:
    names = list(phenomena.catalogue())
    told = [
        ended(names[0], "SHOWN"),
        ended(names[1], "NOT SHOWN"),
        ended(names[2], "INCONCLUSIVE"),
        ended(names[3], "", RunState.FAILED),
        RunRecord("aaaaaaab", names[4], RunState.RUNNING, created=2.0),
    ]
    async with open_app(size=size) as pilot:
        await pilot.pause()
        pilot.app.screen.query_one(Catalogue).tell(told, {"aaaaaaab": Progress(done=0.62, label="")})
        await pilot.pause()
        width = size[0] if size[0] < 76 else size[0] // 2
        lines = [line[1:width].split("││")[0] for line in shown(pilot.app).splitlines()]

        def line_of(name: str) -> str:
            title = phenomena.get(name).title
            return next(line for line in lines if title in line[:24])

        for name, mark, word in zip(names, "✓✗?!▶", ("SHOWN", "NOT SHOWN", "INCONCL.", "failed", "62%"), strict=False):
            line = line_of(name)
            assert line.split()[0] == mark
            assert f" {word}" in line
        assert " NOT " not in line_of(names[0])
        assert "–" in line_of(names[5])


async def test_brackets_go_from_group_to_group(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        catalogue = pilot.app.screen.query_one(Catalogue)
        groups = list(dict.fromkeys(p.group for p in phenomena.catalogue().values()))
        firsts = [next(p.name for p in phenomena.catalogue().values() if p.group == g) for g in groups]
        await pilot.press("home")
        for name in firsts[1:]:
            await pilot.press("right_square_bracket")
            assert catalogue.chosen == name
        await pilot.press("right_square_bracket")
        assert catalogue.chosen == firsts[-1], "there is none behind the last"
        await pilot.press("left_square_bracket")
        assert catalogue.chosen == firsts[-2]


async def test_the_filter_counts_what_it_leaves(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        known = len(phenomena.catalogue())
        left = pilot.app.screen.query_one("#left")
        assert str(left.border_title) == f"Phenomena · {known}"
        await pilot.press("slash", *"learner")
        await pilot.pause()
        assert str(left.border_title) == f"Phenomena · 1 of {known}"
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert str(left.border_title) == f"Phenomena · {known}"


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_thirty_phenomena_take_a_line_each(
    open_app: OpenApp,
    shown: Text,
    tmp_path: Path,
    toys: Path,
    add_phenomena: Callable[[Path], None],
    size: tuple[int, int],
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    toy = (toys / "toy.py").read_text()
    for number in range(30):
        named = toy.replace('name="toy"', f'name="toy-{number:02}"').replace('title="Toy"', f'title="Toy {number:02}"')
        (folder / f"toy_{number:02}.py").write_text(named)
    add_phenomena(folder)
    async with open_app(size=size) as pilot:
        catalogue = pilot.app.screen.query_one(Catalogue)
        await pilot.press("end")
        await pilot.pause()
        assert catalogue.chosen in ("toy-29", "layer-robustness")
        assert "Does a faster" not in "\n".join(line[: size[0] // 3] for line in shown(pilot.app).splitlines())
        await pilot.press("slash", *"toy 17", "enter")
        assert catalogue.chosen == "toy-17"


async def test_the_line_under_the_cursor_is_read_in_every_theme(open_app: OpenApp) -> None:
    told = [ended(name, "INCONCLUSIVE") for name in phenomena.catalogue()]
    async with open_app(size=(130, 90)) as pilot:
        catalogue = pilot.app.screen.query_one(Catalogue)
        catalogue.tell(told, {})
        await pilot.pause()
        assert catalogue._questions, "the line below the highlighted one is its question"
        at = next(i for i, (option, _) in enumerate(catalogue._lines) if option == catalogue.highlighted)
        for theme in sorted(set(pilot.app.available_themes) - TERMINAL_THEMES):
            pilot.app.theme = theme
            await pilot.pause()
            own = catalogue.get_visual_style("option-list--option", "option-list--option-highlighted").rich_style
            for row in (at, at + 1):
                for _, style, _ in catalogue.render_line(row):
                    assert style is not None
                    assert ratio(style) >= min(LEAST_CONTRAST, ratio(own)), theme


def ratio(style: RichStyle) -> float:
    ink, paper = style.color, style.bgcolor
    assert ink
    assert ink.triplet
    assert paper
    assert paper.triplet
    return contrast(Color(*ink.triplet), Color(*paper.triplet))


def test_contrast_is_that_of_the_guidelines() -> None:
    black, white = Color(0, 0, 0), Color(255, 255, 255)
    assert contrast(black, white) == pytest.approx(21.0)
    assert contrast(white, white) == pytest.approx(1.0)
    assert contrast(Color(119, 119, 119), white) == pytest.approx(4.48, abs=0.01)
    assert issubclass(Catalogue, ReadableList)
    assert issubclass(Queue, ReadableList)


# --- the form ---------------------------------------------------------------------------------------------------------


async def test_the_form_shows_the_fields_of_the_mode_and_steps_over_the_others(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "double-descent")
        form = pilot.app.screen.query_one(Form)
        assert form.field("widths").display
        assert not form.field("lr").display
        form.take_focus("model")
        await pilot.pause()
        await pilot.press("right")
        await pilot.pause()
        assert form.field("lr").display
        assert not form.field("widths").display
        assert form.focused_name == "model", "the focus stays on what was changed"
        seen = ["model"]
        while seen[-1] != "epochs":
            await pilot.press("down")
            seen.append(form.focused_name)
        assert not {"widths", "features", "samples", "average"} & set(seen)
        form.take_focus("widths")
        await pilot.pause()
        assert form.focused_name == "preset", "a field that is not shown cannot have the focus"


async def test_fields_that_fit_share_a_row_whatever_is_hidden(open_app: OpenApp) -> None:
    async with open_app(size=(120, 60)) as pilot:
        for preset in ("quick", "network", "ensemble"):
            await choose(pilot, "double-descent")
            launch, form = pilot.app.screen.query_one(Launch), pilot.app.screen.query_one(Form)
            form.take_focus("preset")
            await pilot.pause()
            while draft(pilot).preset != preset:
                await pilot.press("right")
            await pilot.pause()
            rows: dict[int, list[tuple[int, int]]] = {}
            for field in form.children:
                if field.display:
                    rows.setdefault(field.region.y, []).append((field.region.x, field.region.right))
            for spans in rows.values():
                assert len(spans) <= 2
                assert len(spans) == 1 or min(spans)[1] <= max(spans)[0], "two fields lie on each other"
            assert max(rows) - min(rows) + 1 == len(rows), "there is an empty row"
            assert launch.draft is not None


async def test_a_default_without_a_source_is_marked_and_explained(open_app: OpenApp) -> None:
    async with open_app(size=(120, 60)) as pilot:
        await choose(pilot, "random-labels")
        form = pilot.app.screen.query_one(Form)
        assert "batch ?" in str(form.field("batch").query_one("Label", Static).content)
        form.take_focus("batch")
        await pilot.pause()
        assert "default 100 not confirmed by a source" in text_of(pilot, "#hint").replace("\n", " ")


async def test_what_a_preset_takes_on_a_gpu_is_said_also_without_its_data(
    open_app: OpenApp, lab: Lab, monkeypatch: pytest.MonkeyPatch, shown: Text
) -> None:
    monkeypatch.setenv("GENLAB_DATA", str(lab.root / "no-data"))
    async with open_app(size=(120, 40)) as pilot:
        await choose(pilot, "double-descent")
        await pilot.press("enter")
        while draft(pilot).preset != "belkin":
            await pilot.press("right")
        await pilot.pause()
        assert "GPU: about 10 minutes and 2 GB" in shown(pilot.app)
        assert "mnist is missing" in standing(pilot)
        assert "genlab-tui data fetch mnist" in text_of(pilot, "#hint")
        assert "members" in text_of(pilot, "#cost")


async def test_a_preset_for_a_gpu_says_before_the_launch_that_there_is_none(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        toy = draft(pilot).phenomenon
        presets = dict(toy.presets) | {"quick": dataclasses.replace(toy.presets["quick"], gpu="about a second")}
        draft(pilot).phenomenon = dataclasses.replace(toy, presets=presets)
        launch = pilot.app.screen.query_one(Launch)
        launch.redraw()
        assert "needs a GPU, or device cpu by name" in standing(pilot)
        draft(pilot).put("device", "cpu")
        launch.redraw()
        assert "needs a GPU" not in standing(pilot)
        draft(pilot).put("device", "auto")
        launch.tell((), ("cpu", "cuda:0"))
        launch.redraw()
        assert "needs a GPU" not in standing(pilot)


@pytest.mark.usefixtures("queue_held")
async def test_what_ran_before_says_how_long_it_took(open_app: OpenApp, lab: Lab, until: Until) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        assert "about 10 s" in text_of(pilot, "#cost")
        identity = build_spec("toy", lab=lab, **draft(pilot).request()).identity()[:16]
        done = RunRecord(
            "aaaaaaaa", "toy", RunState.DONE, created=1.0, started=100.0, ended=135.0, attempt=1, identity=identity
        )
        launch = pilot.app.screen.query_one(Launch)
        launch.tell((done,), ("cpu",))
        assert "6 members" in text_of(pilot, "#cost")
        assert "took 35 s here" in text_of(pilot, "#cost")
        pilot.app.screen.query_one(Form).take_focus("seeds")
        await pilot.pause()
        await pilot.press("4")
        assert "about 10 s" in text_of(pilot, "#cost"), "another config is another estimate"


# --- the stored run ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("queue_held")
@pytest.mark.parametrize(
    ("key", "state", "count"),
    [("enter", RunState.QUEUED, 1), ("escape", RunState.STOPPED, 1), ("a", RunState.STOPPED, 2)],
)
async def test_an_unfinished_run_like_it_is_offered_to_be_resumed(
    open_app: OpenApp, lab: Lab, until: Until, shown: Text, key: str, state: RunState, count: int
) -> None:
    same = runs.submit(lab, build_spec("toy", lab=lab))
    runs.cancel(lab, same.id)
    async with open_app() as pilot:
        await choose(pilot, "toy")
        await pilot.press("r")
        await until(lambda: isinstance(pilot.app.screen, Ask))
        await pilot.pause()
        assert "resume it" in shown(pilot.app)
        await pilot.press(key)
        await until(lambda: not isinstance(pilot.app.screen, Ask))
        await pilot.app.workers.wait_for_complete()
        assert len(runs.list_runs(lab)) == count
        assert runs.find_run(lab, same.id).state is state


@pytest.mark.usefixtures("queue_held")
async def test_an_unfinished_run_like_it_can_be_looked_at(
    open_app: OpenApp, lab: Lab, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = runs.submit(lab, build_spec("toy", lab=lab))
    runs.cancel(lab, same.id)
    opened: list[str] = []
    async with open_app() as pilot:
        monkeypatch.setattr(pilot.app, "open_live", opened.append)
        await choose(pilot, "toy")
        await pilot.press("r")
        await until(lambda: isinstance(pilot.app.screen, Ask))
        await pilot.press("o")
        assert opened == [same.id]


# --- the queue --------------------------------------------------------------------------------------------------------


@pytest.fixture
def cpu_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """One processor, without a load that changes from look to look."""
    monkeypatch.setattr("jobs.machine.cpu_load", lambda: 0.0)


@pytest.mark.usefixtures("queue_held", "cpu_alone")
@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)])
async def test_the_queue_says_when_each_and_all_of_it_will_have_ended(
    open_app: OpenApp, lab: Lab, until: Until, shown: Text, size: tuple[int, int]
) -> None:
    for seed, seconds in enumerate((40, 65)):
        runs.submit(lab, build_spec("toy", lab=lab, first_seed=seed, values={"seconds": str(seconds)}))
    held = runs.submit(lab, build_spec("toy", lab=lab, first_seed=5), held=True)
    async with open_app(size=size) as pilot:
        queue = pilot.app.screen.query_one(Queue)
        queue.focus()
        await until(lambda: len(queue.runs) == 3 and pilot.app.devices and queue.ends)
        await pilot.pause()
        text = shown(pilot.app)
        assert "Queue · 2 to go · 1:45 left" in text
        rows = [line for line in text.splitlines() if (" toy " in line and "0:40" in line) or "1:45 " in line]
        assert any("0:40" in row for row in rows)
        assert any("1:45" in row for row in rows)
        (last,) = [line for line in text.splitlines() if held.id[:4] in line]
        assert "held" in last
        assert ":" not in last.split("held")[1]


@pytest.mark.usefixtures("queue_held")
async def test_u_puts_a_cancelled_run_back_into_its_place(
    open_app: OpenApp, lab: Lab, until: Until, toasts: Text
) -> None:
    ids = [runs.submit(lab, build_spec("toy", lab=lab, first_seed=seed)).id for seed in range(3)]
    runs.hold(lab, ids[1])
    async with open_app() as pilot:
        queue = pilot.app.screen.query_one(Queue)
        queue.focus()
        await until(lambda: [r.id for r in queue.runs] == ids)
        await pilot.press("u")
        assert "nothing was stopped" in toasts(pilot.app)
        await pilot.press("down")
        assert queue.chosen == ids[1]
        await pilot.press("x")
        await until(lambda: [r.id for r in queue.runs] == [ids[0], ids[2], ids[1]])
        assert "u takes it back" in toasts(pilot.app)
        await pilot.press("u")
        await until(lambda: [r.id for r in queue.runs] == ids)
        assert queue.runs[1].held, "it was held, and is again"
        assert queue.runs[1].state is RunState.QUEUED


async def test_u_takes_a_stop_back(open_app: OpenApp, lab: Lab, until: Until, toasts: Text) -> None:
    run = runs.submit(lab, build_spec("toy", lab=lab, values={"seconds": "6"}))
    async with open_app() as pilot:
        queue = pilot.app.screen.query_one(Queue)
        queue.focus()
        await until(lambda: queue.runs and queue.runs[0].state is RunState.RUNNING)
        await pilot.press("x")
        await until(lambda: queue.runs[0].state is RunState.STOPPED)
        assert "u takes it back" in toasts(pilot.app)
        await pilot.press("u")
        await until(lambda: queue.runs[0].state is RunState.RUNNING)
        assert queue.runs[0].attempt == 2
        runs.stop(lab, run.id)
        await until(lambda: queue.runs[0].state.ended)


@pytest.mark.usefixtures("queue_held")
async def test_capital_r_starts_an_ended_run_again(open_app: OpenApp, lab: Lab, until: Until) -> None:
    run = runs.submit(lab, build_spec("toy", lab=lab))
    runs.cancel(lab, run.id)
    async with open_app() as pilot:
        queue = pilot.app.screen.query_one(Queue)
        queue.focus()
        await until(lambda: queue.chosen == run.id)
        await pilot.press("R")
        await until(lambda: queue.runs[0].state is RunState.QUEUED)
        assert queue.runs[0].attempt == 2


@pytest.mark.usefixtures("queue_held")
async def test_plus_asks_for_more_seeds_of_a_finished_run(
    open_app: OpenApp, keep_run: Callable[..., str], until: Until
) -> None:
    run_id = keep_run()
    async with open_app() as pilot:
        queue = pilot.app.screen.query_one(Queue)
        queue.focus()
        await until(lambda: queue.chosen == run_id)
        await pilot.press("plus")
        await until(lambda: isinstance(pilot.app.screen, MoreSeeds))
        await pilot.press("escape")
        await until(lambda: not isinstance(pilot.app.screen, MoreSeeds))


@pytest.mark.usefixtures("queue_held")
async def test_the_cursor_of_a_queue_that_nobody_looks_at_is_at_its_top(
    open_app: OpenApp, lab: Lab, until: Until
) -> None:
    runs.submit(lab, build_spec("toy", lab=lab))
    async with open_app() as pilot:
        queue = pilot.app.screen.query_one(Queue)
        await until(lambda: queue.runs)
        entries = [
            QueueEntry(RunRecord(name, "toy", state, created=created, started=created), position, "the CPU", 5.0)
            for name, state, position, created in (
                ("aaaaaaaa", RunState.RUNNING, 0, 5.0),
                ("bbbbbbbb", RunState.QUEUED, 1, 6.0),
            )
        ]
        records = [entry.record for entry in entries]
        queue.tell(records[1:], {}, entries[1:])
        assert queue.chosen == "bbbbbbbb"
        queue.tell(records, {}, entries)
        assert queue.chosen == "aaaaaaaa"


async def test_devices_show_load_memory_and_temperature(open_app: OpenApp, shown: Text) -> None:
    gpu = Device(
        "cuda:0", "H200", 1, busy_slots=1, utilisation=0.81, memory_used=12_300_000_000,
        memory_total=139_000_000_000, temperature=61.0,
    )  # fmt: skip
    async with open_app(size=(120, 40)) as pilot:
        devices = pilot.app.screen.query_one(Devices)
        devices.tell((Device("cpu", "2 cores", 1, utilisation=0.5), gpu))
        await pilot.pause()
        row = next(line for line in shown(pilot.app).splitlines() if line.startswith("│ GPU0"))
        for words in ("81%", "12.3/139G", "61°C"):
            assert words in row
