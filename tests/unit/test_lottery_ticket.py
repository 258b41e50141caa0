"""Lottery tickets: arms, refusals, what a round trains, and verdicts on data made to pass, fail and be unclear."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.phenomena._lottery_ticket.claims import GAIN, LATER, LOSS
from genlab_tui.phenomena._lottery_ticket.rounds import JUDGED, cells, epoch_steps, samples
from genlab_tui.phenomena.lottery_ticket import PHENOMENON
from genlab_tui.phenomenon import config_values
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training import tickets
from genlab_tui.training.batches import bounds
from genlab_tui.training.members import Member, Recipe
from genlab_tui.training.tickets import Tickets
from genlab_tui.verdict import Status, Verdict, judge

MAIN = "winning tickets"
VARIANTS = {"one_shot": "yes", "magnitude": "yes", "rewind": "54", "sizes": "0.5 1 2"}


def _spec(
    data_set: str = "mnist1d", seeds: int = 5, arms: tuple[str, ...] = (), preset: str = "quick", **values: Any
) -> RunSpec:
    config = config_values(PHENOMENON.make_config(preset, values))
    return RunSpec("00000001", "lottery-ticket", config, data=data_set, seeds=seeds, arms=arms)


def _names(spec: RunSpec) -> list[str]:
    return [arm.name for arm in PHENOMENON.arms_of(spec)]


# --- arms -------------------------------------------------------------------------------------------------------------


def test_quick_has_a_ticket_a_round_and_controls_where_it_is_judged() -> None:
    arms = PHENOMENON.arms_of(_spec())
    assert [arm.name for arm in arms] == [
        *("dense", "ticket-80.2", "ticket-64.4", "ticket-51.7", "ticket-41.5", "ticket-33.4", "ticket-26.8"),
        *("ticket-21.6", "reinit-21.6", "random-21.6"),
    ]
    assert [arm.name for arm in arms if arm.control] == ["reinit-21.6", "random-21.6"]
    assert arms[7].factors["remaining"] == pytest.approx(JUDGED, abs=5e-4)
    assert arms[7].factors["weights"] == pytest.approx(0.216 * 43_000, abs=15), "300-100 on 40 inputs, no biases"


def test_variants_add_arms_where_the_controls_are_and_a_chain_of_their_own() -> None:
    names = _names(_spec(rounds=10, controls="0.512 0.216 0.1", **VARIANTS))
    for kind in ("reinit", "random", "one-shot", "finetuned"):
        assert [name for name in names if name.startswith(kind)] == [f"{kind}-{p}" for p in ("51.7", "21.6", "11.3")]
    assert len([name for name in names if name.startswith("rewound")]) == 10
    assert names.index("x0.5") < names.index("x2")
    assert len(set(names)) == len(names)
    by_name = {arm.name: arm for arm in PHENOMENON.arms_of(_spec(rounds=10, **VARIANTS))}
    judged = float(by_name["ticket-21.6"].factors["weights"])
    for size in (0.5, 2):
        ends = [a for a in by_name.values() if a.factors["size"] == size]
        assert float(ends[-1].factors["weights"]) == pytest.approx(judged, rel=2e-3), "equally many survive"


def test_a_share_that_no_round_reaches_has_no_controls() -> None:
    assert [n for n in _names(_spec(controls="0.1 0.03")) if n.startswith("reinit")] == ["reinit-21.6"]


@pytest.mark.parametrize("data_set", PHENOMENON.data)
def test_every_data_set_has_a_round_to_judge(data_set: str) -> None:
    spec = _spec(data_set)
    remaining = [float(arm.factors["remaining"]) for arm in PHENOMENON.arms_of(spec) if arm.control]
    assert remaining == pytest.approx([JUDGED] * 2, abs=0.008)
    assert data.DATASETS[data_set].classes == 10


@pytest.mark.parametrize(
    ("data_set", "values", "match"),
    [
        ("mnist1d", {"network": "conv-2"}, "conv-2 needs images"),
        ("cifar10", {"network": "conv-4", "sizes": "0.5 1"}, "comes in one width"),
        ("mnist1d", {"rounds": 5}, "none of them leaves 18% to 25%"),
        ("mnist1d", {"rounds": 5}, "nearest valid value: 7"),
        ("cifar10", {"network": "conv-6"}, "nearest valid value: 10"),
        ("mnist1d", {"prune": 0.5, "rounds": 3}, "prune less a round"),
        ("digits", {"validation": 1200}, "leaves nothing of the 1200"),
        ("mnist1d", {"rewind": 4000, "iterations": 0}, "at most 3239"),
    ],
)
def test_what_cannot_be_run_is_said_before_launch(data_set: str, values: dict[str, Any], match: str) -> None:
    with pytest.raises(BadValue) as error:
        PHENOMENON.arms_of(_spec(data_set, **values))
    assert match in f"{error.value} {error.value.hint}"


def test_convolutions_have_no_batch_norm() -> None:
    spec = dataclasses.replace(_spec("cifar10", network="conv-2"), regularisers={"batch-norm": 0.1})
    with pytest.raises(BadValue, match="conv-2 has none"):
        PHENOMENON.arms_of(spec)
    assert "early-stopping" not in PHENOMENON.regularisers, "training runs to the end of its budget"


@pytest.mark.parametrize("network", ["conv-2", "conv-4", "conv-6"])
@pytest.mark.parametrize("data_set", ["digits", "fashion-mnist", "cifar10"])
def test_convolutions_take_all_images(data_set: str, network: str) -> None:
    assert PHENOMENON.arms_of(_spec(data_set, network=network, rounds=16))


@pytest.mark.parametrize(("n", "batch"), [(3200, 60), (960, 60), (961, 60), (1, 60), (61, 60), (60, 60), (59, 60)])
def test_the_steps_of_an_epoch(n: int, batch: int) -> None:
    assert epoch_steps(n, batch) == len(bounds(n, batch))


def test_samples_of_training_and_validation_fit_their_pool() -> None:
    def sizes(data_set: str, **values: Any) -> tuple[int, int, int]:
        spec = _spec(data_set, **values)
        return samples(PHENOMENON.config_of(spec), spec)

    assert sizes("mnist1d") == (3200, 800, 1000)
    assert sizes("digits") == (960, 240, 597)
    assert sizes("fashion-mnist") == (3200, 800, 1000)
    assert sizes("mnist", n=55_000, validation=5000, test=0) == (55_000, 5000, 10_000)
    assert sizes("digits", n=0, validation=200) == (1000, 200, 597)


@pytest.mark.parametrize("preset", list(PHENOMENON.presets))
def test_every_preset_is_valid_and_fits_its_data(preset: str) -> None:
    chosen, config = PHENOMENON.preset(preset), PHENOMENON.make_config(preset)
    assert chosen.data in PHENOMENON.data
    assert chosen.seeds >= 5
    spec = dataclasses.replace(_spec(chosen.data, chosen.seeds, preset=preset), preset=preset)
    arms = PHENOMENON.arms_of(spec)
    cost = PHENOMENON.estimate(config, spec)
    assert cost.members == len(arms) * chosen.seeds
    assert cost.bytes > 0
    assert judge(PHENOMENON, spec, RunData(spec, arms, spec.seed_list)).status is Status.INCONCLUSIVE
    if preset == "quick":
        assert cost.seconds < 60
    if preset not in ("quick", "standard"):
        assert chosen.gpu


def test_the_papers_protocols() -> None:
    paper = PHENOMENON.make_config("paper")
    assert (paper.iterations, paper.batch, paper.lr, paper.optimiser) == (50_000, 60, 1.2e-3, "adam")
    assert (paper.n, paper.validation, paper.every, paper.init) == (55_000, 5000, 100, "glorot-normal")
    assert (paper.prune, paper.prune_output) == (0.2, 0.1)
    table = {"conv-2": (20_000, 2e-4, 0.1), "conv-4": (25_000, 3e-4, 0.1), "conv-6": (30_000, 3e-4, 0.15)}
    for name, expected in table.items():
        config = PHENOMENON.make_config(name)
        assert (config.iterations, config.lr, config.prune_kernels) == expected
        assert (config.network, config.batch, config.prune, config.prune_output) == (name, 60, 0.2, 0.1)


def test_the_estimate_counts_what_has_to_be_trained() -> None:
    def seconds(arms: tuple[str, ...] = (), **values: Any) -> float:
        spec = _spec(arms=arms, **values)
        return PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).seconds

    assert seconds(("dense",)) < seconds(("dense", "ticket-51.7")) < seconds(("ticket-21.6",)) < seconds()
    assert seconds(one_shot=True) > seconds()
    assert seconds(iterations=6000) > seconds()
    assert seconds(seeds=100) > 8 * seconds()
    spec = _spec(arms=("dense", "reinit-21.6"))
    assert PHENOMENON.estimate(PHENOMENON.config_of(spec), spec).members == 10


# --- what a round trains ----------------------------------------------------------------------------------------------


class _Desk:
    """A context that keeps arrays and nothing else."""

    device = "cpu"
    devices = ("cpu",)

    def __init__(self, spec: RunSpec) -> None:
        self.spec, self.arms, self.data_dir = spec, PHENOMENON.arms_of(spec), Path()
        self.arrays: dict[str, dict[str, torch.Tensor]] = {}

    def keep(self, name: str, arrays: dict[str, torch.Tensor]) -> None:
        self.arrays[name] = {key: array.clone() for key, array in arrays.items()}

    def kept(self, name: str) -> dict[str, torch.Tensor]:
        return self.arrays[name]

    def poll(self, save: Any = None) -> None: ...
    def resume(self) -> None: ...
    def changes(self, cohort: str, step: int) -> tuple[()]:
        return ()


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tickets, list[tuple[list[Member], list[Any]]], list[Any]]:
    """Three rounds of two seeds on digits with all variants: the members of every round, the states they ended in."""
    values = {"rounds": 3, "prune": 0.4, "prune_output": 0.2, "controls": 0.216, "epochs": 2, "rewind": 5, "n": 200}
    spec = _spec("digits", 2, **{**values, "one_shot": True, "magnitude": True, "sizes": "0.5 1"})
    config, desk = PHENOMENON.config_of(spec), _Desk(spec)
    recipe = Recipe(batch=60, epochs=2, lr=1.2e-3, target=2.0, init=config.init, every=4)
    arrays = data.load("digits", tmp_path_factory.mktemp("data"))
    made: Any = Tickets(arrays, cells(config, spec), (7, 8), recipe, 200, 50, 100, config.rewind, "0", "", desk)  # type: ignore[arg-type]
    members: list[tuple[list[Member], list[Any]]] = []
    states: list[Any] = []
    taken, kept = Tickets._members, Tickets._keep_masks
    with pytest.MonkeyPatch.context() as patch:

        def note(self: Tickets, *args: Any) -> Any:
            members.append(taken(self, *args))
            return members[-1]

        def note_state(self: Tickets, number: int, state: Any, *rest: Any) -> None:
            states.append(state)
            kept(self, number, state, *rest)

        patch.setattr(Tickets, "_members", note)
        patch.setattr(Tickets, "_keep_masks", note_state)
        for number in range(4):
            from genlab_tui.training.train import Share

            for _ in made.train(number, Share()):
                pass
    return made, members, states


def _member(rounds: Any, number: int, kind: str, seed: int = 7, size: float = 1.0) -> tuple[Member, Any, Any]:
    """Return a member, its cell and its final network."""
    _, members, states = rounds
    for i, (member, cell) in enumerate(zip(*members[number], strict=True)):
        if cell is not None and (cell.kind, member.seed, cell.size) == (kind, seed, size):
            return member, cell, states[number].trained(i)
    raise LookupError(kind)


def test_a_ticket_starts_from_its_seeds_own_draw(rounds: Any) -> None:
    """Not from trained weights: reset to step 0, in the optimiser too, as every round is a training of its own."""
    for number in (1, 2, 3):
        ticket, cell, _ = _member(rounds, number, "ticket")
        assert ticket.start is None
        assert ticket.init is None
        assert ticket.seed == _member(rounds, 0, "dense")[0].seed
        assert [int(mask.sum()) for mask in ticket.masks or ()] == list(cell.counts)


def test_masks_are_nested_and_follow_the_round_before(rounds: Any) -> None:
    before: list[torch.Tensor] | None = None
    for number in (1, 2, 3):
        ticket = _member(rounds, number, "ticket")[0]
        kind = "ticket" if number > 1 else "dense"
        weights = _member(rounds, number - 1, kind)[2].parameters.weights_of(0)
        for at, mask in enumerate(ticket.masks or ()):
            alive = torch.ones_like(mask) if before is None else before[at]
            assert not bool((mask & ~alive).any()), "what was pruned never comes back"
            kept, gone = weights[at].abs()[mask], weights[at].abs()[alive & ~mask]
            assert float(kept.min()) >= float(gone.max()), "the smallest of the survivors went, layer by layer"
        before = list(ticket.masks or ())
        assert len(before) == 3, "matrices alone: biases are never pruned"


def test_the_control_has_the_very_same_mask_and_other_weights(rounds: Any) -> None:
    ticket, control = _member(rounds, 3, "ticket")[0], _member(rounds, 3, "reinit")[0]
    assert all(torch.equal(a, b) for a, b in zip(ticket.masks or (), control.masks or (), strict=True))
    assert control.init is not None
    assert control.init_seed != ticket.init_seed
    assert control.order_seed == ticket.order_seed
    other = _member(rounds, 3, "reinit", seed=8)[0]
    assert other.init != control.init


def test_random_masks_keep_the_share_of_every_layer_and_the_weights(rounds: Any) -> None:
    ticket, control = _member(rounds, 3, "ticket")[0], _member(rounds, 3, "random")[0]
    for one, other in zip(ticket.masks or (), control.masks or (), strict=True):
        assert int(one.sum()) == int(other.sum())
        assert not torch.equal(one, other)
    assert control.init_seed == ticket.init_seed


def test_weights_pruned_without_reset_start_where_the_dense_network_ended(rounds: Any) -> None:
    tuned, cell, _ = _member(rounds, 3, "finetuned")
    dense = _member(rounds, 0, "dense")[2]
    for start, end in zip(tuned.start or (), dense.parameters.tensors_of(0), strict=True):
        assert torch.equal(start, end)
    one_shot = _member(rounds, 3, "one-shot")[0]
    assert one_shot.start is None
    for mask, weight, twin in zip(tuned.masks or (), dense.parameters.weights_of(0), one_shot.masks or (), strict=True):
        assert float(weight.abs()[mask].min()) >= float(weight.abs()[~mask].max())
        assert torch.equal(mask, twin)
    assert [int(mask.sum()) for mask in tuned.masks or ()] == list(cell.counts)


def test_a_rewound_ticket_starts_at_the_dense_networks_own_step(rounds: Any) -> None:
    made, members, states = rounds
    place = next(i for i, cell in enumerate(members[0][1]) if cell is None and members[0][0][i].seed == 7)
    assert states[0].outcomes[place].step == made.rewind
    point = states[0].trained(place)
    rewound = _member(rounds, 2, "rewound")[0]
    for start, weight in zip(rewound.start or (), point.parameters.tensors_of(0), strict=True):
        assert torch.equal(start, weight)
    first, after = _member(rounds, 1, "rewound"), _member(rounds, 2, "rewound")[0]
    weights = first[2].parameters.weights_of(0)
    for mask, weight, alive in zip(after.masks or (), weights, first[0].masks or (), strict=True):
        assert float(weight.abs()[mask].min()) >= float(weight.abs()[alive & ~mask].max())


def test_pruned_weights_are_zero_after_training(rounds: Any) -> None:
    for kind in ("ticket", "reinit", "random", "finetuned", "rewound"):
        member, _, network = _member(rounds, 3, kind)
        for mask, weight in zip(member.masks or (), network.parameters.weights_of(0), strict=True):
            assert not bool(weight[~mask].any()), kind


def test_validation_samples_are_behind_the_training_ones_and_not_among_them(rounds: Any) -> None:
    made, members, _ = rounds
    samples = made.samples
    assert samples.inputs.shape[1] == 250
    assert all(member.n == 200 for member in members[0][0])
    for place in range(2):
        rows = {tuple(row) for row in samples.inputs[place, :200].tolist()}
        assert not rows & {tuple(row) for row in samples.inputs[place, 200:].tolist()}
        assert not rows & {tuple(row) for row in samples.test_inputs[place].tolist()}


def test_what_an_arm_needs_is_trained_unheard(rounds: Any) -> None:
    made = rounds[0]
    arms = [cell.arm for cell in made.cells]
    alone = tickets.needed(made.cells, [arms[3]])
    assert [cell.round for cell in alone] == [0, 1, 2, 3]
    control = next(cell for cell in made.cells if cell.kind == "reinit")
    assert [cell.kind for cell in tickets.needed(made.cells, [control.arm])] == ["dense", "ticket", "ticket", "reinit"]
    one = next(cell for cell in made.cells if cell.kind == "one-shot")
    assert [cell.kind for cell in tickets.needed(made.cells, [one.arm])] == ["dense", "one-shot"]
    assert [cell.kind for cell in tickets.needed(made.cells, ["dense"])] == ["dense"]


# --- verdicts ---------------------------------------------------------------------------------------------------------


def _numbers(arm: Any, seed: int) -> dict[str, float]:
    """Return what a textbook member measures."""
    wobble = (-0.004, 0.003, -0.001, 0.004, -0.002)[seed % 5]
    kind = arm.factors["kind"]
    accuracy = {"reinit": 0.57, "random": 0.55, "dense": 0.60}.get(kind, 0.61)
    step = {"reinit": 2000.0, "random": 2200.0, "dense": 800.0}.get(kind, 850.0)
    raw = 0.3 if kind == "finetuned" else 0.1
    return {
        "early_stop_accuracy": accuracy + wobble,
        "early_stop_step": step + 10 * seed,
        "early_stop_loss": 1.0,
        "start_accuracy": raw,
        "test_accuracy": accuracy + wobble,
        "steps": 3240.0,
    }


def _measured(spec: RunSpec, only: int | None = None, **changes: dict[str, float]) -> RunData:
    """Return textbook data, changed per arm (`_` for `-`, no level: all of that kind), in one seed or in all."""
    arms = PHENOMENON.arms_of(spec)
    measures: dict[str, dict[tuple[str, int], float]] = {}
    for arm in arms:
        for seed in spec.seed_list:
            numbers = _numbers(arm, seed)
            if only is None or seed == only:
                numbers |= changes.get(str(arm.factors["kind"]).replace("-", "_"), {})
            for name, value in numbers.items():
                measures.setdefault(name, {})[arm.name, seed] = value
    return RunData(spec, arms, spec.seed_list, measures=measures)


def _judge(spec: RunSpec | None = None, only: int | None = None, **changes: dict[str, float]) -> Verdict:
    spec = spec or _spec()
    return judge(PHENOMENON, spec, _measured(spec, only, **changes))


def _claim(verdict: Verdict, name: str = MAIN) -> Any:
    return next(claim for claim in verdict.claims if claim.name == name)


def test_the_textbook_is_shown() -> None:
    verdict = _judge()
    assert verdict.status is Status.SHOWN
    assert [claim.main for claim in verdict.claims] == [True, False, False]
    assert len(_claim(verdict).criteria) == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"ticket": {"early_stop_accuracy": 0.58}},
        {"ticket": {"early_stop_step": 1300.0}},
        {"reinit": {"early_stop_accuracy": 0.61, "early_stop_step": 1260.0}, "ticket": {"early_stop_step": 850.0}},
        {"random": {"early_stop_accuracy": 0.61, "early_stop_step": 1260.0}, "ticket": {"early_stop_step": 850.0}},
    ],
    ids=["less accurate", "too late", "re-initialised does as well", "random does as well"],
)
def test_what_is_no_winning_ticket_is_not_shown(changes: dict[str, dict[str, float]]) -> None:
    dense = {"early_stop_step": 810.0}
    verdict = _judge(dense=dense, **changes)
    assert verdict.status is Status.NOT_SHOWN, _claim(verdict).reason


def test_four_of_five_seeds_are_enough_three_are_not() -> None:
    assert _judge(only=2, ticket={"early_stop_accuracy": 0.4}).status is Status.SHOWN
    spec = _spec()
    run_data = _measured(spec)
    accuracy = dict(run_data.measures["early_stop_accuracy"])
    for seed in (1, 3):
        accuracy["ticket-21.6", seed] = 0.4
    bad = dataclasses.replace(run_data, measures={**run_data.measures, "early_stop_accuracy": accuracy})
    assert judge(PHENOMENON, spec, bad).status is Status.NOT_SHOWN


def test_all_of_it_must_hold_in_the_same_seeds() -> None:
    """Each criterion misses another seed: four of five pass each, only three pass all."""
    spec = _spec()
    run_data = _measured(spec)
    accuracy, step = dict(run_data.measures["early_stop_accuracy"]), dict(run_data.measures["early_stop_step"])
    accuracy["ticket-21.6", 1] = 0.58
    step["ticket-21.6", 3] = 1300.0
    bad = dataclasses.replace(
        run_data, measures={**run_data.measures, "early_stop_accuracy": accuracy, "early_stop_step": step}
    )
    verdict = judge(PHENOMENON, spec, bad)
    assert verdict.status is Status.NOT_SHOWN
    assert [c.status.value for c in _claim(verdict).criteria] == ["FAIL", "PASS", "PASS", "PASS", "PASS"]


@pytest.mark.parametrize("control", ["reinit", "random"])
def test_a_control_that_is_as_fast_as_the_dense_network_makes_it_unclear(control: str) -> None:
    """Either of them: a mask alone, or weights alone, would be enough."""
    verdict = _judge(**{control: {"early_stop_step": 1100.0, "early_stop_accuracy": 0.5}})
    assert verdict.status is Status.INCONCLUSIVE
    assert "control" in _claim(verdict).reason
    one = _judge(only=2, **{control: {"early_stop_step": 1100.0, "early_stop_accuracy": 0.5}})
    assert one.status is Status.SHOWN, "it fires by the rule of the effect: in four of five seeds"


@pytest.mark.parametrize(
    "dense",
    [{"early_stop_step": 2500.0}, {"early_stop_accuracy": 0.3}],
    ids=["its budget leaves no room to be late", "nothing was learnt"],
)
def test_a_dense_network_that_has_no_meaning_makes_it_unclear(dense: dict[str, float]) -> None:
    verdict = _judge(dense=dense)
    assert verdict.status is Status.INCONCLUSIVE
    assert "precondition" in _claim(verdict).reason


def test_a_ticket_that_diverged_counts_against() -> None:
    nothing = dict.fromkeys(("early_stop_accuracy", "early_stop_step", "early_stop_loss"), math.nan)
    assert _judge(ticket=nothing).status is Status.INCONCLUSIVE
    share = _claim(_judge(only=1, ticket=nothing)).criteria[0]
    assert share.seeds["1"] == 0.0


def test_thresholds_are_inclusive_and_either_advantage_is_enough() -> None:
    level = {"early_stop_accuracy": 0.6, "early_stop_step": 1000.0}
    ticket = {"early_stop_accuracy": 0.6 - LOSS, "early_stop_step": 1000.0 * LATER}
    by_gain = {"early_stop_accuracy": 0.6 - LOSS - GAIN, "early_stop_step": 1600.0}
    assert _judge(dense=level, ticket=ticket, reinit=by_gain, random=by_gain).status is Status.SHOWN
    by_speed = {"early_stop_accuracy": 0.7, "early_stop_step": 1500.0 * 1.5}
    assert _judge(dense=level, ticket=ticket, reinit=by_speed, random=by_speed).status is Status.SHOWN


def test_fewer_than_three_seeds_are_not_judged() -> None:
    assert _judge(_spec(seeds=2)).status is Status.INCONCLUSIVE


def test_variants_have_side_claims() -> None:
    spec = _spec(rounds=10, controls="0.512 0.216 0.1", **VARIANTS)
    verdict = _judge(spec, finetuned={"early_stop_accuracy": 0.602, "start_accuracy": 0.3})
    assert verdict.status is Status.SHOWN
    names = [claim.name for claim in verdict.claims if not claim.main]
    assert names == [
        *("tickets learn faster", "accuracy at 10% to 25% of the weights", "one blow finds tickets too"),
        *("rewound tickets are as good", "magnitude pruning needs fine-tuning", "larger networks hold better tickets"),
    ]
    assert _claim(verdict, "magnitude pruning needs fine-tuning").status is Status.SHOWN
    held = _judge(spec, finetuned={"start_accuracy": 0.59})
    assert _claim(held, "magnitude pruning needs fine-tuning").status is Status.NOT_SHOWN
    assert _claim(verdict, "tickets learn faster").status is Status.NOT_SHOWN
    assert _claim(verdict, "larger networks hold better tickets").status is Status.NOT_SHOWN, "equal is not better"


def test_replicas_are_judged_seed_by_seed() -> None:
    spec = _spec(seeds=20)
    run_data = _measured(spec, only=7, ticket={"early_stop_accuracy": 0.2})
    for first in range(0, 20, 5):
        part = run_data.of_seeds(range(first, first + 5))
        assert judge(PHENOMENON, part.spec, part).status is Status.SHOWN


def test_published_numbers_stand_beside_ours() -> None:
    published = {c.name: (c.published, c.published_source) for c in _claim(_judge()).criteria}
    assert "0.62" in str(published["early stop of the ticket / of the dense network"][0])
    assert all("v5" in source for value, source in published.values() if value)


# --- figures ----------------------------------------------------------------------------------------------------------


def test_figures_grow_with_the_data_and_the_variants() -> None:
    spec = _spec()
    empty = RunData(spec, PHENOMENON.arms_of(spec), spec.seed_list)
    assert [figure.name for figure in PHENOMENON.figures(empty)] == ["accuracy", "step", "validation"]
    assert all(not figure.lines for figure in PHENOMENON.figures(empty))
    accuracy = PHENOMENON.figures(_measured(spec))[0]
    assert accuracy.log_x
    assert [line.label for line in accuracy.lines] == ["ticket", "re-initialised", "random mask"]
    assert len(accuracy.lines[0].x) == 8
    assert accuracy.lines[0].x[0] == 1.0, "the dense network is where tickets begin"
    assert accuracy.lines[0].low is not None
    both = _spec(rounds=10, controls="0.512 0.216 0.1", **VARIANTS)
    figures = {figure.name: figure for figure in PHENOMENON.figures(_measured(both))}
    assert list(figures) == ["accuracy", "step", "validation", "magnitude", "sizes"]
    assert [line.label for line in figures["sizes"].lines] == ["150-50", "300-100", "600-200"]
    assert [line.label for line in figures["magnitude"].lines] == ["pruned, raw", "pruned, then fine-tuned"]
    assert max(figures["magnitude"].lines[0].x) == pytest.approx(0.887, abs=1e-3)


def test_a_curve_is_drawn_of_the_judged_networks() -> None:
    spec = _spec()
    arms = ("dense", "ticket-21.6", "reinit-21.6", "ticket-80.2")
    events = [ev.Cohort(id="c", members=tuple((arm, 0) for arm in arms))]
    from genlab_tui.rundata import RunDataBuilder

    builder = RunDataBuilder(spec, PHENOMENON.arms_of(spec))
    curves = [ev.Curve(cohort="c", metric="validation_loss", step=s, values=(1.0, 2.0, 3.0, 4.0)) for s in (0, 10)]
    builder.feed_all([*events, *curves])
    figure = PHENOMENON.figures(builder.snapshot())[2]
    assert len(figure.lines) == 3
