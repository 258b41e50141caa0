"""What a person asks for is checked whole before anything is written."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from genlab_tui import phenomena
from genlab_tui.errors import BadValue, MissingData, NotFound
from genlab_tui.paths import Lab
from genlab_tui.phenomenon import Preset
from jobs import local, runs
from jobs.index import list_now
from jobs.request import MAX_FIRST_SEED, build_spec


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


def test_a_preset_alone(lab: Lab) -> None:
    spec = build_spec("toy", lab=lab, preset="standard")
    assert (spec.phenomenon, spec.preset, spec.data, spec.seeds, spec.first_seed) == ("toy", "standard", "digits", 5, 0)
    assert (spec.config["steps"], spec.config["noise"], spec.device) == (1000, 0.02, "auto")
    assert spec.created > 1.7e9
    assert spec.version
    assert not lab.root.exists()


def test_equal_requests_have_equal_identities_and_different_ids(lab: Lab) -> None:
    first = build_spec("toy", lab=lab, values={"steps": "7"})
    second = build_spec("toy", lab=lab, values={"steps": 7})
    assert first.id != second.id
    assert first.identity() == second.identity()
    assert build_spec("toy", lab=lab, values={"steps": 8}).identity() != first.identity()


def test_everything_changed(lab: Lab) -> None:
    spec = build_spec(
        "TOY",
        lab=lab,
        preset="instant",
        values={"rates": "1, 2.5", "shout": "yes"},
        on={"wd": 0.01, "dropout": 0.3},
        arms=("slow", "slow"),
        seeds=1000,
        first_seed=MAX_FIRST_SEED,
        data="digits",
        device=" CUDA:3 ",
        parent="0000abcd",
    )
    assert spec.config["rates"] == (1.0, 2.5)
    assert spec.config["shout"] is True
    assert spec.regularisers == {"weight-decay": 0.01, "dropout": 0.3}
    assert spec.arms == ("slow",)
    assert (spec.seeds, spec.seed_list[-1]) == (1000, MAX_FIRST_SEED + 999)
    assert (spec.device, spec.parent) == ("cuda:3", "0000abcd")
    assert build_spec("toy", lab=lab, device="cuda").device == "cuda:0"


def test_a_presets_regularisers_are_the_start(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    from genlab_tui import phenomena

    regularised = Preset(regularisers={"dropout": 0.5, "weight-decay": 0.1})
    presets: Any = phenomena.get("toy").presets
    monkeypatch.setitem(presets, "regularised", regularised)
    spec = build_spec("toy", lab=lab, preset="regularised", on={"dropout": 0.2}, off=["wd"])
    assert spec.regularisers == {"dropout": 0.2}
    assert build_spec("toy", lab=lab, off=["weight-decay"]).regularisers == {}


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"preset": "quik"}, NotFound, "no preset 'quik'.*quick"),
        ({"values": {"stepz": 1}}, NotFound, "no field 'stepz'.*steps"),
        ({"values": {"steps": 0}}, BadValue, "steps = 0 is outside.*nearest valid value: 1"),
        ({"values": {"steps": "many"}}, BadValue, "not a whole number"),
        ({"values": {"noise": float("nan")}}, BadValue, "noise"),
        ({"values": {"shape": "round"}}, BadValue, "exponential"),
        ({"on": {"dropuot": 0.3}}, NotFound, "dropout"),
        ({"on": {"dropout": 2.0}}, BadValue, "dropout = 2 is outside"),
        ({"on": {"dropout": float("nan")}}, BadValue, "dropout"),
        ({"on": {"mixup": 0.2}}, BadValue, "mixup does not apply to toy.*weight-decay"),
        ({"off": ["nothing"]}, NotFound, "no regulariser"),
        ({"arms": ["fats"]}, NotFound, "no arm 'fats'.*fast"),
        ({"seeds": 0}, BadValue, "seeds = 0 is outside 1 to 1000.*: 1"),
        ({"seeds": 1001}, BadValue, "nearest valid value: 1000"),
        ({"seeds": 2.5}, BadValue, "not a whole number"),
        ({"seeds": True}, BadValue, "not a whole number"),
        ({"first_seed": -1}, BadValue, "first seed = -1 .*: 0"),
        ({"first_seed": 2**31}, BadValue, str(MAX_FIRST_SEED)),
        ({"data": "digitz"}, NotFound, "digits"),
        ({"data": "cifar10"}, BadValue, "does not run on cifar10.*digits"),
        ({"device": "gpu"}, BadValue, "auto, cpu, cuda:N or all"),
        ({"device": "cuda:01"}, BadValue, "auto, cpu, cuda:N or all"),
        ({"device": "cuda:-1"}, BadValue, "auto, cpu, cuda:N or all"),
        ({"device": "cpu; rm"}, BadValue, "auto, cpu, cuda:N or all"),
    ],
)
def test_what_is_wrong_is_named_with_a_way_out(lab: Lab, asked: dict[str, Any], error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        build_spec("toy", lab=lab, **asked)
    assert not lab.root.exists()


def test_an_unknown_phenomenon(lab: Lab) -> None:
    with pytest.raises(NotFound, match=r"did you mean 'toy'"):
        build_spec("toyy", lab=lab)


def test_a_data_set_that_is_not_here_is_said_before_anything_is_launched(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str, data_dir: Path) -> None:
        raise MissingData(f"{name} is not on this machine", f"genlab-tui data fetch {name}")

    monkeypatch.setattr("jobs.request.require", missing)
    with pytest.raises(MissingData, match="data fetch digits"):
        build_spec("toy", lab=lab)
    assert not lab.root.exists()


def test_arms_by_pattern(lab: Lab) -> None:
    spec = build_spec("double-descent", lab=lab, preset="network", arms=["clean-3", "noise-*", "clean-3"])
    assert spec.arms[0] == "clean-3"
    assert len(spec.arms) == 15
    assert all(name.startswith("noise-") for name in spec.arms[1:])
    with pytest.raises(NotFound, match=r"no arm 'nois-\*'"):
        build_spec("double-descent", lab=lab, preset="network", arms=["nois-*"])


def test_a_data_set_is_refused_with_the_reason(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = phenomena.get("toy")
    declared = dataclasses.replace(toy, refused={"mnist1d": "it has no pixels"})
    monkeypatch.setattr(phenomena, "get", lambda name: declared)
    with pytest.raises(BadValue, match="toy does not run on mnist1d: it has no pixels"):
        build_spec("toy", lab=lab, data="mnist1d")


def test_a_preset_for_a_gpu_starts_on_a_cpu_only_by_name(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = phenomena.get("toy")
    presets = {**toy.presets, "paper": dataclasses.replace(toy.presets["standard"], gpu="about 2 hours and 3 GB")}
    monkeypatch.setattr(phenomena, "get", lambda name: dataclasses.replace(toy, presets=presets))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(local, "all_slots", lambda: [local.Slot("cpu-0", "cpu")])
    with pytest.raises(BadValue, match=r"meant for a GPU \(about 2 hours and 3 GB there") as refused:
        runs.submit(lab, build_spec("toy", lab=lab, preset="paper"), held=True)
    assert "--device cpu" in refused.value.hint
    assert list_now(lab) == []
    by_name = build_spec("toy", lab=lab, preset="paper", device="cpu")
    assert runs.submit(lab, by_name, held=True).id == by_name.id
