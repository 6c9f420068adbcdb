"""Whether a state belongs to what this run is connected to; asked before anything is read from Azure. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.ports import CloudIdentity
from vpngw_iac.errors import StateMismatch
from vpngw_iac.state.document import check_belongs
from vpngw_iac.state.model import Binding, State


def binding_of(identity: CloudIdentity) -> Binding:
    """What a state made by a run with this identity is bound to."""
    return Binding(cloud=identity.name, endpoint=identity.endpoint.rstrip("/"), tenant=identity.tenant)


def check_bound(
    state: State,
    identity: CloudIdentity,
    declared: Mapping[str, ArmId],
    *,
    name: str = "The state",
    reviewed: bool = False,
) -> None:
    """Raise `StateMismatch` naming both sides if the state is of another cloud, endpoint, tenant or subscription.

    `declared` maps addresses to ids, also of what a destroy deletes. Entries may lie in several subscriptions, and
    editing one resource's subscription is a replacement; but a run whose default subscription the state has never
    seen, and which would move entries into it (or, with nothing declared, delete all of them), was pointed at the wrong
    place. A plan that was `reviewed` declares nothing where it destroys, and is bound to its own subscription.
    """
    check_belongs(state, state.deployment, binding_of(identity), name)
    here = identity.subscription.lower()
    homes = {entry.id.subscription.lower() for entry in state.entries.values()}
    if here in homes:
        return
    for address, entry in sorted(state.entries.items()):
        wanted = declared.get(address)
        if not (declared or reviewed) or (wanted is not None and wanted.subscription.lower() == here):
            raise StateMismatch(
                f"{name} has {address} in subscription {entry.id.subscription}, "
                f"but this run uses subscription {identity.subscription}.",
                advice=f"Run with --subscription {entry.id.subscription}, or give the other one a state of its own "
                "with --deployment NAME.",
                address=address,
            )
