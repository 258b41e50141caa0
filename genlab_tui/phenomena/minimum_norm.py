"""Minimum norm (Zhang et al. 2017, section 5): of all models that fit, gradient descent from zero takes the smallest.

Kernel machines that interpolate true and random labels, with the norms they need over bandwidths; the ridge curve down
to no ridge at all (Liang & Rakhlin 2020); gradient descent on a linear system against its pseudo-inverse. All float64.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import cache, partial
from math import isinf
from typing import TYPE_CHECKING

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure
from genlab_tui.papers import LIANG_RAKHLIN, ZHANG
from genlab_tui.phenomena._minimum_norm import figures as drawn
from genlab_tui.phenomena._minimum_norm.claims import claims
from genlab_tui.phenomena._minimum_norm.config import (
    CLOSE,
    EARLY,
    FAR_START,
    FITTED,
    FOURIER,
    IN_SPAN,
    RIDGE,
    SETTLED,
    SGD,
    SOLVED,
    SPEED,
    SYSTEM_TESTS,
    TRUE,
    Config,
    descent_seconds,
    estimate,
    kernel_bytes,
    kernel_cost,
    on_features,
    plan,
    sizes,
    solves_of,
    whole_pool,
)
from genlab_tui.phenomena._minimum_norm.presets import PRESETS
from genlab_tui.phenomenon import Arm, Context, Metric, Phenomenon
from genlab_tui.rundata import RunData

if TYPE_CHECKING:
    from genlab_tui.training.descent import System
    from genlab_tui.training.kernel_machine import Problem

SHARE = 0.9  # of the free memory, that a kernel and its factor may take


# --- the run ----------------------------------------------------------------------------------------------------------


class _Clock:
    """How much of the run is done, by what its parts cost, and how long the rest will take."""

    def __init__(self, costs: Sequence[float]) -> None:
        self.costs, self.at, self.whole = costs, -1, sum(costs)
        self.began, self.first = time.monotonic(), -1.0

    def next(self) -> None:
        """Go on to the next part."""
        self.at += 1

    def progress(self, label: str, share: float) -> ev.Progress:
        """Return the line that says that a share of the present part is done."""
        before = sum(self.costs[: self.at]) / self.whole
        if self.first < 0:  # what an earlier attempt did took this one no time
            self.first = before
        done = before + share * self.costs[self.at] / self.whole
        elapsed = time.monotonic() - self.began
        eta = elapsed * (1.0 - done) / (done - self.first) if done > self.first else -1.0
        return ev.Progress(done=min(done, 1.0), label=label, eta=eta)


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Solve and descend for every seed: a stage for each kernel, each penalty and each descent."""
    spec, arms = context.spec, context.arms
    solves = solves_of(config, arms)
    descents = [arm for arm in arms if "start" in arm.factors]
    if solves:
        _check_memory(config, context)
    if descents and context.device != "cpu":
        yield ev.Log(text=f"descents stay on the CPU, in float64: {context.device} solves the kernels alone")
    if solves and whole_pool(config, spec):
        text = f"all {sizes(config, spec)[0]:,} training samples of {spec.data} are taken: seeds only permute them, so "
        text += "what true labels give is one draw however many seeds agree; random labels and systems are drawn anew"
        yield ev.Log(level="warning", text=text)
    arrays = data.load(spec.data, context.data_dir)
    one = kernel_cost(config, spec) / SPEED["cpu"]
    costs = [one] * len(solves) + [*descent_seconds(config, descents)]
    clock = _Clock(costs * spec.seeds)
    for seed in spec.seed_list:
        problem = cache(partial(_draw, config, context, arrays, seed))
        systems = cache(partial(_decompose, config, context, problem, seed))
        for (sigma, penalty), own in solves.items():
            clock.next()
            ridge = all("penalty" in arm.factors for arm in own)
            what = f"seed {seed}, lambda {penalty:g}" if ridge else f"seed {seed}, sigma {sigma:g}"
            yield from context.stage(what, partial(_solve, context, problem, own, seed, what, sigma, penalty, clock))
        for arm in descents:
            clock.next()
            body = partial(_descend, config, context, systems, arm, seed, clock)
            yield from context.stage(f"seed {seed}, {arm.name}", body)


def _check_memory(config: Config, context: Context) -> None:
    """Raise BadValue where the kernel matrix and its factor do not fit the memory that is free."""
    import psutil

    from genlab_tui.text import human_bytes

    need, free = kernel_bytes(config, context.spec), float(psutil.virtual_memory().available)
    if context.device != "cpu":  # built in main memory, factorised on the GPU
        import torch

        free = min(free, float(torch.cuda.mem_get_info(context.device)[0]))
    free *= SHARE
    if need > free:
        n, _ = sizes(config, context.spec)
        fits = max(int(n * (free / need) ** 0.5) // 100 * 100, 10)
        raise BadValue(
            f"n = {n:,}: the kernel matrix and its factor take {human_bytes(need)}, {human_bytes(free)} are free",
            f"nearest valid value: about {fits}",
        )


def _draw(config: Config, context: Context, arrays: data.Arrays, seed: int) -> Problem:
    from genlab_tui.training.kernel_machine import draw_problem

    return draw_problem(
        arrays, seed, n=sizes(config, context.spec)[0], test=config.test, noise=config.noise,
        contradictions=config.contradictions,
    )  # fmt: skip


def _solve(
    context: Context, problem: Callable[[], Problem], arms: Sequence[Arm], seed: int, what: str, sigma: float,
    penalty: float, clock: _Clock,
) -> Generator[ev.Event, None, None]:  # fmt: skip
    """Fit the labels of some arms on one kernel."""
    from dataclasses import asdict

    from genlab_tui.training.kernel_machine import solve

    context.poll()
    names = [arm.name for arm in arms]
    kinds = [TRUE if arm.name.startswith(RIDGE) else arm.name.split("-")[0] for arm in arms]
    drawn = problem()
    different = tuple(dict.fromkeys(kinds))
    solved = solve(drawn, sigma, different, penalty, device=context.device)
    if drawn.dropped:
        yield ev.Log(text=f"seed {seed}: {drawn.dropped} inputs that are there twice, with one label, count once")
    against = [kind for kind in different if kind in drawn.contradicted and not penalty]
    if against:
        text = f"identical inputs carry different labels ({', '.join(against)}): no function fits them exactly"
        yield ev.Log(level="warning", text=f"{what}: {text}")
    elif any(isinf(machine.condition) for machine in solved.values()):
        text = "the kernel matrix is not positive definite in float64: too wide a kernel; no jitter is added"
        yield ev.Log(level="warning", text=f"{what}: {text}")
    elif not penalty and (off := max(machine.residual for machine in solved.values())) >= FITTED:
        condition = max(machine.condition for machine in solved.values())
        text = f"the kernel is too wide for float64: condition number {condition:.1g}, residual {off:.1g}"
        yield ev.Log(level="warning", text=f"{what}: {text}; no jitter is added")
    yield ev.Cohort(id=what, members=tuple((name, seed) for name in names))
    rows = [asdict(solved[kind]) for kind in kinds]
    for row in rows:
        row["test_error"] = 1.0 - row["test_accuracy"]
    for name in rows[0]:
        yield ev.Measure(cohort=what, name=name, values=ev.to_values(row[name] for row in rows))
    yield clock.progress(what, 1.0)


def _decompose(config: Config, context: Context, problem: Callable[[], Problem], seed: int, features: bool) -> System:
    """Draw one of the linear systems of a seed; its decomposition takes as long as many passes: made once."""
    from genlab_tui.training.descent import fourier_system, gaussian_system

    if features:
        return fourier_system(problem(), seed, config.rows, config.columns, config.feature_bandwidth, SYSTEM_TESTS)
    return gaussian_system(seed, config.rows, config.columns)


def _descend(
    config: Config, context: Context, systems: Callable[[bool], System], arm: Arm, seed: int, clock: _Clock
) -> Generator[ev.Event, None, None]:
    """Go down from one start."""
    from genlab_tui.training.descent import Descent, descend
    from genlab_tui.training.one_thread import one_thread

    passes = {SGD: config.sgd_passes, FOURIER: config.long_passes}.get(arm.name, config.passes)
    descent = Descent(
        arm.name,
        passes,
        spread=config.start if arm.name == FAR_START else 0.0,
        stochastic=arm.name == SGD,
        early=max(passes // EARLY, 1),
        settled=SETTLED,
    )
    label = f"seed {seed}, {arm.name}"
    context.poll()
    system = systems(on_features(config, arm.name))
    if isinf(system.condition):
        text = "rows that depend on each other: there may be no exact solution"
        yield ev.Log(level="warning", text=f"{label}: {text}")
    with one_thread():
        yield from descend(system, descent, context, seed, partial(clock.progress, label))


# --- declaration ------------------------------------------------------------------------------------------------------


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return norm, test error and condition over bandwidths, the descents, the ridge curve; also of data to come."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


_PASSES = "passes over the equations"


def _falling(name: str, label: str, asked: float) -> Metric:
    """Return a metric that falls over decades of passes, to below what is asked."""
    asked_for = ((asked, "asked"),)
    return Metric(name, label, True, False, references=asked_for, step_label=_PASSES, log_step=True)


PHENOMENON = Phenomenon(
    name="minimum-norm",
    title="Minimum norm",
    group="Theory",
    question="Of all models that fit the data exactly, which one does gradient descent find?",
    explanation=(
        "A linear model with more weights than samples fits any labels, in infinitely many ways, and the loss cannot "
        "tell them apart: all have zero error, and its curvature is the same at every one. Yet gradient descent that "
        "starts from zero always ends at one of them, that of the smallest norm: each step adds a combination of the "
        "samples, so the weights never leave their span, and only one solution lies there. Started elsewhere, it ends "
        "elsewhere (the control). With a kernel, that solution has a closed form. Zhang et al. solved it for MNIST, "
        "without any regularisation, and it predicted well; the same kernel fits random labels just as exactly. What "
        "differs is the norm: on digits noise costs several times more of it, unless the kernel is so narrow that "
        "every sample stands alone. Read the first figure as the price of an explanation, over the kernel's width; the "
        "second says how well it predicts. The ridge curve runs down to no penalty at all: with true labels nothing is "
        "won by one, with noisy labels, its control, much is. Two warnings. A small norm is not the whole story: the "
        "authors found features with which the norm grew while the error halved; whether the same happens over "
        "bandwidths alone is a claim of its own here. And how fast descent gets there is a question of conditioning: "
        "on random Fourier features of the data, twenty thousand passes leave the weights far from where they go."
    ),
    papers=(ZHANG, LIANG_RAKHLIN),
    config=Config,
    presets=PRESETS,
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn"),
    refused={"cifar100": "thresholds and published numbers are those of ten classes"},
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        _falling("distance", "relative distance to the minimum-norm solution", CLOSE),
        _falling("system_residual", "residual of the linear system", SOLVED),
        _falling("off_span", "part of the weights off the samples' span", IN_SPAN),
        Metric("accuracy", "test accuracy, ill-conditioned system", step_label=_PASSES, log_step=True),
    ),
    headline=(
        "relative distance to the minimum-norm solution",
        "norm of random labels over that of true ones, sigma = 2",
        "least test accuracy with true labels, sigma 2 and above",
    ),
    in_flight=lambda config: False,
    precision="float64",
)
