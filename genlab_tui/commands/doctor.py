"""Check this machine, the installation and the lab; say what is wrong and what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata, util
from pathlib import Path

import click

from genlab_tui.commands.output import print_json
from genlab_tui.errors import GenlabError
from genlab_tui.paths import Lab, lab_home
from genlab_tui.text import clean_text, human_bytes

OURS = ("genlab_tui", "screens", "jobs")
LIBRARIES = (
    "textual",
    "plotext",
    "tinydb",
    "click",
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "scikit-learn",
    "msgspec",
)
LOW_SPACE = 1_000_000_000
TORCH_PROBE = "import torch; print(torch.__version__, torch.version.cuda or '-', torch.cuda.device_count())"


@dataclass(frozen=True)
class Check:
    """One finding. `level` is ok, note (worth knowing) or problem; `remedy` says what to do."""

    name: str
    level: str
    text: str
    remedy: str = ""


def check_up(rebuild: bool, as_json: bool) -> int:
    """Run every check; with `rebuild`, write the index anew first. Returns 1 where a problem was found."""
    lab = lab_home()
    checks = list(_machine()) + list(_installation())
    if rebuild:
        checks.append(_rebuild(lab))
    checks += list(_lab(lab))
    bad = [check for check in checks if check.level == "problem"]
    if as_json:
        print_json({"schema": 1, "ok": not bad, "checks": [asdict(check) for check in checks]})
        return 1 if bad else 0
    marks = {"ok": ("✓", "green"), "note": ("·", "yellow"), "problem": ("✗", "red")}
    for check in checks:
        mark, colour = marks[check.level]
        click.echo(f"{click.style(mark, fg=colour)} {check.name:14} {clean_text(check.text, 2000)}")
        if check.remedy:
            click.echo(f"{'':17}{clean_text(check.remedy, 2000)}")
    click.echo("all is well" if not bad else f"{len(bad)} to mend", err=True)
    return 1 if bad else 0


def _machine() -> Iterator[Check]:
    from jobs import local

    python = f"{platform.python_version()} at {sys.executable}"
    yield Check("python", "ok", python)
    versions = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    missing = [name for name in LIBRARIES if _version(name) == "missing"]
    remedy = "install genlab-tui again into a fresh environment" if missing else ""
    yield Check("libraries", "problem" if missing else "ok", versions, remedy)
    try:
        probe = subprocess.run(
            [sys.executable, "-P", "-c", TORCH_PROBE], capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        yield Check("torch", "problem", "importing torch took more than two minutes", "is the disk very slow or full?")
    else:
        if probe.returncode:
            last = probe.stderr.strip().splitlines()[-1:] or ["no message"]
            yield Check(
                "torch", "problem", f"does not import: {last[0]}", "install torch and torchvision anew, together"
            )
        else:
            version, cuda, count = probe.stdout.split()
            yield Check("torch", "ok", f"{version}, CUDA {cuda}, {count} usable GPUs")
    for device in local.devices(lab_home()):
        busy = ", in use by others: skipped" if device.used_by_others else ""
        memory = f", {human_bytes(device.memory_total)}" if device.memory_total else ""
        yield Check("device", "ok", f"{device.name}: {device.title}{memory}, {device.slots} slots{busy}")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def _installation() -> Iterator[Check]:
    parents = {}
    for package in OURS:
        spec = util.find_spec(package)
        parents[package] = Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
    if len(set(parents.values())) > 1:
        text = ", ".join(f"{name} from {where}" for name, where in parents.items())
        remedy = "another package overwrites ours: give genlab-tui an environment of its own (pipx, uv tool or a venv)"
        yield Check("packages", "problem", text, remedy)
    else:
        yield Check("packages", "ok", f"{', '.join(OURS)} from {parents['genlab_tui']}")
    owners = metadata.packages_distributions()
    for package in OURS:
        claimed = sorted({name for name in owners.get(package, []) if name.replace("_", "-").lower() != "genlab-tui"})
        if claimed:
            yield Check(
                "packages",
                "problem",
                f"{package}/ is also installed by {', '.join(claimed)}",
                "use an environment of its own",
            )
    from genlab_tui import phenomena

    for name, reason in phenomena.broken().items():
        yield Check("phenomena", "problem", f"{name}.py does not load: {reason}", "mend or remove that file")
    yield Check("phenomena", "ok", f"{len(phenomena.catalogue())} phenomena")


def _lab(lab: Lab) -> Iterator[Check]:
    from genlab_tui.safe_io import make_private_dir

    try:
        make_private_dir(lab.root)
    except GenlabError as error:
        yield Check("lab", "problem", error.message, error.hint)
        return
    status = lab.root.stat()
    if status.st_uid != os.getuid():
        yield Check(
            "lab", "problem", f"{lab.root} belongs to user {status.st_uid}", "set GENLAB_HOME to a folder of yours"
        )
        return
    if status.st_mode & 0o077:
        yield Check("lab", "note", f"{lab.root} can be read by others", f"chmod 700 {lab.root}")
    free = shutil.disk_usage(lab.root).free
    level, remedy = ("note", "make room, or move the lab with GENLAB_HOME") if free < LOW_SPACE else ("ok", "")
    yield Check("lab", level, f"{lab.root}, {human_bytes(free)} free", remedy)
    yield from _runs(lab)


def _runs(lab: Lab) -> Iterator[Check]:
    from genlab_tui.paths import RUN_ID
    from genlab_tui.run import RunState
    from genlab_tui.safe_io import read_json
    from jobs import runs as verbs

    if lab.store.exists() and read_json(lab.store) is None:
        yield Check("index", "problem", f"{lab.store} cannot be read", "genlab-tui doctor --rebuild")
        return
    found = verbs.list_runs(lab) + verbs.list_runs(lab, trashed=True)
    indexed = {record.id for record in found}
    folders = set()
    if lab.runs.is_dir():
        folders = {path.name for path in lab.runs.iterdir() if path.is_dir() and RUN_ID.fullmatch(path.name)}
    if folders - indexed:
        text = f"{len(folders - indexed)} run folders are not in the index"
        yield Check("index", "problem", text, "genlab-tui doctor --rebuild")
    if indexed - folders:
        text = (
            f"the folders of {len(indexed - folders)} indexed runs are gone: {', '.join(sorted(indexed - folders)[:5])}"
        )
        yield Check("index", "problem", text, "genlab-tui doctor --rebuild forgets them")
    if indexed == folders:
        yield Check("index", "ok", f"{len(indexed)} runs")
    lost = [record.id for record in found if record.state is RunState.LOST and not record.trashed]
    if lost:
        yield Check("runs", "note", f"{len(lost)} lost: {', '.join(lost[:5])}", "genlab-tui retry RUN continues each")


def _rebuild(lab: Lab) -> Check:
    from jobs.index import rebuild

    count = rebuild(lab)
    return Check("rebuild", "ok", f"the index was written anew from {count} run folders")
