"""The drift to the largest margin (Soudry et al. 2018): logistic regression without a regulariser finds the SVM.

Protocol: small separable sets in two dimensions, loss without regularisation, full-batch gradient descent from 0 with
the fixed step 1 / L, looked at on a logarithmic axis; the hard-margin SVM of the same features, bias included or not,
is what it is measured against. And a network on real data, trained on long after its training error is 0.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure
from genlab_tui.papers import GUNASEKAR, NACSON, SOUDRY, ZHANG_ADAM
from genlab_tui.phenomena._max_margin import figures as drawn
from genlab_tui.phenomena._max_margin.claims import claims
from genlab_tui.phenomena._max_margin.config import (
    DECAYED,
    FIT,
    HIDDEN,
    KINDS,
    LOOKS,
    MIXED,
    NETWORK_ARMS,
    SETS,
    Config,
    early,
    estimate,
    network_seconds,
    plan,
    seed_bytes,
    toy_seconds,
)
from genlab_tui.phenomena._max_margin.presets import PRESETS
from genlab_tui.phenomenon import Context, Metric, Phenomenon
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

if TYPE_CHECKING:
    from genlab_tui.training.margin_descent import Problems


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Draw and solve the sets, walk each descent on all of them at once, then train the networks."""
    spec = context.spec
    launched = [arm.name for arm in context.arms]
    groups: dict[str, list[str]] = {}
    for arm in (arm for arm in launched if arm in KINDS):
        groups.setdefault(KINDS[arm], []).append(arm)
    costs = [toy_seconds(config, arms[0], len(arms) * spec.seeds) for arms in groups.values()]
    networks = [arm for arm in launched if arm in NETWORK_ARMS]
    whole = sum(costs) + network_seconds(config, spec, networks)
    if groups:
        if context.device != "cpu":
            yield ev.Log(text=f"the toy sets are walked in float64 on the CPU: {context.device} is for the network")
        yield from context.stage(SETS, partial(_draw, config, context))
    for at, (kind, arms) in enumerate(groups.items()):
        share = (sum(costs[:at]) / whole, costs[at] / whole)
        yield from context.stage(f"{kind} descent", partial(_walk, config, context, kind, arms, share))
    if networks:
        arrays = data.load(spec.data, context.data_dir)
        parts = cost.groups(spec.seed_list, seed_bytes(config, spec), context.device)
        for at, (name, seeds) in enumerate(parts):
            before = (sum(costs) + (whole - sum(costs)) * at / len(parts)) / whole
            share = (before, (1 - sum(costs) / whole) / len(parts))
            yield from context.stage(f"network, {name}", partial(_train, config, context, arrays, seeds, name, share))


def _draw(config: Config, context: Context) -> Generator[ev.Event, None, dict[str, Any]]:
    """Draw the set of every seed; keep them for the descents; return the first one, for its picture."""
    import numpy as np

    from genlab_tui.training.margin_sets import draw

    toys = {}
    for seed in context.spec.seed_list:
        context.poll()
        toys[seed] = draw(seed, points=config.points, bias=config.bias, contradictions=config.contradictions)
    found = list(toys.values())
    yield ev.Log(
        text=f"{sum(toy.draws for toy in found)} sets were drawn for {len(found)} seeds: separable ones by a margin "
        "large enough, whose two solutions can be told apart"
    )
    if lost := [seed for seed, toy in toys.items() if not toy.separable]:
        some = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
        text = f"nothing separates the classes of seed {some}: points are there under both labels. There is no margin"
        yield ev.Log(text=text, level="warning")
    yield ev.Cohort(id=SETS, members=tuple((SETS, seed) for seed in toys))
    for name, values in {
        "separable": [float(toy.separable) for toy in found],
        "gamma": [toy.gamma for toy in found],
        "turn": [toy.turn for toy in found],
        "draws": [float(toy.draws) for toy in found],
    }.items():
        yield ev.Measure(cohort=SETS, name=name, values=ev.to_values(values))
    context.keep(
        "sets",
        {
            "z": np.stack([toy.z for toy in found]),
            "flipped": np.stack([toy.flipped for toy in found]),
            "l2": np.stack([toy.l2 for toy in found]),
            "linf": np.stack([toy.linf for toy in found]),
            "gamma": np.array([toy.gamma for toy in found]),
        },
    )
    if config.bias:
        return {}
    first = found[0]
    labels = [1 if k % 2 == 0 else -1 for k in range(config.points)]
    labels += [-label for label in labels[: config.contradictions]]
    points = [[y * float(x) for x in z] + [y] for z, y in zip(first.z, labels, strict=True)]
    headings = {
        name: float(np.arctan2(w[1], w[0])) if first.separable else None
        for name, w in (("l2", first.l2), ("linf", first.linf))
    }
    return {"seed": context.spec.seed_list[0], "points": points, **headings}


def _walk(
    config: Config, context: Context, kind: str, arms: Sequence[str], share: tuple[float, float]
) -> Generator[ev.Event, None, int]:
    """Walk one kind of descent on the sets of all seeds and arms at once; return the steps taken."""
    from genlab_tui.training.margin_descent import walk_all

    steps = config.steps if kind == "gradient" else config.contrast_steps
    return (
        yield from walk_all(
            kind,
            _problems(context, arms),
            context,
            cohort=f"{kind} descent",
            steps=steps,
            early=early(config),
            lr=config.contrast_lr,
            label=f"{kind} descent",
            share=share,
        )
    )


def _problems(context: Context, arms: Sequence[str]) -> Problems:
    """Return the kept sets of all arms, one problem an arm and seed."""
    import numpy as np

    from genlab_tui.training.margin_descent import Problems

    kept: Mapping[str, Any] = {name: np.asarray(array) for name, array in context.kept("sets").items()}
    seeds = context.spec.seed_list
    points = [kept["flipped" if arm == MIXED else "z"] for arm in arms]
    count = len(arms)
    return Problems(
        tuple((arm, seed) for arm in arms for seed in seeds),
        np.ascontiguousarray(np.concatenate(points).transpose(2, 1, 0)),
        np.tile(kept["l2"].T, count),
        np.tile(kept["linf"].T, count),
        np.tile(kept["gamma"], count),
    )


def _train(
    config: Config,
    context: Context,
    arrays: data.Arrays,
    seeds: Sequence[int],
    name: str,
    share: tuple[float, float],
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train the networks of some seeds as one population; return how many ended how.

    The network whose training error has just become 0 is one of the same seed that ends there: the long one passed it.
    """
    from dataclasses import replace

    from genlab_tui.training.layer_swaps import per_seed
    from genlab_tui.training.members import Member, Recipe
    from genlab_tui.training.probes import weight_norm
    from genlab_tui.training.train import Share, train

    spec = context.spec
    n, test = data.known(spec.data).at_most(config.n, config.test)
    samples = per_seed(arrays, seeds, n=n, n_test=test, device=context.device)
    perceptron = config.network in HIDDEN
    recipe = Recipe(
        hidden=HIDDEN[config.network] if perceptron else (),
        network="" if perceptron else config.network,
        optimiser="sgd",
        lr=config.lr,
        batch=config.batch,
        epochs=config.epochs,
        target=2.0,  # never: a network trains to its last epoch
        log_points=LOOKS,
    )
    recipes = {
        FIT: replace(recipe, target=1.0),
        DECAYED: replace(recipe, regularisers={"weight-decay": config.decay}),
    }
    members = [
        Member(arm.name, seed, inputs=k, labels=k, recipe=recipes.get(arm.name, recipe))
        for k, seed in enumerate(seeds)
        for arm in context.arms
        if arm.name in NETWORK_ARMS
    ]
    probes = (weight_norm(),) if perceptron else ()
    state = yield from train(
        members, samples, recipe, context, cohort=f"network, {name}", share=Share(*share), probes=probes
    )
    return state.ends


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return norm, direction, margin and loss over log t, a toy set and the network, also of data still coming."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


def _metric(name: str, label: str, *, log: bool = False, higher: bool = False, unit: str = "") -> Metric:
    return Metric(name, label, log=log, higher_is_better=higher, unit=unit, step_label="step t", log_step=True)


PHENOMENON = Phenomenon(
    name="max-margin",
    title="Maximum margin",
    group="Theory",
    question="Which of all separating directions does gradient descent choose?",
    explanation=(
        "Two clouds of points that a line can separate, logistic loss, no regularisation. There is no best w: making "
        "it longer always makes the loss smaller, so its norm grows without end, like log t. What settles is its "
        "direction, and the surprise of Soudry et al. is which one: that of the hard-margin support vector machine, "
        "the line with the largest distance to the nearest points, although nothing in the loss asks for a margin. "
        "It settles slowly: the loss falls like 1 / t, while the margin lacks something like 1 / log t, so training "
        "goes on to improve the classifier long after all points are right. Read the first figure, the norm times "
        "the largest margin gamma, against the line of slope 1, which is log t / gamma for the norm; the control has "
        "some labels flipped, so that nothing separates it, and its norm stays where it is. The second figure shows "
        "that the optimiser is part of the answer: Adam (with epsilon = 0 and a rate that falls like 1 / sqrt(t)) "
        "and sign descent fit the same points and turn to another direction, nearer to the largest margin in the "
        "L-infinity norm; Adam with its usual epsilon stands beside it. Sets are drawn until gamma is 0.5 or more "
        "and the two directions lie 0.2 rad apart or more, about 20 draws a seed, since on most sets optimisers "
        "could not be told apart. Steps divided by the loss reach the SVM's far sooner. The last figures do it with "
        "a network on real data: in the paper, after the training error is 0, the loss on the test set rises, since "
        "wrong predictions grow as sure as right ones, while the test error goes on falling: stopping when the test "
        "loss rises would stop too soon. On small test sets neither need be seen."
    ),
    papers=(SOUDRY, GUNASEKAR, NACSON, ZHANG_ADAM),
    config=Config,
    presets=PRESETS,
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn", "cifar100"),
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        _metric("scaled_norm", "norm times gamma"),
        _metric("norm", "norm of w"),
        _metric("angle", "angle to the SVM", log=True, unit="rad"),
        _metric("angle_inf", "angle to the L-infinity margin", log=True, unit="rad"),
        _metric("margin", "margin / gamma", higher=True),
        _metric("loss", "loss on the toy set", log=True, unit="nats"),
        _metric("scaled_loss", "loss times t, in units of its limit", log=True),
        _metric("train_loss", "training loss of the network", log=True, unit="nats"),
        _metric("train_accuracy", "training accuracy of the network", higher=True),
        _metric("test_loss", "test loss of the network", log=True, unit="nats"),
        _metric("test_accuracy", "test accuracy of the network", higher=True),
        _metric("weight_norm", "norm of the network's weights"),
    ),
    headline=(
        "slope of the norm over log t, times gamma",
        "margin over the largest",
        "Adam (epsilon 0): angle to the SVM minus angle to the largest L-infinity margin",
    ),
    precision="float64 (network: float32)",
    panels=("norm", "angle", "margin", "loss"),
)
