"""localpi, from this checkout, in a virtual environment of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import HOST, BenchmarkError, fetch
from benchmarks.servers import InVenv, run_setup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CHECKOUT = Path(__file__).resolve().parents[2]


class Localpi(InVenv):
    """localpi with its defaults: pages through root/local, whose base is the mirror root/pypi."""

    name = "localpi"
    health = "/+health"
    requirements = (str(CHECKOUT),)

    def prepare(self, say: Callable[[str], None]) -> None:
        """Make the environment once, and put the checkout as it is now into it each time."""
        super().prepare(say)
        run_setup([*self.pip_install(), "--no-deps", "--force-reinstall", *self.requirements])

    def version(self) -> str:
        """Give its version."""
        return self.installed("localpi")

    def command(self) -> Sequence[str]:
        """Run the daemon in the foreground."""
        return (self.script("localpi"), "serve", "--host", HOST, "--port", str(self.port))

    def environ(self, upstream: str) -> dict[str, str]:
        """Put all its files below `home`."""
        return super().environ(upstream) | {"LOCALPI_HOME": str(self.home)}

    def point(self, upstream: str) -> None:
        """Change the mirror's address, as the owner."""
        secret = (self.home / "data" / "owner.secret").read_text(encoding="utf-8").strip()
        headers = {"Accept": "application/json", "Authorization": f"Bearer {secret}"}
        headers["Content-Type"] = "application/json"
        body = json.dumps({"mirror_url": upstream})
        status, _, answer = fetch(self.port, "/root/pypi", method="PATCH", headers=headers, body=body)
        if status != 200:
            raise BenchmarkError(f"localpi: changing the mirror's address answered {status}: {answer[:300]!r}")

    def page(self, project: str) -> str:
        """Give the path that `pip install` asks for by default."""
        return f"/root/local/+simple/{project}/"
