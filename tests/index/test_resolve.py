"""The table of which base answers, row by row."""

from __future__ import annotations

import pytest

from localpi.index.resolve import Absent, Ask, Said, Unknowable, Use, Word, claimants, first, merge

HAS, ABSENT, UNKNOWN = Word.HAS, Word.ABSENT, Word.UNKNOWN
has = Said("u/intranet", HAS)
absent = Said("u/intranet", ABSENT)
away = Said("u/intranet", UNKNOWN, reason="is away")
owner_away = Said("u/intranet", UNKNOWN, owns=True)
closed_away = Said("u/intranet", UNKNOWN, hold=True)
later_has = Said("root/pypi", HAS)
later_absent = Said("root/pypi", ABSENT)
later_away = Said("root/pypi", UNKNOWN)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ((), Ask()),
        # the earlier one has it: the later is never asked
        ((has,), Use(("u/intranet",))),
        # the earlier one says no: the later decides
        ((absent,), Ask()),
        ((absent, later_has), Use(("root/pypi",))),
        ((absent, later_absent), Absent()),
        ((absent, later_away), Unknowable(later_away)),
        # the earlier one is away and the name is its own: the later is never asked
        ((owner_away,), Unknowable(owner_away)),
        # away, never seen, not claimed: numpy installs while the intranet is gone
        ((away,), Ask()),
        ((away, later_has), Use(("root/pypi",))),
        # the same, closed by `unseen = hold`
        ((closed_away,), Unknowable(closed_away)),
        # away, and the later one has it not either: never 404
        ((away, later_absent), Unknowable(away)),
        ((away, later_away), Unknowable(away)),
    ],
)
def test_first_lets_base_order_decide(said: tuple[Said, ...], verdict: object) -> None:
    """Under `first` the earliest mirror that may answer does, and one that is away is never taken for a no."""
    assert verdict == first(said, 2)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ((has,), Ask()),
        ((has, later_has), Use(("u/intranet", "root/pypi"))),
        ((absent, later_has), Use(("root/pypi",))),
        ((away, later_has), Use(("root/pypi",))),
        ((owner_away, later_has), Unknowable(owner_away)),
        ((closed_away, later_has), Unknowable(closed_away)),
        ((absent, later_absent), Absent()),
        ((away, later_absent), Unknowable(away)),
    ],
)
def test_merge_takes_all_that_have_it(said: tuple[Said, ...], verdict: object) -> None:
    """Under `merge` all mirrors are heard, but the owner of a name that is away still closes it."""
    assert verdict == merge(said, 2)


@pytest.mark.parametrize("decide", [first, merge])
def test_no_mirrors_have_nothing(decide: object) -> None:
    """An index without mirrors knows that a project is absent."""
    assert decide((), 0) == Absent()  # type: ignore[operator]  # both are functions of the same shape


@pytest.mark.parametrize(
    ("project", "claims", "asked"),
    [
        ("acme-tools", {"u/a": ("acme-*",), "root/pypi": ()}, ("u/a",)),
        ("numpy", {"u/a": ("acme-*",), "root/pypi": ()}, ("u/a", "root/pypi")),
        ("acme", {"u/a": ("acme-*",), "root/pypi": ()}, ("u/a", "root/pypi")),
        ("acme-x", {"u/a": ("acme-*",), "u/b": ("acme-x",), "root/pypi": ()}, ("u/a", "u/b")),
        ("x", {}, ()),
    ],
)
def test_claimed_names_are_asked_of_claimants_alone(
    project: str, claims: dict[str, tuple[str, ...]], asked: tuple[str, ...]
) -> None:
    """A name that some mirror claims never reaches the others."""
    assert asked == claimants(project, claims)
