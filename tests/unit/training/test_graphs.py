"""Replayed steps: the same training through buffers that stay where they are, as a GPU records it."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from genlab_tui.training import graphs
from genlab_tui.training.graphs import Replay
from genlab_tui.training.members import Member, Recipe
from genlab_tui.training.shard import Shard

BASE = Recipe((9, 7), "sgd", 0.05, decay=0.9, batch=13, epochs=3, target=2)
EVERYTHING = {
    "dropout": 0.2,
    "mixup": 0.4,
    "label-smoothing": 0.1,
    "weight-decay": 0.1,
    "l1": 1e-4,
    "batch-norm": 0.2,
    "augmentation": 1.0,
}


def _replay(shard: Shard) -> Replay:
    return Replay(shard._step, lambda: [stack.flat for stack in shard.parts.values()], record=False)


@pytest.mark.parametrize("regularisers", [{}, EVERYTHING], ids=["plain", "everything"])
@pytest.mark.parametrize("optimiser", ["sgd", "nesterov", "adam"])
def test_replayed_steps_are_the_steps(
    kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, optimiser: str, regularisers: dict[str, float]
) -> None:
    """With changing step sizes, batches of two sizes and members that differ in rate and momentum."""
    nesterov = optimiser == "nesterov"
    recipe = dataclasses.replace(
        BASE, optimiser="sgd" if nesterov else optimiser, nesterov=nesterov, regularisers=regularisers
    )
    other = dataclasses.replace(recipe, hidden=(4, 5), lr=0.01, momentum=0.5)
    members = [Member("a", 1), Member("b", 1, labels=1, recipe=other), Member("c", 2)]
    samples = kit.make_samples()
    plain = kit.run(members, samples, recipe)
    monkeypatch.setattr(Shard, "_recorder", lambda self: _replay(self))
    replayed = kit.run(members, samples, recipe)
    for i in range(3):
        for mine, theirs in zip(replayed.state.weights[i], plain.state.weights[i], strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-11, atol=1e-13)


def test_a_change_and_members_that_leave_begin_new_recordings(
    kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [Member("a", 1, recipe=dataclasses.replace(BASE, steps=7)), Member("b", 1), Member("c", 2)]
    samples = kit.make_samples()
    desk: Any = kit.Desk(script=[(5, "dropout", 0.3), (10, "dropout", None)])
    plain = kit.run(members, samples, BASE, desk)
    monkeypatch.setattr(Shard, "_recorder", lambda self: _replay(self))
    replayed = kit.run(members, samples, BASE, kit.Desk(script=[(5, "dropout", 0.3), (10, "dropout", None)]))
    for i in range(3):
        torch.testing.assert_close(replayed.state.weights[i][0], plain.state.weights[i][0], rtol=1e-11, atol=1e-13)


def test_no_gpu_no_recording(kit: SimpleNamespace) -> None:
    shard = Shard([0], [Member("a", 1)], BASE, kit.make_samples())
    assert shard.replay is None
    graphs.precision("tf32", torch.device("cpu"))  # says nothing, breaks nothing
    with graphs.autocast("float32", torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.float32


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_recorded_steps_on_a_gpu_are_those_computed_one_by_one(kit: SimpleNamespace, optimiser: str) -> None:
    members = [Member("a", 1), Member("b", 1, labels=1), Member("c", 2)]
    recipe = dataclasses.replace(BASE, optimiser=optimiser)
    samples = kit.make_samples()
    tensors = {n: getattr(samples, n).cuda() for n in ("inputs", "labels", "test_inputs", "test_labels")}
    on_gpu = dataclasses.replace(samples, **tensors)
    recorded, plain = kit.run(members, on_gpu, recipe), kit.run(members, samples, recipe)
    for i in range(3):
        torch.testing.assert_close(recorded.state.weights[i][0], plain.state.weights[i][0], rtol=1e-9, atol=1e-11)


def test_shards_take_turns_on_the_devices_of_a_run(kit: SimpleNamespace) -> None:
    """Two devices, two shards, each with the data where it computes; the numbers are those of one device."""
    members = [Member("a", 1), Member("b", 1, labels=1), Member("c", 2), Member("d", 2, labels=1)]
    samples = kit.make_samples()
    alone = kit.run(members, samples, BASE)
    desk = kit.Desk()
    desk.devices = ("cpu", "cpu:0")
    spread = kit.run(members, samples, BASE, desk)
    shards = spread.state.program.shards
    assert len(shards) == 2
    assert [str(shard.samples.inputs.device) for shard in shards] == ["cpu", "cpu"]
    for i in range(4):
        torch.testing.assert_close(spread.state.weights[i][0], alone.state.weights[i][0], rtol=1e-11, atol=1e-13)
