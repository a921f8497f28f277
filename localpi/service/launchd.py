"""launchd, spoken to through launchctl(1).

Its exit codes and its asynchronous `bootout` are from reports of macOS 13 to 26; launchctl's words are no interface, so
what it prints is shown and never decided by.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localpi.service import files
from localpi.service.agent import LABEL, program_of, read_agent, render_agent
from localpi.service.commands import NOT_THERE, Ran, run
from localpi.service.outcomes import Activity, Outcome, ServiceState, What
from localpi.service.spec import STOP_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.service.spec import ServiceSpec

NO_PROCESS, IO_ERROR = 3, 5
IN_PROGRESS, ALREADY = 36, 37
NO_DOMAIN, NO_SERVICE = 112, 113
SWITCHED_OFF, BAD_OWNER, NOT_IN_DOMAIN = 119, 122, 125

GONE = frozenset({0, NO_PROCESS, IO_ERROR, NO_DOMAIN, NO_SERVICE})
"""What `bootout` may answer about an agent that is not loaded, or not for long; the newest macOS says 5."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    ask: float = 10.0
    poll: float = 0.25
    teardown: float = STOP_S + 5.0
    """bootout comes back at once, and the agent is there until the process has ended."""
    bootstrap: float = 20.0
    """After a teardown bootstrap was seen to fail for five seconds, eleven times."""


class Launchd:
    """The agent io.localpi.daemon of one user."""

    name = LABEL

    def __init__(
        self, home: Path, environ: Mapping[str, str], account_home: Path, patience: Patience | None = None
    ) -> None:
        """`account_home` is the home folder that launchd knows: at login it reads the agents there."""
        self._home, self._account_home = home, account_home
        self._environ = dict(environ)
        self._patience = patience or Patience()
        self._found_domain = ""
        self._answered = False

    @property
    def plist(self) -> Path:
        """Where the agent is, or would be."""
        return self._home / "Library" / "LaunchAgents" / f"{LABEL}.plist"

    @property
    def domain(self) -> str:
        """The session's domain; that of the user only where the session's cannot be looked at (ssh, headless)."""
        if not self._found_domain:
            session, user = (f"{kind}/{os.getuid()}" for kind in ("gui", "user"))
            self._found_domain = session if self._launchctl("print", session).code == 0 else user
        return self._found_domain

    @property
    def target(self) -> str:
        """The agent's name in its domain."""
        return f"{self.domain}/{LABEL}"

    def unavailable(self) -> str:
        """Return why it cannot be used here, "" when it can."""
        if self._home.resolve() != self._account_home.resolve():
            return f"launchd reads the agents below {self._account_home}, not below {self._home}"
        if self._answered:
            return ""
        ran = self._launchctl("print", self.domain)
        if ran.code == NOT_THERE:
            return "there is no launchd here"
        self._answered = ran.code == 0
        return "" if self._answered else f"launchd does not answer: {ran.said}"

    def render(self, spec: ServiceSpec) -> tuple[tuple[Path, bytes], ...]:
        """Return the agent's file."""
        return ((self.plist, render_agent(spec)),)

    def state(self) -> ServiceState:
        """Return how the agent is."""
        data = files.read(self.plist)
        if data is None:
            return ServiceState(LABEL, installed=False)
        agent = read_agent(data)
        folder, environ = agent.get("WorkingDirectory"), agent.get("EnvironmentVariables")
        printed = self._launchctl("print", self.target)
        status = _number(printed.out, "last exit code")
        runs = _number(printed.out, "runs")
        return ServiceState(
            LABEL,
            installed=True,
            enabled=not self._is_switched_off(),
            activity=_activity(printed),
            pid=_number(printed.out, "pid"),
            program=program_of(agent),
            data=Path(folder) if isinstance(folder, str) else None,
            variables=environ if isinstance(environ, dict) else {},
            restarts=max(0, runs - 1) if runs is not None else None,
            ended=f"it ended with exit code {status}" if status else "",
            ended_status=status or None,
            files=(self.plist,),
        )

    def service_environ(self) -> Mapping[str, str]:
        """Return nothing: launchd does not tell, and gives an agent next to nothing."""
        return {}

    def install(self, spec: ServiceSpec) -> Outcome:
        """Write the agent where it differs; a loaded one is taken out first, as launchd keeps what it has read."""
        if hindrance := self.unavailable():
            return Outcome(What.UNAVAILABLE, hindrance)
        wanted = self.render(spec)
        there, differs = self.plist.exists(), bool(files.differing(wanted))
        if differs and there and not (outcome := self._take_out()).good:
            return outcome
        files.write(wanted)
        self._launchctl("enable", self.target)  # an agent that was disabled once cannot be loaded, for ever
        if not there:
            return Outcome(What.INSTALLED)
        return Outcome(What.CHANGED if differs else What.UNCHANGED)

    def uninstall(self) -> Outcome:
        """Take the agent out and remove its file."""
        if self.unavailable() == "" and not (outcome := self._take_out()).good:
            return outcome
        gone = files.remove((self.plist,))
        return Outcome(What.REMOVED if gone else What.NOT_INSTALLED)

    def start(self) -> Outcome:
        """Load the agent, which starts it; kick one that is loaded and does not run."""
        if hindrance := self._hindrance():
            return hindrance
        printed = self._launchctl("print", self.target)
        if printed.code == 0:
            if _activity(printed) == "running":
                return Outcome(What.ALREADY_RUNNING)
            return self._kick()
        return self._bring_in()

    def stop(self) -> Outcome:
        """Take the agent out until the next login: one that is only killed may be started again."""
        if hindrance := self._hindrance():
            return hindrance
        was_there = self._launchctl("print", self.target).code == 0
        outcome = self._take_out()
        return outcome if was_there or not outcome.good else Outcome(What.NOT_RUNNING)

    def restart(self) -> Outcome:
        """Kill and start it in one step, which has no race with the teardown."""
        if hindrance := self._hindrance():
            return hindrance
        ran = self._launchctl("kickstart", "-k", self.target, within_s=self._patience.teardown)
        if ran.code == 0:
            return Outcome(What.RESTARTED)
        if ran.code in {NO_PROCESS, NO_DOMAIN, NO_SERVICE, IO_ERROR}:
            return self._bring_in()
        return _failed("kickstart", ran)

    def _hindrance(self) -> Outcome | None:
        if reason := self.unavailable():
            return Outcome(What.UNAVAILABLE, reason)
        return None if self.plist.exists() else Outcome(What.NOT_INSTALLED)

    def _kick(self) -> Outcome:
        ran = self._launchctl("kickstart", self.target)
        if ran.code in {0, IN_PROGRESS, ALREADY}:
            return Outcome(What.STARTED)
        return self._bring_in() if ran.code in {NO_PROCESS, NO_SERVICE} else _failed("kickstart", ran)

    def _take_out(self) -> Outcome:
        """Unload the agent, and wait until it is gone."""
        ran = self._launchctl("bootout", self.target)
        if ran.code not in GONE | {IN_PROGRESS}:
            return _failed("bootout", ran)
        until = time.monotonic() + self._patience.teardown
        while self._launchctl("print", self.target).code == 0:
            if time.monotonic() >= until:
                return Outcome(What.FAILED, f"launchd has not ended it within {self._patience.teardown:.0f} s")
            time.sleep(self._patience.poll)
        return Outcome(What.STOPPED)

    def _bring_in(self) -> Outcome:
        """Load the agent; what is only in the way for a while is waited for."""
        until = time.monotonic() + self._patience.bootstrap
        self._launchctl("enable", self.target)
        while True:
            ran = self._launchctl("bootstrap", self.domain, str(self.plist))
            if ran.code == 0:
                return Outcome(What.STARTED)
            if self._launchctl("print", self.target).code == 0:  # loaded already, whatever it says: 5, 36 or 37
                return self._kick()
            if ran.code == BAD_OWNER:
                self.plist.chmod(files.MODE)
            if ran.code == SWITCHED_OFF:
                self._launchctl("enable", self.target)
            if time.monotonic() >= until or ran.code in {NOT_THERE, NOT_IN_DOMAIN}:
                return _failed("bootstrap", ran)
            time.sleep(self._patience.poll)

    def _is_switched_off(self) -> bool:
        ran = self._launchctl("print-disabled", self.domain)
        return bool(re.search(rf'"{re.escape(LABEL)}" => (?:disabled|true)', ran.out))

    def _launchctl(self, *words: str, within_s: float | None = None) -> Ran:
        return run(["launchctl", *words], self._environ, within_s or self._patience.ask)


def _failed(verb: str, ran: Ran) -> Outcome:
    if ran.code == SWITCHED_OFF:
        hint = "System Settings, General, Login Items & Extensions: allow localpi in the background"
        return Outcome(What.DISABLED, "it is switched off in the Login Items", hint)
    if ran.code == BAD_OWNER:
        return Outcome(What.FAILED, "the agent's file is not the user's own", "it must be owned by you, mode 0644")
    if ran.code == NOT_IN_DOMAIN:
        return Outcome(What.FAILED, "this session has no place for agents (ssh, or nobody logged in)")
    return Outcome(What.FAILED, f"launchctl {verb} ended with {ran.code}: {ran.said}")


def _activity(printed: Ran) -> Activity:
    if printed.code:
        return "stopped"
    found = re.search(r"(?m)^\s*state = (.+)$", printed.out)
    words: dict[str, Activity] = {"running": "running", "spawn scheduled": "starting", "SIGTERMed": "stopping"}
    return words.get(found[1].strip(), "stopped") if found else "unknown"


def _number(text: str, key: str) -> int | None:
    found = re.search(rf"(?m)^\s*{key} = (\d{{1,9}})\b", text)
    return int(found[1]) if found else None
