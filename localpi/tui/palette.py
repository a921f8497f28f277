"""The command palette: every action of this screen and of everywhere, found by label and sentence."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Provider

from localpi.tui.actions import EVERYWHERE, of_group, offers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.command import Hits

    from localpi.tui.actions import Action


class ActionCommands(Provider):
    """Reads the registry."""

    async def discover(self) -> Hits:
        """Offer all of them before anything is typed."""
        for action in self._actions():
            yield DiscoveryHit(action.label, partial(self._do, action), help=action.tooltip)

    async def search(self, query: str) -> Hits:
        """Offer those that match, in label or sentence."""
        matcher = self.matcher(query)
        for action in self._actions():
            score = max(matcher.match(action.label), matcher.match(action.tooltip))
            if score > 0:
                shown = matcher.highlight(action.label)
                yield Hit(score, shown, partial(self._do, action), text=action.label, help=action.tooltip)

    def _actions(self) -> Iterator[Action]:
        for group in (getattr(self.screen, "group", ""), EVERYWHERE):
            yield from (action for action in of_group(group) if offers(self.screen, action.id))

    async def _do(self, action: Action) -> None:
        await self.app.run_action(f"do('{action.id}')")
