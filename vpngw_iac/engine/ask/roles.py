"""Minimal roles for a deployment: what planning, verifying and operating it ask of Azure, derived from its graph. Pure.

Rights on the state's storage and on Key Vault are given there, and are no part of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from vpngw_iac.arm import RESOURCE_GROUP_TYPE
from vpngw_iac.engine.ask.rights import references_in
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.graph import Graph
from vpngw_iac.resources.rights import (
    POLLS,
    QUESTIONS,
    READ_SUBSCRIPTION,
    delete_action,
    join_action,
    list_actions,
    read_action,
    tunnel_actions,
    write_action,
)

RoleWord = Literal["planner", "verifier", "operator"]

_DESCRIPTIONS: dict[RoleWord, str] = {
    "planner": "Plans and tells drift: reads, and asks Azure what would stop a plan. Whoever may read a connection "
    "can read its shared key.",
    "verifier": "Asks gateways and connections whether their tunnels are up; changes nothing.",
    "operator": "Applies and destroys, and plans before.",
}


@dataclass(frozen=True, slots=True)
class NeededRole:
    """One role with the actions that it needs, sorted."""

    word: RoleWord
    deployment: str
    actions: tuple[str, ...]
    scopes: tuple[str, ...]
    """Subscriptions in which it can be assigned."""

    def definition(self) -> dict[str, Any]:
        """The role definition as ``az role definition create --role-definition`` takes it."""
        return {
            "Name": f"vpngw {self.word} of {self.deployment}",
            "IsCustom": True,
            "Description": _DESCRIPTIONS[self.word],
            "Actions": list(self.actions),
            "NotActions": [],
            "DataActions": [],
            "NotDataActions": [],
            "AssignableScopes": list(self.scopes),
        }


def minimal_roles(graph: Graph, deployment: str, *, verify_keys: bool = False) -> tuple[NeededRole, ...]:
    """The three roles of a deployment; with `verify_keys` planning also reads shared keys by a call of their own."""
    resources = tuple(graph.resources.values())
    types = {resource.arm_type for resource in resources} | {i.type for i in graph.existing} | {RESOURCE_GROUP_TYPE}
    places = {f"/subscriptions/{i.subscription}" for i in (*graph.by_id, *graph.existing)}
    planner = {*QUESTIONS, *_reads(types), *(_keys(resources) if verify_keys else ())}
    tunnels = {action for each in types for action in tunnel_actions(each)}
    seen = {each for each in types if tunnel_actions(each)} | {RESOURCE_GROUP_TYPE}
    verifier = {*tunnels, *_reads(seen), READ_SUBSCRIPTION, *POLLS}
    operator = {*planner, *POLLS, *_writes(resources)}
    found: tuple[tuple[RoleWord, set[str]], ...] = (
        ("planner", planner),
        ("verifier", verifier),
        ("operator", operator),
    )
    return tuple(NeededRole(word, deployment, tuple(sorted(acts)), tuple(sorted(places))) for word, acts in found)


def _reads(types: Iterable[str]) -> Iterator[str]:
    for each in types:
        yield read_action(each)
        yield from list_actions(each)


def _keys(resources: Iterable[Resource]) -> Iterator[str]:
    return (f"{r.arm_type}/{r.key_call.action}/read" for r in resources if r.key_call is not None)


def _writes(resources: Iterable[Resource]) -> Iterator[str]:
    for resource in resources:
        yield write_action(resource.arm_type)
        yield delete_action(resource.arm_type)
        if resource.key_call is not None:
            yield from resource.key_call.rights
        joined = {target for _, target in references_in(resource.body())} | set(resource.joins())
        yield from filter(None, (join_action(target.type) for target in joined))
