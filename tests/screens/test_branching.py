"""Changing a run while it trains, forking it, giving it more seeds: every key, from the screens to the files."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from genlab_tui import events as ev
from genlab_tui import phenomena
from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.paths import Lab
from genlab_tui.phenomenon import Phenomenon
from genlab_tui.run import RunRecord, RunSpec, RunState
from jobs import forks, runs
from jobs.request import build_spec
from jobs.runs import Pending
from screens.compare import CompareScreen
from screens.forkdraft import ForkDraft
from screens.forking import ForkDialog
from screens.inflight import Changing, Facts, RegulariserChanges, Wish, awaited
from screens.lab import LabScreen
from screens.live import LiveScreen
from screens.panels.fields import Field
from screens.panels.queue import Queue
from screens.runs import RunsScreen
from screens.seeding import MoreSeeds, usual
from screens.sheet import Ask

OpenApp = Callable[..., AbstractAsyncContextManager[Pilot[None]]]
Until = Callable[[Callable[[], object]], Awaitable[None]]
Text = Callable[[App[None]], str]
KeepRun = Callable[..., str]

HOSTILE = "[/x]\x1b[31m[bold]"


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


async def watch(pilot: Pilot[None], run_id: str, until: Until) -> LiveScreen:
    """Show a run in Live and wait until it was read."""
    app: Any = pilot.app
    await until(lambda: any(run.id == run_id for run in app.runs))
    app.open_live(run_id)
    await pilot.pause()
    screen = app.screen
    assert isinstance(screen, LiveScreen)
    await until(lambda: screen.shown is not None and screen.record is not None)
    return screen


def others(lab: Lab, *known: str) -> list[RunRecord]:
    return [run for run in runs.list_runs(lab) if run.id not in known]


def asked(lab: Lab, run_id: str) -> list[tuple[str, float | None]]:
    return [(p.regulariser, p.strength) for p in runs.pending_changes(lab, run_id)]


# --- changed in flight ------------------------------------------------------------------------------------------------


async def test_t_asks_for_changes_and_takes_them_back(
    open_app: OpenApp, lab: Lab, keep_run: KeepRun, until: Until, shown: Text, toasts: Text
) -> None:
    run_id = keep_run(state="running", steps=4, regularisers={"dropout": 0.3})
    async with open_app(start="live") as pilot:
        app = pilot.app
        screen = await watch(pilot, run_id, until)
        await press(pilot, "t")
        dialog = app.screen
        assert isinstance(dialog, RegulariserChanges)
        assert "never pooled" in shown(app)
        assert "INCONCLUSIVE" in shown(app)
        assert dialog.model.names == ("weight-decay", "dropout", "label-smoothing")
        await press(pilot, "w", "right")
        assert dialog.model.target("weight-decay") == 1e-2
        assert "weight decay off → 0.01" in shown(app)
        await press(pilot, "d")
        assert dialog.model.target("dropout") is None
        await press(pilot, "enter")
        await until(lambda: asked(lab, run_id) == [("weight-decay", 0.01), ("dropout", None)])
        assert app.screen is screen
        await until(lambda: "2 changes next epoch" in shown(app))
        assert "asked for" in toasts(app)

        await press(pilot, "t")
        assert "asked: off" in shown(app)
        assert "asked for: weight decay 0.01, dropout off, from the next epoch" in shown(app)
        assert "nothing is changed yet" not in shown(app)
        await press(pilot, "d", "u")
        await until(lambda: asked(lab, run_id) == [("weight-decay", 0.01)])
        await press(pilot, "delete")
        await until(lambda: asked(lab, run_id) == [])
        await press(pilot, "backspace", "escape")
        assert app.screen is screen
        await until(lambda: "next epoch" not in shown(app))
        assert "goes on as it was" in toasts(app)


async def test_esc_leaves_everything_as_it_was(open_app: OpenApp, lab: Lab, keep_run: KeepRun, until: Until) -> None:
    run_id = keep_run(state="running", steps=4)
    async with open_app(start="live") as pilot:
        screen = await watch(pilot, run_id, until)
        await press(pilot, "t", "w", "s", "left", "escape")
        assert pilot.app.screen is screen
        await press(pilot, "t", "enter")
        assert pilot.app.screen is screen
        assert not lab.run(run_id).control.exists()


async def test_the_keys_of_the_dialog_choose_toggle_and_step(
    open_app: OpenApp, keep_run: KeepRun, until: Until, shown: Text
) -> None:
    run_id = keep_run(state="running", steps=4, regularisers={"weight-decay": 1e-5})
    async with open_app(start="live") as pilot:
        await watch(pilot, run_id, until)
        await press(pilot, "t")
        dialog = pilot.app.screen
        assert isinstance(dialog, RegulariserChanges)
        model = dialog.model
        await press(pilot, "left")
        assert model.target("weight-decay") is None, "below the lowest strength it is off"
        await press(pilot, "right")
        assert not model.changed("weight-decay")
        await press(pilot, "down", "space")
        assert (dialog.chosen, model.target("dropout")) == ("dropout", 0.5)
        await press(pilot, "up", "up")
        assert dialog.chosen == "label-smoothing"
        await press(pilot, "s", "s", "l", "a", "m")
        assert dialog.chosen == "label-smoothing"
        assert model.wish() == Wish((("dropout", 0.5),))
        assert "dropout off → 0.5" in shown(pilot.app)


async def test_what_takes_effect_while_the_dialog_is_open_is_seen(
    open_app: OpenApp, lab: Lab, keep_run: KeepRun, until: Until, shown: Text
) -> None:
    run_id = keep_run(state="running", steps=4)
    request = runs.change(lab, run_id, "dropout", 0.5)
    async with open_app(start="live", size=(200, 60)) as pilot:
        await watch(pilot, run_id, until)
        await until(lambda: "dropout 0.5 from the next epoch" in shown(pilot.app))
        await press(pilot, "t")
        dialog = pilot.app.screen
        assert isinstance(dialog, RegulariserChanges)
        assert dialog.chosen == "dropout", "what is awaited is at hand"
        with lab.run(run_id).events.open("ab") as file:
            taken = ev.Taken(requests=(request,), attempt=1)
            change = ev.Change(regulariser="dropout", strength=0.5, step=4, cohort="fast", attempt=1)
            file.writelines(ev.encode(event) + b"\n" for event in (taken, change))
        await until(lambda: dialog.model.now("dropout") == 0.5)
        assert not dialog.model.asked("dropout")
        await press(pilot, "u")
        assert "dropout too late: applied at step 4" in shown(pilot.app)
        await press(pilot, "escape")
        await until(lambda: "changed in flight" in shown(pilot.app))
        with pytest.raises(GenlabError, match="no change"):
            runs.withdraw(lab, run_id, request)


async def test_where_nothing_can_change_a_line_says_why_and_what_does(
    open_app: OpenApp, keep_run: KeepRun, until: Until, toasts: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, running = keep_run(HOSTILE), keep_run(state="running", steps=4)
    async with open_app(start="live") as pilot:
        screen = await watch(pilot, done, until)
        await press(pilot, "t")
        assert pilot.app.screen is screen
        assert "is done: a regulariser can be changed only while it trains. f forks it" in toasts(pilot.app)
        await watch(pilot, running, until)
        monkeypatch.setattr(Phenomenon, "changeable", lambda self, spec: ())
        await press(pilot, "t")
        assert pilot.app.screen is screen
        assert "toy cannot change while it trains with this config" in toasts(pilot.app)


def test_going_back_to_the_present_strength_withdraws_instead_of_changing_twice() -> None:
    model = Changing(("dropout", "mixup"), Facts({"dropout": 0.5}, [Pending("a", "dropout", None)]))
    assert (model.now("dropout"), model.target("dropout")) == (0.5, None)
    model.switch("dropout")
    assert model.wish() == Wish((), ("a",))
    model.step("dropout", 1)
    assert model.wish() == Wish((("dropout", 0.7),), ())
    model.step("mixup", -1)
    assert not model.changed("mixup")


def test_an_awaited_change_is_said_in_the_room_there_is() -> None:
    one = [Pending("a", "weight-decay", 0.001)]
    assert awaited(one, 80) == "wd 0.001 next epoch"
    assert awaited(one, 200) == "weight decay 0.001 from the next epoch"
    assert awaited([*one, Pending("b", "mixup", None)], 80) == "2 changes next epoch"
    assert awaited([Pending("a", HOSTILE, 1.0)], 80) == ""
    assert awaited([], 80) == ""


# --- forks ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("queue_held")
async def test_f_launches_one_change_beside_and_compares(
    open_app: OpenApp, lab: Lab, keep_run: KeepRun, until: Until, shown: Text, toasts: Text
) -> None:
    source = keep_run(HOSTILE, regularisers={"dropout": 0.5}, device="cpu")
    async with open_app(start="live") as pilot:
        app = pilot.app
        await watch(pilot, source, until)
        await press(pilot, "f")
        await until(lambda: isinstance(app.screen, ForkDialog))
        await until(lambda: "steps" in shown(app))
        assert "nothing is changed yet" in shown(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, ForkDialog)
        assert "it would be the same run" in toasts(app)
        await press(pilot, "w", "right", "left")
        assert "1 change: weight decay off → 0.001" in shown(app)
        assert "6 members (2 × 3)" in shown(app)
        await press(pilot, "d")
        assert "2 changes: the difference is no longer about one thing" in shown(app)
        await press(pilot, "d", "enter")
        await until(lambda: isinstance(app.screen, CompareScreen))
        (forked,) = others(lab, source)
        spec = runs.read_spec(lab, forked.id)
        assert (spec.parent, spec.regularisers) == (source, {"weight-decay": 0.001, "dropout": 0.5})
        assert spec.config == runs.read_spec(lab, source).config
        compare = app.screen
        assert isinstance(compare, CompareScreen)
        assert compare.run_ids == [source, forked.id]
        assert compare.wanted_baseline == source


@pytest.mark.usefixtures("queue_held")
async def test_a_field_of_a_fork_is_checked_while_it_is_typed(
    open_app: OpenApp, lab: Lab, keep_run: KeepRun, until: Until, shown: Text, toasts: Text
) -> None:
    source = keep_run(device="cpu")
    async with open_app(start="live", size=(120, 40)) as pilot:
        app = pilot.app
        await watch(pilot, source, until)
        await press(pilot, "f")
        await until(lambda: isinstance(app.screen, ForkDialog) and "steps" in shown(app))
        dialog = app.screen
        assert isinstance(dialog, ForkDialog)
        await press(pilot, "tab", "down", "down")
        field = next(f for f in dialog.query(Field) if f.name == "steps")
        assert field.editor is app.focused
        await press(pilot, "0")
        assert "cannot launch yet: steps" in shown(app)
        assert "nearest valid value: 1" in shown(app)
        await press(pilot, "enter")
        assert app.screen is dialog
        assert field.editor is not app.focused, "in a field, enter goes to the next one"
        await press(pilot, "up", "shift+tab", "enter")
        assert app.screen is dialog
        assert "not launched" in toasts(app)
        await press(pilot, "tab", "backspace", "5", "0")
        assert "1 change: steps 40 → 50" in shown(app)
        assert field.has_class("-changed")
        await press(pilot, "shift+tab", "e")
        assert dialog.fork.request()["on"] == {"early-stopping": 10.0}
        await press(pilot, "e", "tab", "escape")
        assert isinstance(app.screen, LiveScreen)
        assert others(lab, source) == []


@pytest.mark.usefixtures("queue_held")
async def test_p_predicts_what_comes_of_a_fork(
    open_app: OpenApp, lab: Lab, keep_run: KeepRun, until: Until, shown: Text
) -> None:
    source = keep_run(device="cpu", expected="SHOWN")
    async with open_app(start="live") as pilot:
        app = pilot.app
        await watch(pilot, source, until)
        await press(pilot, "f")
        await until(lambda: isinstance(app.screen, ForkDialog) and "steps" in shown(app))
        assert "P predicts" in shown(app)
        assert "you predict" not in shown(app)
        await press(pilot, "d", "P", "n", *"it drops", "enter")
        assert "you predict NOT SHOWN, “it drops”" in shown(app)
        await press(pilot, "enter")
        await until(lambda: others(lab, source))
        spec = runs.read_spec(lab, others(lab, source)[0].id)
        assert (spec.expected, spec.prediction, spec.parent) == ("NOT SHOWN", "it drops", source)


@pytest.mark.usefixtures("queue_held")
async def test_an_identical_run_is_offered_before_a_fork(
    open_app: OpenApp, lab: Lab, keep_run: KeepRun, until: Until, shown: Text
) -> None:
    source = keep_run("source", device="cpu")
    twin = keep_run("twin", regularisers={"dropout": 0.5}, device="cpu")
    async with open_app(start="live") as pilot:
        app = pilot.app
        await watch(pilot, source, until)

        async def fork() -> None:
            await press(pilot, "f")
            await until(lambda: isinstance(app.screen, ForkDialog) and "steps" in shown(app))
            await press(pilot, "d", "enter")
            await until(lambda: isinstance(app.screen, Ask))

        await fork()
        assert "twin (done, " in shown(app)
        await press(pilot, "enter")
        await until(lambda: isinstance(app.screen, CompareScreen))
        assert app.screen.run_ids == [source, twin]  # type: ignore[attr-defined]
        await press(pilot, "2")
        await fork()
        await press(pilot, "a")
        await until(lambda: others(lab, source, twin))


def test_a_run_that_was_changed_in_flight_is_no_twin(lab: Lab, keep_run: KeepRun) -> None:
    source, twin = keep_run(device="cpu"), keep_run(regularisers={"dropout": 0.5}, device="cpu")
    runs.edit(lab, twin, name="twin")
    wanted = forks.fork_spec(lab, source, on={"dropout": 0.5})
    found = runs.find_identical(lab, wanted)
    assert found is not None
    assert found.id == twin
    lab.run(twin).changed.touch()
    runs.edit(lab, twin, name="changed")
    assert runs.find_identical(lab, wanted) is None


async def test_the_key_for_the_checkpoint_says_why_there_is_no_checkpoint(
    open_app: OpenApp, keep_run: KeepRun, until: Until, toasts: Text
) -> None:
    source = keep_run()
    async with open_app(start="live") as pilot:
        screen = await watch(pilot, source, until)
        await press(pilot, "F")
        await until(lambda: "no checkpoint" in toasts(pilot.app))
        assert "f forks from step 0" in toasts(pilot.app)
        assert pilot.app.screen is screen


async def test_a_fork_goes_on_from_the_checkpoint_and_is_flagged(
    open_app: OpenApp, lab: Lab, toys: object, until: Until, shown: Text
) -> None:
    values = {"steps": 40, "seconds": 5.0}
    source = runs.submit(lab, build_spec("toy", lab=lab, values=values, device="cpu"))
    async with open_app(start="live") as pilot:
        app = pilot.app
        screen = await watch(pilot, source.id, until)
        await until(lambda: screen.shown is not None and screen.shown.data.curves)
        await press(pilot, "F")
        await until(lambda: isinstance(app.screen, RegulariserChanges))
        assert "from its checkpoint" in shown(app)
        await press(pilot, "d", "enter")
        await until(lambda: isinstance(app.screen, CompareScreen))
        (forked,) = others(lab, source.id)
        spec = runs.read_spec(lab, forked.id)
        assert spec.parent == source.id
        assert spec.forked_at >= 0
        assert spec.forked_with == {"dropout": 0.5}
        assert forked.changed, "it is flagged before it starts"
        await until(lambda: "never pooled" in shown(app))
        first = await asyncio.to_thread(runs.wait, lab, source.id, timeout=60)
        assert first.verdict == "SHOWN"
        ended = await asyncio.to_thread(runs.wait, lab, forked.id, timeout=60)
        assert (ended.state, ended.verdict, ended.changed) == (RunState.DONE, "INCONCLUSIVE", True)


def test_a_fork_of_a_config_of_an_earlier_version_takes_defaults(toys: object) -> None:
    toy = phenomena.get("toy")
    source = RunSpec("abcdef12", "toy", {"steps": 40, "gone": 3}, preset="no longer there")
    draft = ForkDraft(toy, source)
    assert draft.differences() == ()
    draft.draft.put("steps", "41")
    assert draft.request()["values"] == {"steps": "41"}
    assert [str(one) for one in draft.differences()] == ["steps 40 → 41"]
    draft.draft.put("seeds", "x")
    with pytest.raises(BadValue, match="whole number"):
        draft.request()


async def test_what_does_not_go_together_is_not_launched(
    open_app: OpenApp, shown: Text, toasts: Text, lab: Lab, until: Until
) -> None:
    spec = build_spec("double-descent", lab=lab, device="cpu")
    async with open_app(start="live") as pilot:
        dialog = ForkDialog(HOSTILE, ForkDraft(phenomena.get("double-descent"), spec), lab.data)
        pilot.app.push_screen(dialog)
        await until(lambda: "widths" in shown(pilot.app))
        await press(pilot, "d")
        assert "random features know weight decay alone" in shown(pilot.app)
        await press(pilot, "enter")
        assert pilot.app.screen is dialog
        assert "random features know weight decay alone" in toasts(pilot.app)


# --- more seeds -------------------------------------------------------------------------------------------------------


def test_the_usual_number_of_more_seeds() -> None:
    assert [seeds + usual(seeds) for seeds in (1, 2, 3, 4, 5, 10, 1000)] == [3, 3, 5, 5, 10, 20, 1000]


@pytest.mark.usefixtures("queue_held")
async def test_more_seeds_make_a_new_run_which_is_shown(
    open_app: OpenApp, lab: Lab, keep_run: KeepRun, until: Until, shown: Text, toasts: Text
) -> None:
    source = keep_run(HOSTILE, device="cpu")
    async with open_app(start="live") as pilot:
        app = pilot.app
        screen = await watch(pilot, source, until)
        await press(pilot, "S")
        await until(lambda: isinstance(app.screen, MoreSeeds))
        assert "It has 3: 0 to 2." in shown(app)
        assert "5 seeds in a new run; only seeds 3 to 4 are trained" in shown(app)
        await press(pilot, "up")
        assert "6 seeds in a new run; only seeds 3 to 5" in shown(app)
        await press(pilot, "down", "down")
        assert "only seed 3 is trained" in shown(app)
        app.screen.query_one(Input).value = "-1"
        await press(pilot, "enter")
        assert "outside its bounds (1 to 997)" in shown(app)
        app.screen.query_one(Input).value = "many"
        await pilot.pause()
        assert "not a whole number" in shown(app)
        await press(pilot, "up", "down", "enter")
        await until(lambda: others(lab, source))
        (new,) = others(lab, source)
        assert (new.seeds, new.inherited, new.parent) == (5, 3, source)
        await until(lambda: screen.ids == (new.id,))
        assert "only the 2 new seeds are trained" in toasts(app)
        await watch(pilot, source, until)
        await press(pilot, "S")
        await until(lambda: isinstance(app.screen, MoreSeeds))
        await press(pilot, "escape")
        assert others(lab, source) == [new]


async def test_seeds_are_added_to_a_finished_run_alone(
    open_app: OpenApp, keep_run: KeepRun, until: Until, toasts: Text
) -> None:
    running = keep_run(state="running", steps=4)
    async with open_app(start="live") as pilot:
        await watch(pilot, running, until)
        await press(pilot, "S")
        await until(lambda: "seeds are added to a run that is done" in toasts(pilot.app))


# --- the same keys elsewhere ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("queue_held")
async def test_the_keys_of_the_runs_screen(
    open_app: OpenApp, lab: Lab, keep_run: KeepRun, until: Until, toasts: Text
) -> None:
    source = keep_run(device="cpu")
    async with open_app(start="runs") as pilot:
        app = pilot.app
        screen = app.screen
        assert isinstance(screen, RunsScreen)
        await until(lambda: screen.chosen is not None)
        await press(pilot, "plus")
        await until(lambda: isinstance(app.screen, MoreSeeds))
        await press(pilot, "escape", "F")
        await until(lambda: "no checkpoint" in toasts(app))
        await press(pilot, "f")
        await until(lambda: isinstance(app.screen, ForkDialog))
        await press(pilot, "escape")
        await press(pilot, "plus")
        await until(lambda: isinstance(app.screen, MoreSeeds))
        await press(pilot, "enter")
        await until(lambda: isinstance(app.screen, LiveScreen))
        assert [run.seeds for run in others(lab, source)] == [5]


@pytest.mark.usefixtures("queue_held")
async def test_plus_in_the_queue_of_the_lab(open_app: OpenApp, keep_run: KeepRun, until: Until) -> None:
    keep_run(device="cpu")
    async with open_app(start="lab") as pilot:
        app = pilot.app
        screen = app.screen
        assert isinstance(screen, LabScreen)
        queue = screen.query_one(Queue)
        await until(lambda: queue.chosen)
        queue.focus()
        await pilot.pause()
        await press(pilot, "plus")
        await until(lambda: isinstance(app.screen, MoreSeeds))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)])
@pytest.mark.usefixtures("queue_held")
async def test_every_dialog_fits(
    open_app: OpenApp, keep_run: KeepRun, until: Until, shown: Text, size: tuple[int, int]
) -> None:
    done, running = keep_run(HOSTILE, device="cpu"), keep_run(HOSTILE, state="running", steps=4)
    async with open_app(start="live", size=size) as pilot:
        app = pilot.app
        await watch(pilot, running, until)
        await press(pilot, "t")
        assert "enter applies" in shown(app)
        assert "never pooled" in shown(app)
        assert "\x1b" not in shown(app)
        await press(pilot, "escape")
        await watch(pilot, done, until)
        await press(pilot, "f")
        await until(lambda: isinstance(app.screen, ForkDialog) and "steps" in shown(app))
        await press(pilot, "d", "w")
        assert "enter launches it" in shown(app)
        assert "6 members" in shown(app)
        await press(pilot, "escape", "S")
        await until(lambda: isinstance(app.screen, MoreSeeds))
        assert "enter adds them" in shown(app)


# --- the flag ---------------------------------------------------------------------------------------------------------


async def test_a_run_changed_in_flight_is_flagged_while_it_trains(
    open_app: OpenApp, lab: Lab, keep_run: KeepRun, until: Until, shown: Text
) -> None:
    run_id = keep_run("flagged", state="running", steps=4)
    lab.run(run_id).changed.touch()
    async with open_app(start="runs", size=(140, 30)) as pilot:
        await until(lambda: "⚑" in shown(pilot.app))
        await press(pilot, "1")
        await until(lambda: "⚑ flagged" in shown(pilot.app))
        await watch(pilot, run_id, until)
        await until(lambda: "⚑ changed in flight" in shown(pilot.app))


async def test_what_was_changed_in_flight_is_said_in_the_lists_and_in_live(
    open_app: OpenApp, lab: Lab, keep_run: KeepRun, until: Until, shown: Text
) -> None:
    run_id = keep_run("flagged", state="running", steps=40)
    lab.run(run_id).changed.touch()
    changes = (("label-smoothing", 0.1, 10, "fast"), ("dropout", 0.7, 35, "fast"), ("dropout", 0.7, 0, "slow"))
    with lab.run(run_id).events.open("ab") as file:
        for name, strength, step, cohort in changes:
            change = ev.Change(regulariser=name, strength=strength, step=step, cohort=cohort, attempt=1)
            file.write(ev.encode(change) + b"\n")
    async with open_app(start="runs", size=(160, 40)) as pilot:
        await until(lambda: "none → smooth 0.1 @10, drop 0.7 @35" in shown(pilot.app))
        assert "– → ⚑" in shown(pilot.app)
        await watch(pilot, run_id, until)
        await until(lambda: "⚑ changed in flight: smooth 0.1 @10, drop 0.7 @35" in shown(pilot.app))
        await pilot.resize_terminal(100, 30)
        await until(lambda: "⚑ smooth 0.1 @10, drop" in shown(pilot.app))


async def test_a_real_network_is_changed_in_flight_from_the_screen_to_the_verdict(
    open_app: OpenApp, lab: Lab, until: Until, shown: Text
) -> None:
    values = {"epochs": 60, "target": 1.0}
    record = runs.submit(lab, build_spec("random-labels", lab=lab, preset="demo", values=values, device="cpu"))
    async with open_app(start="live", size=(120, 30)) as pilot:
        screen = await watch(pilot, record.id, until)
        await until(lambda: screen.shown is not None and screen.shown.data.curves)
        await press(pilot, "t", "w", "right", "enter")
        await until(lambda: screen.shown is not None and screen.shown.data.changes)
        change = screen.shown.data.changes[0] if screen.shown else None
        assert change is not None
        assert (change.regulariser, change.strength) == ("weight-decay", 0.01)
        await until(lambda: "changed in flight" in shown(pilot.app))
        assert "next epoch" not in shown(pilot.app)
        assert runs.pending_changes(lab, record.id) == []
        ended = await asyncio.to_thread(runs.wait, lab, record.id, timeout=90)
        assert (ended.state, ended.verdict, ended.changed) == (RunState.DONE, "INCONCLUSIVE", True)
        with pytest.raises(GenlabError, match="changed in flight"):
            forks.add_seeds(lab, record.id, 2)
