"""The command line: errors that say what to do, the machine-readable contract, one real run from queue to CSV."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from genlab_tui.cli import run_cli
from genlab_tui.commands.run import _progress_line
from genlab_tui.events import Progress
from genlab_tui.run import RunRecord, RunState

TOYS = Path(__file__).resolve().parents[1] / "data" / "phenomena"
PROGRAM = [sys.executable, "-P", "-m", "genlab_tui"]


def call(*arguments: object, home: Path, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a user does, with the toy phenomenon in its catalogue."""
    environment = os.environ | {"GENLAB_HOME": str(home), "GENLAB_PHENOMENA": str(TOYS)} | env
    words = [*PROGRAM, *map(str, arguments)]
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False
    )
    assert not check or done.returncode == 0, (words, done.stdout, done.stderr)
    return done


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("rnu random-labels", 2, ["no command 'rnu'", "did you mean 'run'"]),
        ("run random-label", 2, ["no phenomenon", "did you mean 'random-labels'"]),
        ("run random-labels --preset quik", 2, ["preset", "did you mean 'quick'"]),
        ("run double-descent --set n=3", 2, ["n = 3", "20 to 60000", "nearest valid value: 20"]),
        ("run double-descent --set m=3", 2, ["no field 'm'"]),
        ("run double-descent --set n", 2, ["FIELD=VALUE"]),
        ("run random-labels --on dropot", 2, ["no regulariser", "did you mean 'dropout'"]),
        ("run random-labels --on dropout=7", 2, ["dropout = 7", "0.01 to 0.95", "nearest valid value: 0.95"]),
        ("run double-descent --on dropout", 2, ["dropout", "weight decay alone", "model = network"]),
        ("run random-labels --data cifar10", 1, ["cifar10", "genlab-tui data fetch cifar10"]),
        ("run random-labels --data cifar", 2, ["cifar", "did you mean"]),
        ("run random-labels --seeds 0", 2, ["seeds", "1 to 1000"]),
        ("run random-labels --device tpu", 2, ["device", "cuda:N"]),
        ("run random-labels --arm tru", 2, ["no arm 'tru'", "did you mean 'true'"]),
        ("run random-labels --hold --wait", 2, ["--hold", "--wait"]),
        ("run random-labels --name " + "x" * 81, 2, ["run name", "80"]),
        ("show deadbeef", 2, ["no run 'deadbeef'"]),
        ("show ../../etc", 2, ["no run"]),
        ("ls --state runing", 2, ["no state", "did you mean 'running'"]),
        ("data fetch mnits", 2, ["no data set", "did you mean 'mnist'"]),
        ("phenomena nope", 2, ["no phenomenon"]),
        ("tui", 1, ["no terminal", "genlab-tui demo"]),
    ],
)
def test_bad_input_is_one_line_with_a_way_out(
    line: str, code: int, words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert run_cli(line.split()) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    for word in words:
        assert word in err


def test_a_lab_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = call("ls", home=tmp_path / "file" / "lab", check=False)
    assert done.returncode == 1
    assert "GENLAB_HOME" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dumb_terminal_gets_a_sentence_and_no_screen(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    env = os.environ | {"GENLAB_HOME": str(tmp_path / "lab"), "TERM": "dumb"}
    process = subprocess.Popen([*PROGRAM, "tui"], env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    assert process.wait(60) == 1
    said = os.read(ours, 4096).decode()
    os.close(ours)
    assert "TERM='dumb'" in said
    assert "\x1b" not in said


def test_held_run_is_recorded_before_the_command_returns_and_never_starts(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    document = json.loads(call("run", "toy", "--hold", "--name", "first", "--json", home=lab).stdout)
    assert set(document) >= {"schema", "id", "phenomenon", "state", "config", "summary", "verdict"}
    assert (document["schema"], document["phenomenon"], document["state"]) == (1, "toy", "queued")
    assert document["verdict"] is None
    listed = json.loads(call("ls", "--json", home=lab).stdout)
    assert listed["schema"] == 1
    assert [(r["id"], r["state"], r["reason"], r["held"]) for r in listed["runs"]] == [
        (document["id"], "queued", "", True)
    ]
    assert json.loads(call("show", "first", "--json", home=lab).stdout)["id"] == document["id"]
    queue = json.loads(call("queue", "--json", home=lab).stdout)
    assert [entry["run"]["id"] for entry in queue["queued"]] == [document["id"]]
    call("queue", "cancel", "first", home=lab)
    found = json.loads(call("show", "first", "--json", home=lab).stdout)
    assert (found["state"], found["reason"]) == ("stopped", "cancelled before it started")


def test_one_run_from_queue_to_csv(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    done = call("run", "toy", "--set", "steps=30", "--first-seed", 7, "--wait", "--json", home=lab)
    document = json.loads(done.stdout)
    assert document["state"] == "done"
    assert document["seeds"] == [7, 8, 9]
    verdict = document["verdict"]
    assert verdict["status"] in ("SHOWN", "NOT SHOWN", "INCONCLUSIVE")
    assert verdict["scope"]
    for claim in verdict["claims"]:
        assert set(claim) >= {"name", "main", "status", "criteria"}
        for criterion in claim["criteria"]:
            assert set(criterion) >= {"name", "status", "value", "threshold", "published", "seeds", "control"}
            assert criterion["status"] in ("PASS", "FAIL", "UNMET")
            assert set(criterion["seeds"]) <= {"7", "8", "9"}
    second = json.loads(call("run", "toy", "--set", "steps=30", "--wait", "--json", home=lab).stdout)
    compared = json.loads(call("compare", document["id"], second["id"], "--json", home=lab).stdout)
    assert compared["schema"] == 1
    target = tmp_path / "out.csv"
    files = json.loads(call("export", document["id"], second["id"], "--csv", target, "--json", home=lab).stdout)[
        "files"
    ]
    beside = [f"out-{kind}.csv" for kind in ("curves", "figure", "criteria", "means", "settings")]
    assert [Path(f).name for f in files] == ["out.csv", *beside]
    again = call("export", document["id"], "--csv", target, home=lab, check=False)
    assert again.returncode == 2
    assert "out.csv" in again.stderr
    text = call("compare", document["id"], second["id"], home=lab).stdout
    assert document["id"] in text


def test_what_lies_in_the_trash_is_found_by_the_start_of_its_id(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    run_id = json.loads(call("run", "toy", "--hold", "--json", home=lab).stdout)["id"]
    call("queue", "cancel", run_id, home=lab)
    assert f"rm --undo {run_id}" in call("rm", run_id[:3], home=lab).stderr
    assert call("show", run_id[:3], home=lab).returncode == 0
    call("rm", "--undo", run_id[:3], home=lab)
    assert len(json.loads(call("ls", "--json", home=lab).stdout)["runs"]) == 1
    nothing = call("edit", run_id, home=lab, check=False)
    assert (nothing.returncode, "nothing to change" in nothing.stderr) == (2, True)


def test_edit_trash_and_undo(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    run_id = json.loads(call("run", "toy", "--hold", "--json", home=lab).stdout)["id"]
    call("queue", "cancel", run_id, home=lab)
    call("edit", run_id, "--name", "[/x]", "--tag", "a", "--tag", "b", "--note", "\x1b[31mred", home=lab)
    call("edit", run_id, "--untag", "a", home=lab)
    record = json.loads(call("show", run_id, "--json", home=lab).stdout)["record"]
    assert (record["name"], record["tags"]) == ("[/x]", ["b"])
    assert "\x1b" not in call("show", run_id, home=lab).stdout
    call("rm", run_id, home=lab)
    assert json.loads(call("ls", "--json", home=lab).stdout)["runs"] == []
    assert len(json.loads(call("ls", "--trash", "--json", home=lab).stdout)["runs"]) == 1
    call("rm", run_id, "--undo", home=lab)
    assert len(json.loads(call("ls", "--json", home=lab).stdout)["runs"]) == 1


def test_doctor_of_a_good_lab_is_content(tmp_path: Path) -> None:
    done = call("doctor", "--json", home=tmp_path / "lab")
    report = json.loads(done.stdout)
    assert report["ok"], report
    assert {c["name"] for c in report["checks"]} >= {
        "python",
        "libraries",
        "torch",
        "device",
        "packages",
        "lab",
        "index",
    }


def test_doctor_names_a_folder_that_is_not_in_the_index_and_rebuild_takes_it_in(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    run_id = json.loads(call("run", "toy", "--hold", "--json", home=lab).stdout)["id"]
    (lab / "store.json").write_bytes(b"{ not json")
    broken = call("doctor", "--json", home=lab, check=False)
    assert broken.returncode == 1
    assert any("--rebuild" in c["remedy"] for c in json.loads(broken.stdout)["checks"])
    assert call("doctor", "--rebuild", home=lab).returncode == 0
    assert [r["id"] for r in json.loads(call("ls", "--json", home=lab).stdout)["runs"]] == [run_id]


def test_a_pipe_that_closes_early_is_no_error(tmp_path: Path) -> None:
    env = os.environ | {"GENLAB_HOME": str(tmp_path / "lab")}
    for command in ("phenomena --json", "phenomena random-labels", "run --help"):
        line = f"{' '.join(PROGRAM)} {command} | true"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line], env=env, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), command


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["completion", shell]) == 0
    assert "genlab-tui" in capsys.readouterr().out


def test_a_line_of_progress_has_the_label_whole() -> None:
    label = "0 of 48 searches have found their whole training set"
    line = _progress_line(RunRecord("a0000001", "toy", RunState.RUNNING), Progress(done=0.5, label=label))
    assert line.endswith(f" 50%  {label}")
