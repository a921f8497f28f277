"""Uploads and removals over a socket: statuses, reason phrases, nothing left behind."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from made.served import multipart
from made.wheels import make_sdist, make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

    from made.served import Served
    from made.upstream import MadeUpstream

NAME, DATA = make_wheel("demo", "1.0")
FIELDS: Any = {"name": "demo", "version": "1.0", "filetype": "bdist_wheel", "metadata_version": "2.1"}


def stored(served: Served) -> int:
    """Count what lies in the folder of uploads, half files included."""
    return sum(path.is_file() for path in served.library.store.uploads.root.rglob("*"))


@pytest.mark.parametrize(
    ("headers", "owner", "status"),
    [
        ({}, False, 401),
        ({"Host": "evil.example"}, True, 421),
        ({"Origin": "https://evil.example"}, True, 403),
        ({"Authorization": "Basic eDp5"}, False, 401),
        ({}, True, 400),
    ],
)
def test_large_upload_of_a_stranger_gets_its_answer(
    served: Served, headers: dict[str, str], *, owner: bool, status: int
) -> None:
    """What is refused whatever is in it says so, and is not taken in before."""
    assert served.ask("POST", "/root/local/", headers, body=bytes(20_000_000), owner=owner).status == status


def test_large_upload_of_anyone_is_taken_where_anyone_may(served: Served) -> None:
    """The :ANONYMOUS: of devpi in acl_upload is an invitation."""
    name, data = make_wheel("demo", "2.0", filler=20_000_000)
    assert served.upload("/root/local/", name, data, owner=False, **FIELDS | {"version": "2.0"}).status == 401
    served.ask("PATCH", "/root/local", data=["acl_upload=:ANONYMOUS:"], owner=True)
    assert served.upload("/root/local/", name, data, owner=False, **FIELDS | {"version": "2.0"}).status == 200


@pytest.mark.parametrize("path", ["/root/local", "/root/local/"])
def test_an_upload_is_200_and_listed(served: Served, path: str) -> None:
    """With and without the final slash (devpi's client posts without), wheels and sdists."""
    digests: Any = {"sha256_digest": hashlib.sha256(DATA).hexdigest()}
    assert served.upload(path, NAME, DATA, **FIELDS, **digests).status == 200
    name, data = make_sdist("demo", "1.0")
    assert served.upload(path, name, data, name="demo", version="1.0", filetype="sdist").status == 200
    page = served.page("/root/local/+simple/demo/").json()
    assert {file["filename"]: file["size"] for file in page["files"]} == {NAME: len(DATA), name: len(data)}
    assert page["versions"] == ["1.0"]


def test_the_same_bytes_are_200_and_other_bytes_409(served: Served) -> None:
    """On a non-volatile index: identical is fine, different is refused with the way out; volatile replaces."""
    other_name, other = make_wheel("demo", "1.0", extra={"demo/more.py": b"x"})
    assert other_name == NAME
    assert served.ask("PATCH", "/root/local", data=["volatile=False"], owner=True).status == 200
    assert served.upload("/root/local/", NAME, DATA, **FIELDS).reason == "OK"
    same = served.upload("/root/local/", NAME, DATA, **FIELDS)
    assert (same.status, same.reason) == (200, "Upload of identical file.")
    refused = served.upload("/root/local/", NAME, other, **FIELDS)
    assert (refused.status, refused.reason) == (409, f"{NAME} already exists in non-volatile index")
    assert refused.json()["code"] == "file-exists"
    assert "volatile=true" in refused.json()["hint"]
    assert served.ask("PATCH", "/root/local", data=["volatile=True"], owner=True).status == 200
    assert served.upload("/root/local/", NAME, other, **FIELDS).status == 200
    assert stored(served) == 1


@pytest.mark.parametrize(
    ("changes", "filename", "content", "status"),
    [
        ({":action": "foo"}, NAME, DATA, 400),
        ({":action": "doc_upload"}, "demo.zip", b"no zip", 400),
        ({"version": "2.0"}, NAME, DATA, 400),
        ({"name": "other"}, NAME, DATA, 400),
        ({"name": "bad name!"}, NAME, DATA, 400),
        ({"sha256_digest": "0" * 64}, NAME, DATA, 400),
        ({"md5_digest": "0" * 32}, NAME, DATA, 400),
        ({}, "../demo-1.0-py3-none-any.whl", DATA, 400),
        ({}, "demo-1.0.foo", DATA, 400),
        ({}, NAME, b"no zip at all", 400),
        ({}, NAME, make_wheel("demo", "2.0")[1], 400),
        ({}, NAME, b"", 400),
        ({}, None, b"", 400),
    ],
)
def test_bad_uploads_are_refused_and_leave_nothing(
    served: Served, changes: dict[str, str], filename: str | None, content: bytes, status: int
) -> None:
    """The reason phrase says what is wrong (twine and uv show that alone), and no byte stays."""
    body, kind = multipart({":action": "file_upload", **FIELDS, **changes}, filename, content)
    reply = served.ask("POST", "/root/local/", {"Content-Type": kind}, body=body, owner=True)
    assert reply.status == status
    assert reply.reason == reply.json()["message"][:200]
    assert stored(served) == 0
    assert served.page("/root/local/+simple/demo/").status == 404


def test_a_registration_announces_a_release(served: Served) -> None:
    """Older clients announce a release first; from then on the project is the index's own, without a file."""
    body, kind = multipart({":action": "submit", **FIELDS}, None, b"")
    assert served.ask("POST", "/root/local/", {"Content-Type": kind}, body=body, owner=True).status == 200
    page = served.page("/root/local/+simple/demo/").json()
    assert (page["versions"], page["files"]) == ([], [])
    assert list(served.ask("GET", "/root/local/demo").json()["result"]) == ["1.0"]
    assert served.ask("DELETE", "/root/local/demo/1.0", owner=True).status == 200
    assert served.page("/root/local/+simple/demo/").status == 404


def test_devpi_server_announces_a_release_in_an_urlencoded_form(served: Served) -> None:
    """`devpi push … pypi:NAME --register-project` from a devpi-server; a file cannot come that way."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for action, status in (("submit", 200), ("file_upload", 400), ("", 400)):
        body = urlencode({":action": action, "name": "Told", "version": "1.0", "summary": "über"}).encode()
        assert served.ask("POST", "/root/local/", kind, body=body, owner=True).status == status
    assert served.ask("POST", "/root/local/", kind, body=b"%ff=%ff", owner=True).status == 400
    assert served.ask("POST", "/root/local/", kind, body=b":action=submit").status == 401
    assert served.ask("GET", "/root/local/told").json()["result"]["1.0"]["summary"] == "über"


def test_credentials_are_asked_for(served: Served) -> None:
    """Nobody: 401 with the challenge that clients wait for; a wrong password too; a mirror: 404 before all that."""
    reply = served.upload("/root/local/", NAME, DATA, owner=False, **FIELDS)
    assert (reply.status, reply.headers["www-authenticate"]) == (401, 'Basic realm="pypi"')
    assert "location" not in reply.headers
    body, kind = multipart({":action": "file_upload", **FIELDS}, NAME, DATA)
    wrong = served.ask("POST", "/root/local/", {"Content-Type": kind}, body=body, user=("root", "wrong"))
    assert wrong.status == 401
    mirror = served.upload("/root/pypi/", NAME, DATA, owner=False, **FIELDS)
    assert (mirror.status, mirror.reason) == (404, "cannot submit to mirror index")
    assert served.upload("/root/none/", NAME, DATA, **FIELDS).status == 404
    assert stored(served) == 0


def test_a_token_uploads_as_user_token(served: Served) -> None:
    """A token made by the owner is the password of __token__, in either header, and ends when revoked."""
    made = served.ask("POST", "/+admin/tokens", data={"scope": "upload"}, owner=True).json()
    body, kind = multipart({":action": "file_upload", **FIELDS}, NAME, DATA)
    user = ("__token__", made["token"])
    assert served.ask("POST", "/root/local/", {"Content-Type": kind}, body=body, user=user).status == 200
    devpi = {"X-Devpi-Auth": base64.b64encode(f"root:{made['token']}".encode()).decode(), "Content-Type": kind}
    assert served.ask("POST", "/root/local/", devpi, body=body).status == 200
    assert served.ask("DELETE", f"/+admin/tokens/{made['id']}", owner=True).status == 200
    assert served.ask("POST", "/root/local/", devpi, body=body).status == 401


def test_an_upload_beyond_the_limit_is_413(serve: Callable[..., Served]) -> None:
    """The limit of the site is told before the body is taken apart."""
    served = serve(max_upload=1000)
    reply = served.upload("/root/local/", NAME, DATA + b"x" * 1000, **FIELDS)
    assert (reply.status, reply.json()["code"]) == (413, "too-large")
    assert stored(served) == 0


def test_another_site_may_not_make_a_browser_upload(served: Served) -> None:
    """A multipart form needs no preflight: only the cross-site check stops it, whatever the credential."""
    body, kind = multipart({":action": "file_upload", **FIELDS}, NAME, DATA)
    headers = {"Content-Type": kind, "Sec-Fetch-Site": "cross-site"}
    assert served.ask("POST", "/root/local/", headers, body=body, owner=True).status == 403
    assert stored(served) == 0


def test_releases_and_projects_are_removed(served: Served) -> None:
    """Devpi's DELETE by release and by project, the name as typed, the version in any spelling that PEP 440 knows."""
    for version in ("1.0", "2.0", "3.0"):
        name, data = make_wheel("demo", version)
        served.upload("/root/local/", name, data, name="demo", version=version, filetype="bdist_wheel")
    assert served.ask("DELETE", "/root/local/Demo/9.9", owner=True).status == 404
    assert served.ask("DELETE", "/root/local/Demo/1.0").status == 401
    assert served.ask("DELETE", "/root/local/Demo/1", owner=True).status == 200
    assert served.page("/root/local/+simple/demo/").json()["versions"] == ["2.0", "3.0"]
    assert served.ask("PATCH", "/root/local", data=["volatile=False"], owner=True).status == 200
    assert served.ask("DELETE", "/root/local/demo/", owner=True).status == 403
    assert served.ask("DELETE", "/root/local/demo/?force=", owner=True).status == 200
    assert served.page("/root/local/+simple/demo/").status == 404
    assert stored(served) == 0


def test_a_release_is_yanked_and_taken_back(served: Served) -> None:
    """Yanked files stay listed, with the reason, until they are unyanked; hot pages follow at once."""
    served.upload("/root/local/", NAME, DATA, **FIELDS)
    release = {"index": "root/local", "project": "Demo", "version": "1.0"}
    for reason, shown in (("broken", "broken"), ("", True), (None, None)):
        assert served.ask("POST", "/+admin/yank", data={**release, "reason": reason}, owner=True).status == 200
        for _ in range(2):
            assert served.page("/root/local/+simple/demo/").json()["files"][0].get("yanked") == shown
    assert served.ask("POST", "/+admin/yank", data=release, owner=True).status == 400
    assert served.ask("POST", "/+admin/yank", data={**release, "reason": "x"}).status == 401


def test_releases_are_listed_as_devpis_client_reads_them(served: Served, upstream: MadeUpstream) -> None:
    """`devpi list` and `devpi remove`: absolute links that begin with the index URL of +api; bases may be ignored."""
    served.upload("/root/local/", NAME, DATA, **FIELDS)
    upstream.add(*make_wheel("demo", "5.0"))
    upstream.add(*make_wheel("only-there", "1.0"))
    found = served.ask("GET", "/root/local/demo/").json()
    index = served.ask("GET", "/root/local/+api").json()["result"]["index"]
    (link,) = found["result"]["1.0"].pop("+links")
    digest = hashlib.sha256(DATA).hexdigest()
    (entry,) = link.pop("log")
    assert (entry["what"], entry["who"], entry["dst"], len(entry["when"])) == ("upload", "root", "root/local", 6)
    assert link == {
        "rel": "releasefile",
        "href": f"{index}/+f/{digest[:3]}/{digest[3:16]}/{NAME}",
        "hashes": {"sha256": digest},
        "hash_spec": f"sha256={digest}",
    }
    set_ = {key: value for key, value in found["result"]["1.0"].items() if value}
    assert (found["type"], set_) == ("projectconfig", {"name": "demo", "version": "1.0", "metadata_version": "2.1"})
    assert served.ask("GET", "/root/local/demo/1.0").json()["type"] == "versiondata"
    missing = served.ask("GET", "/root/local/demo/9.9")
    assert (missing.status, missing.reason) == (404, "The version 9.9 of project demo does not exist.")
    assert list(served.ask("GET", "/root/local/only-there/").json()["result"]) == ["1.0"]
    assert served.ask("GET", "/root/local/only-there/?ignore_bases=").json()["result"] == {}
    redirect = served.ask("GET", "/root/local/Demo/?ignore_bases=", {"Accept": "application/json"})
    assert (redirect.status, redirect.headers["location"]) == (302, "/root/local/demo/?ignore_bases=")
