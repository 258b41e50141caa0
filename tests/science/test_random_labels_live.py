"""Random labels really learnt by heart, in the lab's own way: the arms as launched, judged by the declared claims."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genlab_tui import data
from genlab_tui.phenomena._random_labels.claims import NEAR_CHANCE, UNCHANGED
from genlab_tui.phenomena._random_labels.config import FITTED, FRESH
from genlab_tui.phenomena.random_labels import PHENOMENON
from genlab_tui.phenomenon import Arm
from genlab_tui.rundata import RunData
from genlab_tui.training.conditions import randomised
from genlab_tui.training.members import Recipe
from genlab_tui.training.state import State
from genlab_tui.training.train import train
from genlab_tui.verdict import Status, judge

SEEDS = 5
SMALL: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 300, "network": "mlp-1x512", "batch": 50, "epochs": 150},
    "arms": ("true", "random", "gaussian", FRESH),
    "first_seed": 7000,  # seeds that no pilot used
}


def _mean(run_data: RunData, name: str, arm: str) -> float:
    found = run_data.measure(name, arm)
    assert len(found) == len(run_data.seeds)
    return sum(found.values()) / len(found)


def test_digits_with_random_labels_are_learnt_by_heart(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, seeds=SEEDS, **SMALL)

    for arm in ("true", "random", "gaussian"):
        assert min(run_data.measure("train_accuracy", arm).values()) >= FITTED, arm
    assert _mean(run_data, "test_accuracy", "true") > 0.85
    assert abs(_mean(run_data, "test_accuracy", "random") - 0.1) <= NEAR_CHANCE
    assert abs(_mean(run_data, "test_accuracy", "gaussian") - 0.1) <= 0.05
    true, random = run_data.measure("steps_to_fit", "true"), run_data.measure("steps_to_fit", "random")
    assert all(1 < random[seed] / true[seed] <= 8 for seed in run_data.seeds)

    verdict = judge(PHENOMENON, run_data.spec, run_data)
    claims = {claim.name: claim for claim in verdict.claims}
    assert claims["fits noise"].status is Status.SHOWN
    assert claims["small constant slowdown"].status is Status.SHOWN
    assert verdict.status is Status.SHOWN
    (control,) = [c.control for c in claims["fits noise"].criteria if c.control]
    assert not control.fired
    assert not control.missing
    assert float(control.value or 9) <= 0.125
    assert len(control.seeds) == SEEDS
    assert "graded" in verdict.scope

    ends = {(mark.arm, mark.text) for mark in run_data.marks}
    assert ends == {
        ("true", "fitted its training set"),
        ("random", "fitted its training set"),
        ("gaussian", "fitted its training set"),
        (FRESH, "ended with its partner"),
    }
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)
    for metric in PHENOMENON.metrics:
        assert len(run_data.curves[metric.name]) == 4 * SEEDS
    learning, slowdown, error = PHENOMENON.figures(run_data)
    assert [len(figure.lines) for figure in (learning, slowdown, error)] == [4, 2, 2]  # type: ignore[union-attr]


def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(make_context: Callable[..., Any]) -> None:
    """Through the phenomenon and its stage: what a resumed run measured is what it would have measured."""
    small = SMALL | {"values": {"n": 100, "network": "mlp-1x512", "epochs": 60}, "seeds": 2}
    whole = make_context(PHENOMENON, **small)
    expected = whole.run(PHENOMENON)
    stopped = make_context(PHENOMENON, stop_after=9, **small)
    part = stopped.run(PHENOMENON)
    assert not part.stages
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    assert resumed.begin is not None
    assert resumed.begin.resume_step == 10
    assert resumed.stages == expected.stages
    assert repr(resumed.measures) == repr(expected.measures)  # there are NaN among them
    assert {(m.arm, m.seed, m.step, m.text) for m in resumed.marks} == {
        (m.arm, m.seed, m.step, m.text) for m in expected.marks
    }
    for metric, by_member in expected.curves.items():
        for member, curve in by_member.items():
            again = resumed.curves[metric][member]
            assert again.step.tolist() == curve.step.tolist()
            assert again.value.tobytes() == curve.value.tobytes(), (metric, member)


def test_shuffled_pixels_change_nothing_for_a_perceptron_and_hurt_a_convolutional_net(
    make_context: Callable[..., Any], science_data: Path
) -> None:
    """One permutation of all pixels: the very same perceptron with its first layer permuted, another convolution."""
    arrays = data.load("mnist1d", science_data)
    arms = (Arm("true", factors={"corruption": 0.0}), Arm("shuffled-pixels", factors={"corruption": 0.0}))
    seeds = (7000, 7001, 7002)
    members, samples = randomised(arrays, arms, seeds, n=800, n_test=1000)
    gaps = {}
    for kind, recipe in {
        "perceptron": Recipe(hidden=(128,), epochs=30, batch=50),
        "convolutional": Recipe(network="cnn-1d", lr=3e-3, epochs=15, batch=50),
    }.items():
        context = make_context(PHENOMENON)
        ended: list[State] = []

        def body(recipe: Recipe = recipe, context: Any = context, ended: list[State] = ended) -> Any:
            ended.append((yield from train(members, samples, recipe, context, cohort="all")))

        for _ in context.stage(kind, body):
            pass
        found = {(members[i].arm, members[i].seed): o.values["test_accuracy"] for i, o in ended[0].outcomes.items()}
        gaps[kind] = [found["true", seed] - found["shuffled-pixels", seed] for seed in seeds]
    assert abs(sum(gaps["perceptron"]) / len(seeds)) <= UNCHANGED
    assert min(gaps["convolutional"]) > UNCHANGED, gaps
