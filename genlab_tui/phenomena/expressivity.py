"""Finite-sample expressivity (Zhang et al. 2017): 2n + d weights fit any targets on n points, by construction.

Theorem 1 and appendix C of the paper: project the inputs on a line, sort them, put one threshold before each point and
solve a triangular system. Thresholds lie at the points, so that the solution is known in closed form (the changes of
slope of a piecewise linear function); the proof's own system, thresholds between the points, is an arm of its own.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.papers import WENG, ZHANG
from genlab_tui.phenomena._expressivity.claims import CHANCE, ERROR, EXACT, claims
from genlab_tui.phenomena._expressivity.config import (
    DENSE,
    GAUSSIAN,
    JUDGED,
    REAL,
    Config,
    chosen,
    estimate,
    new_inputs,
    plan,
)
from genlab_tui.phenomena._expressivity.figures import figures
from genlab_tui.phenomenon import Context, Metric, Phenomenon, Preset

# --- the run ----------------------------------------------------------------------------------------------------------


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Build every network of every seed: a stage a seed and kind of inputs."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    if context.device != "cpu":
        yield ev.Log(text=f"the construction runs in float64 on the CPU: {context.device} is not used")
    kinds = [inputs for inputs in (GAUSSIAN, REAL) if chosen(config, spec, inputs)]
    stages = [(seed, inputs) for seed in spec.seed_list for inputs in kinds]
    for at, (seed, inputs) in enumerate(stages):
        share = (at / len(stages), 1 / len(stages))
        yield from context.stage(
            f"{inputs}, seed {seed}", partial(_build, config, context, arrays, seed, inputs, share)
        )


def _build(
    config: Config, context: Context, arrays: data.Arrays, seed: int, inputs: str, share: tuple[float, float]
) -> Generator[ev.Event, None, dict[str, dict[str, float]]]:
    """Build the networks of one seed on one kind of inputs; return the measures of each arm."""
    from genlab_tui.training.sample_sizes import Sweep, draw_gaussian, draw_real, sweep

    new, largest = new_inputs(config, inputs), max(config.sizes)
    if inputs == GAUSSIAN:
        problem = draw_gaussian(seed, largest, config.inputs, new)
    else:
        problem = draw_real(arrays, seed, largest, new)
    arms = tuple(arm for arm in context.arms if arm.factors["inputs"] == inputs)
    asked = Sweep(arms, f"{inputs} inputs, seed {seed}", JUDGED, DENSE, share, seed)
    return (yield from sweep(asked, problem, config.sizes, context))


# --- declaration ------------------------------------------------------------------------------------------------------


def _metric(
    name: str, label: str, *, log: bool = True, better: bool = False, level: float = 0.0, of: str = ""
) -> Metric:
    references = ((level, of),) if of else ()
    return Metric(
        name, label, log=log, higher_is_better=better, references=references, step_label="points n", log_step=True
    )


PHENOMENON = Phenomenon(
    name="expressivity",
    title="Expressivity",
    group="Theory",
    question="How large must a network be to take any labels on n points, and does that say anything about new ones?",
    explanation=(
        "Surprisingly small, and no training is needed. Project the n inputs on a random line: there they stand in a "
        "row, and a function that is linear between neighbours passes through any targets. One hidden layer of n ReLU "
        "units that share this line is such a function: d numbers for the line, n thresholds, n output weights, 2n + d "
        "in all, and the weights are simply the changes of slope. Zhang et al. prove it in a few lines; here the "
        "network is written down, evaluated unit by unit and checked against a sorted search. Read the first figure as "
        "a lesson in numerics too: the smallest gap on the line shrinks like 1/n², so slopes and weights grow into the "
        "millions and must cancel. In float64 the error stays near 1e-9; the very same network in float32 (a control) "
        "is off by as much as the targets themselves at two thousand points, and a least-squares fit with half the "
        "units on the same line (the other control) misses them. Of 32 random lines the one with the most even gaps is "
        "kept; the proof's own system, with thresholds between the points, has a far larger condition number. And then "
        "the honest part, the second figure: given the true labels of real inputs (as class numbers, the nearest one "
        "is the prediction), the network that fits them all is hardly better than guessing on new inputs (a random "
        "line keeps a trace of the classes), while a nearest neighbour that stores the same points does well. Being "
        "able to represent a function is not the same as finding one that generalises."
    ),
    papers=(ZHANG, WENG),
    config=Config,
    presets={
        "quick": Preset(seeds=5, data="digits", note="100 to 2,000 points, in seconds"),
        "standard": Preset(
            {"sizes": (100, 300, 1000, 2000, 4000, 8000), "depths": (2, 4, 16), "test": 0},
            seeds=10,
            data="mnist1d",
            note="up to 8,000 points (4,000 real ones); three depths",
        ),
        "paper": Preset(
            {"sizes": (100, 300, 1000, 2000, 5000, 10_000, 20_000, 50_000), "depths": (2, 4, 16), "test": 1000},
            seeds=3,
            data="cifar10",
            note="the size of CIFAR-10, 50,000 points; the paper proves the theorem and reports no run of it: sizes, "
            "Gaussian inputs and the number of directions are ours. CPU alone",
        ),
    },
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn"),
    refused={"cifar100": "guessing is that of ten classes"},
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        _metric("error", "largest error / largest target", level=EXACT, of="exact: 1e-6"),
        _metric("train_accuracy", "training accuracy", log=False, better=True),
        _metric("test_accuracy", "test accuracy", log=False, better=True, level=CHANCE, of="guessing"),
        _metric("largest_weight", "largest |w|"),
        _metric("lipschitz", "largest |slope|"),
        _metric("condition", "condition number (1-norm)"),
        _metric("smallest_gap", "smallest gap on the line", better=True),
        _metric("disagreement", "distance from a sorted search"),
        _metric("weights", "weights"),
        _metric("width", "units of the widest layer"),
    ),
    headline=(ERROR, "weights:gaussian", "error:float32", "test_accuracy:real-true"),
    precision="float64 (one control: float32)",
    panels=("error", "test", "weights", "condition"),
)
