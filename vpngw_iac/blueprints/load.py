"""Loads blueprints from ``file.py``, ``file.py:name``, YAML and JSON; every failure names file, line and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from vpngw_iac.blueprints.base import Blueprint, kind_named, kinds
from vpngw_iac.blueprints.broken import broken
from vpngw_iac.blueprints.explain import explain, got
from vpngw_iac.blueprints.part import NamedValues, sections_of
from vpngw_iac.blueprints.source_lines import NoLines, PythonLines, SourceLines, steps_of
from vpngw_iac.errors import BlueprintError, Finding, UsageError
from vpngw_iac.files import UnreadableFile, kind_of, read_text
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.text import suggestion

if TYPE_CHECKING:
    from vpngw_iac.blueprints.document import TextDocument

SECTIONS = ("networks", "gateways", "circuits", "local_gateways", "secrets")
"""Named values at the top of a YAML or JSON file."""

_TEXT_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A blueprint file and what it exposes: ``load("hub.py")``."""

    path: Path
    blueprints: tuple[Blueprint, ...]
    lines: SourceLines = field(default_factory=NoLines, compare=False)

    @property
    def blueprint(self) -> Blueprint:
        """The only blueprint; raises `UsageError` if there are several."""
        if len(self.blueprints) != 1:
            names = ", ".join(blueprint.name for blueprint in self.blueprints)
            raise UsageError(
                f"{self.path} holds several blueprints: {names}.", advice=f"Name one of them: {self.path}:NAME."
            )
        return self.blueprints[0]

    def locate(self, where: str, said: str = "") -> str:
        """``file:line`` of a blueprint path (``sites[1].bgp``) or of the part that a resource's address comes from.

        If `said` repeats a value that is written there, it is the line of the value. Without a known line: the
        blueprint path of an address, else an empty text.
        """
        for blueprint in self.blueprints:
            path = blueprint.path_of(where) if "/" in where else where
            if path:
                return self.lines.place(blueprint, steps_of(path), said) or (path if path != where else "")
        return ""

    def told(self, finding: Finding) -> Finding:
        """A finding with its place in this file, in the language of the file."""
        if re.search(r":\d+$", finding.location):
            return finding  # it was told before
        said = f"{finding.detail} {finding.advice}"
        place = self.locate(finding.location or finding.address, said) or finding.location
        return _in_language(self.path, replace(finding, location=place))

    @property
    def directory(self) -> Path:
        """The folder that relative paths of secrets start at."""
        return self.path.parent


def load(target: str | Path) -> LoadedFile:
    """Load a file; ``file:name`` chooses a variable of a Python file, or a blueprint of a list by its name.

    Raises `UsageError` if there is no such file, `BlueprintError` with findings for everything else.
    """
    path, name = _split(str(target))
    if path.suffix.lower() == ".py":
        return _from_python(path, name)
    if path.suffix.lower() in _TEXT_SUFFIXES:
        return _from_text(path, name)
    raise UsageError(f"{path} is not a blueprint file.", advice="Blueprints are .py, .yaml, .yml or .json files.")


def saved_plan(target: str | Path) -> dict[str, Any] | None:
    """The document of a saved plan, or None if the file is something else (a blueprint in JSON, or unreadable)."""
    return _saved(target, "plan")


def saved_graph(target: str | Path) -> dict[str, Any] | None:
    """The document of a saved graph, or None if the file is something else."""
    return _saved(target, "graph")


def _saved(target: str | Path, kind: str) -> dict[str, Any] | None:
    path = Path(target)
    if path.suffix.lower() != ".json":
        return None
    try:
        document = json.loads(read_text(path))
    except (ValueError, UnreadableFile, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("kind") == kind else None


def schema() -> dict[str, Any]:
    """JSON Schema of YAML and JSON files."""
    from vpngw_iac.blueprints.schema import schema as written

    return written()


def _split(target: str) -> tuple[Path, str | None]:
    path = Path(target)
    name: str | None = None
    if kind_of(path) == "nothing" and ":" in target:
        head, _, tail = target.rpartition(":")
        if tail and not set(tail) & set("/\\") and Path(head).suffix:
            path, name = Path(head), tail
    kind = kind_of(path)
    if kind == "folder":
        raise UsageError(f"{path} is a folder.", advice="Name the blueprint file in it.")
    if kind == "other":
        raise UsageError(f"{path} is a pipe or a device, not a file.", advice="Write the blueprint into a file.")
    if kind == "nothing":
        raise UsageError(f"There is no file {path}.", advice="Check the path.")
    return path, name


# --- Python --------------------------------------------------------------------------------------------------------


def _from_python(path: Path, name: str | None) -> LoadedFile:
    from vpngw_iac.blueprints.python_file import run

    names, sources = run(path)
    if name is not None:
        listed = [b for b in _list_of(names) if b.name == name]
        if name not in names and listed:
            return LoadedFile(path, tuple(listed), PythonLines(sources))
        if name not in names:
            defined = [b.name for b in _list_of(names)] + [
                key for key, value in names.items() if isinstance(value, Blueprint)
            ]
            hint = suggestion(name, defined) or f"It defines: {', '.join(defined) or 'no blueprint'}."
            raise broken(path, None, f"There is no {name!r} in it. {hint}")
        return LoadedFile(path, _checked(path, names[name], name), PythonLines(sources))
    if "blueprint" in names and "blueprints" in names:
        raise broken(path, None, "It exposes both 'blueprint' and 'blueprints'.", advice="Keep one of the two names.")
    for exposed in ("blueprint", "blueprints"):
        if exposed in names:
            return LoadedFile(path, _checked(path, names[exposed], exposed), PythonLines(sources))
    others = [key for key, value in names.items() if isinstance(value, Blueprint)]
    advice = "Assign one to that name: blueprint = SiteToSite(...)."
    if others:
        advice = f"Rename {others[0]!r} to 'blueprint', or name it: {path.name}:{others[0]}."
    raise broken(path, None, "It exposes neither 'blueprint' nor 'blueprints'.", advice=advice)


def _list_of(names: Mapping[str, object]) -> list[Blueprint]:
    """The blueprints of a list called ``blueprints``: each may be chosen by its own name."""
    listed = names.get("blueprints")
    return [item for item in listed if isinstance(item, Blueprint)] if isinstance(listed, list | tuple) else []


def _checked(path: Path, value: object, name: str) -> tuple[Blueprint, ...]:
    if isinstance(value, Blueprint):
        if name == "blueprints":
            raise broken(path, None, "'blueprints' is one blueprint, not a list.", advice="Call it 'blueprint'.")
        return (value,)
    if not isinstance(value, list | tuple) or name == "blueprint":
        what, better = got(value)
        advice = better or f"Assign one of {', '.join(sorted(kinds()))} to it."
        raise broken(path, None, f"{name!r} is {what}.", advice=advice)
    wrong = next((item for item in value if not isinstance(item, Blueprint)), None)
    if wrong is not None or not value:
        what = f"holds {got(wrong)[0]}" if value else "is empty"
        raise broken(path, None, f"{name!r} {what}.", advice="List blueprints in it.")
    return _distinct(path, tuple(value))


def _distinct(path: Path, blueprints: tuple[Blueprint, ...]) -> tuple[Blueprint, ...]:
    seen: set[str] = set()
    for blueprint in blueprints:
        if blueprint.name.lower() in seen:
            raise broken(
                path,
                None,
                f"Two blueprints are called {blueprint.name!r}.",
                advice="Each needs a name of its own: its state is kept under it.",
            )
        seen.add(blueprint.name.lower())
    return blueprints


# --- YAML and JSON -------------------------------------------------------------------------------------------------


def _from_text(path: Path, name: str | None) -> LoadedFile:
    from vpngw_iac.blueprints.document import read_document

    document = read_document(path)
    content = document.content
    if not isinstance(content, Mapping):
        raise broken(
            path, 1, "It holds no mapping at its top.", advice="Start with `kind: SiteToSite` and `name: ...`."
        )
    if content.get("kind") == "plan":
        raise UsageError(f"{path} is a saved plan.", advice="Saved plans go to `vpngw apply` and `vpngw show`.")
    if content.get("kind") == "graph":
        raise UsageError(f"{path} is a saved graph.", advice="Saved graphs go to `vpngw plan`, and nowhere else.")
    named = _named_values(document, content)
    body = {key: value for key, value in content.items() if key not in named.sections and not _is_aside(key)}
    if "kind" not in body and isinstance(body.get("blueprints"), list):
        entries = [_one(document, entry, named, ("blueprints", i)) for i, entry in enumerate(body["blueprints"])]
        blueprints = _distinct(path, tuple(entries))
        chosen = blueprints if name is None else tuple(b for b in blueprints if b.name == name)
        if not chosen:
            hint = suggestion(name or "", [b.name for b in blueprints])
            raise broken(path, None, f"It holds no blueprint called {name!r}. {hint}".strip())
        return LoadedFile(path, chosen, _TextLines(document, named, blueprints))
    return LoadedFile(path, (_one(document, body, named, ()),), _TextLines(document, named))


@dataclass(frozen=True, slots=True)
class _TextLines:
    """Lines of a YAML file; in a list of blueprints each stands below its own entry."""

    document: TextDocument
    named: NamedValues
    listed: tuple[Blueprint, ...] = ()

    def place(self, blueprint: Blueprint, steps: tuple[str | int, ...], said: str) -> str:
        """Place of a path; a value used by its name is located where it is written."""
        prefix = ("blueprints", self.listed.index(blueprint)) if self.listed else ()
        line = self.document.line(_origin(self.document.content, (*prefix, *steps), self.named), said)
        return f"{self.document.path}:{line}" if line else ""


def _in_language(path: Path, finding: Finding) -> Finding:
    """A finding as the people who write such a file speak: in YAML and JSON no Python."""
    if path.suffix.lower() == ".py":
        return finding
    from vpngw_iac.blueprints.language import in_yaml

    return replace(finding, detail=in_yaml(finding.detail), advice=in_yaml(finding.advice))


def _is_aside(key: object) -> bool:
    """``x-...`` holds anchors, ``$schema`` is for editors."""
    return isinstance(key, str) and (key.startswith("x-") or key == "$schema")


def _named_values(document: TextDocument, content: Mapping[str, Any]) -> NamedValues:
    sections: dict[str, Mapping[str, Any]] = {}
    for section in SECTIONS:
        entries = content.get(section)
        if section not in content or (section in ("circuits", "local_gateways") and isinstance(entries, list)):
            # A list of circuits, or of local gateways, is the field of a kind.
            continue
        if not isinstance(entries, Mapping):
            raise broken(document.path, document.line((section,)), f"'{section}:' holds names with values, not a list.")
        sections[section] = entries
    return NamedValues(sections, document.path.parent)


def _one(document: TextDocument, body: Any, named: NamedValues, where: tuple[str | int, ...]) -> Blueprint:
    kind = str(body.get("kind", "")) if isinstance(body, Mapping) else ""
    model = kind_named(kind)
    if model is None:
        line = document.line((*where, "kind")) or document.line(where) or 1
        known = suggestion(kind, kinds()) or f"Write one of {', '.join(sorted(kinds()))}."
        what = f"{kind!r} is not a kind of blueprint." if kind else "It does not say its kind."
        raise broken(document.path, line, what, rule="T-KIND", advice=known)
    fields = {key: value for key, value in body.items() if key != "kind"}
    try:
        return cast("Blueprint", model.__pydantic_validator__.validate_python(fields, context=named))
    except ValidationError as error:
        found = explain(error, fields, whole=True, locate=lambda at: _place(document, (*where, *at), named))
        findings = [_in_language(document.path, finding) for finding in found]
        first = findings[0]
        raise BlueprintError(
            f"{first.location}: {first.address}: {first.detail}", findings=findings, location=first.location
        ) from None


def _place(document: TextDocument, where: tuple[str | int, ...], named: NamedValues) -> str:
    """File and line, of what is not there that of the part that lacks it."""
    return f"{document.path}:{document.line(_origin(document.content, where, named)) or 1}"


def _origin(
    content: Any, where: tuple[str | int, ...], named: NamedValues, names: int = len(SECTIONS)
) -> tuple[str | int, ...]:
    """Where a value is written: a name stands for its entry in a section, which may hold a name again."""
    value = content
    for index, part in enumerate(where):
        if isinstance(value, str):
            name = value
            field_name = next((step for step in reversed(where[:index]) if isinstance(step, str)), "")
            section = next((s for s in sections_of(field_name) if name in (named.sections.get(s) or {})), None)
            if section is None or not names:
                return where[:index]
            return _origin(content, (section, name, *where[index:]), named, names - 1)
        step = _step(value, part)
        value = value if step is None else step
    return where


def _step(value: Any, part: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None
