"""The convolutional networks: the papers' counts, what the training loop relies on, and what is refused."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from genlab_tui.errors import BadValue
from genlab_tui.models.networks import NETWORKS, build, check, parameter_count, resolve

CIFAR, CROPPED, MNIST, DIGITS = (3, 32, 32), (3, 28, 28), (1, 28, 28), (1, 8, 8)

# Every network of images, narrow where it may be, and with batch norm where it is optional.
OF_IMAGES = [n for n in NETWORKS.values() if not n.sequential]
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((f"{n.name}:{8 if n.width > 1 else 1}" if n.width else n.name, {}) for n in OF_IMAGES),
    *((n.name, {"batch_norm": True}) for n in OF_IMAGES if n.has_batch_norm == "optional"),
]
each_variant = pytest.mark.parametrize(
    ("name", "options"), VARIANTS, ids=lambda v: "bn" if v == {"batch_norm": True} else v or ""
)


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def _double(name: str, shape: tuple[int, ...], **options: Any) -> nn.Module:
    return build(name, shape, 10, **options).double()


def _images(shape: tuple[int, ...], count: int = 4) -> Tensor:
    return torch.randn(count, *shape, dtype=torch.float64)


def _of(module: nn.Module, kind: type[nn.Module]) -> list[Any]:
    return [m for m in module.modules() if isinstance(m, kind)]


def _biases_under_batch_norm(module: nn.Module) -> set[int]:
    """Return the identities of biases that the batch norm right behind them takes out."""
    found = set()
    for parent in _of(module, nn.Sequential):
        for first, second in zip(parent, list(parent)[1:], strict=False):
            if isinstance(first, nn.Conv2d) and first.bias is not None and isinstance(second, nn.BatchNorm2d):
                found.add(id(first.bias))
    return found


# --- what the papers state --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shape", "options", "count"),
    [
        ("small-inception", CROPPED, {}, 1_649_402),
        ("small-inception", CROPPED, {"batch_norm": True}, 1_649_402),
        ("small-alexnet", CROPPED, {}, 1_387_786),
        ("cnn-5", CIFAR, {}, 1_558_026),
        ("cnn-5:64", CIFAR, {}, 1_558_026),
        ("lenet", MNIST, {}, 44_426),
        ("lenet", CIFAR, {}, 62_006),
    ],
)
def test_parameter_counts_are_the_papers(name: str, shape: tuple[int, ...], options: Any, count: int) -> None:
    assert parameter_count(name, shape, 10, **options) == count


@pytest.mark.parametrize(
    ("name", "convolutions", "everything"),
    [("conv-2", 38_592, 4_300_992), ("conv-4", 259_776, 2_425_024), ("conv-6", 1_144_512, 2_261_184)],
)
def test_conv_k_has_the_weights_of_the_papers_table(name: str, convolutions: int, everything: int) -> None:
    """The table says 38K of 4.3M, 260K of 2.4M, 1.1M of 1.7M; the last total does not follow from its layers."""
    network = build(name, CIFAR, 10)
    dense = [m.weight for m in _of(network, nn.Linear)]
    assert sum(m.weight.numel() for m in _of(network, nn.Conv2d)) == convolutions
    assert [tuple(w.shape) for w in dense[1:]] == [(256, 256), (10, 256)]
    assert convolutions + sum(w.numel() for w in dense) == everything


@each_variant
def test_counting_draws_nothing_and_agrees_with_what_is_built(name: str, options: Any) -> None:
    before = torch.get_rng_state()
    count = parameter_count(name, MNIST, 7, **options)
    assert torch.equal(torch.get_rng_state(), before)
    assert count == sum(p.numel() for p in build(name, MNIST, 7, **options).parameters())


def test_a_width_scales_the_stages() -> None:
    widths = [m.num_features for m in _of(build("resnet-18:16", CIFAR, 10), nn.BatchNorm2d)]
    assert sorted(set(widths)) == [16, 32, 64, 128]
    assert [m.out_channels for m in _of(build("cnn-5:4", CIFAR, 10), nn.Conv2d)] == [4, 8, 16, 32]
    assert {m.out_channels for m in _of(build("resnet-20:2", CIFAR, 10), nn.Conv2d)} == {32, 64, 128}
    assert len(_of(build("resnet-20", CIFAR, 10), nn.Conv2d)) + 1 == 20  # option A adds no convolution
    assert [resolve(n)[1] for n in ("resnet-18", "resnet-18:3", "resnet-20", "lenet")] == [64, 3, 1, 0]


def test_resnet_18_is_torchvisions_behind_another_stem() -> None:
    from torchvision.models import resnet18

    reference = resnet18(num_classes=10)
    reference.conv1, reference.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    reference = reference.double()
    network = _double("resnet-18", CIFAR)
    for mine, theirs in zip(network.parameters(), reference.parameters(), strict=True):
        theirs.data.copy_(mine.data)
    x = _images(CIFAR)
    torch.testing.assert_close(network(x), reference(x))


@pytest.mark.parametrize("batch_norm", [False, True])
def test_vgg_11_has_torchvisions_features(batch_norm: bool) -> None:
    from torchvision.models.vgg import cfgs, make_layers

    features = make_layers(cfgs["A"], batch_norm=batch_norm).double()
    network = _double("vgg-11", CIFAR, batch_norm=batch_norm)
    for kind in (nn.Conv2d, nn.BatchNorm2d):
        for mine, theirs in zip(_of(network, kind), _of(features, kind), strict=True):
            theirs.weight.data.copy_(mine.weight.data)
            theirs.bias.data.zero_()
    x = _images(CIFAR)
    torch.testing.assert_close(network(x), _of(network, nn.Linear)[0](features(x).mean((2, 3))))


def test_channel_norm_is_local_response_normalisation() -> None:
    from genlab_tui.models.conv import ChannelNorm

    x = 10 * _images((20, 5, 4))
    torch.testing.assert_close(ChannelNorm()(x), nn.LocalResponseNorm(9, alpha=0.001, beta=0.75, k=1.0)(x))


def test_the_shortcut_of_resnet_20_keeps_every_second_pixel_and_adds_empty_channels() -> None:
    from genlab_tui.models.resnet import Padded

    x = _images((4, 7, 8))
    out = Padded(4, 8)(x)
    assert out.shape == (4, 8, 4, 4)
    assert torch.equal(out[:, :4], x[:, :, ::2, ::2])
    assert not out[:, 4:].any()


# --- what the training loop relies on ---------------------------------------------------------------------------------


@each_variant
@pytest.mark.parametrize("shape", [CIFAR, MNIST, (2, 21, 17), DIGITS], ids=lambda s: "x".join(map(str, s)))
def test_every_parameter_takes_part(name: str, options: Any, shape: tuple[int, ...]) -> None:
    """On images of any size from the smallest on; a bias under batch norm alone has no effect, whatever its value."""
    smallest = NETWORKS[name.partition(":")[0]].smallest
    shape = (shape[0], max(shape[1], smallest), max(shape[2], smallest))
    network = _double(name, shape, **options)
    assert all(p.dtype == torch.float64 for p in network.parameters())
    z = network(_images(shape, 6))
    assert z.shape == (6, 10)
    (z * torch.randn_like(z)).sum().backward()
    idle = _biases_under_batch_norm(network)
    assert bool(idle) == name.startswith("cnn-5")
    for parameter_name, p in network.named_parameters():
        assert p.grad is not None, parameter_name
        assert p.grad.isfinite().all(), parameter_name
        assert (p.grad.abs().max() > 1e-9) == (id(p) not in idle), parameter_name


@each_variant
def test_the_memory_format_changes_nothing_and_eval_repeats_itself_for_one_image_too(name: str, options: Any) -> None:
    network = _double(name, MNIST, dropout=0.5, **options)
    network(_images(MNIST, 8))  # running statistics of their own
    network.eval()
    x = _images((1, 28, 28), 3)
    with torch.no_grad():
        z = network(x)
        assert torch.equal(z, network(x))
        torch.testing.assert_close(network(x[:1]), z[:1], rtol=0, atol=1e-10)
        network = network.to(memory_format=torch.channels_last)
        moved = network(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(moved, z, rtol=0, atol=1e-10)


@each_variant
def test_channels_last_has_the_same_gradients(name: str, options: Any) -> None:
    shape = (3, 16, 16)
    network, x = _double(name, shape, **options), _images(shape)
    gradients = []
    for memory in (torch.contiguous_format, torch.channels_last):
        network = network.to(memory_format=memory)
        network.zero_grad()
        network(x.contiguous(memory_format=memory)).square().sum().backward()
        gradients.append([p.grad.clone() for p in network.parameters() if p.grad is not None])
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-8, atol=1e-10)


@each_variant
def test_batch_norm_is_there_when_it_should_be_and_has_the_momentum(name: str, options: Any) -> None:
    network = build(name, MNIST, 10, batch_norm_momentum=0.03, **options)
    norms = _of(network, nn.BatchNorm2d)
    expected = NETWORKS[name.partition(":")[0]].has_batch_norm == "always" or bool(options)
    assert bool(norms) == expected
    assert {norm.momentum for norm in norms} <= {0.03}
    averages = {key for key, b in network.named_buffers() if b.is_floating_point()}
    assert all(key.endswith(("running_mean", "running_var")) for key in averages)
    assert len(averages) == 2 * len(norms)


@pytest.mark.parametrize("name", [n.name for n in NETWORKS.values() if n.has_batch_norm == "always"])
def test_asking_for_batch_norm_that_is_there_anyway_is_no_mistake(name: str) -> None:
    counts = {parameter_count(name, MNIST, 10, batch_norm=asked) for asked in (False, True)}
    assert len(counts) == 1


@each_variant
def test_dropout_is_modules_that_can_be_switched_on_later(name: str, options: Any) -> None:
    network = build(name, MNIST, 10, **options)
    modules = _of(network, nn.Dropout)
    assert [m.p for m in modules] == [0.0] * len(modules)
    assert len(modules) == max(1, len(_of(network, nn.Linear)) - 1)
    assert {m.p for m in _of(build(name, MNIST, 10, dropout=0.3, **options), nn.Dropout)} == {0.3}
    x = torch.randn(5, *MNIST)
    assert torch.equal(network(x), network(x))  # batch statistics of the same batch
    for module in modules:
        module.p = 0.5
    assert not torch.equal(network(x), network(x))


@each_variant
def test_the_draw_is_the_global_generators_alone(name: str, options: Any) -> None:
    drawn = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        random.seed(len(drawn))
        state = np.random.get_state()[1].copy()  # type: ignore[index]
        drawn.append(torch.cat([p.detach().flatten() for p in build(name, MNIST, 10, **options).parameters()]))
        assert (np.random.get_state()[1] == state).all()  # type: ignore[index]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize(
    ("name", "options", "variance"),
    [
        ("small-inception", {}, lambda inside, out: 2 / (inside + out)),
        ("small-inception", {"batch_norm": True}, lambda inside, out: 2 / (inside + out)),
        ("small-alexnet", {}, lambda inside, out: 2 / (inside + out)),
        ("conv-6", {}, lambda inside, out: 2 / (inside + out)),
        ("vgg-11", {}, lambda inside, out: 2 / out),
        ("resnet-18", {}, lambda inside, out: 2 / out),
        ("resnet-20", {}, lambda inside, out: 2 / out),
        ("cnn-5", {}, lambda inside, out: 1 / (3 * inside)),
        ("lenet", {}, lambda inside, out: 1 / (3 * inside)),
    ],
)
def test_initial_weights_have_the_spread_that_is_stated(name: str, options: Any, variance: Any) -> None:
    for module in _of(build(name, CROPPED, 10, **options), nn.Conv2d):
        area = math.prod(module.kernel_size)
        expected = math.sqrt(variance(module.in_channels * area, module.out_channels * area))
        assert module.weight.std().item() == pytest.approx(expected, rel=6 / math.sqrt(module.weight.numel()))
        if module.bias is not None and name not in ("cnn-5", "lenet"):
            assert not module.bias.any()


def test_the_inception_normalises_with_a_shift_and_no_scale() -> None:
    plain, normalised = (build("small-inception", CROPPED, 10, batch_norm=asked) for asked in (False, True))
    assert all(c.bias is not None for c in _of(plain, nn.Conv2d))
    assert all(c.bias is None for c in _of(normalised, nn.Conv2d))
    assert all(n.weight is None and n.bias is not None for n in _of(normalised, nn.BatchNorm2d))
    assert [m.out_channels for m in _of(plain, nn.Conv2d)][:5] == [96, 32, 32, 32, 48]


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("small-inceptoin", "did you mean 'small-inception'"),
        ("mlp-1x512", "there is no network"),
        ("", "known: small-inception"),
        ("vgg-11:32", "one width only"),
        ("lenet:", "one width only"),
        *(
            (f"resnet-18:{width}", "whole number from 1 to 256")
            for width in ("", "0", "257", "-1", "1.5", "x", "²", "8:8")
        ),
    ],
)
def test_names_that_mean_nothing_are_refused(name: str, message: str) -> None:
    for call in (lambda: resolve(name), lambda: check(name, CIFAR), lambda: build(name, CIFAR, 10)):
        with pytest.raises(BadValue) as caught:
            call()
        assert message in str(caught.value)


@pytest.mark.parametrize("name", [n.name for n in OF_IMAGES])
def test_inputs_that_are_no_images_or_too_small_are_refused(name: str) -> None:
    least = NETWORKS[name].smallest
    for shape in ((), (64,), (8, 8), (3, 32, 32, 1), (0, 32, 32)):
        for call in (lambda s: check(name, s), lambda s: build(name, s, 10)):
            with pytest.raises(BadValue, match="needs images \\(channels, height, width\\)"):
                call(shape)
    for shape in ((3, least - 1, 40), (3, 40, least - 1)):
        with pytest.raises(BadValue, match=f"at least {least}x{least} pixels"):
            check(name, shape)
    assert build(name, (5, least, least + 3), 3)(torch.randn(2, 5, least, least + 3)).shape == (2, 3)


@pytest.mark.parametrize("name", [n.name for n in OF_IMAGES if n.has_batch_norm == "never"])
def test_batch_norm_is_refused_where_the_network_has_none(name: str) -> None:
    with pytest.raises(BadValue, match=f"{name} has no batch norm .*small-inception"):
        build(name, CIFAR, 10, batch_norm=True)


def test_names_and_checks_need_no_torch() -> None:
    code = (
        "import sys\n"
        "from genlab_tui.models.networks import NETWORKS, check, resolve\n"
        "[check(name, (40,) if n.sequential else (3, 32, 32)) for name, n in NETWORKS.items()]\n"
        "resolve('resnet-18:8')\n"
        "assert not {'torch', 'torchvision', 'numpy'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("depth", "published"), [(14, 1.12e3), (110, 8.29e3), (866, 64.7e3)])
def test_resnets_of_a_depth_have_the_papers_scales_and_shifts(depth: int, published: float) -> None:
    """Frankle, Schwab & Morcos 2021 count them; a network of that depth has as many layers beside its shortcuts."""
    with torch.device("meta"):
        network = build(f"cifar-resnet:{depth}", CIFAR, 10)
    count = sum(2 * m.num_features for m in _of(network, nn.BatchNorm2d))
    assert count == pytest.approx(published, rel=0.005)
    assert sum(m.kernel_size == (3, 3) for m in _of(network, nn.Conv2d)) + 1 == depth


@pytest.mark.parametrize(
    ("name", "words"), [("cifar-resnet:15", "14"), ("cifar-resnet:2", "8"), ("cifar-resnet:0", "14")]
)
def test_resnets_come_in_depths_of_six_n_and_two(name: str, words: str) -> None:
    with pytest.raises(BadValue) as caught:
        resolve(name)
    assert words in str(vars(caught.value))
