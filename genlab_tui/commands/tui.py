"""Open the app, where there is a terminal for it."""

from __future__ import annotations

import os
import sys

from genlab_tui.errors import GenlabError

WITHOUT = "genlab-tui watch shows runs as text, genlab-tui run --wait and genlab-tui demo train; ls, show, compare too"
"""What can be done without the app."""


def terminal_problem() -> str:
    """Return why no app can be shown here, or an empty string. The app reads stdin and draws on stderr."""
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        return "there is no terminal here"
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return f"the terminal cannot draw screens (TERM={os.environ.get('TERM', '')!r})"
    return ""


def open_app(runs: tuple[str, ...] = (), *, ascii_only: bool = False, mouse: bool = True) -> int:
    """Open the app, on the live view of `runs` where given; raises GenlabError where there is no terminal.

    With `ascii_only` it is drawn in ASCII; without `mouse` (or with `GENLAB_MOUSE=0`) the terminal keeps its mouse.
    """
    problem = terminal_problem()
    if problem:
        raise GenlabError(problem, WITHOUT)
    from genlab_tui.paths import lab_home
    from genlab_tui.safe_io import make_private_dir

    lab = lab_home()
    make_private_dir(lab.root)
    run_ids: tuple[str, ...] = ()
    if runs:
        from jobs.runs import find_run

        run_ids = tuple(find_run(lab, text).id for text in runs)
    from genlab_tui.app import GenlabApp

    if ascii_only:
        os.environ["GENLAB_ASCII"] = "1"
    app = GenlabApp(lab, start="live" if run_ids else "", run_ids=run_ids)
    app.run(mouse=mouse and os.environ.get("GENLAB_MOUSE", "1").lower() not in ("0", "false", "no", "off"))
    return app.return_code or 0
