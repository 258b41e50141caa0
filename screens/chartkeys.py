"""The keys of Live's charts."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from screens.picture import PICTURE

FAST = 10
MOVE = Binding.Group("cursor", compact=True)
CURSOR_KEYS: tuple[BindingType, ...] = (
    Binding("left", "move(-1)", "left", group=MOVE, tooltip="With the cursor: a column to the left"),
    Binding("right", "move(1)", "right", group=MOVE, tooltip="With the cursor: a column to the right"),
)
"""The keys that move the cursor: they come first where there is one."""
CHART_KEYS: tuple[BindingType, ...] = (
    Binding("c", "cursor", "cursor", tooltip="A cursor reads all charts; in brackets: where a line ended before it"),
    Binding("shift+left", f"move(-{FAST})", "ten left", show=False, tooltip="With the cursor: ten columns to the left"),
    Binding("shift+right", f"move({FAST})", "ten right", show=False, tooltip="With the cursor: ten to the right"),
    Binding("home", "end(-1)", "left end", show=False, tooltip="With the cursor: to the left end"),
    Binding("end", "end(1)", "right end", show=False, tooltip="With the cursor: to the right end"),
    Binding("z", "narrow(0.5)", "zoom in", tooltip="Half of the x axis: around the cursor, or its end"),
    Binding("Z", "narrow(2)", "zoom out", show=False, tooltip="Twice as much of the x axis"),
    Binding("comma", "pan(-1)", "back", show=False, key_display=",", tooltip="A quarter of the window back"),
    Binding("full_stop", "pan(1)", "on", show=False, key_display=".", tooltip="A quarter of the window on"),
    Binding("0", "whole", "whole x axis", show=False, tooltip="The whole x axis again"),
    Binding("k", "mark", "mark", show=False, tooltip="A mark of your own at the cursor; on a mark, take it away"),
    Binding("w", "arms", "arms", tooltip="Which arms, and which of several runs, a panel draws"),
    Binding("a", "setting('x')", "x axis", tooltip="x axis of this panel: step, epoch, seconds"),
    Binding("A", "setting('x', True)", "every x axis", show=False, tooltip="x axis of all panels"),
    Binding("X", "log_x", "log x", show=False, tooltip="x axis of all curves, or of this figure: log, linear"),
    Binding("y", "setting('log_y')", "log y", tooltip="y axis of this panel: as declared, log, linear"),
    Binding("Y", "setting('log_y', True)", "every log y", show=False, tooltip="y axis of all panels"),
    Binding("o", "setting('smooth')", "smooth", tooltip="Smooth this panel; the raw curve stays visible"),
    Binding("O", "setting('smooth', True)", "smooth all", show=False, tooltip="Smooth all panels"),
    Binding("e", "setting('members')", "each seed", tooltip="Every seed beside mean and band, here"),
    Binding("E", "setting('members', True)", "each seed everywhere", show=False, tooltip="Every seed, in all panels"),
    PICTURE,
)
