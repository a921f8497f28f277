"""A desk for tests and screenshots: in memory, with the same face as the real one, and with faults on demand."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from localpi.errors import DaemonNotRunning
from localpi.remote.told import (
    Base,
    CachedProject,
    CheckedBase,
    Collision,
    Event,
    FileRow,
    IndexRow,
    Metadata,
    Meter,
    NewBase,
    Release,
    Saved,
    Why,
)
from localpi.reports import BaseHealth, CacheUse, Status
from localpi.tui.desk import (
    DRAWERS,
    Bases,
    Cache,
    Desk,
    Found,
    Indexes,
    Log,
    LogChunk,
    LogLine,
    Packages,
    Pasted,
    Running,
    ServiceState,
    Tool,
    Wiring,
    WiringPlan,
)

URL = "http://127.0.0.1:3141"
DAY = "2026-03-14T"


@dataclass
class State:
    """What is so on this desk; tests turn it, calls change it, `done` keeps what was asked for."""

    running: bool = True
    first_run: bool = False
    service: bool = True
    manager: str = "systemd"
    wired: dict[str, bool] = field(default_factory=lambda: {"pip": True, "uv": False, "twine": False})
    indexes: dict[str, dict[str, str]] = field(default_factory=dict)
    health: dict[str, BaseHealth] = field(default_factory=dict)
    releases: dict[tuple[str, str], tuple[Release, ...]] = field(default_factory=dict)
    cached: tuple[CachedProject, ...] = ()
    cache: CacheUse = field(default_factory=CacheUse)
    saved: Saved = field(default_factory=Saved)
    events: tuple[Event, ...] = ()
    lines: list[LogLine] = field(default_factory=list)
    found: Found | None = None
    tools: tuple[Tool, ...] | None = None
    done: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def note(self, name: str, *args: Any) -> None:
        self.done.append((name, args))

    def demand_running(self) -> None:
        if not self.running:
            raise DaemonNotRunning(f"{URL} does not answer")


class MadeRunning:
    """The drawer `running`."""

    def __init__(self, state: State) -> None:
        self.s = state

    def status(self) -> Status:
        bases = tuple(self.s.health.values()) if self.s.running else ()
        wired = tuple(tool for tool, is_so in self.s.wired.items() if is_so)
        return Status(
            running=self.s.running, pid=4711 if self.s.running else None, url=URL,
            index_url=f"{URL}/root/local/+simple/", service="localpi.service" if self.s.service else None,
            wired=wired, bases=bases, cache=self.s.cache, version="0.1.0", uptime_s=11_040,
        )  # fmt: skip

    def is_first_run(self) -> bool:
        return self.s.first_run

    def start_daemon(self) -> str:
        self.s.note("start_daemon")
        self.s.running = True
        return f"{URL}/root/local/+simple/"

    def stop_daemon(self) -> None:
        self.s.note("stop_daemon")
        self.s.running = False

    def service_state(self) -> ServiceState:
        return ServiceState(self.s.manager, self.s.service, "localpi.service, started at login")

    def install_service(self) -> str:
        self.s.note("install_service")
        self.s.service = True
        return "localpi.service is started at login"

    def remove_service(self) -> str:
        self.s.note("remove_service")
        self.s.service = False
        return "localpi.service is gone"


class MadeWiring:
    """The drawer `wiring`."""

    def __init__(self, state: State) -> None:
        self.s = state

    def tools(self) -> tuple[Tool, ...]:
        if self.s.tools is not None:
            return self.s.tools
        url = f"{URL}/root/local/+simple/"
        rows = [
            Tool(name, "wired" if is_so else "unwired", f"/home/ada/.config/{name}/{name}.conf", url if is_so else "")
            for name, is_so in self.s.wired.items()
        ]
        drifted = Tool(
            "pdm", "drifted", "/home/ada/.config/pdm/config.toml", url,
            notes=("PDM_PYPI_URL is set in this shell and wins over the file",),
        )  # fmt: skip
        return (*rows, drifted, Tool("pixi", "unwired", "/home/ada/.pixi/config.toml", present=False))

    def plan_wiring(self, tool: str, *, undo: bool = False) -> WiringPlan:
        if self.s.wired.get(tool) is (not undo):
            return WiringPlan(tool, "", ("it is so already",))
        new = f"index-url = {URL}/root/local/+simple/"
        old, sign = "# the settings of my laptop", "-" if undo else "+"
        head = f"--- /home/ada/.config/{tool}/{tool}.conf\n+++ /home/ada/.config/{tool}/{tool}.conf\n@@ -1,3 +1,4 @@"
        text = f"{head}\n {old}\n [global]\n{sign}{new}\n timeout = 60"
        return WiringPlan(tool, text, () if undo else ("pip has installed from https://pypi.acme.example so far",))

    def wire(self, tool: str) -> str:
        self.s.note("wire", tool)
        self.s.wired[tool] = True
        return f"/home/ada/.config/{tool}/{tool}.conf is written"

    def unwire(self, tool: str) -> str:
        self.s.note("unwire", tool)
        self.s.wired[tool] = False
        return f"/home/ada/.config/{tool}/{tool}.conf is as it was"

    def runtimes(self) -> tuple[str, ...]:
        return ("docker", "shell", "nerdctl", "podman", "compose", "dockerfile", "github", "gitlab", "nginx")

    def container_text(self, runtime: str) -> Pasted:
        url = "http://host.docker.internal:3141/root/local/+simple/"
        text = f"-e PIP_INDEX_URL={url} -e PIP_TRUSTED_HOST=host.docker.internal -e UV_DEFAULT_INDEX={url}"
        if runtime == "shell":
            url = f"{URL}/root/local/+simple/"
            return Pasted(f"export PIP_INDEX_URL={url}\nexport UV_DEFAULT_INDEX={url}")
        return Pasted(text, (f"{runtime} run --rm $(localpi env --for {runtime}) IMAGE pip install NAME",))

    def found_index(self) -> Found | None:
        return self.s.found

    def accept_found(self) -> str:
        self.s.note("accept_found")
        return self.s.found.mirror if self.s.found else ""


class MadeIndexes:
    """The drawer `indexes`."""

    def __init__(self, state: State) -> None:
        self.s = state

    def index_rows(self) -> tuple[IndexRow, ...]:
        self.s.demand_running()
        return tuple(
            IndexRow(name, found.get("type", "stage"), tuple((key, value) for key, value in found.items()))
            for name, found in sorted(self.s.indexes.items())
        )

    def create_index(self, name: str, settings: dict[str, str]) -> None:
        self.s.note("create_index", name, settings)
        self.s.indexes[name] = settings

    def change_index(self, name: str, settings: dict[str, str]) -> None:
        self.s.note("change_index", name, settings)
        self.s.indexes[name] = {k: v for k, v in (self.s.indexes[name] | settings).items() if v}

    def delete_index(self, name: str) -> None:
        self.s.note("delete_index", name)
        del self.s.indexes[name]


class MadePackages:
    """The drawer `packages`."""

    def __init__(self, state: State) -> None:
        self.s = state

    def projects(self, index: str) -> tuple[str, ...]:
        self.s.demand_running()
        return tuple(sorted(project for owner, project in self.s.releases if owner == index))

    def releases(self, index: str, project: str) -> tuple[Release, ...]:
        return self.s.releases.get((index, project), ())

    def metadata(self, path: str) -> Metadata:
        self.s.note("metadata", path)
        fields = (
            ("Name", "acme-billing"), ("Version", "2.1.0"), ("Summary", "Invoices as the accountants want them"),
            ("License", "MIT"), ("Author", "Ada Lovelace"), ("Requires-Python", ">=3.11"),
            ("Requires-Dist", "acme-core>=4"), ("Requires-Dist", "httpx>=0.27"), ("Requires-Dist", "pydantic>=2"),
        )  # fmt: skip
        return Metadata(fields, "acme-billing\n\nMakes invoices out of orders, in all the currencies that we know.")

    def upload(self, index: str, file: Path, meter: Meter) -> None:
        meter.total = meter.done = file.stat().st_size
        self.s.note("upload", index, file.name)

    def push(self, index: str, project: str, version: str, target: str) -> str:
        self.s.note("push", index, project, version, target)
        return "2 files copied"

    def yank(self, index: str, project: str, version: str, reason: str | None) -> None:
        self.s.note("yank", index, project, version, reason)
        self.s.releases[index, project] = tuple(
            replace(release, files=tuple(replace(file, yanked=reason) for file in release.files))
            if release.version == version else release
            for release in self.s.releases[index, project]
        )  # fmt: skip

    def remove(self, index: str, project: str, version: str | None) -> None:
        self.s.note("remove", index, project, version)
        kept = tuple(r for r in self.s.releases[index, project] if version is not None and r.version != version)
        if kept:
            self.s.releases[index, project] = kept
        else:
            del self.s.releases[index, project]


class MadeBases:
    """The drawer `bases`."""

    def __init__(self, state: State) -> None:
        self.s = state

    def base_rows(self) -> tuple[Base, ...]:
        self.s.demand_running()
        return tuple(
            Base(
                health,
                self.s.indexes.get(name, {}).get("mirror_url", ""),
                42 if health.state == "ok" else None,
                tuple(word for word in self.s.indexes.get(name, {}).get("claims", "").split(",") if word),
                tuple(other for other, of in self.s.indexes.items() if name in of.get("bases", "").split(",")),
            )
            for name, health in sorted(self.s.health.items())
        )

    def check_base(self, url: str, user: str, password: str) -> CheckedBase:
        self.s.note("check_base", url, user, password)
        if "nowhere" in url:
            return CheckedBase(url, good=False, reason="the name pypi.nowhere.example is not known (DNS)")
        if "private" in url and not user:
            return CheckedBase(url, good=False, reason="it answers 401", needs_credentials=True)
        facts = ("simple index in HTML", "files have sha256", "no metadata files; ranges are served, so they are made")
        return CheckedBase(url, good=True, facts=facts, claims=("acme-*",))

    def add_base(self, wanted: NewBase, user: str, password: str) -> None:
        self.s.note("add_base", wanted, user, password)
        self.s.indexes[wanted.name] = {"type": "mirror", "mirror_url": wanted.url, "claims": ",".join(wanted.claims)}
        self.s.health[wanted.name] = BaseHealth(wanted.name, "ok")

    def remove_base(self, name: str) -> None:
        self.s.note("remove_base", name)
        del self.s.indexes[name], self.s.health[name]

    def test_base(self, name: str) -> BaseHealth:
        self.s.note("test_base", name)
        return self.s.health[name]

    def set_offline(self, name: str, mode: str) -> None:
        self.s.note("set_offline", name, mode)
        self.s.health[name] = replace(self.s.health[name], offline=mode)

    def set_credentials(self, name: str, user: str, password: str) -> None:
        self.s.note("set_credentials", name, user, password)

    def collisions(self) -> tuple[Collision, ...]:
        return (Collision("acme-core", ("root/intranet", "root/pypi")),)


class MadeCache:
    """The drawer `cache`."""

    def __init__(self, state: State) -> None:
        self.s = state

    def cache_use(self) -> CacheUse:
        return self.s.cache

    def saved(self) -> Saved:
        return self.s.saved

    def cached_projects(self) -> tuple[CachedProject, ...]:
        self.s.demand_running()
        return self.s.cached

    def pin(self, project: str, *, pinned: bool) -> None:
        self.s.note("pin", project, pinned)
        self.s.cached = tuple(replace(row, pinned=pinned) if row.project == project else row for row in self.s.cached)

    def evict(self, project: str) -> int:
        self.s.note("evict", project)
        gone = sum(row.bytes for row in self.s.cached if row.project == project)
        self.s.cached = tuple(row for row in self.s.cached if row.project != project)
        return gone

    def verify(self, meter: Meter) -> tuple[str, ...]:
        meter.total = meter.done = 1234
        self.s.note("verify")
        return ()

    def set_budget(self, size: str) -> str:
        self.s.note("set_budget", size)
        return f"the cache may take {size}"


class MadeLog:
    """The drawer `log`."""

    def __init__(self, state: State) -> None:
        self.s = state

    def events(self) -> tuple[Event, ...]:
        return self.s.events

    def log_lines(self, position: int) -> LogChunk:
        return LogChunk(tuple(self.s.lines[max(0, position) :]), len(self.s.lines))

    def why(self, index: str, project: str) -> Why:
        self.s.note("why", index, project)
        lines = (
            "root/intranet  asked: down since 09:12, cannot be connected to; claims acme-*",
            "root/pypi      not asked: root/intranet claims the name",
            "So it cannot be known now: 424, and nothing of a stranger's gets in.",
        )
        return Why(project, "unknown", lines)


def made_desk(state: State) -> Desk:
    """Return the desk of a state."""
    return Desk(
        running=MadeRunning(state), wiring=MadeWiring(state), indexes=MadeIndexes(state),
        packages=MadePackages(state), bases=MadeBases(state), cache=MadeCache(state), log=MadeLog(state),
    )  # fmt: skip


def release(index: str, project: str, version: str, *, own: bool, at: str, yanked: str | None = None) -> Release:
    """Return a release of a wheel and an sdist."""
    stem = project.replace("-", "_")
    names = (f"{stem}-{version}-py3-none-any.whl", f"{stem}-{version}.tar.gz")
    files = tuple(
        FileRow(name, index, f"/{index}/+f/abc/{name}", size, at, yanked, own or version.endswith("0"), ">=3.11")
        for name, size in zip(names, (184_320, 912_400), strict=True)
    )
    return Release(version, files)


def full_state() -> State:
    """Return a laptop in the middle of a day: the intranet has just gone."""
    state = State()
    state.indexes = {
        "root/intranet": {"type": "mirror", "mirror_url": "https://pypi.acme.example/simple/", "claims": "acme-*",
                          "volatile": "true"},
        "root/local": {"type": "stage", "bases": "root/intranet,root/pypi", "volatile": "true", "acl_upload": "root"},
        "root/pypi": {"type": "mirror", "mirror_url": "https://pypi.example/simple/", "volatile": "true"},
        "root/stable": {"type": "stage", "bases": "root/local", "volatile": "false", "acl_upload": "root",
                        "resolution": "merge"},
        "ada/dev": {"type": "stage", "bases": "root/stable", "volatile": "true", "acl_upload": "ada"},
    }  # fmt: skip
    state.health = {
        "root/intranet": BaseHealth(
            "root/intranet", "down", "cannot be connected to", f"{DAY}09:12:40+00:00", f"{DAY}09:30:14+00:00"
        ),
        "root/pypi": BaseHealth("root/pypi", "ok", "", f"{DAY}06:02:00+00:00"),
    }
    own = {
        "acme-billing": ("2.1.0", "2.0.1", "2.0.0"),
        "acme-core": ("4.2.0", "4.1.0"),
        "acme-reports": ("0.9.1",),
        "toolbox": ("1.0.0",),
    }
    for project, versions in own.items():
        state.releases["root/local", project] = tuple(
            release("root/local", project, version, own=True, at=f"2026-02-{20 - at:02}T10:00:00Z",
                    yanked="wrong tax rate" if version == "2.0.1" else None)
            for at, version in enumerate(versions)
        )  # fmt: skip
    state.releases["root/stable", "acme-core"] = state.releases["root/local", "acme-core"][1:]
    for project, versions in {"numpy": ("2.4.1", "2.4.0"), "flask": ("3.1.2", "3.1.0"), "idna": ("3.11",)}.items():
        state.releases["root/pypi", project] = tuple(
            release("root/pypi", project, version, own=False, at="2026-01-09T18:20:00Z") for version in versions
        )
    sizes = {
        "numpy": 412.3, "torch": 2204.9, "pydantic-core": 88.1, "flask": 1.9, "idna": 0.4, "acme-core": 3.3,
        "pandas": 301.7, "httpx": 2.2, "ruff": 64.0, "uv": 71.5, "cryptography": 33.8, "sqlalchemy": 29.4,
    }  # fmt: skip
    state.cached = tuple(
        CachedProject(
            name, at % 7 + 1, int(size * 1e6), "root/intranet" if name.startswith("acme") else "root/pypi",
            f"2026-03-{14 - at:02}T08:00:00+00:00", pinned=name in {"numpy", "acme-core"},
        )
        for at, (name, size) in enumerate(sizes.items())
    )  # fmt: skip
    state.cache = CacheUse(3_213_500_000, 1_234, 10_000_000_000)
    state.saved = Saved(hits=8_411, misses=1_207, bytes=21_400_000_000, seconds=7_860)
    state.events = (
        Event(f"{DAY}09:12:40+00:00", "bad", "root/intranet is down: cannot be connected to"),
        Event(f"{DAY}09:12:41+00:00", "plain", "acme-core was answered from the offline view"),
        Event(f"{DAY}08:40:10+00:00", "good", "root/intranet is back after 11 h"),
        Event(f"{DAY}08:39:55+00:00", "plain", "the network of this machine has changed"),
        Event("2026-03-13T21:30:00+00:00", "bad", "root/intranet is down: the name is not known"),
    )
    state.lines = [
        line("09:11:58", "INFO", "GET /root/local/+simple/flask/ 200 12480 3 ms", "flask"),
        line("09:12:01", "INFO", "GET /root/local/+simple/acme-core/ 200 2210 18 ms", "acme-core"),
        line("09:12:40", "WARNING", "root/intranet is down: cannot be connected to", room="index.watch"),
        line("09:12:41", "INFO", "GET /root/local/+simple/acme-core/ 200 1105 2 ms", "acme-core"),
        line("09:12:44", "INFO", "GET /root/local/+simple/acme-secret/ 424 180 4 ms", "acme-secret"),
        line("09:13:02", "INFO", "POST /root/local/ 200 22 31 ms"),
        line("09:13:30", "ERROR", "fault 9f31c2aa: GET /root/local/x: a made one", room="web.app"),
    ]
    return state


def line(at: str, level: str, text: str, project: str = "", room: str = "access") -> LogLine:
    return LogLine(f"{DAY}{at}+00:00", level, room, text, project, "root/local" if project else "")


def bare_state() -> State:
    """Return a machine on which localpi has never run."""
    return State(running=False, first_run=True, service=False, wired={"pip": False, "uv": False})


def empty_state() -> State:
    """Return a fresh daemon that holds nothing."""
    state = State(service=False, wired={"pip": False, "uv": False})
    state.indexes = {"root/local": {"type": "stage", "volatile": "true"}}
    return state


class Drawer:
    """A drawer of which every call goes wrong in one way."""

    def __init__(self, protocol: type, fault: Callable[..., Any]) -> None:
        for name, method in vars(protocol).items():
            if callable(method) and not name.startswith("_"):
                setattr(self, name, functools.wraps(method)(functools.partial(fault, name)))


def faulty_desk(fault: Callable[..., Any]) -> Desk:
    """Return a desk whose every call is `fault(name, *args)`."""
    names = ("running", "wiring", "indexes", "packages", "bases", "cache", "log")
    protocols = (Running, Wiring, Indexes, Packages, Bases, Cache, Log)
    return Desk(**{name: Drawer(protocol, fault) for name, protocol in zip(names, protocols, strict=True)})  # type: ignore[arg-type]  # made to be wrong


def wrong_desk(desk: Desk, fault: Callable[..., Any], *calls: str) -> Desk:
    """Return the desk with these calls as `fault(name, *args)`; all but those about the process when none is named."""
    for name, protocol in zip(("wiring", "indexes", "packages", "bases", "cache", "log"), DRAWERS[1:], strict=True):
        if not calls:
            object.__setattr__(desk, name, Drawer(protocol, fault))
    for name in calls:
        drawer = next(drawer for drawer in vars_of(desk) if hasattr(drawer, name))
        setattr(drawer, name, functools.wraps(getattr(drawer, name))(functools.partial(fault, name)))
    return desk


def vars_of(desk: Desk) -> tuple[Any, ...]:
    """Return the drawers."""
    return tuple(getattr(desk, field.name) for field in fields(desk))


class Hang:
    """A call that ends when the test does."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def __call__(self, _name: str, *_: Any, **__: Any) -> None:
        self.over.wait(60)
