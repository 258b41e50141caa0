"""A report as one HTML file: pictures inside it, no script, nothing loaded; light, dark and on paper."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from genlab_tui.blocks import Block, Code, Facts, Heading, Picture, Report, Source, Table, Text, Verdicts, web_link
from genlab_tui.drawing import draw
from genlab_tui.svg import style
from genlab_tui.text import clean_text

LIMIT = 4000
_CLASSES = {
    "SHOWN": "good",
    "NOT SHOWN": "bad",
    "INCONCLUSIVE": "open",
    "PASS": "good",
    "FAIL": "bad",
    "UNMET": "open",
    "FIRED": "bad",
    "quiet": "good",
}
_TONES = """
:root{--page:#ffffff;--text:#1c2024;--quiet:#5b6470;--rule:#d5dae0;--shade:#f4f6f8;--link:#0b57d0;
--good:#116329;--bad:#b3261e;--open:#8a4b08;color-scheme:light}
@media (prefers-color-scheme:dark){:root{--page:#15181c;--text:#e6e8eb;--quiet:#9aa4b0;--rule:#343b44;--shade:#1e2329;
--link:#8ab4f8;--good:#6fdd8b;--bad:#ff8a80;--open:#f5c26b;color-scheme:dark}}
@media print{:root{--page:#ffffff;--text:#000000;--quiet:#444444;--rule:#bbbbbb;--shade:#ffffff;--link:#000000;
--good:#116329;--bad:#b3261e;--open:#8a4b08;color-scheme:light}}
"""
_SHEET = """
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.2rem 4rem;max-width:820px;background:var(--page);color:var(--text);
font:15px/1.5 system-ui,'DejaVu Sans',sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .6rem}
h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-bottom:.2rem;border-bottom:1px solid var(--rule)}
h3{font-size:1.02rem;margin:1.5rem 0 .4rem}
p{margin:.5rem 0}.quiet,footer,caption{color:var(--quiet);font-size:.88rem}
.warning{border-left:3px solid var(--open);padding:.3rem .8rem;background:var(--shade)}
a{color:var(--link)}
.verdicts{list-style:none;padding:0;margin:.6rem 0}.verdicts li{margin:.25rem 0}
.badge{display:inline-block;border:1.5px solid currentColor;border-radius:4px;padding:0 .5rem;font-weight:700;
font-size:.85rem;letter-spacing:.02em;margin-right:.4rem}
.good{color:var(--good)}.bad{color:var(--bad)}.open{color:var(--open)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:.7rem 0;font-size:.86rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.2rem 0}
th,td{text-align:left;vertical-align:top;padding:.28rem .7rem .28rem 0;border-bottom:1px solid var(--rule);
overflow-wrap:normal}
th{color:var(--quiet);font-weight:600}td.r,th.r{text-align:right}td.r{white-space:nowrap}
td:last-child,th:last-child{padding-right:0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.6rem 0;font-size:.92rem}
dt{color:var(--quiet)}dd{margin:0}
pre{background:var(--shade);border:1px solid var(--rule);border-radius:4px;padding:.7rem .9rem;overflow-x:auto;
font:12.5px/1.45 ui-monospace,'DejaVu Sans Mono',monospace;white-space:pre-wrap}
figure{margin:1.1rem 0}svg.chart{display:block;width:100%;height:auto}
details{margin:.4rem 0}summary{cursor:pointer;color:var(--quiet);font-size:.88rem}
footer{margin-top:3rem;border-top:1px solid var(--rule);padding-top:.6rem}
@media print{body{max-width:none;padding:0}td.r{white-space:normal}h2,h3{break-after:avoid}
figure,tr,pre{break-inside:avoid}}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def to_html(report: Report) -> str:
    """Return a report as one page of HTML."""
    title = _text(report.title)
    body = "\n".join(_block(block) for block in report.blocks)
    footer = f"<footer>{_text(report.footer)}</footer>" if report.footer else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{title}</title>
<style>{_TONES}{_SHEET}{style()}</style>
</head>
<body>
<h1>{title}</h1>
{body}
{footer}
</body>
</html>
"""


def _text(text: str, limit: int = LIMIT) -> str:
    """Return outside text for HTML: cleaned of controls, escaped."""
    return escape(clean_text(text, limit), quote=True)


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{_text(text)}</h{level}>"
        case Text(text, kind):
            return f'<p class="{kind}">{_text(text)}</p>' if kind else f"<p>{_text(text)}</p>"
        case Verdicts(statuses):
            rows = "".join(f"<li>{_badge(status)}{_text(what)}</li>" for status, what in statuses)
            return f'<ul class="verdicts">{rows}</ul>'
        case Facts(rows):
            return f"<dl>{''.join(f'<dt>{_text(name)}</dt><dd>{_text(value)}</dd>' for name, value in rows)}</dl>"
        case Table():
            return _table(block)
        case Source(key, title, venue, url):
            link = web_link(url)
            place = f' <a href="{escape(link, quote=True)}" rel="noopener noreferrer">{_text(link)}</a>' if link else ""
            return f"<p><b>{_text(key)}</b>: {_text(title)}. {_text(venue)}.{place}</p>"
        case Code(text, _, caption):
            head = f'<p class="quiet">{_text(caption)}</p>' if caption else ""
            return f"{head}<pre>{escape(clean_text(text, 100_000, multiline=True), quote=True)}</pre>"
        case Picture(figure):
            return f"<figure>{draw(figure, standalone=False)}</figure>"


def _badge(status: str) -> str:
    return f'<span class="badge {_CLASSES.get(status, "")}">{_text(status)}</span>'


def _table(table: Table) -> str:
    head = "".join(_cell("th", i, cell, table) for i, cell in enumerate(table.headers))
    rows = "".join(f"<tr>{_cells(row, table)}</tr>" for row in table.rows)
    caption = f"<caption>{_text(table.caption)}</caption>" if table.caption and not table.folded else ""
    drawn = f'<div class="scroll"><table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    return f"<details><summary>{_text(table.caption)}</summary>{drawn}</details>" if table.folded else drawn


def _cells(row: Iterable[str], table: Table) -> str:
    return "".join(_cell("td", i, cell, table) for i, cell in enumerate(row))


def _cell(tag: str, column: int, text: str, table: Table) -> str:
    classes = " ".join(filter(None, ("r" if column in table.right else "", _CLASSES.get(text, ""))))
    shown = _text(text, table.limit)
    return f'<{tag} class="{classes}">{shown}</{tag}>' if classes else f"<{tag}>{shown}</{tag}>"
