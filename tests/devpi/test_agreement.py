"""Whatever is done, in whatever order: pages, JSON views and files on disk tell the same."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from localpi.errors import FileExists, NotAllowed, NotFound, NothingToPush
from localpi.index.library import build_library
from localpi.index.pages import PageAnswer
from localpi.index.permissions import OWNER
from localpi.index.push import Asked
from localpi.settings.load import load_settings
from localpi.settings.paths import Paths
from localpi.simple.links import parse_ref
from localpi.simple.names import normalize
from localpi.simple.render import load_page
from localpi.store import open_store
from localpi.upstream import Credentials, Reach, Upstream
from made.wheels import make_wheel

INDEXES = ("root/dev", "root/stable", "root/other")
PROJECTS = (normalize("one"), normalize("two"))
VERSIONS = ("1.0", "1.1")
FLAVOURS = (b"a = 1\n", b"a = 2\n")
WHEELS = {
    (project, version, flavour): make_wheel(project, version, extra={f"{project}/more.py": flavour})
    for project in PROJECTS
    for version in VERSIONS
    for flavour in FLAVOURS
}

index = st.sampled_from(INDEXES)
project = st.sampled_from(PROJECTS)
version = st.sampled_from(VERSIONS)


class Agreement(RuleBasedStateMachine):
    """A library on disk beside a model of it: index -> (project, version) -> sha256 of its one wheel."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="agreement-"))
        self.held: dict[str, dict[tuple[str, str], str]] = {name: {} for name in INDEXES}
        self.results: dict[str, dict[tuple[str, str], int]] = {name: {} for name in INDEXES}
        self.volatile = dict.fromkeys(INDEXES, True)

    @initialize()
    def begin(self) -> None:
        self.open()
        for name in INDEXES:
            self.library.registry.create(OWNER, name, {})

    def open(self) -> None:
        paths = Paths.under(self.folder)
        self.store = open_store(paths)
        credentials = Credentials(self.folder / "credentials.toml")
        self.upstream = Upstream(Reach(proxy=None, ca_bundle=None, environ={}), credentials, agent="localpi/test")
        self.library = build_library(
            self.store,
            self.upstream,
            credentials,
            load_settings(paths, {}, {}),
            owner_secret="secret",
            now_us=lambda: time.time_ns() // 1000,
        )

    def close(self) -> None:
        self.upstream.close()
        self.store.close()

    def teardown(self) -> None:
        self.close()
        shutil.rmtree(self.folder)

    # -- what is done ----------------------------------------------------------------------------------------------

    @rule(index=index, project=project, version=version, flavour=st.sampled_from(FLAVOURS))
    def upload(self, index: str, project: str, version: str, flavour: bytes) -> None:
        filename, data = WHEELS[normalize(project), version, flavour]
        receiving = self.library.uploads.receive()
        receiving.write(data)
        fields = {":action": ["file_upload"], "name": [project], "version": [version], "filetype": ["bdist_wheel"]}
        digest = hashlib.sha256(data).hexdigest()
        key = (project, version)
        same = self.held[index].get(key) == digest
        conflicts = key in self.held[index] and not same and not self.volatile[index]
        try:
            self.library.uploads.accept(index, OWNER, fields, filename, receiving)
        except FileExists:
            assert conflicts
            return
        assert not conflicts
        if not same:
            self.results[index].pop(key, None)
        self.held[index][key] = digest

    @rule(source=index, to=index, project=project, version=version)
    def push(self, source: str, to: str, project: str, version: str) -> None:
        key = (project, version)
        there = key in self.held[source]
        taken = key in self.held[to]
        asked = Asked(project, version, to)
        try:
            self.library.releasing.pushing.push(OWNER, source, asked)
        except NothingToPush:
            assert not there
        except FileExists:
            assert taken
            assert not self.volatile[to]
        else:
            assert there
            assert self.volatile[to] or not taken
            self.held[to][key] = self.held[source][key]
            self.results[to][key] = self.results[source].get(key, 0)

    @rule(index=index, project=project, version=version)
    def add_result(self, index: str, project: str, version: str) -> None:
        digest = self.held[index].get((project, version))
        if digest is None:
            return
        filename = WHEELS[normalize(project), version, FLAVOURS[0]][0]
        ref = parse_ref("+f", digest[:3], digest[3:16], filename)
        self.library.releasing.toxresults.add(index, OWNER, ref, b"{}")
        count = self.results[index].get((project, version), 0)
        self.results[index][project, version] = count + 1

    @rule(index=index, project=project, version=version | st.none(), force=st.booleans())
    def remove(self, index: str, project: str, version: str | None, force: bool) -> None:
        removal = self.library.removal
        gone = [key for key in self.held[index] if key[0] == project and version in (None, key[1])]
        try:
            if version is None:
                removal.remove_project(index, OWNER, normalize(project), force=force)
            else:
                removal.remove_release(index, OWNER, normalize(project), version, force=force)
        except NotAllowed:
            assert not self.volatile[index]
            assert not force
        except NotFound:
            assert not gone
        else:
            for key in gone:
                del self.held[index][key]
                self.results[index].pop(key, None)

    @rule(index=index, volatile=st.booleans())
    def configure(self, index: str, volatile: bool) -> None:
        self.library.registry.modify(OWNER, index, {"volatile": volatile})
        self.volatile[index] = volatile

    @rule(leftover=st.booleans(), orphan=st.booleans())
    def crash(self, leftover: bool, orphan: bool) -> None:
        """End, with what a process that is killed leaves: half a file, and a file whose row was never written."""
        self.close()
        if leftover:
            (self.folder / "data" / "incoming" / "tmphalf").write_bytes(b"half")
        if orphan:
            data = os.urandom(20)
            digest = hashlib.sha256(data).hexdigest()
            place = self.folder / "data" / "files" / digest[:2]
            place.mkdir(parents=True, exist_ok=True)
            (place / digest[2:]).write_bytes(data)
        self.open()

    # -- what always holds -----------------------------------------------------------------------------------------

    @invariant()
    def everything_agrees(self) -> None:
        if not hasattr(self, "library"):
            return
        for index, held in self.held.items():
            names = tuple(sorted({project for project, _ in held}))
            assert self.library.pages.own_names(index) == names
            for name in names:
                self.check_project(index, name)
        digests = {digest for held in self.held.values() for digest in held.values()}
        results = any(count for counted in self.results.values() for count in counted.values())
        expected = digests | ({hashlib.sha256(b"{}").hexdigest()} if results else set())
        assert {sha256 for sha256, _ in self.store.uploads.all()} == expected
        assert self.library.check(deep=True) == ()

    def check_project(self, index: str, name: str) -> None:
        held = {version: digest for (project, version), digest in self.held[index].items() if project == name}
        page: Any = self.library.pages.project(index, normalize(name), asked_at=time.monotonic())
        assert isinstance(page, PageAnswer)
        files = load_page(page.body)["files"]
        assert sorted(file["hashes"]["sha256"] for file in files) == sorted(held.values())
        view: Any = self.library.releasing.views.project(index, normalize(name), root="", asked_at=time.monotonic())
        assert view.keys() == held.keys()
        for version, release in view.items():
            files_of = [link for link in release["+links"] if link["rel"] == "releasefile"]
            assert [link["hashes"]["sha256"] for link in files_of] == [held[version]]
            assert len(release["+links"]) - 1 == self.results[index].get((name, version), 0)
            for link in release["+links"]:
                ref = parse_ref("+f", *link["href"].split("/")[4:])
                answer: Any = self.library.files.open(index, ref, asked_at=time.monotonic())
                assert hashlib.sha256(answer.file.read()).hexdigest() == link["hashes"]["sha256"]
                answer.file.close()


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Agreement,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_pages_views_and_files_agree() -> None:
    """A few short sequences of uploads, pushes, removals, changed settings and crashes."""
    run(6, 12)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_pages_views_and_files_agree_for_long() -> None:
    """Many long ones; LOCALPI_TEST_ROUNDS sets how many."""
    run(10 * int(os.environ.get("LOCALPI_TEST_ROUNDS", "10")), 40)
