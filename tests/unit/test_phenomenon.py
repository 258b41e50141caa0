"""Declared config fields: parsing, bounds and errors that name the field, the bounds and the nearest valid value."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest

from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Param, param, params


@dataclass(frozen=True)
class Config:
    n: int = param(1000, help="Training samples.", low=10, high=5000)
    lr: float = param(1e-3, help="Learning rate.", low=1e-6, high=1.0)
    model: str = param("mlp", help="Network.", choices=("mlp", "conv"))
    augment: bool = param(False, help="Shift inputs.")
    levels: tuple[float, ...] = param((0.0, 0.5), help="Corruption.", low=0, high=1)


FIELDS: dict[str, Param] = {p.name: p for p in params(Config)}


def test_fields_keep_their_order_and_types() -> None:
    assert [(p.name, p.kind, p.many) for p in params(Config)] == [
        ("n", int, False),
        ("lr", float, False),
        ("model", str, False),
        ("augment", bool, False),
        ("levels", float, True),
    ]


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("n", "50", 50),
        ("lr", "1e-2", 0.01),
        ("model", "conv", "conv"),
        ("augment", "yes", True),
        ("levels", "0, 0.2 1", (0.0, 0.2, 1.0)),
        ("levels", (0.1, 0.3), (0.1, 0.3)),
    ],
)
def test_parsing(field: str, text: object, value: object) -> None:
    parsed = FIELDS[field].parse(text)
    assert parsed == value
    assert FIELDS[field].parse(FIELDS[field].text(parsed)) == parsed


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("n", "5", ["n = 5", "10 to 5000", "nearest valid value: 10"]),
        ("n", "9999", ["10 to 5000", "nearest valid value: 5000"]),
        ("n", "many", ["n = 'many'", "whole number"]),
        ("n", "1.5", ["whole number"]),
        ("lr", "nan", ["lr", "nearest valid value: 0.001"]),
        ("model", "mpl", ["model", "mlp, conv", "did you mean 'mlp'"]),
        ("augment", "perhaps", ["augment", "yes or no"]),
        ("levels", "0 2", ["levels = 2", "0 to 1", "nearest valid value: 1"]),
        ("levels", " ", ["levels", "at least one"]),
    ],
)
def test_errors_name_field_bounds_and_nearest(field: str, text: str, words: list[str]) -> None:
    with pytest.raises(BadValue) as caught:
        FIELDS[field].parse(text)
    for word in words:
        assert word in str(caught.value)


def test_a_field_that_is_no_param_is_refused() -> None:
    @dataclass(frozen=True)
    class Bad:
        n: int = 3

    with pytest.raises(TypeError, match=r"Bad\.n"):
        params(Bad)


@pytest.mark.parametrize(
    ("name", "preset"), [("random-labels", "quick"), ("double-descent", "quick"), ("double-descent", "network")]
)
def test_a_declaration_needs_neither_numpy_nor_torch(name: str, preset: str) -> None:
    """The form, the estimate, claims and figures of a run without data: all in a process that starts fast."""
    script = (
        "import sys; from genlab_tui.phenomena import get\n"
        "from genlab_tui.run import RunSpec\n"
        "from genlab_tui.rundata import RunData\n"
        "from genlab_tui.phenomenon import config_values\n"
        f"p = get({name!r}); c = p.make_config({preset!r})\n"
        "s = RunSpec('00000001', p.name, config_values(c)); a = p.arms_of(s)\n"
        "p.estimate(c, s); p.claims(c, s); p.figures(RunData(s, a, s.seed_list))\n"
        "print([m for m in ('torch', 'numpy', 'scipy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_sweep_refuses_a_value_that_comes_twice() -> None:
    @dataclass(frozen=True)
    class Sweep:
        sizes: tuple[int, ...] = param((2, 4), help="tried", low=1, high=10_000_000, distinct=True)
        hidden: tuple[int, ...] = param((8, 8), help="widths", low=1)

    sizes, hidden = params(Sweep)
    assert hidden.parse("8 8") == (8, 8)
    with pytest.raises(BadValue, match="sizes has 4 twice") as caught:
        sizes.parse("4 2 4")
    assert "4 2" in caught.value.hint
    assert sizes.parse("1e6 20") == (1_000_000, 20)
    with pytest.raises(BadValue, match="outside its bounds"):
        sizes.parse("1e9")
    with pytest.raises(BadValue, match="is not a whole number"):
        sizes.parse("1.5")
    with pytest.raises(BadValue, match="is not a whole number"):
        sizes.parse("nan")
