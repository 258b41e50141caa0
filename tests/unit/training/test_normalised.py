"""Networks with and without normalisation, and the probes of a step, against torch.nn one network at a time."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from genlab_tui.training import normalised
from genlab_tui.training.normalised import ELEMENT, KINDS, SHIFT, SPREAD, Make
from genlab_tui.training.normalised_shard import Net, Plan, Task, Trainer, gaussian_task, spaced
from genlab_tui.training.normalised_training import at_level, level, medians
from genlab_tui.training.shift_probes import BETA, ICS, PROBES, probe

N, TEST, D, WIDTH, DEPTH, CLASSES, BATCH = 60, 30, 7, 6, 3, 4, 12
SEEDS = (5, 6)
STEPS = 7
FACTORS = (0.5, 1.0, 4.0)


def _task() -> Task:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, N + TEST, D, generator=generator, dtype=torch.float64)
    y = torch.randint(0, CLASSES, (2, N + TEST), generator=generator)
    return Task(SEEDS, x[:, :N], y[:, :N], x[:, N:], y[:, N:], CLASSES)


def _plan(**changes: object) -> Plan:
    values: dict[str, object] = {
        "hidden": (WIDTH,) * DEPTH,
        "gain": 2.0,
        "batch": BATCH,
        "steps": STEPS,
        "looks": 3,
        "probes": 3,
        "factors": FACTORS,
        "dtype": torch.float64,
    }
    return Plan(**(values | changes))  # type: ignore[arg-type]


NETS = [Net(kind, seed, kind, 0.1 + 0.05 * k) for k, kind in enumerate(KINDS) for seed in SEEDS]


class _L1(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(WIDTH)), nn.Parameter(torch.zeros(WIDTH))

    def forward(self, z: Tensor) -> Tensor:
        return (z - z.mean(0)) / (z.abs().mean(0) + 1e-5) * self.weight + self.bias


class _Reference(nn.Module):
    """One network: nn.Linear, nn.BatchNorm1d (or none, or l1), noise, ReLU."""

    def __init__(self, trainer: Trainer, place: int) -> None:
        super().__init__()
        self.kind = trainer.nets[place].kind
        widths = (D, *(WIDTH,) * DEPTH, CLASSES)
        norm = "batch" in self.kind
        bare = norm or self.kind == "l1"
        sizes = enumerate(pairwise(widths))
        linears = [nn.Linear(a, b, bias=not bare or k == DEPTH) for k, (a, b) in sizes]
        self.linears = nn.ModuleList(linears)
        self.norms = nn.ModuleList(
            nn.BatchNorm1d(WIDTH, momentum=1.0) if norm else _L1() if bare else nn.Identity() for _ in range(DEPTH)
        )
        self.double()
        with torch.no_grad():
            for linear, matrix in zip(linears, trainer.weights.matrices, strict=True):
                linear.weight.copy_(matrix[place].T)
                if linear.bias is not None:
                    linear.bias.zero_()

    def forward(self, x: Tensor, noise: list[tuple[Tensor, Tensor]] | None = None) -> Tensor:
        for k in range(DEPTH):
            x = self.block(k, x, noise)
        return self.linears[DEPTH](x)  # type: ignore[no-any-return]

    def block(self, k: int, x: Tensor, noise: list[tuple[Tensor, Tensor]] | None) -> Tensor:
        z = self.norms[k](self.linears[k](x))
        if noise is not None and "noise" in self.kind:
            z = z * noise[k][0] + noise[k][1]
        return torch.relu(z)

    def layer(self, k: int) -> list[nn.Parameter]:
        return [*self.linears[k].parameters(), *(self.norms[k].parameters() if k < DEPTH else ())]

    def gradient(self, x: Tensor, y: Tensor, noise: list[tuple[Tensor, Tensor]] | None) -> tuple[float, list[Tensor]]:
        loss = nn.functional.cross_entropy(self(x, noise), y)
        return loss.item(), list(torch.autograd.grad(loss, list(self.parameters())))


def _noise(trainer: Trainer, place: int, step: int) -> list[tuple[Tensor, Tensor]]:
    like = torch.zeros(0, dtype=torch.float64)
    drawn = normalised.noise_at([trainer.nets[place].seed], step, DEPTH, BATCH, WIDTH, like)
    return [(s[0], m[0]) for s, m in drawn]


@pytest.fixture
def trainer() -> Trainer:
    return Trainer(NETS, _task(), _plan())


def _close(ours: object, theirs: object, tolerance: float = 1e-10) -> None:
    one, other = (torch.as_tensor(value, dtype=torch.float64) for value in (ours, theirs))
    assert torch.allclose(one, other, rtol=tolerance, atol=tolerance), (ours, theirs)


def test_training_is_that_of_torch_one_network_at_a_time(trainer: Trainer) -> None:
    references = [_Reference(trainer, place) for place in range(len(NETS))]
    for step in range(STEPS):
        for place, reference in enumerate(references):
            x, y = (part[0] for part in trainer.samples(step, [place]))
            assert x.shape == (BATCH, D)
            _, gradient = reference.gradient(x, y, _noise(trainer, place, step))
            with torch.no_grad():
                for parameter, g in zip(reference.parameters(), gradient, strict=True):
                    parameter.sub_(trainer.nets[place].lr * g)
        trainer.advance()
    for place, reference in enumerate(references):
        for k, linear in enumerate(reference.linears):
            _close(trainer.weights.matrices[k][place].T, linear.weight)
            if linear.bias is not None:
                _close(trainer.weights.shifts[k][place], linear.bias)
        for k, norm in enumerate(reference.norms):
            if not isinstance(norm, nn.Identity):
                _close(trainer.weights.scales[k][place], norm.weight)
                _close(trainer.weights.shifts[k][place], norm.bias)


def test_evaluation_has_the_statistics_of_all_training_samples(trainer: Trainer) -> None:
    references = [_Reference(trainer, place) for place in range(len(NETS))]
    task = _task()
    trainer.look()
    (found,) = trainer.evals
    mean = [(torch.tensor(sum(SPREAD) / 2), torch.tensor(0.0))] * DEPTH
    for place, reference in enumerate(references):
        seed = SEEDS.index(trainer.nets[place].seed)
        out = reference(task.inputs[seed], mean)  # also sets the statistics (momentum 1)
        _close(found[0, place], nn.functional.cross_entropy(out, task.targets[seed]))
        _close(found[1, place], (out.argmax(1) == task.targets[seed]).double().mean())
        if reference.kind == "l1":
            continue
        for norm in reference.norms:
            if isinstance(norm, nn.BatchNorm1d):
                assert norm.running_var is not None
                norm.running_var *= (N - 1) / N  # torch keeps the unbiased one
        out = reference.eval()(task.test_inputs[seed], mean)
        _close(found[2, place], (out.argmax(1) == task.test_targets[seed]).double().mean())


def test_probes_are_their_definitions_one_network_at_a_time(trainer: Trainer) -> None:
    """Internal covariate shift, shift of inputs, and what is along the gradient, with the preceding layers updated."""
    for _ in range(3):
        trainer.advance()
    trainer.inspect()
    (found,) = trainer.probes
    for place, net in enumerate(trainer.nets):
        x, y = (part[0] for part in trainer.samples(3, [place]))
        now, then = _noise(trainer, place, 3), _noise(trainer, place, 4)

        def build(place: int = place) -> _Reference:
            fresh, own = _Reference(trainer, place), trainer.weights
            for k, linear in enumerate(fresh.linears):
                if linear.bias is not None:
                    linear.load_state_dict({"bias": own.shifts[k][place]}, strict=False)
            for k, norm in enumerate(fresh.norms):
                if not isinstance(norm, nn.Identity):
                    vectors = {"weight": own.scales[k][place], "bias": own.shifts[k][place]}
                    norm.load_state_dict(vectors, strict=False)
            return fresh

        reference = build()
        names = [name for name, _ in reference.named_parameters()]
        loss, gradient = reference.gradient(x, y, now)
        by_name = dict(zip(names, gradient, strict=True))
        changes, cosines, shifts = [], [], []
        for layer in range(1, DEPTH + 1):
            moved = build()
            with torch.no_grad():
                for k in range(layer):
                    for parameter in moved.layer(k):
                        name = next(n for n, p in moved.named_parameters() if p is parameter)
                        parameter.sub_(net.lr * by_name[name])
            mixed = [*then[:layer], *now[layer:]]
            _, after = moved.gradient(x, y, mixed)
            own = f"linears.{layer}.weight"
            g, h = by_name[own].flatten(), dict(zip(names, after, strict=True))[own].flatten()
            changes.append(float((g - h).norm()))
            cosines.append(float(g @ h / (g.norm() * h.norm())))
            old, new = x, x
            for k in range(layer):
                old, new = reference.block(k, old, now), moved.block(k, new, mixed)
            mean, spread = new.mean(0) - old.mean(0), new.std(0, correction=0) - old.std(0, correction=0)
            squares = mean.square().sum() + spread.square().sum()
            shifts.append((squares / old.var(0, correction=0).sum()).sqrt().item())
        norm = torch.stack([g.square().sum() for g in gradient]).sum().sqrt()
        betas, moves, losses = [], [], []
        for factor in FACTORS:
            there = build()
            with torch.no_grad():
                for parameter, g in zip(there.parameters(), gradient, strict=True):
                    parameter.sub_(factor * net.lr * g)
            value, after = there.gradient(x, y, now)
            moves.append(
                float(torch.stack([(a - b).square().sum() for a, b in zip(after, gradient, strict=True)]).sum().sqrt())
            )
            betas.append(moves[-1] / (factor * net.lr * float(norm)))
            losses.append(value)
        mean_of = [sum(each) / DEPTH for each in (changes, cosines, shifts)]
        expected = [loss, *mean_of, max(betas), max(moves), max(losses) - min(losses)]
        _close(found[:, place], expected)


def test_the_first_layer_has_nothing_before_it_and_no_step_no_shift(trainer: Trainer) -> None:
    """With a learning rate of 0 and no noise, no gradient changes."""
    still = Trainer([Net("a", 5, "batch", 0.0)], _task(), _plan())
    still.inspect()
    (found,) = still.probes
    assert found[PROBES.index(ICS), 0] == pytest.approx(0.0, abs=1e-12)
    assert found[PROBES.index("ics_cosine"), 0] == pytest.approx(1.0)
    assert found[PROBES.index("input_shift"), 0] == pytest.approx(0.0, abs=1e-12)


def test_noise_that_is_drawn_anew_shifts_gradients_and_inputs_without_any_step() -> None:
    """At a learning rate of 0 no layer moves: what is measured behind noise is, in this much, the draw of the noise."""
    still = Trainer([Net("b", 5, "batch-noise", 0.0)], _task(), _plan())
    x, y = still.samples(0, [0])
    now, then = (still.noise(step, [0], torch.float64) for step in (0, 1))
    kept, anew = (
        dict(zip(PROBES, probe(still.weights, still.lr, still.factors, x, y, still.make, now, other), strict=True))
        for other in (now, then)
    )
    assert kept[ICS].item() == pytest.approx(0.0, abs=1e-12)
    assert kept["input_shift"].item() == pytest.approx(0.0, abs=1e-12)
    assert anew[ICS].item() > 0.01
    assert anew["input_shift"].item() > 0.01
    still.inspect()
    assert still.probes[0][PROBES.index(ICS), 0] == anew[ICS].item(), "a probe draws the noise of the next step"


def test_the_noise_is_the_papers() -> None:
    like = torch.zeros(0, dtype=torch.float64)
    steps = [normalised.noise_at((0,), step, 2, 40, 50, like) for step in range(300)]
    for layer in range(2):
        factors = torch.stack([step[layer][0][0] for step in steps])
        addends = torch.stack([step[layer][1][0] for step in steps])
        mu, sigma = addends.mean((1, 2)), factors.mean((1, 2))
        assert -SHIFT - 0.01 < mu.min() < -0.9 * SHIFT
        assert 0.9 * SHIFT < mu.max() < SHIFT + 0.01
        assert SPREAD[0] - 0.01 < sigma.min() < SPREAD[0] + 0.02
        assert SPREAD[1] - 0.02 < sigma.max() < SPREAD[1] + 0.01
        assert (addends - mu[:, None, None]).abs().max() < ELEMENT + 0.01
        _close((factors - sigma[:, None, None]).std(), ELEMENT, 0.01)
    again = normalised.noise_at((3, 0), 7, 2, 40, 50, like)
    assert torch.equal(again[1][0][1], steps[7][1][0][0]), "a seed's noise does not depend on company"


def test_arms_of_a_seed_begin_alike_and_see_the_same_batches(trainer: Trainer) -> None:
    places = {(net.kind, net.seed): i for i, net in enumerate(trainer.nets)}
    plain, batch, other = places["plain", 5], places["batch", 5], places["plain", 6]
    for matrix in trainer.weights.matrices:
        assert torch.equal(matrix[plain], matrix[batch])
        assert not torch.equal(matrix[plain], matrix[other])
    for step in (0, 4, 5):
        x, y = trainer.samples(step, [plain, batch, other])
        assert torch.equal(x[0], x[1])
        assert torch.equal(y[0], y[1])
        assert not torch.equal(x[0], x[2])


def test_a_part_of_the_members_is_the_same_members(trainer: Trainer) -> None:
    alone = Trainer([net for net in NETS if net.seed == 6 and net.kind in ("batch", "plain-noise")], _task(), _plan())
    assert alone.row == [1, 1], "a seed's samples, not those of the first seed"
    for _ in range(STEPS):
        trainer.advance()
        alone.advance()
    for i, net in enumerate(alone.nets):
        (place,) = [k for k, each in enumerate(trainer.nets) if each == net]
        for ours, theirs in zip(alone.weights.all, trainer.weights.all, strict=True):
            _close(ours[i], theirs[place])


def test_a_deep_linear_network_is_a_product_of_matrices() -> None:
    task = gaussian_task((5, 6), 20, 4, "cpu")
    again = gaussian_task((6,), 20, 4, "cpu")
    assert torch.equal(task.inputs[1], again.inputs[0])
    assert torch.equal(task.targets[1], again.targets[0])
    plan = _plan(hidden=(4,) * 5, gain=1.0, linear=True)
    trainer = Trainer([Net("plain", seed, "plain", 1e-4) for seed in (5, 6)], task, plan)
    matrices = [matrix[0].clone().requires_grad_() for matrix in trainer.weights.matrices]
    trainer.look()
    for _ in range(STEPS):
        trainer.advance()
        loss = (torch.linalg.multi_dot([task.inputs[0], *matrices]) - task.targets[0]).square().sum()
        gradient = torch.autograd.grad(loss, matrices)
        with torch.no_grad():
            for matrix, g in zip(matrices, gradient, strict=True):
                matrix -= 1e-4 * g
    for ours, theirs in zip(trainer.weights.matrices, matrices, strict=True):
        _close(ours[0], theirs.detach())
    trainer.look()
    assert (trainer.evals[1][0] < trainer.evals[0][0]).all()
    assert trainer.evals[0][1].isnan().all(), "there is no accuracy"


def test_levels_of_loss_and_medians() -> None:
    assert [level(loss) for loss in (2.0, 1.0, 0.5, 0.1, 0.09, math.nan, math.inf, 0.0)] == [
        0,
        0,
        -1,
        -2,
        -3,
        None,
        None,
        None,
    ]
    assert spaced(100, 4, 2.0) == [0, 6, 25, 56, 100]
    probes = torch.zeros(5, len(PROBES), 2, dtype=torch.float64)
    probes[:, 0, 0] = torch.tensor([2.0, 2.5, 3.0, 0.5, 0.4])
    probes[:, 0, 1] = math.nan
    probes[:, PROBES.index(BETA), 0] = torch.tensor([1.0, 9.0, 3.0, 7.0, 8.0])
    found = medians(probes)
    assert found[at_level(BETA, 0)] == {0: 3.0}
    assert at_level(BETA, -1) not in found, "two probes are not enough"
    assert found[f"median {BETA}"] == {0: 7.0, 1: 0.0}


def test_the_make_of_some_members() -> None:
    make = Make((2, 1, 1, 3, 1))
    assert make.only([0, 2, 3, 5, 7]).counts == (1, 1, 1, 1, 1)
    assert make.only([4, 6]).counts == (0, 0, 0, 2, 0)
    assert make.times(3).counts == (6, 3, 3, 9, 3)
    assert make.noisy == slice(2, 4)
