"""A project page as a value: the PEP 691 dict, typed. HTML pages make the same one.

It stays a dict so that keys which later PEPs bring survive on their way through (simple indexes that model only what
they know drop project-status and provenance). Keys that begin with `_` are private to the server that sent them.
"""

from __future__ import annotations

from typing import Any, Final, TypedDict

File = TypedDict(
    "File",
    {
        # PEP 691: "The filename that is being represented."
        "filename": str,
        # PEP 691: "The URL that the file can be fetched from." Absolute after parse_page, our own path after link_page.
        "url": str,
        # PEP 691: "A dictionary mapping a hash name to a hex encoded digest of the file." May be empty.
        "hashes": dict[str, str],
        # PEP 691: "exposes the Requires-Python metadata field"
        "requires-python": str,
        # PEP 714: "either be a boolean ... or a dictionary mapping hash names to a hex encoded digest"
        "core-metadata": bool | dict[str, str],
        # PEP 691: "A boolean that acts as a boolean flag to indicate if the file has an associated GPG signature."
        "gpg-sig": bool,
        # PEP 592, 691: "either a boolean ... or a non empty, but otherwise arbitrary, string"
        "yanked": bool | str,
        # PEP 700: "an integer which is the file size in bytes"; mandatory from API 1.1
        "size": int,
        # PEP 700: "yyyy-mm-ddThh:mm:ss.ffffffZ"
        "upload-time": str,
        # PEP 740: "a fully qualified URL"
        "provenance": str,
    },
    total=False,
)
"""One distribution of a project."""


class ProjectStatus(TypedDict, total=False):
    """PEP 792: active, archived, quarantined or deprecated, and why."""

    status: str
    reason: str


Page = TypedDict(
    "Page",
    {
        # PEP 629: api-version, "Major.Minor"
        "meta": dict[str, Any],
        # PEP 691: "The normalized name of the project."
        "name": str,
        "files": list[File],
        # PEP 700: "MUST contain a list of version strings specifying all of the project versions uploaded"
        "versions": list[str],
        # PEP 792; its prose says `state`, its example, the living specification and PyPI say `status`
        "project-status": ProjectStatus,
    },
    total=False,
)
"""The page of one project."""

API_VERSION: Final = "1.4"
"""What we speak: PEP 792. HTML stays at it for ever (PEP 833)."""

HONEST_VERSION: Final = "1.0"
"""What a page says that lacks what PEP 700 demands: the size of a file, or the versions."""

FILE_KEYS: Final = frozenset(File.__annotations__)
PAGE_KEYS: Final = frozenset(Page.__annotations__)
