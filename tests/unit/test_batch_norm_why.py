"""Why batch norm helps: arms, refusals, verdicts on data made to pass, fail and be unclear; figures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.phenomena._batch_norm_why.claims import NOISE_CLAIM, SMOOTH_CLAIM
from genlab_tui.phenomena._batch_norm_why.config import LINEAR, kind_of, looked_into, sizes
from genlab_tui.phenomena._batch_norm_why.figures import LEAST, PER_DECADE
from genlab_tui.phenomena._batch_norm_why.numbers import apart, best_plain
from genlab_tui.phenomena.batch_norm_why import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import Curve, RunData
from genlab_tui.training.normalised import KINDS
from genlab_tui.training.normalised_training import BANDS, IN_BAND
from genlab_tui.verdict import Status, Verdict, judge

PREDICTIVE = "batch norm makes gradients more predictive"
SHIFT = "batch norm does not lessen internal covariate shift"
NOISE_SHIFT = "noise shifts the gradients too"
STOPS = "the same noise stops the plain network"
BETTER = "batch norm ends more accurate"
OWN_STEPS = "smoother at the best learning rate of each"

LEVELS = (0, -1, -2, -3)
BETA: Mapping[str, float] = {"plain-0.03": 40.0, "plain": 45.0, "plain-0.3": 90.0, "noisy": 14.0, "bn": 12.0}
ICS: Mapping[str, float] = {"plain-0.03": 0.3, "plain": 0.8, "plain-0.3": 2.0, "noisy": 3.0, "bn": 1.0}
COSINE: Mapping[str, float] = {"plain-0.03": 0.9, "plain": 0.8, "plain-0.3": 0.4, "noisy": 0.2, "bn": 0.5}
MOVED: Mapping[str, float] = {"plain-0.03": 0.05, "plain": 0.1, "plain-0.3": 0.3, "noisy": 0.5, "bn": 0.04}
LOSS: Mapping[str, float] = {"plain-0.03": 0.1, "plain": 0.02, "plain-0.3": 2.3, "noisy": 0.01, "bn": 0.001}
TRAIN: Mapping[str, float] = {"plain-0.03": 0.98, "plain": 0.99, "plain-0.3": 0.1, "noisy": 0.99, "bn": 1.0}
TEST: Mapping[str, float] = {"plain-0.03": 0.94, "plain": 0.95, "plain-0.3": 0.1, "noisy": 0.97, "bn": 0.98}
NOISE = {"plain-noise-0.03": 0.97, "plain-noise": 0.3}


def _spec(preset: str = "quick", seeds: int = 3, data_set: str = "digits", **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec("00000001", PHENOMENON.name, config, preset=preset, data=data_set, seeds=seeds)


def _data(spec: RunSpec, *, only: int | None = None, levels: int = 4, **changed: Mapping[str, float]) -> RunData:
    """Return a run as the paper would have it, changed as given (`beta={"bn": 50}`); in one seed alone if asked."""
    measures: dict[str, dict[tuple[str, int], float]] = {}
    tables = {
        "beta": BETA,
        "ics": ICS,
        "cosine": COSINE,
        "moved": MOVED,
        "loss": LOSS,
        "train": TRAIN,
        "test": TEST,
        "final": {},
    }
    for seed in spec.seed_list:
        own = only is None or seed == only
        here = {name: {**table, **(changed.get(name, {}) if own else {})} for name, table in tables.items()}
        wobble = (1.0, 1.1, 0.9, 1.05, 0.95)[seed % 5]

        def put(name: str, table: Mapping[str, float], seed: int = seed) -> None:
            measures.setdefault(name, {}).update({(arm, seed): value for arm, value in table.items()})

        put("train_loss", {**here["loss"], "plain-noise": 1.0, "plain-noise-0.03": 0.1})
        put("first_train_loss", dict.fromkeys(here["loss"], 2.5))
        put("train_accuracy", {**here["train"], **NOISE, **(changed.get("train", {}) if own else {})})
        put("best_train_accuracy", here["train"])
        put("best_test_accuracy", here["test"])
        put("test_accuracy", {**here["test"], **here["final"]})
        put("first_test_accuracy", dict.fromkeys(here["test"], 0.1))
        put("median input_shift", here["moved"])
        for level in LEVELS[:levels]:
            for metric, table in (("effective_beta", "beta"), ("gradient_change", "beta"), ("ics", "ics")):
                scale = wobble * 10.0 ** (level / 2)  # at another loss, everything is another number
                put(f"{metric} at level {level}", {arm: scale * value for arm, value in here[table].items()})
            put(f"ics_cosine at level {level}", here["cosine"])
    return RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, measures=measures)


def _judge(spec: RunSpec | None = None, **changes: Any) -> Verdict:
    spec = spec or _spec()
    return judge(PHENOMENON, spec, _data(spec, **changes))


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


# --- arms and cost ----------------------------------------------------------------------------------------------------


def test_arms_are_plain_at_every_rate_and_batch_norm_at_the_common_one() -> None:
    arms = PHENOMENON.arms_of(_spec())
    names = ["plain-0.03", "plain", "plain-0.3", "plain-noise-0.03", "plain-noise", "noisy", "bn"]
    assert [arm.name for arm in arms] == names
    assert {arm.name: arm.factors["lr"] for arm in arms}["bn"] == 0.1
    assert [kind_of(arm) for arm in arms] == ["plain"] * 3 + ["plain-noise"] * 2 + ["batch-noise", "batch"]
    assert [arm.name for arm in arms if not looked_into(arm)] == ["plain-noise-0.03", "plain-noise"]
    more = PHENOMENON.arms_of(_spec(l1=True, grid="0.1"))
    assert [arm.name for arm in more] == ["plain", "plain-noise", "noisy", "bn", "l1"]
    assert all(kind_of(arm) in KINDS for arm in more)
    linear = PHENOMENON.arms_of(_spec("deep-linear"))
    assert [arm.name for arm in linear] == ["plain-3e-07", "plain", "bn", "l1"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"batch": 1300}, "batch = 1300 is more than the 1200 training samples"),
        ({"model": LINEAR, "n": 0}, "n = 0: inputs of deep-linear are drawn"),
        ({"lr": 0}, "lr = 0 is outside its bounds"),
        ({"model": "vgg"}, "perceptron"),
        ({"grid": "0.03 0.03000001"}, "grid has values that agree in six digits"),
        ({"grid": "0.10000001"}, "grid has values that agree in six digits"),
    ],
)
def test_what_makes_no_sense_is_said_before_launch(values: dict[str, Any], words: str) -> None:
    with pytest.raises(BadValue) as caught:
        PHENOMENON.arms_of(_spec(**values))
    assert words in str(caught.value) or words in str(vars(caught.value))


def test_data_sets_are_taken_or_refused_with_a_reason() -> None:
    assert set(PHENOMENON.data) | set(PHENOMENON.refused) == set(data.DATASETS)


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_is_valid(preset: str) -> None:
    chosen = PHENOMENON.preset(preset)
    spec = _spec(preset, chosen.seeds, chosen.data)
    config, arms = PHENOMENON.config_of(spec), PHENOMENON.arms_of(spec)
    estimate = PHENOMENON.estimate(config, spec)
    assert estimate.members == len(arms) * chosen.seeds
    assert estimate.bytes > 0
    assert judge(PHENOMENON, spec, RunData(spec, arms, spec.seed_list)).status is Status.INCONCLUSIVE
    assert PHENOMENON.figures(RunData(spec, arms, spec.seed_list))
    if preset == "quick":
        assert estimate.seconds < 60
    if preset == "paper":
        assert (config.model, config.depth + 1, config.width, config.lr, config.epochs) == (
            LINEAR,
            25,
            10,
            1e-6,
            10_000,
        )
        assert "Unverified" in chosen.note
        assert "VGG" in chosen.note


def test_the_estimate_grows_with_what_costs() -> None:
    def seconds(seeds: int = 3, **values: Any) -> float:
        spec = _spec(seeds=seeds, **values)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    plain = seconds()
    assert min(seconds(6), seconds(epochs=50), seconds(probes=90), seconds(depth=20), seconds(l1=True)) > plain


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_the_textbook_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert [claim.name for claim in verdict.claims if claim.main] == [NOISE_CLAIM, SMOOTH_CLAIM]
    assert _statuses(verdict) == {
        NOISE_CLAIM: Status.SHOWN,
        SMOOTH_CLAIM: Status.SHOWN,
        PREDICTIVE: Status.SHOWN,
        SHIFT: Status.SHOWN,
        OWN_STEPS: Status.SHOWN,
        NOISE_SHIFT: Status.SHOWN,
        STOPS: Status.NOT_SHOWN,
        BETTER: Status.SHOWN,
    }
    controls = [c.control for claim in verdict.claims for c in claim.criteria if c.control]
    assert controls
    assert not any(control.fired or control.missing for control in controls)
    numbers = {c.name: float(c.value or 0) for claim in verdict.claims for c in claim.criteria}
    (beta,) = [value for name, value in numbers.items() if name.startswith("effective beta, plain over")]
    assert beta == pytest.approx(45 / 12)


def test_the_thresholds_are_where_they_are_said_to_be() -> None:
    assert _statuses(_judge(test={"noisy": 0.961}))[NOISE_CLAIM] is Status.SHOWN
    assert _statuses(_judge(test={"noisy": 0.959}))[NOISE_CLAIM] is Status.NOT_SHOWN
    assert _statuses(_judge(beta={"bn": 22.0}))[SMOOTH_CLAIM] is Status.SHOWN
    assert _statuses(_judge(beta={"bn": 23.0}))[SMOOTH_CLAIM] is Status.NOT_SHOWN
    assert _statuses(_judge(moved={"noisy": 0.1}))[NOISE_CLAIM] is Status.NOT_SHOWN
    assert _statuses(_judge(moved={"noisy": 0.101}))[NOISE_CLAIM] is Status.SHOWN


def test_smoothness_is_compared_at_the_same_loss() -> None:
    """A network that is looked into at lower losses alone has small numbers for that reason: levels must be shared."""
    spec = _spec()
    run_data = _data(spec)
    measures = {name: dict(named) for name, named in run_data.measures.items()}
    for level in LEVELS:
        for metric in ("effective_beta", "gradient_change", "ics", "ics_cosine"):
            for seed in spec.seed_list:
                for arm in ("plain", "plain-0.03", "plain-0.3"):
                    value = measures[f"{metric} at level {level}"].pop((arm, seed))
                    measures.setdefault(f"{metric} at level {level + 9}", {})[arm, seed] = value
    verdict = judge(PHENOMENON, spec, dataclasses.replace(run_data, measures=measures))
    assert _statuses(verdict)[SMOOTH_CLAIM] is Status.INCONCLUSIVE
    assert "levels of loss" in {claim.name: claim for claim in verdict.claims}[SMOOTH_CLAIM].reason
    assert _statuses(_judge(levels=1))[SMOOTH_CLAIM] is Status.INCONCLUSIVE


def test_the_best_learning_rate_is_chosen_by_training_loss() -> None:
    spec = _spec()
    config = PHENOMENON.config_of(spec)
    assert best_plain(config)(_data(spec), 0) == ("plain", 0)
    assert best_plain(config)(_data(spec, loss={"plain-0.03": 0.001}, only=1), 1) == ("plain-0.03", 1)
    diverged = {"plain": math.nan, "plain-0.3": math.nan}
    assert best_plain(config)(_data(spec, loss=diverged), 2) == ("plain-0.03", 2)
    other = _statuses(_judge(loss={"plain-0.03": 0.001}, beta={"plain-0.03": 20.0}))
    assert other[OWN_STEPS] is Status.NOT_SHOWN, "at its best rate, the plain network is as smooth"
    assert other[SMOOTH_CLAIM] is Status.SHOWN, "the rate that is compared at is common"


def test_steps_of_another_length_are_no_smoother_landscape() -> None:
    """Effective beta about one over the step, whatever the network: the side claim's control fires."""
    beta = {"plain-0.03": 1 / 0.03, "plain": 10.0, "plain-0.3": 1 / 0.3, "bn": 10.0}
    verdict = _judge(loss={"plain-0.03": 0.001}, beta=beta)
    assert _statuses(verdict)[SMOOTH_CLAIM] is Status.NOT_SHOWN
    assert _statuses(verdict)[OWN_STEPS] is Status.INCONCLUSIVE
    claims = {claim.name: claim for claim in verdict.claims}
    assert "fired" in claims[OWN_STEPS].reason
    assert not claims[OWN_STEPS].main
    assert "steps of its own" in claims[OWN_STEPS].criteria[0].statement
    assert [c.name for c in claims[SMOOTH_CLAIM].criteria] == ["effective beta, plain over batch norm, at matched loss"]
    assert OWN_STEPS not in _statuses(_judge(_spec(grid="0.1")))


def test_two_equal_networks_do_not_pass_as_a_ratio_by_its_mean() -> None:
    """Ratios of 4 and 1/4 come to 1, not to 2: batch norm that shifts as much is no more, and no less."""
    spec = _spec(seeds=4)
    run_data = _data(spec)
    measures = {name: dict(named) for name, named in run_data.measures.items()}
    for level in LEVELS:
        named = measures[f"ics at level {level}"]
        for seed in spec.seed_list:
            named["bn", seed] = named["plain", seed] * (4.0, 0.24, 1.01, 1.01)[seed]
    verdict = judge(PHENOMENON, spec, dataclasses.replace(run_data, measures=measures))
    change = {claim.name: claim for claim in verdict.claims}[SHIFT].criteria[0]
    assert float(change.value or 0) == pytest.approx((4.0 * 0.24 * 1.01**2) ** 0.25)
    assert change.status == "FAIL"
    assert change.agree == 3
    ratios = [
        c.effect
        for claim in PHENOMENON.claims(PHENOMENON.make_config(), spec)
        for c in claim.criteria
        if c.unit == "times"
    ]
    assert len(ratios) >= 5
    assert all(test.geometric for test in ratios)


def test_two_seeds_differ_in_either_direction() -> None:
    """Each over the next comes back to the first: without the reverse, the mean of such ratios would always be one."""
    spec = _spec()
    found = apart("effective_beta", "bn")(_data(spec, beta={"bn": 0.5}, only=1))
    assert min(found.values()) >= 1
    assert sorted(found.values())[1] > 10
    same = apart("effective_beta", "bn")(_data(spec))
    assert max(same.values()) < 1.5


def test_more_accurate_means_more_than_the_test_set_explains() -> None:
    """Final accuracies, of networks that have both learnt, apart by over two standard errors of the test set."""
    spec = _spec()
    count = sizes(PHENOMENON.config_of(spec), spec)[1]
    verdict = _judge(final={"bn": 0.98, "plain": 0.95})
    share, errors = {claim.name: claim for claim in verdict.claims}[BETTER].criteria
    assert float(share.value or 0) == pytest.approx(0.03)
    assert float(errors.value or 0) == pytest.approx(0.03 / math.sqrt(0.965 * 0.035 / count))
    assert _statuses(_judge(final={"bn": 0.96, "plain": 0.95}))[BETTER] is Status.NOT_SHOWN, "one standard error"
    assert _statuses(_judge(final={"bn": 0.93, "plain": 0.95}))[BETTER] is Status.NOT_SHOWN, "its best was better"
    assert _statuses(_judge(final={"bn": 1.0, "plain": 1.0}))[BETTER] is Status.NOT_SHOWN
    assert _statuses(_judge(train={"plain": 0.5}))[BETTER] is Status.INCONCLUSIVE


def test_the_words_say_that_noise_is_drawn_anew() -> None:
    claims = {claim.name: claim for claim in PHENOMENON.claims(PHENOMENON.make_config(), _spec())}
    for effect in (claims[NOISE_CLAIM].criteria[1].effect, claims[NOISE_SHIFT].criteria[0].effect):
        assert "drawn anew" in effect.name
        assert "drawn anew" in effect.statement
    stops = claims[STOPS].criteria[0].effect
    assert stops.name.endswith("best learning rate up to 0.1")
    figures = {figure.name: figure for figure in PHENOMENON.figures(_data(_spec()))}
    assert all("drawn anew" in figures[name].note for name in ("shift", "cosine", "inputs"))  # type: ignore[union-attr]
    assert len(PHENOMENON.explanation.split()) <= 170


@pytest.mark.parametrize("seed", [None, 2])
def test_networks_that_did_not_train_make_it_unclear(seed: int | None) -> None:
    assert _statuses(_judge(train={"bn": 0.89}, only=seed))[NOISE_CLAIM] is Status.INCONCLUSIVE
    plain = _statuses(_judge(train={"plain": 0.5}, only=seed))
    assert plain[NOISE_CLAIM] is Status.INCONCLUSIVE, "its inputs are compared with those of the plain network"
    assert (plain[SMOOTH_CLAIM], plain[STOPS]) == (Status.INCONCLUSIVE, Status.INCONCLUSIVE)


def test_a_control_that_fires_makes_its_claim_unclear() -> None:
    """Seeds of one network that differ as much as the two kinds do; batch norm that moves the inputs as noise does."""
    assert _statuses(_judge(beta={"bn": 0.5}, only=1))[SMOOTH_CLAIM] is Status.INCONCLUSIVE
    assert _statuses(_judge(moved={"bn": 0.2}))[NOISE_CLAIM] is Status.INCONCLUSIVE
    assert _statuses(_judge(ics={"bn": 0.1}, only=1))[NOISE_SHIFT] is Status.INCONCLUSIVE
    assert _statuses(_judge(train={"noisy": 0.4} | dict.fromkeys(NOISE, 0.3)))[STOPS] is Status.INCONCLUSIVE


def test_noise_that_does_stop_the_plain_network_is_seen() -> None:
    assert _statuses(_judge(train=dict.fromkeys(NOISE, 0.3)))[STOPS] is Status.SHOWN
    assert _statuses(_judge(train=dict.fromkeys(NOISE, math.nan)))[STOPS] is Status.SHOWN


def test_shift_that_batch_norm_lessens_is_seen() -> None:
    assert _statuses(_judge(ics={"bn": 0.7}))[SHIFT] is Status.NOT_SHOWN
    assert _statuses(_judge(cosine={"bn": 0.9}))[SHIFT] is Status.NOT_SHOWN


def test_too_few_seeds_make_it_unclear_and_a_replica_is_judged_by_its_own() -> None:
    assert _judge(_spec(seeds=2)).status is Status.INCONCLUSIVE
    spec = _spec(seeds=6)
    run_data = _data(spec, only=4, train={"bn": 0.5})
    good, bad = run_data.of_seeds(range(3)), run_data.of_seeds(range(3, 6))
    assert judge(PHENOMENON, good.spec, good).status is Status.SHOWN
    assert judge(PHENOMENON, bad.spec, bad).status is Status.INCONCLUSIVE


def test_claims_without_their_arms_are_left_out() -> None:
    spec = dataclasses.replace(_spec(), arms=("bn", "noisy"))
    assert _statuses(judge(PHENOMENON, spec, _data(spec))) == {NOISE_SHIFT: Status.SHOWN}


def test_what_is_judged_at_matched_loss_is_drawn_over_loss() -> None:
    assert (PER_DECADE, LEAST) == (BANDS, IN_BAND)
    figures = {figure.name: figure for figure in PHENOMENON.figures(_data(_spec()))}
    assert set(figures) == {"learning", "accuracy", "shift", "cosine", "smoothness", "predictiveness", "inputs"}
    smooth = figures["smoothness"]
    assert smooth.log_x  # type: ignore[union-attr]
    lines = smooth.lines  # type: ignore[union-attr]
    assert [line.label for line in lines] == ["plain, lr 0.1", "batch norm, then noise", "batch norm"]
    assert lines[0].x == pytest.approx([10 ** ((k + 0.5) / 2) for k in sorted(LEVELS)])
    assert lines[0].y[-1] / lines[2].y[-1] == pytest.approx(45 / 12)
    over_steps = {name for name, figure in figures.items() if figure.x_label == "step"}  # type: ignore[union-attr]
    assert over_steps == {"learning", "inputs"}
    cosine = figures["cosine"].lines  # type: ignore[union-attr]
    assert cosine[0].y == pytest.approx((0.8,) * 4)
    assert set(PHENOMENON.panels) <= set(figures)
    assert len(PHENOMENON.panels) == 4


def test_a_network_that_still_trains_is_drawn_over_loss_too() -> None:
    """Medians at levels of loss come with a run's end: until then, from the probes so far."""
    spec = _spec()

    def curve(*values: float) -> Curve:
        steps = np.arange(len(values), dtype=np.float64)
        return Curve(steps, steps, steps, np.array(values))

    curves = {
        "batch_loss": {("bn", 0): curve(2.0, 1.5, 3.0, 0.5, 0.4, math.nan)},
        "effective_beta": {("bn", 0): curve(1.0, 9.0, 3.0, 7.0, 8.0, 5.0)},
        "ics_cosine": {("bn", 0): curve(0.1, -0.9, -0.3, 0.7, 0.8, 0.5)},
    }
    run_data = RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, curves=curves)
    figures = {figure.name: figure for figure in PHENOMENON.figures(run_data)}
    (smooth,), (cosine,) = (figures[name].lines for name in ("smoothness", "cosine"))  # type: ignore[union-attr]
    assert (smooth.x, smooth.y) == (pytest.approx((10**0.25,)), pytest.approx((3.0,))), "two probes are no level"
    assert cosine.y == pytest.approx((-0.3,))
