"""Print, as JSON, the indexes that pip is configured with and the pages of the projects named as arguments.

The pages come through pip's own session, so that its certificates, proxies, credentials and time-outs hold.
Runs in a process of its own: pip is no library, and what it leaves behind ends with the process.
"""

from __future__ import annotations

import base64
import contextlib
import json
import sys

from pip._internal.commands import create_command
from pip._internal.index.collector import LinkCollector
from pip._internal.models.link import Link

LARGEST_PAGE = 64_000_000


def main(names: list[str]) -> None:
    """Ask pip; pages that cannot be had are left out."""
    command = create_command("download")
    options, _ = command.parse_args(["--retries", "1", "--timeout", "20", "--quiet"])
    pages = {}
    with command.main_context():
        session = command.get_default_session(options)  # type: ignore[attr-defined]  # of its subclass for index commands
        collector = LinkCollector.create(session, options=options)
        for name in names:
            url = f"{options.index_url.rstrip('/')}/{name}/"
            # pip says why on its log; whatever it raises, the corpus then makes that page.
            with contextlib.suppress(Exception):
                page = collector.fetch_response(Link(url))
                if page is not None and len(page.content) <= LARGEST_PAGE:
                    body = base64.b64encode(page.content).decode()
                    pages[name] = {"content_type": page.content_type, "body": body}
    json.dump({"indexes": [options.index_url, *options.extra_index_urls], "pages": pages}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
