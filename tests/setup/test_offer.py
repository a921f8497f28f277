from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from localpi.errors import LocalpiError
from localpi.settings.pypi import PYPI_SIMPLE
from localpi.setup.offer import accept, find_offer

PYPI = {"type": "mirror", "mirror_url": "https://up.example/simple/"}
LOCAL = {"type": "stage", "bases": ["root/pypi"]}


class FakeDaemon:
    """A daemon with two indexes, that remembers what it was told."""

    def __init__(self, *, refuse: str = "", **indexes: Any) -> None:
        self.url = "http://127.0.0.1:3141"
        self.indexes = {"pypi": PYPI, "local": LOCAL, **indexes}
        self.refuse = refuse
        self.told: list[tuple[str, str, object]] = []

    def front(self) -> dict[str, Any]:
        """Return users with their indexes."""
        return {"root": {"username": "root", "indexes": self.indexes}}

    def api(self, method: str, path: str, body: object = None, **_: str) -> Any:
        """Note the call."""
        self.told.append((method, path, body))
        if method == self.refuse:
            raise LocalpiError("no")
        return {}


@pytest.mark.parametrize(
    ("url", "mirror"),
    [
        ("https://nexus.acme.example/repository/pypi/simple", "root/nexus"),
        ("http://me:secret@pypi.acme.example:8080/simple/", "root/acme"),
        ("http://10.0.0.7:8081/simple", "root/upstream"),
        ("http://127.0.0.1:3141/root/local/+simple/", None),
        ("http://localhost:3141/root/pypi", None),
        ("http://host.lima.internal:3141/root/pypi", None),
        (PYPI_SIMPLE.upper().replace("SIMPLE/", "simple"), None),
        ("https://up.example/simple", None),
        ("file:///srv/simple", None),
        ("", None),
    ],
)
def test_an_index_of_pips_configuration_is_offered_unless_it_is_known(
    tmp_path: Path, url: str, mirror: str | None
) -> None:
    """Never localpi itself, PyPI, or what is mirrored already; only what HTTP can fetch."""
    offer = find_offer(FakeDaemon(), "root/local", {"HOME": str(tmp_path), "PIP_INDEX_URL": url}, "linux")  # type: ignore[arg-type]  # a fake with the same face
    assert mirror == (offer.mirror if offer else None)
    if offer:
        assert (mirror, "root/pypi") == offer.bases
        assert "secret" not in offer.command + repr(offer)


def test_a_taken_name_gets_a_number(tmp_path: Path) -> None:
    """Two Nexus servers are two mirrors."""
    environ = {"HOME": str(tmp_path), "PIP_INDEX_URL": "https://nexus.b.example/simple"}
    daemon = FakeDaemon(nexus={"type": "mirror", "mirror_url": "https://nexus.a.example/simple"})
    offer = find_offer(daemon, "root/local", environ, "linux")  # type: ignore[arg-type]  # as above
    assert offer
    assert offer.mirror == "root/nexus-2"


@pytest.mark.parametrize("refuse", ["", "PATCH"])
def test_accepting_makes_the_mirror_and_the_base_or_nothing(tmp_path: Path, refuse: str) -> None:
    """A mirror that could not become a base is taken away again."""
    environ = {"HOME": str(tmp_path), "PIP_INDEX_URL": "https://u:p@nexus.b.example/simple"}
    daemon = FakeDaemon(refuse=refuse)
    offer = find_offer(daemon, "root/local", environ, "linux")  # type: ignore[arg-type]  # as above
    assert offer
    expected: list[tuple[str, str, object]] = [
        ("PUT", "/root/nexus", {"type": "mirror", "mirror_url": "https://u:p@nexus.b.example/simple"}),
        ("PATCH", "/root/local", ["bases=root/nexus,root/pypi"]),
    ]
    if refuse:
        with pytest.raises(LocalpiError):
            accept(daemon, offer)  # type: ignore[arg-type]  # as above
        expected.append(("DELETE", "/root/nexus", None))
    else:
        accept(daemon, offer)  # type: ignore[arg-type]  # as above
    assert expected == daemon.told
