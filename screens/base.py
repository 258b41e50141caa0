"""What every mode of the app shares: header line, key line, common keys, and the app as the screens see it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import Screen

from genlab_tui.events import Progress
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord
from screens.messages import DevicesChanged, RunsChanged
from screens.panels.chrome import HeaderLine, KeyLine

if TYPE_CHECKING:
    from jobs.launcher import Device, QueueEntry
    from jobs.tail import RunReader

T = TypeVar("T")

MODES = ("lab", "live", "runs", "compare")
WIDTHS = ((0, "-narrow"), (76, "-normal"), (120, "-wide"), (170, "-huge"))
HEIGHTS = ((0, "-short"), (23, "-medium"), (36, "-tall"))
"""From how many cells on a mode has which class, for its style sheet."""


class GenlabApi(Protocol):
    """The app as the screens see it (they may not import `genlab_tui.app`). Everything is called on the UI thread."""

    lab: Lab
    runs: tuple[RunRecord, ...]
    """Newest first, trash left out; refreshed about once a second by a background thread."""
    progress: Mapping[str, Progress]
    """The last progress event of every active run, by run id."""
    queue: tuple[QueueEntry, ...]
    """Active runs, then queued ones in the order in which they will start, each with what it waits for."""
    devices: tuple[Device, ...]
    """The devices of this machine as last sampled; empty before the first sample."""

    @property
    def busy(self) -> bool:
        """Whether a key is being dealt with: what has time lets it pass."""
        ...

    def reader(self, run_id: str) -> RunReader:
        """Return the cached reader of a run. Raises GenlabError."""
        ...

    def show_mode(self, mode: str) -> None:
        """Switch to `lab`, `live`, `runs` or `compare`."""
        ...

    def open_lab(self, phenomenon: str | None = None) -> None: ...

    def open_live(self, *run_ids: str) -> None: ...

    def launched(self, run_id: str) -> None:
        """Take note of a run that the user just launched: Live shows it next."""
        ...

    def open_compare(self, *run_ids: str, baseline: str | None = None) -> None: ...

    def act(self, label: str, fn: Callable[..., T], *args: Any, then: Callable[[T], None] | None = None) -> None:
        """Call `fn(*args)` in a thread: `act("stop 7f3a", runs.stop, genlab.lab, run_id)`.

        `then` gets the result on the UI thread. A GenlabError becomes a toast titled "cannot <label>". The runs are
        refreshed after it either way.
        """
        ...

    def pace(self) -> float:
        """Return the seconds to leave between two pictures of what trains: 0 but for a slow link. From any thread."""
        ...

    def say(self, text: object, *, title: str = "", severity: str = "information") -> None:
        """Show a toast: cleaned, never read as markup. Over a sheet or a question it waits until that is closed."""
        ...

    def catch_up(self) -> None:
        """Show what waited while a sheet or a question covered the mode: toasts and news."""
        ...

    def recall(self, name: str) -> Any:
        """Return a setting of the screens as `remember` kept it (from a file: check it), or None."""
        ...

    def remember(self, **settings: Any) -> None:
        """Keep settings of the screens over the end of the app (JSON values)."""
        ...

    def copy(self, text: str, what: str) -> None:
        """Copy to the terminal's clipboard (OSC 52) and show what was copied."""
        ...


def _steps(size: Size) -> tuple[tuple[tuple[tuple[int, str], ...], int], ...]:
    return (WIDTHS, size.width), (HEIGHTS, size.height)


class ModeScreen(Screen[None]):
    """A mode of the app. Subclasses give `compose_body`; header and key line come from here.

    `RunsChanged` arrives when the index changed and whenever the mode is switched to. The keys of the last line are
    the shown bindings of what has the focus, innermost first.
    """

    HELP_TITLE: ClassVar[str] = ""
    """What the help calls this screen."""
    BINDING_GROUP_TITLE = "Everywhere"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "mode('lab')", "Lab", show=False, tooltip="Choose a phenomenon and launch it"),
        Binding("2", "mode('live')", "Live", show=False, tooltip="Watch runs while they train"),
        Binding("3", "mode('runs')", "Runs", show=False, tooltip="Every run of this lab"),
        Binding("4", "mode('compare')", "Compare", show=False, tooltip="Runs side by side"),
        Binding("colon", "app.command_palette", "palette", show=False, key_display=":", tooltip="Find any action"),
        Binding("ctrl+o", "jump", "jump", show=False, tooltip="Jump to a pane: each shows its letter"),
        Binding("question_mark", "help", "help", key_display="?", tooltip="The keys of this screen"),
        Binding("q", "app.quit", "leave", tooltip="Leave; runs go on without the screen"),
    ]

    def compose(self) -> ComposeResult:
        self._take_room(self.app.size)  # before there are widgets that would be styled twice
        yield HeaderLine()
        yield from self.compose_body()
        yield KeyLine()

    def drawn(self) -> None:
        """Take note that the screen, or what has changed of it, has just been drawn; the first time is its frame."""

    def compose_body(self) -> ComposeResult:
        """Yield the widgets between header and key line."""
        raise NotImplementedError(f"{type(self).__name__} has no body")

    @property
    def genlab(self) -> GenlabApi:
        return cast(GenlabApi, self.app)

    @property
    def watched(self) -> Collection[str]:
        """The ids of the runs that the user is looking at: their end needs no toast."""
        return ()

    @property
    def idle_actions(self) -> Collection[str]:
        """Actions that would only say why they do nothing now: the key line leaves their keys out."""
        return ()

    def on_resize(self, event: events.Resize) -> None:
        self._take_room(event.size)

    def on_screen_resume(self) -> None:
        self._take_room(self.app.size)
        self.genlab.catch_up()

    def _take_room(self, size: Size) -> None:
        """Set the classes for the room there is (Textual's own break points miss a screen that was not on top)."""
        chosen = {[name for least, name in steps if cells >= least][-1] for steps, cells in _steps(size)}
        self.update_classes({name: name in chosen for steps, _ in _steps(size) for _, name in steps})

    def on_runs_changed(self, event: RunsChanged) -> None:
        self.query_one(HeaderLine).refresh()

    def on_devices_changed(self, event: DevicesChanged) -> None:
        self.query_one(HeaderLine).refresh()

    def action_mode(self, mode: str) -> None:
        self.genlab.show_mode(mode)

    def action_jump(self) -> None:
        from screens.jump import JumpScreen

        jump = JumpScreen(self)
        self.app.push_screen(jump, jump.arrive)

    def action_help(self) -> None:
        from screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self))
