from __future__ import annotations

from pathlib import Path

import pytest

from localpi.setup.logfile import BLOCK, follow_lines, last_lines


@pytest.mark.parametrize(
    ("content", "count", "expected"),
    [
        (b"", 5, ((), 0)),
        (b"a\nb\nc\n", 2, (("b", "c"), 6)),
        (b"a\nb\nc\n", 9, (("a", "b", "c"), 6)),
        (b"a\nhalf", 9, (("a",), 2)),
        (b"a\n\xff\n", 1, (("\ufffd",), 4)),
        (b"a\nb\n", 0, ((), 4)),
        (b"\n\n", 9, (("", ""), 2)),
    ],
)
def test_last_lines_are_whole_lines(
    tmp_path: Path, content: bytes, count: int, expected: tuple[tuple[str, ...], int]
) -> None:
    """A line that is still being written is left for later."""
    log = tmp_path / "log"
    log.write_bytes(content)
    assert expected == last_lines(log, count)


def test_last_lines_of_a_long_log_come_from_its_end(tmp_path: Path) -> None:
    """Blocks are put together at their seams."""
    log = tmp_path / "log"
    lines = [f"line {number} " + "x" * (number % 90) for number in range(5000)]
    log.write_text("\n".join(lines) + "\n")
    assert log.stat().st_size > 3 * BLOCK
    assert tuple(lines[-3000:]) == last_lines(log, 3000)[0]


def test_following_goes_through_rotation_and_truncation(tmp_path: Path) -> None:
    """What is added is seen, in the next file too."""
    log = tmp_path / "log"
    log.write_text("old\n")
    lines = follow_lines(log, 4)
    with log.open("a") as file:
        file.write("one\ntw")
    assert next(lines) == "one"
    with log.open("a") as file:
        file.write("o\n")
    assert next(lines) == "two"
    log.rename(tmp_path / "log.1")
    log.write_text("three\n")
    assert next(lines) == "three"
    log.write_text("4\n")
    assert next(lines) == "4"


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """Asking before the first start is no error."""
    assert last_lines(tmp_path / "log", 5) == ((), 0)
