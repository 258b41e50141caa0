"""The entry point: pins the import path, then hands over to the command line."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType


def pin_path() -> None:
    """Make our own `jobs` and `screens` win over folders of that name in the working directory.

    `python -m` puts the working directory first on the path, and these are plain top-level packages.
    """
    parent = str(Path(__file__).resolve().parent.parent)
    if sys.flags.safe_path:
        sys.path.insert(0, parent)
    else:
        sys.path[0] = parent


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


def main() -> None:
    """Run the command line; exit codes 0, 1, 2, 130 (interrupted) and 143 (terminated)."""
    pin_path()
    signal.signal(signal.SIGTERM, _terminate)
    from genlab_tui.cli import run_cli

    sys.exit(run_cli(sys.argv[1:]))


if __name__ == "__main__":
    main()
