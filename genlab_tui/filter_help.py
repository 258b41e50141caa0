"""What a filter can say, for a person who writes one: the words of the help, and what could come next. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genlab_tui.filter_fields import ALIASES, FLAGS, NUMBERS, TEXTS, plain_name
from genlab_tui.regularisers import SHORT
from genlab_tui.run import RunRecord, RunState
from genlab_tui.text import clean_text

LANGUAGE: tuple[tuple[str, str], ...] = (
    ("double digits", "both words, anywhere: id, name, phenomenon, data, state, reason, verdict, tags, note, ..."),
    ('"first try"', "quotes keep blanks together"),
    ("state:failed,killed", "a text in a field; a comma means either; = is the whole text, != none of them"),
    ("verdict:not-shown", "a verdict, and not what contains its words"),
    ("#paper", "the tag of that name, as tag:paper"),
    ("wd>0 drop=0.5", "the strength of a regulariser; off counts as 0; also < <= >= !="),
    ("test-error<.1", "a headline number, in any run that has it; 95% is .95"),
    ("age<2d took>90s", "a time: s m h d w"),
    ("is:active", "a yes-or-no question, see below"),
    ("-digits not digits", "the opposite"),
    ("a b or c", "(a and b) or c: blanks mean and, which comes before or; parentheses say otherwise"),
)
"""Examples and what they find."""


def words() -> tuple[tuple[str, str], ...]:
    """Return the fields by kind: what a kind is called, and its words."""
    return (
        ("texts", " ".join(TEXTS)),
        ("numbers", " ".join((*NUMBERS, *SHORT.values()))),
        ("is:", " ".join(FLAGS)),
    )


@dataclass(frozen=True)
class Vocabulary:
    """What the runs of a lab have in their fields, the most frequent first."""

    values: Mapping[str, Sequence[str]]
    measures: Sequence[str] = ()


_LISTED = ("phenomenon", "data", "preset", "device", "reason", "tag", "name", "parent", "colour")
"""Fields whose words are what the runs have in them."""
_MOST = 40
_SEEN = 1000


def vocabulary(runs: Sequence[RunRecord]) -> Vocabulary:
    """Return the words that a filter of these runs may use, as the first thousands of them have them."""
    runs = runs[:_SEEN]
    values: dict[str, Sequence[str]] = {
        "is": tuple(FLAGS),
        "on": tuple(SHORT.values()),
        "state": [state for state, _ in Counter(run.state.value for run in runs).most_common()]
        + [state.value for state in RunState],
        "verdict": ("shown", "not-shown", "inconclusive"),
        "expected": ("shown", "not-shown", "inconclusive"),
    }
    for field in _LISTED:
        counted = Counter(text for run in runs for text in TEXTS[field](run) if text)
        values[field] = [_typed(clean_text(text, 60)) for text, _ in counted.most_common(_MOST)]
    measures = Counter(plain_name(measure) for run in runs for measure in run.headline)
    return Vocabulary({field: tuple(dict.fromkeys(found)) for field, found in values.items()}, tuple(measures))


def _typed(text: str) -> str:
    return f'"{text}"' if re.search(r"[\s()]", text) else text


_LAST = re.compile(r'(?:"[^"]*"?|[^\s"()])*$')


def candidates(text: str, known: Vocabulary) -> tuple[str, tuple[str, ...]]:
    """Return what stays of an unfinished filter, and what could come after it: the ends of its last word.

    Nothing comes after a finished word; after a blank, the fields do.
    """
    found = _LAST.search(text)
    start = found.start() if found else len(text)
    start += len(text[start:]) - len(text[start:].lstrip("-"))
    last = text[start:]
    if last.startswith("#"):
        return text[: start + 1], _fitting(last[1:], known.values.get("tag", ()))
    field, colon, value = last.partition(":")
    if colon:
        name = ALIASES.get(field.lower(), field.lower())
        value = value.rpartition(",")[2]
        return text[: len(text) - len(value)], _fitting(value, known.values.get(name, ()))
    return text[:start], _fitting(last, tuple(_names(known)))


def _names(known: Vocabulary) -> Iterable[str]:
    yield from ("state:", "is:", "phenomenon:", "data:", "verdict:", "tag:", "age<")
    yield from (f"{short}>" for short in SHORT.values())
    yield from (f"{measure}>" for measure in known.measures)
    yield from (f"{field}:" for field in TEXTS)
    yield from (f"{field}>" for field in NUMBERS)


def _fitting(start: str, words: Sequence[str]) -> tuple[str, ...]:
    """Return the words that begin with a text, then those that contain it; none where the text is one of them."""
    plain = start.lower().replace("_", "-").lstrip('"')
    if start and any(word.lower() == start.lower() for word in words):
        return ()
    first = [word for word in words if word.lower().lstrip('"').startswith(plain)]
    later = [word for word in words if plain in word.lower() and word not in first]
    return tuple(dict.fromkeys([*first, *later]))
