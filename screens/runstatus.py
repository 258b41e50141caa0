"""What stands above the list of runs, and in its place where it is empty."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from genlab_tui.run import RunRecord
from screens.columns import MUTED
from screens.ordering import Orders, order_text
from screens.panels.table import Table


def status(table: Table[RunRecord], total: int, orders: Orders, *, in_trash: bool, understood: bool = True) -> Content:
    """Say how many of how many runs are listed, how many are selected, and by what they are sorted.

    `understood` is whether all of the filter is.
    """
    shown, marked = len(table.rows), len(table.marked)
    count = f"{shown:,} of {total:,} runs" if shown != total else f"{total:,} run{'' if total == 1 else 's'}"
    parts = [Content.styled(count, "bold")]
    if not understood:
        parts = [Content.styled(f"{count}, as far as it is understood", "bold $text-warning")]
    if in_trash:
        parts = [Content.styled("trash", "bold $text-warning"), *parts, Content("u brings back, D deletes")]
    if marked:
        here = {run.id for run in table.rows}
        hidden = sum(key not in here for key in table.marked)
        words = f"{marked:,} selected" + (f" ({hidden:,} hidden)" if hidden else "")
        parts.append(Content.styled(words, "$text-accent"))
    parts.append(Content.styled(order_text(orders), MUTED))
    return Content(" ") + Content(" · ").join(parts)


def why_empty(runs: Sequence[RunRecord], trash: Sequence[RunRecord] | None, *, in_trash: bool) -> str:
    """Say why no run is listed: of all `runs`, with what lies in the trash (None: not looked at yet)."""
    if runs:
        return "nothing matches: esc leaves the filter"
    if in_trash:
        return "the trash is empty: esc goes back to the runs"
    if trash:
        many = "the only run is" if len(trash) == 1 else f"all {len(trash):,} runs are"
        return f"{many} in the trash: T shows it"
    return "no run yet: 1 goes to the lab, r launches there"
