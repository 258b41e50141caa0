"""A torch-free phenomenon for tests: two arms learn at different speeds; it can be slow, stop, crash or hang on demand.

Reached through `GENLAB_PHENOMENA=tests/data/phenomena`. One stage an arm; its numbers depend on config and seeds alone,
so that an interrupted and resumed run must equal an uninterrupted one.
"""

from __future__ import annotations

import math
import os
import random
import signal
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from genlab_tui import events as ev
from genlab_tui.figure import Figure, HeatMap, Line, Reference
from genlab_tui.phenomenon import (
    Arm,
    Checkpoint,
    Claim,
    Context,
    Criterion,
    Estimate,
    Metric,
    Paper,
    Phenomenon,
    Preset,
    Rule,
    Test,
    param,
)
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.stats import summarise

EPOCH = 10
"""Steps after which a regulariser that was changed in flight takes effect: it lowers the accuracy."""
METRICS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
CRASHES = ("none", "error", "segfault", "exit", "nan", "oom", "cuda-oom", "disk-full", "data", "kill", "hang", "stdout")


@dataclass(frozen=True)
class Config:
    """What the toy does."""

    steps: int = param(200, help="Steps of each arm.", low=1, high=1_000_000)
    seconds: float = param(10.0, help="How long the whole run takes.", low=0.0, high=3600.0, unit="s")
    noise: float = param(0.02, help="Spread between seeds.", low=0.0, high=1.0)
    rates: tuple[float, ...] = param((1.0, 2.0), help="Learning speeds, cycled over seeds.", low=0.0, high=10.0)
    shape: str = param("exponential", help="Form of the curves.", choices=("exponential", "linear"))
    shout: bool = param(False, help="Print every step to the log.")
    crash: str = param("none", help="How it ends.", choices=CRASHES)
    crash_at: float = param(0.5, help="When it crashes, as a share of the run.", low=0.0, high=1.0)


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Two arms, and a control that does not learn."""
    return (
        Arm("fast", "fast learner", {"rate": 3.0}),
        Arm("slow", "slow learner", {"rate": 1.0}),
    )


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return its cost: what the config says."""
    return Estimate(members=2 * spec.seeds, seconds=config.seconds, bytes=1e6)


def level(config: Config, arm: Arm, seed: int, step: int) -> float:
    """Return what a member has learnt at a step, 0 to 1: a pure function of its arguments."""
    share = (step + 1) / config.steps
    speed = float(arm.factors["rate"]) * config.rates[seed % len(config.rates)]
    grown = min(share * speed / 6, 1.0) if config.shape == "linear" else 1 - math.exp(-speed * share)
    wobble = random.Random(f"{arm.name} {seed} {step}").gauss(0, config.noise)
    return min(max(0.1 + 0.88 * grown + wobble * (1 - share / 2), 0.0), 1.0)


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Yield the events of every arm, one stage an arm."""
    done = 0
    for number, arm in enumerate(context.arms):

        def train(arm: Arm = arm, number: int = number) -> Generator[ev.Event, None, dict[str, float]]:
            return (yield from _train(config, context, arm, number))

        finals = yield from context.stage(arm.name, train)
        done += 1
        yield ev.Mark(text=f"{arm.title}: {finals['mean']:.3f}", arm=arm.name, step=config.steps - 1)
    yield ev.Progress(done=1.0, label=f"{done} arms")


def _train(config: Config, context: Context, arm: Arm, number: int) -> Generator[ev.Event, None, dict[str, float]]:
    seeds = context.spec.seed_list
    yield ev.Cohort(id=arm.name, members=tuple((arm.name, s) for s in seeds))
    checkpoint = context.resume()
    first = checkpoint.step + 1 if checkpoint else 0
    changed: dict[str, float] = dict(checkpoint.meta["changed"]) if checkpoint else {}
    total = config.steps * len(context.arms)
    for step in range(first, config.steps):
        share = (number * config.steps + step) / total
        if config.crash != "none" and share >= config.crash_at:
            _crash(config.crash)
        if config.shout:
            print(f"{arm.name} step {step}")
        time.sleep(config.seconds / total)
        if step % EPOCH == 0:
            for name, strength in context.changes(arm.name, step):
                changed[name] = strength or 0.0
                yield ev.Change(regulariser=name, strength=strength, step=step, cohort=arm.name)
        accuracies = [level(config, arm, s, step) * (1 - 0.2 * sum(changed.values())) for s in seeds]
        values = {
            "train_accuracy": accuracies,
            "train_loss": [2.3 * (1 - a) + 1e-3 for a in accuracies],
            "test_accuracy": [0.1 + 0.85 * (a - 0.1) for a in accuracies],
            "test_loss": [2.3 * (1.15 - a) for a in accuracies],
        }
        if config.crash == "nan" and share >= config.crash_at / 2:
            values = {name: [math.nan] * len(seeds) for name in values}
        for metric in METRICS:
            yield ev.Curve(
                cohort=arm.name,
                metric=metric,
                step=step,
                epoch=step / 10,
                seconds=step * config.seconds / total,
                values=ev.to_values(values[metric]),
            )
        if step % 10 == 0:
            yield ev.Progress(done=share, label=f"{arm.title}, step {step}")
        context.poll(lambda step=step: Checkpoint(step=step, arrays={}, meta={"changed": changed}))
    finals = [0.1 + 0.85 * (level(config, arm, s, config.steps - 1) - 0.1) for s in seeds]
    first_hits = [
        float(next((k for k in range(config.steps) if level(config, arm, s, k) >= 0.6), config.steps)) for s in seeds
    ]
    yield ev.Measure(cohort=arm.name, name="test_accuracy", values=ev.to_values(finals))
    yield ev.Measure(cohort=arm.name, name="steps_to_fit", values=ev.to_values(first_hits))
    return {"mean": math.fsum(finals) / len(finals)}


def _crash(how: str) -> None:
    if how == "error":
        raise ValueError("the toy was told to fail")
    if how == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "exit":
        os._exit(3)
    if how == "oom":
        raise MemoryError
    if how == "cuda-oom":
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    if how == "disk-full":
        raise OSError(28, "No space left on device")
    if how == "nan":
        raise FloatingPointError("the loss is not finite")
    if how == "data":
        from genlab_tui.errors import MissingData

        raise MissingData("cifar10 is not on this machine", "genlab-tui data fetch cifar10")
    while how == "hang":
        time.sleep(0.05)


def figures(data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Final accuracy of each arm with its band, and a heat map of the members."""
    lines = []
    summaries = [(arm, summarise(data.measure("test_accuracy", arm.name).values())) for arm in data.arms]
    known = [(float(arm.factors["rate"]), s) for arm, s in summaries if s.n]
    known.sort()
    if known:
        spread = [0.0 if math.isnan(s.sd) else s.sd for _, s in known]
        lines.append(
            Line(
                "test accuracy",
                tuple(rate for rate, _ in known),
                tuple(s.mean for _, s in known),
                tuple(s.mean - d for (_, s), d in zip(known, spread, strict=True)),
                tuple(s.mean + d for (_, s), d in zip(known, spread, strict=True)),
                n=tuple(s.n for _, s in known),
            )
        )
    accuracy_by_rate = Figure(
        "accuracy-by-rate",
        "Test accuracy against learning rate",
        "rate",
        "test accuracy",
        tuple(lines),
        (Reference(0.1, "chance"),),
        log_x=True,
    )
    rows = tuple(
        tuple(data.measures.get("steps_to_fit", {}).get((arm.name, seed), math.nan) for seed in data.seeds)
        for arm in data.arms
    )
    steps = HeatMap(
        "steps-to-fit",
        "Steps to fit",
        "seed",
        "arm",
        tuple(str(s) for s in data.seeds),
        tuple(arm.title for arm in data.arms),
        rows,
    )
    return accuracy_by_rate, steps


def _difference(first: str, second: str, data: RunData) -> dict[int, float]:
    a, b = data.measure("test_accuracy", first), data.measure("test_accuracy", second)
    return {seed: a[seed] - b[seed] for seed in a.keys() & b.keys()}


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """One claim: the fast arm ends above the slow one, and not above itself."""
    rule = Rule(low=0.02)
    return (
        Claim(
            "speed pays",
            "A faster learner ends with a higher test accuracy.",
            (
                Criterion(
                    effect=Test(
                        "fast minus slow",
                        lambda data: _difference("fast", "slow", data),
                        rule,
                        needs=("fast", "slow"),
                        statement="test accuracy of fast minus slow",
                    ),
                    precondition=Test(
                        "fast learns",
                        lambda data: data.measure("test_accuracy", "fast"),
                        Rule(low=0.5),
                        needs=("fast",),
                    ),
                    control=Test("fast minus fast", lambda data: _difference("fast", "fast", data), rule),
                    published=0.1,
                    published_source="this file",
                ),
            ),
        ),
    )


PHENOMENON = Phenomenon(
    name="toy",
    title="Toy",
    group="Dynamics",
    question="Does a faster learner end higher?",
    explanation="Two closed-form learning curves that differ in speed; nothing is trained.",
    papers=(Paper("Nobody 2024", "A toy", "none", "https://example.org"),),
    config=Config,
    presets={
        "quick": Preset(note="Ten seconds."),
        "standard": Preset({"steps": 1000, "seconds": 30.0}, seeds=5),
        "paper": Preset({"steps": 4000, "seconds": 120.0}, seeds=10),
        "regularised": Preset({"steps": 20, "seconds": 0.0}, regularisers={"weight-decay": 0.01}, note="For tests."),
        "instant": Preset({"steps": 20, "seconds": 0.0}, note="For tests."),
    },
    data=("digits",),
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        Metric("train_loss", "train loss", log=True, higher_is_better=False),
        Metric("train_accuracy", "train accuracy"),
        Metric("test_loss", "test loss", log=True, higher_is_better=False),
        Metric("test_accuracy", "test accuracy", references=((0.1, "chance"),)),
    ),
    regularisers=("weight-decay", "dropout", "label-smoothing", "early-stopping"),
    headline=("fast minus slow", "test_accuracy"),
)
