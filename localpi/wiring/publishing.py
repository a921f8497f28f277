"""What twine and poetry have to know to publish here: `twine upload -r localpi`. Pure: text in, plan out."""

from __future__ import annotations

from localpi.wiring.edits import Edit
from localpi.wiring.ini_pieces import read_values
from localpi.wiring.wish import SECTION, TOKEN_USER, Plan, Wish, make_plan

TOKEN_NEEDED = "no token: {tool} will ask for a password; start localpi (localpi up) and wire {tool} again"  # noqa: S105 -- a sentence


def plan_twine(text: str, wish: Wish) -> Plan:
    """Return `.pypirc` with a section for our index; raises NotEditable.

    A list of servers replaces twine's own (pypi, testpypi), so a new one names them too.
    """
    servers = read_values(text).get("distutils", {}).get("index-servers", "").split()
    here = (SECTION,)
    known = Edit(("distutils",), "index-servers", SECTION, word=True)
    if not servers:
        known = Edit(("distutils",), "index-servers", f"pypi\ntestpypi\n{SECTION}")
    edits = [known, Edit(here, "repository", wish.publish_url), Edit(here, "username", TOKEN_USER)]
    if wish.token:
        edits.append(Edit(here, "password", wish.token))
    notes = [f"twine upload -r {SECTION} dist/*"]
    return make_plan("ini", text, edits, notes if wish.token else [*notes, TOKEN_NEEDED.format(tool="twine")])


def plan_poetry(text: str, wish: Wish) -> Plan:
    """Return poetry's config.toml with where to publish; raises NotEditable."""
    notes = [
        f"poetry publish -r {SECTION}",
        "poetry has no index to install from per user; in a project, into its pyproject.toml and poetry.lock:",
        f"poetry source add --priority=primary {SECTION} {wish.index_url}",
    ]
    if not wish.token:
        notes.append(TOKEN_NEEDED.format(tool="poetry"))
    return make_plan("toml", text, [Edit(("repositories", SECTION), "url", wish.publish_url)], notes)


def plan_poetry_auth(text: str, wish: Wish) -> Plan:
    """Return poetry's auth.toml with the token; raises NotEditable."""
    if not wish.token:
        return Plan(text)
    here = ("http-basic", SECTION)
    return make_plan("toml", text, [Edit(here, "username", TOKEN_USER), Edit(here, "password", wish.token)])
