"""Scores with the statistics of a full pass, and probes that are measured at steps of their own."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from genlab_tui.training import full_pass
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.probes import Probe

ON = {"batch-norm": 0.1}
RECIPE = Recipe((12, 8), "sgd", 0.1, momentum=0.0, batch=9, epochs=5, target=2, regularisers=ON)


def _plainly(module: nn.Module, x: torch.Tensor) -> nn.Module:
    """Set a torch module's statistics by one full pass of its own."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.momentum = 1.0
    with torch.no_grad():
        module.train()(x)
    return module.eval()


def test_it_is_torchs_own_pass_in_training_mode(kit: SimpleNamespace) -> None:
    samples: Samples = kit.make_samples()
    member = Member("one", 1, inputs=1, labels=2)
    result = kit.run([member], samples, RECIPE)
    trained = result.state.trained(0)
    module = _plainly(kit.module_of(trained, 0), samples.inputs[1])
    outputs = full_pass.passed(trained, samples.inputs[1])
    with torch.no_grad():
        torch.testing.assert_close(trained.logits([samples.test_inputs[1:]])[0].t(), module(samples.test_inputs[1]))
        right = (module(samples.test_inputs[1]).argmax(1) == samples.test_labels[1]).double().mean()
        module.train()
        torch.testing.assert_close(outputs[0].t(), module(samples.inputs[1]))
    assert full_pass.accuracy(result.state, 0) == pytest.approx(float(right))


def test_running_averages_that_lag_are_not_what_is_scored(kit: SimpleNamespace) -> None:
    """The pitfall of short runs: with a momentum of 0.001 the running statistics are still those of the start."""
    samples: Samples = kit.make_samples(noise=0.2)
    slow = dataclasses.replace(RECIPE, epochs=10, regularisers={"batch-norm": 0.001})
    inputs = dataclasses.replace(samples, inputs=5 + samples.inputs, test_inputs=5 + samples.test_inputs)
    state = kit.run([Member("one", 1)], inputs, slow).state
    assert state.outcomes[0].values["test_accuracy"] < 0.8
    before = state.weights[0][1].clone()
    assert full_pass.accuracy(state, 0) > 0.95
    torch.testing.assert_close(state.weights[0][1], before, rtol=0, atol=0)
    plain = kit.run([Member("one", 1)], inputs, dataclasses.replace(slow, regularisers={})).state
    assert full_pass.accuracy(plain, 0) == plain.outcomes[0].values["test_accuracy"]


def test_a_network_that_diverged_has_no_score(kit: SimpleNamespace) -> None:
    samples: Samples = kit.make_samples(dtype=torch.float32)
    state = kit.run([Member("one", 1)], samples, dataclasses.replace(RECIPE, lr=1e20, regularisers={})).state
    assert state.outcomes[0].end == "diverged"
    assert math.isnan(full_pass.accuracy(state, 0))
    assert math.isnan(full_pass.weight_norm(state, 0))


def test_the_start_is_the_seeds_own_with_another_variance(kit: SimpleNamespace) -> None:
    samples: Samples = kit.make_samples()
    small = full_pass.start(RECIPE, 3, samples, 0.5)
    he = full_pass.start(RECIPE, 3, samples, 2.0)
    for matrix, own in zip(small[:3], he[:3], strict=True):
        torch.testing.assert_close(2 * matrix, own)
    for vector, own in zip(small[3:], he[3:], strict=True):
        assert torch.equal(vector, own), "scales are 1 and shifts 0 whatever the gain"
    wide = full_pass.start(dataclasses.replace(RECIPE, hidden=(400, 400)), 3, samples, 0.5)
    assert float(wide[1].var() * 400) == pytest.approx(0.5, rel=0.02), "the gain is a variance, not a factor"


def test_looks_are_ever_further_apart() -> None:
    steps = [step for step in range(1, 2000) if full_pass.looks(step)]
    assert steps[0] == full_pass.FIRST_LOOK
    gaps = [b / a for a, b in pairwise(steps)]
    assert max(gaps) < 1.25
    assert len(steps) < 45


def test_the_probe_sees_full_pass_accuracy_at_its_own_steps_only_of_the_members_wanted(kit: SimpleNamespace) -> None:
    samples: Samples = kit.make_samples()
    probe = full_pass.fit("fit", lambda member: member.arm != "other")
    members = [
        Member("bn", 1),
        Member("other", 1),
        Member("bn", 4, inputs=1, labels=1),
        Member("plain", 1, recipe=dataclasses.replace(RECIPE, regularisers={})),
    ]
    result = kit.run(members, samples, RECIPE, probes=[probe])
    bare = kit.run(members, samples, RECIPE)
    for i in range(len(members)):
        torch.testing.assert_close(result.flat(i), bare.flat(i), rtol=0, atol=0)  # looking changes nothing
    for kind in ("all", "all 2"):
        lines = [e for e in result.curves("fit") if e.cohort == kind]
        others = {e.step for e in result.curves("test_accuracy") if e.cohort == kind}
        extra = {e.step for e in lines} - others
        assert extra == {s for s in range(1, 36) if full_pass.looks(s)} - others
    end = [e for e in result.curves("fit") if e.cohort == "all"][-1]
    assert end.step == 35
    module = _plainly(kit.module_of(result.state.trained(0), 0), samples.inputs[0]).train()
    with torch.no_grad():
        right = (module(samples.inputs[0]).argmax(1) == samples.labels[0]).double().mean()
    assert end.values[0] == pytest.approx(float(right))
    assert end.values[1] == "nan"
    assert isinstance(end.values[2], float)
    plain = [e for e in result.curves("fit") if e.cohort == "all 2"][-1]
    assert plain.values == (result.state.outcomes[3].values["train_accuracy"],)


def test_probes_of_their_own_steps_are_alone_there_and_come_again_after_a_stop(
    kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genlab_tui.training.train.POLL_EVERY", -1.0)
    samples: Samples = kit.make_samples()
    probes = [
        Probe("often", lambda look: [float(look.step)] * len(look.members), also=lambda step: step % 5 == 0),
        Probe("seldom", lambda look: [0.0] * len(look.members)),
    ]
    members = [Member("one", 1), Member("short", 1, recipe=dataclasses.replace(RECIPE, steps=12))]
    whole = kit.run(members, samples, RECIPE, probes=probes)
    often, seldom = ([e.step for e in whole.curves(name)] for name in ("often", "seldom"))
    assert {5, 10, 15, 20, 25, 30} <= set(often)
    assert len(often) == len(set(often))
    assert seldom == [e.step for e in whole.curves("test_loss")]
    before = kit.run(members, samples, RECIPE, kit.Desk(stop_at=17), probes=probes)
    after = kit.run(members, samples, RECIPE, kit.Desk(before.saved), probes=probes)
    step = before.saved.step
    joined = [(e.step, e.values) for e in before.curves("often") if e.step <= step]
    joined += [(e.step, e.values) for e in after.curves("often")]
    assert joined == [(e.step, e.values) for e in whole.curves("often")]


def test_modules_get_the_statistics_of_all_batches(kit: SimpleNamespace) -> None:
    samples: Samples = kit.make_samples(shape=(1, 8, 8), n=40, dtype=torch.float32)
    recipe = Recipe(network="vgg-11", optimiser="sgd", lr=0.01, batch=20, epochs=1, target=2, regularisers=ON)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("genlab_tui.training.full_pass.BATCH", 20)
        state = kit.run([Member("one", 1)], samples, recipe).state
        assert 0 <= full_pass.accuracy(state, 0) <= 1
        network = state.trained(0)
        full_pass._passed_module(network, samples.inputs[0])
    norm = next(m for m in network.module.modules() if isinstance(m, nn.BatchNorm2d))
    convolution = next(m for m in network.module.modules() if isinstance(m, nn.Conv2d))
    with torch.no_grad():
        inside = convolution(samples.inputs[0].view(-1, 1, 8, 8))
    torch.testing.assert_close(norm.running_mean, inside.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
