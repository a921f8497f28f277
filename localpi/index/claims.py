"""Which names a base seems to have for itself: suggestions for `claims`. Pure: no network, no clock.

A claim is a promise that a name is asked of nobody else, so nothing is suggested where that could be wrong: not for a
list that was not seen whole, nor for one that has what everybody has.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MOST = 12
EVERYBODYS = frozenset({"pip", "setuptools", "wheel", "requests", "numpy", "certifi", "six", "urllib3", "packaging"})
"""Who has one of these mirrors others: its names are not its own."""
FAMILIES = frozenset(
    {
        "aws", "azure", "backports", "django", "flask", "google", "jaraco", "my", "nvidia", "odoo", "opentelemetry",
        "py", "pyobjc", "pytest", "python", "sphinx", "sphinxcontrib", "the", "types", "zope",
    }
)  # fmt: skip
"""First words that are nobody's own: with one of these the second counts too."""


def suggest_claims(names: Iterable[str], *, whole: bool, elsewhere: Collection[str] = ()) -> tuple[str, ...]:
    """Return patterns, and names where no pattern fits; () where nothing can be said.

    `names` are normalised, `whole` says whether they are all; `elsewhere` are those that other bases have too.
    """
    found = sorted(set(names))
    if not whole or not EVERYBODYS.isdisjoint(found):
        return ()
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in found:
        groups[_family(name)].append(name)
    claims: list[str] = []
    for family, members in sorted(groups.items()):
        own = [name for name in members if name not in elsewhere]
        if len(own) == len(members) > 1 and family not in FAMILIES:
            claims += [*(name for name in own if name == family), f"{family}-*"]
        else:
            claims += own
    patterns = [claim for claim in claims if claim.endswith("*")]
    return tuple(claims if len(claims) <= MOST else patterns[:MOST])


def _family(name: str) -> str:
    first, _, rest = name.partition("-")
    if first in FAMILIES and rest:
        return f"{first}-{rest.partition('-')[0]}"
    return first
