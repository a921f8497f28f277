"""What pdm's and pixi's config.toml have to say. Pure: text in, plan out."""

from __future__ import annotations

from localpi.wiring.edits import Edit
from localpi.wiring.toml_text import read_values, value_at
from localpi.wiring.wish import Plan, Wish, make_plan, without_userinfo


def plan_pdm(text: str, wish: Wish) -> Plan:
    """Return pdm's file with `pypi.url`, as `pdm config pypi.url URL` sets it; raises NotEditable."""
    return _one_key(text, wish, "pdm", ("pypi",), "url")


def plan_pixi(text: str, wish: Wish) -> Plan:
    """Return pixi's file with the index that new projects get for PyPI; raises NotEditable."""
    plan = _one_key(text, wish, "pixi", ("pypi-config",), "index-url")
    note = "pixi writes it into the manifest of projects that are made from now on; those that are there keep theirs"
    return Plan(plan.text, plan.changes, (*plan.notes, note))


def _one_key(text: str, wish: Wish, tool: str, section: tuple[str, ...], key: str) -> Plan:
    old = value_at(read_values(text), section, key)
    other = isinstance(old, str) and old != wish.index_url
    notes = [f"{tool} has installed from {without_userinfo(str(old))} so far"] if other else []
    return make_plan("toml", text, [Edit(section, key, wish.index_url)], notes)
