"""Replicas: one complete verdict on each of many disjoint blocks of seeds, and how often each status came out.

A single verdict is an anecdote. Blocks of seeds trained as one population say how often a claim is SHOWN on seeds
nobody has looked at, and how often its negative control would have been.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from genlab_tui.phenomenon import Phenomenon
from genlab_tui.rundata import RunData
from genlab_tui.stats import wilson
from genlab_tui.verdict import ClaimResult, Status, Verdict, judge


@dataclass(frozen=True)
class Rate:
    """How often each status came out."""

    shown: int
    not_shown: int
    inconclusive: int

    @property
    def n(self) -> int:
        return self.shown + self.not_shown + self.inconclusive

    def interval(self, status: Status) -> tuple[float, float]:
        """Return Wilson's 95 % interval of the rate of a status."""
        return wilson(self.count(status), self.n)

    def count(self, status: Status) -> int:
        """Return how often a status came out."""
        counts = {Status.SHOWN: self.shown, Status.NOT_SHOWN: self.not_shown}
        return counts.get(status, self.inconclusive)

    @classmethod
    def of(cls, statuses: Iterable[Status]) -> Rate:
        """Count statuses."""
        found = list(statuses)
        return cls(*(found.count(s) for s in (Status.SHOWN, Status.NOT_SHOWN, Status.INCONCLUSIVE)))


@dataclass(frozen=True)
class Replica:
    """One verdict on a block of seeds. `control` is the status of its negative controls, of the main claims together.

    SHOWN: one of them fired, which it must not; NOT SHOWN: none did; INCONCLUSIVE: not all could be judged.
    """

    seeds: tuple[int, ...]
    verdict: Verdict
    control: Status


def split(phenomenon: Phenomenon, data: RunData, size: int) -> tuple[Replica, ...]:
    """Judge every block of `size` seeds of a run apart, in order; seeds that do not fill a block are left out."""
    seeds = sorted(data.seeds)
    blocks = [tuple(seeds[start : start + size]) for start in range(0, len(seeds) - size + 1, size)]
    found = []
    for block in blocks:
        part = data.of_seeds(block)
        verdict = judge(phenomenon, part.spec, part)
        found.append(Replica(block, verdict, _control(verdict.claims)))
    return tuple(found)


def _control(claims: Sequence[ClaimResult]) -> Status:
    controls = [c.control for claim in claims if claim.main for c in claim.criteria if c.control]
    if any(control.fired for control in controls):
        return Status.SHOWN
    if not controls or any(control.missing for control in controls):
        return Status.INCONCLUSIVE
    return Status.NOT_SHOWN


def positive(replicas: Sequence[Replica]) -> Rate:
    """Return how often the verdict was what."""
    return Rate.of(replica.verdict.status for replica in replicas)


def control(replicas: Sequence[Replica]) -> Rate:
    """Return how often the negative controls were what."""
    return Rate.of(replica.control for replica in replicas)


def claims(replicas: Sequence[Replica]) -> dict[tuple[str, bool], Rate]:
    """Return the rate of every claim by its name and whether it is a main one."""
    found: dict[tuple[str, bool], list[Status]] = {}
    for replica in replicas:
        for claim in replica.verdict.claims:
            found.setdefault((claim.name, claim.main), []).append(claim.status)
    return {key: Rate.of(statuses) for key, statuses in found.items()}


def reasons(replicas: Sequence[Replica], name: str) -> dict[str, int]:
    """Return why a claim was not SHOWN, without the numbers, and how often."""
    found: dict[str, int] = {}
    for replica in replicas:
        for claim in replica.verdict.claims:
            if claim.name == name and claim.reason:
                what = claim.reason.split(": ")[0].split(" (")[0]
                found[what] = found.get(what, 0) + 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))
