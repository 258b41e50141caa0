"""Codes of labels: their lengths, what they may know, the declaration, and verdicts on data made to order."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Generator
from typing import Any

import pytest
import torch

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.phenomena._description_length.config import MIXTURE, hidden_of, uniform_bits
from genlab_tui.phenomena.description_length import PHENOMENON, code_lengths
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import Curve, RunData
from genlab_tui.training import prequential, two_part
from genlab_tui.training.layout import Layout
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.population import Population
from genlab_tui.training.prequential import blocks, label_bits, send, splits, temperature
from genlab_tui.training.train import Share
from genlab_tui.training.two_part import choose_bits, compress, network_bits, quantise
from genlab_tui.verdict import ClaimResult, Grade, Status, Verdict, judge

MAIN = "it compresses although it has more parameters than labels have bits"
ONLINE = "a model that compresses its data generalises: prequential code"
TWO_PART = "a model that compresses its data generalises: two-part code"
RANKS = "the shorter the code, the smaller the test error"
BIGGER, PRUNED = "bigger need not be longer", "pruned and quantised, the two-part code compresses too"


def _spec(data_set: str = "digits", seeds: int = 3, arms: tuple[str, ...] = (), **values: Any) -> RunSpec:
    config = config_values(PHENOMENON.make_config("quick", values))
    return RunSpec("00000001", "description-length", config, data=data_set, seeds=seeds, arms=arms)


# --- the prequential code ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "expected"),
    [(1200, [8, 16, 32, 64, 128, 256, 512, 1024]), (1024, [8, 16, 32, 64, 128, 256, 512]), (17, [8, 16])],
)
def test_blocks_double_and_cover_every_label_once(n: int, expected: list[int]) -> None:
    assert splits(8, n) == expected
    parts = blocks(8, n)
    assert [start for start, _ in parts] == expected
    assert [label for start, stop in parts for label in range(start, stop)] == list(range(8, n))


def test_lengths_are_bits_and_not_nats() -> None:
    """Equal outputs cost log2 K a label at any temperature; a share of 1/2 costs one bit."""
    labels = torch.arange(8)
    for heat in (0.1, 1.0, 30.0):
        found = label_bits(torch.zeros(8, 8, dtype=torch.float64), labels, heat)
        assert found.tolist() == pytest.approx([3.0] * 8, abs=1e-12)
    half = torch.tensor([[40.0, 40.0, 0.0, 0.0]], dtype=torch.float64)
    assert float(label_bits(half, torch.tensor([1]), 1.0)) == pytest.approx(1.0, abs=1e-3)


def test_the_code_is_one_that_could_be_sent() -> None:
    """Kraft: the codewords of all classes together are those of a distribution."""
    logits = torch.randn(50, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 5
    shares = torch.stack([2 ** -label_bits(logits, torch.full((50,), k), 0.7) for k in range(10)])
    assert shares.sum(0).tolist() == pytest.approx([1.0] * 50, abs=1e-12)


def test_no_label_costs_more_than_the_uniform_share_allows() -> None:
    sure = torch.tensor([[1e4, 0.0]], dtype=torch.float64)
    worst = float(label_bits(sure, torch.tensor([1]), 1e-3))
    assert worst == pytest.approx(math.log2(2 / prequential.UNIFORM), rel=1e-9)


def test_temperature_cools_what_is_over_confident_and_sharpens_what_is_timid() -> None:
    source = torch.Generator().manual_seed(1)
    logits = torch.randn(4000, 5, dtype=torch.float64, generator=source)
    labels = torch.multinomial(torch.softmax(logits, 1), 1, generator=source)[:, 0]
    assert temperature(logits, labels) == pytest.approx(1.0, rel=0.1)
    assert temperature(6 * logits, labels) == pytest.approx(6.0, rel=0.1)
    assert temperature(logits / 6, labels) == pytest.approx(1 / 6, rel=0.1)
    before, after = (float(label_bits(6 * logits, labels, t).sum()) for t in (1.0, temperature(6 * logits, labels)))
    assert after < 0.7 * before


def test_one_label_held_out_makes_nobody_sure() -> None:
    """By likelihood alone a single right guess would ask for a temperature of 0."""
    logits = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    assert 0.5 < temperature(logits, torch.tensor([0])) < 1.0 < temperature(logits, torch.tensor([1])) < 2.0


def test_outputs_that_are_not_finite_have_a_temperature_and_no_code() -> None:
    broken = torch.full((2, 3), math.nan, dtype=torch.float64)
    assert temperature(broken, torch.tensor([0, 1])) == 1.0
    assert math.isnan(float(label_bits(broken, torch.tensor([0, 1]), 1.0).sum()))


def _samples(n: int = 64, classes: int = 3) -> Samples:
    source = torch.Generator().manual_seed(2)
    x = torch.randn(1, n, 4, generator=source)
    y = x[:, :, :classes].argmax(2)
    return Samples(x, y, x.clone(), y.clone(), classes, (4,))


def _network(seed: int = 0) -> Population:
    return Population.initial(Layout(4, 3, [(8,)], [0]), [seed])


def test_a_block_costs_what_its_labels_cost_and_is_cooled_by_labels_before_it() -> None:
    samples, member = _samples(), Member("true-1x8", 0)
    network = _network()
    logits = network.logits([samples.inputs])[0].t().double()
    own = temperature(logits[28:32], samples.labels[0, 28:32])
    found = send(network, samples, member, 32, 64, 4, cool=True)
    assert found.temperature == own
    assert found.bits == pytest.approx(float(label_bits(logits[32:], samples.labels[0, 32:], own).sum()), rel=1e-6)
    assert send(network, samples, member, 32, 64, 4, cool=False).temperature == 1.0


class _Context:
    """What training asks for, and nothing else."""

    device, devices = "cpu", ("cpu",)

    def poll(self, save: Any = None) -> None:
        pass

    def changes(self, cohort: str, step: int) -> tuple[()]:
        return ()

    def resume(self) -> None:
        return None


def _value(steps: Generator[ev.Event, None, Any]) -> tuple[list[ev.Event], Any]:
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as stop:
            return events, stop.value


def test_nothing_that_comes_later_changes_a_code() -> None:
    """Training, validation and temperature know what was sent: other labels, inputs and tests change nothing."""
    samples, member = _samples(), Member("true-1x8", 0)
    late = dataclasses.replace(
        samples,
        inputs=torch.cat((samples.inputs[:, :48], -3 * samples.inputs[:, 48:]), 1),
        labels=torch.cat((samples.labels[:, :48], (samples.labels[:, 48:] + 1) % 3), 1),
        test_inputs=-samples.test_inputs,
        test_labels=(samples.test_labels + 1) % 3,
    )
    recipe = Recipe(hidden=(8,), batch=8, epochs=5, target=2.0, regularisers={"early-stopping": 6.0})
    found = []
    for one in (samples, late):
        context: Any = _Context()
        steps = prequential.train_on([member], one, recipe, context, count=32, cohort="c", share=Share())
        events, state = _value(steps)
        assert all(isinstance(event, (ev.Progress, ev.Log)) for event in events)
        assert state.samples.inputs.shape[1] == 32, "a network gets no sample of the block to come"
        held = recipe.validation(32)
        assert held == 3
        found.append(send(state.trained(0), one, member, 32, 48, held, cool=True))
    assert found[0] == found[1]


def test_a_diverged_block_ends_the_code() -> None:
    sent = [{"bits": (4.0, 1.0)}, {"bits": ("nan", 2.0)}, {"bits": (3.0, 3.0)}]
    assert code_lengths(8.0, sent, 1) == [8.0, 9.0, 11.0, 14.0]
    first = code_lengths(8.0, sent, 0)
    assert first[:2] == [8.0, 12.0]
    assert all(map(math.isnan, first[2:]))


# --- two-part codes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("total", "chosen"), [(10, 3), (10, 0), (10, 10), (60, 30)])
def test_a_mask_costs_the_logarithm_of_the_number_of_masks(total: int, chosen: int) -> None:
    assert choose_bits(total, chosen) == pytest.approx(math.log2(math.comb(total, chosen)), abs=1e-9)
    assert network_bits(total, chosen, 4) == pytest.approx(
        math.log2(total + 1) + math.log2(math.comb(total, chosen)) + 16 * 32 + 4 * chosen
    )


def test_quantising_leaves_as_many_values_as_there_are_codewords() -> None:
    values = torch.randn(500, generator=torch.Generator().manual_seed(3))
    errors = []
    for bits in (1, 2, 4, 8):
        found = quantise(values, bits)
        assert len(found.unique()) <= 2**bits
        errors.append(float((found - values).square().mean()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-3 < errors[1]
    two = torch.tensor([0.0, 0.1, 5.0, 5.1])
    assert quantise(two, 1).tolist() == pytest.approx([0.05, 0.05, 5.05, 5.05])
    assert quantise(torch.tensor([2.0, 2.0]), 3).tolist() == [2.0, 2.0]


def test_centres_are_made_where_the_numbers_are() -> None:
    """A tensor made without a device lands on `meta` here, as it would on the CPU beside numbers on a GPU."""
    values = torch.tensor([0.0, 0.1, 5.0, 5.1])
    with torch.device("meta"):
        found = quantise(values, 1)
    assert found.tolist() == pytest.approx([0.05, 0.05, 5.05, 5.05])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_quantising_on_a_gpu_is_that_on_the_cpu() -> None:
    values = torch.randn(500, generator=torch.Generator().manual_seed(3))
    for bits in (1, 4, 8):
        found = quantise(values.cuda(), bits)
        assert found.device.type == "cuda"
        torch.testing.assert_close(found.cpu(), quantise(values, bits))


def test_compression_keeps_the_largest_and_stays_at_the_accuracy() -> None:
    flat = torch.tensor([0.01] * 90 + [1.0, -1.0] * 5)

    def score(numbers: torch.Tensor) -> float:
        return float(numbers.abs().gt(0.5).sum()) / 10

    found = compress(flat, score, 1.0, (1, 2))
    assert found is not None
    assert 10 <= found.kept <= 14
    assert found.accuracy == 1.0
    assert found.numbers[90:].tolist() == pytest.approx(flat[90:].tolist(), abs=0.02)
    assert found.length == network_bits(100, found.kept, found.bits)
    assert compress(flat, score, 1.1, (1, 2)) is None, "an accuracy that nothing reaches"


def test_two_part_codes_count_every_number_and_leave_the_network_as_it_was() -> None:
    samples, member, network = _samples(), Member("true-1x8", 0), _network()
    before = network.parameters.flat.clone()
    found = two_part.two_part(network, samples, member, drop=0.5, widths=(2, 8))
    assert found.parameters == 4 * 8 + 8 + 8 * 3 + 3
    assert found.plain == pytest.approx(32 * (found.parameters + 1) + found.labels)
    assert found.small < found.plain
    assert 0 < found.kept <= 1
    assert found.lost <= 0.5 + 1e-9
    assert torch.equal(network.parameters.flat, before)
    none = two_part.two_part(network, samples, member, drop=-2.0, widths=(2,))
    assert math.isnan(none.small)
    assert torch.equal(network.parameters.flat, before)


# --- the declaration --------------------------------------------------------------------------------------------------


def test_arms_are_models_with_true_and_with_random_labels() -> None:
    arms = PHENOMENON.arms_of(_spec())
    models = ["logistic", "1x32", "1x128", "2x256"]
    assert [arm.name for arm in arms] == [f"{kind}-{model}" for kind in ("true", "random") for model in models]
    assert [arm.control for arm in arms] == [False] * 4 + [True] * 4
    assert [arm.factors["parameters"] for arm in arms][:4] == [650.0, 2410.0, 9610.0, 85002.0]


@pytest.mark.parametrize(
    ("model", "hidden"), [("logistic", ()), ("2x256", (256, 256)), ("vgg-11", None), ("0x3", None)]
)
def test_models_by_name(model: str, hidden: tuple[int, ...] | None) -> None:
    assert hidden_of(model) == hidden


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"models": ("2x256", "1x32")}, "nearest valid value: 1x32 2x256"),
        ({"models": ("1x32",)}, "two or more"),
        ({"models": ("1x32", "2y256")}, "there is no network '2y256'"),
        ({"models": ("1x32", "lenet")}, "lenet"),
        ({"n": 15}, "nearest valid value: 16"),
        ({"first": 1024}, "nearest valid value: 2048"),
    ],
)
def test_what_cannot_run_is_refused_with_what_can(values: dict[str, Any], words: str) -> None:
    with pytest.raises(BadValue) as error:
        PHENOMENON.arms_of(_spec(**values))
    assert words in f"{error.value} {getattr(error.value, 'hint', '')}"


def test_a_model_twice_and_batch_norm_without_a_place_are_refused() -> None:
    with pytest.raises(BadValue, match="twice"):
        PHENOMENON.make_config("quick", {"models": ("1x32", "1x32")})
    spec = _spec("mnist", models=("1x32", "lenet"))
    assert PHENOMENON.arms_of(spec)
    with pytest.raises(BadValue, match="no batch norm"):
        PHENOMENON.arms_of(dataclasses.replace(spec, regularisers={"batch-norm": 0.1}))


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_is_valid_and_shows_nothing_of_nothing(preset: str) -> None:
    chosen, config = PHENOMENON.preset(preset), PHENOMENON.make_config(preset)
    spec = RunSpec(
        "00000001",
        "description-length",
        config_values(config),
        preset=preset,
        data=chosen.data,
        seeds=chosen.seeds,
        regularisers=dict(chosen.regularisers),
    )
    arms = PHENOMENON.arms_of(spec)
    estimate = PHENOMENON.estimate(config, spec)
    assert estimate.members > len(arms) * chosen.seeds
    assert estimate.bytes > 0
    assert bool(chosen.gpu) == preset.startswith("paper")
    if preset == "quick":
        assert estimate.seconds < 30
    assert judge(PHENOMENON, spec, RunData(spec, arms, spec.seed_list)).status is Status.INCONCLUSIVE
    assert len(PHENOMENON.figures(RunData(spec, arms, spec.seed_list))) == 4


def test_the_declaration() -> None:
    assert {"quick", "standard", "paper"} <= set(PHENOMENON.presets)
    assert set(PHENOMENON.data) <= set(data.DATASETS)
    assert len(PHENOMENON.explanation.split()) > 80
    assert PHENOMENON.preset("over-confident").values == {"calibration": MIXTURE}
    assert uniform_bits(PHENOMENON.make_config("quick"), _spec()) == pytest.approx(1200 * math.log2(10))
    names = {c.name for claim in PHENOMENON.claims(PHENOMENON.make_config("quick"), _spec()) for c in claim.criteria}
    assert set(PHENOMENON.headline) <= names
    assert "early-stopping" not in PHENOMENON.regularisers


def test_the_estimate_grows_with_what_costs() -> None:
    def seconds(data_set: str = "digits", seeds: int = 3, **values: Any) -> float:
        spec = _spec(data_set, seeds, **values)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    plain = seconds()
    assert seconds(n=600) < plain < seconds(epochs=120)
    assert plain < seconds(seeds=9)
    assert plain < seconds("fashion-mnist", n=1200)
    assert plain < seconds(models=("logistic", "1x32", "1x128", "2x1024"))


# --- verdicts ---------------------------------------------------------------------------------------------------------

TEXTBOOK = {
    # model: prequential, test error, parameters, small
    "logistic": (0.24, 0.06, 650, 0.6),
    "1x32": (0.18, 0.035, 2410, 3.0),
    "1x128": (0.13, 0.024, 9610, 7.0),
    "2x256": (0.125, 0.021, 85002, 50.0),
}


def _measured(spec: RunSpec, **changes: dict[str, float]) -> RunData:
    """Return run data where every arm has textbook numbers, changed per arm (`_` for `-`) as given.

    What follows from the number of parameters is derived from it: no code is judged that nobody could have sent.
    """
    arms, bits = PHENOMENON.arms_of(spec), uniform_bits(PHENOMENON.config_of(spec), spec)
    measures: dict[str, dict[tuple[str, int], float]] = {}
    for arm in arms:
        ratio, error, size, small = TEXTBOOK[str(arm.factors["model"])]
        noise = arm.factors["labels"] == "random"
        for seed in spec.seed_list:
            wobble = (-0.002, 0.003, -0.001, 0.0)[seed % 4]
            numbers = {
                "ratio": (1.04 if noise else ratio) + wobble,
                "test_error": (0.9 if noise else error) + wobble,
                "test_accuracy": (0.1 if noise else 1 - error) - wobble,
                "parameters": float(size),
                "small_ratio": max(small, 1.05) if noise else small,
                "labels_given_ratio": 0.97 if noise else 0.01,
            }
            numbers |= changes.get(arm.name.replace("-", "_"), {})
            numbers["parameters_per_bit"] = numbers["parameters"] / bits
            weights = two_part.WIDTH * (numbers["parameters"] + 1) / bits
            numbers["two_part_ratio"] = weights + numbers["labels_given_ratio"]
            for name, value in numbers.items():
                measures.setdefault(name, {})[arm.name, seed] = value
    return RunData(spec, arms, spec.seed_list, measures=measures)


def _judge(spec: RunSpec, **changes: dict[str, float]) -> Verdict:
    return judge(PHENOMENON, spec, _measured(spec, **changes))


def _claims(verdict: Verdict) -> dict[str, ClaimResult]:
    return {claim.name: claim for claim in verdict.claims}


def test_a_textbook_run_is_shown_and_the_pruned_code_is_not() -> None:
    verdict = _judge(_spec())
    found = {name: claim.status for name, claim in _claims(verdict).items()}
    assert found == {
        **dict.fromkeys((MAIN, ONLINE, TWO_PART, RANKS, BIGGER), Status.SHOWN),
        PRUNED: Status.NOT_SHOWN,
    }
    assert verdict.status is Status.SHOWN
    assert [claim.name for claim in verdict.claims if claim.main] == [MAIN]
    assert len(PHENOMENON.figures(_measured(_spec()))) == 4


@pytest.mark.parametrize(
    ("claim", "changes"),
    [
        (MAIN, {"true_2x256": {"ratio": 0.51}}),
        (MAIN, {"random_2x256": {"ratio": 0.99}}),
        (ONLINE, {"true_logistic": {"test_accuracy": 0.39}}),
        (ONLINE, {"random_logistic": {"ratio": 0.98}}),
        (TWO_PART, {"true_logistic": {"test_accuracy": 0.39}}),
        (TWO_PART, {"random_logistic": {"small_ratio": 0.98}}),
        (RANKS, {"true_2x256": {"test_error": 0.2}}),
        (BIGGER, {"true_2x256": {"ratio": 0.145}}),
    ],
)
def test_each_claim_can_fail(claim: str, changes: dict[str, dict[str, float]]) -> None:
    found = _claims(_judge(_spec(), **changes))[claim]
    assert found.status is Status.NOT_SHOWN, found.reason


@pytest.mark.parametrize(
    ("claim", "changes", "words"),
    [
        (MAIN, {"random_2x256": {"ratio": 0.45}}, "fired"),
        (MAIN, {"true_2x256": {"parameters": 3000.0}}, "precondition parameters per bit"),
        (MAIN, {"true_2x256": {"ratio": math.nan}}, "no finite number"),
        (MAIN, {"random_2x256": {"ratio": math.nan}}, "no finite number"),
        (ONLINE, {"random_1x32": {"test_accuracy": 0.5}}, "fired"),
        (ONLINE, {"random_1x32": {"test_accuracy": math.nan}}, "has no numbers"),
        (TWO_PART, {"true_logistic": {"small_ratio": 1.2}}, "precondition shortest two-part code"),
        (TWO_PART, {"random_1x32": {"small_ratio": math.nan}}, "two-part code of random labels"),
        (RANKS, {"true_logistic": {"test_error": 0.01}, "true_2x256": {"test_error": 0.07}}, "fired"),
        (PRUNED, {"true_2x256": {"small_ratio": math.nan}}, "no finite number"),
    ],
)
def test_each_claim_can_be_left_open(claim: str, changes: dict[str, dict[str, float]], words: str) -> None:
    found = _claims(_judge(_spec(), **changes))[claim]
    assert found.status is Status.INCONCLUSIVE
    assert words in found.reason, found.reason


@pytest.mark.parametrize(("size", "grade"), [(200, Grade.PASS), (100, Grade.FAIL)])
def test_the_two_part_code_in_float32_is_judged_by_its_length_alone(size: int, grade: Grade) -> None:
    """1,200 digits are 3,986 bits: less than 200 numbers of 32 bits, more than 100."""
    found = _claims(_judge(_spec(), true_2x256={"parameters": float(size)}))[MAIN]
    (criterion,) = [c for c in found.criteria if c.name.startswith("two-part code in float32")]
    assert criterion.status is grade, criterion.reason
    assert "nearly arithmetic" in criterion.statement


def test_a_run_without_two_part_codes_of_random_labels_leaves_that_claim_alone_open() -> None:
    """Runs of before they were measured are stored without a number there."""
    old = {f"random_{model}": {"small_ratio": math.nan} for model in TEXTBOOK}
    found = _claims(_judge(_spec(), **old))
    assert found[TWO_PART].status is Status.INCONCLUSIVE
    assert "two-part code of random labels / uniform code: no finite number" in found[TWO_PART].reason
    assert {found[name].status for name in (MAIN, ONLINE, RANKS, BIGGER)} == {Status.SHOWN}
    assert "picked with the test set" in found[TWO_PART].statement


def test_what_is_published_is_said_of_both_data_sets_and_what_is_held_out_is_said() -> None:
    (first, *_) = _claims(_judge(_spec()))[MAIN].criteria
    assert "MNIST" in str(first.published)
    assert "prequential codes" in first.published_source
    error = PHENOMENON.figures(_measured(_spec()))[2]
    assert "held out to choose the epoch" in error.note


def test_two_seeds_and_changed_runs_decide_nothing() -> None:
    assert _judge(_spec(seeds=2)).status is Status.INCONCLUSIVE
    assert not PHENOMENON.in_flight(PHENOMENON.make_config("quick"))


def test_ranks_are_those_of_the_means_and_every_block_of_seeds_is_judged_alone() -> None:
    run_data = _measured(_spec(seeds=6))
    whole = _claims(judge(PHENOMENON, run_data.spec, run_data))[RANKS].criteria[0]
    assert whole.value == 1.0
    block = run_data.of_seeds((3, 4, 5))
    verdict = judge(PHENOMENON, block.spec, block)
    assert verdict.status is Status.SHOWN
    assert set(_claims(verdict)[MAIN].criteria[0].seeds) == {"3", "4", "5"}


def test_the_figures_have_the_uniform_code_and_every_model() -> None:
    import numpy as np

    spec = _spec()
    steps = np.array([8.0, 16.0, 32.0])
    row = Curve(steps, steps * 0, steps * 0, steps * 2.0)
    members = {(arm.name, seed): row for arm in PHENOMENON.arms_of(spec) for seed in spec.seed_list}
    run_data = dataclasses.replace(_measured(spec), curves={"code_bits": members, "label_bits": members})
    code, codes, error, block = PHENOMENON.figures(run_data)
    uniform = code.lines[-1]  # type: ignore[union-attr]
    assert uniform.label == "uniform code"
    assert uniform.y[-1] == pytest.approx(1200 * math.log2(10))
    assert len(code.lines) == 6  # type: ignore[union-attr]
    assert [line.label for line in codes.lines][:2] == ["prequential", "random labels"]  # type: ignore[union-attr]
    assert len(error.lines) == 8  # type: ignore[union-attr]
    assert len(block.lines) == 5  # type: ignore[union-attr]
    assert PHENOMENON.panels == tuple(figure.name for figure in (code, codes, error, block))
