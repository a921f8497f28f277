"""devpi's API, the front page, health, the admin API and what every answer carries."""

from __future__ import annotations

import base64
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest

from localpi.web.api import FEATURES
from localpi.web.app import create_app
from localpi.web.outside import root_url
from made.served import SECRET, SITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from localpi.index.library import Library
    from made.served import Served
    from made.upstream import MadeUpstream

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def url(served: Served) -> str:
    """Return the root as the test's client calls it."""
    return root_url({"HTTP_HOST": f"127.0.0.1:{served.address[1]}"}, "")


@pytest.mark.parametrize("path", ["/+api", "/root/+api", "/nobody/+api", "/root/local/+api", "/root/pypi/+api"])
def test_api_says_where_things_are(served: Served, path: str) -> None:
    """Absolute URLs at three levels; a mirror takes no uploads; the features that devpi's client asks for."""
    root = url(served)
    expected: dict[str, Any] = {
        "login": f"{root}/+login",
        "authstatus": ["noauth", "", []],
        "features": list(FEATURES),
    }
    if path.count("/") == 3:
        index = path.removesuffix("/+api")
        expected |= {"index": root + index, "simpleindex": f"{root}{index}/+simple/"}
    if "local" in path:
        expected["pypisubmit"] = f"{root}/root/local/"
    reply = served.ask("GET", path)
    assert reply.json() == {"result": expected, "type": "apiconfig"}
    assert reply.headers["content-type"] == "application/json"


def test_api_of_an_unknown_index_is_devpis_404(served: Served) -> None:
    """The sentence is devpi's."""
    reply = served.ask("GET", "/bob/dev/+api")
    assert (reply.status, reply.json()["message"]) == (404, "The stage bob/dev could not be found.")


def test_a_proxy_changes_the_urls(served: Served) -> None:
    """X-Outside-Url is the root of every absolute URL."""
    result = served.ask("GET", "/root/local/+api", {"X-Outside-Url": "https://p.example/x/"}).json()["result"]
    assert (result["login"], result["pypisubmit"]) == ("https://p.example/x/+login", "https://p.example/x/root/local/")


def test_login_gives_a_token_that_works(served: Served) -> None:
    """Devpi's login: the token is a password for both headers; a new password ends it."""
    assert served.ask("POST", "/+admin/users/root/password", data={"password": "pw"}, owner=True).status == 200
    reply = served.ask("POST", "/+login", data={"user": "root", "password": "pw"})
    found = reply.json()
    assert (reply.status, found["type"], found["message"]) == (200, "proxyauth", "login successful")
    assert found["result"]["expiration"] == 36000
    auth = {"X-Devpi-Auth": base64.b64encode(f"root:{found['result']['password']}".encode()).decode()}
    assert served.ask("GET", "/+api", auth).json()["result"]["authstatus"] == ["ok", "root", []]
    assert served.ask("PUT", "/bob", auth, data={"password": "x"}).status == 201
    served.ask("POST", "/+admin/users/root/password", data={"password": "new"}, owner=True)
    assert served.ask("GET", "/+api", auth).json()["result"]["authstatus"][0] != "ok"
    assert served.ask("GET", "/", auth).status == 200


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b'{"user": "root", "password": "wrong"}', 401, "user 'root' could not be authenticated"),
        (b'{"user": "root"}', 400, "Bad request: no user/password specified"),
        (b"{broken", 400, "Bad request: could not decode json"),
        (b"", 400, "Bad request: could not decode json"),
        (b"[1]", 400, "a JSON object is needed"),
        (b'{"user": "' + b"x" * 1_100_000 + b'"}', 400, "JSON bodies have at most 1,048,576 bytes"),
    ],
)
def test_bad_logins_say_why(served: Served, body: bytes, status: int, message: str) -> None:
    """Devpi's sentences, and never a Location, which would make its client drop the stored token."""
    reply = served.ask("POST", "/+login", {"Content-Type": "application/json"}, body=body)
    assert (reply.status, reply.json()["message"]) == (status, message)
    assert "location" not in reply.headers


def test_forms_of_browsers_are_not_taken_for_json(served: Served) -> None:
    """What a page of another site can send without a preflight is no JSON."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        reply = served.ask("PUT", "/eve", {"Content-Type": kind}, body=b'{"password": "x"}', owner=True)
        assert (reply.status, "application/json" in reply.json()["message"]) == (400, True)


def test_users_as_devpis_client_manages_them(served: Served) -> None:
    """PUT 201, GET, PATCH, DELETE; creating is root's unless registration is open."""
    assert served.ask("PUT", "/alice", data={"password": "123"}).status == 403
    reply = served.ask("PUT", "/alice", data={"password": "123", "email": "a@example.com"}, owner=True)
    assert (reply.status, reply.json()["type"]) == (201, "userconfig")
    assert served.ask("PUT", "/alice", data={"password": "123"}, owner=True).status == 409
    alice = ("alice", "123")
    found = served.ask("GET", "/alice").json()["result"]
    assert {key: found[key] for key in ("username", "email", "indexes")} == {
        "username": "alice",
        "email": "a@example.com",
        "indexes": {},
    }
    changed = served.ask("PATCH", "/alice", data={**found, "title": "Al"}, user=alice)
    assert changed.json() == {"message": "user updated"}
    renewed = served.ask("PATCH", "/alice", data={"password": "456"}, user=alice).json()
    assert (renewed["type"], renewed["message"]) == ("userpassword", "user updated, new proxy auth")
    assert served.ask("PATCH", "/alice", data={"title": "x"}, user=alice).status == 403
    alice = ("alice", renewed["result"]["password"])
    assert served.ask("DELETE", "/alice", user=alice).json() == {"message": "user 'alice' deleted"}
    assert served.ask("GET", "/alice").json()["message"] == "no user 'alice'"


def test_indexes_as_devpis_client_manages_them(served: Served) -> None:
    """PUT 200, PATCH by a list or an object, GET with and without projects, DELETE 201."""
    made = served.ask("PUT", "/root/dev", data={"bases": "root/pypi", "volatile": "False"}, owner=True)
    assert (made.status, made.json()["type"], made.json()["result"]["bases"]) == (200, "indexconfig", ["root/pypi"])
    assert served.ask("PUT", "/root/dev", data={}, owner=True).status == 409
    assert served.ask("PUT", "/root/dev2", data={"bases": "no/such"}, owner=True).status == 400
    changed = served.ask("PATCH", "/root/dev", data=["bases+=root/local", "title=Hi there"], owner=True).json()
    assert (changed["result"]["bases"], changed["result"]["title"]) == (["root/pypi", "root/local"], "Hi there")
    wrapped = {"type": "indexconfig", "result": {"title": "Other"}}
    assert served.ask("PATCH", "/root/dev", data=wrapped, owner=True).json()["result"]["title"] == "Other"
    assert served.ask("PATCH", "/root/dev", data=[1], owner=True).status == 400
    assert served.ask("PATCH", "/root/dev?error_on_noop=", data=["title=Other"], owner=True).status == 400
    assert served.ask("GET", "/root/dev").json()["result"]["projects"] == []
    assert "projects" not in served.ask("GET", "/root/dev?no_projects=").json()["result"]
    assert served.ask("DELETE", "/root/dev", owner=True).status == 403
    served.ask("PATCH", "/root/dev", data=["volatile=True"], owner=True)
    gone = served.ask("DELETE", "/root/dev", owner=True)
    assert (gone.status, gone.json()) == (201, {"message": "index root/dev deleted"})
    assert served.ask("GET", "/root/dev").status == 404


def test_the_front_is_a_page_for_browsers_and_json_for_others(served: Served) -> None:
    """A browser sees version, index URLs, states and the wiring line; everyone else devpi's list of users."""
    page = served.ask("GET", "/", BROWSER)
    text = page.body.decode()
    index_url = f"{url(served)}/root/local/+simple/"
    for part in ("9.9", index_url, "localpi wire-pip", "root/pypi", "PIP_INDEX_URL"):
        assert part in text
    assert "<script" not in text
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        listed = served.ask("GET", "/", headers).json()
        assert (listed["type"], sorted(listed["result"]["root"]["indexes"])) == ("list:userconfig", ["local", "pypi"])


def test_the_page_of_an_index_says_how_it_is_used(served: Served) -> None:
    """The lines to paste, and links to what it inherits from; a mirror takes no uploads."""
    stage = served.ask("GET", "/root/local", BROWSER).body.decode()
    mirror = served.ask("GET", "/root/pypi", BROWSER).body.decode()
    assert f"pip install --index-url {url(served)}/root/local/+simple/ NAME" in stage
    assert f"twine upload --repository-url {url(served)}/root/local/ " in stage
    assert 'root/local → <a href="/root/pypi/">root/pypi</a>' in stage
    assert ("Use it" in mirror, "twine upload" in mirror, "in this order" in mirror) == (True, False, False)


def test_what_users_write_is_escaped(served: Served) -> None:
    """Titles go into pages as text."""
    served.ask("PATCH", "/root/local", data={"title": "<img src=x onerror=alert(1)>"}, owner=True)
    page = served.ask("GET", "/root/local", BROWSER).body
    assert b"<img" not in page
    assert b"&lt;img" in page


def test_errors_are_pages_for_browsers(served: Served) -> None:
    """A person gets a sentence and what helps, a program JSON with a code."""
    page = served.ask("GET", "/root/none", BROWSER)
    assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert b"localpi index list" in page.body
    assert served.ask("GET", "/root/none").json() == {
        "message": "The stage root/none could not be found.",
        "code": "index-not-found",
        "hint": "localpi index list",
    }


def test_health_says_how_bases_are(served: Served, upstream: MadeUpstream) -> None:
    """200 whatever the bases do; the state and the reason of each."""
    found = served.ask("GET", "/+health").json()
    assert (found["status"], found["version"]) == ("ok", "9.9")
    assert [(base["index"], base["state"]) for base in found["bases"]] == [("root/pypi", "ok")]
    upstream.refuse()
    served.page("/root/local/+simple/demo/")
    until = time.monotonic() + 20
    while (ill := served.ask("GET", "/+health")).json()["status"] != "degraded":  # once a probe has confirmed it
        assert (ill.status, time.monotonic() < until) == (200, True), ill
    assert (ill.status, ill.json()["bases"][0]["state"]) == (200, "down")


def test_the_admin_api_is_for_root_and_the_owner(served: Served) -> None:
    """Nobody and other users are kept out of every admin URL."""
    served.ask("PUT", "/alice", data={"password": "123"}, owner=True)
    for method, path in (("GET", "/status"), ("GET", "/check"), ("GET", "/tokens"), ("POST", "/tokens")):
        assert served.ask(method, f"/+admin{path}").status == 401
        assert served.ask(method, f"/+admin{path}", user=("alice", "123")).status == 403
        wrong = {"Authorization": "Bearer wrong"}
        assert served.ask(method, f"/+admin{path}", wrong).status == 401
    status = served.ask("GET", "/+admin/status", owner=True).json()
    assert {"version", "pid", "serial", "bases", "cache", "hot"} <= set(status)
    assert served.ask("GET", "/+admin/check", owner=True).json() == {"problems": []}


def test_hosts_that_were_refused_are_told_to_the_owner(served: Served) -> None:
    """What a container calls this machine may be a name that nobody has allowed yet."""
    assert served.ask("GET", "/+health", {"Host": "pypi.home:3141"}).status == 421
    found = served.ask("GET", "/+admin/status", owner=True).json()["refused_hosts"]
    assert found == [{"host": "pypi.home", "count": 1, "ago_s": 0}]


def test_tokens_are_listed_without_their_secrets(served: Served) -> None:
    """A token is shown once; what is listed proves nothing."""
    made = served.ask("POST", "/+admin/tokens", data={"index": "root/local", "expires_s": 60}, owner=True)
    assert (made.status, made.headers["cache-control"]) == (201, "no-store")
    listed = served.ask("GET", "/+admin/tokens", owner=True).json()["tokens"]
    assert [(row["id"], row["index"], row["scope"]) for row in listed] == [(made.json()["id"], "root/local", "upload")]
    assert made.json()["token"] not in str(listed)
    for bad in ({"scope": "all"}, {"index": "no/such"}, {"expires_s": "x"}, {"expires_s": True}, {"user": 1}):
        assert served.ask("POST", "/+admin/tokens", data=bad, owner=True).status == 400


@pytest.mark.parametrize("path", ["/+api", "/nowhere/at/all/really", "/root/local/+simple/", "/"])
def test_every_answer_carries_devpis_version(served: Served, path: str) -> None:
    """Devpi's client refuses servers without it; browsers are told not to guess."""
    headers = served.ask("GET", path).headers
    assert (headers["x-devpi-api-version"], headers["x-devpi-server-version"]) == ("2", "9.9")
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("hot", [False, True])
def test_a_strange_host_is_421_cold_and_hot(served: Served, hot: bool) -> None:
    """DNS rebinding ends at the guard, in front of the hot bytes too; the answer names the command."""
    if hot:
        served.ask("PUT", "/root/dev", data={}, owner=True)
        for _ in range(3):
            served.page("/root/local/+simple/")
    reply = served.page("/root/local/+simple/", Host="evil.example:3141")
    assert (reply.status, reply.json()["hint"]) == (421, "localpi config set allowed_hosts+=evil.example")


def test_reading_needs_a_credential_off_loopback(serve: Callable[..., Served]) -> None:
    """On other listeners only +health and +api are open; a valid credential reads, hot answers stay guarded."""
    served = serve(reading_open=False)
    for path in ("/", "/root/local/+simple/", "/root/local", "/+status"):
        reply = served.ask("GET", path)
        assert (reply.status, "www-authenticate" in reply.headers) == (401, True)
        assert served.ask("GET", path, owner=True).status == 200
        assert served.ask("GET", path).status == 401
    assert served.ask("GET", "/+health").status == 200
    assert served.ask("GET", "/root/local/+api").status == 200
    assert served.ask("POST", "/root/local/+simple/x/refresh").status == 401


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "/", 405), ("PUT", "/", 405), ("GET", "/a/b/c/d/e", 404)]
)
def test_what_does_not_exist_says_so(served: Served, method: str, path: str, status: int) -> None:
    """Unknown URLs and methods are JSON as everything else."""
    reply = served.ask(method, path)
    assert reply.status == status
    assert reply.json()["message"]


def test_a_fault_is_one_log_line_with_an_id(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected error never shows a traceback: the client gets the id that the log line has."""
    application = create_app(library, SITE)
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    library.store.close()  # everything below breaks now
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/root",
        "SERVER_NAME": "x",
        "SERVER_PORT": "1",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        "HTTP_AUTHORIZATION": f"Bearer {SECRET}",
    }
    with caplog.at_level(logging.ERROR):
        body = b"".join(application(environ, lambda status, headers: begun.append((status, headers)))).decode()
    assert begun[0][0] == "500 Internal error"
    assert "Traceback" not in body
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1
    assert "\n" not in lines[0]
    assert lines[0].split()[1].rstrip(":") in body
    assert SECRET not in lines[0]
