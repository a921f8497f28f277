"""`env`: what is set, where the daemon is and what docker is told, made into the text to paste."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localpi.errors import BadRequest
from localpi.remote.daemon import is_alive
from localpi.service.program import find_program
from localpi.service.shell import folder_environ
from localpi.settings.listening import is_loopback
from localpi.settings.running import read_running
from localpi.setup import env_text, server_text
from localpi.setup.roads import Surroundings, find_road

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.settings.load import Settings
    from localpi.settings.paths import Paths
    from localpi.setup.env_text import Text
    from localpi.setup.roads import Road

FORMS = (*env_text.CLIENTS, "nginx", "supervisor")
MOST_BYTES = 1_000_000
DOCKERS = ("docker", "compose", "dockerfile")
DOCKERD = ("/var/run/docker.sock", "/run/docker.sock")
CONTAINERD = ("/run/containerd/containerd.sock",)
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for."""

    form: str
    index: str
    server: bool = False
    host: str = ""
    outside_url: str = ""


def make_text(wanted: Wanted, settings: Settings, paths: Paths, environ: Mapping[str, str]) -> Text:
    """Return the text; raises BadRequest for a server where there is none of that form."""
    port = _port(settings, paths)
    if wanted.server or wanted.form in {"nginx", "supervisor"}:
        return _server_text(wanted, settings, paths, environ, port)
    docker = _read_docker(environ)
    around = _look_around(wanted.form, settings, environ, docker)
    road = find_road(wanted.form, around, wanted.host)
    outside = wanted.outside_url or (settings.outside_url if wanted.form in {"github", "gitlab"} else "")
    if wanted.host:
        outside = wanted.outside_url
    variables = env_text.index_variables(
        road, port, wanted.index, outside_url=outside, proxied=around.proxied and not road.shares_network
    )
    return _client_text(wanted.form, road, variables, local=not (outside or wanted.host))


def _client_text(form: str, road: Road, variables: tuple[tuple[str, str], ...], *, local: bool) -> Text:
    match form:
        case "shell":
            return env_text.shell_text(variables, road.notes)
        case "compose":
            return env_text.compose_text(road, variables)
        case "dockerfile":
            return env_text.dockerfile_text(road, variables)
        case "github":
            return env_text.github_text(variables, local=local)
        case "gitlab":
            return env_text.gitlab_text(variables, local=local)
    return env_text.run_text(form, road, variables)


def _server_text(wanted: Wanted, settings: Settings, paths: Paths, environ: Mapping[str, str], port: int) -> Text:
    outside = wanted.outside_url or settings.outside_url or f"http://{wanted.host or 'pypi.example.com'}"
    name = outside.partition("://")[2].partition("/")[0].partition(":")[0]
    home = environ.get("HOME") or str(Path.home())
    server = server_text.Server(
        port=port,
        names=tuple(dict.fromkeys((wanted.host or name, *settings.allowed_hosts))),
        outside_url=outside,
        max_upload=settings.upload_max_size,
        program=find_program(Path(sys.prefix), sys.executable, Path(home), environ),
        user=_user(),
        home=home,
        data=str(paths.data),
        variables=folder_environ(environ, str(paths.home) if paths.home else None),
    )
    match wanted.form:
        case "nginx":
            return server_text.nginx_text(server)
        case "supervisor":
            return server_text.supervisor_text(server)
        case "compose":
            return server_text.compose_server(server)
        case "dockerfile":
            return server_text.dockerfile_server(server)
        case "docker" | "nerdctl" | "podman":
            return server_text.run_server(wanted.form, server)
    refused = BadRequest(f"there is no server for {wanted.form}")
    refused.hint = f"--server goes with {', '.join(server_text.SERVERS)}"
    raise refused


def _port(settings: Settings, paths: Paths) -> int:
    """Return the port of the running daemon, else the one that is set."""
    running = read_running(paths)
    return running.port if running is not None and is_alive(running.pid) else settings.port


def _look_around(form: str, settings: Settings, environ: Mapping[str, str], docker: Mapping[str, Any]) -> Surroundings:
    endpoint = environ.get("DOCKER_HOST") or environ.get("DOCKER_CONTEXT") or str(docker.get("currentContext") or "")
    proxied = bool(docker.get("proxies")) if form in DOCKERS else form == "shell" and _shell_is_proxied(environ)
    return Surroundings(
        engine_here=sys.platform == "linux" and _is_engine_here(form, environ),
        endpoint=endpoint if form in DOCKERS else "",
        listen=settings.listen,
        open_loopback=settings.open_reading or _is_local(settings.host),
        open_reading=settings.open_reading,
        proxied=proxied,
    )


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or is_loopback(host)
    except ValueError:  # a name: nobody is asked what it leads to
        return False


def _is_engine_here(form: str, environ: Mapping[str, str]) -> bool:
    """Return whether containers run on this machine itself: by the engine's socket, or by podman, which needs none."""
    if form == "podman":
        return shutil.which("podman", path=environ.get("PATH")) is not None
    if form == "nerdctl":
        lima = Path(environ.get("LIMA_HOME") or Path(environ.get("HOME") or Path.home()) / ".lima")
        return not lima.is_dir() and any(Path(each).exists() for each in CONTAINERD)
    return any(Path(each).exists() for each in DOCKERD)


def _shell_is_proxied(environ: Mapping[str, str]) -> bool:
    """Return whether pip and uv would ask a proxy for 127.0.0.1."""
    if not any(environ.get(name) or environ.get(name.upper()) for name in PROXIES):
        return False
    spared = (environ.get("no_proxy") or environ.get("NO_PROXY") or "").replace(",", " ").split()
    return not {"*", "127.0.0.1", "127.0.0.0/8"} & set(spared)


def _read_docker(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return docker's own configuration; {} when there is none that can be read."""
    folder = environ.get("DOCKER_CONFIG") or str(Path(environ.get("HOME") or Path.home()) / ".docker")
    try:
        with (Path(folder) / "config.json").open("rb") as file:
            found = json.loads(file.read(MOST_BYTES))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
