"""What is done with the selected runs, or with the one under the cursor, and how it is undone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.content import Content

from genlab_tui.run import RunId, RunRecord, RunState
from genlab_tui.text import clean_text
from screens import batch, branching, verbs
from screens.base import ModeScreen
from screens.branching import FORK, FROM_CHECKPOINT, MORE_SEEDS
from screens.prompt import Prompt
from screens.reporting import REPORT, report
from screens.sheet import Answer, Ask
from screens.swatches import Swatches
from screens.undo import Change, History, before

if TYPE_CHECKING:
    from jobs.edits import Outcome

OF_THE_TRASH = frozenset({"restore", "erase"})
"""What is offered in the trash alone; of the rest of these actions, nothing is."""


BULK_KEYS: tuple[Binding, ...] = (
    Binding("c", "compare", "compare", tooltip="Compare the selected runs; without a selection, add to those there"),
    Binding("d", "trash", "trash", tooltip="Move the selected runs (or this one) to the trash"),
    Binding("t", "tags", "tags", tooltip="Change the tags of the selected runs (or this one)"),
    Binding("n", "rename", "name", tooltip="Give the run a name"),
    Binding("u", "undo", "undo", tooltip="Undo the last change: names, tags, notes, colours, the trash"),
    Binding("u", "restore", "bring back", tooltip="In the trash: bring back the selected runs (or this one)"),
    Binding("D", "erase", "delete", tooltip="In the trash: delete the selected runs, else all shown, for good; asks"),
    Binding("e", "export", "export", tooltip="Write the selected runs (or this one) as CSV into the lab's exports"),
    REPORT,
    Binding("R", "retry", "retry", tooltip="Start another attempt of a run that ended before it was done"),
    Binding("x", "stop", "stop", tooltip="Stop the selected runs (or this one); cancel them while queued"),
    Binding("K", "colour", "colour", show=False, tooltip="Pin a colour and marker to the run, kept in every chart"),
    Binding("N", "note", "note", show=False, tooltip="Write a note to the run"),
    Binding("h", "hold", "hold", show=False, tooltip="Hold queued runs back, or release them"),
    Binding("p", "pause", "pause", show=False, tooltip="Pause the run, or let it go on"),
    Binding("f", "fork", "fork", show=False, tooltip=FORK),
    Binding("F", "fork_checkpoint", "fork from there", show=False, tooltip=FROM_CHECKPOINT),
    Binding("plus", "more_seeds", "more seeds", key_display="+", show=False, tooltip=MORE_SEEDS),
)


class BulkActions(ModeScreen):
    """A mode with a list of runs of which some are selected; it binds `BULK_KEYS`."""

    ACTIONS: ClassVar[frozenset[str]] = frozenset(binding.action for binding in BULK_KEYS)

    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self.in_trash = False

    @property
    def listed(self) -> Sequence[RunRecord]:
        """Every run of the list, whatever its filter."""
        raise NotImplementedError

    @property
    def filtered(self) -> Sequence[RunRecord]:
        """The runs of the list that its filter shows."""
        raise NotImplementedError

    @property
    def chosen(self) -> RunRecord | None:
        """The run under the cursor."""
        raise NotImplementedError

    @property
    def targets(self) -> list[RunRecord]:
        """The selected runs in the order of their selection; without a selection, the one under the cursor."""
        raise NotImplementedError

    @property
    def selected(self) -> bool:
        """Whether runs are selected."""
        raise NotImplementedError

    def changed(self) -> None:
        """Look at the runs again: something was done to them."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in self.ACTIONS and (action in OF_THE_TRASH) != self.in_trash:
            return False
        return super().check_action(action, parameters)

    # --- what is only looked at ---------------------------------------------------------------------------------------

    def action_compare(self) -> None:
        targets = self.targets
        if targets:
            self.genlab.open_compare(*(run.id for run in targets))

    def action_export(self) -> None:
        targets = self.targets
        if targets:
            lab = self.genlab.lab
            self.genlab.act(f"export {count_of(targets)}", batch.export, lab, targets, then=self._exported)

    def _exported(self, files: list[Path]) -> None:
        self.genlab.say(batch.written(files), title="exported")

    # --- what can be undone -------------------------------------------------------------------------------------------

    def action_report(self) -> None:
        report(self.genlab, self.targets)

    def action_rename(self) -> None:
        run = self.chosen
        if run is not None:
            prompt = Prompt(f"a name for {run.id}", run.name, "Found by it everywhere, exported with the run.")
            self.app.push_screen(prompt, partial(self._typed, run, "name"))

    def action_note(self) -> None:
        run = self.chosen
        if run is not None:
            self.app.push_screen(Prompt(f"a note to {run.title}", run.note), partial(self._typed, run, "note"))

    def _typed(self, run: RunRecord, field: str, text: str | None) -> None:
        if text is not None and text.strip() != getattr(run, field):
            self._edit(field, [run], {run.id: {field: text.strip()}})

    def action_tags(self) -> None:
        targets = self.targets
        if not targets:
            return
        single = len(targets) == 1
        hint = "Words; the run has exactly these." if single else "Words are added to all of them, -word is taken away."
        tags = batch.tags_text(targets[0].tags) if single else ""
        self.app.push_screen(Prompt(f"tags of {count_of(targets)}", tags, hint), partial(self._retag, targets))

    def _retag(self, targets: list[RunRecord], text: str | None) -> None:
        if text is not None:
            self._edit("tags", targets, batch.retagged(targets, text))

    def action_colour(self) -> None:
        targets = self.targets
        if targets:
            ours = {run.id for run in targets}
            taken = Counter(run.colour for run in self.listed if run.colour and run.id not in ours)
            self.app.push_screen(Swatches(targets, taken), partial(self._recolour, targets))

    def _recolour(self, targets: list[RunRecord], names: Mapping[RunId, str] | None) -> None:
        if names is not None:
            self._edit("colour", targets, {run_id: {"colour": name} for run_id, name in names.items()})

    def _edit(self, field: str, targets: list[RunRecord], changes: Mapping[RunId, Mapping[str, Any]]) -> None:
        from jobs import edits

        was = before(targets, field)
        many = count_of(targets)

        def done(outcome: Outcome) -> None:
            back = {run_id: was[run_id] for run_id in outcome.done}
            self.history.add(Change(f"the {field} of {many}", lambda lab: edits.edit_all(lab, back)))
            if len(targets) > 1:
                self.genlab.say(f"{len(outcome.done):,} runs{outcome.but}; u undoes it", title=f"{field} changed")
            self.changed()

        self.genlab.act(f"change the {field} of {many}", edits.edit_all, self.genlab.lab, changes, then=done)

    def action_trash(self) -> None:
        from jobs import edits

        targets = self.targets
        if not targets:
            return

        def done(outcome: Outcome) -> None:
            ids = outcome.done
            what = _they_are(ids)
            thrown, back = f"throwing {count_of(targets)} away", f"{what} back among the runs"
            self.history.add(Change(thrown, lambda lab: edits.restore_all(lab, ids), back))
            self.genlab.say(f"{what} in the trash{outcome.but}; u brings back, T shows it", title="thrown away")
            self.changed()

        ids = [run.id for run in targets]
        self.genlab.act(f"trash {count_of(targets)}", edits.trash_all, self.genlab.lab, ids, then=done)

    def action_undo(self) -> None:
        change = self.history.pop()
        if change is None:
            self.genlab.say("nothing was changed since the app started; T shows the trash", severity="warning")
            return

        def done(_: Any) -> None:
            self.genlab.say(change.undone, title="undone")
            self.changed()

        self.genlab.act(f"undo {change.what}", self.history.taking_back(change), self.genlab.lab, then=done)

    # --- in the trash -------------------------------------------------------------------------------------------------

    def action_restore(self) -> None:
        from jobs import edits

        targets = self.targets
        if not targets:
            return

        def done(outcome: Outcome) -> None:
            ids = outcome.done
            what = _they_are(ids)
            again = f"{what} in the trash again"
            self.history.add(Change(f"bringing {count_of(targets)} back", lambda lab: edits.trash_all(lab, ids), again))
            self.genlab.say(f"{what} back among the runs{outcome.but}", title="brought back")
            self.changed()

        ids = [run.id for run in targets]
        self.genlab.act(f"bring back {count_of(targets)}", edits.restore_all, self.genlab.lab, ids, then=done)

    def action_erase(self) -> None:
        targets = self.targets if self.selected else list(self.filtered)
        if not targets:
            return
        everything = "everything in the trash" if len(targets) == len(self.listed) else "all that the filter shows"
        what = "the selected runs" if self.selected else everything
        which = clean_text(count_of(targets), 80)
        text = Content(f"Deletes {what} for ever: {which}, with all curves, checkpoints and notes.")
        answers = (Answer("D", "delete for ever", "erase"),)
        self.app.push_screen(Ask("delete for ever?", text, answers), partial(self._erase, targets))

    def _erase(self, targets: list[RunRecord], answer: str | None) -> None:
        from jobs import edits

        if not answer:
            return

        def done(outcome: Outcome) -> None:
            many = len(outcome.done)
            self.genlab.say(f"{many:,} run{'' if many == 1 else 's'}{outcome.but}", title="deleted for ever")
            self.changed()

        ids = [run.id for run in targets]
        self.genlab.act(f"delete {count_of(targets)}", edits.erase_all, self.genlab.lab, ids, then=done)

    # --- what is asked of the queue and the workers -------------------------------------------------------------------

    def action_retry(self) -> None:
        self._each("retry", self.targets)

    def action_stop(self) -> None:
        targets = self.targets
        going = [run for run in targets if not run.state.ended]
        if len(going) < 2:
            self._each("stop", targets)
            return
        queued = sum(run.state is RunState.QUEUED for run in going)
        words = (f"{len(going) - queued} at work",) * (queued < len(going)) + (f"{queued} queued",) * bool(queued)
        text = Content(f"{' and '.join(words)}: what is finished is kept; R starts them again.")
        answers = (Answer("x", "stop them", "stop"),)
        self.app.push_screen(
            Ask(f"stop {len(going)} runs?", text, answers), lambda answer: self._each("stop", going) if answer else None
        )

    def action_hold(self) -> None:
        queued = [run for run in self.targets if run.state is RunState.QUEUED]
        if not queued and self.chosen is not None:
            verbs.ask(self.genlab, "hold", self.targets[0])
            return
        waiting = [run for run in queued if not run.held]
        self._each("hold" if waiting else "release", waiting or queued)

    def action_pause(self) -> None:
        if self.chosen is not None:
            verbs.ask(self.genlab, "pause", self.chosen)

    # --- runs made from it --------------------------------------------------------------------------------------------

    def action_fork(self) -> None:
        if self.chosen is not None:
            branching.fork(self, self.chosen)

    def action_fork_checkpoint(self) -> None:
        if self.chosen is not None:
            branching.fork_from_checkpoint(self, self.chosen)

    def action_more_seeds(self) -> None:
        if self.chosen is not None:
            branching.more_seeds(self, self.chosen)

    def _each(self, verb: str, targets: list[RunRecord]) -> None:
        from jobs import runs

        if not targets:
            return

        def done(outcome: Outcome) -> None:
            if outcome.refused:
                self.genlab.say(f"{len(outcome.done):,} runs{outcome.but}", title=verb, severity="warning")

        ids = [run.id for run in targets]
        self.genlab.act(f"{verb} {count_of(targets)}", batch.each, getattr(runs, verb), self.genlab.lab, ids, then=done)


def count_of(runs: Sequence[RunRecord]) -> str:
    """Return what several runs are called together: one by its own name."""
    return runs[0].title if len(runs) == 1 else f"{len(runs):,} runs"


def _they_are(ids: Sequence[str]) -> str:
    return f"{ids[0]} is" if len(ids) == 1 else f"{len(ids):,} runs are"
