"""How large a trained network of one hidden layer is: norms, distances, margin, capacities, degrees of freedom.

The capacities are what stands in the bounds of Neyshabur et al. (ICLR 2019, arXiv 1805.12076) without their constants
and logarithms. U [H, d] and V [K, H] are the two weight matrices, U0 and V0 the initial ones, X the training inputs;
biases are left out of all norms, as in the released code, and part of the outputs that margins are made of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import torch
from torch import Tensor

from genlab_tui import events as ev
from genlab_tui.training.members import Recipe, Samples
from genlab_tui.training.population import draw
from genlab_tui.training.program import Crew
from genlab_tui.training.state import State

MARGIN_AT = 0.05
"""The margin of a network is this quantile of the margins of its training samples (Neyshabur et al. 2019)."""

CHUNK = 4096
"""Samples of a forward pass at most."""

SIZES = (
    *("norm_hidden", "norm_output", "spectral_hidden", "spectral_output", "path_norm"),
    *("distance", "unit_distance", "margin"),
    *("unit_capacity", "spectral_capacity", "frobenius_capacity"),
)
DEGREES = "degrees_of_freedom"


def margins(outputs: Tensor, labels: Tensor) -> Tensor:
    """Return f_y - max over the other classes of outputs [n, K]: positive exactly where a sample is classified right.

    The true class is masked out of the maximum: the largest output of all would leave 0 for every right one.
    """
    own = outputs.gather(1, labels[:, None])[:, 0]
    others = outputs.scatter(1, labels[:, None], -math.inf).max(1).values
    return own - others


def sizes(
    hidden: Tensor, output: Tensor, hidden_start: Tensor, output_start: Tensor, gram: Tensor, margin: float, n: int
) -> dict[str, float]:
    """Return norms, distances and capacities of U, V against U0, V0, all float64; `gram` [d, d] is X'X of n samples.

    Capacities are squares, so that they count samples as the number of parameters does:
    unit (sum_i |v_i| (|u_i - u0_i| |X|_F + |u0_i X|))^2 / (margin^2 n), Neyshabur et al. 2019, theorem 1;
    spectral ((|V|_2 |U - U0|_{2,1})^(2/3) + (|U|_2 |V - V0|_{2,1})^(2/3))^3 |X|_F^2 / (margin^2 n), Bartlett et al.
    2017; Frobenius (|U|_F |V|_F |X|_F)^2 / (margin^2 n). NaN with a margin that is not positive. The distances are
    those of the hidden layer; `unit_distance` is the mean of |u_i - u0_i| over units.
    """
    data = float(gram.trace())
    moved, moved_output = hidden - hidden_start, output - output_start
    unit = moved.norm(dim=1)
    of_data = ((hidden_start @ gram) * hidden_start).sum(1).clamp(min=0.0).sqrt()
    found = {
        "norm_hidden": float(hidden.norm()),
        "norm_output": float(output.norm()),
        "spectral_hidden": spectral(hidden),
        "spectral_output": spectral(output),
        "path_norm": float((output.square() @ hidden.square()).sum().sqrt()),
        "distance": float(moved.norm()),
        "unit_distance": float(unit.mean()),
        "margin": margin,
    }
    # Rows of V are classes: the rows that Bartlett et al. sum over are those of every layer's matrix.
    first = (found["spectral_output"] * float(unit.sum())) ** (2 / 3)
    second = (found["spectral_hidden"] * float(moved_output.norm(dim=1).sum())) ** (2 / 3)
    by_unit = float((output.norm(dim=0) * (unit * math.sqrt(data) + of_data)).sum())
    scale = 1.0 / (margin**2 * n) if margin > 0 else math.nan
    return found | {
        "unit_capacity": by_unit**2 * scale,
        "spectral_capacity": (first + second) ** 3 * data * scale,
        "frobenius_capacity": (found["norm_hidden"] * found["norm_output"]) ** 2 * data * scale,
    }


def spectral(matrix: Tensor) -> float:
    """Return the largest singular value, from the eigenvalues of the smaller Gram matrix: float64 is enough there."""
    square = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
    return math.sqrt(max(float(torch.linalg.eigvalsh(square)[-1]), 0.0))


def degrees_of_freedom(plain: Tensor, perturbed: Tensor, labels: Tensor, redrawn: Tensor) -> float:
    """Estimate sum_i df(x_i)/dy_i from a second fit with some labels redrawn (Gao & Jojic 2016); NaN if none changed.

    `plain` and `perturbed` [n, K] are the class probabilities after training on `labels` and on `redrawn` [n]. The
    change of label is a step of e_new - e_old; how much of it the fit takes up, averaged over the changed samples, is
    one direction's share. There are n (K - 1) directions: 0 is a constant, n (K - 1) takes every label as it is. For
    a linear smoother and random steps this is its trace without bias; for a network it is a finite difference.
    """
    changed = (labels != redrawn).nonzero()[:, 0]
    if not len(changed):
        return math.nan
    step = (perturbed - plain)[changed]
    taken = step.gather(1, redrawn[changed, None]) - step.gather(1, labels[changed, None])
    n, classes = plain.shape
    return float(taken.mean() / 2) * n * (classes - 1)


def outputs_of(state: State, member: int) -> Tensor:
    """Return the outputs [n, K] of a member that has ended on the samples that it learnt, in evaluation mode."""
    network, samples = state.trained(member), state.samples
    who, n = state.members[member], learnt(state.recipes[member], samples)
    (hidden, output), (bias, output_bias) = network.parameters.weights_of(0), network.parameters.vectors_of(0)
    parts = torch.split(samples.inputs[who.inputs, :n], CHUNK)
    return torch.cat([torch.addmm(output_bias, torch.addmm(bias, x, hidden.T).relu_(), output.T) for x in parts])


def learnt(recipe: Recipe, samples: Samples) -> int:
    """Return how many samples are learnt: all but those that early stopping holds out."""
    return samples.n - recipe.validation(samples.n)


def measured(state: State, member: int, gram: Tensor) -> dict[str, float]:
    """Return the sizes of a member that has ended; all NaN for one that diverged."""
    if state.outcomes[member].end == "diverged":
        return dict.fromkeys(SIZES, math.nan)
    recipe, who, samples = state.recipes[member], state.members[member], state.samples
    widths = (samples.features, *recipe.hidden, samples.classes)
    start = [w.to(gram) for w in (who.start or draw(widths, who.init_seed, recipe.init, biases=True))[:2]]
    hidden, output = (w.to(gram) for w in state.trained(member).parameters.weights_of(0))
    n = learnt(recipe, samples)
    of_samples = margins(outputs_of(state, member).double(), samples.labels[who.labels, :n])
    margin = float(of_samples.quantile(MARGIN_AT))
    return sizes(hidden, output, start[0], start[1], gram, margin, n)


def report(
    state: State, cohort: str, perturbed: Mapping[int, int], poll: Callable[[], None]
) -> Iterator[ev.Cohort | ev.Measure]:
    """Yield a cohort of all members of a state that has ended and their sizes as measures.

    `perturbed` gives to a member the one that was trained alike on the same labels with some redrawn: from the two
    come the degrees of freedom of the first. `poll` is called between seeds.
    """
    samples, members = state.samples, state.members
    alike: dict[tuple[int, int], list[int]] = {}
    for i, member in enumerate(members):
        alike.setdefault((member.inputs, learnt(state.recipes[i], samples)), []).append(i)
    rows: dict[int, dict[str, float]] = {}
    # One network a core: what is done to each is too small to share.
    crew = Crew(torch.get_num_threads() if samples.inputs.device.type == "cpu" else 1)
    try:
        for (inputs, n), same in alike.items():
            poll()
            gram = _gram(samples.inputs[inputs, :n])
            rows |= zip(same, crew.each(partial(_row, state, gram, perturbed), same), strict=True)
    finally:
        crew.close()
    yield ev.Cohort(id=cohort, members=tuple((member.arm, member.seed) for member in members))
    for name in (*SIZES, *((DEGREES,) if perturbed else ())):
        yield ev.Measure(cohort=cohort, name=name, values=ev.to_values(rows[i].get(name) for i in range(len(members))))


def _row(state: State, gram: Tensor, perturbed: Mapping[int, int], member: int) -> dict[str, float]:
    found = measured(state, member, gram)
    return found | {DEGREES: _degrees(state, member, perturbed[member])} if member in perturbed else found


def _degrees(state: State, member: int, other: int) -> float:
    if "diverged" in (state.outcomes[member].end, state.outcomes[other].end):
        return math.nan
    plain, perturbed = (outputs_of(state, i).double().softmax(1) for i in (member, other))
    labels, redrawn = (state.samples.labels[state.members[i].labels, : len(plain)] for i in (member, other))
    return degrees_of_freedom(plain, perturbed, labels, redrawn)


def _gram(x: Tensor) -> Tensor:
    """Return X'X [d, d] of inputs [n, d] in float64."""
    total = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64, device=x.device)
    for part in torch.split(x, CHUNK):
        wide = part.double()
        total.addmm_(wide.T, wide)
    return total
