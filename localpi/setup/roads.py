"""By which name, and with which arguments, a container reaches the daemon of its host. Pure: facts in, a road out.

A name resolves to a gateway that leads to the host's own loopback wherever a virtual machine is in between: Lima,
Colima, Docker Desktop, OrbStack, Rancher Desktop, podman machine. On Linux a bridge leads to the bridge's address,
where the daemon listens only when it is told to; or the container shares the host's network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

LIMA, DOCKER, PODMAN = "host.lima.internal", "host.docker.internal", "host.containers.internal"

NAMES = {"docker": DOCKER, "compose": DOCKER, "dockerfile": DOCKER, "nerdctl": LIMA, "podman": PODMAN}
"""What each runtime calls its host. Lima's docker template, Colima and the desktops all know Docker's name."""

GATEWAYS = frozenset({LIMA, DOCKER, PODMAN, "host.rancher-desktop.internal"})

MACHINES = ("desktop", "colima", "orbstack", "rancher", "lima", "podman-machine")
"""What is in the name of a docker context, or in its socket's path, when containers run in a virtual machine."""

BRIDGES = {"podman": "10.88.0.1", "nerdctl": "10.4.0.1"}
DOCKERS_BRIDGE = "172.17.0.1"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decides which road there is."""

    engine_here: bool = False
    """Whether the runtime's containers run on this very machine, not in a virtual one."""
    endpoint: str = ""
    """What docker is told to speak to: DOCKER_HOST, or the name of its context; "" for its own default."""
    listen: tuple[str, ...] = ()
    """Addresses of bridges that the daemon listens on."""
    open_loopback: bool = True
    """Whether reading needs no credential at the daemon's first address."""
    open_reading: bool = False
    """Whether it needs none anywhere."""
    proxied: bool = False
    """Whether the runtime puts a proxy into its containers, or the shell has one."""


@dataclass(frozen=True, slots=True)
class Road:
    """How to reach the daemon."""

    host: str
    """The name or address in URLs."""
    arguments: tuple[str, ...] = ()
    """For `run` and `build`."""
    address: str = ""
    """What `host` has to resolve to, where the runtime does not know it by itself."""
    shares_network: bool = False
    """Whether the container is on the host's own network."""
    credential: bool = False
    """Whether reading needs one there."""
    notes: tuple[str, ...] = ()


def find_road(runtime: str, around: Surroundings, host: str = "") -> Road:
    """Return the road for a runtime, the shell or CI; `host` is a name given by hand, which is believed."""
    if host:
        near = host in GATEWAYS or host in {"localhost", "127.0.0.1", "::1"}
        return _with_credential(Road(host), needed=not (around.open_loopback if near else around.open_reading))
    if runtime not in NAMES:
        return _with_credential(Road("127.0.0.1"), needed=not around.open_loopback)
    in_machine = any(word in around.endpoint.lower() for word in MACHINES)
    if in_machine or not around.engine_here:
        return _with_credential(Road(NAMES[runtime]), needed=not around.open_loopback)
    return _road_on_bridge(runtime, around)


def _road_on_bridge(runtime: str, around: Surroundings) -> Road:
    if around.listen:
        name, address = DOCKER if runtime == "nerdctl" else NAMES[runtime], around.listen[0]
        road = Road(name, (f"--add-host={name}:{address}",), address)
        return _with_credential(road, needed=not around.open_reading)
    note = (
        "containers on a bridge do not reach 127.0.0.1: this shares the host's network. To have the daemon listen on "
        f"the bridge instead: localpi config set listen {BRIDGES.get(runtime, DOCKERS_BRIDGE)}, then localpi down && "
        "localpi up"
    )
    road = Road("127.0.0.1", ("--network=host",), shares_network=True, notes=(note,))
    return _with_credential(road, needed=not around.open_loopback)


def _with_credential(road: Road, *, needed: bool) -> Road:
    if not needed:
        return road
    note = (
        "reading needs a credential there: export LOCALPI_TOKEN=$(localpi token create --scope read); or, if all who "
        "reach it may read: localpi config set open_reading true"
    )
    return replace(road, credential=True, notes=(*road.notes, note))
