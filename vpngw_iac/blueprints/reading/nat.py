"""NAT rules of a gateway: as the links that use them say them, and as the gateway keeps the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from itertools import zip_longest
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.naming import Naming
from vpngw_iac.blueprints.reading.documents import NAT_RULES, Seen
from vpngw_iac.blueprints.reading.notes import Notes
from vpngw_iac.blueprints.reading.plain import Unsaid, made, said
from vpngw_iac.blueprints.site import Nat, NatMapping
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import model_of
from vpngw_iac.resources.shape import shape_of


@dataclass(slots=True)
class Rules:
    """Nouns that stand for one rule, or for one on each instance, with the ids that they compile to."""

    nouns: list[tuple[Nat, frozenset[ArmId]]] = field(default_factory=list)
    used: set[ArmId] = field(default_factory=set)
    unsaid: dict[ArmId, str] = field(default_factory=dict)

    def used_by(self, seen: Seen) -> tuple[Nat, ...]:
        """The rules that a connection uses; raises `Unsaid` if it uses some that no noun says."""
        wanted = rules_in(seen)
        chosen = [(noun, ids) for noun, ids in self.nouns if ids <= wanted]
        covered = {rule for _, ids in chosen for rule in ids}
        if missing := wanted - covered:
            names = ", ".join(sorted(rule.name for rule in missing))
            raise Unsaid(f"it uses NAT rules that cannot be written here: {names}")
        self.used |= covered
        return tuple(noun for noun, _ in chosen)

    def spare(self) -> tuple[Nat, ...]:
        """Those that no connection written here uses: the gateway keeps them."""
        return tuple(noun for noun, ids in self.nouns if not ids & self.used)

    def settle(self, notes: Notes, *, kept: bool) -> None:
        """Say what became of each rule; `kept`: whether the gateway says the spare ones."""
        for rule in (rule for _, ids in self.nouns for rule in ids):
            if kept or rule in self.used:
                notes.manage(rule)
            else:
                notes.leave(rule, "no connection written here uses it")
        for rule, why in self.unsaid.items():
            notes.leave(rule, why)


def rules_in(connection: Seen) -> frozenset[ArmId]:
    """Ids of the rules that a connection uses."""
    return frozenset(
        rule
        for name in ("ingressNatRules", "egressNatRules")
        for item in objects(value_at(connection, f"properties.{name}"))
        if (rule := ArmId.of(item.get("id"))) is not None
    )


def rules_of(notes: Notes, gateway: ArmId, seen: Seen, instances: list[str], connections: Iterable[Seen]) -> Rules:
    """The rules of a gateway; on an active-active one two that differ in their instance alone are one (R-NAT-11)."""
    rules = Rules()
    found: dict[ArmId, dict[str, Any]] = {}
    for identity, rule in notes.documents.below(gateway, NAT_RULES):
        try:
            found[identity] = _values(identity, rule)
            found[identity]["bound"] = _instance(rule, instances)
            _noun(identity, found[identity], both=False)
        except Unsaid as error:
            found.pop(identity, None)
            rules.unsaid[identity] = str(error)
    both = bool(value_at(seen, "properties.activeActive"))
    told: set[ArmId] = set()
    uses = [rules_in(connection) for connection in connections]
    for identity, values in found.items():
        if identity in told:
            continue
        twin = _twin(identity, values, found, uses) if both else None
        if twin is None:
            rules.nouns.append((_noun(identity, values, both=both), frozenset({identity})))
        else:
            noun = made(Nat, name=_base(identity, values["bound"]), **{k: v for k, v in values.items() if k != "bound"})
            rules.nouns.append((noun, frozenset({identity, twin})))
            told.add(twin)
    return rules


def _values(identity: ArmId, rule: Seen) -> dict[str, Any]:
    """Fields of the noun but for its name and instance; mappings beyond the first are further ones."""
    inside, outside = (objects(value_at(rule, f"properties.{side}Mappings")) for side in ("internal", "external"))
    if not inside or not outside:
        raise Unsaid("it has no mapping")
    properties = {**(rule.get("properties") or {}), "internalMappings": inside[:1], "externalMappings": outside[:1]}
    more = tuple(
        made(
            NatMapping,
            internal=(one or {}).get("addressSpace"),
            external=(two or {}).get("addressSpace"),
            internal_ports=(one or {}).get("portRange"),
            external_ports=(two or {}).get("portRange"),
        )
        for one, two in zip_longest(inside[1:], outside[1:])
    )
    plain = said(Nat, {**rule, "properties": properties}, shape_of(model_of(identity)))
    plain.setdefault("direction", "egress")  # what Azure adds where nothing was said
    return plain | ({"mappings": more} if more else {})


def _instance(rule: Seen, instances: list[str]) -> int | None:
    bound = ArmId.of(value_at(rule, "properties.ipConfigurationId"))
    if bound is None:
        return None
    names = [name.lower() for name in instances]
    if bound.name.lower() not in names:
        raise Unsaid("it is bound to an instance that the gateway does not have")
    return names.index(bound.name.lower())


def _noun(identity: ArmId, values: dict[str, Any], *, both: bool) -> Nat:
    """One rule under its own name."""
    plain = {name: value for name, value in values.items() if name != "bound"}
    bound = values["bound"]
    instance = bound if bound is not None else "none" if both else "each"
    return made(Nat, name=identity.name, instance=instance, **plain)


def _twin(
    identity: ArmId, values: dict[str, Any], found: dict[ArmId, dict[str, Any]], uses: list[frozenset[ArmId]]
) -> ArmId | None:
    """The same rule on the other instance, if every connection uses both or none."""
    if values["bound"] != 0 or (base := _base(identity, 0)) is None:
        return None
    for other, body in found.items():
        alike = {**body, "bound": 0} == values and body["bound"] == 1 and _base(other, 1) == base
        if alike and all(len({identity, other} & use) != 1 for use in uses):
            return other
    return None


def _base(identity: ArmId, instance: int) -> str | None:
    """The name without the number of its instance."""
    tail = Naming().nat_instance.format(name="", instance=instance)
    return identity.name.removesuffix(tail) if identity.name.endswith(tail) and identity.name != tail else None
