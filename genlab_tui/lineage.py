"""Where a run comes from: which run it was made of, what was changed, which seeds it took over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from genlab_tui import phenomena
from genlab_tui.events import Change
from genlab_tui.regularisers import BY_NAME, REGULARISERS, strength_text
from genlab_tui.run import RunSpec
from genlab_tui.settings import NONE, field_text
from genlab_tui.text import clean_text


@dataclass(frozen=True)
class Difference:
    """One setting that two runs do not share, as texts."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.name} {self.before} → {self.after}"


def differences(before: RunSpec, after: RunSpec) -> tuple[Difference, ...]:
    """Return every setting in which one run differs from another: data, regularisers, config, seeds, arms, device."""
    texts = _texts(before), _texts(after)
    names = dict.fromkeys((*texts[0], *texts[1]))
    found = (Difference(name, texts[0].get(name, NONE), texts[1].get(name, NONE)) for name in names)
    return tuple(one for one in found if one.before != one.after)


def lineage(spec: RunSpec, parent: RunSpec | None = None) -> str:
    """Return where a run comes from in a line, empty for one of its own; `parent` where it can still be read."""
    if not spec.parent:
        return ""
    source = clean_text(spec.parent, 40)
    if spec.forked_at >= 0:
        changes = ", ".join(f"{_label(name)} {strength_text(value)}" for name, value in spec.forked_with.items())
        return f"forked from {source} at step {spec.forked_at}" + (f": {changes}" if changes else "")
    if spec.inherited:
        taken = _range(spec.first_seed, spec.inherited)
        return f"{'seed' if spec.inherited == 1 else 'seeds'} {taken} taken over from {source}"
    if parent is None:
        return f"forked from {source}"
    changed = ", ".join(str(one) for one in differences(parent, spec))
    return f"forked from {source}: {changed or 'nothing differs'}"


def seeds_text(spec: RunSpec) -> str:
    """Return `0 to 2`, or the one seed."""
    return _range(spec.first_seed, spec.seeds)


def changes_text(changes: Iterable[Change]) -> str:
    """Return what was changed in flight, each change once: `dropout 0.5 at step 300, mixup off at step 900`."""
    made = (f"{c.regulariser} {strength_text(c.strength)} at step {c.step}" for c in changes)
    return ", ".join(dict.fromkeys(made))


def _range(first: int, count: int) -> str:
    return str(first) if count == 1 else f"{first} to {first + count - 1}"


def _label(name: str) -> str:
    return BY_NAME[name].label if name in BY_NAME else clean_text(name, 40)


def _texts(spec: RunSpec) -> dict[str, str]:
    """Return what a person would call the settings of a run, in reading order."""
    phenomenon = phenomena.catalogue().get(spec.phenomenon)
    fields = {p.name: p for p in phenomenon.params()} if phenomenon else {}
    config = {name: field_text(fields.get(name), value) for name, value in spec.config.items()}
    return {
        "phenomenon": spec.phenomenon,
        "data": spec.data,
        **{r.label: strength_text(spec.regularisers.get(r.name)) for r in REGULARISERS},
        **{name.replace("_", " "): text for name, text in config.items()},
        "seeds": seeds_text(spec),
        "arms": ", ".join(spec.arms) or "all",
        "device": spec.device,
    }
