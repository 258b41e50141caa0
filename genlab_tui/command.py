"""The command line that launches a stored run again."""

from __future__ import annotations

import shlex

from genlab_tui.errors import GenlabError
from genlab_tui.phenomenon import Phenomenon
from genlab_tui.run import RunSpec
from genlab_tui.settings import config_text


def command_of(spec: RunSpec, phenomenon: Phenomenon | None) -> str:
    """Return the command that launches the same: only what differs from the preset, everything where that is unknown.

    What was changed in flight and what came from a checkpoint is no part of it.
    """
    preset = phenomenon.presets.get(spec.preset) if phenomenon else None
    words = ["genlab-tui", "run", spec.phenomenon, "--preset", spec.preset]
    for name, text in _changed(spec, phenomenon if preset else None):
        words += ["--set", f"{name}={text}"]
    usual = preset.regularisers if preset else {}
    for name, strength in spec.regularisers.items():
        if usual.get(name) != strength:
            words += ["--on", f"{name}={_exact(strength)}"]
    for name in usual:
        if name not in spec.regularisers:
            words += ["--off", name]
    for arm in spec.arms if not preset or spec.arms != preset.arms else ():
        words += ["--arm", arm]
    if preset is None or spec.seeds != preset.seeds:
        words += ["--seeds", str(spec.seeds)]
    if spec.first_seed:
        words += ["--first-seed", str(spec.first_seed)]
    first = next(iter(phenomenon.data), "") if phenomenon else ""
    if spec.data and spec.data != ((preset.data if preset else "") or first):
        words += ["--data", spec.data]
    if spec.device != "auto":
        words += ["--device", spec.device]
    return shlex.join(words)


def _exact(number: float) -> str:
    """Return a number in as few characters as give it back."""
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


def _changed(spec: RunSpec, phenomenon: Phenomenon | None) -> list[tuple[str, str]]:
    """Return the config fields that differ from the preset; all of them without its declaration."""
    if phenomenon is None:
        return [(name, config_text(value)) for name, value in spec.config.items()]
    given = phenomenon.presets[spec.preset].values
    changed = []
    for param in phenomenon.params():
        if param.name not in spec.config:
            continue
        try:
            value = param.parse(spec.config[param.name])
            same = value == param.parse(given.get(param.name, param.default))
        except GenlabError:  # stored by a version with other bounds
            changed.append((param.name, config_text(spec.config[param.name])))
        else:
            if not same:
                changed.append((param.name, param.text(value)))
    return changed
