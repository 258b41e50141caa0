"""Universal approximation (Cybenko 1989, Hornik 1991, Leshno et al. 1993): networks on the unit interval.

Written down: n ReLU units with equispaced knots are linear interpolation, whose error is known: |f''| h² / 8 for a
smooth target, a multiple of h for one with kinks, no less than half of a jump. Trained: the same widths, Adam, all
samples in every step. Depth: tents applied one after another (Telgarsky 2016), written out with one layer or several.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import partial
from typing import TYPE_CHECKING

from genlab_tui import events as ev
from genlab_tui.figure import Figure
from genlab_tui.papers import CYBENKO, HORNIK, LESHNO, TELGARSKY
from genlab_tui.phenomena._universal_approximation.claims import SLOPE, claims
from genlab_tui.phenomena._universal_approximation.config import (
    TRAINED_SAMPLES,
    TRAINED_TENTS,
    Config,
    estimate,
    grid,
    kinds,
    plan,
    shares,
)
from genlab_tui.phenomena._universal_approximation.figures import figures as draw
from genlab_tui.phenomenon import Context, Metric, Phenomenon, Preset
from genlab_tui.rundata import RunData

if TYPE_CHECKING:
    from genlab_tui.training.line_sweep import Ends, Place

# --- the run ----------------------------------------------------------------------------------------------------------


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Write down the networks of every seed, then train: a stage a seed for each."""
    from genlab_tui.training.line_sweep import Place

    seeds, arms = context.spec.seed_list, context.arms
    if context.device != "cpu":
        yield ev.Log(text=f"all of it runs in float64 on the CPU: {context.device} is not used")
    written, layers, learnt, deep = kinds(arms)
    write, teach, deepen = shares(config, arms)
    each = (write + teach + deepen) * len(seeds) or 1.0
    for at, seed in enumerate(seeds if written or layers else ()):
        place = Place(seed, at * write / each, write / each)
        yield from context.stage(f"written down, seed {seed}", partial(_write, config, context, place))
    for at, seed in enumerate(seeds if learnt else ()):
        place = Place(seed, (len(seeds) * write + at * teach) / each, teach / each)
        yield from context.stage(f"trained, seed {seed}", partial(_train, config, context, place))
    for at, seed in enumerate(seeds if deep else ()):
        place = Place(seed, (len(seeds) * (write + teach) + at * deepen) / each, deepen / each)
        yield from context.stage(f"trained by depth, seed {seed}", partial(_train_deep, config, context, place))


def _write(config: Config, context: Context, place: Place) -> Generator[ev.Event, None, Ends]:
    from genlab_tui.training.line_sweep import deepened, written_down

    written, layers, _, _ = kinds(context.arms)
    ends: Ends = {}
    if layers:
        ends |= yield from deepened(layers, config.tents, place)
    if written:
        ends |= yield from written_down(written, grid(config), config.draws, place, context)
    return ends


def _train(config: Config, context: Context, place: Place) -> Generator[ev.Event, None, Ends]:
    from genlab_tui.training.line_sweep import trained

    _, _, learnt, _ = kinds(context.arms)
    return (yield from trained(learnt, grid(config), config.samples, config.steps, config.lr, place, context))


def _train_deep(config: Config, context: Context, place: Place) -> Generator[ev.Event, None, Ends]:
    from genlab_tui.training.deep_sweep import trained_by_depth

    _, _, _, deep = kinds(context.arms)
    asked = (TRAINED_TENTS, TRAINED_SAMPLES, config.steps, config.lr)
    return (yield from trained_by_depth(deep, *asked, place, context))


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return the figures of a run."""
    return draw(PHENOMENON.config_of(run_data.spec), run_data)


# --- declaration ------------------------------------------------------------------------------------------------------


def _metric(name: str, label: str, step: str, log_step: bool = True) -> Metric:
    return Metric(name, label, log=True, higher_is_better=False, step_label=step, log_step=log_step)


WIDER = tuple(2**k for k in range(1, 11))
PHENOMENON = Phenomenon(
    name="universal-approximation",
    title="Universal approximation",
    group="Theory",
    question="Can one hidden layer come as close to any function as asked, and does training find it?",
    explanation=(
        "The classical theorems say that one hidden layer, if it is wide enough, comes as close as asked to any "
        "continuous function on an interval (with ReLU units: Leshno et al.). How fast is older knowledge still, the "
        "error of interpolation, and can be written down: put the knots at equal distances, let the weights be the "
        "changes of slope, and the network joins points of the target by straight lines. Read the first figure, in "
        "log-log: for the smooth sine the largest error falls with slope -2, for a kink with slope -1, and for a step "
        "it does not fall at all, as no continuous function can follow a jump (the control: a slope measured there "
        "must not pass for a law); in the mean square the step is met too. The surprise is the other set of lines: the "
        "same networks, trained by gradient descent on the same target, get better with width far more slowly, and the "
        "widest one stays far above what networks of that width can represent (the second figure). Not all of that gap "
        "is the search's: training minimises the mean square at some hundred samples, and what is shown is the largest "
        "error anywhere. But the theorem says that good weights exist, nothing about finding them. And depth: tents "
        "applied one after another double their number of pieces each time, so several layers of a few units equal one "
        "layer of very many; trained, they do not find that either. A seed draws where the targets lie (16 shifts, of "
        "which the worst counts; training takes the first), where the tents have their tops, and the initial weights."
    ),
    papers=(CYBENKO, HORNIK, LESHNO, TELGARSKY),
    config=Config,
    presets={
        "quick": Preset(seeds=5, note="widths 2 to 512, 2,000 steps of Adam, in seconds"),
        "standard": Preset(
            {"widths": WIDER, "draws": 32, "samples": 1024, "steps": 5000, "tents": 8},
            seeds=10,
            note="widths to 1,024, 5,000 steps",
        ),
        "paper": Preset(
            {"widths": (*WIDER, 2048, 4096), "draws": 64, "samples": 4096, "steps": 20_000, "tents": 12},
            seeds=10,
            note="the papers prove theorems and report no runs: targets, widths and training are ours, at the largest "
            "size that is sensible; tens of minutes on a CPU",
        ),
    },
    data=(),
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        _metric("sup", "largest error", "hidden units"),
        _metric("l2", "L2 error", "hidden units"),
        _metric("train_loss", "training loss, widest network, by depth", "step", log_step=False),
        _metric("units", "hidden units needed", "linear pieces"),
        _metric("depth_error", "largest error by depth", "linear pieces"),
    ),
    headline=(SLOPE, "slope of the largest error over the width, kink", "sup_wide:trained-sine", "units:depth-3"),
    precision="float64",
)
