"""Sharp and flat minima (Keskar et al. 2017): do large batches end in sharper ones, and does that cost accuracy?

Protocol of this lab: networks of one seed start alike and stop at the same training loss, as curvature depends on how
far a network was trained. Sharpness is measured on one fixed subset of the training samples, in float64: eigenvalues of
the Hessian, the step uphill of SAM, the box of the paper, random directions. Preset `paper` has the publication's
network, optimiser and batch sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.papers import DINH, FORET, GOYAL, KESKAR, KWON
from genlab_tui.phenomena._sharpness import figures as drawn
from genlab_tui.phenomena._sharpness.claims import claims
from genlab_tui.phenomena._sharpness.config import (
    ADAPTIVE,
    BOX,
    DIFFERENCE,
    DISTANCE,
    EIGENVALUE,
    RESCALED,
    RISE,
    SAM,
    Config,
    check_of,
    eigenvalue_name,
    estimate,
    expected_epochs,
    level_arm,
    levels,
    plan,
    samples_of,
    seed_bytes,
    small,
)
from genlab_tui.phenomenon import Arm, Context, Metric, Phenomenon, Preset
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

if TYPE_CHECKING:
    from genlab_tui.training.members import Member, Recipe
    from genlab_tui.training.state import State

TRAINING = 0.7  # of a run's time, for the progress bar


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train every arm and seed to one loss, then measure: one stage a group of seeds."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    groups = cost.groups(spec.seed_list, seed_bytes(config, spec, len(context.arms)), context.device)
    for at, (name, group) in enumerate(groups):
        yield from context.stage(name, partial(_group, config, context, arrays, group, name, at, len(groups)))


def _group(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train all arms of some seeds and measure where they ended; return how many networks ended how."""
    from genlab_tui.training import sharpness
    from genlab_tui.training.layer_swaps import per_seed
    from genlab_tui.training.members import Recipe
    from genlab_tui.training.train import Share, train

    n, test = samples_of(config, context.spec)
    samples = per_seed(arrays, seeds, n=n, n_test=test, device=context.device)
    recipe = Recipe(
        hidden=config.hidden,
        optimiser=config.optimiser,
        momentum=config.momentum,
        epochs=config.epochs,
        target=2.0,  # never: what counts is the loss
        regularisers=context.spec.regularisers,
    )
    members = [
        _member(config, context, arm, level, seed, place, recipe)
        for place, seed in enumerate(seeds)
        for arm in context.arms
        for level in (*levels(config), config.loss)
    ]
    share = Share(at / groups, TRAINING / groups)
    measured = sharpness.measured_before(context)
    state = yield from train(members, samples, recipe, context, cohort=name, share=share)

    def poll() -> None:
        context.poll(lambda: sharpness.finished(state, name, measured))

    for place, seed in enumerate(seeds):
        done = (at + TRAINING + (1 - TRAINING) * place / len(seeds)) / groups
        yield ev.Progress(done=round(done, 4), label=f"measuring the networks of seed {seed}")
        if seed in measured:
            yield from measured[seed]
            continue
        own = [i for i, member in enumerate(members) if member.seed == seed]
        said: list[ev.Event] = []
        for event in _measured(config, context, state, own, f"{name}, sharpness of {seed}", poll):
            said.append(event)
            yield event
        measured[seed] = said
    return state.ends


def _member(config: Config, context: Context, arm: Arm, level: float, seed: int, place: int, recipe: Recipe) -> Member:
    """Return the network of an arm at a seed that stops at a loss."""
    from dataclasses import replace

    from genlab_tui.phenomena._sharpness.config import ORDER
    from genlab_tui.training import seeds
    from genlab_tui.training.members import Member

    own = replace(
        recipe,
        batch=int(arm.factors["batch"]),
        lr=float(arm.factors["lr"]),
        loss_target=level,
        check_every=check_of(config, context.spec, arm),
    )
    return Member(
        arm.name if level == config.loss else level_arm(arm.name, level),
        seed,
        inputs=place,
        labels=place,
        recipe=own,
        order=seeds.stream(seed, "another order") if arm.factors["kind"] == ORDER else None,
        expected_epochs=expected_epochs(config, context.spec, arm, level),
    )


def _measured(
    config: Config, context: Context, state: State, own: Sequence[int], cohort: str, poll: Callable[[], None]
) -> Iterator[ev.Event]:
    """Measure the networks of one seed; those that diverged, or never reached their loss, are said."""
    import torch

    from genlab_tui.training import sharpness

    poll()
    members, arms = state.members, [arm.name for arm in context.arms]
    seed = members[own[0]].seed
    for i in own:
        if state.outcomes[i].end == "epochs" and members[i].arm in arms:
            text = f"{members[i].arm}, seed {seed}: the last epoch came before the training loss of {config.loss:g}"
            yield ev.Log(text=text, level="warning")
    alive = [i for i in own if state.outcomes[i].end != "diverged"]
    if not alive:
        return
    final = [i for i in alive if members[i].arm in arms]
    passed = [i for i in alive if members[i].arm not in arms]
    names = [members[i].arm for i in (*final, *passed)]
    net = sharpness.net_of(state, alive[0])
    loss, x = sharpness.subset_loss(net, state, alive[0], config.subset)
    flat = sharpness.together(state, [*final, *passed])
    if small(config) in names:
        names.insert(len(final), RESCALED)
        again = sharpness.rescaled(net, flat[names.index(small(config))][None], config.rescale)
        flat = torch.cat([flat[: len(final)], again, flat[len(final) :]])
    count = len(names) - len(passed)  # networks with every measure; of the others the curvature alone
    yield ev.Cohort(id=cohort, members=tuple((name, seed) for name in names))

    def said(name: str, values: Sequence[float]) -> ev.Measure:
        blanks = [None] * (len(names) - len(values))
        return ev.Measure(cohort=cohort, name=name, values=ev.to_values([*values, *blanks]))

    ends = (config.eigenvalues, config.tolerance, config.products)
    found = sharpness.spectrum(loss, flat[:count], seed, *ends) if count else None
    poll()
    later = sharpness.spectrum(loss, flat[count:], seed, 1, config.tolerance, config.products) if passed else None
    spectra = [part.values for part in (found, later) if part]
    yield said(EIGENVALUE, [value for values in spectra for value in values[:, 0].tolist()])
    for k, column in enumerate(found.values.T.tolist() if found else ()):
        yield said(eigenvalue_name(k + 1), column)
    rough = sum(int(values.isnan().sum()) for values in spectra)
    if rough:
        text = f"seed {seed}: {config.products} products leave {rough} eigenvalues rough: they are missing"
        yield ev.Log(text=text, level="warning")
    if found is None:
        return
    scales = sharpness.Scales(
        config.rho, config.adaptive_rho, config.box, config.ascent, config.radius, config.directions
    )
    numbers = sharpness.measure(net, loss, flat[:count], seed, scales, poll)
    for name, values in ((SAM, numbers.sam), (ADAPTIVE, numbers.adaptive), (BOX, numbers.keskar), (RISE, numbers.rise)):
        yield said(name, values.tolist())
    yield said(DISTANCE, [sharpness.moved(state, i) for i in final])
    if RESCALED in names:
        at = names.index(small(config))
        same = sharpness.output_difference(net, flat[at][None], flat[count - 1][None], x)
        blanks: list[float | None] = [None] * len(names)
        blanks[count - 1] = float(same[0])
        yield ev.Measure(cohort=cohort, name=DIFFERENCE, values=ev.to_values(blanks))


def figures(run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return sharpness against test error, curvature on the way down, all measures, spectra and learning curves."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


PAPER = {
    "n": 0,
    "hidden": (512, 512, 512, 512, 512),
    "batches": (256, 6000),
    "loss": 0.02,
    "levels": (1.0, 0.3, 0.1),
    "optimiser": "adam",
    "lr": 1e-3,
    "epochs": 200,
    "checks": 20,
    "subset": 2000,
}

PHENOMENON = Phenomenon(
    name="sharpness",
    title="Sharp and flat minima",
    group="Geometry",
    question="Do sharp minima generalise worse, and do large batches end in them?",
    explanation=(
        "Two networks can have the same training loss and differ in how steeply it rises around them. An old idea "
        "says that the flat ones generalise: a small change of the task, or of the weights, costs them little. "
        "Keskar et al. added that training with large batches ends in sharp minima, and that this is why it "
        "generalises worse. Here networks of one seed start alike and are all stopped at one training loss, since "
        "sharpness also depends on how far a network was trained (second figure); then their neighbourhood is "
        "measured in five ways. In the first figure a point is a network: if sharpness ruled generalisation, points "
        "further right would lie higher, and those of the large batch would be there. Two things speak "
        "against reading it as a law. The large batch was given the small one's learning rate; with the rate scaled as "
        "the batch is, it usually ends in minima as flat and generalises as well: the second arm of large batches "
        "usually closes whatever gap there is. And sharpness can be changed at will: multiply one layer and divide "
        "the next, and the same function sits in a minimum that is many times sharper (last row of the heat map). "
        "The control trains the small batch again in another order: it must not be twice as sharp. Expect "
        "differences in sharpness to be smaller, and those in accuracy to be much smaller, than the published ones: "
        "NOT SHOWN is the usual answer of networks as small as these."
    ),
    papers=(KESKAR, DINH, GOYAL, FORET, KWON),
    config=Config,
    presets={
        "quick": Preset(seeds=3, data="mnist1d", note="batches of 16 and 200 on 1,000 samples, stopped at 0.1 nats"),
        "easy-data": Preset(
            seeds=3, data="digits", note="the same on digits, where hardly any test error is left; expected NOT SHOWN"
        ),
        "images": Preset(
            seeds=3,
            data="fashion-mnist",
            note="the same on 1,000 images, a few minutes on a CPU: batch sizes differ more in curvature here, and as "
            "little in accuracy",
        ),
        "standard": Preset(
            {"n": 4000, "batches": (16, 50, 200, 800), "levels": (1.0,), "subset": 1000},
            seeds=5,
            data="mnist1d",
            note="batches of 16 to 800 on 4,000 samples: minutes on a CPU, nearly all of it the largest batch",
        ),
        "fast": Preset(
            {"lr": 0.1, "checks": 16},
            seeds=3,
            data="mnist1d",
            note="five times the learning rate: what is left of the difference between batch sizes",
        ),
        "paper": Preset(
            PAPER,
            seeds=5,
            data="mnist",
            regularisers={"batch-norm": 0.1},
            note="network F1 of the paper, five layers of 512 with batch norm on MNIST, by Adam in batches of 256 and "
            "of a tenth of the training set. Unverified: learning rate, initialiser, number of epochs. Stopped at one "
            "training loss, which the paper does not do; batch norm is folded into the weights, with its running "
            "statistics, before sharpness is measured",
            gpu="about 15 minutes and 20 GB",
        ),
    },
    data=("mnist1d", "digits", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn"),
    refused={
        "cifar100": "a perceptron does not reach the training loss at which networks are compared in the time given"
    },
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        Metric("train_loss", "training loss", log=True, higher_is_better=False, unit="nats", log_step=True),
        Metric("train_accuracy", "training accuracy", log_step=True),
        Metric("test_loss", "test loss", log=True, higher_is_better=False, unit="nats", log_step=True),
        Metric("test_accuracy", "test accuracy", log_step=True),
    ),
    # Early stopping would end networks at other losses than those that they are compared at.
    regularisers=tuple(r.name for r in REGULARISERS if r.name != "early-stopping"),
    headline=(
        "largest eigenvalue, large batch / small batch",
        "test accuracy that the large batch loses, less 2 standard errors",
        "rank correlation of largest Hessian eigenvalue and test error",
    ),
    in_flight=lambda config: False,
    precision="float64 (training: float32)",
    panels=("curvature-error", "path", "measures", "train_loss"),
)
