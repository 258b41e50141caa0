"""Norms, distances, margin, capacities and degrees of freedom against what their formulas say, one unit at a time."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import pytest
import torch

from genlab_tui import events as ev
from genlab_tui.training import capacity
from genlab_tui.training.members import Member, Recipe

N, D, H, K = 30, 6, 9, 4


def _matrices(seed: int = 3) -> list[torch.Tensor]:
    """Return U, V, U0, V0 and X."""
    source = torch.Generator().manual_seed(seed)
    shapes = ((H, D), (K, H), (H, D), (K, H), (N, D))
    return [torch.randn(*shape, generator=source, dtype=torch.float64) for shape in shapes]


def _sizes(margin: float = 0.7) -> dict[str, float]:
    u, v, u0, v0, x = _matrices()
    return capacity.sizes(u, v, u0, v0, x.T @ x, margin, N)


def test_a_sample_that_is_classified_right_has_a_positive_margin() -> None:
    """The true class is masked out: with it, the largest output would leave 0 for every right sample."""
    outputs = torch.tensor([[3.0, 1.0, 2.5], [0.0, 4.0, 1.0], [1.0, 2.0, 5.0]])
    found = capacity.margins(outputs, torch.tensor([0, 0, 2]))
    assert found.tolist() == [0.5, -4.0, 3.0]
    right = outputs.argmax(1) == torch.tensor([0, 0, 2])
    assert ((found > 0) == right).all()


def test_capacity_by_units_is_the_sum_over_units() -> None:
    u, v, u0, _, x = _matrices()
    total = sum(
        float(v[:, i].norm()) * (float((u[i] - u0[i]).norm()) * float(x.norm()) + float((x @ u0[i]).norm()))
        for i in range(H)
    )
    assert _sizes(0.7)["unit_capacity"] == pytest.approx(total**2 / (0.7**2 * N), rel=1e-12)


def test_norms_distances_and_the_other_capacities() -> None:
    u, v, u0, v0, x = _matrices()
    found = _sizes(0.5)
    spectral = [float(torch.linalg.matrix_norm(m, ord=2)) for m in (u, v)]
    assert [found["spectral_hidden"], found["spectral_output"]] == pytest.approx(spectral, rel=1e-10)
    assert [found["norm_hidden"], found["norm_output"]] == pytest.approx([float(u.norm()), float(v.norm())])
    units = [float((u[i] - u0[i]).norm()) for i in range(H)]
    assert found["unit_distance"] == pytest.approx(sum(units) / H)
    assert found["distance"] == pytest.approx(math.sqrt(sum(d * d for d in units)))
    paths = sum(float(v[k, i] * u[i, d]) ** 2 for k in range(K) for i in range(H) for d in range(D))
    assert found["path_norm"] == pytest.approx(math.sqrt(paths))
    rows = sum(float((v[k] - v0[k]).norm()) for k in range(K))
    bound = ((spectral[1] * sum(units)) ** (2 / 3) + (spectral[0] * rows) ** (2 / 3)) ** 1.5 * float(x.norm()) / 0.5
    assert found["spectral_capacity"] == pytest.approx(bound**2 / N)
    bound = float(u.norm()) * float(v.norm()) * float(x.norm()) / 0.5
    assert found["frobenius_capacity"] == pytest.approx(bound**2 / N)


@pytest.mark.parametrize("margin", [0.0, -1.0])
def test_without_a_margin_there_is_no_capacity(margin: float) -> None:
    found = _sizes(margin)
    assert all(math.isnan(found[name]) for name in found if name.endswith("capacity"))
    assert all(math.isfinite(found[name]) for name in found if not name.endswith("capacity"))


# --- degrees of freedom -----------------------------------------------------------------------------------------------


def _one_hot(labels: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(labels, K).double()


def test_degrees_of_freedom_of_a_linear_smoother_are_its_trace() -> None:
    """Averaged over draws; of the identity exactly n (K - 1), of a fit that ignores the labels 0."""
    source = torch.Generator().manual_seed(0)
    x = torch.randn(N, 5, generator=source, dtype=torch.float64)
    smoother = x @ torch.linalg.solve(x.T @ x, x.T)  # trace 5
    labels = torch.randint(K, (N,), generator=source)
    found = []
    for _ in range(4000):
        drawn = torch.where(torch.rand(N, generator=source) < 0.3, torch.randint(K, (N,), generator=source), labels)
        plain, perturbed = smoother @ _one_hot(labels), smoother @ _one_hot(drawn)
        value = capacity.degrees_of_freedom(plain, perturbed, labels, drawn)
        if math.isfinite(value):
            found.append(value)
    # The labels at hand are one draw: what changes is not quite random in sign, hence the tolerance.
    assert sum(found) / len(found) == pytest.approx(5 * (K - 1), rel=0.15)
    drawn = (labels + 1) % K
    assert capacity.degrees_of_freedom(_one_hot(labels), _one_hot(drawn), labels, drawn) == N * (K - 1)
    assert capacity.degrees_of_freedom(_one_hot(labels), _one_hot(labels), labels, drawn) == 0.0
    assert math.isnan(capacity.degrees_of_freedom(_one_hot(labels), _one_hot(labels), labels, labels))


# --- of trained networks ----------------------------------------------------------------------------------------------

BASE = Recipe((12,), "adam", 0.02, batch=10, epochs=8, target=2)
MEMBERS = [
    Member("true", 1),
    Member("random", 1, labels=1, recipe=dataclasses.replace(BASE, hidden=(30,))),
    Member("other", 2, inputs=1, labels=2),
]


def _report(kit: SimpleNamespace, members: list[Member], **options: dict[int, int]) -> dict[str, list[float]]:
    state = kit.run(members, kit.make_samples(), BASE).state
    events = list(capacity.report(state, "size", options.get("perturbed", {}), lambda: None))
    assert isinstance(events[0], ev.Cohort)
    assert events[0].members == tuple((m.arm, m.seed) for m in members)
    measures = [e for e in events[1:] if isinstance(e, ev.Measure)]
    return {e.name: [ev.from_value(v) if v is not None else math.inf for v in e.values] for e in measures}


def test_outputs_are_those_of_the_trained_network(kit: SimpleNamespace) -> None:
    """And the margin is the 5th percentile over what was learnt, with the labels that were learnt."""
    samples = kit.make_samples()
    state = kit.run(MEMBERS, samples, BASE).state
    margin = [ev.from_value(v) for v in _values(state, "margin")]
    for i, member in enumerate(MEMBERS):
        module = kit.module_of(state.trained(i), 0).eval()
        with torch.no_grad():
            outputs = module(samples.inputs[member.inputs])
        torch.testing.assert_close(capacity.outputs_of(state, i), outputs)
        of_samples = capacity.margins(outputs, samples.labels[member.labels])
        assert margin[i] == pytest.approx(float(torch.quantile(of_samples, 0.05)))


def _values(state: object, name: str) -> tuple[ev.Value, ...]:
    events = capacity.report(state, "size", {}, lambda: None)  # type: ignore[arg-type]
    return next(e.values for e in events if isinstance(e, ev.Measure) and e.name == name)


@pytest.mark.parametrize("init", ["he-normal", "torch", "glorot-uniform"])
def test_networks_that_do_not_move_have_no_distance_from_their_start(kit: SimpleNamespace, init: str) -> None:
    still = dataclasses.replace(BASE, optimiser="sgd", lr=0.0, epochs=1, init=init)
    found = _report(kit, [dataclasses.replace(m, recipe=still) for m in MEMBERS])
    assert found["distance"] == found["unit_distance"] == [0.0, 0.0, 0.0]
    assert min(found["norm_hidden"]) > 0
    moved = _report(kit, MEMBERS)
    assert min(moved["distance"]) > 0.1


def test_degrees_of_freedom_are_those_of_the_pairs_alone(kit: SimpleNamespace) -> None:
    """Of a network that is far too small for 60 random labels few, of one that learns them by heart nearly all."""
    long = dataclasses.replace(BASE, epochs=150)
    small = [dataclasses.replace(long, hidden=(2,)), dataclasses.replace(long, hidden=(60,))]
    members = [Member(f"{k}-{r.hidden[0]}", 1, labels=k, recipe=r) for r in small for k in (1, 2)]
    found = _report(kit, members, perturbed={0: 1, 2: 3})["degrees_of_freedom"]
    assert [math.isinf(v) for v in found] == [False, True, False, True], "no value where there is no pair"
    most = 60 * 3
    assert 0 < found[0] < 0.8 * most
    assert found[2] > 0.9 * most
    assert found[2] <= most
    assert "degrees_of_freedom" not in _report(kit, members)


def test_a_network_that_diverged_has_no_size(kit: SimpleNamespace) -> None:
    wild = dataclasses.replace(BASE, optimiser="sgd", lr=1e30)
    found = _report(kit, [MEMBERS[0], dataclasses.replace(MEMBERS[1], recipe=wild)])
    for name, values in found.items():
        assert math.isfinite(values[0]) or name.endswith("capacity")
        assert math.isnan(values[1])


def test_samples_that_early_stopping_holds_out_do_not_count(kit: SimpleNamespace) -> None:
    held = dataclasses.replace(BASE, regularisers={"early-stopping": 3.0})
    samples = kit.make_samples()
    state = kit.run([dataclasses.replace(MEMBERS[0], recipe=held)], samples, held).state
    assert len(capacity.outputs_of(state, 0)) == 54
    assert ev.from_value(_values(state, "margin")[0]) == pytest.approx(
        float(capacity.margins(capacity.outputs_of(state, 0), samples.labels[0, :54]).quantile(0.05))
    )
