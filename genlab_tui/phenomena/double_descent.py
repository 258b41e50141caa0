"""Double descent (Belkin, Hsu, Ma, Mandal 2019): test risk peaks where a model just fits its data.

With random features, a linear model on N of them is solved in closed form, in float64 on the CPU; with N >= n many fit
the training data exactly and the one of minimum norm is taken. Its curves are over N: their step is the number of
features. Networks of one hidden layer of H units are trained, all widths as one population; every width is an arm.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.measures import over_factor
from genlab_tui.models.mlp import parameter_count
from genlab_tui.papers import BELKIN, NAKKIRAN_RIDGE
from genlab_tui.peaks import first_below, largest_rise, profile, rise_near
from genlab_tui.phenomenon import (
    Arm,
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
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training import cost

# Thresholds, fixed before any run that is judged by them.
PEAK_WITHIN = 0.07  # how far from N = n the peak may lie, as a share of n
PEAK_RATIO = 10.0  # test MSE at the peak over the smallest one below N = n
FALL = 0.1  # test MSE at the largest N over that at the peak
INTERPOLATED = 1e-8  # training MSE from N = n on
RIDGE_RATIO = 1.1  # ridge at N = n over its smallest test MSE below: above this, ridge peaks too
SPAN = 2.0  # the widths must reach from n / SPAN or less to SPAN * n or more

FITS = 0.01  # training error from which on a network counts as fitting its data
RISE = 0.05  # of the mean test error, from its first minimum to the peak
NEAR = 1.6  # how far from the first width that fits the peak may lie, as a factor
RISE_NEAR = 0.03  # in every seed, within that factor
NET_FALL = 0.05  # of the mean test error, from the peak to the widest network
CLEAN_RISE = 0.03  # with clean labels: above this, in any seed, they peak too
CLEAN_MEAN_RISE = 0.01  # and above this on the mean

LABELS = {"clean": "clean labels", "noise": "noisy labels"}
RIDGE = {"clean": "ridge", "noise": "ridge-noise"}
WIDTH = "random features N"
HIDDEN = "hidden units H"
FEATURES, NETWORK = "random features", "network"


def _metric(name: str, label: str, log: bool) -> Metric:
    return Metric(name, label, log=log, higher_is_better=False, step_label=WIDTH, log_step=True)


METRICS = (
    _metric("test_mse", "test MSE", True),
    _metric("test_error", "test error", False),
    _metric("train_mse", "training MSE", True),
    _metric("norm", "coefficient norm", True),
    _metric("penalty", "penalty / largest eigenvalue", True),
)

NETWORK_METRICS = (
    Metric("train_accuracy", "training accuracy"),
    Metric("train_loss", "training loss", log=True, higher_is_better=False),
    Metric("test_accuracy", "test accuracy"),
    Metric("test_loss", "test loss", log=True, higher_is_better=False),
)


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    model: str = param(
        FEATURES, help="random features solved in closed form, or networks trained", choices=(FEATURES, NETWORK)
    )
    n: int = param(300, help="training samples: random features interpolate from N = n on", low=20, high=60_000)
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
    hidden: tuple[int, ...] = param(
        (3, 5, 8, 11, 14, 18, 22, 28, 36, 50, 80, 160, 400, 1000),
        help="network: numbers of hidden units H",
        low=1,
        high=100_000,
    )
    loss: str = param(
        "cross-entropy",
        help="network: squared is summed over the outputs; then n * classes equations stand against the parameters",
        choices=("cross-entropy", "squared"),
    )
    optimiser: str = param("adam", help="network: sgd has momentum 0.95", choices=("adam", "sgd"))
    lr: float = param(3e-3, help="network: learning rate", low=1e-7, high=100.0)
    batch: int = param(50, help="network: batch size", low=2, high=100_000)
    epochs: int = param(250, help="network: epochs", low=1, high=100_000)


def grid(config: Config) -> tuple[int, ...]:
    """Return the numbers of features in ascending order, with n and the outermost ones within 7 % of it."""
    near = (-(-93 * config.n // 100), config.n, 107 * config.n // 100)
    return tuple(sorted({*config.widths, *near}))


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return an arm per kind of labels and fit, or per kind of labels and width of network. Raises BadValue."""
    known = data.DATASETS.get(spec.data)
    held = config.validation if config.model == FEATURES else 0
    if known and config.n + held > known.train:
        also = f" and validation = {held}" if held else ""
        raise BadValue(
            f"n = {config.n}{also} do not fit the {known.train} training samples of {spec.data}",
            f"n at most {known.train - held}",
        )
    labels = {"clean": 0.0, "noise": config.noise} if config.noise else {"clean": 0.0}
    if config.model == NETWORK:
        return tuple(
            Arm(
                f"{k}-{h}",
                f"H {h}" + " clean" * (p < config.noise),
                {"noise": p, "width": h, "fit": NETWORK},
                control=p < config.noise,
            )
            for k, p in sorted(labels.items(), reverse=True)
            for h in sorted(set(config.hidden))
        )
    others = [name for name in spec.regularisers if name != "weight-decay"]
    if others:
        raise BadValue(f"{', '.join(others)}: random features know weight decay alone", "or set model = network")
    plain = [Arm(k, f"minimum norm, {LABELS[k]}", {"noise": p, "fit": "minimum norm"}) for k, p in labels.items()]
    ridge = [Arm(RIDGE[k], f"ridge, {LABELS[k]}", {"noise": p, "fit": "ridge"}, True) for k, p in labels.items()]
    return tuple(plain + ridge)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds on two cores and the memory of the largest solve, or of all networks."""
    known = data.DATASETS.get(spec.data)
    if config.model == NETWORK:
        return _network_estimate(config, spec)
    inputs, tests = (known.features, known.test) if known else (64, 1000)
    tests = min(tests, config.test or tests)
    largest = max(grid(config))
    rows = 3 * min(config.n, largest) + config.validation + min(tests, 4096) + inputs
    stored = 8.0 * known.features * (known.train + known.test) if known else 0.0
    seconds = START + spec.seeds * sum(_flops(config, width, inputs, tests) for width in grid(config)) / SPEED
    members = (len(spec.arms) or len(plan(config, spec))) * spec.seeds
    return Estimate(members, seconds, BASE + stored + 8.0 * largest * rows)


def _network_estimate(config: Config, spec: RunSpec) -> Estimate:
    known = data.DATASETS.get(spec.data, data.DATASETS["digits"])
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    sizes = [parameter_count(known.features, (int(arm.factors["width"]),), known.classes) for arm in arms]
    size = sum(sizes) * spec.seeds
    seconds = cost.seconds(size, config.n, config.batch, [config.epochs], spec.device, spec.regularisers)
    stored = 4.0 * known.features * (config.n + min(config.test or known.test, known.test)) * spec.seeds
    return Estimate(len(arms) * spec.seeds, seconds, BASE + stored + 16.0 * size)


START, BASE = 3.0, 2e8  # seconds to start and load, bytes of the process itself
SPEED = 2e10  # floating-point operations a second: measured on two cores, others working too


def _flops(config: Config, width: int, inputs: int, tests: int) -> float:
    """Return roughly what one solve costs: features, decomposition, what is small but never nothing."""
    small, large = min(config.n, width), max(config.n, width)
    return 2.0 * (config.n + config.validation + tests) * inputs * width + 6.0 * small**2 * (large + 3 * small) + 1e8


# --- the run ----------------------------------------------------------------------------------------------------------


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Solve every N of every seed, a stage a seed; or train the networks of all widths and seeds, one stage."""
    arrays = data.load(context.spec.data, context.data_dir)
    if config.model == NETWORK:
        yield from context.stage("networks", partial(_networks, config, context, arrays))
        return
    if context.device != "cpu":
        yield ev.Log(text=f"the closed form runs in float64 on the CPU: {context.device} is not used")
    for index, seed in enumerate(context.spec.seed_list):
        yield from context.stage(f"seed {seed}", partial(_features, config, context, arrays, index))


def _features(
    config: Config, context: Context, arrays: data.Arrays, index: int
) -> Generator[ev.Event, None, dict[str, dict[str, float]]]:
    """Solve every N of one seed; return the summary of each arm."""
    from genlab_tui.training.feature_sweep import Sweep, solve
    from genlab_tui.training.random_features import draw_problem

    spec, widths = context.spec, grid(config)
    problem = draw_problem(
        arrays,
        seed=spec.seed_list[index],
        n=config.n,
        validation=config.validation,
        test=config.test,
        noise=config.noise,
        kind=config.features,
        sigma=config.sigma,
        largest=max(widths),
    )
    fits = {kind: (kind, "plain") for kind in LABELS} | {arm: (kind, "ridge") for kind, arm in RIDGE.items()}
    sweep = Sweep(
        n=config.n,
        widths=widths,
        fits={arm.name: fits[arm.name] for arm in context.arms},
        # What weight decay stands for in closed form: mean squared error + coefficient * |w|^2.
        penalty=spec.regularisers.get("weight-decay", 0.0) * config.n,
        metrics=tuple(metric.name for metric in METRICS),
        costs=[_flops(config, width, problem.x_train.shape[1], len(problem.y_test)) for width in widths],
    )
    return (yield from solve(sweep, problem, context, index))


def _networks(config: Config, context: Context, arrays: data.Arrays) -> Generator[ev.Event, None, dict[str, int]]:
    """Train the networks of all widths, labels and seeds; return how many ended how."""
    from genlab_tui.training.members import Recipe
    from genlab_tui.training.train import train
    from genlab_tui.training.width_sweep import widths

    recipe = Recipe(
        optimiser=config.optimiser,
        lr=config.lr,
        momentum=0.95,
        batch=config.batch,
        epochs=config.epochs,
        target=2.0,
        loss=config.loss,
        regularisers=context.spec.regularisers,
    )
    members, samples = widths(
        arrays,
        context.arms,
        context.spec.seed_list,
        recipe,
        n=config.n,
        n_test=config.test,
        device=context.device,
    )
    state = yield from train(members, samples, recipe, context, cohort="networks")
    ends = [outcome.end for outcome in state.outcomes.values()]
    return {end: ends.count(end) for end in dict.fromkeys(ends)}


# --- figures ----------------------------------------------------------------------------------------------------------


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return test risk, test error, coefficient norm and training risk over N, also of data still coming."""
    config = PHENOMENON.config_of(run_data.spec)
    if config.model == NETWORK:
        return _network_figures(run_data, config)
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


def _network_figures(run_data: RunData, config: Config) -> tuple[Figure, ...]:
    known = data.DATASETS.get(run_data.spec.data, data.DATASETS["digits"])
    marks: list[Reference] = []
    if config.loss == "squared":
        # As many parameters as equations: (d + 1) H + (H + 1) K = n K (Belkin et al. 2019).
        equations = (config.n - 1) * known.classes / (known.features + 1 + known.classes)
        marks.append(Reference(equations, f"parameters = n x classes, H = {equations:.0f}", "x"))
    kinds = {kind: _of_kind(run_data.arms, kind) for kind in ("noise", "clean")}
    fit = profile(run_data, "train_accuracy", kinds["noise"] or kinds["clean"], "width")
    place = first_below([1 - a for a in fit.mean], FITS)
    if place is not None:
        marks.append(Reference(fit.x[place], f"training error ≤ {FITS:.0%} from H = {fit.x[place]:g} on", "x"))

    def lines(of: Callable[[str], PerSeed]) -> tuple[Line, ...]:
        return tuple(line for k, arms in kinds.items() for line in over_factor(LABELS[k], arms, "width", of))

    def figure(
        name: str, title: str, label: str, of: Callable[[str], PerSeed], *levels: Reference, log: bool
    ) -> Figure:
        note = "line: mean over seeds, band: 1 standard deviation"
        return Figure(name, title, HIDDEN, label, lines(of), (*marks, *levels), log_x=True, log_y=log, note=note)

    guessing = Reference(1 - 1 / known.classes, "guessing")
    return (
        figure(
            "error",
            "Test error over the width",
            "test error",
            partial(run_data.measure, "test_error"),
            guessing,
            log=False,
        ),
        figure("risk", "Test loss over the width", "test loss", partial(run_data.measure, "test_loss"), log=True),
        figure("fit", "Training error over the width", "training error", partial(_train_error, run_data), log=False),
    )


def _train_error(run_data: RunData, arm: str) -> dict[int, float]:
    return {seed: 1.0 - value for seed, value in run_data.measure("train_accuracy", arm).items()}


def _of_kind(arms: Sequence[Arm], kind: str) -> tuple[Arm, ...]:
    """Return the network arms with noisy or with clean labels."""
    return tuple(arm for arm in arms if arm.name.startswith(f"{kind}-") and "width" in arm.factors)


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
    if config.model == NETWORK:
        return _network_claims(plan(config, spec), config)
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


def _network_claims(arms: Sequence[Arm], config: Config) -> tuple[Claim, ...]:
    """Return the claims about trained networks: with noisy labels, or with clean ones where there are no others."""
    kind = "noise" if config.noise else "clean"
    own, clean = _of_kind(arms, kind), _of_kind(arms, "clean")
    needs = tuple(arm.name for arm in own)

    def over(
        run_data: RunData, of: Callable[[tuple[float, ...]], float], which: Sequence[Arm] = own
    ) -> dict[int, float]:
        return {seed: of(row) for seed, row in profile(run_data, "test_error", which, "width").per_seed.items()}

    def on_mean(run_data: RunData, of: Callable[[tuple[float, ...]], float], which: Sequence[Arm] = own) -> float:
        mean = profile(run_data, "test_error", which, "width").mean
        return of(mean) if mean else math.nan

    def threshold(run_data: RunData) -> float:
        """The first width whose mean training error is that of a network that fits."""
        found = profile(run_data, "train_accuracy", own, "width")
        place = first_below([1 - value for value in found.mean], FITS)
        return math.nan if place is None else found.x[place]

    def crosses(run_data: RunData) -> dict[int, float]:
        rows = profile(run_data, "train_accuracy", own, "width").per_seed
        return {seed: float(1 - row[0] > FITS >= 1 - row[-1]) for seed, row in rows.items()}

    def near(run_data: RunData) -> dict[int, float]:
        found, centre = profile(run_data, "test_error", own, "width"), threshold(run_data)
        return {seed: rise_near(row, found.x, centre, NEAR) for seed, row in found.per_seed.items()}

    def offset(run_data: RunData) -> float:
        found = profile(run_data, "test_error", own, "width")
        if not found.mean:
            return math.nan
        ratio = found.x[largest_rise(found.mean)[2]] / threshold(run_data)
        return max(ratio, 1 / ratio)

    def rise(row: Sequence[float]) -> float:
        return largest_rise(row)[0]

    def fall(row: Sequence[float]) -> float:
        return row[largest_rise(row)[2]] - row[-1]

    def gain(row: Sequence[float]) -> float:
        return row[largest_rise(row)[1]] - row[-1]

    def of_mean(words: str, of: Callable[[Sequence[float]], float], rule: Rule, which: Sequence[Arm] = own) -> Test:
        """Return the test of a number of the mean curve over the seeds."""
        names = tuple(arm.name for arm in which)
        return Test(words, lambda d: over(d, of, which), rule, names, lambda d: on_mean(d, of, which))

    span = Test("the widths span the threshold: training error crosses 1 %", crosses, Rule(low=1.0), needs)
    controls: tuple[Test | None, Test | None] = (None, None)
    if kind == "noise":
        names = tuple(arm.name for arm in clean)
        controls = (
            Test(
                "largest rise of test error with clean labels, in any seed",
                lambda d: over(d, rise, clean),
                Rule(low=CLEAN_RISE, strict=True),
                names,
                lambda d: max(over(d, rise, clean).values(), default=math.nan),
            ),
            of_mean(
                "rise of the mean test error with clean labels", rise, Rule(low=CLEAN_MEAN_RISE, strict=True), clean
            ),
        )
    place = Test(
        "place of the peak: factor from the first width that fits",
        lambda d: over(d, rise),
        Rule(high=NEAR),
        needs,
        offset,
        statement=f"The peak of the mean test error lies within a factor {NEAR:g} of that width.",
    )
    height = of_mean("rise of the mean test error to its peak", rise, Rule(low=RISE))
    each = Test("rise near the threshold, in every seed", near, Rule(low=RISE_NEAR, every=True), needs)
    down = of_mean("fall of the mean test error to the widest network", fall, Rule(low=NET_FALL))
    better = of_mean(
        "first minimum of the mean test error minus the widest network's", gain, Rule(low=0.0, strict=True)
    )
    return (
        Claim(
            f"peak where networks just fit, {LABELS[kind]}",
            "The test error of trained networks falls, rises to a peak where they just fit their training data, and "
            "falls again.",
            (
                Criterion(height, span, controls[0]),
                Criterion(each, span, controls[1]),
                Criterion(place, span, unit="times"),
                Criterion(down, span),
            ),
            paper="Belkin et al. 2019; Nakkiran et al. 2020",
        ),
        Claim(
            f"second descent beats the first minimum, {LABELS[kind]}, networks",
            "The widest network beats the best of those that do not fit.",
            (Criterion(better, span),),
            main=False,
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
        "MSE is the squared error against one-hot labels, summed over the classes. The preset `network` trains "
        "networks of one hidden layer instead: with noisy labels their test error peaks at the width that just fits "
        "the training data; with clean labels, the control, it should not."
    ),
    papers=(BELKIN, NAKKIRAN_RIDGE),
    config=Config,
    presets={
        "quick": Preset(seeds=5, data="digits", note="the whole curve at n = 300, in seconds"),
        "network": Preset(
            {"model": NETWORK, "n": 1000},
            seeds=4,
            data="digits",
            note="networks of 14 widths trained with 20 % noisy and with clean labels, all at once",
        ),
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
    metrics=(*METRICS, *NETWORK_METRICS),
    regularisers=tuple(r.name for r in REGULARISERS),
    headline=("peak_mse", "peak_width", "second_descent"),
    in_flight=lambda config: config.model == NETWORK,
)
