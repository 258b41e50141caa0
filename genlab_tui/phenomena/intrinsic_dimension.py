"""Intrinsic dimension (Li et al. 2018): how many dimensions of a random subspace it takes to train a network.

theta = theta_0 + P theta_d: theta_0 is the usual start, P [D, d] random and fixed, and only theta_d trains, from 0. The
least d of which the mean over draws reaches 90 % of direct training's accuracy is d_int90: of the same network (local
baseline) or of the best one (global). A seed draws split, order, theta_0 and P.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure
from genlab_tui.papers import LI_INTRINSIC, WENG
from genlab_tui.phenomena._intrinsic_dimension import figures as drawn
from genlab_tui.phenomena._intrinsic_dimension.claims import claims
from genlab_tui.phenomena._intrinsic_dimension.config import (
    CONTROLS,
    LENET,
    RANDOM,
    SMALL_NETS,
    TRUE,
    Config,
    columns_of,
    dims_of,
    hidden_of,
    net_of,
    plan,
    sizes,
)
from genlab_tui.phenomena._intrinsic_dimension.costs import estimate, seed_bytes
from genlab_tui.phenomena._intrinsic_dimension.numbers import direct, name_of, of_arm, overall, small_name
from genlab_tui.phenomena._intrinsic_dimension.presets import PRESETS
from genlab_tui.phenomenon import Arm, Context, Metric, Phenomenon
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

if TYPE_CHECKING:
    from genlab_tui.training.members import Member, Recipe, Samples

Finals = dict[str, dict[str, list[float | None]]]
"""Training and test accuracy by name and seed, as a stage keeps them; None: diverged."""

SHARES = {"direct": (0.0, 0.1), "networks": (0.1, 0.55), "controls": (0.65, 0.35)}
"""Where the stages of a group of seeds stand in its progress: rough."""


# --- the run ----------------------------------------------------------------------------------------------------------


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train directly, in subspaces, and the controls; then read off d_int90: four stages a group of seeds."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    groups = cost.groups(spec.seed_list, seed_bytes(config, spec), context.device)
    for at, (name, group) in enumerate(groups):
        samples = _Drawn(config, context, arrays, group)
        part = (at / len(groups), 1 / len(groups))
        found: Finals = dict((yield from context.stage(f"direct, {name}", partial(_direct, samples, name, part))))
        for kind in ("networks", "controls"):
            arms = [arm.name for arm in context.arms if arm.factors["kind"] == kind.rstrip("s")]
            if arms:
                body = partial(_subspaces, samples, arms, kind, name, part)
                found |= yield from context.stage(f"{kind}, {name}", body)
        yield from context.stage(f"dimension, {name}", partial(_dimension, samples, found, name))


class _Drawn:
    """The samples of some seeds, drawn when they are asked for first: a stage that is done needs none."""

    def __init__(self, config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int]) -> None:
        self.config, self.context, self.arrays, self.seeds = config, context, arrays, seeds
        self.n, self.test, self.few = sizes(config, context.spec)
        self._drawn: tuple[dict[tuple[str, int], Member], Samples] | None = None

    @property
    def samples(self) -> Samples:
        return self._draw()[1]

    def sets(self, arm: str, seed: int) -> tuple[int, int]:
        """Return the input and the label set of an arm at a seed."""
        kind = {TRUE: "true", RANDOM: "random"}.get(arm, arm) if arm in CONTROLS else "true"
        member = self._draw()[0][kind, seed]
        return member.inputs, member.labels

    def _draw(self) -> tuple[dict[tuple[str, int], Member], Samples]:
        if self._drawn is None:
            from genlab_tui.training.conditions import randomised

            launched = {arm.name for arm in self.context.arms}
            kinds = ["true", *(name for name in CONTROLS if name in launched and name not in (TRUE, RANDOM)), "random"]
            arms = [Arm(kind, factors={"corruption": float(kind == "random")}) for kind in kinds]
            members, samples = randomised(
                self.arrays, arms, self.seeds, n=self.n, n_test=self.test, device=self.context.device
            )
            self._drawn = {(member.arm, member.seed): member for member in members}, samples
        return self._drawn

    def recipe(self, net: str, *, control: bool, subspace: bool) -> Recipe:
        """Return how a network trains; weight decay is coupled: in a subspace there is no other."""
        from genlab_tui.training.members import Recipe

        config = self.config
        in_subspace = config.control_lr if control else config.lr
        return Recipe(
            hidden=hidden_of(net),
            network=LENET if net == LENET else "",
            lr=in_subspace if subspace else config.direct_lr,
            batch=config.batch,
            epochs=config.control_epochs if control else config.epochs,
            target=2.0,  # never: a network trains to its last epoch
            coupled=True,
            regularisers=self.context.spec.regularisers,
        )


def _share(part: tuple[float, float], stage: str) -> tuple[float, float]:
    """Return what was done before a stage and how much of the run it is."""
    begin, length = SHARES[stage]
    return part[0] + part[1] * begin, part[1] * length


def _direct(drawn: _Drawn, name: str, part: tuple[float, float]) -> Generator[ev.Event, None, Finals]:
    """Train every network directly, on what it learns in its subspaces, and the small ones."""
    from dataclasses import replace

    from genlab_tui.training.members import Member
    from genlab_tui.training.train import Share, train

    config, context = drawn.config, drawn.context
    members: list[Member] = []
    for arm in context.arms:
        for seed in drawn.seeds:
            if arm.name == SMALL_NETS:
                inputs, labels = drawn.sets(TRUE, seed)
                common = drawn.recipe("1", control=False, subspace=False)
                for hidden in sorted(set(config.small)):
                    own = replace(common, hidden=(hidden,))
                    members.append(Member(small_name(hidden), seed, inputs, labels, recipe=own))
                continue
            inputs, labels = drawn.sets(arm.name, seed)
            control = arm.name in CONTROLS
            own = drawn.recipe(net_of(config, arm.name), control=control, subspace=False)
            few = drawn.few if control and drawn.few < drawn.n else 0
            members.append(Member(direct(arm.name), seed, inputs, labels, recipe=own, n=few))
    share, common = Share(*_share(part, "direct")), drawn.recipe("1", control=False, subspace=False)
    state = yield from train(members, drawn.samples, common, context, cohort=f"direct, {name}", share=share)
    return _kept({(m.arm, m.seed): state.outcomes[i].values for i, m in enumerate(members)})


def _subspaces(
    drawn: _Drawn, arms: Sequence[str], kind: str, name: str, part: tuple[float, float]
) -> Generator[ev.Event, None, Finals]:
    """Train some arms in random subspaces of all their dimensions."""
    from genlab_tui.training.projection import Draws
    from genlab_tui.training.subspace import Task, train
    from genlab_tui.training.train import Share

    config, control = drawn.config, kind == "controls"
    tasks = []
    for arm in arms:
        net, dims = net_of(config, arm), dims_of(config, arm)
        recipe = drawn.recipe(net, control=control, subspace=True)
        names = tuple(name_of(arm, d) for d in dims)
        for seed in drawn.seeds:
            inputs, labels = drawn.sets(arm, seed)
            n = drawn.few if control else drawn.n
            widest = columns_of(config, arm)
            tasks.append(Task(names, seed, recipe, dims, inputs, labels, n, f"{kind} {net}", widest))
    samples = drawn.samples
    draws = Draws(
        config.projection,
        nested=config.basis == "nested",
        unit=config.columns == "unit",
        dtype=samples.inputs.dtype,
        device=samples.inputs.device,
    )
    share = Share(*_share(part, kind))
    finals = yield from train(tasks, samples, draws, drawn.context, cohort=f"{kind}, {name}", share=share)
    return _kept(finals)


def _kept(finals: Mapping[tuple[str, int], Mapping[str, float]]) -> Finals:
    """Return training and test accuracies as they are kept between stages."""
    kept: Finals = {}
    for (arm, seed), values in finals.items():
        pair = (values["train_accuracy"], values["test_accuracy"])
        kept.setdefault(arm, {})[str(seed)] = [value if value == value else None for value in pair]
    return kept


def _dimension(drawn: _Drawn, found: Finals, name: str) -> Generator[ev.Event, None, None]:
    """Read off d_int90 of every seed by itself: measures of the arms."""
    context, config = drawn.context, drawn.config
    measures: dict[str, dict[tuple[str, int], float]] = {"train_accuracy": {}, "test_accuracy": {}}
    for member, by_seed in found.items():
        for seed, pair in by_seed.items():
            for metric, value in zip(measures, pair, strict=True):
                measures[metric][member, int(seed)] = float("nan") if value is None else value
    run_data = RunData(context.spec, context.arms, tuple(drawn.seeds), measures=measures)
    arms = [arm.name for arm in context.arms if arm.name != SMALL_NETS]
    nets = [arm.name for arm in context.arms if arm.factors["kind"] == "network"]
    by_global = {arm: overall(run_data, config, arm, nets).per_seed() for arm in nets}
    rows = {
        "d_int90": {arm: of_arm(run_data, config, arm).per_seed() for arm in arms},
        "d_int90_global": by_global,
        "baseline": {arm: run_data.measure("test_accuracy", direct(arm)) for arm in arms},
    }
    members = [(arm, seed) for arm in arms for seed in drawn.seeds]
    cohort = f"dimension, {name}"
    yield ev.Cohort(id=cohort, members=tuple(members))
    for measure, row in rows.items():
        values = ev.to_values(row.get(arm, {}).get(seed) for arm, seed in members)
        yield ev.Measure(cohort=cohort, name=measure, values=values)


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return accuracy over d, d_int90 over D, the controls and small networks, also of data still coming."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


# --- declaration ------------------------------------------------------------------------------------------------------

PHENOMENON = Phenomenon(
    name="intrinsic-dimension",
    title="Intrinsic dimension",
    group="Size",
    question="How many of a network's dimensions does a task really need?",
    explanation=(
        "A network with D weights is a point in D dimensions, and training walks through all of them. Li et al. lock "
        "it into a random flat slice instead: d directions are drawn once, blindly, through the starting point, and "
        "only how far to go along each of them is learnt. The surprise is how small d may be. A few hundred random "
        "directions of tens of thousands bring a network to 90 % of the accuracy of full training; the least such d "
        "is called the intrinsic dimension, d_int90. In the first figure it is where a curve crosses the line at 0.9. "
        "In the second, it stays nearly flat while the number of parameters grows manyfold: it belongs to the task "
        "more than to the network, and extra weights only add directions in which solutions extend. The controls ask "
        "whether it measures anything: labels drawn at random, which can only be learnt by heart, must take many times "
        "more dimensions, and one permutation of all pixels, which changes nothing for a perceptron, must not. "
        "d_int90 is relative to a baseline: a better one makes it larger."
    ),
    papers=(LI_INTRINSIC, WENG),
    config=Config,
    presets=PRESETS,
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn"),
    refused={"cifar100": "with a hundred classes and few samples, 90 % of a weak baseline says little"},
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        Metric("train_loss", "training loss", log=True, higher_is_better=False, unit="nats"),
        Metric("train_accuracy", "training accuracy"),
        Metric("test_loss", "test loss", log=True, higher_is_better=False, unit="nats"),
        Metric("test_accuracy", "test accuracy"),
    ),
    # What early stopping holds out has no counterpart in a subspace.
    regularisers=tuple(r.name for r in REGULARISERS if r.name != "early-stopping"),
    headline=(
        "largest d_int90 / D, all networks but the smallest",
        "largest d_int90 / smallest, over the networks",
        "d_int90 of random labels / of true ones",
    ),
    in_flight=lambda config: False,
    weight_decay=lambda config: "coupled (half the coefficient times the squared weights, in the loss), on weights",
    panels=("accuracy", "dimension", "controls", "learning"),
)
