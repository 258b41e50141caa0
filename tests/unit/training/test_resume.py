"""A run that was stopped and resumed is the run that was never stopped, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from genlab_tui import events as ev
from genlab_tui.phenomenon import Checkpoint
from genlab_tui.training.members import MEASURES, Member, Recipe, Samples
from jobs import checkpoint

MEMBERS = [
    Member("true", 1),
    Member("random", 1, labels=1),
    Member("fresh", 1, labels=1, fresh=True, follows=1),
    Member("true", 2),
    Member("other inputs", 2, inputs=1, labels=2),
]
EVERYTHING = {
    "l1": 1e-5,
    "weight-decay": 0.01,
    "dropout": 0.1,
    "augmentation": 1.0,
    "label-smoothing": 0.05,
    "mixup": 0.2,
    "batch-norm": 0.2,
}
RECIPES = {
    "adam, members leave": Recipe((24,), "adam", 0.02, batch=10, epochs=16, target=0.95),
    "sgd, members leave": Recipe((24,), "sgd", 0.1, decay=0.97, batch=10, epochs=16, target=0.95),
    "adam, everything": Recipe((10, 8), "adam", 0.02, batch=10, epochs=7, target=0.9, regularisers=EVERYTHING),
    "sgd, everything": Recipe((10, 8), "sgd", 0.1, batch=10, epochs=7, target=0.9, regularisers=EVERYTHING),
    "adam, early stopping": Recipe(
        (12,), "adam", 0.05, batch=10, epochs=20, target=2, regularisers={"early-stopping": 3.0, "batch-norm": 0.1}
    ),
    "sgd, early stopping": Recipe(
        (12,), "sgd", 0.1, batch=10, epochs=20, target=2, regularisers={"early-stopping": 4.0, "dropout": 0.2}
    ),
}


@pytest.fixture(autouse=True)
def _poll_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlab_tui.training.train.POLL_EVERY", -1.0)


@pytest.fixture
def samples(kit: SimpleNamespace) -> Samples:
    made: Samples = kit.make_samples(dtype=torch.float32, noise=0.5)
    return made


def _lines(result: Any, after: int = -1, until: float = float("inf")) -> list[tuple[Any, ...]]:
    """Return curve lines without their seconds, which are the one thing that may differ."""
    curves = (e for e in result.events if isinstance(e, ev.Curve))
    return [(c.metric, c.step, c.epoch, c.values) for c in curves if after < c.step <= until]


def _measures(result: Any) -> dict[str, tuple[ev.Value, ...]]:
    return {e.name: e.values for e in result.events if isinstance(e, ev.Measure)}


def _assert_same_end(whole: Any, resumed: Any) -> None:
    assert resumed.state is not None
    assert resumed.state.step == whole.state.step
    assert _measures(resumed) == _measures(whole)
    assert set(_measures(resumed)) == set(MEASURES)
    for i, outcome in whole.state.outcomes.items():
        again = resumed.state.outcomes[i]
        assert (again.end, again.step, again.epoch) == (outcome.end, outcome.step, outcome.epoch)
        for mine, theirs in zip(resumed.state.weights[i], whole.state.weights[i], strict=True):
            torch.testing.assert_close(mine, theirs, rtol=0, atol=0, equal_nan=True)


def _stops(polls: int) -> Iterator[int]:
    """The first step, in the middle of an epoch and at its end (6 batches each, or 5 or 6 with validation), the end."""
    yield from {1, 6, 9, polls // 3, polls // 2, polls - 7, polls - 1, polls}


@pytest.mark.parametrize("name", RECIPES)
def test_stopped_anywhere_it_ends_the_same(kit: SimpleNamespace, samples: Samples, name: str) -> None:
    """Weights, measures, marks and the curve lines after the checkpoint equal those of the unbroken run."""
    recipe = RECIPES[name]
    desk = kit.Desk()
    whole = kit.run(MEMBERS, samples, recipe, desk)
    assert desk.polls == whole.state.step
    ends = {o.end for o in whole.state.outcomes.values()}
    if "members leave" in name:
        assert {"fitted", "partner"} <= ends
        assert len(whole.state.rows) < len(MEMBERS), "those that ended were taken out of the program"
    if "early stopping" in name:
        assert "early stopping" in ends
    for stop in _stops(desk.polls):
        before = kit.run(MEMBERS, samples, recipe, kit.Desk(stop_at=stop))
        assert before.saved is not None
        assert before.saved.step == stop
        assert _lines(before) == _lines(whole, until=stop), f"before stop {stop}"
        resumed = kit.run(MEMBERS, samples, recipe, kit.Desk(before.saved))
        assert _lines(resumed) == _lines(whole, after=stop), f"after stop {stop}"
        assert before.marks() + resumed.marks() == whole.marks()
        _assert_same_end(whole, resumed)


def test_a_member_that_diverged_before_the_stop_stays_ended(kit: SimpleNamespace) -> None:
    """Also one whose numbers are not finite goes through a checkpoint, and the others go on as they would have."""
    samples = kit.make_samples(dtype=torch.float32)
    samples.inputs[1] = float("inf")
    recipe = Recipe((10,), "sgd", 0.05, batch=10, epochs=5, target=2)
    whole = kit.run(MEMBERS, samples, recipe)
    assert whole.state.outcomes[4].end == "diverged"
    before = kit.run(MEMBERS, samples, recipe, kit.Desk(stop_at=8))
    resumed = kit.run(MEMBERS, samples, recipe, kit.Desk(before.saved))
    assert _lines(resumed) == _lines(whole, after=8)
    _assert_same_end(whole, resumed)


@pytest.mark.parametrize("name", ["adam, members leave", "adam, early stopping", "sgd, everything"])
def test_through_files_and_several_stops(kit: SimpleNamespace, samples: Samples, tmp_path: Path, name: str) -> None:
    """The checkpoint of one attempt after the other goes through its safetensors file."""
    recipe = RECIPES[name]
    whole = kit.run(MEMBERS, samples, recipe)
    last, saved, seen = whole.state.step, None, 0
    for attempt, stop in enumerate((4, 13, last // 2, last - 2)):
        desk = kit.Desk(saved, stop_at=stop - seen)
        part = kit.run(MEMBERS, samples, recipe, desk)
        assert _lines(part) == _lines(whole, seen if attempt else -1, stop)
        path = tmp_path / "checkpoint.safetensors"
        checkpoint.save(path, part.saved, stage="seed 1", attempt=attempt)
        label = checkpoint.read_label(path)
        assert label is not None
        assert (label.stage, label.step, label.attempt) == ("seed 1", stop, attempt)
        saved, seen = checkpoint.load(path, label), stop
    resumed = kit.run(MEMBERS, samples, recipe, kit.Desk(saved))
    assert _lines(resumed) == _lines(whole, after=seen)
    _assert_same_end(whole, resumed)


def test_a_checkpoint_is_not_touched_by_going_on(kit: SimpleNamespace, samples: Samples) -> None:
    """Two resumes from the same checkpoint in memory agree: the first left it as it was."""
    recipe = RECIPES["adam, early stopping"]
    saved: Checkpoint = kit.run(MEMBERS, samples, recipe, kit.Desk(stop_at=20)).saved
    copies = {name: array.clone() for name, array in saved.arrays.items()}
    first, second = (kit.run(MEMBERS, samples, recipe, kit.Desk(saved)) for _ in range(2))
    _assert_same_end(first, second)
    assert all(torch.equal(saved.arrays[name], array) for name, array in copies.items())


def test_training_time_goes_on_where_it_stood(kit: SimpleNamespace, samples: Samples) -> None:
    """The seconds of the curves are training time over all attempts, and the progress bar does not start anew."""
    recipe = RECIPES["adam, members leave"]
    before = kit.run(MEMBERS, samples, recipe, kit.Desk(stop_at=30))
    resumed = kit.run(MEMBERS, samples, recipe, kit.Desk(before.saved))
    seconds = [c.seconds for r in (before, resumed) for c in r.curves("train_loss")]
    assert seconds == sorted(seconds)
    done = [e.done for r in (before, resumed) for e in r.events if isinstance(e, ev.Progress)]
    assert done == sorted(done)
    assert done[-1] == 1.0
