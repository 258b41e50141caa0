"""The training loop: closed, batched over members, streaming curves; everything that varies is in its arguments."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from genlab_tui import events as ev
from genlab_tui.phenomenon import Checkpoint, Context
from genlab_tui.training import ends, plan
from genlab_tui.training.evaluate import Cadence
from genlab_tui.training.measure import Finals, Measurer
from genlab_tui.training.members import FINALS, MEASURES, Member, Outcome, Recipe, Samples
from genlab_tui.training.memory import out_of_memory
from genlab_tui.training.probes import Probe
from genlab_tui.training.program import Crew
from genlab_tui.training.state import State
from genlab_tui.training.strengths import DYNAMIC

POLL_EVERY = 0.3
"""Seconds of training after which the context is polled in the middle of an epoch."""


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
    probes: Sequence[Probe] = (),
    budget: float | None = None,
    threads: int | None = None,
) -> Generator[ev.Event, None, State]:
    """Train all members, as few programs as they allow; return the final state.

    Yields, for every program, a cohort of its members, their curves and, as each member ends, a mark and its final
    measures; the cohort of a second program is called `cohort 2`. `probes` add metrics of their own. Runs on the
    device of the samples (in shards on all of `context.devices`), in their precision, in at most `budget` bytes at a
    time (default: what is free), on `threads` cores (default: torch's). Continues from `context.resume()`; saves
    through `context.poll`; takes regulariser changes from `context.changes` at the beginning of an epoch. Raises
    BadValue for members, samples and recipe that do not fit together.
    """
    devices = context.devices if len(context.devices) > 1 else ()
    crew = Crew(max(threads or torch.get_num_threads(), len(devices)))
    try:
        together = crew.threads if samples.inputs.device.type == "cpu" else max(len(devices), 1)
        plans = plan.programs(members, samples, recipe, budget, together=together)
        state = State(members, samples, recipe, plans, crew, devices)
        checkpoint = context.resume()
        if checkpoint is not None:
            state.restore(checkpoint)
        trainer = _Trainer(state, cohort, share or Share(), probes)
        # An earlier attempt's measures of this stage are dropped; its finished programs do not come by again.
        for at in range(state.at):
            yield from trainer.measures(at)
        while True:
            try:
                yield from trainer.run(context)
            except (RuntimeError, MemoryError) as error:
                yield trainer.split(error)
                continue
            if state.at + 1 == len(state.plan):
                return state
            state.next()
    finally:
        crew.close()


class _Trainer:
    """One call of `train`."""

    def __init__(self, state: State, cohort: str, share: Share, probes: Sequence[Probe]) -> None:
        self.state, self.members, self.samples = state, state.members, state.samples
        self.name, self.share, self.probes = cohort, share, probes
        self.extra = [probe for probe in probes if probe.also]
        self.metrics = (*FINALS, *(probe.metric for probe in probes))
        self.costs = plan.costs(self.members, self.samples, state.recipe)
        self.clock = time.perf_counter()

    # --- the loop -----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Get ready for the program that is open."""
        state = self.state
        if not state.opened:
            state.open(state.at)
        recipe, batches = state.program.recipe, state.program.batches
        self.part = sorted(state.plan[state.at])
        self.cohort = self.cohort_name(state.at)
        self.epoch_steps, self.check = len(batches.bounds), recipe.check_every
        self.limits = ends.last_steps(state, self.part, self.epoch_steps)
        self.last_steps = set(self.limits.values())
        epochs = math.ceil(max(self.limits.values()) / self.epoch_steps)
        self.cadence = Cadence(
            batches.n,
            self.samples.test_labels.shape[1],
            self.epoch_steps,
            epochs,
            pass_share=plan.pass_share([state.recipes[i] for i in self.part], self.samples),
            log_points=recipe.log_points,
            dense=recipe.dense,
            every=recipe.every,
            expected=max(self.members[i].expected_epochs or self.limits[i] / self.epoch_steps for i in self.part),
        )
        self.measurer = Measurer(state, self.epoch_steps, self.probes)
        self.losses: list[Tensor] = []
        self.clock = time.perf_counter()

    def run(self, context: Context) -> Generator[ev.Event, None, None]:
        """Train the open program to its end."""
        state = self.state
        self.begin()
        yield ev.Cohort(id=self.cohort, members=tuple((self.members[i].arm, self.members[i].seed) for i in self.part))
        if any(i in state.outcomes for i in self.part):
            yield from self.measures()
        if state.step == 0:
            yield from self.lines(state.running, self.measurer.finals(state.running))
            yield self.progress()
        polled = time.perf_counter()
        begun = -1
        while state.running:
            epoch, position = divmod(state.step, self.epoch_steps)
            if epoch != begun:
                if position == 0:
                    yield from self.changes(context)
                state.program.begin(epoch)
                begun = epoch
            self.losses.append(state.program.advance(epoch, position, state.step))
            state.step += 1
            whole = position + 1 == self.epoch_steps
            late = time.perf_counter() - polled > POLL_EVERY
            if whole or state.step in self.last_steps or (self.check and state.step % self.check == 0):
                yield from self.close(whole=whole)
                if state.compact():
                    begun = -1
            elif self.cadence.due(state.step) or self.cadence.looks(state.step):
                yield from self.freeze_diverged()
                full = self.cadence.due(state.step)
                yield from self.lines(state.running, self.measurer.finals(state.running, train=full))
            if self.extra:
                yield from self.probed()
            if late or whole:
                yield from self.freeze_diverged()
                self.tick()
                if late:
                    yield self.progress()
                    polled = time.perf_counter()
                context.poll(self.save)
                self.clock = time.perf_counter()
        yield self.progress()

    def save(self) -> Checkpoint:
        """Return the checkpoint of this moment."""
        names = [self.cohort_name(at) for at in range(self.state.at)]
        return replace(self.state.save(), cohort=self.cohort, finished=tuple(names))

    def cohort_name(self, at: int) -> str:
        """Return the cohort of a program."""
        return self.name if at == 0 else f"{self.name} {at + 1}"

    def changes(self, context: Context) -> Iterator[ev.Event]:
        """Take regulariser changes that were asked for since the last epoch began."""
        for name, strength in context.changes(self.cohort, self.state.step):
            if name not in DYNAMIC:
                yield ev.Log(text=f"{name} cannot change while a run trains", level="warning")
                continue
            self.state.change(name, strength)
            yield ev.Change(regulariser=name, strength=strength, step=self.state.step, cohort=self.cohort)

    def close(self, *, whole: bool) -> Generator[ev.Event, None, None]:
        """After an epoch, a check or a member's last step: who diverged, who ends and why; a line where one is due."""
        yield from self.freeze_diverged()
        state, step = self.state, self.state.step
        due = self.cadence.due(step)
        running = state.running
        finals = self.measurer.finals(running) if due else {}
        ended: dict[int, str] = {}
        if whole:
            ended, more = ends.of_epoch(state, self.measurer, finals, step // self.epoch_steps)
            finals |= more
        elif self.check and step % self.check == 0:
            ended, more = ends.reached(state, self.measurer, finals)
            finals |= more
        for i in running:
            if step >= self.limits[i] and i not in ended:
                ended[i] = "steps" if state.recipes[i].steps else "epochs"
        ended |= ends.partners(state, ended)
        if not whole:
            ends.score(state, self.measurer, list(ended), math.ceil(step / self.epoch_steps))
        finals |= self.measurer.finals([i for i in ended if i not in finals])
        ended |= {i: "diverged" for i, f in finals.items() if not math.isfinite(f["train_loss"])}
        if due:
            yield from self.lines(running, finals)
        elif ended:
            yield from self.lines(list(ended), finals)
        if self.cadence.looks(step):
            others = [i for i in running if i not in ended]
            yield from self.lines(others, self.measurer.finals(others, train=False))
        for i in running:
            if i in ended:
                yield self.finish(i, ended[i], finals[i])
        if ended:
            yield from self.measures()

    def probed(self) -> Generator[ev.Event, None, None]:
        """Measure the probes that are asked for after this step alone."""
        step = self.state.step
        if self.cadence.due(step) or self.cadence.looks(step):
            return
        asked = [probe for probe in self.extra if probe.also and probe.also(step)]
        if asked:
            yield from self.freeze_diverged()
            running = self.state.running
            yield from self.lines(running, self.measurer.probed(running, asked))

    def finish(self, member: int, end: str, finals: Finals) -> ev.Mark:
        """End a member. With early stopping, what counts is its best weights, not its last."""
        state = self.state
        epoch = state.step / self.epoch_steps
        final = None
        if state.program.recipe.holds_out:
            final = state.program.alone(member, best=True)
            finals = self.measurer.finals([member], best=True)[member]
        if end == "diverged":
            finals = {}
        outcome = Outcome.of(end, state.step, epoch, finals, fitted=end == "fitted")
        state.end(member, outcome, final)
        return self.mark(member, ends.WORDS[end].format(best=state.best_epoch[member]))

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
        ended = False
        for i in state.running:
            column = finite[:, state.rows.index(i)]
            if not bool(column.all()):
                step = first + int((~column).nonzero()[0])
                state.end(i, Outcome.of("diverged", step, step / self.epoch_steps, {}, fitted=False))
                yield self.mark(i, "diverged", step)
                ended = True
        if ended:
            yield from self.measures()

    # --- what is said -------------------------------------------------------------------------------------------------

    def mark(self, member: int, text: str, step: int | None = None) -> ev.Mark:
        who = self.members[member]
        at = self.state.step if step is None else step
        return ev.Mark(text=text, step=at, arm=who.arm, seed=who.seed, cohort=self.cohort)

    def lines(self, members: Sequence[int], finals: Mapping[int, Finals]) -> Iterator[ev.Curve]:
        """Yield one line a metric with the values of some members; the others have none here. No members, no line."""
        if not members:
            return
        self.tick()
        state = self.state
        chosen = set(members)
        for name in (name for name in self.metrics if name in finals[members[0]]):
            values = ev.to_values(finals[i].get(name) if i in chosen else None for i in self.part)
            yield ev.Curve(
                cohort=self.cohort,
                metric=name,
                step=state.step,
                epoch=state.step / self.epoch_steps,
                seconds=round(state.seconds, 3),
                values=values,
            )

    def measures(self, at: int | None = None) -> Iterator[ev.Measure]:
        """Yield the final numbers of a program's members (default: the open one's) that have ended so far."""
        at = self.state.at if at is None else at
        outcomes = [self.state.outcomes.get(i) for i in sorted(self.state.plan[at])]
        for name in (*MEASURES, *self.metrics[len(FINALS) :]):
            values = ev.to_values(o.values.get(name, math.nan) if o else None for o in outcomes)
            yield ev.Measure(cohort=self.cohort_name(at), name=name, values=values)

    def tick(self) -> None:
        """Add the time since the last look to the training time."""
        now = time.perf_counter()
        self.state.seconds += now - self.clock
        self.clock = now

    def progress(self) -> ev.Progress:
        """Estimate what is done from the epochs that members were expected to need."""
        state = self.state
        epoch = state.step / self.epoch_steps
        open_now = set(self.part)
        done = 0.0
        for i, member in enumerate(self.members):
            if i in state.outcomes:
                done += self.costs[i]
            elif i in open_now:
                expected = member.expected_epochs or self.limits[i] / self.epoch_steps
                done += self.costs[i] * min(epoch / expected, 0.95)
        here = done / sum(self.costs)
        gone = self.share.before + self.share.size * here
        count = f"{len(state.running)} of {len(self.part)} networks training"
        also = "" if len(state.plan) == 1 else f", program {state.at + 1} of {len(state.plan)}"
        return ev.Progress(
            done=round(gone, 4),
            eta=round(state.seconds * (1 - gone) / (self.share.size * here), 1) if here > 0.005 else -1.0,
            label=f"epoch {epoch:.0f}, {count}{also}",
        )

    def split(self, error: BaseException) -> ev.Log:
        """Split the open program in two if it did not fit the memory; say so. Else raises the error again."""
        state = self.state
        before = len(state.plan[state.at])
        parts = plan.halve(state.plan[state.at], self.members, state.recipes)
        if not out_of_memory(error) or state.step > 0 or len(parts) == 1:
            raise error
        state.split(parts)
        return ev.Log(
            text=f"out of memory with {before} networks at once; training them in parts of {len(state.plan[state.at])}",
            level="warning",
        )
