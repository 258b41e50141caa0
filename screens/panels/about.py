"""What a phenomenon is about: its explanation, its claims with their thresholds, the papers."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from genlab_tui.phenomenon import Claim, Phenomenon
from genlab_tui.text import clean_text

ABOUT = "What the phenomenon is, what is claimed, who showed it"


def source_line(phenomenon: Phenomenon) -> str:
    """Return the papers in a few words: `Zhang et al. 2017 +1`."""
    if not phenomenon.papers:
        return ""
    more = f" +{len(phenomenon.papers) - 1}" if len(phenomenon.papers) > 1 else ""
    return clean_text(phenomenon.papers[0].key, 60) + more


def about_text(phenomenon: Phenomenon, claims: Iterable[Claim]) -> Content:
    """Return the question, the explanation, these claims and the papers."""
    parts = [Content.styled(clean_text(phenomenon.question, 300), "bold"), Content("")]
    parts += [Content(clean_text(phenomenon.explanation, 4000, multiline=True).strip())]
    parts += [Content.styled(f"computed in {clean_text(phenomenon.precision, 80)}", "$foreground-muted")]
    for claim in claims:
        kind = "claim" if claim.main else "side claim"
        statement = clean_text(f"{claim.name}: {claim.statement}" if claim.statement else claim.name, 2000)
        parts.append(Content.assemble("\n", (f"{kind}: ", "bold $text-primary"), statement))
        for criterion in claim.criteria:
            line = f"{criterion.name}: {criterion.effect.rule.text} {criterion.unit}".strip()
            parts.append(Content.assemble(("  · ", "$text-accent"), clean_text(line, 500)))
            if criterion.control:
                parts.append(
                    Content.styled("    control: " + clean_text(criterion.control.name, 200), "$foreground-muted")
                )
    parts += [
        Content.assemble(
            "\n",
            (clean_text(paper.key, 100), "bold $text-primary"),
            f" {clean_text(paper.title, 300)}. ",
            (clean_text(f"{paper.venue} {paper.url}", 300), "$foreground-muted"),
        )
        for paper in phenomenon.papers
    ]
    return Content("\n").join(parts)
