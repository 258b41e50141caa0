"""The wheel works on its own, from a directory that is out to break it.

sdist -> wheel -> fresh environment (no build isolation, no dependencies installed: a .pth file lends the outer ones, so
no network and no second torch) -> run from a folder with its own `jobs/`, `screens/`, `genlab_tui/` and `torch.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("genlab_tui", "screens", "jobs")
TOYS = ROOT / "tests" / "data" / "phenomena"


def call(*command: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command with a clean import environment; fail with its output."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=clean | env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build sdist, then the wheel from the sdist, with the hatchling at hand."""
    out = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; the outer site-packages come after it, through a .pth file."""
    venv = tmp_path_factory.mktemp("fresh") / "venv"
    call(sys.executable, "-m", "venv", venv, cwd=venv.parent)
    python = venv / "bin" / "python"
    call(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel, cwd=venv.parent)
    purelib = Path(
        call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=venv).stdout.strip()
    )
    outer = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (purelib / "zz_outer.pth").write_text("\n".join(sorted(outer)) + "\n")
    return venv


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A working directory whose modules would break everything that imported them."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in OURS:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"raise SystemExit('imported the hostile {name}')\n")
    for name in ("torch", "numpy", "textual", "tinydb", "msgspec"):
        (folder / f"{name}.py").write_text(f"raise SystemExit('imported the hostile {name}')\n")
    return folder


def test_wheel_holds_the_three_packages_with_types_styles_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == set(OURS)
    for package in OURS:
        assert f"{package}/py.typed" in names
    for source in [*(ROOT / "screens").rglob("*.tcss"), *(ROOT / "genlab_tui" / "phenomena").glob("*.py")]:
        assert str(source.relative_to(ROOT)) in names
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".npz"))]


def test_everything_is_imported_from_the_environment_and_never_from_the_working_directory(
    installed: Path, hostile: Path
) -> None:
    """Both entry points: the console script and `python -m genlab_tui`, which puts the working directory first."""
    for command in ([installed / "bin" / "genlab-tui"], [installed / "bin" / "python", "-m", "genlab_tui"]):
        if command[-1] == "genlab_tui":
            (hostile / "genlab_tui" / "__init__.py").unlink()
            (hostile / "genlab_tui").rmdir()  # `python -m` itself finds this one; no program can help that
        done = call(*command, "phenomena", "--json", cwd=hostile, GENLAB_HOME=str(hostile / "lab"))
        assert {p["name"] for p in json.loads(done.stdout)["phenomena"]} >= {"random-labels", "double-descent"}


@pytest.mark.slow
def test_a_run_trains_to_its_end_from_a_hostile_directory(installed: Path, hostile: Path) -> None:
    """Drain, keeper and worker all start from there, with a hostile PYTHONPATH too."""
    env = {"GENLAB_HOME": str(hostile / "lab"), "GENLAB_PHENOMENA": str(TOYS), "PYTHONPATH": ""}
    program = installed / "bin" / "genlab-tui"
    done = call(program, "run", "toy", "--set", "steps=20", "--json", cwd=hostile, **env)
    run_id = json.loads(done.stdout)["id"]
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = json.loads(call(program, "show", run_id, "--json", cwd=hostile, **env).stdout)
        if found["state"] not in ("queued", "starting", "running"):
            break
        time.sleep(0.5)
    log = hostile / "lab" / "runs" / run_id / "log.txt"
    assert found["state"] == "done", (found["reason"], log.read_text() if log.exists() else "no log")


def test_doctor_names_a_package_that_another_distribution_overwrites(installed: Path, hostile: Path) -> None:
    python = installed / "bin" / "python"
    purelib = Path(
        call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=hostile).stdout.strip()
    )
    info = purelib / "other_jobs-1.0.dist-info"
    info.mkdir()
    try:
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-jobs\nVersion: 1.0\n")
        (info / "top_level.txt").write_text("jobs\n")
        (info / "RECORD").write_text("jobs/__init__.py,,\n")
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | {
            "GENLAB_HOME": str(hostile / "lab")
        }
        done = subprocess.run(
            [str(installed / "bin" / "genlab-tui"), "doctor", "--json"],
            cwd=hostile, env=clean, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    finally:
        for file in info.iterdir():
            file.unlink()
        info.rmdir()
    assert done.returncode == 1
    problems = [c["text"] for c in json.loads(done.stdout)["checks"] if c["level"] == "problem"]
    assert any("other-jobs" in text for text in problems), problems
