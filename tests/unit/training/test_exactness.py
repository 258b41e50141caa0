"""The batched program against one network at a time: autograd, torch.optim, plain modules."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from genlab_tui.training.members import Member, Recipe

MIXES = {
    "none": {},
    "l1": {"l1": 1e-3},
    "weight-decay": {"weight-decay": 0.1},
    "dropout": {"dropout": 0.3},
    "augmentation": {"augmentation": 1.0},
    "label-smoothing": {"label-smoothing": 0.1},
    "mixup": {"mixup": 0.4},
    "batch-norm": {"batch-norm": 0.1},
    "all": {
        "l1": 1e-4,
        "weight-decay": 0.05,
        "dropout": 0.2,
        "augmentation": 2.0,
        "label-smoothing": 0.1,
        "mixup": 0.3,
        "batch-norm": 0.2,
    },
}
MEMBERS = [
    Member("true", 1),
    Member("random", 1, labels=1),
    Member("other inputs", 1, inputs=1, labels=2),
    Member("true", 9),
    Member("fresh", 9, fresh=True),
]


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
@pytest.mark.parametrize("mix", MIXES)
def test_batched_equals_one_at_a_time(kit: SimpleNamespace, mix: str, optimiser: str) -> None:
    """Over 210 steps in float64, every member's weights equal those of a plain torch loop to 1e-10."""
    lr = 0.05 if optimiser == "sgd" else 3e-3
    recipe = Recipe((12, 8), optimiser, lr, decay=0.98, batch=9, epochs=30, target=2, regularisers=MIXES[mix])
    samples = kit.make_samples()
    result = kit.run(MEMBERS, samples, recipe)
    assert result.state.step == 210
    kit.assert_equal_to_plain(result, MEMBERS, samples, recipe)


@pytest.mark.parametrize("mix", ["none", "all"])
def test_batched_equals_one_at_a_time_in_float32(kit: SimpleNamespace, mix: str) -> None:
    """Over 80 steps in float32 the two agree to 1e-5."""
    recipe = Recipe((16,), "sgd", 0.02, batch=6, epochs=8, target=2, regularisers=MIXES[mix])
    samples = kit.make_samples(dtype=torch.float32)
    result = kit.run(MEMBERS[:2], samples, recipe)
    assert result.state.step == 80
    kit.assert_equal_to_plain(result, MEMBERS[:2], samples, recipe, rtol=1e-5, atol=1e-5)


def test_company_does_not_matter(kit: SimpleNamespace) -> None:
    """A member trained alone ends like the same member among others, also when those leave the program early."""
    recipe = Recipe((12,), "adam", 5e-3, batch=10, epochs=40, target=1.0, regularisers={"dropout": 0.1})
    samples = kit.make_samples(noise=0.3)
    together = kit.run(MEMBERS, samples, recipe)
    ends = [together.state.outcomes[i].epoch for i in range(len(MEMBERS))]
    assert len(set(ends)) > 2  # they do leave at different times
    for i, member in enumerate(MEMBERS):
        alone = kit.run([member], samples, recipe)
        assert alone.state.outcomes[0].end == together.state.outcomes[i].end
        assert alone.state.outcomes[0].step == together.state.outcomes[i].step
        mine, theirs = alone.state.trained(0).parameters.flat, together.state.trained(i).parameters.flat
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize(
    "hidden", [[(), ()], [(7,), (7,)], [(7, 5, 6), (7, 5, 6)], [(7, 5), (3, 6), (7, 5), (4, 5)], [(9,), (2,), (5,)]]
)
@pytest.mark.parametrize("shared", [False, True])
def test_gradient_equals_autograd(
    kit: SimpleNamespace, hidden: list[tuple[int, ...]], batch_norm: bool, shared: bool
) -> None:
    """The hand-written gradient is autograd's, on soft targets and with dropout masks, and it accumulates."""
    count = len(hidden)
    members = range(count)
    streams = [i % 2 if count > 3 else 0 for i in members] if shared else None
    momenta = torch.linspace(0.2, 0.6, count, dtype=torch.float64)
    population = kit.population(
        hidden, [3 + i for i in members], inputs=6, batch_norm=batch_norm, streams=streams, momentum=momenta
    )
    row_of = population.layout.row_of
    source = torch.Generator().manual_seed(0)
    flat = population.parameters.flat
    flat.add_(0.1 * torch.randn(flat.shape, generator=source, dtype=torch.float64))
    x = torch.randn(count, 11, 6, generator=source, dtype=torch.float64)
    if streams:
        x = x[[streams.index(stream) for stream in streams]]
    target = torch.rand(count, 11, 4, generator=source, dtype=torch.float64)
    target /= target.sum(2, keepdim=True)
    masks = [
        [(torch.rand(11, hidden[i][layer], generator=source) > 0.3).double() / 0.7 for i in members]
        for layer in range(len(hidden[0]))
    ]
    modules = [kit.module_of(population, row_of[i]).train() for i in members]

    out = population.parameters.like()
    out.flat.fill_(2.0)
    loss = kit.gradient(population, x, target, masks, out, keep=0.5)

    for i, module in enumerate(modules):
        h, layer = x[i], 0
        for part in module:
            h = part(h)
            if isinstance(part, nn.ReLU):
                h = h * masks[layer][i]
                layer += 1
        expected = nn.functional.cross_entropy(h, target[i])
        expected.backward()
        torch.testing.assert_close(loss[i], expected.detach(), rtol=1e-12, atol=1e-12)
        linears = [m for m in module if isinstance(m, nn.Linear)]
        norms = [m for m in module if isinstance(m, nn.BatchNorm1d)]
        vectors = [v for m in norms for v in (m.weight, m.bias)] if norms else [m.bias for m in linears[:-1]]
        wanted = [m.weight.grad for m in linears] + [v.grad for v in [*vectors, linears[-1].bias]]
        for part, gradient in zip(out.tensors_of(row_of[i]), wanted, strict=True):
            torch.testing.assert_close(part, 1.0 + gradient, rtol=1e-10, atol=1e-12)
        statistics = population.statistics.vectors_of(row_of[i])
        for at, norm in enumerate(norms):
            torch.testing.assert_close(statistics[2 * at], norm.running_mean)
            torch.testing.assert_close(statistics[2 * at + 1], norm.running_var)


def test_evaluation_mode_uses_running_statistics(kit: SimpleNamespace) -> None:
    """After training with batch norm and dropout, outputs equal the plain module's in eval mode."""
    recipe = Recipe((10,), batch=16, epochs=5, target=2, regularisers={"batch-norm": 0.1, "dropout": 0.5})
    samples = kit.make_samples()
    trained = kit.run(MEMBERS[:1], samples, recipe).state.trained(0)
    module = kit.module_of(trained, 0).eval()
    x = samples.test_inputs[0]
    with torch.no_grad():
        outputs = trained.logits([x[None]])[0].t()
        torch.testing.assert_close(outputs, module(x), rtol=1e-10, atol=1e-10)
        one = trained.logits([x[None, :1]])[0].t()
    torch.testing.assert_close(one, outputs[:1])  # no sample depends on its batch


def test_permuted_pixels_leave_a_perceptron_unchanged(kit: SimpleNamespace) -> None:
    """Permuting pixels and the columns of the first matrix alike changes no output: dense layers know no neighbours."""
    population = kit.population((16, 16), [0], inputs=20, classes=5)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(1))
    x = torch.randn(1, 30, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    before = population.logits([x]).clone()
    first = population.parameters.weights_of(0)[0]
    first.copy_(first[:, order])
    torch.testing.assert_close(population.logits([x[:, :, order]]), before, rtol=0, atol=1e-9)
