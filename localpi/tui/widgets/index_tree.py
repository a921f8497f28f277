"""The tree of users, their indexes, and below each the bases in the order in which they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Tree

if TYPE_CHECKING:
    from textual.widgets.tree import TreeNode

    from localpi.remote.told import IndexRow


@dataclass(frozen=True, slots=True)
class Spot:
    """What a node stands for."""

    index: str
    base_of: str = ""
    """The index whose base it is shown as; "" for the index itself."""


def resolution_order(index: str, bases: dict[str, tuple[str, ...]], mirrors: frozenset[str]) -> tuple[str, ...]:
    """Return who is asked after `index` itself: breadth first, each once, mirrors last (DESIGN: which base answers)."""
    order, queue = [index], [index]
    while queue:
        for base in bases.get(queue.pop(0), ()):
            if base not in order:
                order.append(base)
                queue.append(base)
    found = order[1:]
    return (*(name for name in found if name not in mirrors), *(name for name in found if name in mirrors))


class IndexTree(Tree[Spot]):
    """Users and indexes; the cursor stays where it is when it is filled again."""

    def __init__(self) -> None:
        super().__init__("", id="index-tree")
        self.show_root = False
        self.guide_depth = 2
        self.auto_expand = False

    @property
    def here(self) -> Spot | None:
        """What the cursor stands on; None on a user."""
        return self.cursor_node.data if self.cursor_node else None

    @property
    def index(self) -> str | None:
        """The index that the cursor stands on."""
        return self.here.index if self.here else None

    def show(self, rows: tuple[IndexRow, ...], *, prefer: str) -> None:
        """Draw all of them; with no cursor yet it comes to `prefer`."""
        before = self.here or Spot(prefer)
        bases = {row.name: row.bases for row in rows}
        mirrors = frozenset(row.name for row in rows if row.type == "mirror")
        users: dict[str, TreeNode[Spot]] = {}
        self.clear()
        for row in rows:
            user, _, name = row.name.partition("/")
            if user not in users:
                users[user] = self.root.add(Text(user, "bold"), expand=True)
            kind = "mirror" if row.type == "mirror" else "merge" * (row.setting("resolution") == "merge")
            label = Text.assemble(name, (f" {kind}", "dim") if kind else "")
            node = users[user].add(label, data=Spot(row.name), expand=True, allow_expand=bool(row.bases))
            for place, base in enumerate(resolution_order(row.name, bases, mirrors), 1):
                direct = base in row.bases
                text = Text(f"{place} {base}", "" if direct else "dim")
                node.add_leaf(text, data=Spot(base, base_of=row.name))
        self._return_to(before)

    def _return_to(self, place: Spot) -> None:
        nodes = [node for node in self._all() if node.data is not None]
        found = next((node for node in nodes if node.data == place), None)
        target = found or next((node for node in nodes if node.data and node.data.index == place.index), None)
        target = target or (nodes[0] if nodes else None)
        if target is not None and self.last_line >= 0:  # asking for it gives the nodes their lines
            self.move_cursor(target)

    def _all(self) -> list[TreeNode[Spot]]:
        found, waiting = [], [self.root]
        while waiting:
            node = waiting.pop(0)
            found.append(node)
            waiting = [*node.children, *waiting]
        return found
