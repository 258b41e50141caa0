"""The declaration of double descent: grid, arms, criteria on data made to pass, fail and be unclear, figures."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure
from genlab_tui.phenomena.double_descent import PHENOMENON, Config, grid
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData, RunDataBuilder
from genlab_tui.verdict import Status, Verdict, judge

GOOD = {
    "peak_offset": 0.0,
    "peak_ratio": 120.0,
    "fall": 0.003,
    "norm_offset": 0.0,
    "train_mse_above": 1e-26,
    "span": 16.7,
    "second_descent": 0.43,
    "error_gain": 0.04,
    "threshold_ratio": 120.0,
}
RIDGE = {**GOOD, "peak_ratio": 2.0, "threshold_ratio": 0.98, "train_mse_above": 0.2}


def _spec(data_set: str = "digits", seeds: int = 3, arms: tuple[str, ...] = (), **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config("quick", values))
    return RunSpec("00000001", "double-descent", config, data=data_set, seeds=seeds, arms=arms)


def _measured(spec: RunSpec, **changes: dict[str, float]) -> RunData:
    """Return run data where every arm has the numbers of a textbook run, changed per arm as given."""
    arms = PHENOMENON.arms_of(spec)
    measures: dict[str, dict[tuple[str, int], float]] = {}
    for arm in arms:
        numbers = {**(RIDGE if arm.control else GOOD), **changes.get(arm.name.replace("-", "_"), {})}
        for name, value in numbers.items():
            measures.setdefault(name, {}).update({(arm.name, seed): value for seed in spec.seed_list})
    return RunData(spec, arms, spec.seed_list, measures=measures)


def _judge(spec: RunSpec, **changes: dict[str, float]) -> Verdict:
    return judge(PHENOMENON, spec, _measured(spec, **changes))


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


CLEAN = "peak at the interpolation threshold, clean labels"
NOISY = "peak at the interpolation threshold, noisy labels"


def test_the_grid_has_the_threshold_and_its_neighbours_within_seven_percent() -> None:
    widths = grid(Config())
    assert widths == tuple(sorted(set(widths)))
    assert {279, 300, 321} <= set(widths)
    assert (widths[0], widths[-1]) == (10, 5000)
    for n in range(20, 2000, 7):
        near = [w for w in grid(Config(n=n, widths=(1, 10 * n))) if w not in (1, 10 * n)]
        assert near[0] < n == near[1] < near[2]
        assert abs(near[0] - n) <= 0.07 * n
        assert abs(near[2] - n) <= 0.07 * n


def test_arms_follow_the_noise_and_ridge_is_the_control() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [(arm.name, arm.control) for arm in arms] == [
        ("clean", False),
        ("noise", False),
        ("ridge", True),
        ("ridge-noise", True),
    ]
    assert [arm.factors["noise"] for arm in arms] == [0.0, 0.2, 0.0, 0.2]
    assert [arm.name for arm in PHENOMENON.arms_of(_spec(noise=0.0))] == ["clean", "ridge"]


def test_a_split_that_does_not_fit_is_said_before_launch() -> None:
    with pytest.raises(BadValue, match="1200 training samples of digits") as caught:
        PHENOMENON.arms_of(_spec(n=1000))
    assert caught.value.hint == "n at most 900"


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_fits_its_data_set_and_has_an_estimate(preset: str) -> None:
    chosen = PHENOMENON.preset(preset)
    config = PHENOMENON.make_config(preset)
    spec = dataclasses.replace(_spec(chosen.data, chosen.seeds), config=config_values(config), preset=preset)
    arms = PHENOMENON.arms_of(spec)
    estimate = PHENOMENON.estimate(config, spec)
    if config.sweep != "ensemble":  # where several networks make an arm
        assert estimate.members == len(arms) * chosen.seeds
    assert chosen.seeds >= 3
    if config.model == "random features":
        assert max(grid(config)) >= 2 * (config.n if config.sweep == "width" else config.size)
    if preset == "quick":
        assert estimate.seconds < 40
    if preset == "paper":
        assert (config.features, config.sigma, config.n, config.noise, chosen.data) == (
            *("fourier", 5.0, 10_000, 0.0, "mnist"),
        )
        assert estimate.seconds > 3600, "the estimate is honest: hours"
        assert estimate.bytes > 1e10
        assert "Unverified" in chosen.note


def test_the_data_sets_are_declared_ones() -> None:
    assert set(PHENOMENON.data) <= set(data.DATASETS)
    assert {"digits", "mnist1d", "fashion-mnist"} <= set(PHENOMENON.data)


def test_a_textbook_run_is_shown() -> None:
    verdict = _judge(_spec())
    assert verdict.status is Status.SHOWN
    assert set(_statuses(verdict).values()) == {Status.SHOWN}
    assert len([claim for claim in verdict.claims if claim.main]) == 2


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("peak_offset", 0.08),
        ("peak_ratio", 9.0),
        ("fall", 0.11),
        ("norm_offset", 0.5),
        ("train_mse_above", 1e-8),
    ],
)
def test_each_criterion_can_fail_alone(number: str, value: float) -> None:
    verdict = _judge(_spec(), clean={number: value})
    assert _statuses(verdict)[CLEAN] is Status.NOT_SHOWN
    assert _statuses(verdict)[NOISY] is Status.SHOWN
    assert verdict.status is Status.NOT_SHOWN


def test_one_seed_without_a_peak_is_enough_to_fail() -> None:
    spec = _spec(seeds=5)
    run_data = _measured(spec)
    run_data.measures["peak_ratio"]["clean", 4] = 3.0  # type: ignore[index]
    claim = judge(PHENOMENON, spec, run_data).claims[0]
    height = next(c for c in claim.criteria if "first minimum" in c.name)
    assert height.value == 120.0, "the median of the seeds is what is reported"
    assert claim.status is Status.NOT_SHOWN


def test_the_median_is_reported_because_one_seed_can_be_huge() -> None:
    spec = _spec(seeds=3)
    run_data = _measured(spec)
    run_data.measures["peak_ratio"]["clean", 2] = 1e6  # type: ignore[index]
    height = next(c for c in judge(PHENOMENON, spec, run_data).claims[0].criteria if "first minimum" in c.name)
    assert height.value == 120.0


def test_a_ridge_that_peaks_too_makes_the_claim_inconclusive() -> None:
    verdict = _judge(_spec(), ridge={"threshold_ratio": 1.2})
    claim = verdict.claims[0]
    assert claim.status is Status.INCONCLUSIVE
    assert "tuned ridge" in claim.reason
    assert _statuses(verdict)[NOISY] is Status.SHOWN, "the noisy labels have a control of their own"
    quiet = _judge(_spec(), ridge={"threshold_ratio": 1.1})
    assert _statuses(quiet)[CLEAN] is Status.SHOWN, "1.1 itself is allowed"


def test_widths_that_do_not_span_the_threshold_are_inconclusive() -> None:
    verdict = _judge(_spec(), clean={"span": 1.5}, noise={"span": 1.5})
    assert verdict.status is Status.INCONCLUSIVE
    assert "precondition" in verdict.claims[0].reason


def test_two_seeds_are_inconclusive() -> None:
    assert _judge(_spec(seeds=2)).status is Status.INCONCLUSIVE


def test_the_second_descent_is_a_side_claim_that_noise_may_lose() -> None:
    verdict = _judge(_spec(), noise={"second_descent": 1.04, "error_gain": -0.03})
    statuses = _statuses(verdict)
    assert verdict.status is Status.SHOWN
    assert statuses["second descent beats the first minimum, clean labels, MSE"] is Status.SHOWN
    assert statuses["second descent beats the first minimum, noisy labels, MSE"] is Status.NOT_SHOWN
    assert statuses["second descent beats the first minimum, noisy labels, error"] is Status.NOT_SHOWN


def test_arms_that_were_not_launched_leave_their_claims_out() -> None:
    verdict = _judge(_spec(arms=("clean", "ridge")))
    assert verdict.status is Status.SHOWN
    assert all("clean" in name for name in _statuses(verdict))
    assert "noisy labels" in verdict.scope


def test_published_numbers_are_only_what_the_paper_states() -> None:
    config = Config()
    published = {c.published for claim in PHENOMENON.claims(config, _spec()) for c in claim.criteria}
    assert published == {None, "peak at N = n", "both peak at N = n"}


def test_figures_of_nothing_have_no_lines_and_say_where_the_threshold_is() -> None:
    spec = _spec()
    drawn = PHENOMENON.figures(RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list))
    assert [figure.name for figure in drawn] == ["risk", "error", "norm", "fit"]
    for figure in drawn:
        assert isinstance(figure, Figure)
        assert figure.lines == ()
        assert figure.log_x
        assert (figure.references[0].value, figure.references[0].axis) == (300.0, "x")


def test_figures_grow_with_seeds_that_are_still_solving() -> None:
    spec = _spec()
    arms = PHENOMENON.arms_of(spec)
    builder = RunDataBuilder(spec, arms)
    for seed, widths in ((0, (10, 300, 5000)), (1, (10, 300)), (2, (10,))):
        builder.feed(ev.Cohort(id=f"seed {seed}", members=tuple((arm.name, seed) for arm in arms)))
        for width in widths:
            values = tuple(float(width * (seed + 1) * (i + 1)) for i in range(len(arms)))
            builder.feed(ev.Curve(cohort=f"seed {seed}", metric="test_mse", step=width, values=values))
    risk, *rest = PHENOMENON.figures(builder.snapshot())
    assert isinstance(risk, Figure)
    assert [line.label for line in risk.lines] == [arm.title for arm in arms]
    line = risk.lines[0]
    assert line.x == (10, 300, 5000)
    assert line.y == (20, 450, 5000), "the median of the seeds that are there"
    assert line.low == (10, 300, 5000)
    assert line.high == (30, 600, 5000)
    assert line.n == (3, 2, 1)
    assert all(figure.lines == () for figure in rest if isinstance(figure, Figure))
