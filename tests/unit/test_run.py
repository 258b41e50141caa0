"""Run specifications: identity, codec, paths."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunSpec, RunState, check_name, decode, encode, new_run_id

SPEC = RunSpec(id="0123abcd", phenomenon="p", config={"n": 10, "levels": (0.1, 1.0)}, regularisers={"dropout": 0.5})


def test_spec_survives_its_json_and_unknown_fields_are_ignored() -> None:
    document = msgspec.json.decode(msgspec.json.encode(encode(SPEC)))
    assert decode(RunSpec, {**document, "of-a-later-version": 1}) == SPEC


def test_a_broken_document_is_an_error_with_the_field() -> None:
    with pytest.raises(GenlabError, match="seeds"):
        decode(RunSpec, {**encode(SPEC), "seeds": "many"})


@pytest.mark.parametrize(
    "change",
    [
        {"config": {"n": 11, "levels": (0.1, 1.0)}},
        {"data": "mnist1d"},
        {"regularisers": {}},
        {"seeds": 4},
        {"first_seed": 1},
        {"device": "cpu"},
        {"phenomenon": "q"},
        {"arms": ("a",)},
        {"schema": 2},
    ],
)
def test_identity_hashes_what_decides_the_numbers(change: dict[str, object]) -> None:
    assert replace(SPEC, **change).identity() != SPEC.identity()  # type: ignore[arg-type]


def test_identity_ignores_what_does_not() -> None:
    assert replace(SPEC, id="ffffffff", created=5.0, preset="x", parent="0123abcd").identity() == SPEC.identity()


@pytest.mark.parametrize("text", ["", "..", "../x", "0123abc", "0123ABCD", "0123abcd/..", "/etc/passwd", "0123abcd\n"])
def test_a_run_id_is_never_a_path(text: str) -> None:
    with pytest.raises(ValueError, match="not a run id"):
        Lab(Path("/lab")).run(text)
    assert Lab(Path("/lab")).run(new_run_id()).path.parent == Path("/lab/runs")


def test_states_partition() -> None:
    for state in RunState:
        assert state.ended + state.active + (state is RunState.QUEUED) == 1
    assert not RunState.DONE.resumable


def test_names_are_cleaned_or_refused() -> None:
    assert check_name("\x1b[31mfirst try\x1b[0m") == "first try"
    assert check_name("") == ""
    assert check_name("[/x] ../../etc") == "[/x] ../../etc"  # a name is never a path
    for name in ("\x1b[0m", "x" * 81, "last", "0123abcd"):
        with pytest.raises(BadValue):
            check_name(name)


def test_record_document_is_small() -> None:
    record = RunRecord(id="0123abcd", phenomenon="random-labels", identity="0" * 64, headline={"ratio": 1.5})
    assert decode(RunRecord, encode(record)) == record


def test_a_decoded_record_encodes_every_field() -> None:
    record = decode(RunRecord, {"id": "0123abcd", "phenomenon": "p"})
    assert encode(record)["reason"] == ""
    assert set(encode(record)) == set(RunRecord.__dataclass_fields__)


def test_numbers_of_a_config_keep_their_type() -> None:
    spec = replace(SPEC, config={"widths": (10, 20), "levels": (0.5, 1.0)})
    again = decode(RunSpec, msgspec.json.decode(msgspec.json.encode(encode(spec))))
    assert repr(again.config) == repr(spec.config)
    assert again.identity() == spec.identity()
