"""`genlab-tui ls --filter`: the language of the Runs screen on the command line."""

from __future__ import annotations

import json

import pytest

from genlab_tui.cli import run_cli
from genlab_tui.filter_help import LANGUAGE
from genlab_tui.paths import Lab, lab_home
from genlab_tui.run import RunMeta, RunSpec, encode, new_run_id
from genlab_tui.safe_io import make_private_dir, write_json
from genlab_tui.store import rebuild


def keep(lab: Lab, name: str, state: str, **spec: object) -> None:
    run = lab.run(new_run_id())
    make_private_dir(run.path)
    write_json(run.spec, encode(RunSpec(run.id, "toy", {}, created=1.0, **spec)))  # type: ignore[arg-type]
    write_json(run.meta, encode(RunMeta(name=name)))
    write_json(run.pid, {"attempt": 1})
    write_json(run.exit, {"attempt": 1, "state": state, "ended": 2.0})
    headline = {"test_error": 0.2 if name == "low" else 0.4}
    write_json(run.result, {"attempt": 1, "schema": 1, "headline": headline, "verdict": {"status": "SHOWN"}})


@pytest.fixture(autouse=True)
def _runs() -> None:
    lab = lab_home()
    keep(lab, "low", "done", regularisers={"dropout": 0.5}, expected="SHOWN")
    keep(lab, "high", "done", parent="c0ffee00")
    keep(lab, "[/x]\x1b[31m", "failed")
    rebuild(lab)


def names(expression: str, capsys: pytest.CaptureFixture[str], *more: str) -> list[str]:
    assert run_cli(["ls", "--filter", expression, "--json", *more]) == 0
    return sorted(run["name"] for run in json.loads(capsys.readouterr().out)["runs"])


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("drop>0 or state:failed", ["[/x]", "low"]),
        ("state:done -(drop>0)", ["high"]),
        ("test-error<30%", ["low"]),
        ("is:forked", ["high"]),
        ("is:right", ["low"]),
        ("zebra", []),
    ],
)
def test_what_passes_is_listed(expression: str, found: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert [name.removesuffix("\x1b[31m") for name in names(expression, capsys)] == found


def test_the_other_options_hold_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert names("drop>0 or state:failed", capsys, "--state", "done") == ["low"]
    assert len(names("", capsys, "-n", "2")) == 2
    assert names("low", capsys, "--trash") == []


@pytest.mark.parametrize("expression", ["nosuch:x", "low and", "(low", "wd>\x1b[31mred"])
def test_a_filter_that_is_not_understood_whole_lists_nothing(
    expression: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(["ls", "--filter", expression]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "--filter at " in said.err
    assert "'?' explains" in said.err
    assert "\x1b" not in said.err


def test_a_question_mark_prints_the_language(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["ls", "--filter", "?"]) == 0
    said = capsys.readouterr().out
    assert all(example in said for example, _ in LANGUAGE)
    assert "forked" in said
