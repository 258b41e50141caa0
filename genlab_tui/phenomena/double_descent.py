"""Double descent with random features (Belkin, Hsu, Ma, Mandal 2019): closed form, float64, on the CPU.

A linear model on N random features is fitted by least squares; with N >= n many fit the training data exactly and
the one of minimum norm is taken. A run's curves are over N: the step of a curve is the number of features.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import astuple, dataclass
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.papers import BELKIN, NAKKIRAN_RIDGE
from genlab_tui.phenomenon import (
    Arm,
    Checkpoint,
    Claim,
    Context,
    Criterion,
    Estimate,
    Metric,
    PerSeed,
    Phenomenon,
    Preset,
    Rule,
    Test,
    param,
)
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

# Thresholds, fixed before any run that is judged by them.
PEAK_WITHIN = 0.07  # how far from N = n the peak may lie, as a share of n
PEAK_RATIO = 10.0  # test MSE at the peak over the smallest one below N = n
FALL = 0.1  # test MSE at the largest N over that at the peak
INTERPOLATED = 1e-8  # training MSE from N = n on
RIDGE_RATIO = 1.1  # ridge at N = n over its smallest test MSE below: above this, ridge peaks too
SPAN = 2.0  # the widths must reach from n / SPAN or less to SPAN * n or more

LABELS = {"clean": "clean labels", "noise": "noisy labels"}
RIDGE = {"clean": "ridge", "noise": "ridge-noise"}
WIDTH = "random features N"


def _metric(name: str, label: str, log: bool) -> Metric:
    return Metric(name, label, log=log, higher_is_better=False, step_label=WIDTH, log_step=True)


METRICS = (
    _metric("test_mse", "test MSE", True),
    _metric("test_error", "test error", False),
    _metric("train_mse", "training MSE", True),
    _metric("norm", "coefficient norm", True),
    _metric("penalty", "penalty / largest eigenvalue", True),
)


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    n: int = param(300, help="training samples: the interpolation threshold is at N = n features", low=20, high=60_000)
    widths: tuple[int, ...] = param(
        (10, 20, 40, 60, 80, 100, 150, 200, 250, 350, 400, 600, 1000, 2000, 3000, 5000),
        help="numbers of random features N; n and n ± 7 % are always added",
        low=1,
        high=200_000,
    )
    noise: float = param(
        0.2, help="chance that a training label is redrawn, in the noise arms (0: no such arms)", low=0.0, high=1.0
    )
    features: str = param("relu", help="relu: max(0, w.x); fourier: cos(v.x + b)", choices=("relu", "fourier"))
    sigma: float = param(5.0, help="width of the Gaussian kernel behind Fourier features", low=1e-3, high=1e3)
    validation: int = param(300, help="held-out samples that choose the ridge penalty", low=20, high=20_000)
    test: int = param(2000, help="test samples at most (0: all)", low=0, high=100_000)


def grid(config: Config) -> tuple[int, ...]:
    """Return the numbers of features in ascending order, with n and the outermost ones within 7 % of it."""
    near = (-(-93 * config.n // 100), config.n, 107 * config.n // 100)
    return tuple(sorted({*config.widths, *near}))


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return an arm per kind of labels and fit. Raises BadValue where the data set is too small for the split."""
    known = data.DATASETS.get(spec.data)
    if known and config.n + config.validation > known.train:
        raise BadValue(
            f"n = {config.n} and validation = {config.validation} do not fit the {known.train} training samples "
            f"of {spec.data}",
            f"n at most {known.train - config.validation}",
        )
    labels = {"clean": 0.0, "noise": config.noise} if config.noise else {"clean": 0.0}
    plain = [Arm(k, f"minimum norm, {LABELS[k]}", {"noise": p, "fit": "minimum norm"}) for k, p in labels.items()]
    ridge = [Arm(RIDGE[k], f"ridge, {LABELS[k]}", {"noise": p, "fit": "ridge"}, True) for k, p in labels.items()]
    return tuple(plain + ridge)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds on two cores and the memory of the largest solve."""
    known = data.DATASETS.get(spec.data)
    inputs, tests = (known.features, known.test) if known else (64, 1000)
    tests = min(tests, config.test or tests)
    largest = max(grid(config))
    rows = 3 * min(config.n, largest) + config.validation + min(tests, 4096) + inputs
    stored = 8.0 * known.features * (known.train + known.test) if known else 0.0
    seconds = START + spec.seeds * sum(_flops(config, width, inputs, tests) for width in grid(config)) / SPEED
    members = (len(spec.arms) or len(plan(config, spec))) * spec.seeds
    return Estimate(members, seconds, BASE + stored + 8.0 * largest * rows)


START, BASE = 3.0, 2e8  # seconds to start and load, bytes of the process itself
SPEED = 2e10  # floating-point operations a second: measured on two cores, others working too


def _flops(config: Config, width: int, inputs: int, tests: int) -> float:
    """Return roughly what one solve costs: features, decomposition, what is small but never nothing."""
    small, large = min(config.n, width), max(config.n, width)
    return 2.0 * (config.n + config.validation + tests) * inputs * width + 6.0 * small**2 * (large + 3 * small) + 1e8


# --- the run ----------------------------------------------------------------------------------------------------------


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Solve every N of every seed: a stage a seed, with a checkpoint of what is measured after each N."""
    arrays = data.load(context.spec.data, context.data_dir)
    if context.device != "cpu":
        yield ev.Log(text=f"the closed form runs in float64 on the CPU: {context.device} is not used")
    for index, seed in enumerate(context.spec.seed_list):
        yield from context.stage(f"seed {seed}", partial(_seed, config, context, arrays, index))


def _seed(
    config: Config, context: Context, arrays: data.Arrays, index: int
) -> Generator[ev.Event, None, dict[str, dict[str, float]]]:
    """Solve every N of one seed, or those after a checkpoint; return the summary of each arm."""
    import numpy as np

    from genlab_tui.training.random_features import Fit, draw_problem, landmarks

    spec, widths = context.spec, grid(config)
    seed, arms = spec.seed_list[index], tuple(arm.name for arm in context.arms)
    problem = draw_problem(
        arrays,
        seed=seed,
        n=config.n,
        validation=config.validation,
        test=config.test,
        noise=config.noise,
        kind=config.features,
        sigma=config.sigma,
        largest=max(widths),
    )
    fits = {kind: (kind, "plain") for kind in LABELS} | {arm: (kind, "ridge") for kind, arm in RIDGE.items()}
    plain = tuple(kind for kind in LABELS if kind in arms)
    chosen = tuple(kind for kind, arm in RIDGE.items() if arm in arms)
    # What weight decay stands for in closed form: mean squared error + coefficient * |w|^2.
    penalty = spec.regularisers.get("weight-decay", 0.0) * config.n

    saved = context.resume()
    rows = [] if saved is None else [np.asarray(row, dtype=np.float64) for row in saved.arrays["rows"]]
    before = 0.0 if saved is None else float(saved.meta["seconds"])
    cohort, began = f"seed {seed}", time.monotonic()
    costs = [_flops(config, width, problem.x_train.shape[1], len(problem.y_test)) for width in widths]

    def save() -> Checkpoint:
        table = np.asarray(rows).reshape(len(rows), len(arms), len(METRICS))
        meta = {"seconds": before + time.monotonic() - began}
        return Checkpoint(widths[len(rows) - 1] if rows else 0, {"rows": table}, meta)

    yield ev.Cohort(id=cohort, members=tuple((arm, seed) for arm in arms))
    for at in range(len(rows), len(widths)):
        context.poll(save)
        solved = problem.solve(widths[at], plain, chosen, penalty)
        rows.append(np.array([astuple(solved[fits[arm]]) for arm in arms]))
        seconds = before + time.monotonic() - began
        for column, metric in enumerate(METRICS):
            values = ev.to_values(rows[-1][:, column])
            yield ev.Curve(cohort=cohort, metric=metric.name, step=widths[at], seconds=seconds, values=values)
        done = (index + sum(costs[: at + 1]) / sum(costs)) / spec.seeds
        yield ev.Progress(done=done, label=f"seed {index + 1} of {spec.seeds}, N = {widths[at]:,}")

    found = {arm: landmarks(config.n, widths, [Fit(*row[i].tolist()) for row in rows]) for i, arm in enumerate(arms)}
    for name in found[arms[0]]:
        yield ev.Measure(cohort=cohort, name=name, values=ev.to_values(found[arm][name] for arm in arms))
    for arm in plain:
        width, height = found[arm]["peak_width"], found[arm]["peak_mse"]
        yield ev.Mark(text=f"test MSE peaks at N = {width:.0f}: {height:.3g}", step=int(width), arm=arm, seed=seed)
    return found


# --- figures ----------------------------------------------------------------------------------------------------------


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return test risk, test error, coefficient norm and training risk over N, also of data still coming."""
    config = PHENOMENON.config_of(run_data.spec)
    known = data.DATASETS.get(run_data.spec.data)
    chance = 1.0 - 1.0 / (known.classes if known else 10)  # also the MSE of predicting every class alike
    threshold = Reference(float(config.n), f"interpolation threshold N = n = {config.n:,}", "x")
    shown = (
        ("risk", "Test risk over the number of features", "test_mse", "test MSE", True, "predicting all classes alike"),
        ("error", "Test error over the number of features", "test_error", "test error", False, "guessing"),
        ("norm", "Coefficient norm over the number of features", "norm", "coefficient norm", True, ""),
        ("fit", "Training risk over the number of features", "train_mse", "training MSE", False, ""),
    )
    return tuple(
        Figure(
            name,
            title,
            WIDTH,
            label,
            tuple(line for arm in run_data.arms if (line := _line(run_data, metric, arm))),
            (threshold, *((Reference(chance, level),) if level else ())),
            log_x=True,
            log_y=log,
            note="line: median over seeds, band: smallest to largest",
        )
        for name, title, metric, label, log, level in shown
    )


def _line(run_data: RunData, metric: str, arm: Arm) -> Line | None:
    """Return an arm's median over seeds at every N that any seed has reached: the peak's height has heavy tails."""
    points: dict[float, list[float]] = {}
    for (name, _), curve in sorted(run_data.curves.get(metric, {}).items()):
        if name == arm.name:
            for width, value in zip(curve.step.tolist(), curve.value.tolist(), strict=True):
                points.setdefault(width, []).append(value)
    if not points:
        return None
    x = tuple(sorted(points))
    return Line(
        arm.title,
        x,
        tuple(statistics.median(points[width]) for width in x),
        tuple(min(points[width]) for width in x),
        tuple(max(points[width]) for width in x),
        n=tuple(len(points[width]) for width in x),
    )


# --- claims -----------------------------------------------------------------------------------------------------------


def _read(name: str, arm: str, rule: Rule, words: str, *, pooled: Callable[[list[float]], float] | None = None) -> Test:
    """Return the test of one landmark of one arm."""

    def measure(run_data: RunData) -> PerSeed:
        return run_data.measure(name, arm)

    def together(run_data: RunData) -> float:
        values = list(measure(run_data).values())
        return pooled(values) if pooled and values else float("nan")

    return Test(words, measure, rule, (arm,), together if pooled else None)


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return, per kind of labels, the peak (main) and whether the second descent beats the first minimum (side)."""
    kinds = ("clean", "noise") if config.noise else ("clean",)
    return (*(_peak(kind) for kind in kinds), *(claim for kind in kinds for claim in _second_descent(kind)))


def _peak(kind: str) -> Claim:
    span = _read("span", kind, Rule(low=SPAN), "the widths reach well below and above n")
    ridge = _read(
        "threshold_ratio", RIDGE[kind], Rule(low=RIDGE_RATIO, strict=True), "tuned ridge peaks at N = n as well"
    )
    within, source = Rule(high=PEAK_WITHIN), "Belkin et al. 2019, Fig. 2 (random Fourier features, MNIST)"
    height = _read(
        "peak_ratio",
        kind,
        Rule(low=PEAK_RATIO, every=True),
        "test MSE at the peak over its first minimum (median)",
        pooled=statistics.median,
    )
    criteria = (
        Criterion(
            _read("peak_offset", kind, within, "distance of the test MSE's peak from N = n"),
            span,
            published="peak at N = n",
            published_source=source,
            unit="of n",
        ),
        Criterion(height, span, ridge, unit="times"),
        Criterion(_read("fall", kind, Rule(high=FALL), "test MSE at the largest N over the peak"), span),
        Criterion(
            _read("norm_offset", kind, within, "distance of the norm's peak from the test MSE's"),
            span,
            published="both peak at N = n",
            published_source=source,
            unit="of n",
        ),
        Criterion(
            _read("train_mse_above", kind, Rule(high=INTERPOLATED, strict=True), "largest training MSE from N = n on"),
            span,
        ),
    )
    return Claim(
        f"peak at the interpolation threshold, {LABELS[kind]}",
        "Test risk peaks where the model just fits its training data, N = n, and falls again beyond; so does the "
        "norm of the coefficients.",
        criteria,
        paper="Belkin et al. 2019",
    )


def _second_descent(kind: str) -> tuple[Claim, Claim]:
    span = _read("span", kind, Rule(low=SPAN), "the widths reach well below and above n")
    mse = _read("second_descent", kind, Rule(high=1.0, strict=True), "test MSE at the largest N over the first minimum")
    gain = _read(
        "error_gain", kind, Rule(low=0.0, strict=True), "first minimum of the test error minus the largest N's"
    )
    statement = "The over-parameterised end beats the best under-parameterised model."
    return (
        Claim(
            f"second descent beats the first minimum, {LABELS[kind]}, MSE", statement, (Criterion(mse, span),), False
        ),
        Claim(
            f"second descent beats the first minimum, {LABELS[kind]}, error", statement, (Criterion(gain, span),), False
        ),
    )


# --- declaration ------------------------------------------------------------------------------------------------------

PHENOMENON = Phenomenon(
    name="double-descent",
    title="Double descent",
    group="Size",
    question="Does a model that is too large for its data always get worse?",
    explanation=(
        "The textbook says that test error falls, then rises, as a model grows: too small underfits, too large "
        "overfits. Here the model is a linear one on N random features, fitted by least squares. With few features "
        "the textbook is right: test error falls, then climbs steeply towards N = n, where there are just as many "
        "features as training samples and exactly one model fits them all; it pays any price, huge coefficients, to "
        "pass through every point. Beyond, many models fit the data exactly, and the one of smallest norm is taken: "
        "the more features, the smaller that norm, and test error falls a second time. Whether the second descent "
        "ends below the first minimum is another question: with clean, easy data it does; with noisy labels or hard "
        "data it may not, and the verdict says so apart. The control: a ridge penalty, chosen on held-out samples "
        "for every N, takes the peak away (weight decay, if switched on, is such a penalty on the other arms). "
        "MSE is the squared error against one-hot labels, summed over the classes."
    ),
    papers=(BELKIN, NAKKIRAN_RIDGE),
    config=Config,
    presets={
        "quick": Preset(seeds=5, data="digits", note="the whole curve at n = 300, in seconds"),
        "standard": Preset(
            {
                "widths": (
                    *(5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 100, 120, 150, 180, 210, 240, 260, 290, 295, 305, 310),
                    *(340, 370, 400, 450, 500, 600, 700, 850, 1000, 1400, 2000, 3000, 5000, 7000, 10_000),
                ),
                "test": 0,
            },
            seeds=10,
            data="digits",
            note="a dense grid, out to N = 33 n",
        ),
        "paper": Preset(
            {
                "n": 10_000,
                "features": "fourier",
                "sigma": 5.0,
                "noise": 0.0,
                "test": 0,
                "validation": 1000,
                "widths": (
                    *(100, 500, 1000, 2000, 4000, 6000, 8000, 9000, 11_500, 13_000),
                    *(16_000, 20_000, 30_000, 40_000, 60_000),
                ),
            },
            seeds=3,
            data="mnist",
            note=(
                "Belkin et al. 2019, Fig. 2: random Fourier features of sigma = 5, MNIST, n = 10,000, threshold at "
                "N = n, N to about 60,000. Unverified: the list of N, the number of seeds, which 10,000 images. The "
                "paper prints curves, no numbers. About fifteen hours on two cores, 18 GB of memory"
            ),
        ),
    },
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100", "svhn"),
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=METRICS,
    regularisers=("weight-decay",),
    headline=("peak_mse", "peak_width", "second_descent"),
)
