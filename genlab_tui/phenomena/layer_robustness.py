"""Layers put back (Zhang, Bengio & Singer 2022): most of a trained network survives on its initial values, not on new.

Protocol: train; replace one layer, weights and biases, of the final network by its value at an earlier epoch
(re-initialisation; epoch 0 is its own start) or by a fresh draw of the same initialiser (re-randomisation); everything
else stays final, nothing is trained again. The paper prints heat maps, no numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.figure import Figure, HeatMap, Line, Reference
from genlab_tui.lines import curve_lines
from genlab_tui.measures import least
from genlab_tui.models import networks
from genlab_tui.models.mlp import parameter_count
from genlab_tui.papers import ZHANG_LAYERS
from genlab_tui.phenomenon import (
    Arm,
    Claim,
    Context,
    Criterion,
    Estimate,
    Metric,
    PerSeed,
    Phenomenon,
    Preset,
    Rule,
    Test,
    param,
)
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.stats import Summary, spearman, summarise
from genlab_tui.training import cost
from genlab_tui.training.members import INITS

# Thresholds, fixed before any run that is judged by them.
TRAINED = 0.99  # training accuracy without which a network's layers say nothing
DESTROYED = 0.9  # of the gap between test accuracy and chance, that a layer drawn anew costs
HARMLESS = 0.25  # the drop with a layer's own initial values over that with fresh ones
CRITICAL = 0.10  # drop of accuracy that makes a layer critical
ROBUST = 0.01  # drop of accuracy below which it is robust, or twice the standard error over seeds
CONTRAST = 0.50  # mean drop with fresh values minus that with initial ones
PREDICTS = 0.8  # rank correlation of movement and drop from which one would predict the other

FINAL = "final"
RAND, OTHER, START = "rand", "other", "0"
DROP = "accuracy_drop"
MOVED, LARGEST = "relative_movement", "largest_change"

HIDDEN = {"mlp-3x256": (256,) * 3, "mlp-4x128": (128,) * 4}
PARAMETERS = {"vgg-11": 9.2e6, "resnet-18": 11.2e6, "resnet-20": 2.7e5}
LAYERS = {"mlp-3x256": 4, "mlp-4x128": 5, "vgg-11": 9, "resnet-18": 21, "resnet-20": 20}

BATCH_NORM_NOTE = "with batch norm, running statistics stay those of the trained network"


@dataclass(frozen=True)
class Config:
    """What decides the numbers of a run, beside data set, seeds and regularisers."""

    network: str = param(
        "mlp-3x256",
        help="perceptron: layers x width; VGG-11 and ResNets: images, batch norm of VGG-11 by its toggle",
        choices=(*HIDDEN, *PARAMETERS),
    )
    n: int = param(1200, help="training samples at most (0: all)", low=0, high=1_000_000)
    test: int = param(0, help="test samples at most (0: all)", low=0, high=1_000_000)
    epochs: int = param(100, help="epochs of training", low=2, high=100_000)
    checkpoints: tuple[int, ...] = param(
        (1, 2, 3, 8, 40),
        help="epochs that a layer is put back to (0, its initial values, is always there)",
        low=0,
        high=100_000,
        unit="epochs",
    )
    draws: int = param(5, help="fresh draws that re-randomisation is the mean of", low=5, high=1000)
    optimiser: str = param("sgd", help="sgd has momentum 0.9", choices=("sgd", "adam"))
    lr: float = param(
        0.01, help="learning rate at the start: with a small one every layer is robust", low=1e-7, high=100.0
    )
    decay: float = param(1.0, help="factor on the learning rate after every epoch", low=0.1, high=1.0)
    batch: int = param(64, help="batch size", low=2, high=100_000)
    init: str = param("he-normal", help="initialiser of a perceptron, of training and of fresh draws", choices=INITS)


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return the arms: the network trained to the end, and to every checkpoint. Raises BadValue."""
    known = _data(spec)
    if config.network not in HIDDEN:
        networks.check(config.network, known.shape)
        if config.init != "he-normal":
            raise BadValue(
                f"init = {config.init}: {config.network} has an initialiser of its own",
                "nearest valid value: he-normal",
            )
    late = [epoch for epoch in config.checkpoints if epoch >= config.epochs]
    if late:
        raise BadValue(
            f"checkpoints = {max(late)} is not before the end at {config.epochs} epochs",
            f"nearest valid value: {config.epochs - 1}",
        )
    if not _checkpoints(config):
        raise BadValue("checkpoints has none after epoch 0: the control needs one", "for example 1 2 3 8")
    ends = [
        Arm(f"epoch-{t}", f"after {t} epoch{'s' if t > 1 else ''}", {"epochs": float(t)}) for t in _checkpoints(config)
    ]
    return (Arm(FINAL, "trained to the end", {"epochs": float(config.epochs)}), *ends)


def _checkpoints(config: Config) -> list[int]:
    """Return the epochs after 0, ascending."""
    return sorted(set(config.checkpoints) - {0})


def _data(spec: RunSpec) -> data.DataSet:
    return data.DATASETS.get(spec.data, data.DATASETS["digits"])


def _sizes(config: Config, spec: RunSpec) -> tuple[int, int]:
    """Return training and test samples of a run."""
    known = _data(spec)
    return min(config.n or known.train, known.train), min(config.test or known.test, known.test)


# --- cost -------------------------------------------------------------------------------------------------------------


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return members, seconds and bytes."""
    (n, test), known = _sizes(config, spec), _data(spec)
    arms = [arm for arm in plan(config, spec) if not spec.arms or arm.name in spec.arms]
    epochs = [float(arm.factors["epochs"]) for arm in arms] * spec.seeds
    swaps = LAYERS[config.network] * (config.draws + len(arms) + 1)
    passes = swaps * test / (3 * n) * spec.seeds  # what scoring costs, in epochs of training
    if config.network in HIDDEN:
        size = _weights(config, spec)
        seconds = cost.seconds(size, n, config.batch, epochs, spec.device, spec.regularisers)
        seconds += passes * n * 6 * size / cost.FLOPS_PER_SECOND[cost.kind_of(spec.device)]
    else:
        work = networks.multiplications(config.network, known.shape)
        seconds = cost.network_seconds(work, n, [*epochs, passes], spec.device)
    each = _seed_bytes(config, spec, len(arms))
    return Estimate(len(epochs), seconds, each * min(spec.seeds, cost.at_once(each, spec.device)))


def _weights(config: Config, spec: RunSpec) -> float:
    if config.network in PARAMETERS:
        return PARAMETERS[config.network]
    known = _data(spec)
    return parameter_count(known.features, HIDDEN[config.network], known.classes)


def _seed_bytes(config: Config, spec: RunSpec, arms: int) -> float:
    """Return the memory of one seed: its inputs; weights, gradient, final weights of its arms; fresh draws."""
    features = _data(spec).features
    return 4.0 * sum(_sizes(config, spec)) * features + 4.0 * (3 * arms + config.draws + 2) * _weights(config, spec)


# --- the run ----------------------------------------------------------------------------------------------------------


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train every arm and seed, then replace layers: one stage a group of seeds."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    seeds = spec.seed_list
    size = cost.at_once(_seed_bytes(config, spec, len(context.arms)), context.device)
    groups = [seeds[i : i + size] for i in range(0, len(seeds), size)]
    for at, group in enumerate(groups):
        name = f"seeds {group[0]} to {group[-1]}" if len(group) > 1 else f"seed {group[0]}"
        yield from context.stage(name, partial(_group, config, context, arrays, group, name, at, len(groups)))


def _group(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, dict[str, list[str]]]:
    """Train all arms of some seeds as one population, replace their layers; return the names of the layers.

    A checkpoint is a network of the same seed that trains that many epochs: it ends where the long one passed.
    """
    from dataclasses import replace

    from genlab_tui.training.layer_swaps import per_seed, swapped
    from genlab_tui.training.members import Member, Recipe
    from genlab_tui.training.train import Share, train

    n, test = _sizes(config, context.spec)
    samples = per_seed(arrays, seeds, n=n, n_test=test, device=context.device)
    perceptron = config.network in HIDDEN
    recipe = Recipe(
        hidden=HIDDEN[config.network] if perceptron else (),
        network="" if perceptron else config.network,
        optimiser=config.optimiser,
        lr=config.lr,
        decay=config.decay,
        batch=config.batch,
        epochs=config.epochs,
        target=2.0,  # never: a network trains to its last epoch
        regularisers=context.spec.regularisers,
        init=config.init,
    )
    # Members of one place in their seeds share a core: in turn at another place, the long ones spread over all cores.
    arms = [[*context.arms[k % len(context.arms) :], *context.arms[: k % len(context.arms)]] for k in range(len(seeds))]
    members = [
        Member(arm.name, seed, inputs=k, labels=k, recipe=replace(recipe, epochs=int(arm.factors["epochs"])))
        for k, seed in enumerate(seeds)
        for arm in arms[k]
    ]
    share = Share(at / groups, 1 / groups)
    state = yield from train(members, samples, recipe, context, cohort=name, share=share)
    finals = {member.seed: i for i, member in enumerate(members) if member.arm == FINAL}
    ends: dict[int, dict[int, int]] = {seed: {} for seed in seeds}
    for i, member in enumerate(members):
        if member.arm != FINAL:
            ends[member.seed][state.recipes[i].epochs] = i
    if not finals:
        return {"layers": []}
    found = swapped(state, finals, ends, config.draws, context.poll)
    names = list(found[seeds[0]].names)
    pairs = [(seed, key) for seed, one in found.items() for key in one.accuracy]
    cohort = f"{name}, layers replaced"
    yield ev.Cohort(id=cohort, members=tuple((arm_of(*key), seed) for seed, key in pairs))
    accuracies = [found[seed].accuracy[key] for seed, key in pairs]
    drops = [found[seed].whole - accuracy for (seed, _), accuracy in zip(pairs, accuracies, strict=True)]
    yield ev.Measure(cohort=cohort, name=DROP, values=ev.to_values(drops))
    yield ev.Measure(cohort=cohort, name="test_accuracy", values=ev.to_values(accuracies))
    cohort = f"{name}, layers"
    yield ev.Cohort(id=cohort, members=tuple((layer, seed) for seed in found for layer in names))
    for k, measure in enumerate((MOVED, LARGEST)):
        moved = [found[seed].moved[layer][k] for seed in found for layer in names]
        yield ev.Measure(cohort=cohort, name=measure, values=ev.to_values(moved))
    return {"layers": names}


def arm_of(layer: str, source: str) -> str:
    """Return the arm of a network with one layer replaced: `fc2@rand`, `fc2@other`, `fc2@0`, `fc2@8`."""
    return f"{layer}@{source}"


# --- numbers of layers ------------------------------------------------------------------------------------------------


def layer_names(run_data: RunData) -> list[str]:
    """Return the layers measured so far, from the inputs on."""
    return list(dict.fromkeys(arm for arm, _ in run_data.measures.get(MOVED, {})))


def drops(run_data: RunData, source: str) -> dict[int, list[float]]:
    """Return the accuracy lost with each layer replaced by that source, per seed; only seeds that have them all."""
    found = [run_data.measure(DROP, arm_of(layer, source)) for layer in layer_names(run_data)]
    seeds = set.intersection(*(set(one) for one in found)) if found else set()
    return {seed: [one[seed] for one in found] for seed in sorted(seeds)}


def _worst_ratio(run_data: RunData, source: str) -> dict[int, float]:
    """Return the largest drop over the layers, relative to that of fresh draws; NaN where those cost nothing."""
    fresh = drops(run_data, RAND)
    return {
        seed: -least(-a / b if b > 0 else math.nan for a, b in zip(row, fresh[seed], strict=True))
        for seed, row in drops(run_data, source).items()
        if seed in fresh
    }


def _least_share(run_data: RunData, source: str, chance: float) -> dict[int, float]:
    """Return the smallest drop over the layers as a share of the gap between the whole network and chance."""
    whole = run_data.measure("test_accuracy", FINAL)
    return {
        seed: least(drop / (whole[seed] - chance) if whole[seed] > chance else math.nan for drop in row)
        for seed, row in drops(run_data, source).items()
        if seed in whole
    }


def _over_seeds(rows: Mapping[int, Sequence[float]]) -> list[Summary]:
    """Return a summary over the seeds for each layer."""
    return [summarise(column) for column in zip(*rows.values(), strict=True)]


# --- figures ----------------------------------------------------------------------------------------------------------


def figures(run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return the paper's heat map, the drop layer by layer, how far layers moved, and learning curves."""
    config: Config = PHENOMENON.config_of(run_data.spec)
    names = layer_names(run_data)
    where = "; ".join(f"{k} = {name}" for k, name in enumerate(names, start=1))
    curves = curve_lines(run_data, "train_accuracy", x="epoch", arms=(FINAL,), prefix="training: ")
    curves += curve_lines(run_data, "test_accuracy", x="epoch", arms=(FINAL,), prefix="test: ")
    return (
        _heat_map(run_data, config, names),
        Figure(
            "layers",
            "Accuracy lost with one layer replaced",
            "layer, from the inputs on",
            "test accuracy lost (points)",
            (
                *_by_layer("fresh draw", drops(run_data, RAND), 100.0),
                *_by_layer("another network's start", drops(run_data, OTHER), 100.0, points=True),
                *_by_layer("its own start", drops(run_data, START), 100.0),
            ),
            (*_gap(run_data), Reference(100 * CRITICAL, "critical"), Reference(100 * ROBUST, "robust")),
            note=f"{where}; band: 1 standard deviation over seeds; {BATCH_NORM_NOTE}",
        ),
        Figure(
            "movement",
            "How far each layer moved in training",
            "layer, from the inputs on",
            "change",
            (
                *_by_layer("|end - start| / |start|", _moved(run_data, MOVED)),
                *_by_layer("largest change of a number", _moved(run_data, LARGEST)),
            ),
            log_y=True,
            note=f"{where}; where layers hardly move (small learning rate, large width), all of them look robust",
        ),
        Figure(
            "learning",
            "Learning",
            "epoch",
            "accuracy",
            curves,
            (Reference(TRAINED, "trained"), Reference(1 / _data(run_data.spec).classes, "chance")),
            note="line: mean over seeds, band: 1 standard deviation",
        ),
    )


def _heat_map(run_data: RunData, config: Config, names: Sequence[str]) -> HeatMap:
    columns = (RAND, START, *(str(epoch) for epoch in _checkpoints(config)))
    rows = []
    for layer in names:
        found = [summarise(run_data.measure(DROP, arm_of(layer, column)).values()).mean for column in columns]
        rows.append(tuple(100 * value for value in found))
    return HeatMap(
        "heat",
        "Test accuracy lost with one layer put back, points",
        "put back to",
        "layer",
        ("rand", *(f"epoch {column}" for column in columns[1:])),
        tuple(names),
        tuple(rows),
        note=f"rand: a fresh draw of the initialiser (mean of {config.draws}); mean over seeds; {BATCH_NORM_NOTE}",
    )


def _by_layer(
    label: str, rows: Mapping[int, Sequence[float]], scale: float = 1.0, *, points: bool = False
) -> tuple[Line, ...]:
    found = _over_seeds(rows)
    if not found:
        return ()
    return (
        Line(
            label,
            tuple(float(k) for k in range(1, len(found) + 1)),
            tuple(scale * s.mean for s in found),
            tuple(scale * (s.mean - s.sd) for s in found),
            tuple(scale * (s.mean + s.sd) for s in found),
            points=points,
            n=tuple(s.n for s in found),
        ),
    )


def _gap(run_data: RunData) -> tuple[Reference, ...]:
    """Return the line of what there is to lose."""
    if not layer_names(run_data):
        return ()
    whole = summarise(run_data.measure("test_accuracy", FINAL).values()).mean
    return (Reference(100 * (whole - 1 / _data(run_data.spec).classes), "down to chance"),)


def _moved(run_data: RunData, measure: str) -> dict[int, list[float]]:
    found = [run_data.measure(measure, layer) for layer in layer_names(run_data)]
    seeds = set.intersection(*(set(one) for one in found)) if found else set()
    return {seed: [one[seed] for one in found] for seed in sorted(seeds)}


# --- claims -----------------------------------------------------------------------------------------------------------

SOURCE = "Zhang, Bengio & Singer 2022, heat maps (MNIST, CIFAR-10)"


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims: fresh values destroy, initial ones do not (main), and what layers differ in (side)."""
    trained = Test(
        f"training accuracy at the end, {100 * TRAINED:g} % at least",
        lambda d: d.measure("train_accuracy", FINAL),
        Rule(low=TRAINED, every=True),
        (FINAL,),
    )
    last = _checkpoints(config)[-1]
    return (
        _destroyed(trained, last, 1 / _data(spec).classes),
        _harmless(trained),
        _heterogeneous(trained),
        _contrast(trained),
        _first_layer(trained),
        _movement(trained),
    )


def _destroyed(trained: Test, last: int, chance: float) -> Claim:
    effect = Test(
        "least drop with a layer drawn anew, of the gap to chance",
        lambda d: _least_share(d, RAND, chance),
        Rule(low=DESTROYED),
        (FINAL,),
        statement="The layer whose fresh draws cost least still costs nearly all accuracy beyond guessing.",
    )
    control = Test(
        f"the same with layers as they were after epoch {last}",
        lambda d: _least_share(d, str(last), chance),
        Rule(low=DESTROYED),
        (FINAL, f"epoch-{last}"),
        statement="A nearly finished layer of the same training must not destroy the network.",
    )
    return Claim(
        "any layer drawn anew destroys the network",
        "Fresh random values in any single layer take a trained network down to guessing.",
        (Criterion(effect, trained, control, published="to about chance", published_source=SOURCE),),
        paper="Zhang, Bengio & Singer 2022",
    )


def _harmless(trained: Test) -> Claim:
    effect = Test(
        "largest drop with a layer's initial values, of that with fresh ones",
        lambda d: _worst_ratio(d, START),
        Rule(high=HARMLESS),
        (FINAL,),
        statement="In every layer, its own initial values cost a quarter at most of what a fresh draw costs.",
    )
    control = Test(
        "the same with another network's initial values",
        lambda d: _worst_ratio(d, OTHER),
        Rule(high=HARMLESS),
        (FINAL,),
        statement="Drawn alike, but not what this network started from: such values must not be harmless.",
    )
    return Claim(
        "a layer put back to its start is nearly harmless",
        "Layers can be put back to the values they started from: the network has learnt around them.",
        (
            Criterion(
                effect, trained, control, published="about 0 for all but the first layers", published_source=SOURCE
            ),
        ),
        paper="Zhang, Bengio & Singer 2022",
    )


def _heterogeneous(trained: Test) -> Claim:
    def ends(run_data: RunData, pick: Callable[[Sequence[float]], float]) -> PerSeed:
        return {seed: pick(row) for seed, row in drops(run_data, START).items()}

    def largest(run_data: RunData) -> float:
        return max((s.mean for s in _over_seeds(drops(run_data, START))), default=math.nan)

    def most_robust(run_data: RunData) -> float:
        found = _over_seeds(drops(run_data, START))
        return min((s.mean / max(ROBUST, 2 * s.sd / math.sqrt(s.n)) for s in found if s.n > 1), default=math.nan)

    critical = Test(
        "largest mean drop with a layer's initial values",
        partial(ends, pick=max),
        Rule(low=CRITICAL),
        (FINAL,),
        largest,
    )
    robust = Test(
        "least mean drop over max(1 point, 2 standard errors)",
        lambda d: {seed: value / ROBUST for seed, value in ends(d, min).items()},
        Rule(high=1.0),
        (FINAL,),
        most_robust,
    )
    return Claim(
        "critical and robust layers side by side",
        "Put back to its start, at least one layer costs ten points or more, and at least one costs nothing.",
        (Criterion(critical, trained), Criterion(robust, trained)),
        main=False,
        paper="Zhang, Bengio & Singer 2022",
    )


def _contrast(trained: Test) -> Claim:
    def contrast(run_data: RunData) -> PerSeed:
        fresh = drops(run_data, RAND)
        return {
            seed: (math.fsum(fresh[seed]) - math.fsum(row)) / len(row)
            for seed, row in drops(run_data, START).items()
            if seed in fresh
        }

    effect = Test("mean drop, fresh values minus initial ones", contrast, Rule(low=CONTRAST), (FINAL,))
    return Claim(
        "fifty points between fresh and initial values",
        "On the mean over the layers, fresh values cost at least fifty points more than initial ones.",
        (Criterion(effect, trained),),
        main=False,
    )


def _first_layer(trained: Test) -> Claim:
    first = Test(
        "drop with the first layer's initial values",
        lambda d: {seed: row[0] for seed, row in drops(d, START).items()},
        Rule(low=CRITICAL),
        (FINAL,),
    )
    ahead = Test(
        "the same minus the largest drop of the other layers",
        lambda d: {seed: row[0] - max(row[1:]) for seed, row in drops(d, START).items() if len(row) > 1},
        Rule(low=0.0, strict=True),
        (FINAL,),
    )
    return Claim(
        "the first layer is the critical one",
        "What a network learns that it did not start with sits in its first layer above all.",
        (Criterion(first, trained), Criterion(ahead, trained)),
        main=False,
        paper="Zhang, Bengio & Singer 2022",
    )


def _movement(trained: Test) -> Claim:
    def rank(run_data: RunData, measure: str) -> PerSeed:
        moved = _moved(run_data, measure)
        return {seed: spearman(moved[seed], row) for seed, row in drops(run_data, START).items() if seed in moved}

    tests = [
        Test(
            f"rank correlation of drop and {words}",
            partial(rank, measure=measure),
            Rule(high=PREDICTS, strict=True),
            (FINAL,),
        )
        for words, measure in (("relative movement", MOVED), ("largest change", LARGEST))
    ]
    return Claim(
        "movement does not predict what is critical",
        "How far a layer moved, in either norm, does not say how much putting it back costs.",
        tuple(Criterion(test, trained) for test in tests),
        main=False,
        paper="Zhang, Bengio & Singer 2022",
    )


# --- declaration ------------------------------------------------------------------------------------------------------

ALL = {"n": 0, "test": 0}
UNVERIFIED = (
    "Unverified: learning rate, batch size and initialiser; the learning rate falls smoothly here, the paper lowers it "
    "in steps"
)
LILLOG = ALL | {"optimiser": "adam", "lr": 0.002, "decay": 0.933, "batch": 128, "checkpoints": (1, 2, 3, 8, 40)}
LILLOG_NOTE = (
    "Lil'Log's replication on MNIST: Adam at 0.002, halved every ten epochs (here smoothly), but with fresh draws of "
    "the real initialiser, where its code draws uniformly from 0 to 1. Batch size unverified"
)
CONVOLVED = ALL | {"batch": 128, "decay": 0.96, "checkpoints": (1, 2, 3, 8, 40)}

PHENOMENON = Phenomenon(
    name="layer-robustness",
    title="Layer robustness",
    group="Layers",
    question="Does a trained network need what every one of its layers has learnt?",
    explanation=(
        "Train a network, then take one layer and put it back to the values that it had before training, leave all "
        "others as they are and train nothing again. One would expect ruin: a layer full of noise in the middle of a "
        "finished network. Often next to nothing happens: the network has learnt around the values it started from, "
        "and such a layer is called robust; a layer whose loss hurts is called critical. Noise as such does not do: "
        "other random values, drawn in the very same way, take the network down to guessing. Read the heat map row by "
        "row: a row is a layer, its first cell what fresh random values cost in points of test accuracy, the next one "
        "what its own initial values cost, then its values after some epochs. The control of the second claim puts "
        "in the initial values of another network. How much of this is seen depends on the task: on easy digits going "
        "back costs a few points in any layer, on harder data (preset `hard-data`) a good part of what fresh values "
        "cost. Where training hardly moves the weights, all layers look robust for a dull reason, so the "
        "movement of every layer is drawn too. Biases belong to their layer; with batch norm so do its scale and "
        "shift, while running statistics stay those of the trained network. In VGG and ResNets a layer is a kernel or "
        "matrix with the vectors that follow it."
    ),
    papers=(ZHANG_LAYERS,),
    config=Config,
    presets={
        "quick": Preset(seeds=5, data="digits", note="3x256 on 1,200 digits, well under a minute"),
        "hard-data": Preset(
            ALL,
            seeds=5,
            data="mnist1d",
            note="the honest counter-example: the same network on MNIST-1D, where putting back a layer costs a good "
            "part of what fresh values cost; expected NOT SHOWN",
        ),
        "deep": Preset({"network": "mlp-4x128"}, seeds=5, data="digits", note="4x128: deeper and narrower"),
        "standard": Preset(
            {"n": 10_000, "draws": 10}, seeds=10, data="fashion-mnist", note="3x256 on 10,000 images, ten seeds"
        ),
        "paper": Preset(
            ALL | {"batch": 128, "lr": 0.1, "decay": 0.96, "checkpoints": (1, 2, 3, 8, 90), "draws": 10},
            seeds=5,
            data="mnist",
            note=f"the paper's 3x256 on MNIST, 100 epochs: about 20 minutes on two cores, an estimate. {UNVERIFIED}",
        ),
        "lillog": Preset(LILLOG, seeds=3, data="mnist", note=LILLOG_NOTE),
        "lillog-deep": Preset(LILLOG | {"network": "mlp-4x128"}, seeds=3, data="mnist", note=f"4x128. {LILLOG_NOTE}"),
        "vgg-11": Preset(
            CONVOLVED | {"network": "vgg-11", "lr": 0.01},
            seeds=3,
            data="cifar10",
            note=f"the paper's VGG-11 on CIFAR-10, without batch norm. {UNVERIFIED}",
            gpu="about 30 minutes and 8 GB, an estimate",
        ),
        "resnet-18": Preset(
            CONVOLVED | {"network": "resnet-18", "lr": 0.1},
            seeds=3,
            data="cifar10",
            note=f"a ResNet-18 on CIFAR-10; {BATCH_NORM_NOTE} (the paper's networks are without batch norm first). "
            f"{UNVERIFIED}",
            gpu="about 1.5 hours and 10 GB, an estimate",
        ),
    },
    data=("digits", "mnist1d", "mnist5k", "mnist", "fashion-mnist", "kmnist", "cifar10", "svhn"),
    refused={
        "cifar100": "a network that small is right on less than the fifty points that the claims are about",
    },
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(
        Metric("train_loss", "training loss", log=True, higher_is_better=False, unit="nats"),
        Metric("train_accuracy", "training accuracy"),
        Metric("test_loss", "test loss", log=True, higher_is_better=False, unit="nats"),
        Metric("test_accuracy", "test accuracy"),
    ),
    # Early stopping ends a network at its best weights: its checkpoints would not be its past.
    regularisers=tuple(r.name for r in REGULARISERS if r.name != "early-stopping"),
    headline=(
        "largest drop with a layer's initial values, of that with fresh ones",
        "least drop with a layer drawn anew, of the gap to chance",
        "test_accuracy:final",
    ),
)
