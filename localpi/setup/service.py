"""The daemon of these folders as a service: which one that is, how it should be, and bringing it there."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from localpi.errors import CannotStart, LocalpiError, PortTaken
from localpi.reports import ServiceReport
from localpi.service.files import differing
from localpi.service.find import find_manager
from localpi.service.linger import is_lingering
from localpi.service.outcomes import Outcome, ServiceState, What
from localpi.service.program import find_fault, find_program
from localpi.service.shell import ShellSetting, find_shell_settings, folder_environ
from localpi.service.spec import ServiceSpec
from localpi.settings.file import read_file, set_in_file
from localpi.settings.listening import find_addresses, find_owner, is_here
from localpi.settings.load import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.service.outcomes import ServiceManager
    from localpi.settings.load import Settings
    from localpi.settings.paths import Paths


class NoServiceManagerError(LocalpiError):
    """Nothing here starts services for a user."""

    code = "no-service-manager"
    title = "There is no service manager to use"
    hint = "localpi up runs it in the background, until the next boot; in a container: localpi serve"


class NotInstalledError(LocalpiError):
    """There is no service of these folders."""

    code = "service-not-installed"
    title = "There is no service"
    hint = "localpi service install"


class ServiceRefusedError(LocalpiError):
    """The service manager did not do what it was asked."""

    code = "service-refused"
    title = "The service manager refused"

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.hint = outcome.hint
        super().__init__(outcome.reason or outcome.what.value)


class ServiceTakenError(LocalpiError):
    """There is one service of this name, and it works on other folders."""

    code = "service-taken"
    title = "The service runs another instance"

    def __init__(self, state: ServiceState, wanted: Path) -> None:
        self.state, self.wanted = state, wanted
        home = state.variables.get("LOCALPI_HOME")
        prefix = f"LOCALPI_HOME={home} " if home else ""
        self.hint = f"{prefix}localpi service uninstall, then this once more"
        super().__init__(f"{state.name} works on {state.data}, not on {wanted}")


@dataclass(frozen=True, slots=True)
class Service:
    """A service manager that can be used, and what it has of ours."""

    manager: ServiceManager
    state: ServiceState


def find_service(paths: Paths, environ: Mapping[str, str]) -> Service | None:
    """Return the service that runs the daemon of these folders; None when there is none. Changes nothing."""
    manager = find_manager(sys.platform, environ)
    if manager is None:
        return None
    state = manager.state()
    return Service(manager, state) if state.installed and state.data == paths.data else None


def installed_pid(service: Service) -> int | None:
    """Return the process that the service is now; None when it is none."""
    return service.manager.state().pid


def usable_manager(paths: Paths, environ: Mapping[str, str]) -> ServiceManager:
    """Return the manager that could have our service; raises NoServiceManagerError, ServiceTakenError."""
    manager = find_manager(sys.platform, environ)
    if manager is None:
        raise NoServiceManagerError(f"localpi knows none on {sys.platform}")
    if reason := manager.unavailable():
        raise NoServiceManagerError(reason)
    state = manager.state()
    if state.installed and state.data not in {None, paths.data}:
        raise ServiceTakenError(state, paths.data)
    return manager


def can_be_service(paths: Paths, environ: Mapping[str, str]) -> bool:
    """Return whether `usable_manager` finds one."""
    try:
        usable_manager(paths, environ)
    except LocalpiError:
        return False
    return True


def shell_settings(manager: ServiceManager, paths: Paths, environ: Mapping[str, str]) -> tuple[ShellSetting, ...]:
    """Return what this shell says and the service would not hear; raises SettingError."""
    return find_shell_settings(environ, manager.service_environ(), read_file(paths.config_file))


def keep_shell_settings(found: tuple[ShellSetting, ...], paths: Paths) -> None:
    """Write them to config.toml; raises SettingError, OSError."""
    for each in found:
        set_in_file(paths.config_file, each.key, each.value)


def make_spec(paths: Paths, environ: Mapping[str, str], changed: Mapping[str, object] | None = None) -> ServiceSpec:
    """Return what the service should be, by config.toml alone; raises SettingError, CannotStart.

    `changed` are settings that are not in the file yet.
    """
    settings = load_settings(paths, {}, changed)
    if settings.port == 0:
        refused = CannotStart("port 0 is another one at each start: what is wired to it would break")
        refused.hint = "localpi config set port 3141"
        raise refused
    home = Path(environ.get("HOME") or Path.home())
    return ServiceSpec(
        program=find_program(Path(sys.prefix), sys.executable, home, environ),
        addresses=_addresses(settings),
        port=settings.port,
        data=str(paths.data),
        logs=str(paths.logs),
        variables=folder_environ(environ, str(paths.home) if paths.home else None),
    )


def _addresses(settings: Settings) -> tuple[str, ...]:
    """Return where to listen: of a name with several addresses, those that this machine has ("localhost", no IPv6)."""
    named = find_addresses(settings.host)
    here = [each for each in named if is_here(each)] or named
    return tuple(dict.fromkeys((*(address for _, address in here), *settings.listen)))


def refresh(service: Service, paths: Paths, environ: Mapping[str, str]) -> Outcome:
    """Bring the service's files up to what is set now, where they differ; raises SettingError, CannotStart.

    The program stays the one that was installed, as long as it can be run: a second localpi does not take over.
    """
    if is_current(service, paths, environ):
        return Outcome(What.UNCHANGED)
    return service.manager.install(current_spec(service, paths, environ))


def is_current(service: Service, paths: Paths, environ: Mapping[str, str]) -> bool:
    """Return whether the service's files say what is set now."""
    return not differing(service.manager.render(current_spec(service, paths, environ)))


def current_spec(service: Service, paths: Paths, environ: Mapping[str, str]) -> ServiceSpec:
    """Return what an installed service should be now; raises as `make_spec` does."""
    return _keeping_program(make_spec(paths, environ), service.state)


def _keeping_program(spec: ServiceSpec, state: ServiceState) -> ServiceSpec:
    keep = bool(state.program) and not find_fault(state.program)
    return replace(spec, variables=tuple(state.variables.items()), program=state.program if keep else spec.program)


def explain(outcome: Outcome, spec: ServiceSpec) -> LocalpiError:
    """Return the error for an outcome that is bad."""
    if outcome.what is What.PORT_TAKEN:
        owner, devpi = find_owner(spec.port)
        return PortTaken(spec.addresses[0], spec.port, owner=owner, devpi=devpi)
    if outcome.what is What.UNAVAILABLE:
        return NoServiceManagerError(outcome.reason)
    return ServiceRefusedError(outcome)


def report_service(paths: Paths, environ: Mapping[str, str]) -> ServiceReport:
    """Return how the service of these folders is; changes nothing, and never raises for what it finds."""
    manager = find_manager(sys.platform, environ)
    if manager is None:
        return ServiceReport("", installed=False, unavailable=f"localpi knows no service manager on {sys.platform}")
    state = manager.state()
    unavailable = manager.unavailable()
    if not state.installed or state.data != paths.data:
        if state.installed and not unavailable:
            unavailable = f"{state.name} works on {state.data}"
        return ServiceReport(manager.name, installed=False, unavailable=unavailable)
    try:
        current = is_current(Service(manager, state), paths, environ)
    except LocalpiError:
        current = False
    return ServiceReport(
        name=state.name,
        installed=True,
        enabled=state.enabled,
        activity=state.activity,
        pid=state.pid,
        program=state.program,
        fault=find_fault(state.program),
        current=current,
        listen=state.listen,
        restarts=state.restarts,
        ended=state.ended,
        lingers=is_lingering() if sys.platform == "linux" else None,
        data=str(state.data),
        files=tuple(str(each) for each in state.files),
        unavailable=unavailable,
    )
