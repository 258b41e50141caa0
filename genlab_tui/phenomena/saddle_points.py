"""Saddle points (Dauphin et al. 2014): the index of critical points against their loss.

Networks so small that all second derivatives can be computed. Adam is stopped at many places of many trainings; from
each, Newton's method goes to a point where the gradient is nothing, of whatever kind; the eigenvalues of the Hessian
there say how many directions lead down. Half the squared error and a weight decay in the loss, which keeps critical
points apart and from going to infinity.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from genlab_tui import events as ev
from genlab_tui.papers import DAUPHIN, FRYE, WENG
from genlab_tui.phenomena._saddle_points.claims import claims
from genlab_tui.phenomena._saddle_points.config import CONVEX, NETWORK, Config, estimate, plan, problem
from genlab_tui.phenomena._saddle_points.figures import THIRDS, figures
from genlab_tui.phenomenon import Checkpoint, Context, Metric, Phenomenon, Preset

if TYPE_CHECKING:
    from genlab_tui.data import Arrays
    from genlab_tui.training.critical_points import CriticalPoint


WORK = {NETWORK: 30.0, CONVEX: 1.0}
"""How long a seed of an arm takes, beside the others: a convex loss is at its end in a few steps."""


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Search from every start of every seed, a stage a seed and an arm."""
    from genlab_tui.data import load

    if context.device != "cpu":
        yield ev.Log(text=f"all of it runs in float64 on the CPU: {context.device} is not used")
    arrays = load(context.spec.data, context.data_dir)
    work = [(seed, arm.name) for seed in context.spec.seed_list for arm in context.arms]
    whole = sum(WORK[arm] for _, arm in work)
    begun = 0.0
    for seed, arm in work:
        body = partial(_search, config, context, arrays, seed, arm, begun / whole, WORK[arm] / whole)
        yield from context.stage(f"{arm}, seed {seed}", body)
        begun += WORK[arm]


def _search(
    config: Config, context: Context, arrays: Arrays, seed: int, arm: str, begun: float, share: float
) -> Generator[ev.Event, None, None]:
    from genlab_tui.training import seeds
    from genlab_tui.training.critical_points import Search, begin_at, characterise
    from genlab_tui.training.one_thread import one_thread

    cohort = f"{arm}, seed {seed}"
    yield ev.Cohort(id=cohort, members=((arm, seed),))
    given = problem(config, arm, arrays, seed)
    began = time.monotonic()
    with one_thread():  # small matrices
        saved = context.resume()
        if saved is None:
            own = [seeds.stream(seed, "search", k) for k in range(config.starts)]
            start = begin_at(given, own, config.train_steps, config.lr, context.poll)
            search = Search(given.loss, start, config.longest, config.tolerance)
        else:
            search = Search(given.loss, saved.arrays["flat"], config.longest, config.tolerance)
            search.restore(saved.arrays, saved.step)
        first = search.steps

        def save() -> Checkpoint:
            return Checkpoint(search.steps, search.arrays(), {})

        while search.steps < config.newton_steps and search.searching:
            context.poll(save)
            search.step()
            found = int(search.found.sum())
            yield ev.Curve(
                cohort=cohort,
                metric="found",
                step=search.steps,
                seconds=time.monotonic() - began,
                values=ev.to_values([found / config.starts]),
            )
            done = search.steps / config.newton_steps
            each = (time.monotonic() - began) / (search.steps - first) * config.newton_steps / share
            yield ev.Progress(
                done=begun + share * done,
                label=f"{cohort}: {found} of {config.starts} searches have arrived",
                eta=each * (1 - begun - share * done),
            )
        points = characterise(given.loss, search.flat[search.found])
    yield from _events(cohort, arm, seed, points, int(search.found.sum()) / config.starts)
    yield ev.Progress(done=begun + share, label=f"{cohort}: {len(points)} different critical points")


def _events(cohort: str, arm: str, seed: int, points: Sequence[CriticalPoint], arrived: float) -> Iterator[ev.Event]:
    """Yield what was found: the points themselves, mean spectra by thirds of the loss, and the measures."""
    from genlab_tui.phenomena._saddle_points.numbers import measures, thirds

    if points:
        ticks = tuple(str(k + 1) for k in range(len(points)))
        rows: tuple[list[float], ...] = (
            [p.loss for p in points],
            [p.index for p in points],
            [p.eigenvalues[0] for p in points],
        )
        values = tuple(ev.to_values(row) for row in rows)
        yield ev.Heat(
            name="critical points",
            arm=arm,
            seed=seed,
            x_ticks=ticks,
            y_ticks=("loss", "index", "lowest"),
            values=values,
        )
        spectra = tuple(ev.to_values(row) for row in thirds(points))
        ticks = tuple(str(k + 1) for k in range(len(spectra[0])))
        yield ev.Heat(name="spectra", arm=arm, seed=seed, x_ticks=ticks, y_ticks=THIRDS, values=spectra)
    if not points and arm == NETWORK:
        text = f"no search of seed {seed} arrived: more steps of Newton's method, or more weight decay"
        yield ev.Log(text=text, level="warning")
    found: dict[str, Any] = measures(points, seed) | {"arrived": arrived}
    for name, value in found.items():
        yield ev.Measure(cohort=cohort, name=name, values=ev.to_values([value]))


# --- declaration ------------------------------------------------------------------------------------------------------

LARGER = {"n": 500, "classes": 10, "inputs": 8, "hidden": 6, "starts": 96, "newton_steps": 300}
PHENOMENON = Phenomenon(
    name="saddle-points",
    title="Saddle points",
    group="Geometry",
    question="Where training seems to stand still at a high loss: is that a bad minimum, or a saddle?",
    explanation=(
        "In one or two dimensions a rugged loss is full of local minima, and one pictures training as stuck in them. "
        "In many dimensions that picture misleads: at a point where the gradient is nothing, each of the many "
        "directions may lead up or down, and for all of them to lead up is the less likely the higher the point lies. "
        "Dauphin et al. took the argument from the physics of random fields and tested it: let Newton's method, which "
        "is drawn to any point of no gradient, search from many places of many trainings of a small network, and count "
        "at each point it finds the share of negative eigenvalues of the Hessian (the index). Read the first figure "
        "from left to right: minima (index 0) are found at the bottom of the losses alone, and the higher the loss, "
        "the more directions lead down. The second figure shows the same as whole spectra: with the loss, eigenvalues "
        "move to the left, and more of them below 0. Two controls: with the losses exchanged at random the correlation "
        "must be gone, and without a hidden layer the loss is convex, so no search may end at a saddle. Two cautions: "
        "the networks have some tens of weights, some hundreds at most, as all second derivatives are computed, and a "
        "weight decay in the loss keeps the points apart; without it many searches end where the loss is merely flat "
        "(Frye et al.), and what did not arrive at a gradient of next to nothing is not counted. Not all saddles are "
        "equal either: that they slow training down is another claim, which is not tested here."
    ),
    papers=(DAUPHIN, FRYE, WENG),
    config=Config,
    presets={
        "quick": Preset(seeds=3, data="digits", note="5 tanh units, four classes of digits, 48 searches a seed"),
        "weak-decay": Preset(
            {"l2": 2e-3, "starts": 96, "newton_steps": 200},
            seeds=5,
            data="digits",
            note="a tenth of the weight decay: most searches end nowhere, and the points that are found are fewer",
        ),
        "standard": Preset(
            {"starts": 96, "newton_steps": 250, "inputs": 5, "hidden": 6},
            seeds=5,
            data="digits",
            note="5 components, 6 tanh units, 96 searches a seed, minutes",
        ),
        "paper": Preset(
            LARGER,
            seeds=5,
            data="mnist",
            note="ten classes of MNIST, 8 components; the paper's reduction of the images, its widths and its searches "
            "are not reproduced, ours are unverified; an hour on two cores, an estimate",
        ),
    },
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn", "cifar100"),
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(Metric("found", "searches that have arrived", step_label="step of Newton's method"),),
    headline=("correlation", "share of saddles in the upper half of the losses", "points:network"),
    precision="float64",
    panels=("index", "spectrum", "steepest", "found"),
)
