"""The page of a phenomenon in the documentation, made from its declaration alone."""

from __future__ import annotations

from genlab_tui import regularisers
from genlab_tui.phenomenon import Claim, Criterion, Phenomenon, Preset, Test, config_values
from genlab_tui.run import RunSpec
from genlab_tui.text import human_bytes, human_seconds

FIGURES = "../figures"


def page(p: Phenomenon) -> str:
    """Return the page as Markdown: question, explanation, papers, presets, arms, claims, fields, data sets."""
    parts = [
        f"# {p.title}",
        f"`{p.name}` · {p.group} · version {p.version} · computed in {p.precision} · "
        f"made by `genlab-tui phenomena {p.name} --markdown`",
        f"**{p.question}**",
        p.explanation,
        f"![the figure in the terminal]({FIGURES}/{p.name}.svg)",
        "```\n" + f"genlab-tui run {p.name} --wait\ngenlab-tui verify {p.name} --replicas 20\n" + "```",
        "## Papers",
        "\n".join(f"- [{paper.key}]({paper.url}): {paper.title}. {paper.venue}" for paper in p.papers),
        "## Presets",
        _presets(p),
        "## Arms of `quick`",
        _arms(p),
        "## What is judged (`quick`)",
        "A main claim counts for the verdict of a run, a side claim is shown beside it. The thresholds are constants "
        "in the phenomenon's code, fixed before any run that is judged by them.",
        *(_claim(claim) for claim in p.claims(p.make_config(), spec_of(p, "quick"))),
        "## Fields (`--set FIELD=VALUE`)",
        _fields(p),
        "## Regularisers (`--on`, `--off`)",
        ", ".join(r.name for r in regularisers.applicable(p.regularisers)) or "None can be switched on.",
        "## Data sets (`--data`)",
        _data(p),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def spec_of(p: Phenomenon, preset: str) -> RunSpec:
    """Return what a preset launches, without looking for its data."""
    chosen = p.presets[preset]
    return RunSpec(
        id="00000000",
        phenomenon=p.name,
        config=config_values(p.make_config(preset)),
        preset=preset,
        data=chosen.data or (p.data[0] if p.data else ""),
        regularisers=dict(chosen.regularisers),
        arms=chosen.arms,
        seeds=chosen.seeds,
        device="cuda:0" if chosen.gpu else "cpu",
    )


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _table(headers: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = [headers, ("---",) * len(headers), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in lines)


def _presets(p: Phenomenon) -> str:
    rows: list[tuple[object, ...]] = []
    for name, preset in p.presets.items():
        spec = spec_of(p, name)
        cost = p.estimate(p.config_of(spec), spec)
        rows.append(
            (f"`{name}`", preset.seeds, spec.data, cost.members, _takes(preset, cost.seconds, cost.bytes), preset.note)
        )
    return _table(("preset", "seeds", "data", "members", "expected", "what it is for"), rows)


def _takes(preset: Preset, seconds: float, size: float) -> str:
    if preset.gpu:
        return f"on a GPU {preset.gpu} (an estimate); not started on a CPU unless asked for by name"
    return f"about {human_seconds(seconds)}, {human_bytes(size)} on 2 CPU cores"


def _arms(p: Phenomenon) -> str:
    arms = p.arms_of(spec_of(p, "quick"))
    factors = list(dict.fromkeys(name for arm in arms for name in arm.factors))
    rows: list[tuple[object, ...]] = [
        (f"`{arm.name}`", arm.title, *(arm.factors.get(f, "") for f in factors), "control" if arm.control else "")
        for arm in arms
    ]
    return _table(("arm", "", *factors, ""), rows)


def _claim(claim: Claim) -> str:
    kind = "main claim" if claim.main else "side claim"
    head = f"### {claim.name} ({kind})\n\n{claim.statement}" + (f" ({claim.paper})" if claim.paper else "")
    return head + "\n\n" + "\n".join(_criterion(c) for c in claim.criteria)


def _criterion(criterion: Criterion) -> str:
    parts = [f"- **{criterion.name}**: {_rule(criterion.effect)}"]
    if criterion.effect.statement:
        parts.append(criterion.effect.statement)
    if criterion.published is not None:
        source = f" ({criterion.published_source})" if criterion.published_source else ""
        parts.append(f"Published: {criterion.published}{source}.")
    if criterion.precondition:
        parts.append(f"Precondition: {criterion.precondition.name}, {_rule(criterion.precondition)}.")
    if criterion.control:
        control = criterion.control
        also = f" {control.statement}" if control.statement else ""
        parts.append(f"Negative control, which must not pass: {control.name}, {_rule(control)}.{also}")
    return ". ".join([parts[0], " ".join(parts[1:])]) if parts[1:] else parts[0]


def _rule(test: Test) -> str:
    return test.rule.text + (", in every seed" if test.rule.every else "")


def _fields(p: Phenomenon) -> str:
    rows: list[tuple[object, ...]] = [
        (
            f"`{f.name}`",
            f.text(f.default) + (" (unverified)" if f.unverified else ""),
            (f.bounds or "") + (f" {f.unit}" if f.unit else ""),
            f.help,
        )
        for f in p.params()
    ]
    return _table(("field", "default", "bounds", "what it is"), rows)


def _data(p: Phenomenon) -> str:
    text = ", ".join(p.data) or "None: it draws its own samples."
    refused = "\n".join(f"- not on {name}: {why}" for name, why in p.refused.items())
    return text + ("\n\n" + refused if refused else "")
