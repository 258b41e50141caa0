"""What a run on partly wrong labels is: thresholds, fields, arms."""

from __future__ import annotations

from dataclasses import dataclass

from genlab_tui import data
from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Arm, param
from genlab_tui.run import RunSpec

# Thresholds, fixed before any run that is judged by them.
LEARNT = 0.9  # accuracy on the samples with true labels from which on the pattern counts as learnt
STILL_UNFITTED = 0.3  # of the wrong labels at that time, at most
RECOVERED = 0.6  # of the samples with wrong labels given their true class at that time, at least
APART = 0.1  # two parts of random labels are never further apart than this
MEMORISED = 0.95  # of the wrong labels at the end
HURT = 0.05  # of the test accuracy lost from that time to the end
DROPOUT_FITS = 0.5  # of the wrong labels at the end, at most, with dropout
CLEAN_FIT = 0.98  # of the true labels at the end, with and without dropout; also where the two are matched
DROPOUT_GAIN = 0.08  # of the final test accuracy
RADII = (0.1, 0.3, 0.5)  # of the search for critical samples, in standard deviations of a feature
CRITICAL_POINTS = 500  # test samples at most that are searched around

RANDOM = "random"
GAUSSIAN = "gaussian"
CHANCE = 0.1  # every data set here has ten classes

FOUR = {
    "clean_fit": "samples with true labels",
    "noisy_fit": "wrong labels, as given",
    "recovery": "samples with wrong labels: the true class",
    "test_accuracy": "test samples",
}
"""The four curves by metric."""

EASY = {"true": "first_epoch_real", "gaussian": "first_epoch_noise"}
"""What one epoch gets right, by the kind of the inputs."""


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    n: int = param(1200, help="training samples at most (0: all)", low=0, high=1_000_000)
    test: int = param(1000, help="test samples at most (0: all)", low=0, high=1_000_000)
    noise: float = param(0.4, help="share of wrong labels that the main claims are about", low=0.05, high=0.9)
    levels: tuple[float, ...] = param(
        (0.2,), help="further shares of wrong labels (0 and the main one are always there)", low=0.01, high=0.95
    )
    dropout: float = param(0.5, help="dropout of the arm that has it", low=0.05, high=0.95)
    gaussian: bool = param(False, help="also train on Gaussian inputs with the same labels")
    hidden: tuple[int, ...] = param((512, 512), help="units of the hidden layers", low=1, high=20_000)
    optimiser: str = param("adam", help="adam, or stochastic gradient descent", choices=("adam", "sgd"))
    lr: float = param(5e-4, help="learning rate", low=1e-7, high=100.0)
    momentum: float = param(0.9, help="momentum of sgd", low=0.0, high=0.999, only={"optimiser": ("sgd",)})
    batch: int = param(64, help="batch size", low=2, high=100_000)
    epochs: int = param(60, help="epochs", low=2, high=100_000)
    dense: int = param(30, help="epochs at the start that are all measured", low=1, high=3000)
    inits: int = param(10, help="networks trained for one epoch, for easy examples (0: none)", low=0, high=1000)


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: shares of wrong labels, the main one with dropout, and random labels. Raises BadValue."""
    levels = sorted({0.0, *config.levels, config.noise})
    if len({name_of(p) for p in levels}) < len(levels):
        raise BadValue("two shares of wrong labels read the same", "leave one of them out")
    arms = [Arm(name_of(p), label_of(p), factors_of(p)) for p in levels]
    # Where the whole run has dropout, there is nothing to compare it with.
    if "dropout" not in spec.regularisers:
        factors = factors_of(config.noise, dropout=config.dropout)
        arms.append(Arm(dropped(config), f"{label_of(config.noise)}, dropout {config.dropout:g}", factors))
    if config.gaussian:
        arms.append(Arm(GAUSSIAN, "Gaussian inputs", factors_of(0.0, inputs="gaussian")))
    return (*arms, Arm(RANDOM, "random labels", factors_of(1.0, labels="random"), control=True))


def factors_of(
    noise: float, *, labels: str = "wrong", inputs: str = "true", dropout: float = 0.0
) -> dict[str, float | str]:
    return {"noise": noise, "labels": labels, "inputs": inputs, "dropout": dropout}


def name_of(noise: float) -> str:
    return f"noise-{noise:g}" if noise else "clean"


def dropped(config: Config) -> str:
    return f"{name_of(config.noise)}-dropout"


def label_of(noise: float) -> str:
    return f"{100 * noise:g} % wrong labels" if noise else "true labels"


def data_set(spec: RunSpec) -> data.DataSet:
    return data.known(spec.data)


def sizes(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training and test samples of a run."""
    return data_set(spec).at_most(config.n, config.test)


def critical_at(radius: float) -> str:
    return f"critical_samples_{radius:g}"
