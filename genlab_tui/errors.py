"""Errors that a person can act on: one line that says what is wrong, one that says what to do."""

from __future__ import annotations


class GenlabError(Exception):
    """An error with a one-line message and, where there is one, a one-line way out.

    `exit_code` is what the command line ends with: 1 for a failure, 2 for a wrong request.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class BadValue(GenlabError):
    """A value outside what its field allows; the message names the field, the bounds and the nearest valid value."""

    exit_code = 2


class NotFound(GenlabError):
    """A run, phenomenon, preset, data set or regulariser that does not exist; the hint names the nearest that does."""

    exit_code = 2


class MissingData(GenlabError):
    """A data set that is not on this machine; the hint is the command that fetches it."""


class LabUnusable(GenlabError):
    """The lab directory cannot be created, read or written."""


def nearest(word: str, known: list[str] | tuple[str, ...]) -> str:
    """Return a hint `did you mean X?` for the closest known word, or the list of known words."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {str(close[0])!r}?" if close else "known: " + ", ".join(known)
