"""The list of compared runs: the legend of the chart, and where the baseline is chosen."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from genlab_tui.colours import colour, marker
from genlab_tui.figure import MEMBER, Figure
from genlab_tui.grouping import Group, is_changed
from genlab_tui.pins import pinned_slots
from genlab_tui.run import RunRecord
from genlab_tui.stats import SETTING
from genlab_tui.summary import LoadedRun
from genlab_tui.verdict import Status
from screens.columns import MUTED, state_text
from screens.comparison import Comparison
from screens.panels.layout import Column
from screens.panels.marks import FLAG, VERDICT_ROOM, verdict_text
from screens.panels.table import Table
from screens.tables import STAR, differing

MARKERS = 8


class ComparedRuns(Table[LoadedRun]):
    """One line a run: star of the baseline, markers of its lines, title, what sets it apart, state, verdict."""

    DEFAULT_CSS = """
    ComparedRuns { height: 1; }
    """
    BINDING_GROUP_TITLE = "The compared runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", "open", show=False, tooltip="Watch what is under the cursor in Live"),
        # In any other table this key goes to the first row.
        Binding("g", "screen.group", "group", tooltip="Pool the runs that share a value of a setting"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        self.found = Comparison()
        self.picture: Figure | None = None
        self._latest: dict[str, RunRecord] = {}
        super().__init__(self._for(16, 3, 9), lambda run: run.id, head=False, marks=False, empty="", id=id)

    def tell(self, found: Comparison, picture: Figure | None) -> None:
        """Show these runs; `picture` is the chart whose markers are theirs."""
        self.found, self.picture = found, picture
        titles = max((Content(found.title(run.id)).cell_length + 2 * is_changed(run) for run in found.units), default=8)
        lines = max((len(self._slots(run)) for run in found.units), default=0)
        states = max((state_text(run.record).cell_length for run in found.units), default=9)
        self.set_columns(self._for(min(titles, 28), min(lines, MARKERS), min(states, 30)))
        self.show_rows(found.units)
        self.redraw()

    @property
    def members(self) -> list[str]:
        """The ids of the runs under the cursor: one, or those of a group."""
        unit = next((unit for unit in self.found.units if unit.id == self.chosen), None)
        if unit is None:
            return []
        return [run.id for run in unit.members] if isinstance(unit, Group) else [unit.id]

    @staticmethod
    def slots_of(found: Comparison) -> dict[str, int]:
        """Return colour and marker by title: a run keeps those that its user pinned to it."""
        if found.grouping.field:
            return {found.title(unit.id): slot for slot, unit in enumerate(found.units)}
        slots = pinned_slots([run.record for run in found.runs])
        return {found.title(run.id): slots[run.id] for run in found.runs}

    def explains(self, found: Comparison, picture: Figure) -> bool:
        """Tell whether every line of a chart is the only one of its run or group: then this list is its legend."""
        return {line.label.split(MEMBER)[0] for line in picture.lines} <= self.slots_of(found).keys()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # The list is short: pages are for the tables below.
        return action != "page" and super().check_action(action, parameters)

    def _for(self, titles: int, markers: int, states: int) -> list[Column[LoadedRun]]:
        columns = [
            Column("star", "", self._star, 1, 1),
            Column("markers", "", self._markers, max(markers, 1), max(markers, 1), 3),
            Column("title", "", self._title, min(titles, 12), titles),
            Column("differs", "", self._differs, 16, 200, 2),
            Column("state", "", lambda run, width: state_text(run.record), min(states, 9), states, 1),
            Column("verdict", "", self._verdict, VERDICT_ROOM, 12, 1),
        ]
        return columns if markers else [column for column in columns if column.key != "markers"]

    def _star(self, run: LoadedRun, width: int) -> Content:
        return Content.styled(STAR if run.id == self.found.baseline else " ", "$text-accent")

    def _title(self, run: LoadedRun, width: int) -> Content:
        flag = (f"{FLAG} ", "$text-warning") if is_changed(run) else ""
        return Content.assemble(flag, (self.found.title(run.id), "bold"))

    def _differs(self, run: LoadedRun, width: int) -> Content:
        """What sets a run apart; of a group, which runs and how many networks of each arm it pools."""
        if not isinstance(run, Group):
            return Content(differing(self.found, run.id))
        runs, networks, left_out = len(run.members), len(run.data.seeds), len(run.left_out)
        seeds = len({number % SETTING for number in run.data.seeds})
        said = f"{runs} run{'s' * (runs != 1)} · {seeds} seed{'s' * (seeds != 1)}"
        said += f" · {networks} networks" if networks > seeds else ""
        names = ", ".join(self.found.title(member.id) for member in run.members)
        flag = (f" · {left_out} left out {FLAG}", "$text-warning") if left_out else ""
        return Content.assemble(said, flag, (f" · {names}", MUTED))

    def _verdict(self, run: LoadedRun, width: int) -> Content:
        if isinstance(run, Group):
            return self._verdicts(run, width)
        status = str(run.verdict.status) if run.verdict and run.record.state.ended else ""
        return verdict_text(status, room=width)

    def _verdicts(self, group: Group, width: int) -> Content:
        """How many runs of a group were SHOWN."""
        judged = [run.verdict.status for run in group.members if run.verdict and run.record.state.ended]
        shown = sum(status == Status.SHOWN for status in judged)
        if len(set(judged)) == 1:
            return verdict_text(str(judged[0]), room=width)
        return Content.styled(f"{shown}/{len(judged)} SHOWN"[:width] if judged else "–", MUTED)

    def _slots(self, run: LoadedRun) -> list[int]:
        """Return the places of a run's lines among those of the chart, which give them colour and marker."""
        if self.picture is None:
            return []
        places = {line.label: line.slot for line in self.picture.lines if MEMBER not in line.label}
        labels = list(places)
        if len(self.found.units) == 1:
            return list(range(len(labels)))
        title = self.found.title(run.id)
        if self.explains(self.found, self.picture):
            return [self.slots_of(self.found)[title]] if title in labels else []
        ours = [label for label in labels if label == title or label.startswith(f"{title} · ")]
        return [labels.index(label) if (slot := places[label]) is None else slot for label in ours]

    def _markers(self, run: LoadedRun, width: int) -> Content:
        dark = self.app.current_theme.dark
        return Content.assemble(*((marker(slot), colour(slot, dark=dark)) for slot in self._slots(run)[:width]))
