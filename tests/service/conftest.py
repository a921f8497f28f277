from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from made.user_instance import UserInstance

REPOSITORY = Path(__file__).parent.parent.parent


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[UserInstance]:
    """A systemd user instance with an empty home; its services find the code that is tested."""
    path = os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])
    with UserInstance(tmp_path / "person", PYTHONPATH=path) as running:
        yield running


@pytest.fixture
def port() -> int:
    """A port that nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
