"""Questions to Azure about ourselves: rights, locks, providers, quotas, policies, zones. Read-only, side by side.

Where the SDK has an operation it is used; the rest are single requests with a pinned api-version.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any

from vpngw_iac.arm import RESOURCE_GROUP_TYPE, ArmId, InvalidArmId
from vpngw_iac.azure.client import Arm
from vpngw_iac.azure.reading import Reader
from vpngw_iac.azure.retry import Retry
from vpngw_iac.engine.ask.questions import (
    AskLocks,
    AskPermissions,
    AskPolicies,
    AskProvider,
    AskUsages,
    AskZones,
    Denial,
    Denials,
    ObservedLock,
    Permissions,
    Question,
    Registration,
    Replies,
    Reply,
    RoleGrant,
    SubscriptionLocks,
    Unread,
    Usage,
    Usages,
    Zones,
)
from vpngw_iac.errors import CloudError, OtherTenant, SignInFailed
from vpngw_iac.paths import objects, value_at

_AUTHORIZATION = "/providers/Microsoft.Authorization"
_PERMISSIONS = f"{_AUTHORIZATION}/permissions?api-version=2022-04-01"
"""Documented at resource groups and resources; a subscription answers it too."""
_LOCKS = f"{_AUTHORIZATION}/locks"
_LOCKS_VERSION = "2016-09-01"
_LOCATIONS = "/locations?api-version=2022-12-01"
_POLICIES = "/providers/Microsoft.PolicyInsights/checkPolicyRestrictions?api-version=2024-10-01"
_BODIES = "2024-03-01"
"""Api-version under which policies read the bodies that we send them."""
_GROUP_IN_POLICIES = "Microsoft.Resources/subscriptions/resourceGroups"
_DENYING = frozenset({"deny", "denyaction", ""})


class Probes:
    """Asks. Safe between threads."""

    def __init__(self, arm: Arm, reader: Reader, retry: Retry) -> None:
        self._arm = arm
        self._reader = reader
        self._retry = retry
        self._asks: Mapping[type[Question], Callable[[Any], Reply]] = {
            AskPermissions: self._permissions,
            AskLocks: self._locks,
            AskProvider: self._registration,
            AskUsages: self._usages,
            AskPolicies: self._denials,
            AskZones: self._zones,
        }

    def replies(self, questions: Collection[Question]) -> Replies:
        """Every reply; only a sign-in that fails is an error."""
        asked = list(dict.fromkeys(questions))
        found = self._reader.in_parallel([partial(self._reply, question) for question in asked])
        return dict(zip(asked, found, strict=True))

    def _reply(self, question: Question) -> Reply:
        try:
            reply: Reply = self._asks[type(question)](question)
        except OtherTenant as error:
            return Unread(error.code)
        except SignInFailed:
            raise
        except CloudError as error:
            return Unread(error.code or (f"HTTP {error.status}" if error.status else error.message))
        return reply

    def _list(self, subscription: str, path: str, question: Question) -> list[dict[str, Any]]:
        return self._reader.pages(subscription, self._arm.settings.endpoint + path, f"ask for {question}")

    def _permissions(self, ask: AskPermissions) -> Permissions:
        items = self._list(ask.scope.subscription, f"{ask.scope}{_PERMISSIONS}", ask)
        return Permissions(
            tuple(RoleGrant(_texts(item.get("actions")), _texts(item.get("notActions"))) for item in items)
        )

    def _locks(self, ask: AskLocks) -> SubscriptionLocks:
        path = f"/subscriptions/{ask.subscription}{_LOCKS}?api-version={_LOCKS_VERSION}"
        found = (_lock(item) for item in self._list(ask.subscription, path, ask))
        return SubscriptionLocks(tuple(lock for lock in found if lock is not None))

    def _registration(self, ask: AskProvider) -> Registration:
        doing = f"ask for {ask}"

        def once() -> Registration:
            answer = self._arm.call(ask.subscription, "resource.providers", "get", ask.namespace, doing=doing)
            return Registration(str(self._arm.checked(answer, doing).document.get("registrationState") or ""))

        return self._retry.read(ask.subscription, once)

    def _usages(self, ask: AskUsages) -> Reply:
        items = self._reader.listing(ask.subscription, "network.usages", "list", ask.region, doing=f"ask for {ask}")
        if items is None:
            return Unread("NotFound")
        named = ((str(value_at(item, "name.value") or "").lower(), _usage(item)) for item in items)
        return Usages({name: usage for name, usage in named if name and usage is not None})

    def _denials(self, ask: AskPolicies) -> Denials:
        url = f"{self._arm.settings.endpoint}{ask.scope}{_POLICIES}"
        body, doing = _details(ask), f"ask for {ask}"

        def once() -> Denials:
            answer = self._arm.ask(ask.scope.subscription, url, body, doing=doing)
            evaluations = value_at(
                self._arm.checked(answer, doing).document, "contentEvaluationResult.policyEvaluations"
            )
            return Denials(tuple(_denial(each) for each in objects(evaluations) if _denies(each)))

        return self._retry.read(ask.scope.subscription, once)

    def _zones(self, ask: AskZones) -> Zones:
        places = self._list(ask.subscription, f"/subscriptions/{ask.subscription}{_LOCATIONS}", ask)
        return Zones({str(place.get("name", "")).lower(): _logical(place) for place in places if _is_region(place)})


def _details(ask: AskPolicies) -> dict[str, Any]:
    """The question as Policy Insights takes it; a child is created in its parent.

    Its name is the last part alone: built-in policies exempt subnets by ``"field": "name"`` with ``GatewaySubnet``.
    """
    is_group = ask.resource.type == RESOURCE_GROUP_TYPE
    content = {
        **json.loads(ask.content),
        "type": _GROUP_IN_POLICIES if is_group else ask.resource.type,
        "name": ask.resource.name,
    }
    details: dict[str, Any] = {"resourceContent": content, "apiVersion": "2021-04-01" if is_group else _BODIES}
    if len(ask.resource.names) > 1:
        details["scope"] = str(ask.resource.parent)
    return {"resourceDetails": details}


def _denies(evaluation: Mapping[str, Any]) -> bool:
    effect = str(value_at(evaluation, "effectDetails.policyEffect") or "").lower()
    return str(evaluation.get("evaluationResult", "")).lower() == "noncompliant" and effect in _DENYING


def _denial(evaluation: Mapping[str, Any]) -> Denial:
    assignment = str(value_at(evaluation, "policyInfo.policyAssignmentId") or "")
    expressions = objects(value_at(evaluation, "evaluationDetails.evaluatedExpressions"))
    reason = str(value_at(evaluation, "evaluationDetails.reason") or "")
    told = [_expression(each) for each in expressions]
    looked_at = tuple(str(each.get("path") or each.get("expression") or "") for each in expressions)
    return Denial(assignment, "; ".join(text for text in (reason, *told) if text), looked_at)


def _expression(each: Mapping[str, Any]) -> str:
    field = str(each.get("expression") or each.get("path") or "")
    if field.lower() == "type" or not field:
        return ""
    value = json.dumps(each.get("expressionValue"), ensure_ascii=False)
    return f"{field} is {value}, which is {each.get('operator', 'compared with')} {json.dumps(each.get('targetValue'))}"


def _lock(item: Mapping[str, Any]) -> ObservedLock | None:
    text = str(item.get("id", ""))
    scope, separator, _ = text.rpartition(f"{_LOCKS}/")
    level = str(value_at(item, "properties.level") or "")
    try:
        return ObservedLock(ArmId(text), ArmId(scope), level) if separator and level else None
    except InvalidArmId:
        return None


def _usage(item: Mapping[str, Any]) -> Usage | None:
    current, limit = item.get("currentValue"), item.get("limit")
    return (
        Usage(int(current), int(limit)) if isinstance(current, int | float) and isinstance(limit, int | float) else None
    )


def _is_region(place: Mapping[str, Any]) -> bool:
    """Neither an edge zone nor a geography (``europe``, ``global``), which are listed among the locations."""
    kind = str(place.get("type") or "Region").lower()
    return kind == "region" and str(value_at(place, "metadata.regionType") or "").lower() != "logical"


def _logical(region: Mapping[str, Any]) -> tuple[str, ...]:
    mappings = objects(region.get("availabilityZoneMappings"))
    return tuple(sorted(str(each["logicalZone"]) for each in mappings if each.get("logicalZone")))


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, Iterable) and not isinstance(value, str) else ()
