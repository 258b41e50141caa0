"""Who stops training, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from genlab_tui.training.measure import Finals, Measurer
from genlab_tui.training.state import State

WORDS = {
    "fitted": "fitted its training set",
    "loss": "reached its training loss",
    "epochs": "reached the last epoch",
    "steps": "reached its last step",
    "early stopping": "stopped early, best at epoch {best}",
    "partner": "ended with its partner",
    "diverged": "diverged",
}


def last_steps(state: State, part: Sequence[int], epoch_steps: int) -> dict[int, int]:
    """Return the step after which each member of a program ends at the latest."""
    return {i: state.recipes[i].steps or state.recipes[i].epochs * epoch_steps for i in part}


def of_epoch(
    state: State, measurer: Measurer, finals: Mapping[int, Finals], epoch: int
) -> tuple[dict[int, str], dict[int, Finals]]:
    """Return who ends with this epoch, and measurements made to find out. `finals` are those at hand."""
    running = state.running
    ended = dict.fromkeys(_out_of_patience(state, measurer, running, epoch), "early stopping")
    done, more = reached(state, measurer, finals)
    return ended | done, more


def reached(state: State, measurer: Measurer, finals: Mapping[int, Finals]) -> tuple[dict[int, str], dict[int, Finals]]:
    """Return who has reached its target, and measurements made to find out. `finals` are those at hand."""
    ended: dict[int, str] = {}
    recipes = {i: state.recipes[i] for i in state.running}
    wanting = [i for i, r in recipes.items() if r.target <= 1 or r.loss_target > -math.inf]
    more: dict[int, Finals] = {}
    if wanting and not all(i in finals for i in wanting):
        more = measurer.finals(measurer.promising(wanting))
    known = {**finals, **more}
    for i in wanting:
        if i not in known:
            continue
        if known[i]["train_accuracy"] >= recipes[i].target:
            ended[i] = "fitted"
        elif known[i]["train_loss"] <= recipes[i].loss_target:
            ended[i] = "loss"
    return ended, more


def score(state: State, measurer: Measurer, members: Sequence[int], epoch: int) -> None:
    """With early stopping: score members on their validation part, keep their weights if they are the best so far."""
    if not state.program.recipe.holds_out or not members:
        return
    for i, loss in measurer.validation(members).items():
        if loss < state.best_loss[i]:
            state.best_loss[i], state.best_epoch[i] = loss, epoch
            state.program.shard_of(i).keep_best(i)


def _out_of_patience(state: State, measurer: Measurer, running: Sequence[int], epoch: int) -> list[int]:
    """Return who has waited too long for a better score."""
    if not state.program.recipe.holds_out:
        return []
    score(state, measurer, running, epoch)
    patience = state.program.strengths("early-stopping")
    return [i for i in running if epoch - state.best_epoch[i] >= patience[i]]


def partners(state: State, ended: Mapping[int, str]) -> dict[int, str]:
    """Return the running members whose partner has ended."""
    gone = ended.keys() | state.outcomes.keys()
    return {i: "partner" for i in state.running if i not in ended and state.members[i].follows in gone}
