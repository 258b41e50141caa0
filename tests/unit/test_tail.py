"""Reading a log that is cut anywhere, grows, shrinks, is replaced, or is not one."""

from __future__ import annotations

from pathlib import Path

import pytest

from genlab_tui import events as ev
from genlab_tui.errors import GenlabError, NotFound
from genlab_tui.paths import Lab, RunDir
from genlab_tui.run import RunSpec, encode
from genlab_tui.safe_io import write_json
from jobs.tail import LineTail, RunReader, iter_events, load_run

MEMBERS = (("fast", 0), ("fast", 1))
EVENTS: list[ev.AnyEvent] = [
    ev.Begin(time=1.0),
    ev.Cohort(id="c", members=MEMBERS, stage="s"),
    *(ev.Curve(cohort="c", metric="m", step=k, values=(k / 7, "nan"), stage="s") for k in range(4)),
    ev.Measure(cohort="c", name="final", values=(0.5, None), stage="s"),
    ev.Mark(text="naïve ☃ \n line", step=2, stage="s"),
    ev.Stage(key="s", value={"x": 1}, stage="s"),
    ev.Progress(done=0.5, label="half"),
]
LINES = [ev.encode(event) for event in EVENTS]
WHOLE = b"\n".join(LINES) + b"\n"


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    run = Lab(tmp_path).run("0000abcd")
    run.path.mkdir(parents=True)
    write_json(run.spec, encode(RunSpec(id=run.id, phenomenon="gone", config={}, seeds=2)))
    return run


def test_a_log_cut_after_any_byte_gives_its_whole_lines_and_then_the_rest(run: RunDir) -> None:
    for cut in range(len(WHOLE) + 1):
        run.events.write_bytes(WHOLE[:cut])
        reader = RunReader(run)
        reader.read_all()
        whole_lines = WHOLE[:cut].count(b"\n")
        assert list(iter_events(run.events)) == EVENTS[:whole_lines]
        with run.events.open("ab") as file:
            file.write(WHOLE[cut:])
        reader.read_all()
        data = reader.data()
        assert list(data.curves["m"]["fast", 0].value) == [k / 7 for k in range(4)]
        assert data.stages == {"s": {"x": 1}}
        assert data.marks[0].text == "naïve ☃ \n line"


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1000])
def test_any_size_of_bites_reads_the_same(run: RunDir, size: int) -> None:
    run.events.write_bytes(WHOLE)
    reader = RunReader(run)
    polls = 0
    while reader.poll(max_bytes=size):
        polls += 1
    assert len(reader.data().curves["m"]["fast", 1].value) == 4
    assert polls >= min(len(WHOLE) // size, 1)


def test_a_torn_line_that_a_later_attempt_closed_is_skipped(run: RunDir) -> None:
    run.events.write_bytes(LINES[0] + b"\n" + LINES[1] + b"\n" + LINES[2][:20] + b"\n\n" + LINES[3] + b"\n")
    assert list(iter_events(run.events)) == [EVENTS[0], EVENTS[1], EVENTS[3]]


def test_garbage_is_skipped(run: RunDir) -> None:
    run.events.write_bytes(b"\xff\xfe\x00\n[1]\n{}\n" + b'{"kind":"later","x":1}\n' + b"[" * 5000 + b"\n" + WHOLE)
    assert list(iter_events(run.events)) == EVENTS


def test_a_reader_sees_only_news(run: RunDir) -> None:
    reader = RunReader(run)
    assert not reader.poll()
    assert reader.data() is reader.data()
    run.events.write_bytes(WHOLE)
    assert reader.poll()
    first = reader.data()
    assert not reader.poll()
    assert reader.data() is first


def test_a_file_that_was_replaced_or_cut_is_read_anew(run: RunDir) -> None:
    run.events.write_bytes(WHOLE)
    reader = RunReader(run)
    reader.poll()
    run.events.write_bytes(b"\n".join(LINES[:3]) + b"\n")
    assert reader.poll()
    assert len(reader.data().curves["m"]["fast", 0].value) == 1
    other = run.path / "other"
    other.write_bytes(WHOLE * 2)
    other.replace(run.events)
    assert reader.poll()
    reader.read_all()
    assert len(reader.data().marks) == 2


def test_a_line_longer_than_memory_allows_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.tail.MAX_LINE", 50)
    monkeypatch.setattr("jobs.tail.CHUNK", 10)
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x" * 300 + b"\n" + LINES[0] + b"\n")
    tail, found = LineTail(path), []
    for _ in range(100):
        found += tail.read(10)
    assert found[-1].endswith(LINES[0])
    assert tail.offset == path.stat().st_size


def test_without_its_phenomenon_the_arms_come_from_the_cohorts(run: RunDir) -> None:
    run.events.write_bytes(WHOLE)
    data = load_run(run)
    assert [arm.name for arm in data.arms] == ["fast"]
    reader = RunReader(run)
    assert reader.verdict() is None


def test_a_stored_verdict_counts_for_its_own_attempt_only(run: RunDir) -> None:
    verdict = {"status": "SHOWN", "scope": "s", "claims": []}
    write_json(run.queue, {"attempt": 2})
    write_json(run.result, {"attempt": 1, "verdict": verdict})
    reader = RunReader(run)
    assert reader.verdict() is None
    write_json(run.result, {"attempt": 2, "verdict": verdict})
    found = reader.verdict()
    assert found is not None
    assert found.status == "SHOWN"
    write_json(run.result, {"attempt": 2, "verdict": {"status": 7}})
    assert reader.verdict() is None


def test_a_run_that_is_not_there(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    with pytest.raises(NotFound):
        RunReader(lab.run("0000abcd"))
    lab.run("0000abcd").path.mkdir(parents=True)
    with pytest.raises(GenlabError, match="cannot be read"):
        load_run(lab.run("0000abcd"))
    assert list(iter_events(tmp_path / "nothing")) == []
