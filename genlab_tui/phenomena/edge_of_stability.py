"""The edge of stability (Cohen et al. 2021): full-batch gradient descent sharpens until its own step size stops it.

Protocol: every step sees all training samples, no decay of the rate, half the squared error summed over the outputs
and averaged over the samples, a tanh perceptron; the largest eigenvalue of the Hessian of that very loss by Lanczos
with exact products in float64. With mini-batches, another reduction of the loss or momentum the edge is elsewhere.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure
from genlab_tui.papers import COHEN_EDGE
from genlab_tui.phenomena._edge_of_stability import figures as drawn
from genlab_tui.phenomena._edge_of_stability.claims import claims
from genlab_tui.phenomena._edge_of_stability.config import (
    LARGEST_GROUP,
    SQUARED,
    Config,
    estimate,
    momentum_every,
    plan,
    samples,
    seed_bytes,
    shape,
    threshold,
)
from genlab_tui.phenomena._edge_of_stability.numbers import landmarks
from genlab_tui.phenomena._edge_of_stability.presets import PRESETS
from genlab_tui.phenomenon import Arm, Context, Metric, Phenomenon
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

if TYPE_CHECKING:
    from genlab_tui.data.arrays import Split
    from genlab_tui.training.full_batch import Problem


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Descend with every step size, then with momentum: a stage for each of some seeds."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    size = min(LARGEST_GROUP, cost.at_once(seed_bytes(config, spec), context.device))
    groups = [spec.seed_list[start : start + size] for start in range(0, spec.seeds, size)]
    kinds = {
        "descent": ([arm for arm in context.arms if not arm.factors["beta"]], config.steps, config.every),
        "momentum": (
            [arm for arm in context.arms if arm.factors["beta"]],
            config.momentum_steps,
            momentum_every(config),
        ),
    }
    whole = sum(len(arms) * steps for arms, steps, _ in kinds.values()) * spec.seeds
    done = 0.0
    for seeds in groups:
        problems = _problems(config, context, arrays, seeds)
        for kind, (arms, steps, every) in kinds.items():
            if not arms:
                continue
            name = f"{kind}, seeds {seeds[0]} to {seeds[-1]}"
            share = (done, len(arms) * steps * len(seeds) / whole)
            body = partial(_descend, config, context, problems, arms, steps, every, name, share)
            yield from context.stage(name, body)
            done += share[1]


def _problems(config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int]) -> dict[int, Problem]:
    """Return the samples of every seed, centred by feature and divided by one number, with the shape of its network."""
    import torch

    from genlab_tui.data import arrays as prepare
    from genlab_tui.training.full_batch import Problem
    from genlab_tui.training.nets import Net

    n = samples(config, context.spec)
    net = Net(shape(config, context.spec), config.activation)
    found = {}
    for seed in seeds:
        part = prepare.standardise(_first(arrays, n) if config.first else prepare.split(arrays, n, seed))
        x = torch.from_numpy(prepare.flatten(part.x_train)).to(context.device)
        labels = torch.from_numpy(part.y_train).to(context.device)
        loss = "half-squared" if config.loss == SQUARED else "cross-entropy"
        found[seed] = Problem(net, x, labels, loss, getattr(torch, config.precision))
    return found


def _first(arrays: data.Arrays, n: int) -> Split:
    """Return the first training samples as they stand, the same for every seed."""
    from genlab_tui.data.arrays import Split

    x, y = arrays.x_train, arrays.y_train
    return Split(x[:n], y[:n], x[:0], y[:0], x[:0], y[:0], arrays.classes, arrays.shape)


def _descend(
    config: Config,
    context: Context,
    problems: dict[int, Problem],
    arms: Sequence[Arm],
    steps: int,
    every: int,
    name: str,
    share: tuple[float, float],
) -> Generator[ev.Event, None, int]:
    """Take some arms of some seeds along; yield their curves and measures; return how many there are."""
    import torch

    from genlab_tui.training.edge_training import track
    from genlab_tui.training.full_batch import PLAIN, Descent, Walk

    scheme = "glorot-normal" if config.activation == "tanh" else "he-normal"
    walks = []
    for seed, problem in problems.items():
        start = problem.net.initial((seed,), scheme, config.gain, torch.float64).to(context.device)
        for arm in arms:
            how = Descent(
                arm.name,
                seed,
                float(arm.factors["eta"]),
                steps,
                str(arm.factors["descent"]),
                float(arm.factors["beta"]),
            )
            walks.append(Walk(how, problem, start))
    yield from track(walks, context, cohort=name, every=every, until=config.until, share=share)
    edges = {arm.name: threshold(arm) for arm in arms}
    found = [
        landmarks(walk.looks, walk.noted, walk.descent.lr, edges[walk.descent.arm], plain=walk.descent.kind == PLAIN)
        for walk in walks
    ]
    for measure in found[0]:
        yield ev.Measure(cohort=name, name=measure, values=ev.to_values([own[measure] for own in found]))
    return len(walks)


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return sharpness, loss and rising steps against steps, also of data still coming."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


PHENOMENON = Phenomenon(
    name="edge-of-stability",
    title="Edge of stability",
    group="Dynamics",
    question="How sharp a minimum does full-batch gradient descent go to?",
    explanation=(
        "On a parabola of curvature lambda, gradient descent with the step size eta converges while lambda is below "
        "2 / eta and diverges above: textbooks ask for a step size that is small enough for the loss at hand. Cohen et "
        "al. measured the sharpness of networks along full-batch training, the largest eigenvalue of the Hessian, and "
        "found the opposite order of cause and effect. The sharpness rises by itself (progressive sharpening) until it "
        "is 2 / eta, whatever eta was chosen, and then stays there: each further rise makes the steps along that "
        "direction overshoot, which throws the network to a flatter place. The loss goes up at many of these steps, "
        "and nevertheless falls over longer times. Read the first figure: each line climbs to the dashed line of its "
        "own step size, so that a step size twice as large ends half as sharp; in the second, which multiplies by eta, "
        "they meet at 2. The smallest step size is the control: within the same steps it does not get there, and its "
        "loss never rises. With momentum the edge is elsewhere, (2 + 2 beta) / eta for Polyak's and that over "
        "1 + 2 beta for Nesterov's, where sharpness moves more like a saw. The weights start small: at the usual size "
        "sharpness begins above the edge and nothing is seen to rise. With cross-entropy sharpness falls again once "
        "all samples are right (preset cross-entropy). The edge is about the loss that is descended: mini-batches, a "
        "mean over outputs instead of a sum or a rate that decays would move it."
    ),
    papers=(COHEN_EDGE,),
    config=Config,
    presets=PRESETS,
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn", "cifar100"),
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        Metric("sharpness", "sharpness lambda", log=True, higher_is_better=False),
        Metric("eta_sharpness", "eta * lambda", higher_is_better=False, references=((2.0, "a parabola diverges"),)),
        Metric("train_loss", "training loss", log=True, higher_is_better=False),
        Metric("rising_steps", "share of steps that raise the loss", higher_is_better=False),
        Metric("train_accuracy", "training accuracy"),
    ),
    headline=("eta * lambda, eta 0.2", "eta * lambda, eta 0.4", "sharpness at eta 0.4 over that at eta 0.2"),
    in_flight=lambda config: False,
    precision="float32, losses and sharpness float64",
    panels=("sharpness", "edge", "loss", "momentum"),
)
