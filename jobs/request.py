"""From what a person asked for to a RunSpec: the only place where a launch is validated."""

from __future__ import annotations

import dataclasses
import fnmatch
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

from genlab_tui import __version__, phenomena, regularisers
from genlab_tui.data import DATASETS, require
from genlab_tui.errors import BadValue, NotFound, nearest
from genlab_tui.paths import Lab
from genlab_tui.phenomenon import Phenomenon, config_values
from genlab_tui.run import RunSpec, new_run_id
from genlab_tui.text import clean_text

MAX_SEEDS = 1000
MAX_FIRST_SEED = 2**31 - 2000
PREDICTION_LENGTH = 500
EXPECTED = ("SHOWN", "NOT SHOWN", "INCONCLUSIVE")
DEVICE = re.compile(r"auto|cpu|all|cuda:(?:0|[1-9][0-9]{0,2})")


def build_spec(
    phenomenon_name: str,
    *,
    lab: Lab,
    preset: str = "quick",
    values: Mapping[str, Any] | None = None,
    on: Mapping[str, float] | None = None,
    off: Iterable[str] = (),
    arms: Iterable[str] = (),
    seeds: int | None = None,
    first_seed: int = 0,
    data: str | None = None,
    device: str = "auto",
    parent: str = "",
    prediction: str = "",
    expected: str = "",
) -> RunSpec:
    """Return the specification of a run: a preset with some things changed.

    `values` are config fields (texts or typed values); `arms` are names or patterns (`noise-*`); `on` adds regularisers
    to the preset's, `off` removes them; `seeds` and `data` default to the preset's. `prediction` and `expected` (a
    verdict) are what somebody thinks will come out. Raises NotFound, BadValue or MissingData before anything is
    written.
    """
    phenomenon = phenomena.get(phenomenon_name)
    chosen = phenomenon.preset(preset)
    config = phenomenon.make_config(preset, values)
    spec = RunSpec(
        id=new_run_id(),
        phenomenon=phenomenon.name,
        config=config_values(config),
        preset=preset,
        data=_data(phenomenon, data or chosen.data, lab),
        regularisers=_regularisers(phenomenon, chosen.regularisers, on or {}, off),
        arms=chosen.arms,
        seeds=_whole("seeds", chosen.seeds if seeds is None else seeds, 1, MAX_SEEDS),
        first_seed=_whole("first seed", first_seed, 0, MAX_FIRST_SEED),
        device=check_device(device),
        created=round(time.time(), 3),
        version=__version__,
        phenomenon_version=phenomenon.version,
        parent=parent,
        prediction=check_prediction(prediction),
        expected=check_expected(expected),
    )
    spec = dataclasses.replace(spec, arms=_arms(phenomenon, spec, arms) or spec.arms)
    phenomenon.arms_of(spec)  # names every arm that the config does not have
    return spec


def _arms(phenomenon: Phenomenon, spec: RunSpec, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return the arms asked for, each once; a pattern (`noise-*`) stands for all that it fits, if any do."""
    known = [arm.name for arm in phenomenon.plan(phenomenon.config_of(spec), spec)]
    found = [name for text in wanted for name in (fnmatch.filter(known, text) or [text])]
    return tuple(dict.fromkeys(found))


def check_prediction(text: str) -> str:
    """Return what someone expects, cleaned; raises BadValue for more than a few lines."""
    cleaned = clean_text(text, 10_000, multiline=True).strip()
    if len(cleaned) > PREDICTION_LENGTH:
        raise BadValue(
            f"a prediction has at most {PREDICTION_LENGTH} characters, this one has {len(cleaned)}", "say it shorter"
        )
    return cleaned


def predicted(spec: RunSpec, prediction: str = "", expected: str = "") -> RunSpec:
    """Return a specification with what someone expects of it; raises BadValue as the checks of both do."""
    return dataclasses.replace(spec, prediction=check_prediction(prediction), expected=check_expected(expected))


def check_expected(verdict: str) -> str:
    """Return an expected verdict as a verdict is written (`shown` is SHOWN); raises BadValue for anything else."""
    text = re.sub(r"[\s_-]+", " ", verdict.strip()).upper()
    if text and text not in EXPECTED:
        raise BadValue(f"{clean_text(verdict, 40)!r} is not a verdict", "one of " + ", ".join(EXPECTED))
    return text


def check_device(device: str) -> str:
    """Return a device as it is written in a spec; raises BadValue for anything but auto, cpu, cuda:N and all."""
    text = device.strip().lower()
    text = "cuda:0" if text == "cuda" else text
    if not DEVICE.fullmatch(text):
        raise BadValue(f"device = {device!r} is not auto, cpu, cuda:N or all", "for example --device cuda:0")
    return text


def _data(phenomenon: Phenomenon, name: str, lab: Lab) -> str:
    supported = phenomenon.data
    if not supported:
        if name:
            raise BadValue(f"{phenomenon.name} makes its own data and takes no data set")
        return ""
    name = name or supported[0]
    if name not in supported:
        if name in DATASETS:
            why = phenomenon.refused.get(name, "")
            raise BadValue(
                f"{phenomenon.name} does not run on {name}" + (f": {why}" if why else ""),
                "it runs on " + ", ".join(supported),
            )
        raise NotFound(f"there is no data set {name!r}", nearest(name, supported))
    if name in DATASETS:  # others are synthetic, made by the phenomenon itself
        require(name, lab.data)
    return name


def _regularisers(
    phenomenon: Phenomenon, start: Mapping[str, float], on: Mapping[str, float], off: Iterable[str]
) -> dict[str, float]:
    active = dict(start)
    for name, strength in on.items():
        regulariser = regularisers.get(name)
        active[regulariser.name] = regulariser.check(float(strength))
    for name in off:
        active.pop(regularisers.get(name).name, None)
    for name in active:
        if name not in phenomenon.regularisers:
            known = ", ".join(r.name for r in regularisers.applicable(phenomenon.regularisers)) or "none does"
            raise BadValue(f"{name} does not apply to {phenomenon.name}", f"these do: {known}")
    return {r.name: active[r.name] for r in regularisers.REGULARISERS if r.name in active}


def _whole(what: str, value: int, low: int, high: int) -> int:
    if isinstance(value, bool) or int(value) != value:
        raise BadValue(f"{what} = {value!r} is not a whole number", f"{low} to {high}")
    if not low <= value <= high:
        closest = min(max(int(value), low), high)
        raise BadValue(f"{what} = {value} is outside {low} to {high}", f"nearest valid value: {closest}")
    return int(value)
