"""Convolutional networks in the training loop: as a plain torch loop trains them, and resumed as if never stopped."""

from __future__ import annotations

import copy
import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.training import modules
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.probes import accuracy_on, weight_norm

LENET = Recipe((), "sgd", 0.02, batch=8, epochs=2, target=2, network="lenet", decay=0.9)
CNN = dataclasses.replace(LENET, network="cnn-5:2", regularisers={"batch-norm": 0.2})
MEMBERS = [Member("true", 1), Member("random", 1, labels=1), Member("true", 2, inputs=1)]


@pytest.fixture
def images(kit: SimpleNamespace) -> Samples:
    made: Samples = kit.make_samples(n=20, k=10, shape=(1, 16, 16), noise=0.5)
    return made


def _plainly(kit: SimpleNamespace, member: Member, samples: Samples, recipe: Recipe) -> nn.Module:
    """Train a network with torch's own optimisers, for all that needs no draw inside the network."""
    recipe = member.recipe or recipe
    module = copy.deepcopy(modules.initial(recipe, member.init_seed, samples).module)
    module = module.to(memory_format=torch.contiguous_format)
    matrices = [p for p in module.parameters() if p.dim() > 1]
    decay = recipe.strength("weight-decay")
    groups = [
        {"params": matrices, "weight_decay": decay},
        {"params": [p for p in module.parameters() if p.dim() <= 1], "weight_decay": 0.0},
    ]
    optimiser: torch.optim.Optimizer
    if recipe.optimiser == "sgd":
        optimiser = torch.optim.SGD(groups, recipe.lr, recipe.momentum, nesterov=recipe.nesterov)
    else:
        optimiser = torch.optim.AdamW(groups, recipe.lr)
    draws = kit.Draws([dataclasses.replace(member, recipe=None)], samples, dataclasses.replace(recipe, network=""))
    for epoch in range(recipe.epochs):
        draws.begin(epoch)
        for group in optimiser.param_groups:
            group["lr"] = recipe.lr * recipe.decay**epoch
        module.train()
        for position in range(len(draws.bounds)):
            x, target = draws.batch(position)
            loss = kit.loss_of(module(x[0].view(-1, *samples.shape)), target[0], recipe.loss)
            loss = loss + recipe.strength("l1") * sum(w.abs().sum() for w in matrices)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return module.eval()


def _same(population: Any, module: nn.Module) -> None:
    for mine, theirs in zip(population.module.state_dict().values(), module.state_dict().values(), strict=True):
        if mine.is_floating_point():
            torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-11)


RECIPES = {
    "lenet": LENET,
    "nesterov, coupled": dataclasses.replace(
        LENET, nesterov=True, coupled=True, regularisers={"weight-decay": 0.05, "label-smoothing": 0.1}
    ),
    "adamw": dataclasses.replace(
        LENET, optimiser="adamw", lr=1e-3, regularisers={"weight-decay": 0.2, "mixup": 0.4, "augmentation": 1.0}
    ),
    "batch norm": CNN,
    "squared": dataclasses.replace(CNN, lr=1e-3, loss="squared", regularisers={"batch-norm": 0.3, "l1": 1e-4}),
}


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_network_is_trained_as_plainly(kit: SimpleNamespace, images: Samples, name: str, threads: int) -> None:
    """Parameters and running statistics, to 1e-9 in float64; one by one and side by side."""
    recipe = RECIPES[name]
    result = kit.run(MEMBERS, images, recipe, threads=threads)
    assert [len(part) for part in result.state.plan] == ([1, 1, 1] if threads == 1 else [2, 1])
    for i, member in enumerate(MEMBERS):
        module = _plainly(kit, member, images, recipe)
        population = result.state.trained(i)
        _same(population, module)
        with torch.no_grad():
            outputs = module(images.test_inputs[member.inputs].view(-1, *images.shape))
        right = (outputs.argmax(1) == images.test_labels[member.inputs]).double().mean()
        assert result.state.outcomes[i].values["test_accuracy"] == pytest.approx(float(right))
        torch.testing.assert_close(population.logits([images.test_inputs[member.inputs][None]])[0].t(), outputs)


def test_one_initialisation_per_seed(images: Samples) -> None:
    """A seed draws what torch draws from it; drawing leaves the global generator alone."""
    before = torch.get_rng_state()
    first, again, other = (modules.initial(LENET, seed, images) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.parameters.flat, again.parameters.flat)
    assert not torch.equal(first.parameters.flat, other.parameters.flat)
    assert len(first.parameters.flat) == sum(p.numel() for p in first.module.parameters())
    kernels = [p for p in first.module.parameters() if p.dim() == 4]
    assert all(k.data_ptr() >= first.parameters.flat.data_ptr() for k in kernels), "views of the one buffer"


@pytest.mark.parametrize("recipe", [LENET, CNN], ids=["lenet", "cnn-5"])
@pytest.mark.parametrize("threads", [1, 2])
def test_stopped_and_resumed(
    kit: SimpleNamespace, images: Samples, monkeypatch: pytest.MonkeyPatch, recipe: Recipe, threads: int
) -> None:
    """To the last bit, with dropout, momentum, running statistics and early stopping, in any program."""
    monkeypatch.setattr("genlab_tui.training.train.POLL_EVERY", -1.0)
    on = {**recipe.regularisers, "dropout": 0.3, "early-stopping": 2.0, "mixup": 0.3}
    recipe = dataclasses.replace(recipe, regularisers=on, epochs=3)
    desk = kit.Desk()
    whole = kit.run(MEMBERS, images, recipe, desk, threads=threads)
    for stop in (1, desk.polls // 2, desk.polls - 2):
        before = kit.run(MEMBERS, images, recipe, kit.Desk(stop_at=stop), threads=threads)
        resumed = kit.run(MEMBERS, images, recipe, kit.Desk(before.saved), threads=threads)
        for i in range(len(MEMBERS)):
            assert resumed.state.outcomes[i] == whole.state.outcomes[i]
            for mine, theirs in zip(resumed.state.weights[i], whole.state.weights[i], strict=True):
                assert torch.equal(mine, theirs)


def test_dropout_is_of_each_network_alone(kit: SimpleNamespace, images: Samples) -> None:
    """The same bit for bit by itself and beside others on other threads; it changes training, and can be changed."""
    on = dataclasses.replace(LENET, regularisers={"dropout": 0.4})
    together = kit.run(MEMBERS, images, on, threads=3)
    assert together.state.plan == [[0, 1, 2]]
    plain = kit.run(MEMBERS, images, LENET, threads=3)
    changed = kit.run(MEMBERS, images, LENET, kit.Desk(script=[(0, "dropout", 0.4)]), threads=3)
    for i, member in enumerate(MEMBERS):
        alone = kit.run([member], images, on)
        weights = together.state.weights[i][0]
        assert torch.equal(weights, alone.state.weights[0][0])
        assert torch.equal(weights, changed.state.weights[i][0])
        assert not torch.allclose(weights, plain.state.weights[i][0])
    assert len(changed.of(ev.Change)) == 1


def test_networks_beside_perceptrons(kit: SimpleNamespace, images: Samples) -> None:
    """Programs of their own in one call, with probes; a control ends with the network that it follows."""
    mlp = dataclasses.replace(LENET, network="", hidden=(9,))
    members = [
        *MEMBERS[:2],
        Member("mlp", 1, recipe=mlp),
        Member("control", 1, labels=1, fresh=True, follows=1),
        Member("mlp", 2, recipe=mlp),
        Member("short", 1, recipe=dataclasses.replace(LENET, steps=2), follows=None),
    ]
    probes = [weight_norm(), accuracy_on("clean", images.labels)]
    for threads in (1, 2):
        result = kit.run(members, images, LENET, threads=threads, probes=probes)
        parts = result.state.plan
        assert [2, 4] in parts
        assert any(1 in part and 3 in part for part in parts)
        assert result.state.outcomes[3].end in ("partner", "epochs")
        assert result.state.outcomes[5].step == 2
        norms = {m: v for c in result.of(ev.Measure) if c.name == "weight_norm" for m, v in _of(result, c).items()}
        for i in (0, 3, 5):
            kernels = [p for p in result.state.trained(i).module.parameters() if p.dim() > 1]
            expected = float(torch.cat([k.detach().flatten() for k in kernels]).norm())
            assert norms[members[i].arm, members[i].seed] == pytest.approx(expected, rel=1e-9)


def _of(result: Any, measure: ev.Measure) -> dict[tuple[str, int], ev.Value]:
    members = next(c.members for c in result.of(ev.Cohort) if c.id == measure.cohort)
    return dict(zip(members, measure.values, strict=True))


def test_pruned_kernels_stay_zero(kit: SimpleNamespace, images: Samples) -> None:
    """Masks have the shapes of kernels and matrices; what was trained can start another training."""
    shapes = [w.shape for w in modules.initial(LENET, 1, images).parameters.weights_of(0)]
    source = torch.Generator().manual_seed(1)
    masks = [(torch.rand(shape, generator=source) > 0.5).float() for shape in shapes]
    recipe = dataclasses.replace(LENET, regularisers={"weight-decay": 0.1, "l1": 1e-4})
    result = kit.run([dataclasses.replace(MEMBERS[0], masks=masks)], images, recipe)
    trained = result.state.trained(0).parameters
    for weight, mask in zip(trained.weights_of(0), masks, strict=True):
        assert not weight[mask == 0].any()
        assert bool(weight[mask == 1].any())
    again = kit.run([dataclasses.replace(MEMBERS[0], start=trained.tensors_of(0), masks=masks)], images, recipe)
    assert again.state.outcomes[0].values["train_loss"] < result.state.outcomes[0].values["train_loss"]


@pytest.mark.parametrize("network", ["lenet-6", "resnet-18:0"])
def test_networks_that_are_not_there_are_refused(kit: SimpleNamespace, images: Samples, network: str) -> None:
    with pytest.raises(BadValue):
        kit.run(MEMBERS, images, dataclasses.replace(LENET, network=network))
