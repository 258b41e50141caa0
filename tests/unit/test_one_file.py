"""A phenomenon is one file: dropped into the package it is in the catalogue, the form, `run --help`, the docs table."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import genlab_tui

SOURCE = Path(genlab_tui.__file__).resolve().parent.parent
TOY = Path(__file__).resolve().parents[1] / "data" / "phenomena" / "toy.py"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the three packages with one more file in `phenomena/`, and nothing else changed."""
    root = tmp_path_factory.mktemp("copy")
    for name in ("genlab_tui", "screens", "jobs"):
        shutil.copytree(SOURCE / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOY, root / "genlab_tui" / "phenomena" / "new_one.py")
    text = (root / "genlab_tui" / "phenomena" / "new_one.py").read_text()
    assert 'name="toy"' in text
    (root / "genlab_tui" / "phenomena" / "new_one.py").write_text(text.replace('name="toy"', 'name="new-one"'))
    return root


COMMAND = "from genlab_tui.__main__ import main; main()"
FORM = """
import asyncio
from genlab_tui.app import GenlabApp
from genlab_tui.paths import lab_home
from screens.panels.catalogue import Catalogue
from screens.panels.form import Form

async def look():
    app = GenlabApp(lab_home())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.open_lab("new-one")
        await pilot.pause()
        await pilot.pause()
        print(app.screen.query_one(Catalogue).chosen, app.screen.query_one(Form).field("steps").value)

asyncio.run(look())
"""


def call(package: Path, home: Path, *arguments: str, code: str = COMMAND) -> str:
    """Run some code with the copied packages first on the path, in a fresh process."""
    env = {k: v for k, v in os.environ.items() if k != "GENLAB_PHENOMENA"} | {"GENLAB_HOME": str(home)}
    code = "import sys; sys.path.insert(0, sys.argv.pop(1))\n" + code
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(package), *arguments],
        env=env, cwd=package, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_in_the_catalogue_in_the_help_and_in_the_docs_table(package: Path, tmp_path: Path) -> None:
    assert "new-one" in call(package, tmp_path, "phenomena")
    assert "new-one" in call(package, tmp_path, "run", "--help")
    assert "steps=" in call(package, tmp_path, "run", "new-one", "--help")
    assert "| `new-one` |" in call(package, tmp_path, "phenomena", "--markdown")


def test_it_is_in_the_catalogue_and_the_form_of_the_app(package: Path, tmp_path: Path) -> None:
    assert call(package, tmp_path, code=FORM).split() == ["new-one", "200"]


def test_a_broken_file_is_named_and_takes_nothing_down(package: Path, tmp_path: Path) -> None:
    bad = package / "genlab_tui" / "phenomena" / "bad_one.py"
    bad.write_text("raise RuntimeError('half written')\n")
    try:
        assert "random-labels" in call(package, tmp_path, "phenomena")
        assert "half written" in call(package, tmp_path, "phenomena", "--json")
    finally:
        bad.unlink()
