"""The figures as one Markdown table for people and as JSON for machines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from benchmarks import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.campaign import Figures
    from benchmarks.rows import Row

NONE = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"
OURS = "localpi"
LIMIT = "nginx"


def table(figures: Figures, servers: Sequence[str], chosen: Sequence[str]) -> str:
    """Render a line per chosen row: the servers' medians, ratios of localpi, its target, whether it is reached."""
    peers = [server for server in servers if server not in {OURS, LIMIT}]
    ours = OURS in servers
    head = ["", *servers]
    if ours:
        head += [f"{OURS} : {LIMIT}", *(f"{OURS} vs {peer}" for peer in peers), "target", "reached"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for row in _chosen(chosen):
        line = [f"{row.title}, {row.unit}", *(_number(row, figures.median(row.key, server)) for server in servers)]
        if ours:
            ratio = figures.ratio(row.key, OURS, LIMIT)
            line.append(NONE if ratio is None or row.unit == "MB" else f"{ratio:.0%}")
            line += [_advantage(row, figures.ratio(row.key, OURS, peer)) for peer in peers]
            line += [target_text(row), {True: "yes", False: "NO", None: NONE}[reached(row, figures)]]
        lines.append(line)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def as_json(figures: Figures, servers: Sequence[str], chosen: Sequence[str]) -> list[dict[str, Any]]:
    """Give the rows with all values of all rounds."""
    return [
        {
            "key": row.key,
            "title": row.title,
            "unit": row.unit,
            "target": target_text(row),
            "reached": reached(row, figures),
            "ratio_to_nginx": figures.ratio(row.key, OURS, LIMIT),
            "servers": {
                server: {"median": figures.median(row.key, server), "rounds": figures.all(row.key, server)}
                for server in servers
            },
        }
        for row in _chosen(chosen)
    ]


def reached(row: Row, figures: Figures) -> bool | None:
    """Say whether localpi reaches the row's target; None without a target or a figure."""
    if row.target is None:
        return None
    value = figures.ratio(row.key, OURS, LIMIT) if row.target.of_nginx else figures.median(row.key, OURS)
    return None if value is None else row.target.holds(value)


def target_text(row: Row) -> str:
    """Write a target as the table shows it."""
    if row.target is None:
        return NONE
    sign = "≥" if row.target.at == "least" else "≤"
    if not row.target.of_nginx:
        return f"{sign} {_number(row, row.target.value)}"
    share = f"{row.target.value:.0%}" if row.more_is_better else f"{row.target.value:g} {TIMES}"
    return f"{sign} {share} nginx"


def _chosen(chosen: Sequence[str]) -> list[Row]:
    return [row for row in rows.ROWS if row.measure in chosen]


def _advantage(row: Row, ratio: float | None) -> str:
    """Write how many times better localpi is; below one it is worse."""
    if not ratio:
        return NONE
    factor = ratio if row.more_is_better else 1 / ratio
    return f"{factor:,.0f} {TIMES}" if factor >= 10 else f"{factor:.1f} {TIMES}"


def _number(row: Row, value: float | None) -> str:
    if value is None or math.isnan(value):
        return NONE
    if row.unit in {"MB", "of 50"} or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
