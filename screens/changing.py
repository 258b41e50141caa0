"""Regularisers changed while the run that is shown trains: asked for, awaited, taken back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from genlab_tui import phenomena
from genlab_tui.paths import Lab
from genlab_tui.regularisers import BY_NAME, strength_text
from genlab_tui.run import RunRecord
from screens.base import ModeScreen
from screens.follow import Seen
from screens.inflight import Facts, RegulariserChanges, Wish, awaited

if TYPE_CHECKING:
    from jobs.runs import Pending

NOTICE = "The run becomes INCONCLUSIVE (changed in flight) and is never pooled. f forks it instead."


class ChangingInFlight(ModeScreen):
    """A mode that shows a run whose regularisers can be changed."""

    @property
    def record(self) -> RunRecord | None:
        """The index entry of the run shown."""
        raise NotImplementedError

    @property
    def shown(self) -> Seen | None:
        """What was read of the run shown."""
        raise NotImplementedError

    def look(self) -> None:
        """Read what is new of the run shown, now."""
        raise NotImplementedError

    @property
    def awaited_changes(self) -> str:
        """What the run shown was asked to change and has not, in a few words."""
        run, seen = self.record, self.shown
        changing = run is not None and not run.state.ended and seen is not None
        return awaited(seen.pending, self.size.width) if changing and seen else ""

    def action_change(self) -> None:
        """Ask which regularisers are to change while the run trains; where none can, say why and what does."""
        from jobs.inflight import CHANGING

        run, seen = self.record, self.shown
        if run is None or seen is None:
            return
        spec = seen.data.spec
        phenomenon = phenomena.catalogue().get(spec.phenomenon)
        names = phenomenon.changeable(spec) if phenomenon else ()
        if run.state not in CHANGING:
            why = f"{run.title} is {run.state}: a regulariser can be changed only while it trains. f forks it"
            self.genlab.say(why, title="nothing to change", severity="warning")
        elif not names:
            why = f"{spec.phenomenon} cannot change while it trains with this config. f forks it from step 0"
            self.genlab.say(why, title="nothing to change", severity="warning")
        else:
            dialog = RegulariserChanges(
                f"change {run.title} while it trains",
                names,
                partial(self._facts, run.id),
                when="from the next epoch",
                notice=NOTICE,
                withdraw=partial(self._withdraw, run),
            )
            self.app.push_screen(dialog, partial(self._change, run))

    def _facts(self, run_id: str) -> Facts:
        """Return the regularisers of the run as they stand now."""
        from jobs.inflight import CHANGING

        run, seen = self.record, self.shown
        if run is None or seen is None or run.id != run_id:
            return Facts({}, problem="another run is shown now")
        now = dict(seen.data.spec.regularisers)
        for change in seen.data.changes:
            now.pop(change.regulariser, None)
            if change.strength is not None:
                now[change.regulariser] = change.strength
        if run.state in CHANGING:
            return Facts(now, seen.pending, applied={c.regulariser: c.step for c in seen.data.changes})
        return Facts(now, problem=f"it is {run.state} now: nothing changes any more. f forks it")

    def _change(self, run: RunRecord, wish: Wish | None) -> None:
        if wish is not None and (wish.changes or wish.withdraw):
            self.genlab.act(f"change {run.title}", _carry_out, self.genlab.lab, run.id, wish, then=self._asked_for)

    def _asked_for(self, words: str) -> None:
        self.genlab.say(words, title="asked for")
        self.look()

    def _withdraw(self, run: RunRecord, request: Pending) -> None:
        wish = Wish(withdraw=(request.id,))
        self.genlab.act(
            f"withdraw the change of {run.title}", _carry_out, self.genlab.lab, run.id, wish, then=self._taken
        )

    def _taken(self, words: str) -> None:
        self.genlab.say(words, title="withdrawn")
        self.look()


def _carry_out(lab: Lab, run_id: str, wish: Wish) -> str:
    """Ask for changes and take requests back; return what to say of it. Raises GenlabError."""
    from jobs import runs

    for request in wish.withdraw:
        runs.withdraw(lab, run_id, request)
    for name, strength in wish.changes:
        runs.change(lab, run_id, name, strength)
    if not wish.changes:
        return "the run goes on as it was"
    words = ", ".join(f"{BY_NAME[name].label} {strength_text(strength)}" for name, strength in wish.changes)
    return f"{words} from the next epoch; until then t takes it back"
