"""What an extension hangs on: a subscription, a resource group or a resource, which must be there."""

from __future__ import annotations

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.refusal import group_not_found, resource_not_found
from vpngw_iac.simulator.world import World, with_plain_words


def refuse_absent(world: World, scope: str) -> None:
    """404 for a group or a resource that is not there; a subscription always is."""
    identifier = ArmId(with_plain_words(scope))
    if identifier.group is not None and world.find(identifier.resource_group) is None:
        raise group_not_found(identifier.group)
    if identifier.names and world.find(identifier) is None:
        raise resource_not_found(f"{identifier.type}/{identifier.name}", identifier.group or "")
