"""Runs made from the run at hand: a fork beside it, or more of its seeds. Whichever screen it was asked on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from textual.content import Content

from genlab_tui import phenomena
from genlab_tui.errors import GenlabError
from genlab_tui.paths import Lab
from genlab_tui.run import RunRecord, RunSpec
from screens.base import ModeScreen
from screens.forkdraft import ForkDraft
from screens.forking import ForkDialog
from screens.inflight import Facts, RegulariserChanges, Wish
from screens.launching import AGAIN, same_text
from screens.seeding import MoreSeeds
from screens.sheet import Answer, Ask

FORK = "The run once more from step 0 with one thing changed, beside it and compared with it"
FROM_CHECKPOINT = "Go on from the checkpoint in a run of its own with a regulariser changed"
MORE_SEEDS = "More seeds for a run that is done: a new run, in which they alone are trained"

# --- forks ------------------------------------------------------------------------------------------------------------


def fork(screen: ModeScreen, run: RunRecord) -> None:
    """Ask what to change of a run, launch that from step 0 beside it, and compare the two."""
    from jobs import forks

    def choose(source: RunSpec) -> None:
        if not _free(screen):
            return
        draft = ForkDraft(phenomena.get(source.phenomenon), source)
        dialog = ForkDialog(run.title, draft, screen.genlab.lab.data)
        screen.app.push_screen(dialog, partial(_fork, screen, run))

    screen.genlab.act(f"fork {run.title}", forks.source, screen.genlab.lab, run.id, then=choose)


def _fork(screen: ModeScreen, run: RunRecord, fork: ForkDraft | None) -> None:
    from jobs import forks, request, runs

    if fork is None:
        return
    lab, wanted, draft = screen.genlab.lab, fork.request(), fork.draft

    def spec() -> RunSpec:
        return request.predicted(forks.fork_spec(lab, run.id, **wanted), draft.prediction, draft.expected)

    new = Branch(
        f"fork {run.title}",
        spec,
        lambda: runs.submit(lab, spec()),
        partial(_beside, run),
        partial(_compare, screen, run),
        "compare with it",
    )
    _launch(screen, new)


def _beside(source: RunRecord, forked: RunRecord) -> str:
    return f"{forked.id} is queued, a fork of {source.title}"


def _compare(screen: ModeScreen, source: RunRecord, forked: RunRecord) -> None:
    screen.genlab.launched(forked.id)
    screen.genlab.open_compare(source.id, forked.id, baseline=source.id)


def fork_from_checkpoint(screen: ModeScreen, run: RunRecord) -> None:
    """Ask which regularisers to change, go on with that from the checkpoint of a run, and compare the two."""
    looked = partial(_choose_from_checkpoint, screen, run)
    screen.genlab.act(f"fork {run.title} from its checkpoint", _checkpoint, screen.genlab.lab, run.id, then=looked)


def _checkpoint(lab: Lab, run_id: str) -> tuple[RunSpec, Facts]:
    """Return what a run was launched with and its regularisers as they stand. Raises GenlabError where it has none."""
    from jobs import forks

    source = forks.source(lab, run_id)
    problem = forks.can_continue(lab, run_id)
    if problem:
        raise GenlabError(problem, "f forks from step 0")
    return source, Facts(forks.in_force(lab, run_id))


def _choose_from_checkpoint(screen: ModeScreen, run: RunRecord, found: tuple[RunSpec, Facts]) -> None:
    source, facts = found
    if not _free(screen):
        return
    dialog = RegulariserChanges(
        f"fork {run.title} from its checkpoint",
        phenomena.get(source.phenomenon).changeable(source),
        lambda: facts,
        when="in the fork",
        does="enter launches it beside",
        notice="A run of its own goes on from the checkpoint: INCONCLUSIVE (changed in flight), "
        "never pooled. f forks from step 0.",
    )

    def chosen(wish: Wish | None) -> None:
        from jobs import forks

        if wish is None or not wish.changes:
            return
        genlab = screen.genlab
        launch = partial(
            forks.fork,
            genlab.lab,
            run.id,
            on={name: strength for name, strength in wish.changes if strength is not None},
            off=[name for name, strength in wish.changes if strength is None],
            from_checkpoint=True,
        )
        genlab.act(f"fork {run.title} from its checkpoint", launch, then=launched)

    def launched(forked: RunRecord) -> None:
        screen.genlab.say(_beside(run, forked), title="launched")
        _compare(screen, run, forked)

    screen.app.push_screen(dialog, chosen)


# --- more seeds -------------------------------------------------------------------------------------------------------


def more_seeds(screen: ModeScreen, run: RunRecord) -> None:
    """Ask how many more seeds a finished run gets; the new run takes over what there is and trains the new ones."""
    from jobs import forks

    lab, label = screen.genlab.lab, f"add seeds to {run.title}"

    def choose(source: RunSpec) -> None:
        if _free(screen):
            screen.app.push_screen(MoreSeeds(source, run.title), chosen)

    def chosen(count: int | None) -> None:
        if count is None:
            return
        what = "the new seed is" if count == 1 else f"the {count} new seeds are"
        new = Branch(
            label,
            partial(forks.more_seeds_spec, lab, run.id, count),
            partial(forks.add_seeds, lab, run.id, count),
            lambda made: f"{made.id} has {made.seeds} seeds, only {what} trained",
            lambda made: screen.genlab.open_live(made.id),
            "watch it",
        )
        _launch(screen, new)

    screen.genlab.act(label, _finished, lab, run.id, then=choose)


def _finished(lab: Lab, run_id: str) -> RunSpec:
    """Return what a run was launched with. Raises GenlabError for one that can get no more seeds."""
    from jobs import forks

    forks.more_seeds_spec(lab, run_id, 1)
    return forks.source(lab, run_id)


# --- both -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Branch:
    """A run about to be made: its specification, how it is launched, what is said of it then, how it is shown.

    `open` says what showing it is, where an identical one is there already.
    """

    label: str
    spec: Callable[[], RunSpec]
    launch: Callable[[], RunRecord]
    said: Callable[[RunRecord], str]
    show: Callable[[RunRecord], None]
    open: str


def _free(screen: ModeScreen) -> bool:
    """Whether nothing was opened over the screen meanwhile: the same key twice asks once."""
    return screen.app.screen is screen


def _launch(screen: ModeScreen, new: Branch) -> None:
    """Launch a run; where an identical one is stored, offer that first."""
    genlab = screen.genlab

    def attempt() -> tuple[RunRecord | None, RunRecord | None]:
        from jobs import runs

        same = runs.find_identical(genlab.lab, new.spec())
        return same, new.launch() if same is None else None

    def launched(run: RunRecord) -> None:
        genlab.say(new.said(run), title="launched")
        new.show(run)

    def found(found: tuple[RunRecord | None, RunRecord | None]) -> None:
        same, run = found
        if run is not None:
            launched(run)
        elif same is not None:
            question = Ask("the same run exists", Content(same_text(same)), (Answer("enter", new.open, "open"), AGAIN))
            screen.app.push_screen(question, partial(answered, same))

    def answered(same: RunRecord, answer: str | None) -> None:
        if answer == "open":
            new.show(same)
        elif answer == "run":
            genlab.act(new.label, new.launch, then=launched)

    genlab.act(new.label, attempt, then=found)
