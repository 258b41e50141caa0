"""Lab, the home screen: choose a phenomenon, say how, launch it; the queue and the devices below."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from genlab_tui import phenomena
from genlab_tui.errors import GenlabError
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.run import RunRecord
from genlab_tui.text import clean_text
from screens.draft import Draft
from screens.launching import launch
from screens.messages import DevicesChanged, ProgressChanged, RunsChanged
from screens.panels.about import ABOUT, about_text
from screens.panels.catalogue import BROKEN, Catalogue, CatalogueFilter
from screens.panels.form import Form
from screens.panels.gpu import Devices
from screens.panels.launch import Launch
from screens.panels.queue import Queue
from screens.panels.regularisers import Regularisers
from screens.panes import Panes
from screens.predict import Predict, Prediction
from screens.queueing import QueueActions
from screens.sheet import Sheet
from screens.welcome import greet_first

AGES_EVERY = 30.0
"""Seconds after which `5m` ago is looked at again."""
ROOMY = 80
"""Cells from which the catalogue may be wide, the regularisers still being two to a row."""
KEEP_AFTER = 1.0
"""Seconds without a change after which the form is written down."""


class LabScreen(Panes, QueueActions):
    """Catalogue on the left, form and queue on the right; single keys toggle the regularisers."""

    CSS_PATH = "lab.tcss"
    HELP_TITLE = "Lab"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "launch", "launch", tooltip="Launch; an identical stored run is offered first"),
        Binding("y", "copy_command", "copy", tooltip="Copy the command line that launches the same"),
        Binding(
            "P", "predict", "predict", show=False, tooltip="Write down what you expect of the run before it is launched"
        ),
        Binding("slash", "filter", "filter", key_display="/", tooltip="Filter the phenomena"),
        Binding("tab", "pane(1)", "panel", tooltip="The next panel"),
        Binding("shift+tab", "pane(-1)", "panel before", show=False, tooltip="The panel before"),
        Binding("i", "about", "about", tooltip=ABOUT),
        Binding("escape", "back", "back", show=False, tooltip="One layer back, to the phenomena"),
        *(
            Binding(r.key, f"switch('{r.name}')", r.label, show=False, tooltip=f"{r.label} on or off")
            for r in REGULARISERS
        ),
        Binding("left", "strength(-1)", "weaker", show=False, tooltip="Less of the regulariser toggled last"),
        Binding("right", "strength(1)", "stronger", show=False, tooltip="More of the regulariser toggled last"),
    ]

    def __init__(self) -> None:
        super().__init__(classes="-at-left")
        self._wanted = ""
        self._launch: Launch | None = None
        self._keeping: Timer | None = None
        self._loading = False

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="body"):
            with Vertical(id="left", classes="panel") as left:
                left.border_title = "Phenomena"
                yield CatalogueFilter(placeholder="filter", compact=True, id="filter")
                yield Catalogue()
                yield Devices()
            with Vertical(id="right"):
                with Horizontal(id="upper"):
                    self._launch = Launch(self.genlab.lab.data, self._recall("drafts"))
                    yield self._launch
                    with VerticalScroll(id="about", classes="panel", can_focus=False) as about:
                        about.border_title = "About"
                        yield Static(id="about-text")
                with Vertical(id="queue", classes="panel"):
                    yield Queue()

    def on_mount(self) -> None:
        last = self._recall("phenomenon")
        self.query_one(Catalogue).choose(self._wanted or (last if isinstance(last, str) else ""))
        self.set_focus(self.query_one(Catalogue))
        self.query_one(Devices).tell(self.genlab.devices)
        self._tell_runs()
        self.set_interval(AGES_EVERY, self._tell_runs)

    def drawn(self) -> None:
        if not self._loading and self.is_mounted and self.query_one(Catalogue).size:
            self._loading = True
            self.call_later(self._load)

    def _load(self) -> None:
        """Read the declarations of the phenomena: once the frame is on the terminal, as that takes a while."""
        self.query_one("#left").border_title = f"Phenomena · {len(phenomena.catalogue())}"
        self.query_one(Catalogue).take(phenomena.catalogue().values(), phenomena.broken())
        self._tell_runs()

    def _take_room(self, size: Size) -> None:
        super()._take_room(size)
        self.set_class(size.width < ROOMY, "-tight")

    # --- which phenomenon ---------------------------------------------------------------------------------------------

    def show(self, phenomenon: str) -> None:
        """Show a phenomenon in the form; works before the screen is mounted too."""
        self._wanted = phenomenon
        if self.is_mounted:
            self.query_one(Catalogue).choose(phenomenon)
            self.focus_pane("form")

    @on(OptionList.OptionHighlighted, "Catalogue")
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        phenomenon = phenomena.catalogue().get(event.option_id or "")
        if phenomenon is None:
            return
        try:
            self.query_one(Launch).take(phenomenon, self._device_names())
        except GenlabError as error:
            self.genlab.say(error, title=f"{phenomenon.name} cannot be launched", severity="error")

    @on(OptionList.OptionSelected, "Catalogue")
    def _phenomenon_entered(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        name = (event.option_id or "").removeprefix(BROKEN)
        if name in phenomena.broken():
            reason = Content(clean_text(phenomena.broken()[name], 2000, multiline=True))
            self.app.push_screen(Sheet(f"{clean_text(name, 60)} does not load", reason))
        else:
            self.focus_pane("form", "preset")

    @on(Launch.Changed)
    def _draft_changed(self, event: Launch.Changed) -> None:
        event.stop()
        draft = self.query_one(Launch).draft
        if self._keeping:
            self._keeping.stop()
        self._keeping = self.set_timer(KEEP_AFTER, self._keep)
        if draft and self.query_one("#about").display:
            self.query_one("#about-text", Static).update(about_text(draft.phenomenon, draft.claims()))

    # --- kept over the end of the app ---------------------------------------------------------------------------------

    def _recall(self, name: str) -> Any:
        kept = self.genlab.recall("lab")
        return kept.get(name) if isinstance(kept, dict) else None

    def _keep(self) -> None:
        """Write down the drafts and which phenomenon is shown, where they changed."""
        if self._launch and self._launch.draft:
            kept = {"phenomenon": self._launch.draft.phenomenon.name, "drafts": self._launch.keep()}
            if kept != self.genlab.recall("lab"):
                self.genlab.remember(lab=kept)

    def on_screen_suspend(self) -> None:
        self._keep()

    def on_unmount(self) -> None:
        self._keep()

    # --- launching ----------------------------------------------------------------------------------------------------

    def action_launch(self) -> None:
        draft = self.query_one(Launch).draft
        if draft is None:
            return
        if not all(node.display for node in self.query_one("#cost").ancestors_with_self if isinstance(node, Widget)):
            self.focus_pane("form")  # nobody launches what they cannot see
            return
        problems = draft.problems()
        if problems:
            name, problem = next(iter(problems.items()))
            self.genlab.say(problem, title="not launched", severity="error")
            self.focus_pane("form", name)
        else:
            launched = partial(self._launched, draft)
            launch(self, draft.phenomenon.name, draft.request(), self._seconds(draft), launched)

    def _launched(self, draft: Draft, run: RunRecord) -> None:
        """A prediction is of one run: the next one wants its own."""
        draft.predict("", "")
        self.query_one(Launch).redraw()

    def action_predict(self) -> None:
        draft = self.query_one(Launch).draft
        if draft is not None and self.app.screen is self:
            before = Prediction(draft.expected, draft.prediction)
            self.app.push_screen(Predict(draft.phenomenon.title, draft.claims(), before), self._predicted)

    def _predicted(self, prediction: Prediction | None) -> None:
        if prediction is not None:
            self.query_one(Launch).predict(*prediction)

    @staticmethod
    def _seconds(draft: Draft) -> float:
        """Return what the estimate says; nought where there is none."""
        try:
            return draft.cost()[0].seconds
        except GenlabError:
            return 0.0

    def action_copy_command(self) -> None:
        draft = self.query_one(Launch).draft
        if draft is None:
            return
        try:
            command = draft.command()
        except GenlabError as error:
            self.genlab.say(error, title="there is no such command", severity="error")
        else:
            self.genlab.copy(command, "the command")

    def action_switch(self, name: str) -> None:
        panel = self.query_one(Launch)
        if panel.draft is None:
            return
        if panel.switch(name) is None:
            self.genlab.say(f"{name} does not apply to {panel.draft.phenomenon.title}", severity="warning")
        self.focus_pane("regularisers")  # so that left and right change its strength, and nothing else

    @on(Regularisers.Switched)
    def _switch_asked(self, event: Regularisers.Switched) -> None:
        event.stop()
        self.action_switch(event.name)

    def action_strength(self, by: int) -> None:
        self.query_one(Launch).strengthen(by)

    def action_about(self) -> None:
        draft = self.query_one(Launch).draft
        if draft:
            text = about_text(draft.phenomenon, draft.claims())
            self.app.push_screen(Sheet(clean_text(draft.phenomenon.title, 60), text))

    # --- the filter ---------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        self.show_pane("left")
        box = self.query_one("#filter", Input)
        box.display = True
        self.set_focus(box)

    @on(Input.Changed, "#filter")
    def _filtered(self, event: Input.Changed) -> None:
        event.stop()
        catalogue = self.query_one(Catalogue)
        catalogue.search(event.value)
        found, known = len(catalogue.matching()), len(catalogue.phenomena)
        count = f"{found} of {known}" if event.value.strip() else str(known)
        self.query_one("#left").border_title = f"Phenomena · {count}"
        if not catalogue.matching() and (before := catalogue.phenomena.get(catalogue.before)):
            self.query_one(Launch).take(before, self._device_names())

    @on(Input.Submitted, "#filter")
    def _filter_entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_pane("left")

    def action_back(self) -> None:
        if self.pane == "left":
            box = self.query_one("#filter", Input)
            box.value, box.display = "", False
        self.focus_pane("left")

    # --- runs and devices ---------------------------------------------------------------------------------------------

    def on_runs_changed(self, event: RunsChanged) -> None:
        self._tell_runs()
        greet_first(self)

    def on_progress_changed(self, event: ProgressChanged) -> None:
        self._tell_runs()

    def on_devices_changed(self, event: DevicesChanged) -> None:
        self.query_one(Devices).tell(self.genlab.devices)
        self.query_one(Form).field("device").offer(("auto", *self._device_names()))
        if self.genlab.queue:  # who ends when is a matter of the devices
            self._tell_runs()
        else:
            self.query_one(Launch).tell(self.genlab.runs, self._device_names())

    def _device_names(self) -> list[str]:
        names = [device.name for device in self.genlab.devices]
        names = names if "cpu" in names else ["cpu", *names]
        return [*names, "all"] if len(names) > 2 else names

    def _tell_runs(self) -> None:
        self.query_one(Catalogue).tell(self.genlab.runs, self.genlab.progress)
        self.query_one(Launch).tell(self.genlab.runs, self._device_names())
        queue = self.query_one(Queue)
        queue.tell(self.genlab.runs, self.genlab.progress, self.genlab.queue, self.genlab.devices)
        self.query_one("#queue").border_title = queue.heading
