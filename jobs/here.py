"""Whether this machine can do what a run asks for: checked before anything is queued."""

from __future__ import annotations

from genlab_tui import phenomena
from genlab_tui.errors import BadValue
from genlab_tui.run import RunSpec
from genlab_tui.text import human_seconds
from jobs import local


def check_here(spec: RunSpec) -> None:
    """Raise BadValue for a device that this machine lacks, and for a preset that asks for a GPU where there is none.

    Hours on a CPU must be asked for by name.
    """
    here = list(dict.fromkeys(s.device for s in local.all_slots()))
    if spec.device not in ("auto", "cpu", *here, *([local.ALL] if here != ["cpu"] else [])):
        known = ", ".join(here)
        raise BadValue(f"this machine has no {spec.device}", f"it has: {known}")
    if spec.device == "auto" and here == ["cpu"]:
        _refuse_without_gpu(spec)


def _refuse_without_gpu(spec: RunSpec) -> None:
    phenomenon = phenomena.get(spec.phenomenon)
    preset = phenomenon.presets.get(spec.preset)
    if preset is None or not preset.gpu:
        return
    here = human_seconds(phenomenon.estimate(phenomenon.config_of(spec), spec).seconds)
    raise BadValue(
        f"{spec.phenomenon} --preset {spec.preset} is meant for a GPU ({preset.gpu} there, an estimate), and here is "
        f"none: on this CPU it would take about {here}",
        "choose another preset, or ask for the CPU by name: --device cpu",
    )
