"""The log: one line per record, no secrets, bounded."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest

from localpi.daemon import log
from localpi.daemon.access import shown
from localpi.daemon.log import logging_to, redact

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger("localpi.test")


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("GET https://me:s3cret@repo.example/simple/", "GET https://***@repo.example/simple/"),
        ("https://token@repo.example/", "https://***@repo.example/"),
        ("Authorization: Basic bWU6czNjcmV0", "Authorization: ***"),
        ("{'Authorization': 'Bearer abcdefghijkl'}", "{'Authorization': '***'}"),
        ("X-Devpi-Auth: cm9vdDpzZWNyZXQ=", "X-Devpi-Auth: ***"),
        ("sent bearer abcdefghijkl.xyz", "sent bearer ***"),
        ("with lp1_abc123_0123456789abcdefghij", "with lp1_abc123_***"),
        ("the owner's lpo_0123456789abcdefghij0123456789", "the owner's lpo_***"),
        ("a pypi-AgEIcHlwaS5vcmcCJDAwMDAw token", "a pypi-*** token"),
        ("/f.whl?X-Amz-Signature=0a1b&X-Amz-Date=2", "/f.whl?X-Amz-Signature=***&X-Amz-Date=2"),
        ("/f.whl?a=1&sig=x%3D&token=t", "/f.whl?a=1&sig=***&token=***"),
        ("index root/pypi-mirror-of-everything created", "index root/pypi-mirror-of-everything created"),
        ("http://127.0.0.1:3141/root/pypi/+simple/key/", "http://127.0.0.1:3141/root/pypi/+simple/key/"),
        ("wheel flask-3.1.0-py3-none-any.whl in 3 ms", "wheel flask-3.1.0-py3-none-any.whl in 3 ms"),
    ],
)
def test_secrets_are_masked(said: str, logged: str) -> None:
    """Whoever logs them; what only looks alike stays."""
    assert redact(said) == logged


def test_record_is_one_line_and_a_traceback_is_indented(tmp_path: Path) -> None:
    """No client writes a line of its own into the log."""
    path = tmp_path / "daemon.log"
    with logging_to(path, "info", aloud=False):
        logger.info("asked for %s", "x\n2026-01-01 INFO forged\x1b[2J\r\u2028")
        logger.debug("not at this level")
        try:
            raise ZeroDivisionError("https://me:secret@host/")  # noqa: TRY301 -- to have a traceback
        except ZeroDivisionError:
            logger.exception("fault")
    lines = path.read_text("utf-8").splitlines()

    assert lines[0].partition(" ")[2] == (r"INFO test: asked for x\n2026-01-01 INFO forged\x1b[2J\r\u2028")
    assert lines[1].endswith("ERROR test: fault")
    assert all(line.startswith(("  ", "Traceback")) for line in lines[2:-1])
    assert "secret" not in "".join(lines)
    assert "not at this level" not in "".join(lines)


def test_log_is_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a bounded part of the disk."""
    monkeypatch.setattr(log, "LARGEST", 1000)
    path = tmp_path / "daemon.log"
    with logging_to(path, "info", aloud=False):
        for number in range(200):
            logger.info("line %d", number)

    assert len(list(tmp_path.glob("daemon.log*"))) == log.KEPT + 1
    assert all(file.stat().st_size < 1100 for file in tmp_path.glob("daemon.log*"))
    assert path.read_text("utf-8").splitlines()[-1].endswith("line 199")


@pytest.mark.parametrize(
    ("aloud", "quiet", "expected"),
    [(False, False, ["trouble"]), (True, False, ["asked", "trouble"]), (True, True, []), (False, True, [])],
)
def test_stderr_gets_warnings_or_everything_or_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, aloud: bool, quiet: bool, expected: list[str]
) -> None:
    """The journal and `start.log` stay short; what the caller prints itself is in the file alone."""
    with logging_to(tmp_path / "daemon.log", "info", aloud=aloud, quiet=quiet):
        logger.info("asked")
        logger.warning("trouble")
        logger.error("refused", extra=log.FILE_ONLY)

    assert [line.rpartition(" ")[2] for line in capsys.readouterr().err.splitlines()] == expected
    assert (tmp_path / "daemon.log").read_text("utf-8").endswith("ERROR test: refused\n")


def test_end_of_a_thread_is_logged(tmp_path: Path) -> None:
    """Nothing dies in silence."""
    path = tmp_path / "daemon.log"

    def dies() -> None:
        raise ZeroDivisionError

    with logging_to(path, "error", aloud=False):
        thread = threading.Thread(target=dies, name="worker-9")
        thread.start()
        thread.join()

    assert "CRITICAL daemon.log: thread worker-9 ended: ZeroDivisionError()" in path.read_text("utf-8")


def test_nothing_is_left_of_the_handlers(tmp_path: Path) -> None:
    """The process that serves again sets them up again."""
    before = list(logging.getLogger().handlers), logging.getLogger().level
    with logging_to(tmp_path / "daemon.log", "debug", aloud=True):
        pass

    assert (list(logging.getLogger().handlers), logging.getLogger().level) == before


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/root/pypi/+simple/", "/root/pypi/+simple/"),
        ("/a b/\r\nINFO forged", "/a%20b/\\r\\nINFO%20forged"),
        ("/\x00\xff", "/\\x00\\xff"),
        ("/" + "x" * 999, "/" + "x" * 299),
    ],
)
def test_path_is_one_word_in_the_log(path: str, expected: str) -> None:
    """Short, without control signs."""
    assert shown(path) == expected
