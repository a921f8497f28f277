"""A client of upstreams and the upstream it speaks to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localpi.upstream import Credentials, Mirror, Reach, Upstream
from made.upstream import MadeUpstream
from made.wheels import make_sdist, make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def made() -> Iterator[MadeUpstream]:
    """An upstream with a wheel of 100 kB and an sdist of acme 1.0."""
    with MadeUpstream(max_age=60, serial=7) as upstream:
        upstream.add(*make_wheel("acme", "1.0", filler=100_000))
        upstream.add(*make_sdist("acme", "1.0"))
        yield upstream


@pytest.fixture
def mirror(made: MadeUpstream) -> Mirror:
    return Mirror("root/pypi", made.url)


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[Callable[..., Upstream]]:
    """Make clients; they are closed at the end."""
    clients: list[Upstream] = []

    def make(reach: Reach | None = None, credentials: Credentials | None = None, **options: object) -> Upstream:
        keep = credentials or Credentials(tmp_path / "credentials.toml")
        client = Upstream(reach or Reach(), keep, agent="localpi/test", **options)  # type: ignore[arg-type]
        client.warm()  # imports are no part of a deadline
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(make_client: Callable[..., Upstream]) -> Upstream:
    return make_client()
