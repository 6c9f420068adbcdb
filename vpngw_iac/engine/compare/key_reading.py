"""Shared keys by their own GET, only where somebody asked for it (``--verify-keys``): whose turn it is, and what for.

A plan without that option reads none: it sees another key only where the GET of a connection echoes it. What is read
here becomes such an echo in the snapshot, as a fingerprint, so that keys are compared in one way alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from vpngw_iac.call_threads import CallThreads
from vpngw_iac.engine.compare.document import lookup
from vpngw_iac.engine.ports import Cloud, Snapshot
from vpngw_iac.errors import Forbidden, UsageError
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.graph import Graph
from vpngw_iac.resources.wire import SECRET_TYPES
from vpngw_iac.secret import Fingerprint

_AT_ONCE = 16


def whose_turn(verify: str | None, graph: Graph, utc: str) -> frozenset[str]:
    """Addresses whose key is read: ``all``, or the day's part of ``1/N``, so that N daily runs see all.

    A key's day is SHA-256(address) mod N = days since 1970-01-01 UTC mod N; `utc` is the time of day, ISO 8601.
    Raises `UsageError` for anything else.
    """
    if verify is None:
        return frozenset()
    parts = re.fullmatch(r"all|1/([1-9][0-9]{0,3})", verify)
    if parts is None:
        raise UsageError(f"--verify-keys {verify} is neither all nor 1/N.", advice="1/7 reads each key once a week.")
    day = (datetime.fromisoformat(utc) - datetime(1970, 1, 1, tzinfo=UTC)).days
    count = int(parts[1] or 1)
    return frozenset(
        address
        for address, resource in graph.resources.items()
        if has_key(resource) and int(hashlib.sha256(address.encode()).hexdigest(), 16) % count == day % count
    )


def has_key(resource: Resource) -> bool:
    """Whether it declares a secret that has a call of its own."""
    own = resource.key_call
    return own is not None and isinstance(lookup(resource.body(), own.path), SECRET_TYPES)


def with_keys(
    cloud: Cloud, graph: Graph, snapshot: Snapshot, addresses: Collection[str], threads: CallThreads
) -> Snapshot:
    """The snapshot with the fingerprint of each key that could be read; where it echoes one, nothing more is read."""
    wanted: list[Resource] = []
    for address in sorted(addresses):
        resource = graph.resources.get(address)
        observed = snapshot.get(resource.id) if resource is not None else None
        if resource is None or observed is None or observed.document is None or not observed.is_terminal:
            continue
        if not isinstance(lookup(observed.document, _path(resource)), Fingerprint):
            wanted.append(resource)
    if not wanted:
        return snapshot
    found = threads.in_parallel([partial(read_key, cloud, each) for each in wanted], _AT_ONCE)
    known = [(resource, key) for resource, key in zip(wanted, found, strict=True) if key is not None]
    observed_now = dict(snapshot.observed)
    for resource, key in known:
        seen = observed_now[resource.id]
        observed_now[resource.id] = replace(seen, document=_with(seen.document or {}, _path(resource), key))
    verified = {f"{resource.address}: {_path(resource)}" for resource, _ in known}
    left = tuple(text for text in snapshot.unverified if text not in verified)
    return replace(snapshot, observed=observed_now, unverified=left)


def read_key(cloud: Cloud, resource: Resource) -> Fingerprint | None:
    """What its own GET says of a key; None where we may not read it, or nothing is told."""
    try:
        return cloud.shared_key(resource.id)
    except Forbidden:
        return None


def _path(resource: Resource) -> str:
    assert resource.key_call is not None  # noqa: S101 - `has_key`
    return resource.key_call.path


def _with(document: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    name, _, rest = path.partition(".")
    return {**document, name: _with(document.get(name) or {}, rest, value) if rest else value}
