"""Linear models on random features, in closed form: test risk over the number of features, or over that of samples."""

from __future__ import annotations

import statistics
from collections.abc import Generator, Iterator
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure, Reference
from genlab_tui.lines import MEDIAN, median_lines
from genlab_tui.measures import measure_test
from genlab_tui.phenomena._double_descent.config import BASE, LABELS, SAMPLES, Config, check_fits
from genlab_tui.phenomenon import Arm, Claim, Context, Criterion, Estimate, Metric, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

# Thresholds, fixed before any run that is judged by them; the same for both sweeps.
PEAK_WITHIN = 0.07  # how far from N = n the peak may lie, as a share of what is fixed
PEAK_RATIO = 10.0  # test MSE at the peak over the smallest one below N = n
FALL = 0.1  # test MSE at the last place over that at the peak
INTERPOLATED = 1e-8  # training MSE where N is n or more
RIDGE_RATIO = 1.1  # ridge at N = n over its smallest test MSE below: above this, ridge peaks too
SPAN = 2.0  # the places must reach from half of the threshold or less to twice of it or more

KINDS = ("clean", "noise")
RIDGE = {"clean": "ridge", "noise": "ridge-noise"}
AXIS = "random features N, or samples n"
START = 3.0  # seconds to start and load
SPEED = 2e10  # floating-point operations a second: measured on two cores, others working too


def _metric(name: str, label: str, log: bool) -> Metric:
    return Metric(name, label, log=log, higher_is_better=False, step_label=AXIS, log_step=True)


METRICS = (
    _metric("test_mse", "test MSE", True),
    _metric("test_error", "test error", False),
    _metric("train_mse", "training MSE", True),
    _metric("norm", "coefficient norm", True),
    _metric("penalty", "penalty / largest eigenvalue", True),
)


def _over_samples(config: Config) -> bool:
    return config.sweep == SAMPLES


def _threshold(config: Config) -> int:
    """Return the number of samples, or in a sweep of those of features, that the other is swept through."""
    return config.size if _over_samples(config) else config.n


def grid(config: Config) -> tuple[int, ...]:
    """Return the places in ascending order, with the threshold and the outermost ones within 7 % of it."""
    at = _threshold(config)
    near = (-(-93 * at // 100), at, 107 * at // 100)
    return tuple(sorted({*(config.samples if _over_samples(config) else config.widths), *near}))


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return an arm per kind of labels and fit. Raises BadValue."""
    if _over_samples(config):
        check_fits(spec, "samples", max(grid(config)), config.validation)
        if config.size < 15:
            raise BadValue(f"size = {config.size} leaves no number of samples near it", "nearest valid value: 15")
    else:
        check_fits(spec, "n", config.n, config.validation)
    others = [name for name in spec.regularisers if name != "weight-decay"]
    if others:
        raise BadValue(f"{', '.join(others)}: random features know weight decay alone", "or set model = network")
    labels = {"clean": 0.0, "noise": config.noise} if config.noise else {"clean": 0.0}
    plain = [Arm(k, f"minimum norm, {LABELS[k]}", {"noise": p, "fit": "minimum norm"}) for k, p in labels.items()]
    ridge = [Arm(RIDGE[k], f"ridge, {LABELS[k]}", {"noise": p, "fit": "ridge"}, True) for k, p in labels.items()]
    return tuple(plain + ridge)


# --- cost -------------------------------------------------------------------------------------------------------------


def _problem(config: Config, place: int) -> tuple[int, int]:
    """Return samples and features at a place."""
    return (place, config.size) if _over_samples(config) else (config.n, place)


def _flops(config: Config, place: int, inputs: int, tests: int) -> float:
    """Return roughly what one solve costs: features, decomposition, what is small but never nothing."""
    n, width = _problem(config, place)
    small, large = min(n, width), max(n, width)
    return 2.0 * (n + config.validation + tests) * inputs * width + 6.0 * small**2 * (large + 3 * small) + 1e8


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds on two cores and the memory of the largest solve."""
    found = data.DATASETS.get(spec.data)
    inputs, tests = (found.features, found.test) if found else (64, 1000)
    tests = min(tests, config.test or tests)
    n, largest = _problem(config, max(grid(config)))
    rows = 3 * min(n, largest) + config.validation + min(tests, 4096) + inputs
    stored = 8.0 * found.features * (found.train + found.test) if found else 0.0
    work = sum(_flops(config, place, inputs, tests) for place in grid(config))
    members = (len(spec.arms) or len(plan(config, spec))) * spec.seeds
    return Estimate(members, START + spec.seeds * work / SPEED, BASE + stored + 8.0 * largest * rows)


# --- the run ----------------------------------------------------------------------------------------------------------


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Solve every place of every seed, a stage a seed."""
    arrays = data.load(context.spec.data, context.data_dir)
    if context.device != "cpu":
        yield ev.Log(text=f"the closed form runs in float64 on the CPU: {context.device} is not used")
    for index, seed in enumerate(context.spec.seed_list):
        yield from context.stage(f"seed {seed}", partial(_seed, config, context, arrays, index))


def _seed(
    config: Config, context: Context, arrays: data.Arrays, index: int
) -> Generator[ev.Event, None, dict[str, dict[str, float]]]:
    """Solve every place of one seed; return the summary of each arm."""
    from genlab_tui.training.feature_sweep import Sweep, solve
    from genlab_tui.training.random_features import draw_problem

    spec, places = context.spec, grid(config)
    n, largest = _problem(config, max(places))
    problem = draw_problem(
        arrays,
        seed=spec.seed_list[index],
        n=n,
        validation=config.validation,
        test=config.test,
        noise=config.noise,
        kind=config.features,
        sigma=config.sigma,
        largest=largest,
    )
    fits = {kind: (kind, "plain") for kind in KINDS} | {arm: (kind, "ridge") for kind, arm in RIDGE.items()}
    sweep = Sweep(
        fixed=_threshold(config),
        places=places,
        fits={arm.name: fits[arm.name] for arm in context.arms},
        decay=spec.regularisers.get("weight-decay", 0.0),
        metrics=tuple(metric.name for metric in METRICS),
        costs=[_flops(config, place, problem.x_train.shape[1], len(problem.y_test)) for place in places],
        over_samples=_over_samples(config),
    )
    return (yield from solve(sweep, problem, context, index))


# --- figures ----------------------------------------------------------------------------------------------------------


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return test risk, test error, coefficient norm and training risk over N or n, also of data still coming."""
    found = data.DATASETS.get(run_data.spec.data)
    chance = 1.0 - 1.0 / (found.classes if found else 10)  # also the MSE of predicting every class alike
    at = _threshold(config)
    if _over_samples(config):
        axis, what, where = "training samples n", "samples", f"as many samples as features, n = N = {at:,}"
    else:
        axis, what, where = "random features N", "features", f"interpolation threshold N = n = {at:,}"
    threshold = Reference(float(at), where, "x")
    shown = (
        ("risk", "Test risk", "test_mse", "test MSE", True, "predicting all classes alike"),
        ("error", "Test error", "test_error", "test error", False, "guessing"),
        ("norm", "Coefficient norm", "norm", "coefficient norm", True, ""),
        ("fit", "Training risk", "train_mse", "training MSE", False, ""),
    )
    return tuple(
        Figure(
            name,
            f"{title} over the number of {what}",
            axis,
            label,
            median_lines(run_data, metric, [arm.name for arm in run_data.arms]),  # the peak's height has heavy tails
            (threshold, *((Reference(chance, level),) if level else ())),
            log_x=True,
            log_y=log,
            note=MEDIAN,
        )
        for name, title, metric, label, log, level in shown
    )


# --- claims -----------------------------------------------------------------------------------------------------------


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return, per kind of labels, the peak (main); over features, whether the second descent beats the first too."""
    kinds = KINDS if config.noise else ("clean",)
    if _over_samples(config):
        return tuple(_more_data_hurts(kind) for kind in kinds)
    return (*(_peak(kind) for kind in kinds), *(claim for kind in kinds for claim in _second_descent(kind)))


def _span(kind: str, what: str = "widths") -> Test:
    fixed = "N" if what == "samples" else "n"
    return measure_test("span", kind, f"the {what} reach well below and above {fixed}", Rule(low=SPAN))


def _height(kind: str, words: str) -> Test:
    rule = Rule(low=PEAK_RATIO, every=True)
    return measure_test("peak_ratio", kind, words, rule, pooled=statistics.median)


def _peak(kind: str) -> Claim:
    span = _span(kind)
    ridge = measure_test(
        "threshold_ratio", RIDGE[kind], "tuned ridge peaks at N = n as well", Rule(low=RIDGE_RATIO, strict=True)
    )
    within, source = Rule(high=PEAK_WITHIN), "Belkin et al. 2019, Fig. 2 (random Fourier features, MNIST)"
    criteria = (
        Criterion(
            measure_test("peak_offset", kind, "distance of the test MSE's peak from N = n", within),
            span,
            published="peak at N = n",
            published_source=source,
            unit="of n",
        ),
        Criterion(_height(kind, "test MSE at the peak over its first minimum (median)"), span, ridge, unit="times"),
        Criterion(measure_test("fall", kind, "test MSE at the largest N over the peak", Rule(high=FALL)), span),
        Criterion(
            measure_test("norm_offset", kind, "distance of the norm's peak from the test MSE's", within),
            span,
            published="both peak at N = n",
            published_source=source,
            unit="of n",
        ),
        Criterion(
            measure_test(
                "train_mse_above", kind, "largest training MSE from N = n on", Rule(high=INTERPOLATED, strict=True)
            ),
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


def _more_data_hurts(kind: str) -> Claim:
    """Return the claim that, with N features, test risk over the number of samples peaks at n = N."""
    span, within = _span(kind, "samples"), Rule(high=PEAK_WITHIN)
    ridge = measure_test(
        "threshold_ratio", RIDGE[kind], "more data hurts tuned ridge at n = N too", Rule(low=RIDGE_RATIO, strict=True)
    )
    fits = measure_test(
        "train_mse_below", kind, "largest training MSE up to n = N", Rule(high=INTERPOLATED, strict=True)
    )
    criteria = (
        Criterion(measure_test("peak_offset", kind, "distance of the peak from n = N", within), span, unit="of N"),
        Criterion(_height(kind, "test MSE at the peak over the smallest with less data"), span, ridge, unit="times"),
        Criterion(measure_test("fall", kind, "test MSE at the largest n over the peak", Rule(high=FALL)), span),
        Criterion(measure_test("norm_offset", kind, "distance of the norm's peak from it", within), span, unit="of N"),
        Criterion(fits, span),
    )
    return Claim(
        f"more data hurts near n = N, {LABELS[kind]}",
        "The number of features stays as it is: test risk rises as samples are added, peaks where there are as many as "
        "features, and falls beyond. A tuned ridge gains from every sample.",
        criteria,
        paper="Nakkiran et al. 2020; Nakkiran et al. 2021",
    )


def _second_descent(kind: str) -> tuple[Claim, Claim]:
    span = _span(kind)
    mse = measure_test(
        "second_descent", kind, "test MSE at the largest N over the first minimum", Rule(high=1.0, strict=True)
    )
    gain = measure_test(
        "error_gain", kind, "first minimum of the test error minus the largest N's", Rule(low=0.0, strict=True)
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
