"""Expressivity really built: the theorem with its controls, a stop in the middle, equal inputs, what must not leak."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genlab_tui import data
from genlab_tui.data import Arrays
from genlab_tui.figure import Figure
from genlab_tui.phenomena.expressivity import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.verdict import Status, Verdict, judge

FEW: dict[str, Any] = {"values": {"sizes": "100 300 1000", "directions": 8}, "seeds": 3, "first_seed": 8100}
MAIN = "2n + d weights fit any n points"


def _judged(run_data: RunData) -> Verdict:
    return judge(PHENOMENON, run_data.spec, run_data)


def test_the_theorem_holds_and_its_controls_do_not(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, **FEW)
    verdict = _judged(run_data)
    assert verdict.status is Status.SHOWN
    main = verdict.claims[0]
    assert main.name == MAIN
    assert [c.control is not None and c.control.fired for c in main.criteria] == [False] * 5
    for seed in (8100, 8101, 8102):
        counted = run_data.curves["weights"]["gaussian", seed]
        assert counted.value.tolist() == [2 * n + 50 for n in counted.step.tolist()]
        assert run_data.curves["weights"]["real-true", seed].value[-1] == 2 * 1000 + 64
        assert run_data.curves["error"]["float32", seed].value[-1] > 1e-3
        assert run_data.curves["error"]["half", seed].value[0] > 0.1
    assert all(value == 1.0 for value in run_data.measure("train_accuracy", "real-true").values())
    assert run_data.progress is not None
    assert run_data.progress.done == pytest.approx(1.0)
    lines = {f.name: len(f.lines) for f in PHENOMENON.figures(run_data) if isinstance(f, Figure)}
    assert lines == {"error": 7, "test": 3, "weights": 5, "condition": 4, "count": 4}


@pytest.mark.parametrize("stop", [1, 5, 8])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], stop: int
) -> None:
    fields: dict[str, Any] = {"values": {"sizes": "50 100 200"}, "seeds": 2, "first_seed": 8100}
    whole = make_context(PHENOMENON, **fields)
    expected = whole.run(PHENOMENON)
    assert whole.polls == 2 * 2 * 3
    stopped = make_context(PHENOMENON, stop_after=stop, **fields)
    stopped.run(PHENOMENON)
    stopped.stop_after = -1
    before = stopped.polls
    resumed = stopped.run(PHENOMENON)
    assert stopped.polls - before == whole.polls - stop, "what is finished is not built again"
    assert resumed.measures == expected.measures
    for metric, members in expected.curves.items():
        for member, curve in members.items():
            assert np.array_equal(resumed.curves[metric][member].value, curve.value, equal_nan=True), (metric, member)


def test_a_member_depends_on_its_own_seed_alone(run_phenomenon: Callable[..., RunData]) -> None:
    values = {"sizes": "50 100"}
    both = run_phenomenon(PHENOMENON, values=values, seeds=2, first_seed=11)
    alone = run_phenomenon(PHENOMENON, values=values, seeds=1, first_seed=12, arms=("gaussian", "real-random"))
    for name in ("error", "largest_weight", "disagreement"):
        for arm in ("gaussian", "real-random"):
            assert both.measures[name][arm, 12] == alone.measures[name][arm, 12]


def test_equal_inputs_with_different_labels_are_named_and_equal_ones_with_one_label_are_one_point(
    run_phenomenon: Callable[..., RunData], monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    x = np.repeat(random.standard_normal((150, 6)).astype(np.float32), 2, axis=0)
    same = np.repeat(random.integers(0, 10, 150), 2)
    new = random.standard_normal((40, 6)).astype(np.float32), random.integers(0, 10, 40)

    def load(y: Any) -> RunData:
        monkeypatch.setattr(data, "load", lambda *_: Arrays(x, y, *new, classes=10, shape=(6,)))
        arms = ("real-random", "real-true", "real-half", "neighbour")
        values = {"sizes": "100 1000"}
        return run_phenomenon(PHENOMENON, values=values, seeds=3, first_seed=8100, arms=arms)

    one = load(same)
    assert one.curves["weights"]["real-true", 8100].step.tolist() == [100, 150], "the copies are no points"
    assert one.measure("train_accuracy", "real-true") == {8100: 1.0, 8101: 1.0, 8102: 1.0}
    other = same.copy()
    other[0] = (other[1] + 1) % 10
    torn = load(other)
    assert any("more than one label" in log.text and log.level == "warning" for log in torn.logs)
    statuses = {claim.name: claim for claim in _judged(torn).claims}
    assert statuses["the points themselves know more"].status is Status.INCONCLUSIVE
    assert "more than one label" in statuses["the points themselves know more"].reason
    assert torn.measure("train_accuracy", "real-random") == {8100: 1.0, 8101: 1.0, 8102: 1.0}


@pytest.mark.parametrize("name", ["mnist1d", "fashion-mnist"])
def test_other_data_sets_show_it_too(name: str, run_phenomenon: Callable[..., RunData]) -> None:
    if not data.locate(name, Path("/nowhere")).present:
        pytest.skip(f"{name} is not on this machine")
    verdict = _judged(run_phenomenon(PHENOMENON, data=name, **FEW))
    assert verdict.status is Status.SHOWN


@pytest.mark.full
def test_the_quick_preset_is_shown_and_says_that_it_beats_guessing(run_phenomenon: Callable[..., RunData]) -> None:
    verdict = _judged(run_phenomenon(PHENOMENON, first_seed=8100))
    assert verdict.status is Status.SHOWN
    statuses = {claim.name: claim.status for claim in verdict.claims}
    assert statuses["the points themselves know more"] is Status.SHOWN
    assert statuses["the Lipschitz constant explodes"] is Status.SHOWN
