"""Simplicity bias: of several explanations of the same data, training takes the simplest (Shah, Rahaman et al.).

Slabs (Shah et al. 2020): one coordinate tells the class by a threshold, the others by slabs; whether a network uses
them is seen when they are permuted across the test samples. Sines (Rahaman et al. 2019, spectral bias): of a sum of
sines of equal size, which is learnt when?
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial

from genlab_tui import events as ev
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.papers import RAHAMAN, SHAH, TANCIK, VALLE_PEREZ
from genlab_tui.phenomena._simplicity_bias.claims import (
    COMPLEX_PERMUTED,
    ENOUGH,
    FITTED,
    ORDER,
    RATIO,
    SIMPLE_PERMUTED,
    claims,
)
from genlab_tui.phenomena._simplicity_bias.config import (
    FOURIER,
    LINE,
    SINE_ARMS,
    SLAB_ARMS,
    Config,
    estimate,
    ordered,
    part,
    plan,
    seed_bytes,
    shares,
)
from genlab_tui.phenomena._simplicity_bias.figures import figures as draw
from genlab_tui.phenomenon import Context, Metric, Phenomenon, Preset
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

TOGETHER = {"cpu": 8, "cuda": 128}  # seeds whose sines are one stage: between two polls lies a part of a second

# --- the run ----------------------------------------------------------------------------------------------------------


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train the slab networks, then those on sines: a stage for some seeds at a time."""
    spec = context.spec
    names = tuple(arm.name for arm in context.arms)
    slabs, sines = shares(config, names, spec.seeds, context.device)
    whole = (slabs + sines) or 1.0
    if set(names) & set(SLAB_ARMS):
        groups = cost.groups(spec.seed_list, seed_bytes(config), context.device)
        each = slabs / whole / len(groups)
        for at, (name, group) in enumerate(groups):
            body = partial(_slabs, config, context, group, f"slabs, {name}", (at * each, each))
            yield from context.stage(f"slabs, {name}", body)
    if set(names) & set(SINE_ARMS):
        seeds, size = spec.seed_list, TOGETHER[cost.kind_of(context.device)]
        parts = [seeds[start : start + size] for start in range(0, len(seeds), size)]
        each = sines / whole / len(parts)
        for at, own in enumerate(parts):
            body = partial(_sines, config, context, own, (slabs / whole + at * each, each))
            yield from context.stage(f"sines, seeds {own[0]} to {own[-1]}", body)


def _slabs(
    config: Config, context: Context, seeds: Sequence[int], name: str, share: tuple[float, float]
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train both arms of some seeds as one population; return how many networks ended how."""
    from genlab_tui.training.members import Recipe
    from genlab_tui.training.slab_samples import Slabs
    from genlab_tui.training.slab_training import slab_members
    from genlab_tui.training.train import Share, train

    kind = Slabs(config.features, config.slabs, config.margin, config.odds, config.rotate)
    arms = [(arm.name, not arm.factors["simple"]) for arm in context.arms if arm.name in SLAB_ARMS]
    members, samples, probes = slab_members(kind, arms, seeds, config.n, config.test, context.device)
    recipe = Recipe(
        hidden=(config.units,) * config.depth,
        lr=config.lr,
        batch=min(config.batch, config.n),
        epochs=config.epochs,
        target=2.0,  # never: all train for as long
    )
    state = yield from train(members, samples, recipe, context, cohort=name, share=Share(*share), probes=probes)
    return state.ends


def _sines(
    config: Config, context: Context, seeds: Sequence[int], share: tuple[float, float]
) -> Generator[ev.Event, None, dict[str, int]]:
    """Train the networks of some seeds on their sums of sines; return how many have learnt all of them."""
    from genlab_tui.training.sine_sweep import learn_sines
    from genlab_tui.training.sine_training import Shape, Waves

    waves = ordered(config)
    plain = Shape(config.width, config.layers, config.kinks)
    scale = config.spread or float(waves[-1])
    shapes = {LINE: plain, FOURIER: Shape(config.width, config.layers, config.kinks, config.fourier, scale)}
    return (
        yield from learn_sines(
            {arm.name: shapes[arm.name] for arm in context.arms if arm.name in shapes},
            Waves(waves, config.points, config.amplitudes == "growing"),
            seeds,
            lr=config.sine_lr,
            steps=config.steps,
            enough=ENOUGH,
            fit=FITTED,
            part=part,
            share=share,
            context=context,
        )
    )


def figures(run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return the figures of a run."""
    return draw(PHENOMENON.config_of(run_data.spec), run_data)


# --- declaration ------------------------------------------------------------------------------------------------------

WIDE = {"features": 50}
PHENOMENON = Phenomenon(
    name="simplicity-bias",
    title="Simplicity bias",
    group="Dynamics",
    question="Where several explanations fit the data, does training pick the simplest one?",
    explanation=(
        "Many coordinates, each of which tells the class alone: the first by its sign, every other one by bands "
        "(slabs) that belong to the classes by turns, so that no single cut will do. Shah et al. found the bias to be "
        "extreme. Read the first figure: the trained network's scores on new samples rank the classes perfectly; take "
        "the first coordinate from other samples (simple permuted) and it guesses, although all the others, each of "
        "them informative, are still in place; take all the others from other samples and nothing changes. It was not "
        "for lack of ability: the control, the same network trained with a first coordinate that says nothing, learns "
        "the slabs well, and with it both permutations have the opposite effect. The second part is spectral bias "
        "(Rahaman et al.): a network learns a sum of sines of the same size. Each coefficient is drawn over the "
        "steps: the slow waves come first, the fast ones a hundred times later. That is a property of networks that "
        "read the point itself: the control reads random Fourier features of it (Tancik et al.), and all waves come "
        "at once. One trap is built in as a preset: with biases of zero all kinks of the first layer lie at 0, and "
        "fast waves are late for want of kinks, which looks the same; so the claim is judged only where kinks cover "
        "the interval. A seed draws the samples, the phases, the initial weights and the features."
    ),
    papers=(SHAH, RAHAMAN, TANCIK, VALLE_PEREZ),
    config=Config,
    presets={
        "quick": Preset(seeds=3, note="5,000 samples of 20 coordinates; five sines up to 20 periods; half a minute"),
        "standard": Preset(
            WIDE | {"n": 20_000, "steps": 20_000},
            seeds=10,
            note="50 coordinates and the samples that it takes to learn their slabs; ten seeds",
        ),
        "rotated": Preset(
            {"rotate": True},
            seeds=5,
            arms=SLAB_ARMS,
            note="slabs alone, the inputs turned by a random rotation: no input is a coordinate any more",
        ),
        "growing-amplitudes": Preset(
            {"amplitudes": "growing", "steps": 20_000},
            seeds=3,
            arms=SINE_ARMS,
            note="sines alone; the fastest wave is the largest, twice the slowest: is it still the last?",
        ),
        "zero-biases": Preset(
            {"kinks": "zero"},
            seeds=3,
            arms=SINE_ARMS,
            note="a counter-example: without first-layer kinks in (0, 1) the order comes of that, so nothing is judged",
        ),
        "equal-odds": Preset(
            WIDE | {"odds": "equal", "lr": 1e-3, "epochs": 100},
            seeds=3,
            arms=SLAB_ARMS,
            note="a counter-example: all slabs of a class alike likely, so that classes differ in the mean square of "
            "every coordinate; such slabs are simple enough to be used beside the simple coordinate",
        ),
        "few-samples": Preset(
            WIDE | {"lr": 1e-3, "epochs": 100},
            seeds=3,
            arms=SLAB_ARMS,
            note="a counter-example: 5,000 samples are too few to learn 49 coordinates of slabs at all, so that not "
            "using them shows no preference",
        ),
        "paper": Preset(
            {
                "n": 100_000,
                "test": 2000,
                "slabs": (5,),
                "units": 200,
                "depth": 2,
                "frequencies": tuple(range(5, 51, 5)),
                "points": 200,
                "layers": 5,
                "kinks": "torch",
                "sine_lr": 3e-4,
                "steps": 60_000,
            },
            seeds=5,
            note="the defaults of both released codes: 100,000 samples with 19 coordinates of 5 slabs, 2 hidden layers "
            "of 200; ten sines, 5 hidden layers of 256, torch's initial weights; optimiser, learning rate and epochs "
            "of the slabs are ours, unverified; about half an hour on two cores",
        ),
    },
    data=(),
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        Metric("auc", "slabs: test AUC", references=((0.5, "guessing"),)),
        Metric("auc_simple_permuted", "slabs: test AUC, simple permuted", references=((0.5, "guessing"),)),
        Metric("auc_complex_permuted", "slabs: test AUC, complex permuted", references=((0.5, "guessing"),)),
        Metric("train_loss", "slabs: training loss", log=True, higher_is_better=False, unit="nats"),
        Metric("test_accuracy", "slabs: test accuracy", references=((0.5, "guessing"),)),
        Metric("sine_loss", "sines: mean squared error", log=True, higher_is_better=False, log_step=True),
    ),
    headline=(SIMPLE_PERMUTED, COMPLEX_PERMUTED, ORDER, RATIO),
    panels=("permuted", f"spectrum-{LINE}", f"spectrum-{FOURIER}", "arrivals"),
)
