"""Looking for words in what releases say of themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localpi.simple.names import ProjectName
    from localpi.store.database import Database

MOST = 5_000


def find_releases(
    database: Database, index: str, words: Sequence[str]
) -> list[tuple[ProjectName, str, dict[str, Any]]]:
    """Give (project, version, metadata) of the index's releases that have one of the words somewhere; at most MOST.

    A first sieve: which field has the word is for the caller to see. Case counts for ASCII letters alone.
    """
    patterns = [f"%{_escaped(word)}%" for word in words]
    condition = " OR ".join("project LIKE ? ESCAPE '!' OR metadata LIKE ? ESCAPE '!'" for _ in patterns) or "1"
    rows = database.read(
        f"SELECT project, version, metadata FROM releases WHERE index_name = ? AND ({condition}) LIMIT {MOST}",  # noqa: S608 - question marks alone
        (index, *(pattern for pattern in patterns for _ in range(2))),
    )
    return [(row["project"], row["version"], json.loads(row["metadata"])) for row in rows]


def _escaped(word: str) -> str:
    quoted = json.dumps(word)[1:-1]  # as it stands in the column
    return quoted.replace("!", "!!").replace("%", "!%").replace("_", "!_")
