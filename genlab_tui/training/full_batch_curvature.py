"""Products with the Hessian of one full-batch perceptron, by hand: a third of the time that autograd takes.

The derivative of the backward pass along a direction (Pearlmutter 1994): exact, one forward and one backward pass of
tangents a product. float64; samples and activations are [feature, sample].
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from genlab_tui.training.curvature import Product
from genlab_tui.training.nets import Net


def full_batch_product(net: Net, flat: Tensor, x: Tensor, labels: Tensor, loss: str) -> Product:
    """Return v [1, P] -> H v [1, P] for the mean loss at `flat` [1, P] on samples x [d, n] with labels [n].

    `loss` is one of `nets.KINDS`; activations are tanh or ReLU, without residual connections.
    """
    matrices, biases = ([part[0] for part in parts] for parts in net.split(flat))
    last, n = len(matrices) - 1, x.shape[1]
    below, gates = [x], list[Tensor]()
    for layer, (matrix, bias) in enumerate(zip(matrices, biases, strict=True)):
        z = torch.addmm(bias[:, None], matrix, below[layer])
        if layer < last:
            below.append(torch.tanh(z) if net.activation == "tanh" else torch.relu(z))
            gates.append(1 - below[-1] * below[-1] if net.activation == "tanh" else (z > 0).double())
    target = functional.one_hot(labels, net.sizes[-1]).double().t()
    shares = torch.softmax(z, 0) if loss == "cross-entropy" else z
    deltas, bends = [(shares - target) / n], list[Tensor]()
    for layer in range(last, 0, -1):
        back = matrices[layer].t() @ deltas[0]
        if net.activation == "tanh":  # the second derivative of tanh is -2 h times the first
            bends.insert(0, back * below[layer] * gates[layer - 1] * -2)
        deltas.insert(0, back * gates[layer - 1])

    def product(v: Tensor) -> Tensor:
        turns, shifts = ([part[0] for part in parts] for parts in net.split(v))
        found = torch.empty_like(v)
        slopes, bias_slopes = ([part[0] for part in parts] for parts in net.split(found))
        inputs: list[Tensor] = []  # tangents of what goes into an activation, and of what comes out
        outputs: list[Tensor] = []
        for layer in range(last + 1):
            moved = torch.addmm(shifts[layer][:, None], turns[layer], below[layer])
            if layer:
                moved.addmm_(matrices[layer], outputs[layer - 1])
            inputs.append(moved)
            if layer < last:
                outputs.append(moved * gates[layer])
        delta = inputs[last].div_(n)
        if loss == "cross-entropy":
            delta = shares * (delta - (shares * delta).sum(0))
        for layer in range(last, -1, -1):
            torch.mm(delta, below[layer].t(), out=slopes[layer])
            torch.sum(delta, 1, out=bias_slopes[layer])
            if layer:
                slopes[layer].addmm_(deltas[layer], outputs[layer - 1].t())
                back = torch.mm(matrices[layer].t(), delta).addmm_(turns[layer].t(), deltas[layer])
                delta = back.mul_(gates[layer - 1])
                if net.activation == "tanh":
                    delta.addcmul_(bends[layer - 1], inputs[layer - 1])
        return found

    return product
