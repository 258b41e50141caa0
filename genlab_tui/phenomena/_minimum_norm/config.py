"""Minimum norm: fields, arms, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec

# Thresholds, fixed before any run that is judged by them.
FITTED = 1e-6  # residual of kernel interpolation, relative to the labels
ACCURATE = 0.97  # test accuracy of the interpolant of true labels
NARROW = 2.0  # bandwidths below are too narrow to tell labels apart: shown, not judged
RATIO, RATIO_WIDE = 1.8, 3.0  # norm of random labels over that of true ones, at NARROW and above it
CLOSE = 1e-3  # distance of gradient descent from the solution of least norm, relative to it
SOLVED = 1e-8  # residual of the linear system after gradient descent, relative to its targets
IN_SPAN = 1e-10  # part of the weights outside the span of the samples, relative to the solution of least norm
SETTLED = 1e-12  # relative distance at which rounding takes over; until then it must only fall
CONSISTENT = 1e-10  # residual of the pseudo-inverse: above, nothing solves the system
FURTHER = 10.0  # how many times further from it a random start must end
RESOLVED = 1.0  # in units of what the test set resolves: 2 sqrt(p (1 - p) / samples)
ILL, FAR = 100.0, 0.1  # condition number of an ill-conditioned system; distance at which weights did not converge
SYSTEM_TESTS = 2000  # test samples at most of the ill-conditioned system
EARLY = 20  # accuracy after passes / 20 is compared with that at the end

TRUE, RANDOM, AGAIN = "true", "random", "again"
KINDS = {TRUE: "true labels", RANDOM: "random labels", AGAIN: "a second draw of random labels"}
RIDGE, NOISY = "ridge", "noisy"
DIGITS = ("digits", "mnist5k", "mnist")  # data sets that MNIST's published numbers may stand beside
GD, SGD, FAR_START, FOURIER = "gd", "sgd", "random-start", "gd-fourier"
GAUSSIAN, FEATURES = "gaussian", "fourier"
STARTS = (GD, SGD, FAR_START)

BASE = 3e8  # bytes of the process itself
START = 4.0  # seconds to start and load
SPEED = {"cpu": 2e10, "cuda": 1e13}  # operations a second in float64; cpu: measured, cuda: a guess
LOOKS = 100  # passes of a descent, at most, at which more than its distance is measured


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set and seeds."""

    n: int = param(1200, help="training samples of the kernel machines at most (0: all)", low=0, high=100_000)
    test: int = param(2000, help="test samples at most (0: all)", low=0, high=100_000)
    bandwidths: tuple[float, ...] = param(
        (1.0, 2.0, 3.0, 5.0, 8.0),
        help="widths sigma of the Gaussian kernel exp(-|x - z|^2 / (2 sigma^2)), in standardised units of 64 pixels",
        low=1e-2,
        high=1e4,
        distinct=True,
    )
    ridge_bandwidth: float = param(3.0, help="width of the kernel of the ridge curve", low=1e-2, high=1e4)
    penalties: tuple[float, ...] = param(
        (1e-6, 1e-4, 1e-3, 1e-2, 0.1, 1.0),
        help="ridge penalties lambda, added to the kernel's diagonal (of ones); 0 is always there",
        low=1e-12,
        high=1e6,
        distinct=True,
    )
    noise: float = param(
        0.2, help="ridge curve, control: chance that a training label is redrawn (0: no such arms)", low=0.0, high=1.0
    )
    contradictions: int = param(
        0, help="training inputs that appear a second time with another label: nothing fits those", low=0, high=10_000
    )
    system: str = param(
        GAUSSIAN,
        help="linear system of gradient descent: Gaussian numbers, or random Fourier features of the data (ill-"
        "conditioned)",
        choices=(GAUSSIAN, FEATURES),
    )
    rows: int = param(100, help="equations of the linear system", low=2, high=5000)
    columns: int = param(500, help="unknowns of the linear system: more than equations", low=3, high=20_000)
    passes: int = param(200, help="passes of gradient descent over the equations", low=1, high=10_000_000)
    sgd_passes: int = param(
        60, help="passes of stochastic gradient descent, one equation a step", low=1, high=1_000_000
    )
    start: float = param(0.1, help="standard deviation of the random start", low=1e-6, high=1e3)
    feature_bandwidth: float = param(
        13.0, help="width of the Gaussian kernel behind the Fourier features", low=1e-2, high=1e4
    )
    long_passes: int = param(
        20_000,
        help="passes on the ill-conditioned system beside the other",
        low=EARLY,
        high=10_000_000,
        only={"system": (GAUSSIAN,)},
    )


def data_of(spec: RunSpec) -> data.DataSet:
    """Return the declaration of the run's data set."""
    return data.known(spec.data)


def sizes(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training and test samples of a run."""
    return data_of(spec).at_most(config.n, config.test)


def bandwidths(config: Config) -> tuple[float, ...]:
    """Return the bandwidths in ascending order, each once."""
    return tuple(sorted(set(config.bandwidths)))


def arm_of(kind: str, value: float) -> str:
    """Return the arm of some labels at a bandwidth (`true-2`) or of a ridge at a penalty (`ridge-0.001`)."""
    return f"{kind}-{value:g}"


def kernel_kinds(sigma: float) -> tuple[str, ...]:
    """Return the kinds of labels that are fitted at a bandwidth."""
    return (TRUE, RANDOM, AGAIN) if sigma >= NARROW else (TRUE, RANDOM)


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: labels by bandwidth, labels by penalty, descents by start. Raises BadValue."""
    n, _ = sizes(config, spec)
    _check(config, n)
    kernels = [
        Arm(
            arm_of(kind, sigma),
            f"{KINDS[kind]}, sigma {sigma:g}",
            {"labels": KINDS[kind], "sigma": sigma},
            control=kind == AGAIN,
        )
        for sigma in bandwidths(config)
        for kind in kernel_kinds(sigma)
    ]
    kinds = {RIDGE: "true labels"} | (
        {NOISY: f"{100 * config.noise:g} % of the labels redrawn"} if config.noise else {}
    )
    ridge = [
        Arm(
            arm_of(kind, penalty),
            f"{words}, lambda {penalty:g}",
            {"labels": words, "penalty": penalty},
            control=kind == NOISY,
        )
        for penalty in (0.0, *sorted(set(config.penalties)))
        for kind, words in kinds.items()
    ]
    where = "ill-conditioned system" if config.system == FEATURES else "Gaussian system"
    descents = [
        Arm(GD, "gradient descent from zero", {"start": "zero", "system": where}),
        Arm(SGD, "stochastic gradient descent from zero", {"start": "zero", "system": where}),
        Arm(FAR_START, "gradient descent from a random start", {"start": "random", "system": where}, control=True),
    ]
    if config.system == GAUSSIAN:
        words = "ill-conditioned system"
        descents.append(Arm(FOURIER, f"gradient descent from zero, {words}", {"start": "zero", "system": words}))
    return (*kernels, *ridge, *descents)


def _check(config: Config, n: int) -> None:
    _check_names("bandwidths", config.bandwidths)
    _check_names("penalties", config.penalties)
    judged = [sigma for sigma in config.bandwidths if sigma >= NARROW]
    if not judged:
        raise BadValue(
            f"bandwidths = {max(config.bandwidths):g} at most: labels are told apart from {NARROW:g} on",
            f"nearest valid value: {NARROW:g}",
        )
    if config.columns <= config.rows:
        raise BadValue(
            f"columns = {config.columns} for {config.rows} rows: many solutions need more unknowns than equations",
            f"nearest valid value: {config.rows + 1}",
        )
    if config.rows > n:
        raise BadValue(f"rows = {config.rows} for {n} training samples", f"nearest valid value: {n}")
    if 2 * config.contradictions > n:
        raise BadValue(
            f"contradictions = {config.contradictions} for {n} training samples", f"nearest valid value: {n // 2}"
        )


def _check_names(field: str, values: Sequence[float]) -> None:
    """Raise BadValue where two different values would give arms of one name."""
    named: dict[str, float] = {}
    for value in sorted(set(values)):
        name = f"{value:g}"
        if name in named:
            raise BadValue(
                f"{field}: {named[name]!r} and {value!r} are the same to the six digits that name an arm",
                f"nearest valid value: {name} alone",
            )
        named[name] = value


def whole_pool(config: Config, spec: RunSpec) -> bool:
    """Whether every seed trains on the same samples: all of an official training set."""
    found = data_of(spec)
    return not found.pooled and sizes(config, spec)[0] == found.train


# --- cost -------------------------------------------------------------------------------------------------------------


def kernel_cost(config: Config, spec: RunSpec) -> float:
    """Return roughly the operations of one kernel and its solution."""
    (n, test), found = sizes(config, spec), data_of(spec)
    columns = 3 * found.classes
    # An exponential counts as twenty, and there are some forty products with the kernel to estimate its condition.
    return n**3 / 3 + n * (n + test) * (2 * found.features + 20.0) + n * n * (4.0 * columns + 150.0)


def solves_of(config: Config, arms: Sequence[Arm]) -> dict[tuple[float, float], list[Arm]]:
    """Return the arms that are solved on one kernel, by bandwidth and penalty: each factor is made once."""
    found: dict[tuple[float, float], list[Arm]] = {}
    for arm in arms:
        if "labels" in arm.factors:
            sigma = float(arm.factors.get("sigma", config.ridge_bandwidth))
            found.setdefault((sigma, float(arm.factors.get("penalty", 0.0))), []).append(arm)
    return found


def on_features(config: Config, arm: str) -> bool:
    """Whether a descent runs on Fourier features of the data, and not on the Gaussian system."""
    return config.system == FEATURES or arm == FOURIER


def descent_seconds(config: Config, arms: Sequence[Arm]) -> tuple[float, ...]:
    """Return roughly the seconds of each descent on the CPU; the first on a system decomposes it."""
    seconds, seen = [], set()
    for arm in arms:
        own = _passes_seconds(config, arm.name)
        if (system := on_features(config, arm.name)) not in seen:
            seen.add(system)
            own += system_seconds(config)
        seconds.append(own)
    return tuple(seconds)


def system_seconds(config: Config) -> float:
    """Return roughly the seconds of the singular value decomposition of a linear system: measured."""
    return 0.02 + (4.0 * config.rows**2 * config.columns + 13.0 * config.rows**3) / 2.5e10


def _passes_seconds(config: Config, arm: str) -> float:
    size = config.rows * config.columns
    if arm == SGD:
        return config.sgd_passes * config.rows * (4e-6 + 2e-9 * config.columns)
    passes = config.long_passes if arm == FOURIER else config.passes
    return 0.02 + passes * (8e-6 + 5e-10 * size) + min(passes, LOOKS) * 1e-9 * size


def kernel_bytes(config: Config, spec: RunSpec) -> float:
    """Return the memory of one kernel and its factor, 8 bytes a number: both are there at once, nothing copies them."""
    (n, test), found = sizes(config, spec), data_of(spec)
    return 8.0 * (2.0 * n * n + n * min(test, 2048) + 2.0 * (n + test) * found.features)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return arms times seeds, seconds and the memory of the largest kernel."""
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    speed = SPEED["cuda" if spec.device.startswith("cuda") else "cpu"]
    seconds = len(solves_of(config, arms)) * kernel_cost(config, spec) / speed
    seconds += sum(descent_seconds(config, [arm for arm in arms if "start" in arm.factors]))
    found = data_of(spec)
    stored = 4.0 * found.features * (found.train + found.test)
    stored += 8.0 * config.columns * (3 * config.rows + SYSTEM_TESTS)
    return Estimate(len(arms) * spec.seeds, START + spec.seeds * seconds, BASE + stored + kernel_bytes(config, spec))
