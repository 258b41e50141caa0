"""Bench rows of training on the CPU: whole populations against the best plain loops, in the same run."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from genlab_tui.commands import bench_rivals as rivals
from genlab_tui.commands.bench_rows import Row, ratios, row
from genlab_tui.training import plan
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.program import Crew
from genlab_tui.training.state import State
from genlab_tui.training.train import train

WIDTHS = (
    *(5, 10, 15, 20, 25, 30, 35, 40, 42, 44, 46, 48, 49, 50, 51, 52, 54, 56, 58, 60, 65, 70, 80, 100, 120),
    *(150, 203),
)
"""27 hidden widths, dense around 50 as in sweeps of double descent; their sum is 1,578."""

THREADS = torch.get_num_threads()
N, FEATURES, BATCH = 4000, 784, 128
SGD = Recipe((), "sgd", rivals.LR, rivals.MOMENTUM, batch=BATCH, epochs=1, target=2)


class _Desk:
    """A context that asks for nothing."""

    devices = ("cpu",)

    def resume(self) -> None:
        return None

    def poll(self, save: object = None) -> None:
        pass

    def changes(self, cohort: str, step: int) -> tuple[()]:
        return ()


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes, with all cores."""
    torch.set_num_threads(THREADS)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def samples(n: int = N, test: int = 1000, labels: int = 1) -> Samples:
    """Return made images and labels: what they show does not matter to the clock."""
    source = torch.Generator().manual_seed(0)
    return Samples(
        torch.rand(1, n, FEATURES, generator=source),
        torch.randint(10, (labels, n), generator=source),
        torch.rand(1, test, FEATURES, generator=source),
        torch.randint(10, (1, test), generator=source),
        10,
        (1, 28, 28),
    )


def members(widths: Sequence[int], seeds: int, **changes: Any) -> list[Member]:
    """Return one member per width and seed, all with one recipe but for the width."""
    from dataclasses import replace

    return [Member(f"h = {w}", s, recipe=replace(SGD, hidden=(w,), **changes)) for s in range(seeds) for w in widths]


def engine(population: Sequence[Member], data: Samples, epochs: int = 1, *, record: bool = True) -> None:
    """Train a population for some epochs from its first weights on, with nothing measured in between.

    On a GPU, steps are recorded and replayed unless `record` says otherwise.
    """
    crew = Crew(THREADS)
    try:
        plans = plan.programs(population, data, SGD, together=crew.threads)
        state = State(population, data, SGD, plans, crew)
        for at in range(len(state.plan)):
            state.open(at)
            program = state.program
            if not record:
                for shard in program.shards:
                    shard.replay = None
            step = 0
            for epoch in range(epochs):
                program.begin(epoch)
                for position in range(len(program.batches.bounds)):
                    program.advance(epoch, position, step)
                    step += 1
    finally:
        crew.close()


def rows(repeats: int) -> Iterator[Row]:
    """Yield the rows; every repeat measures all of them in turn."""
    with torch.no_grad():
        yield from _machine_rows(repeats)
        yield from _population_rows(repeats)
        yield from _other_rows(repeats)
        yield from _slopes(repeats)
        yield from _conv_rows(repeats)


def peak(size: int = 2048) -> float:
    """Return the rate of a float32 matrix product in FLOP/s."""
    a, b = torch.rand(size, size), torch.rand(size, size)
    return 2 * size**3 / min(seconds(lambda: a @ b) for _ in range(3))


def _machine_rows(repeats: int) -> Iterator[Row]:
    big = torch.rand(1 << 26)
    other = torch.empty_like(big)
    peaks, copies = [], []
    for _ in range(repeats + 1):
        peaks.append(peak() / 1e9)
        copies.append(2 * big.numel() * 4 / seconds(lambda: other.copy_(big)) / 1e9)
    yield row("float32 matrix product, 2048 x 2048", peaks[1:], None, "GFLOP/s", more=True)
    yield row("copy, read and written", copies[1:], None, "GB/s", more=True)


def _population_rows(repeats: int) -> Iterator[Row]:
    data = samples()
    few = data.inputs[0, :1000], data.labels[0, :1000]
    all_of = data.inputs[0], data.labels[0]
    equal = (50,) * len(WIDTHS)
    jax = rivals.jax_at_hand()
    times: dict[str, list[float]] = {}

    def note(name: str, work: Callable[[], object], scale: float = 1.0) -> None:
        times.setdefault(name, []).append(seconds(work) * scale)

    for _ in range(repeats + 1):
        note("torchvision", lambda: rivals.torchvision_loop(*few, WIDTHS, BATCH), N / 1000)
        note("plain", lambda: rivals.plain_loop(*all_of, WIDTHS, BATCH))
        note("engine", lambda: engine(members(WIDTHS, 1), data, 4), 1 / 4)
        note("plain equal", lambda: rivals.plain_loop(*all_of, equal, BATCH))
        note(
            "engine equal",
            lambda: engine([Member("", s, order=0, recipe=m.recipe) for s, m in enumerate(members(equal, 1))], data, 4),
            1 / 4,
        )
        note("plain x 5", lambda: rivals.plain_loop(*all_of, WIDTHS * 5, BATCH))
        note("engine x 5", lambda: engine(members(WIDTHS, 5), data, 2), 1 / 2)
        times.setdefault("peak", []).append(peak())
        if jax:
            note("jax", lambda: rivals.jax_population(*all_of, WIDTHS, BATCH, 2), 1 / 2)
            note("jax equal", lambda: rivals.jax_population(*all_of, equal, BATCH, 2), 1 / 2)
    kept = {name: values[1:] for name, values in times.items()}  # the first round warms up

    def against(name: str, rival: str, ours: str, target: float, reach: float) -> Row:
        return row(name, ratios(kept[rival], kept[ours]), target, "x", reach=reach, more=True)

    yield against("27 widths / best plain loop (in memory, fused SGD)", "plain", "engine", 2.5, 4)
    yield against("27 widths x 5 seeds / best plain loop", "plain x 5", "engine x 5", 3.2, 5)
    yield against("27 equal widths / best plain loop", "plain equal", "engine equal", 2.5, 4)
    yield against("27 widths / torchvision DataLoader loop", "torchvision", "engine", 20, 30)
    useful = 6.0 * 2 / 3 * N * FEATURES * sum(WIDTHS) * 5
    shares = [100 * useful / t / p for t, p in zip(kept["engine x 5"], kept["peak"], strict=True)]
    yield row("27 x 5: useful share of the matrix-product peak", shares, 30, "%", reach=50, more=True)
    if jax:
        yield against("27 equal widths / JAX vmap + scan", "jax equal", "engine equal", 0.9, 1.2)
        yield against("27 widths / JAX vmap + scan", "jax", "engine", 2.5, 4)


def _other_rows(repeats: int) -> Iterator[Row]:
    """Members that differ in everything; what looking and telling cost."""
    data = samples(labels=4)
    epochs = 10
    common = members(WIDTHS, 2, epochs=epochs, regularisers={"weight-decay": 1e-3, "dropout": 0.2})
    mixed = []
    for k, member in enumerate(members(WIDTHS, 2, epochs=epochs)):
        strengths = {"weight-decay": 10.0 ** -(2 + k % 3), "dropout": 0.1 + 0.1 * (k % 4)}
        steps = (epochs * math.ceil(N / BATCH)) - 13 * (k % 5)
        recipe = _with(member, regularisers=strengths, steps=steps)
        mixed.append(Member(member.arm, member.seed, labels=k % 4, recipe=recipe))
    alike, different, silent, streamed, looking = [], [], [], [], []
    long = members(WIDTHS, 1, epochs=40)
    for _ in range(repeats):
        alike.append(seconds(lambda: _drain(common, data)))
        different.append(seconds(lambda: _drain(mixed, data)))
        silent.append(seconds(lambda: looking.append(_drain(long, data))))
        streamed.append(seconds(lambda: _stream(long, data)))
    yield row("members that differ in everything / equal ones", ratios(different, alike), 1.3, "x", reach=1.1)
    extra = [100 * (s / q - 1) for s, q in zip(streamed, silent, strict=True)]
    yield row("streaming events, of the time of training", extra, 3, "%", reach=1)
    share = [100 * part / whole for part, whole in zip(looking, silent, strict=True)]
    yield row("evaluation, of the time of training (40 epochs)", share, 10, "%", reach=8)


def _with(member: Member, **changes: Any) -> Recipe:
    from dataclasses import replace

    return replace(member.recipe or SGD, **changes)


def _drain(population: Sequence[Member], data: Samples) -> float:
    """Train and forget the events; return the seconds spent on measurements."""
    training = train(population, data, SGD, _Desk(), cohort="bench")  # type: ignore[arg-type]
    while True:
        try:
            next(training)
        except StopIteration as end:
            return float(end.value.looking)


def _stream(population: Sequence[Member], data: Samples) -> None:
    from jobs.context import EventLog

    with tempfile.TemporaryDirectory(prefix="genlab-bench-") as folder:
        log = EventLog(Path(folder) / "events.jsonl", 1)
        for event in train(population, data, SGD, _Desk(), cohort="bench"):  # type: ignore[arg-type]
            log.write(event)
        log.close()


def _slopes(repeats: int) -> Iterator[Row]:
    """Yield how cost grows: the slope of log time over log size, largest sizes of a machine that is full already."""
    sizes = (1, 2, 4, 8)
    data = {factor: samples(1000 * factor, test=10) for factor in sizes}
    grown: dict[str, Callable[[int], object]] = {
        "members": lambda f: engine(members((50,) * 27, f), data[2], 2),
        "samples": lambda f: engine(members((50,) * 27, 1), data[f], 4),
        "epochs": lambda f: engine(members((50,) * 27, 1), data[1], 4 * f),
    }
    slopes: dict[str, list[float]] = {name: [] for name in grown}
    for _ in range(repeats):
        for name, work in grown.items():
            points = [(math.log(f), math.log(seconds(lambda work=work, f=f: work(f)))) for f in sizes]  # type: ignore[misc]
            slopes[name].append(_slope(points))
    for name, values in slopes.items():
        yield row(f"cost over {name}: log-log slope", values, 1.05, "", reach=1.0)


def _slope(points: Sequence[tuple[float, float]]) -> float:
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    return float(sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points))


def _conv_rows(repeats: int) -> Iterator[Row]:
    """Yield convolutional nets, one after another in either case."""
    from genlab_tui.models import networks

    shape, count, n, batch = (3, 32, 32), 2, 512, 64
    source = torch.Generator().manual_seed(0)
    x = torch.rand(1, n, math.prod(shape), generator=source)
    y = torch.randint(10, (1, n), generator=source)
    data = Samples(x, y, x, y, 10, shape)
    recipe = Recipe(network="cnn-5:16", optimiser="sgd", lr=rivals.LR, batch=batch, epochs=1, target=2)
    population = [Member("", s, recipe=recipe) for s in range(count)]
    coarse = [Member("", s, recipe=_with(member, precision="bf16")) for s, member in enumerate(population)]
    images = x[0].view(-1, *shape)

    def build() -> torch.nn.Module:
        return networks.build(recipe.network, shape, 10)

    plain, ours, half = [], [], []
    for _ in range(repeats + 1):
        plain.append(seconds(lambda: rivals.plain_conv_loop(build, count, images, y[0], batch)))
        ours.append(seconds(lambda: engine(population, data)))
        half.append(seconds(lambda: engine(coarse, data)))
    yield row("conv nets (5 layers) / plain loop", ratios(plain[1:], ours[1:]), 1.3, "x", reach=1.8, more=True)
    name = "conv nets where bfloat16 is allowed / plain loop"
    yield row(name, ratios(plain[1:], half[1:]), 1.3, "x", reach=1.8, more=True)
