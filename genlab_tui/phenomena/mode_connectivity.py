"""Linear mode connectivity (Frankle et al. 2020): copies of a network that part late end in one basin.

Protocol (arXiv 1912.05671, section 2): train a network to step k, go on from there in two copies that differ in nothing
but the order of the samples, and score the networks on the line between the two ends. The barrier is the largest error
on that line minus the mean of the ends; up to 2 points the copies are linearly connected, the network is stable at k.
Independent networks are not; Ainsworth et al. 2023 (arXiv 2209.04836) match their hidden units first.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure
from genlab_tui.papers import AINSWORTH, FRANKLE_REWINDING
from genlab_tui.phenomena._mode_connectivity import figures as drawn
from genlab_tui.phenomena._mode_connectivity.claims import claims
from genlab_tui.phenomena._mode_connectivity.config import (
    AGAIN,
    CHANGED,
    DISTANCE,
    FIRST,
    LOSS,
    MATCHED,
    OTHER,
    PATHS,
    PERCEPTRON,
    SHUFFLED,
    TEST,
    TRAIN,
    Config,
    estimate,
    plan,
    seed_bytes,
    sizes,
)
from genlab_tui.phenomena._mode_connectivity.presets import PRESETS
from genlab_tui.phenomenon import Context, Metric, Phenomenon
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

TRAINING = 0.9  # of the time of a group, for the progress bar: matching units and scoring lines take the rest

LEFT_OUT = {
    "early-stopping",  # it ends copies at different steps
    "dropout",  # its masks belong to the seed: the copies would share them
    "batch-norm",  # of perceptrons it has no statistics along a line, and units could not be matched
}


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train all copies, then score what lies between them: one stage a group of seeds."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    groups = cost.groups(spec.seed_list, seed_bytes(config, spec, len(context.arms)), context.device)
    for at, (name, group) in enumerate(groups):
        yield from context.stage(name, partial(_group, config, context, arrays, group, name, at, len(groups)))


def _group(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train all arms of some seeds as one population and walk the lines between them; return who ended how.

    A copy repeats the steps that it has in common with the first network, optimiser and all, and then goes on with an
    order of its own: nothing is restarted.
    """
    from genlab_tui.training import copies
    from genlab_tui.training.layer_swaps import per_seed
    from genlab_tui.training.members import Recipe
    from genlab_tui.training.paths import Path, alphas, barrier, scores
    from genlab_tui.training.train import Share, train

    n, test = sizes(config, context.spec)
    samples = per_seed(arrays, seeds, n=n, n_test=test, device=context.device)
    perceptron = config.network == PERCEPTRON
    recipe = Recipe(
        hidden=config.hidden if perceptron else (),
        network="" if perceptron else config.network,
        optimiser=config.optimiser,
        lr=config.lr,
        decay=config.decay,
        drops=tuple(epoch for epoch in config.drops if epoch),
        batch=config.batch,
        epochs=config.epochs,
        target=2.0,  # never: a network trains to its last epoch
        regularisers=context.spec.regularisers,
        init=config.init,
    )
    forks = {arm.name: int(arm.factors["fork"]) for arm in context.arms if "fork" in arm.factors}
    shown = [arm.name for arm in context.arms]
    members = copies.members(shown, forks, seeds, again=AGAIN, independent=OTHER)
    share = Share(at / groups, TRAINING / groups)
    state = yield from train(members, samples, recipe, context, cohort=name, share=share)
    paths = copies.paths(state, FIRST)
    pairs = [path for path in paths if perceptron and path.arm == OTHER]
    steps = len(paths) + 4 * len(pairs)  # every path is scored, and of a pair two more are made and scored

    def progress(done: int, label: str) -> ev.Progress:
        here = TRAINING + (1 - TRAINING) * (done / steps if steps else 1)
        return ev.Progress(done=round((at + here) / groups, 4), label=label)

    moved: list[Path] = []
    for path in copies.reordered(state, pairs, MATCHED, SHUFFLED, context.poll):
        moved.append(path)
        yield progress(len(moved), f"matching the units of seed {path.seed}")
    paths += moved
    if not paths:
        yield progress(0, "nothing to walk between")
        return state.ends

    places = alphas(config.places)
    rows: list[dict[str, list[float]]] = []
    for row in scores(paths, places, recipe, samples, context.poll):
        rows.append(row)
        yield progress(len(moved) + len(rows), f"{len(rows)} of {len(paths)} lines scored")
    cohort = f"{name}, between networks"
    yield ev.Cohort(id=cohort, members=tuple((path.arm, path.seed) for path in paths))
    for metric in PATHS:
        for k, place in enumerate(places):
            values = ev.to_values(row[metric][k] for row in rows)
            yield ev.Curve(cohort=cohort, metric=f"path_{metric}", step=k, epoch=place, values=values)
    for measure, metric, scale in ((TEST, "test_error", 100), (TRAIN, "train_error", 100), (LOSS, "train_loss", 1)):
        yield ev.Measure(cohort=cohort, name=measure, values=ev.to_values(scale * barrier(row[metric]) for row in rows))
    yield ev.Measure(cohort=cohort, name=DISTANCE, values=ev.to_values(path.distance for path in paths))
    ends = {path.seed: row["test_error"][-1] for path, row in zip(paths, rows, strict=True) if path.arm == OTHER}
    changed = [
        100 * abs(row["test_error"][-1] - ends[path.seed]) if path.arm in (MATCHED, SHUFFLED) else None
        for path, row in zip(paths, rows, strict=True)
    ]
    yield ev.Measure(cohort=cohort, name=CHANGED, values=ev.to_values(changed))
    return state.ends


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return the lines between networks, barriers and distances over the common steps, also of data still coming."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


def _path(metric: str, label: str, *, log: bool = False, unit: str = "") -> Metric:
    return Metric(f"path_{metric}", label, log=log, higher_is_better=False, unit=unit, step_label="place on the line")


PHENOMENON = Phenomenon(
    name="mode-connectivity",
    title="Linear mode connectivity",
    group="Geometry",
    question="Do two trainings of one network end in the same valley of the loss?",
    explanation=(
        "Train a network twice from the very same initial weights, with the samples in another order. The two ends are "
        "different networks. Now walk straight from one to the other: take a weighted mean of all their weights, place "
        "by place, and score it without any training. One would expect ruin on the way, since a mean of two networks "
        "is not a network that anybody trained. Between two networks of independent starts that is what happens: the "
        "error rises in the middle, and how far above the mean of the ends is called the barrier. Between copies of "
        "one start there may be none at all: they ended in one valley, and the noise of the order did not decide "
        "which. Frankle et al. call a network stable when the barrier is under two points; a small one is stable from "
        "its start, a larger one, or one with a higher learning rate, only after its copies have had k steps in common "
        "(preset `unstable` looks for that k). Read the first figure from left to right, from one end to the other; "
        "the second one has the barrier over k. The last surprise: the barrier between independent networks is partly "
        "one of names. Hidden units may be swapped without changing the function, and when the units of one network "
        "are matched with those of the other first, much of the barrier is gone. Copies repeat their common steps with "
        "the same optimiser state; nothing is restarted. Networks with batch norm get their statistics anew at every "
        "place, from a pass over training samples."
    ),
    papers=(FRANKLE_REWINDING, AINSWORTH),
    config=Config,
    presets=PRESETS,
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn", "cifar100"),
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
        _path("test_error", "test error between two networks"),
        _path("train_error", "training error between two networks"),
        _path("test_loss", "test loss between two networks", log=True, unit="nats"),
        _path("train_loss", "training loss between two networks", log=True, unit="nats"),
    ),
    regularisers=tuple(r.name for r in REGULARISERS if r.name not in LEFT_OUT),
    headline=(
        "test barrier of copies from one start",
        "test barrier of independent starts minus that of copies from one start",
        "test_accuracy:final",
    ),
    panels=("path", "barrier", "path-train", "distance"),
)
