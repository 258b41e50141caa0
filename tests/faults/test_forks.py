"""Runs made from runs, with real workers: forks from the start and from a checkpoint, more seeds, changes withdrawn."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np
import pytest

from genlab_tui import events as ev
from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.rundata import RunData
from genlab_tui.safe_io import read_json
from jobs import forks, runs
from jobs.tail import iter_events, load_run


def data_of(bench: Any, run_id: str) -> RunData:
    return load_run(bench.lab.run(run_id))


def test_more_seeds_are_those_of_one_launch(bench: Any) -> None:
    """Three seeds and two more give the numbers and the verdict of five at once, and only two were trained."""
    first = bench.submit()
    bench.until_state(first, "done")
    more = forks.add_seeds(bench.lab, first, 2)
    bench.until_state(more.id, "done")
    whole = runs.submit(bench.lab, runs.read_spec(bench.lab, more.id).anew()).id
    bench.until_state(whole, "done")
    added, at_once = data_of(bench, more.id), data_of(bench, whole)
    assert added.measures == at_once.measures
    assert added.seeds == at_once.seeds == (0, 1, 2, 3, 4)
    for metric, members in at_once.curves.items():
        for member, curve in members.items():
            np.testing.assert_array_equal(added.curves[metric][member].value, curve.value)
    first_result, second_result = (read_json(bench.lab.run(run_id).result) or {} for run_id in (more.id, whole))
    assert first_result["verdict"] == second_result["verdict"]
    own = [e for e in iter_events(bench.lab.run(more.id).events) if isinstance(e, ev.Cohort) and e.attempt]
    assert {seed for cohort in own for _, seed in cohort.members} == {3, 4}
    assert runs.read_spec(bench.lab, more.id).identity() == runs.read_spec(bench.lab, whole).identity()


def test_seeds_are_added_to_what_had_some_added(bench: Any) -> None:
    first = bench.submit()
    bench.until_state(first, "done")
    runs.edit(bench.lab, first, name="wide", tags=("paper", "odd"))
    given = forks.add_seeds(bench.lab, first, 1)
    assert (given.name, given.tags) == ("wide, 4 seeds", ("paper", "odd"))
    second = given.id
    bench.until_state(second, "done")
    third = forks.add_seeds(bench.lab, second, 1)
    assert (third.name, third.tags) == ("wide, 5 seeds", ("paper", "odd"))
    bench.until_state(third.id, "done")
    data = data_of(bench, third.id)
    assert sorted(data.measure("test_accuracy", "fast")) == [0, 1, 2, 3, 4]
    assert runs.read_spec(bench.lab, third.id).parent == second


def test_a_run_with_more_seeds_survives_a_kill(bench: Any) -> None:
    first = bench.submit()
    bench.until_state(first, "done")
    source = runs.read_spec(bench.lab, first)
    slow = runs.submit(bench.lab, source.anew(config=source.config | {"seconds": 2.0, "steps": 100})).id
    bench.until_state(slow, "done")
    more = forks.add_seeds(bench.lab, slow, 1).id
    bench.until_step(more, 30)
    os.kill(bench.pid(more, "worker"), signal.SIGKILL)
    bench.until_state(more, "killed")
    runs.retry(bench.lab, more)
    bench.until_state(more, "done")
    data = data_of(bench, more)
    assert sorted(data.measure("test_accuracy", "slow")) == [0, 1, 2, 3]
    assert len(data.curves["test_accuracy"]["fast", 0].value) == 100


def test_no_seeds_for_what_is_not_done_or_was_changed(bench: Any) -> None:
    waiting = bench.submit(held=True)
    with pytest.raises(GenlabError, match="done"):
        forks.add_seeds(bench.lab, waiting, 1)
    changed = bench.submit(seconds=3.0, steps=200)
    bench.until_step(changed, 5)
    runs.change(bench.lab, changed, "dropout", 0.5)
    bench.until_state(changed, "done")
    with pytest.raises(GenlabError, match="changed in flight"):
        forks.add_seeds(bench.lab, changed, 1)
    done = bench.submit()
    bench.until_state(done, "done")
    with pytest.raises(BadValue, match="nearest valid value: 1"):
        forks.add_seeds(bench.lab, done, 0)


def test_a_fork_is_the_same_run_with_one_thing_changed(bench: Any) -> None:
    first = bench.submit(noise=0.01)
    bench.until_state(first, "done")
    fork = forks.fork(bench.lab, first, values={"noise": "0.5"}, name="noisier")
    bench.until_state(fork.id, "done")
    old, new = (runs.read_spec(bench.lab, run_id) for run_id in (first, fork.id))
    assert {k for k in old.config if old.config[k] != new.config[k]} == {"noise"}
    assert (new.parent, new.seed_list, new.data, new.preset) == (first, old.seed_list, old.data, old.preset)
    with pytest.raises(BadValue, match="nothing is changed"):
        forks.fork(bench.lab, first)
    with pytest.raises(BadValue, match=r"bounds|outside"):
        forks.fork(bench.lab, first, values={"noise": "7"})


def test_a_fork_changes_regularisers_of_its_run(bench: Any) -> None:
    first = bench.submit(held=True)
    with_dropout = forks.fork(bench.lab, first, on={"dropout": 0.3, "wd": None}).id
    spec = runs.read_spec(bench.lab, with_dropout)
    assert spec.regularisers["dropout"] == 0.3
    assert spec.regularisers["weight-decay"] > 0
    without = forks.fork(bench.lab, with_dropout, off=["dropout"]).id
    assert set(runs.read_spec(bench.lab, without).regularisers) == {"weight-decay"}


def test_a_fork_keeps_the_regularisers_of_the_preset(bench: Any) -> None:
    first = bench.submit("regularised", held=True)
    with_dropout = forks.fork_spec(bench.lab, first, on={"dropout": 0.5})
    assert with_dropout.regularisers == {"weight-decay": 0.01, "dropout": 0.5}
    assert forks.fork_spec(bench.lab, first, off=["wd"]).regularisers == {}
    assert forks.fork_spec(bench.lab, first, on={"wd": 0.1}).regularisers == {"weight-decay": 0.1}


def test_a_fork_from_the_checkpoint_goes_on_where_the_run_was(bench: Any) -> None:
    """Up to the checkpoint it is the run; from there it is changed, flagged and INCONCLUSIVE; the run goes on alone."""
    source = bench.submit(steps=300, seconds=6.0)
    bench.until_step(source, 60)
    fork = forks.fork(bench.lab, source, on={"dropout": 0.5}, from_checkpoint=True)
    spec = runs.read_spec(bench.lab, fork.id)
    assert 60 <= spec.forked_at < 300
    bench.until_state(source, "done")
    bench.until_state(fork.id, "done")
    old, new = data_of(bench, source), data_of(bench, fork.id)
    assert not old.changes
    assert {(c.regulariser, c.strength) for c in new.changes} == {("dropout", 0.5)}
    at = spec.forked_at
    before, after = (d.curves["train_accuracy"]["fast", 0] for d in (old, new))
    np.testing.assert_array_equal(before.step, after.step)
    np.testing.assert_array_equal(before.value[: at + 1], after.value[: at + 1])
    assert after.value[-1] < before.value[-1]
    own = [e for e in iter_events(bench.lab.run(fork.id).events) if isinstance(e, ev.Curve) and e.attempt]
    assert min(curve.step for curve in own if curve.cohort == "fast") == at + 1
    # What is trained in a later stage begins with the change.
    assert new.curves["train_accuracy"]["slow", 0].value[0] < old.curves["train_accuracy"]["slow", 0].value[0]
    verdict = (read_json(bench.lab.run(fork.id).result) or {})["verdict"]
    assert verdict["status"] == "INCONCLUSIVE"
    assert spec.identity() != runs.read_spec(bench.lab, source).identity()


def test_a_fork_from_the_checkpoint_of_a_stopped_run(bench: Any) -> None:
    source = bench.submit(steps=300, seconds=6.0)
    bench.until_step(source, 30)
    runs.stop(bench.lab, source)
    bench.until_state(source, "stopped")
    assert forks.can_continue(bench.lab, source) == ""
    fork = forks.fork(bench.lab, source, on={"wd": 0.1}, from_checkpoint=True)
    bench.until_step(fork.id, 100)
    os.kill(bench.pid(fork.id, "worker"), signal.SIGKILL)
    bench.until_state(fork.id, "killed")
    runs.retry(bench.lab, fork.id)
    bench.until_state(fork.id, "done")
    changes = data_of(bench, fork.id).changes
    assert {(c.regulariser, c.strength) for c in changes} == {("weight-decay", 0.1)}


def test_what_cannot_be_forked_from_a_checkpoint(bench: Any) -> None:
    done = bench.submit()
    bench.until_state(done, "done")
    assert "step 0" in forks.can_continue(bench.lab, done)
    with pytest.raises(GenlabError, match="done"):
        forks.fork(bench.lab, done, on={"dropout": 0.5}, from_checkpoint=True)
    with pytest.raises(BadValue, match="only regularisers"):
        forks.fork(bench.lab, done, values={"noise": 0.5}, from_checkpoint=True)
    with pytest.raises(BadValue, match="cannot be changed"):
        forks.fork(bench.lab, done, on={"early-stopping": 5}, from_checkpoint=True)


def test_a_change_can_be_withdrawn_until_it_takes_effect(bench: Any) -> None:
    run = bench.submit(steps=100, seconds=8.0)
    bench.until_step(run, 12)
    runs.pause(bench.lab, run)
    bench.until_state(run, "paused")
    kept = runs.change(bench.lab, run, "dropout", 0.4)
    taken_back = runs.change(bench.lab, run, "weight-decay", 0.1)
    assert [p.id for p in runs.pending_changes(bench.lab, run)] == [kept, taken_back]
    runs.withdraw(bench.lab, run, taken_back)
    assert [(p.regulariser, p.strength) for p in runs.pending_changes(bench.lab, run)] == [("dropout", 0.4)]
    runs.resume(bench.lab, run)
    bench.until(lambda: not runs.pending_changes(bench.lab, run), why="for the change to take effect")
    with pytest.raises(GenlabError, match="waits"):
        runs.withdraw(bench.lab, run, kept)
    bench.until_state(run, "done")
    assert {c.regulariser for c in data_of(bench, run).changes} == {"dropout"}
