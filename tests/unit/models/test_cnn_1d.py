"""The convolutional network of sequences: its layers, what the training loop relies on, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from genlab_tui.errors import BadValue
from genlab_tui.models.networks import build, check, multiplications, parameter_count
from genlab_tui.training.members import Member, Recipe, Samples
from genlab_tui.training.modules import initial, restored


def test_it_has_the_published_number_of_parameters() -> None:
    """Of 40 values and ten classes: 150 + 1,900 + 1,900 in the convolutions and 1,260 in the linear layer."""
    assert parameter_count("cnn-1d", (40,), 10) == 5210
    counts = [sum(p.numel() for p in m.parameters()) for m in build("cnn-1d", (40,), 10) if list(m.parameters())]
    assert counts == [150, 1900, 1900, 1260]


def test_it_is_three_convolutions_of_stride_two_and_a_linear_layer() -> None:
    network = build("cnn-1d", (40,), 10).double()
    x = torch.randn(3, 40, dtype=torch.float64)
    h = x[:, None]
    convolutions = [m for m in network if isinstance(m, nn.Conv1d)]
    for convolution, length in zip(convolutions, (19, 10, 5), strict=True):
        h = F.conv1d(h, convolution.weight, convolution.bias, stride=2, padding=1).relu()
        assert h.shape == (3, 25, length)
    (last,) = (m for m in network if isinstance(m, nn.Linear))
    torch.testing.assert_close(network(x), h.flatten(1) @ last.weight.t() + last.bias)


def test_it_knows_neighbours() -> None:
    """What a perceptron cannot tell, a convolution can: moved by four values, inner features move by one place."""
    network = build("cnn-1d", (64,), 10)
    features = network[:5]  # up to the second convolution's ReLU
    x = torch.zeros(1, 64)
    x[0, 20:30] = torch.randn(10)
    torch.testing.assert_close(features(x)[..., 2:-3], features(x.roll(4, 1))[..., 3:-2], rtol=0, atol=1e-6)


def test_its_work_is_that_of_its_layers() -> None:
    exact = 19 * 25 * 5 + 10 * 25 * 75 + 5 * 25 * 75 + 1250
    assert multiplications("cnn-1d", (40,)) == pytest.approx(exact, rel=0.02)


def test_it_is_trained_as_a_module_and_comes_back_as_it_was() -> None:
    x = torch.randn(1, 12, 40)
    labels = torch.zeros(1, 12, dtype=torch.int64)
    samples = Samples(x, labels, x, labels, 10, (40,))
    made = Recipe(network="cnn-1d")
    first, again, other = (initial(made, seed, samples) for seed in (3, 3, 4))
    assert torch.equal(first.parameters.flat, again.parameters.flat)
    assert not torch.equal(first.parameters.flat, other.parameters.flat)
    z = first.logits([x])
    assert z.shape == (1, 10, 12)
    torch.testing.assert_close(restored(made, samples, first.parameters.flat, first.statistics.flat).logits([x]), z)
    weights = first.parameters.weights_of(0)
    assert [tuple(w.shape) for w in weights] == [(25, 1, 5), (25, 25, 3), (25, 25, 3), (10, 125)]
    assert Member("cnn", 3).init_seed == 3


@pytest.mark.parametrize(
    ("shape", "message"),
    [((1, 28, 28), "one-dimensional inputs, not 1x28x28"), ((), "not scalar"), ((7,), "at least 8 values, not 7")],
)
def test_what_is_no_sequence_or_too_short_is_refused(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(BadValue, match=message):
        check("cnn-1d", shape)


def test_it_has_no_batch_norm() -> None:
    with pytest.raises(BadValue, match="cnn-1d has no batch norm"):
        build("cnn-1d", (40,), 10, batch_norm=True)
