"""The loss landscape: train every arm and seed, then look around each network."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.phenomena._loss_landscape.config import (
    MATCHED,
    MINIMA,
    NEAR,
    PERCEPTRON,
    PLAIN,
    SKIP,
    SNAPSHOTS,
    Config,
    groups,
    network_of,
    perceptron,
    points,
    shares,
    sizes,
    sliced,
)
from genlab_tui.phenomenon import Context

if TYPE_CHECKING:
    from torch import Tensor

    from genlab_tui.training.members import Recipe, Samples
    from genlab_tui.training.survey import Evaluate
    from genlab_tui.training.train import Share

BLOCK = {PERCEPTRON: 441}
"""Points that are evaluated between two looks at pause and stop: a quarter of a second of perceptrons."""


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train a group of seeds in one stage, then survey each of its networks in one of its own."""
    from genlab_tui.training.train import Share

    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    arms = [arm.name for arm in context.arms]
    train, survey = shares(config, spec)
    whole = (train + survey) * len(arms) * spec.seeds
    before = 0.0
    for name, seeds in groups(config, spec, len(arms)):
        size = train * len(arms) * len(seeds) / whole
        share = Share(before, size)
        yield from context.stage(name, partial(_train, config, context, arrays, seeds, name, share))
        before += size
        for seed in seeds:
            for arm in arms:
                share = Share(before, survey / whole)
                body = partial(_survey, config, context, arrays, seeds[0], seed, arm, share)
                yield from context.stage(f"around {arm}, seed {seed}", body)
                before += survey / whole


def _samples(config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int]) -> Samples:
    from genlab_tui.training.layer_swaps import per_seed

    n, test = sizes(config, context.spec)
    return per_seed(arrays, seeds, n=n, n_test=test, device=context.device)


def _train(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, share: Share
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train the networks of some seeds and keep them; return how many ended how."""
    samples = _samples(config, context, arrays, seeds)
    arms = [arm.name for arm in context.arms]
    target = MATCHED if config.stop else -math.inf
    if config.model != PERCEPTRON:
        return (yield from _train_modules(config, context, samples, seeds, arms, name, share))

    from genlab_tui.training.landscape_networks import train
    from genlab_tui.training.landscape_training import Plan

    how = Plan(config.lr, config.batch, config.epochs, target, SNAPSHOTS)
    shapes = perceptron(config, context.spec)
    kinds = {arm: arm == SKIP for arm in arms}
    return (
        yield from train(shapes, kinds, seeds, samples, how, context, cohort=name, keep=_kept(seeds[0]), share=share)
    )


def _kept(seed: int) -> str:
    """Return the name that the networks of a group of seeds are kept under, from its first one."""
    return f"networks-{seed}"


def _recipe(config: Config, arm: str) -> Recipe:
    """Return how a ResNet is trained."""
    from genlab_tui.training.members import Recipe

    return Recipe(
        network=network_of(config, arm),
        optimiser="sgd",
        nesterov=True,
        lr=config.lr_plain if arm == PLAIN else config.lr,
        decay=config.decay,
        batch=config.batch,
        epochs=config.epochs,
        target=2.0,
        loss_target=MATCHED if config.stop else -math.inf,
        regularisers={"weight-decay": config.weight_decay} if config.weight_decay else {},
        coupled=True,
    )


def _train_modules(
    config: Config,
    context: Context,
    samples: Samples,
    seeds: Sequence[int],
    arms: Sequence[str],
    name: str,
    share: Share,
) -> Generator[ev.Event, None, dict[str, int]]:
    from genlab_tui.training.members import Member
    from genlab_tui.training.train import train

    members = [
        Member(arm, seed, inputs=k, labels=k, recipe=_recipe(config, arm))
        for k, seed in enumerate(seeds)
        for arm in arms
    ]
    state = yield from train(members, samples, _recipe(config, arms[0]), context, cohort=name, share=share)
    kept: dict[str, Tensor] = {}
    for i, member in enumerate(members):
        numbers, statistics = state.weights[i]
        kept |= {f"{member.arm} {member.seed} numbers": numbers, f"{member.arm} {member.seed} statistics": statistics}
    context.keep(_kept(seeds[0]), kept)
    return state.ends


def _survey(
    config: Config, context: Context, arrays: data.Arrays, group: int, seed: int, arm: str, share: Share
) -> Generator[ev.Event, None, int]:
    """Look around one trained network; return the points evaluated. Slices are stored of the run's first seed alone."""
    import torch

    from genlab_tui.training.survey import Survey, around, steps, way_grid

    kept = {
        name.removeprefix(f"{arm} {seed} "): array
        for name, array in context.kept(_kept(group)).items()
        if name.startswith(f"{arm} {seed} ")
    }
    numbers: Tensor = kept["numbers"].to(context.device)
    cohort = f"around {arm}, seed {seed}"
    yield ev.Cohort(id=cohort, members=((arm, seed),))
    if not torch.isfinite(numbers).all():
        return 0
    samples = _samples(config, context, arrays, [seed])
    level = math.log(samples.classes)
    evaluate, directions = _landscape(config, context, samples, arm, seed, kept)
    label = f"around the network {'with' if arm == SKIP else 'without'} shortcuts, seed {seed}"
    block = BLOCK.get(config.model, 8)
    survey = Survey(evaluate, context, share, points(config), label, block)
    found = yield from around(
        survey,
        directions[: config.directions],
        directions[: 2 * config.pairs],
        level,
        grid=config.grid,
        near=NEAR,
    )
    first = seed == context.spec.seed_list[0]
    if first and "path" in kept:
        columns, rows, cells = way_grid(kept["path"], config.grid)
        table = yield from survey.plane("way", kept["directions"].to(context.device), columns, rows)
        yield _heat("way", arm, seed, columns, rows, table.tolist())
        yield _heat("path", arm, seed, (0.0, 1.0), range(len(cells)), cells)
    # After all that polls: who goes on from a stop appends to a curve, so a profile drawn before it would stand twice.
    for name, value in found.measures(MINIMA).items():
        yield ev.Measure(cohort=cohort, name=name, values=ev.to_values([value]))
    for k, (at, value) in enumerate(zip(steps(1.0, config.grid), found.profile(), strict=True)):
        yield ev.Curve(cohort=cohort, metric="profile", step=k, epoch=at, values=ev.to_values([value]))
    near = steps(found.reach, config.grid)
    for name, tables, places in (("square", found.squares, steps(1.0, config.grid)), ("near", found.nears, near)):
        if first and tables:
            yield _heat(name, arm, seed, places, places, tables[0].tolist())
    return survey.kept + survey.count


def _heat(
    name: str, arm: str, seed: int, columns: Sequence[float], rows: Sequence[float], table: Sequence[Sequence[float]]
) -> ev.Heat:
    ticks = [tuple(f"{place:.3g}" for place in places) for places in (columns, rows)]
    values = tuple(ev.to_values(row) for row in table)
    return ev.Heat(name=name, arm=arm, seed=seed, x_ticks=ticks[0], y_ticks=ticks[1], values=values)


def _landscape(
    config: Config, context: Context, samples: Samples, arm: str, seed: int, kept: dict[str, Tensor]
) -> tuple[Evaluate, Tensor]:
    """Return the loss around a network, and its random directions [D, P]: as many as are asked for anywhere."""
    import torch

    count, n = max(config.directions, 2 * config.pairs), sliced(config, context.spec)
    numbers = kept["numbers"].to(context.device)
    if config.model == PERCEPTRON:
        from genlab_tui.training.landscape_training import network
        from genlab_tui.training.nets import losses
        from genlab_tui.training.slices import direction, evaluate_at

        net = network(perceptron(config, context.spec), arm == SKIP)
        x, y = samples.inputs[0, :n], samples.labels[0, :n]
        drawn = [direction(net, numbers[None], seed, k)[0] for k in range(count)]
        at_once = 8 if context.device == "cpu" else 0  # what a core's cache holds of activations

        def evaluate(directions: Tensor, steps: Tensor) -> Tensor:
            return evaluate_at(lambda flat: losses(net, flat, x, y), numbers, directions, steps, at_once=at_once)

        return evaluate, torch.stack(drawn)

    from genlab_tui.training import module_slices, modules

    recipe = _recipe(config, arm)
    module = modules.restored(recipe, samples, numbers, kept["statistics"].to(context.device))
    drawn = [module_slices.direction(module, seed, k) for k in range(count)]
    return module_slices.losses_around(module, recipe, samples, 0, n), torch.stack(drawn)
