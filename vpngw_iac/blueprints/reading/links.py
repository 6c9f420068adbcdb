"""Several tunnels to one place are the links of one site, where that is certain.

It is where two sites of a gateway have the same networks behind them, or the same BGP speaker, and are called
``berlin-isp1`` and ``berlin-isp2``: a site ``berlin`` with the links ``isp1`` and ``isp2`` bears the same names.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import Any

from vpngw_iac.blueprints.reading.plain import Unsaid, made
from vpngw_iac.blueprints.site import BgpPeer, Link, LinkSettings, Site

_OF_A_LINK = frozenset({"local_gateway_name", "connection_name", "lock", "access", "shared_key", "certificate"})
"""What stays with a link although each may say the same."""


def with_links(sites: Sequence[Site], apart: Collection[str]) -> tuple[list[Site], dict[str, str]]:
    """The sites, those of one place as one, and ``berlin/isp1`` by the name that each of these had alone.

    `apart` are names of those that stay alone.
    """
    found: list[Site] = []
    renamed: dict[str, str] = {}
    groups: dict[Hashable, list[Site]] = {}
    for site in sites:
        groups.setdefault(_place(site) if site.name not in apart else site.name, []).append(site)
    taken = {site.name.lower() for site in sites}
    for group in groups.values():
        joined = _joined(group) if len(group) > 1 and _stem(group[0]).lower() not in taken else None
        if joined is None:
            found += group
            continue
        found.append(joined)
        renamed |= {site.name: f"{joined.name}/{_tail(site)}" for site in group}
    return found, renamed


def _place(site: Site) -> Hashable:
    """What two tunnels to one place have alike; a tunnel that says too little is a place of its own."""
    behind = tuple(sorted(site.prefixes or ()))
    speaker = (site.bgp.asn, site.bgp.address) if isinstance(site.bgp, BgpPeer) else ()
    if not _stem(site) or not _tail(site) or site.local_gateway is not None or not (behind or speaker):
        return site.name
    return _stem(site).lower(), behind or speaker, tuple(sorted(site.tags.items())), site.resource_group


def _stem(site: Site) -> str:
    return site.name.rpartition("-")[0]


def _tail(site: Site) -> str:
    return site.name.rpartition("-")[2]


def _joined(group: Sequence[Site]) -> Site | None:
    """One site; what its links say alike is said once."""
    shared = dict(_shared(group))
    first = group[0]
    try:
        return made(
            Site,
            name=_stem(first),
            links=tuple(made(Link, name=_tail(site), **_own(site, shared)) for site in group),
            resource_group=first.resource_group,
            tags=first.tags,
            **shared,
        )
    except Unsaid:
        return None


def _shared(group: Sequence[Site]) -> Iterator[tuple[str, Any]]:
    for name in LinkSettings.model_fields:
        value = getattr(group[0], name)
        if name not in _OF_A_LINK and value is not None and all(getattr(site, name) == value for site in group):
            yield name, value


def _own(site: Site, shared: dict[str, Any]) -> dict[str, Any]:
    fields = (*LinkSettings.model_fields, "public_ip", "fqdn", "instance")
    return {n: value for n in fields if n not in shared and (value := getattr(site, n)) is not None}
