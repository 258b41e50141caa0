"""The Lab screen: choose, toggle, be told what is wrong, launch, copy, hold and order, with the keyboard alone."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from textual.app import App
from textual.events import Key
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input, Static

from genlab_tui import phenomena
from genlab_tui.paths import Lab
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.run import RunSpec, RunState
from jobs import runs
from jobs.request import build_spec
from screens.draft import Draft
from screens.panels.about import about_text
from screens.panels.catalogue import Catalogue
from screens.panels.fields import Chooser, Entry
from screens.panels.form import Form
from screens.panels.launch import Launch
from screens.panels.queue import Queue
from screens.panels.regularisers import Regularisers
from screens.sheet import Ask, Sheet

OpenApp = Callable[..., AbstractAsyncContextManager[Pilot[None]]]
Until = Callable[[Callable[[], object]], Awaitable[None]]
Text = Callable[[App[None]], str]

pytestmark = pytest.mark.usefixtures("toys")


def draft(pilot: Pilot[None]) -> Draft:
    """Return the draft on screen."""
    found = pilot.app.screen.query_one(Launch).draft
    assert found is not None
    return found


async def choose(pilot: Pilot[None], name: str) -> None:
    """Highlight a phenomenon in the catalogue."""
    pilot.app.screen.query_one(Catalogue).choose(name)
    form = pilot.app.screen.query_one(Form)
    while form.shown != name:
        await pilot.pause(0.01)
    await pilot.pause()
    assert draft(pilot).phenomenon.name == name


def hint(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#hint", Static).content)


def cost(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#cost", Static).content)


def toy_spec(lab: Lab, first_seed: int = 0, **values: str) -> RunSpec:
    return build_spec("toy", lab=lab, first_seed=first_seed, values=values)


# --- keys and panels --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pane", [Catalogue, Chooser, Regularisers, Queue])
async def test_single_keys_toggle_from_every_focus_that_is_no_text_field(open_app: OpenApp, pane: type[Widget]) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        pilot.app.screen.query(pane).first().focus()
        await pilot.pause()
        assert isinstance(pilot.app.focused, pane)
        for regulariser in REGULARISERS:
            if regulariser.name in draft(pilot).phenomenon.regularisers:
                assert regulariser.name not in draft(pilot).on
                await pilot.press(regulariser.key)
                assert draft(pilot).on[regulariser.name] == regulariser.default
                await pilot.press(regulariser.key)
                assert regulariser.name not in draft(pilot).on


async def test_keys_type_in_a_text_field(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        await pilot.press("enter", "down", "down")
        assert isinstance(pilot.app.focused, Entry)
        await pilot.press("w", "q", "1", "?")
        assert pilot.app.focused.value == "wq1?"
        assert draft(pilot).on == {}
        assert pilot.app.is_running


async def test_left_and_right_change_the_strength_of_the_regulariser_toggled_last(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        await pilot.press("d", "right")
        assert draft(pilot).on["dropout"] == 0.7
        await pilot.press("right")
        assert draft(pilot).on["dropout"] == 0.7, "the ladder ends there"
        await pilot.press("left", "left", "left")
        assert draft(pilot).on["dropout"] == 0.2
        await pilot.press("d", "d")
        assert draft(pilot).on["dropout"] == 0.2, "switched off and on it keeps its strength"


async def test_a_toggle_from_the_form_leads_to_its_strength_not_to_another_preset(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        await pilot.press("enter", "w", "d", "right")
        assert isinstance(pilot.app.focused, Regularisers)
        assert draft(pilot).on == {"weight-decay": 0.001, "dropout": 0.7}
        assert "drop" in hint(pilot).lower()


async def test_a_preset_leaves_what_was_toggled_by_hand_and_says_what_it_sets(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "random-labels")
        presets = phenomena.get("random-labels").presets
        await pilot.press("enter", "w", "right")
        strength = draft(pilot).on["weight-decay"]
        pilot.app.screen.query_one(Form).take_focus("preset")
        await pilot.pause()
        for _ in presets:
            await pilot.press("right")
            assert draft(pilot).on["weight-decay"] == strength
            assert f"{draft(pilot).preset} sets " in hint(pilot)
        assert draft(pilot).preset == "quick"
        await pilot.press("right", "w", "left")
        assert " sets " not in hint(pilot)


async def test_a_regulariser_that_does_not_apply_says_so(open_app: OpenApp, toasts: Text) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        outside = next(r for r in REGULARISERS if r.name not in draft(pilot).phenomenon.regularisers)
        await pilot.press(outside.key)
        assert draft(pilot).on == {}
        assert f"{outside.name} does not apply" in toasts(pilot.app)
        await pilot.pause()
        assert "does not apply here" in hint(pilot)


async def test_enter_tab_and_escape_move_between_the_panels(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        screen = pilot.app.screen
        assert pilot.app.focused is screen.query_one(Catalogue)
        await pilot.press("enter")
        assert screen.query_one(Form).focused_name == "preset"
        await pilot.press("escape")
        assert pilot.app.focused is screen.query_one(Catalogue)
        for pane in (Chooser, Regularisers, Queue, Catalogue):
            await pilot.press("tab")
            assert isinstance(pilot.app.focused, pane)
        await pilot.press("shift+tab")
        assert isinstance(pilot.app.focused, Queue)


async def test_the_filter_leaves_what_matches_and_escape_brings_all_back(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        catalogue = pilot.app.screen.query_one(Catalogue)
        await pilot.press("slash", *"learner")
        assert [p.name for p in catalogue.matching()] == ["toy"]
        await pilot.press("enter")
        assert pilot.app.focused is catalogue
        assert draft(pilot).phenomenon.name == "toy"
        await pilot.press("escape")
        assert len(catalogue.matching()) == len(phenomena.catalogue())
        assert not pilot.app.screen.query_one("#filter", Input).display


async def test_the_filter_says_how_it_is_left(open_app: OpenApp, shown: Text) -> None:
    async with open_app() as pilot:
        catalogue = pilot.app.screen.query_one(Catalogue)
        box = pilot.app.screen.query_one("#filter", Input)
        await pilot.press("slash", *"learner")
        await pilot.pause()
        assert shown(pilot.app).splitlines()[-1].startswith(" ↓ list  ⏎ keep  esc all ")
        await pilot.press("down")
        assert pilot.app.focused is catalogue
        assert [p.name for p in catalogue.matching()] == ["toy"]
        await pilot.press("slash", "escape")
        assert pilot.app.focused is catalogue
        assert (box.value, box.display) == ("", False)
        assert len(catalogue.matching()) == len(phenomena.catalogue())


async def test_the_filter_looks_into_papers_explanations_and_fields(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        catalogue = pilot.app.screen.query_one(Catalogue)
        for words, name in (("soudry", "max-margin"), ("covariate", "batch-norm-why"), ("bandwidths", "minimum-norm")):
            catalogue.filter = words
            assert name in [p.name for p in catalogue.matching()], words
        catalogue.filter = "random"
        assert catalogue.matching()[0].name == "random-labels", "explanations of others mention it too"


async def test_where_no_regulariser_applies_the_form_has_the_room(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "expressivity")
        await pilot.pause()
        block = pilot.app.screen.query_one(Regularisers)
        assert block.size.height == 1
        assert "no regulariser applies" in block.render().plain
        await choose(pilot, "random-labels")
        await pilot.pause()
        assert block.size.height > 1


async def test_the_form_stays_where_nothing_matches(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "random-labels")
        await pilot.press("slash")
        for text in ("t", "zz"):
            pilot.app.screen.query_one("#filter", Input).value = text
            await pilot.pause()
        assert pilot.app.screen.query_one(Catalogue).matching() == []
        await pilot.pause()
        assert draft(pilot).phenomenon.name == "random-labels"
        await pilot.press("escape", "escape")
        assert pilot.app.screen.query_one(Catalogue).chosen == "random-labels"
        assert draft(pilot).phenomenon.name == "random-labels"


async def test_keys_typed_ahead_go_where_the_keys_before_them_led(open_app: OpenApp, until: Until) -> None:
    async with open_app() as pilot:
        # All are there before the first is handled, as after a paste or over a slow link.
        for key in ("slash", "t", "o", "y", "enter", "d"):
            pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        await until(lambda: pilot.app.screen.query_one(Launch).topic == "dropout")
        assert pilot.app.screen.query_one("#filter", Input).value == "toy"
        assert list(draft(pilot).on) == ["dropout"]
        assert pilot.app.clipboard == ""
        assert draft(pilot).phenomenon.name == "toy"


async def test_a_mouse_click_toggles(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        await pilot.click(Regularisers, offset=(3, 1))
        assert list(draft(pilot).on) == [REGULARISERS[2].name]


# --- the form ---------------------------------------------------------------------------------------------------------


async def test_a_value_out_of_bounds_is_named_with_its_bounds_and_not_launched(
    open_app: OpenApp, lab: Lab, toasts: Text
) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        pilot.app.screen.query_one(Form).take_focus("steps")
        await pilot.pause()
        await pilot.press(*"99999999")
        for words in ("steps", "1 to 1e+06", "1000000"):
            assert words in hint(pilot)
        assert "cannot launch yet: steps" in cost(pilot)
        await pilot.press("escape", "r")
        await pilot.pause()
        assert "not launched" in toasts(pilot.app)
        assert pilot.app.screen.query_one(Form).focused_name == "steps"
        assert runs.list_runs(lab) == []


async def test_help_stands_under_the_field_that_has_the_focus(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        pilot.app.screen.query_one(Form).take_focus("noise")
        await pilot.pause()
        assert "Spread between seeds." in hint(pilot)
        assert "0 to 1" in hint(pilot)


async def test_the_estimate_follows_the_form(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        assert "6 members (2 × 3) · about 10 s" in cost(pilot)
        pilot.app.screen.query_one(Form).take_focus("seeds")
        await pilot.pause()
        await pilot.press("7")
        assert "14 members (2 × 7)" in cost(pilot)


async def test_every_declared_field_is_in_the_form_and_a_preset_fills_it(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        for phenomenon in phenomena.catalogue().values():
            await choose(pilot, phenomenon.name)
            form = pilot.app.screen.query_one(Form)
            for preset in phenomenon.presets:
                form.field("preset").editor.focus()
                await pilot.pause()
                while draft(pilot).preset != preset:
                    await pilot.press("right")
                wanted = phenomenon.make_config(preset)
                for param in phenomenon.params():
                    assert param.parse(form.field(param.name).value) == getattr(wanted, param.name)
                assert form.field("seeds").value == str(phenomenon.presets[preset].seeds)
                assert draft(pilot).on == dict(phenomenon.presets[preset].regularisers)


async def test_a_draft_waits_while_another_phenomenon_is_looked_at(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        await pilot.press("d")
        other = next(name for name in phenomena.catalogue() if name != "toy")
        await choose(pilot, other)
        assert "dropout" not in draft(pilot).on
        await choose(pilot, "toy")
        assert "dropout" in draft(pilot).on


async def test_the_form_of_another_phenomenon_starts_at_its_top(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        form = pilot.app.screen.query_one(Form)
        await choose(pilot, "random-labels")
        form.scroll_end(animate=False, immediate=True)
        await pilot.pause()
        assert form.scroll_y > 0
        await choose(pilot, "double-descent")
        assert form.scroll_y == 0


async def test_the_form_is_remembered_over_the_end_of_the_app(open_app: OpenApp, lab: Lab) -> None:
    async with open_app() as pilot:
        await choose(pilot, "random-labels")
        await pilot.press("b", "d", "right")
        kept = dict(draft(pilot).on)
        await choose(pilot, "toy")
        pilot.app.screen.query_one(Form).take_focus("steps")
        await pilot.pause()
        await pilot.press(*"77")
        pilot.app.screen.query_one(Form).take_focus("seeds")
        await pilot.pause()
        await pilot.press(*"9")
    async with open_app() as pilot:
        await pilot.pause()
        assert draft(pilot).phenomenon.name == "toy"
        assert (draft(pilot).values["steps"], draft(pilot).seeds) == ("77", "9")
        assert pilot.app.screen.query_one(Form).field("steps").value == "77"
        await choose(pilot, "random-labels")
        assert draft(pilot).on == kept


@pytest.mark.parametrize(
    "kept",
    [
        7,
        {"preset": "gone"},
        {"preset": 3, "fields": [], "on": 7, "touched": {}},
        {"fields": {"gone": "1", "steps": "-5", "seeds": "none", "data": "gone", "first_seed": 4}},
        {"touched": ["gone", 7, "dropout"], "on": {"gone": 1.0, "dropout": "much"}},
        {"touched": ["dropout"], "on": {"dropout": 70.0}},
    ],
)
async def test_what_is_remembered_but_not_valid_any_more_is_dropped(open_app: OpenApp, lab: Lab, kept: object) -> None:
    lab.root.mkdir(parents=True)
    lab.view.write_text(json.dumps({"lab": {"phenomenon": "toy", "drafts": {"toy": kept}}}))
    async with open_app() as pilot:
        await pilot.pause()
        fresh = Draft(phenomena.get("toy"))
        assert draft(pilot).request() == fresh.request()
        assert draft(pilot).problems() == {}


async def test_a_missing_data_set_comes_with_the_command_that_gets_it(
    open_app: OpenApp, lab: Lab, toasts: Text, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLAB_DATA", str(lab.root / "no-data"))
    async with open_app() as pilot:
        await choose(pilot, "random-labels")
        editor = pilot.app.screen.query_one(Form).field("data").editor
        editor.focus()
        await pilot.pause()
        while draft(pilot).data != "cifar10":
            await pilot.press("right")
        assert "genlab-tui data fetch cifar10" in hint(pilot)
        assert "cifar10 is missing" in str(pilot.app.screen.query_one(Launch).border_subtitle)
        assert "members" in cost(pilot), "what it would cost is said all the same"
        await pilot.press("r")
        await until(lambda: "genlab-tui data fetch cifar10" in toasts(pilot.app))
        assert runs.list_runs(lab) == []


# --- launching --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("queue_held")
async def test_r_launches_what_the_form_says_and_stays(
    open_app: OpenApp, lab: Lab, until: Until, toasts: Text, shown: Text
) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        await pilot.press("w", "d", "right", "r")
        await until(lambda: len(pilot.app.runs) == 1)
        (record,) = runs.list_runs(lab)
        assert record.state is RunState.QUEUED
        assert record.regularisers == {"weight-decay": 0.001, "dropout": 0.7}
        assert record.id in toasts(pilot.app)
        assert pilot.app.current_mode == "lab"
        await pilot.pause()
        assert record.id[:4] in shown(pilot.app)
        assert "1 queued" in shown(pilot.app)


@pytest.mark.usefixtures("queue_held")
@pytest.mark.parametrize(("key", "count"), [("escape", 1), ("a", 2)])
async def test_an_identical_run_is_offered_first(
    open_app: OpenApp, lab: Lab, until: Until, key: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = runs.submit(lab, toy_spec(lab))
    monkeypatch.setattr(runs, "find_identical", lambda lab, spec: same)
    async with open_app() as pilot:
        await choose(pilot, "toy")
        await pilot.press("r")
        await until(lambda: isinstance(pilot.app.screen, Ask))
        await pilot.press(key)
        await until(lambda: not isinstance(pilot.app.screen, Ask))
        await pilot.app.workers.wait_for_complete()
        assert len(runs.list_runs(lab)) == count


@pytest.mark.usefixtures("queue_held")
async def test_enter_opens_the_identical_run(
    open_app: OpenApp, lab: Lab, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = runs.submit(lab, toy_spec(lab))
    monkeypatch.setattr(runs, "find_identical", lambda lab, spec: same)
    opened: list[str] = []
    async with open_app() as pilot:
        monkeypatch.setattr(pilot.app, "open_live", opened.append)
        await choose(pilot, "toy")
        await pilot.press("r")
        await until(lambda: isinstance(pilot.app.screen, Ask))
        await pilot.press("enter")
        assert opened == [same.id]


@pytest.mark.usefixtures("queue_held")
async def test_a_double_tap_launches_once(open_app: OpenApp, lab: Lab, until: Until) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        for _ in range(3):
            pilot.app.post_message(Key("r", "r"))
        await until(lambda: isinstance(pilot.app.screen, Ask))
        await pilot.app.workers.wait_for_complete()
        await pilot.press("r", "escape")
        await until(lambda: not isinstance(pilot.app.screen, Ask))
        assert len(runs.list_runs(lab)) == 1


@pytest.mark.usefixtures("queue_held")
@pytest.mark.parametrize(("key", "count"), [("escape", 0), ("r", 0), ("enter", 1)])
async def test_a_long_launch_is_asked_about(
    open_app: OpenApp, lab: Lab, until: Until, shown: Text, key: str, count: int
) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        pilot.app.screen.query_one(Form).take_focus("seconds")
        await pilot.pause()
        await pilot.press(*"3600", "tab", "r")
        await until(lambda: isinstance(pilot.app.screen, Ask))
        await pilot.pause()
        assert "about 60 min" in shown(pilot.app)
        await pilot.press(key)
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
        assert len(runs.list_runs(lab)) == count


@pytest.mark.usefixtures("queue_held")
async def test_live_shows_the_run_just_launched(open_app: OpenApp, lab: Lab, until: Until) -> None:
    older = runs.submit(lab, toy_spec(lab, 1))
    async with open_app() as pilot:
        await choose(pilot, "toy")
        await until(lambda: pilot.app.runs)
        await pilot.press("2", "1")
        await pilot.press("r")
        await until(lambda: len(runs.list_runs(lab)) == 2)
        (new,) = {run.id for run in runs.list_runs(lab)} - {older.id}
        await pilot.press("2")
        await until(lambda: pilot.app.screen.watched == (new,))
        pilot.app.open_live(older.id)
        await pilot.press("1", "2")
        assert pilot.app.screen.watched == (older.id,), "once is enough"


@pytest.mark.usefixtures("queue_held")
async def test_r_without_the_form_in_view_shows_it_first(
    open_app: OpenApp, lab: Lab, until: Until, shown: Text
) -> None:
    async with open_app(size=(60, 20)) as pilot:
        await choose(pilot, "toy")
        await pilot.press("r")
        await pilot.pause()
        assert " members (" in shown(pilot.app)
        assert "r launch" in shown(pilot.app).splitlines()[-1]
        assert runs.list_runs(lab) == []
        await pilot.press("r")
        await until(lambda: len(runs.list_runs(lab)) == 1)


async def test_y_copies_a_command_that_launches_the_same(open_app: OpenApp, lab: Lab, toasts: Text) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        pilot.app.screen.query_one(Form).take_focus("rates")
        await pilot.pause()
        await pilot.press(*"1 2.5")
        pilot.app.screen.query_one(Form).take_focus("seeds")
        await pilot.pause()
        await pilot.press("5", "escape", "e", "y")
        words = shlex.split(pilot.app.clipboard)
        assert words[:5] == ["genlab-tui", "run", "toy", "--preset", "quick"]
        assert words[words.index("--set") + 1] == "rates=1 2.5"
        assert words[words.index("--on") + 1] == "early-stopping=10"
        assert words[words.index("--seeds") + 1] == "5"
        assert "--data" not in words
        assert "--first-seed" not in words
        assert "copied the command" in toasts(pilot.app)
        asked = draft(pilot).request()
        assert build_spec("toy", lab=lab, **asked).config["rates"] == (1.0, 2.5)


def test_the_command_keeps_every_digit_of_a_strength() -> None:
    made = Draft(phenomena.get("random-labels"))
    made.on = {"weight-decay": 0.000123456789, "dropout": 0.5}
    made.predict("NOT SHOWN", "a b")
    words = shlex.split(made.command())
    assert {"weight-decay=0.000123456789", "dropout=0.5"} <= set(words)
    assert words[-4:] == ["--expect", "not-shown", "--predict", "a b"]


async def test_a_launched_run_trains_and_its_verdict_reaches_the_catalogue(
    open_app: OpenApp, lab: Lab, until: Until, toasts: Text, shown: Text
) -> None:
    async with open_app() as pilot:
        await choose(pilot, "toy")
        pilot.app.screen.query_one(Form).take_focus("seconds")
        await pilot.pause()
        await pilot.press("1", "escape", "r")
        await until(lambda: len(pilot.app.runs) == 1 and pilot.app.runs[0].state.active)
        await until(lambda: pilot.app.runs[0].state is RunState.DONE)
        await pilot.pause()
        assert pilot.app.runs[0].verdict
        assert pilot.app.runs[0].id[:4] in shown(pilot.app)
        assert pilot.app.runs[0].verdict.split()[0][:3] in shown(pilot.app)


# --- the queue --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("queue_held")
async def test_queued_runs_are_held_released_moved_and_cancelled(open_app: OpenApp, lab: Lab, until: Until) -> None:
    first = runs.submit(lab, toy_spec(lab, 1))
    second = runs.submit(lab, toy_spec(lab, 2))
    async with open_app() as pilot:
        queue = pilot.app.screen.query_one(Queue)
        await until(lambda: [r.id for r in queue.runs] == [first.id, second.id])
        queue.focus()
        await pilot.pause()
        assert queue.chosen == first.id
        await pilot.press("h")
        await until(lambda: queue.runs[0].held)
        await pilot.press("h")
        await until(lambda: not queue.runs[0].held)
        await pilot.press("J")
        await until(lambda: [r.id for r in queue.runs] == [second.id, first.id])
        assert queue.chosen == first.id, "the cursor follows the run"
        await pilot.press("shift+up")
        await until(lambda: [r.id for r in queue.runs] == [first.id, second.id])
        await pilot.press("x")
        await until(lambda: [r.id for r in queue.runs] == [second.id, first.id])
        assert queue.runs[1].state.ended


@pytest.mark.usefixtures("queue_held")
async def test_enter_on_a_run_opens_it_in_live(
    open_app: OpenApp, lab: Lab, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = runs.submit(lab, toy_spec(lab))
    opened: list[str] = []
    async with open_app() as pilot:
        monkeypatch.setattr(pilot.app, "open_live", opened.append)
        await until(lambda: pilot.app.screen.query_one(Queue).runs)
        pilot.app.screen.query_one(Queue).focus()
        await pilot.press("enter")
        assert opened == [record.id]


@pytest.mark.usefixtures("queue_held")
async def test_a_key_that_means_nothing_for_a_run_says_so(
    open_app: OpenApp, lab: Lab, until: Until, toasts: Text
) -> None:
    record = runs.submit(lab, toy_spec(lab))
    async with open_app() as pilot:
        await until(lambda: pilot.app.screen.query_one(Queue).runs)
        pilot.app.screen.query_one(Queue).focus()
        await pilot.press("p")
        assert f"{record.title} is queued" in toasts(pilot.app)


async def test_claims_of_the_same_words_are_told_apart(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        await choose(pilot, "double-descent")
        claims = draft(pilot).claims()
        text = about_text(draft(pilot).phenomenon, draft(pilot).claims()).plain
        assert len({claim.name for claim in claims}) == len(claims)
        for claim in claims:
            assert f"{claim.name}: {claim.statement}" in text


# --- sizes and hostile text -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(60, 20), (76, 23), (80, 24), (120, 36), (120, 40), (200, 60), (400, 100)])
@pytest.mark.parametrize("name", ["toy", "random-labels", "double-descent"])
async def test_everything_needed_to_launch_is_in_view(
    open_app: OpenApp, shown: Text, size: tuple[int, int], name: str
) -> None:
    async with open_app(size=size) as pilot:
        await choose(pilot, name)
        await pilot.press("enter")
        await pilot.pause()
        text = shown(pilot.app)
        for words in ("preset", "weight decay", "early stopping", " members (", "? help", "q leave"):
            assert words in text
        assert all(len(line) <= size[0] for line in text.splitlines())


async def test_where_there_is_room_for_one_panel_it_is_the_one_with_the_focus(open_app: OpenApp, shown: Text) -> None:
    async with open_app(size=(60, 20)) as pilot:
        await pilot.pause()
        assert "Phenomena" in shown(pilot.app)
        assert "preset" not in shown(pilot.app)
        for key, there, gone in (
            ("enter", "preset", "Phenomena"),
            ("escape", "Phenomena", "preset"),
            ("shift+tab", "Queue", "Phenomena"),
        ):
            await pilot.press(key)
            await pilot.pause()
            assert there in shown(pilot.app)
            assert gone not in shown(pilot.app)


async def test_a_phenomenon_whose_own_code_breaks_is_named_and_harmless(
    open_app: OpenApp, tmp_path: Path, add_phenomena: Callable[[Path], None], toys: Path
) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    toy = (toys / "toy.py").read_text().replace('name="toy"', 'name="brittle"')
    broken = "lambda config, spec: {}[spec.id]"
    (folder / "brittle.py").write_text(
        toy.replace("estimate=estimate", f"estimate={broken}").replace("claims=claims", f"claims={broken}")
    )
    add_phenomena(folder)
    async with open_app(size=(200, 60)) as pilot:
        await choose(pilot, "brittle")
        assert "brittle has no estimate: KeyError" in cost(pilot)
        await pilot.press("i")
        assert isinstance(pilot.app.screen, Sheet)


HOSTILE = "[/x] [red]\\x1b]0;title\\x07\\x1b[31m\\u202e"


@pytest.mark.usefixtures("queue_held")
async def test_hostile_names_are_shown_and_do_nothing(
    open_app: OpenApp,
    lab: Lab,
    until: Until,
    shown: Text,
    tmp_path: Path,
    add_phenomena: Callable[[Path], None],
    toys: Path,
) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    toy = (
        (toys / "toy.py").read_text().replace('name="toy"', 'name="evil"').replace('title="Toy"', f'title="{HOSTILE}"')
    )
    (folder / "evil.py").write_text(toy.replace("Does a faster", f"{HOSTILE} Does a faster"))
    (folder / "worse.py").write_text(f'raise ValueError("{HOSTILE}")')
    add_phenomena(folder)
    assert HOSTILE.encode().decode("unicode_escape") in phenomena.catalogue()["evil"].title
    record = runs.submit(lab, toy_spec(lab))
    evil = dataclasses.replace(
        record, name="[/x]\x1b[31m [bold]name", state=RunState.FAILED, reason="[/y] \x1b]0;pwn\x07"
    )
    async with open_app() as pilot:
        await until(lambda: pilot.app.screen.query_one(Queue).runs)
        pilot.app.screen.query_one(Queue).tell([evil], {}, [])
        await choose(pilot, "evil")
        await pilot.pause()
        text = shown(pilot.app)
        assert text.count("[/x] [red]") >= 2
        assert "[/x] [bold]na" in text
        assert "failed: [/y]" in text
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
        await pilot.press("i")
        assert isinstance(pilot.app.screen, Sheet)
        await pilot.press("escape", "y")
        pilot.app.screen.query_one(Catalogue).choose("broken:worse")
        await pilot.pause()
        assert "worse" in shown(pilot.app)
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, Sheet)
        assert "ValueError: [/x] [red]" in shown(pilot.app)
