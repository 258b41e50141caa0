"""Many runs changed at once: one that refuses keeps nobody else, the index follows, what is deleted is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genlab_tui.errors import GenlabError, LabUnusable
from genlab_tui.paths import Lab, lab_home
from genlab_tui.run import RunMeta, RunSpec, encode, new_run_id
from genlab_tui.safe_io import make_private_dir, read_json, try_flock, write_json
from genlab_tui.store import open_store, rebuild
from jobs import edits, runs


@pytest.fixture
def lab() -> Lab:
    return lab_home()


def keep(lab: Lab, count: int, state: str = "done", **spec: object) -> list[str]:
    """Write runs that have ended, as cheaply as can be."""
    ids = []
    for _ in range(count):
        run = lab.run(new_run_id())
        make_private_dir(run.path)
        write_json(run.spec, encode(RunSpec(run.id, "toy", {}, created=1.0, **spec)))  # type: ignore[arg-type]
        write_json(run.meta, encode(RunMeta(tags=("old",))))
        if state:
            write_json(run.pid, {"attempt": 1})
            write_json(run.exit, {"attempt": 1, "state": state, "ended": 2.0})
        ids.append(run.id)
    rebuild(lab)
    return ids


def test_many_runs_are_edited_in_batches(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edits, "BATCH", 2)
    ids = keep(lab, 5)
    outcome = edits.edit_all(lab, {run_id: {"tags": ["new", "\x1b[31mred"], "colour": "dot"} for run_id in ids})
    assert (outcome.done, outcome.refused, outcome.but) == (tuple(ids), 0, "")
    for run_id in ids:
        record = open_store(lab).get(run_id)
        assert record is not None
        assert (record.tags, record.colour) == (("new", "red"), "dot")
        meta = read_json(lab.run(run_id).meta)
        assert meta is not None
        assert meta["tags"] == ["new", "red"]


def test_one_that_refuses_keeps_nobody_else(lab: Lab) -> None:
    [done], [waits] = keep(lab, 1), keep(lab, 1, state="")
    outcome = edits.trash_all(lab, [waits, done, "c0ffee00"])
    assert outcome.done == (done,)
    assert outcome.refused == 2
    assert "2 not: run" in outcome.but
    assert "it has not ended" in outcome.but
    assert [r.id for r in runs.list_runs(lab, trashed=True)] == [done]
    with pytest.raises(GenlabError, match=r"there is no run 'c0ffee00' \(1 more likewise\)"):
        edits.trash_all(lab, ["c0ffee00", "c0ffee01"])


def test_a_bad_name_changes_nothing(lab: Lab) -> None:
    [run_id] = keep(lab, 1)
    before = read_json(lab.run(run_id).meta)
    with pytest.raises(GenlabError, match="1 to 80"):
        edits.edit_all(lab, {run_id: {"name": "x" * 100, "note": "kept back"}})
    assert read_json(lab.run(run_id).meta) == before


def test_the_trash_and_back(lab: Lab) -> None:
    ids = keep(lab, 3)
    edits.trash_all(lab, ids)
    assert runs.list_runs(lab) == []
    assert edits.restore_all(lab, ids[:2]).done == tuple(ids[:2])
    assert {r.id for r in runs.list_runs(lab)} == set(ids[:2])


def test_only_what_is_in_the_trash_is_deleted(lab: Lab) -> None:
    [kept, gone] = keep(lab, 2)
    edits.trash_all(lab, [gone])
    outcome = edits.erase_all(lab, [kept, gone])
    assert outcome.done == (gone,)
    assert "is not in the trash" in outcome.refusal
    assert not lab.run(gone).path.exists()
    assert [path.name for path in lab.runs.iterdir()] == [kept]
    assert open_store(lab).get(gone) is None
    assert {r.id for r in runs.list_runs(lab)} == {kept}


def test_a_run_with_a_keeper_is_not_deleted(lab: Lab) -> None:
    [run_id] = keep(lab, 1)
    edits.trash_all(lab, [run_id])
    held = try_flock(lab.run(run_id).keeper_lock)
    assert held is not None
    with pytest.raises(GenlabError, match="still at work"):
        edits.erase_all(lab, [run_id])
    assert lab.run(run_id).spec.exists()


def test_a_delete_that_was_cut_off_leaves_no_run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    [run_id] = keep(lab, 1)
    edits.trash_all(lab, [run_id])

    def killed(path: Path, **_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("jobs.edits.shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        edits.erase_all(lab, [run_id])
    assert runs.list_runs(lab, trashed=True) == []


def test_a_run_tells_the_index_where_it_comes_from_and_what_was_expected(lab: Lab) -> None:
    [run_id] = keep(lab, 1, parent="c0ffee00", inherited=2, prediction="it learns", expected="SHOWN")
    record = open_store(lab).get(run_id)
    assert record is not None
    assert (record.parent, record.inherited) == ("c0ffee00", 2)
    assert (record.prediction, record.expected) == ("it learns", "SHOWN")
    assert runs.find_run(lab, run_id) == record


def test_what_was_done_before_the_index_refused_is_told(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full at the second batch: the first can still be undone, and so can what lies in directories."""
    monkeypatch.setattr(edits, "BATCH", 2)
    ids = keep(lab, 5)
    store = open_store(lab)
    update, calls = store.update, iter(range(10))

    def fails_later(*args: Any, **options: Any) -> bool:
        if next(calls) == 1:
            raise LabUnusable("cannot write the index: no space left", "free some space")
        return update(*args, **options)

    monkeypatch.setattr(store, "update", fails_later)
    outcome = edits.edit_all(lab, {run_id: {"note": "new"} for run_id in ids})
    assert outcome.done == tuple(ids[:4])
    assert (outcome.refused, "no space left" in outcome.but) == (1, True)
    assert [(read_json(lab.run(run_id).meta) or {})["note"] for run_id in ids] == ["new"] * 4 + [""]
    monkeypatch.undo()
    monkeypatch.setattr(store, "locked", _refuse)
    with pytest.raises(GenlabError, match=r"cannot lock \(4 more likewise\)"):
        edits.edit_all(lab, {run_id: {"note": "newer"} for run_id in ids})


def _refuse() -> None:
    raise LabUnusable("cannot lock")
