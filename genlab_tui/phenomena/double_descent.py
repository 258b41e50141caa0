"""Double descent (Belkin, Hsu, Ma, Mandal 2019): test risk peaks where a model just fits its data.

With random features, a linear model on N of them is solved in closed form, in float64 on the CPU; with N >= n many fit
the training data exactly and the one of minimum norm is taken. Its curves are over N (or n): their step is the number
of features (or samples). Networks are trained, all widths as one population; every width is an arm. What the test error
is drawn over is a mode, a module each in `_double_descent`; the table `MODES` says which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure
from genlab_tui.papers import BELKIN, GEIGER, NAKKIRAN, NAKKIRAN_RIDGE, WENG
from genlab_tui.phenomena._double_descent import ensemble, epochs, features, network_claims, networks, samples
from genlab_tui.phenomena._double_descent.config import (
    ENSEMBLE,
    EPOCHS,
    FEATURES,
    NETWORK,
    REUSE,
    SAMPLES,
    WIDTH,
    Config,
)
from genlab_tui.phenomena._double_descent.features import grid
from genlab_tui.phenomena._double_descent.presets import PRESETS
from genlab_tui.phenomenon import Arm, Claim, Context, Estimate, Phenomenon
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData

__all__ = ["PHENOMENON", "Config", "grid"]


@dataclass(frozen=True)
class Mode:
    """How one kind of model is swept over one thing."""

    plan: Callable[[Config, RunSpec], tuple[Arm, ...]]
    estimate: Callable[[Config, RunSpec], Estimate]
    run: Callable[[Config, Context], Iterator[ev.Event]]
    figures: Callable[[Config, RunData], tuple[Figure, ...]]
    claims: Callable[[Config, RunSpec], tuple[Claim, ...]]


_SOLVED = Mode(features.plan, features.estimate, features.run, features.figures, features.claims)

MODES = {
    (FEATURES, WIDTH): _SOLVED,
    (FEATURES, SAMPLES): _SOLVED,
    (NETWORK, WIDTH): Mode(networks.plan, networks.estimate, networks.run, networks.figures, network_claims.claims),
    (NETWORK, SAMPLES): Mode(samples.plan, samples.estimate, samples.run, samples.figures, samples.claims),
    (NETWORK, EPOCHS): Mode(epochs.plan, epochs.estimate, epochs.run, epochs.figures, epochs.claims),
    (NETWORK, ENSEMBLE): Mode(ensemble.plan, ensemble.estimate, ensemble.run, ensemble.figures, ensemble.claims),
}


def mode_of(config: Config) -> Mode:
    """Return the mode of a config. Raises BadValue for a model that is not swept over that."""
    if (config.model, config.sweep) not in MODES:
        raise BadValue(f"random features are not swept over {config.sweep}", "nearest valid value: model = network")
    if config.start == REUSE and (config.model, config.sweep) != (NETWORK, WIDTH):
        raise BadValue("weights are reused from width to width: start = reuse is for networks over the width")
    return MODES[config.model, config.sweep]


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms of the config's mode. Raises BadValue."""
    return mode_of(config).plan(config, spec)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and the memory of what is solved or trained at once."""
    return mode_of(config).estimate(config, spec)


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Solve or train what the config asks for."""
    return mode_of(config).run(config, context)


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return the figures of the run's mode, also of data still coming."""
    config = PHENOMENON.config_of(run_data.spec)
    return mode_of(config).figures(config, run_data)


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return what is claimed of the config's mode."""
    return mode_of(config).claims(config, spec)


PHENOMENON = Phenomenon(
    name="double-descent",
    title="Double descent",
    group="Size",
    question="Does a model that is too large for its data always get worse?",
    explanation=(
        "The textbook says that test error falls, then rises, as a model grows: too small underfits, too large "
        "overfits. Here the model is a linear one on N random features, fitted by least squares. With few features "
        "the textbook is right: test error falls, then climbs steeply towards N = n, where there are just as many "
        "features as training samples and exactly one model fits them all; it pays any price, huge coefficients, to "
        "pass through every point. Beyond, many models fit the data exactly, and the one of smallest norm is taken: "
        "the more features, the smaller that norm, and test error falls a second time. Whether the second descent "
        "ends below the first minimum is another question: with clean, easy data it does; with noisy labels or hard "
        "data it may not, and the verdict says so apart. The control: a ridge penalty, chosen on held-out samples "
        "for every N, takes the peak away (weight decay, if switched on, is such a penalty on the other arms). "
        "MSE is the squared error against one-hot labels, summed over the classes. The preset `network` trains "
        "networks of one hidden layer instead: with noisy labels their test error peaks at the width that just fits "
        "the training data; with clean labels, the control, it should not. The same can happen along two other axes: "
        "while one large network trains (`epoch-wise`), and as samples are added to a model that stays as it is "
        "(`sample-wise`), where more data can make it worse. And much of the peak is chance: average the outputs of "
        "several networks that differ in their initial weights alone (`ensemble`), and it shrinks."
    ),
    papers=(BELKIN, NAKKIRAN, NAKKIRAN_RIDGE, GEIGER, WENG),
    config=Config,
    presets=PRESETS,
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100", "svhn"),
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(*features.METRICS, *networks.METRICS),
    regularisers=tuple(r.name for r in REGULARISERS),
    headline=(
        *("peak_mse", "peak_width", "second_descent"),
        "rise of the mean test error to its peak",
        "weakest of the three legs",
        "test error at the most samples that are fitted, above that at half of them",
        "how much lower the peak is with outputs averaged",
    ),
    in_flight=lambda config: config.model == NETWORK and config.start != REUSE,
    weight_decay=lambda config: (
        "decoupled, on weight matrices alone"
        if config.model == NETWORK
        else "that much times the squared norm of the coefficients, added to the mean squared error"
    ),
)
