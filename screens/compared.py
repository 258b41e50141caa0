"""The list of compared runs: the legend of the chart, and where the baseline is chosen."""

from __future__ import annotations

from textual.content import Content

from genlab_tui.figure import Figure
from genlab_tui.run import RunRecord
from genlab_tui.summary import LoadedRun
from screens.columns import FLAG, state_text
from screens.comparison import Comparison
from screens.panels.colours import colour, marker
from screens.panels.frame import MEMBER
from screens.panels.marks import VERDICT_ROOM, verdict_text
from screens.panels.table import Column, Table
from screens.tables import STAR, differing

MARKERS = 8


class ComparedRuns(Table[LoadedRun]):
    """One line a run: star of the baseline, markers of its lines, title, what sets it apart, state, verdict."""

    DEFAULT_CSS = """
    ComparedRuns { height: 1; }
    """
    BINDING_GROUP_TITLE = "The compared runs"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        self.found = Comparison()
        self.picture: Figure | None = None
        self._latest: dict[str, RunRecord] = {}
        super().__init__(self._for(16, 3, 9), lambda run: run.id, head=False, marks=False, empty="", id=id)

    def tell(self, found: Comparison, picture: Figure | None) -> None:
        """Show these runs; `picture` is the chart whose markers are theirs."""
        self.found, self.picture = found, picture
        titles = max((Content(found.title(run.id)).cell_length for run in found.runs), default=8)
        lines = max((len(self._slots(run)) for run in found.runs), default=0)
        states = max((state_text(run.record).cell_length for run in found.runs), default=9)
        self.set_columns(self._for(min(titles, 28), min(lines, MARKERS), min(states, 30)))
        self.show_rows(found.runs)
        self.redraw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # The list is short: pages are for the tables below.
        return action != "page" and super().check_action(action, parameters)

    def _for(self, titles: int, markers: int, states: int) -> list[Column[LoadedRun]]:
        columns = [
            Column("star", "", self._star, 1, 1),
            Column("markers", "", self._markers, max(markers, 1), max(markers, 1), 3),
            Column("title", "", self._title, min(titles, 12), titles),
            Column("differs", "", lambda run, width: Content(differing(self.found, run.id)), 16, 200, 2),
            Column("state", "", lambda run, width: state_text(run.record), min(states, 9), states, 1),
            Column("verdict", "", self._verdict, VERDICT_ROOM, 12, 1),
        ]
        return columns if markers else [column for column in columns if column.key != "markers"]

    def _star(self, run: LoadedRun, width: int) -> Content:
        return Content.styled(STAR if run.id == self.found.baseline else " ", "$text-accent")

    def _title(self, run: LoadedRun, width: int) -> Content:
        flag = (f"{FLAG} ", "$text-warning") if run.data.changes else ""
        return Content.assemble(flag, (self.found.title(run.id), "bold"))

    def _verdict(self, run: LoadedRun, width: int) -> Content:
        status = str(run.verdict.status) if run.verdict and run.record.state.ended else ""
        return verdict_text(status, room=width)

    def _slots(self, run: LoadedRun) -> list[int]:
        """Return the places of a run's lines among those of the chart, which give them colour and marker."""
        if self.picture is None:
            return []
        labels = list(dict.fromkeys(line.label for line in self.picture.lines if MEMBER not in line.label))
        if len(self.found.runs) == 1:
            return list(range(len(labels)))
        title = self.found.title(run.id)
        if set(labels) <= {self.found.title(other.id) for other in self.found.runs}:
            return [self.found.runs.index(run)] if title in labels else []
        return [i for i, label in enumerate(labels) if label == title or label.startswith(f"{title} · ")]

    def _markers(self, run: LoadedRun, width: int) -> Content:
        dark = self.app.current_theme.dark
        return Content.assemble(*((marker(slot), colour(slot, dark=dark)) for slot in self._slots(run)[:width]))
