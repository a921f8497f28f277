"""The five folders that localpi uses, and the files whose places other rooms must agree on.

`LOCALPI_HOME` puts all five under one folder (tests, containers, several instances on one machine); else they are
where the platform keeps such things.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localpi.settings.private import make_folder

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Paths:
    """Absolute folders; none is made until `make` is called."""

    config: Path
    """`config.toml`, and `credentials.toml` for upstreams."""
    data: Path
    """What cannot be had again: the database, own packages, the owner's secret."""
    cache: Path
    """What can: upstream pages and files. May be deleted at any time."""
    logs: Path
    runtime: Path
    """Says where the running daemon listens; empty when none runs."""
    home: Path | None = None
    """`LOCALPI_HOME`, when it is set."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Paths:
        """Take `LOCALPI_HOME` from `environ`, else the platform's own places."""
        home = environ.get("LOCALPI_HOME")
        return cls.under(Path(home)) if home else cls.of_platform()

    @classmethod
    def under(cls, home: Path) -> Paths:
        """Put everything below one folder."""
        home = Path(os.path.abspath(home.expanduser()))  # noqa: PTH100 -- resolve() would follow links, which may move
        return cls(home / "config", home / "data", home / "cache", home / "logs", home / "runtime", home)

    @classmethod
    def of_platform(cls) -> Paths:
        """Use the platform's folders (XDG, or ~/Library on macOS).

        Runtime files go below the data: a service, a login shell, cron and ssh see different `XDG_RUNTIME_DIR`s or
        none, and all of them have to find the same daemon.
        """
        import platformdirs  # noqa: PLC0415 -- not needed under LOCALPI_HOME

        of = platformdirs.PlatformDirs("localpi", appauthor=False)
        data = of.user_data_path
        return cls(of.user_config_path, data, of.user_cache_path, of.user_log_path, data / "runtime")

    @property
    def config_file(self) -> Path:
        """What `localpi config` reads and writes."""
        return self.config / "config.toml"

    @property
    def credentials_file(self) -> Path:
        """Users and passwords of upstreams, where there is no keyring."""
        return self.config / "credentials.toml"

    @property
    def log_file(self) -> Path:
        """What the daemon tells."""
        return self.logs / "daemon.log"

    @property
    def lock_file(self) -> Path:
        """What the running daemon holds an flock on."""
        return self.data / "lock"

    @property
    def secret_file(self) -> Path:
        """The owner's secret, by which CLI and TUI act as root."""
        return self.data / "owner.secret"

    @property
    def running_file(self) -> Path:
        """Where the running daemon listens."""
        return self.runtime / "daemon.json"

    def make(self) -> None:
        """Make the folders, 0700; raises OSError. A `LOCALPI_HOME` that is there keeps the mode that it was given."""
        if self.home and not self.home.exists():
            make_folder(self.home)
        for folder in (self.config, self.data, self.cache, self.logs, self.runtime):
            make_folder(folder)
