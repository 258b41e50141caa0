"""Runs grouped by a setting: the runs of one value become one, pooled over all their networks.

A network of a group is a seed under otherwise equal settings. One that several runs trained counts once. Only seeds
are repetitions: where a seed has networks under several settings, their mean is its number (`stats.over_seeds`).
Runs with a regulariser changed in flight belong to no group. Pooled groups are `LoadedRun`s, so whatever is made of
a run is made of a group; their seed numbers are the same number exactly where seed and all other settings are.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genlab_tui.errors import BadValue, nearest
from genlab_tui.figure import Figure, HeatMap
from genlab_tui.phenomenon import Arm
from genlab_tui.run import RunRecord, RunState
from genlab_tui.rundata import Member, RunData
from genlab_tui.settings import CHANGED, GROUPS, NONE, Key, number_of, settings_of, settings_table
from genlab_tui.stats import SETTING
from genlab_tui.summary import LoadedRun


@dataclass(frozen=True, eq=False)
class Group(LoadedRun):
    """The runs of one value of a field as one; `number` is the value where it is a number."""

    value: str = ""
    number: float | None = None
    members: tuple[LoadedRun, ...] = ()
    left_out: tuple[LoadedRun, ...] = ()

    @property
    def title(self) -> str:
        return self.record.name

    @property
    def flags(self) -> tuple[str, ...]:
        """What is unfinished among its runs; a changed run is not among them."""
        return tuple(dict.fromkeys(flag for run in self.members for flag in run.flags))

    def figures(self) -> tuple[Figure | HeatMap, ...]:
        """A group has no figure of its own."""
        return ()


@dataclass(frozen=True)
class Grouping:
    """What is compared: `units` are the runs, or with a `field` the groups; `left_out` belongs to none of them."""

    units: tuple[LoadedRun, ...]
    field: str = ""
    left_out: tuple[LoadedRun, ...] = ()
    note: str = ""

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups; none where every run stands for itself."""
        return tuple(unit for unit in self.units if isinstance(unit, Group))

    def unit_of(self, run_id: str | None) -> LoadedRun | None:
        """Return the unit that is a run, or the group that it is in."""
        for unit in self.units:
            if run_id == unit.id or (isinstance(unit, Group) and any(run.id == run_id for run in unit.members)):
                return unit
        return None


def is_changed(run: LoadedRun) -> bool:
    """Tell whether a regulariser was changed in flight: such a run is never pooled."""
    return bool(run.data.changes or run.record.changed)


def fields_that_differ(runs: Sequence[LoadedRun]) -> dict[str, int]:
    """Return the fields that runs can be grouped by, with the number of values of each, in reading order."""
    found: dict[str, int] = {}
    for row in settings_table(runs):
        if (row.group, row.name) != CHANGED:
            found.setdefault(row.name, len(set(row.values)))
    return found


def find_field(runs: Sequence[LoadedRun], name: str) -> Key:
    """Return the setting of a name (`weight-decay`, `weight decay`, `width`). Raises BadValue."""
    keys = [key for key in dict.fromkeys(key for run in runs for key in settings_of(run)) if key != CHANGED]
    keys.sort(key=lambda key: GROUPS.index(key[0]))
    found = next((key for key in keys if _plain(key[1]) == _plain(name)), None)
    if found is None:
        names = tuple(dict.fromkeys(key[1] for key in keys))
        raise BadValue(f"no run has a field {name!r} to group by", nearest(name, names))
    return found


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", " ").replace("_", " ")


def group_runs(runs: Sequence[LoadedRun], field: str = "") -> Grouping:
    """Return runs grouped by a field, ordered by its value; without a field each stands for itself. Raises BadValue."""
    if not field:
        return Grouping(tuple(runs))
    key = find_field(runs, field)
    left_out = tuple(run for run in runs if is_changed(run))
    by_value: dict[str, list[LoadedRun]] = {}
    for run in runs:
        if not is_changed(run):
            by_value.setdefault(value_of(run, key), []).append(run)
    numbers = {value: number_of(members[0], key) for value, members in by_value.items()}
    order = list(by_value)
    if all(number is not None for number in numbers.values()):
        order.sort(key=lambda value: numbers[value] or 0.0)
    rests = {run.id: _rest(run, key) for members in by_value.values() for run in members}
    numbered = {rest: i for i, rest in enumerate(dict.fromkeys(rests.values()))}
    alone = all(len({rests[run.id] for run in members}) == 1 for members in by_value.values())
    places = {run_id: 0 if alone else numbered[rest] for run_id, rest in rests.items()}
    units = tuple(
        _pool(
            key[1],
            value,
            numbers[value],
            by_value[value],
            places,
            [r for r in left_out if value_of(r, key) == value],
        )
        for value in order
    )
    return Grouping(units, key[1], left_out, _note(by_value, rests, alone=alone))


def value_of(run: LoadedRun, key: Key) -> str:
    """Return the text of a setting; a regulariser that is off has strength 0."""
    return settings_of(run).get(key, "0" if key[0] == "regulariser" else NONE)


def _rest(run: LoadedRun, key: Key) -> str:
    """Return everything that decides the numbers of a seed, but for the field of the groups."""
    spec = run.spec
    content = {("", "phenomenon"): spec.phenomenon, ("", "data"): spec.data}
    content |= {("config", name): json.dumps(value) for name, value in spec.config.items()}
    content |= {k: v for k, v in settings_of(run).items() if k[0] == "regulariser"}
    content["", "phenomenon version"] = str(spec.phenomenon_version)
    content.pop(key, None)
    if key == ("", "phenomenon"):
        content = {k: v for k, v in content.items() if k[0] != "config"}
    return json.dumps(sorted((*k, v) for k, v in content.items()))


def _note(by_value: Mapping[str, Sequence[LoadedRun]], rests: Mapping[str, str], *, alone: bool) -> str:
    """Say where the groups differ in more than their field, and what their numbers are means over."""
    kinds = {frozenset(rests[run.id] for run in members) for members in by_value.values()}
    notes = ["the groups differ in other settings too"] if len(kinds) > 1 else []
    if notes and not alone:
        notes[0] += ": pairs are those with the same seed and otherwise the same settings"
    if any(len(kind) > 1 for kind in kinds):
        notes.append("n counts seeds: what a seed gave under several settings is averaged first")
    return "; ".join(notes)


def _pool(
    field: str,
    value: str,
    number: float | None,
    runs: Sequence[LoadedRun],
    places: Mapping[str, int],
    left_out: Sequence[LoadedRun],
) -> Group:
    """Return the runs of one value as one; of a network that several of them have, a finished one's numbers count."""
    order = sorted(runs, key=lambda run: run.record.state != RunState.DONE)
    curves: dict[str, dict[Member, object]] = {}
    measures: dict[str, dict[Member, object]] = {}
    arms: dict[str, Arm] = {}
    for run in order:
        offset = places[run.id] * SETTING
        for table, pooled in ((run.data.curves, curves), (run.data.measures, measures)):
            for name, members in table.items():
                own = pooled.setdefault(name, {})
                for (arm, seed), content in members.items():
                    own.setdefault((arm, seed + offset), content)
    for run in runs:
        arms = {launched.name: launched for launched in run.data.arms} | arms
    first = runs[0]
    seeds = sorted({seed + places[run.id] * SETTING for run in runs for seed in run.spec.seed_list})
    data = RunData(
        spec=dataclasses.replace(first.spec, id=value, seeds=len(seeds)),
        arms=tuple(arms.values()),
        seeds=tuple(seeds),
        curves=curves,  # type: ignore[arg-type]  # the same content, only under other keys
        measures=measures,  # type: ignore[arg-type]
    )
    ended = all(run.record.state.ended for run in runs)
    record = RunRecord(
        id=value,
        phenomenon=first.record.phenomenon,
        state=RunState.DONE if ended else RunState.RUNNING,
        name=f"{field.replace('_', ' ')} {value}",
        seeds=len(seeds),
    )
    return Group(record, data, None, first.phenomenon, value, number, tuple(runs), tuple(left_out))
