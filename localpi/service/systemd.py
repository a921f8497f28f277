"""The user instance of systemd, spoken to through systemctl(1)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from localpi.service import files
from localpi.service.commands import NOT_THERE, Ran, run
from localpi.service.outcomes import Activity, Outcome, ServiceState, What
from localpi.service.spec import STOP_S
from localpi.service.units import SERVICE, SOCKET, UnitFacts, read_units, render_service, render_socket

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.service.spec import ServiceSpec

ASK_S = 10.0
START_S = 130.0
"""A little more than TimeoutStartSec: systemctl waits until the daemon says that it serves."""
STOPPING_S = STOP_S + 10.0

ACTIVITIES: Mapping[str, Activity] = {
    "active": "running",
    "reloading": "running",
    "activating": "starting",
    "deactivating": "stopping",
    "inactive": "stopped",
    "failed": "failed",
}
RESULTS = {
    "watchdog": "the watchdog found it hanging",
    "start-limit-hit": "it was started five times within a minute",
    "timeout": "it took too long",
    "oom-kill": "the machine was out of memory",
}
WANTS = (f"default.target.wants/{SERVICE}", f"sockets.target.wants/{SOCKET}")
ENABLED = frozenset({"enabled", "enabled-runtime"})


class SystemdUser:
    """localpi.service and localpi.socket of one user."""

    name = SERVICE

    def __init__(self, home: Path, environ: Mapping[str, str], runtime: Path = Path("/run/user")) -> None:
        """`runtime` is where the runtime folders of users are."""
        self._environ = dict(environ)
        mine = runtime / str(os.getuid())
        if not environ.get("XDG_RUNTIME_DIR") and mine.is_dir():  # as under su and cron
            self._environ["XDG_RUNTIME_DIR"] = str(mine)
        configured = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
        self._folders = tuple(dict.fromkeys((configured / "systemd/user", home / ".config/systemd/user")))
        self._folder: Path | None = None
        self._unavailable: str | None = None

    @property
    def folder(self) -> Path:
        """Where our units are, or would be: a shell's XDG_CONFIG_HOME need not be that of the user instance."""
        if self._folder is None:
            written = (each for each in self._folders for name in (SERVICE, SOCKET) if (each / name).exists())
            self._folder = next(written, None) or self._readable_folder() or self._folders[0]
        return self._folder

    def unavailable(self) -> str:
        """Return why it cannot be used here, "" when it can."""
        if self._unavailable is None:
            self._unavailable = self._find_hindrance()
        return self._unavailable

    def _find_hindrance(self) -> str:
        ran = self._ask("show", "-p", "UnitPath", "--value")
        if ran.code == NOT_THERE:
            return "there is no systemd here"
        if ran.code:
            return f"no systemd user instance answers: {ran.said}"
        if self._readable_folder() is None:
            return f"the systemd user instance does not read {self._folders[-1]}: it belongs to another HOME"
        return ""

    def _readable_folder(self) -> Path | None:
        ran = self._ask("show", "-p", "UnitPath", "--value")
        known = ran.out.split() if ran.code == 0 else []
        # Paths with white space are escaped in the answer; such a home is believed.
        return next((each for each in self._folders if str(each) in known or " " in str(each)), None)

    def render(self, spec: ServiceSpec) -> tuple[tuple[Path, bytes], ...]:
        """Return both units."""
        units = ((SERVICE, render_service(spec)), (SOCKET, render_socket(spec)))
        return tuple((self.folder / name, text.encode()) for name, text in units)

    def state(self) -> ServiceState:
        """Return how the service is; nobody is asked about one that has no files."""
        if not any((each / name).exists() for each in self._folders for name in (SERVICE, SOCKET)):
            return ServiceState(SERVICE, installed=False)
        service, socket = (files.read(self.folder / name) for name in (SERVICE, SOCKET))
        facts = read_units((service or b"").decode("utf-8", "replace"), (socket or b"").decode("utf-8", "replace"))
        shown = {} if self.unavailable() else self._show(SERVICE)
        return self._state(facts, shown)

    def _state(self, facts: UnitFacts, shown: Mapping[str, str]) -> ServiceState:
        enabled = shown.get("UnitFileState") in ENABLED if shown else (self.folder / WANTS[0]).is_symlink()
        pid, status = shown.get("MainPID", ""), shown.get("ExecMainStatus", "")
        ended = "" if shown.get("Result", "success") == "success" else _explain(shown)
        return ServiceState(
            SERVICE,
            installed=True,
            enabled=enabled,
            activity=ACTIVITIES.get(shown.get("ActiveState", ""), "unknown"),
            pid=int(pid) if pid.isdecimal() and pid != "0" else None,
            program=facts.program,
            data=Path(facts.data) if facts.data else None,
            variables=facts.variables,
            listen=facts.listen,
            restarts=int(shown["NRestarts"]) if shown.get("NRestarts", "").isdecimal() else None,
            ended=ended,
            ended_status=int(status) if ended and status.isdecimal() else None,
            files=(self.folder / SERVICE, self.folder / SOCKET),
        )

    def service_environ(self) -> Mapping[str, str]:
        """Return what the user instance gives to its units."""
        ran = self._ask("show-environment")
        lines = ran.out.splitlines() if ran.code == 0 else []
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def install(self, spec: ServiceSpec) -> Outcome:
        """Write the units, have systemd read them, and enable both."""
        if hindrance := self._hindrance():
            return hindrance
        wanted = self.render(spec)
        before = self.state()
        masked = [path.name for path, _ in wanted if path.is_symlink() and path.resolve() == Path(os.devnull)]
        if masked:
            return Outcome(What.DISABLED, f"{masked[0]} is masked", f"systemctl --user unmask {' '.join(masked)}")
        differing = files.differing(wanted)
        if before.installed and self.folder / SOCKET in differing:
            self.stop()  # a socket takes up a new address only when it is started again
        files.write(wanted)
        if differing or self._show(SERVICE).get("NeedDaemonReload") == "yes":
            self._ask("daemon-reload")
        if not self._is_enabled():
            ran = self._ask("enable", SERVICE, SOCKET)
            if ran.code:
                return Outcome(What.FAILED, f"systemctl enable: {ran.said}")
        if not before.installed:
            return Outcome(What.INSTALLED)
        return Outcome(What.CHANGED if differing or not before.enabled else What.UNCHANGED)

    def uninstall(self) -> Outcome:
        """Stop and disable both, and leave neither file nor link nor empty folder."""
        here = self.unavailable() == ""
        if here and self.state().installed:
            self._systemctl(STOPPING_S, "disable", "--now", SERVICE, SOCKET)
        names = (*WANTS, SERVICE, SOCKET)
        gone = files.remove(self.folder / name for name in names)
        folders = [self.folder / name for name in (*(str(Path(each).parent) for each in WANTS), f"{SERVICE}.d")]
        files.remove_empty((*folders, self.folder, self.folder.parent))
        if here and gone:
            self._ask("daemon-reload")
            self._ask("reset-failed", SERVICE, SOCKET)
        return Outcome(What.REMOVED if gone else What.NOT_INSTALLED)

    def start(self) -> Outcome:
        """Start socket and service; systemctl comes back when the daemon has said that it serves."""
        if hindrance := self._hindrance(installed=True):
            return hindrance
        active = self._show(SERVICE).get("ActiveState"), self._show(SOCKET).get("ActiveState")
        if active == ("active", "active"):
            return Outcome(What.ALREADY_RUNNING)
        if active[0] == "active":
            self.stop()  # it was started without its socket, which systemd refuses to start beside it
        self._ask("reset-failed", SERVICE, SOCKET)
        ran = self._systemctl(START_S, "start", SOCKET, SERVICE)
        return Outcome(What.STARTED) if ran.code == 0 else self._failure(ran)

    def stop(self) -> Outcome:
        """Stop both: while the socket is there, the next request would start the service again."""
        if hindrance := self._hindrance(installed=True):
            return hindrance
        active = [self._show(unit).get("ActiveState") for unit in (SERVICE, SOCKET)]
        if all(each in {"inactive", "failed"} for each in active):
            self._ask("reset-failed", SERVICE, SOCKET)
            return Outcome(What.NOT_RUNNING)
        ran = self._systemctl(STOPPING_S, "stop", SERVICE, SOCKET)
        return Outcome(What.STOPPED) if ran.code == 0 else Outcome(What.FAILED, f"systemctl stop: {ran.said}")

    def restart(self) -> Outcome:
        """Restart the service behind its socket, in which requests wait."""
        if hindrance := self._hindrance(installed=True):
            return hindrance
        if self._show(SOCKET).get("ActiveState") != "active":
            was = self.stop()
            outcome = self.start()
            return Outcome(What.RESTARTED) if outcome.good and was.what is What.STOPPED else outcome
        self._ask("reset-failed", SERVICE)
        ran = self._systemctl(STOPPING_S + START_S, "restart", SERVICE)
        return Outcome(What.RESTARTED) if ran.code == 0 else self._failure(ran)

    def _hindrance(self, *, installed: bool = False) -> Outcome | None:
        reason = self.unavailable()
        if reason:
            return Outcome(What.UNAVAILABLE, reason)
        if installed and not (self.folder / SERVICE).exists():
            return Outcome(What.NOT_INSTALLED)
        return None

    def _failure(self, ran: Ran) -> Outcome:
        """Say why it did not start."""
        if self._show(SOCKET).get("Result") == "resources":
            return Outcome(What.PORT_TAKEN, "systemd cannot listen: the address is in use", status=None)
        shown = self._show(SERVICE)
        status = shown.get("ExecMainStatus", "")
        hint = f"journalctl --user -u {SERVICE}"
        return Outcome(What.FAILED, _explain(shown) or ran.said, hint, int(status) if status.isdecimal() else None)

    def _is_enabled(self) -> bool:
        return all(self._show(unit).get("UnitFileState") in ENABLED for unit in (SERVICE, SOCKET))

    def _show(self, unit: str) -> dict[str, str]:
        wanted = "ActiveState,MainPID,Result,ExecMainStatus,NRestarts,UnitFileState,NeedDaemonReload"
        ran = self._ask("show", unit, "-p", wanted)
        return {name: value for name, _, value in (line.partition("=") for line in ran.out.splitlines())}

    def _ask(self, *words: str) -> Ran:
        return self._systemctl(ASK_S, *words)

    def _systemctl(self, within_s: float, *words: str) -> Ran:
        return run(["systemctl", "--user", "--no-ask-password", "--no-pager", *words], self._environ, within_s)


def _explain(shown: Mapping[str, str]) -> str:
    result, status = shown.get("Result", ""), shown.get("ExecMainStatus", "0")
    if result in RESULTS:
        return RESULTS[result]
    if result == "exit-code":
        return f"it ended with exit code {status}"
    if result in {"signal", "core-dump"}:
        return f"signal {status} ended it"
    return f"systemd says {result}" if result not in {"", "success"} else ""
