"""The drift to the largest margin: solutions checked by other means, arms, verdicts on made data, the pitfalls."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pytest

from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure
from genlab_tui.phenomena._max_margin import claims as judged
from genlab_tui.phenomena._max_margin.config import (
    ADAM,
    DECAYED,
    FIT,
    GD,
    LONG,
    MIXED,
    NORMALISED,
    SETS,
    SIGN,
    USUAL_ADAM,
    toy_seconds,
)
from genlab_tui.phenomena.max_margin import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import Curve, RunData
from genlab_tui.training import margin_sets
from genlab_tui.training.margin_descent import Problems, Walk, landmarks, looks, measured, stepper
from genlab_tui.verdict import Status, Verdict, judge

DRIFT, DECIDES = "gradient descent drifts to the largest margin", "the optimiser decides which margin"
USUAL, FASTER, NETWORK = (
    "Adam with its usual epsilon ends nearer to the largest L-infinity margin too",
    "normalised gradient descent gets there far sooner",
    "in a network test loss rises while test error falls",
)
SEEDS = range(200_000, 200_006)  # that no default was chosen on


def _spec(seeds: int = 5, data_set: str = "digits", arms: tuple[str, ...] = (), **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config("quick", values))
    return RunSpec("00000001", "max-margin", config, data=data_set, seeds=seeds, arms=arms)


def _problems(toys: list[margin_sets.Toy], z: str = "z") -> Problems:
    return Problems(
        tuple((GD, k) for k in range(len(toys))),
        np.ascontiguousarray(np.stack([getattr(toy, z) for toy in toys]).transpose(2, 1, 0)),
        np.stack([toy.l2 for toy in toys], 1),
        np.stack([toy.linf for toy in toys], 1),
        np.array([toy.gamma for toy in toys]),
    )


def _walked(kind: str, problems: Problems, steps: int, lr: float = 0.1) -> tuple[Walk, list[int]]:
    walk, places = Walk.begin(problems), looks(steps, round(steps / 10))
    step = stepper(kind, problems, walk, lr)
    for t in range(1, steps + 1):
        step(t)
        walk.step = t
        if t in places:
            walk.passed.append(walk.w.copy())
    return walk, places


# --- the solutions, by other means ------------------------------------------------------------------------------------


def _best_by_angle(z: np.ndarray, norm: float) -> tuple[float, np.ndarray]:
    """Return the largest margin over directions of norm 1 in two dimensions, by trying angles ever more finely."""
    centre, width = 0.0, math.pi
    for _ in range(8):
        angles = centre + np.linspace(-width, width, 20_001)
        w = np.stack((np.cos(angles), np.sin(angles)))
        w /= np.linalg.norm(w, norm, axis=0)
        margins = (z @ w).min(0)
        best = int(margins.argmax())
        centre, width = float(angles[best]), width / 500
    return float(margins[best]), w[:, best]


def _closed_form(z: np.ndarray) -> float:
    """Return gamma in two dimensions: one point alone or the line through two is the one nearest to the origin."""
    candidates = [p / np.linalg.norm(p) for p in z]
    for a, b in itertools.combinations(z, 2):
        across = np.array([-(a - b)[1], (a - b)[0]])
        candidates += [s * across / np.linalg.norm(across) for s in (1.0, -1.0)]
    return max(float((z @ w).min()) for w in candidates)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_svm_and_the_linear_program_agree_with_brute_force_and_closed_form(seed: int) -> None:
    toy = margin_sets.draw(seed, points=20)
    gamma, w = _best_by_angle(toy.z, 2)
    assert toy.gamma == pytest.approx(gamma, rel=1e-9)
    assert toy.gamma == pytest.approx(_closed_form(toy.z), rel=1e-9)
    assert margin_sets.angle(toy.l2, w) < 1e-6
    assert float((toy.z @ toy.l2).min()) == pytest.approx(toy.gamma, rel=1e-9)
    gamma_inf, w_inf = _best_by_angle(toy.z, math.inf)
    assert margin_sets.linf_margin(toy.z)[1] == pytest.approx(gamma_inf, rel=1e-6)
    assert margin_sets.angle(toy.linf, w_inf) < 1e-5
    assert toy.turn >= margin_sets.TURN
    assert toy.gamma >= margin_sets.LEAST_MARGIN
    assert not margin_sets.separable(toy.flipped)
    assert toy.draws >= 1


def test_a_soft_svm_would_not_do() -> None:
    """With C = 1 the solution is another one: the checks must refuse it."""
    from sklearn.svm import SVC

    toy = margin_sets.draw(SEEDS[0], points=20)
    z = toy.z / 4  # the softer, the smaller the points
    fit = SVC(kernel="linear", C=1.0).fit(np.concatenate((z, -z)), np.repeat((1, -1), len(z)))
    assert not margin_sets.optimal(z, fit.coef_[0], np.abs(fit.dual_coef_[0]))
    hard = margin_sets.hard_margin(z)
    assert hard is not None
    assert 1 / np.linalg.norm(hard) == pytest.approx(toy.gamma / 4, rel=1e-9)


def test_a_bias_is_a_feature_that_counts_in_the_norm() -> None:
    toy = margin_sets.draw(SEEDS[0], points=20, bias=True)
    assert toy.z.shape == (20, 3)
    assert set(np.abs(toy.z[:, 2])) == {1.0}, "signed points: y times the constant 1"
    assert toy.l2.shape == (3,)
    assert float(np.linalg.norm(toy.l2)) == pytest.approx(1.0)
    assert abs(toy.l2[2]) > 0
    better = max(
        float((toy.z @ (w / np.linalg.norm(w))).min())
        for w in toy.l2 + 1e-2 * np.random.default_rng(0).standard_normal((500, 3))
    )
    assert better <= toy.gamma * (1 + 1e-9), "no other direction has a larger margin, the bias counted"


def test_a_draw_is_the_same_again_and_another_of_another_seed() -> None:
    first, again, other = (margin_sets.draw(seed, points=12) for seed in (SEEDS[0], SEEDS[0], SEEDS[1]))
    assert first.z.tobytes() == again.z.tobytes()
    assert first.draws == again.draws
    assert first.z.tobytes() != other.z.tobytes()


def test_points_under_both_labels_are_no_separable_set_and_nothing_crashes() -> None:
    toy = margin_sets.draw(SEEDS[0], points=20, contradictions=1)
    assert not toy.separable
    assert math.isnan(toy.gamma)
    assert math.isnan(toy.turn)
    assert toy.z.shape == toy.flipped.shape == (21, 2)
    assert not margin_sets.separable(toy.z)
    walk, places = _walked("gradient", _problems([toy]), 2000)
    assert np.isfinite(walk.w).all()
    found = landmarks(_problems([toy]), places, walk.passed, 200)
    assert np.isfinite(found["norm"]).all()
    assert np.isnan(found["slope"]).all()


# --- the descents -----------------------------------------------------------------------------------------------------


def test_a_step_of_gradient_descent_is_that_of_autograd_with_1_over_l() -> None:
    import torch

    toys = [margin_sets.draw(seed, points=20) for seed in SEEDS[:2]]
    problems = _problems(toys)
    walk, _ = _walked("gradient", problems, 10)
    for k, toy in enumerate(toys):
        z = torch.from_numpy(toy.z)
        smoothness = float(torch.linalg.eigvalsh(z.T @ z / len(z)).max()) / 4
        assert problems.smoothness[k] == pytest.approx(smoothness)
        w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
        for _ in range(10):
            (slope,) = torch.autograd.grad(torch.nn.functional.softplus(-z @ w).mean(), w)
            w = (w - slope / smoothness).detach().requires_grad_()
        assert walk.w[:, k] == pytest.approx(w.detach().numpy(), rel=1e-12)


@pytest.mark.parametrize(("kind", "epsilon"), [("adam", 0.0), ("adam with epsilon", 1e-8)])
def test_adam_is_torchs_with_its_epsilon_and_a_falling_rate(kind: str, epsilon: float) -> None:
    import torch

    toy = margin_sets.draw(SEEDS[0], points=20)
    walk, _ = _walked(kind, _problems([toy]), 30, lr=0.1)
    z = torch.from_numpy(toy.z)
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([w], lr=0.1, eps=epsilon)
    for t in range(1, 31):
        optimiser.param_groups[0]["lr"] = 0.1 / math.sqrt(t)
        optimiser.zero_grad()
        torch.nn.functional.softplus(-z @ w).mean().backward()
        optimiser.step()
    assert walk.w[:, 0] == pytest.approx(w.detach().numpy(), rel=1e-10)


def test_epsilon_stops_adam_where_gradients_are_smaller() -> None:
    toy = margin_sets.draw(SEEDS[0], points=20)
    problems = _problems([toy])
    far = toy.l2[:, None] * 40 / toy.gamma  # outputs of 40 and more: gradients of 1e-17
    moved = {}
    for kind in ("adam", "adam with epsilon"):
        walk = Walk.begin(problems)
        walk.w[:] = far
        stepper(kind, problems, walk, 0.1)(1)
        moved[kind] = float(np.abs(walk.w - far).min())
    assert moved["adam"] == pytest.approx(0.1)
    assert moved["adam with epsilon"] < 1e-6


def test_tails_far_below_float32_are_right() -> None:
    """Where float32 has no number left: the normalised step is finite and gradients keep their digits."""
    toy = margin_sets.draw(SEEDS[0], points=20)
    problems = _problems([toy])
    far = toy.l2[:, None] * 900 / toy.gamma  # outputs of 900 and more: exp(-900) is 0 in float64 too
    walk = Walk.begin(problems)
    walk.w[:] = far
    with np.errstate(over="ignore"):
        stepper("normalised", problems, walk, 0.0)(1)
    assert np.isfinite(walk.w).all()
    assert float(np.linalg.norm(walk.w - far)) > 0.1, "the step does not vanish with the loss"
    near = toy.l2[:, None] * 80 / toy.gamma
    loss = measured(problems, near, 1)["loss"][0]
    assert 0 < loss < 1e-30
    walk = Walk.begin(problems)
    walk.w[:] = near
    stepper("sign", problems, walk, 1.0)(1)
    outputs = toy.z @ near[:, 0]
    exact = np.sign((toy.z * np.exp(-outputs)[:, None]).sum(0))
    assert (walk.w - near)[:, 0] == pytest.approx(exact)


def test_all_steps_of_the_normalised_descent_are_the_plain_ratio_where_that_is_safe() -> None:
    toy = margin_sets.draw(SEEDS[0], points=20)
    problems = _problems([toy])
    walk, _ = _walked("normalised", problems, 40)
    w = np.zeros(2)
    for t in range(1, 41):
        outputs = toy.z @ w
        gradient = (toy.z / (1 + np.exp(outputs))[:, None]).mean(0)
        w = w + gradient / np.log1p(np.exp(-outputs)).mean() / math.sqrt(t) / problems.smoothness[0]
    assert walk.w[:, 0] == pytest.approx(w, rel=1e-9)


def test_the_normalised_descent_measures_nothing_that_leaves_the_range_of_numbers() -> None:
    """Its loss falls below 1e-300 within a run: a variation of loss * t would be larger than what can be squared."""
    from genlab_tui import events as ev
    from genlab_tui.training.margin_descent import walk_all

    class Alone:
        def resume(self) -> None:
            return None

        def poll(self, save: Any) -> None:
            assert save().step > 0

    problems = _problems([margin_sets.draw(seed, points=20) for seed in SEEDS[:3]])
    context: Any = Alone()
    events = list(
        walk_all(
            "normalised", problems, context, cohort="n", steps=20_000, early=10_000, lr=0.0, label="n", share=(0.0, 1.0)
        )
    )
    found = {event.name: event.values for event in events if isinstance(event, ev.Measure)}
    assert not {"slope", "gap_ratio", "loss_variation"} & set(found)
    for name, values in found.items():
        assert all(abs(ev.from_value(value)) < 1e100 for value in values), name


def test_looks_are_geometric_with_the_last_decades_exact() -> None:
    places = looks(1_000_000, 10_000)
    assert places[0] == 1
    assert {100, 10_000, 100_000, 1_000_000} <= set(places)
    assert len(places) == pytest.approx(61, abs=5)
    ratios = [b / a for a, b in itertools.pairwise(places[30:])]
    assert max(ratios) < 1.3


def test_landmarks_of_what_the_theorem_says_exactly() -> None:
    """w = l2 log t / gamma: slope 1, margin gamma throughout; a w that stays has no slope."""
    toy = margin_sets.draw(SEEDS[0], points=20)
    problems, places = _problems([toy]), looks(100_000, 10_000)
    passed = [toy.l2[:, None] * (math.log(t) + 3) / toy.gamma for t in places]
    found = landmarks(problems, places, passed, 10_000)
    assert found["slope"][0] == pytest.approx(1.0)
    assert found["margin"][0] == pytest.approx(1.0)
    assert found["margin_rise"][0] == 0.0
    assert found["angle"][0] < 1e-7
    assert found["loss_variation"][0] < 0.05
    still = landmarks(problems, places, [passed[-1]] * len(places), 10_000)
    assert still["slope"][0] == 0.0
    assert still["loss_variation"][0] > 5


# --- arms and cost ----------------------------------------------------------------------------------------------------


def test_arms_and_controls() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [arm.name for arm in arms] == [GD, MIXED, NORMALISED, ADAM, SIGN, USUAL_ADAM, FIT, LONG, DECAYED]
    assert [arm.name for arm in arms if arm.control] == [MIXED, DECAYED]
    assert len(PHENOMENON.arms_of(_spec(network="none"))) == 6
    titles = {arm.name: arm.title for arm in arms}
    assert titles[ADAM] == "Adam (epsilon 0)"
    assert titles[USUAL_ADAM] == "Adam (epsilon 1e-8)"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"contrast_steps": 50_000, "steps": 10_000}, "nearest valid value: 10000"),
        ({"contradictions": 8, "points": 12}, "nearest valid value: 6"),
        ({"points": 5}, "nearest valid value: 10"),
    ],
)
def test_what_cannot_be_is_said_before_launch(values: dict[str, Any], words: str) -> None:
    with pytest.raises(BadValue) as caught:
        PHENOMENON.arms_of(_spec(**values))
    assert words in f"{caught.value} {caught.value.hint}"


def test_a_convolutional_network_needs_images() -> None:
    with pytest.raises(BadValue, match="needs images"):
        PHENOMENON.arms_of(_spec(network="conv-4", data_set="mnist1d"))


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_is_valid(preset: str) -> None:
    chosen, config = PHENOMENON.preset(preset), PHENOMENON.make_config(preset)
    assert chosen.seeds >= 3
    spec = RunSpec("00000001", "max-margin", config_values(config), preset, data=chosen.data, seeds=chosen.seeds)
    arms = PHENOMENON.arms_of(spec)
    estimate = PHENOMENON.estimate(config, spec)
    assert estimate.members == len(arms) * chosen.seeds
    if preset == "quick":
        assert estimate.seconds < 60
    empty = RunData(spec, arms, spec.seed_list)
    assert judge(PHENOMENON, spec, empty).status is Status.INCONCLUSIVE
    assert all(not figure.lines for figure in PHENOMENON.figures(empty) if isinstance(figure, Figure))


def test_the_estimate_grows_with_what_costs() -> None:
    def seconds(seeds: int = 5, **values: Any) -> float:
        spec = _spec(seeds, **values)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    plain = seconds()
    assert seconds(steps=10_000_000) > 5 * seconds(network="none")
    assert seconds(seeds=50) > plain > seconds(network="none")
    assert seconds(epochs=800) > plain
    assert seconds(points=40) > plain


def test_the_third_contrast_costs_less_than_a_tenth() -> None:
    spec = _spec(100)
    config = PHENOMENON.config_of(spec)
    alone = toy_seconds(config, USUAL_ADAM, 100)
    assert alone < 0.1 * (PHENOMENON.estimate(config, spec).seconds - alone)


def test_what_is_said_of_the_sets_is_how_they_are_drawn() -> None:
    assert judged.LEAST_MARGIN == margin_sets.LEAST_MARGIN
    assert judged.TURN == margin_sets.TURN
    draws = [margin_sets.draw(seed, points=20).draws for seed in SEEDS]
    assert 5 < sum(draws) / len(draws) < 60, "about 20, as the explanation says"
    rivals = next(c for c in PHENOMENON.claims(PHENOMENON.make_config(), _spec()) if c.name == DECIDES)
    for words in ("gamma is 0.5 or more", "0.2 rad apart or more", "epsilon = 0", "1 / sqrt(t)"):
        assert words in rivals.statement
    for words in ("until gamma is 0.5 or more", "0.2 rad apart or more", "about 20 draws a seed", "epsilon = 0"):
        assert words in PHENOMENON.explanation


def test_texts_name_the_steps_that_are_taken() -> None:
    def name(**values: Any) -> str:
        spec = _spec(**values)
        claims = PHENOMENON.claims(PHENOMENON.config_of(spec), spec)
        return next(c for c in claims if c.name == FASTER).criteria[0].name

    assert "after 10,000 normalised" in name()
    assert "after 2,000 normalised" in name(contrast_steps=2_000)


def test_the_first_figure_has_slope_1_in_log_t_and_says_so() -> None:
    spec = _spec()
    steps = np.array([1, 10, 100, 1000])
    curve = Curve(steps, steps.astype(float), steps.astype(float), np.array([0.5, 2.0, 4.0, 6.3]))
    curves = {"scaled_norm": {(GD, seed): curve for seed in spec.seed_list}}
    run_data = dataclasses.replace(_measured(spec, {}), curves=curves)
    norm = PHENOMENON.figures(run_data)[0]
    assert isinstance(norm, Figure)
    line = norm.lines[-1]
    assert line.label.startswith("slope 1: ")
    assert norm.y_label == "norm times gamma"
    rise = (line.y[-1] - line.y[0]) / math.log(line.x[-1] / line.x[0])
    assert rise == pytest.approx(1.0)
    assert "0.7 on average" in norm.note


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_the_estimate_of_a_convolutional_network_counts_steps_and_looks(device: str) -> None:
    """Against work counted by hand: passes over samples, looks, and what a step costs on a GPU however small it is."""
    config, seeds = PHENOMENON.make_config("paper"), 3
    spec = RunSpec("00000001", "max-margin", config_values(config), "paper", data="cifar10", seeds=seeds, device=device)
    found = PHENOMENON.estimate(config, dataclasses.replace(spec, arms=(LONG,))).seconds
    steps = math.ceil(50_000 / 128) * 400
    looks = 10 * math.log10(steps)
    pass_over = 2 * 74.4e6 * 1024 / 784
    work = pass_over * (3 * 400 * 50_000 + looks * 60_000)
    counted = seeds * (work / (1e11 if device == "cpu" else 2e13) + steps * (0.0 if device == "cpu" else 2e-3))
    assert counted / 2 < found < counted * 2
    if device != "cpu":
        whole = PHENOMENON.estimate(config, spec).seconds
        assert 3 / 4 < whole / 3600 < 12, "what the preset says: about 3 hours"


def test_no_screen_shows_a_number_that_nobody_verified() -> None:
    published = [c.published for claim in PHENOMENON.claims(PHENOMENON.make_config(), _spec()) for c in claim.criteria]
    assert published == [None] * len(published)
    assert "nverified" in PHENOMENON.preset("paper").note


# --- verdicts ---------------------------------------------------------------------------------------------------------

TEXTBOOK: dict[str, dict[str, float]] = {
    SETS: {"separable": 1.0, "turn": 0.4, "gamma": 0.7},
    GD: {
        "slope": 0.96,
        "margin": 0.98,
        "margin_rise": 1e-4,
        "gap_ratio": 0.9,
        "loss_variation": 0.04,
        "nearer_inf": -0.3,
        "early_margin": 0.96,
    },
    USUAL_ADAM: {"nearer_inf": 0.2, "margin": 0.9},
    MIXED: {"slope": 0.0, "margin": -2.0, "loss_variation": 9.0},
    NORMALISED: {"early_margin": 0.999},
    ADAM: {"nearer_inf": 0.3, "margin": 0.9},
    SIGN: {"nearer_inf": 0.4, "margin": 0.9},
    FIT: {"steps_to_fit": 100.0, "test_loss": 0.10, "test_error": 0.030},
    LONG: {"test_loss": 0.12, "test_error": 0.010},
    DECAYED: {"test_loss": 0.08, "test_error": 0.027},
}


def _measured(spec: RunSpec, changes: dict[str, dict[str, float]]) -> RunData:
    measures: dict[str, dict[tuple[str, int], float]] = {}
    for arm, numbers in TEXTBOOK.items():
        for seed in spec.seed_list:
            for name, value in (numbers | changes.get(arm, {})).items():
                measures.setdefault(name, {})[arm, seed] = value
    return RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, measures=measures)


def _judge(seeds: int = 5, **changes: dict[str, float]) -> Verdict:
    spec = _spec(seeds)
    return judge(PHENOMENON, spec, _measured(spec, {k.replace("_", "-"): v for k, v in changes.items()}))


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


def test_the_textbook_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert _statuses(verdict) == dict.fromkeys((DRIFT, DECIDES, USUAL, FASTER, NETWORK), Status.SHOWN)
    assert [claim.main for claim in verdict.claims] == [True, True, False, False, False]


@pytest.mark.parametrize(
    "numbers",
    [
        {"slope": 0.84},
        {"slope": 1.16},
        {"margin": 0.94},
        {"margin_rise": -1e-5},
        {"gap_ratio": 1.21},
        {"loss_variation": 0.10},
    ],
    ids=lambda numbers: next(iter(numbers)),
)
def test_a_number_past_its_threshold_is_not_shown(numbers: dict[str, float]) -> None:
    verdict = _judge(gd=numbers)
    assert _statuses(verdict)[DRIFT] is Status.NOT_SHOWN
    assert verdict.status is Status.NOT_SHOWN


@pytest.mark.parametrize("numbers", [{"slope": 0.95}, {"margin": 0.97}, {"loss_variation": 0.05}], ids=str)
def test_a_control_that_does_the_same_makes_it_unclear(numbers: dict[str, float]) -> None:
    verdict = _judge(not_separable=numbers)
    assert _statuses(verdict)[DRIFT] is Status.INCONCLUSIVE
    assert "control" in verdict.claims[0].reason


def test_sets_that_nothing_separates_make_it_unclear_with_the_reason() -> None:
    verdict = _judge(**{SETS: {"separable": 0.0, "turn": math.nan}})
    assert verdict.status is Status.INCONCLUSIVE
    assert "the toy sets are separable" in verdict.claims[0].reason


def test_directions_too_close_to_tell_apart_make_the_contrast_unclear() -> None:
    assert _statuses(_judge(**{SETS: {"turn": 0.15}}))[DECIDES] is Status.INCONCLUSIVE


def test_rivals_that_go_to_the_svm_are_not_shown_and_gradient_descent_is_their_control() -> None:
    assert _statuses(_judge(adam={"nearer_inf": 0.05}))[DECIDES] is Status.NOT_SHOWN
    assert _statuses(_judge(sign={"nearer_inf": -0.3}))[DECIDES] is Status.NOT_SHOWN
    assert _statuses(_judge(gd={"nearer_inf": 0.2}))[DECIDES] is Status.INCONCLUSIVE


@pytest.mark.parametrize(("arm", "claim"), [("adam", DECIDES), ("sign", DECIDES), ("adam_epsilon", USUAL)])
def test_a_rival_that_does_not_separate_the_points_turns_to_no_margin(arm: str, claim: str) -> None:
    assert _statuses(_judge(**{arm: {"margin": 0.0}}))[claim] is Status.NOT_SHOWN


def test_the_usual_adam_is_reported_and_never_counted() -> None:
    verdict = _judge(adam_epsilon={"nearer_inf": -0.2})
    assert _statuses(verdict)[USUAL] is Status.NOT_SHOWN
    assert verdict.status is Status.SHOWN


def test_the_network_is_a_side_claim_with_weight_decay_as_its_control() -> None:
    flat = _judge(network={"test_loss": 0.10})
    assert _statuses(flat)[NETWORK] is Status.NOT_SHOWN
    assert flat.status is Status.SHOWN
    assert _statuses(_judge(network={"test_error": 0.030}))[NETWORK] is Status.NOT_SHOWN
    assert _statuses(_judge(network={"test_error": 0.029}))[NETWORK] is Status.NOT_SHOWN, "no test set resolves that"
    assert _statuses(_judge(network_decay={"test_loss": 0.12}))[NETWORK] is Status.INCONCLUSIVE
    assert _statuses(_judge(network_fit={"steps_to_fit": math.nan}))[NETWORK] is Status.INCONCLUSIVE


def test_the_test_error_must_fall_by_more_than_its_test_set_resolves() -> None:
    spec = _spec()
    unit = 2 * math.sqrt(0.03 * 0.97 / 597)
    for end in (0.03 - 0.9 * unit, 0.04):
        p = max(end, 0.03)
        found = judged.resolved(_measured(spec, {LONG: {"test_error": end}}), 597)
        assert found[0] == pytest.approx((0.03 - end) / (2 * math.sqrt(p * (1 - p) / 597)))
    assert judged.resolved(_measured(spec, {LONG: {"test_error": 0.0}, FIT: {"test_error": 0.0}}), 597)[0] == 0.0
    assert math.isnan(judged.resolved(_measured(spec, {LONG: {"test_error": math.nan}}), 597)[0])
    assert _statuses(_judge(network={"test_error": 0.03 - 1.05 * unit}))[NETWORK] is Status.SHOWN
    assert _statuses(_judge(network={"test_error": 0.03 - 0.95 * unit}))[NETWORK] is Status.NOT_SHOWN


def test_two_seeds_are_too_few() -> None:
    assert _judge(seeds=2).status is Status.INCONCLUSIVE


def test_a_block_of_seeds_is_judged_alone() -> None:
    spec = _spec(10)
    run_data = _measured(spec, {})
    broken = {k: v | {(GD, s): 0.2 for s in range(5)} if k == "slope" else v for k, v in run_data.measures.items()}
    run_data = dataclasses.replace(run_data, measures=broken)
    for block, status in ((range(5), Status.NOT_SHOWN), (range(5, 10), Status.SHOWN)):
        part = run_data.of_seeds(list(block))
        assert judge(PHENOMENON, part.spec, part).status is status
