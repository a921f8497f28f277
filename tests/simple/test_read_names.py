"""Names in lists of projects, whole or cut."""

from __future__ import annotations

import pytest

from localpi.simple.read_names import read_names

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html; charset=utf-8"
LISTED = b'{"meta":{"api-version":"1.1"},"projects":[{"name":"Acme.App"},{"_x":1,"name": "acme-lib"},{"name":"..."}]}'
LINKED = b"""<!DOCTYPE html><html><head><title>Simple index</title></head><body>
<a href="../">up</a> <a href="?C=M">sort</a>
<a href="/simple/acme-app/">Acme.App</a><br><a href='acme_lib'>x</a> <a href="/simple/acme-app/#top">again</a>
<!-- <a href="hidden/">hidden</a> --><a href="https://pypi.example/simple/third/">third</a></body></html>"""


@pytest.mark.parametrize(
    ("body", "kind", "names"),
    [
        (LISTED, JSON, ("acme-app", "acme-lib")),
        (LINKED, HTML, ("acme-app", "acme-lib", "third")),
        (b"", JSON, ()),
        (b"\xff\xfe<html>", HTML, ()),
    ],
)
def test_names_of_a_list(body: bytes, kind: str, names: tuple[str, ...]) -> None:
    """Normalised, each once, in order; what is none is passed over."""
    assert read_names(body, kind, whole=True) == names


@pytest.mark.parametrize(("body", "kind"), [(LISTED, JSON), (LINKED, HTML)])
def test_a_cut_list_never_makes_names_up(body: bytes, kind: str) -> None:
    """Wherever it is cut, what is read are the first of the real names."""
    whole = read_names(body, kind, whole=True)
    for end in range(len(body)):
        cut = read_names(body[:end], kind, whole=False)
        assert cut == whole[: len(cut)]
