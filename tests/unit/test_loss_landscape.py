"""The loss landscape: slices of known functions, ways of known shape, training, arms, verdicts on made data."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Generator, Mapping
from typing import Any

import numpy as np
import pytest
import torch

from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import HeatMap
from genlab_tui.models.networks import build, parameter_count
from genlab_tui.phenomena._loss_landscape.claims import AREA, BASIN, CHAOS, CHAOS_NEAR, CURVED, CURVED_NEAR, WALK, WAY
from genlab_tui.phenomena._loss_landscape.config import groups
from genlab_tui.phenomena.loss_landscape import PHENOMENON
from genlab_tui.phenomenon import Checkpoint, Stopped, config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training import modules
from genlab_tui.training.landscape_training import Plan, Stack, network, start
from genlab_tui.training.members import Recipe, Samples
from genlab_tui.training.module_slices import direction as module_direction
from genlab_tui.training.module_slices import losses_around
from genlab_tui.training.nets import Net, losses
from genlab_tui.training.plane_measures import describe
from genlab_tui.training.slices import direction, evaluate_at
from genlab_tui.training.survey import Around, Survey, around, steps, way_grid
from genlab_tui.training.train import Share
from genlab_tui.training.trajectory import principal
from genlab_tui.verdict import Status, Verdict, judge

LEVEL = math.log(10)


def _spec(seeds: int = 3, data_set: str = "digits", preset: str = "quick", **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec("00000001", "loss-landscape", config, data=data_set, seeds=seeds)


# --- slices of known functions ----------------------------------------------------------------------------------------


def _grid(half: int = 10) -> tuple[np.ndarray, np.ndarray]:
    places = np.linspace(-1.0, 1.0, 2 * half + 1)
    rows, columns = np.meshgrid(places, places, indexing="ij")
    return columns, rows


def test_a_bowl_is_convex_with_one_minimum_and_the_area_of_its_basin() -> None:
    x, y = _grid(50)
    found = describe(x**2 + 4 * y**2 + 1.5 * x * y, 0.25)
    area = math.pi * 0.25 / math.sqrt(4 - 0.75**2)
    assert found.basin == pytest.approx(area / 4, rel=0.03)
    assert (found.non_convex, found.minima) == (0.0, 1)


def test_two_wells_and_a_ridge_are_seen() -> None:
    x, y = _grid(20)
    found = describe(4 * (x**2 - 0.25) ** 2 + y**2, 0.5)
    assert found.minima == 2
    assert 0.1 < found.non_convex < 0.6


def test_a_saddle_is_seen_where_both_second_differences_are_positive() -> None:
    """x² + y² + 3xy bends up along both axes, and down along the diagonal: the mixed difference counts."""
    x, y = _grid()
    found = describe(x**2 + y**2 + 3 * x * y, 10.0)
    assert found.non_convex == 1.0
    assert found.minima == 0


def test_what_is_outside_the_basin_or_rounding_does_not_count() -> None:
    x, y = _grid()
    wells = np.cos(6 * x) * np.cos(6 * y) + 1 + 10 * (x > 0.3)
    assert (describe(wells, 0.5).minima, describe(wells, 50.0).minima) == (3, 4)
    noise = 1.0 + 1e-7 * np.random.default_rng(0).standard_normal((21, 21))
    assert describe(noise, 2.0).non_convex == 0.0
    broken = x**2 + y**2
    broken[0, :] = np.nan
    assert describe(broken, 5.0).basin == pytest.approx(20 / 21)
    assert describe(broken, 5.0).minima == 1
    assert math.isnan(describe(broken + 9, 5.0).non_convex), "no point is inside"


# --- radii and planes -------------------------------------------------------------------------------------------------


class _Context:
    """The part of a Context that a survey asks for."""

    def __init__(self, stop_after: int = -1, saved: Checkpoint | None = None) -> None:
        self.stop_after, self.saved, self.polls = stop_after, saved, 0

    def resume(self) -> Checkpoint | None:
        return self.saved

    def poll(self, save: Any = None) -> None:
        self.polls += 1
        if self.polls == self.stop_after:
            self.saved = save()
            raise Stopped


class _Bowl:
    """The loss |point|² · scale around 0, which counts what it is asked for."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale, self.asked = scale, 0

    def __call__(self, directions: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        self.asked += len(rows)
        return self.scale * (rows @ directions).square().sum(1)


def _survey(evaluate: Any, context: Any = None, block: int = 7) -> Survey:
    return Survey(evaluate, context or _Context(), Share(), 1000.0, "", block)


def _drain(body: Generator[ev.Event, None, Any]) -> Any:
    try:
        while True:
            next(body)
    except StopIteration as end:
        return end.value


def test_radii_of_a_bowl_are_those_of_its_level() -> None:
    directions = torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    found = _drain(_survey(_Bowl(4.0)).radii(directions, 1.0))
    assert found == pytest.approx([0.5, 0.5 / 3, 0.5, 0.5 / 3], rel=0.01)
    flat = _drain(_survey(_Bowl(0.0)).radii(directions, 1.0))
    assert flat == [math.inf] * 4
    sharp = _drain(_survey(_Bowl(1e6)).radii(directions, 1.0))
    assert sharp == pytest.approx([1e-3, 1e-3 / 3] * 2, rel=0.02), "far below the first step"


def test_the_first_crossing_counts_and_both_sides_do() -> None:
    def evaluate(directions: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        at = (rows @ directions)[:, 0]
        return torch.where(at > 0, ((at > 0.3) & (at < 0.6)).float(), (at < -1.0).float())

    assert _drain(_survey(evaluate).radii(torch.ones(1, 1), 0.5)) == pytest.approx([0.3, 1.0], rel=0.01)


def test_rows_and_columns_of_a_plane_are_the_two_directions() -> None:
    def evaluate(directions: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        at = rows @ directions
        return at[:, 0] + 100 * at[:, 1]

    table = _drain(_survey(evaluate).plane("one", torch.eye(2), [1.0, 2.0, 3.0], [5.0, 6.0]))
    assert table == pytest.approx(np.array([[501, 502, 503], [601, 602, 603]]))


@pytest.mark.parametrize("polls", [1, 4, 30])
def test_a_survey_that_was_stopped_goes_on_where_it_was(polls: int) -> None:
    torch.manual_seed(0)
    directions = torch.randn(4, 30)
    whole = _Bowl()
    expected: Around = _drain(around(_survey(whole), directions, directions[:2], 40.0, grid=9, near=2.0))
    first, second = _Bowl(), _Bowl()
    context = _Context(polls)
    with pytest.raises(Stopped):
        _drain(around(_survey(first, context), directions, directions[:2], 40.0, grid=9, near=2.0))
    again = _survey(second, _Context(saved=context.saved))
    resumed = _drain(around(again, directions, directions[:2], 40.0, grid=9, near=2.0))
    assert resumed.measures(3.0) == expected.measures(3.0)
    assert first.asked + second.asked == whole.asked, "nothing is evaluated twice"
    assert again.kept + again.count == whole.asked


def test_a_network_outside_its_basin_has_no_radius() -> None:
    found = _drain(around(_survey(lambda d, rows: torch.full((len(rows),), 3.0)), torch.eye(2), torch.eye(2), LEVEL,
                          grid=5, near=2.0))  # fmt: skip
    assert math.isnan(found.radius)
    assert math.isnan(found.measures(3.0)["near_minima"])
    assert found.measures(3.0)["square_basin"] == 0.0


def test_the_network_is_in_the_middle_of_a_slice() -> None:
    assert steps(1.0, 5) == [-1.0, -0.5, 0.0, 0.5, 1.0]
    columns, rows, cells = way_grid(torch.tensor([[4.0, 0.0], [2.0, 1.0], [0.0, 0.0]]), 15)
    assert (columns[0], columns[-1], rows[0], rows[-1]) == pytest.approx((-0.8, 4.8, -0.2, 1.2))
    assert cells[0] == pytest.approx((12.0, 2.0))
    assert cells[-1] == pytest.approx((2.0, 2.0))


def test_weights_that_are_rescaled_without_changing_the_network_have_the_same_radii() -> None:
    """The trap that filter normalisation is for: in steps of equal length larger weights look flatter."""
    net = Net((6, 8, 4), biases=False)
    x, y = torch.randn(50, 6, dtype=torch.float64), torch.randint(0, 4, (50,))
    flat = net.initial([3], dtype=torch.float64)
    scaled = flat.clone()
    matrices, _ = net.split(scaled)
    matrices[0].mul_(10.0)
    matrices[1].mul_(0.1)
    found = []
    for numbers in (flat, scaled):
        spanning = torch.stack([direction(net, numbers, 0, k)[0] for k in range(3)])

        def evaluate(directions: torch.Tensor, rows: torch.Tensor, at: torch.Tensor = numbers[0]) -> torch.Tensor:
            return evaluate_at(lambda f: losses(net, f, x, y), at, directions, rows, threads=1)

        level = 1.2 * float(losses(net, numbers, x, y))
        found.append(_drain(_survey(evaluate).radii(spanning, level)))
    assert found[0] == pytest.approx(found[1], rel=1e-4)


# --- the way of training ----------------------------------------------------------------------------------------------


def test_a_straight_way_has_all_its_variance_in_one_direction() -> None:
    torch.manual_seed(1)
    ahead, others = torch.randn(400), torch.randn(2, 400)
    found = principal(torch.stack([t * ahead for t in (5.0, 3.0, 2.0, 1.0, 0.0)]), others)
    assert found is not None
    assert found.share == pytest.approx(1.0)
    assert found.random < 0.1
    assert found.path[-1].tolist() == [0.0, 0.0]
    assert found.path[:, 0].abs().tolist() == pytest.approx([t * float(ahead.norm()) for t in (5, 3, 2, 1, 0)])
    assert (found.directions @ found.directions.t()).flatten().tolist() == pytest.approx([1, 0, 0, 1], abs=1e-5)


def test_a_random_walk_has_the_share_that_is_computed_without_drawing_it() -> None:
    torch.manual_seed(2)
    scale = torch.linspace(2.0, 0.5, 40)[:, None]
    walk = (scale * torch.randn(40, 20_000, dtype=torch.float64)).cumsum(0)
    found = principal(walk, torch.randn(2, 20_000, dtype=torch.float64))
    assert found is not None
    assert found.share == pytest.approx(found.walk, abs=0.01)
    assert found.walk > 0.6, "a large share alone says nothing of training"
    assert found.random < 0.01


def test_too_short_or_broken_ways_have_no_plane() -> None:
    assert principal(torch.randn(3, 9), torch.randn(2, 9)) is None
    assert principal(torch.ones(6, 9), torch.randn(2, 9)) is None
    assert principal(torch.full((6, 9), math.nan), torch.randn(2, 9)) is None


# --- training ---------------------------------------------------------------------------------------------------------


def _samples(sets: int = 2, n: int = 60, d: int = 8, classes: int = 3) -> Samples:
    torch.manual_seed(4)
    x, y = torch.randn(sets, n, d), torch.randint(0, classes, (sets, n))
    return Samples(x, y, x[:, :20], y[:, :20], classes, (d,))


def _stack(seeds: list[int], shortcuts: bool = True, places: list[int] | None = None, **values: Any) -> Stack:
    plan = Plan(**{"lr": 0.01, "batch": 20, "epochs": 6, "target": -math.inf, "snapshots": 64} | values)
    net = network((8, *[6] * 4, 3), shortcuts)
    return Stack("skip", net, seeds, places or list(range(len(seeds))), _samples(), plan)


@pytest.mark.parametrize("shortcuts", [True, False])
def test_steps_are_those_of_adam_one_network_at_a_time(shortcuts: bool) -> None:
    stack = _stack([5, 9], shortcuts)
    stack.train()
    for row, seed in enumerate((5, 9)):
        flat = start(stack.net, [seed]).requires_grad_()
        adam = torch.optim.Adam([flat], lr=0.01)
        order = torch.randperm(60, generator=torch.Generator().manual_seed(_order_seed(seed)))
        for first in range(0, 60, 20):
            chosen = order[first : first + 20]
            adam.zero_grad()
            losses(stack.net, flat, stack.data.inputs[row, chosen], stack.data.labels[row, chosen]).sum().backward()
            adam.step()
        assert torch.allclose(stack.flat[row], flat[0], atol=1e-5)


def _order_seed(seed: int) -> int:
    from genlab_tui.training.seeds import ORDER, stream

    return stream(seed, ORDER, 0)


def test_both_arms_start_from_the_same_draws() -> None:
    """With shortcuts the matrices between hidden layers are smaller by the square root of the depth."""
    with_, without = network((8, *[6] * 4, 3), True), network((8, *[6] * 4, 3), False)
    ours, theirs = with_.split(start(with_, [7]))[0], without.split(start(without, [7]))[0]
    for layer, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        assert torch.allclose(a, b * (0.5 if 0 < layer < 4 else 1.0))


def test_whoever_reaches_the_loss_leaves_and_the_others_go_on_as_alone() -> None:
    together, alone = _stack([5, 9]), _stack([9], places=[1])
    together.plan = dataclasses.replace(together.plan, target=0.9)
    while together.alive:
        together.run()
    alone.plan = together.plan
    while alone.alive:
        alone.run()
    ends = {together.seeds[i]: one for i, one in together.ended.items()}
    assert {one.end for one in ends.values()} <= {"loss", "epochs"}
    assert ends[9].epoch == alone.ended[0].epoch
    assert torch.allclose(ends[9].numbers, alone.ended[0].numbers, atol=1e-4)
    for one in ends.values():
        assert one.end != "loss" or one.values["train_loss"] <= 0.9
        assert torch.equal(one.snapshots[-1], one.numbers)
        assert len(one.snapshots) == one.epoch + 1


def test_snapshots_are_thinned_and_keep_both_ends() -> None:
    stack = _stack([5], epochs=23, snapshots=6)
    first = stack.flat.clone()
    while stack.alive:
        stack.run()
    way = stack.ended[0].snapshots
    assert 4 <= len(way) <= 7
    assert torch.equal(way[0], first[0])
    assert torch.equal(way[-1], stack.ended[0].numbers)


def test_a_network_that_diverges_leaves_without_numbers() -> None:
    stack = _stack([5], shortcuts=False, lr=1e12)
    stack.run()
    stack.run()
    assert stack.ended[0].end == "diverged"
    assert all(math.isnan(stack.ended[0].values[name]) for name in ("train_loss", "test_accuracy"))


# --- networks by name -------------------------------------------------------------------------------------------------


def test_the_resnet_without_shortcuts_is_the_other_one_without_them() -> None:
    shape = (3, 16, 16)
    whole, plain = (parameter_count(f"cifar-resnet{kind}:14", shape, 10) for kind in ("", "-plain"))
    projections = 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64
    assert whole - plain == projections
    for kind, passes in (("", True), ("-plain", False)):
        module = build(f"cifar-resnet{kind}:14", shape, 10).eval()
        with torch.no_grad():
            for name, number in module.named_parameters():
                if ".bn2." in name:
                    number.zero_()  # nothing comes out of any block but by its shortcut
            outputs = module(torch.randn(2, *shape))
        assert bool((outputs[0] - outputs[1]).abs().max() > 1e-6) is passes


def test_directions_of_modules_have_the_lengths_of_filters_and_leave_batch_norm_alone() -> None:
    torch.manual_seed(0)
    x, y = torch.randn(1, 40, 3 * 64), torch.randint(0, 10, (1, 40))
    samples = Samples(x, y, x[:, :4], y[:, :4], 10, (3, 8, 8))
    recipe = Recipe(network="cifar-resnet-plain:8")
    module = modules.initial(recipe, 1, samples)
    flat = module_direction(module, 0, 0)
    found = module.parameters.like()
    found.flat.copy_(flat)
    matrices = len(module.layout.weight_shapes)
    for k, (ours, theirs) in enumerate(zip(found.tensors, module.parameters.tensors, strict=True)):
        if k < matrices:
            lengths = [t.flatten(1).norm(dim=1) for t in (ours, theirs)]
            assert torch.allclose(*lengths, rtol=1e-4)
        else:
            assert not ours.any()
    assert not torch.equal(flat, module_direction(module, 0, 1))
    values = losses_around(module, recipe, samples, 0, 30)(flat[None], torch.tensor([[0.0], [0.5]]))
    outputs = module.logits([x[:, :30]])[0].t()
    assert float(values[0]) == pytest.approx(float(torch.nn.functional.cross_entropy(outputs, y[0, :30])), rel=1e-4)
    assert values[0] != values[1]


# --- declaration ------------------------------------------------------------------------------------------------------


def test_arms_and_refusals() -> None:
    assert [arm.name for arm in PHENOMENON.arms_of(_spec())] == ["skip", "plain"]
    with pytest.raises(BadValue, match="grid = 20 is even") as even:
        PHENOMENON.arms_of(_spec(grid=20))
    assert "21" in str(even.value.hint)
    with pytest.raises(BadValue, match="batch = 5000"):
        PHENOMENON.arms_of(_spec(batch=5000))
    with pytest.raises(BadValue, match="images"):
        PHENOMENON.arms_of(_spec(data_set="mnist1d", preset="paper"))
    with pytest.raises(BadValue, match="depth 21"):
        PHENOMENON.arms_of(dataclasses.replace(_spec(data_set="cifar10", preset="paper", depth=21)))


def test_many_seeds_train_in_groups_so_that_a_checkpoint_stays_small() -> None:
    spec = _spec(seeds=60)
    found = [seeds for _, seeds in groups(PHENOMENON.config_of(spec), spec, 2)]
    assert [seed for seeds in found for seed in seeds] == list(range(60))
    assert max(map(len, found)) == 16
    assert PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).bytes < 5e8


def test_estimates_grow_with_the_grid_and_with_seeds() -> None:
    def seconds(spec: RunSpec) -> float:
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    assert 5 < seconds(_spec()) < 60
    assert seconds(_spec(seeds=60)) < 900
    assert seconds(_spec(grid=51)) > seconds(_spec())
    assert seconds(_spec(data_set="cifar10", preset="paper")) > 1e5


# --- verdicts ---------------------------------------------------------------------------------------------------------

USUAL: Mapping[str, tuple[float, float]] = {
    "train_loss": (0.045, 0.048),
    "radius": (0.3, 0.08),
    "radius_low": (0.25, 0.07),
    "radius_high": (0.35, 0.09),
    "square_basin": (0.07, 0.005),
    "square_chaotic": (0.0, 0.0),
    "square_non_convex": (0.0, 0.0),
    "near_chaotic": (0.0, 0.0),
    "near_non_convex": (0.0, 0.06),
    "principal_share": (0.95, 0.93),
    "random_share": (1e-4, 1e-4),
    "walk_share": (0.75, 0.74),
}


def _data(spec: RunSpec, only: int | None = None, **changed: tuple[float, float]) -> RunData:
    """Return made measures (with shortcuts, without); `changed` ones in the seed `only`, or in all."""
    measures: dict[str, dict[tuple[str, int], float]] = {}
    for name, usual in USUAL.items():
        for seed in spec.seed_list:
            here = changed.get(name, usual) if only is None or seed == only else usual
            for arm, value in zip(("skip", "plain"), here, strict=True):
                measures.setdefault(name, {})[arm, seed] = value * (1 + 0.04 * (seed % 2))
    return RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list, measures=measures)


def _judge(only: int | None = None, seeds: int = 3, **changed: tuple[float, float]) -> Verdict:
    spec = _spec(seeds)
    return judge(PHENOMENON, spec, _data(spec, only, **changed))


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


def test_the_usual_picture_is_a_wide_basin_without_chaos() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert _statuses(verdict) == {
        BASIN: Status.SHOWN,
        AREA: Status.SHOWN,
        CHAOS: Status.NOT_SHOWN,
        CURVED: Status.NOT_SHOWN,
        CHAOS_NEAR: Status.NOT_SHOWN,
        CURVED_NEAR: Status.NOT_SHOWN,
        WAY: Status.SHOWN,
        WALK: Status.SHOWN,
    }
    assert [claim.name for claim in verdict.claims if claim.main] == [BASIN]


def test_a_basin_that_is_not_twice_as_wide_is_not_shown() -> None:
    assert _judge(radius=(0.15, 0.08)).status is Status.NOT_SHOWN
    assert _judge(radius=(0.08, 0.3)).status is Status.NOT_SHOWN


def test_unmatched_losses_make_it_inconclusive() -> None:
    """One seed of one arm is enough: a network that is less sure of itself has a wider basin."""
    for unmatched in ((0.06, 0.04), (0.04, 0.06), (0.04, math.nan)):
        verdict = _judge(only=1, train_loss=unmatched)
        assert _statuses(verdict)[BASIN] is Status.INCONCLUSIVE
        assert "training loss" in verdict.claims[0].reason


def test_losses_that_are_both_small_but_not_the_same_make_it_inconclusive() -> None:
    """One of them has gone on to a much lower loss: its slices are another network's."""
    for apart in ((0.047, 1e-4), (1e-4, 0.047), (0.048, 0.031)):
        verdict = _judge(only=1, train_loss=apart)
        slices = [claim.name for claim in verdict.claims if claim.name not in (WAY, WALK)]
        assert {_statuses(verdict)[name] for name in slices} == {Status.INCONCLUSIVE}
        assert "1.5 times the other" in verdict.claims[0].reason
    for close in ((0.047, 0.032), (0.032, 0.047)):
        assert _judge(train_loss=close).status is Status.SHOWN


def test_seeds_that_differ_as_much_as_the_arms_make_it_inconclusive() -> None:
    verdict = _judge(only=1, radius=(0.9, 0.03))
    assert verdict.status is Status.INCONCLUSIVE
    assert "control" in verdict.claims[0].reason
    assert _judge(only=1, square_basin=(0.5, 0.0004)).claims[1].status is Status.INCONCLUSIVE


def test_a_network_without_a_radius_is_no_evidence() -> None:
    assert _judge(only=1, radius=(math.nan, 0.08)).status is Status.INCONCLUSIVE
    assert _judge(only=1, radius=(math.inf, 0.08)).status is Status.INCONCLUSIVE
    assert _statuses(_judge(square_basin=(0.1, 0.0)))[AREA] is Status.INCONCLUSIVE


def test_chaos_would_be_seen_and_needs_networks_with_shortcuts_to_be_free_of_it() -> None:
    for slices, minima, curved in (("square", CHAOS, CURVED), ("near", CHAOS_NEAR, CURVED_NEAR)):
        for name, claim in ((f"{slices}_chaotic", minima), (f"{slices}_non_convex", curved)):
            assert _statuses(_judge(**{name: (0.0, 0.9)}))[claim] is Status.SHOWN
            assert _statuses(_judge(**{name: (0.9, 0.9)}))[claim] is Status.INCONCLUSIVE
            assert _judge(**{name: (0.9, 0.9)}).status is Status.SHOWN, "a side claim"


def test_a_way_that_a_random_walk_could_have_taken_is_told_apart() -> None:
    statuses = _statuses(_judge(principal_share=(0.7, 0.7)))
    assert (statuses[WAY], statuses[WALK]) == (Status.SHOWN, Status.NOT_SHOWN)
    assert _statuses(_judge(principal_share=(0.3, 0.9)))[WAY] is Status.NOT_SHOWN
    assert _statuses(_judge(random_share=(0.2, 0.0)))[WAY] is Status.NOT_SHOWN
    assert _statuses(_judge(random_share=(0.5, 0.0)))[WAY] is Status.INCONCLUSIVE


def test_a_replica_is_judged_by_its_own_seeds() -> None:
    spec = _spec(seeds=6)
    run_data = _data(spec, only=4, train_loss=(0.2, 0.2))
    good, bad = run_data.of_seeds(range(3)), run_data.of_seeds(range(3, 6))
    assert judge(PHENOMENON, good.spec, good).status is Status.SHOWN
    assert judge(PHENOMENON, bad.spec, bad).status is Status.INCONCLUSIVE
    assert _judge(seeds=2).status is Status.INCONCLUSIVE


def test_maps_have_a_contour_at_guessing_and_the_way_on_them() -> None:
    spec = _spec()
    empty = PHENOMENON.figures(RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list))
    assert set(PHENOMENON.panels) <= {figure.name for figure in empty}
    cells = ((0.2, 5.0), (1.2, 4.0))
    ticks = ("0", "1")

    def heat(name: str, values: tuple[tuple[float, ...], ...]) -> dict[tuple[str, int], ev.Heat]:
        return {("plain", 0): ev.Heat(name=name, arm="plain", seed=0, x_ticks=ticks, y_ticks=ticks, values=values)}

    table = ((0.1, 2.0), (3.0, 4.0))
    heats = {"square": heat("square", table), "way": heat("way", table), "path": heat("path", cells)}
    run_data = dataclasses.replace(_data(spec), heats=heats)
    maps = {figure.name: figure for figure in PHENOMENON.figures(run_data) if isinstance(figure, HeatMap)}
    assert {"square-skip", "square-plain", "near-skip", "near-plain", "way-skip", "way-plain"} == set(maps)
    assert maps["square-plain"].values == table[::-1], "the second direction is upwards"
    assert maps["square-plain"].log
    assert maps["square-plain"].levels[0] == pytest.approx(LEVEL), "the line in full is guessing"
    assert maps["square-plain"].limits == (0.1, 4.0), "one scale for both networks"
    assert maps["way-plain"].path == tuple((x, 1 - y) for x, y in cells)
    assert maps["square-plain"].path == ()
    assert maps["square-skip"].values == ()
    assert "the first of 3" in maps["square-plain"].note
    assert "the first of 3" in maps["near-plain"].note
    alone = _spec(pairs=1)
    empty = PHENOMENON.figures(RunData(alone, PHENOMENON.arms_of(alone), alone.seed_list))
    assert not any("the first of" in figure.note for figure in empty)
