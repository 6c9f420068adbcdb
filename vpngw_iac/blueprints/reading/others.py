"""Everything else in the named groups, each with the reason why it is left alone."""

from __future__ import annotations

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.reading.documents import (
    ADDRESSES,
    CIRCUITS,
    CONNECTIONS,
    GATEWAYS,
    LOCAL,
    LOCKS,
    NETWORKS,
    PEERINGS,
    ROLES,
    SUBNETS,
    TABLES,
    id_in,
    is_group,
)
from vpngw_iac.blueprints.reading.notes import Notes
from vpngw_iac.resources import type_of

_WHY = {
    ADDRESSES: "no gateway written here uses it",
    CIRCUITS: "no gateway written here is connected to it",
    CONNECTIONS: "its gateway is not written here",
    GATEWAYS: "it is neither a VPN nor an ExpressRoute gateway",
    LOCAL: "no connection written here uses it",
    LOCKS: "it protects something that is not written here",
    NETWORKS: "no gateway stands in it, and no gateway written here is used from it",
    PEERINGS: "it joins networks that have no gateway written here",
    SUBNETS: "its network is only used",
    ROLES: "roles are said on gateways, addresses, circuits and connections to sites that are written here",
    TABLES: "no subnet written here uses it",
}
_BY_TYPE = {arm_type.lower(): why for arm_type, why in _WHY.items()}


def settle(notes: Notes) -> None:
    """Account for what nothing was made of."""
    for identity in sorted(notes.documents.gone):
        notes.leave(identity, "Azure is deleting it")
    for identity in sorted(notes.documents.by_id):
        if identity in notes.accounts:
            continue
        if is_group(identity):
            notes.use(identity, "a group that is there is only used")
        elif why := notes.documents.left.get(identity):
            notes.leave(identity, why)
        elif identity in notes.documents.scope:
            notes.leave(identity, _why(notes, identity))


def _why(notes: Notes, identity: ArmId) -> str:
    if type_of(identity.type) is None:
        return "vpngw manages nothing of this type"
    if identity.type.lower() == CONNECTIONS.lower() and (start := _start_of(notes, identity)) is not None:
        return f"its gateway {start.name} in {start.group} is not written here; import it from there"
    if identity.type.lower() == LOCAL.lower() and not notes.documents.users_of(identity):
        return "no connection that was read uses it, and there is no VPN gateway here to keep it with"
    return _BY_TYPE.get(identity.type.lower(), "nothing written here says it")


def _start_of(notes: Notes, connection: ArmId) -> ArmId | None:
    return id_in(notes.documents.by_id.get(connection), "properties.virtualNetworkGateway1")
