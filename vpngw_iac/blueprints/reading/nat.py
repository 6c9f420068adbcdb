"""NAT rules of a gateway, as the links that use them say them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.naming import Naming
from vpngw_iac.blueprints.reading.documents import NAT_RULES, Seen
from vpngw_iac.blueprints.reading.notes import Notes
from vpngw_iac.blueprints.reading.plain import Unsaid, made, said
from vpngw_iac.blueprints.site import Nat
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import model_of
from vpngw_iac.resources.shape import shape_of


@dataclass(slots=True)
class Rules:
    """Nouns that stand for one rule, or for one per instance, with the ids that they compile to."""

    nouns: list[tuple[Nat, frozenset[ArmId]]] = field(default_factory=list)
    used: set[ArmId] = field(default_factory=set)
    unsaid: dict[ArmId, str] = field(default_factory=dict)

    def used_by(self, connection: ArmId, seen: Seen) -> tuple[Nat, ...]:
        """The rules that a connection uses; raises `Unsaid` if it uses some that no noun says."""
        wanted = {
            rule
            for name in ("ingressNatRules", "egressNatRules")
            for item in objects(value_at(seen, f"properties.{name}"))
            if (rule := ArmId.of(item.get("id"))) is not None
        }
        chosen = [(noun, ids) for noun, ids in self.nouns if ids <= wanted]
        covered = {rule for _, ids in chosen for rule in ids}
        if missing := wanted - covered:
            names = ", ".join(sorted(rule.name for rule in missing))
            raise Unsaid(f"it uses NAT rules that cannot be written here: {names}")
        self.used |= covered
        return tuple(noun for noun, _ in chosen)

    def settle(self, notes: Notes) -> Iterator[str]:
        """Say what became of each rule; yields the names of those that are left alone."""
        for rule in sorted({*(i for _, ids in self.nouns for i in ids), *self.unsaid}):
            if rule in self.used:
                notes.manage(rule)
            else:
                notes.leave(rule, self.unsaid.get(rule, "no connection written here uses it"))
                yield rule.name


def rules_of(notes: Notes, gateway: ArmId, seen: Seen, instances: list[str]) -> Rules:
    """The rules of a gateway; on an active-active one a noun stands for a rule on each instance (R-NAT-11)."""
    rules = Rules()
    bodies: dict[ArmId, Nat] = {}
    both = bool(value_at(seen, "properties.activeActive"))
    for identity, rule in notes.documents.below(gateway, NAT_RULES):
        try:
            name = _base(identity, rule, instances) if both else _alone(identity, rule)
            bodies[identity] = made(Nat, name=name, **said(Nat, rule, shape_of(model_of(identity))))
        except Unsaid as error:
            rules.unsaid[identity] = str(error)
    for identity, noun in bodies.items():
        twins = frozenset(other for other, body in bodies.items() if body == noun)
        if both and len(twins) != 2:
            rules.unsaid[identity] = "it is there for one instance only"
        elif (noun, twins) not in rules.nouns:
            rules.nouns.append((noun, twins))
    return rules


def _alone(identity: ArmId, rule: Seen) -> str:
    if value_at(rule, "properties.ipConfigurationId"):
        raise Unsaid("it is bound to an instance, and the gateway has one")
    return identity.name


def _base(identity: ArmId, rule: Seen, instances: list[str]) -> str:
    """The name without the instance that it ends in; raises `Unsaid` for a rule under another name."""
    bound = ArmId.of(value_at(rule, "properties.ipConfigurationId"))
    if bound is None:
        raise Unsaid("it is bound to no instance of an active-active gateway")
    names = [name.lower() for name in instances]
    instance = names.index(bound.name.lower()) if bound.name.lower() in names else -1
    tail = Naming().nat_instance.format(name="", instance=instance)
    if not identity.name.endswith(tail) or identity.name == tail:
        raise Unsaid("its name does not end in the number of its instance")
    return identity.name.removesuffix(tail)
