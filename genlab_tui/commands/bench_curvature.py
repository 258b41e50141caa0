"""Bench rows of slices and curvature: a whole plane of losses as one population, eigenvalues in few products."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor

from genlab_tui.commands.bench_rows import Row, row
from genlab_tui.training import curvature, nets, seeds, slices
from genlab_tui.training.nets import Net

NET = Net((64, 256, 256, 256, 10))
DEEP = Net((64, *[32] * 20, 10), residual=True)
SAMPLES = 1000
POINTS = 51
TRAINED = 100
"""Steps of full-batch gradient descent before the curvature is looked at: at random weights it is easier."""


def rows(repeats: int) -> Iterator[Row]:
    """Yield the seconds of a 51 x 51 plane of 3 x 256 on 1,000 images of 8 x 8, and products to an eigenvalue."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = torch.tensor(digits.data[:SAMPLES] / 16, dtype=torch.float64)
    y = torch.tensor(digits.target[:SAMPLES])
    flat = NET.initial([0], dtype=torch.float64)
    for _ in range(TRAINED):
        flat = flat - 0.2 * nets.gradients(lambda f: nets.losses(NET, f, x, y), flat)[1]
    large: list[float] = []
    ratios: dict[Net, list[float]] = {NET: [], DEEP: []}
    deep = DEEP.initial([0], gain=0.2)
    for _ in range(repeats):
        for net, point in ((NET, flat.float()), (DEEP, deep)):
            plane, alone = (measured(net, point, x.float(), y) for measured in (_plane, _one_by_one))
            ratios[net].append(alone / plane)
            large += [plane] if net is NET else []
    yield row("51 x 51 slice of 3 x 256 on 1,000 digits", large, 10, "s")
    yield row("the same, point by point / as one population", ratios[NET], None, "x", more=True)
    yield row("20 x 32 with shortcuts, point by point / as one population", ratios[DEEP], None, "x", more=True)
    products, errors = zip(*(_eigenvalue(flat, x, y, repeat) for repeat in range(repeats)), strict=True)
    yield row("Hessian products to 1 % of the top eigenvalue", list(products), 50, "")
    yield row("its error", list(errors), 1, "%")


def _loss(net: Net, x: Tensor, y: Tensor) -> nets.Loss:
    return lambda flat: nets.losses(net, flat, x, y)


def _plane(net: Net, flat: Tensor, x: Tensor, y: Tensor) -> float:
    """Return the seconds of one plane."""
    first, second = (slices.direction(net, flat, 0, number)[0] for number in (0, 1))
    places = torch.linspace(-1, 1, POINTS).tolist()
    start = time.perf_counter()
    slices.plane(_loss(net, x, y), flat[0], first, second, places, places)
    return time.perf_counter() - start


def _one_by_one(net: Net, flat: Tensor, x: Tensor, y: Tensor) -> float:
    """Return the seconds that the same points take as a loop over them, from a tenth of the points."""
    direction = slices.direction(net, flat, 0, 0)
    loss, points = _loss(net, x, y), POINTS * POINTS // 10
    start = time.perf_counter()
    with torch.no_grad():
        for k in range(points):
            loss(flat + (k / points) * direction)
    return (time.perf_counter() - start) * POINTS * POINTS / points


def _eigenvalue(flat: Tensor, x: Tensor, y: Tensor, repeat: int) -> tuple[float, float]:
    """Return the products until Lanczos says 1 %, and how far its value really is off, in per cent."""
    product = curvature.hessian_product(_loss(NET, x, y), flat)
    start = torch.randn(flat.shape, generator=seeds.generator(repeat, "bench"), dtype=flat.dtype)
    found = curvature.top(product, start, tolerance=0.01)
    exact = curvature.top(product, start, tolerance=1e-6, limit=300)
    return float(found.products), 100 * abs(found.values.item() / exact.values.item() - 1)
