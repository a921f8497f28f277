"""Taking localpi off the machine: the service, and with `purge` all that it kept."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from localpi.setup.service import ServiceRefusedError, find_service
from localpi.setup.stop import end_process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from localpi.settings.paths import Paths


def remove_service(paths: Paths, environ: Mapping[str, str]) -> str:
    """Stop the service of these folders and remove its files; returns its name, "" when there was none.

    Raises ServiceRefusedError, OSError.
    """
    service = find_service(paths, environ)
    if service is None:
        return ""
    outcome = service.manager.uninstall()
    if not outcome.good:
        raise ServiceRefusedError(outcome)
    return service.state.name


def stop_all(paths: Paths, environ: Mapping[str, str]) -> str:
    """Remove the service and end a daemon in the background; returns the service's name, "" when there was none."""
    name = remove_service(paths, environ)
    end_process(paths)
    return name


def kept_folders(paths: Paths) -> tuple[Path, ...]:
    """Return the folders that are there, the one with the packages first; none of them twice or in another."""
    wanted = (paths.data, paths.config, paths.cache, paths.logs, paths.runtime)
    found: list[Path] = []
    for folder in dict.fromkeys(wanted):
        if folder.exists() and not any(folder.is_relative_to(other) for other in found):
            found.append(folder)
    return tuple(found)


def purge(paths: Paths) -> tuple[Path, ...]:
    """Delete the folders and what is in them, and return them; nothing but ours. Raises OSError.

    A folder that is a link, to a larger disk perhaps, is emptied there, and the link goes.
    """
    folders = kept_folders(paths)
    for folder in folders:
        if folder.is_symlink():
            shutil.rmtree(folder.resolve())
            folder.unlink()
        else:
            shutil.rmtree(folder)
    around = [paths.home] if paths.home else [each.parent for each in folders if each.parent.name == "localpi"]
    for folder in around:
        with contextlib.suppress(OSError):  # not empty: something in it is not ours
            folder.rmdir()
    return folders
