"""Compare: runs on top of each other, what differs between them, and differences paired by seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from genlab_tui.figure import Figure, HeatMap
from genlab_tui.grouping import is_changed
from genlab_tui.text import clean_text
from screens.choosing import Choosing
from screens.columns import MUTED
from screens.compared import ComparedRuns
from screens.comparekeys import COMPARE_KEYS
from screens.comparing import EVERY
from screens.comparison import Comparison
from screens.overlay import CHARTS, VIEWS, Overlay, after
from screens.panels.chart import Chart
from screens.panels.heatmap import HeatMapPanel
from screens.panels.marks import FLAG
from screens.panels.table import Table
from screens.panels.textpanel import TextPanel
from screens.picture import take
from screens.pinning import pinned
from screens.summarytable import summary_text
from screens.tables import settings_text
from screens.verdicttable import verdicts_text


class CompareScreen(Choosing):
    """Draws the comparison and answers its keys."""

    CSS_PATH = "compare.tcss"
    HELP_TITLE = "Compare"
    BINDINGS: ClassVar[list[BindingType]] = list(COMPARE_KEYS)

    def __init__(self) -> None:
        super().__init__()
        self.cursor: float | None = None
        self._written: dict[str | None, tuple[Comparison, tuple[object, ...]]] = {}
        self._drawn: tuple[tuple[Comparison, Overlay], Figure | HeatMap | None] | None = None

    def compose_body(self) -> ComposeResult:
        yield ComparedRuns(id="cmp-runs")
        yield Static(id="cmp-status", markup=False)
        with Vertical(id="cmp-body"):
            with Vertical(id="cmp-chart"):
                yield Chart(id="cmp-lines")
                yield HeatMapPanel(id="cmp-heat")
            with Horizontal(id="cmp-tables"):
                yield TextPanel("what differs", id="cmp-settings")
                yield TextPanel("paired by seed", id="cmp-summary")
                yield TextPanel("verdicts", id="cmp-verdicts")
        key = "$text-accent"
        yield Static(
            Content.assemble(
                *(("nothing to compare yet\n\n", "bold"), ("space", key), " chooses runs from a list\nor "),
                *(("3", key), " goes to the runs: ", ("space", key), " selects them, ", ("c", key), " compares"),
            ),
            id="cmp-empty",
        )

    def on_mount(self) -> None:
        self.recall()
        self.runs.focus()
        self.show_view()
        self.set_interval(EVERY, self.follow)
        self.load()

    @property
    def runs(self) -> ComparedRuns:
        """The list of what is compared."""
        return self.query_one(ComparedRuns)

    @property
    def under_cursor(self) -> list[str]:
        return self.runs.members

    @property
    def listing(self) -> bool:
        return self.runs.has_focus

    # --- drawing ------------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.draw()

    def draw(self) -> None:
        found, overlay = self.found, self.overlay
        self.set_class(not found.runs, "-nothing")
        picture = self._picture()
        chart, heat = self.query_one(Chart), self.query_one(HeatMapPanel)
        chart.display, heat.display = not isinstance(picture, HeatMap), isinstance(picture, HeatMap)
        if isinstance(picture, HeatMap):
            heat.draw(picture)
        else:
            smooth = overlay.smooth if overlay.view in ("curves", "difference") else 0.0
            nothing = overlay.nothing(found)
            chart.draw(picture, smooth=smooth, slots=self._slots(picture), cursor=self.cursor, nothing=nothing)
        height = self.size.height
        self.runs.styles.height = min(max(len(found.units), 1), max(8, height // 5) if height >= 36 else 4)
        self.runs.tell(found, picture if isinstance(picture, Figure) else None)
        self._draw_tables()
        self.query_one("#cmp-status", Static).update(self._status())
        self.remember()

    def _slots(self, picture: Figure | None) -> Mapping[str, int] | None:
        """Return colour and marker of every line where each is of another run: the list of runs is the legend then."""
        slots = self.runs.slots_of(self.found)
        return slots if len(slots) > 1 and picture and self.runs.explains(self.found, picture) else None

    def _picture(self) -> Figure | HeatMap | None:
        """Return what the chart shows; made once for what was read and chosen."""
        if self.overlay.view not in CHARTS or not self.found.units:
            return None
        key = (self.found, dataclasses.replace(self.overlay))
        if self._drawn is None or self._drawn[0][0] is not key[0] or self._drawn[0][1] != key[1]:
            picture = self.overlay.picture(self.found)
            self._drawn = (key, pinned(picture, self.found) if isinstance(picture, Figure) else picture)
        return self._drawn[1]

    def _draw_tables(self) -> None:
        """Write the tables that are not as they should be; each keeps what it was made of."""
        found, overlay = self.found, self.overlay
        settings, summary = self.query_one("#cmp-settings", TextPanel), self.query_one("#cmp-summary", TextPanel)
        verdicts, every = self.query_one("#cmp-verdicts", TextPanel), overlay.all_settings
        chosen = dataclasses.replace(overlay)
        settings.border_title = "all settings" if every else "what differs"
        summary.border_title = "arms paired by seed" if len(found.units) == 1 else "paired by seed"
        summary.border_subtitle = "Student-t 95 % · bold: 0 is outside"
        makers: tuple[tuple[TextPanel, tuple[object, ...], Callable[[int], Content]], ...] = (
            (settings, (every,), lambda width: settings_text(found, width, all_of_them=every)),
            (summary, (chosen.arm, chosen.values), lambda width: summary_text(found, width, chosen)),
            (verdicts, (), lambda width: verdicts_text(found, width)),
        )
        for panel, choices, make in makers:
            made_of, chosen_then = self._written.get(panel.id, (None, ()))
            if made_of is not found or chosen_then != choices:
                self._written[panel.id] = (found, choices)
                panel.show(make)

    def _status(self) -> Content:
        found = self.found
        parts = [Content.styled(" · ".join(self.overlay.words(found)), MUTED)]
        if any(is_changed(run) for run in found.runs):
            parts.insert(0, Content.styled(f"{FLAG} changed: never pooled", "$text-warning"))
        without = [found.title(run.id) for run in found.units if self.overlay.lacks(run)]
        if without:
            said = f"no such curve in {', '.join(without)}: tab shows figures"
            parts.insert(0, Content.styled(clean_text(said, 300), "$text-warning"))
        if found.note:
            parts.append(Content.styled(clean_text(found.note, 300), "$text-warning"))
        return Content(" ") + Content("  ").join(parts)

    def show_view(self) -> None:
        view = self.overlay.view
        for name in VIEWS:
            self.set_class(name == view, f"-view-{name}")
        self.set_class(view in CHARTS, "-chart")
        (self.runs if view in CHARTS else self.query_one(f"#cmp-{view}", TextPanel)).focus()
        self.draw()

    # --- what is shown ------------------------------------------------------------------------------------------------

    def action_view(self, by: int) -> None:
        self.overlay.view = after(self.overlay.views(self.found), self.overlay.view, by)
        self.show_view()

    def action_verdicts(self) -> None:
        self.overlay.view = "curves" if self.overlay.view == "verdicts" else "verdicts"
        self.show_view()

    def action_back(self) -> None:
        if self.cursor is not None:
            self.cursor = None
            self.draw()
        elif self.overlay.view != "curves":
            self.overlay.view = "curves"
            self.show_view()
        else:
            self.genlab.show_mode("runs")

    def action_page(self, by: int) -> None:
        panel = self.query_one("#cmp-summary", TextPanel)
        if by < 0:
            panel.scroll_page_up(animate=False)
        else:
            panel.scroll_page_down(animate=False)

    def action_next(self, by: int) -> None:
        self.overlay.next_picture(self.found, by)
        self.draw()

    def action_arm(self, by: int) -> None:
        if self.cursor is None:
            self.overlay.next_arm(self.found, by)
        else:
            self._move_cursor(by)
        self.draw()

    def action_axis(self) -> None:
        self.overlay.next_axis()
        self.cursor = None
        self.draw()

    def action_log_y(self) -> None:
        self.overlay.next_log_y()
        self.draw()

    def action_log_x(self) -> None:
        self.overlay.next_log_x()
        self.draw()

    def action_smooth(self) -> None:
        self.overlay.next_smooth()
        self.draw()

    def action_band(self) -> None:
        self.overlay.band = not self.overlay.banded(self.found)
        self.draw()

    def action_members(self) -> None:
        self.overlay.members = not self.overlay.members
        self.draw()

    def action_all_settings(self) -> None:
        self.overlay.all_settings = not self.overlay.all_settings
        self.draw()

    def action_values(self) -> None:
        self.overlay.next_values()
        self.draw()

    def action_cursor(self) -> None:
        chart = self.query_one(Chart)
        middle = chart.value_at(chart.size.width // 2) if self.cursor is None and chart.display else None
        self.cursor = middle if self.overlay.at is None or middle is None else self.overlay.at
        self.draw()

    def _move_cursor(self, by: int) -> None:
        """Move to the next column of the chart."""
        chart = self.query_one(Chart)
        places = [place for i in range(chart.size.width) if (place := chart.value_at(i)) is not None]
        if places and self.cursor is not None:
            at = min(range(len(places)), key=lambda i: abs(places[i] - (self.cursor or 0.0)))
            self.cursor = places[min(max(at + by, 0), len(places) - 1)]

    @on(Table.Entered)
    def _entered(self, event: Table.Entered) -> None:
        self.genlab.open_live(*self.under_cursor)

    def action_picture(self) -> None:
        heat = self.query_one(HeatMapPanel)
        take(self.genlab, heat if heat.display else self.query_one(Chart), f"compare {len(self.found.runs)} runs")
