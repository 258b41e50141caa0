"""Given weights scored without training, and layers taken from one network to another: against plain modules."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from genlab_tui.errors import BadValue
from genlab_tui.training import assess as assess_module
from genlab_tui.training.assess import Point, assess
from genlab_tui.training.layers import initial, layers, movement, swaps
from genlab_tui.training.members import FINALS, Member, Recipe, Samples
from genlab_tui.training.population import Population

BASE = Recipe((12, 9), "sgd", 0.05, batch=10, epochs=4, target=2)
NORM = dataclasses.replace(BASE, regularisers={"batch-norm": 0.2})
LINEAR = dataclasses.replace(BASE, hidden=())
IMAGES = dataclasses.replace(BASE, hidden=(), network="resnet-20", batch=8, epochs=1)


def _numbers(recipe: Recipe, samples: Samples, seed: int) -> tuple[Tensor, Tensor]:
    """Return parameters and statistics that are nobody's initial ones."""
    network = initial(recipe, seed, samples)
    source = torch.Generator().manual_seed(seed)
    flat, statistics = network.parameters.flat, network.statistics.flat
    changed = flat + 0.2 * torch.randn(flat.shape, generator=source, dtype=flat.dtype)
    return changed, statistics + 0.3 * torch.rand(statistics.shape, generator=source, dtype=flat.dtype)


def _points(recipe: Recipe, samples: Samples, count: int) -> list[Point]:
    return [Point(*_numbers(recipe, samples, 3 + k), inputs=k % 2, labels=k % 3) for k in range(count)]


def _plainly(
    kit: SimpleNamespace, recipe: Recipe, point: Point, samples: Samples, part: str, n: int = 0
) -> tuple[float, float]:
    """Score a point by its module, all samples at once."""
    network = initial(recipe, 0, samples)
    network.parameters.flat.copy_(point.parameters)
    if point.statistics is not None and point.statistics.numel():
        network.statistics.flat.copy_(point.statistics)
    module: nn.Module = getattr(network, "module", None) or kit.module_of(network, 0)
    module.eval()
    x, y = samples.test_inputs[point.inputs], samples.test_labels[point.inputs]
    if part == "train":
        x, y = samples.inputs[point.inputs][: n or None], samples.labels[point.labels][: n or None]
    if recipe.network:
        x = x.view(-1, *samples.shape)
    with torch.no_grad():
        outputs = module(x)
        target = nn.functional.one_hot(y, samples.classes).to(outputs.dtype)
        return float(kit.loss_of(outputs, target, recipe.loss)), float((outputs.argmax(1) == y).double().mean())


@pytest.mark.parametrize("at_once", [0, 1, 2, 3, 7, 50])
@pytest.mark.parametrize("recipe", [BASE, NORM, LINEAR, dataclasses.replace(BASE, loss="squared")])
def test_every_point_gets_the_numbers_of_its_own_network(kit: SimpleNamespace, recipe: Recipe, at_once: int) -> None:
    """However they are cut into chunks: other inputs, labels, running statistics beside it change nothing."""
    samples = kit.make_samples()
    points = _points(recipe, samples, 7)
    found = list(assess(points, recipe, samples, at_once=at_once))
    assert len(found) == 7
    for point, scores in zip(points, found, strict=True):
        assert set(scores) == set(FINALS)
        for part in ("train", "test"):
            loss, accuracy = _plainly(kit, recipe, point, samples, part)
            assert scores[f"{part}_loss"] == pytest.approx(loss, rel=1e-10)
            assert scores[f"{part}_accuracy"] == pytest.approx(accuracy, abs=1e-12)


def test_networks_by_name_are_scored_in_turn(kit: SimpleNamespace) -> None:
    samples = kit.make_samples(n=12, k=9, shape=(1, 8, 8))
    points = _points(IMAGES, samples, 3)
    for point, scores in zip(points, assess(points, IMAGES, samples), strict=True):
        for part in ("train", "test"):
            loss, accuracy = _plainly(kit, IMAGES, point, samples, part)
            assert scores[f"{part}_loss"] == pytest.approx(loss, rel=1e-9)
            assert scores[f"{part}_accuracy"] == pytest.approx(accuracy, abs=1e-12)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_no_number(kit: SimpleNamespace, threads: int) -> None:
    samples = kit.make_samples()
    points = _points(NORM, samples, 11)
    one = list(assess(points, NORM, samples, at_once=2, threads=1))
    assert list(assess(points, NORM, samples, at_once=2, threads=threads)) == one


def test_only_what_is_asked_for(kit: SimpleNamespace) -> None:
    samples = kit.make_samples()
    (point,) = _points(BASE, samples, 1)
    (test,) = assess([point], BASE, samples, on=("test",))
    assert set(test) == {"test_loss", "test_accuracy"}
    (some,) = assess([point], BASE, samples, on=("train",), n=17)
    assert some["train_loss"] == pytest.approx(_plainly(kit, BASE, point, samples, "train", 17)[0], rel=1e-10)


def test_as_trained(kit: SimpleNamespace) -> None:
    """The numbers that training itself reported of its last step, batch norm's running statistics among them."""
    samples = kit.make_samples()
    members = [Member("true", 1), Member("other", 2, inputs=1, labels=2)]
    state = kit.run(members, samples, NORM).state
    points = [Point(*state.weights[i], members[i].inputs, members[i].labels) for i in range(2)]
    for i, scores in enumerate(assess(points, NORM, samples)):
        assert scores == pytest.approx({name: state.outcomes[i].values[name] for name in FINALS}, rel=1e-10)


def test_points_are_taken_as_they_are_needed(kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice of thousands of networks is never in memory as a whole; a stop is obeyed in between."""
    samples = kit.make_samples()
    taken = polls = 0

    def endless() -> Iterator[Point]:
        nonlocal taken
        for point in itertools.cycle(_points(BASE, samples, 2)):
            taken += 1
            yield point

    def poll() -> None:
        nonlocal polls
        polls += 1

    scores = assess(endless(), BASE, samples, at_once=3, threads=2, poll=poll)
    first = [next(scores) for _ in range(6)]
    assert (len(first), taken, polls) == (6, 6, 0)
    next(scores)
    assert (taken, polls) == (12, 1)
    scores.close()  # type: ignore[attr-defined]
    monkeypatch.setitem(assess_module.BYTES, "cpu", 1)
    (alone,) = assess([_points(BASE, samples, 1)[0]], BASE, samples)
    assert alone == pytest.approx(first[0], rel=1e-10)


def test_what_cannot_be_scored_is_said(kit: SimpleNamespace) -> None:
    samples = kit.make_samples()
    (point,) = _points(BASE, samples, 1)
    with pytest.raises(BadValue, match="no part 'validation'"):
        list(assess([point], BASE, samples, on=("validation",)))
    with pytest.raises(BadValue, match="no samples"):
        list(assess([point], BASE, samples, on=()))
    with pytest.raises(BadValue, match="do not fit a network"):
        list(assess([point], LINEAR, samples))
    with pytest.raises(BadValue, match="statistics do not fit"):
        list(assess([Point(_numbers(NORM, samples, 1)[0])], NORM, samples))
    images = kit.make_samples(n=4, k=4, shape=(1, 8, 8))
    with pytest.raises(BadValue, match="do not fit a network"):
        list(assess([point], IMAGES, images))
    assert list(assess([], BASE, samples)) == []


# --- layers -----------------------------------------------------------------------------------------------------------


def _ones(places: Any, flat: Tensor) -> Tensor:
    """Return which numbers of a network a layer has."""
    return places.put(torch.zeros_like(flat), torch.ones_like(flat))


@pytest.mark.parametrize("recipe", [BASE, NORM, LINEAR, dataclasses.replace(BASE, hidden=(5, 6, 7, 8))])
def test_layers_of_a_perceptron_share_out_all_numbers(kit: SimpleNamespace, recipe: Recipe) -> None:
    """Each number in one layer; a layer is its matrix with its bias (or scale and shift)."""
    samples = kit.make_samples()
    network = initial(recipe, 1, samples)
    flat = network.parameters.flat
    found = layers(network)
    assert [layer.name for layer in found] == [f"fc{k}" for k in range(1, len(recipe.hidden) + 2)]
    assert torch.equal(sum(_ones(layer, flat) for layer in found), torch.ones_like(flat))
    sizes = (samples.features, *recipe.hidden, samples.classes)
    norm = "batch-norm" in recipe.regularisers
    for k, layer in enumerate(found):
        vectors = 2 if norm and k < len(recipe.hidden) else 1
        assert layer.of(flat).numel() == sizes[k] * sizes[k + 1] + vectors * sizes[k + 1]


@pytest.mark.parametrize("recipe", [BASE, NORM])
def test_a_bias_belongs_to_its_layer(kit: SimpleNamespace, recipe: Recipe) -> None:
    """Replacing a layer changes in the module exactly the linear layer and, with batch norm, the one behind it."""
    samples = kit.make_samples()
    mine, theirs = (_numbers(recipe, samples, seed)[0] for seed in (1, 2))

    def module(flat: Tensor) -> nn.Sequential:
        network = initial(recipe, 0, samples)
        network.parameters.flat.copy_(flat)
        built: nn.Sequential = kit.module_of(network, 0)
        return built

    own, other = module(mine), module(theirs)
    norm = "batch-norm" in recipe.regularisers
    for k, layer in enumerate(layers(initial(recipe, 0, samples))):
        changed = module(layer.put(mine, theirs))
        linears = [i for i, part in enumerate(own) if isinstance(part, nn.Linear)]
        expected = {linears[k], linears[k] + 1} if norm else {linears[k]}
        for i in range(len(own)):
            for name, tensor in changed[i].named_parameters():
                source = other if i in expected else own
                assert torch.equal(tensor, source[i].get_parameter(name)), (layer.name, i, name)


RESNET_20 = [
    "conv1",
    *(f"stage{s}.block{b}.conv{c}" for s in (1, 2, 3) for b in (1, 2, 3) for c in (1, 2)),
    "fc1",
]


@pytest.mark.parametrize(
    ("network", "norm", "names"),
    [
        ("vgg-11", False, [*(f"conv{k}" for k in range(1, 9)), "fc1"]),
        ("vgg-11", True, [*(f"conv{k}" for k in range(1, 9)), "fc1"]),
        ("resnet-20", False, RESNET_20),
    ],
)
def test_layers_of_modules(kit: SimpleNamespace, network: str, norm: bool, names: list[str]) -> None:
    """A kernel with the vectors that follow it: its bias, or the scale and shift of its batch norm."""
    samples = kit.make_samples(n=4, k=4, shape=(1, 8, 8), dtype=torch.float32)
    recipe = dataclasses.replace(IMAGES, network=network, regularisers={"batch-norm": 0.1} if norm else {})
    population: Any = initial(recipe, 1, samples)
    flat = population.parameters.flat
    found = layers(population)
    assert [layer.name for layer in found] == names
    assert torch.equal(sum(_ones(layer, flat) for layer in found), torch.ones_like(flat))
    before = {name: p.detach().clone() for name, p in population.module.named_parameters()}
    flat.copy_(found[1].put(flat, torch.full_like(flat, 7.0)))
    changed = [name for name, p in population.module.named_parameters() if not torch.equal(p, before[name])]
    second = {"vgg-11": ["4.weight", "4.bias", "5.weight", "5.bias"] if norm else ["3.weight", "3.bias"]}
    expected = second.get(network, ["3.conv1.weight", "3.bn1.weight", "3.bn1.bias"])
    assert changed == [name for name in expected if name in before]
    assert all(bool((population.module.get_parameter(name) == 7).all()) for name in changed)


def test_a_projection_is_a_layer_of_its_own(kit: SimpleNamespace) -> None:
    samples = kit.make_samples(n=4, k=4, shape=(1, 8, 8), dtype=torch.float32)
    names = [layer.name for layer in layers(initial(dataclasses.replace(IMAGES, network="resnet-18:2"), 1, samples))]
    assert names[:5] == ["conv1", *(f"stage1.block{b}.conv{c}" for b in (1, 2) for c in (1, 2))]
    assert [name for name in names if "shortcut" in name] == [f"stage{s}.block1.shortcut" for s in (2, 3, 4)]
    assert len(names) == 21


@pytest.mark.parametrize("recipe", [BASE, NORM, dataclasses.replace(BASE, init="torch"), IMAGES])
def test_the_initial_network_is_the_one_that_training_starts_from(kit: SimpleNamespace, recipe: Recipe) -> None:
    samples = kit.make_samples(n=16, k=4, shape=(1, 8, 8))
    still = dataclasses.replace(recipe, lr=1e-300, epochs=1)
    state = kit.run([Member("still", 5)], samples, still).state
    torch.testing.assert_close(state.weights[0][0], initial(recipe, 5, samples).parameters.flat, rtol=0, atol=1e-250)
    assert not torch.allclose(state.weights[0][0], initial(recipe, 6, samples).parameters.flat, atol=1e-3)


def test_swaps_replace_one_layer_and_keep_running_statistics(kit: SimpleNamespace) -> None:
    samples = kit.make_samples()
    network: Population = initial(NORM, 0, samples)
    places = layers(network)
    (mine, statistics), others = _numbers(NORM, samples, 1), [_numbers(NORM, samples, k)[0] for k in (2, 3, 4)]
    whole = Point(mine, statistics, 1, 2)
    found = list(swaps(whole, places, {"two": others[:2], "one": others[2:], "own": [mine]}))
    assert [key for key, _ in found] == [(layer.name, n) for layer in places for n in ("two", "two", "one", "own")]
    for (name, source), point in found:
        assert point.statistics is statistics
        assert (point.inputs, point.labels) == (1, 2)
        if source == "own":
            assert torch.equal(point.parameters, mine)
        for layer in places:
            same = torch.equal(layer.of(point.parameters), layer.of(mine))
            assert same == (layer.name != name or source == "own")
    assert torch.equal(mine, _numbers(NORM, samples, 1)[0]), "the network itself is left as it is"


def test_movement(kit: SimpleNamespace) -> None:
    samples = kit.make_samples()
    places = layers(initial(BASE, 0, samples))
    start = initial(BASE, 0, samples).parameters.flat
    end = places[1].put(start, 3 * start)
    assert movement(places[0], start, end) == (0.0, 0.0)
    relative, largest = movement(places[1], start, end)
    assert relative == pytest.approx(2.0)
    assert largest == pytest.approx(2 * float(places[1].of(start).abs().max()))
