"""Blueprint files with one mistake whose place is known: it must end in a valid plan, or be told with file and line.

Python files are those of ``blueprints/`` and ``examples/``, with loops, names and f-strings of theirs; YAML files are
made as in `tests.mutants`. Where a mistake stands is known from `ast` and YAML's own marks, not from what is tested.
"""

from __future__ import annotations

import ast
import copy
import functools
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.blueprints.mutations import WILD, places, value_at
from tests.mutants import DUMPER, WORDS, End, end_of, made, other_prefix
from vpngw_iac.blueprints.base import kinds
from vpngw_iac.blueprints.load import load
from vpngw_iac.blueprints.part import Part
from vpngw_iac.usecases.workspace import Workspace

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Mistake:
    """A file with one mistake: `near` are the lines of the part that holds it, and of those around it."""

    file: Path
    told: str
    near: frozenset[int]


# --- Python ----------------------------------------------------------------------------------------------------------


@functools.cache
def _sources() -> tuple[Path, ...]:
    found = [*(ROOT / "blueprints").glob("*.py"), ROOT / "examples" / "fleet_from_csv.py"]
    return tuple(sorted(found))


def _nouns(tree: ast.AST) -> list[ast.Call]:
    """Calls that make nouns, in the order of the text; a method of one (``existing``, ``ingress``) counts."""
    names = {*Part.models, *kinds()}

    def noun(call: ast.Call) -> str:
        func = call.func.value if isinstance(call.func, ast.Attribute) else call.func
        return func.id if isinstance(func, ast.Name) else ""

    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and noun(node) in names]
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


def _segment(source: str, node: ast.AST) -> str:
    return ast.get_source_segment(source, node) or ""


def _replaced(source: str, node: Any, text: str) -> str:
    lines = source.encode().split(b"\n")
    before = b"\n".join([*lines[: node.lineno - 1], lines[node.lineno - 1][: node.col_offset]])
    after = b"\n".join([lines[node.end_lineno - 1][node.end_col_offset :], *lines[node.end_lineno :]])
    return (before + text.encode() + after).decode()


def python_mistake(chance: random.Random, folder: Path) -> Mistake:
    """One keyword of one noun is left out, misspelt, or has another value."""
    origin = chance.choice(_sources())
    source = origin.read_text(encoding="utf-8")
    calls = [call for call in _nouns(ast.parse(source)) if call.keywords]
    number = chance.randrange(len(calls))
    keyword = chance.choice([k for k in calls[number].keywords if k.arg])
    kind = chance.choice(("out", "misspelt", "wild", "wild", "swap", "strain", "strain"))
    value = _segment(source, keyword.value)
    twins = [k for call in calls for k in call.keywords if k.arg == keyword.arg and _segment(source, k.value) != value]
    match kind:
        case "out":
            text = "**{}"  # nothing, in its place
        case "misspelt":
            text = f"{keyword.arg}x={value}"
        case "swap" if twins:
            text = f"{keyword.arg}={_segment(source, chance.choice(twins).value)}"
        case "strain" if isinstance(keyword.value, ast.Constant):
            other = strained(str(keyword.arg), keyword.value.value, chance)
            text = f"{keyword.arg}={other!r}"
        case _:
            text = f"{keyword.arg}={chance.choice(WILD)!r}"
    changed = _replaced(source, keyword, text)
    for neighbour in (ROOT / "blueprints" / "certificates", ROOT / "examples" / "sites.csv"):
        target = folder / neighbour.name
        if not target.exists():
            shutil.copytree(neighbour, target) if neighbour.is_dir() else shutil.copy(neighbour, target)
    file = folder / "case.py"
    file.write_text(changed, encoding="utf-8")
    tree = ast.parse(changed)
    again = _nouns(tree)
    return Mistake(
        file,
        f"{origin.name}: {_segment(source, calls[number].func)}.{text[:80]}",
        _near(again, [call for call in again if call.keywords][number], tree),
    )


def _near(calls: list[ast.Call], mine: ast.Call, tree: ast.Module) -> frozenset[int]:
    """Lines of the call, those of calls around it that are no other noun's, and of calls that use it by a name."""
    around = {id(mine)}
    grown = True
    while grown:
        inside = [call for call in calls if id(call) in around]
        used = _names_of(tree, inside)
        more = {
            id(call)
            for call in calls
            if any(id(n) in around for n in ast.walk(call) if isinstance(n, ast.Call))
            or any(isinstance(n, ast.Name) and n.id in used for n in ast.walk(call))
        }
        grown = not more <= around
        around |= more
    found = set(range(mine.lineno, (mine.end_lineno or 0) + 1))
    for call in calls:
        if id(call) in around:
            own = set(range(call.lineno, (call.end_lineno or 0) + 1))
            for other in calls:
                if other is not call and id(other) not in around:
                    own -= set(range(other.lineno, (other.end_lineno or 0) + 1)) - {call.lineno}
            found |= own
    return frozenset(found)


def _names_of(tree: ast.Module, calls: list[ast.Call]) -> set[str]:
    """Names that stand for something in which one of the calls is: variables, and functions that make it."""
    wanted = {id(call) for call in calls}
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.FunctionDef) and any(id(inner) in wanted for inner in ast.walk(node)):
            if isinstance(node, ast.FunctionDef):
                names.add(node.name)
            else:
                names |= {n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    return names


def strained(name: str, value: Any, chance: random.Random) -> Any:
    """Another value of the same sort, as people write it by mistake."""
    match value:
        case bool():
            return not value
        case int():
            return chance.choice((value + 1, -value, value * 1000, 0, 65515, 2**32, str(value)))
        case str() if "/" in value and value[:1].isdigit():
            return other_prefix(value, chance)
        case str() if name in WORDS:
            return copy.deepcopy(chance.choice(WORDS[name]))
    return chance.choice((f"{value}x", str(value).upper(), "", f" {value}", None))


# --- YAML ------------------------------------------------------------------------------------------------------------


def yaml_mistake(chance: random.Random, folder: Path) -> Mistake:
    """One value of a legal document is left out, misspelt, or is another."""
    document = made(chance)
    at = chance.choice(list(places(document)))
    parent, key = value_at(document, at[:-1]), at[-1]
    before = parent[key]
    kind = chance.choice(("out", "misspelt", "wild", "wild", "strain", "strain", "strain"))
    if kind == "out":
        del parent[key]
    elif kind == "misspelt" and isinstance(key, str):
        parent[f"{key}{chance.choice('xs')}"] = parent.pop(key)
    elif kind == "strain" and not isinstance(before, dict | list):
        parent[key] = strained(str(key), before, chance)
    else:
        parent[key] = copy.deepcopy(chance.choice(WILD))
    file = folder / "case.yaml"
    text = yaml.dump(document, Dumper=DUMPER, default_flow_style=False, sort_keys=False)
    file.write_text(text, encoding="utf-8")
    root = yaml.compose(text)
    names = set(at[1:2]) or (set(before) if isinstance(before, dict) else set())  # what others may use by its name
    users = {node.start_mark.line + 1 for node in _scalars(root) if node.value in names}
    return Mistake(file, f"{kind} {at}", _near_in(root, at) | users)


def _scalars(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    else:
        for item in node.value:
            for part in item if isinstance(item, tuple) else (item,):
                yield from _scalars(part)


def _near_in(root: Any, at: tuple[Any, ...]) -> frozenset[int]:
    """Lines of the innermost mapping around a place, and those of the keys of each mapping around it."""
    node, holders = root, [root]
    for step in at:
        inner = _below(node, step)
        if inner is None:
            break
        node = inner
        holders.append(node)
    found: set[int] = set()
    for holder in holders:
        if isinstance(holder, yaml.MappingNode):
            found |= {key.start_mark.line + 1 for key, _ in holder.value}
    closest = next(h for h in reversed(holders) if isinstance(h, yaml.MappingNode))
    return frozenset(found | _lines(closest) | _lines(holders[-1]))


def _below(node: Any, step: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step]
    return None


def _lines(node: Any) -> set[int]:
    end = node.end_mark.line + (node.end_mark.column > 0)
    return set(range(node.start_mark.line + 1, max(end, node.start_mark.line + 1) + 1))


# --- what becomes of it ----------------------------------------------------------------------------------------------


@dataclass
class Verdict:
    """How a mistake ended, and what was not as it must be."""

    word: str
    wrong: list[str] = field(default_factory=list)


def verdict(mistake: Mistake, workspace: Workspace) -> Verdict:
    """A file that cannot be read is told at the mistake; every finding of one that can stands at a line of the file."""
    end: End = end_of(mistake.file, workspace, None)
    if end.crash:
        return Verdict(end.word, [end.crash])
    if end.word == "unreadable":
        lines = [_line(mistake.file, finding.location) for finding in end.findings]
        near = any(line in mistake.near for line in lines)
        return Verdict(end.word, [] if near else [f"{sorted(mistake.near)}: {[str(f) for f in end.findings]}"])
    loaded = load(mistake.file)
    told = [loaded.told(finding) for finding in end.findings if finding.address]
    last = len(mistake.file.read_text(encoding="utf-8").splitlines())
    return Verdict(
        end.word,
        [f"{f.rule} {f.address} {f.location}" for f in told if not 1 <= _line(mistake.file, f.location) <= last],
    )


def _line(file: Path, location: str) -> int:
    """The line of a location in this file; 0 for one that is not."""
    found = re.fullmatch(rf"{re.escape(str(file))}:(\d+)", location)
    return int(found[1]) if found else 0


def verdicts(seeds: range, folder: Path, workspace: Workspace) -> Iterator[tuple[str, Mistake, Verdict]]:
    """The verdict on each seed's mistake, in Python and YAML by turns."""
    for seed in seeds:
        chance = random.Random(seed)
        mistake = (python_mistake if seed % 2 else yaml_mistake)(chance, folder)
        yield f"seed {seed}: {mistake.told}", mistake, verdict(mistake, workspace)
