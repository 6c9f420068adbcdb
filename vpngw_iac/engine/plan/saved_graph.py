"""A declared graph in a file: what a blueprint compiles to, for a plan that never runs the blueprint. No secret in it.

It is made where code of a stranger may run and planned where an identity is, so that reading it trusts nothing: every
value is typed, sizes are limited, no secret that it names is ever looked up, and only what was configured is read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, field, replace
from typing import Any

from vpngw_iac.arm import SIGNED_IN, ArmId, Scope
from vpngw_iac.errors import Finding, PlanError, Refused
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources import type_of
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.dump import dump_existing, dump_resource, load_resource
from vpngw_iac.resources.existing import Existing

FORMAT = 2
"""As of a saved plan; every earlier one is read, a later one is refused."""

GRAPH = "graph"

MOST_ITEMS = 5_000
MOST_TEXT = 64 * 1024
"""Characters of one text: a certificate in Base-64 has a few thousand."""
MOST_NESTED = 32
MOST_VALUES = 1_000_000

_ADVICE = "Make it again with `vpngw compile FILE --save graph.json`."


@dataclass(frozen=True, slots=True)
class SavedGraph:
    """What was declared, as a file says it: it can be planned, and never applied."""

    name: str
    items: tuple[Resource | Existing, ...]
    formerly: str | None = None
    moved: Mapping[str, str] = field(default_factory=dict)
    waive: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    """What was found where the blueprint was compiled, and only its file shows."""
    backups: Mapping[str, str] = field(default_factory=dict)
    """Sites that stand in for another, by name."""
    gateway_networks: Mapping[ArmId, ArmId] = field(default_factory=dict)
    """Networks of gateways of which no property says it."""
    places: Mapping[str, str] = field(default_factory=dict)
    """``file:line`` of what an address was written from."""

    def resources(self, scope: Scope) -> tuple[Resource | Existing, ...]:
        """The items; the scope was decided when they were compiled."""
        del scope
        return self.items

    def context(self) -> dict[str, Any]:
        """What the checks take besides the items; see `preflight.check`."""
        return {"waive": self.waive, "backups": self.backups, "gateway_networks": self.gateway_networks}

    def told(self, finding: Finding) -> Finding:
        """A finding with its place in the blueprint's file."""
        return finding if finding.location else replace(finding, location=self.places.get(finding.address, ""))


def dump_graph(graph: SavedGraph, version: str) -> dict[str, Any]:
    """The file: references in place of secrets and outputs."""
    return {
        "format": FORMAT,
        "kind": GRAPH,
        "version": version,
        "deployment": graph.name,
        "formerly": graph.formerly,
        "moved": dict(graph.moved),
        "waive": dict(graph.waive),
        "findings": [asdict(finding) | {"see": list(finding.see)} for finding in graph.findings],
        "backups": dict(graph.backups),
        "places": dict(graph.places),
        "gateway_networks": {str(gateway): str(network) for gateway, network in graph.gateway_networks.items()},
        "graph": [dump_resource(item) for item in graph.items if isinstance(item, Resource)],
        "existing": [dump_existing(item) for item in graph.items if isinstance(item, Existing)],
    }


def load_graph(document: Mapping[str, Any]) -> SavedGraph:
    """Read a graph that somebody gave us; raises `PlanError` for whatever is not what `dump_graph` writes."""
    if document.get("kind") != GRAPH or not isinstance(document.get("graph"), list):
        raise PlanError("This is not a saved graph.", advice=_ADVICE)
    _refuse_newer(document)
    _refuse_huge(document)
    try:
        return SavedGraph(
            name=_text(document["deployment"]),
            items=(*map(_resource, document["graph"]), *map(_existing, document["existing"])),
            formerly=None if document["formerly"] is None else _text(document["formerly"]),
            moved=_texts(document["moved"]),
            waive=_texts(document["waive"]),
            findings=tuple(map(_finding, document["findings"])),
            backups=_texts(document["backups"]),
            places=_texts(document["places"]),
            gateway_networks={ArmId(a): ArmId(b) for a, b in _texts(document["gateway_networks"]).items()},
        )
    except PlanError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        why = f"{type(error).__name__} at {str(error)[:200]}".splitlines()[0]
        raise PlanError(f"The graph is damaged: {why}.", advice=_ADVICE) from None


def _refuse_newer(document: Mapping[str, Any]) -> None:
    found = document.get("format")
    if not isinstance(found, int) or isinstance(found, bool) or not found >= 1:
        raise PlanError(f"The graph is damaged: its format is {str(found)[:40]!r}.", advice=_ADVICE)
    if found > FORMAT:
        raise PlanError(
            f"The graph has format {found}, this version reads formats up to {FORMAT}.",
            advice="Use a newer version (`pip install -U vpngw-iac`), or compile again with this one.",
        )


def _refuse_huge(document: Mapping[str, Any]) -> None:
    """Sizes that no graph of a network has."""
    count = sum(len(found) for name in ("graph", "existing") if isinstance(found := document.get(name), list))
    if count > MOST_ITEMS:
        raise PlanError(f"The graph holds {count} items; at most {MOST_ITEMS} are planned.", advice=_ADVICE)
    for values, (text, depth) in enumerate(_leaves(document)):
        if depth > MOST_NESTED:
            raise PlanError(f"The graph is nested more than {MOST_NESTED} deep.", advice=_ADVICE)
        if values > MOST_VALUES:
            raise PlanError(f"The graph holds more than {MOST_VALUES} values.", advice=_ADVICE)
        if isinstance(text, str) and len(text) > MOST_TEXT:
            raise PlanError(f"The graph holds a text of {len(text)} characters.", advice=_ADVICE)


def _leaves(value: Any) -> Iterator[tuple[Any, int]]:
    """Every value and every name with its depth; does not recurse, however deep a stranger nests."""
    rest: list[tuple[Any, int]] = [(value, 0)]
    while rest:
        item, depth = rest.pop()
        if depth > MOST_NESTED or not isinstance(item, dict | list):
            yield item, depth
            continue
        inner: Iterable[Any] = item.values() if isinstance(item, dict) else item
        rest += [(each, depth + 1) for each in inner]
        if isinstance(item, dict):
            yield from ((name, depth) for name in item)
        yield None, depth


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__}, not a text")
    return value


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError(f"{type(value).__name__}, not names with texts")
    return {_text(name): _text(item) for name, item in value.items()}


def _resource(document: Any) -> Resource:
    if not isinstance(document, dict):
        raise TypeError(f"{type(document).__name__}, not a resource")
    found = load_resource(document)
    if found.id.type.lower() != found.arm_type.lower():
        raise PlanError(f"{found.address}: {found.id} is no id of a {found.arm_type}.", advice=_ADVICE)
    return found


def _existing(document: Any) -> Existing:
    if not isinstance(document, dict) or not isinstance(document["facts"], dict):
        raise TypeError(f"{type(document).__name__}, not something that exists")
    found, facts = ArmId(_text(document["id"])), document["facts"]
    if not all(isinstance(each, _SCALARS) for fact in facts.values() for each in _listed(fact)):
        raise TypeError("a fact is neither a plain value nor a list of them")
    if type_of(found.type) is None:
        raise PlanError(f"{found} is not of a type that a blueprint can use.", advice=_ADVICE)
    tenant = document["tenant"]
    return Existing(_text(document["address"]), found, facts, None if tenant is None else _text(tenant))


_SCALARS = (str, bool, int, type(None))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _finding(document: Any) -> Finding:
    """A finding, every value of which is a text."""
    see = tuple(map(_text, document["see"]))
    given = {name: value for name, value in document.items() if name != "see"}
    waived = given.pop("waived", None)
    told = Finding(**{_text(name): _text(value) for name, value in given.items()}, see=see)  # type: ignore[arg-type]
    if told.level not in ("error", "warning", "info"):
        raise ValueError(f"level {told.level[:40]!r}")
    return told if waived is None else replace(told, waived=_text(waived))


# --- what may be read -------------------------------------------------------------------------------------------------


def check_places(document: Mapping[str, Any], subscriptions: Collection[str], tenants: Collection[str]) -> None:
    """Raise `Refused` for an id, of whatever and wherever in the file, outside these subscriptions and tenants."""
    allowed = {subscription.lower() for subscription in subscriptions}
    for value, _ in _leaves([document["graph"], document["existing"], document["gateway_networks"]]):
        for found in _subscriptions_in(value):
            if found.lower() not in allowed:
                raise Refused(
                    f"The graph names the subscription {found[:60]!r}, which is not configured here.",
                    advice="Compile with the --subscription that is planned for; allow another one with "
                    "VPNGW_ALLOWED_SUBSCRIPTIONS if it is meant.",
                )
    known = {tenant.lower() for tenant in (*tenants, SIGNED_IN)}
    for item in (*document["graph"], *document["existing"]):
        tenant = item.get("tenant")
        if isinstance(tenant, str) and tenant.lower() not in known:
            raise Refused(
                f"The graph names the tenant {tenant[:60]!r}, which is not configured here.",
                advice="Allow it with VPNGW_ALLOWED_TENANTS if it is meant.",
            )


_NAMED = re.compile(r"/subscriptions/([^/]*)", re.IGNORECASE)


def _subscriptions_in(value: Any) -> list[str]:
    """The subscriptions that a text names wherever it stands in it; raises `PlanError` for a path that wanders."""
    found = _NAMED.findall(value) if isinstance(value, str) else []
    steps = value.split("/") if found else ()
    if found and (set(value) & set("?#%\\") or not all(s.isprintable() and s not in (".", "..") for s in steps)):
        raise PlanError(f"The graph holds an id that is none: {value[:80]!r}.", advice=_ADVICE)
    return found
