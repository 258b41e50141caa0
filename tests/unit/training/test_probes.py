"""Metrics that are added to the usual four: what they measure, and that they go where those go."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from genlab_tui import events as ev
from genlab_tui.training.members import FINALS, Member, Recipe
from genlab_tui.training.probes import Look, Probe, accuracy_on, weight_norm

BASE = Recipe((12,), "adam", 0.02, batch=10, epochs=5, target=2)
MEMBERS = [
    Member("true", 1),
    Member("random", 1, labels=1, recipe=dataclasses.replace(BASE, hidden=(30,))),
    Member("other", 2, inputs=1, labels=2),
    Member("alike", 1, labels=1),
]


def _chosen(n: int = 60) -> torch.Tensor:
    """Return which samples count: some of the first label set, none of the second, all of the third."""
    chosen = torch.zeros(3, n, dtype=torch.bool)
    chosen[0, ::3] = True
    chosen[2] = True
    return chosen


@pytest.mark.parametrize("n", [60, 700])
def test_accuracy_on_other_labels(kit: SimpleNamespace, n: int) -> None:
    """Against a plain module, on all samples and on chosen ones, over more samples than one look takes."""
    samples = kit.make_samples(n=n)
    clean = samples.labels[:1].expand(3, -1)
    probes = [accuracy_on("clean", clean), accuracy_on("some", clean, _chosen(n))]
    result = kit.run(MEMBERS, samples, BASE, probes=probes)
    for i, member in enumerate(MEMBERS):
        module = kit.module_of(result.state.trained(i), 0).eval()
        with torch.no_grad():
            right = module(samples.inputs[member.inputs]).argmax(1) == samples.labels[0]
        values = result.state.outcomes[i].values
        assert values["clean"] == pytest.approx(float(right.double().mean()), abs=1e-12)
        counted = right[_chosen(n)[member.labels]]
        if len(counted):
            assert values["some"] == pytest.approx(float(counted.double().mean()), abs=1e-12)
        else:
            assert math.isnan(values["some"])


@pytest.mark.parametrize("batch_norm", [False, True])
def test_weight_norm(kit: SimpleNamespace, batch_norm: bool) -> None:
    """The norm of all matrices of a member together: nobody else's, no biases, no scales."""
    on = {"batch-norm": 0.1} if batch_norm else {}
    members = [dataclasses.replace(m, recipe=dataclasses.replace(m.recipe or BASE, regularisers=on)) for m in MEMBERS]
    result = kit.run(members, kit.make_samples(), BASE, probes=[weight_norm()])
    for i in range(len(members)):
        module = kit.module_of(result.state.trained(i), 0)
        matrices = torch.cat([m.weight.detach().flatten() for m in module if isinstance(m, nn.Linear)])
        assert result.state.outcomes[i].values["weight_norm"] == pytest.approx(float(matrices.norm()), rel=1e-12)


def test_they_are_curves_and_measures_like_the_others(kit: SimpleNamespace) -> None:
    """At the same steps, for the same members; each member has its own value whatever row it lies in."""
    seed_of = Probe("seed", lambda look: [member.seed + 10.0 * member.labels for member in look.members])
    members = [*MEMBERS, Member("short", 3, recipe=dataclasses.replace(BASE, steps=7))]
    result = kit.run(members, kit.make_samples(), BASE, probes=[seed_of, weight_norm("norm")])
    expected = [member.seed + 10.0 * member.labels for member in members]
    for mine, theirs in zip(result.curves("seed"), result.curves("test_loss"), strict=True):
        assert (mine.cohort, mine.step, mine.epoch) == (theirs.cohort, theirs.step, theirs.epoch)
        present = [value is not None for value in theirs.values]
        assert mine.values == tuple(v if here else None for v, here in zip(expected, present, strict=True))
    assert len(result.curves("seed")) > 3
    measures = {e.name: e.values for e in result.of(ev.Measure)}
    assert measures["seed"] == tuple(expected)
    assert all(isinstance(value, float) for value in measures["norm"])
    for i in range(len(members)):
        assert result.state.outcomes[i].values["seed"] == expected[i]


def test_a_probe_sees_what_is_learnt(kit: SimpleNamespace) -> None:
    """Networks, members, sets and labels row by row; of the labels, those that are trained on."""
    looks: list[Look] = []

    def measure(look: Look) -> list[float]:
        looks.append(look)
        return [0.0] * len(look.members)

    samples = kit.make_samples()
    on = dataclasses.replace(BASE, regularisers={"early-stopping": 5.0})
    kit.run([dataclasses.replace(m, recipe=None) for m in MEMBERS], samples, on, probes=[Probe("nothing", measure)])
    assert [looks[0].step, looks[1].step] == [0, 1]
    for look in looks:
        assert look.labels.shape == (len(look.members), 54)
        for row, member in enumerate(look.members):
            assert torch.equal(look.labels[row], samples.labels[member.labels, :54])
            assert int(look.sets[row]) == member.inputs


def test_with_early_stopping_they_are_of_the_best_weights(kit: SimpleNamespace) -> None:
    """In measures and outcomes; the curves show the weights of their step."""
    samples = kit.make_samples(noise=2.0)
    recipe = dataclasses.replace(BASE, epochs=60, regularisers={"early-stopping": 4.0})
    clean = samples.labels[:1].expand(3, -1)
    result = kit.run([Member("true", 1)], samples, recipe, probes=[weight_norm(), accuracy_on("clean", clean)])
    outcome = result.state.outcomes[0]
    assert outcome.end == "early stopping"
    best = kit.module_of(result.state.trained(0), 0).eval()
    matrices = torch.cat([m.weight.detach().flatten() for m in best if isinstance(m, nn.Linear)])
    assert outcome.values["weight_norm"] == pytest.approx(float(matrices.norm()), rel=1e-12)
    assert outcome.values["clean"] == outcome.values["train_accuracy"]
    last = result.curves("weight_norm")[-1]
    assert last.step == outcome.step
    assert float(last.values[0]) > outcome.values["weight_norm"] * 1.01
    measured = {e.name: e.values for e in result.of(ev.Measure)}
    assert measured["weight_norm"] == (outcome.values["weight_norm"],)


def test_of_a_member_that_diverged_they_are_nan(kit: SimpleNamespace) -> None:
    samples = kit.make_samples(dtype=torch.float32)
    samples.inputs[1] = math.inf
    result = kit.run(MEMBERS, samples, BASE, probes=[weight_norm()])
    assert result.state.outcomes[2].end == "diverged"
    measures = {e.name: e.values for e in result.of(ev.Measure)}
    assert measures["weight_norm"][2] == measures["test_loss"][2] == "nan"
    assert all(isinstance(measures["weight_norm"][i], float) for i in (0, 1, 3))


def test_they_come_out_of_a_checkpoint(kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of members that ended before the stop, too."""
    monkeypatch.setattr("genlab_tui.training.train.POLL_EVERY", -1.0)
    members = [*MEMBERS, Member("short", 3, recipe=dataclasses.replace(BASE, steps=7))]
    samples, probes = kit.make_samples(), [weight_norm()]
    whole = kit.run(members, samples, BASE, probes=probes)
    before = kit.run(members, samples, BASE, kit.Desk(stop_at=15), probes=probes)
    resumed = kit.run(members, samples, BASE, kit.Desk(before.saved), probes=probes)
    names = {*FINALS, "weight_norm"}
    ends = [{e.name: e.values for e in r.of(ev.Measure) if e.name in names} for r in (whole, resumed)]
    assert ends[0] == ends[1]
    assert None not in ends[0]["weight_norm"]
