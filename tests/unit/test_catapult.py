"""The catapult: the model against its recursion, boundaries, kernels against autograd, thresholds, arms, verdicts."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure
from genlab_tui.phenomena import catapult
from genlab_tui.phenomena._catapult.claims import BEARS_MORE, LIKE_MODEL, PEAK, PHASES
from genlab_tui.phenomena._catapult.config import LINEARISED, MODEL, WIDER, WIDER_CALM, catapults, lazy, sweep_arms
from genlab_tui.phenomena.catapult import PHENOMENON
from genlab_tui.phenomenon import Arm, config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import Curve, RunData
from genlab_tui.training import catapult_networks as networks
from genlab_tui.training import catapult_rates
from genlab_tui.training.bisection import Bisection
from genlab_tui.training.catapult_model import Model, descend, descend_linearised, stack
from genlab_tui.training.loss_track import LossTrack
from genlab_tui.verdict import Status, Verdict, judge


def _spec(preset: str = "quick", seeds: int = 3, data_set: str = "digits", **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec("00000001", PHENOMENON.name, config, preset=preset, data=data_set, seeds=seeds)


# --- the model --------------------------------------------------------------------------------------------------------


def test_the_weights_follow_the_recursion_of_output_and_curvature() -> None:
    model = stack(50, [1, 2, 3])
    rates = np.array([1.0, 2.7, 3.3]) / model.curvature
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    descend(model, rates, 40, lambda _, loss, level: seen.append((loss.copy(), level.copy())))
    f, level = model.output, model.curvature
    for loss, curvature in seen:
        assert loss == pytest.approx(f**2 / 2, rel=1e-7, abs=1e-19)
        assert curvature == pytest.approx(level, rel=1e-9)
        going = f**2 / 2 > 1e-20 * model.output**2 / 2
        drift = rates * f**2 / 50
        f, level = (
            np.where(going, f * (1 - rates * level + rates * drift), f),
            np.where(going, level + drift * (rates * level - 4), level),
        )
    assert len(seen) == 41


@pytest.mark.parametrize("go", [descend, descend_linearised])
def test_a_long_descent_can_be_stopped(go: Any) -> None:
    model = stack(50, [1])
    polls: list[int] = []
    go(model, 0.01 / model.curvature, 350, poll=lambda: polls.append(1))
    assert len(polls) == 3


def test_a_step_is_that_of_autograd() -> None:
    model = stack(20, [5])
    u, v = (torch.from_numpy(part.copy()).requires_grad_() for part in (model.u, model.v))
    rate = 1.1
    for _ in range(3):
        loss = ((u * v).sum() / math.sqrt(20)) ** 2 / 2
        slopes = torch.autograd.grad(loss, (u, v))
        u, v = ((part - rate * slope).detach().requires_grad_() for part, slope in zip((u, v), slopes, strict=True))
    after = Model(u.detach().numpy(), v.detach().numpy())
    found = descend(model, np.array([rate]), 3)
    assert found.last == pytest.approx(after.curvature, rel=1e-12)
    assert found.track.last == pytest.approx(after.output**2 / 2, rel=1e-10)


def test_the_curvature_is_the_tangent_kernel_of_the_one_sample() -> None:
    model = stack(20, [5])
    u, v = (torch.from_numpy(part).requires_grad_() for part in (model.u, model.v))
    slopes = torch.autograd.grad((u * v).sum() / math.sqrt(20), (u, v))
    assert model.curvature[0] == pytest.approx(sum(float((slope**2).sum()) for slope in slopes), rel=1e-12)


def test_below_two_it_falls_between_it_is_thrown_above_four_it_is_gone() -> None:
    model = stack(1000, [100_000], repeats=4)
    products = np.array([1.9, 2.5, 3.5, 4.3])
    found = descend(model, products / model.curvature, 300)
    assert found.track.rose.tolist() == [False, True, True, True]
    assert found.track.diverged.tolist() == [False, False, False, True]
    assert np.isfinite(found.last).all(), "also of the one that diverged: it is stopped there"
    assert (products * found.last / found.first)[1:3].max() < 2


def test_the_linearised_model_has_no_phase_between() -> None:
    model = stack(1000, [100_000], repeats=4)
    found = descend_linearised(model, np.array([1.0, 1.95, 2.1, 3.0]) / model.curvature, 300)
    assert found.track.rose.tolist() == [False, False, True, True]
    assert found.track.diverged.tolist() == [False, False, True, True]
    assert found.last is found.first


def test_rounding_at_the_end_is_no_rise() -> None:
    """At eta lambda = 1 the output soon is what rounding leaves of a sum that cancels, which goes up and down."""
    model = stack(1000, list(range(50)))
    found = descend(model, np.full(50, 1.0) / model.curvature, 100)
    assert not found.track.rose.any()


def test_a_member_has_the_same_numbers_in_any_company() -> None:
    both, alone = stack(100, [1, 2], repeats=2, draws=2), stack(100, [2], draws=2)
    assert np.array_equal(both.u[4::2], alone.u)
    rates = np.full(8, 3.0) / both.curvature
    many, few = descend(both, rates, 60), descend(alone, rates[4::2], 60)
    assert np.array_equal(many.track.peak[4::2], few.track.peak)


# --- tracks and boundaries --------------------------------------------------------------------------------------------


def test_a_track_by_hand() -> None:
    track = LossTrack(np.array([1.0, 1.0, 1.0, 1.0]), 100.0)
    for loss in ([0.5, 2.0, 200.0, 1e-30], [0.4, 8.0, 1.0, 5.0], [0.3, 0.1, 1.0, 5.0], [0.2, 0.05, math.nan, 5.0]):
        track.see(np.array(loss))
    assert track.rose.tolist() == [False, True, True, False]
    assert track.peak.tolist() == [1.0, 8.0, 200.0, 1.0]
    assert track.peak_step.tolist() == [0, 2, 1, 0]
    assert track.diverged.tolist() == [False, False, True, False]
    assert track.last.tolist() == [0.2, 0.05, 200.0, 1e-30], "who diverged or settled is looked at no more"
    nothing = LossTrack(np.array([1.0]), 100.0)
    nothing.see(np.array([math.nan]))
    assert nothing.diverged.all()


def test_a_bisection_finds_boundaries_and_says_where_there_are_none() -> None:
    at = np.array([0.3, 3.7, 15.0, 0.1, 40.0])
    search = Bisection(5, 0.25, 16.0)
    search.check(lambda x: x > at)
    for _ in range(12):
        search.halve(lambda x: x > at)
    assert search.found[:3] == pytest.approx(at[:3], rel=1e-3)
    assert np.isnan(search.found[3:]).all(), "it holds at the lower end, or nowhere"
    again = Bisection(5, 0.25, 16.0)
    again.restore(search.arrays(), search.rounds)
    again.check(lambda x: x < 0)
    assert np.array_equal(again.found, search.found, equal_nan=True)


# --- networks ---------------------------------------------------------------------------------------------------------


def _samples(n: int = 12, d: int = 20) -> networks.Samples:
    random = np.random.default_rng(3)
    x = [random.standard_normal((n, d)).astype(np.float32) for _ in range(2)]
    y = [np.sign(random.standard_normal(n)).astype(np.float32) for _ in range(2)]
    return networks.prepare(x, y, "cpu")


def _output(activation: str, inner: torch.Tensor, outer: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    z = x @ inner.t()
    return (torch.relu(z) if activation == networks.RELU else z) @ outer / math.sqrt(len(outer))


@pytest.mark.parametrize("activation", [networks.RELU, networks.LINEAR])
def test_kernels_and_steps_are_those_of_autograd(activation: str) -> None:
    samples = _samples()
    start = networks.draw(samples, (1, 2), 30)
    kernel = networks.kernels(activation, start, samples)
    rates = np.array([0.05, 0.4])
    _, end = networks.descend(activation, start, samples, rates, 2)
    for k in range(2):
        inner, outer = (part[k].double().requires_grad_() for part in (start.inner, start.outer))
        x, y = samples.x[k].double(), samples.y[k].double()
        rows = []
        for value in _output(activation, inner, outer, x):
            slopes = torch.autograd.grad(value, (inner, outer), retain_graph=True)
            rows.append(torch.cat([slope.reshape(-1) for slope in slopes]))
        gram = torch.stack(rows) @ torch.stack(rows).t()
        assert torch.allclose(kernel[k], gram, rtol=1e-4, atol=1e-4)
        assert networks.largest(kernel)[k] == pytest.approx(torch.linalg.eigvalsh(gram)[-1].item() / 12, rel=1e-5)
        for _ in range(2):
            loss = ((_output(activation, inner, outer, x) - y) ** 2).mean() / 2
            slopes = torch.autograd.grad(loss, (inner, outer))
            inner, outer = (
                (part - rates[k] * slope).detach().requires_grad_()
                for part, slope in zip((inner, outer), slopes, strict=True)
            )
        assert torch.allclose(end.inner[k].double(), inner, rtol=1e-4, atol=1e-5)
        assert torch.allclose(end.outer[k].double(), outer, rtol=1e-4, atol=1e-5)


def test_inputs_in_their_own_span_are_the_same_problem() -> None:
    """The outputs are those of the weights as drawn on the inputs as they are."""
    random = np.random.default_rng(3)
    x = random.standard_normal((5, 40)).astype(np.float32)
    samples = networks.prepare([x], [np.ones(5, dtype=np.float32)], "cpu")
    assert samples.x.shape == (1, 5, 5)
    products = torch.from_numpy(x) @ torch.from_numpy(x).t() / 40
    assert torch.allclose(samples.x[0] @ samples.x[0].t(), products, atol=1e-5)


def test_one_that_diverges_stops_and_leaves_the_others_alone() -> None:
    samples = _samples()
    start = networks.draw(samples, (1, 2), 30)
    track, end = networks.descend(networks.RELU, start, samples, np.array([0.1, 1e4]), 40)
    assert track.diverged.tolist() == [False, True]
    one = networks.Samples(samples.x[:1], samples.y[:1], samples.bases[:1])
    first = networks.Weights(start.inner[:1], start.outer[:1])
    alone, _ = networks.descend(networks.RELU, first, one, np.array([0.1]), 40)
    assert track.last[0] == pytest.approx(alone.last[0], rel=1e-5)
    assert networks.trained(track, samples.y).tolist() == [True, False]
    assert torch.isfinite(end.inner[0]).all()


def test_inputs_on_one_side_let_units_fall_silent_where_centred_ones_diverge() -> None:
    random = np.random.default_rng(7)
    x = random.uniform(0.2, 1.0, (30, 10)).astype(np.float32)
    y = np.where(x[:, 0] > 0.6, 1.0, -1.0).astype(np.float32)
    gone, active = [], []
    for inputs in (x, x - x.mean(axis=0)):
        samples = networks.prepare([inputs / np.sqrt(np.square(inputs).mean())], [y], "cpu")
        start = networks.draw(samples, (1,), 256)
        level = networks.largest(networks.kernels(networks.RELU, start, samples))
        track, end = networks.descend(networks.RELU, start, samples, 8.0 / level, 60)
        gone.append(bool(track.diverged[0]))
        active.append(float((torch.bmm(end.inner, samples.x.transpose(1, 2)) > 0).double().mean()))
    assert gone == [False, True]
    assert active[0] < 0.25, "half of the inputs excite a unit at the start"


def test_a_network_whose_units_are_all_silent_has_not_trained() -> None:
    """Its loss is finite, that of answering 0: counted as trained it would have no largest rate."""
    y = torch.tensor([[1.0, -1.0, 1.0, -1.0]])
    track = LossTrack(np.array([0.8]), 100.0)
    track.see(np.array([0.5]))
    assert not networks.trained(track, y).any()
    track.see(np.array([0.3]))
    assert networks.trained(track, y).all()


# --- arms, presets, estimates -----------------------------------------------------------------------------------------


def test_the_arms_of_the_quick_preset() -> None:
    arms = PHENOMENON.arms_of(_spec())
    names = [arm.name for arm in arms]
    assert names[:7] == ["at-1", "at-1.9", "at-2.5", "at-3", "at-3.5", "at-3.9", "at-4.3"]
    assert names[7:11] == [MODEL, LINEARISED, WIDER, WIDER_CALM]
    assert names[11:] == ["relu", "relu-linearised", "relu-centred", "linear", "linear-linearised"]
    assert {arm.name for arm in arms if arm.control} == {
        "at-1", "at-1.9", LINEARISED, WIDER_CALM, "relu-linearised", "linear-linearised"
    }  # fmt: skip
    config = PHENOMENON.make_config("quick")
    assert catapults(config) == (2.5, 3.0, 3.5, 3.9)
    assert lazy(config) == (1.0, 1.9)
    assert len({arm.name for arm in sweep_arms(config)}) == config.sweep


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"products": "2.5 3"}, "on one side of 2"),
        ({"products": "1 4.5"}, "on one side of 2"),
        ({"products": "1 2.5 2.50000001"}, "agree in six digits"),
        ({"products": "1 2.5 2.5"}, "products has 2.5 twice"),
        ({"widths": "100"}, "no growth"),
        ({"classes": "0 10"}, "not two of the 10"),
        ({"classes": "3"}, "not two of the 10"),
        ({"samples": 5000}, "two of the 10 classes have about"),
        ({"samples": 216}, "two of the 10 classes have about 200"),
        ({"products": "1 2.1 3"}, "products has 2.1: a catapult from between 2 and 2.25 may end with more than 0.9"),
        ({"steps": 20_001}, "steps = 20001 is outside its bounds"),
        ({"network_steps": 20_001}, "network_steps = 20001 is outside its bounds"),
        ({"steps": 1}, "steps = 1 is outside its bounds"),
    ],
)
def test_what_makes_no_sense_is_refused_before_launch(values: dict[str, Any], words: str) -> None:
    with pytest.raises(BadValue) as caught:
        PHENOMENON.arms_of(_spec(**values))
    assert words in str(caught.value)


def test_a_product_at_the_boundary_of_what_is_judged_is_taken() -> None:
    arms = PHENOMENON.arms_of(_spec(products="1 2 2.25 3"))
    assert [arm.title for arm in arms[:4]] == ["1", "2", "2.25", "3"]


def test_a_seed_with_too_few_samples_of_two_classes_is_named(tmp_path: Path) -> None:
    """Pooled data sets draw what they train on: beyond the bound, some seeds have fewer than others."""
    spec = replace(_spec(seeds=2, classes="2 8", samples=250), first_seed=353)
    config = PHENOMENON.config_of(spec)
    context: Any = SimpleNamespace(spec=spec, data_dir=tmp_path, device="cpu")
    with pytest.raises(BadValue, match=r"samples = 250: seed 353 has 2[0-4]. of classes 2 and 8") as caught:
        catapult._problem(config, context, "relu", (353, 354))
    least = int(str(caught.value.hint).rsplit(" ", 1)[-1])
    assert catapult._problem(replace(config, samples=least), context, "relu", (353, 354)).samples.x.shape[1] == least
    with pytest.raises(BadValue):
        catapult._problem(replace(config, samples=least + 1), context, "relu", (353, 354))


def test_networks_that_train_at_no_rate_are_said_to_need_more_steps() -> None:
    polls: list[Any] = []
    context: Any = SimpleNamespace(poll=polls.append, resume=lambda: None)
    samples = _samples()
    own = catapult_rates.problem(networks.RELU, (1, 2), samples, 30)
    found = list(catapult_rates.largest_rate(own, Arm("relu", "ReLU"), (1e-6, 1e-5), 4, 25, "rates", context))
    (log,) = (event for event in found if isinstance(event, ev.Log))
    assert "seeds 1, 2; 2 of them train at no rate, not even the lowest: 25 steps may be too few" in log.text
    assert len(polls) == 26 * 7, "at every step: of both ends, of four rounds, of the lowest again"
    assert all(map(callable, polls)), "what was searched so far is not lost"
    found = list(catapult_rates.largest_rate(own, Arm("relu", "ReLU"), (0.5, 1.0), 4, 100, "rates", context))
    (log,) = (event for event in found if isinstance(event, ev.Log))
    assert "too few" not in log.text, "all of them train"


@pytest.mark.parametrize("preset", sorted(PHENOMENON.presets))
def test_every_preset_has_arms_claims_with_controls_and_an_estimate(preset: str) -> None:
    chosen = PHENOMENON.preset(preset)
    spec = _spec(preset, seeds=chosen.seeds, data_set=chosen.data)
    config = PHENOMENON.config_of(spec)
    arms = {arm.name for arm in PHENOMENON.arms_of(spec)}
    claims = PHENOMENON.claims(config, spec)
    assert [claim.name for claim in claims if claim.main] == [PHASES]
    for claim in claims:
        assert any(criterion.control for criterion in claim.criteria)
        assert {arm for criterion in claim.criteria for arm in criterion.needs} <= arms
    estimate = PHENOMENON.estimate(config, spec)
    assert 4 < estimate.seconds < 1800
    assert estimate.members == len(arms) * chosen.seeds
    assert estimate.seconds < PHENOMENON.estimate(config, replace(spec, seeds=10 * chosen.seeds)).seconds


# --- verdicts ---------------------------------------------------------------------------------------------------------

GOOD: dict[str, dict[str, float]] = {
    "onset": {MODEL: 2.0, LINEARISED: 2.0},
    "divergence": {MODEL: 4.0, LINEARISED: 2.03},
    "rise": {"at-1": 1.0, "at-1.9": 1.0, "at-2.5": 30.0, "at-3": 300.0, "at-3.5": 500.0, "at-3.9": 600.0},
    "ratio": {"at-1": 0.999, "at-1.9": 0.99, "at-2.5": 0.51, "at-3": 0.07, "at-3.5": 0.2, "at-3.9": 0.1},
    "eta_lambda_end": {"at-2.5": 1.28, "at-3": 0.2, "at-3.5": 0.7, "at-3.9": 0.4},
    "peak": {"at-2.5": 15.0, "at-3": 150.0, "at-3.5": 250.0, "at-3.9": 300.0},
    "end_loss": {"at-2.5": 1e-21, "at-3": 1e-21, "at-3.5": 1e-21, "at-3.9": 0.1},
    "peak_exponent": {WIDER: 1.0, WIDER_CALM: 0.0},
    "steps_growth": {WIDER: 1.05},
    "eta_max": {"relu": 10.0, "relu-linearised": 2.02, "linear": 4.0, "linear-linearised": 2.02, "relu-centred": 3.9},
}


def _verdict(changes: dict[tuple[str, str], float] | None = None, seeds: int = 3, only: int = 0) -> Verdict:
    spec = _spec(seeds=seeds)
    found: dict[str, dict[tuple[str, int], float]] = {}
    for name, row in GOOD.items():
        for arm, value in row.items():
            for seed in spec.seed_list:
                changed = (changes or {}).get((name, arm), value) if only in (0, seed) else value
                found.setdefault(name, {})[arm, seed] = changed
    return judge(PHENOMENON, spec, RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, measures=found))


def _status(verdict: Verdict, name: str) -> Status:
    return next(claim.status for claim in verdict.claims if claim.name == name)


def test_a_run_as_it_should_be_is_shown() -> None:
    verdict = _verdict()
    assert verdict.status is Status.SHOWN
    assert {claim.status for claim in verdict.claims} == {Status.SHOWN}
    linear = next(claim for claim in verdict.claims if claim.name == LIKE_MODEL)
    assert linear.criteria[0].published == "4 (the one-sample model)", "the paper has no number for networks on data"


@pytest.mark.parametrize(
    "change",
    [
        {("onset", MODEL): 2.3},
        {("divergence", MODEL): 3.5},
        {("divergence", MODEL): 4.5},
        {("rise", "at-3.5"): 1.0},
        {("ratio", "at-2.5"): 0.95},
        {("eta_lambda_end", "at-3.9"): 2.0},
        {("end_loss", "at-3.9"): 0.5},
        {("end_loss", "at-2.5"): 3.0},
    ],
)
def test_a_phase_that_is_missing_is_not_shown(change: dict[tuple[str, str], float]) -> None:
    assert _verdict(change).status is Status.NOT_SHOWN


@pytest.mark.parametrize(
    "change",
    [
        {("divergence", LINEARISED): 4.0},
        {("rise", "at-1.9"): 1.5},
        {("ratio", "at-1.9"): 0.8},
        {("divergence", LINEARISED): math.nan},
        {("onset", MODEL): math.nan},
    ],
)
def test_a_control_that_fires_or_a_number_that_is_missing_decides_nothing(change: dict[tuple[str, str], float]) -> None:
    assert _verdict(change).status is Status.INCONCLUSIVE


def test_two_seeds_decide_nothing() -> None:
    assert _verdict(seeds=2).status is Status.INCONCLUSIVE


def test_side_claims_never_touch_the_verdict() -> None:
    for change, name in (
        ({("eta_max", "relu"): 36.0}, BEARS_MORE),
        ({("eta_max", "linear"): 5.0}, LIKE_MODEL),
        ({("peak_exponent", WIDER): 0.3}, PEAK),
    ):
        verdict = _verdict(change)
        assert verdict.status is Status.SHOWN
        assert _status(verdict, name) is Status.NOT_SHOWN
    assert _status(_verdict({("eta_max", "linear-linearised"): 4.0}), LIKE_MODEL) is Status.INCONCLUSIVE


def test_figures_of_no_data_are_empty_not_errors() -> None:
    spec = _spec()
    empty = RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list)
    assert [figure.name for figure in PHENOMENON.figures(empty)] == [
        "loss", "level", "curvature", "peak", "widths", "network-loss", "rates"
    ]  # fmt: skip
    assert set(PHENOMENON.panels) <= {figure.name for figure in PHENOMENON.figures(empty)}


def test_curvature_is_drawn_to_where_the_first_seed_leaves() -> None:
    """A descent that diverges runs to thousands: drawn whole, it makes all others one flat line."""
    spec = _spec()
    values = {"at-3": [3.0, 2.0, 0.5, 0.5], "at-4.3": [4.3, 5.0, 7.0, 10_000.0]}
    steps = np.arange(4)
    curves = {
        (arm, seed): Curve(steps, steps.astype(float), steps.astype(float), np.array(own) * (1 + 0.1 * place))
        for arm, own in values.items()
        for place, seed in enumerate(spec.seed_list)
    }
    run_data = RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, curves={"eta_lambda": curves})
    figure = next(figure for figure in PHENOMENON.figures(run_data) if figure.name == "level")
    assert isinstance(figure, Figure)
    stays, leaves = figure.lines
    assert (stays.label, leaves.label) == ("3", "4.3")
    assert stays.x == (0, 1, 2, 3)
    assert leaves.x == (0, 1), "one seed is at 8.4 after two steps"
    assert leaves.low is not None
    assert leaves.high is not None
    assert leaves.low == pytest.approx((4.3, 5.0))
    assert leaves.high == pytest.approx((4.3 * 1.2, 6.0))
    assert "exceeds 8" in figure.note
