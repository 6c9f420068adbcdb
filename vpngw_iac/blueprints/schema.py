"""JSON Schema of blueprint files, for editors and for documentation; descriptions are the nouns' own docstrings."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import textwrap
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from vpngw_iac.blueprints.base import kinds
from vpngw_iac.blueprints.part import SECRET_SCHEMA, Part

_SECTIONS = {
    "networks": ("VirtualNetwork", "ExistingVirtualNetwork"),
    "gateways": ("VpnGateway", "ExistingVpnGateway", "ExpressRouteGateway", "ExistingExpressRouteGateway"),
    "circuits": ("Circuit", "ExistingCircuit"),
    "local_gateways": ("LocalGateway", "ExistingLocalGateway"),
}


def schema() -> dict[str, Any]:
    """The schema of a YAML or JSON file: one blueprint of any kind with named values, or a list of blueprints."""
    models = sorted(kinds().items())
    _, document = models_json_schema(
        [(model, "validation") for _, model in models], ref_template="#/$defs/{model}", by_alias=True
    )
    definitions: dict[str, Any] = document["$defs"]
    for name, definition in definitions.items():
        _describe(name, definition)
    _name_kinds(definitions, [name for name, _ in models])
    entries = [{"$ref": f"#/$defs/{name}"} for name, _ in models]
    definitions["Topology"]["properties"]["blueprints"]["items"] = {"oneOf": entries}
    definitions = _share_secret(definitions)
    sections = _sections(definitions)
    files = [_whole_file(definitions[name], sections) for name, _ in models] + [
        {
            "type": "object",
            "title": "Several blueprints",
            "properties": {"$schema": {"type": "string"}, "blueprints": {"type": "array", "items": {"oneOf": entries}}}
            | sections,
            "patternProperties": {"^x-": {}},
            "required": ["blueprints"],
            "additionalProperties": False,
        }
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vpngw blueprint",
        "oneOf": files,
        "$defs": _needed(files, definitions),
    }


def _share_secret(definitions: dict[str, Any]) -> dict[str, Any]:
    """The form of a secret once, as ``Secret``, where pydantic writes it out in each place."""

    def shared(node: Any) -> Any:
        if isinstance(node, dict):
            if SECRET_SCHEMA.items() <= {**node, "description": SECRET_SCHEMA["description"]}.items():
                return {"$ref": "#/$defs/Secret"}
            return {key: shared(value) for key, value in node.items()}
        return [shared(item) for item in node] if isinstance(node, list) else node

    return {name: shared(definition) for name, definition in definitions.items()} | {"Secret": dict(SECRET_SCHEMA)}


def _needed(files: list[dict[str, Any]], definitions: dict[str, Any]) -> dict[str, Any]:
    """Only what a file can reach: which others pydantic keeps differs between its versions."""
    needed: set[str] = set()
    frontier: list[Any] = [files]
    while frontier:
        node = frontier.pop()
        if isinstance(node, list):
            frontier += node
        elif isinstance(node, dict):
            frontier += node.values()
            name = str(node.get("$ref", "")).removeprefix("#/$defs/")
            if name in definitions and name not in needed:
                needed.add(name)
                frontier.append(definitions[name])
    return {name: definition for name, definition in definitions.items() if name in needed}


def _name_kinds(definitions: dict[str, Any], names: list[str]) -> None:
    for name in names:
        definition = definitions[name]
        definition["properties"] = {"kind": {"const": name}, **definition["properties"]}
        definition["required"] = ["kind", *definition.get("required", [])]


def _sections(definitions: dict[str, Any]) -> dict[str, Any]:
    """Named values: an entry may leave its name out, the key is the name."""
    for section, names in _SECTIONS.items():
        forms = []
        for name in names:
            entry = dict(definitions[name])
            entry["required"] = [field for field in entry.get("required", []) if field != "name"]
            forms.append(entry)
        definitions[section] = {"type": "object", "additionalProperties": {"anyOf": forms}}
    definitions["secrets"] = {"type": "object", "additionalProperties": {"$ref": "#/$defs/Secret"}}
    return {section: {"$ref": f"#/$defs/{section}"} for section in (*_SECTIONS, "secrets")}


def _whole_file(definition: dict[str, Any], sections: dict[str, Any]) -> dict[str, Any]:
    own = definition["properties"]
    properties = {"$schema": {"type": "string"}, **sections, **own}
    for name in {"circuits", "local_gateways"} & set(own):
        # A mapping holds named values, a list is the field of this kind.
        properties[name] = {"anyOf": [own[name], sections[name]]}
    return {**definition, "properties": properties, "patternProperties": {"^x-": {}}}


def _describe(name: str, definition: dict[str, Any]) -> None:
    model = Part.models.get(name)
    if model is None:
        return
    definition["description"] = inspect.getdoc(model) or ""
    texts = field_docs(model)
    for field, entry in definition.get("properties", {}).items():
        if field in texts:
            entry["description"] = texts[field]


@functools.cache
def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """Docstrings of a model's fields, its parents' included, read from the source."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if issubclass(owner, Part) and owner is not Part:
            found |= own_docs(owner)
    return found


def own_docs(owner: type) -> dict[str, str]:
    """Docstrings of the attributes that the class itself annotates, read from the source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for field, text in itertools.pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            found[field.target.id] = inspect.cleandoc(text.value.value).replace("\n", " ")
    return found
