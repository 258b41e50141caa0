"""The catapult (Lewkowycz et al. 2020): what gradient descent does at rates that a parabola would not bear.

Protocol: the model f = v.u x / sqrt(n) on one sample, whose neural tangent kernel lambda_0 is its curvature, descends
at rates eta; two boundaries in eta * lambda_0 are found by bisection, for the model and for its linearisation. Then
networks with one hidden layer on two classes of a data set, full batch: the largest rate that trains.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure
from genlab_tui.papers import LEWKOWYCZ
from genlab_tui.phenomena._catapult import figures as drawn
from genlab_tui.phenomena._catapult.claims import DIVERGES, claims
from genlab_tui.phenomena._catapult.config import (
    CENTRED,
    HIGHEST,
    LARGEST_GROUP,
    LINEAR,
    LOWEST,
    MODEL,
    NETWORK_HIGHEST,
    NETWORK_LOWEST,
    NETWORKS,
    PEAK_STEPS,
    SHOWN,
    Config,
    estimate,
    network_bytes,
    plan,
    sweep_arms,
    width_arms,
)
from genlab_tui.phenomena._catapult.presets import PRESETS
from genlab_tui.phenomenon import Arm, Context, Metric, Phenomenon
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

if TYPE_CHECKING:
    from genlab_tui.training.catapult_rates import Problem

NETWORK_SHARE = 0.6
"""How much of a run's progress the networks are."""


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Descend on the model, then train the networks: stages for some seeds each."""
    seeds = context.spec.seed_list
    networks = [arm for arm in context.arms if arm.factors["kind"] == "network"]
    groups = [seeds[start : start + LARGEST_GROUP] for start in range(0, len(seeds), LARGEST_GROUP)]
    share = 1.0 - NETWORK_SHARE if networks else 1.0
    for at, group in enumerate(groups):
        yield from _model(config, context, group)
        yield ev.Progress(done=share * (at + 1) / len(groups), label=f"the model, seeds to {group[-1]}")
    if not networks:
        return
    size = min(LARGEST_GROUP, cost.at_once(network_bytes(config, context.spec), context.device))
    groups = [seeds[start : start + size] for start in range(0, len(seeds), size)]
    for at, group in enumerate(groups):
        for place, network in enumerate(NETWORKS):
            own = [arm for arm in networks if arm.factors["network"] == network]
            if own:
                yield from _networks(config, context, network, own, group)
            done = (at + (place + 1) / len(NETWORKS)) / len(groups)
            yield ev.Progress(done=share + (1 - share) * done, label=f"{NETWORKS[network]}, seeds to {group[-1]}")


def _model(config: Config, context: Context, seeds: Sequence[int]) -> Generator[ev.Event, None, None]:
    """Take the model of some seeds through all that is launched of it."""
    from genlab_tui.training import catapult_sweep as sweep

    kinds: dict[str, list[Arm]] = {}
    for arm in context.arms:
        kinds.setdefault(str(arm.factors["kind"]), []).append(arm)
    name = f"seeds {seeds[0]} to {seeds[-1]}"
    if own := kinds.get("descent"):
        cohort = f"descents, {name}"
        body = partial(sweep.step_by_step, own, seeds, config.width, config.steps, SHOWN, cohort, context)
        yield from context.stage(cohort, body)
    for arm in kinds.get("boundaries", ()):
        if arm.name == MODEL:
            cohort = f"sweep, {name}"
            places = sweep_arms(config)
            swept = partial(sweep.sweep, places, seeds, config.width, config.steps, cohort, context)
            yield from context.stage(cohort, swept)
        cohort = f"boundaries of {arm.name}, {name}"
        ends = (LOWEST, HIGHEST)
        searched = partial(
            sweep.boundaries, arm, seeds, config.width, config.steps, ends, config.rounds, cohort, context
        )
        yield from context.stage(cohort, searched)
    for arm in kinds.get("widths", ()):
        cohort = f"{arm.name}, {name}"
        steps = min(config.steps, PEAK_STEPS)
        grown = partial(sweep.peaks, arm, width_arms(config), seeds, config.draws, steps, cohort, context)
        yield from context.stage(cohort, grown)


def _networks(
    config: Config, context: Context, network: str, arms: Sequence[Arm], seeds: Sequence[int]
) -> Generator[ev.Event, None, None]:
    """Descend with the networks of an activation and their linearisation at one rate, then search the largest."""
    from genlab_tui.training.catapult_rates import at_one_rate, largest_rate

    own = _problem(config, context, network, seeds)
    name = f"seeds {seeds[0]} to {seeds[-1]}"
    cohort = f"{network} at one rate, {name}"
    body = partial(at_one_rate, own, arms, config.network_product, config.network_steps, cohort, context)
    yield from context.stage(cohort, body)
    for arm in arms:
        cohort = f"rates of {arm.name}, {name}"
        ends = (NETWORK_LOWEST, NETWORK_HIGHEST)
        searched = partial(largest_rate, own, arm, ends, config.network_rounds, config.network_steps, cohort, context)
        yield from context.stage(cohort, searched)


def _problem(config: Config, context: Context, network: str, seeds: Sequence[int]) -> Problem:
    """Return the networks of some seeds with their samples: the first of both classes in the seed's split.

    Inputs are divided by their root mean square; only centred ones have their mean over the samples taken off before.
    Raises BadValue where a seed has too few: how many samples of a class a pooled data set trains on is drawn too.
    """
    import numpy as np

    from genlab_tui.data import arrays as prepare
    from genlab_tui.training import catapult_networks, catapult_rates

    arrays = data.load(context.spec.data, context.data_dir)
    first = config.classes[0]
    inputs, targets = [], []
    for seed in seeds:
        part = prepare.split(arrays, 0, seed)
        wanted = np.flatnonzero(np.isin(part.y_train, config.classes))[: config.samples]
        if len(wanted) < config.samples:
            drawn = context.spec.seed_list if arrays.pooled else (seed,)
            splits = (prepare.split(arrays, 0, own).y_train for own in drawn)
            least = min(int(np.isin(labels, config.classes).sum()) for labels in splits)
            raise BadValue(
                f"samples = {config.samples}: seed {seed} has {len(wanted)} of classes "
                f"{' and '.join(map(str, config.classes))} to train on",
                f"nearest valid value for all seeds: {least}",
            )
        x = prepare.flatten(part.x_train[wanted])
        if network == CENTRED:
            x = x - x.mean(axis=0, dtype=np.float64).astype(np.float32)
        inputs.append(x / (float(np.sqrt(np.mean(np.square(x), dtype=np.float64))) or 1.0))
        targets.append(np.where(part.y_train[wanted] == first, -1.0, 1.0).astype(np.float32))
    samples = catapult_networks.prepare(inputs, targets, context.device)
    activation = catapult_networks.LINEAR if network == LINEAR else catapult_networks.RELU
    return catapult_rates.problem(activation, seeds, samples, config.hidden)


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return losses, curvature and peaks against the rate, and the networks, also of data still coming."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


PHENOMENON = Phenomenon(
    name="catapult",
    title="Catapult",
    group="Dynamics",
    question="What happens at learning rates that are too large for the curvature at the start?",
    explanation=(
        "On a parabola of curvature lambda, gradient descent converges if eta * lambda is below 2 and diverges above. "
        "Very wide networks near their start are such a parabola: the theory of the neural tangent kernel says that "
        "their curvature never changes. Lewkowycz et al. looked at what the parabola leaves out, in a model that is "
        "small enough to be solved, f = v.u x / sqrt(n) on one sample, and found a phase between. Up to "
        "eta * lambda_0 = 2 the loss falls at every step, the curvature stays (lazy). Between 2 and 4 the loss grows "
        "at first, as on a parabola, but when it has reached about the size of the width n, the large outputs push the "
        "curvature down, until eta * lambda is below 2; then the loss falls to zero, in a flatter place than where it "
        "began: it was thrown there. Above 4 the curvature grows too, and all diverges. Read the first figure: the "
        "lines of 2.5 to 3.9 rise by orders of magnitude before they fall; the third shows where curvature ends: one "
        "below 2, under the curve of the stable values between 2 and 4, nothing beyond. The control is the same model "
        "with its curvature held constant: it has no phase between, it diverges from 2. Networks on two classes of "
        "a data set follow on the side: without an activation the limit is near that of the model, with ReLU units it "
        "depends on the inputs. Where all lie to one side, as images do, the growing loss throws units to where they "
        "are silent, which lowers the curvature, and far larger rates train; with centred inputs every unit answers to "
        "some of them, and the limit is near 4 again. A network counts as trained if it ends clearly better than one "
        "that answers 0: silent units alone would make the loss finite."
    ),
    papers=(LEWKOWYCZ,),
    config=Config,
    presets=PRESETS,
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn", "cifar100"),
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        Metric("loss", "loss of the model", log=True, higher_is_better=False),
        Metric("eta_lambda", "eta * lambda, up to 8", higher_is_better=False, references=((2.0, "stable below"),)),
        Metric("network_loss", "loss of the networks", log=True, higher_is_better=False),
    ),
    headline=("eta lambda_0 at which the loss first rises", DIVERGES, "eta_max:relu"),
    in_flight=lambda config: False,
    precision="float64 (networks: float32)",
    panels=("loss", "curvature", "peak", "network-loss"),
)
