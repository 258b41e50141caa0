"""Trained double descent: arms, verdicts on data made to pass, fail and be unclear, what stays quiet."""

from __future__ import annotations

from typing import Any

import pytest

from genlab_tui.errors import BadValue
from genlab_tui.phenomena.double_descent import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, Verdict, judge

WIDTHS = (4, 8, 16, 20, 28, 64, 400)
FIT = (0.30, 0.15, 0.03, 0.005, 0.0, 0.0, 0.0)
NOISY = (0.28, 0.16, 0.24, 0.25, 0.22, 0.18, 0.12)
CLEAN = (0.20, 0.10, 0.06, 0.05, 0.045, 0.03, 0.02)


def _spec(seeds: int = 4, **values: Any) -> RunSpec:
    hidden = " ".join(map(str, WIDTHS))
    config = config_values(PHENOMENON.make_config("network", {"hidden": hidden, **values}))
    return RunSpec("00000001", "double-descent", config, data="digits", seeds=seeds)


def _data(spec: RunSpec, noisy: Any = NOISY, clean: Any = CLEAN, fit: Any = FIT, only: int | None = None) -> RunData:
    """Return the run with these test errors; with `only`, that seed alone differs from the textbook."""
    error: dict[tuple[str, int], float] = {}
    accuracy: dict[tuple[str, int], float] = {}
    for seed in spec.seed_list:
        own = only is None or seed == only
        rows = {"noise": noisy if own else NOISY, "clean": clean if own else CLEAN}
        for kind, row in rows.items():
            for h, value, trained in zip(WIDTHS, row, fit, strict=True):
                error[f"{kind}-{h}", seed] = value
                accuracy[f"{kind}-{h}", seed] = 1 - trained
    return RunData(
        spec,
        PHENOMENON.arms_of(spec),
        spec.seed_list,
        measures={"test_error": error, "train_accuracy": accuracy, "test_loss": error},
    )


def _judge(spec: RunSpec | None = None, **changes: Any) -> Verdict:
    spec = spec or _spec()
    return judge(PHENOMENON, spec, _data(spec, **changes))


def test_the_textbook_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert [claim.status for claim in verdict.claims] == [Status.SHOWN, Status.SHOWN]
    assert [claim.main for claim in verdict.claims] == [True, False]


def test_clean_labels_are_a_control_of_every_width() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [a.name for a in arms if a.control] == [f"clean-{h}" for h in WIDTHS]
    assert [a.name for a in arms if not a.control] == [f"noise-{h}" for h in WIDTHS]


@pytest.mark.parametrize(
    "noisy",
    [
        (0.28, 0.16, 0.18, 0.19, 0.18, 0.15, 0.12),
        (0.28, 0.16, 0.24, 0.25, 0.24, 0.23, 0.22),
        (0.28, 0.16, 0.17, 0.18, 0.19, 0.30, 0.12),
        (0.28, 0.27, 0.26, 0.25, 0.24, 0.20, 0.12),
    ],
    ids=["rises too little", "falls too little", "peaks elsewhere", "never rises"],
)
def test_what_is_no_double_descent_is_not_shown(noisy: tuple[float, ...]) -> None:
    assert _judge(noisy=noisy).status is Status.NOT_SHOWN


def test_one_seed_without_the_rise_is_enough() -> None:
    flat = (0.28, 0.16, 0.16, 0.17, 0.16, 0.15, 0.12)
    assert _judge(noisy=flat, only=2).status is Status.NOT_SHOWN


def test_a_control_that_peaks_makes_it_unclear() -> None:
    """In any seed by more than three points, or on the mean by more than one."""
    peaked = (0.20, 0.05, 0.06, 0.09, 0.06, 0.03, 0.02)
    assert _judge(clean=peaked).status is Status.INCONCLUSIVE
    assert _judge(clean=peaked, only=3).status is Status.INCONCLUSIVE
    slightly = (0.20, 0.05, 0.06, 0.065, 0.06, 0.03, 0.02)
    assert _judge(clean=slightly).status is Status.INCONCLUSIVE
    assert _judge(clean=slightly, only=3).status is Status.SHOWN, "half a point on the mean"


def test_widths_that_do_not_reach_the_threshold_make_it_unclear() -> None:
    assert _judge(fit=(0.3, 0.2, 0.15, 0.1, 0.08, 0.05, 0.02)).status is Status.INCONCLUSIVE
    assert _judge(fit=(0.005, 0, 0, 0, 0, 0, 0)).status is Status.INCONCLUSIVE


def test_too_few_seeds_make_it_unclear() -> None:
    assert _judge(_spec(seeds=2)).status is Status.INCONCLUSIVE


def test_a_second_descent_that_ends_higher_is_said_apart() -> None:
    verdict = _judge(noisy=(0.28, 0.16, 0.24, 0.28, 0.22, 0.18, 0.17))
    assert verdict.status is Status.SHOWN
    assert verdict.claims[1].status is Status.NOT_SHOWN


def test_half_of_the_data_does_not_break_figures_or_verdict() -> None:
    spec = _spec()
    empty = RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list)
    assert judge(PHENOMENON, spec, empty).status is Status.INCONCLUSIVE
    assert [len(f.lines) for f in PHENOMENON.figures(empty)] == [0, 0, 0]
    full = PHENOMENON.figures(_data(spec))
    assert [len(f.lines) for f in full] == [2, 2, 2]
    assert any(r.value == 20 and r.axis == "x" for r in full[0].references)


def test_the_count_of_equations_is_drawn_for_squared_loss_alone() -> None:
    spec = _spec(loss="squared")
    labels = [r.label for r in PHENOMENON.figures(_data(spec))[0].references]
    assert any("parameters = n x classes" in label for label in labels)
    labels = [r.label for r in PHENOMENON.figures(_data(_spec()))[0].references]
    assert not any("parameters" in label for label in labels)


def test_random_features_know_weight_decay_alone() -> None:
    config = config_values(PHENOMENON.make_config("quick"))
    spec = RunSpec("00000001", "double-descent", config, data="digits", regularisers={"dropout": 0.5})
    with pytest.raises(BadValue, match="weight decay alone"):
        PHENOMENON.arms_of(spec)
    assert PHENOMENON.changeable(spec) == ()
    assert "dropout" in PHENOMENON.changeable(_spec())


def test_the_estimate_counts_every_network() -> None:
    spec = _spec(seeds=3)
    cost = PHENOMENON.estimate(PHENOMENON.config_of(spec), spec)
    assert cost.members == 2 * len(WIDTHS) * 3
    assert cost.seconds > 0
    assert cost.bytes > 0
