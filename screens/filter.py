"""Which runs to show: the little language of the filter line. Pure.

Terms are parted by blanks and must all hold; quotes keep blanks together.
  word                text somewhere in id, name, phenomenon, data, preset, device, state, reason, verdict, tags, note,
                      regularisers
  #text               the tag of that name, as `tag:text`
  field:text          that text in a field; `state:failed,killed` is either; `tag:x` is the whole tag;
                      `verdict:shown` is SHOWN alone; `is:active`, `is:ended`, `is:held`, `is:changed`, `is:named`
  field>number        also >= < <= = !=; fields are seeds, attempt, age, took (`age<2h`, `took>90s`), every
                      regulariser (`wd>0`, `drop=0.5`; off counts as 0) and every headline number (`test-error<.1`)
  -term, not term     the opposite
"""

from __future__ import annotations

import operator
import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from genlab_tui import regularisers
from genlab_tui.errors import BadValue, GenlabError, NotFound, nearest
from genlab_tui.run import RunRecord
from screens.columns import SHORT

Test = Callable[[RunRecord, float], bool]
"""Whether a run passes, given the time now."""

_TOKEN = re.compile(r'(?:"[^"]*"?|[^\s"])+')
_TERM = re.compile(r"([^\s:<>=!]+)(:|<=|>=|!=|<|>|=)(.*)", re.DOTALL)
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ":": operator.eq,
    "!=": operator.ne,
}
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}

TEXTS: dict[str, Callable[[RunRecord], tuple[str, ...]]] = {
    "id": lambda r: (r.id,),
    "name": lambda r: (r.name,),
    "phenomenon": lambda r: (r.phenomenon,),
    "data": lambda r: (r.data,),
    "preset": lambda r: (r.preset,),
    "device": lambda r: (r.device,),
    "state": lambda r: (r.state.value,),
    "reason": lambda r: (r.reason,),
    "verdict": lambda r: (r.verdict,),
    "tag": lambda r: r.tags,
    "note": lambda r: (r.note,),
    "on": lambda r: tuple(r.regularisers),
}
WHOLE = frozenset({"tag", "verdict"})
"""Fields whose text must match as a whole."""

NUMBERS: dict[str, Callable[[RunRecord, float], float | None]] = {
    "seeds": lambda r, now: r.seeds,
    "attempt": lambda r, now: r.attempt,
    "age": lambda r, now: now - r.created,
    "took": lambda r, now: took(r, now),
}
FLAGS: dict[str, Callable[[RunRecord], bool]] = {
    "active": lambda r: r.state.active,
    "ended": lambda r: r.state.ended,
    "held": lambda r: r.held,
    "changed": lambda r: r.changed,
    "named": lambda r: bool(r.name),
}
ALIASES = {"tags": "tag", "phen": "phenomenon", "p": "phenomenon", "reg": "on", "regulariser": "on"}
_SHORT = {short: name for name, short in SHORT.items()}
"""What the columns of the list call a regulariser."""


@dataclass(frozen=True)
class Filter:
    """A parsed filter. `problem` says what of the text is not understood; those terms are left out."""

    text: str = ""
    tests: tuple[Test, ...] = ()
    problem: str = ""

    def matches(self, run: RunRecord, now: float | None = None) -> bool:
        """Whether a run passes every term."""
        moment = time.time() if now is None else now
        return all(test(run, moment) for test in self.tests)


def took(run: RunRecord, now: float) -> float | None:
    """Return how many seconds a run has been at work, or None before its start."""
    if not run.started:
        return None
    return (run.ended if run.state.ended and run.ended else now) - run.started


def parse(text: str, measures: Collection[str] = ()) -> Filter:
    """Parse a filter; `measures` are the headline numbers that some run has. Never raises."""
    tests: list[Test] = []
    problems: list[str] = []
    negate = False
    for token in _TOKEN.findall(text):
        if token.lower() == "not":
            negate = not negate
            continue
        flip = negate != (len(token) > 1 and token.startswith("-"))
        body = token[1:] if len(token) > 1 and token.startswith("-") else token
        negate = False
        try:
            test = _term(body, measures)
        except GenlabError as error:
            problems.append(str(error))
            continue
        if test is not None:
            tests.append(_opposite(test) if flip else test)
    return Filter(text, tuple(tests), problems[0] if problems else "")


def _opposite(test: Test) -> Test:
    return lambda run, now: not test(run, now)


def _term(token: str, measures: Collection[str]) -> Test | None:
    """Return the test of a term; None for one that says nothing.

    Raises NotFound for an unknown field, BadValue for a term without its value (`wd>`) or with one that is no number.
    """
    if token.startswith("#") and len(token) > 1:
        return _text_field("tag", ":", token[1:].replace('"', "").lower())
    found = None if token.startswith('"') else _TERM.fullmatch(token)
    if found is None:
        return _word(token.replace('"', "").lower())
    field, sign, value = found[1].lower(), found[2], found[3].replace('"', "").strip().lower()
    field = ALIASES.get(field, field)
    if not value:
        if field not in TEXTS and field != "is":
            _reader(field, measures)
        raise BadValue(f"{field}{sign} what?", f"{field}{sign}text" if field in TEXTS else f"{field}{sign}value")
    if field == "is":
        if value not in FLAGS:
            raise NotFound(f"there is no is:{value}", nearest(value, tuple(FLAGS)))
        flag = FLAGS[value]
        return lambda run, now: flag(run)
    if field in TEXTS and sign in (":", "=", "!="):
        return _text_field(field, sign, value)
    return _number_field(field, sign, value, measures)


def _word(word: str) -> Test | None:
    if not word:
        return None
    return lambda run, now: any(word in part.lower() for texts in TEXTS.values() for part in texts(run))


def _text_field(field: str, sign: str, value: str) -> Test:
    read = TEXTS[field]
    text = value.replace("_", "-") if field == "phenomenon" else value
    wanted = tuple(part for part in text.split(",") if part)
    if field == "on":
        wanted = tuple(_regulariser(name) or name for name in wanted)
    whole = sign != ":" or field in WHOLE

    def test(run: RunRecord, now: float) -> bool:
        texts = [text.lower() for text in read(run)]
        return any(w == text if whole else w in text for w in wanted for text in texts)

    return _opposite(test) if sign == "!=" else test


def _number_field(field: str, sign: str, value: str, measures: Collection[str]) -> Test:
    read = _reader(field, measures)
    limit = _number(value)
    if limit is None:
        raise BadValue(f"{field}{sign}{value}: that is no number", "0.5  1e-3  90s  2h  7d")
    compare = _OPERATORS[sign]

    def test(run: RunRecord, now: float) -> bool:
        number = read(run, now)
        return number is not None and compare(number, limit)

    return test


def _reader(field: str, measures: Collection[str]) -> Callable[[RunRecord, float], float | None]:
    if field in NUMBERS:
        return NUMBERS[field]
    name = _regulariser(field)
    if name:
        return lambda run, now: run.regularisers.get(name, 0.0)
    plain = _plain(field)
    if plain in {_plain(m) for m in measures}:
        return lambda run, now: next((v for m, v in run.headline.items() if _plain(m) == plain), None)
    known = (*TEXTS, "is", *NUMBERS, *regularisers.BY_NAME, *(m.replace(" ", "-") for m in measures))
    raise NotFound(f"there is no field {field!r}", nearest(field, known))


def _regulariser(name: str) -> str:
    try:
        return regularisers.get(_SHORT.get(name, name)).name
    except NotFound:
        return ""


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "-", name.lower())


def _number(text: str) -> float | None:
    found = re.fullmatch(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)([smhdw]?)", text)
    return float(found[1]) * _UNITS[found[2]] if found else None
