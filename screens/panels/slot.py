"""One panel of the Live screen: a chart or a heat map that is chosen, stepped through and zoomed by keys."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message

from genlab_tui.figure import Figure, HeatMap
from screens.panels.chart import Chart
from screens.panels.heatmap import HeatMapPanel


class Slot(Container, can_focus=True):
    """A place for a figure. It says what is asked of it (`Asked`); the screen decides what it shows."""

    DEFAULT_CSS = """
    Slot { height: 1fr; width: 1fr; }
    Slot HeatMapPanel { display: none; }
    Slot.-heat Chart { display: none; }
    Slot.-heat HeatMapPanel { display: block; }
    Slot:focus Chart > .chart--rule, Slot:focus HeatMapPanel > .heat-map--rule { color: $primary; }
    Slot:focus Chart > .chart--title, Slot:focus HeatMapPanel > .heat-map--title {
        color: $text-primary; text-style: bold reverse;
    }
    """
    BINDING_GROUP_TITLE = "Panel"
    STEP = Binding.Group("other", compact=True)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ask('zoom')", "zoom", tooltip="This panel alone, or all of them again"),
        Binding("left", "ask('before')", "figure before", group=STEP, tooltip="What comes before it in the list"),
        Binding("right", "ask('next')", "next figure", group=STEP, tooltip="What comes next in the list"),
        Binding("m", "ask('pick')", "pick", tooltip="Choose metric or figure from a list"),
    ]

    class Asked(Message):
        """A key asks for `zoom`, `before`, `next` or `pick` on a panel."""

        def __init__(self, slot: Slot, what: str) -> None:
            super().__init__()
            self.slot = slot
            self.what = what

    def __init__(self, number: int, **options: Any) -> None:
        super().__init__(**options)
        self.number = number

    def compose(self) -> ComposeResult:
        yield Chart()
        yield HeatMapPanel()

    def show(self, figure: Figure | HeatMap | None, smooth: float, slots: dict[str, int]) -> None:
        """Show a figure or, with None, that there is nothing yet."""
        heat = isinstance(figure, HeatMap)
        self.set_class(heat, "-heat")
        if isinstance(figure, HeatMap):
            self.query_one(HeatMapPanel).draw(figure)
        else:
            self.query_one(Chart).draw(figure, smooth=smooth, slots=slots)

    def action_ask(self, what: str) -> None:
        self.post_message(self.Asked(self, what))

    def on_click(self, event: events.Click) -> None:
        self.focus()
        if event.chain == 2:
            self.action_ask("zoom")
