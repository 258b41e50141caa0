"""Saddle points: critical points known in closed form, the arms, verdicts on made data, the pitfalls."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure
from genlab_tui.phenomena._saddle_points import config as fields
from genlab_tui.phenomena._saddle_points.config import CONVEX, NETWORK
from genlab_tui.phenomena._saddle_points.numbers import measures, thirds
from genlab_tui.phenomena.saddle_points import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training import seeds
from genlab_tui.training.critical_points import CriticalPoint, Problem, Search, begin_at, characterise
from genlab_tui.training.nets import Net
from genlab_tui.verdict import Status, Verdict, judge

HIGH, LOW = "critical points of high loss are saddles", "the minima are all low"


def _spec(data_set: str = "digits", seeds_: int = 3, **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config("quick", values))
    return RunSpec("00000001", "saddle-points", config, data=data_set, seeds=seeds_)


# --- the searches -----------------------------------------------------------------------------------------------------


def _quartic(flat: torch.Tensor) -> torch.Tensor:
    """The sum of x^4 / 4 - x^2 / 2 over coordinates: each is critical at -1, 0 and 1, and a maximum at 0."""
    return (flat**4 / 4 - flat**2 / 2).sum(dim=1)


def _searched(flat: torch.Tensor, steps: int = 60) -> Search:
    search = Search(_quartic, flat, longest=0.2, tolerance=1e-12)
    for _ in range(steps):
        search.step()
    return search


def test_all_critical_points_of_a_known_loss_are_found_with_their_loss_and_index() -> None:
    start = 1.2 * torch.randn(400, 3, generator=seeds.generator(1, "start"), dtype=torch.float64)
    search = _searched(start)
    assert search.found.double().mean() > 0.95
    places = search.flat[search.found]
    torch.testing.assert_close(places, places.round(), atol=1e-9, rtol=0)
    points = characterise(_quartic, places)
    found = [(round(p.loss, 9) + 0.0, round(p.index * 3)) for p in points]
    assert found == [(-0.75, 0), (-0.5, 1), (-0.25, 2), (0.0, 3)]


def test_steps_are_short_and_who_has_arrived_rests() -> None:
    start = torch.tensor([[0.99, 1.01], [0.61, 0.3]], dtype=torch.float64)
    search = Search(_quartic, start, longest=0.05, tolerance=1e-12)
    search.step()
    assert bool(((search.flat - start).norm(dim=1) <= 0.05 + 1e-12).all())
    for _ in range(10):
        search.step()
    first = search.flat[0].clone()
    assert bool(search.found[0])
    search.step()
    assert torch.equal(search.flat[0], first)


def test_a_search_that_is_lost_does_not_stop_the_others() -> None:
    start = torch.tensor([[math.nan, 1.0], [0.9, 0.9]], dtype=torch.float64)
    search = _searched(start, 10)
    assert search.found.tolist() == [False, True]
    assert search.searching == 0


def test_a_search_goes_on_from_its_checkpoint_as_if_it_had_never_stopped() -> None:
    start = torch.randn(20, 3, generator=seeds.generator(2, "start"), dtype=torch.float64)
    whole, part = _searched(start, 12), _searched(start, 5)
    again = Search(_quartic, start, longest=0.2, tolerance=1e-12)
    again.restore(part.arrays(), part.steps)
    while again.steps < 12:
        again.step()
    assert torch.equal(again.flat, whole.flat)


def test_a_convex_loss_has_one_critical_point_from_everywhere_the_ridge_solution() -> None:
    source = seeds.generator(3, "ridge")
    x = torch.randn(50, 4, generator=source, dtype=torch.float64)
    t = torch.randn(50, 2, generator=source, dtype=torch.float64)
    problem = Problem(Net((4, 2), "tanh"), x, t, 0.1)
    search = Search(problem.loss, begin_at(problem, [1, 2, 3], 20, 0.02), 0.5, 1e-10)
    while search.searching and search.steps < 100:
        search.step()
    points = characterise(problem.loss, search.flat[search.found])
    assert len(points) == 1
    assert points[0].index == 0
    wide = torch.cat([x, torch.ones(50, 1, dtype=torch.float64)], dim=1)
    solved = torch.linalg.solve(wide.T @ wide / 50 + 0.1 * torch.eye(5, dtype=torch.float64), wide.T @ t / 50)
    expected = (wide @ solved - t).square().sum(1).mean() / 2 + 0.05 * solved.square().sum()
    assert points[0].loss == pytest.approx(expected.item(), rel=1e-9)


def test_searches_begin_along_trainings_from_high_to_low() -> None:
    source = seeds.generator(3, "begin")
    x = torch.randn(50, 4, generator=source, dtype=torch.float64)
    t = torch.tanh(x[:, :2])
    problem = Problem(Net((4, 6, 2), "tanh"), x, t, 0.0)
    own = [seeds.stream(1, "search", k) for k in range(8)]
    start = begin_at(problem, own, 200, 0.02)
    losses = problem.loss(start)
    assert losses[-1] < 0.2 * losses[0]
    alone = begin_at(problem, own[-1:], 1, 0.02)  # one step of its own training
    assert not torch.equal(alone[0], start[-1])
    polled: list[int] = []
    again = begin_at(problem, own, 200, 0.02, lambda: polled.append(1))
    torch.testing.assert_close(again, start, rtol=0, atol=0)
    assert len(polled) == 200, "a stop is obeyed in training too"


# --- numbers ----------------------------------------------------------------------------------------------------------


def _points(*pairs: tuple[float, float]) -> list[CriticalPoint]:
    return [CriticalPoint(loss, index, (index, 1.0, 2.0)) for loss, index in pairs]


def test_measures_of_made_points() -> None:
    found = measures(_points((1.0, 0.0), (2.0, 0.1), (3.0, 0.0), (4.0, 0.3), (5.0, 0.4)), 7)
    assert found["points"] == 5
    assert found["saddles"] == pytest.approx(2 / 3)  # of 3, 4 and 5
    assert found["highest_minimum"] == pytest.approx(0.5)
    assert found["correlation"] == pytest.approx(np.corrcoef([1, 2, 3, 4, 5], [0.0, 0.1, 0.0, 0.3, 0.4])[0, 1])
    assert found["largest_index"] == 0.4
    one = measures(_points((1.0, 0.0)), 7)
    assert math.isnan(one["correlation"])
    assert one["saddles"] == 0
    none = measures([], 7)
    assert none["points"] == 0
    assert math.isnan(none["saddles"])


def test_thirds_of_few_points_leave_gaps() -> None:
    rows = thirds(_points((1.0, 0.0), (2.0, 0.5)))
    assert rows[0][0] == 0.0
    assert rows[1][0] == 0.5
    assert all(math.isnan(v) for v in rows[2])


# --- plan and refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "data_set", "words"),
    [
        ({"hidden": 50, "inputs": 20}, "digits", "nearest valid value: 23"),
        ({"inputs": 65, "hidden": 2}, "digits", "there are 64"),
        ({"inputs": 30, "n": 20, "hidden": 2}, "digits", "there are 19"),
        ({"n": 90_000}, "digits", f"nearest valid value: {data.DATASETS['digits'].train}"),
    ],
)
def test_what_does_not_fit_is_named(values: dict[str, Any], data_set: str, words: str) -> None:
    spec = _spec(data_set, **values)
    with pytest.raises(BadValue) as caught:
        PHENOMENON.arms_of(spec)
    assert words in f"{caught.value} {caught.value.hint}"


def test_too_few_samples_of_the_classes_are_named() -> None:
    from pathlib import Path

    from genlab_tui.data import load

    config = PHENOMENON.make_config("quick", {"classes": 2, "n": 900})
    with pytest.raises(BadValue, match="the first 2 classes have"):
        fields.problem(config, NETWORK, load("digits", Path()), 1)


def test_components_that_no_sample_has_are_refused() -> None:
    """Beyond the rank of the samples spreads are rounding, and dividing by them makes inputs of noise."""
    three = torch.randn(120, 3, generator=seeds.generator(4, "rank"))
    x = torch.cat([three, three, torch.ones(120, 3)], dim=1).numpy()
    arrays = data.Arrays(x, np.arange(120) % 4, x[:8], np.arange(8) % 4, 4, (9,))
    config = PHENOMENON.make_config("quick", {"n": 100, "inputs": 3})
    assert fields.problem(config, NETWORK, arrays, 1).x.shape == (100, 3)
    with pytest.raises(BadValue, match=r"inputs = 4 .* vary in 3") as caught:
        fields.problem(dataclasses.replace(config, inputs=4), NETWORK, arrays, 1)
    assert caught.value.hint == "nearest valid value: 3"


def test_a_seed_draws_its_samples_and_both_arms_get_the_same() -> None:
    from pathlib import Path

    from genlab_tui.data import load

    config = PHENOMENON.make_config("quick", {})
    arrays = load("digits", Path())
    first, same, other = (fields.problem(config, arm, arrays, seed) for arm, seed in
                          ((NETWORK, 1), (CONVEX, 1), (NETWORK, 2)))  # fmt: skip
    assert torch.equal(first.x, same.x)
    assert not torch.equal(first.x, other.x)
    assert first.x.std(dim=0, correction=0).tolist() == pytest.approx([1.0] * config.inputs)
    assert first.targets.sum(dim=1).tolist() == [1.0] * config.n
    assert first.net.size == fields.numbers(config)


# --- verdicts ---------------------------------------------------------------------------------------------------------

GOOD = {"points": 20.0, "correlation": 0.9, "shuffled": 0.1, "saddles": 1.0, "highest_minimum": 0.05}


def _verdict(
    network: dict[str, float] | None = None, convex: float = 0.0, minima: int = 3, **one_seed: float
) -> Verdict:
    spec = _spec()
    numbers = GOOD | (network or {})
    tables: dict[str, dict[tuple[str, int], float]] = {
        name: {(NETWORK, seed): value for seed in range(3)} for name, value in numbers.items()
    }
    for name, value in one_seed.items():
        tables[name][NETWORK, 1] = value
    for seed in range(3):
        tables["saddles"][CONVEX, seed] = convex
    index = (0.0,) * minima + (0.2, 0.3)
    ticks = tuple(str(k) for k in range(len(index)))
    loss = tuple(float(k) for k in range(len(index)))
    heats = {
        (NETWORK, seed): ev.Heat(
            name="critical points",
            arm=NETWORK,
            seed=seed,
            x_ticks=ticks,
            y_ticks=("loss", "index", "lowest"),
            values=(loss, index, index),
        )
        for seed in range(3)
    }
    data = RunData(spec, PHENOMENON.arms_of(spec), (0, 1, 2), measures=tables, heats={"critical points": heats})
    return judge(PHENOMENON, spec, data)


def test_shown_with_saddles_above_minima() -> None:
    verdict = _verdict()
    assert verdict.status is Status.SHOWN
    assert "the share of searches that arrived is the measure `arrived`" in verdict.claims[0].statement
    assert {claim.name: claim.status for claim in verdict.claims} == {HIGH: Status.SHOWN, LOW: Status.SHOWN}


@pytest.mark.parametrize("change", [{"correlation": 0.7}, {"saddles": 0.8}])
def test_not_shown_without(change: dict[str, float]) -> None:
    assert _verdict(change).status is Status.NOT_SHOWN


def test_a_high_minimum_speaks_against_the_side_claim_alone() -> None:
    verdict = _verdict({"highest_minimum": 0.6})
    assert verdict.status is Status.SHOWN
    assert verdict.claims[1].status is Status.NOT_SHOWN


def test_one_minimum_says_nothing_about_the_highest() -> None:
    verdict = _verdict(minima=1)
    assert verdict.status is Status.SHOWN
    assert verdict.claims[1].status is Status.INCONCLUSIVE
    assert "different minima" in verdict.claims[1].reason


def test_inconclusive_with_few_points_in_a_seed() -> None:
    verdict = _verdict(points=4.0)
    assert verdict.status is Status.INCONCLUSIVE
    assert "different critical points" in verdict.claims[0].reason


@pytest.mark.parametrize("fires", [{"network": {"shuffled": 0.85}}, {"convex": 1.0}])
def test_inconclusive_where_a_control_fires(fires: dict[str, Any]) -> None:
    verdict = _verdict(**fires)
    assert verdict.status is Status.INCONCLUSIVE
    assert "control" in verdict.claims[0].reason


def test_figures_of_made_points() -> None:
    spec = _spec()
    heats = {
        "critical points": {
            (NETWORK, seed): ev.Heat(
                name="critical points", arm=NETWORK, seed=seed, x_ticks=("1", "2"), y_ticks=("loss", "index"),
                values=((0.1, 0.4), (0.0, 0.3)),
            )
            for seed in range(9)
        },
        "spectra": {
            (NETWORK, 0): ev.Heat(
                name="spectra", arm=NETWORK, seed=0, x_ticks=("1", "2"), y_ticks=("a", "b", "c"),
                values=((0.1, 0.4), (-0.1, 0.3), ("nan", "nan")),
            )
        },
    }  # fmt: skip
    run_data = RunData(spec, PHENOMENON.arms_of(spec), tuple(range(9)), heats=heats)
    points, spectra, steepest = PHENOMENON.figures(run_data)
    assert isinstance(points, Figure)
    assert isinstance(spectra, Figure)
    assert len(points.lines) == 6
    assert "of 9" in points.note
    assert points.lines[0].x == (0.1, 0.4)
    assert spectra.lines[1].y == (-0.1,)
    assert isinstance(steepest, Figure)
    assert all(not line.x for line in steepest.lines)  # a run that was stored before they were
    assert "smallest to largest seed" in spectra.note
    empty = PHENOMENON.figures(RunData(spec, PHENOMENON.arms_of(spec), ()))
    assert all(not figure.lines for figure in empty if isinstance(figure, Figure))
