"""The training loop: closed, batched over members, streaming curves; everything that varies is in its arguments."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab_tui import events as ev
from genlab_tui.errors import BadValue
from genlab_tui.phenomenon import Context
from genlab_tui.training import optimise
from genlab_tui.training.evaluate import SCREEN, SCREEN_SLACK, Cadence, evaluate
from genlab_tui.training.members import FINALS, MEASURES, Member, Outcome, Recipe, Samples
from genlab_tui.training.population import Population
from genlab_tui.training.state import State

POLL_EVERY = 0.3
"""Seconds of training after which the context is polled in the middle of an epoch."""

Finals = dict[str, float]


@dataclass(frozen=True)
class Share:
    """Where a call stands in the whole run: what was done before it and how much of the run it is, both 0 to 1."""

    before: float = 0.0
    size: float = 1.0


def train(
    members: Sequence[Member],
    samples: Samples,
    recipe: Recipe,
    context: Context,
    *,
    cohort: str,
    share: Share | None = None,
) -> Generator[ev.Event, None, State]:
    """Train all members as one program; return the final state.

    Yields the cohort, the curves and, as each member ends, a mark and its final measures.
    Runs on the device of the samples, in their precision. Continues from `context.resume()`; saves through
    `context.poll`. Raises BadValue for members, samples and recipe that do not fit together.
    """
    trainer = _Trainer(members, samples, recipe, cohort, share or Share())
    checkpoint = context.resume()
    if checkpoint is not None:
        trainer.state.restore(checkpoint)
    yield ev.Cohort(id=cohort, members=tuple((m.arm, m.seed) for m in members))
    if trainer.state.outcomes:
        yield from trainer.measures()
    yield from trainer.run(context)
    return trainer.state


def _check(members: Sequence[Member], samples: Samples, recipe: Recipe) -> None:
    sets, n = samples.inputs.shape[:2]
    if not members:
        raise BadValue("there is no member to train")
    if samples.labels.shape[1] != n or samples.test_inputs.shape[0] != sets or samples.test_labels.shape[0] != sets:
        raise BadValue("inputs, labels and test sets do not fit together")
    if max(m.inputs for m in members) >= sets or max(m.labels for m in members) >= len(samples.labels):
        raise BadValue("a member learns a set that is not there")
    if recipe.batch < 1 or recipe.epochs < 1:
        raise BadValue("batch and epochs start at 1")
    if "batch-norm" in recipe.regularisers and min(recipe.batch, n - recipe.validation(n)) < 2:
        raise BadValue("batch norm needs batches of at least 2")


class _Trainer:
    """One call of `train`."""

    def __init__(self, members: Sequence[Member], samples: Samples, recipe: Recipe, cohort: str, share: Share) -> None:
        _check(members, samples, recipe)
        self.members, self.samples, self.recipe, self.cohort, self.share = members, samples, recipe, cohort, share
        self.state = State(members, samples, recipe)
        self.epoch_steps = len(self.state.batches.bounds)
        self.n = self.state.batches.n
        self.cadence = Cadence(self.n, samples.test_labels.shape[1], self.epoch_steps, recipe.epochs)
        self.losses: list[Tensor] = []
        self.clock = time.perf_counter()

    # --- the loop -----------------------------------------------------------------------------------------------------

    def run(self, context: Context) -> Generator[ev.Event, None, None]:
        state = self.state
        self.clock = time.perf_counter()
        if state.step == 0:
            yield from self.lines(state.running, self.finals(state.running))
            yield self.progress()
        polled = time.perf_counter()
        begun = -1
        while state.running:
            epoch, position = divmod(state.step, self.epoch_steps)
            if epoch != begun:
                state.batches.begin(epoch)
                begun = epoch
            self.advance(epoch, position)
            if position + 1 == self.epoch_steps:
                yield from self.close_epoch(epoch + 1)
                if state.compact():
                    begun = -1
            elif self.cadence.due(state.step):
                yield from self.freeze_diverged()
                yield from self.lines(state.running, self.finals(state.running))
            late = time.perf_counter() - polled > POLL_EVERY
            if late or position + 1 == self.epoch_steps:
                yield from self.freeze_diverged()
                self.tick()
                if late:
                    yield self.progress()
                    polled = time.perf_counter()
                context.poll(state.save)
                self.clock = time.perf_counter()
        yield self.progress()

    def advance(self, epoch: int, position: int) -> None:
        """Take one step of every row."""
        state, recipe = self.state, self.recipe
        population, optimiser = state.population, state.optimiser
        weights = population.architecture.weights
        lr = recipe.lr * recipe.decay**epoch
        x, target = state.batches.batch(position)
        masks = state.batches.masks(state.step, position, recipe.hidden)
        self.losses.append(population.gradient(x, target, masks, optimiser.gradient, optimiser.keep))
        l1, decay = recipe.strength("l1"), recipe.strength("weight-decay")
        if l1:
            optimise.add_l1(optimiser.gradient, population.parameters, weights, l1)
        if decay:
            optimise.decay_weights(population.parameters, weights, 1 - lr * decay)
        state.step += 1
        optimiser.update(population.parameters, lr, state.step)

    def close_epoch(self, epoch: int) -> Generator[ev.Event, None, None]:
        """After an epoch: who diverged, who ends and why, and a line of the curves where one is due."""
        yield from self.freeze_diverged()
        state, recipe = self.state, self.recipe
        due = self.cadence.due(state.step)
        running = state.running
        finals = self.finals(running) if due else {}
        ends: dict[int, str] = {}
        if state.best is not None:
            ends |= dict.fromkeys(self.out_of_patience(epoch), "early stopping")
        if recipe.target <= 1:
            if not due:
                candidates = self.screened(running)
                finals = self.finals(candidates)
            ends |= {i: "fitted" for i, f in finals.items() if f["train_accuracy"] >= recipe.target}
        if epoch >= recipe.epochs:
            ends |= {i: "epochs" for i in running if i not in ends}
        ends |= self.partners(ends)
        missing = [i for i in ends if i not in finals]
        finals |= self.finals(missing)
        ends |= {i: "diverged" for i, f in finals.items() if not math.isfinite(f["train_loss"])}
        if due:
            yield from self.lines(running, finals)
        elif ends:
            yield from self.lines(list(ends), finals)
        for i in running:
            if i in ends:
                yield self.finish(i, ends[i], epoch, finals[i])
        if ends:
            yield from self.measures()

    # --- who ends -----------------------------------------------------------------------------------------------------

    def screened(self, running: list[int]) -> list[int]:
        """Return the members that a cheap look at some of their training set does not rule out as fitted."""
        look = min(SCREEN, self.n)
        if not running:
            return []
        part, sets, labels = self.subset(running)
        _, accuracy = evaluate(part, self.samples.inputs, sets, labels, (0, look))
        return [i for i, a in zip(running, accuracy, strict=True) if a >= self.recipe.target - SCREEN_SLACK]

    def out_of_patience(self, epoch: int) -> list[int]:
        """Score the running members on their validation part, keep their best weights; return who waited too long."""
        state = self.state
        running = state.running
        if state.best is None or not running:
            return []
        part, sets, labels = self.subset(running)
        loss, _ = evaluate(part, self.samples.inputs, sets, labels, (self.n, labels.shape[1]))
        better = [i for i, value in zip(running, loss, strict=True) if value < state.best_loss[i]]
        for i, value in zip(running, loss, strict=True):
            if i in better:
                state.best_loss[i], state.best_epoch[i] = value, epoch
        if better:
            state.best.put(state.positions(better), state.population.take(state.positions(better)))
        patience = self.recipe.strength("early-stopping")
        return [i for i in running if epoch - state.best_epoch[i] >= patience]

    def partners(self, ends: Mapping[int, str]) -> dict[int, str]:
        """Return the running members whose partner has ended."""
        gone = ends.keys() | self.state.outcomes.keys()
        return {i: "partner" for i in self.state.running if i not in ends and self.members[i].follows in gone}

    def finish(self, member: int, end: str, epoch: int, finals: Finals) -> ev.Mark:
        """End a member. With early stopping, what counts is its best weights, not its last."""
        state = self.state
        fitted = end == "fitted"
        final = None
        if state.best is not None:
            final = state.best.take(state.positions([member]))
            finals = self.finals([member], final)[member]
        if end == "diverged":
            finals = {}
        outcome = Outcome.of(end, state.step, float(epoch), finals, fitted=fitted)
        state.end(member, outcome, final)
        words = {
            "fitted": "fitted its training set",
            "epochs": "reached the last epoch",
            "early stopping": f"stopped early, best at epoch {state.best_epoch[member]}",
            "partner": "ended with its partner",
            "diverged": "diverged",
        }
        return ev.Mark(text=words[end], step=state.step, arm=self.members[member].arm, seed=self.members[member].seed)

    def freeze_diverged(self) -> Iterator[ev.Event]:
        """End the members whose loss became infinite or NaN since the last look."""
        state = self.state
        if not self.losses:
            return
        finite = torch.isfinite(torch.stack(self.losses)).cpu()
        first = state.step - len(self.losses) + 1
        self.losses.clear()
        if bool(finite.all()):
            return
        for i in state.running:
            column = finite[:, state.rows.index(i)]
            if not bool(column.all()):
                step = first + int((~column).nonzero()[0])
                state.end(i, Outcome.of("diverged", step, step / self.epoch_steps, {}, fitted=False))
                yield ev.Mark(text="diverged", step=step, arm=self.members[i].arm, seed=self.members[i].seed)
        yield from self.measures()

    # --- measuring ----------------------------------------------------------------------------------------------------

    def subset(self, members: Sequence[int]) -> tuple[Population, Tensor, Tensor]:
        """Return some members of the program: their networks, input sets and present labels."""
        state = self.state
        rows = state.positions(members)
        index = torch.tensor(rows, device=self.samples.inputs.device)
        # A member with fresh labels is scored on the draw that it has not been trained on.
        labels = state.batches.labels_at(math.ceil(state.step / self.epoch_steps))
        part = state.population if rows == list(range(len(state.rows))) else state.population.take(rows)
        return part, state.batches.set_of[index], labels[index]

    def finals(self, members: Sequence[int], networks: Population | None = None) -> dict[int, Finals]:
        """Measure the four metrics of some members, all in one pass."""
        if not members:
            return {}
        part, sets, labels = self.subset(members)
        network, samples = networks or part, self.samples
        train_loss, train_accuracy = evaluate(network, samples.inputs, sets, labels, (0, self.n))
        test_loss, test_accuracy = evaluate(network, samples.test_inputs, sets, samples.test_labels[sets])
        columns = zip(train_accuracy, train_loss, test_accuracy, test_loss, strict=True)
        return {i: dict(zip(FINALS, row, strict=True)) for i, row in zip(members, columns, strict=True)}

    def lines(self, members: Sequence[int], finals: Mapping[int, Finals]) -> Iterator[ev.Curve]:
        """Yield one line a metric with the values of some members; the others have none here. No members, no line."""
        if not members:
            return
        self.tick()
        state = self.state
        chosen = set(members)
        for name in FINALS:
            values = ev.to_values(finals[i][name] if i in chosen else None for i in range(len(self.members)))
            yield ev.Curve(
                cohort=self.cohort,
                metric=name,
                step=state.step,
                epoch=state.step / self.epoch_steps,
                seconds=round(state.seconds, 3),
                values=values,
            )

    def measures(self) -> Iterator[ev.Measure]:
        """Yield the final numbers of the members that have ended so far; the others have none yet."""
        outcomes = [self.state.outcomes.get(i) for i in range(len(self.members))]
        for name in MEASURES:
            values = ev.to_values(o.values[name] if o else None for o in outcomes)
            yield ev.Measure(cohort=self.cohort, name=name, values=values)

    def tick(self) -> None:
        """Add the time since the last look to the training time."""
        now = time.perf_counter()
        self.state.seconds += now - self.clock
        self.clock = now

    def progress(self) -> ev.Progress:
        """Estimate what is done from the epochs that members were expected to need."""
        state = self.state
        epoch = state.step / self.epoch_steps
        parts = [
            1.0 if i in state.outcomes else min(epoch / (member.expected_epochs or self.recipe.epochs), 0.95)
            for i, member in enumerate(self.members)
        ]
        here = sum(parts) / len(parts)
        done = self.share.before + self.share.size * here
        eta = state.seconds * (1 - done) / (self.share.size * here) if here > 0.005 else -1.0
        return ev.Progress(
            done=round(done, 4),
            eta=round(eta, 1),
            label=f"epoch {epoch:.0f}, {len(state.running)} of {len(parts)} networks training",
        )
