"""The rows of the table: a regulariser (or a whole model of the paper's table 1), and the row it is compared with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from genlab_tui.errors import BadValue
from genlab_tui.models import networks
from genlab_tui.phenomena._regularisers.config import (
    CROP,
    TABLE_1,
    Config,
    architecture,
    architecture_lr,
    dataset,
    reach,
    sizes,
)
from genlab_tui.phenomenon import Arm
from genlab_tui.run import RunSpec
from genlab_tui.training.members import Recipe

TRUE, NOISY, RANDOM, FRESH, SHUFFLED = "true", "noisy", "random", "fresh", "shuffled"
FIT = 0.99  # training accuracy that counts as having fitted
DONE = 0.995  # training accuracy at which training on random labels ends
NEVER = 2.0  # an accuracy that is never reached

NONE, LESS, CNN = "none", "none-90", "cnn"
LEARNT = (TRUE, NOISY, RANDOM)

PAPER_ACCURACY = {
    "inception": 85.75,
    "inception-wd": 86.03,
    "inception-crop": 89.31,
    "inception-crop-wd": 89.05,
    "inception-plain": 82.00,
    "inception-plain-wd": 83.00,
    "alexnet": 76.07,
    "alexnet-wd": 77.36,
    "alexnet-crop": 79.66,
    "alexnet-crop-wd": 81.22,
    "mlp-3x512": 52.39,
    "mlp-3x512-wd": 53.35,
    "mlp-1x512": 50.51,
    "mlp-1x512-wd": 50.39,
}
"""Zhang et al. 2017, table 1: test accuracy on CIFAR-10 in percent."""

PAPER_FIT = {"inception-wd": 1.0, "mlp-3x512-wd": 1.0, "mlp-1x512-wd": 0.9921, "inception-crop": 0.9993}
"""Zhang et al. 2017, table 4: training accuracy on random labels under a regulariser; Alexnet with weight decay fails
to converge."""

LIKE = {"weight-decay": "mlp-3x512-wd", "shift": "inception-crop", "together": "inception-crop-wd"}
"""Which row of the paper stands beside a regulariser of ours; batch norm is the difference of two models."""


@dataclass(frozen=True)
class Row:
    """One row. `base` is the row that its gain is over, empty for one without a regulariser.

    `share` is the part of the training samples it learns; `published` the paper's gain in points, `published_fit` its
    training accuracy on random labels. `model` overrides what the config says about the network.
    """

    name: str
    label: str
    base: str = NONE
    on: Mapping[str, float] = field(default_factory=dict)
    regimes: tuple[str, ...] = LEARNT
    share: float = 1.0
    batch: int = 0
    scaled: bool = False
    published: float = math.nan
    published_fit: float = math.nan
    model: Mapping[str, object] = field(default_factory=dict)


def rows(config: Config, spec: RunSpec) -> tuple[Row, ...]:
    """Return every row of a config, the better architecture last. Raises BadValue."""
    return _paper_rows(config) if config.protocol == TABLE_1 else _own_rows(config, spec)


def plain(config: Config) -> str:
    """Return the row of the perceptron without regularisers."""
    return "mlp-3x512" if config.protocol == TABLE_1 else NONE


def better(config: Config) -> str:
    """Return the row of the better architecture without regularisers."""
    return "inception-plain" if config.protocol == TABLE_1 else CNN


def regularised(config: Config, spec: RunSpec) -> tuple[Row, ...]:
    """Return the rows of regularisers: those with a base."""
    return tuple(row for row in rows(config, spec) if row.base)


def _paper_gain(name: str, base: str) -> float:
    return round(PAPER_ACCURACY[name] - PAPER_ACCURACY[base], 2)


def _own_rows(config: Config, spec: RunSpec) -> tuple[Row, ...]:
    def like(kind: str) -> float:
        name = LIKE[kind]
        return _paper_gain(name, name.removesuffix("-crop-wd").removesuffix("-wd").removesuffix("-crop"))

    found = [Row(NONE, "no regulariser", base="", regimes=(*LEARNT, SHUFFLED))]
    for strength in sorted(set(config.weight_decay) - {0.0}):
        on = {"weight-decay": strength}
        fit = PAPER_FIT[LIKE["weight-decay"]]
        name = f"weight-decay-{strength:g}"
        found.append(Row(name, f"weight decay {strength:g}", on=on, published=like("weight-decay"), published_fit=fit))
    chances = sorted(set(config.dropout) - {0.0})
    found += [Row(f"dropout-{p:g}", f"dropout {p:g}", on={"dropout": p}) for p in chances]
    pixels = reach(config, spec)
    if pixels:
        fit = PAPER_FIT[LIKE["shift"]]
        on = {"augmentation": float(pixels)}
        found.append(Row("shift", f"random shift ±{pixels}", on=on, published=like("shift"), published_fit=fit))
    if config.smoothing:
        label = f"label smoothing {config.smoothing:g}"
        found.append(Row("smoothing", label, on={"label-smoothing": config.smoothing}))
    if config.mixup:
        found.append(Row("mixup", f"mixup {config.mixup:g}", on={"mixup": config.mixup}))
    if config.batch_norm:
        gain = _paper_gain("inception", "inception-plain")
        found.append(Row("batch-norm", "batch norm", on={"batch-norm": 0.1}, published=gain))
    every: dict[str, float] = {}
    for row in found:
        every = {**row.on, **every}
    if config.together and len(every) > 1:
        found.append(Row("together", "all of these", on=every, published=like("together")))
    if config.patience:
        found.append(Row(LESS, "none, 90 % of data", base="", regimes=(TRUE, NOISY), share=0.9))
        found.append(Row("early-stopping", "early stopping", base=LESS, on={"early-stopping": config.patience}))
    for size in sorted(set(config.batches) - {0, config.batch}):
        found.append(Row(f"batch-{size}", f"batch {size}", batch=size))
        found.append(Row(f"batch-{size}-lr", f"batch {size}, lr ∝ B", batch=size, scaled=True))
    name = architecture(config, spec)
    networks.check(name, dataset(spec).shape)
    title = networks.resolve(name)[0].title
    model = {"network": name, "hidden": (), "lr": architecture_lr(config, spec)}
    found.append(Row(CNN, f"{title}, no regulariser", base="", regimes=(TRUE, SHUFFLED), model=model))
    return tuple(found)


def _paper_rows(config: Config) -> tuple[Row, ...]:
    decay = {"weight-decay": config.decay_conv}
    crop, norm = {"augmentation": 2.0}, {"batch-norm": 0.1}
    inception = {"network": "small-inception", "hidden": (), "lr": 0.1}
    alexnet = {"network": "small-alexnet", "hidden": (), "lr": 0.01}
    three, one = {"hidden": (512, 512, 512), "lr": 0.01}, {"hidden": (512,), "lr": 0.01}
    light = {"weight-decay": config.decay_mlp}

    def row(
        name: str, label: str, base: str, model: Mapping[str, object], on: Mapping[str, float], random: bool
    ) -> Row:
        regimes = (TRUE, RANDOM) if random else (TRUE,)
        gain = _paper_gain(name, base) if base else math.nan
        if name in ("mlp-3x512", "inception"):
            regimes = (*regimes, SHUFFLED)
        return Row(name, label, base, on, regimes, 1.0, 0, False, gain, PAPER_FIT.get(name, math.nan), model)

    plain_, three_, one_ = "inception-plain", "mlp-3x512", "mlp-1x512"
    return (
        row(three_, "MLP 3x512", "", three, {}, True),
        row("mlp-3x512-wd", "MLP 3x512, wd", three_, three, light, True),
        row(one_, "MLP 1x512", "", one, {}, True),
        row("mlp-1x512-wd", "MLP 1x512, wd", one_, one, light, True),
        row("alexnet", "Alexnet", "", alexnet, {}, True),
        row("alexnet-wd", "Alexnet, wd", "alexnet", alexnet, decay, True),
        row("alexnet-crop", "Alexnet, crop", "alexnet", alexnet, crop, False),
        row("alexnet-crop-wd", "Alexnet, crop + wd", "alexnet", alexnet, crop | decay, False),
        row(plain_, "Inception without BN", "", inception, {}, True),
        row("inception-plain-wd", "Inception no BN, wd", plain_, inception, decay, False),
        row("inception", "Inception (BN)", plain_, inception, norm, True),
        row("inception-wd", "Inception, wd", "inception", inception, norm | decay, True),
        row("inception-crop", "Inception, crop", "inception", inception, norm | crop, True),
        row("inception-crop-wd", "Inception, crop + wd", "inception", inception, norm | crop | decay, False),
    )


# --- arms -------------------------------------------------------------------------------------------------------------

SAID = {TRUE: "", RANDOM: ", random labels", FRESH: ", fresh labels", SHUFFLED: ", shuffled pixels"}


def arm_name(regime: str, row: str) -> str:
    """Return the name of an arm."""
    return f"{regime}-{row}"


def fresh_row(config: Config, spec: RunSpec) -> str:
    """Return the regularised row that is also trained on labels drawn anew in every epoch; empty without any."""
    able = [row for row in regularised(config, spec) if RANDOM in row.regimes and not row.batch]
    decayed = [row for row in able if "weight-decay" in row.on]
    return next((row.name for row in (*decayed, *able)), "")


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return an arm per row and kind of labels. Raises BadValue."""
    n, _ = sizes(config, spec)
    if n < 20:
        raise BadValue(f"n = {n} leaves nothing to learn from", "nearest valid value: 20")
    if config.protocol == TABLE_1 and min(dataset(spec).shape[1:], default=0) < CROP:
        raise BadValue(f"the models of table 1 need images of {CROP}x{CROP} pixels, not {spec.data}", "choose cifar10")
    every = rows(config, spec)
    if len({row.name for row in every}) < len(every):
        raise BadValue("two strengths read the same", "leave one of them out")
    corruption = {NOISY: config.noise, RANDOM: 1.0, FRESH: 1.0}
    said = SAID | {NOISY: f", {100 * config.noise:g} % noise"}
    arms = []
    for regime in (TRUE, NOISY, RANDOM, FRESH, SHUFFLED):
        for row in every:
            there = row.name == fresh_row(config, spec) if regime == FRESH else regime in row.regimes
            if not there or (regime == NOISY and not config.noise):
                continue
            arms.append(
                Arm(
                    arm_name(regime, row.name),
                    row.label + said[regime],
                    {"labels": regime, "row": row.name, "corruption": corruption.get(regime, 0.0), "share": row.share},
                    control=regime in (FRESH, SHUFFLED),
                )
            )
    return tuple(arms)


def recipe(config: Config, spec: RunSpec, arm: Arm) -> Recipe:
    """Return how an arm is trained."""
    row = next(row for row in rows(config, spec) if row.name == arm.factors["row"])
    noise = float(arm.factors["corruption"]) == 1.0
    epochs = config.fit_epochs if noise else config.epochs
    n, _ = sizes(config, spec)
    made = Recipe(
        hidden=config.hidden,
        optimiser=config.optimiser,
        lr=config.lr,
        decay=config.decay,
        batch=config.batch,
        epochs=epochs,
        target=DONE if noise else NEVER,
        regularisers=row.on,
        coupled=config.protocol == TABLE_1,
    )
    made = replace(made, **row.model)  # type: ignore[arg-type]
    if row.batch:
        # As many steps as the others take, and as many epochs at least: nobody has seen less.
        own, theirs = math.ceil(n / row.batch), math.ceil(n / config.batch)
        made = replace(made, batch=row.batch, steps=epochs * max(own, theirs))
        if row.scaled:
            made = replace(made, lr=config.lr * row.batch / config.batch)
    if config.protocol == TABLE_1 and noise and "augmentation" in row.on:
        made = replace(made, decay=0.999)  # as in table 4: a slower decay where labels are random and images shifted
    return made
