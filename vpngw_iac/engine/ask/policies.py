"""Deny policies: which new resources are worth asking about, and what a denial means. Pure.

Policies are about kinds of resources and about names (they exempt GatewaySubnet, or demand a prefix): resources that
differ only in addresses and numbers are one sort, and each name of a sort is a question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.ask.questions import AskPolicies, Denial, Denials
from vpngw_iac.engine.ask.rights import exists, subscription_of
from vpngw_iac.engine.compare.document import ABSENT, transform
from vpngw_iac.engine.compare.secret_masking import resolver
from vpngw_iac.engine.order.operation import Operation
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.errors import Finding
from vpngw_iac.resources import model_of
from vpngw_iac.resources.wire import SECRET_TYPES, Output
from vpngw_iac.text import listed

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_OWN = frozenset({"name", "id"})
"""Members that are each resource's own business, with what its type adds."""


_FLEET = 50
"""Resources of one sort among which names that differ in their digits alone are one."""


def questions(plan: Plan, creations: Iterable[tuple[Operation, Mapping[str, Any]]]) -> Iterator[AskPolicies]:
    """One question for each group, type, sort of body and name."""
    sorts: dict[tuple[ArmId, str, str], dict[str, tuple[ArmId, Mapping[str, Any]]]] = {}
    for operation, body in creations:
        sort = json.dumps(profile(body, _own(operation.id)), sort_keys=True)
        names = sorts.setdefault((_scope(plan, operation.id), operation.id.type.lower(), sort), {})
        names.setdefault(operation.id.name.lower(), (operation.id, body))
    for (scope, _, _), names in sorts.items():
        told = {re.sub("[0-9]+", "0", name): each for name, each in names.items()} if len(names) > _FLEET else names
        for resource_id, body in told.values():
            content, left_out = _content(plan, body)
            yield AskPolicies(scope, resource_id, content, left_out)


def _scope(plan: Plan, resource_id: ArmId) -> ArmId:
    inside = bool(resource_id.names) and resource_id.group is not None and exists(plan, resource_id.resource_group)
    return resource_id.resource_group if inside else subscription_of(resource_id)


def _own(resource_id: ArmId) -> frozenset[str]:
    return _OWN | model_of(resource_id).individual


def profile(value: Any, own: frozenset[str] = _OWN) -> Any:
    """What two resources of one sort have in common: words and switches, no names, addresses and numbers."""
    if isinstance(value, Mapping):
        tags = {"tags": dict(value["tags"])} if isinstance(value.get("tags"), Mapping) else {}
        return {name: profile(item, own) for name, item in value.items() if name not in own and name != "tags"} | tags
    if isinstance(value, list):
        return sorted({json.dumps(profile(item, own), sort_keys=True) for item in value})
    if isinstance(value, bool) or (isinstance(value, str) and _WORD.fullmatch(value)):
        return value
    return "."


def _content(plan: Plan, body: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The body as JSON, and the paths of what was left out: secrets, and what Azure has not decided yet."""
    resolve, left_out = resolver(plan.snapshot.get), list[str]()

    def leaf(path: str, value: Any) -> Any:
        secret = isinstance(value, SECRET_TYPES) or (isinstance(value, Output) and value.secret)
        known = ABSENT if secret else resolve(value)
        if known is ABSENT:
            left_out.append(path)
        return known

    content = _without_absent(transform(dict(body), leaf))
    return json.dumps(content, sort_keys=True, separators=(",", ":")), tuple(left_out)


def _without_absent(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_absent(item) for name, item in value.items() if item is not ABSENT}
    if isinstance(value, list):
        return [_without_absent(item) for item in value if item is not ABSENT]
    return value


def denied(plan: Plan, replies: Mapping[AskPolicies, Denials]) -> Iterator[Finding]:
    """What policies would deny, once for each policy and sort of resource.

    Only a warning where a policy may have looked at what our question had to leave out.
    """
    told: dict[tuple[str, str, bool], list[tuple[AskPolicies, Denial]]] = {}
    for ask, reply in replies.items():
        for denial in reply.items:
            key = (denial.assignment, ask.resource.type.lower(), _looked_at_a_gap(ask, denial))
            told.setdefault(key, []).append((ask, denial))
    for (assignment, _, doubtful), cases in told.items():
        ask, denial = cases[0]
        addresses = [found.address for each, _ in cases if (found := plan.graph.by_id.get(each.resource))]
        others = f" The same holds for {listed(addresses[1:])}." if addresses[1:] else ""
        yield Finding(
            rule="V-PROBE-05",
            level="warning" if doubtful else "error",
            address=next(iter(addresses), ""),
            summary="A policy denies it",
            detail=f"The policy assignment {assignment} denies this {ask.resource.type}"
            + (f": {denial.because}." if denial.because else ".")
            + (f" Left out of the question: {', '.join(ask.left_out)}." if doubtful else "")
            + f" Azure would answer RequestDisallowedByPolicy.{others}",
            advice="Change the blueprint to what the policy asks for, or ask its owner for an exemption.",
            source="Policy Restrictions - Check At Resource Group Scope",
        )


def _looked_at_a_gap(ask: AskPolicies, denial: Denial) -> bool:
    names = [path.rsplit(".", 1)[-1].lower() for path in ask.left_out]
    looked_at = " ".join(denial.looked_at).lower()
    return bool(names) and (not looked_at or any(name in looked_at for name in names))
