"""What a server must get right for the unmodified client, point by point, without the client (DEVPI, section 0)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from made.daemon import Daemon, Reply, basic
from made.forms import fields_of, multipart
from made.wheels import make_wheel

NAME, DATA = make_wheel("demo", "1.0")
BODY, FORM = multipart(fields_of(NAME, DATA), NAME, DATA)


def shown(token: str) -> dict[str, str]:
    return {"X-Devpi-Auth": base64.b64encode(f"ann:{token}".encode()).decode()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with ann/dev, which holds one wheel."""
    with Daemon(tmp_path_factory.mktemp("checklist"), LOCALPI_OPEN_REGISTRATION="1") as running:
        assert running.request("PUT", "/ann", json_body={"password": "1"}).status == 201
        assert running.request("PUT", "/ann/dev", headers=basic("ann", "1"), json_body={}).status == 200
        assert post(running, "/ann/dev/", basic("ann", "1")).status == 200
        yield running


@pytest.fixture(scope="module")
def token(server: Daemon) -> str:
    """Ann's login."""
    login = server.request("POST", "/+login", json_body={"user": "ann", "password": "1"})
    return str(login.json()["result"]["password"])


def post(server: Daemon, path: str, headers: dict[str, str]) -> Reply:
    return server.request("POST", path, headers={**headers, "Content-Type": FORM}, body=BODY)


def ask(server: Daemon, path: str, **headers: str) -> Any:
    return server.get(path, Accept="application/json", **headers).json()


def test_every_reply_has_the_version_of_the_protocol(server: Daemon) -> None:
    """1: any other value ends the client; refusals, ready pages and unknown methods have it too."""
    paths = ("/", "/+api", "/nosuch", "/ann/dev/+simple/demo/", "/ann/dev/+simple/demo/", "/+health", "/ann/dev/none")
    replies = [server.get(path) for path in paths]
    replies += [server.request("BREW", "/"), server.request("HEAD", "/ann/dev"), server.get("/", Host="evil.example")]
    replies += [post(server, "/ann/dev", {}), server.request("DELETE", "/ann/dev/demo")]
    assert {reply.headers.get("x-devpi-api-version") for reply in replies} == {"2"}


def test_json_is_called_so_and_has_its_envelope(server: Daemon) -> None:
    """2 and 3: the content type is compared as a whole, the type of a result with what was expected."""
    types = {
        "/+api": "apiconfig", "/ann": "userconfig", "/ann/dev": "indexconfig", "/ann/dev/demo": "projectconfig",
        "/": "list:userconfig", "/ann/dev/demo/1.0": "versiondata", "/+status": "status",
    }  # fmt: skip
    assert {path: ask(server, path)["type"] for path in types} == types
    paths = (*types, "/nosuch", "/ann/nosuch", "/ann/dev/nosuch")
    found = {server.get(path, Accept="application/json").headers["content-type"] for path in paths}
    assert found == {"application/json"}
    assert ask(server, "/ann/dev/nosuch")["message"]


def test_success_of_an_upload_is_200_with_and_without_a_slash(server: Daemon, token: str) -> None:
    """4, 8 and 11: no redirect, which would lose the body; the token counts in either header."""
    for path in ("/ann/dev", "/ann/dev/"):
        for headers in (shown(token), basic("ann", token)):
            assert post(server, path, headers).status == 200


def test_the_api_is_told_at_three_levels(server: Daemon) -> None:
    """5 and 6: absolute URLs, no upload to a mirror, and the features that options of the client ask for."""
    for path in ("/+api", "/ann/+api", "/nosuch/+api"):
        assert sorted(ask(server, path)["result"]) == ["authstatus", "features", "login"]
    stage, mirror = (ask(server, f"/{index}/+api")["result"] for index in ("ann/dev", "root/pypi"))
    index = f"{server.url}/ann/dev"
    expected = {"login": f"{server.url}/+login", "index": index, "simpleindex": f"{index}/+simple/"}
    assert expected.items() <= stage.items()
    assert (stage["pypisubmit"], "pypisubmit" in mirror) == (f"{index}/", False)
    features = {"server-keyvalue-parsing", "push-no-docs", "push-only-docs", "push-register-project"}
    assert features <= set(stage["features"])
    assert server.get("/ann/nosuch/+api", Accept="application/json").status == 404


def test_push_is_a_method_of_its_own(server: Daemon, token: str) -> None:
    """7: and a POST with the same JSON is the same."""
    wanted = {"name": "demo", "version": "9", "targetindex": "ann/dev"}
    replies = [
        server.request(method, "/ann/dev", headers=shown(token), json_body=wanted) for method in ("PUSH", "POST")
    ]
    assert [(reply.status, reply.json()) for reply in replies] == [(400, replies[0].json())] * 2


def test_links_begin_with_the_index(server: Daemon) -> None:
    """9: `remove` and `list` compare them with the URL of the index."""
    (link,) = ask(server, "/ann/dev/demo")["result"]["1.0"]["+links"]
    assert link["href"].startswith(ask(server, "/ann/dev/+api")["result"]["index"] + "/+f/")


def test_bodies_where_none_is_needed(server: Daemon, token: str) -> None:
    """10: `use -l` sends one with GET, DELETE comes with the content type of JSON and no body."""
    kind = {"Content-Type": "application/json"}
    assert server.request("GET", "/", headers=kind, body=b"{}").status == 200
    headers = {**shown(token), **kind, "Content-Length": "0"}
    assert server.request("DELETE", "/ann/dev/nosuch", headers=headers).status == 404


@pytest.mark.parametrize("headers", [shown("bad"), basic("ann", "bad"), {"Authorization": "Basic ?"}])
def test_a_bad_credential_reads_as_nobody_and_writes_not(server: Daemon, headers: dict[str, str]) -> None:
    """11 and 12: 200 for reading, 401 without a Location for writing, and `+api` says that it is no login."""
    for path in ("/ann/dev/+simple/demo/", "/ann/dev", "/ann/dev/demo"):
        assert server.request("GET", path, headers=headers).status == 200
    refused = post(server, "/ann/dev/", headers)
    assert (refused.status, "location" in refused.headers) == (401, False)
    assert refused.headers["www-authenticate"].startswith("Basic ")
    assert server.request("GET", "/+api", headers=headers).json()["result"]["authstatus"][0] != "ok"


def test_pips_way_to_write_a_plus_and_a_refresh(server: Daemon) -> None:
    """13 and 14: `%2Bf` is `+f`; a refresh is a POST, a redirect, and 200."""
    (link,) = ask(server, "/ann/dev/demo")["result"]["1.0"]["+links"]
    assert server.get(link["href"].removeprefix(server.url).replace("+f", "%2Bf")).body == DATA
    refreshed = server.request("POST", "/ann/dev/+simple/demo/refresh")
    assert refreshed.status == 302
    assert server.get(refreshed.headers["location"].removeprefix(server.url)).status == 200
