"""Starting, installing and restarting the service, with the daemon answering at the end of it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localpi.errors import LocalpiError
from localpi.service.agent import LOG_NAME
from localpi.service.outcomes import Outcome, What
from localpi.service.program import find_fault
from localpi.settings.file import unset_in_file
from localpi.settings.load import load_settings
from localpi.setup.answering import StartFailed, find_answering, wait_for_answer
from localpi.setup.logfile import last_lines
from localpi.setup.service import (
    Service,
    current_spec,
    explain,
    installed_pid,
    keep_shell_settings,
    make_spec,
    refresh,
    shell_settings,
    usable_manager,
)
from localpi.setup.stop import end_process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from localpi.remote.daemon import Daemon
    from localpi.service.shell import ShellSetting
    from localpi.settings.paths import Paths

LOOK_S = 0.5
"""How often launchd is asked whether the agent still runs."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A service that was made or brought up to date, and its daemon, which answers."""

    name: str
    what: What
    """INSTALLED, CHANGED or UNCHANGED."""
    daemon: Daemon
    kept: tuple[ShellSetting, ...]
    """What was set in this shell alone and is in config.toml now."""


def install_service(paths: Paths, environ: Mapping[str, str]) -> Installed:
    """Make the service or bring it up to date, and have it run; a daemon in the background gives way to it.

    Raises NoServiceManagerError, ServiceTakenError, ServiceRefusedError, CannotStart (PortTaken, StartFailed …),
    SettingError, OSError.
    """
    manager = usable_manager(paths, environ)
    paths.make()
    first_run = not (paths.data / "localpi.sqlite").exists()
    kept = shell_settings(manager, paths, environ)
    spec = make_spec(paths, environ, {each.key: each.value for each in kept})  # refused before anything is written
    keep_shell_settings(kept, paths)
    outcome = manager.install(spec)
    if not outcome.good:
        raise explain(outcome, spec)
    service = Service(manager, manager.state())
    running = find_answering(paths)
    if running is not None and running.running is not None and installed_pid(service) == running.running.pid:
        if outcome.what is not What.UNCHANGED or kept:
            running = restart_service(service, paths, environ)
        return Installed(manager.name, outcome.what, running, kept)
    end_process(paths)
    daemon = start_service(service, paths, environ, first_run=first_run)
    return Installed(manager.name, outcome.what, daemon, kept)


def install_first(paths: Paths, environ: Mapping[str, str]) -> Installed | None:
    """Make the service at the first start of all; None, and nothing left of it, where that does not go."""
    try:
        manager = usable_manager(paths, environ)
    except LocalpiError:
        return None
    if manager.state().installed:
        return None
    kept = shell_settings(manager, paths, environ)
    try:
        return install_service(paths, environ)
    except LocalpiError:  # what is in the way of the daemon itself will be in the background's way too, and said there
        manager.uninstall()
        for each in kept:
            unset_in_file(paths.config_file, each.key)
        return None


def start_service(service: Service, paths: Paths, environ: Mapping[str, str], *, first_run: bool = False) -> Daemon:
    """Bring its files up to date, start it, and return its daemon; raises as `install_service` does."""
    outcome = refresh(service, paths, environ)
    if not outcome.good:
        raise explain(outcome, current_spec(service, paths, environ))
    daemon = _have_it_run(service, paths, environ, service.manager.start)
    password = load_settings(paths, environ).root_password
    if first_run and password is not None:  # the daemon would take it from its environment, which is not this shell's
        daemon.admin("POST", "/users/root/password", {"password": password})
    return daemon


def restart_service(service: Service, paths: Paths, environ: Mapping[str, str]) -> Daemon:
    """Bring its files up to date, restart it, and return its daemon; raises as `install_service` does."""
    outcome = refresh(service, paths, environ)
    if not outcome.good:
        raise explain(outcome, current_spec(service, paths, environ))
    return _have_it_run(service, paths, environ, service.manager.restart)


def _have_it_run(service: Service, paths: Paths, environ: Mapping[str, str], begin: Callable[[], Outcome]) -> Daemon:
    _, written = last_lines(paths.log_file, 0)
    outcome = begin()
    if outcome.what in {What.FAILED, What.DISABLED}:
        fault = find_fault(service.manager.state().program)
        said = fault or last_refusal(paths, written)
        if outcome.what is What.FAILED:
            raise StartFailed(said, outcome.status, paths.log_file, reason=said or outcome.reason)
    if not outcome.good:
        raise explain(outcome, current_spec(service, paths, environ))
    next_look, ended = time.monotonic() + LOOK_S, 0

    def check() -> None:
        nonlocal next_look, ended
        if time.monotonic() < next_look:
            return
        next_look = time.monotonic() + LOOK_S
        state = service.manager.state()
        ended = ended + 1 if state.activity in {"stopped", "failed"} else 0
        if ended > 1:  # once may be between the order and its execution
            said = find_fault(state.program) or last_refusal(paths, written)
            raise StartFailed(said, state.ended_status, paths.log_file, reason=said or state.ended)

    found = wait_for_answer(paths, None, check)
    if found is None:
        raise StartFailed("", None, paths.log_file)
    return found


def last_refusal(paths: Paths, since: int) -> str:
    """Return why the daemon did not start, from its log after a position, or from what an agent printed; "" unknown."""
    lines, end = last_lines(paths.log_file, 20)
    errors = [found[1] for line in lines if (found := re.search(r" ERROR daemon\.process: (.+)", line))]
    if errors and end > since:
        return errors[-1]
    printed, _ = last_lines(paths.logs / LOG_NAME, 5)
    return "\n".join(printed)
