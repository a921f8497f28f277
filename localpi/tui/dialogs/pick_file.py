"""The file picker for uploads: folders and distributions, nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding
from textual.widgets import DirectoryTree, Input, Static

from localpi.tui.dialogs.dialog import Dialog
from localpi.tui.wording import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.style import Style
    from textual.app import ComposeResult
    from textual.widgets._directory_tree import DirEntry
    from textual.widgets._tree import TreeNode

SUFFIXES = (".whl", ".tar.gz", ".zip")


class Distributions(DirectoryTree):
    """Folders, and files that can be uploaded; hidden ones are left out."""

    ICON_NODE, ICON_NODE_EXPANDED = "▸ ", "▾ "
    """Textual's emoji are two columns wide or one, as terminals please."""

    def render_label(self, node: TreeNode[DirEntry], base_style: Style, style: Style) -> Text:
        """Draw a name in one piece: Textual's own takes `.0-py3-none-any.whl` for a suffix and slants it."""
        mark = (self.ICON_NODE_EXPANDED if node.is_expanded else self.ICON_NODE) if node.allow_expand else ""
        return Text.assemble((mark, base_style), (plain(str(node.label)), style))

    def filter_paths(self, paths: Iterable[Path]) -> list[Path]:
        """Keep them."""
        return [path for path in paths if not path.name.startswith(".") and (_is_folder(path) or is_distribution(path))]


class PickFile(Dialog[Path]):
    """Ends with a file; its path can be typed as well."""

    BINDINGS: ClassVar = [Binding("backspace", "up", show=False)]

    def __init__(self, index: str, start: Path) -> None:
        super().__init__()
        self.title_shown = f"Upload to {index}"
        self._start = start

    def inside(self) -> ComposeResult:
        """Put the tree above the line."""
        yield Static(
            "Choose a wheel or sdist, or type its path (backspace: folder above).", classes="hint", markup=False
        )
        yield Distributions(self._start)
        yield Input(_shown(self._start), classes="search", id="path", select_on_focus=False)
        yield self.buttons("Upload")

    def on_mount(self) -> None:
        """Begin in the tree."""
        tree = self.query_one(Distributions)
        tree.show_root = False
        tree.focus()

    def on_directory_tree_file_selected(self, event: DirectoryTree.FileSelected) -> None:
        """Take a file over into the line, from where enter uploads it."""
        self._take(event.path)
        self.query_one("#accept").focus()

    def on_directory_tree_directory_selected(self, event: DirectoryTree.DirectorySelected) -> None:
        """Take a folder over, so that its path is seen."""
        self._take(event.path)

    def on_input_submitted(self) -> None:
        """Upload what was typed."""
        self.accept()

    def accept(self) -> None:
        """End with the file, if it is one."""
        path = Path(self.query_one("#path", Input).value.strip()).expanduser()
        trouble = ""
        if _is_folder(path):
            self._show_folder(path)
            return
        if not path.is_file():
            trouble = f"{_shown(path)} is no file."
        elif not is_distribution(path):
            trouble = "A wheel (.whl) or an sdist (.tar.gz, .zip) is needed."
        if trouble:
            self.object_to(trouble)
            return
        self.end(path)

    def action_up(self) -> None:
        """Show the folder above."""
        self._show_folder(Path(self.query_one(Distributions).path).absolute().parent)

    def _show_folder(self, folder: Path) -> None:
        tree = self.query_one(Distributions)
        tree.path = folder
        self._take(folder)
        tree.focus()

    def _take(self, path: Path) -> None:
        self.query_one("#path", Input).value = _shown(path)
        self.object_to("")


def is_distribution(path: Path) -> bool:
    """Return whether a name is that of a wheel or an sdist."""
    return path.name.endswith(SUFFIXES)


def _shown(path: Path) -> str:
    """Return a path with ~ for the home folder."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
