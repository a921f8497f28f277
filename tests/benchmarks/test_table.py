"""The table: ratios within a round, medians over rounds, targets reached or not."""

from __future__ import annotations

import pytest
from benchmarks import table
from benchmarks.campaign import Figures
from benchmarks.rows import ROWS, Row

BY_KEY = {row.key: row for row in ROWS}


def figures(key: str, **servers: tuple[float, ...]) -> Figures:
    found = Figures()
    for server, values in servers.items():
        for number, value in enumerate(values):
            found.add(server, number, {key: value})
    return found


@pytest.mark.parametrize(
    ("key", "nginx", "localpi", "reached"),
    [
        ("small", (100.0, 1_000.0, 100.0), (50.0, 300.0, 45.0), True),  # 0.5, 0.3, 0.45
        ("small", (100.0,), (39.0,), False),
        ("cold", (1.0,), (3.0,), True),
        ("cold", (1.0,), (3.1,), False),
        ("not-modified", (1.0,), (10_000.0,), True),
        ("idle", (17.0,), (61.0,), False),
        ("small-50", (1.0,), (1.0,), None),
        ("start", (), (), None),
    ],
)
def test_targets(key: str, nginx: tuple[float, ...], localpi: tuple[float, ...], reached: bool | None) -> None:
    """A target of nginx is held against the median ratio within rounds, another one against the median."""
    assert reached is table.reached(BY_KEY[key], figures(key, nginx=nginx, localpi=localpi))


def test_renders_a_line() -> None:
    """A line has the medians, the ratios, the target and whether it is reached."""
    found = figures("small", nginx=(1_000.0,), devpi=(4.0,), localpi=(500.0,))
    expected = [
        "|  | nginx | devpi | localpi | localpi : nginx | localpi vs devpi | target | reached |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        f"| hot page, small (idna), 8 conn, req/s | 1,000 | 4 | 500 | 50% | 125 {table.TIMES} | ≥ 40% nginx | yes |",
    ]
    assert expected == table.table(found, ("nginx", "devpi", "localpi"), ("small",)).splitlines()


def test_rows_are_told_apart() -> None:
    """Each row has a key of its own."""
    rows: tuple[Row, ...] = ROWS
    assert len(rows) == len(BY_KEY)
