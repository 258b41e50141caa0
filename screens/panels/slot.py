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

    class Pointed(Message):
        """The mouse points at a place on the x axis."""

        def __init__(self, slot: Slot, value: float) -> None:
            super().__init__()
            self.slot = slot
            self.value = value

    def __init__(self, number: int, **options: Any) -> None:
        super().__init__(**options)
        self.number = number
        self.reading = False
        """Whether a cursor is on the charts of the screen: left and right are its keys then."""

    def compose(self) -> ComposeResult:
        yield Chart()
        yield HeatMapPanel()

    def show(
        self,
        figure: Figure | HeatMap | None,
        smooth: float,
        slots: dict[str, int],
        window: tuple[float, float] | None = None,
        cursor: float | None = None,
    ) -> None:
        """Show a figure or, with None, that there is nothing yet."""
        heat = isinstance(figure, HeatMap)
        self.set_class(heat, "-heat")
        if isinstance(figure, HeatMap):
            self.query_one(HeatMapPanel).draw(figure)
        else:
            self.query_one(Chart).draw(figure, smooth=smooth, slots=slots, window=window, cursor=cursor)

    @property
    def chart(self) -> Chart:
        """The widget that draws charts."""
        return self.query_one(Chart)

    @property
    def picture(self) -> Chart | HeatMapPanel:
        """The widget that draws what is shown."""
        return self.query_one(HeatMapPanel) if self.has_class("-heat") else self.chart

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave left and right to the cursor while there is one."""
        return not (self.reading and action == "ask" and parameters[0] in ("before", "next"))

    def action_ask(self, what: str) -> None:
        self.post_message(self.Asked(self, what))

    def on_click(self, event: events.Click) -> None:
        self.focus()
        value = self.query_one(Chart).value_at(event.get_content_offset_capture(self).x) if self.reading else None
        if event.chain == 2:
            self.action_ask("zoom")
        elif value is not None:
            self.post_message(self.Pointed(self, value))
