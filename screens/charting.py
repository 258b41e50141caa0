"""What Live's keys do to its charts: a cursor, a window on the x axis, marks, which arms, a picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual import on

from genlab_tui.errors import GenlabError
from genlab_tui.figure import Figure
from genlab_tui.lines import AXES, Axis
from genlab_tui.run import RunMeta, decode
from genlab_tui.safe_io import read_json
from genlab_tui.text import clean_text
from screens import picture
from screens.armlist import ArmList, Chosen
from screens.grid import SlotGrid
from screens.lens import Lens
from screens.liveview import ALL, COUNTS, FIGURE_LOG_X, LOGS, SMOOTH
from screens.overlay import after
from screens.panels.choices import FIGURE
from screens.panels.happened import any_curve, convert
from screens.panels.slot import Slot
from screens.prompt import Prompt
from screens.turns import Turns

VALUES = {"x": AXES, "log_x": LOGS, "log_y": LOGS, "smooth": SMOOTH, "members": (False, True)}


class Charting(SlotGrid):
    """A mode that shows curves in slots; it binds `CHART_KEYS`."""

    ids: tuple[str, ...]

    def __init__(self) -> None:
        super().__init__()
        self.lens = Lens()
        self.turns = Turns(self, lambda: self.genlab.busy)

    def draw_slots(self, slots: dict[str, int]) -> None:
        """Show in every panel that is seen what it shows, through the lens."""
        gallery, lens, seen = self._gallery, self.lens, self.visible_slots
        shown = {slot.number: gallery.picture(slot.number, self.view, lens.points(slot.number)) for slot in seen}
        keys = gallery.keys(self.view)
        curves = {
            number: figure
            for number, figure in shown.items()
            if isinstance(figure, Figure) and (not keys[number].startswith(FIGURE) or figure.x_label in AXES)
        }
        lens.look(curves)

        def show(slot: Slot) -> None:
            figure = curves.get(slot.number)
            window = lens.window(figure) if figure else None
            cursor = lens.cursor if figure and figure.x_label == lens.axis else None
            slot.show(shown[slot.number], self.view.of(slot.number).smooth, slots, window, cursor)

        here = self.slot
        # An empty panel waits for nothing.
        new = [slot for slot in seen if slot.picture is slot.chart and slot.chart.figure is None]
        for slot in new:
            show(slot)
        others = sorted((slot for slot in seen if slot not in new), key=lambda slot: slot is not here)
        self.turns.take(partial(show, slot) for slot in others)

    @property
    def charts_note(self) -> str:
        """How the focused panel is drawn, which part of the x axis is seen, and what is at the cursor."""
        number = self.slot.number
        keys = self._gallery.keys(self.view)
        curves = any(not keys[slot.number].startswith(FIGURE) for slot in self.visible_slots if slot.number < len(keys))
        parts = [self._gallery.note(number, self.view) if curves else "", self.view.of(number).note, self.lens.note]
        parts += [f"⚑ {step:,} {text}" for _, step, text in self._marks_here()[:1]]
        return " · ".join(filter(None, parts))

    # --- cursor -------------------------------------------------------------------------------------------------------

    def action_cursor(self) -> None:
        if self.lens.cursor is not None:
            self.leave_cursor()
        elif self.lens.place(self.lens.axis_of(self.slot.number)):
            self._cursor_moved()
        else:
            here = "none is here yet" if self._awaited_curves else "there is nothing for it to read here"
            self.genlab.say(f"the cursor reads curves over steps, epochs or seconds: {here}")

    @property
    def _awaited_curves(self) -> bool:
        """Whether a panel that is seen shows curves, or what is not made yet."""
        keys = self._gallery.keys(self.view)
        return not keys or any(
            not keys[slot.number].startswith(FIGURE) or (slot.picture is slot.chart and slot.chart.figure is None)
            for slot in self.visible_slots
        )

    def leave_cursor(self) -> bool:
        """Take the cursor away; return whether there was one."""
        there = self.lens.cursor is not None
        self.lens.leave()
        if there:
            self._cursor_moved()
        return there

    def _cursor_moved(self) -> None:
        for slot in self.query(Slot):
            slot.reading = self.lens.cursor is not None
        self.refresh_bindings()
        self.redraw()

    def action_move(self, by: int) -> None:
        self.lens.move(by, self._columns)
        self._cursor_moved()

    def action_end(self, side: int) -> None:
        self.action_move(side * 10**6)

    @property
    def _columns(self) -> int:
        """The columns between the ends of the focused chart, or of another one where it has none."""
        charts = [slot.chart.columns for slot in (self.slot, *self.visible_slots)]
        return next((columns for columns in charts if columns), 80)

    @on(Slot.Pointed)
    def _pointed(self, event: Slot.Pointed) -> None:
        event.stop()
        figure = event.slot.chart.figure
        if figure is not None and figure.x_label == self.lens.axis and self.lens.place(self.lens.axis, event.value):
            self._cursor_moved()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the cursor's keys only while there is a cursor."""
        if action in ("move", "end"):
            return self.lens.cursor is not None
        return super().check_action(action, parameters)

    # --- window -------------------------------------------------------------------------------------------------------

    def action_narrow(self, by: float) -> None:
        self.lens.zoom(self.lens.axis_of(self.slot.number), by)
        self.redraw()

    def action_pan(self, by: int) -> None:
        self.lens.pan(self.lens.axis_of(self.slot.number), by / 4)
        self.redraw()

    def action_whole(self) -> None:
        self.lens.unzoom(self.lens.axis_of(self.slot.number))
        self.redraw()

    # --- how panels are drawn -----------------------------------------------------------------------------------------

    def action_setting(self, name: str, everywhere: bool = False) -> None:
        number = self.slot.number
        value = after(VALUES[name], getattr(self.view.of(number), name))
        self.take_view(self.view.with_setting(ALL if everywhere else number, name, value))

    def action_log_x(self) -> None:
        number = self.slot.number
        keys = self._gallery.keys(self.view)
        if keys and keys[number].startswith(FIGURE):
            value = after(LOGS, self.view.figure_log_x(number))
            self.take_view(self.view.with_setting(number, FIGURE_LOG_X, value))
        else:
            self.take_view(self.view.with_setting(ALL, "log_x", after(LOGS, self.view.log_x)))

    def action_arms(self) -> None:
        gallery, number = self._gallery, self.slot.number
        if not gallery.names:
            return
        runs = gallery.runs_of(number, self.view)
        chosen = Chosen(tuple(run.id for run in runs), gallery.arms_of(number, self.view), False)
        listed = ArmList(
            f"arms in panel {number + 1}",
            [(run.id, run.title) for run in gallery.runs],
            list(gallery.names.items()),
            chosen,
        )
        self.app.push_screen(listed, partial(self._chose_arms, number, gallery.phenomenon))

    def _chose_arms(self, number: int, phenomenon: str, chosen: Chosen | None) -> None:
        if chosen is None:
            return
        numbers = range(max(COUNTS)) if chosen.everywhere else (number,)
        usual = chosen.arms == self._gallery.arms
        view = self.view.with_arms(phenomenon, numbers, () if usual else chosen.arms)
        self.take_view(view.leaving_out(numbers, [i for i in self.ids if chosen.runs and i not in chosen.runs]))

    # --- marks --------------------------------------------------------------------------------------------------------

    def read_marks(self) -> None:
        """Read the user's marks on the runs that are shown."""
        found = {}
        for run_id in self.ids:
            document = read_json(self.genlab.lab.run(run_id).meta)
            try:
                found[run_id] = decode(RunMeta, document or {}).marks
            except GenlabError:
                continue
        self._gallery.own_marks = found

    def own_marks(self, run_id: str) -> Sequence[tuple[int, str]]:
        return self._gallery.own_marks.get(run_id, ())

    def _marks_here(self) -> list[tuple[str, int, str]]:
        """Return the user's marks in the cursor's column of the focused chart: run id, step, words."""
        figure, cursor = self.slot.chart.figure, self.lens.cursor
        if figure is None or cursor is None or figure.x_label != self.lens.axis:
            return []
        columns = self._columns
        here = self.lens.column(cursor, columns)
        return [
            (run_id, step, clean_text(text, 60))
            for run_id, marks in self._gallery.own_marks.items()
            for step, text in marks
            if self.lens.column(self._along(run_id, float(step), "step", self._axis), columns) == here
        ]

    @property
    def _axis(self) -> Axis:
        """The axis of the focused panel's curves."""
        return self.view.of(self.slot.number).x

    def _along(self, run_id: str, value: float, source: Axis, target: Axis) -> float:
        """Return a place on an axis of a run's curves as one on another."""
        run = next((run for run in self._gallery.runs if run.id == run_id), None)
        key = self._gallery.keys(self.view)[self.slot.number] if run else ""
        metric = key if run and key in run.data.curves else next(iter(run.data.curves), "") if run else ""
        curve = any_curve(run.data, metric) if run else None
        return value if curve is None else convert(curve, value, source, target)

    def action_mark(self) -> None:
        if self.lens.cursor is None or not self._gallery.runs:
            self.genlab.say("a mark is put at the cursor: c brings it, then ← → move it")
            return
        here = self._marks_here()
        if here:
            run_id, step, _ = here[0]
            kept = [mark for mark in self.own_marks(run_id) if mark[0] != step]
            self._keep_marks(run_id, kept)
            return
        run_id = self._gallery.runs_of(self.slot.number, self.view)[0].id
        step = round(self._along(run_id, self.lens.cursor, self._axis, "step"))

        def named(text: str | None) -> None:
            if text and text.strip():
                self._keep_marks(run_id, [*self.own_marks(run_id), (step, text)])

        self.app.push_screen(Prompt(f"a mark at step {step:,} of {run_id}", hint="a few words"), named)

    def _keep_marks(self, run_id: str, marks: list[tuple[int, str]]) -> None:
        from jobs import runs

        def kept(_: None) -> None:
            self.read_marks()
            self.redraw()

        edit = partial(runs.edit, marks=marks)
        self.genlab.act("keep the mark", edit, self.genlab.lab, run_id, then=kept)

    # --- pictures -----------------------------------------------------------------------------------------------------

    def action_picture(self) -> None:
        about = f"{self._gallery.phenomenon} {' '.join(self.ids[:2])}"
        picture.take(self.genlab, self.slot.picture, about)
