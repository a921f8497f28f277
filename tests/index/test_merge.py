"""Several pages of one project as one."""

from __future__ import annotations

from localpi.index.merge import merge_pages
from localpi.simple.model import Page


def page(index: str, *filenames: str, versions: list[str] | None = None) -> Page:
    made: Page = {
        "meta": {"api-version": "1.4"},
        "name": "x",
        "files": [{"filename": name, "url": f"/{index}/{name}", "hashes": {}} for name in filenames],
    }
    if versions is not None:
        made["versions"] = versions
    return made


def test_the_first_page_wins_per_file_name() -> None:
    """Later pages only add file names; versions are united in order."""
    merged = merge_pages([page("a", "x-1.whl", versions=["1"]), page("b", "x-1.whl", "x-2.whl", versions=["1", "2"])])
    assert merged == {
        "meta": {"api-version": "1.4"},
        "name": "x",
        "files": [
            {"filename": "x-1.whl", "url": "/a/x-1.whl", "hashes": {}},
            {"filename": "x-2.whl", "url": "/b/x-2.whl", "hashes": {}},
        ],
        "versions": ["1", "2"],
    }


def test_versions_are_left_out_when_a_page_has_none() -> None:
    """A page whose versions are not known makes those of the whole unknown."""
    assert "versions" not in merge_pages([page("a", "x-1.whl", versions=["1"]), page("b", "x-2.whl")])
