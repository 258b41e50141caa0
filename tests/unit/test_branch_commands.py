"""Forks, more seeds and changes in flight from the command line; where a run comes from, in words."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genlab_tui.cli import run_cli
from genlab_tui.lineage import differences, lineage
from genlab_tui.paths import Lab, lab_home
from genlab_tui.run import RunSpec, RunState
from genlab_tui.store import rebuild
from jobs import runs

pytestmark = pytest.mark.usefixtures("toy")

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Run the command line; returns exit code, stdout and stderr."""

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run_cli([str(word) for word in words])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run


@pytest.fixture
def lab() -> Lab:
    return lab_home()


@pytest.fixture
def source(say: Say) -> str:
    """A finished run of the toy with dropout."""
    code, out, _ = say(
        "run", "toy", "--preset", "instant", "--on", "dropout=0.3", "--device", "cpu", "--wait", "--json"
    )
    assert code == 0
    found: str = json.loads(out)["id"]
    return found


def test_a_fork_says_its_id_and_what_differs_and_is_paired_by_seed(say: Say, source: str) -> None:
    words = ("--on", "weight-decay=0.01", "--off", "dropout", "--set", "noise=0.01", "--name", "child")
    code, out, err = say("fork", source, *words, "--wait", "--json")
    assert code == 0
    document = json.loads(out)
    assert document["state"] == "done"
    assert document["parent"] == source
    assert document["regularisers"] == {"weight-decay": 0.01}
    assert document["config"]["noise"] == 0.01
    assert document["config"]["steps"] == 20
    assert document["record"]["name"] == "child"
    assert "weight decay off → 0.01, dropout 0.3 → off, noise 0.02 → 0.01" in err
    assert f"genlab-tui compare {source} {document['id']}" in err
    assert f"forked from {source}: weight decay off → 0.01" in document["lineage"]
    assert not document["changed"]

    code, out, err = say("show", "child")
    assert code == 0
    assert "made from" in out
    assert f"forked from {source}" in out
    say("rm", source)
    assert "made from" in say("show", "child")[1], "a parent in the trash is a parent"

    code, out, err = say("fork", source, "--seeds", 2)
    assert code == 0
    assert out.split()[0] in err
    assert "seeds 0 to 2 → 0 to 1" in err


def test_more_seeds_are_trained_alone(say: Say, lab: Lab, source: str) -> None:
    code, out, err = say("seeds", source, 2, "--wait", "--json")
    assert code == 0
    document = json.loads(out)
    assert document["seeds"] == [0, 1, 2, 3, 4]
    assert document["lineage"] == f"seeds 0 to 2 taken over from {source}"
    assert "only the others are trained" in err
    assert ": 4 members" in err, "two arms of two new seeds"
    assert all(measures["test_accuracy"]["n"] == 5 for measures in document["summary"].values())
    code, out, err = say("seeds", source, 1)
    assert code == 0
    assert len(out.split()) == 1
    assert runs.find_run(lab, out.strip()).seeds == 4


def test_a_change_in_flight_can_be_withdrawn_and_is_flagged_everywhere(say: Say, lab: Lab, tmp_path: Path) -> None:
    _, out, _ = say("run", "toy", "--set", "steps=30", "--set", "seconds=4", "--device", "cpu", "--name", "flown")
    run_id = out.strip()

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    wait(lambda: runs.find_run(lab, run_id).state is RunState.RUNNING)
    say("pause", "flown")  # so that no epoch begins between two lines of this test
    wait(lambda: runs.find_run(lab, run_id).state is RunState.PAUSED)
    code, out, err = say("change", "flown", "dropout=0.5")
    assert (code, out) == (0, "")
    assert "from its next epoch" in err
    assert say("change", "flown", "mixup")[0] == 2
    say("change", "flown", "weight-decay=off")
    code, out, err = say("change", "flown", "weight-decay", "--withdraw")
    assert (code, out) == (0, "")
    assert "without the change of weight-decay" in err
    code, _, err = say("change", "flown", "weight-decay", "--withdraw")
    assert code == 1
    assert "no change of weight-decay to take back" in err
    say("resume", "flown")
    wait(lambda: not runs.pending_changes(lab, run_id))
    code, _, err = say("change", "flown", "--withdraw")
    assert code == 1
    assert "no change to take back" in err
    assert runs.find_run(lab, run_id).changed, "flagged while it trains"
    assert "(changed in flight)" in say("ls")[1]
    runs.wait(lab, run_id, timeout=60)

    assert "(changed in flight)" in say("ls")[1]
    shown = " ".join(say("show", "flown")[1].split())
    assert "dropout 0.5 at step" in shown
    assert "never pooled" in shown
    assert json.loads(say("show", "flown", "--json")[1])["changed"] is True
    _, _, err = say("fork", "flown", "--on", "dropout", "--device", "cpu")
    assert "No such option" in err
    say("run", "toy", "--preset", "instant", "--device", "cpu", "--wait", "--name", "twin")
    assert "changed in flight, INCONCLUSIVE and never pooled: flown" in say("compare", "flown", "twin")[2]
    say("export", "flown", "--csv", tmp_path / "flown.csv", "--kind", "summary")
    assert "changed in flight" in (tmp_path / "flown.csv").read_text()
    code, _, err = say("seeds", "flown", 2)
    assert code == 1
    assert "changed in flight" in err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["fork"], 2, "Missing argument"),
        (["fork", "nobody"], 2, "no run 'nobody'"),
        (["fork", "{source}"], 2, "nothing is changed"),
        (["fork", "{source}", "--on", "dropot"], 2, "did you mean 'dropout'"),
        (["fork", "{source}", "--on", "mixup"], 2, "does not apply"),
        (["fork", "{source}", "--set", "steps=0"], 2, "nearest valid value: 1"),
        (["fork", "{source}", "--set", "steps"], 2, "FIELD=VALUE"),
        (["fork", "{source}", "--data", "mnist"], 2, "it runs on digits"),
        (["fork", "{source}", "--seeds", "0"], 2, "1 to 1000"),
        (["fork", "{source}", "--from-checkpoint", "--on", "dropout=0.5"], 1, "no checkpoint"),
        (["fork", "{source}", "--on", "dropout=0.5", "--name", "x" * 81], 2, "80 printable"),
        (["seeds", "{source}"], 2, "Missing argument"),
        (["seeds", "{source}", "two"], 2, "not a valid integer"),
        (["seeds", "{source}", "0"], 2, "1 to 997"),
        (["seeds", "{source}", "998"], 2, "nearest valid value: 997"),
        (["change", "{source}"], 2, "nothing to change"),
        (["change", "{source}", "dropout=0.5"], 1, "only while it trains"),
        (["change", "{source}", "--withdraw"], 1, "no change to take back"),
    ],
)
def test_bad_input_is_one_line(say: Say, lab: Lab, words: list[str], code: int, said: str, made: str) -> None:
    known = len(runs.list_runs(lab))
    found, out, err = say(*(word.format(source=made) for word in words))
    assert (found, out) == (code, "")
    assert said in err
    assert len(runs.list_runs(lab)) == known


@pytest.fixture
def made(lab: Lab, tmp_path_factory: pytest.TempPathFactory, say: Say) -> str:
    """A finished run, copied from one that was made for the whole module."""
    import shutil

    kept = tmp_path_factory.getbasetemp() / "branch-source"
    if not kept.exists():
        out = say("run", "toy", "--preset", "instant", "--device", "cpu", "--wait", "--json")[1]
        shutil.copytree(lab.run(json.loads(out)["id"]).path, kept)
    run_id: str = json.loads((kept / "spec.json").read_text())["id"]
    if not lab.run(run_id).path.exists():
        lab.runs.mkdir(parents=True, exist_ok=True)
        shutil.copytree(kept, lab.run(run_id).path)
    runs.edit(lab, run_id, name="made")
    return run_id


def spec(**changes: Any) -> RunSpec:
    return dataclasses.replace(RunSpec("abcdef12", "toy", {"steps": 40, "rates": (1.0, 2.0)}), **changes)


def test_where_a_run_comes_from_is_said_in_a_line() -> None:
    parent = spec(id="aaaaaaaa")
    child = spec(parent="aaaaaaaa")
    assert lineage(parent) == ""
    assert lineage(child) == "forked from aaaaaaaa"
    assert lineage(child, parent) == "forked from aaaaaaaa: nothing differs"
    changed = dataclasses.replace(child, data="mnist1d", regularisers={"mixup": 0.2}, config={"steps": 50}, seeds=5)
    assert lineage(changed, parent) == (
        "forked from aaaaaaaa: data digits → mnist1d, mixup off → 0.2, steps 40 → 50, rates 1 2 → –, "
        "seeds 0 to 2 → 0 to 4"
    )
    assert lineage(spec(parent="aaaaaaaa", inherited=3, seeds=5)) == "seeds 0 to 2 taken over from aaaaaaaa"
    assert lineage(spec(parent="aaaaaaaa", inherited=1, seeds=5)) == "seed 0 taken over from aaaaaaaa"
    forked = spec(parent="aaaaaaaa", inherited=3, forked_at=120, forked_with={"dropout": 0.5, "[/x]\x1b": None})
    assert lineage(forked, parent) == "forked from aaaaaaaa at step 120: dropout 0.5, [/x] off"


def test_differences_name_every_setting_of_a_run() -> None:
    after = spec(arms=("fast",), device="cpu", first_seed=3, phenomenon="other", config={"steps": 40, "x": True})
    assert [str(one) for one in differences(spec(), after)] == [
        "phenomenon toy → other",
        "rates 1 2 → –",
        "seeds 0 to 2 → 3 to 5",
        "arms all → fast",
        "device auto → cpu",
        "x – → yes",
    ]


def test_a_config_of_another_shape_differs_as_it_is() -> None:
    before = RunSpec("aaaaaaaa", "toy", {"rates": 1.0})
    assert [str(one) for one in differences(before, dataclasses.replace(before, config={"rates": (1.0, 2.0)}))] == [
        "rates 1 → 1 2"
    ]


def test_a_fork_keeps_what_was_expected_of_it(say: Say, source: str, lab: Lab) -> None:
    code, out, _ = say("fork", source, "--off", "dropout", "--expect", "not-shown", "--predict", "slower [/x]")
    assert code == 0
    spec = runs.read_spec(lab, out.strip())
    assert (spec.expected, spec.prediction, spec.parent) == ("NOT SHOWN", "slower [/x]", source)
    assert runs.read_spec(lab, source).expected == ""
    code, _, err = say("fork", source, "--off", "dropout", "--expect", "perhaps")
    assert (code, "is not a verdict" in err) == (2, True)
    code, _, err = say("fork", source, "--from-checkpoint", "--off", "dropout", "--expect", "shown")
    assert (code, "always INCONCLUSIVE" in err) == (2, True)


def test_the_queue_flags_what_was_changed_in_flight(say: Say, lab: Lab) -> None:
    _, out, _ = say("run", "toy", "--preset", "instant", "--hold")
    run_id = out.strip()
    assert "changed" not in say("queue")[1]
    lab.run(run_id).changed.touch()
    rebuild(lab)
    assert "queued (changed in flight)" in say("queue")[1]


def test_more_seeds_keep_what_was_expected_of_them(say: Say, source: str, lab: Lab) -> None:
    code, out, _ = say("seeds", source, 2, "--expect", "shown", "--predict", "the same")
    assert code == 0
    spec = runs.read_spec(lab, out.strip())
    assert (spec.expected, spec.prediction, spec.inherited) == ("SHOWN", "the same", 3)
    code, _, err = say("seeds", source, 2, "--expect", "perhaps")
    assert (code, "is not a verdict" in err) == (2, True)
