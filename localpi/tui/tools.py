"""The drawer of the desk about the tools that install from here: looked at, planned, shown, then written."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localpi.errors import DaemonNotRunning, LocalpiError
from localpi.remote.daemon import Daemon
from localpi.settings.pypi import PYPI_SIMPLE
from localpi.settings.running import local_url
from localpi.tui.desk import Found, Pasted, Tool, WiringPlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localpi.settings.load import Settings
    from localpi.settings.paths import Paths
    from localpi.setup.offer import Offer
    from localpi.wiring.places import Place
    from localpi.wiring.records import Record, Records
    from localpi.wiring.wire import Prepared
    from localpi.wiring.wish import Wish

SAMPLE_TOKEN = "lp1_id_secret"  # noqa: S105 -- stands for the token where nothing is written
ENGINES = ("docker", "podman", "nerdctl")


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools of this person."""

    paths: Paths
    settings: Settings
    environ: Mapping[str, str]

    def tools(self) -> tuple[Tool, ...]:
        """Return how each tool is wired; never raises for a broken file."""
        from localpi.wiring.survey import survey  # noqa: PLC0415 -- parsers

        return tuple(
            Tool(row.tool, row.state, row.path, row.url or "", row.used, _notes(row.reason, row.shadows))
            for row in survey(self._records(), self.environ, sys.platform)
        )

    def plan_wiring(self, tool: str, *, undo: bool = False) -> WiringPlan:
        """Return what would be written; raises NotEditable, OSError."""
        if undo:
            from localpi.wiring.unwire import plan_undo  # noqa: PLC0415 -- parsers

            undoings = [plan_undo(record) for record in self._wired(tool)]
            notes = [note for undoing in undoings for note in undoing.notes] or ["localpi has not wired it"]
            differences = [undoing.difference for undoing in undoings]
        else:
            prepared = self._prepare(tool, replace(self._wish(), token=SAMPLE_TOKEN if _publishes(tool) else None))
            notes = [note for one in prepared for note in one.notes]
            differences = [one.difference for one in prepared]
        return WiringPlan(tool, "\n".join(filter(None, differences)), tuple(dict.fromkeys(notes)))

    def wire(self, tool: str) -> str:
        """Write it; a token that was made for a tool that publishes is revoked when that fails."""
        from localpi.wiring.wire import commit  # noqa: PLC0415 -- parsers

        wish, records = self._wish(), self._records()
        old = [record.token for record in self._wired(tool) if record.token]
        made = self._make_token(tool, wish.index) if _publishes(tool) else None
        try:
            prepared = self._prepare(tool, replace(wish, token=made))
            for one in prepared:
                commit(one, records)
        except BaseException:
            self._end_tokens([made] if made else [])
            raise
        self._end_tokens(old)
        return f"{', '.join(str(one.place.path) for one in prepared if one.changed) or 'nothing'} was written"

    def unwire(self, tool: str) -> str:
        """Take it back: to the byte where nobody has edited since, else only our lines."""
        from localpi.wiring.unwire import carry_out, plan_undo  # noqa: PLC0415 -- parsers

        wired = self._wired(tool)
        for record in wired:
            carry_out(plan_undo(record), self._records())
        self._end_tokens([record.token for record in wired if record.token])
        return f"{', '.join(str(record.path) for record in wired) or 'nothing'} was put back"

    def runtimes(self) -> tuple[str, ...]:
        """Return what there is text for, as `localpi env --for` names it; engines that are installed come first."""
        from localpi.setup.env import FORMS  # noqa: PLC0415 -- nothing of it is drawn

        path = self.environ.get("PATH")
        return tuple(sorted(FORMS, key=lambda form: form not in ENGINES or shutil.which(form, path=path) is None))

    def container_text(self, runtime: str) -> Pasted:
        """Return what has pip and uv install from here, over there; the text of `localpi env`."""
        from localpi.setup.env import Wanted, make_text  # noqa: PLC0415 -- as above

        made = make_text(Wanted(runtime, self.settings.default_index), self.settings, self.paths, self.environ)
        return Pasted(made.text, made.notes)

    def found_index(self) -> Found | None:
        """Return the index that pip uses now, if it could be a base."""
        offer = self._offer()
        return Found(offer.found.shown, offer.found.where, offer.mirror) if offer else None

    def accept_found(self) -> str:
        """Make it a base; returns its mirror's name."""
        from localpi.setup.offer import accept  # noqa: PLC0415 -- with the parsers

        offer = self._offer()
        if offer is None:
            raise LocalpiError("pip names no other index any more")
        accept(Daemon.find(self.paths), offer)
        return offer.mirror

    def _offer(self) -> Offer | None:
        from localpi.setup.offer import find_offer  # noqa: PLC0415 -- as above

        return find_offer(Daemon.find(self.paths), self.settings.default_index, self.environ, sys.platform)

    def _records(self) -> Records:
        from localpi.wiring.records import Records  # noqa: PLC0415 -- parsers

        return Records(self.paths)

    def _wired(self, tool: str) -> list[Record]:
        return [record for record in self._records().all() if record.tool == tool]

    def _wish(self) -> Wish:
        from localpi.wiring.wish import Wish  # noqa: PLC0415 -- parsers

        try:
            url = Daemon.find(self.paths).url
        except DaemonNotRunning:
            if self.settings.port == 0:
                raise
            url = local_url(self.settings.host, self.settings.port)
        return Wish(url, self.settings.default_index, public_url=PYPI_SIMPLE)

    def _prepare(self, tool: str, wish: Wish) -> list[Prepared]:
        from localpi.wiring.places import places  # noqa: PLC0415 -- parsers
        from localpi.wiring.wire import prepare, with_trust_from_below  # noqa: PLC0415 -- as above

        def of(place: Place) -> Prepared:
            return prepare(place, with_trust_from_below(place, wish, self.environ, sys.platform), self._records())

        return [of(place) for place in places(tool, self.environ, sys.platform)]

    def _make_token(self, tool: str, index: str) -> str:
        body = {"user": "root", "index": index, "scope": "upload", "description": f"made by localpi tui for {tool}"}
        return str(Daemon.find(self.paths).admin("POST", "/tokens", body)["token"])

    def _end_tokens(self, tokens: list[str]) -> None:
        for token in tokens:
            try:
                Daemon.find(self.paths).admin("DELETE", f"/tokens/{token.split('_')[1]}")
            except (LocalpiError, IndexError):
                continue  # it is written nowhere any more; `localpi token list` still shows it


def _publishes(tool: str) -> bool:
    from localpi.wiring.places import PUBLISHERS  # noqa: PLC0415 -- parsers

    return tool in PUBLISHERS


def _notes(reason: str, shadows: tuple[object, ...]) -> tuple[str, ...]:
    found = [str(getattr(shadow, "what", shadow)) for shadow in shadows]
    return tuple([reason, *found] if reason else found)
