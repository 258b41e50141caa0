"""A launch in the making: what the form holds, what is wrong with it, what it would cost, the command for it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from genlab_tui import regularisers
from genlab_tui.config import in_use
from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.phenomenon import Claim, Estimate, Phenomenon, config_values
from genlab_tui.run import RunSpec
from genlab_tui.text import clean_text
from jobs.request import EXPECTED, MAX_FIRST_SEED, MAX_SEEDS, PREDICTION_LENGTH

DRAFT_ID = "00000000"
FIXED = ("preset", "data", "seeds", "device", "first_seed")
"""The fields that every phenomenon has, before its own."""


@dataclass
class Draft:
    """The form of one phenomenon: texts as typed, checked when asked.

    A new preset resets all fields; of the regularisers, only those that the user never touched.
    """

    phenomenon: Phenomenon
    preset: str = ""
    data: str = ""
    seeds: str = ""
    first_seed: str = "0"
    device: str = "auto"
    values: dict[str, str] = field(default_factory=dict)
    on: dict[str, float] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    """The regularisers that the user switched, or gave a strength."""
    expected: str = ""
    """The verdict that the user expects, or empty."""
    prediction: str = ""
    """What the user expects, in words of their own."""

    def __post_init__(self) -> None:
        if not self.preset:
            self.take_preset(
                "quick" if "quick" in self.phenomenon.presets else next(iter(self.phenomenon.presets), "quick")
            )

    def take_preset(self, name: str) -> None:
        """Fill the form with a preset: its values over the defaults, its seeds, data set and regularisers.

        The regularisers that the user touched stay as they are.
        """
        preset = self.phenomenon.preset(name)
        kept = {name: strength for name, strength in self.on.items() if name in self.touched}
        self.preset = name
        self.data = self._preset_data()
        self.seeds = str(preset.seeds)
        self.on = {name: s for name, s in preset.regularisers.items() if name not in self.touched} | kept
        self.values = self._preset_values()

    def _preset_data(self) -> str:
        """The data set of the preset; empty where the phenomenon makes its own."""
        return self.phenomenon.preset(self.preset).data or next(iter(self.phenomenon.data), "")

    def _preset_values(self) -> dict[str, str]:
        given = self.phenomenon.preset(self.preset).values
        return {p.name: p.text(p.parse(given.get(p.name, p.default))) for p in self.phenomenon.params()}

    def put(self, name: str, text: str) -> None:
        """Take what was typed or chosen in a field; `preset` is `take_preset`."""
        if name in FIXED:
            setattr(self, name, text)
        else:
            self.values[name] = text

    def text(self, name: str) -> str:
        """Return what stands in a field."""
        return str(getattr(self, name)) if name in FIXED else self.values.get(name, "")

    def in_use(self) -> frozenset[str]:
        """Return the config fields that are read with the values as they stand; the others need not be seen."""
        return in_use(self.phenomenon.params(), self.values)

    def effective(self) -> dict[str, str]:
        """Return the config that is launched: fields that are not read are as the preset or, it using them, default."""
        shown, preset, fields = self.in_use(), self._preset_values(), self.phenomenon.params()
        usual = in_use(fields, preset)
        return {
            p.name: self.values[p.name] if p.name in shown else p.text(p.default) if p.name in usual else preset[p.name]
            for p in fields
        }

    # --- regularisers -------------------------------------------------------------------------------------------------

    def applies(self, name: str) -> bool:
        """Whether a regulariser applies to this phenomenon."""
        return name in self.phenomenon.regularisers

    def toggle(self, name: str, strength: float) -> bool:
        """Switch a regulariser that applies on or off; return whether it is on now."""
        if not self.applies(name):
            return False
        self.touched.add(name)
        if name in self.on:
            del self.on[name]
        else:
            self.on[name] = strength
        return name in self.on

    def strengthen(self, name: str, strength: float) -> None:
        """Give a regulariser that is on another strength."""
        if name in self.on:
            self.touched.add(name)
            self.on[name] = strength

    # --- kept over the end of the app ---------------------------------------------------------------------------------

    def keep(self) -> dict[str, Any]:
        """Return what `restored` reads: JSON values. The device is left out, it may be gone tomorrow."""
        return {
            "preset": self.preset,
            "fields": {name: self.text(name) for name in ("data", "seeds", "first_seed")} | self._typed(),
            "on": dict(self.on),
            "touched": sorted(self.touched),
            "predicted": [self.expected, self.prediction],
        }

    @classmethod
    def restored(cls, phenomenon: Phenomenon, kept: object) -> Draft:
        """Return a draft as it was kept; what is not valid any more is left at the preset. Raises GenlabError."""
        kept = kept if isinstance(kept, dict) else {}
        preset, fields, on, touched = (kept.get(name) for name in ("preset", "fields", "on", "touched"))
        draft = cls(phenomenon)
        if isinstance(preset, str) and preset in phenomenon.presets:
            draft.take_preset(preset)
        for name, text in fields.items() if isinstance(fields, dict) else ():
            if isinstance(text, str) and (name in draft.values or name in ("seeds", "first_seed")):
                before = draft.text(name)
                draft.put(name, text)
                if name in draft.problems():
                    draft.put(name, before)
            elif name == "data" and text in phenomenon.data:
                draft.data = text
        if isinstance(touched, list):
            draft.touched = {name for name in touched if isinstance(name, str) and draft.applies(name)}
        for name in draft.touched:
            draft.on.pop(name, None)
            with suppress(GenlabError, TypeError):
                if isinstance(on, dict) and name in on:
                    draft.on[name] = regularisers.get(name).check(on[name])
        match kept.get("predicted"):
            case [str(expected), str(prediction)] if expected in ("", *EXPECTED):
                draft.predict(expected, prediction)
        return draft

    def predict(self, expected: str, prediction: str) -> None:
        """Write down what the user expects of the run: a verdict or none, and words or none."""
        self.expected, self.prediction = expected, clean_text(prediction, PREDICTION_LENGTH).strip()

    # --- checking -----------------------------------------------------------------------------------------------------

    def problems(self) -> dict[str, str]:
        """Return what is wrong, by field: each message names the field, its bounds and the nearest valid value."""
        found = {}
        checks: list[tuple[str, Any]] = [("seeds", self.seed_count), ("first_seed", self.first)]
        shown = self.in_use()
        checks += [
            (p.name, lambda p=p: p.parse(self.values[p.name])) for p in self.phenomenon.params() if p.name in shown
        ]
        for name, check in checks:
            try:
                check()
            except GenlabError as error:
                found[name] = clean_text(error)
        return found

    def seed_count(self) -> int:
        """Return the number of seeds. Raises BadValue."""
        return _whole("seeds", self.seeds, 1, MAX_SEEDS)

    def first(self) -> int:
        """Return the first seed. Raises BadValue."""
        return _whole("first seed", self.first_seed, 0, MAX_FIRST_SEED)

    def spec(self) -> RunSpec:
        """Return the specification as far as the form decides it (no id, no data looked for). Raises GenlabError."""
        config = self.phenomenon.make_config(self.preset, self.effective())
        return RunSpec(
            id=DRAFT_ID,
            phenomenon=self.phenomenon.name,
            config=config_values(config),
            preset=self.preset,
            data=self.data,
            regularisers=dict(self.on),
            arms=self.phenomenon.preset(self.preset).arms,
            seeds=self.seed_count(),
            first_seed=self.first(),
            device=self.device,
            phenomenon_version=self.phenomenon.version,
        )

    def cost(self) -> tuple[Estimate, int]:
        """Return the estimate and the number of arms. Raises GenlabError; a declaration that breaks becomes one."""
        spec = self.spec()
        with foreign(f"{self.phenomenon.name} has no estimate"):
            estimate = self.phenomenon.estimate(self.phenomenon.config_of(spec), spec)
            return estimate, len(self.phenomenon.arms_of(spec))

    def claims(self) -> tuple[Claim, ...]:
        """Return the claims of the draft; none while it does not hold together."""
        try:
            return claims_of(self.phenomenon, self.spec())
        except GenlabError:
            return ()

    # --- what leaves the form -----------------------------------------------------------------------------------------

    def request(self) -> dict[str, Any]:
        """Return the keyword arguments of `jobs.request.build_spec`: only what differs from the preset."""
        preset = self.phenomenon.preset(self.preset)
        off = [name for name in preset.regularisers if name not in self.on]
        on = {name: s for name, s in self.on.items() if preset.regularisers.get(name) != s}
        return {
            "preset": self.preset,
            "values": self.changed(),
            "on": on,
            "off": off,
            "seeds": self.seed_count(),
            "first_seed": self.first(),
            "data": self.data or None,
            "device": self.device,
            "expected": self.expected,
            "prediction": self.prediction,
        }

    def changed(self) -> dict[str, str]:
        """Return the config fields that are launched with another value than the preset's."""
        return {name: text for name, text in self.effective().items() if not self._same(name, text)}

    def _typed(self) -> dict[str, str]:
        """Return the fields, also those that are not read now, that hold something else than the preset's value."""
        return {name: text for name, text in self.values.items() if not self._same(name, text)}

    def _same(self, name: str, text: str) -> bool:
        param = next(p for p in self.phenomenon.params() if p.name == name)
        try:
            return bool(param.parse(text) == param.parse(self._preset_values()[name]))
        except GenlabError:
            return False

    def command(self) -> str:
        """Return the command line that launches the same run. Raises GenlabError where the form is not right."""
        from genlab_tui.command import command_of  # not for the first paint: it brings the statistics

        words = []
        if self.expected:
            words += ["--expect", self.expected.lower().replace(" ", "-")]
        if self.prediction:
            words += ["--predict", self.prediction]
        return " ".join((command_of(self.spec(), self.phenomenon), *map(shlex.quote, words)))


def claims_of(phenomenon: Phenomenon, spec: RunSpec) -> tuple[Claim, ...]:
    """Return what is claimed of a run. Raises GenlabError."""
    with foreign(f"{phenomenon.name} has no claims"):
        return tuple(phenomenon.claims(phenomenon.config_of(spec), spec))


@contextmanager
def foreign(what: str) -> Iterator[None]:
    """Run a phenomenon's own code: whatever it raises becomes a GenlabError, so that one file cannot end the app."""
    try:
        yield
    except GenlabError:
        raise
    except Exception as error:
        raise GenlabError(f"{what}: {type(error).__name__}: {error}") from error


def _whole(name: str, text: str, low: int, high: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise BadValue(f"{name} = {text!r} is not a whole number", f"{low} to {high}") from None
    if not low <= value <= high:
        nearest = min(max(value, low), high)
        raise BadValue(f"{name} = {value} is outside its bounds ({low} to {high})", f"nearest valid value: {nearest}")
    return value


def strengths(name: str) -> tuple[float, ...]:
    """Return the strengths that left and right step through, with the default among them."""
    regulariser = regularisers.get(name)
    return tuple(sorted({*regulariser.ladder, regulariser.default}))
