"""Networks as functions of their numbers: torch's own layers say the same, and bad shapes are refused."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from genlab_tui.errors import BadValue
from genlab_tui.training import nets, seeds
from genlab_tui.training.members import Member, Recipe
from genlab_tui.training.nets import Net


def _samples(count: int, inputs: int, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    source = seeds.generator(1, "test")
    x = torch.randn(count, inputs, generator=source, dtype=torch.float64)
    return x, torch.randint(classes, (count,), generator=source)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("kind", nets.KINDS)
def test_the_loss_and_its_gradient_are_those_of_torchs_layers(activation: str, kind: str) -> None:
    net = Net((6, 5, 4, 3), activation)
    flat = net.initial([7, 8], dtype=torch.float64)
    flat += 0.1 * torch.randn(flat.shape, generator=seeds.generator(2, "biases"), dtype=torch.float64)
    x, y = _samples(20, 6, 3)
    found, slopes = nets.gradients(lambda f: nets.losses(net, f, x, y, kind), flat)
    for row in range(2):
        layers = [nn.Linear(a, b).double() for a, b in ((6, 5), (5, 4), (4, 3))]
        matrices, biases = net.split(flat[row : row + 1])
        for layer, matrix, bias in zip(layers, matrices, biases, strict=True):
            layer.weight.data, layer.bias.data = matrix[0].clone(), bias[0].clone()
        act = {"relu": nn.ReLU, "tanh": nn.Tanh}[activation]
        z = nn.Sequential(layers[0], act(), layers[1], act(), layers[2])(x)
        one_hot = nn.functional.one_hot(y, 3).double()
        loss = nn.functional.cross_entropy(z, y) if kind == "cross-entropy" else ((z - one_hot) ** 2).sum(1).mean() / 2
        loss.backward()
        grads = [layer.weight.grad for layer in layers] + [layer.bias.grad for layer in layers]
        torch.testing.assert_close(found[row], loss.detach())
        torch.testing.assert_close(slopes[row], torch.cat([g.reshape(-1) for g in grads]))
        torch.testing.assert_close(nets.accuracies(net, flat, x, y)[row], (z.argmax(1) == y).double().mean())


def test_own_samples_and_shared_samples_agree() -> None:
    net = Net((6, 5, 3), residual=False)
    flat = net.initial([1, 2, 3], dtype=torch.float64)
    x, y = _samples(10, 6, 3)
    own = nets.losses(net, flat, x.expand(3, 10, 6), y.expand(3, 10))
    torch.testing.assert_close(own, nets.losses(net, flat, x, y))


def test_skipped_layers_add_their_input() -> None:
    net = Net((4, 5, 5, 5, 2), residual=True)
    flat = net.initial([3], dtype=torch.float64)
    matrices, _ = net.split(flat)
    x, _ = _samples(6, 4, 2)
    h = torch.relu(x @ matrices[0][0].T)
    for matrix in matrices[1:3]:
        h = h + torch.relu(h @ matrix[0].T)
    torch.testing.assert_close(net.outputs(flat, x)[0], h @ matrices[3][0].T)


def test_the_numbers_are_those_of_a_trained_member(kit: SimpleNamespace) -> None:
    """What the engine trained can be looked at: the same order of numbers."""
    samples = kit.make_samples()
    recipe = Recipe((12, 9), "sgd", 0.05, batch=10, epochs=2)
    result = kit.run([Member("a", 5)], samples, recipe)
    net = Net((samples.features, 12, 9, samples.classes))
    flat = result.state.weights[0][0][None]
    found = nets.losses(net, flat, samples.inputs[0], samples.labels[0])
    assert found.item() == pytest.approx(result.state.outcomes[0].values["train_loss"], rel=1e-12)


@pytest.mark.parametrize("sizes", [(3,), (3, 0, 2)])
def test_shapes_that_make_no_network_are_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(BadValue, match="make no network"):
        Net(sizes)


def test_other_bad_values_are_refused() -> None:
    with pytest.raises(BadValue, match="equally wide"):
        Net((3, 4, 5, 2), residual=True)
    with pytest.raises(BadValue, match="no activation"):
        Net((3, 4, 2), "gelu")
    x, y = _samples(4, 3, 2)
    with pytest.raises(BadValue, match="no loss"):
        nets.losses(Net((3, 2)), Net((3, 2)).initial([1], dtype=torch.float64), x, y, "hinge")
