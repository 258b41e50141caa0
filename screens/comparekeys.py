"""The keys of the Compare screen."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from screens.picture import PICTURE
from screens.reporting import REPORT

ARM = Binding.Group("arm", compact=True)

COMPARE_KEYS: tuple[BindingType, ...] = (
    Binding("space", "add", "runs", tooltip="Choose the runs to compare from a list"),
    Binding("tab", "view(1)", "view", tooltip="Curves, difference, figure, by field, summary, settings, verdicts"),
    Binding("shift+tab", "view(-1)", "view before", show=False, tooltip="The view before"),
    Binding("m", "next(1)", "metric", tooltip="The next metric; of figures the next figure, by a field the next value"),
    Binding("M", "next(-1)", "metric before", show=False, tooltip="The metric, figure or value before"),
    Binding("asterisk", "baseline", "baseline", key_display="*", tooltip="Measure against what is under the cursor"),
    Binding("g", "group", "group", tooltip="Pool the runs that share a value of a setting"),
    Binding("at", "at_step", "at step", key_display="@", show=False, tooltip="Values at a step: the nearest measured"),
    Binding("n", "values", "numbers", show=False, tooltip="Which numbers: all, measured, final, best, at a step"),
    Binding("e", "export", "export", tooltip="Write what is shown as CSV into the lab's exports folder"),
    Binding("left", "arm(-1)", "arm", group=ARM, tooltip="The arm before, all before the first; moves the cursor"),
    Binding("right", "arm(1)", "arm", group=ARM, tooltip="The next arm, all after the last; moves the cursor"),
    Binding("c", "cursor", "cursor", show=False, tooltip="Read the values at a place; the arrows move it"),
    Binding("a", "axis", "x axis", show=False, tooltip="Along the x axis: step, epoch, seconds"),
    Binding("l", "log_y", "log y", tooltip="y axis: as declared, logarithmic, linear"),
    Binding("L", "log_x", "log x", show=False, tooltip="x axis: as declared, logarithmic, linear"),
    Binding("o", "smooth", "smooth", show=False, tooltip="Smooth the curves; what was measured stays visible"),
    Binding("b", "band", "band", show=False, tooltip="The bands over seeds: on, off"),
    Binding("i", "members", "each seed", show=False, tooltip="Show every seed beside mean and band"),
    Binding("v", "verdicts", "verdicts", show=False, tooltip="The verdicts side by side, and back"),
    Binding("D", "all_settings", "all settings", show=False, tooltip="The settings that differ, or all of them"),
    Binding("minus,delete", "remove", "take out", key_display="-", show=False, tooltip="Take out the run or group"),
    REPORT,
    PICTURE,
    Binding("y", "copy_command", "copy", show=False, tooltip="Copy the command line that prints this comparison"),
    Binding("Y", "copy_summary", "copy table", show=False, tooltip="Copy the summary as text"),
    Binding("pageup", "page(-1)", "page up", show=False, tooltip="A page up in the table"),
    Binding("pagedown", "page(1)", "page down", show=False, tooltip="A page down in the table"),
    Binding("escape", "back", "back", show=False, tooltip="The cursor away; back to the curves; then to the runs"),
)
