"""From what an upstream sent to a Page: JSON (PEP 691) or HTML (PEP 503), judged as a page of one project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from localpi.errors import InvalidPage
from localpi.simple.read_html import read_html
from localpi.simple.read_json import read_json

if TYPE_CHECKING:
    from localpi.simple.model import Page
    from localpi.simple.names import ProjectName

MAX_BODY: Final = 64 * 1024 * 1024
"""The largest page that is looked at, in bytes; the largest on PyPI has 5."""

_READERS: Final = {
    "application/vnd.pypi.simple.v1+json": read_json,
    "application/vnd.pypi.simple.v1+html": read_html,
    "text/html": read_html,
}


def is_json(content_type: str) -> bool:
    """Say whether a page of this content type is the JSON form."""
    return media_type(content_type).endswith("+json")


def media_type(content_type: str) -> str:
    """Give a content type without its parameters, in lower case (RFC 9110, 8.3.1)."""
    return content_type.partition(";")[0].strip().lower()


def parse_page(body: bytes, content_type: str, project: ProjectName, url: str) -> Page:
    """Parse a page as it came from `url` (decoded, up to 64 MB), with the URLs of its files made absolute.

    Files with an unusable name or URL are left out, values that the PEPs do not allow too; keys that we do not know
    survive. Raises InvalidPage, and nothing else, when it is not a page of that project: the wrong content type, no
    JSON, another project's, a newer major version of the Simple API (PEP 629), over 200,000 files, HTML that neither
    links to a distribution of the project nor says that it is such a page.
    """
    reader = _READERS.get(media_type(content_type))
    if reader is None:
        raise InvalidPage(f"its content type is {content_type[:80]!r}")
    if len(body) > MAX_BODY:
        raise InvalidPage(f"it has {len(body):,} bytes; the limit is {MAX_BODY:,}")
    return reader(body, project, url)
