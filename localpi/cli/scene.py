"""What every command works with: folders, settings, the daemon; each looked at when it is first asked for."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING

import click

from localpi.remote.daemon import Daemon
from localpi.settings.load import Settings, load_settings
from localpi.settings.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from click.decorators import FC


class Scene:
    """The environment of one command; nothing is read or made before it is needed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    @cached_property
    def paths(self) -> Paths:
        """The five folders."""
        return Paths.from_environ(self.environ)

    @cached_property
    def settings(self) -> Settings:
        """What is set, without flags; raises SettingError."""
        return load_settings(self.paths, self.environ)

    @cached_property
    def daemon(self) -> Daemon:
        """The running daemon; raises DaemonNotRunning."""
        return Daemon.find(self.paths)

    def index(self, given: str | None) -> str:
        """Return the index that was given, else the default one."""
        return given or self.settings.default_index

    def may_ask(self) -> bool:
        """Return whether a person sits at the terminal."""
        return sys.stdin.isatty() and sys.stderr.isatty()


pass_scene = click.make_pass_decorator(Scene)


def check_index(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Take USER/NAME for an option or argument of click's; BadParameter."""
    if value is not None and (value.strip("/").count("/") != 1 or "+" in value):
        raise click.BadParameter("an index is USER/NAME")
    return value.strip("/") if value else None


def index_option_of(meaning: str) -> Callable[[FC], FC]:
    """Make the option --index, with what it means to a command in its help."""
    return click.option("--index", metavar="USER/NAME", callback=check_index, help=meaning)


index_option = index_option_of("The index; default: the setting default_index.")
index_argument = click.argument("index", metavar="USER/NAME", callback=check_index)
