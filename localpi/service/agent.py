"""The launchd agent, written and read. Pure: values in, bytes out. launchd.plist(5)."""

from __future__ import annotations

import plistlib
from typing import TYPE_CHECKING, Any, TypedDict

from localpi.service.spec import STOP_S

if TYPE_CHECKING:
    from localpi.service.spec import ServiceSpec

LABEL = "io.localpi.daemon"
LOG_NAME = "service.log"
"""What it prints before its own log is open; new at each start, as launchd rotates nothing."""


class OnFailure(TypedDict):
    """When to start it again."""

    SuccessfulExit: bool
    """False: whenever it ends with another code than 0, and at login."""


class Limits(TypedDict):
    """Of the process, setrlimit(2)."""

    NumberOfFiles: int


class Agent(TypedDict):
    """The keys that we use, with their types."""

    Label: str
    ProgramArguments: list[str]
    EnvironmentVariables: dict[str, str]
    WorkingDirectory: str
    RunAtLoad: bool
    KeepAlive: OnFailure
    ThrottleInterval: int
    ExitTimeOut: int
    ProcessType: str
    LimitLoadToSessionType: list[str]
    SoftResourceLimits: Limits
    Umask: int
    StandardOutPath: str
    StandardErrorPath: str


def make_agent(spec: ServiceSpec) -> Agent:
    """Return the agent.

    `serve --agent` ends with 0 where starting again would not help: launchd knows no other way to be told (a port that
    is taken would be tried every ten seconds for ever). ProcessType Interactive: what is left out means throttled disks
    and processors. Background sessions: a Mac without anybody at its screen. Umask is 0077, in decimal.
    """
    printed = f"{spec.logs}/{LOG_NAME}"
    return {
        "Label": LABEL,
        "ProgramArguments": [*spec.program, "serve", "--agent"],
        "EnvironmentVariables": dict(spec.variables),
        "WorkingDirectory": spec.data,
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ExitTimeOut": STOP_S,
        "ProcessType": "Interactive",
        "LimitLoadToSessionType": ["Aqua", "Background"],
        "SoftResourceLimits": {"NumberOfFiles": 8192},
        "Umask": 0o077,
        "StandardOutPath": printed,
        "StandardErrorPath": printed,
    }


def render_agent(spec: ServiceSpec) -> bytes:
    """Return the plist, XML."""
    return plistlib.dumps(make_agent(spec), sort_keys=False)


def read_agent(data: bytes) -> dict[str, Any]:
    """Return what a plist says, {} when it is none. What is in it may have been written by anybody."""
    try:
        found = plistlib.loads(data)
    except Exception:  # noqa: BLE001 -- plistlib raises what its XML parser does, and ValueError, TypeError ...
        return {}
    return found if isinstance(found, dict) else {}


def program_of(agent: dict[str, Any]) -> tuple[str, ...]:
    """Return what it runs, without `serve` and what follows."""
    given = agent.get("ProgramArguments")
    words = [word for word in given if isinstance(word, str)] if isinstance(given, list) else []
    return tuple(words[: words.index("serve")] if "serve" in words else words)
