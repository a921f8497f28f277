"""A scripted `launchctl` for machines without launchd: a state machine with the exit codes and delays of the real one.

Run as a program: what it is told, and what it was asked, is in the JSON file that FAKE_LAUNCHCTL names. A key that is a
command's name holds exit codes to give before it does anything, one for each call.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time

TYPE_CHECKING = False  # each call is a process: typing and pathlib would be half of what it costs
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

START: dict[str, Any] = {
    "domains": ["gui"],  # of those that there are
    "loaded": False,
    "running": False,
    "pid": 400,
    "runs": 0,
    "last_exit": None,
    "disabled": False,
    "gone_at": None,  # while this is in the future the agent is being taken down
    "teardown_s": 0.3,
    "not_loaded": 3,  # what bootout says of an agent that is not there
    "already_loaded": 37,
    "dies_at_start": False,
    "stuck_off": False,  # switched off in the settings: enable does not help
    "spawns": False,  # really run the program; its exit code comes into a file
    "keep": "",
    "script": {},
    "calls": [],
}
LABEL = "io.localpi.daemon"


def install(folder: Path, **told: Any) -> tuple[Path, dict[str, str]]:
    """Put a `launchctl` into a folder; the file with its state, and the environment that finds it."""
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / "state.json"
    state.write_text(json.dumps({**START, **told}))
    program = folder / "launchctl"
    ourselves = os.path.abspath(__file__)  # noqa: PTH100 -- as above
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{ourselves}" "$@"\n')
    program.chmod(0o755)
    return state, {"PATH": f"{folder}:/usr/bin:/bin", "FAKE_LAUNCHCTL": str(state)}


class Launchctl:
    """One call."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        if state["gone_at"] is not None and time.time() >= state["gone_at"]:
            state.update(loaded=False, running=False, gone_at=None)
        if state["spawns"] and state["running"] and os.path.exists(state["keep"]):  # noqa: PTH110 -- as above
            with open(state["keep"]) as ended:  # noqa: PTH123 -- as above
                state.update(running=False, last_exit=int(ended.read() or -9))

    def call(self, words: list[str]) -> int:
        """Do what is asked; the exit code."""
        self.state["calls"].append(words)
        scripted = self.state["script"].get(words[0], [])
        if scripted:
            code = int(scripted.pop(0))
            if code:
                print(f"Could not do that: {code}", file=sys.stderr)
                return code
        return int(getattr(self, words[0].replace("-", "_"))(*words[1:]))

    def print(self, target: str) -> int:
        """Do `launchctl print`."""
        kind, _, rest = target.partition("/")
        if kind not in self.state["domains"]:
            return 125
        if "/" not in rest:
            return 0
        if not self.state["loaded"]:
            print(f'Could not find service "{LABEL}" in domain', file=sys.stderr)
            return 113
        named = "SIGTERMed" if self.state["gone_at"] else "running" if self.state["running"] else "not running"
        print(f"{target} = {{\n\tactive count = 1\n\tstate = {named}\n\n\truns = {self.state['runs']}")
        if self.state["running"]:
            print(f"\tpid = {self.state['pid']}")
        print(
            f"\tlast exit code = {'(never exited)' if self.state['last_exit'] is None else self.state['last_exit']}\n}}"
        )
        return 0

    def print_disabled(self, domain: str) -> int:
        """Do `launchctl print-disabled`."""
        switched = "disabled" if self.state["disabled"] else "enabled"
        print(f'{domain} disabled services = {{\n\t"com.example.other" => enabled\n\t"{LABEL}" => {switched}\n}}')
        return 0

    def enable(self, _target: str) -> int:
        """Do `launchctl enable`."""
        self.state["disabled"] = self.state["stuck_off"]
        return 0

    def bootstrap(self, domain: str, plist: str) -> int:
        """Do `launchctl bootstrap`."""
        if domain.partition("/")[0] not in self.state["domains"]:
            return 125
        if self.state["gone_at"] is not None:
            return 5
        if self.state["loaded"]:
            return int(self.state["already_loaded"])
        if self.state["disabled"]:
            return 119
        status = os.stat(plist)  # noqa: PTH116 -- see TYPE_CHECKING
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or status.st_uid != os.getuid():
            return 122
        import plistlib  # noqa: PLC0415 -- for this call alone: each call is a process

        agent = plistlib.loads(open(plist, "rb").read())  # noqa: PTH123, SIM115 -- as above
        if not os.path.isdir(os.path.dirname(agent["StandardErrorPath"])):  # noqa: PTH112, PTH120 -- as above
            self.state.update(loaded=True, running=False, last_exit=78)
            return 0
        self.state["loaded"] = True
        self.state["agent"] = agent
        self._spawn()
        return 0

    def kickstart(self, *words: str) -> int:
        """Do `launchctl kickstart`."""
        if not self.state["loaded"]:
            return 113
        if "-k" in words or not self.state["running"]:
            self._kill()
            self._spawn()
            return 0
        return 37

    def bootout(self, _target: str) -> int:
        """Do `launchctl bootout`: says yes, and the agent is there until its process has ended."""
        if not self.state["loaded"]:
            return int(self.state["not_loaded"])
        self.state["gone_at"] = self.state["gone_at"] or time.time() + self.state["teardown_s"]
        self._kill()
        return 0

    def _kill(self) -> None:
        if not (self.state["spawns"] and self.state["running"]):
            return
        import signal  # noqa: PLC0415 -- as above

        os.killpg(self.state["pid"], signal.SIGTERM)
        until = time.time() + 20
        while not os.path.exists(self.state["keep"]) and time.time() < until:  # noqa: PTH110 -- as above
            time.sleep(0.02)
        self.state["running"] = False

    def _run(self) -> None:
        """Run the agent's program as launchd does: with next to no environment, its words in a file."""
        import subprocess  # noqa: PLC0415 -- as above

        agent = self.state["agent"]
        self.state["keep"] = os.environ["FAKE_LAUNCHCTL"] + f".{self.state['runs']}"
        half = f"{self.state['keep']}.half"
        script = f'trap : TERM; "$@"; echo $? >{half}; mv {half} {self.state["keep"]}'
        printed = os.open(agent["StandardErrorPath"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        environ = {"PATH": "/usr/bin:/bin", "HOME": self.state["home"], **agent["EnvironmentVariables"]}
        child = subprocess.Popen(
            ["/bin/sh", "-c", script, "sh", *agent["ProgramArguments"]],
            env=environ, cwd=agent["WorkingDirectory"], stdin=subprocess.DEVNULL, stdout=printed, stderr=printed,
            start_new_session=True,
        )  # fmt: skip
        self.state.update(pid=child.pid, running=True)

    def _spawn(self) -> None:
        self.state["pid"] += 1
        self.state["runs"] += 1
        if self.state["spawns"]:
            self._run()
            return
        self.state["running"] = not self.state["dies_at_start"]
        if self.state["dies_at_start"]:
            self.state["last_exit"] = 0


def main() -> int:
    """Answer one call."""
    with open(os.environ["FAKE_LAUNCHCTL"], "r+") as file:  # noqa: PTH123 -- as above
        state = json.load(file)
        code = Launchctl(state).call(sys.argv[1:])
        file.seek(0)
        file.truncate()
        json.dump(state, file)
    return code


if __name__ == "__main__":
    sys.exit(main())
