"""The documentation is true: every command, variable and phenomenon is in the README, and its links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import click

from genlab_tui import phenomena
from genlab_tui.cli import main
from genlab_tui.commands.pages import page, spec_of
from genlab_tui.commands.phenomena import markdown_table
from genlab_tui.data import DATASETS
from genlab_tui.phenomenon import Phenomenon

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_every_command_and_option_is_documented() -> None:
    for name, command in main.commands.items():
        row = next((line for line in README.splitlines() if re.search(rf"`genlab-tui (?:\w+\\\|)*{name}\b", line)), "")
        assert row, f"the README does not name the command {name}"
        if isinstance(command, click.Group):
            missing = [sub for sub in command.commands if sub not in row]
            assert not missing, f"{name}: {missing}"


def test_every_command_has_help() -> None:
    def walk(command: click.Command) -> None:
        assert command.help, command.name
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help, (command.name, parameter.name)
        for sub in getattr(command, "commands", {}).values():
            walk(sub)

    walk(main)


def test_every_variable_that_the_code_reads_is_documented() -> None:
    sources = [p for folder in ("genlab_tui", "jobs", "screens") for p in (ROOT / folder).rglob("*.py")]
    read = {name for p in sources for name in re.findall(r"\"(GENLAB_[A-Z_]+)\"", p.read_text())}
    assert {"GENLAB_HOME", "GENLAB_CPU_SLOTS"} <= read
    internal = {"GENLAB_KEEPER", "GENLAB_LOCKS"}  # from a keeper to its worker
    assert {name for name in read - internal if name not in README} == set()


def test_the_table_of_phenomena_is_the_declared_one() -> None:
    block = README.split("<!-- phenomena -->")[1].split("<!-- /phenomena -->")[0].strip()
    assert block == markdown_table(), "genlab-tui phenomena --markdown prints the table for the README"


def test_every_phenomenon_has_its_page_and_its_figure() -> None:
    pages = ROOT / "docs" / "phenomena"
    known = phenomena.catalogue()
    assert {page.stem for page in pages.glob("*.md")} == set(known)
    for name, phenomenon in known.items():
        made = page(phenomenon)
        assert (pages / f"{name}.md").read_text() == made, f"genlab-tui phenomena {name} --markdown prints the page"
        assert (ROOT / "docs" / "figures" / f"{name}.svg").exists()


def test_the_claims_name_what_there_is() -> None:
    """Every phenomenon and claim that the table of claims points to exists under that name."""
    rows = [
        line.split(" | ") for line in (ROOT / "docs" / "CLAIMS.md").read_text().splitlines() if line.startswith("| S")
    ]
    assert len(rows) > 20
    claims = {name: _claims_of(phenomenon) for name, phenomenon in phenomena.catalogue().items()}
    for row in rows:
        name, claim = row[2].strip("` "), row[3].strip()
        if "to come" not in row[4]:
            assert claim in claims[name], row


def test_every_data_set_is_taken_or_refused_with_a_reason() -> None:
    for name, phenomenon in phenomena.catalogue().items():
        if not phenomenon.data:  # it draws its own samples
            assert not phenomenon.refused, name
            continue
        assert {"digits", "mnist1d", "fashion-mnist"} <= set(phenomenon.data), name
        assert set(phenomenon.data) | set(phenomenon.refused) == set(DATASETS), name
        assert all(len(reason.split()) > 4 for reason in phenomenon.refused.values())


def test_every_phenomenon_is_complete() -> None:
    """Three presets, an explanation, papers with BibTeX, and a negative control on a main claim."""
    for name, phenomenon in phenomena.catalogue().items():
        assert {"quick", "standard", "paper"} <= set(phenomenon.presets), name
        assert len(phenomenon.explanation.split()) > 80, name
        assert all(paper.bibtex for paper in phenomenon.papers), name
        assert not phenomenon.presets["quick"].gpu
        spec = spec_of(phenomenon, "quick")
        main = [claim for claim in phenomenon.claims(phenomenon.config_of(spec), spec) if claim.main]
        assert any(criterion.control for claim in main for criterion in claim.criteria), name


def _claims_of(phenomenon: Phenomenon) -> set[str]:
    """Return the names of the claims of all presets."""
    found = set()
    for preset in phenomenon.presets:
        spec = spec_of(phenomenon, preset)
        found |= {claim.name for claim in phenomenon.claims(phenomenon.config_of(spec), spec)}
    return found


def test_links_lead_somewhere() -> None:
    for file in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", file.read_text()):
            if not target.startswith(("http:", "https:")):
                assert (file.parent / target).exists(), f"{file.name}: {target}"


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    awk = next(line for line in script.splitlines() if line.startswith("command=$("))
    env = {"PATH": os.environ["PATH"]}
    found = subprocess.run(
        ["bash", "-c", awk + '; printf %s "$command"'], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith("python3 -m venv .venv && ")
    assert found.stdout.endswith(".venv/bin/pytest -n auto")
    assert found.stdout in README
