"""What headers show as a credential."""

from __future__ import annotations

import base64

import pytest

from localpi.index.credentials import Shown, join_token, read_headers, split_token


def b64(text: str, encoding: str = "utf-8") -> str:
    """Encode as the headers do."""
    return base64.b64encode(text.encode(encoding)).decode()


@pytest.mark.parametrize(
    ("authorization", "devpi_auth", "expected"),
    [
        (None, None, None),
        ("", "", None),
        ("Basic " + b64("alice:pä:ss"), None, Shown("alice", "pä:ss")),
        ("basic  " + b64("alice:"), None, Shown("alice", "")),
        ("Basic " + b64("alice:pä", "latin-1"), None, Shown("alice", "pä")),
        ("Bearer lp1_a_b", None, Shown(None, "lp1_a_b")),
        (None, b64("alice:token"), Shown("alice", "token")),
        ("Basic " + b64("proxy:x"), b64("alice:token"), Shown("alice", "token")),
    ],
)
def test_headers_are_read(authorization: str | None, devpi_auth: str | None, expected: Shown | None) -> None:
    """Basic, Bearer and devpi's own header are read, devpi's first."""
    assert read_headers(authorization, devpi_auth) == expected


@pytest.mark.parametrize(
    ("authorization", "devpi_auth"),
    [
        ("Digest x", None),
        ("Basic", None),
        ("Basic ???", None),
        ("Basic " + b64("nocolon"), None),
        ("Bearer " + "x" * 9000, None),
        ("Basic " + b64("a:" + "x" * 9000), None),
        (None, "äöü"),
    ],
)
def test_unreadable_headers_are_errors(authorization: str | None, devpi_auth: str | None) -> None:
    """What is none of these is a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        read_headers(authorization, devpi_auth)


def test_tokens_come_apart_as_they_were_put_together() -> None:
    """An id has no underscore, a secret may."""
    assert split_token(join_token("a1", "s_e-c")) == ("a1", "s_e-c")
    assert [split_token(text) for text in ("lp1_a", "lp1__b", "lp2_a_b", "password", "")] == [None] * 5
