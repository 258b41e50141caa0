"""Which runs: the little language of `/` on the Runs screen and of `genlab-tui ls --filter`. Pure; never raises.

  word                text somewhere in id, name, phenomenon, data, preset, device, state, reason, verdict, tags, note,
                      regularisers, parent, prediction; quotes keep blanks together
  #text               the tag of that name, as `tag:text`
  field:text          that text in a field; `state:failed,killed` is either; `tag:x` is the whole tag;
                      `verdict:not-shown` is NOT SHOWN alone; `is:active`, `is:forked`, ... (`filter_fields.FLAGS`)
  field>number        also >= < <= = !=; fields are seeds, attempt, age, took (`age<2h`, `took>90s`), every
                      regulariser (`wd>0`, `drop=0.5`; off counts as 0) and every headline number (`test-error<.1`)
  -term, not term     the opposite
  a b, a and b        both; binds tighter than
  a or b              either
  (a or b) c          parentheses

What is not understood is left out, and `Filter.problem` says what and where.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from genlab_tui.errors import GenlabError
from genlab_tui.filter_fields import Test, field_test, opposite, text_test, word_test
from genlab_tui.run import RunRecord
from genlab_tui.text import clean_text

DEEPEST = 40
"""Parentheses in parentheses; more are nobody's filter, and each level is a call on the stack."""

_BLANKS = re.compile(r"\s*")
_PIECE = re.compile(r'(?:"[^"]*"?|[^\s"()])+')
_TERM = re.compile(r"([^\s:<>=!]+)(:|<=|>=|!=|<|>|=)(.*)", re.DOTALL)
_SPACED = re.compile(
    r'([^\s:<>=!"()]+)(\s*)(<=|>=|!=|<|>|=)(?:(\s*)("[^"]*"?|[-+]?[^\s:<>=!"()-][^\s:<>=!"()]*)(?=[\s)]|$))?'
)
"""A comparison with blanks around its sign: `wd > 0`."""

WORDS = ("and", "or", "not")


class Token(NamedTuple):
    """A piece of a filter: a parenthesis, `and`, `or`, `not` or a `term`, its text, and where it begins and ends."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Problem:
    """What is not understood of a filter, and from which to which character."""

    what: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"at {self.start + 1}: {self.what}"


@dataclass(frozen=True)
class Filter:
    """A parsed filter; without a test it lets everything pass. What it does not understand is left out of the test."""

    text: str = ""
    test: Test | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def problem(self) -> str:
        """What is not understood first, and where, in a line; empty where all is."""
        return str(self.problems[0]) if self.problems else ""

    def of(self, runs: Collection[RunRecord], now: float | None = None) -> list[RunRecord]:
        """Return the runs that pass, in their order."""
        if self.test is None:
            return list(runs)
        test, moment = self.test, time.time() if now is None else now
        return [run for run in runs if test(run, moment)]


def measures_of(runs: Collection[RunRecord]) -> frozenset[str]:
    """Return the headline numbers that some of the runs have: fields of a filter."""
    return frozenset().union(*(run.headline for run in runs))


def parse(text: str, measures: Collection[str] = ()) -> Filter:
    """Parse a filter; `measures` are the headline numbers that some run has. Never raises."""
    return _Parser(text, measures).filter()


def tokens(text: str) -> Iterator[Token]:
    """Yield the pieces of a filter. A lone `-` is none: something is about to follow."""
    at = 0
    while (at := _BLANKS.match(text, at).end()) < len(text):  # type: ignore[union-attr]  # it matches the empty text
        if text[at] in "()":
            yield Token(text[at], text[at], at, at + 1)
            at += 1
        elif text[at] == "-":
            if at + 1 < len(text) and not text[at + 1].isspace() and text[at + 1] != ")":
                yield Token("not", "-", at, at + 1)
            at += 1
        else:
            spaced = _SPACED.match(text, at)
            if spaced and (spaced[2] or spaced[4]) and spaced[1].lower() not in WORDS:
                value = spaced[5] or ""
                if value.lower() in WORDS:
                    yield Token("term", spaced[1] + spaced[3], at, at := spaced.end(3))
                else:
                    yield Token("term", spaced[1] + spaced[3] + value, at, at := spaced.end())
                continue
            end = _PIECE.match(text, at).end()  # type: ignore[union-attr]  # neither blank nor parenthesis
            piece = text[at:end]
            yield Token(piece.lower() if piece.lower() in WORDS else "term", piece, at, end)
            at = end


@dataclass
class _Group:
    """What stands between two parentheses: alternatives, each of tests that must all pass."""

    start: int
    negated: bool = False
    """Whether the opposite of the whole group is meant."""
    either: list[Test] = field(default_factory=list)
    both: list[Test] = field(default_factory=list)
    empty: bool = True
    opposite: bool = False
    """Whether an odd number of `not` precedes what comes next."""
    waits: Token | None = None
    """The `and`, `or` or `not` that still needs something after it."""

    def add(self, test: Test | None) -> None:
        if test is not None:
            self.both.append(opposite(test) if self.opposite else test)
        self.opposite, self.waits, self.empty = False, None, False

    def next_alternative(self) -> None:
        if self.both:
            self.either.append(_all_of(self.both))
        self.both = []

    def test(self) -> Test | None:
        self.next_alternative()
        if not self.either:
            return None
        return opposite(_any_of(self.either)) if self.negated else _any_of(self.either)


class _Parser:
    """One pass over the pieces with the open groups on a stack of its own."""

    def __init__(self, text: str, measures: Collection[str]) -> None:
        self.text = text
        self.measures = measures
        self.problems: list[Problem] = []
        self.groups = [_Group(0)]

    def filter(self) -> Filter:
        for token in tokens(self.text):
            match token.kind:
                case "(":
                    self._open(token)
                case ")":
                    self._close(token)
                case "not":
                    group = self.groups[-1]
                    group.opposite = not group.opposite
                    group.waits = token
                case "and" | "or":
                    self._joint(token)
                case _:
                    self.groups[-1].add(self._term(token))
        while len(self.groups) > 1:
            self._wrong(
                "this parenthesis is not closed", Token("(", "(", self.groups[-1].start, self.groups[-1].start + 1)
            )
            self._end_group()
        self._finish(self.groups[0])
        test = self.groups[0].test()
        return Filter(self.text, test, tuple(self.problems))

    def _wrong(self, what: str, token: Token) -> None:
        self.problems.append(Problem(what, token.start, token.end))

    def _open(self, token: Token) -> None:
        if len(self.groups) > DEEPEST:
            self._wrong(f"more than {DEEPEST} parentheses in each other", token)
            return
        group = self.groups[-1]
        self.groups.append(_Group(token.start, negated=group.opposite))
        group.opposite = False

    def _close(self, token: Token) -> None:
        if len(self.groups) == 1:
            self._wrong("there is no parenthesis to close", token)
            return
        if self.groups[-1].empty:
            self._wrong("there is nothing between these parentheses", token)
        self._end_group()

    def _end_group(self) -> None:
        group = self.groups.pop()
        self._finish(group)
        self.groups[-1].add(group.test())

    def _finish(self, group: _Group) -> None:
        if group.waits is not None:
            self._wrong(f"{group.waits.text} what?", group.waits)

    def _joint(self, token: Token) -> None:
        group = self.groups[-1]
        if group.empty or group.waits is not None:
            self._wrong(f"{token.kind} needs something before it", token)
            return
        if token.kind == "or":
            group.next_alternative()
        group.waits = token

    def _term(self, token: Token) -> Test | None:
        """Return the test of a term; None for one that says nothing or is not understood."""
        text = token.text
        if text.startswith("#") and len(text) > 1:
            return text_test("tag", ":", _bare(text[1:]))
        found = None if text.startswith('"') else _TERM.fullmatch(text)
        if found is None:
            return word_test(_bare(text))
        try:
            return field_test(found[1].lower(), found[2], _bare(found[3]).strip(), self.measures)
        except GenlabError as error:
            self._wrong(clean_text(error, 200), token)
            return None


def _bare(text: str) -> str:
    return text.replace('"', "").lower()


def _all_of(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    every = tuple(tests)
    return lambda run, now: all(test(run, now) for test in every)


def _any_of(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    every = tuple(tests)
    return lambda run, now: any(test(run, now) for test in every)
