"""Where a saved plan is made and applied: its seal, what it does not say, and what contradicts it."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from vpngw_iac._version import __version__
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.engine.plan.saved import ReviewedPlan
from vpngw_iac.errors import Forbidden, StateDenied, StateLocked, UsageError
from vpngw_iac.secret import FingerprintKey
from vpngw_iac.state.model import State
from vpngw_iac.usecases.session import Session, SessionSettings


def seal_of(session: Session, plan: Plan) -> FingerprintKey | None:
    """The key that seals a plan; key and lineage of a new deployment are made first. None where that is not permitted.

    A run that has the lock makes the lineage itself. What was made from a saved graph is never sealed.
    """
    if plan.of_graph:
        return None
    try:
        key = session.required_key()
    except (Forbidden, StateDenied):
        return None
    store = session.bound_store()
    if session.former is None and not plan.state.entries and store.load() is None:
        with contextlib.suppress(Forbidden, StateDenied, StateLocked):
            keep_lineage(session, plan.state)
    return key


def keep_lineage(session: Session, state: State, command: str = "vpngw plan -o") -> bool:
    """Write an empty state where there is none, under its lock; False if there is one already."""
    store = session.bound_store()
    with store.locked(session.owner(command)) as locked:
        if store.load() is not None:
            return False
        locked.checkpoint(state.model_copy(update={"written_by": __version__}))
        return True


def place_of(saved: ReviewedPlan, place: SessionSettings, deployment: str | None) -> SessionSettings:
    """The place of a saved plan; raises `UsageError` naming both values where a setting is another than the plan's."""
    basis: Mapping[str, Any] = saved.document["basis"]
    for name, ours, planned in _contradictions(saved, place, deployment):
        source = place.settings.said.get(name, f"--{name.replace('_', '-')} (or its setting)")
        of = planned if name == "deployment" else f"{name.replace('_', ' ')} {planned}"
        raise UsageError(
            f"It is a plan of {of}, but {source} says {ours}.",
            advice=f"Take {source} away or give --{name.replace('_', '-')} {planned}; or plan again.",
        )
    if not place.cloud_given:
        place = replace(place, cloud=_cloud_of(basis))
    if place.subscription is None:
        place = replace(place, subscription=basis["subscription"])
    if place.secret_directory is None:
        told = (place.directory / folder for folder in saved.folders)
        found = next((folder for folder in told if os.path.isdir(folder)), None)  # noqa: PTH112 - what cannot be seen is not there
        place = replace(place, secret_directory=found)
    return place


def _contradictions(
    saved: ReviewedPlan, place: SessionSettings, deployment: str | None
) -> Iterator[tuple[str, str, str]]:
    """Settings that were given and are not the plan's: name, value, and the plan's."""
    basis = saved.document["basis"]
    said: Mapping[str, Any] = basis.get("said", {})
    if deployment is not None and deployment != saved.name:
        yield "deployment", deployment, saved.name
    if place.cloud_given and _plain(place.cloud) != _plain(_cloud_of(basis)):
        yield "cloud", place.cloud, _cloud_of(basis)
    if place.subscription and _plain(place.subscription) != _plain(basis["subscription"]):
        yield "subscription", place.subscription, basis["subscription"]
    tenant = str(basis.get("tenant", ""))
    if place.tenant and _is_uuid(place.tenant) and _is_uuid(tenant) and _plain(place.tenant) != _plain(tenant):
        yield "tenant", place.tenant, tenant
    for name, ours in (("resource_group", place.resource_group), ("profile", place.profile)):
        if ours and name in said and _plain(ours) != _plain(said[name] or ""):
            yield name, ours, said[name] or "none"


def refuse_another_state(saved: ReviewedPlan, session: Session) -> None:
    """A state that was named must be the plan's: the same address, or the same key at another one (it was moved)."""
    place = session.place
    planned = saved.document["basis"].get("said", {}).get("state") or saved.document.get("state")
    if place.state is None or not planned:
        return
    store = session.store()
    if store.url == planned:
        return
    key = session.key()
    if key is None or key.key_id != saved.document["basis"].get("key"):
        source = place.settings.said.get("state", "--state (or its setting)")
        raise UsageError(
            f"It is a plan of the state {planned}, but {source} says {store.url}.",
            advice=f"Name the plan's state with --state, or plan again for {store.url}.",
        )


def _cloud_of(basis: Mapping[str, Any]) -> str:
    return str(basis["endpoint"] if basis["cloud"] == "custom" else basis["cloud"])


def _plain(text: str) -> str:
    return text.rstrip("/").lower()


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
