"""The settings that an index can have, for forms: devpi's keys and ours, each with its help. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """A line of a form."""

    key: str
    label: str
    help: str
    choices: tuple[str, ...] = ()
    """The words that it can be; none when it is free text. The first is what counts when it is not set."""
    secret: bool = False
    default: str = ""
    """What stands in the form at first."""
    needed: bool = False


YES_NO = ("", "true", "false")

COMMON = (
    Field("title", "Title", "A few words for lists."),
    Field("description", "Description", "What this index is for."),
    Field("custom_data", "Custom data", "Whatever your own scripts want to find here."),
)
STAGE = (
    Field("bases", "Bases", "Indexes that it inherits from, in the order they are asked: root/intranet,root/pypi."),
    Field("volatile", "Volatile", "true: an upload may replace a file of the same name. false: refused (409).",
          ("true", "false")),
    Field("resolution", "Resolution", "first: the first base that has a project answers. merge: the files of all.",
          ("first", "merge")),
    Field("acl_upload", "Who may upload", "Users, with commas; :ANONYMOUS: is everyone."),
    Field("acl_toxresult_upload", "Who may upload test results", "Users, with commas; :ANONYMOUS: is everyone."),
    Field("mirror_whitelist", "Mirror whitelist",
          "Projects that may come from mirrors although a stage has them; * is all. A risk: names can be hijacked."),
    Field("mirror_whitelist_inheritance", "Whitelist inheritance",
          "intersection: every stage on the way must allow it. union: one is enough.", ("intersection", "union")),
    *COMMON,
)  # fmt: skip
MIRROR = (
    Field("mirror_url", "Upstream", "The URL of its simple index: https://pypi.acme.example/simple/.", needed=True),
    Field("claims", "Claims", "Name patterns that belong to it alone, with commas: acme-*,corp-*."),
    Field("unseen", "Unseen names", "While it is away: next asks the next base for names it never had; hold waits.",
          ("next", "hold")),
    Field("mirror_cache_expiry", "Pages stay fresh", "Seconds; empty: as the upstream says; 0: ask every time."),
    Field("mirror_use_external_urls", "Pass through", "true: files that are not here are redirected, never stored.",
          YES_NO),
    Field("mirror_no_project_list", "No project list", "true: never ask for its list of all names.", YES_NO),
    Field("volatile", "Volatile", "true: the index may be deleted with what it has cached.", ("true", "false")),
    Field("mirror_web_url_fmt", "Web page", "Link to a project's page, with {name}: https://acme.example/p/{name}/."),
    Field("mirror_provides_core_metadata", "Offers metadata", "false: do not ask it for .metadata files.", YES_NO),
    Field("mirror_ignore_serial_header", "Ignore serials", "true: its X-PyPI-Last-Serial header means nothing.",
          YES_NO),
    *COMMON,
)  # fmt: skip

NAME = Field("name", "Name", "user/name: letters, digits, . _ -", default="root/", needed=True)
TYPE = Field("type", "Type", "stage: holds uploads. mirror: caches an upstream.", ("stage", "mirror"))


def fields_of(kind: str) -> tuple[Field, ...]:
    """Return the settings of an index of type `stage` or `mirror`."""
    return MIRROR if kind == "mirror" else STAGE
