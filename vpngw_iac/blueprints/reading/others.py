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
    SUBNETS,
    TABLES,
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
            notes.leave(identity, _why(identity))


def _why(identity: ArmId) -> str:
    if type_of(identity.type) is None:
        return "vpngw manages nothing of this type"
    return _BY_TYPE.get(identity.type.lower(), "nothing written here says it")
