"""Pages for people: small, without scripts, everything escaped. Pure: text in, text out."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from localpi.index.registry import Index
    from localpi.reports import BaseHealth

STYLE = """
:root { color-scheme: light dark; --line: #8884; --faint: #888; --ok: #2a9d5c; --ill: #d9822b; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 52rem; margin: 2.5rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p { margin: .3rem 0; } .faint { color: var(--faint); } a { color: inherit; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--faint); font-size: .85rem; }
code, pre { font: .9em/1.6 ui-monospace, monospace; }
pre { border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; overflow-x: auto; margin: .5rem 0; }
.state::before { content: "\\25CF"; margin-right: .4em; color: var(--ill); } .ok::before { color: var(--ok); }
ul { padding-left: 1.2rem; columns: 3 14rem; }
"""


def render_page(title: str, body: str) -> str:
    """Return a whole page; `title` is text, `body` is HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def render_front(
    version: str, root: str, default_index: str, *, indexes: Sequence[Index], bases: Iterable[BaseHealth], prefix: str
) -> str:
    """Return the front page. `root` is the daemon's URL as this client calls it, without a final slash."""
    url = f"{root}/{default_index}/+simple/"
    rows = "".join(_index_row(index, root, prefix) for index in indexes)
    health = "".join(_base_row(base) for base in bases)
    return render_page(
        f"localpi {version}",
        f'<h1>localpi</h1>\n<p class="faint">Version {escape(version)}. '
        "A Python package index of your own, on your own machine.</p>\n"
        "<h2>Use it</h2>\n"
        "<pre>localpi wire-pip\nlocalpi wire all</pre>\n"
        '<p class="faint">pip alone, or uv, pdm, poetry, twine and pixi too: the change is shown first.</p>\n'
        "<p>Where localpi is not installed, or for one shell:</p>\n"
        f"<pre>export PIP_INDEX_URL={escape(url)}\nexport UV_DEFAULT_INDEX={escape(url)}</pre>\n"
        f"<h2>Indexes</h2>\n<table>\n<tr><th>Index</th><th>Type</th><th>Bases</th><th>URL</th></tr>\n{rows}</table>\n"
        "<h2>Bases</h2>\n"
        + (
            f"<table>\n<tr><th>Mirror</th><th>State</th><th>Since</th><th>Why</th></tr>\n{health}</table>"
            if health
            else '<p class="faint">No mirror is set up.</p>'
        ),
    )


def render_index(index: Index, root: str, order: Sequence[str], projects: Sequence[str], prefix: str) -> str:
    """Return the page of an index: what it is, how to use it, in which order it answers, what it holds itself.

    `root` is the daemon's URL as this client calls it, without a final slash.
    """
    path = f"{prefix}/{index.name}"
    items = "".join(
        f'<li><a href="{escape(path)}/+simple/{escape(name)}/">{escape(name)}</a></li>' for name in projects
    )
    title = f"<p>{escape(index.config.title)}</p>\n" if index.config.title else ""
    url = escape(f"{root}/{index.name}/")
    publish = f"\ntwine upload --repository-url {url} -u __token__ dist/*" if index.stage else ""
    links = [f'<a href="{escape(prefix)}/{escape(name)}/">{escape(name)}</a>' for name in order if name != index.name]
    return render_page(
        index.name,
        f'<p class="faint"><a href="{escape(prefix)}/">localpi</a></p>\n<h1>{escape(index.name)}</h1>\n{title}'
        f"<p>{_kind(index)}</p>\n<h2>Use it</h2>\n<pre>pip install --index-url {url}+simple/ NAME{publish}</pre>\n"
        + (f"<h2>Answers in this order</h2>\n<p>{' → '.join((escape(index.name), *links))}</p>\n" if links else "")
        + "<h2>Projects</h2>\n"
        + (f"<ul>{items}</ul>" if items else '<p class="faint">None yet.</p>'),
    )


def _index_row(index: Index, root: str, prefix: str) -> str:
    bases = ", ".join(index.stage.bases) if index.stage else ""
    url = f"{root}/{index.name}/+simple/"
    return (
        f'<tr><td><a href="{escape(prefix)}/{escape(index.name)}/">{escape(index.name)}</a></td>'
        f"<td>{_kind(index)}</td><td>{escape(bases)}</td><td><code>{escape(url)}</code></td></tr>\n"
    )


def _kind(index: Index) -> str:
    if index.mirror is not None:
        return f"mirror of <code>{escape(index.mirror.mirror_url)}</code>"
    return "stage, volatile" if index.config.volatile else "stage"


def _base_row(base: BaseHealth) -> str:
    ok = " ok" if base.state == "ok" else ""
    return (
        f'<tr><td>{escape(base.index)}</td><td class="state{ok}">{escape(base.state)}</td>'
        f"<td>{escape(base.since or '')}</td><td>{escape(base.reason)}</td></tr>\n"
    )
