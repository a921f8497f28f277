from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from textual.widget import Widget

from localpi.remote.told import FileRow, IndexRow, Release, Saved
from localpi.reports import Status
from localpi.tui import wording
from localpi.tui.app import LocalpiApp
from localpi.tui.machine import read_line
from localpi.tui.places.log import request_words
from localpi.tui.shapes import fits
from localpi.tui.widgets.index_tree import resolution_order
from localpi.tui.widgets.release_rows import file_of, rest_of, version_of
from localpi.tui.widgets.rows import Rows
from made.desk import full_state, made_desk, release
from made.pictures import press, settle

NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        (1, int, True),
        (True, int, False),
        ("a", int | None, False),
        (None, int | None, True),
        (None, None, True),
        (("a", "b"), tuple[str, ...], True),
        (("a", 1), tuple[str, ...], False),
        (["a"], tuple[str, ...], False),
        ((1, "a"), tuple[int, str], True),
        (Saved(1, 2), Saved, True),
        (Saved("1"), Saved, False),  # type: ignore[arg-type]  # what it is about
        (Release("1", (FileRow("f", "i", "/"),)), Release, True),
        (Release("1", (None,)), Release, False),  # type: ignore[arg-type]  # as above
        ((IndexRow("a", "stage", (("k", "v"),)),), tuple[IndexRow, ...], True),
        ({}, Status, False),
        (object(), Any, True),
    ],
)
def test_fits(value: object, hint: Any, expected: bool) -> None:
    """A value is what its annotation says, to the bottom."""
    assert expected is fits(value, hint)


@pytest.mark.parametrize(
    ("bytes_", "expected"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_960, "1.0 MB"), (3.2e12, "3.2 TB")]
)
def test_size(bytes_: float, expected: str) -> None:
    """Sizes are decimal and have one digit behind the point."""
    assert expected == wording.size(bytes_)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-3, "0 s"), (59, "59 s"), (60, "1 min"), (7860, "2 h 11 min"), (39600, "11 h"), (200_000, "2 d")],
)
def test_span(seconds: float, expected: str) -> None:
    """Spans have the units that a person would use."""
    assert expected == wording.span(seconds)


@pytest.mark.parametrize(
    ("text", "clock", "ago", "within"),
    [
        ("2026-03-14T09:12:40Z", "09:12", "17 min ago", "now"),
        ("2026-03-14T09:30:14+00:00", "09:30", "0 s ago", "in 14 s"),
        ("2026-03-13T21:30:00Z", "13 Mar 21:30", "12 h ago", "now"),
        ("2024-01-02T00:00:00", "2024-01-02", "802 d ago", "now"),
        ("soon", "soon", "never", ""),
        (None, "", "never", ""),
    ],
)
def test_times(text: str | None, clock: str, ago: str, within: str) -> None:
    """Times are shown as near as they are; what is no time does no harm."""
    assert (clock, ago, within) == (wording.clock(text, NOW), wording.ago(text, NOW), wording.within(text, NOW))


@pytest.mark.parametrize(
    ("bases", "mirrors", "expected"),
    [
        ({"a": ("b", "c"), "b": ("d",)}, "", ("b", "c", "d")),
        ({"a": ("m", "b"), "b": ("c",)}, "m", ("b", "c", "m")),
        ({"a": ("b",), "b": ("a", "b")}, "", ("b",)),
        ({"a": ("b", "c"), "b": ("m",), "c": ("n",)}, "mn", ("b", "c", "m", "n")),
        ({}, "", ()),
    ],
)
def test_resolution_order(bases: dict[str, tuple[str, ...]], mirrors: str, expected: tuple[str, ...]) -> None:
    """Breadth first, each once, mirrors last."""
    assert expected == resolution_order("a", bases, frozenset(mirrors))


@pytest.mark.parametrize(
    ("filename", "version", "expected"),
    [
        ("a_b-1.0-py3-none-any.whl", "1.0", "py3-none-any.whl"),
        ("a-b-1.0.tar.gz", "1.0", "sdist .tar.gz"),
        ("a-1.0.1.zip", "1.0", "sdist .1.zip"),
        ("odd.zip", "1.0", "odd.zip"),
    ],
)
def test_rest_of(filename: str, version: str, expected: str) -> None:
    """Below its release a file is told by what is left of its name."""
    assert expected == rest_of(filename, version)


def test_keys_of_release_lines() -> None:
    """A line knows its version, and its file if it is one's."""
    assert (version_of("1.0\n"), file_of("1.0\n"), file_of("1.0\nf")) == ("1.0", None, "f")
    assert (version_of(None), file_of(None)) == (None, None)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "2026-03-14T09:12:44.123+01:00 INFO access: 127.0.0.1 GET /root/local/+simple/acme-x/ 424 180 4 ms",
            ("INFO", "access", "acme-x", "root/local"),
        ),
        ("2026-03-14T09:12:44.123+01:00 WARNING index.watch: root/x is down", ("WARNING", "index.watch", "", "")),
        ("  File x, line 3", ("INFO", "", "", "")),
        ("", ("INFO", "", "", "")),
    ],
)
def test_lines_of_the_log(line: str, expected: tuple[str, str, str, str]) -> None:
    """A line says level and room, and the project if a request was for one."""
    found = read_line(line)
    assert expected == (found.level, found.room, found.project, found.index)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1 GET /root/local/+simple/idna/ 200 16087 20 ms", ("200 GET /root/local/+simple/idna/  20 ms", "")),
        ("10.0.0.7 PUT /root/dev 403 - 1 ms", ("403 PUT /root/dev  1 ms, 10.0.0.7", "warn")),
        ("::1 GET /root/pypi/+f/8bb/5376d2/a-1.whl 200 9 1 ms", ("200 GET /root/pypi/…/a-1.whl  1 ms", "")),
        ("root/x is down: cannot be connected to", ("root/x is down: cannot be connected to", "")),
    ],
)
def test_requests_on_the_screen(text: str, expected: tuple[str, str]) -> None:
    """The status comes first, since paths are long; who asked is named when it is somebody else."""
    assert expected == request_words(text)


async def test_ten_thousand_projects() -> None:
    """They are filtered within a tenth of a second for each key, and moved through without delay."""
    state = full_state()
    for number in range(10_000):
        name = f"project-{number:05}"
        state.releases["root/local", name] = (release("root/local", name, "1.0", own=True, at=""),)
    app = LocalpiApp(made_desk(state), look_s=3600, now=lambda: NOW)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "2")
        rows = app.screen.query_one("#projects", Rows)
        assert len(rows.rows) == 10_004
        await press(pilot, "slash")
        show = app.screen._show_projects  # type: ignore[attr-defined]  # what each key calls
        start = time.thread_time()  # others may have the processor meanwhile
        for needle in ("9", "99", "999"):
            app.screen.query_one("Search").value = needle  # type: ignore[attr-defined]  # an Input
            show()
        took = (time.thread_time() - start) / 3
        assert took < 0.1
        await settle(pilot)
        assert len(rows.rows) == 19
        await press(pilot, "escape", "end")
        assert rows.key == "toolbox"


@pytest.mark.parametrize("place", ["1", "3", "6"])
async def test_nothing_is_drawn_when_nothing_has_changed(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at a daemon that is as it was draw nothing: each would send 14 KB over ssh."""
    drawn: list[Widget] = []
    refresh = Widget.refresh

    def counted(self: Widget, *args: Any, **kwargs: Any) -> Widget:
        drawn.append(self)
        return refresh(self, *args, **kwargs)

    app = LocalpiApp(made_desk(full_state()), look_s=3600, now=lambda: NOW)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, place)
        await settle(pilot)
        monkeypatch.setattr(Widget, "refresh", counted)
        for seconds in (1, 2, 3):
            assert app.status
            app.status = replace(app.status, uptime_s=(app.status.uptime_s or 0) + seconds)
            await settle(pilot)
        assert not drawn
