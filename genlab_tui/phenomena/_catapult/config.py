"""The catapult: thresholds, fields, arms, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec
from genlab_tui.training import cost

# Thresholds, fixed before any run that is judged by them.
ONSET, DIVERGENCE = 2.0, 4.0  # eta * lambda_0 where the phases end, in wide models (Lewkowycz et al. 2020)
AT_ONSET = (1.8, 2.2)  # within a tenth
AT_DIVERGENCE = (3.6, 4.4)
CLEAR = 2.25  # eta * lambda_0 of a descent that is judged as a catapult, at least: from here 2 / it is below FELL
FELL = 0.9  # curvature at the end over that at the start: below, it fell
EXPONENT = (0.8, 1.2)  # of the peak in the width; of the steps to it, over what the theory says
BEARS = (4.0, 12.0)  # eta * lambda_0 up to which ReLU networks train
RELU_EDGE = 12.0  # what the paper finds for them, about

GROWING = 3.0  # eta * lambda_0 at which the width is varied
CALM = 1.0  # the same in the lazy phase: the control
LOWEST, HIGHEST = 0.25, 16.0  # eta * lambda_0 between which the model's boundaries are searched
NETWORK_LOWEST, NETWORK_HIGHEST = 1.0, 256.0
SHOWN = 8.0  # eta * lambda up to which it is shown step by step
SWEEP_TOP = 4.5  # eta * lambda_0, the last of the sweep
RELU, CENTRED, LINEAR = "relu", "relu-centred", "linear"
NETWORKS = {  # short: five of them share a legend
    RELU: "ReLU",
    CENTRED: "ReLU centred",
    LINEAR: "linear",
}
MODEL, LINEARISED = "model", "linearised"
WIDER, WIDER_CALM = "widths", "widths-lazy"
PEAK_STEPS = 60  # by which every peak is past: it takes about 14 steps at 10,000 units
MOST_STEPS = 20_000
"""Every step of every member is kept until it is shown."""
POOLED_SHARE, SHARE = 5 / 6, 0.9
"""Of the training samples of two classes of usual size, how many may be asked for. A pooled data set draws them anew
for every seed, with a standard deviation of a thirtieth; others are not exactly balanced."""
LARGEST_GROUP = 10
"""Seeds that are worked on side by side at most."""
MODEL_SPEED = 4e8
"""Numbers of the model that take a step in a second, one core: measured."""


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set and seeds."""

    width: int = param(1000, help="hidden units n of the model f = v.u x / sqrt(n)", low=2, high=100_000)
    steps: int = param(300, help="steps of gradient descent on the model", low=20, high=MOST_STEPS)
    products: tuple[float, ...] = param(
        (1.0, 1.9, 2.5, 3.0, 3.5, 3.9, 4.3),
        help=f"eta * lambda_0 of the descents shown step by step; those from {CLEAR:g} to 4 must be catapults",
        low=0.01,
        high=100.0,
        distinct=True,
    )
    sweep: int = param(
        36, help=f"values of eta * lambda_0 up to {SWEEP_TOP:g} at which the ends are shown", low=4, high=900
    )
    rounds: int = param(12, help="rounds of bisection for the boundaries between phases", low=4, high=40)
    widths: tuple[int, ...] = param(
        (100, 1000, 10_000),
        help="hidden units of models whose peaks are compared",
        low=2,
        high=1_000_000,
        distinct=True,
    )
    draws: int = param(40, help="models of every width that a seed draws; their peaks are averaged", low=1, high=1000)
    networks: bool = param(True, help="also train networks on two classes of a data set")
    classes: tuple[int, ...] = param(
        (0, 1), help="the two classes, as numbers", low=0, high=99, distinct=True, only={"networks": (True,)}
    )
    samples: int = param(
        100, help="training samples of both classes together", low=8, high=10_000, only={"networks": (True,)}
    )
    hidden: int = param(512, help="hidden units of the networks", low=2, high=16_384, only={"networks": (True,)})
    network_steps: int = param(
        150,
        help="steps of full-batch gradient descent on the networks",
        low=20,
        high=MOST_STEPS,
        only={"networks": (True,)},
    )
    network_rounds: int = param(
        7, help="rounds of bisection for the largest rate", low=4, high=40, only={"networks": (True,)}
    )
    network_product: float = param(
        3.0, help="eta * lambda_0 of the networks shown step by step", low=0.01, high=100.0, only={"networks": (True,)}
    )


def arm_of(product: float) -> str:
    """Return the name of the arm that descends at a value of eta * lambda_0."""
    return f"at-{product:g}"


def linearised_of(network: str) -> str:
    """Return the name of the control of a network: its linearisation."""
    return f"{network}-linearised"


def catapults(config: Config) -> tuple[float, ...]:
    """Return the values of eta * lambda_0 between the two boundaries, in order."""
    return tuple(sorted(p for p in config.products if ONSET < p < DIVERGENCE))


def lazy(config: Config) -> tuple[float, ...]:
    """Return the values of eta * lambda_0 below the first boundary, in order."""
    return tuple(sorted(p for p in config.products if p < ONSET))


def sweep_arms(config: Config) -> tuple[Arm, ...]:
    """Return the places of the sweep, as arms that are not launched: they are of the model."""
    step = SWEEP_TOP / config.sweep
    values = [step * (k + 1) for k in range(config.sweep)]
    return tuple(Arm(f"sweep-{value:.6g}", factors={"product": value}) for value in values)


def width_arms(config: Config) -> tuple[Arm, ...]:
    """Return the widths, as arms that are not launched: they are of the arm `widths`."""
    return tuple(Arm(f"width-{width}", factors={"width": width}) for width in sorted(config.widths))


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: descents, boundaries with their control, widths, networks. Raises BadValue."""
    if not lazy(config) or not catapults(config):
        raise BadValue(
            "products has no value on one side of 2: the phases cannot be compared",
            "at least one below 2 and one between 2 and 4",
        )
    for p in config.products:
        if ONSET < p < CLEAR:
            raise BadValue(
                f"products has {p:g}: a catapult from between 2 and {CLEAR:g} may end with more than {FELL:g} of its "
                "curvature, which is not told from the lazy phase",
                f"nearest valid value of a catapult: {CLEAR:g}",
            )
    if len({arm_of(p) for p in config.products}) < len(config.products):
        raise BadValue("products has values that agree in six digits", "leave one out")
    if len(config.widths) < 2:
        raise BadValue("widths has one value: no growth can be read off it", "at least two, a factor of 10 apart")
    arms = [
        Arm(arm_of(p), f"{p:g}", {"kind": "descent", "product": p}, control=p < ONSET) for p in sorted(config.products)
    ]
    arms += [
        Arm(MODEL, f"model, n = {config.width:,}", {"kind": "boundaries"}),
        Arm(LINEARISED, "model, linearised", {"kind": "boundaries", "linearised": 1}, control=True),
        Arm(WIDER, f"widths at eta lambda {GROWING:g}", {"kind": "widths", "product": GROWING}),
        Arm(WIDER_CALM, f"widths at eta lambda {CALM:g}", {"kind": "widths", "product": CALM}, control=True),
    ]
    if config.networks:
        _check_samples(config, spec)
        for name, title in NETWORKS.items():
            factors: dict[str, float | str] = {"kind": "network", "network": name}
            arms.append(Arm(name, title, factors))
            if name != CENTRED:
                arms.append(Arm(linearised_of(name), f"{title} linearised", factors | {"linearised": 1}, control=True))
    return tuple(arms)


def _check_samples(config: Config, spec: RunSpec) -> None:
    known = data.known(spec.data)
    if len(config.classes) != 2 or max(config.classes) >= known.classes:
        raise BadValue(
            f"classes = {' '.join(map(str, config.classes))} are not two of the {known.classes} of this data set",
            f"two different numbers, 0 to {known.classes - 1}",
        )
    most = int((POOLED_SHARE if known.pooled else SHARE) * 2 * known.train / known.classes)
    if config.samples > most:
        raise BadValue(
            f"samples = {config.samples}: two of the {known.classes} classes have about {most}",
            f"nearest valid value: {most}",
        )


def network_bytes(config: Config, spec: RunSpec) -> float:
    """Return the memory of the networks of one seed and one activation."""
    rank = min(data.known(spec.data).features, config.samples)
    return 16.0 * config.hidden * (rank + config.samples) + 40.0 * config.samples**2


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    kinds = [str(arm.factors["kind"]) for arm in arms]
    numbers = 0.0
    if "descent" in kinds:
        numbers += kinds.count("descent") * config.width
    if any(arm.name == MODEL for arm in arms):
        numbers += (config.sweep + 2 * (config.rounds + 2)) * config.width
    longest = min(PEAK_STEPS / config.steps, 1.0)
    numbers += kinds.count("widths") * config.draws * sum(config.widths) * longest
    seconds = spec.seeds * config.steps * numbers / MODEL_SPEED
    size = 0.0
    if "network" in kinds:
        rank = min(data.known(spec.data).features, config.samples)
        each = 1.1 * 3 * 2.0 * config.hidden * rank * config.samples + 60.0 * config.hidden * config.samples
        trained = sum(arm.factors["kind"] == "network" and "linearised" not in arm.factors for arm in arms)
        work = spec.seeds * trained * config.network_steps * (2 + 0.6 * config.network_rounds) * each
        seconds += work / cost.FLOPS_PER_SECOND[cost.kind_of(spec.device)] * 2
        size = network_bytes(config, spec) * min(spec.seeds, LARGEST_GROUP)
    group = min(spec.seeds, LARGEST_GROUP)
    size += 16.0 * config.width * group * max(config.sweep, len(config.products)) * 2
    size += 40.0 * config.draws * max(config.widths)
    return Estimate(len(arms) * spec.seeds, cost.START + seconds, 2e8 + size)
