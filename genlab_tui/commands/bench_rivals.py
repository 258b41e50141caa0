"""The plain programs that the engine is measured against: what a researcher would write without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

LR, MOMENTUM = 0.01, 0.95


def _perceptron(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, 10))


def torchvision_loop(x: Tensor, y: Tensor, widths: Sequence[int], batch: int) -> None:
    """Train one network after another for an epoch as tutorials do: images, transforms, a DataLoader, torch.optim.

    `x` [n, 784] in 0 to 1, `y` [n].
    """
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms

    images = [Image.fromarray((row.view(28, 28) * 255).to(torch.uint8).numpy()) for row in x]
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])

    class Images(Dataset[tuple[Tensor, int]]):
        def __len__(self) -> int:
            return len(images)

        def __getitem__(self, i: int) -> tuple[Tensor, int]:
            return transform(images[i]), int(y[i])

    for width in widths:
        model = nn.Sequential(nn.Flatten(), *_perceptron(width))
        optimiser = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
        with torch.enable_grad():
            for inputs, labels in DataLoader(Images(), batch_size=batch, shuffle=True):
                optimiser.zero_grad()
                torch.autograd.backward(F.cross_entropy(model(inputs), labels))
                optimiser.step()


def plain_loop(x: Tensor, y: Tensor, widths: Sequence[int], batch: int, epochs: int = 1) -> None:
    """Train one network after another from tensors in memory with torch's fused SGD: the best plain loop."""
    for width in widths:
        model = _perceptron(width)
        optimiser = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM, fused=True)
        with torch.enable_grad():
            for _ in range(epochs):
                for index in torch.split(torch.randperm(len(x)), batch):
                    optimiser.zero_grad()
                    torch.autograd.backward(F.cross_entropy(model(x[index]), y[index]))
                    optimiser.step()


def plain_conv_loop(make: Callable[[], nn.Module], count: int, x: Tensor, y: Tensor, batch: int) -> None:
    """Train convolutional networks one after another from tensors in memory, in torch's default layout."""
    for _ in range(count):
        model = make().train()
        optimiser = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)
        with torch.enable_grad():
            for index in torch.split(torch.randperm(len(x)), batch):
                optimiser.zero_grad()
                torch.autograd.backward(F.cross_entropy(model(x[index]), y[index]))
                optimiser.step()


def loader_loop_on_gpu(x: Tensor, y: Tensor, network: str, batch: int, workers: int) -> None:
    """Train a network for an epoch in float32 on the GPU from a DataLoader with workers and pinned memory."""
    from torch.utils.data import DataLoader, TensorDataset

    from genlab_tui.models import networks

    model = networks.build(network, tuple(x.shape[1:]), 10, batch_norm=True).cuda().train()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    loader = DataLoader(TensorDataset(x, y), batch_size=batch, shuffle=True, num_workers=workers, pin_memory=True)
    with torch.enable_grad():
        for inputs, labels in loader:
            optimiser.zero_grad()
            loss = F.cross_entropy(model(inputs.cuda(non_blocking=True)), labels.cuda(non_blocking=True))
            torch.autograd.backward(loss)
            optimiser.step()


def jax_at_hand() -> bool:
    """Whether the rival can be measured: `pip install 'genlab-tui[bench]'`."""
    from importlib.util import find_spec

    return find_spec("jax") is not None


@lru_cache
def _jax_epoch() -> Callable[..., Any]:
    """Return a compiled epoch of a population: vmap over networks, scan over batches, one order for all."""
    import jax
    import jax.numpy as jnp

    def loss(p: Any, xb: Any, yb: Any) -> Any:
        h = jax.nn.relu(xb @ p["w1"] + p["b1"])
        log_p = jax.nn.log_softmax(h @ p["w2"] + p["b2"])
        return -jnp.take_along_axis(log_p, yb[:, None], 1).mean()

    def step(state: Any, index: Any, x: Any, y: Any) -> Any:
        p, v = state
        g = jax.grad(loss)(p, x[index], y[index])
        v = jax.tree.map(lambda a, b: MOMENTUM * a + b, v, g)
        p = jax.tree.map(lambda a, b: a - LR * b, p, v)
        return p, v

    def epoch(states: Any, order: Any, x: Any, y: Any) -> Any:
        def body(carry: Any, index: Any) -> Any:
            return jax.vmap(step, in_axes=(0, None, None, None))(carry, index, x, y), None

        return jax.lax.scan(body, states, order)[0]

    compiled: Callable[..., Any] = jax.jit(epoch)
    return compiled


def jax_population(x: Tensor, y: Tensor, widths: Sequence[int], batch: int, epochs: int = 1) -> None:
    """Train all networks as one JAX program, padded to the widest; whole batches only."""
    import jax
    import jax.numpy as jnp

    widest, count = max(widths), len(widths)
    draw = np.random.default_rng(0)
    w1 = np.zeros((count, 784, widest), np.float32)
    w2 = np.zeros((count, widest, 10), np.float32)
    for k, width in enumerate(widths):
        w1[k, :, :width] = draw.normal(0, (2 / 784) ** 0.5, (784, width))
        w2[k, :width] = draw.normal(0, (2 / width) ** 0.5, (width, 10))
    p = {
        "w1": jnp.asarray(w1),
        "b1": jnp.zeros((count, widest)),
        "w2": jnp.asarray(w2),
        "b2": jnp.zeros((count, 10)),
    }
    state = (p, jax.tree.map(jnp.zeros_like, p))
    xs, ys = jnp.asarray(x.numpy()), jnp.asarray(y.numpy())
    for _ in range(epochs):
        order = draw.permutation(len(x))[: len(x) // batch * batch].reshape(-1, batch)
        state = _jax_epoch()(state, jnp.asarray(order), xs, ys)
    jax.block_until_ready(state)
