"""The house: which room may import which, who may touch the outside, what is pure, how large things get.

Every import counts, those inside functions and those for types alone too. A new folder fails until it has a row.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "localpi"

DOORS = {
    "errors": "",
    "reports": "errors",
    "settings": "errors",
    "simple": "errors",
    "store": "errors settings simple",
    "upstream": "errors settings simple",
    "index": "errors settings reports simple store upstream",
    "web": "errors settings reports simple index",
    "daemon": "errors settings reports store upstream index web",
    "remote": "errors settings reports",
    "service": "errors settings",
    "wiring": "errors settings",
    "setup": "errors settings reports remote service wiring",
    "tui": "errors settings reports remote service wiring setup",
    "cli": "errors settings reports simple daemon remote service wiring setup tui",
}
"""Room to the rooms that it may import, besides itself."""

TENANTS = {
    "argon2": "index",
    "flask": "web",
    "http.client": "remote upstream",
    "http.server": "",
    "keyring": "upstream",
    "platformdirs": "settings",
    "plistlib": "service",
    "psutil": "daemon settings setup",
    "requests": "upstream",
    "sqlite3": "store",
    "subprocess": "service setup wiring",
    "textual": "tui",
    "truststore": "upstream",
    "urllib.request": "",
    "urllib3": "upstream",
    "waitress": "daemon",
    "werkzeug": "web",
}
"""Library with side effects, or with a cost, to the rooms that may import it."""

PURE = (
    "simple",
    "index/config",
    "index/order",
    "index/freshness",
    "index/merge",
    "index/resolve",
    "index/eviction",
    "index/cache_rows",
)
"""What has to carry the sign "Pure" in its docstring; whatever else carries it is held to it as well."""

IMPURE_IMPORTS = [
    "asyncio",
    "ctypes",
    "fcntl",
    "getpass",
    "glob",
    "http",
    "io.open",
    "logging",
    "multiprocessing",
    "netrc",
    "os",
    "pathlib",
    "psutil",
    "queue",
    "random",
    "secrets",
    "select",
    "selectors",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
    "uuid",
]
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "__import__", "breakpoint"}
IMPURE_ATTRIBUTES = {"now", "utcnow", "today", "environ", "getenv"}

MOST_LINES = 300
MOST_PUBLIC_METHODS = 12

LARGER = {
    "errors": "one list, no behaviour: every code and sentence is found in one place",
}


@cache
def modules() -> dict[str, ast.Module]:
    """Return every module by its path below the package, without the suffix: `cli/app`."""
    return {
        file.relative_to(PACKAGE).with_suffix("").as_posix(): ast.parse(file.read_text("utf-8"), str(file))
        for file in sorted(PACKAGE.rglob("*.py"))
    }


def room_of(module: str) -> str:
    """Return the room of a module; `localpi/__main__.py` is the command line's front door."""
    first = module.split("/", maxsplit=1)[0]
    return {"__main__": "cli", "__init__": "errors"}.get(first, first)


def imports(module: str) -> Iterator[tuple[str, int]]:
    """Yield every imported module and name with its line: `localpi.store.blobs.Blobs`, `os`, `http.client`."""
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports are absolute, so that the door shows"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            argument = node.args[0]
            if isinstance(argument, ast.Constant):
                yield str(argument.value), node.lineno


def own_imports(module: str) -> Iterator[tuple[str, int]]:
    """Yield imports of this project, without its name in front; `from localpi import __version__` is none."""
    for name, line in imports(module):
        if name.startswith("localpi.") and name != "localpi.__version__":
            yield name.removeprefix("localpi."), line


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def is_pure(module: str) -> bool:
    """Return whether the sign is on the door of the module or of its room."""
    doors = {module, module.split("/", maxsplit=1)[0] + "/__init__"}
    signs = (ast.get_docstring(modules()[door]) or "" for door in doors if door in modules())
    return any(re.search(r"\bPure[:.]", sign) for sign in signs)


def test_every_room_has_a_row_in_the_table() -> None:
    """A new room is a decision: it fails here until it has been placed."""
    assert {room_of(module) for module in modules()} <= set(DOORS)


def test_rooms_use_only_the_doors_in_the_table() -> None:
    """No import, wherever it stands, goes through a wall."""
    wrong = [
        f"{module}:{line} imports {name}"
        for module in modules()
        for name, line in own_imports(module)
        if name.split(".")[0] not in {room_of(module), *DOORS[room_of(module)].split()}
    ]
    assert wrong == []


def test_the_table_has_no_cycles() -> None:
    """Flows go one way: a room's doors lead only to rooms above it in the table."""
    rooms = list(DOORS)
    wrong = [(room, door) for room in rooms for door in DOORS[room].split() if rooms.index(door) > rooms.index(room)]
    assert wrong == []


def test_libraries_stay_in_their_rooms() -> None:
    """SQL, HTTP, processes and the platform are each spoken to from one place."""
    wrong = [
        f"{module}:{line} imports {name}"
        for module in modules()
        for name, line in imports(module)
        for library, rooms in TENANTS.items()
        if within(name, library) and room_of(module) not in rooms.split()
    ]
    assert wrong == []


def test_modules_do_not_import_each_other_in_circles() -> None:
    """Import cycles count, those hidden in functions too; imports for types alone do not run and do not count."""
    graph = {module: _runtime_imports(module) for module in modules()}
    done: set[str] = set()
    for start in graph:
        assert (found := _cycle(start, graph, done, ())) is None, " -> ".join(found)


def typing_lines(module: str) -> set[int]:
    """Return the lines of imports that do not run."""
    return {
        inner.lineno
        for node in ast.walk(modules()[module])
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }


def _runtime_imports(module: str) -> set[str]:
    typing_only = typing_lines(module)
    found = set()
    for name, line in own_imports(module):
        path = name.replace(".", "/")
        for target in (path, path.rpartition("/")[0], f"{path}/__init__", f"{path.rpartition('/')[0]}/__init__"):
            if line not in typing_only and target in modules() and target != module:
                found.add(target)
                break
    return found


def _cycle(module: str, graph: dict[str, set[str]], done: set[str], trail: tuple[str, ...]) -> tuple[str, ...] | None:
    if module in trail:
        return (*trail[trail.index(module) :], module)
    if module in done:
        return None
    for target in sorted(graph[module]):
        found = _cycle(target, graph, done, (*trail, module))
        if found:
            return found
    done.add(module)
    return None


@pytest.mark.parametrize("where", PURE)
def test_the_pure_ones_carry_the_sign(where: str) -> None:
    """Who opens the file sees that it is pure."""
    found = [module for module in modules() if module == where or module.startswith(where + "/")]
    assert found
    assert [module for module in found if not is_pure(module)] == []


def test_pure_modules_reach_nothing_outside() -> None:
    """No file, clock, environment, chance, thread or log; and of this project only what is as pure."""
    wrong = []
    for module in modules():
        if not is_pure(module):
            continue
        wrong += [
            f"{module}:{line} imports {name}"
            for name, line in imports(module)
            if line not in typing_lines(module)
            and (any(within(name, bad) for bad in IMPURE_IMPORTS) or not _is_as_pure(name))
        ]
        for node in ast.walk(modules()[module]):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
                wrong.append(f"{module}:{node.lineno} calls {node.func.id}")
            if isinstance(node, ast.Attribute) and node.attr in IMPURE_ATTRIBUTES:
                wrong.append(f"{module}:{node.lineno} reads .{node.attr}")
    assert wrong == []


def _is_as_pure(name: str) -> bool:
    if not name.startswith("localpi."):
        return True
    path = name.removeprefix("localpi.").replace(".", "/")
    target = path if path in modules() else path.rpartition("/")[0]
    return target in {"", "errors", "reports"} or target not in modules() or is_pure(target)


def test_modules_stay_small() -> None:
    """Median near 100 lines, none over 300."""
    lengths = {module: len((PACKAGE / f"{module}.py").read_text("utf-8").splitlines()) for module in modules()}
    assert {module: lines for module, lines in lengths.items() if lines > MOST_LINES and module not in LARGER} == {}


def test_classes_stay_small() -> None:
    """At most a dozen public methods: god classes are how others went wrong."""
    large = {}
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                methods = [
                    inner.name
                    for inner in node.body
                    if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_")
                ]
                if len(methods) > MOST_PUBLIC_METHODS:
                    large[f"{module}.{node.name}"] = len(methods)
    assert large == {}


def test_functions_stay_small() -> None:
    """Under 55 lines, docstring and all."""
    large = {
        f"{module}.{node.name}": node.end_lineno - node.lineno + 1
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.end_lineno and node.end_lineno - node.lineno >= 55
    }
    assert large == {}


def test_names_of_rooms_and_modules_say_something() -> None:
    """No drawer for what found no place."""
    dull = {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc", "base"}
    assert [module for module in modules() if dull & set(module.split("/"))] == []


def test_addresses_of_registries_stand_in_one_place() -> None:
    """PyPI's address is a constant of settings/pypi.py and nowhere else in the code."""
    hosts = ("pypi" + ".org", "python" + "hosted.org")
    found = {
        module
        for module in modules()
        for line in (PACKAGE / f"{module}.py").read_text("utf-8").splitlines()
        if any(f"//{host}" in line or f'"{host}' in line for host in hosts)
    }
    assert found <= {"settings/pypi"}
