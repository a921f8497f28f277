"""What `why` says of a base."""

from __future__ import annotations

from localpi.index.why import FileFate, versions_of


def test_versions_ascend_whatever_the_order_of_the_page() -> None:
    """Pages are often sorted as text; what is not shown, or names no version, does not count."""
    names = ("a-1.10.tar.gz", "a-1.9.tar.gz", "a-1.10rc1-py3-none-any.whl", "a-1.10-py3-none-any.whl", "a.exe")
    fates = [FileFate(name, shown=True, rule="") for name in names]
    fates.append(FileFate("a-2.0.tar.gz", shown=False, rule="not here (offline view)"))
    assert versions_of(fates) == ("1.9", "1.10rc1", "1.10")
