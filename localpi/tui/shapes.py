"""Whether a value is what its annotation says. Pure.

The desk's answers come out of another process; what is drawn from them must not fail in the middle of a frame.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints


def fits(value: object, hint: Any) -> bool:
    """Return whether `value` has the shape of `hint`: plain types, unions, tuples, dataclasses of those.

    A protocol, or what is not known here, fits anything.
    """
    origin = get_origin(hint)
    if origin is types.UnionType or origin is typing.Union:
        return any(fits(value, part) for part in get_args(hint))
    if origin is tuple:
        return isinstance(value, tuple) and _tuple_fits(value, get_args(hint))
    if hint is None or hint is Any:
        return value is None or hint is Any
    return not isinstance(hint, type) or getattr(hint, "_is_protocol", False) or _is_one(value, hint)


def _is_one(value: object, kind: type) -> bool:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return False
    return not dataclasses.is_dataclass(kind) or all(fits(getattr(value, name), of) for name, of in _fields(kind))


def _tuple_fits(value: tuple[object, ...], parts: tuple[Any, ...]) -> bool:
    if len(parts) == 2 and parts[1] is Ellipsis:
        return all(fits(item, parts[0]) for item in value)
    return len(value) == len(parts) and all(map(fits, value, parts))


@cache
def _fields(kind: type) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, hints[field.name]) for field in dataclasses.fields(kind))
