"""A blueprint as a YAML file: networks, gateways and circuits by name at the top, the rest below."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.topology import Topology
from vpngw_iac.blueprints.writing.fields import SECRETS, fields_of, secret_arguments
from vpngw_iac.blueprints.writing.layout import comment_lines
from vpngw_iac.blueprints.writing.python import Remarks

_SECTIONS = {"VirtualNetwork": "networks", "VpnGateway": "gateways", "ExpressRouteGateway": "gateways",
             "Circuit": "circuits"}  # fmt: skip


def yaml_text(blueprint: Blueprint, introduction: str, remarks: Remarks, ending: Sequence[str] = ()) -> str:
    """The whole file, what is to be said beside parts at its head."""
    import yaml

    writer = _Writer(type(blueprint).model_fields.keys())
    body = writer.blueprint(blueprint)
    document = {"kind": body.pop("kind"), "name": body.pop("name"), **writer.sections, **body}
    told = [f"{place}: {sentence}" if place else sentence for place, said in remarks.items() for sentence in said]
    head = [f"# {line}".rstrip() for line in introduction.rstrip("\n").split("\n")]
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False)
    return "\n".join([*head, *comment_lines(told), text.rstrip("\n"), *comment_lines(ending)]) + "\n"


class _Writer:
    """Makes plain values; what has a section is written there once and used by its name.

    A section that is called like a field of the blueprint (`circuits`) cannot stand beside that field: there the values
    are written where they are used.
    """

    def __init__(self, fields: Collection[str]) -> None:
        self._fields_of_kind = fields
        self.sections: dict[str, dict[str, Any]] = {}
        self._names: dict[str, str] = {}

    def blueprint(self, blueprint: Blueprint) -> dict[str, Any]:
        said = dict(fields_of(blueprint))
        if isinstance(blueprint, Topology):
            said["blueprints"] = [self.blueprint(inner) for inner in blueprint.blueprints]
            return {"kind": blueprint.kind, **{k: v if k == "blueprints" else self.value(v) for k, v in said.items()}}
        return {"kind": blueprint.kind, **{name: self.value(value) for name, value in said.items()}}

    def value(self, value: Any) -> Any:
        if isinstance(value, Part):
            section = _SECTIONS.get(type(value).__name__.removeprefix("Existing"))
            if section is None or section in self._fields_of_kind:
                return self._fields(value)
            return self._named(section, value)
        if isinstance(value, SECRETS):
            form, arguments = secret_arguments(value)
            names = ("vault", "name", "version")
            return {form: arguments[0] if len(arguments) == 1 else dict(zip(names, arguments, strict=False))}
        if isinstance(value, ArmId | date):
            return str(value)
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in value.items()}
        return [self.value(item) for item in value] if isinstance(value, tuple | list) else value

    def _fields(self, part: Part) -> dict[str, Any]:
        return {name: self.value(value) for name, value in fields_of(part)}

    def _named(self, section: str, part: Any) -> str:
        key = f"{type(part).__name__} {part!r}"
        if key not in self._names:
            fields = self._fields(part)
            entries = self.sections.setdefault(section, {})
            names = (part.address_name, *(f"{part.address_name}-{i}" for i in range(2, len(entries) + 3)))
            name = next(n for n in names if n not in entries)
            if fields.get("name") == name:
                del fields["name"]
            entries[name] = fields
            self._names[key] = name
        return self._names[key]
