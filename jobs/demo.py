"""The demo: true against random labels on digits, launched by the command `demo` and by the welcome of the app."""

from __future__ import annotations

from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunSpec
from jobs import runs
from jobs.request import build_spec

PHENOMENON, PRESET, NAME = "random-labels", "demo", "demo"
QUESTION = "Can a network that generalises also memorise pure noise?"


def demo_spec(lab: Lab, first_seed: int = 0) -> RunSpec:
    """Return what the demo runs."""
    return build_spec(PHENOMENON, lab=lab, preset=PRESET, first_seed=first_seed)


def launch_demo(lab: Lab, first_seed: int = 0) -> RunRecord:
    """Queue the demo and return its record."""
    return runs.submit(lab, demo_spec(lab, first_seed), name=NAME)
