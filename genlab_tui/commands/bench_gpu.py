"""Bench rows of training on a GPU, each with what the hardware would allow; none where there is no GPU."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import click
import torch

from genlab_tui.commands import bench_rivals as rivals
from genlab_tui.commands.bench_rows import Row, ratios, row
from genlab_tui.commands.bench_training import FEATURES, SGD, WIDTHS, N, engine, members, samples, seconds
from genlab_tui.training.members import Member, Samples

LONG = 500
"""Epochs of the sweep of 27 widths and 5 seeds."""


def rows(repeats: int) -> Iterator[Row]:
    """Yield the rows of the first GPU."""
    if not torch.cuda.is_available():
        click.echo("no GPU that torch can use: its rows are left out", err=True)
        return
    with torch.no_grad():
        yield from _machine()
        yield from _sweep(repeats)
        yield from _chain()
        yield from _inception(repeats)


def _timed(work: Callable[[], object]) -> float:
    """Return the seconds of something on the GPU, waited for."""
    torch.cuda.synchronize()

    def whole() -> None:
        work()
        torch.cuda.synchronize()

    return seconds(whole)


def _on_gpu(data: Samples) -> Samples:
    tensors = {name: getattr(data, name).cuda() for name in ("inputs", "labels", "test_inputs", "test_labels")}
    return replace(data, **tensors)


def _machine() -> Iterator[Row]:
    a, b = (torch.rand(8192, 8192, device="cuda") for _ in range(2))
    big = torch.rand(1 << 28, device="cuda")
    other = torch.empty_like(big)
    products, copies = [], []
    for _ in range(4):
        products.append(2 * 8192**3 / _timed(lambda: a @ b) / 1e12)
        copies.append(2 * big.numel() * 4 / _timed(lambda: other.copy_(big)) / 1e9)
    yield row("GPU: float32 matrix product, 8192 x 8192", products[1:], None, "TFLOP/s", more=True)
    yield row("GPU: copy, read and written", copies[1:], None, "GB/s", more=True)


def _sweep(repeats: int) -> Iterator[Row]:
    """Yield 27 widths x 5 seeds for 500 epochs, and what recording the steps gains."""
    data = _on_gpu(samples())
    population = members(WIDTHS, 5)
    engine(population, data, 2)
    whole = [_timed(lambda: engine(population, data, LONG))]
    yield row(f"GPU: 27 widths x 5 seeds, {LONG} epochs", whole, 10, "s", reach=4)
    useful = 4.0 * LONG * N * FEATURES * sum(WIDTHS) * 5
    yield row("GPU: useful rate of that sweep", [useful / t / 1e12 for t in whole], None, "TFLOP/s", more=True)
    eager, recorded = [], []
    for _ in range(repeats):
        recorded.append(_timed(lambda: engine(population, data, 20)))
        eager.append(_timed(lambda: engine(population, data, 20, record=False)))
    yield row("GPU: recorded steps / eager ones", ratios(eager, recorded), 3, "x", reach=6, more=True)


def _chain() -> Iterator[Row]:
    """Yield 27 widths one after another, each starting from the one before; 5 seeds batched."""
    data = _on_gpu(samples())
    spent = 0.0
    for width in WIDTHS:
        population = members((width,), 5)
        spent += _timed(lambda population=population: engine(population, data, LONG))  # type: ignore[misc]
    yield row(f"GPU: chain of 27 widths, 5 seeds batched, {LONG} epochs each", [spent], 40, "s", reach=15)


def _inception(repeats: int) -> Iterator[Row]:
    """Yield the small Inception in bfloat16 on resident data against a float32 loop over a DataLoader."""
    shape, n, batch = (3, 28, 28), 10_000, 128
    source = torch.Generator().manual_seed(0)
    x = torch.rand(1, n, 3 * 28 * 28, generator=source)
    y = torch.randint(10, (1, n), generator=source)
    data = _on_gpu(Samples(x, y, x[:, :100], y[:, :100], 10, shape))
    recipe = replace(
        SGD,
        network="small-inception",
        batch=batch,
        precision="bf16",
        lr=0.1,
        regularisers={"batch-norm": 0.1},
    )
    population: Sequence[Member] = [Member("", 0, recipe=recipe)]
    images = x[0].view(-1, *shape)
    workers = min(8, os.cpu_count() or 1)
    engine(population, data)
    plain, ours = [], []
    for _ in range(max(repeats // 2, 2)):
        plain.append(_timed(lambda: rivals.loader_loop_on_gpu(images, y[0], recipe.network, batch, workers)))
        ours.append(_timed(lambda: engine(population, data, 2)) / 2)
    name = f"GPU: small Inception / float32 DataLoader loop, {workers} workers"
    yield row(name, ratios(plain, ours), 3, "x", reach=10, more=True)
