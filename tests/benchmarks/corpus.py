"""The upstream that all servers are measured on: project pages and one wheel each, made once and kept.

Pages hold BASE in place of the address of the server that will serve them; `publish` puts it in. A folder holds:

    manifest.json           what is in it
    pages/{name}.html       PEP 503
    pages/{name}.json       PEP 691
    files/{filename}        one wheel per project
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from benchmarks import made, pages, pip_index

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.listing import Listed

BASE = "@BASE@"
SHAPE = 3  # another number builds the corpus anew

# The rows for single pages name these three: small, 1 MB, and the page with the most files.
NAMED = ("idna", "numpy", "pydantic-core")
PROJECTS = 186
FILES = 138_000
WHEEL_BYTES = 235_000_000
LARGEST_WHEEL = 25_000_000


@dataclass(frozen=True, slots=True)
class Project:
    """A project of the corpus, and the one file of it that can be downloaded; size in bytes."""

    name: str
    filename: str
    size: int
    sha256: str
    listed: int
    page: str  # "index": as the configured index has it; "made"
    wheel: str  # "file-index", "pip" or "made"


@dataclass(frozen=True, slots=True)
class Corpus:
    """A built corpus in `root`."""

    root: Path
    projects: tuple[Project, ...]

    def project(self, name: str) -> Project:
        """Give the project of that name."""
        return next(project for project in self.projects if project.name == name)

    def summary(self) -> dict[str, object]:
        """Give what a reader of figures has to know about the corpus."""
        return {
            "projects": len(self.projects),
            "files_listed": sum(project.listed for project in self.projects),
            "wheel_bytes": sum(project.size for project in self.projects),
            "page_bytes_html": self._page_bytes("html"),
            "page_bytes_json": self._page_bytes("json"),
            "real_pages": sum(project.page == "index" for project in self.projects),
            "real_wheels": sum(project.wheel != "made" for project in self.projects),
        }

    def _page_bytes(self, form: str) -> int:
        return sum((self.root / "pages" / f"{project.name}.{form}").stat().st_size for project in self.projects)


def open_corpus(root: Path, *, made_only: bool, say: Callable[[str], None]) -> Corpus:
    """Give the corpus in `root`, building it when it is not there, of another shape or of the other kind."""
    manifest = root / "manifest.json"
    try:
        kept = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = {}
    if kept.get("shape") == SHAPE and kept["made_only"] == made_only:
        return Corpus(root, tuple(Project(**project) for project in kept["projects"]))
    shutil.rmtree(root, ignore_errors=True)
    (root / "pages").mkdir(parents=True)
    (root / "files").mkdir()
    built = tuple(_build(root, made_only=made_only, say=say))
    rows = {"shape": SHAPE, "made_only": made_only, "projects": [asdict(project) for project in built]}
    manifest.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return Corpus(root, built)


def publish(corpus: Corpus, target: Path, base: str) -> None:
    """Write the pages with `base` ("http://host:port") as the address of their files, and the list of projects."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for page in sorted((corpus.root / "pages").iterdir()):
        (target / page.name).write_bytes(page.read_bytes().replace(BASE.encode(), base.encode()))
    names = tuple(project.name for project in corpus.projects)
    (target / "index.html").write_bytes(pages.names_html(names))
    (target / "index.json").write_bytes(pages.names_json(names))


def _build(root: Path, *, made_only: bool, say: Callable[[str], None]) -> list[Project]:
    source = pip_index.Source((), {}) if made_only else pip_index.ask(NAMED, say=say)
    say(f"corpus: {len(source.pages)} real pages, {len(source.wheels)} projects in pip's file indexes")
    wheels = _take_wheels(root / "files", source)
    for name in NAMED:
        if name not in wheels and name in source.pages:
            wheel = pip_index.download(name, root / "files", LARGEST_WHEEL, say=say)
            wheels |= {name: ("pip", wheel)} if wheel else {}
    names = [*NAMED, *(name for name in wheels if name not in NAMED)]
    names += [name for name in made.names(PROJECTS) if name not in names][: PROJECTS - len(names)]
    real = sum(wheel.size or 0 for _, wheel in wheels.values())
    missing = [name for name in names if name not in wheels]
    sizes = made.wheel_sizes(missing, WHEEL_BYTES - real, LARGEST_WHEEL)
    wheels |= {name: ("made", made.write_wheel(root / "files", name, sizes[name])) for name in missing}
    counts = made.file_counts(names, FILES)
    projects = []
    for name in names:
        origin, wheel = wheels[name]
        listed = source.pages.get(name) or made.listing(name, counts[name])
        files = (*(file for file in listed if file.filename != wheel.filename), wheel)
        (root / "pages" / f"{name}.html").write_bytes(pages.page_html(name, files, f"{BASE}/files/"))
        (root / "pages" / f"{name}.json").write_bytes(pages.page_json(name, files, f"{BASE}/files/"))
        page = "index" if name in source.pages else "made"
        projects.append(Project(name, wheel.filename, wheel.size or 0, wheel.sha256, len(files), page, origin))
    return projects


def _take_wheels(target: Path, source: pip_index.Source) -> dict[str, tuple[str, Listed]]:
    """Copy wheels from pip's file indexes: the named projects, then others until number and bytes are reached."""
    rest = sorted((wheel for wheel in source.wheels if wheel.project not in NAMED), key=made.chance)
    taken: dict[str, tuple[str, Listed]] = {}
    total = 0
    for wheel in [*(wheel for wheel in source.wheels if wheel.project in NAMED), *rest]:
        room = WHEEL_BYTES * (len(taken) + 28) / PROJECTS - total  # the mean is kept, large ones get in now and then
        named = wheel.project in NAMED
        if len(taken) >= PROJECTS or (not named and wheel.size > min(LARGEST_WHEEL, max(room, 200_000))):
            continue
        shutil.copyfile(wheel.path, target / wheel.path.name)
        taken[wheel.project] = ("file-index", wheel.listed())
        total += wheel.size
    return taken
