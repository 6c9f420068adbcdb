"""Imports go downwards only, told by reading the sources: no module is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "vpngw_iac"

FLOORS = {
    "_version": 0,
    "errors": 0,
    "arm": 0,
    "files": 0,
    "pipeline": 0,
    "state_url": 0,
    "secret": 0,
    "masks": 0,
    "field": 0,
    "text": 0,
    "value_check": 0,
    "paths": 0,
    "times": 0,
    "late_dataclass": 0,
    "call_threads": 0,
    "resources": 1,
    "blueprints": 2,
    "preflight": 2,
    "engine": 3,
    "export": 3,
    "state": 3,
    "verify": 3,
    "azure": 4,
    "simulator": 4,
    "usecases": 5,
    "report": 6,
    "cli": 7,
    "__main__": 8,
    "__init__": 8,
}
"""The floor of every module and folder of the package; the package's own `__init__` names what is public."""

TYPES_OF = {("engine", "state"), ("state", "engine"), ("preflight", "blueprints")}
"""Folders of one floor that may use each other's values: a plan holds a state, rules know the regions."""


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        top = path.relative_to(PACKAGE).parts[0]
        yield top.removesuffix(".py"), path


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that is imported anywhere in a file, for type checking too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            module = node.module or ""
            yield module, node.lineno
            if module == "vpngw_iac":
                yield from ((f"vpngw_iac.{alias.name}", node.lineno) for alias in node.names)


def parts_used(path: Path) -> Iterator[tuple[str, int]]:
    for name, line in imports(path):
        pieces = name.split(".")
        if pieces[0] == "vpngw_iac" and len(pieces) > 1 and pieces[1] in FLOORS:
            yield pieces[1], line


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(PACKAGE.parent)}:{line}"


def test_every_part_of_the_package_has_a_floor() -> None:
    assert {name for name, _ in modules()} <= set(FLOORS)


def test_imports_go_downwards_only() -> None:
    wrong = [
        f"{where(path, line)}: {own} (floor {FLOORS[own]}) imports {other} (floor {FLOORS[other]})"
        for own, path in modules()
        for other, line in parts_used(path)
        if FLOORS[other] > FLOORS[own]
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("own", "other", "why"),
    [
        ("azure", "simulator", "the workspace hands a transport to connect"),
        ("simulator", "azure", "the simulated cloud knows ARM, not how we call it"),
        ("simulator", "resources", "two independent witnesses"),
        ("simulator", "blueprints", "a cloud knows nothing of blueprints"),
        ("simulator", "engine", "a cloud knows nothing of plans"),
        ("simulator", "state", "a cloud knows nothing of states"),
        ("engine", "blueprints", "the engine takes anything that yields resources"),
        ("engine", "preflight", "the engine takes findings as values"),
        ("state", "blueprints", "a state remembers resources"),
        ("blueprints", "preflight", "what people want is judged by others"),
        ("azure", "blueprints", "the cloud takes documents"),
        ("resources", "blueprints", "resources are what Azure has"),
    ],
)
def test_these_never_meet(own: str, other: str, why: str) -> None:
    met = [
        where(path, line) for name, path in modules() if name == own for used, line in parts_used(path) if used == other
    ]

    assert met == [], f"{own} must not know {other}: {why}"


def test_only_the_azure_folder_imports_the_sdk() -> None:
    wrong = [
        where(path, line)
        for own, path in modules()
        for name, line in imports(path)
        if own != "azure" and name.split(".")[0] in {"azure", "msal", "msrest"}
    ]

    assert wrong == []


def test_only_the_progress_displays_import_rich() -> None:
    wrong = [
        where(path, line)
        for _, path in modules()
        for name, line in imports(path)
        if name.split(".")[0] == "rich" and path.name not in ("progress.py", "fleet_progress.py")
    ]

    assert wrong == []


def test_only_the_command_line_imports_typer() -> None:
    wrong = [
        where(path, line)
        for own, path in modules()
        for name, line in imports(path)
        if name.startswith("typer") and own != "cli"
    ]

    assert wrong == []


def test_folders_of_one_floor_keep_apart_unless_they_share_values() -> None:
    folders = {"blueprints", "preflight", "engine", "state", "azure", "simulator"}
    met = {
        (own, other)
        for own, path in modules()
        for other, _ in parts_used(path)
        if own in folders and other in folders and own != other and FLOORS[own] == FLOORS[other]
    }

    assert met <= TYPES_OF
