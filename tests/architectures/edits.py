"""Edits that a network engineer makes, as functions from blueprint to blueprint; None where one does not apply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.parts import Certificates, IpsecPolicy, Link, Site, VirtualNetwork, VpnGateway
from vpngw_iac.blueprints.point_to_site import PointToSite
from vpngw_iac.blueprints.topology import Topology
from vpngw_iac.secret import Secret

T = TypeVar("T")
Edit = Callable[[Blueprint], Blueprint | None]


def rewrite(value: Any, kind: type[T], change: Callable[[T], T]) -> Any:
    """A copy in which each value of `kind` is changed; equal values change equally, so merged parts stay merged."""
    if isinstance(value, BaseModel):
        inner = {n: rewrite(getattr(value, n), kind, change) for n in type(value).model_fields}
        changed = {n: v for n, v in inner.items() if v != getattr(value, n)}
        copy = value.model_copy(update=changed) if changed else value
        return change(copy) if isinstance(copy, kind) else copy
    if isinstance(value, tuple):
        return tuple(rewrite(item, kind, change) for item in value)
    return value


def found(value: Any, kind: type[T]) -> list[T]:
    """Every value of a kind, in order, each once."""
    seen: list[T] = []

    def note(item: T) -> T:
        if item not in seen:
            seen.append(item)
        return item

    rewrite(value, kind, note)
    return seen


def _with_sites(blueprint: Blueprint) -> Blueprint | None:
    if isinstance(blueprint, Topology):
        return next((part for part in blueprint.blueprints if getattr(part, "sites", ())), None)
    return blueprint if getattr(blueprint, "sites", ()) else None


def _replace_part(blueprint: Blueprint, old: Blueprint, new: Blueprint) -> Blueprint:
    if blueprint is old:
        return new
    assert isinstance(blueprint, Topology)
    parts = tuple(new if part is old else part for part in blueprint.blueprints)
    return blueprint.model_copy(update={"blueprints": parts})


def add_a_site(blueprint: Blueprint) -> Blueprint | None:
    """One more site, plain, with prefixes that nobody else has."""
    part = _with_sites(blueprint)
    if part is None:
        return None
    site = Site(
        name="lisbon",
        public_ip="203.0.113.77",
        prefixes=["192.168.177.0/24"],
        shared_key=Secret.env("LISBON_PSK"),
        ipsec=IpsecPolicy.strong(),
    )
    return _replace_part(blueprint, part, part.model_copy(update={"sites": (*part.sites, site)}))


def remove_a_site(blueprint: Blueprint) -> Blueprint | None:
    """The last site goes."""
    part = _with_sites(blueprint)
    if part is None:
        return None
    return _replace_part(blueprint, part, part.model_copy(update={"sites": part.sites[:-1]}))


def change_a_prefix(blueprint: Blueprint) -> Blueprint | None:
    """The first site that has static prefixes gets others."""
    target = next((site for site in found(blueprint, Site) if site.prefixes), None)
    if target is None:
        return None

    def change(site: Site) -> Site:
        return site.model_copy(update={"prefixes": ("192.168.188.0/24",)}) if site == target else site

    return rewrite(blueprint, Site, change)


def bigger_sku(blueprint: Blueprint) -> Blueprint | None:
    """The next SKU of the family, where there is one."""
    target = next((g for g in found(blueprint, VpnGateway) if g.sku in _NEXT), None)
    if target is None:
        return None

    def change(gateway: VpnGateway) -> VpnGateway:
        return gateway.model_copy(update={"sku": _NEXT[gateway.sku]}) if gateway == target else gateway

    return rewrite(blueprint, VpnGateway, change)


_NEXT: Mapping[str, str] = {"VpnGw1AZ": "VpnGw3AZ", "VpnGw2AZ": "VpnGw3AZ", "VpnGw3AZ": "VpnGw4AZ"}


def change_a_tag(blueprint: Blueprint) -> Blueprint | None:
    """A tag on one network."""
    target = found(blueprint, VirtualNetwork)[0]

    def change(network: VirtualNetwork) -> VirtualNetwork:
        return (
            network.model_copy(update={"tags": {**network.tags, "cost-centre": "4711"}})
            if network == target
            else network
        )

    return rewrite(blueprint, VirtualNetwork, change)


def rename_a_site(blueprint: Blueprint) -> Blueprint | None:
    """The first site gets another name, and `moved` says so."""
    part = _with_sites(blueprint)
    if part is None:
        return None
    first = part.sites[0]
    sites = (first.model_copy(update={"name": "relocated"}), *part.sites[1:])
    edited = _replace_part(blueprint, part, part.model_copy(update={"sites": sites}))

    def follow(gateway: VpnGateway) -> VpnGateway:
        names_it = gateway.default_site == first.name
        return gateway.model_copy(update={"default_site": "relocated"}) if names_it else gateway

    edited = rewrite(edited, VpnGateway, follow)
    return edited.model_copy(update={"moved": {first.name: "relocated"}})


def remove_point_to_site(blueprint: Blueprint) -> Blueprint | None:
    """The clients go, the sites stay."""
    if not isinstance(blueprint, Topology) or not any(isinstance(p, PointToSite) for p in blueprint.blueprints):
        return None
    parts = tuple(part for part in blueprint.blueprints if not isinstance(part, PointToSite))
    return blueprint.model_copy(update={"blueprints": parts})


def remove_a_root_certificate(blueprint: Blueprint) -> Blueprint | None:
    """One of two roots goes."""
    if not any(len(c.roots) > 1 for c in found(blueprint, Certificates)):
        return None
    return rewrite(blueprint, Certificates, lambda c: c.model_copy(update={"roots": c.roots[:1]}))


def without_nat(blueprint: Blueprint) -> Blueprint | None:
    """Nobody is translated any more, each has prefixes of its own: rules go, connections stay."""
    translated = [site.name for site in found(blueprint, Site) if site.nat]
    if not translated:
        return None

    def change(site: Site) -> Site:
        if site.name not in translated:
            return site
        own = f"192.168.{200 + translated.index(site.name)}.0/24"
        return site.model_copy(update={"nat": (), "prefixes": (own,)})

    return rewrite(blueprint, Site, change)


def other_ike_version(blueprint: Blueprint) -> Blueprint | None:
    """The last plain site speaks IKEv1: its connection must be replaced."""
    plain = [site for site in found(blueprint, Site) if not site.links and not site.bgp]
    if not plain:
        return None

    def change(site: Site) -> Site:
        return site.model_copy(update={"protocol": "IKEv1"}) if site.name == plain[-1].name else site

    return rewrite(blueprint, Site, change)


def one_instance_or_two(blueprint: Blueprint) -> Blueprint | None:
    """Active-active where it was not, off where it was; not where links are bound to an instance, or with BGP."""
    bound = any(link.instance is not None for link in found(blueprint, Link))
    if bound or any(gateway.bgp for gateway in found(blueprint, VpnGateway)):
        return None

    def change(gateway: VpnGateway) -> VpnGateway:
        return gateway.model_copy(update={"active_active": not gateway.active_active})

    return rewrite(blueprint, VpnGateway, change)
