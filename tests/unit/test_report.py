"""The report: whole, exact, safe whatever a run is called, the same numbers as everywhere else."""

from __future__ import annotations

import base64
import dataclasses
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from genlab_tui import events as ev
from genlab_tui import phenomena
from genlab_tui.blocks import Code, Heading, Picture, Report, Source, Table, Text, web_link
from genlab_tui.cli import run_cli
from genlab_tui.colours import COLOURS
from genlab_tui.command import command_of
from genlab_tui.errors import BadValue, GenlabError
from genlab_tui.figure import Figure
from genlab_tui.markdown import fenced, plain, to_markdown
from genlab_tui.phenomenon import config_values
from genlab_tui.pins import NAMES
from genlab_tui.report import make_report, write_report
from genlab_tui.run import RunRecord, RunSpec, RunState
from genlab_tui.rundata import RunDataBuilder
from genlab_tui.summary import LoadedRun
from genlab_tui.text import clean_text
from genlab_tui.verdict import judge
from genlab_tui.webpage import to_html
from jobs.request import build_spec

HOSTILE = [
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "a | b | c",
    "`code` ``` fence",
    "\x1b[31mred\x07\x00",
    "# heading\n## another",
    "![image](http://evil.example/x.png)",
    "</td></table><img src=x onerror=alert(1)>",
    "&lt;b&gt; &amp; \"quotes\" 'single'",
    "- item", "1. item", "> quote", "---", "=1+1", "*bold* _it_ ~~no~~ $x$",
]  # fmt: skip

MakeRun = Callable[..., LoadedRun]


@pytest.fixture
def make_run(toy: None) -> MakeRun:
    """Make a loaded toy run out of events, as its worker would have written them."""

    def make(
        run_id: str = "a0000000",
        *,
        name: str = "",
        state: str = "done",
        steps: int = 40,
        change: ev.Change | None = None,
        shift: float = 0.0,
        note: str = "",
        **spec: object,
    ) -> LoadedRun:
        known = phenomena.get("toy")
        asked = RunSpec(run_id, "toy", config_values(known.make_config("quick", {"steps": 40, "seconds": 0.0})))
        asked = dataclasses.replace(asked, **spec)  # type: ignore[arg-type]
        builder = RunDataBuilder(asked, known.arms_of(asked))
        builder.feed(ev.Begin(time=0.0, version="0.1.0", device="cpu", info={"torch": "2.9"}))
        for arm, rate in (("fast", 2.0), ("slow", 1.0)):
            builder.feed(ev.Cohort(id=arm, members=tuple((arm, seed) for seed in asked.seed_list)))
            for step in range(steps):
                level = 1 - 1 / (1 + rate * (step + 1) / 10)
                values = ev.to_values(level + shift + 0.01 * seed for seed in asked.seed_list)
                builder.feed(ev.Curve(cohort=arm, metric="test_accuracy", step=step, values=values))
            if steps == 40:
                values = ev.to_values(0.8 / rate + shift + 0.01 * seed for seed in asked.seed_list)
                builder.feed(ev.Measure(cohort=arm, name="test_accuracy", values=values))
        if change:
            builder.feed(change)
        data = builder.snapshot()
        found = judge(known, asked, data) if steps else None
        record = RunRecord(
            run_id, "toy", RunState(state), name=name, note=note, started=1_700_000_000.0, ended=1_700_000_030.0
        )
        return LoadedRun(record, data, found, known)

    return make


class Page(HTMLParser):
    """What a browser would make of a page: its tags, links and text."""

    VOID = frozenset({"meta", "br", "hr", "img", "input", "link"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a tag and its attributes."""
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Every end closes what was opened last: nothing from outside tears the page."""
        assert tag in self.VOID or self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Take note of text."""
        self.texts.append(data)


TAGS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "h4", "p", "ul", "li", "span", "dl", "dt"),
    *("dd", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "figure", "svg"),
    *("text", "path", "rect", "circle", "b", "a", "pre", "footer"),
}


def check_page(page: str) -> Page:
    """Read a page; it has known tags alone, loads nothing and runs nothing."""
    found = Page(page)
    assert not found.open
    assert found.tags <= TAGS
    for tag, name, value in found.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name not in ("src", "background", "data", "formaction", "xlink:href"), (tag, name)
        if name == "href":
            assert str(value).startswith(("https://", "http://"))
    assert not re.search(r"url\(|@import|expression\(", page)
    assert "default-src 'none'" in page
    return found


# --- one run ----------------------------------------------------------------------------------------------------------


def test_a_report_says_everything(make_run: MakeRun) -> None:
    run = make_run(prediction="the fast one wins", expected="SHOWN", name="mine")
    report = make_report([run], now=0.0)
    text, page = to_markdown(report), to_html(report)
    toy = phenomena.get("toy")
    assert run.verdict is not None
    words = [toy.question, "Prediction and verdict", "the fast one wins", "SHOWN", "Numbers of every arm", "Curves"]
    words += ["What was run", "torch 2.9", "0:30", "cpu", "How to reproduce it", "genlab-tui run toy", "1970-01-01"]
    words += [c.effect.name for claim in toy.claims(toy.make_config(), run.spec) for c in claim.criteria]
    words += [str(c.threshold) for claim in run.verdict.claims for c in claim.criteria]
    seen = "".join(check_page(page).texts)
    for word in words:
        assert plain(word) in text, word
        assert word in seen, word
    assert page.count("<svg") == text.count("data:image/svg+xml;base64,") >= 2
    assert "prefers-color-scheme:dark" in page
    assert "@media print" in page


def test_the_numbers_are_those_of_the_verdict(make_run: MakeRun) -> None:
    run = make_run()
    assert run.verdict is not None
    criterion = run.verdict.claims[0].criteria[0]
    row = next(line for line in to_markdown(make_report([run])).splitlines() if f" {criterion.name} " in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert float(cells[2].split()[0]) == pytest.approx(float(criterion.value or 0), rel=1e-3)
    assert cells[4] == f"{criterion.agree} of 3"


def test_pictures_in_markdown_are_whole(make_run: MakeRun) -> None:
    text = to_markdown(make_report([make_run()]))
    images = dict(re.findall(r"^\[(figure-\d+)\]: data:image/svg\+xml;base64,(\S+)$", text, re.MULTILINE))
    assert images
    for name, coded in images.items():
        assert f"][{name}]" in text
        assert ET.fromstring(base64.b64decode(coded)).tag.endswith("svg")


@pytest.mark.parametrize(
    ("expected", "words"),
    [("SHOWN", "is the one that was predicted"), ("NOT SHOWN", "is not the one"), ("", None)],
)
def test_the_prediction_stands_beside_the_verdict(make_run: MakeRun, expected: str, words: str | None) -> None:
    run = make_run(expected=expected)
    assert run.verdict is not None
    run = dataclasses.replace(run, verdict=dataclasses.replace(run.verdict, status="SHOWN"))  # type: ignore[arg-type]
    text = to_markdown(make_report([run]))
    assert ("Prediction and verdict" in text) == bool(expected)
    if words:
        assert words in text


@pytest.mark.parametrize(("state", "words"), [("running", "not judged yet"), ("stopped", "not judged: it ended early")])
def test_a_prediction_waits_for_a_run_that_is_done(make_run: MakeRun, state: str, words: str) -> None:
    run = make_run(state=state, expected="SHOWN", prediction="twice as fast")
    assert run.verdict is not None
    text = to_markdown(make_report([run]))
    assert f"| verdict | SHOWN | {words} |" in text
    assert "| in words | twice as fast | – |" in text
    assert "that was predicted" not in text


def test_a_fork_whose_change_never_took_effect_is_changed(make_run: MakeRun) -> None:
    fork = {"parent": "b0000000", "forked_at": 90, "forked_with": {"dropout": 0.5, "mixup": None}}
    run = make_run(state="stopped", **fork)
    run = dataclasses.replace(run, record=dataclasses.replace(run.record, changed=True))
    text = to_markdown(make_report([run]))
    assert "> Changed in flight: dropout 0.5 after step 90, mixup off after step 90" in text
    assert "The verdict is INCONCLUSIVE because of it" in text
    assert "never pooled with them" in to_markdown(make_report([run, make_run("c0000000")]))


def test_a_config_of_another_shape_is_told_as_it_is(make_run: MakeRun) -> None:
    run = make_run(config={"steps": 40, "seconds": 0.0, "rates": 1.0})
    text = to_markdown(make_report([run, make_run("b0000000")]))
    assert re.search(r"\| rates \| 1 \|", text)


def test_the_numbers_of_many_seeds_are_all_there(make_run: MakeRun) -> None:
    report = make_report([make_run(seeds=200)])
    for text in (to_markdown(report), to_html(report)):
        assert " · 199: " in text


def test_pinned_colours_are_kept(make_run: MakeRun) -> None:
    runs = [make_run(), make_run("b0000000")]
    pinned = dataclasses.replace(runs[1], record=dataclasses.replace(runs[1].record, colour="ring"))
    drawn = [block.figure for block in make_report([runs[0], pinned]).blocks if isinstance(block, Picture)]
    lines = [line for figure in drawn if isinstance(figure, Figure) for line in figure.lines]
    slot = NAMES.index("ring")
    assert {line.slot % COLOURS == slot % COLOURS for line in lines if line.label.startswith("b0000000")} == {True}
    assert {line.slot % COLOURS == slot % COLOURS for line in lines if line.label.startswith("a0000000")} == {False}


def test_a_run_changed_in_flight_says_at_which_step(make_run: MakeRun) -> None:
    run = make_run(change=ev.Change(regulariser="dropout", strength=0.5, step=17, cohort="fast"))
    text = to_markdown(make_report([run]))
    assert "> Changed in flight: dropout 0.5 at step 17" in text
    assert "## Lineage" in text
    assert "INCONCLUSIVE" in text
    assert "no part of the command" in text


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"parent": "b0000000", "inherited": 2}, "first 2 seeds were taken over from run b0000000"),
        ({"parent": "b0000000"}, "Forked from run b0000000 and trained from step 0"),
        (
            {"parent": "b0000000", "forked_at": 90, "forked_with": {"dropout": 0.5, "mixup": None}},
            "checkpoint of run b0000000 at step 90 with dropout 0.5, mixup off",
        ),
    ],
)
def test_lineage(make_run: MakeRun, spec: dict[str, object], words: str) -> None:
    assert words in to_markdown(make_report([make_run(**spec)]))
    assert "Lineage" not in to_markdown(make_report([make_run()]))


@pytest.mark.parametrize("state", ["running", "failed", "queued"])
@pytest.mark.parametrize("steps", [0, 1, 10])
def test_an_unfinished_run_has_a_report_that_says_so(make_run: MakeRun, state: str, steps: int) -> None:
    report = make_report([make_run(state=state, steps=steps)])
    text = to_markdown(report)
    check_page(to_html(report))
    assert state in text
    assert "not those of a whole run" in text or "has not ended" in text


def test_a_run_whose_phenomenon_is_gone_still_has_its_curves(make_run: MakeRun) -> None:
    run = dataclasses.replace(make_run(), phenomenon=None, verdict=None)
    text = to_markdown(make_report([run]))
    assert "is not installed here" in text
    assert "![test accuracy]" in text
    assert "genlab-tui run toy --preset quick --set steps=40" in text


def test_figures_that_fail_are_said(make_run: MakeRun) -> None:
    run = make_run()
    assert run.phenomenon is not None

    def broken(data: object) -> tuple[()]:
        raise ValueError("<b>no</b>")

    report = make_report([dataclasses.replace(run, phenomenon=dataclasses.replace(run.phenomenon, figures=broken))])
    assert "They cannot be drawn" in to_markdown(report)
    assert "<b>no" not in to_html(report)


# --- several runs -----------------------------------------------------------------------------------------------------


def test_several_runs_are_compared_by_seed(make_run: MakeRun) -> None:
    runs = [make_run(), make_run("b0000000", shift=0.05, regularisers={"dropout": 0.5}, name="wide")]
    report = make_report(runs)
    text = to_markdown(report)
    check_page(to_html(report))
    for word in ("What differs", "dropout", "paired differences", "★ a0000000", "+0.05", "Verdicts side by side"):
        assert word in text
    assert text.count("## How to reproduce it") == 1
    assert text.count("genlab-tui run toy") == 2
    assert f"★ wide {'b0000000'[:4]}" in to_markdown(make_report(runs, "b0000000"))


def test_a_foreign_baseline_and_no_run_are_refused(make_run: MakeRun) -> None:
    with pytest.raises(GenlabError, match="not among the runs"):
        make_report([make_run()], "ffffffff")
    with pytest.raises(BadValue, match="no run"):
        make_report([])


# --- hostile text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_injects_nothing(make_run: MakeRun, text: str) -> None:
    run = make_run(name=text, note=text, prediction=text, expected="SHOWN")
    report = make_report([run, make_run("b0000000")])
    page, markdown = to_html(report), to_markdown(report)
    check_page(page)
    assert not {"\x1b", "\x07", "\x00"} & set(page + markdown)
    rendered = Page(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))
    assert rendered.tags <= TAGS | {"img", "code", "strong", "hr", "blockquote"}
    for tag, name, value in rendered.attributes:
        assert not name.startswith("on"), (tag, name)
        if name in ("href", "src"):
            assert str(value).startswith(("https://", "data:image/svg+xml;base64,")), value
    # What it is called is read as it was written, in both.
    for found in (rendered, Page(page)):
        assert " ".join(clean_text(text).split()) in " ".join("".join(found.texts).split())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a&#124;b"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("[x](y)", r"\[x\](y)"),
        ("# no", r"\# no"),
        ("1. no", r"1\. no"),
        ("- no", r"\- no"),
        ("-0.5", r"\-0.5"),
        ("+0.5", r"\+0.5"),
        ("two\nlines", "two lines"),
        ("3.5", "3.5"),
        ("see https://x.example/a", "see https&#58;//x.example/a"),
        ("(www.x.example)", "(www&#46;x.example)"),
        ("HTTP://x WWW.x", "HTTP&#58;//x WWW&#46;x"),
    ],
)
def test_plain_markdown(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_fence_is_longer_than_any_in_it() -> None:
    assert fenced("a\n````\nb", "sh").startswith("`````sh\n")
    assert fenced("x") == "```\nx\n```"


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://arxiv.org/abs/1611.03530", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https://x.example/<script>", False),
        ('https://x.example/"onclick="', False),
        ("https://x.example/a b", False),
        ("", False),
    ],
)
def test_only_addresses_of_the_web_become_links(url: str, linked: bool) -> None:
    assert bool(web_link(url)) == linked
    report = Report("t", (Source("k", "t", "v", url),))
    assert ("href" in to_html(report)) == linked
    assert ("<http" in to_markdown(report)) == linked


def test_every_block_is_written(make_run: MakeRun) -> None:
    blocks = (Heading("h", 3), Text("quiet one", "quiet"), Code("a < b", "sh", "caption"), Table(("x",), (("1",),)))
    report = Report("t", blocks, "end")
    for word in ("h", "quiet one", "caption", "end"):
        assert word in to_markdown(report)
        assert word in to_html(report)
    assert "a < b" in to_markdown(report)
    assert "a &lt; b" in to_html(report)


# --- the command that reproduces it -----------------------------------------------------------------------------------


def test_the_command_launches_the_same(make_run: MakeRun, tmp_path: Path) -> None:
    from genlab_tui.paths import Lab

    lab = Lab(tmp_path)
    asked = build_spec(
        "random-labels", lab=lab, values={"epochs": "7", "corruption": "0.3 0.6"}, on={"dropout": 0.25}, seeds=4,
        first_seed=11, arms=["true"], device="cpu",
    )  # fmt: skip
    words = command_of(asked, phenomena.get("random-labels"))
    assert words.startswith("genlab-tui run random-labels --preset quick ")
    import shlex

    from genlab_tui.cli import main

    command = main.commands["run"]
    context = command.make_context("run", shlex.split(words)[2:])
    given = context.params
    again = build_spec(
        given["phenomenon"], lab=lab, preset=given["preset"], values=dict(s.split("=") for s in given["settings"]),
        on={r.split("=")[0]: float(r.split("=")[1]) for r in given["on"]}, off=given["off"], arms=given["arms"],
        seeds=given["seeds"], first_seed=given["first_seed"], data=given["data"], device=given["device"],
    )  # fmt: skip
    assert again.identity() == asked.identity()


# --- files ------------------------------------------------------------------------------------------------------------


def test_files_are_private_whole_and_never_overwritten_unasked(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(name="../../etc/passwd")
    files = write_report([run], ["md", "html"], tmp_path)
    assert [f.parent for f in files] == [tmp_path, tmp_path]
    assert [f.stat().st_mode & 0o777 for f in files] == [0o600, 0o600]
    again = write_report([run], ["md", "html"], tmp_path)
    assert not set(again) & set(files)
    one = write_report([run], ["html"], tmp_path / "mine.html")
    assert [f.name for f in one] == ["mine.html"]
    with pytest.raises(BadValue, match="is there already"):
        write_report([run], ["html"], tmp_path / "mine.html")
    write_report([run], ["html"], tmp_path / "mine.html", overwrite=True)
    assert [f.name for f in write_report([run], ["md", "html"], tmp_path / "v1.2")] == ["v1.2.md", "v1.2.html"]
    with pytest.raises(BadValue, match="no name for a report as md"):
        write_report([run], ["md"], tmp_path / "x.html")
    with pytest.raises(GenlabError, match="no folder"):
        write_report([run], ["md"], tmp_path / "nowhere" / "x.md")
    with pytest.raises(BadValue, match="no report format 'pdf'"):
        write_report([run], ["pdf"], tmp_path)
    assert not [f for f in tmp_path.iterdir() if f.name.startswith(".")]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("report", 2, ["Missing argument"]),
        ("report deadbeef", 2, ["no run 'deadbeef'"]),
        ("report x --format pdf", 2, ["pdf"]),
        ("watch deadbeef --once", 2, ["no run 'deadbeef'"]),
        ("watch --once", 2, ["no run yet", "genlab-tui run"]),
        ("watch --width 3", 2, ["20<=x<=500"]),
    ],
)
def test_bad_input_is_one_line(line: str, code: int, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(line.split()) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    for word in words:
        assert word in err
