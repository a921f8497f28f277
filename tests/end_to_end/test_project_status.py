"""Projects that their index has archived, deprecated or put under quarantine (PEP 792), as clients meet them."""

from __future__ import annotations

from pathlib import Path

import pytest

from made.clients import pip_install, uv_install
from made.daemon import Daemon
from made.upstream import MadeUpstream
from made.wheels import make_wheel

NAME, DATA = make_wheel("acme", "1.0")
REASON = 'use "other" & be happy'
INSTALLS = (pip_install, uv_install)
FORMS = pytest.mark.parametrize("json", [True, False], ids=["json", "html"])


def html(daemon: Daemon, project: str) -> str:
    return daemon.get(f"/root/pypi/+simple/{project}/", Accept="application/vnd.pypi.simple.v1+html").body.decode()


@FORMS
def test_a_quarantined_project_offers_nothing(
    daemon: Daemon, upstream: MadeUpstream, tmp_path: Path, *, json: bool
) -> None:
    """Not what lies in the cache from before, nor without a network; it comes back when it is released."""
    upstream.json = json
    upstream.add(NAME, DATA)
    daemon.mirror("root/pypi", upstream.url, mirror_cache_expiry=0)
    assert uv_install(daemon.index_url, tmp_path / "before", "acme").returncode == 0
    upstream.statuses["acme"] = {"status": "quarantined", "reason": "malware"}
    page = daemon.page("acme")
    assert (page.status, page.json()["files"]) == (200, [])
    assert page.json()["project-status"] == upstream.statuses["acme"]
    assert 'name="pypi:project-status" content="quarantined"' in html(daemon, "acme")
    for install in INSTALLS:
        assert install(daemon.index_url, tmp_path / "refused", "acme").returncode != 0
        assert not (tmp_path / "refused" / "acme").exists()
    daemon.stop()
    daemon.start()
    upstream.refuse()
    assert daemon.page("acme").json()["files"] == []
    upstream.heal()
    upstream.statuses.clear()
    daemon.request("POST", "/+admin/offline", headers=daemon.owner, json_body={"mode": "off"})
    assert len(daemon.page("acme").json()["files"]) == 1


@FORMS
def test_other_statuses_go_through(daemon: Daemon, upstream: MadeUpstream, tmp_path: Path, *, json: bool) -> None:
    """The word and its reason reach the client, in both forms, and the projects install."""
    upstream.json = json
    statuses = ("archived", "deprecated", "active")
    for status in statuses:
        upstream.add(*make_wheel(f"the{status}", "1.0"))
        upstream.statuses[f"the{status}"] = {"status": status, "reason": REASON}
    for status in statuses:
        page = daemon.page(f"the{status}").json()
        assert page["project-status"] == {"status": status, "reason": REASON}
        assert len(page["files"]) == 1
        text = html(daemon, f"the{status}")
        assert f'name="pypi:project-status" content="{status}"' in text
        assert 'content="use &quot;other&quot; &amp; be happy"' in text
    for install in INSTALLS:
        target = tmp_path / install.__name__
        assert install(daemon.index_url, target, *(f"the{status}" for status in statuses)).returncode == 0
