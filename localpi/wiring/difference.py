"""What changes in a file, shown without its secrets. Pure."""

from __future__ import annotations

import difflib
import re

_SECRETS = (
    (re.compile(r"(?<=://)[^/@\s]+@"), "***@"),
    (
        re.compile(r"(?im)^([ +-]?[ \t]*[\w.\"'-]*(?:password|token|secret)[\w\"'-]*[ \t]*[=:][ \t]*)(?!__)\S.*$"),
        r"\1***",
    ),
    (re.compile(r"\b(?:pypi-[\w-]{16,}|lp1_\w+)"), "***"),
)


def show_difference(path: str, before: str, after: str) -> str:
    """Return a unified diff, empty when nothing changes; passwords, tokens and userinfo are masked."""
    old, new = (text.replace("\r\n", "\n").splitlines() for text in (before, after))
    lines = difflib.unified_diff(old, new, path, path, lineterm="", n=2)
    return mask("\n".join(lines))


def mask(text: str) -> str:
    """Return text without what proves who somebody is."""
    for pattern, shown in _SECRETS:
        text = pattern.sub(shown, text)
    return text
