"""Kill -9 at random moments of random deeds: what was answered is there, and pages, views, files and rows agree."""

from __future__ import annotations

import hashlib
import http.client
import os
import random
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from made.daemon import Daemon, Reply
from made.forms import upload
from made.wheels import make_wheel

ROUNDS = int(os.environ.get("LOCALPI_TEST_ROUNDS", "20"))
WORKERS = 3
PROJECTS = ("one", "two")
VERSIONS = ("1.0", "1.1")
FLAVOURS = (b"a = 1\n", b"a = 2\n")
WHEELS = {
    (project, version, flavour): make_wheel(project, version, extra={f"{project}/more.py": flavour}, filler=30_000)
    for project in PROJECTS
    for version in VERSIONS
    for flavour in FLAVOURS
}
RESULT = b'{"testenvs": {}}'
DEEDS = ("upload", "upload", "upload", "push", "push", "result", "remove", "remove-project", "configure")

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


@dataclass(frozen=True, slots=True)
class State:
    """What an index should hold: (project, version) -> sha256 of its one wheel and how many test results it has."""

    held: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    volatile: bool = True

    def having(self, key: tuple[str, str], sha256: str, results: int = 0) -> State:
        return replace(self, held={**self.held, key: (sha256, results)})

    def without(self, *keys: tuple[str, str]) -> State:
        return replace(self, held={key: held for key, held in self.held.items() if key not in keys})


@dataclass(slots=True)
class Worker:
    """Somebody with two indexes of their own, which have the same bytes as those of the others."""

    number: int
    chance: random.Random
    states: dict[str, State]
    deed: tuple[str, State] | None = None
    """The index that the deed under way changes, and what it holds once that is done."""
    done: int = 0

    def work(self, daemon: Daemon) -> None:
        """Do one thing after the other, until the daemon is gone."""
        while True:
            try:
                self.do_something(daemon)
            except (OSError, http.client.HTTPException):
                return

    def do_something(self, daemon: Daemon) -> None:
        chance = self.chance
        index, other = chance.sample(sorted(self.states), 2)
        key = (chance.choice(PROJECTS), chance.choice(VERSIONS))
        expected, reply = getattr(self, "do_" + chance.choice(DEEDS).replace("-", "_"))(daemon, index, other, key)
        if self.deed is not None and 200 <= reply.status < 300:
            changed, after = self.deed
            self.states[changed] = after
            self.done += 1
        self.deed = None
        assert reply.status in expected, (self.number, index, key, expected, reply)

    def do_upload(self, daemon: Daemon, index: str, _: str, key: tuple[str, str]) -> tuple[tuple[int, ...], Reply]:
        filename, data = WHEELS[*key, self.chance.choice(FLAVOURS)]
        digest = hashlib.sha256(data).hexdigest()
        state = self.states[index]
        held = state.held.get(key)
        if held is not None and held[0] != digest and not state.volatile:
            return (409,), upload(daemon, filename, data, index=index)
        if held is None or held[0] != digest:
            self.deed = index, state.having(key, digest)
        return (200,), upload(daemon, filename, data, index=index)

    def do_push(self, daemon: Daemon, index: str, other: str, key: tuple[str, str]) -> tuple[tuple[int, ...], Reply]:
        wanted = {"name": key[0], "version": key[1], "targetindex": other}
        held, target = self.states[index].held.get(key), self.states[other]
        expected: tuple[int, ...] = (200,)
        if held is None:
            expected = (400, 404)
        elif key in target.held and not target.volatile:
            expected = (409,)
        else:
            self.deed = other, target.having(key, *held)
        return expected, daemon.request("PUSH", f"/{index}", headers=daemon.owner, json_body=wanted)

    def do_result(self, daemon: Daemon, index: str, _: str, key: tuple[str, str]) -> tuple[tuple[int, ...], Reply]:
        held = self.states[index].held.get(key)
        digest, results = held or ("0" * 64, 0)
        if held is not None:
            self.deed = index, self.states[index].having(key, digest, results + 1)
        path = f"/{index}/+f/{digest[:3]}/{digest[3:16]}/{WHEELS[*key, FLAVOURS[0]][0]}"
        headers = {**daemon.owner, "Content-Type": "application/json"}
        return (200,) if held else (404, 410), daemon.request("POST", path, headers=headers, body=RESULT)

    def do_remove(self, daemon: Daemon, index: str, _: str, key: tuple[str, str]) -> tuple[tuple[int, ...], Reply]:
        gone = (key,) if key in self.states[index].held else ()
        return self._remove(daemon, index, "/".join(key), gone)

    def do_remove_project(
        self, daemon: Daemon, index: str, _: str, key: tuple[str, str]
    ) -> tuple[tuple[int, ...], Reply]:
        gone = tuple(held for held in self.states[index].held if held[0] == key[0])
        return self._remove(daemon, index, key[0] + "/", gone)

    def _remove(
        self, daemon: Daemon, index: str, path: str, gone: tuple[tuple[str, str], ...]
    ) -> tuple[tuple[int, ...], Reply]:
        force = self.chance.random() < 0.5
        state = self.states[index]
        expected: tuple[int, ...] = (200,)
        if not gone:
            expected = (403, 404)
        elif not (force or state.volatile):
            expected = (403,)
        else:
            self.deed = index, state.without(*gone)
        return expected, daemon.request(
            "DELETE", f"/{index}/{path}" + ("?force=" if force else ""), headers=daemon.owner
        )

    def do_configure(self, daemon: Daemon, index: str, _: str, __: tuple[str, str]) -> tuple[tuple[int, ...], Reply]:
        volatile = self.chance.random() < 0.5
        self.deed = index, replace(self.states[index], volatile=volatile)
        return (200,), daemon.request("PATCH", f"/{index}", headers=daemon.owner, json_body={"volatile": volatile})

    def settle(self, daemon: Daemon) -> None:
        """Hold the indexes against what was answered; a deed that was not is done as a whole or not at all."""
        for index in self.states:
            found = read_state(daemon, index)
            allowed = [self.states[index]]
            if self.deed is not None and self.deed[0] == index:
                allowed.append(self.deed[1])
            assert found in allowed, (self.number, index)
            self.states[index] = found
        self.deed = None


def read_state(daemon: Daemon, index: str) -> State:
    """Read what an index holds from its views, after they, its pages and its files have been found to agree."""
    shown = daemon.get(f"/{index}").json()["result"]
    held: dict[tuple[str, str], tuple[str, int]] = {}
    for project in shown["projects"]:
        view: Any = daemon.get(f"/{index}/{project}?ignore_bases=", Accept="application/json").json()["result"]
        hashes = []
        for version, release in view.items():
            (link,) = [link for link in release["+links"] if link["rel"] == "releasefile"]
            results = [link for link in release["+links"] if link["rel"] == "toxresult"]
            for each in (link, *results):
                body = daemon.get(each["href"].removeprefix(daemon.url)).body
                assert hashlib.sha256(body).hexdigest() == each["hashes"]["sha256"]
            held[project, version] = (link["hashes"]["sha256"], len(results))
            hashes.append(link["hashes"]["sha256"])
        page = daemon.page(project, index).json()
        assert sorted(file["hashes"]["sha256"] for file in page["files"]) == sorted(hashes)
    return State(held, shown["volatile"])


def check_disk(daemon: Daemon, states: list[State]) -> None:
    """The daemon's own check finds nothing, and the files are those of the indexes, each whole, and no others."""
    checked = daemon.request("GET", "/+admin/check?deep=1", headers=daemon.owner).json()
    assert checked["problems"] == []
    wanted = {digest for state in states for digest, _ in state.held.values()}
    if any(results for state in states for _, results in state.held.values()):
        wanted.add(hashlib.sha256(RESULT).hexdigest())
    found = {path.parent.name + path.name: path for path in (daemon.home / "data" / "files").glob("*/*")}
    assert found.keys() == wanted
    assert [name for name, path in found.items() if hashlib.sha256(path.read_bytes()).hexdigest() != name] == []
    assert not list((daemon.home / "data" / "incoming").iterdir())


def test_pages_views_files_and_rows_agree_after_each_kill(tmp_path: Path) -> None:
    """Three people upload, push, test, remove and configure at once; the daemon is killed again and again."""
    chance = random.Random(ROUNDS)
    with Daemon(tmp_path / "localpi") as daemon:
        workers = [
            Worker(number, random.Random(number), {f"root/{kind}{number}": State() for kind in ("dev", "stable")})
            for number in range(WORKERS)
        ]
        for worker in workers:
            for index in worker.states:
                daemon.index(index)
        for _ in range(ROUNDS):
            broken: list[BaseException] = []
            threads = [threading.Thread(target=_guarded, args=(worker, daemon, broken)) for worker in workers]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.05, 0.8))  # the random moment
            daemon.kill()
            for thread in threads:
                thread.join(60)
            assert broken == []
            daemon.start()
            for worker in workers:
                worker.settle(daemon)
            check_disk(daemon, [state for worker in workers for state in worker.states.values()])
        print(f"{ROUNDS} kills, {sum(worker.done for worker in workers)} changes answered")


def _guarded(worker: Worker, daemon: Daemon, broken: list[BaseException]) -> None:
    try:
        worker.work(daemon)
    except BaseException as error:  # noqa: BLE001 -- the test's own thread raises it
        broken.append(error)
