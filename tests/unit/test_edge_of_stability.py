"""The edge of stability: steps and sharpness against autograd and dense Hessians, thresholds, arms, verdicts."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise
from typing import Any

import pytest
import torch

from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure
from genlab_tui.phenomena._edge_of_stability.claims import FOLLOWS, HOVERS, LATE_DROP, MOMENTUM, RISES
from genlab_tui.phenomena._edge_of_stability.config import edge, momentum_every, threshold
from genlab_tui.phenomena._edge_of_stability.numbers import MEASURES, landmarks
from genlab_tui.phenomena.edge_of_stability import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training import full_batch
from genlab_tui.training.curvature import hessian, hessian_product
from genlab_tui.training.edge_training import looks, restore, save
from genlab_tui.training.full_batch import (
    BACKWARD,
    NESTEROV,
    PLAIN,
    POLYAK,
    Descent,
    Problem,
    Walk,
    Workspace,
    gradient,
)
from genlab_tui.training.nets import Net, gradients
from genlab_tui.verdict import Status, Verdict, judge

SMALL, LOW, HIGH = "eta-0.1", "eta-0.2", "eta-0.4"
KINDS = ("half-squared", "cross-entropy")


def _spec(preset: str = "quick", seeds: int = 3, data_set: str = "digits", **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec("00000001", PHENOMENON.name, config, preset=preset, data=data_set, seeds=seeds)


def _problem(
    activation: str = "tanh", loss: str = "half-squared", n: int = 30, dtype: torch.dtype = torch.float64
) -> Problem:
    random = torch.Generator().manual_seed(5)
    x = torch.randn(n, 4, generator=random)
    return Problem(Net((4, 5, 6, 3), activation), x, torch.randint(3, (n,), generator=random), loss, dtype)


def _walk(problem: Problem, kind: str = PLAIN, lr: float = 0.1, steps: int = 100, seed: int = 7) -> Walk:
    start = problem.net.initial((seed,), dtype=torch.float64)
    return Walk(Descent("arm", seed, lr, steps, kind, 0.0 if kind == PLAIN else 0.9), problem, start)


# --- steps and sharpness, by other means ------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", sorted(BACKWARD))
@pytest.mark.parametrize("loss", KINDS)
def test_losses_and_gradients_are_those_of_autograd(activation: str, loss: str) -> None:
    problem = _problem(activation, loss)
    flat = torch.randn(1, problem.net.size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    value = torch.empty((), dtype=torch.float64)
    slope = gradient(problem, flat, Workspace(problem), value)
    (expected,), expected_slope = gradients(problem.loss, flat)
    assert value.item() == pytest.approx(expected.item(), rel=1e-13)
    assert torch.allclose(slope, expected_slope, rtol=1e-11, atol=1e-14)


def test_the_squared_error_is_summed_over_outputs_and_halved() -> None:
    """A mean over outputs would divide the sharpness by their number, and move the edge."""
    problem = _problem()
    flat = problem.net.initial((1,), dtype=torch.float64)
    value = torch.empty((), dtype=torch.float64)
    gradient(problem, flat, Workspace(problem), value)
    outputs = problem.net.outputs(flat, problem.rows)[0]
    by_hand = ((outputs - problem.target.t()) ** 2).sum() / 2 / len(outputs)
    assert value.item() == pytest.approx(by_hand.item(), rel=1e-13)


@pytest.mark.parametrize(("kind", "momentum"), [(PLAIN, 0.0), (POLYAK, 0.9), (NESTEROV, 0.9)])
def test_steps_are_those_of_torchs_optimiser(kind: str, momentum: float) -> None:
    problem = _problem()
    walk = _walk(problem, kind, 0.2)
    weights = walk.flat.clone().requires_grad_()
    optimiser = torch.optim.SGD([weights], lr=0.2, momentum=momentum, nesterov=kind == NESTEROV)
    losses = []
    for _ in range(20):
        optimiser.zero_grad()
        loss = problem.loss(weights).sum()
        loss.backward()
        losses.append(loss.item())
        optimiser.step()
    passed = walk.walk_to(20, Workspace(problem))
    assert torch.allclose(walk.flat, weights.detach(), rtol=1e-10, atol=1e-13)
    assert passed[:-1] == pytest.approx(losses, rel=1e-12)
    assert passed[-1] == pytest.approx(problem.loss(weights).item(), rel=1e-12)
    assert walk.rises == sum(b > a for a, b in pairwise(passed))


@pytest.mark.parametrize("kind", [PLAIN, POLYAK, NESTEROV])
@pytest.mark.parametrize(("share", "converges"), [(0.98, True), (1.02, False)])
def test_every_descent_diverges_on_a_parabola_just_above_its_edge(kind: str, share: float, converges: bool) -> None:
    lr = 0.05
    curvature = share * edge(kind, lr, 0.9)
    walk = _walk(_problem(), kind, lr)
    for _ in range(3000):
        walk._descend(curvature * walk.flat)
    assert (walk.flat.norm().item() < 1e-3) == converges


@pytest.mark.parametrize("activation", sorted(BACKWARD))
@pytest.mark.parametrize("loss", KINDS)
def test_products_with_the_hessian_are_those_of_autograd(activation: str, loss: str) -> None:
    problem = _problem(activation, loss)
    random = torch.Generator().manual_seed(2)
    flat, v = (torch.randn(1, problem.net.size, generator=random, dtype=torch.float64) for _ in range(2))
    expected = hessian_product(problem.loss, flat)(v)
    assert torch.allclose(problem.product(flat)(v), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("loss", KINDS)
def test_sharpness_is_the_largest_eigenvalue_all_along_the_way(loss: str) -> None:
    problem = _problem(loss=loss)
    walk, space = _walk(problem, lr=0.5, steps=400), Workspace(problem)
    for stop in looks(400, 50):
        walk.walk_to(stop, space)
        values = torch.linalg.eigvalsh(hessian(problem.loss, walk.flat)[0])
        sharpness, error = walk.noted[-1][:2]
        assert sharpness == pytest.approx(values[-1].item(), rel=0.01), stop
        assert error <= 0.01 * sharpness


def test_the_algebraically_largest_is_taken_not_the_largest_in_magnitude() -> None:
    """Upside down, the eigenvalue of largest magnitude is negative: a power iteration would return it."""
    problem = _problem()
    walk = _walk(problem)
    upright = problem.product(walk.flat)
    problem.product = lambda flat: lambda v: -upright(v)  # type: ignore[method-assign]
    values = torch.linalg.eigvalsh(-hessian(problem.loss, walk.flat)[0])
    assert abs(values[0]) > abs(values[-1]), "or this shows nothing"
    assert walk._sharpness()[0] == pytest.approx(values[-1].item(), rel=0.02)


def test_a_warm_start_at_right_angles_does_not_hide_the_largest() -> None:
    problem = _problem()
    walk = _walk(problem)
    values, vectors = torch.linalg.eigh(hessian(problem.loss, walk.flat)[0])
    walk.vector = vectors[:, -2][None].clone()  # the second: from it alone, Lanczos finds nothing else
    assert walk._sharpness()[0] == pytest.approx(values[-1].item(), rel=0.01)


def test_float32_steps_are_those_of_float64_but_for_rounding_and_losses_stay_double() -> None:
    exact, rounded = _problem(), _problem(dtype=torch.float32)
    a, b = _walk(exact, steps=50), _walk(rounded, steps=50)
    first, second = a.walk_to(50, Workspace(exact)), b.walk_to(50, Workspace(rounded))
    assert second == pytest.approx(first, rel=1e-5)
    assert b.flat.dtype == torch.float32
    assert b.vector.dtype == torch.float64
    assert b.noted[-1][0] == pytest.approx(a.noted[-1][0], rel=1e-3)
    assert b.rises == a.rises == 0, "rounding must not look like a loss that rises"


@pytest.mark.parametrize(("dtype", "rises"), [(torch.float32, 1), (torch.float64, 2)])
def test_what_rounding_adds_to_a_loss_is_no_rise(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, rises: int
) -> None:
    losses = iter([1.0, 1 + 5e-13, 1.0, 1 + 5e-8, 1.0, 1 + 5e-7])

    def constant(problem: Problem, flat: torch.Tensor, space: Workspace, loss: torch.Tensor) -> torch.Tensor:
        loss.fill_(next(losses))
        space.hidden[-1].zero_()
        return space.slope.zero_()

    monkeypatch.setattr(full_batch, "gradient", constant)
    problem = _problem(dtype=dtype)
    walk = _walk(problem)
    walk.walk_to(5, Workspace(problem))
    assert walk.rises == rises


def test_a_network_that_diverges_is_said_to_and_ends() -> None:
    problem = _problem("relu")
    walk, space = _walk(problem, lr=50.0), Workspace(problem)
    walk.walk_to(0, space)
    assert not walk.ended(0.0)
    walk.walk_to(50, space)
    assert walk.diverged
    assert walk.ended(0.0)
    assert math.isnan(walk.noted[-1][0])
    found = landmarks(walk.looks, walk.noted, 50.0, 0.04)
    assert math.isnan(found["late"])
    assert found["crossed_early"] == 0.0


def test_a_network_may_end_at_a_training_accuracy() -> None:
    problem = _problem()
    walk = _walk(problem)
    walk.walk_to(10, Workspace(problem))
    accuracy = walk.noted[-1][3]
    assert walk.ended(accuracy)
    assert not walk.ended(min(accuracy + 0.01, 1.1))
    assert not walk.ended(0.0)


def test_a_checkpoint_puts_every_member_back_where_it_was() -> None:
    problem = _problem()
    space = Workspace(problem)
    walks = [_walk(problem, kind, seed=seed) for kind, seed in ((PLAIN, 1), (POLYAK, 2), (NESTEROV, 3))]
    for stop in (0, 10):
        for walk in walks:
            walk.walk_to(stop, space)
    walks[0].walk_to(20, space)  # the others have ended
    again = [_walk(problem, kind, seed=seed) for kind, seed in ((PLAIN, 1), (POLYAK, 2), (NESTEROV, 3))]
    saved = save(walks, 20, 3.5)
    assert saved.meta == {"seconds": 3.5}
    restore(again, saved)
    for before, after in zip(walks, again, strict=True):
        assert after.looks == before.looks
        assert after.noted == before.noted
        assert (after.step, after.rises, after.diverged) == (before.step, before.rises, before.diverged)
        assert before.walk_to(30, space) == after.walk_to(30, space)
        assert torch.equal(before.flat, after.flat)


# --- what looks say ---------------------------------------------------------------------------------------------------


def _noted(sharpness: list[float], losses: list[float], rises: list[float]) -> list[list[float]]:
    return [[s, 0.001 * s, loss, 0.9, r] for s, loss, r in zip(sharpness, losses, rises, strict=True)]


def test_landmarks_by_hand() -> None:
    steps = [0, 10, 20, 30, 40]
    noted = _noted([2.0, 6.0, 10.0, 11.0, 9.0], [1.0, 0.8, 0.5, 0.45, 0.2], [0, 0, 1, 5, 9])
    found = landmarks(steps, noted, 0.2, 10.0)
    assert set(found) == set(MEASURES)
    assert found["first"] == pytest.approx(0.4)
    assert found["crossing"] == 20
    assert found["crossed_early"] == 1.0, "half of the steps is early enough"
    assert found["late"] == pytest.approx(2.0)  # 10, 11, 9
    assert found["late_sd"] == pytest.approx(0.2)
    assert found["late_sharpness"] == pytest.approx(10.0)
    assert found["largest"] == pytest.approx(2.2)
    assert found["rises_before"] == 0, "the last look before the crossing: the rise came after it"
    assert found["rises_after"] == pytest.approx(8 / 20)
    assert found["rising_share"] == pytest.approx(9 / 40)
    assert found["loss_ratio"] == pytest.approx(0.4)
    assert found["unsure"] == 0
    late = landmarks(steps, _noted([2.0, 6.0, 8.0, 10.0, 9.0], [1.0] * 5, [0.0] * 5), 0.2, 10.0)
    assert late["crossed_early"] == 0.0


def test_a_crossing_between_two_looks_is_one() -> None:
    """Above 2 for some steps and below again at the next look: the rises in between do not come before it."""
    steps = [0, 10, 20, 30, 40, 50, 60]
    noted = _noted([2.0, 7.6, 9.0, 9.6, 10.0, 10.1, 10.0], [1.0, 0.9, 0.8, 0.6, 0.5, 0.3, 0.2], [0, 0, 4, 4, 7, 11, 15])
    found = landmarks(steps, noted, 0.2, 10.0)
    assert found["crossing"] == 20
    assert found["crossed_early"] == 1.0
    assert found["rises_before"] == 0
    assert found["rises_after"] == pytest.approx(11 / 40)
    assert found["loss_ratio"] == pytest.approx(0.25)
    with_momentum = landmarks(steps, noted, 0.2, 10.0, plain=False)
    assert with_momentum["crossing"] == 40
    assert with_momentum["rises_before"] == 4


def test_a_rise_at_a_low_level_still_comes_before_the_crossing() -> None:
    noted = _noted([2.0, 7.4, 7.4, 10.0, 10.0], [1.0, 0.9, 0.8, 0.6, 0.5], [0, 1, 3, 5, 9])
    found = landmarks([0, 10, 20, 30, 40], noted, 0.2, 10.0)
    assert found["crossing"] == 30
    assert found["rises_before"] == 3
    judged = _judge(rises_before={HIGH: found["rises_before"]})
    assert _statuses(judged)[RISES] is Status.NOT_SHOWN


def test_momentum_is_measured_by_its_own_edge() -> None:
    steps, threshold_ = [0, 10, 20], edge("polyak", 0.2, 0.9)
    assert threshold_ == pytest.approx(19.0)
    found = landmarks(steps, _noted([4.0, 19.0, 19.0], [1.0, 0.5, 0.2], [0, 0, 2]), 0.2, threshold_)
    assert found["crossing"] == 10
    assert found["late_of_edge"] == pytest.approx(1.0)
    assert found["late_of_plain"] == pytest.approx(1.9)
    assert edge("nesterov", 0.2, 0.9) == pytest.approx(19.0 / 2.8)
    assert edge("plain", 0.2, 0.0) == pytest.approx(10.0)


def test_what_never_crosses_has_nothing_after_a_crossing() -> None:
    found = landmarks([0, 10, 20], _noted([1.0, 2.0, 3.0], [1.0, 0.5, 0.2], [0, 0, 0]), 0.2, 10.0)
    assert math.isnan(found["crossing"])
    assert math.isnan(found["rises_after"])
    assert found["crossed_early"] == 0.0
    assert found["rises_before"] == 0
    assert found["late"] == pytest.approx(0.5)


def test_looks_that_did_not_converge_are_counted() -> None:
    noted = [[10.0, 0.05, 1.0, 0.9, 0.0], [10.0, 0.2, 1.0, 0.9, 0.0]]
    assert landmarks([0, 10], noted, 0.2, 10.0)["unsure"] == pytest.approx(0.5)


# --- arms and cost ----------------------------------------------------------------------------------------------------


def test_arms_are_the_control_the_step_sizes_and_momentum() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [arm.name for arm in arms] == [SMALL, LOW, HIGH, "polyak", "nesterov"]
    assert [arm.name for arm in arms if arm.control] == [SMALL]
    assert threshold(arms[1]) == pytest.approx(10.0)
    assert threshold(arms[3]) == pytest.approx(3.8 / 0.4)
    assert [arm.name for arm in PHENOMENON.arms_of(_spec(etas="0.8 0.3", momentum="no"))] == [
        SMALL,
        "eta-0.3",
        "eta-0.8",
    ]
    config = PHENOMENON.make_config("quick")
    assert 60 == config.steps // config.every <= config.momentum_steps // momentum_every(config) <= 66


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"small": 0.2}, "small = 0.2 is not below the smallest of the etas, 0.2"),
        ({"etas": "0.2 0.2"}, "etas has 0.2 twice"),
        ({"etas": "0.2 0.20000001"}, "etas has values that agree in six digits"),
        ({"every": 500}, "every = 500: 3000 steps would have fewer than 10 looks"),
        ({"activation": "gelu"}, "tanh, relu"),
        ({"beta": 1.0}, "beta = 1 is outside its bounds"),
    ],
)
def test_what_makes_no_sense_is_said_before_launch(values: dict[str, Any], words: str) -> None:
    with pytest.raises(BadValue) as caught:
        PHENOMENON.arms_of(_spec(**values))
    assert words in str(caught.value) or words in str(vars(caught.value))


@pytest.mark.parametrize("preset", sorted(PHENOMENON.presets))
def test_presets_are_whole(preset: str) -> None:
    assert {"quick", "standard", "paper"} <= set(PHENOMENON.presets)
    chosen = PHENOMENON.preset(preset)
    spec = _spec(preset, chosen.seeds, chosen.data)
    arms = PHENOMENON.arms_of(spec)
    found = PHENOMENON.estimate(PHENOMENON.config_of(spec), spec)
    assert found.members == len(arms) * chosen.seeds
    assert found.seconds > 0
    mains = [claim for claim in PHENOMENON.claims(PHENOMENON.config_of(spec), spec) if claim.main]
    assert len(mains) == 3
    assert all(any(criterion.control for criterion in claim.criteria) for claim in mains)


def test_the_estimate_goes_with_the_work() -> None:
    quick = _spec()

    def seconds(**values: Any) -> float:
        spec = _spec(**values)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    base = PHENOMENON.estimate(PHENOMENON.config_of(quick), quick).seconds
    assert 8 < base < 60
    assert seconds(steps=30_000, every=750) > 3 * base
    assert seconds(precision="float64") > base
    assert seconds(momentum="no") < base
    more = dataclasses.replace(quick, seeds=60)
    assert PHENOMENON.estimate(PHENOMENON.config_of(more), more).seconds > 15 * (base - 4)


# --- verdicts on data made to pass, fail and be unclear ---------------------------------------------------------------

GOOD: dict[str, dict[str, float]] = {
    "first": {SMALL: 0.13, LOW: 0.26, HIGH: 0.52, "polyak": 0.2, "nesterov": 0.3},
    "crossed_early": {SMALL: 0.0, LOW: 1.0, HIGH: 1.0, "polyak": 1.0, "nesterov": 1.0},
    "late": {SMALL: 1.2, LOW: 2.02, HIGH: 2.04},
    "late_sd": {SMALL: 0.08, LOW: 0.02, HIGH: 0.03},
    "late_sharpness": {SMALL: 12.0, LOW: 10.1, HIGH: 5.1},
    "rises_before": {SMALL: 0.0, LOW: 0.0, HIGH: 0.0},
    "rises_after": {LOW: 0.35, HIGH: 0.42},
    "rising_share": {SMALL: 0.0, LOW: 0.3, HIGH: 0.4},
    "loss_ratio": {LOW: 0.3, HIGH: 0.1},
    "late_of_edge": {"polyak": 0.95, "nesterov": 1.02},
    "late_of_plain": {"polyak": 1.8, "nesterov": 0.69},
    "end_sharpness": {LOW: 10.0, HIGH: 5.0},
    "largest_sharpness": {LOW: 10.5, HIGH: 5.4},
}


def _judge(spec: RunSpec | None = None, only: int | None = None, **changed: dict[str, float]) -> Verdict:
    """Judge a run as the paper would have it, changed as given (`late={HIGH: 1.7}`); in one seed alone if asked."""
    spec = spec or _spec()
    measures: dict[str, dict[tuple[str, int], float]] = {}
    for seed in spec.seed_list:
        for name, table in GOOD.items():
            own = {**table, **(changed.get(name, {}) if only is None or seed == only else {})}
            measures.setdefault(name, {}).update({(arm, seed): value for arm, value in own.items()})
    return judge(PHENOMENON, spec, RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, measures=measures))


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


def test_a_run_as_in_the_paper_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert set(_statuses(verdict).values()) == {Status.SHOWN}
    names = [HOVERS, RISES, FOLLOWS, MOMENTUM.format("Polyak"), MOMENTUM.format("Nesterov")]
    assert [claim.name for claim in verdict.claims] == names
    assert [claim.main for claim in verdict.claims] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("changed", "claim"),
    [
        ({"late": {HIGH: 1.6}}, HOVERS),
        ({"late": {LOW: 2.4}}, HOVERS),
        ({"late_sd": {LOW: 0.3}}, HOVERS),
        ({"rises_after": {LOW: 0.0}}, RISES),
        ({"rises_after": {HIGH: 0.9}}, RISES),
        ({"rises_before": {HIGH: 2.0}}, RISES),
        ({"loss_ratio": {LOW: 0.8}}, RISES),
        ({"late_sharpness": {HIGH: 8.0}}, FOLLOWS),
        ({"late_sharpness": {HIGH: 3.5}}, FOLLOWS),
    ],
)
def test_what_the_paper_does_not_say_is_not_shown(changed: dict[str, dict[str, float]], claim: str) -> None:
    verdict = _judge(**changed)
    assert _statuses(verdict)[claim] is Status.NOT_SHOWN
    assert verdict.status is Status.NOT_SHOWN


@pytest.mark.parametrize(
    ("changed", "claim"),
    [
        ({"first": {HIGH: 1.2}}, HOVERS),
        ({"crossed_early": {LOW: 0.0}}, RISES),
        ({"crossed_early": {HIGH: 0.0}}, FOLLOWS),
    ],
)
@pytest.mark.parametrize("only", [None, 1])
def test_without_a_rise_from_below_nothing_is_said(
    changed: dict[str, dict[str, float]], claim: str, only: int | None
) -> None:
    """Also where it is one seed that starts above or comes too late."""
    verdict = _judge(only=only, **changed)
    assert _statuses(verdict)[claim] is Status.INCONCLUSIVE
    assert verdict.status is Status.INCONCLUSIVE


@pytest.mark.parametrize(
    ("changed", "claim"),
    [
        ({"late": {SMALL: 1.7}}, HOVERS),  # the criterion asks for less than 1.5, not only for less than the edge
        ({"rising_share": {SMALL: 0.001}}, RISES),
        ({"late_sharpness": {SMALL: 20.0}}, FOLLOWS),
    ],
)
def test_a_control_that_does_what_the_claim_says_makes_it_unclear(
    changed: dict[str, dict[str, float]], claim: str
) -> None:
    found = next(c for c in _judge(**changed).claims if c.name == claim)
    assert found.status is Status.INCONCLUSIVE
    assert "control" in found.reason


def test_networks_that_diverged_are_no_evidence() -> None:
    gone = {"late": {HIGH: math.nan}, "late_sd": {HIGH: math.nan}, "crossed_early": {HIGH: 0.0}}
    assert _judge(**gone).status is Status.INCONCLUSIVE
    lost = _judge(late={SMALL: math.nan})
    assert "no numbers" in next(c for c in lost.claims if c.name == HOVERS).reason


def test_an_edge_with_momentum_that_is_that_without_it_is_unclear_and_changes_no_verdict() -> None:
    verdict = _judge(late_of_edge={"nesterov": 0.7})
    assert _statuses(verdict)[MOMENTUM.format("Polyak")] is Status.SHOWN
    assert _statuses(verdict)[MOMENTUM.format("Nesterov")] is Status.NOT_SHOWN
    assert verdict.status is Status.SHOWN
    near = _judge(_spec(beta=0.15))  # edges 1.15 and 0.88 times 2 / eta
    for kind in ("Polyak", "Nesterov"):
        claim = next(c for c in near.claims if c.name == MOMENTUM.format(kind))
        assert claim.status is Status.INCONCLUSIVE
        assert "differs from 2 / eta by more than 20%" in claim.reason
    assert near.status is Status.SHOWN


def test_what_the_control_is_judged_on_is_said_and_where_it_ends_can_be_seen() -> None:
    spec = _spec()
    hovers = _judge(spec).claims[0]
    assert "control is judged on the same mean" in hovers.criteria[0].statement
    assert "in the first half of its steps leaves the claim open" in hovers.statement
    ends = {"end_sharpness": {(SMALL, seed): 13.0 + seed for seed in spec.seed_list}}
    run_data = RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, measures=ends)
    figure = next(figure for figure in PHENOMENON.figures(run_data) if figure.name == "edge")
    assert isinstance(figure, Figure)
    last = max(spec.seed_list)
    assert f"(largest of the seeds {0.1 * (13 + last):.3g})" in figure.note
    assert [line.label for line in figure.references] == [
        "2: a parabola diverges", "1.5: limit of the control's late mean"
    ]  # fmt: skip


def test_cross_entropy_has_a_claim_of_its_own() -> None:
    spec = _spec(loss="cross-entropy")
    assert _statuses(_judge(spec))[LATE_DROP] is Status.NOT_SHOWN
    fell = _judge(spec, end_sharpness={LOW: 1.0, HIGH: 0.5}, late={LOW: 0.4, HIGH: 0.4})
    assert _statuses(fell)[LATE_DROP] is Status.SHOWN
    assert fell.status is Status.NOT_SHOWN


def test_figures_have_the_edges_of_their_arms() -> None:
    spec = _spec()
    empty = RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list)
    figures = {figure.name: figure for figure in PHENOMENON.figures(empty)}
    assert list(figures) == ["sharpness", "edge", "loss", "rising", "momentum", "momentum-loss"]
    assert set(PHENOMENON.panels) <= set(figures)
    assert isinstance(figures["sharpness"], Figure)
    assert [line.value for line in figures["sharpness"].references] == pytest.approx([20.0, 10.0, 5.0])
    assert [line.value for line in figures["momentum"].references][:2] == pytest.approx([3.8 / 0.4, 3.8 / 0.14 / 2.8])
