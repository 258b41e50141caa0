"""Sharp and flat minima: fields, arms, and what they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec
from genlab_tui.training import cost

# Thresholds, fixed before any run that is judged by them.
MATCHED = 1.1  # largest training loss over smallest, of networks that are compared
SHARPER = 2.0  # largest eigenvalue after large batches over that after small ones
ERRORS = 2.0  # standard errors of the test set by which accuracies must differ
PREDICTS = 0.5  # rank correlation of a measure and test error over all networks: not in the publication, ours
SAME_FUNCTION = 1e-10  # largest difference between outputs of a network and of the same network rescaled
MANY_TIMES = 10.0  # by how much rescaling must raise the eigenvalue
SAME_MEASURE = 1e-6  # relative change that rescaling may make to a measure that it cannot change

LOSS, ERROR, ACCURACY = "train_loss", "test_error", "test_accuracy"
EIGENVALUE, SAM, ADAPTIVE = "top_eigenvalue", "sam_sharpness", "adaptive_sharpness"
BOX, RISE, DISTANCE = "keskar_sharpness", "filter_rise", "distance"
MEASURES = {
    EIGENVALUE: "largest Hessian eigenvalue",
    SAM: "sharpness of SAM",
    ADAPTIVE: "adaptive sharpness",
    BOX: "Keskar's sharpness",
    RISE: "filter-normalised rise",
}
"""What is measured of a trained network, and its name on screens."""
DIFFERENCE = "output_difference"  # of a rescaled network's outputs to those that it had

ORDER = "order"
RESCALED = "rescaled"
ROOM = 3.0  # the large batch gets this many times the epochs that it is expected to need

TIME = {"digits": 20.0, "mnist1d": 120.0}
"""Steps times learning rate until a small perceptron has a training loss of 0.05: pilots, for estimates alone."""
OTHER_TIME = 60.0
ADAM_STEPS = 1500.0
CHECKED_BELOW = 300.0  # an arm with fewer epochs than this is looked at inside its epochs as well


def eigenvalue_name(number: int) -> str:
    """Return the measure of one of the largest eigenvalues: `eigenvalue_1` is the largest."""
    return f"eigenvalue_{number}"


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    n: int = param(1000, help="training samples at most (0: all)", low=0, high=1_000_000)
    test: int = param(0, help="test samples at most (0: all)", low=0, high=1_000_000)
    hidden: tuple[int, ...] = param((100, 100), help="units of the hidden layers", low=2, high=16_384)
    batches: tuple[int, ...] = param(
        (16, 200),
        help="batch sizes: the smallest and the largest are compared, those between are ranked with them",
        low=1,
        high=1_000_000,
        distinct=True,
    )
    loss: float = param(
        0.1, help="training cross-entropy at which every network stops", low=1e-6, high=2.0, unit="nats"
    )
    levels: tuple[float, ...] = param(
        (1.5, 0.5),
        help="higher training losses at which the curvature is looked at on the way there",
        low=1e-6,
        high=10.0,
        unit="nats",
        distinct=True,
    )
    optimiser: str = param("sgd", help="how networks are trained", choices=("sgd", "adam"))
    lr: float = param(
        0.02,
        help="learning rate of every batch size; of the scaled arm, times the ratio of the batches",
        low=1e-7,
        high=100,
    )
    momentum: float = param(0.0, help="momentum of SGD", low=0.0, high=0.999, only={"optimiser": ("sgd",)})
    epochs: int = param(5000, help="epochs at most", low=1, high=1_000_000)
    checks: int = param(
        4, help="looks at the training loss in an epoch, of networks that stop after few epochs", low=1, high=1000
    )
    subset: int = param(
        500, help="training samples, always the same, that sharpness is measured on", low=2, high=100_000
    )
    eigenvalues: int = param(3, help="largest eigenvalues of the Hessian, by Lanczos", low=1, high=20)
    tolerance: float = param(0.01, help="relative error of an eigenvalue at which Lanczos stops", low=1e-8, high=0.1)
    products: int = param(80, help="Hessian-vector products at most", low=5, high=1000)
    rho: float = param(0.05, help="length of the step uphill of SAM", low=1e-6, high=100.0, unverified=True)
    adaptive_rho: float = param(
        0.5,
        help="the same of its adaptive form, in units of the weights' own sizes",
        low=1e-6,
        high=100.0,
        unverified=True,
    )
    # L-BFGS-B stops where the projected gradient is below 1e-5, and it is never larger than the box is wide: in a
    # narrower one it ends where it begins, and every network would be exactly flat.
    box: float = param(1e-3, help="half the width of Keskar's box, relative to 1 + |weight|", low=1e-4, high=1.0)
    ascent: int = param(10, help="iterations of L-BFGS-B inside that box", low=1, high=1000)
    radius: float = param(0.3, help="how far along filter-normalised random directions", low=1e-4, high=10.0)
    directions: int = param(10, help="how many of them", low=1, high=1000)
    rescale: float = param(
        10.0, help="factor on the first layer, divided out of the second: the same function", low=1.0, high=1000.0
    )


# --- arms -------------------------------------------------------------------------------------------------------------


def sizes(config: Config) -> list[int]:
    """Return the batch sizes, smallest first."""
    return sorted(set(config.batches))


def arm_of(batch: int, *, scaled: bool = False) -> str:
    """Return the name of an arm: `batch-200`, `batch-200-scaled`."""
    return f"batch-{batch}" + "-scaled" * scaled


def small(config: Config) -> str:
    return arm_of(sizes(config)[0])


def large(config: Config) -> str:
    return arm_of(sizes(config)[-1])


def scaled(config: Config) -> str:
    return arm_of(sizes(config)[-1], scaled=True)


def order(config: Config) -> str:
    """Return the control: the small batch again, in another order."""
    return f"{small(config)}-{ORDER}"


def level_arm(arm: str, level: float) -> str:
    """Return the name of an arm's network that stopped at a higher loss."""
    return f"{arm} at {level:g}"


def levels(config: Config) -> list[float]:
    """Return the higher losses, largest first."""
    return sorted((level for level in config.levels if level > config.loss), reverse=True)


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: every batch size, the largest with a scaled learning rate too, the control. Raises BadValue."""
    n = samples_of(config, spec)[0]
    batches = sizes(config)
    if len(batches) < 2:
        raise BadValue(f"batches = {batches[0]}: there is no larger one", "give two or more")
    if batches[-1] > n:
        raise BadValue(f"a batch of {batches[-1]} is more than the {n} training samples", f"nearest valid value: {n}")
    if "batch-norm" in spec.regularisers and batches[0] < 2:
        raise BadValue("batches = 1: batch norm needs batches of at least 2", "nearest valid value: 2")
    if len(config.hidden) < 1:
        raise BadValue("hidden is empty: a network without hidden layers has one minimum", "give one width or more")
    names = {f"{level:g}" for level in levels(config)}
    if len(names) < len(levels(config)):
        raise BadValue("two losses of levels read the same", "leave one of them out")
    factor = batches[-1] / batches[0]
    found = [_arm(f"batch {batch}", arm_of(batch), batch, config.lr, "plain") for batch in batches]
    found.append(
        _arm(
            f"batch {batches[-1]}, lr x {factor:g}",
            scaled(config),
            batches[-1],
            config.lr * factor,
            "scaled",
        )
    )
    label = f"batch {batches[0]}, again"
    found.append(_arm(label, order(config), batches[0], config.lr, ORDER))
    return tuple(found)


def _arm(label: str, name: str, batch: int, lr: float, kind: str) -> Arm:
    return Arm(name, label, {"batch": batch, "lr": lr, "kind": kind}, control=kind == ORDER)


def data_of(spec: RunSpec) -> data.DataSet:
    return data.known(spec.data)


def samples_of(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training and test samples of a run."""
    return data_of(spec).at_most(config.n, config.test)


# --- cost -------------------------------------------------------------------------------------------------------------

RATE = {"cpu": 8e9, "cuda": 5e12}
"""Operations a second of the measurements, float64: cpu measured, cuda derived."""


def expected_epochs(config: Config, spec: RunSpec, arm: Arm, level: float) -> float:
    """Guess the epochs until an arm has a training loss: for estimates, progress and where looks pay, nothing else."""
    per_epoch = math.ceil(samples_of(config, spec)[0] / int(arm.factors["batch"]))
    steps = ADAM_STEPS
    if config.optimiser == "sgd":
        time = TIME.get(spec.data, OTHER_TIME) * math.sqrt(max(samples_of(config, spec)[0], 1000) / 1000)
        steps = time * (1 - config.momentum) / float(arm.factors["lr"])
    steps *= max(math.log(3.0 / level), 0.1) / math.log(3.0 / 0.05)
    return max(min(steps / per_epoch, float(config.epochs)), 1.0)


def check_of(config: Config, spec: RunSpec, arm: Arm) -> int:
    """Return after how many steps the training loss is looked at inside an epoch; 0: at its end alone.

    Where an epoch is a large part of the training, its end is long past the loss at which all networks stop.
    """
    per_epoch = math.ceil(samples_of(config, spec)[0] / int(arm.factors["batch"]))
    few = expected_epochs(config, spec, arm, config.loss) < CHECKED_BELOW
    return max(per_epoch // config.checks, 1) if few and config.checks > 1 else 0


def weights(config: Config, spec: RunSpec) -> float:
    known = data_of(spec)
    return float(sum(a * b for a, b in pairwise((known.features, *config.hidden, known.classes))))


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    n = samples_of(config, spec)[0]
    kind = cost.kind_of(spec.device)
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    size, seconds, steps = weights(config, spec), cost.START, 0.0
    stops = [*levels(config), config.loss]
    for arm in arms:
        each = [expected_epochs(config, spec, arm, level) for level in stops]
        batch = int(arm.factors["batch"])
        own = cost.seconds(size, n, batch, each * spec.seeds, spec.device, spec.regularisers) - cost.START
        alone = max(each) * math.ceil(n / batch) * cost.STEP_SECONDS[kind]
        # Small networks take their steps in a quarter of the time that those of larger populations cost.
        seconds += own - 0.75 * alone * (kind == "cpu")
        steps += alone
    pass_work = 12.0 * size * min(config.subset, n)
    looks = (
        len(arms) * (config.products * 0.5 + config.ascent + config.directions) + len(arms) * len(levels(config)) * 20
    )
    seconds += spec.seeds * (looks + 40) * pass_work / RATE[kind]
    each_seed = seed_bytes(config, spec, len(arms))
    at_once = min(spec.seeds, cost.at_once(each_seed, spec.device))
    # Networks are measured seed by seed: the vectors of Lanczos twice, and what is kept to differentiate twice.
    measured = 8.0 * (len(arms) + 1) * (2 * config.products * size + 20 * min(config.subset, n) * sum(config.hidden))
    return Estimate(len(arms) * len(stops) * spec.seeds, seconds, each_seed * at_once + measured)


def seed_bytes(config: Config, spec: RunSpec, arms: int) -> float:
    """Return the memory of one seed in training: its inputs and its networks."""
    known, size = data_of(spec), weights(config, spec)
    return 4.0 * sum(samples_of(config, spec)) * known.features + 20.0 * arms * (1 + len(levels(config))) * size
