"""The filter line of the Runs screen: words, fields, comparisons, negation, and text that is still being typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlab_tui.filters import Filter, parse
from genlab_tui.regularisers import SHORT
from genlab_tui.run import RunRecord, RunState

NOW = 1_000_000.0
RUN = RunRecord(
    id="a1b2c3d4",
    phenomenon="double-descent",
    state=RunState.FAILED,
    reason="CUDA OOM",
    preset="quick",
    data="digits",
    seeds=5,
    regularisers={"weight-decay": 1e-3},
    created=NOW - 7200,
    started=NOW - 7100,
    ended=NOW - 7000,
    verdict="NOT SHOWN",
    headline={"test_error": 0.25, "fast minus slow": 0.1},
    name="first try",
    tags=("good", "paper"),
    note="look again",
)
MEASURES = ("test_error", "fast minus slow")


def passes(found: Filter, run: RunRecord) -> bool:
    return found.of([run], NOW) == [run]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "double",
        "DOUBLE digits",
        "a1b2",
        "oom",
        "weight",
        "again",
        "phenomenon:double-descent",
        "phenomenon:double_descent",
        "phen:descent",
        "state:failed",
        "state:done,failed",
        "state:fail",
        "state=failed",
        "state!=done",
        "tag:good",
        "tags:paper",
        "-tag:bad",
        "not tag:bad",
        "not -tag:good",
        'name:"first try"',
        '"first try"',
        'verdict:"not shown"',
        "reason:oom",
        "wd>0",
        "weight-decay>=0.001",
        "wd=1e-3",
        "weight_decay<1",
        "dropout=0",
        "on:wd",
        "-on:dropout",
        "seeds>3 seeds<=5 seeds!=4",
        "age>1h",
        "age<3h",
        "age<1d",
        "took=100s",
        "took<2m",
        "test_error<0.3",
        "test-error<.3",
        "fast-minus-slow=0.1",
        "is:ended -is:active",
        "is:named",
        "-",
        '"',
        "#good",
    ],
)
def test_passes(text: str) -> None:
    found = parse(text, MEASURES)
    assert passes(found, RUN)
    assert found.problem == ""


@pytest.mark.parametrize(
    "text",
    [
        "triple",
        "double triple",
        "-double",
        "not double",
        "state:done",
        "state=fail",
        "state!=failed",
        "tag:goo",
        "verdict:shown",
        "wd>0.01",
        "dropout>0",
        "on:dropout",
        "seeds<5",
        "age<1h",
        "took>2m",
        "test_error>0.3",
        "is:active",
        "is:held",
        "is:changed",
    ],
)
def test_does_not_pass(text: str) -> None:
    assert not passes(parse(text, MEASURES), RUN)


def test_a_run_without_the_number_never_passes_a_comparison() -> None:
    assert not passes(parse("test_error<1", MEASURES), RunRecord("00000000", "p"))
    assert not passes(parse("took<1h"), RunRecord("00000000", "p"))


@pytest.mark.parametrize(
    ("text", "hint"),
    [("phenomenom:x", "'phenomenon'"), ("dropuot>0", "'dropout'"), ("is:actve", "'active'"), ("state>3", "state")],
)
def test_an_unknown_field_is_named_with_the_nearest_and_left_out(text: str, hint: str) -> None:
    found = parse(text, MEASURES)
    assert hint in found.problem
    assert passes(found, RUN)


@pytest.mark.parametrize("text", ["wd>", "state:", "is:", "age<2x", "seeds>abc", "drop>much"])
def test_a_term_without_its_value_says_so_and_is_left_out(text: str) -> None:
    found = parse(text, MEASURES)
    assert found.problem
    assert passes(found, RUN)


def test_the_short_words_of_the_list_are_fields() -> None:
    for short in SHORT.values():
        assert parse(f"{short}>0", MEASURES).problem == "", short


@given(st.text(alphabet=st.sampled_from("abc :<>=!-\"'.,0159_notwdstate\x1b[]")) | st.text())
def test_no_text_is_an_error(text: str) -> None:
    assert parse(text, MEASURES).of([RUN], NOW) in ([RUN], []), "it lets a run pass or not, and raises nothing"
