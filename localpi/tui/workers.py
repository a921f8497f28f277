"""Beginning what goes on beside the drawing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.dom import DOMNode


def start(
    node: DOMNode, group: str, work: Callable[..., Coroutine[Any, Any, Any]], *args: Any, exclusive: bool = False
) -> None:
    """Run a coroutine function as a worker of `node`; it has to catch what goes wrong.

    The function is handed over, not a coroutine: one that is given up before it began would complain.
    """
    node.run_worker(partial(work, *args), group=group, exclusive=exclusive, exit_on_error=False)
