"""What differs from row to row under an optimiser: rates, momenta, decay; and weights that are pruned."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from genlab_tui.training import optimise
from genlab_tui.training.members import Member, Recipe

BASE = Recipe((8, 6), "sgd", 0.01, batch=10, epochs=100, steps=40, target=2, decay=0.97)


def _members(fields: Sequence[dict[str, Any]], base: Recipe = BASE) -> list[Member]:
    return [
        Member(f"member {i}", i % 2, labels=i % 3, recipe=dataclasses.replace(base, **field))
        for i, field in enumerate(fields)
    ]


def _masks(hidden: Sequence[int], seed: int) -> list[torch.Tensor]:
    source = torch.Generator().manual_seed(seed)
    sizes = (25, *hidden, 4)
    return [(torch.rand(b, a, generator=source) > 0.4).float() for a, b in pairwise(sizes)]


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("own_rate", [False, True])
@pytest.mark.parametrize("own_momentum", [False, True])
@pytest.mark.parametrize("coupled", [False, True])
def test_gradient_descent_row_by_row(
    kit: SimpleNamespace, nesterov: bool, own_rate: bool, own_momentum: bool, coupled: bool
) -> None:
    """Momentum and Nesterov's, at one rate and momentum or at each member's own: torch.optim.SGD of each alone."""
    members = _members(
        [
            {
                "hidden": ((8, 6), (5, 7))[i % 2],
                "lr": (0.01, 0.02, 0.004)[i * own_rate],
                "momentum": (0.9, 0.5, 0.7)[i * own_momentum],
                "coupled": coupled,
                "regularisers": {"weight-decay": (0.1, 0.0, 0.03)[i], "l1": 1e-4},
            }
            for i in range(3)
        ],
        dataclasses.replace(BASE, nesterov=nesterov),
    )
    samples = kit.make_samples()
    result = kit.run(members, samples, BASE)
    assert result.state.plan == [[0, 1, 2]]
    kit.assert_equal_to_plain(result, members, samples, BASE)


def test_without_momentum_nothing_is_remembered(kit: SimpleNamespace) -> None:
    """A member without momentum beside one with it, and a population of none with it."""
    samples = kit.make_samples()
    for momenta in ((0.0, 0.9), (0.0, 0.0)):
        members = _members([{"momentum": m} for m in momenta])
        kit.assert_equal_to_plain(kit.run(members, samples, BASE), members, samples, BASE)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
@pytest.mark.parametrize("nesterov", [False, True])
def test_those_left_over_go_on_with_their_velocity(kit: SimpleNamespace, optimiser: str, nesterov: bool) -> None:
    """Once members with other rates have left, the rest has one rate: what it remembers keeps its meaning."""
    base = dataclasses.replace(BASE, optimiser=optimiser, nesterov=nesterov and optimiser == "sgd")
    lr = 0.02 if optimiser == "sgd" else 2e-3
    members = _members(
        [
            {"lr": lr, "steps": 40},
            {"lr": lr / 4, "steps": 9, "momentum": 0.3},
            {"lr": lr / 2, "steps": 13, "regularisers": {"l1": 1e-3}},
            {"lr": lr / 2, "steps": 27},
        ],
        base,
    )
    samples = kit.make_samples()
    result = kit.run(members, samples, BASE)
    assert result.state.plan == [[0, 1, 2, 3]]
    assert result.state.rows == [0]
    kit.assert_equal_to_plain(result, members, samples, BASE)


def test_adam_and_adamw_train_together(kit: SimpleNamespace) -> None:
    """Decay in the gradient (Adam with L2) and beside it (AdamW), at one rate and at two."""
    samples = kit.make_samples()
    on = {"weight-decay": 0.3}
    for rates in ((2e-3, 2e-3, 2e-3), (2e-3, 5e-3, 2e-3)):
        members = _members(
            [
                {"optimiser": "adam", "lr": rates[0], "coupled": True, "regularisers": on},
                {"optimiser": "adamw", "lr": rates[1], "regularisers": on},
                {"optimiser": "adam", "lr": rates[2], "regularisers": {}, "hidden": (4, 4)},
            ]
        )
        result = kit.run(members, samples, BASE)
        assert result.state.plan == [[0, 1, 2]]
        kit.assert_equal_to_plain(result, members, samples, BASE)


@pytest.mark.parametrize("rates", [(2e-3, 2e-3), (2e-3, 5e-3)])
def test_adam_without_the_fused_kernel(
    kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, rates: tuple[float, float]
) -> None:
    """The passes written out, in chunks too, give what torch's own kernel gives, to 1e-12."""
    assert optimise.FUSED is not None
    members = _members(
        [{"lr": lr, "hidden": h} for lr, h in zip(rates, [(8, 6), (5, 7)], strict=True)],
        dataclasses.replace(BASE, optimiser="adam", regularisers={"weight-decay": 0.1, "dropout": 0.2}),
    )
    samples = kit.make_samples()
    fused = kit.run(members, samples, BASE)
    monkeypatch.setattr(optimise, "FUSED", None)
    monkeypatch.setattr(optimise, "CPU_CHUNK", 50)
    written = kit.run(members, samples, BASE)
    for i in range(2):
        torch.testing.assert_close(written.flat(i), fused.flat(i), rtol=1e-12, atol=1e-13)
    kit.assert_equal_to_plain(written, members, samples, BASE)


# --- pruning ----------------------------------------------------------------------------------------------------------

PRUNERS = {
    "sgd": {"momentum": 0.9},
    "sgd, nesterov": {"momentum": 0.9, "nesterov": True},
    "sgd, coupled": {"momentum": 0.9, "coupled": True},
    "adam, coupled": {"optimiser": "adam", "lr": 5e-3, "coupled": True},
    "adamw": {"optimiser": "adamw", "lr": 5e-3},
}


@pytest.mark.parametrize("kind", PRUNERS)
@pytest.mark.parametrize("own_rates", [False, True])
def test_pruned_weights_stay_zero(kit: SimpleNamespace, kind: str, own_rates: bool) -> None:
    """Exactly 0 to the end with decay, L1, momentum and dropout; the weights left train as with the mask applied."""
    on = {"weight-decay": 0.1, "l1": 1e-4, "dropout": 0.2}
    base = dataclasses.replace(BASE, regularisers=on, **PRUNERS[kind])
    shapes = [(8, 6), (5, 7), (8, 6)]
    members = _members([{"hidden": h, "lr": base.lr / (1 + i * own_rates)} for i, h in enumerate(shapes)], base)
    members = [dataclasses.replace(members[0], masks=_masks(shapes[0], 1)), *members[1:]]
    members[2] = dataclasses.replace(members[2], masks=_masks(shapes[2], 2), seed=members[0].seed)
    samples = kit.make_samples()
    result = kit.run(members, samples, base)
    assert result.state.plan == [[0, 1, 2]]
    for i in (0, 2):
        masks = members[i].masks
        assert masks is not None
        for weight, mask in zip(result.state.trained(i).parameters.weights_of(0), masks, strict=True):
            assert not weight[mask == 0].any()
            assert bool((weight[mask == 1] != 0).all())
    kit.assert_equal_to_plain(result, members, samples, base)


def test_rows_without_masks_do_not_notice(kit: SimpleNamespace) -> None:
    """To the last bit: the same member beside a pruned one and beside the same one unpruned."""
    samples = kit.make_samples(dtype=torch.float32)
    members = _members([{}, {"lr": 0.02}, {}])
    masked = [dataclasses.replace(members[0], masks=_masks((8, 6), 1)), *members[1:]]
    usual, beside = (kit.run(who, samples, BASE) for who in (members, masked))
    for i in (1, 2):
        assert torch.equal(usual.state.weights[i][0], beside.state.weights[i][0])
    assert not torch.equal(usual.state.weights[0][0], beside.state.weights[0][0])


def test_pruned_members_leave_and_come_back(kit: SimpleNamespace) -> None:
    """Masks go along when others leave the program, and what was trained can be the start of another training."""
    samples = kit.make_samples()
    members = _members([{"steps": 7}, {"steps": 12}, {"steps": 40}])
    members[2] = dataclasses.replace(members[2], masks=_masks((8, 6), 3))
    result = kit.run(members, samples, BASE)
    assert result.state.rows == [2]
    kit.assert_equal_to_plain(result, members, samples, BASE)
    trained = result.state.trained(2)
    again = [dataclasses.replace(members[2], start=trained.parameters.tensors_of(0))]
    second = kit.run(again, samples, BASE)
    kit.assert_equal_to_plain(second, again, samples, BASE)
    masks = members[2].masks
    assert masks is not None
    for weight, mask in zip(second.state.trained(0).parameters.weights_of(0), masks, strict=True):
        assert not weight[mask == 0].any()


@pytest.mark.parametrize("what", ["start", "masks"])
def test_numbers_of_another_network_are_refused(kit: SimpleNamespace, what: str) -> None:
    member = dataclasses.replace(_members([{}])[0], **{what: _masks((8,), 1)})
    with pytest.raises((ValueError, RuntimeError)):
        kit.run([member], kit.make_samples(), BASE)
