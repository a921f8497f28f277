"""A restore that ends between any two of its moves: the next one to come finishes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localpi.daemon.restore import PLAN, finish_restore
from localpi.daemon.unpacking import STAGING
from localpi.settings.paths import Paths

OLD = ("config/config.toml", "data/localpi.sqlite", "data/localpi.sqlite-wal", "data/files/ab/old", "data/owner.secret")
NEW = ("config/config.toml", "data/localpi.sqlite", "data/files/ab/new", "data/pinned/files/cd/new")


def lay_out(home: Path) -> Paths:
    """Make what is there when everything is staged and decided."""
    paths = Paths.under(home)
    paths.make()
    for name in OLD:
        _write(home / name, "old")
    for name in NEW:
        folder, _, rest = name.partition("/")
        _write(home / folder / STAGING / rest, "new")
    (paths.data / PLAN).write_text(json.dumps({"aside": "before-restore-x"}))
    return paths


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def found(home: Path) -> dict[str, str]:
    return {path.relative_to(home).as_posix(): path.read_text() for path in home.rglob("*") if path.is_file()}


class Killed(BaseException):
    """What no handler on the way takes for an error."""


@pytest.mark.parametrize("moves", range(10))
def test_a_restore_is_finished_by_who_comes_next(tmp_path: Path, moves: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many moves were made: afterwards all that was staged is in, and all that was there is aside."""
    paths = lay_out(tmp_path)
    replace, left = Path.replace, iter(range(moves))

    def move(path: Path, target: Path) -> Path:
        if next(left, None) is None:
            raise Killed
        return replace(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", move)
        try:
            finish_restore(paths)
        except Killed:
            assert (paths.data / PLAN).exists()
    finish_restore(paths)
    aside = {name.replace("/", "/before-restore-x/", 1): "old" for name in OLD if name != "data/owner.secret"}
    assert found(tmp_path) == {**dict.fromkeys(NEW, "new"), "data/owner.secret": "old", **aside}
    finish_restore(paths)
    assert (tmp_path / "data" / "localpi.sqlite").read_text() == "new"


def test_what_was_not_decided_is_cleared_away(tmp_path: Path) -> None:
    """A restore that was killed before its plan was written has changed nothing."""
    paths = lay_out(tmp_path)
    (paths.data / PLAN).unlink()
    assert finish_restore(paths) == ()
    assert found(tmp_path) == dict.fromkeys(OLD, "old")
