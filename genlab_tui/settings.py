"""What a run was asked for as rows of text: the table of what differs, and the fields that runs are grouped by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genlab_tui import regularisers
from genlab_tui.config import Param
from genlab_tui.summary import LoadedRun

NONE = "–"
GROUPS = ("", "regulariser", "config", "run")
CHANGED = ("regulariser", "changed in flight")
Key = tuple[str, str]
"""Group and name of a setting."""


@dataclass(frozen=True)
class Setting:
    """One row of the settings: `values` has one text per run, `–` where a run has no such setting."""

    name: str
    values: tuple[str, ...]
    group: str = ""

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


def settings_table(runs: Sequence[LoadedRun], *, all_of_them: bool = False) -> tuple[Setting, ...]:
    """Return what differs between runs (with `all_of_them`, everything), in reading order.

    Phenomenon, data, preset, regularisers, changes made in flight, config fields, seeds, arms, device, version.
    """
    columns = [settings_of(run) for run in runs]
    if any(run.data.begin is None for run in runs):  # one that waits has no device yet: what was asked for tells
        for run, column in zip(runs, columns, strict=True):
            column["run", "device"] = run.spec.device
    keys = dict.fromkeys(key for column in columns for key in column)
    rows = (
        Setting(name, tuple(column.get((group, name), NONE) for column in columns), group)
        for group, name in sorted(keys, key=lambda key: GROUPS.index(key[0]))
    )
    return tuple(row for row in rows if all_of_them or row.differs)


def settings_of(run: LoadedRun) -> dict[Key, str]:
    """Return every setting of a run as text."""
    spec, data = run.spec, run.data
    found = {("", "phenomenon"): spec.phenomenon, ("", "data"): spec.data, ("", "preset"): spec.preset}
    if spec.phenomenon_version != 1:
        found["", "phenomenon version"] = str(spec.phenomenon_version)
    for r in regularisers.REGULARISERS:
        if r.name in spec.regularisers:
            found["regulariser", r.label] = f"{spec.regularisers[r.name]:g}"
    if data.changes:
        changes = (
            f"{c.regulariser} {NONE if c.strength is None else f'{c.strength:g}'} at {c.step}" for c in data.changes
        )
        found[CHANGED] = ", ".join(changes)
    elif spec.forked_at >= 0:  # its changes are about to take effect
        given = (f"{name} {NONE if s is None else f'{s:g}'}" for name, s in spec.forked_with.items())
        found[CHANGED] = f"{', '.join(given)} after {spec.forked_at}"
    fields = {p.name: p for p in run.phenomenon.params()} if run.phenomenon else {}
    for name, value in spec.config.items():
        found["config", name] = field_text(fields.get(name), value)
    last = spec.first_seed + spec.seeds - 1
    found["run", "seeds"] = f"{spec.first_seed} to {last}" if spec.seeds > 1 else str(last)
    found["run", "arms"] = ", ".join(spec.arms or (a.name for a in data.arms))
    found["run", "device"] = (data.begin.device if data.begin else "") or spec.device
    found["run", "genlab version"] = (data.begin.version if data.begin else "") or spec.version or NONE
    return found


def number_of(run: LoadedRun, key: Key) -> float | None:
    """Return a setting as the number it is; None where it is none. A regulariser that is off has strength 0."""
    group, name = key
    value: Any = None
    if group == "config":
        value = run.spec.config.get(name)
    elif group == "regulariser":
        value = next(
            (run.spec.regularisers.get(r.name, 0.0) for r in regularisers.REGULARISERS if r.label == name), None
        )
    elif key == ("run", "seeds"):
        value = run.spec.seeds
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def field_text(field: Param | None, value: Any) -> str:
    """Return a stored config value as its field shows it; one of another shape, of another version, by itself."""
    try:
        return config_text(value) if field is None else field.text(value)
    except (TypeError, ValueError):
        return config_text(value)


def config_text(value: Any) -> str:
    """Return a config value of a phenomenon that is not installed, as its own fields would show it."""
    if isinstance(value, (list, tuple)):
        return " ".join(config_text(v) for v in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (
        repr(value)
        if isinstance(value, float) and float(f"{value:g}") != value
        else format(value, "g" if isinstance(value, float) else "")
    )
