"""Only batch norm: arms, refusals, verdicts on data made to pass, fail and be unclear; figures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.phenomena import batch_norm_only, catalogue
from genlab_tui.phenomena._batch_norm_only.config import (
    ABOVE_CHANCE,
    BOUNDS,
    FULL,
    LABELS,
    NOTHING,
    PUBLISHED,
    RANDOM,
    SCALES,
    SECOND,
    share_name,
)
from genlab_tui.phenomena.batch_norm_only import PHENOMENON
from genlab_tui.phenomenon import Arm, config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training import frozen
from genlab_tui.training.members import Recipe, Samples
from genlab_tui.verdict import Status, Verdict, judge

LEARNS, GROWS, BETTER = "scale and shift alone learn", "more with depth", "more than as many other numbers"
OFF, LESS, WIDER, PAPER = (
    "random features are switched off",
    "less than everything",
    "more with width",
    "as high as published",
)
MAIN = (LEARNS, GROWS, BETTER)
Change = Callable[[Arm, int, float], float]


def _spec(data_set: str = "digits", seeds: int = 3, preset: str = "quick", **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec("00000001", "batch-norm-only", config, preset=preset, data=data_set, seeds=seeds)


def _accuracy(arm: Arm, seed: int) -> float:
    """Return the textbook's: scales grow with size, random weights less, full training is there at once."""
    kind, size = arm.factors["trains"], math.log2(float(arm.factors["depth"]) * float(arm.factors["width"]) / 16)
    better = 0.02 if arm.factors["lr"] == 0.03 else 0.0
    if kind == SCALES:
        return 0.4 + 0.08 * size + better
    if kind in (RANDOM, SECOND):
        return 0.35 + 0.06 * size + better + (0.005 if kind == SECOND else 0.0)
    wobble = (0.0, 0.01, -0.01)[(seed + round(size)) % 3]
    return 0.98 if kind == FULL else 0.1 + wobble


def _loss(arm: Arm) -> float:
    """Return a training loss that is lowest at 0.03."""
    return abs(math.log(float(arm.factors["lr"]) / 0.03))


def _data(
    spec: RunSpec,
    change: Change | None = None,
    *,
    learnt: float = 1.0,
    off: float = 0.3,
    loss: Callable[[Arm], float] | None = None,
) -> RunData:
    measures: dict[str, dict[tuple[str, int], float]] = {}
    arms = PHENOMENON.arms_of(spec)
    for arm in arms:
        for seed in spec.seed_list:
            found = _accuracy(arm, seed)
            measures.setdefault("test_accuracy", {})[arm.name, seed] = change(arm, seed, found) if change else found
            measures.setdefault("train_accuracy", {})[arm.name, seed] = learnt
            measures.setdefault("train_loss", {})[arm.name, seed] = (loss or _loss)(arm)
            for bound in BOUNDS:
                share = off if arm.factors["trains"] == SCALES else 0.0
                measures.setdefault(share_name(bound), {})[arm.name, seed] = share
    return RunData(spec, arms, spec.seed_list, measures=measures)


def _judge(change: Change | None = None, spec: RunSpec | None = None, **options: Any) -> Verdict:
    spec = spec or _spec()
    return judge(PHENOMENON, spec, _data(spec, change, **options))


def _statuses(verdict: Verdict) -> dict[str, Status]:
    return {claim.name: claim.status for claim in verdict.claims}


def _kind(arm: Arm) -> str:
    return str(arm.factors["trains"])


# --- arms, refusals, cost ---------------------------------------------------------------------------------------------


def test_arms_are_what_trains_by_size_and_learning_rates_of_the_largest() -> None:
    names = [arm.name for arm in PHENOMENON.arms_of(_spec())]
    assert len(set(names)) == len(names)
    for kind in (SCALES, RANDOM, FULL, LABELS):
        assert {f"{kind}-{depth}x64" for depth in (1, 2, 4, 8)} <= set(names)
    for kind in (SCALES, RANDOM, SECOND):
        assert {f"{kind}-8x64", f"{kind}-8x64-lr0.03", f"{kind}-8x64-lr0.1"} <= set(names)
    assert "scales-2x16" in names
    assert "labels-2x16" not in names
    assert "nothing-8x64" in names
    controls = {arm.name.split("-")[0] for arm in PHENOMENON.arms_of(_spec()) if arm.control}
    assert controls == {SECOND, LABELS, NOTHING}


def test_the_axis_of_perceptrons_can_be_the_width() -> None:
    names = [arm.name for arm in PHENOMENON.arms_of(_spec(preset="shallow"))]
    assert {"labels-2x16", "second-2x256-lr0.1", "nothing-2x256", "scales-8x64"} <= set(names)
    assert "labels-8x64" not in names
    spec = _spec(preset="shallow")
    assert _statuses(judge(PHENOMENON, spec, _data(spec)))["more with width"] is Status.SHOWN


@pytest.mark.parametrize(
    ("data_set", "values", "words"),
    [
        ("mnist1d", {"network": "resnet"}, "needs images"),
        ("digits", {"network": "resnet", "layers": "8 15"}, "14"),
        ("digits", {"depths": "4"}, "depths = 4"),
        ("digits", {"axis": "width", "widths": "64"}, "widths = 64"),
        ("digits", {"network": "resnet", "layers": "14"}, "layers = 14"),
        ("digits", {"lrs": "0.01 0.010000001"}, "read the same"),
        ("digits", {"n": 1, "batch": 2}, "nearest valid value: 2"),
        ("digits", {"n": 30}, "nearest valid value: 30"),
        ("digits", {"batch": 5000}, "batch = 5000 is more than the 1200 training samples"),
    ],
)
def test_what_makes_no_sense_is_said_before_launch(data_set: str, values: dict[str, Any], words: str) -> None:
    with pytest.raises(BadValue) as caught:
        PHENOMENON.arms_of(_spec(data_set, **values))
    assert words in str(caught.value) or words in str(vars(caught.value))


def test_data_sets_have_ten_classes_and_the_other_one_is_refused_with_a_reason() -> None:
    assert {data.DATASETS[name].classes for name in PHENOMENON.data} == {10}
    assert set(PHENOMENON.refused) == set(data.DATASETS) - set(PHENOMENON.data)


def test_the_estimate_grows_with_what_costs() -> None:
    def seconds(data_set: str = "fashion-mnist", seeds: int = 3, **values: Any) -> float:
        spec = _spec(data_set, seeds, **values)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    plain = seconds()
    assert seconds(n=5000) > plain
    assert seconds(epochs=80) > plain
    assert seconds(seeds=6) > plain
    assert seconds(depths="1 2 4 16") > plain
    assert seconds(network="resnet") > plain
    assert 5 < seconds("digits") < 40


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_the_textbook_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert _statuses(verdict) == dict.fromkeys((*MAIN, OFF, LESS, WIDER), Status.SHOWN)
    for claim in verdict.claims:
        assert all(criterion.control is not None for criterion in claim.criteria) == claim.main


@pytest.mark.parametrize(
    ("claim", "change"),
    [
        (LEARNS, lambda arm, seed, v: v * (0.1 + ABOVE_CHANCE) / 0.83 if _kind(arm) == SCALES else v),
        (GROWS, lambda arm, seed, v: 0.9 - v / 2 if _kind(arm) == SCALES else v),
        (BETTER, lambda arm, seed, v: v + 0.2 if _kind(arm) in (RANDOM, SECOND) else v),
    ],
    ids=[LEARNS, GROWS, BETTER],
)
def test_what_fails_is_not_shown(claim: str, change: Change) -> None:
    verdict = _judge(change)
    assert verdict.status is Status.NOT_SHOWN
    assert _statuses(verdict)[claim] is Status.NOT_SHOWN


def test_a_lead_that_the_test_set_blurs_is_none() -> None:
    """597 test digits tell nothing below about four points at 60 % and two at 95 %."""

    def by(points: float) -> Change:
        def change(arm: Arm, seed: int, value: float) -> float:
            level = {SCALES: 0.6 + points, RANDOM: 0.6, SECOND: 0.6}.get(_kind(arm))
            return value if level is None or "8x64" not in arm.name else level

        return change

    assert _statuses(_judge(by(0.035)))[BETTER] is Status.NOT_SHOWN
    assert _statuses(_judge(by(0.045)))[BETTER] is Status.SHOWN


def test_each_kind_is_compared_at_the_learning_rate_that_its_training_loss_chooses() -> None:
    """Never its test accuracy: neither the best nor the worst of that is looked for."""

    def change(arm: Arm, seed: int, value: float) -> float:
        return 0.95 if arm.name in ("random-8x64-lr0.1", "second-8x64-lr0.1") else value

    def loss(arm: Arm) -> float:
        return -1.0 if arm.name in ("random-8x64-lr0.1", "second-8x64-lr0.1") else _loss(arm)

    assert _statuses(_judge(change))[BETTER] is Status.SHOWN
    assert _statuses(_judge(change, loss=loss))[BETTER] is Status.NOT_SHOWN


def test_how_a_learning_rate_is_chosen_is_said_where_one_is() -> None:
    def words(spec: RunSpec) -> str:
        claims = PHENOMENON.claims(PHENOMENON.config_of(spec), spec)
        found = [f"{line.label}" for line in PHENOMENON.figures(_data(spec))[0].lines]
        return next(c for c in claims if c.name == BETTER).criteria[0].effect.statement + "; ".join(found)

    several, one = words(_spec()), words(_spec(lrs="0.01"))
    assert several.count("with the lowest training loss at the end") == 3
    assert "best" not in several
    assert "the one learning rate tried" in one
    assert "training loss" not in one


@pytest.mark.parametrize(
    ("claim", "change"),
    [
        (LEARNS, lambda arm, seed, v: 0.5 if _kind(arm) == NOTHING else v),
        (GROWS, lambda arm, seed, v: 0.1 + 0.001 * arm.factors["depth"] if _kind(arm) == LABELS else v),
        (BETTER, lambda arm, seed, v: v + 0.06 if _kind(arm) == SECOND else v),
    ],
    ids=[LEARNS, GROWS, BETTER],
)
def test_a_control_that_fires_makes_its_claim_inconclusive(claim: str, change: Change) -> None:
    verdict = _judge(change)
    assert verdict.status is Status.INCONCLUSIVE
    found = next(c for c in verdict.claims if c.name == claim)
    assert found.status is Status.INCONCLUSIVE
    assert "control" in found.reason


def test_a_network_that_does_not_learn_as_a_whole_says_nothing() -> None:
    assert set(_statuses(_judge(learnt=0.85)).values()) == {Status.INCONCLUSIVE}


def test_a_diverged_network_makes_no_silent_number() -> None:
    def change(arm: Arm, seed: int, value: float) -> float:
        return math.nan if arm.name == "random-8x64-lr0.1" else value

    assert _statuses(_judge(change))[BETTER] is Status.INCONCLUSIVE


def test_features_that_stay_on_are_said_to() -> None:
    statuses = _statuses(_judge(off=0.002))
    assert statuses[OFF] is Status.NOT_SHOWN
    assert _judge(off=0.002).status is Status.SHOWN, "a side claim"


def test_blocks_of_seeds_are_judged_by_their_own() -> None:
    spec = _spec(seeds=6)

    def change(arm: Arm, seed: int, value: float) -> float:
        return value / 4 if seed >= 3 and _kind(arm) == SCALES else value

    run_data = _data(spec, change)
    blocks = [run_data.of_seeds(block) for block in ((0, 1, 2), (3, 4, 5))]
    assert [judge(PHENOMENON, b.spec, b).status for b in blocks] == [Status.SHOWN, Status.NOT_SHOWN]


def test_the_papers_resnets_are_held_against_its_numbers() -> None:
    spec = _spec("cifar10", preset="paper")

    def change(arm: Arm, seed: int, value: float) -> float:
        depth = int(arm.factors["depth"])
        low = {SCALES: PUBLISHED.get(depth, 0.55) - 0.03, RANDOM: 0.3, SECOND: 0.3, FULL: 0.92}.get(_kind(arm), 0.1)
        return low + 0.001 * depth if _kind(arm) == SCALES and depth not in PUBLISHED else low

    run_data = _data(spec, change)
    assert _statuses(judge(PHENOMENON, spec, run_data))[PAPER] is Status.SHOWN
    lower = _data(spec, lambda arm, seed, v: change(arm, seed, v) - (0.04 if _kind(arm) == SCALES else 0.0))
    assert _statuses(judge(PHENOMENON, spec, lower))[PAPER] is Status.NOT_SHOWN
    assert PAPER not in _statuses(_judge(spec=_spec("digits", preset="resnet")))


# --- words ------------------------------------------------------------------------------------------------------------


def test_the_papers_recipe_is_unverified_and_none_of_its_numbers_is_on_a_screen() -> None:
    for name in ("paper", "paper-small"):
        note = PHENOMENON.presets[name].note
        assert "unverified" in note
        assert not set("0123456789") & set(note.replace("CIFAR-10", ""))
    assert "unverified" in str(batch_norm_only.__doc__)


@pytest.mark.parametrize(("depth", "resnet", "low", "high"), [(8, False, 0.025, 0.035), (8, True, 0.0, 0.01)])
def test_the_share_of_scales_and_shifts_is_what_the_explanation_says(
    depth: int, resnet: bool, low: float, high: float
) -> None:
    recipe = Recipe() if resnet else Recipe((64,) * depth)
    recipe = dataclasses.replace(recipe, network="cifar-resnet:8" if resnet else "", regularisers={"batch-norm": 0.1})
    inputs, labels = torch.zeros(1, 4, 64), torch.zeros(1, 4, dtype=torch.int64)
    numbers = frozen.numbers_of(recipe, Samples(inputs, labels, inputs, labels, 10, (1, 8, 8)))
    share = numbers.normalised / sum(math.prod(shape) for shape in numbers.shapes)
    assert low < share < high
    assert "about 3 % of all numbers" in PHENOMENON.explanation


@pytest.mark.parametrize("name", list(catalogue()))
def test_an_estimate_is_called_one_once(name: str) -> None:
    """Pages and screens add the word."""
    for preset in catalogue()[name].presets.values():
        assert "estimate" not in preset.gpu
        assert "guess" not in preset.gpu


# --- figures ----------------------------------------------------------------------------------------------------------


def test_figures_have_sizes_on_log_axes_and_published_values_for_resnets_alone() -> None:
    spec = _spec()
    depth, width, scales, learning = PHENOMENON.figures(_data(spec))
    assert [figure.name for figure in (depth, width, scales, learning)] == [
        "accuracy-depth",
        "accuracy-width",
        "scales",
        "learning",
    ]
    assert all(figure.log_x for figure in (depth, width, scales))
    assert [line.x for line in depth.lines[:4]] == [(1, 2, 4, 8)] * 4
    assert [line.x for line in depth.lines[4:]] == [(8,)] * 2, "those of the chosen learning rates, as points"
    assert [line.x for line in width.lines] == [(16, 32, 64, 128)] * 3
    assert not any("published" in line.label for line in depth.lines)
    paper = _spec("cifar10", preset="paper")
    drawn, *_ = PHENOMENON.figures(_data(paper))
    published = [line for line in drawn.lines if "published" in line.label]
    assert dict(zip(published[0].x, published[0].y, strict=True)) == PUBLISHED


def test_figures_of_a_run_that_has_not_begun() -> None:
    spec = _spec()
    empty = RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list)
    assert [len(figure.lines) for figure in PHENOMENON.figures(empty)] == [0] * 4
    part = dataclasses.replace(spec, arms=("scales-1x64",))
    alone = RunData(part, PHENOMENON.arms_of(part), part.seed_list)
    assert len(PHENOMENON.figures(alone)) == 4
    assert judge(PHENOMENON, part, alone).status is Status.INCONCLUSIVE
