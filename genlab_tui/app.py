"""The Textual app: four modes over one lab, a background look at the runs, and what the screens may ask for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from rich.text import Text
from textual import events
from textual.app import App
from textual.screen import Screen

import screens
from genlab_tui.errors import GenlabError
from genlab_tui.events import Progress
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord
from genlab_tui.safe_io import make_private_dir, read_json, write_json
from genlab_tui.text import clean_text
from screens.base import MODES, ModeScreen
from screens.keys import KeyQueue
from screens.messages import DevicesChanged, Looked, ProgressChanged, RunsChanged
from screens.palette import GenlabCommands
from screens.poller import Poller, Snapshot, endings
from screens.sheet import Ask, Sheet
from screens.themes import TERMINAL_THEMES, THEMES
from screens.toosmall import TooSmall, fits

if TYPE_CHECKING:
    from jobs.launcher import Device, QueueEntry
    from jobs.tail import RunReader

T = TypeVar("T")
READERS = 24
"""How many runs' data the app keeps at hand."""


def _screen(mode: str) -> Screen[Any]:
    """Make the screen of a mode; its module is imported at its first use, not at the start of the app."""
    screen: Screen[Any] = getattr(import_module(f"screens.{mode}"), f"{mode.capitalize()}Screen")()
    return screen


class GenlabApp(App[None]):
    """The lab's screens. Leaving it ends no run; a second app on the same lab is welcome."""

    TITLE = "genlab"
    CSS_PATH: ClassVar[Any] = [Path(screens.__file__).parent / "genlab.tcss"]
    MODES: ClassVar[Any] = {mode: partial(_screen, mode) for mode in MODES}
    COMMANDS: ClassVar[Any] = {GenlabCommands}

    def __init__(self, lab: Lab, start: str = "lab", run_ids: Iterable[str] = ()) -> None:
        self.DEFAULT_MODE = start  # type: ignore[misc]  # the mode that the first paint shows
        super().__init__()
        self.lab = lab
        self.runs: tuple[RunRecord, ...] = ()
        self.progress: Mapping[str, Progress] = {}
        self.queue: tuple[QueueEntry, ...] = ()
        self.devices: tuple[Device, ...] = ()
        self._first_runs = tuple(run_ids)
        self._readers: OrderedDict[str, RunReader] = OrderedDict()
        self._poller = Poller(lab, self._deliver)
        self._keys = KeyQueue(self, super().on_event)
        self._view = read_json(lab.view) or {}
        self._looked = False
        self._launched = ""
        self._unsaid: list[tuple[str, str, str]] = []
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self._first_theme(self._view.get("theme"))

    def _first_theme(self, wanted: object) -> str:
        """Return the theme remembered, or the lab's own where that one is gone or would show nothing."""
        unseen = self.no_color and wanted in TERMINAL_THEMES
        return wanted if isinstance(wanted, str) and wanted in self.available_themes and not unseen else THEMES[0].name

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, lambda theme: self.remember(theme=theme.name))
        if self._first_runs:
            self.open_live(*self._first_runs)
        self.call_after_refresh(self._poller.start)

    def on_unmount(self) -> None:
        self._poller.stop()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._keys.put(event)
        else:
            await super().on_event(event)

    def on_resize(self, event: events.Resize) -> None:
        if not fits(event.size) and not isinstance(self.screen, TooSmall):
            self.push_screen(TooSmall())

    # --- what the background thread found -----------------------------------------------------------------------------

    def _deliver(self, snapshot: Snapshot) -> None:
        self.post_message(Looked(snapshot))

    def on_looked(self, message: Looked) -> None:
        found, screen = message.snapshot, self._base_screen()
        watched = screen.watched if isinstance(screen, ModeScreen) else ()
        ended = endings(self.runs, found.runs, watched) if self._looked else []
        changed = found.runs != self.runs or found.queue != self.queue or not self._looked
        moved, sampled = found.progress != self.progress, found.devices != self.devices
        self.runs, self.progress, self.queue, self.devices = found.runs, found.progress, found.queue, found.devices
        if found.error:
            self.say(found.error, title="the runs cannot be read", severity="error")
        for text, severity in ended:
            self.say(text, severity=severity)
        self._looked = True
        for news, happened in (
            (RunsChanged(self.runs), changed),
            (ProgressChanged(), moved),
            (DevicesChanged(), sampled),
        ):
            if happened:
                screen.post_message(news)

    def _base_screen(self) -> Screen[Any]:
        return self.screen_stack[0]

    # --- what the screens may ask for (screens.base.GenlabApi) --------------------------------------------------------

    def reader(self, run_id: str) -> RunReader:
        from jobs.tail import RunReader

        if run_id not in self._readers:
            self._readers[run_id] = RunReader(self.lab.run(run_id))
            while len(self._readers) > READERS:
                self._readers.popitem(last=False)
        self._readers.move_to_end(run_id)
        return self._readers[run_id]

    def refresh_runs(self) -> None:
        self._poller.wake()

    def show_mode(self, mode: str) -> None:
        if mode != self.current_mode:
            self.switch_mode(mode)
            if self._looked:
                self._base_screen().post_message(RunsChanged(self.runs))
            self._show_launched()

    def open_lab(self, phenomenon: str | None = None) -> None:
        self.show_mode("lab")
        if phenomenon:
            self._show(phenomenon)

    def launched(self, run_id: str) -> None:
        self._launched = run_id
        self._show_launched()

    def _show_launched(self) -> None:
        """Show the run launched last at the first look at Live after it."""
        if self._launched and self.current_mode == "live":
            self._show((self._launched,))
            self._launched = ""

    def open_live(self, *run_ids: str) -> None:
        self._launched = ""
        self.show_mode("live")
        self._show(run_ids)

    def open_compare(self, *run_ids: str, baseline: str | None = None) -> None:
        self.show_mode("compare")
        self._show(run_ids, baseline=baseline)

    def _show(self, *args: Any, **options: Any) -> None:
        screen: Any = self._base_screen()
        screen.show(*args, **options)

    def act(self, label: str, fn: Callable[..., T], *args: Any, then: Callable[[T], None] | None = None) -> None:
        def work() -> None:
            try:
                result = fn(*args)
            except (GenlabError, OSError) as error:
                self.call_from_thread(self.say, error, title=f"cannot {label}", severity="error")
            else:
                if then:
                    self.call_from_thread(then, result)
            self._poller.wake()

        self.run_worker(work, name=label, group="verbs", thread=True)

    def say(self, text: object, *, title: str = "", severity: str = "information") -> None:
        words = clean_text(text, 300), clean_text(title, 80), severity
        if any(isinstance(screen, (Ask, Sheet)) for screen in self.screen_stack[-1:]):
            self._unsaid.append(words)  # a toast would lie over what is being read
        else:
            self._toast(*words)

    def _toast(self, text: str, title: str, severity: str) -> None:
        kind: Any = severity
        self.notify(text, title=title, severity=kind, markup=False)

    def say_the_rest(self) -> None:
        unsaid, self._unsaid = self._unsaid, []
        for words in unsaid:
            self._toast(*words)

    def copy(self, text: str, what: str) -> None:
        self.copy_to_clipboard(text)
        self.say(text, title=f"copied {what}")

    async def action_quit(self) -> None:
        going = sum(not run.state.ended for run in self.runs)
        many = "1 run goes" if going == 1 else f"{going} runs go"
        note = f"{many} on without the screen: genlab-tui brings it back, genlab-tui ls lists them."
        self.exit(message=Text(note) if going else None)

    def recall(self, name: str) -> Any:
        return self._view.get(name)

    def remember(self, **settings: Any) -> None:
        self._view |= settings
        try:
            make_private_dir(self.lab.root)
            write_json(self.lab.view, self._view)
        except (GenlabError, OSError) as error:
            self.say(error, title="cannot remember the view", severity="warning")
