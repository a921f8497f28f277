"""Pushing on sockets: between stages, from a mirror, to elsewhere; what is attached comes along; all or nothing."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from localpi.index.permissions import OWNER
from made.served import Reply, Served, multipart
from made.upstream import MadeUpstream
from made.wheels import make_sdist, make_wheel

WHEEL, WHEEL_DATA = make_wheel("demo", "1.0", requires_python=">=3.8")
SDIST, SDIST_DATA = make_sdist("demo", "1.0")
RESULT = {"testenvs": {"py": {"test": [{"retcode": 0}]}}}


@pytest.fixture
def stages(served: Served) -> Served:
    """Make root/dev (volatile) with a release, its documentation and a test result, and root/stable (not volatile)."""
    served.library.registry.create(OWNER, "root/dev", {})
    served.library.registry.create(OWNER, "root/stable", {"volatile": False, "bases": ["root/dev"]})
    for name, data in ((WHEEL, WHEEL_DATA), (SDIST, SDIST_DATA)):
        upload(served, "root/dev", name, data)
    document(served, "root/dev")
    assert add_result(served, "root/dev", owner=False).status == 200
    return served


def upload(served: Served, index: str, name: str, data: bytes, **fields: str) -> None:
    made: dict[str, Any] = {"name": "demo", "version": "1.0", "summary": "Demonstrates", **fields}
    reply = served.upload(f"/{index}/", name, data, **made)
    assert reply.status == 200, reply


def document(served: Served, index: str, text: str = "<h1>demo</h1>", **fields: str) -> Reply:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.html"), text)
        archive.writestr(zipfile.ZipInfo("_static/style.css"), "h1 { color: red }")
    given = {":action": "doc_upload", "name": "demo", "version": "1.0", **fields}
    body, kind = multipart(given, "demo.zip", packed.getvalue())
    return served.ask("POST", f"/{index}/", {"Content-Type": kind}, body=body, owner=True)


def path_of(index: str, name: str, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    return f"/{index}/+f/{digest[:3]}/{digest[3:16]}/{name}"


def add_result(served: Served, index: str, *, owner: bool = True) -> Reply:
    return served.ask("POST", path_of(index, WHEEL, WHEEL_DATA), data=RESULT, owner=owner)


def push(served: Served, source: str = "root/dev", method: str = "PUSH", **changes: Any) -> Reply:
    asked = {"name": "demo", "version": "1.0", "targetindex": "root/stable", **changes}
    given = {key: value for key, value in asked.items() if value is not None}
    return served.ask(method, f"/{source}", {"Accept": "application/json"}, data=given, owner=True)


def links(served: Served, index: str, version: str = "1.0") -> list[dict[str, Any]]:
    reply = served.ask("GET", f"/{index}/demo/?ignore_bases=")
    found: list[dict[str, Any]] = reply.json()["result"][version]["+links"]
    return found


@pytest.mark.parametrize("method", ["PUSH", "POST"])
def test_a_release_is_pushed_with_all_that_belongs_to_it(stages: Served, method: str) -> None:
    """The same bytes, documentation, test results, and a log that says where they came from."""
    reply = push(stages, method=method)
    assert (reply.status, reply.json()["type"]) == (200, "actionlog")
    assert [action[1] for action in reply.json()["result"]] == [
        "register", "store_releasefile", "store_toxresult", "store_releasefile", "store_doczip",
    ]  # fmt: skip
    there = links(stages, "root/stable")
    assert sorted(link["rel"] for link in there) == ["doczip", "releasefile", "releasefile", "toxresult"]
    for link in there:
        assert [entry["what"] for entry in link["log"]] == ["upload", "push"]
        assert (link["log"][1]["src"], link["log"][1]["dst"]) == ("root/dev", "root/stable")
    assert stages.ask("GET", path_of("root/stable", WHEEL, WHEEL_DATA)).body == WHEEL_DATA
    page = stages.page("/root/stable/+simple/demo/").json()
    assert [file["filename"] for file in page["files"]] == [WHEEL, SDIST]
    assert page["files"][0]["requires-python"] == ">=3.8"
    assert stages.ask("GET", "/root/stable/demo/1.0").json()["result"]["summary"] == "Demonstrates"


def test_parts_can_be_left_out(stages: Served) -> None:
    """`no_docs` and `only_docs`, as `devpi push --no-docs` and `--only-docs` send them."""
    assert push(stages, no_docs=True, only_docs=True).status == 400
    assert push(stages, only_docs=True).status == 200
    assert [link["rel"] for link in links(stages, "root/stable")] == ["doczip"]
    assert push(stages, no_docs=True).status == 200
    assert push(stages, only_docs=True).status == 409


def test_a_push_that_conflicts_changes_nothing(stages: Served) -> None:
    """One file is there already: 409 with the command that would work, and not even the metadata is touched."""
    other = make_sdist("demo", "1.0", extra={"demo/more.py": b"more = 1\n"})
    upload(stages, "root/stable", *other, summary="another")
    before = stages.ask("GET", "/root/stable/demo/?ignore_bases=").json()
    serial = stages.library.serial()
    reply = push(stages)
    assert (reply.status, reply.reason) == (409, "Conflict")
    assert reply.json()["message"] == f"{SDIST} already exists in non-volatile index"
    assert reply.json()["hint"].endswith("localpi index set root/stable volatile=true")
    assert stages.ask("GET", "/root/stable/demo/?ignore_bases=").json() == before
    assert stages.library.serial() == serial
    assert stages.library.check() == ()


def test_a_volatile_target_is_overwritten(stages: Served) -> None:
    """What is replaced is counted in the log, and its bytes go when nobody else has them."""
    stages.library.registry.modify(OWNER, "root/stable", {"volatile": True})
    name, data = make_wheel("demo", "1.0", extra={"demo/more.py": b"more = 1\n"})
    upload(stages, "root/stable", name, data)
    assert push(stages).status == 200
    assert push(stages).status == 200
    wheel = next(link for link in links(stages, "root/stable") if link["href"].endswith(".whl"))
    assert [entry["what"] for entry in wheel["log"]] == ["overwrite", "upload", "push"]
    assert wheel["log"][0]["count"] == 2
    assert stages.ask("GET", path_of("root/stable", name, data)).status == 410
    assert stages.library.check(deep=True) == ()


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"version": "9"}, 400, "there are no files for demo 9 on stage root/dev"),
        ({"name": "nosuch"}, 400, "there are no files for nosuch 1.0 on stage root/dev"),
        ({"version": None}, 400, "there are no files for demo None on stage root/dev"),
        ({"targetindex": "stable"}, 400, "targetindex not in format user/index"),
        ({"targetindex": "root/nosuch"}, 404, "The stage root/nosuch could not be found."),
        ({"targetindex": "root/pypi"}, 401, "user 'root' cannot upload to 'root/pypi'"),
        ({"foo": 1}, 400, "unknown additional options: foo"),
        ({"targetindex": None}, 400, "a push needs a targetindex or a posturl"),
        ({"targetindex": None, "posturl": "file:///etc/passwd"}, 400, "the posturl of a push is an http or https URL"),
    ],
)
def test_refusals_have_devpis_statuses(stages: Served, changes: dict[str, Any], status: int, message: str) -> None:
    """Each says what is wrong; nothing is pushed."""
    reply = push(stages, **changes)
    assert (reply.status, reply.json()["message"]) == (status, message)
    assert "demo" not in stages.library.pages.own_names("root/stable")


def test_an_inherited_release_is_pushed_from_where_it_is(stages: Served) -> None:
    """Only the very source index counts."""
    stages.library.registry.create(OWNER, "root/prod", {})
    assert push(stages, source="root/stable", targetindex="root/prod").status == 400


def test_who_may_not_upload_there_may_not_push_there(stages: Served) -> None:
    """Devpi's 401, for those who are known as well."""
    asked = {"name": "demo", "version": "1.0", "targetindex": "root/stable"}
    reply = stages.ask("PUSH", "/root/dev", data=asked)
    assert (reply.status, reply.json()["message"]) == (401, "user None cannot upload to 'root/stable'")
    assert "location" not in reply.headers


def test_a_mirrors_release_is_fetched_and_pushed(served: Served, upstream: MadeUpstream) -> None:
    """All files of it, checked; a worker is not held meanwhile, and what is away is said."""
    served.library.registry.create(OWNER, "root/stable", {"volatile": False})
    upstream.add(WHEEL, WHEEL_DATA)
    upstream.add(SDIST, SDIST_DATA)
    reply = push(served, source="root/pypi")
    assert (reply.status, len(reply.json()["result"])) == (200, 3)
    assert served.ask("GET", path_of("root/stable", SDIST, SDIST_DATA)).body == SDIST_DATA
    (log,) = [link["log"] for link in links(served, "root/stable") if link["href"].endswith(".whl")]
    assert [entry["what"] for entry in log] == ["push"]
    assert "core-metadata" in served.page("/root/stable/+simple/demo/").json()["files"][0]
    assert push(served, source="root/pypi").status == 409
    assert push(served, source="root/pypi", version="9").status == 400
    assert served.library.check(deep=True) == ()


def test_a_release_is_uploaded_to_an_index_elsewhere(stages: Served, serve: Callable[..., Served]) -> None:
    """The other side gets a form as twine sends it; its refusals come back, and then nothing more is sent."""
    other = serve()
    other.library.registry.create(OWNER, "root/target", {})
    token = other.ask("POST", "/+admin/tokens", data={"scope": "upload"}, owner=True).json()["token"]
    url = f"http://127.0.0.1:{other.address[1]}/root/target/"
    sent = {"targetindex": None, "posturl": url, "username": "__token__", "password": token}
    reply = push(stages, **sent, register_project=True)
    assert (reply.status, [action[:2] for action in reply.json()["result"]]) == (
        200, [[200, "register"], [200, "upload"], [200, "upload"], [200, "docfile"]],
    )  # fmt: skip
    assert sorted(link["rel"] for link in links(other, "root/target")) == ["doczip", "releasefile", "releasefile"]
    refused = push(stages, **{**sent, "password": "wrong"})
    assert (refused.status, len(refused.json()["result"])) == (502, 1)
    assert refused.json()["result"][0][:2] == [401, "upload"]
    assert "wrong" not in refused.body.decode()
    away = push(stages, **{**sent, "posturl": "http://127.0.0.1:1/"})
    assert (away.status, away.json()["result"][0][0]) == (502, -1)


def test_documentation_is_served(stages: Served) -> None:
    """Pages under +d/ and +doc/, also of `latest`; in a sandbox, since it is somebody else's HTML."""
    for area in ("+d", "+doc"):
        for version in ("1.0", "latest", "stable"):
            page = stages.ask("GET", f"/root/dev/demo/{version}/{area}/")
            assert (page.status, page.body) == (200, b"<h1>demo</h1>")
            assert "sandbox" in page.headers["content-security-policy"]
    style = stages.ask("GET", "/root/dev/demo/1.0/+d/_static/style.css")
    assert (style.headers["content-type"], style.body[:2]) == ("text/css; charset=utf-8", b"h1")
    again = stages.ask("GET", "/root/dev/demo/1.0/+d/", {"If-None-Match": page.headers["etag"]})
    assert again.status == 304
    assert stages.ask("HEAD", "/root/dev/demo/1.0/+d/").status == 200
    assert stages.ask("GET", "/root/dev/demo/1.0/+d").headers["location"] == "/root/dev/demo/1.0/+d/"
    for path in ("demo/1.0/+d/nosuch", "demo/2.0/+d/", "demo/1.0/+d/_static/", "nosuch/1.0/+d/", "demo/1.0/+d/../x"):
        assert stages.ask("GET", f"/root/dev/{path}").status == 404


def test_documentation_without_a_version_is_that_of_the_newest(stages: Served) -> None:
    """And of nothing, where there is nothing; a volatile index replaces it."""
    assert document(stages, "root/dev", "<h1>new</h1>", version="").status == 200
    assert stages.ask("GET", "/root/dev/demo/1.0/+d/").body == b"<h1>new</h1>"
    reply = document(stages, "root/dev", name="nodoc", version="")
    assert (reply.status, reply.reason) == (
        400, "doczip has no version and 'nodoc' has no releases to derive one from",
    )  # fmt: skip
    assert document(stages, "root/dev", name="nodoc", version="0.1").status == 200
    assert list(stages.ask("GET", "/root/dev/nodoc").json()["result"]) == ["0.1"]
    assert stages.library.check(deep=True) == ()


def test_test_results_lie_beside_their_file(stages: Served) -> None:
    """What was posted comes back byte for byte; it goes with its file; whoever may not gets devpi's sentence."""
    made = add_result(stages, "root/dev").json()
    assert made["type"] == "toxresultpath"
    path, _, digest = made["result"].partition("#sha256=")
    body = stages.ask("GET", f"/{path}").body
    assert (json.loads(body), hashlib.sha256(body).hexdigest()) == (RESULT, digest)
    found = [link for link in links(stages, "root/dev") if link["rel"] == "toxresult"]
    assert [link["for_href"].rpartition("/")[2] for link in found] == [WHEEL, WHEEL]
    bad = stages.ask("POST", path_of("root/dev", WHEEL, WHEEL_DATA), {"Content-Type": "application/json"}, body=b"{")
    assert bad.status == 400
    assert stages.ask("POST", path_of("root/dev", WHEEL, b"x"), data=RESULT).status == 404
    stages.library.registry.modify(OWNER, "root/dev", {"acl_toxresult_upload": ["root"]})
    refused = add_result(stages, "root/dev", owner=False)
    assert (refused.status, refused.json()["message"][:39]) == (403, "No permission to upload tox results. Yo")
    assert stages.ask("DELETE", path_of("root/dev", WHEEL, WHEEL_DATA), owner=True).status == 200
    assert stages.ask("GET", f"/{path}").status == 404
    assert stages.library.check(deep=True) == ()


def test_deleting_leaves_what_others_have(stages: Served) -> None:
    """Bytes that two indexes share stay with the one that is left; then all of them go."""
    assert push(stages).status == 200
    assert stages.ask("DELETE", "/root/dev/demo/", owner=True).status == 200
    assert stages.ask("GET", path_of("root/dev", WHEEL, WHEEL_DATA)).status == 410
    assert stages.ask("GET", path_of("root/stable", WHEEL, WHEEL_DATA)).body == WHEEL_DATA
    assert stages.ask("GET", "/root/stable/demo/1.0/+d/").status == 200
    assert stages.ask("DELETE", "/root/stable/demo/?force=", owner=True).status == 200
    assert list(stages.library.store.uploads.all()) == []


def test_the_same_version_of_a_base_is_shadowed(stages: Served) -> None:
    """The first index in the order wins; the others stand under +shadowing."""
    assert push(stages).status == 200
    release = stages.ask("GET", "/root/stable/demo/").json()["result"]["1.0"]
    assert all("/root/stable/" in link["href"] for link in release["+links"])
    (shadowed,) = release["+shadowing"]
    assert all("/root/dev/" in link["href"] for link in shadowed["+links"])


def test_a_file_tells_of_itself_in_json(stages: Served) -> None:
    """Who asks for JSON gets devpi's releasefilemeta, before and after the file is hot; everyone else the file."""
    path = path_of("root/dev", WHEEL, WHEEL_DATA)
    for _ in range(2):
        said = stages.ask("GET", path, {"Accept": "application/json"}).json()
        digest = hashlib.sha256(WHEEL_DATA).hexdigest()
        assert said["type"] == "releasefilemeta"
        assert said["result"].pop("last_modified").endswith("GMT")
        assert said["result"] == {
            "project": "demo", "version": "1.0", "hash_spec": f"sha256={digest}", "hashes": {"sha256": digest},
        }  # fmt: skip
        assert stages.ask("GET", path).body == WHEEL_DATA


def test_pages_and_files_that_are_ready_have_the_serial_of_now(stages: Served) -> None:
    """The same request again, from the hot bytes: its serial is not that of the first time."""
    for path in ("/root/dev/+simple/demo/", stages.page("/root/dev/+simple/demo/").json()["files"][0]["url"]):
        first = [stages.page(path).headers["x-devpi-serial"] for _ in range(2)]
        assert first[0] == first[1]
        assert stages.ask("PUT", f"/root/new{len(path)}", data={}, owner=True).status == 200
        before = int(first[0])
        upload = stages.upload("/root/dev/", *make_wheel(f"other{len(path)}", "1.0"), name=f"other{len(path)}",
                               version="1.0", filetype="bdist_wheel")  # fmt: skip
        assert upload.status == 200
        assert int(stages.page(path).headers["x-devpi-serial"]) == before + 2


def test_serials_go_up_and_access_is_checked(stages: Served, serve: Callable[..., Served]) -> None:
    """X-Devpi-Serial on every answer; +authcheck for a proxy in front."""
    before = int(stages.ask("GET", "/root/dev").headers["x-devpi-serial"])
    upload(stages, "root/dev", *make_wheel("demo", "2.0"), version="2.0")
    assert int(stages.ask("GET", "/root/dev").headers["x-devpi-serial"]) == before + 1
    asked = {"X-Original-URI": "/root/dev/+simple/demo/"}
    assert stages.ask("GET", "/+authcheck", asked).status == 200
    assert stages.ask("GET", "/+authcheck", {"X-Original-URI": "/a/b/c/d/e/f"}).status == 403
    closed = serve(reading_open=False)
    assert closed.ask("GET", "/+authcheck", asked).status == 401
    assert closed.ask("GET", "/+authcheck", asked, owner=True).status == 200
