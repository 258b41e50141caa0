"""Fields that only some modes read: declared with `only`, left out by the form, kept by the command line."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from genlab_tui import phenomena
from genlab_tui.config import in_use, param, params
from screens.draft import Draft


@dataclass(frozen=True)
class Config:
    """A mode, what only one of its values reads, and what depends on that."""

    model: str = param("linear", help="m", choices=("linear", "network"))
    depth: int = param(2, help="d", low=1, high=9, only={"model": ("network",)})
    skip: int = param(1, help="s", low=0, high=9, only={"depth": (3, 4)})
    n: int = param(10, help="n", low=1)


def used(**values: str) -> frozenset[str]:
    return in_use(params(Config), {"model": "linear", "depth": "2", "skip": "1", "n": "10"} | values)


def test_a_field_is_read_with_the_values_it_is_declared_for() -> None:
    assert used() == {"model", "n"}
    assert used(model="network") == {"model", "depth", "n"}


def test_what_depends_on_a_field_that_is_not_read_is_not_read_either() -> None:
    assert "skip" not in used(depth="3")
    assert "skip" in used(model="network", depth="3")


def test_a_value_that_is_not_valid_yet_hides_nothing() -> None:
    assert used(model="netw", depth="x") == {"model", "depth", "skip", "n"}


def test_a_field_can_only_depend_on_one_declared_before_it() -> None:
    @dataclass(frozen=True)
    class Bad:
        depth: int = param(2, help="d", only={"model": ("network",)})
        model: str = param("linear", help="m")

    with pytest.raises(TypeError, match=r"Bad\.depth depends on model"):
        params(Bad)


@pytest.mark.parametrize("name", sorted(phenomena.catalogue()))
def test_no_preset_is_changed_by_what_the_form_leaves_out(name: str) -> None:
    phenomenon = phenomena.get(name)
    for preset in phenomenon.presets:
        draft = Draft(phenomenon, preset)
        draft.take_preset(preset)
        assert draft.changed() == {}
        assert set(phenomenon.presets[preset].values) <= draft.in_use(), "a preset sets what it does not read"


def test_double_descent_shows_the_fields_of_its_mode_alone() -> None:
    phenomenon = phenomena.get("double-descent")
    for preset, there, gone in (
        ("quick", {"widths", "features", "validation"}, {"lr", "hidden", "average", "samples", "sigma", "size"}),
        ("network", {"lr", "hidden", "network", "epochs"}, {"widths", "features", "average", "samples"}),
        ("ensemble", {"average", "hidden"}, {"widths", "samples", "size"}),
        ("sample-wise", {"samples", "size", "features"}, {"widths", "hidden", "lr"}),
        ("paper", {"sigma", "widths"}, {"lr"}),
    ):
        shown = Draft(phenomenon, preset)
        shown.take_preset(preset)
        assert there <= shown.in_use(), preset
        assert not gone & shown.in_use(), preset


def test_a_field_that_is_not_read_is_launched_with_a_value_that_fits() -> None:
    draft = Draft(phenomena.get("double-descent"))
    draft.put("lr", "nonsense")
    assert draft.problems() == {}
    assert draft.changed() == {}
    draft.put("model", "network")
    assert "lr" in draft.problems()
    draft.take_preset("lillog-reuse")
    draft.put("model", "random features")
    assert draft.effective()["start"] == "independent", "the mode of now knows no reuse, whatever the preset says"
    assert draft.cost()[0].members > 0
