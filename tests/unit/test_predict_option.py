"""What is expected of a run, said on the command line."""

from __future__ import annotations

import pytest

from genlab_tui.cli import run_cli
from genlab_tui.paths import lab_home
from jobs import runs


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("said", ["not-shown", "NOT SHOWN", "not_shown"])
def test_a_run_keeps_what_was_expected_of_it(said: str) -> None:
    line = ["run", "toy", "--hold", "--expect", said, "--predict", "slower by 3x \x1b[31m"]
    assert run_cli(line) == 0
    lab = lab_home()
    spec = runs.read_spec(lab, runs.list_runs(lab)[0].id)
    assert (spec.expected, spec.prediction) == ("NOT SHOWN", "slower by 3x")


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("option", [["--expect", "maybe"], ["--predict", "a" * 501]])
def test_an_expectation_that_is_none_launches_nothing(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["run", "toy", "--hold", *option]) == 2
    assert "genlab-tui: " in capsys.readouterr().err
    assert runs.list_runs(lab_home()) == []
