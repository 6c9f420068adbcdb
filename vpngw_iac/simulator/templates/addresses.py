"""``resourceId`` and its kin: ids built from types and names ("Resource functions for ARM templates")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from vpngw_iac.simulator.templates.checks import texts
from vpngw_iac.simulator.templates.errors import wrong_arguments

_SUBSCRIPTION = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def resource_id(scope: str, found: Sequence[Any]) -> str:
    """``resourceId([subscription], [group], type, name...)``: below the scope that is deployed to, or the one named."""
    before, arm_type, names = _parted("resourceId", found, most=2)
    parts = scope.strip("/").split("/")
    subscription = parts[1]
    group = parts[3] if len(parts) > 3 else None
    if len(before) == 2:
        subscription, group = before
    elif before and _SUBSCRIPTION.fullmatch(before[0]) and group is None:
        subscription = before[0]
    elif before:
        group = before[0]
    head = f"/subscriptions/{subscription}" + (f"/resourceGroups/{group}" if group else "")
    return _joined(head, arm_type, names)


def subscription_resource_id(scope: str, found: Sequence[Any]) -> str:
    """``subscriptionResourceId([subscription], type, name...)``; a resource group is written as Azure writes it."""
    before, arm_type, names = _parted("subscriptionResourceId", found, most=1)
    return _joined(f"/subscriptions/{before[0] if before else scope.strip('/').split('/')[1]}", arm_type, names)


def tenant_resource_id(found: Sequence[Any]) -> str:
    """``tenantResourceId(type, name...)``."""
    _, arm_type, names = _parted("tenantResourceId", found, most=0)
    return _joined("", arm_type, names)


def extension_resource_id(found: Sequence[Any]) -> str:
    """``extensionResourceId(id, type, name...)``."""
    owner, *rest = texts("extensionResourceId", found, least=3)
    _, arm_type, names = _parted("extensionResourceId", rest, most=0)
    return _joined(owner.rstrip("/"), arm_type, names)


def nested(scope: str, arm_type: str, name: str) -> str:
    """Id of a resource of a template: its type's words and its name's by turns."""
    return _joined(scope, arm_type, name.split("/"))


def _parted(name: str, found: Sequence[Any], most: int) -> tuple[list[str], str, list[str]]:
    words = texts(name, found, least=2)
    place = next((place for place, word in enumerate(words) if "/" in word), None)
    if place is None:
        raise wrong_arguments(
            name,
            f"function requires fully qualified resource type 'namespace/type' as one of first {most + 1} argument(s).",
        )
    arm_type, names = words[place].strip("/"), [part for word in words[place + 1 :] for part in word.split("/")]
    if place > most or arm_type.count("/") != len(names):
        raise wrong_arguments(
            name, f"the type '{arm_type}' requires '{arm_type.count('/')}' resource name argument(s)."
        )
    return words[:place], arm_type, names


def _joined(head: str, arm_type: str, names: Sequence[str]) -> str:
    namespace, *words = arm_type.split("/")
    if arm_type.lower() == "microsoft.resources/resourcegroups" and head.count("/") == 2:
        return f"{head}/resourceGroups/{names[0]}"
    pairs = "/".join(f"{word}/{name}" for word, name in zip(words, names, strict=True))
    return f"{head}/providers/{namespace}/{pairs}"
