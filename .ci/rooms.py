"""Fails when a file stands where the house has no room for it: names, sizes, and imports from one app into another."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import setup

ROOT = Path(setup.ROOT)
APPS = ("assets", "tickets", "dispatch", "integrations")
DOORS = {"api", "views", "admin", "consumers", "jobs"}
ROOM = DOORS | {"serializers", "forms", "services", "queries", "models", "adapters", "estimators", "rules"}
ROOM_EXTRAS = {"integrations/identity": {"authentication"}}  # Django REST framework's own kind of door
APP = {"apps", "urls", "models", "admin", "events", "subscribers", "policies"}
APP_FOLDERS = {"migrations", "management", "templatetags"}
# What one app may import from another. Rules are pure, so using them binds nobody to a table or a transaction.
SHARED = {"models", "queries", "services", "events", "policies", "rules"}
NAMELESS = {"utils", "common", "helpers", "manager", "misc"}
TOP = {
    "manage.py",
    "pyproject.toml",
    "README.md",
    "Makefile",
    "LICENSE",
    "config",
    "templates",
    "static",
    "tests",
    *APPS,
}
WALL = 500
WRITTEN = {".py", ".html", ".css", ".js", ".md"}


def python_files() -> Iterator[Path]:
    for app in APPS:
        yield from (path.relative_to(ROOT) for path in sorted((ROOT / app).rglob("*.py")))


def strangers_at_the_top() -> Iterator[str]:
    for path in ROOT.iterdir():
        if not path.name.startswith(".") and path.name not in TOP:
            yield f"{path.name}: nothing of this name lives at the top"


def misplaced(path: Path) -> Iterator[str]:
    app, *rest = path.with_suffix("").parts
    if rest[0] in APP_FOLDERS or rest == ["__init__"]:
        return
    if len(rest) == 1:
        if rest[0] not in APP:
            yield f"{path}: an app has only {', '.join(sorted(APP))}"
    elif rest[1] not in ROOM | {"__init__"} | ROOM_EXTRAS.get(f"{app}/{rest[0]}", set()):
        yield f"{path}: a room has only {', '.join(sorted(ROOM))}"
    if NAMELESS & set(rest):
        yield f"{path}: the name says nothing about what is inside"


def imported(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Dotted names that a file imports, including the names taken out of a package."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, [*node.module.split("."), alias.name]) for alias in node.names)


def trespassing(path: Path) -> Iterator[str]:
    for line, parts in imported(path):
        if parts[0] in APPS and parts[0] != path.parts[0] and not SHARED & set(parts[1:4]):
            yield f"{path}:{line}: imports {'.'.join(parts[:3])}; across apps only {', '.join(sorted(SHARED))}"


def too_long() -> Iterator[str]:
    for top in TOP:
        for path in (ROOT / top).rglob("*") if (ROOT / top).is_dir() else [ROOT / top]:
            if path.suffix in WRITTEN and not {"vendor", "migrations"} & set(path.parts) and path.is_file():
                lines = path.read_text().count("\n")
                if lines > WALL:
                    yield f"{path.relative_to(ROOT)}: {lines} lines; {WALL} is a wall"


def main() -> int:
    problems = [*strangers_at_the_top(), *too_long()]
    for path in python_files():
        problems += misplaced(path)
        if "management" not in path.parts and "migrations" not in path.parts:
            problems += trespassing(path)
    print(*problems, sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
