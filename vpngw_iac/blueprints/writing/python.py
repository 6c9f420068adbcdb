"""A blueprint as a Python file: one name for each network and gateway, and for whatever would be said twice."""

from __future__ import annotations

import builtins
import keyword
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.circuit import Circuit, ExistingCircuit
from vpngw_iac.blueprints.client import RootCertificate
from vpngw_iac.blueprints.gateway import (
    ExistingExpressRouteGateway,
    ExistingVpnGateway,
    ExpressRouteGateway,
    VpnGateway,
)
from vpngw_iac.blueprints.network import Delegation, ExistingVirtualNetwork, PublicIp, Subnet, VirtualNetwork
from vpngw_iac.blueprints.operations_settings import Lock, RoleAssignment
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.site import BgpPeer, Nat, TrafficSelector
from vpngw_iac.blueprints.writing.csv import SiteTable
from vpngw_iac.blueprints.writing.fields import (
    SECRETS,
    fields_of,
    is_existing,
    is_pair,
    preset_of,
    secret_arguments,
)
from vpngw_iac.blueprints.writing.layout import WIDTH, Argument, Expression, call, comment_lines, listed, text
from vpngw_iac.paths import join

Remarks = Mapping[str, Sequence[str]]
"""What is said beside a part, by its path in the blueprint (``sites[1]``)."""

_NAMED = (
    VirtualNetwork,
    ExistingVirtualNetwork,
    VpnGateway,
    ExistingVpnGateway,
    ExpressRouteGateway,
    ExistingExpressRouteGateway,
    Circuit,
    ExistingCircuit,
)
"""Nouns that get a name of their own, however often they are used."""

_PLAIN = (Subnet, Delegation, PublicIp, Lock, RoleAssignment, BgpPeer, TrafficSelector)
"""Nouns that are written where they stand, also if another one says the same."""

_CELLS = {"prefixes": 'row["{}"].split()', "shared_key": 'Secret.env(row["{}"])'}
"""How a cell becomes a value, where it is no plain text."""

_TAKEN = {*keyword.kwlist, *dir(builtins), "blueprint", "csv", "table", "row", "sites"}


def python_text(
    blueprint: Blueprint,
    introduction: str,
    remarks: Remarks,
    ending: Sequence[str] = (),
    table: SiteTable | None = None,
) -> str:
    """The whole file: introduction, imports, named values, the blueprint, and comments at its end.

    The sites of a `table` are read from ``sites.csv`` beside it.
    """
    writer = _Writer(blueprint, remarks, table)
    body = writer.expression(blueprint, "").lines("blueprint = ", "", "")
    imports = _imports(writer.imported)
    standard = ["import csv", "from pathlib import Path", ""] if table else []
    lines = [f'"""{introduction}"""', "", *standard, *imports, ""]
    for block in (*writer.assignments, [*comment_lines(remarks.get("", ())), *body]):
        lines += [*block, ""]
    lines += comment_lines(ending)
    return "\n".join(lines).rstrip("\n") + "\n"


def nouns_text(blueprint: Blueprint, remarks: Remarks) -> str:
    """The same without introduction, to be added to a file of somebody's own."""
    writer = _Writer(blueprint, remarks)
    body = writer.expression(blueprint, "").lines("blueprint = ", "", "")
    lines = [*_imports(writer.imported), ""]
    for block in (*writer.assignments, body):
        lines += [*block, ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _imports(names: set[str]) -> list[str]:
    found = listed((Argument(Expression(name)) for name in sorted(names)), "()")
    flat = f"from vpngw_iac import {', '.join(sorted(names))}"
    return [flat] if len(flat) <= WIDTH else found.lines("from vpngw_iac import ", "", "")


class _Writer:
    """Makes expressions; what is named is assigned before it is used, in the order of first use."""

    def __init__(self, blueprint: Blueprint, remarks: Remarks, table: SiteTable | None = None) -> None:
        self._table = table
        self._remarks = remarks
        self._uses = Counter(_key(value) for value in _walk(blueprint, set()))
        self._names: dict[str, str] = {}
        self._paths = _paths_of(blueprint)
        self.assignments: list[list[str]] = []
        self.imported: set[str] = set()

    def expression(self, value: Any, path: str) -> Expression:
        """How a value is written where it stands."""
        if self._is_named(value):
            return Expression(self._named(value, path))
        return self._written(value, path)

    # --- names -------------------------------------------------------------------------------------------------------

    def _is_named(self, value: Any) -> bool:
        if isinstance(value, (*_NAMED, RootCertificate)):
            return True
        if isinstance(value, (Blueprint, *_PLAIN)) or not isinstance(value, (Part, ArmId, *SECRETS)):
            return False
        return self._uses[_key(value)] > 1 and not (isinstance(value, Part) and preset_of(value))

    def _named(self, value: Any, path: str) -> str:
        key = _key(value)
        if key not in self._names:
            written = self._written(value, path)
            name = self._free(_stem(value), value)
            self._names[key] = name
            told = [sentence for place in self._paths.get(key, ()) for sentence in self._remarks.get(place, ())]
            block = [*comment_lines(tuple(dict.fromkeys(told))), *written.lines(f"{name} = ", "", "")]
            self.assignments.append(block)
        return self._names[key]

    def _free(self, stem: str, value: Any) -> str:
        taken = {*_TAKEN, *self._names.values()}
        kind = _kind(value)
        numbered = (f"{stem}_{kind}_{number}" for number in range(2, len(taken) + 3))
        return next(name for name in (stem, f"{stem}_{kind}", *numbered) if name not in taken)

    # --- values ------------------------------------------------------------------------------------------------------

    def _written(self, value: Any, path: str) -> Expression:
        match value:
            case Part():
                return self._part(value, path)
            case None | bool() | int() | float():
                return Expression(repr(value))
            case ArmId():
                return text(str(value))
            case date():
                return text(value.isoformat())
            case str():
                return text(value)
            case tuple() | list():
                return self._list(value, path, "[]")
            case Mapping():
                return listed((Argument(self.expression(v, join(path, str(k))), f"{text(str(k)).text}: ")
                               for k, v in value.items()), "{}")  # fmt: skip
            case _ if isinstance(value, SECRETS):
                self.imported.add("Secret")
                form, arguments = secret_arguments(value)
                return call(f"Secret.{form}", (Argument(text(argument)) for argument in arguments))
        raise TypeError(f"a {type(value).__name__} stands at {path}")

    def _list(self, values: Sequence[Any], path: str, brackets: str) -> Expression:
        entries = []
        for index, value in enumerate(values):
            place = f"{path}[{index}]"
            comment = () if self._is_named(value) else tuple(self._remarks.get(place, ()))
            entries.append(Argument(self.expression(value, place), comment=comment))
        return listed(entries, brackets)

    def _part(self, part: Part, path: str) -> Expression:
        name = type(part).__name__.removeprefix("Existing")
        self.imported.add(name)
        if (preset := preset_of(part)) is not None:
            return call(f"{name}.{preset}", ())
        if isinstance(part, RootCertificate):
            return self._certificate(part)
        arguments = [self._argument(part, field, value, path) for field, value in fields_of(part)]
        if is_existing(part):
            first, *others = arguments
            return call(f"{name}.existing", (Argument(first.value), *others))
        if isinstance(part, Nat):
            return call(f"Nat.{part.direction}", (a for a in arguments if a.before != "direction="))
        if name == "Sku":
            return call("Sku.other", (Argument(text(part.name)),))  # type: ignore[attr-defined]
        return call(name, arguments)

    def _argument(self, part: Part, field: str, value: Any, path: str) -> Argument:
        place = join(path, field)
        if field == "sites" and self._table is not None and value == self._table.whole:
            return Argument(self._from_table(self._table, place), "sites=")
        if isinstance(value, tuple) and is_pair(type(part).model_fields[field].annotation):
            return Argument(self._list(value, place, "()"), f"{field}=")
        comment = () if self._is_named(value) or not isinstance(value, Part) else tuple(self._remarks.get(place, ()))
        return Argument(self.expression(value, place), f"{field}=", comment)

    def _from_table(self, table: SiteTable, place: str) -> Expression:
        """The sites of the table, and after them the others."""
        first = table.alike[0]
        arguments = [
            Argument(Expression(_CELLS.get(name, 'row["{}"]').format(name)), f"{name}=")
            if name in table.columns
            else self._argument(first, name, value, place)
            for name, value in fields_of(first)
        ]
        self.imported |= {"Site", "Secret"}
        block = ['with (Path(__file__).parent / "sites.csv").open(encoding="utf-8", newline="") as table:']
        rows = call("Site", arguments)
        block += ["    sites = [", *rows.lines("", "", " " * 8), "        for row in csv.DictReader(table)", "    ]"]
        self.assignments.append(block)
        others = [Argument(self.expression(each, place)) for each in table.others]
        return listed([Argument(Expression("*sites")), *others]) if others else Expression("sites")

    def _certificate(self, root: RootCertificate) -> Expression:
        """The certificate as people know it, above its use."""
        lines = [root.data[start : start + 64] for start in range(0, len(root.data), 64)]
        name = self._free(_identifier(f"{root.name}_pem").upper(), root)
        block = [f'{name} = """', "-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", '"""']
        self.assignments.append(block)
        self._names[f"pem {name}"] = name
        return call("RootCertificate.pem", (Argument(text(root.name)), Argument(Expression(name))))


def _walk(value: Any, told: set[str]) -> Iterator[Any]:
    """Everything that may be named, wherever it is used; what is written once is looked into once."""
    if isinstance(value, (ArmId, *SECRETS)):
        yield value
    elif isinstance(value, Part):
        yield value
        key = _key(value)
        for name in type(value).model_fields if key not in told else ():
            yield from _walk(getattr(value, name), told)
        if not isinstance(value, _PLAIN):
            told.add(key)
    elif isinstance(value, tuple):
        for item in value:
            yield from _walk(item, told)


def _paths_of(value: Any, path: str = "") -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}

    def visit(item: Any, place: str) -> None:
        if isinstance(item, Part):
            found.setdefault(_key(item), []).append(place)
            for name in type(item).model_fields:
                visit(getattr(item, name), join(place, name))
        elif isinstance(item, tuple):
            for index, each in enumerate(item):
                visit(each, f"{place}[{index}]")

    visit(value, path)
    return found


def _key(value: Any) -> str:
    return f"{type(value).__name__} {str(value).lower() if isinstance(value, ArmId) else repr(value)}"


def _kind(value: Any) -> str:
    if isinstance(value, VpnGateway | ExistingVpnGateway):
        return "vpn"
    return {"VirtualNetwork": "network", "ExpressRouteGateway": "expressroute", "Circuit": "circuit"}.get(
        type(value).__name__.removeprefix("Existing"), "other"
    )


def _stem(value: Any) -> str:
    if isinstance(value, ArmId):
        return _identifier(value.name)
    if isinstance(value, SECRETS):
        return _identifier(str(secret_arguments(value)[1][-1]))
    name = getattr(value, "address_name", None) or getattr(value, "name", None)
    return _identifier(str(name)) if name else _identifier(_words(type(value).__name__))


def _words(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _identifier(name: str) -> str:
    """A variable's name; one that would begin with a digit begins with a letter."""
    clean = "".join(c.lower() if c.isascii() and c.isalnum() else "_" for c in name).strip("_") or "value"
    return f"n{clean}" if clean[0].isdigit() else clean
