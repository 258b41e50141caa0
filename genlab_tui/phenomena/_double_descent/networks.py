"""Networks of many widths, trained each by itself or each from the smaller one before it; and what all modes train."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.measures import over_factor
from genlab_tui.models import networks
from genlab_tui.models.mlp import parameter_count
from genlab_tui.peaks import first_below, profile
from genlab_tui.phenomena._double_descent.config import (
    BASE,
    LABELS,
    NETWORK,
    PERCEPTRON,
    REUSE,
    Config,
    check_fits,
    chosen,
    known,
    of_kind,
)
from genlab_tui.phenomenon import Arm, Context, Estimate, Metric, PerSeed
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

if TYPE_CHECKING:
    from genlab_tui.training.members import Member, Recipe, Samples
    from genlab_tui.training.train import Share

FITS = 0.01  # training error from which on a network counts as fitting its data: a threshold, fixed before any run

METRICS = (
    Metric("train_accuracy", "training accuracy"),
    Metric("train_loss", "training loss", log=True, higher_is_better=False),
    Metric("test_accuracy", "test accuracy"),
    Metric("test_loss", "test loss", log=True, higher_is_better=False),
)

MULTIPLICATIONS = {"resnet-18": 5.56e8, "cnn-5": 2.28e8}
"""Those of one 32x32 image at k = 64: they grow with k^2 and with the number of pixels."""

PARAMETERS = {"resnet-18": 1.12e7, "cnn-5": 1.56e6}
"""Those at k = 64, about: they grow with k^2."""

Ends = dict[str, int]


# --- what all modes train ---------------------------------------------------------------------------------------------


def labels(config: Config) -> dict[str, float]:
    """Return the chance that a label is redrawn in each kind of arm: the kind that is judged, then its control.

    Without noisy labels, the control is weight decay.
    """
    return {"noise": config.noise, "clean": 0.0} if config.noise else {"clean": 0.0, "decay": 0.0}


def is_control(config: Config, kind: str) -> bool:
    return kind != next(iter(labels(config)))


def factors(config: Config, kind: str, width: int) -> dict[str, float | str]:
    """Return what an arm of a kind and a width differs in."""
    fit = NETWORK if config.network == PERCEPTRON else config.network
    found: dict[str, float | str] = {"noise": labels(config)[kind], "width": width, "fit": fit}
    return found | ({"decay": config.decay} if kind == "decay" else {})


def recipe_of(config: Config, spec: RunSpec, *, steps: int = 0, log_points: int = 0) -> Recipe:
    """Return how all networks of a run are trained, but for their widths: for its epochs, or for some `steps`."""
    from genlab_tui.training.members import Recipe

    return Recipe(
        network="" if config.network == PERCEPTRON else config.network,
        optimiser=config.optimiser,
        lr=config.lr,
        momentum=0.95,
        batch=config.batch,
        epochs=config.epochs,
        target=2.0,
        loss=config.loss,
        init=config.init,
        regularisers=spec.regularisers,
        steps=steps,
        log_points=log_points,
    )


def check_network(config: Config, spec: RunSpec, field: str = "hidden") -> None:
    """Raise BadValue for a network by name that cannot be trained on the data set, or not at the widths of a field."""
    if config.network == PERCEPTRON:
        return
    networks.check(config.network, known(spec).shape)
    widest = networks.resolve(config.network)[0].widest
    asked = config.hidden if field == "hidden" else (config.size,)
    if max(asked) > widest:
        raise BadValue(
            f"{field} = {max(asked)} is more than the widest {config.network}", f"nearest valid value: {widest}"
        )


def seed_groups(context: Context, seed_bytes: float) -> list[tuple[str, tuple[int, ...]]]:
    """Return the seeds that are trained together, as many as fit the memory, under the name of their stage."""
    found = cost.groups(context.spec.seed_list, seed_bytes, context.device)
    return found if len(found) > 1 else [("networks", found[0][1])]


def seed_bytes(config: Config, spec: RunSpec, n: int, parameters: float) -> float:
    """Return the memory of one seed: its inputs, and its networks with gradient and two moments."""
    found = known(spec)
    tests = min(config.test or found.test, found.test)
    return 4.0 * found.features * (n + tests) + 16.0 * parameters


def parameters_of(config: Config, spec: RunSpec, arms: Sequence[Arm]) -> float:
    """Return the weights of one seed's networks together; of networks by name, of the largest one alone."""
    found, widths = known(spec), [int(arm.factors["width"]) for arm in arms] or [1]
    if config.network != PERCEPTRON:
        return PARAMETERS[config.network] * (max(widths) / 64) ** 2
    return float(sum(parameter_count(found.features, (width,), found.classes) for width in widths))


def draw(
    config: Config, context: Context, arrays: data.Arrays, arms: Sequence[Arm], seeds: Sequence[int], recipe: Recipe,
    n: int,
) -> tuple[list[Member], Samples]:  # fmt: skip
    """Return a member per arm and seed, and their samples."""
    from genlab_tui.training.width_sweep import widths

    return widths(arrays, arms, seeds, recipe, n=n, n_test=config.test, device=context.device)


# --- the sweep of widths ----------------------------------------------------------------------------------------------


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return an arm per kind of labels and width of network. Raises BadValue."""
    check_fits(spec, "n", config.n)
    check_network(config, spec)
    named = "H" if config.network == PERCEPTRON else "k"
    words = {"noise": "", "clean": " clean" * bool(config.noise), "decay": " weight decay"}
    arms = tuple(
        Arm(f"{kind}-{h}", f"{named} {h}{words[kind]}", factors(config, kind, h), control=is_control(config, kind))
        for kind in labels(config)
        for h in sorted(set(config.hidden))
    )
    if config.start == REUSE:
        _check_chain(config, spec, arms)
    return arms


def _check_chain(config: Config, spec: RunSpec, arms: Sequence[Arm]) -> None:
    if config.network != PERCEPTRON:
        raise BadValue(f"the weights of {config.network} are not reused", "set network = perceptron")
    if "batch-norm" in spec.regularisers:
        raise BadValue("a network with batch norm has nothing to reuse: batch-norm is not for start = reuse")
    for kind in labels(config):
        own = {arm.name for arm in of_kind(arms, kind)}
        if spec.arms and own & set(spec.arms) and own - set(spec.arms):
            raise BadValue("with weights reused, every width begins with the one before it", f"launch {kind}-* whole")


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return networks, seconds and the memory of all that train at once."""
    found = known(spec)
    arms = chosen(plan(config, spec), spec)
    parameters = parameters_of(config, spec, arms)
    each = seed_bytes(config, spec, config.n, parameters)
    held = BASE + each * min(spec.seeds, cost.at_once(each, spec.device))
    count = len(arms) * spec.seeds
    if config.network != PERCEPTRON:
        pixels = found.features / found.shape[0] / 1024
        one = MULTIPLICATIONS[config.network] * pixels * sum((float(a.factors["width"]) / 64) ** 2 for a in arms)
        work = 6.0 * one * config.n * config.epochs * spec.seeds
        steps = math.ceil(config.n / config.batch) * config.epochs * count
        kind = cost.kind_of(spec.device)
        return Estimate(count, cost.START + work / cost.FLOPS_PER_SECOND[kind] + steps * cost.STEP_SECONDS[kind], held)

    def seconds(size: float) -> float:
        total = int(size) * spec.seeds
        return cost.seconds(total, config.n, config.batch, [config.epochs], spec.device, spec.regularisers)

    if config.start == REUSE:
        own = [[arm for arm in arms if arm.factors["width"] == h] for h in sorted({a.factors["width"] for a in arms})]
        return Estimate(count, sum(seconds(parameters_of(config, spec, at)) - cost.START for at in own), held)
    return Estimate(count, seconds(parameters), held)


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train the networks of all widths and seeds: as one stage, or a stage a width where weights are reused."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    each = seed_bytes(config, spec, config.n, parameters_of(config, spec, context.arms))
    groups = seed_groups(context, each)
    for at, (name, seeds) in enumerate(groups):
        if config.start == REUSE:
            yield from _chain(config, context, arrays, seeds, at, len(groups))
        else:
            yield from context.stage(name, partial(_all, config, context, arrays, seeds, name, at, len(groups)))


def _all(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, Ends]:
    """Train all widths of some seeds, each from weights of its own."""
    from genlab_tui.training.train import Share, train

    recipe = recipe_of(config, context.spec)
    members, samples = draw(config, context, arrays, context.arms, seeds, recipe, config.n)
    state = yield from train(members, samples, recipe, context, cohort=name, share=Share(at / groups, 1 / groups))
    return state.ends


def _chain(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], group: int, groups: int
) -> Iterator[ev.Event]:
    """Train width after width of some seeds, each from the trained weights of the one before."""
    from genlab_tui.training.train import Share

    widths = sorted({int(arm.factors["width"]) for arm in context.arms})
    before = 0
    for place, width in enumerate(widths):
        share = Share((group + before / sum(widths)) / groups, width / sum(widths) / groups)
        last = f"reuse-{group}-{widths[place - 1]}" if place else ""
        stage = f"H {width}" if groups == 1 else f"H {width}, seeds {seeds[0]} to {seeds[-1]}"
        body = partial(_link, config, context, arrays, seeds, width, stage, (last, f"reuse-{group}-{width}"), share)
        yield from context.stage(stage, body)
        before += width


def _link(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], width: int, stage: str,
    names: tuple[str, str], share: Share,
) -> Generator[ev.Event, None, Ends]:  # fmt: skip
    """Train one width of a chain; `names` are what the weights before it, and its own, are kept under."""
    from dataclasses import replace

    from genlab_tui.training import reuse
    from genlab_tui.training.train import train

    recipe = recipe_of(config, context.spec)
    arms = [arm for arm in context.arms if arm.factors["width"] == width]
    members, samples = draw(config, context, arrays, arms, seeds, recipe, config.n)
    chains = [member.arm.split("-")[0] for member in members]
    last, own = names
    if last:
        kept = context.kept(last)
        starts = [reuse.start_of(kept, chain, m.seed, width) for m, chain in zip(members, chains, strict=True)]
        members = [replace(member, start=start) for member, start in zip(members, starts, strict=True)]
    state = yield from train(members, samples, recipe, context, cohort=stage, share=share)
    context.keep(own, reuse.weights_of(state, members, chains))
    return state.ends


# --- figures ----------------------------------------------------------------------------------------------------------


def train_error(run_data: RunData, arm: str) -> dict[int, float]:
    """Return an arm's final training error per seed."""
    return {seed: 1.0 - value for seed, value in run_data.measure("train_accuracy", arm).items()}


def threshold_mark(run_data: RunData, arms: Sequence[Arm], factor: str, words: str) -> tuple[Reference, ...]:
    """Return a line where networks first fit their data on the mean; `words` has a place for where that is."""
    fit = profile(run_data, "train_accuracy", arms, factor)
    place = first_below([1 - a for a in fit.mean], FITS)
    return () if place is None else (Reference(fit.x[place], words.format(fit.x[place]), "x"),)


def axis_of(config: Config) -> str:
    if config.network != PERCEPTRON:
        return f"width k of {config.network}"
    return "hidden units H" if config.start != REUSE else "hidden units H, weights reused"


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return test error, test loss and training error over the width, also of data still coming."""
    found = known(run_data.spec)
    marks: tuple[Reference, ...] = ()
    if config.loss == "squared" and config.network == PERCEPTRON:
        # As many parameters as equations: (d + 1) H + (H + 1) K = n K (Belkin et al. 2019).
        equations = (config.n - 1) * found.classes / (found.features + 1 + found.classes)
        marks += (Reference(equations, f"parameters = n x classes, H = {equations:.0f}", "x"),)
    kinds = {kind: of_kind(run_data.arms, kind) for kind in labels(config)}
    judged = next(iter(kinds.values())) or tuple(run_data.arms)
    letter = "H" if config.network == PERCEPTRON else "k"
    marks += threshold_mark(run_data, judged, "width", f"training error ≤ {FITS:.0%} from {letter} = {{:g}} on")

    def lines(of: Callable[[str], PerSeed]) -> tuple[Line, ...]:
        return tuple(line for k, arms in kinds.items() for line in over_factor(LABELS[k], arms, "width", of))

    def figure(
        name: str, title: str, label: str, of: Callable[[str], PerSeed], *levels: Reference, log: bool
    ) -> Figure:
        note = "line: mean over seeds, band: 1 standard deviation"
        own = (*marks, *levels)
        return Figure(name, title, axis_of(config), label, lines(of), own, log_x=True, log_y=log, note=note)

    guessing = Reference(1 - 1 / found.classes, "guessing")
    error, loss = partial(run_data.measure, "test_error"), partial(run_data.measure, "test_loss")
    return (
        figure("error", "Test error over the width", "test error", error, guessing, log=False),
        figure("risk", "Test loss over the width", "test loss", loss, log=True),
        figure("fit", "Training error over the width", "training error", partial(train_error, run_data), log=False),
    )
