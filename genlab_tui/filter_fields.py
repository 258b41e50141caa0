"""What a filter can ask of a run: texts, numbers and yes-or-no questions, and the test that one term makes. Pure."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping

from genlab_tui import regularisers
from genlab_tui.errors import BadValue, NotFound, nearest
from genlab_tui.run import RunRecord, RunState

Test = Callable[[RunRecord, float], bool]
"""Whether a run passes, given the time now."""

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ":": operator.eq,
    "!=": operator.ne,
}
UNITS = {"": 1.0, "%": 0.01, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}

TEXTS: Mapping[str, Callable[[RunRecord], tuple[str, ...]]] = {
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
    "parent": lambda r: (r.parent,),
    "prediction": lambda r: (r.prediction,),
    "expected": lambda r: (r.expected,),
    "colour": lambda r: (r.colour,),
}
WHOLE = frozenset({"tag", "verdict", "expected", "colour"})
"""Fields whose text must match as a whole."""
STATUSES = frozenset({"verdict", "expected"})
"""Fields of several words, which may be written with dashes: `verdict:not-shown`."""

NUMBERS: Mapping[str, Callable[[RunRecord, float], float | None]] = {
    "seeds": lambda r, now: r.seeds,
    "attempt": lambda r, now: r.attempt,
    "age": lambda r, now: now - r.created,
    "took": lambda r, now: took(r, now),
}

FLAGS: Mapping[str, Callable[[RunRecord], bool]] = {
    "active": lambda r: r.state.active,
    "ended": lambda r: r.state.ended,
    "held": lambda r: r.held,
    "changed": lambda r: r.changed,
    "named": lambda r: bool(r.name),
    "tagged": lambda r: bool(r.tags),
    "noted": lambda r: bool(r.note),
    "pinned": lambda r: bool(r.colour),
    "forked": lambda r: bool(r.parent) and not r.inherited,
    "extended": lambda r: r.inherited > 0,
    "predicted": lambda r: bool(r.expected or r.prediction),
    "right": lambda r: bool(r.expected) and r.expected == r.verdict,
    "wrong": lambda r: bool(r.expected and r.verdict) and r.expected != r.verdict,
} | {state.value: (lambda r, s=state: r.state is s) for state in RunState}
"""`forked`: another run with a change; `extended`: with more seeds; `right`, `wrong`: as was expected, or otherwise."""

ALIASES = {
    "tags": "tag",
    "phen": "phenomenon",
    "p": "phenomenon",
    "reg": "on",
    "regulariser": "on",
    "fork": "parent",
    "predicted": "prediction",
    "expect": "expected",
    "color": "colour",
}


def took(run: RunRecord, now: float) -> float | None:
    """Return how many seconds a run has been at work, or None before its start."""
    if not run.started:
        return None
    return (run.ended if run.state.ended and run.ended else now) - run.started


# --- the test of a term -----------------------------------------------------------------------------------------------


def field_test(field: str, sign: str, value: str, measures: Collection[str] = ()) -> Test:
    """Return the test of `field sign value` (lower case); `measures` are the headline numbers that some run has.

    Raises NotFound for an unknown field, BadValue for a term without its value (`wd>`) or with one that is no number.
    """
    field = ALIASES.get(field, field)
    if not value:
        if field not in TEXTS and field != "is":
            _reader(field, measures)
        raise BadValue(f"{field}{sign} what?", f"{field}{sign}text" if field in TEXTS else f"{field}{sign}value")
    if field == "is":
        if value not in FLAGS:
            raise NotFound(f"there is no is:{value}", nearest(value, tuple(FLAGS)))
        flag = FLAGS[value]
        return opposite(lambda run, now: flag(run)) if sign == "!=" else lambda run, now: flag(run)
    if field in TEXTS and sign in (":", "=", "!="):
        return text_test(field, sign, value)
    return _number_test(field, sign, value, measures)


def opposite(test: Test) -> Test:
    """Return the test that passes where another one does not."""
    return lambda run, now: not test(run, now)


def word_test(word: str) -> Test | None:
    """Return the test for a word (lower case) anywhere in a run; None for no word."""
    return (lambda run, now: word in _spoken(run)) if word else None


def warm_up(runs: Iterable[RunRecord]) -> None:
    """Make what words are looked for in, so that the first key that is typed finds it made. For a thread."""
    for run in runs:
        _spoken(run)


_known: dict[str, tuple[RunRecord, str]] = {}
_MOST = 50_000


def _spoken(run: RunRecord) -> str:
    """Return all that words are looked for in, one text a line; made once a record, as every key asks all of them."""
    known = _known.get(run.id)
    if known is not None and known[0] is run:
        return known[1]
    if len(_known) > _MOST:
        _known.clear()
    # Every text of TEXTS, at a tenth of the price of asking each for its own; but for the colour, and for `expected`: a
    # word would find every run of which the opposite came out.
    place = f"{run.phenomenon}\n{run.data}\n{run.preset}\n{run.device}\n{run.state.value}\n{run.reason}"
    words = f"{run.id}\n{run.name}\n{place}\n{run.verdict}\n{run.note}\n{run.parent}\n{run.prediction}"
    spoken = "\n".join((words, *run.tags, *run.regularisers)).lower()
    _known[run.id] = (run, spoken)
    return spoken


def text_test(field: str, sign: str, value: str) -> Test:
    """Return the test for a text (lower case) in a field; a comma parts several of which one must be there."""
    read = TEXTS[field]
    if field == "phenomenon":
        value = value.replace("_", "-")
    elif field in STATUSES:
        value = re.sub(r"[\s_-]+", " ", value)
    wanted = tuple(part.strip() for part in value.split(",") if part.strip())
    if field == "on":
        wanted = tuple(_regulariser(name) or name for name in wanted)
    whole = sign != ":" or field in WHOLE

    def test(run: RunRecord, now: float) -> bool:
        texts = [text.lower() for text in read(run)]
        return any(w == text if whole else w in text for w in wanted for text in texts)

    return opposite(test) if sign == "!=" else test


def _number_test(field: str, sign: str, value: str, measures: Collection[str]) -> Test:
    read = _reader(field, measures)
    limit = _number(value)
    if limit is None:
        raise BadValue(f"{field}{sign}{value}: that is no number", "0.5  1e-3  95%  90s  2h  7d")
    compare = OPERATORS[sign]

    def test(run: RunRecord, now: float) -> bool:
        number = read(run, now)
        return number is not None and compare(number, limit)

    return test


PART = 3
"""Letters of a name from which it is known what was meant."""


def _reader(field: str, measures: Collection[str]) -> Callable[[RunRecord, float], float | None]:
    if field in NUMBERS:
        return NUMBERS[field]
    name = _regulariser(field)
    if name:
        return lambda run, now: run.regularisers.get(name, 0.0)
    plain = plain_name(field)
    meant = frozenset(m for m in measures if plain_name(m) == plain)
    if meant:
        return lambda run, now: next((v for m, v in run.headline.items() if m in meant), None)
    if field in TEXTS:
        raise BadValue(f"{field} is a text: it is not more or less than another", f"{field}:text")
    names = sorted(map(plain_name, measures))
    close = next((m for m in names if m.startswith(plain)), next((m for m in names if plain in m), ""))
    if close and len(plain) >= PART:
        raise NotFound(f"there is no field {field!r}", f"did you mean {close!r}?")
    known = (*TEXTS, "is", *NUMBERS, *regularisers.BY_NAME, *regularisers.SHORT.values(), *names)
    close = nearest(field, known)
    raise NotFound(f"there is no field {field!r}", close if close.endswith("?") else "? says which there are")


def _regulariser(name: str) -> str:
    try:
        return regularisers.get(name).name
    except NotFound:
        return ""


def plain_name(name: str) -> str:
    """Return the name of a headline number as a filter writes it: `test_error`, `Test error` are `test-error`."""
    return re.sub(r"[\s_-]+", "-", name.lower())


def _number(text: str) -> float | None:
    found = re.fullmatch(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)([%smhdw]?)", text)
    return float(found[1]) * UNITS[found[2]] if found else None
