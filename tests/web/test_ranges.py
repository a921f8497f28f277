"""Range and If-Range, ETag lists."""

from __future__ import annotations

import pytest

from localpi.web.ranges import Part, Unsatisfiable, choose_part, etag_matches

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("bytes=0-0", Part(0, 1, 100)),
        ("bytes=10-19", Part(10, 10, 100)),
        ("bytes=90-", Part(90, 10, 100)),
        ("bytes=90-500", Part(90, 10, 100)),
        ("Bytes=0-99", Part(0, 100, 100)),
        ("bytes=-7", Part(93, 7, 100)),
        ("bytes=-700", Part(0, 100, 100)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=0-1,5-9", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=0-" + "9" * 40, None),
    ],
)
def test_a_range_is_a_part_or_the_whole(value: str | None, expected: Part | None) -> None:
    """RFC 9110, 14.1.2: one satisfiable range is a part; what is malformed or manifold gets the whole file."""
    assert choose_part(value, 100, if_range=None, etag=ETAG) == expected


@pytest.mark.parametrize("value", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_satisfied(value: str) -> None:
    """Section 15.5.17: 416 with the size, so that the client can ask again."""
    with pytest.raises(Unsatisfiable) as refused:
        choose_part(value, 100, if_range=None, etag=ETAG)
    assert str(refused.value) == "bytes */100"


@pytest.mark.parametrize(
    ("validator", "partial"), [('"abc"', True), ('W/"abc"', False), ('"abd"', False), ("Thu, 01 Jan 1970", False)]
)
def test_if_range_needs_the_strong_etag(validator: str, *, partial: bool) -> None:
    """Section 13.1.5: a part goes out only when the client's validator is the very ETag."""
    assert (choose_part("bytes=1-2", 100, if_range=validator, etag=ETAG) is not None) is partial


def test_content_range_names_first_last_and_size() -> None:
    """Section 14.4: bytes first-last/size."""
    assert Part(10, 5, 100).content_range == "bytes 10-14/100"


@pytest.mark.parametrize(
    ("asked", "matches"),
    [
        ('"abc"', True),
        ('"abc-gz"', True),
        ('W/"abc"', True),
        ('"x", "abc"', True),
        ("*", True),
        ('"x"', False),
        ("abc", False),
        ("", False),
    ],
)
def test_if_none_match_takes_either_form(asked: str, *, matches: bool) -> None:
    """An ETag is known in its identity and its zipped form, in a list, and weakly."""
    assert etag_matches(asked, ETAG) is matches
