"""Grokking: fields, arms, and what they cost."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Arm, Estimate, param
from genlab_tui.run import RunSpec
from genlab_tui.training import cost, pair_space

FIT = 0.99  # training accuracy that counts as a fit
GENERAL = 0.95  # test accuracy that counts as generalisation

MAIN, CONTROL, LEAK = "decay", "no-decay", "leak"
MLP, TRANSFORMER, PLAIN = "mlp", "transformer", "transformer-plain"
CONCATENATED, SUMMED = "concatenated", "summed"
OPERATIONS = ("addition", "subtraction", "multiplication", "division")
COMMUTATIVE = ("addition", "multiplication")  # a network on summed embeddings can fit these alone: (a, b) is (b, a)
SPLITS = ("unordered pairs", "ordered pairs")
FLOAT = {"float32": 4, "float64": 8}

WAIT = 6.0  # steps to generalise, times learning rate and weight decay: measured at 50 % of the table
SHARES = {"more data": 0.35, "leak": 0.5}  # of those steps: measured
CORE = 5e10  # operations a second and core of a perceptron's step in float32, all of it counted: measured


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside the seeds."""

    operation: str = param(
        "addition",
        help="what is learnt, modulo p; the leak is an arm of addition and multiplication alone: its network cannot "
        "tell (a, b) from (b, a), so it could not fit the others",
        choices=OPERATIONS,
    )
    p: int = param(59, help="the modulus, a prime", low=11, high=199)
    fraction: float = param(0.5, help="share of the table that is trained on", low=0.05, high=0.95)
    fractions: tuple[float, ...] = param(
        (0.3, 0.8), help="other shares of the table, as arms", low=0.05, high=0.95, distinct=True
    )
    weight_decay: float = param(1.0, help="decoupled weight decay, on all numbers of the network", low=1e-4, high=100.0)
    decays: tuple[float, ...] = param(
        (3.0,), help="other weight decays, as arms (none has an arm anyway)", low=1e-4, high=100.0, distinct=True
    )
    model: str = param(
        MLP,
        help="perceptron; transformer with layer norm on `a o b =`; or without it on `a b =`",
        choices=(MLP, TRANSFORMER, PLAIN),
    )
    embedding: str = param(
        CONCATENATED,
        help="how the embeddings of a and b meet; summed (addition and multiplication alone), the network cannot tell "
        "(a, b) from (b, a)",
        choices=(CONCATENATED, SUMMED),
        only={"model": (MLP,)},
    )
    split: str = param(
        SPLITS[0],
        help="what is held out; by ordered pairs, the mirror images of many held-out pairs are trained on",
        choices=SPLITS,
    )
    embed: int = param(64, help="numbers an embedding (transformer: width of its residual stream)", low=4, high=1024)
    hidden: int = param(128, help="hidden ReLU units (transformer: of each block)", low=4, high=8192)
    layers: int = param(1, help="blocks", low=1, high=12, only={"model": (TRANSFORMER, PLAIN)})
    heads: int = param(4, help="heads of attention", low=1, high=64, only={"model": (TRANSFORMER, PLAIN)})
    lr: float = param(1e-2, help="learning rate of AdamW", low=1e-6, high=1.0)
    beta1: float = param(0.9, help="AdamW's memory of gradients", low=0.0, high=0.9999)
    beta2: float = param(0.98, help="AdamW's memory of their squares", low=0.0, high=0.99999)
    warmup: int = param(0, help="steps in which the learning rate rises", low=0, high=100_000, unit="steps")
    batch: int = param(
        0,
        help="pairs a step (0: all of them; never more than half of them otherwise)",
        low=0,
        high=100_000,
        only={"model": (TRANSFORMER, PLAIN)},
    )
    steps: int = param(3000, help="steps at most", low=10, high=10_000_000, unit="steps")
    # Above 1: an arm with less data that ends at the very step of the main one cannot have needed more.
    cap: float = param(
        2.0,
        help="arms that are not meant to generalise (no weight decay, less data) end at this multiple of the step at "
        "which the main arm, same seed, did",
        low=1.1,
        high=1000.0,
    )
    precision: str = param("float32", help="what is computed in", choices=tuple(FLOAT))


def decay_arm(decay: float) -> str:
    """Return the name of the arm with another weight decay."""
    return f"decay-{decay:g}"


def fraction_arm(fraction: float) -> str:
    """Return the name of the arm with another share of the table."""
    return f"fraction-{fraction:g}"


def has_leak(config: Config) -> bool:
    """Whether there is an arm that leaks: a perceptron on an operation that its summed embeddings allow it to fit."""
    return config.model == MLP and config.operation in COMMUTATIVE


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: weight decays, none at all, other shares of the table, the leak. Raises BadValue."""
    _check(config)

    def factors(decay: float = config.weight_decay, fraction: float = config.fraction) -> dict[str, float | str]:
        return {"weight decay": decay, "training fraction": fraction}

    share = f"{config.fraction:.0%}"
    arms = [Arm(MAIN, f"decay {config.weight_decay:g}, {share}", factors())]
    arms += [Arm(decay_arm(d), f"decay {d:g}", factors(decay=d)) for d in config.decays]
    arms.append(Arm(CONTROL, "no decay", factors(decay=0.0), control=True))
    arms += [Arm(fraction_arm(f), f"{f:.0%}", factors(fraction=f)) for f in config.fractions]
    if has_leak(config):
        leaky = {"embedding": SUMMED, "split": SPLITS[1]}
        arms.append(Arm(LEAK, "leak", factors() | leaky, control=True))
    return tuple(arms)


def _check(config: Config) -> None:
    if not is_prime(config.p):
        near = min((k for k in range(11, 200) if is_prime(k)), key=lambda k: abs(k - config.p))
        raise BadValue(f"p = {config.p} is not a prime", f"nearest valid value: {near}")
    if config.fraction in config.fractions:
        raise BadValue(
            f"fractions has {config.fraction:g}, which is the main arm's",
            f"nearest valid value: {' '.join(f'{f:g}' for f in config.fractions if f != config.fraction) or 0.8}",
        )
    if config.weight_decay in config.decays:
        raise BadValue(
            f"decays has {config.weight_decay:g}, which is the main arm's",
            f"nearest valid value: {' '.join(f'{d:g}' for d in config.decays if d != config.weight_decay) or 3}",
        )
    if config.model == MLP and config.embedding == SUMMED and config.operation not in COMMUTATIVE:
        raise BadValue(
            f"embedding = {SUMMED} cannot fit {config.operation}: the network cannot tell (a, b) from (b, a)",
            f"nearest valid value: embedding = {CONCATENATED}, or operation = {' or '.join(COMMUTATIVE)}",
        )
    if config.model != MLP and config.embed % config.heads:
        raise BadValue(
            f"embed = {config.embed} is no multiple of the {config.heads} heads",
            f"nearest valid value: {max(round(config.embed / config.heads), 1) * config.heads}",
        )


def is_prime(number: int) -> bool:
    """Whether a small number is a prime."""
    return number > 1 and all(number % k for k in range(2, int(number**0.5) + 1))


def samples(config: Config, fraction: float) -> float:
    """Return about how many pairs are trained on."""
    rows = config.p - (config.operation == "multiplication")
    columns = config.p - (config.operation in ("multiplication", "division"))
    return fraction * rows * columns


def network_size(config: Config) -> float:
    """Return about how many numbers a network has."""
    if config.model == MLP:
        return 2.0 * config.p * config.embed + 2.0 * config.embed * config.hidden + config.p * config.hidden
    block = 4.0 * config.embed**2 + 2.0 * config.embed * config.hidden
    return 2.0 * config.p * config.embed + config.layers * block


def step_operations(config: Config, fraction: float) -> float:
    """Return the operations of one member's step, its share of the looks included."""
    n = samples(config, fraction)
    if config.model == MLP:  # the first layer is a product per symbol, not per pair
        return 6.0 * n * config.hidden * config.p + 40.0 * network_size(config)
    tokens, batch = 4 if config.model == TRANSFORMER else 3, min(config.batch or n, n)
    return 6.0 * batch * tokens * network_size(config)


def expected_steps(config: Config, arm: Arm) -> float:
    """Guess the steps that an arm trains."""
    decay, fraction = (float(arm.factors[name]) for name in ("weight decay", "training fraction"))
    wait = min(WAIT / (config.lr * config.weight_decay), float(config.steps))
    if decay == 0.0 or fraction < config.fraction:
        return min(config.cap * wait, float(config.steps))
    if arm.name == LEAK:
        return SHARES["leak"] * wait
    return SHARES["more data"] * wait if fraction > config.fraction else wait


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    arms = tuple(arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms)
    kind = cost.kind_of(spec.device)
    work = sum(expected_steps(config, a) * step_operations(config, float(a.factors["training fraction"])) for a in arms)
    slower = FLOAT[config.precision] / 4
    speed = cost.FLOPS_PER_SECOND[kind] if config.model != MLP or kind == "cuda" else 2 * CORE
    longest = max(expected_steps(config, arm) for arm in arms)
    seconds = cost.START + 1.3 * slower * spec.seeds * work / speed
    if kind == "cuda":
        seconds += longest * cost.STEP_SECONDS[kind]
    each = 3.0 * FLOAT[config.precision] * network_size(config) + 9.0 * samples(config, 1.0)
    space = workspace(config, arms, spec) if config.model == MLP else 0.0
    return Estimate(len(arms) * spec.seeds, seconds, 3e8 + each * len(arms) * spec.seeds + space)


def _cores() -> int:
    import psutil

    return psutil.cpu_count(logical=False) or 1


def workspace(config: Config, arms: tuple[Arm, ...], spec: RunSpec) -> float:
    """Return the bytes of the buffers of all threads: each has those of its largest block of perceptrons."""
    kinds = Counter((float(arm.factors["training fraction"]), arm.name == LEAK) for arm in arms)
    blocks, largest = 0, 0.0
    for (fraction, _), count in kinds.items():
        n, networks = samples(config, fraction), count * spec.seeds
        size = min(pair_space.together(n * (2.0 * config.hidden + config.p), spec.device), networks)
        blocks += math.ceil(networks / size)
        largest = max(largest, size * pair_space.perceptron_buffers(config.p, config.hidden, n))
    threads = min(blocks, _cores()) if cost.kind_of(spec.device) == "cpu" else 1
    return FLOAT[config.precision] * threads * largest
