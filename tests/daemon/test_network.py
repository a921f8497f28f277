"""What a machine that moves, sleeps or renews a credential makes of its mirrors."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from localpi.daemon.network import Network, Places, where_we_are
from localpi.index.watch import Watch

OFFICE: Places = (("eth0 10.0.0.5",), ("10.0.0.5", ""))
CAFE: Places = (("wlan0 192.168.1.7",), ("192.168.1.7", ""))


@dataclass
class Told:
    """Has the face of a watch; remembers what it was told."""

    said: list[str] = field(default_factory=list)

    def network_changed(self, why: str) -> None:
        self.said.append(why)

    def probe_now(self, why: str, *, states: tuple[str, ...] = ()) -> tuple[str, ...]:
        self.said.append(f"{why} {states}")
        return ()


@dataclass
class Machine:
    """A machine that a test moves."""

    file: Path
    places: Places = OFFICE
    wall: float = 1000.0
    monotonic: float = 50.0
    told: Told = field(default_factory=Told)

    def network(self) -> Network:
        return Network(
            cast("Watch", self.told),
            (self.file,),
            places=lambda: self.places,
            wall=lambda: self.wall,
            monotonic=lambda: self.monotonic,
        )

    def look(self, network: Network, *, wall_s: float = 2.0, monotonic_s: float = 2.0) -> str:
        self.wall += wall_s
        self.monotonic += monotonic_s
        return network.look()


def test_nothing_new_says_nothing(tmp_path: Path) -> None:
    """The first look, and any at the same place, are silent; so is a chore that was late by seconds."""
    machine = Machine(tmp_path / "credentials.toml")
    network = machine.network()
    assert [machine.look(network), machine.look(network), machine.look(network, wall_s=9, monotonic_s=9)] == [
        "",
        "",
        "",
    ]
    assert machine.told.said == []


def test_another_network_is_told(tmp_path: Path) -> None:
    """Addresses or routes that differ, there and back."""
    machine = Machine(tmp_path / "credentials.toml")
    network = machine.network()
    machine.look(network)
    machine.places = CAFE
    machine.look(network)
    machine.places = OFFICE
    machine.look(network)
    assert machine.told.said == ["the network has changed"] * 2


def test_waking_is_told(tmp_path: Path) -> None:
    """Linux's monotonic clock stands while a machine sleeps, others' go on: either is noticed."""
    machine = Machine(tmp_path / "credentials.toml")
    network = machine.network()
    machine.look(network, wall_s=3602, monotonic_s=2)
    machine.look(network, wall_s=3602, monotonic_s=3602)
    machine.look(network, wall_s=-3600, monotonic_s=2)  # the clock was set back
    assert machine.told.said == ["the machine was asleep for 3600 s"] * 2


def test_renewed_credentials_are_told(tmp_path: Path) -> None:
    """A file that is made or changed has those mirrors probed that refused."""
    machine = Machine(tmp_path / "credentials.toml")
    network = machine.network()
    machine.look(network)
    machine.file.write_text("")
    machine.look(network)
    machine.look(network)
    assert machine.told.said == ["credentials changed ('auth',)"]


def test_where_we_are_is_the_same_twice() -> None:
    """Real interfaces and routes, read without a packet."""
    assert where_we_are() == where_we_are()
