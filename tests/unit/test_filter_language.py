"""The filter language as a whole: precedence and parentheses against a plain evaluator; what it says; its help."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlab_tui.errors import NotFound
from genlab_tui.filter_fields import FLAGS, NUMBERS, TEXTS, field_test
from genlab_tui.filter_help import LANGUAGE, candidates, vocabulary, words
from genlab_tui.filters import Filter, measures_of, parse
from genlab_tui.run import RunRecord, RunState

NOW = 1_000_000.0


def some_runs() -> list[RunRecord]:
    """Runs that differ in everything that the atoms below ask for."""
    states = (RunState.DONE, RunState.FAILED, RunState.RUNNING)
    return [
        RunRecord(
            id=f"a{i:07x}",
            phenomenon="toy" if i % 2 else "double-descent",
            state=states[i % 3],
            tags=("paper",) if i % 5 == 0 else (),
            name="first try" if i % 7 == 0 else "",
            regularisers={"weight-decay": 0.1 * (i % 4)} if i % 4 else {},
            headline={"test_error": i / 60} if i % 3 == 0 else {},
            parent="a0000001" if i % 6 == 0 else "",
            inherited=3 if i % 12 == 0 else 0,
            created=NOW - 600.0 * i,
        )
        for i in range(60)
    ]


RUNS = some_runs()
MEASURES = measures_of(RUNS)


def passes(found: Filter, run: RunRecord) -> bool:
    return found.of([run], NOW) == [run]


ATOMS: dict[str, Callable[[RunRecord], bool]] = {
    "toy": lambda r: r.phenomenon == "toy",
    "FIRST": lambda r: r.name == "first try",
    '"first try"': lambda r: r.name == "first try",
    "#paper": lambda r: r.tags == ("paper",),
    "state:failed,running": lambda r: r.state in (RunState.FAILED, RunState.RUNNING),
    "state!=done": lambda r: r.state is not RunState.DONE,
    "wd>0.15": lambda r: r.regularisers.get("weight-decay", 0.0) > 0.15,
    "wd = 0": lambda r: "weight-decay" not in r.regularisers,
    "test-error <= 25%": lambda r: "test_error" in r.headline and r.headline["test_error"] <= 0.25,
    "age<2h": lambda r: NOW - r.created < 7200,
    "is:forked": lambda r: r.parent != "" and r.inherited == 0,
    "is:extended": lambda r: r.inherited == 3,
    "is:done": lambda r: r.state is RunState.DONE,
    'name:"first try"': lambda r: r.name == "first try",
}


@dataclass(frozen=True)
class Text:
    """An expression as text, what it means, and how tightly it binds: 0 `or`, 1 `and`, 2 anything else."""

    text: str
    passes: Callable[[RunRecord], bool]
    binds: int


def within(inner: Text, least: int) -> str:
    return inner.text if inner.binds >= least else f"({inner.text})"


def either(parts: list[Text], word: str) -> Text:
    text = f" {word} ".join(within(part, 1) for part in parts)
    return Text(text, lambda r: any(part.passes(r) for part in parts), 0)


def both(parts: list[Text], word: str) -> Text:
    text = word.join(within(part, 2) for part in parts)
    return Text(text, lambda r: all(part.passes(r) for part in parts), 1)


def never(inner: Text, word: str) -> Text:
    return Text(word + within(inner, 2), lambda r: not inner.passes(r), 2)


def bracketed(inner: Text, blank: str) -> Text:
    return Text(f"({blank}{inner.text}{blank})", inner.passes, 2)


atoms = st.sampled_from(list(ATOMS)).map(lambda text: Text(text, ATOMS[text], 2))
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(either, st.lists(inner, min_size=2, max_size=3), st.sampled_from(["or", "OR", " or "])),
        st.builds(both, st.lists(inner, min_size=2, max_size=3), st.sampled_from([" ", "  ", " and ", " AND "])),
        st.builds(never, inner, st.sampled_from(["-", "not ", "NOT  ", "not -not "])),
        st.builds(bracketed, inner, st.sampled_from(["", " "])),
    ),
    max_leaves=12,
)


@given(expressions)
@settings(deadline=None)
def test_an_expression_means_what_its_parts_mean(expression: Text) -> None:
    found = parse(expression.text, MEASURES)
    assert found.problem == ""
    assert found.of(RUNS, NOW) == [run for run in RUNS if expression.passes(run)]
    assert all(passes(found, run) == expression.passes(run) for run in RUNS[:5])


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("toy or is:done #paper", "toy or (is:done and #paper)"),
        ("not toy or is:done", "(not toy) or is:done"),
        ("not toy is:done", "(not toy) and is:done"),
        ("-(toy or is:done)", "not toy and not is:done"),
        ("wd > 0.15", "wd>0.15"),
        ("wd >0.15", "wd>0.15"),
        ("((toy))", "toy"),
        ("toy and and is:done", "toy and is:done"),
        ("toy or", "toy"),
        ("or toy", "toy"),
        ("(toy", "toy"),
        ("toy)", "toy"),
        ("toy ()", "toy"),
        ("toy and nosuch:x", "toy"),
        ("toy or nosuch:x", "toy"),
        ("not nosuch:x", ""),
        ("not", ""),
    ],
)
def test_two_ways_to_say_the_same(text: str, same: str) -> None:
    assert parse(text, MEASURES).of(RUNS, NOW) == parse(same, MEASURES).of(RUNS, NOW)


@pytest.mark.parametrize(
    ("text", "what", "at"),
    [
        ("toy nosuch:x", "there is no field 'nosuch'", (4, 12)),
        ("toy and", "and what?", (4, 7)),
        ("or toy", "or needs something before it", (0, 2)),
        ("toy (digits", "this parenthesis is not closed", (4, 5)),
        ("toy)", "there is no parenthesis to close", (3, 4)),
        ("()", "there is nothing between these parentheses", (1, 2)),
        ("toy wd > is:done", "wd> what?", (4, 8)),
        ("not", "not what?", (0, 3)),
        ("name>3", "name is a text", (0, 6)),
        ("is:nice", "there is no is:nice", (0, 7)),
        ("wd>\x1b[31mred", "that is no number", (0, 11)),
    ],
)
def test_what_is_not_understood_is_said_with_its_place(text: str, what: str, at: tuple[int, int]) -> None:
    found = parse(text, MEASURES)
    problem = found.problems[0]
    assert what in problem.what
    assert (problem.start, problem.end) == at
    assert found.problem.startswith(f"at {at[0] + 1}: ")
    assert "\x1b" not in found.problem


def test_depth_is_no_danger() -> None:
    for text in ("(" * 5000 + "toy" + ")" * 5000, "not " * 5001 + "toy", "-" * 5001 + "toy", "(toy or " * 3000):
        found = parse(text, MEASURES)
        assert found.of(RUNS[1:2], NOW) in (RUNS[1:2], [])
    assert parse("not " * 5001 + "toy").of(RUNS, NOW) == parse("-toy").of(RUNS, NOW)
    assert "more than 40 parentheses" in parse("(" * 41 + "toy" + ")" * 41).problem


@given(st.text(alphabet=st.sampled_from('()-"andort :<>=!#,%') | st.characters(), max_size=60))
@settings(deadline=None)
def test_nothing_typed_raises(text: str) -> None:
    found = parse(text, MEASURES)
    assert {run.id for run in found.of(RUNS[:3], NOW)} <= {run.id for run in RUNS[:3]}
    assert all(0 <= problem.start <= problem.end <= len(text) for problem in found.problems)
    for kept, offered in [candidates(text, KNOWN)]:
        assert text.startswith(kept)
        assert len(offered) == len(set(offered))


@given(st.sampled_from(sorted(TEXTS)), st.sampled_from(["needle", "Nadel"]))
def test_a_word_is_looked_for_in_every_text_but_those_left_out(field: str, word: str) -> None:
    holder = "regularisers" if field == "on" else "tags" if field == "tag" else field
    value: object = {"regularisers": {word: 1.0}, "tags": (word,)}.get(holder, word)
    if field == "state":
        return  # one of a fixed few
    run = dataclasses.replace(RUNS[0], **{holder: value})
    assert passes(parse(word.upper()), run) == (field not in ("expected", "colour"))
    assert not passes(parse(word), RUNS[0]), "what is kept of one record is not taken for another's"


# --- predictions and forks --------------------------------------------------------------------------------------------


def test_what_was_predicted_and_where_a_run_comes_from() -> None:
    right = RunRecord("a0000001", "toy", verdict="NOT SHOWN", expected="NOT SHOWN", prediction="it will not learn")
    wrong = RunRecord("a0000002", "toy", verdict="SHOWN", expected="NOT SHOWN", parent="a0000001")
    open_ = RunRecord("a0000003", "toy", expected="SHOWN", parent="a0000001", inherited=3, colour="square")
    runs = [right, wrong, open_]
    for text, found in {
        "is:predicted": runs,
        "is:right": [right],
        "is:wrong": [wrong],
        "expected:not-shown": [right, wrong],
        "expected:shown": [open_],
        "shown": [right, wrong],
        "prediction:learn": [right],
        "learn": [right],
        "parent:a0000001": [wrong, open_],
        "fork:a0": [wrong, open_],
        "is:forked": [wrong],
        "is:extended": [open_],
        "is:pinned": [open_],
        "colour:square": [open_],
        "is!=forked": [right, open_],
    }.items():
        assert parse(text).problem == "", text
        assert parse(text).of(runs, NOW) == found, text


# --- the help ---------------------------------------------------------------------------------------------------------


def test_every_example_of_the_help_is_understood() -> None:
    known = (*MEASURES, "test-error")
    for example, _ in LANGUAGE:
        assert parse(example, known).problem == "", example
    for kind, listed in words():
        for word in listed.split():
            text = {"texts": f"{word}:x", "numbers": f"{word}>1"}.get(kind, f"is:{word}")
            assert parse(text, known).problem == "", text
    assert {*TEXTS, *NUMBERS, *FLAGS} <= {word for _, listed in words() for word in listed.split()}


KNOWN = vocabulary([*RUNS, RunRecord("b0000001", "x", name="two (words)", tags=("paper two",))])


@pytest.mark.parametrize(
    ("text", "kept", "first"),
    [
        ("", "", "state:"),
        ("toy sta", "toy ", "state:"),
        ("state:fa", "state:", "failed"),
        ("state:done,fa", "state:done,", "failed"),
        ("-state:fa", "-state:", "failed"),
        ("(state:fa", "(state:", "failed"),
        ("is:for", "is:", "forked"),
        ("#pap", "#", "paper"),
        ("p:dou", "p:", "double-descent"),
        ("dro", "", "drop>"),
        ("test_e", "", "test-error>"),
        ("name:tw", "name:", '"two (words)"'),
    ],
)
def test_what_could_come_next(text: str, kept: str, first: str) -> None:
    found = candidates(text, KNOWN)
    assert found[0] == kept
    assert found[1][0] == first
    assert "there is no" not in parse(found[0] + found[1][0], MEASURES).problem


def test_nothing_comes_after_a_finished_word() -> None:
    assert candidates("state:failed", KNOWN)[1] == ()
    assert candidates("zebra", KNOWN)[1] == ()


@pytest.mark.parametrize("part", ["test", "accuracy"])
def test_a_part_of_a_headline_number_is_recognised(part: str) -> None:
    with pytest.raises(NotFound) as raised:
        field_test(part, ">", "0.9", ("steps", "test_accuracy"))
    assert "did you mean 'test-accuracy'?" in str(raised.value.hint)
