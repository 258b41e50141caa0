"""Who imports what, in fresh processes: a linter counts deferred imports too, so this is the judge for torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPORT = "import sys, json; print(json.dumps([m for m in sys.modules if '.' not in m]))"


def loaded(code: str, **env: str) -> set[str]:
    """Return the top-level modules in memory after running some code in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{REPORT}"], env=os.environ | env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_help_imports_neither_torch_nor_textual_nor_numpy() -> None:
    modules = loaded("import genlab_tui.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass")
    assert "click" in modules
    assert not modules & {"torch", "textual", "numpy", "plotext", "tinydb", "msgspec", "scipy", "rich"}


def test_the_catalogue_is_light() -> None:
    modules = loaded(
        "from genlab_tui import phenomena; assert len(phenomena.catalogue()) >= 2; assert not phenomena.broken()"
    )
    assert not modules & {"torch", "textual", "numpy", "plotext", "scipy", "sklearn"}


@pytest.mark.parametrize(
    "command", [["ls"], ["ls", "--json"], ["queue", "--json"], ["data"], ["phenomena"], ["run", "--help"]]
)
def test_reading_commands_never_import_torch_or_textual(command: list[str], tmp_path: Path) -> None:
    code = f"import genlab_tui.cli as c\ncode = c.run_cli({command!r})\nassert code == 0, code"
    modules = loaded(code, GENLAB_HOME=str(tmp_path / "lab"))
    assert not modules & {"torch", "textual", "plotext", "sklearn"}


def test_the_worker_never_imports_textual_and_the_keeper_only_the_standard_library() -> None:
    assert not loaded("import jobs.worker") & {"textual", "plotext", "tinydb"}
    import jobs.keeper

    code = f"import runpy; runpy.run_path({jobs.keeper.__file__!r}, run_name='keeper')"
    outside = {name for name in loaded(code) if name not in sys.stdlib_module_names and not name.startswith("_")}
    plain = {name for name in loaded("") if name not in sys.stdlib_module_names}
    assert outside - plain == set()
