"""Description length (Blier & Ollivier 2018): networks with a million bits of weights compress a few thousand labels.

Protocol: the prequential code of the paper. Labels are sent in blocks that double; for every block a network is trained
from scratch on the labels sent before it, a tenth of them held out to choose the epoch and the temperature. Inputs are
free: both sides have them. Nothing is chosen by what comes later; every setting is fixed in the config.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure
from genlab_tui.papers import BLIER, WENG
from genlab_tui.phenomena._description_length import figures as drawn
from genlab_tui.phenomena._description_length.claims import claims
from genlab_tui.phenomena._description_length.config import (
    DROP,
    RANDOM,
    TEMPERATURE,
    Config,
    estimate,
    hidden_of,
    plan,
    samples_of,
    seed_bytes,
)
from genlab_tui.phenomena._description_length.presets import PRESETS
from genlab_tui.phenomenon import Context, Metric, Phenomenon
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.rundata import RunData
from genlab_tui.training import cost
from genlab_tui.training.prequential import blocks, splits

if TYPE_CHECKING:
    from genlab_tui.training.members import Member, Recipe, Samples
    from genlab_tui.training.prequential import Sent
    from genlab_tui.training.train import Share

TRAINING = 0.9  # of the time of a group's last stage, for the progress bar: pruning and rounding take the rest

Block = Mapping[str, Sequence[ev.Value]]
"""What a block cost: `bits`, `right` and `temperature`, one number a member."""


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Send the labels block by block: a stage a block and group of seeds, and one for networks of all labels."""
    from genlab_tui.training.train import Share

    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    n = samples_of(config, spec)[0]
    groups = cost.groups(spec.seed_list, seed_bytes(config, spec), context.device)
    parts = blocks(config.first, n)
    total = float(len(groups) * (sum(start for start, _ in parts) + n))
    done = 0.0
    for name, group in groups:
        members, samples, recipe = _drawn(config, context, arrays, group)
        sent: list[Block] = []
        for start, stop in parts:
            share = Share(done / total, start / total)
            block = partial(_block, config, context, members, samples, recipe, name, sent, (start, stop), share)
            sent.append((yield from context.stage(f"{name}, {start} labels sent", block)))
            done += start
        share = Share(done / total, n / total)
        whole = partial(_whole, config, context, members, samples, recipe, name, sent, share)
        yield from context.stage(f"{name}, all labels", whole)
        done += n


def _drawn(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int]
) -> tuple[list[Member], Samples, Recipe]:
    """Return all members of some seeds, their samples (true and random labels, in the order of sending), the recipe."""
    from dataclasses import replace

    import torch

    from genlab_tui.data import corrupt
    from genlab_tui.training.layer_swaps import per_seed
    from genlab_tui.training.members import Member, Recipe

    n, test = samples_of(config, context.spec)
    samples = per_seed(arrays, seeds, n=n, n_test=test, device=context.device)
    noise = [
        corrupt.corrupt_labels(labels, 1.0, arrays.classes, seed)
        for seed, labels in zip(seeds, samples.labels.cpu().numpy(), strict=True)
    ]
    wrong = torch.stack([torch.from_numpy(labels) for labels in noise]).to(context.device)
    samples = replace(samples, labels=torch.cat([samples.labels, wrong]))
    recipe = Recipe(
        optimiser=config.optimiser,
        lr=config.lr,
        batch=config.batch,
        epochs=config.epochs,
        target=2.0,  # never: every training runs to its last epoch
        # More patience than epochs: a tenth is held out and the best epoch's weights are kept, nothing ends early.
        regularisers={**context.spec.regularisers, "early-stopping": float(config.epochs + 1)},
    )
    members = []
    for place, seed in enumerate(seeds):
        for arm in context.arms:
            model = str(arm.factors["model"])
            hidden = hidden_of(model)
            own = replace(recipe, network=model) if hidden is None else replace(recipe, hidden=hidden)
            labels = place + len(seeds) * (arm.factors["labels"] == RANDOM)
            members.append(Member(arm.name, seed, inputs=place, labels=labels, recipe=own))
    return members, samples, recipe


def _block(
    config: Config,
    context: Context,
    members: Sequence[Member],
    samples: Samples,
    recipe: Recipe,
    name: str,
    before: Sequence[Block],
    block: tuple[int, int],
    share: Share,
) -> Generator[ev.Event, None, dict[str, list[ev.Value]]]:
    """Train on the labels sent so far and send a block with what was learnt; return what it cost every member."""
    from genlab_tui.training.prequential import send, train_on

    start, stop = block
    cohort = f"{name}, {start} labels sent"
    state = yield from train_on(members, samples, recipe, context, count=start, cohort=cohort, share=share)
    held = recipe.validation(start)
    cool = config.calibration == TEMPERATURE
    found: list[Sent] = []
    for i, member in enumerate(members):
        context.poll()
        found.append(send(state.trained(i), samples, member, start, stop, held, cool=cool))
        if not math.isfinite(found[-1].bits):
            text = f"{member.arm} diverged after {start} labels (seed {member.seed}): it has no code"
            yield ev.Log(text=text, level="warning")
    own = {key: ev.to_values(getattr(one, key) for one in found) for key in ("bits", "right", "temperature")}
    yield from _curves(config, members, samples, cohort, [*before, own], stop)
    return {key: list(values) for key, values in own.items()}


def _curves(
    config: Config, members: Sequence[Member], samples: Samples, cohort: str, sent: Sequence[Block], stop: int
) -> Iterator[ev.Event]:
    """Yield every member's curves so far over the labels sent: a cohort's replace those of the one before."""
    ends = [*splits(config.first, samples.n), samples.n][: len(sent) + 1]
    assert ends[-1] == stop
    uniform = math.log2(samples.classes)
    yield ev.Cohort(id=f"{cohort}, code", members=tuple((member.arm, member.seed) for member in members))
    lengths = [code_lengths(config.first * uniform, sent, i) for i in range(len(members))]
    for place, end in enumerate(ends):
        rows: dict[str, list[float]] = {
            "code_bits": [own[place] for own in lengths],
            "code_ratio": [own[place] / (end * uniform) for own in lengths],
        }
        if place:
            count = end - ends[place - 1]
            rows["label_bits"] = [(own[place] - own[place - 1]) / count for own in lengths]
            rows["temperature"] = list(map(ev.from_value, sent[place - 1]["temperature"]))
            rows["next_accuracy"] = list(map(ev.from_value, sent[place - 1]["right"]))
        for metric, values in rows.items():
            yield ev.Curve(cohort=f"{cohort}, code", metric=metric, step=end, values=ev.to_values(values))


def code_lengths(first: float, sent: Sequence[Block], at: int) -> list[float]:
    """Return a member's code length after the first block and after every one since; NaN from where it diverged."""
    found = [first]
    for block in sent:
        found.append(found[-1] + ev.from_value(block["bits"][at]))
    return found


def _whole(
    config: Config,
    context: Context,
    members: Sequence[Member],
    samples: Samples,
    recipe: Recipe,
    name: str,
    sent: Sequence[Block],
    share: Share,
) -> Generator[ev.Event, None, int]:
    """Train on all labels: test error and two-part codes; measure all codes. Returns the number of networks."""
    from genlab_tui.training.train import Share, train
    from genlab_tui.training.two_part import two_part

    training = Share(share.before, TRAINING * share.size)
    state = yield from train(members, samples, recipe, context, cohort=f"{name}, all labels", share=training)
    uniform = samples.n * math.log2(samples.classes)
    rows: dict[str, list[float]] = {key: [] for key in drawn.MEASURES}
    for i, member in enumerate(members):
        context.poll()
        bits = code_lengths(config.first * math.log2(samples.classes), sent, i)[-1]
        code = two_part(state.trained(i), samples, member, drop=DROP, widths=config.quantised)
        one = {
            "code_length": bits,
            "ratio": bits / uniform,
            "parameters": float(code.parameters),
            "parameters_per_bit": code.parameters / uniform,
            "two_part_ratio": code.plain / uniform,
            "labels_given_ratio": code.labels / uniform,
            "small_ratio": code.small / uniform,
            "small_kept": code.kept,
            "small_bits": code.bits,
            "small_drop": code.lost,
        }
        for key, values in rows.items():
            values.append(one[key])
        here = TRAINING + (1 - TRAINING) * (i + 1) / len(members)
        label = f"{i + 1} of {len(members)} networks pruned and rounded"
        yield ev.Progress(done=round(share.before + share.size * here, 4), label=label)
    cohort = f"{name}, codes"
    yield ev.Cohort(id=cohort, members=tuple((member.arm, member.seed) for member in members))
    for key, values in rows.items():
        yield ev.Measure(cohort=cohort, name=key, values=ev.to_values(values))
    return len(members)


def figures(run_data: RunData) -> tuple[Figure, ...]:
    """Return code length over labels sent, all codes by size, code length against test error; of data to come too."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


def _of_sent(name: str, label: str, *, log: bool = False, higher: bool = False, unit: str = "") -> Metric:
    """Return a metric over the labels sent so far."""
    marks = ((1.0, "uniform code"),) if name == "code_ratio" else ()
    return Metric(
        name,
        label,
        log=log,
        higher_is_better=higher,
        unit=unit,
        references=marks,
        step_label="labels sent",
        log_step=True,
    )


PHENOMENON = Phenomenon(
    name="description-length",
    title="Description length",
    group="Theory",
    question="Does a network with more weights than data compress the data?",
    explanation=(
        "To compress is to predict: who gives a label the probability p can send it in -log2 p bits. By the minimum "
        "description length principle a model is good when model and data together take few bits, and a network of "
        "a hundred thousand weights looks hopeless: written down in float32 it takes hundreds of times the bits of the "
        "labels that it explains (the two-part code). But nobody has to send weights. In the prequential code the "
        "first labels are sent as they are; sender and receiver then train the same network on them, use it to "
        "send as many again, train anew on all labels sent so far, and so on. The surprise of Blier and Ollivier is "
        "how short this is: real labels shrink to a fraction. This lab also asks whether a much larger network needs a "
        "longer code than a small one. In the first figure each line is the bits spent so far; below the line of the "
        "uniform code (n log2 K bits, nothing learnt) labels are compressed. The control: random labels, which no "
        "honest code can shorten. The second figure has all codes by size, also that of a network pruned "
        "and rounded at equal accuracy, the third shows whether shorter code means smaller test error. Where a task is "
        "hard for the models (preset `hard-data`), labels shrink much less."
    ),
    papers=(BLIER, WENG),
    config=Config,
    presets=PRESETS,
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100", "svhn"),
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        _of_sent("code_bits", "code length", log=True, unit="bits"),
        _of_sent("code_ratio", "code length / uniform code", log=True),
        _of_sent("label_bits", "bits a label, newest block", unit="bits"),
        _of_sent("next_accuracy", "accuracy on the block to come", higher=True),
        _of_sent("temperature", "temperature", log=True),
        Metric("train_loss", "training loss, all labels", log=True, higher_is_better=False, unit="nats"),
        Metric("train_accuracy", "training accuracy, all labels"),
        Metric("test_loss", "test loss, all labels", log=True, higher_is_better=False, unit="nats"),
        Metric("test_accuracy", "test accuracy, all labels"),
    ),
    # Early stopping is what every training has: it chooses the epoch.
    regularisers=tuple(r.name for r in REGULARISERS if r.name != "early-stopping"),
    headline=(
        "prequential code / uniform code, largest network",
        "prequential code / uniform code, random labels, largest network",
        "rank correlation of code length and test error, means over seeds",
    ),
    in_flight=lambda config: False,
    precision="float32 (codes: float64)",
    panels=("code", "codes", "error", "block"),
)
