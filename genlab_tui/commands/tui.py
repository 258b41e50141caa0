"""Open the app, where there is a terminal for it."""

from __future__ import annotations

import os
import sys

from genlab_tui.errors import GenlabError


def terminal_problem() -> str:
    """Return why no app can be shown here, or an empty string. The app reads stdin and draws on stderr."""
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        return "there is no terminal here"
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return f"the terminal cannot draw screens (TERM={os.environ.get('TERM', '')!r})"
    return ""


def open_app(runs: tuple[str, ...] = ()) -> int:
    """Open the app, on the live view of `runs` where given; raises GenlabError where there is no terminal."""
    problem = terminal_problem()
    if problem:
        raise GenlabError(problem, "the commands work everywhere: genlab-tui demo, run, ls, show, compare, export")
    from genlab_tui.paths import lab_home
    from genlab_tui.safe_io import make_private_dir

    lab = lab_home()
    make_private_dir(lab.root)
    run_ids: tuple[str, ...] = ()
    if runs:
        from jobs.runs import find_run

        run_ids = tuple(find_run(lab, text).id for text in runs)
    from genlab_tui.app import GenlabApp

    app = GenlabApp(lab, start="live" if run_ids else "lab", run_ids=run_ids)
    app.run()
    return app.return_code or 0
