"""Networks really trained on after their last error, in the lab's own way, judged by the declared claims."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from genlab_tui.figure import Figure, HeatMap
from genlab_tui.phenomena._neural_collapse.claims import since_fit
from genlab_tui.phenomena._neural_collapse.config import COSINES, METRICS, NC1, NC3, fit_of
from genlab_tui.phenomena.neural_collapse import PHENOMENON
from genlab_tui.rundata import RunData
from genlab_tui.training import modules
from genlab_tui.training.collapse import features_of, output_weight
from genlab_tui.training.members import Recipe, Samples
from genlab_tui.verdict import Status, judge

OWN, NONE = "wd-0.005", "wd-0"
SMALL: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 300, "width": 64, "epochs": 100, "batch": 64, "weight_decays": "0.005 0"},
    "first_seed": 107_000,  # seeds that no pilot used
}
TINY: dict[str, Any] = {
    "data": "digits",
    "values": {"n": 60, "width": 24, "layers": 2, "epochs": 40, "batch": 16, "weight_decays": "0.005 0"},
    "seeds": 2,
    "first_seed": 107_000,
}


def test_features_contract_after_the_last_error_and_more_with_weight_decay(
    run_phenomenon: Callable[..., RunData],
) -> None:
    run_data = run_phenomenon(PHENOMENON, **SMALL)
    own, none = since_fit(run_data, NC1, OWN), since_fit(run_data, NC1, NONE)
    duality = since_fit(run_data, NC3, OWN)
    assert set(own) == set(none) == set(run_data.seeds)
    for seed in run_data.seeds:
        assert own[seed] < none[seed]
        assert duality[seed] < 0.5
        for arm in (OWN, NONE):
            epoch = run_data.measure("epochs_to_fit", fit_of(arm))[seed]
            assert 1 <= epoch <= 66
            assert run_data.measure("train_accuracy", fit_of(arm))[seed] == 1.0
            assert run_data.measure("epochs", arm)[seed] == 100

    claims = {claim.name: claim for claim in judge(PHENOMENON, run_data.spec, run_data).claims}
    main = claims["features collapse to their class means"]
    assert main.criteria[0].control is not None
    assert not main.criteria[0].control.missing
    assert main.reason.split(":")[0] != "share of training until no training error is left"
    assert any("30 training samples of each of 10 classes; 0 more" in log.text for log in run_data.logs)
    for figure in PHENOMENON.figures(run_data):
        if isinstance(figure, HeatMap):
            off = [v for row in figure.values for v in row[:10] if not math.isnan(v)]
            assert len(off) == 90
            # Ten directions that sum to 0 have cosines of -1/9 on the mean where they are equally long.
            assert sum(off) / len(off) == pytest.approx(-1 / 9, abs=0.02)
        else:
            assert isinstance(figure, Figure)
            assert len(figure.lines) == len(figure.ticks) == 2


def test_the_network_that_stops_is_the_other_one_until_there(run_phenomenon: Callable[..., RunData]) -> None:
    """A training that is launched for no longer than to its first epoch without an error ends with the same numbers."""
    run_data = run_phenomenon(PHENOMENON, **TINY | {"seeds": 1})
    seed = run_data.seeds[0]
    for arm in (OWN, NONE):
        epoch = int(run_data.measure("epochs_to_fit", fit_of(arm))[seed])
        assert 3 <= epoch < 40
        short = run_phenomenon(PHENOMENON, **TINY | {"seeds": 1, "values": TINY["values"] | {"epochs": epoch}})
        for name in (*METRICS, "train_loss", "test_loss", "test_accuracy"):
            begun = run_data.measure(name, fit_of(arm))[seed]
            assert short.measure(name, arm)[seed] == pytest.approx(begun, rel=1e-4, abs=1e-6), name
            assert run_data.measure(name, arm)[seed] != begun or name == "test_accuracy" or not begun, name


def _measured(run_data: RunData) -> dict[str, list[str]]:
    """Return the measures to the last bit (there are NaN among them), in an order that does not tell who came first."""
    return {name: sorted(map(repr, named.items())) for name, named in run_data.measures.items()}


@pytest.mark.parametrize("polls", [2, 20])
def test_a_stopped_run_ends_with_the_very_numbers_of_an_unbroken_one(
    make_context: Callable[..., Any], polls: int
) -> None:
    """Stopped before and after the networks of the first epoch without an error are gone."""
    expected = make_context(PHENOMENON, **TINY).run(PHENOMENON)
    assert set(METRICS) <= set(expected.measures)
    stopped = make_context(PHENOMENON, stop_after=polls, **TINY)
    assert not stopped.run(PHENOMENON).stages
    stopped.stop_after = -1
    resumed = stopped.run(PHENOMENON)
    assert resumed.stages == expected.stages
    assert _measured(resumed) == _measured(expected)
    assert {k: v.values for k, v in resumed.heats[COSINES].items()} == {
        k: v.values for k, v in expected.heats[COSINES].items()
    }
    for name in METRICS:
        for member, curve in expected.curves[name].items():
            again = resumed.curves[name][member]
            assert again.step.tolist() == curve.step.tolist()
            assert list(map(repr, again.value.tolist())) == list(map(repr, curve.value.tolist()))


def test_more_seeds_are_trained_in_groups_and_a_seed_is_the_same_in_each(
    run_phenomenon: Callable[..., RunData], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block of `verify` is judged by its own seeds: company must not change them (but for rounding)."""
    together = run_phenomenon(PHENOMENON, **TINY | {"seeds": 3})
    monkeypatch.setattr("genlab_tui.phenomena.neural_collapse.cost.at_once", lambda each, device: 2)
    apart = run_phenomenon(PHENOMENON, **TINY | {"seeds": 3})
    assert list(apart.stages) == ["seeds 107000 to 107001", "seed 107002"]
    assert set(apart.heats[COSINES]) == set(together.heats[COSINES])
    for member, value in together.measures[NC1].items():
        assert apart.measures[NC1][member] == pytest.approx(value, rel=0.02), member


def test_an_arm_launched_alone(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, arms=(OWN,), **TINY)
    assert {arm for arm, _ in run_data.measures[NC1]} == {OWN, fit_of(OWN)}


def test_learning_rates_of_a_million_diverge_and_are_no_evidence(run_phenomenon: Callable[..., RunData]) -> None:
    run_data = run_phenomenon(PHENOMENON, **TINY | {"values": TINY["values"] | {"lr": 100.0, "epochs": 5}})
    assert judge(PHENOMENON, run_data.spec, run_data).status is Status.INCONCLUSIVE
    assert all(math.isnan(v) for (arm, _), v in run_data.measures["epochs_to_fit"].items() if arm.endswith("@fit"))


def test_with_batch_norm_and_of_a_convolutional_network(run_phenomenon: Callable[..., RunData]) -> None:
    normed = run_phenomenon(PHENOMENON, regularisers={"batch-norm": 0.1}, **TINY)
    assert all(math.isfinite(v) for v in normed.measures[NC1].values())
    values = {"network": "cnn-5", "channels": 4, "n": 60, "epochs": 6, "schedule": "steps", "weight_decays": "5e-4 0"}
    convolved = run_phenomenon(PHENOMENON, data="digits", seeds=1, first_seed=107_000, values=values)
    assert set(METRICS) <= set(convolved.curves)
    assert len(convolved.heats[COSINES]) == 2
    assert all(math.isfinite(v) for v in convolved.measures[NC3].values())


def test_features_of_a_convolutional_network_too() -> None:
    source = torch.Generator().manual_seed(1)
    inputs = torch.randn(1, 20, 64, generator=source)
    samples = Samples(inputs, torch.arange(20)[None] % 10, inputs, torch.arange(20)[None] % 10, 10, (1, 8, 8))
    network = modules.initial(Recipe(network="cnn-5:2"), 0, samples)
    (features,), given = features_of(network, inputs, torch.tensor([0]), 20)
    linear = network.module[-1]  # type: ignore[index]
    outputs = network.logits([inputs])[0].t()
    assert features.shape == (20, 16)
    assert torch.allclose(linear(features), outputs, atol=1e-5)
    assert torch.equal(given[0], outputs.argmax(1))
    assert output_weight(network, 0).shape == (10, 16)


@pytest.mark.full
@pytest.mark.parametrize("preset", ["quick"])
def test_a_whole_preset(run_phenomenon: Callable[..., RunData], preset: str) -> None:
    """NC1 ends near its threshold in this protocol: what is held is where it lies, and that the control stays off."""
    run_data = run_phenomenon(PHENOMENON, preset=preset, first_seed=107_100)
    verdict = judge(PHENOMENON, run_data.spec, run_data)
    claims = {claim.name: claim for claim in verdict.claims}
    (main,) = claims["features collapse to their class means"].criteria
    assert main.control is not None
    assert not main.control.fired
    assert 0.55 <= float(main.value or 0) <= 0.85
    assert claims["NC3: output weights become the class means"].status is Status.SHOWN
    assert claims["NC2: class means spread to equal angles"].status is Status.NOT_SHOWN
