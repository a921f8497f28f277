"""Which claims are suggested."""

from __future__ import annotations

import pytest

from localpi.index.claims import MOST, suggest_claims


@pytest.mark.parametrize(
    ("names", "elsewhere", "claims"),
    [
        ((), (), ()),
        (("acme-app", "acme-lib"), (), ("acme-*",)),
        (("acme", "acme-app", "acme-lib"), (), ("acme", "acme-*")),
        (("acme-app", "tool"), (), ("acme-app", "tool")),
        (("acme-app", "acme-lib", "acme-http"), ("acme-http",), ("acme-app", "acme-lib")),
        (("tool",), ("tool",), ()),
        (("django-acme-a", "django-acme-b", "django-x"), (), ("django-acme-*", "django-x")),
        (("django", "acme-a", "acme-b"), ("django",), ("acme-*",)),
        (("acme-a", "acme-b", "pip"), (), ()),
        (("acme-a", "acme-b", "numpy"), (), ()),
    ],
)
def test_what_is_suggested(names: tuple[str, ...], elsewhere: tuple[str, ...], claims: tuple[str, ...]) -> None:
    """A pattern for names that begin alike, else the names; nothing that others have, nothing of a public mirror."""
    assert suggest_claims(names, whole=True, elsewhere=elsewhere) == claims


def test_nothing_is_suggested_from_a_part() -> None:
    """What comes behind the first bytes of a list is not known."""
    assert suggest_claims(("acme-a", "acme-b"), whole=False) == ()


def test_many_single_names_are_left_out() -> None:
    """A list of claims that nobody would read is none; its patterns are."""
    names = [f"single{number}" for number in range(MOST)]
    assert suggest_claims([*names, "acme-a", "acme-b"], whole=True) == ("acme-*",)
