"""A fork in the making: what the form holds, in what it differs from its source by now, what it would cost."""

from __future__ import annotations

import dataclasses
from typing import Any

from genlab_tui.lineage import Difference, differences
from genlab_tui.phenomenon import Phenomenon, config_values
from genlab_tui.regularisers import REGULARISERS
from genlab_tui.run import RunSpec
from screens.cost import cost_line
from screens.draft import Draft, foreign


class ForkDraft:
    """The form of a fork: a draft that starts as its source, and in what it differs by now."""

    def __init__(self, phenomenon: Phenomenon, source: RunSpec) -> None:
        config = config_values(phenomenon.config_of(source))
        self.source = dataclasses.replace(source, config=config)
        self.draft = Draft(
            phenomenon,
            preset=source.preset if source.preset in phenomenon.presets else next(iter(phenomenon.presets)),
            data=source.data,
            seeds=str(source.seeds),
            first_seed=str(source.first_seed),
            device=source.device,
            values={p.name: p.text(config[p.name]) for p in phenomenon.params()},
            on=dict(source.regularisers),
        )

    def values(self) -> dict[str, str]:
        """Return the config fields, of those that are read, that have another value. Raises BadValue."""
        shown, draft = self.draft.in_use(), self.draft
        typed = {p.name: p.parse(draft.values[p.name]) for p in draft.phenomenon.params() if p.name in shown}
        return {name: draft.values[name] for name, value in typed.items() if value != self.source.config[name]}

    def spec(self) -> RunSpec:
        """Return the source with what was changed. Raises GenlabError."""
        draft, phenomenon = self.draft, self.draft.phenomenon
        changed = dataclasses.replace(self.source, config=self.source.config | self.values())
        return dataclasses.replace(
            changed,
            config=config_values(phenomenon.config_of(changed)),
            data=draft.data,
            seeds=draft.seed_count(),
            regularisers={r.name: draft.on[r.name] for r in REGULARISERS if r.name in draft.on},
        )

    def changed_fields(self) -> set[str]:
        """Return the names of the fields that have another value. Raises BadValue."""
        fixed = {"data": self.draft.data != self.source.data, "seeds": self.draft.seed_count() != self.source.seeds}
        return {name for name, changed in fixed.items() if changed} | self.values().keys()

    def differences(self) -> tuple[Difference, ...]:
        """Return in what the fork will differ from its source. Raises GenlabError."""
        return differences(self.source, self.spec())

    def request(self) -> dict[str, Any]:
        """Return the keyword arguments of `jobs.forks.fork_spec`. Raises GenlabError."""
        spec, source = self.spec(), self.source
        return {
            "values": self.values(),
            "on": {n: s for n, s in spec.regularisers.items() if source.regularisers.get(n) != s},
            "off": [name for name in source.regularisers if name not in spec.regularisers],
            "data": spec.data if spec.data != source.data else None,
            "seeds": spec.seeds if spec.seeds != source.seeds else None,
        }

    def cost(self, width: int) -> str:
        """Return members, time and memory in a line. Raises GenlabError."""
        spec, phenomenon = self.spec(), self.draft.phenomenon
        with foreign(f"{phenomenon.name} has no estimate"):
            estimate = phenomenon.estimate(phenomenon.config_of(spec), spec)
            return cost_line(estimate, len(phenomenon.arms_of(spec)), spec.seeds, width, precision=phenomenon.precision)
