"""What uv.toml has to say. Pure: text in, plan out.

`[pip] index-url` counts for `uv pip` alone. A default index for projects goes into their uv.lock: `uv sync --locked`
fails where the lock names another one, and plain `uv sync` rewrites it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from localpi.wiring.edits import Edit, NotEditable
from localpi.wiring.toml_text import append, read_values, value_at
from localpi.wiring.wish import SECTION, Plan, Wish, make_plan, without_userinfo

LOCKS = (
    "projects without an index of their own now get this URL into uv.lock: `uv sync --locked` and `uv lock --check` "
    "fail where the lock names another index, and `uv sync` rewrites it"
)


def plan_uv(text: str, wish: Wish) -> Plan:
    """Return uv's user file with our index; raises NotEditable."""
    values = read_values(text)
    notes = []
    old = value_at(values, ("pip",), "index-url")
    whole = values.get("index-url")
    edits = [Edit(("pip",), "index-url", wish.index_url)]
    if isinstance(old, str) and old != wish.index_url:
        if _is_devpi(old, wish) and not wish.replace:
            raise _taken(old)
        notes.append(f"`uv pip` has installed from {without_userinfo(old)} so far")
    if isinstance(whole, str) and whole != wish.index_url:
        if _is_devpi(whole, wish) and not wish.replace:
            raise _taken(whole)
        if not wish.project_wide:
            notes.append(
                f"projects still use index-url = {without_userinfo(whole)}; --project-wide takes that over too"
            )
    plan = make_plan("toml", text, edits, notes)
    return _project_wide(plan, values, wish) if wish.project_wide else plan


def _project_wide(plan: Plan, values: dict[str, Any], wish: Wish) -> Plan:
    """Add the default index of projects: the key that is there already, or a `[[index]]`."""
    notes = (*plan.notes, LOCKS)
    if isinstance(values.get("index-url"), str):
        more = make_plan("toml", plan.text, [Edit((), "index-url", wish.index_url)])
        return Plan(more.text, plan.changes + more.changes, notes)
    items = values.get("index", [])
    items = items if isinstance(items, list) else []
    if any(isinstance(item, dict) and item.get("url") == wish.index_url and item.get("default") for item in items):
        return Plan(plan.text, plan.changes, notes)
    for item in items:
        if isinstance(item, dict) and (item.get("default") or item.get("name") == SECTION):
            told = f"it has a default [[index]] already: {without_userinfo(str(item.get('url')))}"
            refused = NotEditable(told)
            refused.hint = "take it out by hand, or wire without --project-wide"
            raise refused
    lines = [
        "[[index]]",
        f'name = "{SECTION}"',
        f"url = {json.dumps(wish.index_url)}",
        "default = true",
        f"publish-url = {json.dumps(wish.publish_url)}",
    ]
    text, change = append(plan.text, lines, ("index", "[]"))
    after = read_values(text)
    if [*items, after["index"][-1]] != after["index"] or {**after, "index": items} != {
        **read_values(plan.text),
        "index": items,
    }:
        raise NotEditable("a default index cannot be added to it")
    return Plan(text, (*plan.changes, change), notes)


def _is_devpi(url: str, wish: Wish) -> bool:
    return bool(re.search(r"/\+simple/?\Z", url)) and not url.startswith(wish.url + "/")


def _taken(url: str) -> NotEditable:
    refused = NotEditable(f"`devpi use --set-cfg` made it install from {without_userinfo(url)}")
    refused.hint = "the same command with --replace takes it over; undoing brings it back exactly"
    return refused
