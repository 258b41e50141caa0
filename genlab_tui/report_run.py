"""What a report says of one run: question, prediction, verdict, figures, numbers, curves, what was run, lineage."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from genlab_tui import regularisers
from genlab_tui.blocks import Block, Code, Facts, Heading, Source, Table, Text, Verdicts
from genlab_tui.command import command_of
from genlab_tui.expectation import expectation, judged
from genlab_tui.grouping import is_changed
from genlab_tui.regularisers import strength_text
from genlab_tui.report_tables import delta, measured, spread
from genlab_tui.run import OWN_SAMPLES
from genlab_tui.settings import field_text
from genlab_tui.summary import METHOD, LoadedRun, SummaryRow, baseline_arm, measure_names, summary_rows
from genlab_tui.text import human_seconds
from genlab_tui.verdict import ClaimResult, ControlResult, CriterionResult, Grade, Verdict

MEASURES = 5
CAME = {
    "right": "The verdict is the one that was predicted.",
    "undecided": "The run is INCONCLUSIVE: it neither confirms nor refutes the prediction.",
    "wrong": "The verdict is not the one that was predicted.",
}
MARKS = {Grade.PASS: "✓", Grade.FAIL: "✗", Grade.UNMET: "?"}


def question(run: LoadedRun) -> Iterator[Block]:
    """Say what the phenomenon asks."""
    yield Heading("Question")
    if run.phenomenon is None:
        yield Text(f"The phenomenon {run.spec.phenomenon} is not installed here.", "warning")
        return
    yield Text(run.phenomenon.question)
    yield Text(run.phenomenon.explanation)


def summary_line(run: LoadedRun) -> str:
    """Return a run in one line."""
    spec, record = run.spec, run.record
    state = str(record.state) + (f" ({record.reason})" if record.reason else "")
    seeds = f"{len(run.data.seeds) or spec.seeds} seeds"
    parts = [spec.phenomenon, spec.data or OWN_SAMPLES, f"{spec.preset} preset", seeds, state]
    if spec.regularisers:
        parts.insert(3, regularisers.summary(spec.regularisers))
    return " · ".join(parts)


def flags(run: LoadedRun) -> Iterator[Block]:
    """Say what keeps the numbers from being final or pooled."""
    if not run.record.state.ended:
        yield Text(
            f"This run has not ended: it is {run.record.state}. Numbers and verdict are those so far.", "warning"
        )
    elif run.record.state != "done":
        why = f" ({run.record.reason})" if run.record.reason else ""
        yield Text(f"This run ended {run.record.state}{why}: the numbers are not those of a whole run.", "warning")
    if is_changed(run):
        yield Text(
            f"Changed in flight: {changes_text(run)}. Such a run is INCONCLUSIVE and never pooled with others.",
            "warning",
        )
    if run.record.note:
        yield Facts((("note", run.record.note),))


def changes_text(run: LoadedRun) -> str:
    """Return what was changed while it trained: `dropout 0.5 at step 300`; of a fork also what has no effect yet."""
    made = [f"{c.regulariser} {strength_text(c.strength)} at step {c.step}" for c in run.data.changes]
    if not made and run.spec.forked_at >= 0:
        given = (f"{name} {strength_text(strength)}" for name, strength in run.spec.forked_with.items())
        made = [f"{one} after step {run.spec.forked_at}" for one in given]
    return ", ".join(dict.fromkeys(made)) or "a regulariser"


def prediction(run: LoadedRun, level: int = 2) -> Iterator[Block]:
    """Set the prediction, where one was written down, beside what was found."""
    spec, verdict = run.spec, run.verdict
    if not spec.expected and not spec.prediction:
        return
    yield Heading("Prediction and verdict", level)
    unjudged = "not judged: it ended early" if run.record.state.ended else "not judged yet"
    rows = [("verdict", spec.expected or "–", str(verdict.status) if verdict and judged(run) else unjudged)]
    if spec.prediction:
        rows.append(("in words", spec.prediction, _found_words(verdict) if judged(run) else "–"))
    yield Table(("", "predicted before the run", "found"), tuple(rows))
    if came := expectation(run):
        yield Text(CAME[came])


def _found_words(verdict: Verdict | None) -> str:
    reasons = [f"{c.name}: {c.reason}" for c in verdict.claims if c.main and c.reason] if verdict else []
    return "; ".join(reasons) or "every main claim is shown"


def verdict_blocks(run: LoadedRun, level: int = 2) -> Iterator[Block]:
    """Tell the verdict with every claim and criterion, and the published numbers beside the measured ones."""
    yield Heading("Verdict", level)
    verdict = run.verdict
    if verdict is None:
        yield Text("There is none: the phenomenon of this run is not installed, or its criteria failed on the data.")
        return
    words = "of this run" if run.record.state.ended else "so far: the run has not ended"
    yield Verdicts(((str(verdict.status), words),))
    yield Facts((("scope", verdict.scope),))
    for claim in verdict.claims:
        yield from _claim(claim, level + 1)
    details = dict(row for claim in verdict.claims for c in claim.criteria for row in _seed_rows(c))
    if details:
        yield Table(("number", "by seed"), tuple(details.items()), caption="The numbers of every seed", folded=True)
    published = [
        (c.name, measured(c.value, c.unit), measured_or_text(c.published, c.unit), c.published_source or "–")
        for claim in verdict.claims
        for c in claim.criteria
        if c.published is not None
    ]
    if published:
        yield Heading("Published numbers beside these", level + 1)
        yield Table(("criterion", "this run", "published", "where"), tuple(published), frozenset((1, 2)))


def measured_or_text(value: float | str | None, unit: str) -> str:
    """Return a published number, or the words it is published in."""
    return value if isinstance(value, str) else measured(value, unit)


def _claim(claim: ClaimResult, level: int) -> Iterator[Block]:
    yield Heading(claim.name + (" (main claim)" if claim.main else " (side claim, not counted)"), level)
    yield Verdicts(((str(claim.status), claim.reason),))
    if claim.statement:
        yield Text(claim.statement)
    rows = tuple(_criterion(c) for c in claim.criteria)
    yield Table(("", "criterion", "measured", "asked", "seeds that pass", "control"), rows, frozenset((2,)))


def _criterion(c: CriterionResult) -> tuple[str, ...]:
    name = c.name + (f" ({c.reason})" if c.reason else "")
    share = f"{c.agree} of {len(c.seeds)}" if c.seeds else "no seed"
    return MARKS[c.status], name, measured(c.value, c.unit), c.threshold, share, _control(c.control)


def _control(control: ControlResult | None) -> str:
    if control is None:
        return "–"
    word = "FIRED" if control.fired else "no number" if control.missing else "quiet"
    return f"{control.name}: {measured(control.value)}, {word}"


def _seed_rows(c: CriterionResult) -> Iterator[tuple[str, str]]:
    if c.seeds:
        yield c.name, _by_seed(c.seeds)
    if c.control and c.control.seeds:
        yield f"control {c.control.name}", _by_seed(c.control.seeds)


def _by_seed(seeds: dict[str, float | str | None]) -> str:
    return " · ".join(f"{seed}: {measured(value)}" for seed, value in seeds.items())


# --- numbers ----------------------------------------------------------------------------------------------------------


def main_measures(run: LoadedRun) -> tuple[str, ...]:
    """Return what is told of every arm: headline measures, else the first measures, else ends of curves."""
    headline = [m for m in (run.phenomenon.headline if run.phenomenon else ()) if m in run.data.measures]
    return tuple(headline or run.data.measures or measure_names(run))[:MEASURES]


def numbers(run: LoadedRun) -> Iterator[Block]:
    """Tell the headline numbers of every arm, and their differences to the first arm, paired by seed."""
    measures = main_measures(run)
    rows = summary_rows([run], measures=measures)
    if not rows:
        return
    cells: dict[str, dict[str, SummaryRow]] = {}
    for row in rows:
        cells.setdefault(row.arm_title, {})[row.measure] = row
    shown = [m for m in measures if any(m in found for found in cells.values())]
    yield Heading("Numbers of every arm")
    table = tuple(
        (arm, str(max(row.value.n for row in found.values())), *(spread(found.get(m)) for m in shown))
        for arm, found in cells.items()
    )
    yield Text("Mean ± standard deviation over seeds.", "quiet")
    yield Table(("arm", "n", *(m.replace("_", " ") for m in shown)), table, frozenset(range(1, len(shown) + 2)))
    first = baseline_arm(run)
    title = next((a.title for a in run.data.arms if a.name == first), first)
    deltas = tuple(
        (row.arm_title, row.measure, *delta(row.arm_delta)) for row in rows if row.arm_delta and row.arm_delta.n
    )
    if deltas:
        yield Table(
            ("arm", "measure", "Δ", "95 %", "pairs"),
            deltas,
            frozenset((2, 3, 4)),
            caption=f"Differences to {title}: {METHOD}",
            folded=True,
        )


# --- what was run -----------------------------------------------------------------------------------------------------


def what_was_run(run: LoadedRun, level: int = 2) -> Iterator[Block]:
    """Tell data, seeds, device, versions, duration and the config with the help of every field."""
    spec, record, begin = run.spec, run.record, run.data.begin
    yield Heading("What was run", level)
    arms = ", ".join(arm.title + (" (control)" if arm.control else "") for arm in run.data.arms)
    last = spec.first_seed + spec.seeds - 1
    facts = [
        ("run", f"{run.id}{f' ({record.name})' if record.name else ''}"),
        ("phenomenon", f"{spec.phenomenon}, version {spec.phenomenon_version}"),
        ("preset", spec.preset),
        ("data set", spec.data or OWN_SAMPLES),
        ("seeds", f"{spec.first_seed} to {last} ({spec.seeds})" if spec.seeds > 1 else str(last)),
        ("arms", arms or "–"),
        ("regularisers", regularisers.summary(spec.regularisers)),
        ("precision", run.phenomenon.precision if run.phenomenon else "unknown"),
        ("device", (begin.device if begin else "") or record.device or spec.device),
    ]
    if begin:
        versions = [f"genlab-tui {begin.version}", *(f"{k} {v}" for k, v in begin.info.items() if v)]
        facts.append(("versions", ", ".join(versions)))
    if record.started:
        facts.append(("started", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(record.started))))
    if record.started and record.ended:
        facts.append(("took", human_seconds(record.ended - record.started)))
    facts.append(("state", str(record.state) + (f": {record.reason}" if record.reason else "")))
    if record.tags:
        facts.append(("tags", ", ".join(record.tags)))
    facts.append(("identity", spec.identity()))
    yield Facts(tuple(facts))
    known = {p.name: p for p in run.phenomenon.params()} if run.phenomenon else {}
    rows = tuple(
        (name, field_text(known.get(name), value), known[name].help if name in known else "")
        for name, value in spec.config.items()
    )
    if rows:
        yield Table(("field", "value", "what it is"), rows, caption="Config")


def lineage(run: LoadedRun, level: int = 2) -> Iterator[Block]:
    """Tell where the run came from and what was changed while it trained."""
    spec = run.spec
    said = []
    if spec.parent and spec.inherited:
        said.append(f"The first {spec.inherited} seeds were taken over from run {spec.parent}; it trained the others.")
    elif spec.parent and spec.forked_at >= 0:
        with_what = ", ".join(f"{n} {strength_text(s)}" for n, s in spec.forked_with.items()) or "nothing changed"
        said.append(f"Forked from the checkpoint of run {spec.parent} at step {spec.forked_at} with {with_what}.")
    elif spec.parent:
        said.append(f"Forked from run {spec.parent} and trained from step 0.")
    if is_changed(run):
        said.append(f"Changed in flight: {changes_text(run)}. The verdict is INCONCLUSIVE because of it.")
    if said:
        yield Heading("Lineage", level)
        yield from (Text(text) for text in said)


def papers(runs: Sequence[LoadedRun]) -> Iterator[Block]:
    """Name the papers with their BibTeX."""
    found = {paper.key: paper for run in runs if run.phenomenon for paper in run.phenomenon.papers}
    if not found:
        return
    yield Heading("Papers")
    yield from (Source(p.key, p.title, p.venue, p.url) for p in found.values())
    bibtex = "\n\n".join(p.bibtex.strip() for p in found.values() if p.bibtex)
    if bibtex:
        yield Code(bibtex, "bibtex", "BibTeX")


def reproduce(runs: Sequence[LoadedRun]) -> Iterator[Block]:
    """Give the commands that launch the same again."""
    yield Heading("How to reproduce it")
    yield Code("\n".join(command_of(run.spec, run.phenomenon) + " --wait" for run in runs), "sh")
    for run in runs:
        if is_changed(run) or run.spec.forked_at >= 0:
            yield Text(f"{run.title}: what was changed in flight, or at a fork, is no part of the command.", "quiet")
