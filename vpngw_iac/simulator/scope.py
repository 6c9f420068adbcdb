"""What an extension hangs on: a subscription, a resource group or a resource, which must be there."""

from __future__ import annotations

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.cloud_view import CloudView, with_plain_words
from vpngw_iac.simulator.refusal import group_not_found, resource_not_found
from vpngw_iac.simulator.wire import HttpRequest


def scope_of(cloud: CloudView, request: HttpRequest, tail: int) -> str:
    """What is before the last segments of a path; refused when it is not there."""
    scope = "/" + with_plain_words("/".join(request.path.strip("/").split("/")[:-tail]))
    refuse_absent(cloud, scope)
    return scope


def scope_in(identifier: str) -> str:
    """What an extension hangs on, by the extension's id."""
    return with_plain_words(identifier).rpartition("/providers/")[0]


def refuse_absent(cloud: CloudView, scope: str) -> None:
    """404 for a group or a resource that is not there; a subscription always is."""
    identifier = ArmId(with_plain_words(scope))
    if identifier.group is not None and cloud.find(identifier.resource_group) is None:
        raise group_not_found(identifier.group)
    if identifier.names and cloud.find(identifier) is None:
        raise resource_not_found(f"{identifier.type}/{identifier.name}", identifier.group or "")
