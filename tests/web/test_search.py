"""XML-RPC search, as pip asks for it."""

from __future__ import annotations

import xmlrpc.client
from typing import Any

import pytest

from made.served import Reply, Served
from made.upstream import MadeUpstream
from made.wheels import make_wheel


def search(served: Served, spec: Any, operator: str = "or", method: str = "search") -> Reply:
    body = xmlrpc.client.dumps((spec, operator), method).encode()
    return served.ask("POST", "/root/local/", {"Content-Type": "text/xml"}, body=body)


def hits(reply: Reply) -> list[dict[str, object]]:
    ((found,), _) = xmlrpc.client.loads(reply.body)
    assert isinstance(found, list)
    return found


@pytest.fixture
def filled(served: Served, upstream: MadeUpstream) -> Served:
    """Hold two releases of a project, another one, and one that was asked of the mirror."""
    for name, version, summary in (
        ("ham-tool", "1.0", "Old"),
        ("ham-tool", "1.10", "Slices 100% ham"),
        ("egg", "1", "<&>"),
    ):
        filename, data = make_wheel(name, version)
        served.upload("/root/local/", filename, data, name=name, version=version, summary=summary)
    upstream.add(*make_wheel("ham-radio", "3.0"))
    assert served.page("/root/pypi/+simple/ham-radio/").status == 200
    return served


def test_names_and_summaries_are_searched(filled: Served) -> None:
    """The newest version of each project, own ones first."""
    found = hits(search(filled, {"name": ["HAM"], "summary": ["ham"]}))
    assert [(hit["name"], hit["version"]) for hit in found] == [("ham-tool", "1.10"), ("ham-radio", "3.0")]
    assert found[0]["summary"] == "[root/local] Slices 100% ham"
    assert [hit["name"] for hit in hits(search(filled, {"summary": "100%"}))] == ["ham-tool"]
    assert hits(search(filled, {"name": ["egg"], "summary": ["nothing"]}, "and")) == []
    assert hits(search(filled, {"name": ["egg"]}, "and"))[0]["summary"] == "[root/local] <&>"
    assert hits(search(filled, {"name": "ham_tool"}))[0]["name"] == "ham-tool"


def test_bad_calls_are_faults(filled: Served) -> None:
    """Another method, no words, no XML, a document type: each is a fault that says so."""
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><methodCall/>'
    for reply in (
        search(filled, {"name": ["x"]}, method="system.listMethods"),
        search(filled, {}),
        search(filled, {"name": ["x" * 1000]}),
        search(filled, "x"),
        filled.ask("POST", "/root/local/", {"Content-Type": "text/xml"}, body=b"no xml"),
        filled.ask("POST", "/root/local/", {"Content-Type": "text/xml"}, body=bomb),
    ):
        assert reply.status == 200
        with pytest.raises(xmlrpc.client.Fault):
            xmlrpc.client.loads(reply.body)
    large = filled.ask("POST", "/root/local/", {"Content-Type": "text/xml"}, body=b"<" * 100_000)
    assert large.status == 413
