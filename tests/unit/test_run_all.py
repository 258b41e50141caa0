"""Every phenomenon as one queue: all or nothing is queued, and it ends in one table of verdicts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from genlab_tui import phenomena
from genlab_tui.cli import run_cli
from genlab_tui.commands import run_all
from genlab_tui.paths import lab_home
from jobs import runs as verbs
from jobs.request import build_spec

TOYS = Path(__file__).resolve().parents[1] / "data" / "phenomena"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("run", ["which phenomenon", "--all"]),
        ("run --all random-labels", ["exclude each other"]),
        ("run --all --set n=300", ["--set", "name it"]),
        ("run --all --on dropout", ["--on", "name it"]),
        ("run --all --arm true", ["--arm", "name it"]),
        ("run --all --hold --wait", ["--hold", "--wait"]),
        ("run --all --data nothing", ["no phenomenon takes 'nothing'", "genlab-tui data"]),
        ("run --all --preset nothing", ["nothing"]),
        ("run --all --device cuda:7", ["cuda:7"]),
    ],
)
def test_what_speaks_of_one_phenomenon_is_refused_and_nothing_is_queued(
    line: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(line.split()) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in words), said
    assert verbs.list_runs(lab_home()) == []


def test_one_that_cannot_run_keeps_all_from_being_queued(capsys: pytest.CaptureFixture[str]) -> None:
    """The paper presets want data that must be fetched, or a GPU."""
    assert run_cli(["run", "--all", "--preset", "paper"]) != 0
    assert verbs.list_runs(lab_home()) == []


def test_all_are_queued_and_those_without_the_data_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run_cli(
            [
                "run",
                "--all",
                "--data",
                "digits",
                "--seeds",
                "3",
                "--first-seed",
                "50",
                "--hold",
                "--name",
                "sweep",
                "--json",
            ]
        )
        == 0
    )
    said = capsys.readouterr()
    documents = json.loads(said.out)["runs"]
    takers = {name for name, phenomenon in phenomena.catalogue().items() if "digits" in phenomenon.data}
    assert {document["phenomenon"] for document in documents} == takers
    assert {(d["data"], d["seeds"][0], len(d["seeds"]), d["record"]["name"]) for d in documents} == {
        ("digits", 50, 3, "sweep")
    }
    left = next(line for line in said.err.splitlines() if line.startswith("left out"))
    assert all(name in left for name in set(phenomena.catalogue()) - takers)


@pytest.fixture
def two_toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A catalogue of two toys and nothing else, here and in every child that knows their names."""
    folder = tmp_path / "more"
    folder.mkdir()
    text = (TOYS / "toy.py").read_text().replace('name="toy"', 'name="toy-two"')
    (folder / "toy_two.py").write_text(text)
    monkeypatch.setenv("GENLAB_PHENOMENA", f"{TOYS}{os.pathsep}{folder}")
    monkeypatch.setattr(phenomena, "__path__", [*phenomena.__path__, str(TOYS), str(folder)])
    caches = (phenomena.catalogue, phenomena.broken, phenomena._scan)
    for cached in caches:
        cached.cache_clear()
    toys = {name: phenomena.get(name) for name in ("toy", "toy-two")}
    monkeypatch.setattr(phenomena, "catalogue", lambda: toys)
    yield
    monkeypatch.undo()
    for cached in caches:
        cached.cache_clear()


@pytest.mark.usefixtures("two_toys")
def test_it_ends_in_one_table_of_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["run", "--all", "--preset", "instant", "--wait"]) == 0
    said = capsys.readouterr()
    header, *rows = said.out.splitlines()
    assert header.split()[:4] == ["phenomenon", "data", "seeds", "verdict"]
    shown = {row.split()[0]: row for row in rows if row.startswith("toy")}
    assert set(shown) == {"toy", "toy-two"}
    records = {record.phenomenon: record for record in verbs.list_runs(lab_home())}
    for name, row in shown.items():
        assert records[name].verdict in row
        assert records[name].id in row
    assert rows[-1].startswith("2 runs in ")
    assert f"2 {records['toy'].verdict}" in rows[-1]
    assert "1/2, about" in said.err
    assert "2/2, about" in said.err


@pytest.mark.usefixtures("two_toys")
def test_a_run_that_fails_is_named_and_the_others_are_judged(capsys: pytest.CaptureFixture[str]) -> None:
    lab = lab_home()
    fails = build_spec("toy", lab=lab, values={"crash": "error", "seconds": 0.3})
    works = build_spec("toy-two", lab=lab, values={"seconds": 0.3})
    runs = [verbs.submit(lab, spec).id for spec in (fails, works)]
    assert run_all.report_all(lab, runs, [1.0, 1.0], as_json=False) == 1
    out = capsys.readouterr().out
    assert "not done: toy failed" in out
    assert verbs.find_run(lab, runs[1]).verdict in out
