"""The Textual app: four modes over one lab, a background look at the runs, and what the screens may ask for."""

from __future__ import annotations

import gc
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import events
from textual.message import Message
from textual.screen import Screen

import screens
from genlab_tui.errors import GenlabError
from genlab_tui.events import Progress
from genlab_tui.paths import Lab
from screens.base import MODES, ModeScreen
from screens.keys import KeyQueue
from screens.messages import DevicesChanged, Looked, ProgressChanged, RunsChanged
from screens.palette import GenlabCommands
from screens.poller import Poller, Snapshot, endings
from screens.shell import Shell
from screens.toosmall import TooSmall, fits

if TYPE_CHECKING:
    from jobs.launcher import Device, QueueEntry
    from jobs.tail import RunReader

T = TypeVar("T")
SWITCH = 0.001
"""Seconds that a thread which reads or judges may go on once a key is there; Python's own 5 ms add up over a key."""
READERS = 24
"""How many runs' data the app keeps at hand."""


def _screen(mode: str) -> Screen[Any]:
    """Make the screen of a mode; its module is imported at its first use, not at the start of the app."""
    screen: Screen[Any] = getattr(import_module(f"screens.{mode}"), f"{mode.capitalize()}Screen")()
    return screen


class GenlabApp(Shell):
    """The lab's screens. Leaving it ends no run; a second app on the same lab is welcome."""

    TITLE = "genlab"
    CSS_PATH: ClassVar[Any] = [Path(screens.__file__).parent / "genlab.tcss"]
    MODES: ClassVar[Any] = {mode: partial(_screen, mode) for mode in MODES}
    COMMANDS: ClassVar[Any] = {GenlabCommands}

    def __init__(self, lab: Lab, start: str = "", run_ids: Iterable[str] = ()) -> None:
        super().__init__(lab, start)
        self.progress: Mapping[str, Progress] = {}
        self.queue: tuple[QueueEntry, ...] = ()
        self.devices: tuple[Device, ...] = ()
        self._first_runs = tuple(run_ids)
        self._readers: OrderedDict[str, RunReader] = OrderedDict()
        self._poller = Poller(lab, self._deliver, self.pace)
        self._keys = KeyQueue(self, super().on_event)
        self._news: dict[type[Message], Message] = {}
        self._looked = False
        self._launched = ""

    def on_mount(self) -> None:
        if self._first_runs:
            self.open_live(*self._first_runs)
        self.call_after_refresh(self._poller.start)

    @property
    def busy(self) -> bool:
        return self._keys.busy

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

    def post_display_hook(self) -> None:
        super().post_display_hook()
        # Inside a batch nothing goes out, and all of the start is one.
        if not self._batch_count and self.screen_stack and isinstance(self.screen, ModeScreen):
            self.screen.drawn()

    # --- what the background thread found -----------------------------------------------------------------------------

    def _deliver(self, snapshot: Snapshot) -> None:
        self.post_message(Looked(snapshot))

    def on_looked(self, message: Looked) -> None:
        if not self.screen_stack:
            return  # the app is on its way out
        found, screen = message.snapshot, self._base_screen()
        if not self._looked:
            self._be_quick()
        watched = screen.watched if isinstance(screen, ModeScreen) and self.app_focus else ()
        ended = endings(self.runs, found.runs, watched) if self._looked else []
        changed = found.runs != self.runs or found.queue != self.queue or not self._looked
        moved, sampled = found.progress != self.progress, found.devices != self.devices
        self.runs, self.progress, self.queue, self.devices = found.runs, found.progress, found.queue, found.devices
        if found.error:
            self.say(found.error, title="the runs cannot be read", severity="error")
        for text, severity in ended:
            self.tell(text, severity)
        self._looked = True
        news = ((RunsChanged(self.runs), changed), (ProgressChanged(), moved), (DevicesChanged(), sampled))
        self._news |= {type(message): message for message, happened in news if happened}
        self._pass_on()

    def _pass_on(self) -> None:
        """Tell the mode the news; under a sheet they wait: a change below it has all of the terminal drawn anew."""
        if len(self.screen_stack) == 1:
            news, self._news = self._news, {}
            for message in news.values():
                self._base_screen().post_message(message)

    def catch_up(self) -> None:
        self.say_the_rest()
        self._pass_on()

    @staticmethod
    def _be_quick() -> None:
        """Keep what goes on behind the screens from holding a key up."""
        gc.freeze()  # modules, style sheets and the index live as long as the app: nobody waits for a walk over them
        sys.setswitchinterval(SWITCH)

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

    def show_mode(self, mode: str) -> None:
        if mode != self.current_mode:
            self.clear_notifications()
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
            except Exception as error:  # noqa: BLE001 - a phenomenon's own code; shown, not the end of the app
                text = f"{type(error).__name__}: {error}"
                self.call_from_thread(self.say, text, title=f"cannot {label}", severity="error")
            else:
                if then:
                    self.call_from_thread(then, result)
            self._poller.wake()

        self.run_worker(work, name=label, group="verbs", thread=True)
