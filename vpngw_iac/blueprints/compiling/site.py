"""Sites: a local network gateway and a connection for each link, NAT rules on the gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.compiling.bgp import chosen_addresses
from vpngw_iac.blueprints.compiling.context import CompileContext, Item, Placement, envelope, names_of, used
from vpngw_iac.blueprints.compiling.gateway_context import GatewayContext
from vpngw_iac.blueprints.compiling.operations_settings import beside
from vpngw_iac.blueprints.compiling.plain import merged, plain, properties_of
from vpngw_iac.blueprints.contribution import PlacedPart
from vpngw_iac.blueprints.gateway import VpnGateway
from vpngw_iac.blueprints.site import ExistingLocalGateway, Link, LocalGateway, Nat, Site
from vpngw_iac.resources import connection as wire
from vpngw_iac.resources import local_network_gateway as lng
from vpngw_iac.resources import nat_rule as nat_wire
from vpngw_iac.resources.base import Ref

LOCAL_GATEWAY = "Microsoft.Network/localNetworkGateways"
CONNECTION = "Microsoft.Network/connections"


def link_name(site: Site, link: Link) -> str:
    """``berlin`` for a site that is its own only link, ``berlin-isp1`` otherwise."""
    return f"{site.name}-{link.name}" if site.links else site.name


def local_gateway_id(site: Site, link: Link, gateway: GatewayContext, context: CompileContext) -> ArmId:
    """Id of the local network gateway of a link; it lives beside the gateway."""
    said = link.local_gateway
    if isinstance(said, ExistingLocalGateway):
        return said.existing
    if said is not None:
        return context.beside(gateway.part, said.resource_group).id(LOCAL_GATEWAY, said.name)
    name, _ = context.called(link.local_gateway_name, context.naming.local_gateway.format(name=link_name(site, link)))
    return context.beside(gateway.part, link.local_gateway_group or site.resource_group).id(LOCAL_GATEWAY, name)


def default_site_id(wanted: str, gateway: GatewayContext, context: CompileContext) -> ArmId | None:
    """Id of the local network gateway that takes all other traffic: ``berlin``, ``berlin/isp1`` or an id."""
    if wanted.startswith("/"):
        return ArmId(wanted)
    for use, link in gateway.links():
        if wanted.lower() in (use.part.name.lower(), f"{use.part.name}/{link.name}".lower()):
            return local_gateway_id(use.part, link, gateway, context)
    return None


def sites(gateway: GatewayContext, context: CompileContext, location: str) -> Iterator[Item]:
    """Everything that the sites of one gateway need."""
    for use, link in gateway.links():
        yield _local_gateway(use, link, gateway, context, location)
        connection = _connection(use, link, gateway, context, location)
        yield connection
        yield from beside(connection, link, context)
    for spare in gateway.local_gateways:
        yield _given(spare.part, spare.tags, (), gateway, context, location)
    yield from _nat_rules(gateway, context)


def _local_gateway(
    use: PlacedPart[Site], link: Link, gateway: GatewayContext, context: CompileContext, location: str
) -> Item:
    site = use.part
    if link.local_gateway is not None:
        return _given(link.local_gateway, use.tags, (site.name,), gateway, context, location)
    return lng.LocalNetworkGateway(
        address=f"LocalNetworkGateway/{gateway.part.address_name}/{link_name(site, link)}",
        id=local_gateway_id(site, link, gateway, context),
        location=link.location or location,
        derived_name=link.local_gateway_name is None,
        affected=(site.name,),
        **envelope(site, context.place(gateway.part).tenant, use.tags),
        **plain(link, "LocalNetworkGateway"),
    )


def _given(
    part: LocalGateway | ExistingLocalGateway,
    tags: Mapping[str, str],
    lost: tuple[str, ...],
    gateway: GatewayContext,
    context: CompileContext,
    location: str,
) -> Item:
    """A local network gateway of its own, once for each that uses it; equal ones become one."""
    address = f"LocalNetworkGateway/{part.address_name}"
    if isinstance(part, ExistingLocalGateway):
        facts = {
            "properties.gatewayIpAddress": part.public_ip,
            "properties.fqdn": part.fqdn,
            "properties.localNetworkAddressSpace.addressPrefixes": part.prefixes and list(part.prefixes),
            "properties.bgpSettings.asn": part.asn,
        }
        return used(address, part, facts)
    place = context.beside(gateway.part, part.resource_group)
    return lng.LocalNetworkGateway(
        address=address,
        id=place.id(LOCAL_GATEWAY, part.name),
        location=part.location or location,
        affected=lost,
        **envelope(part, place.tenant, tags),
        **merged({"properties": {}}, plain(part)),
    )


def _connection(
    use: PlacedPart[Site], link: Link, gateway: GatewayContext, context: CompileContext, location: str
) -> wire.Connection:
    """A connection lives in the subscription and region of its first gateway (R-SCOPE-02)."""
    site, place = use.part, context.beside(gateway.part, link.resource_group)
    name, derived = context.called(link.connection_name, context.naming.connection.format(name=link_name(site, link)))
    return wire.Connection(
        address=f"VpnConnection/{gateway.part.address_name}/{link_name(site, link)}",
        id=place.id(CONNECTION, name),
        location=location,
        derived_name=derived,
        affected=(site.name,),
        rotation=link.rotation or "",
        instance=link.instance if gateway.active_active else None,
        live=site.live,
        expects=site.expects,
        backup_of=site.backup_of,
        properties=wire.ConnectionProperties(
            connection_type="IPsec",
            virtual_network_gateway1=Ref.to(gateway.id),
            local_network_gateway2=Ref.to(local_gateway_id(site, link, gateway, context)),
            authentication_type="Certificate" if link.certificate else None,
            enable_bgp=link.speaks_bgp,
            gateway_custom_bgp_ip_addresses=chosen_addresses(link, gateway),
            ingress_nat_rules=_nat_refs(link, "ingress", gateway, context),
            egress_nat_rules=_nat_refs(link, "egress", gateway, context),
            **properties_of(link),
        ),
        **envelope(site, place.tenant, use.tags),
    )


# --- NAT -----------------------------------------------------------------------------------------------------------


def _nat_refs(
    link: Link, direction: str, gateway: GatewayContext, context: CompileContext
) -> tuple[Ref[nat_wire.NatRule], ...] | None:
    """On active-active a link uses the rule of each instance that it is built to (R-NAT-11)."""
    rules = [rule for rule in link.nat or () if rule.direction == direction]
    if not rules:
        return None
    return tuple(
        Ref.to(gateway.id.child("natRules", _nat_name(rule, bound, context)))
        for rule in rules
        for bound in _bindings(rule, gateway.instances_of(link), gateway)
    )


def _bindings(rule: Nat, instances: tuple[int, ...], gateway: GatewayContext) -> tuple[int | None, ...]:
    """The instances that a rule is bound to, one rule in Azure for each; None: to none."""
    if rule.instance == "each":
        return instances if gateway.active_active else (None,)
    return (None,) if rule.instance == "none" else (rule.instance,)


def _nat_name(rule: Nat, bound: int | None, context: CompileContext) -> str:
    if rule.instance != "each" or bound is None:
        return rule.name
    return context.called(None, context.naming.nat_instance.format(name=rule.name, instance=bound))[0]


def _nat_rules(gateway: GatewayContext, context: CompileContext) -> Iterator[Item]:
    """Each rule once for each instance that a link of it is built to; who uses it loses connectivity with it."""
    users: dict[tuple[str, int | None], list[str]] = {}
    rules: dict[tuple[str, int | None], list[Nat]] = {}
    for name, rule, instances in _uses_of_nat(gateway):
        for bound in _bindings(rule, instances, gateway):
            users.setdefault((rule.name, bound), []).extend([name] if name else [])
            if rule not in rules.setdefault((rule.name, bound), []):
                rules[rule.name, bound].append(rule)
    place = context.place(gateway.part)
    for (_, bound), variants in rules.items():
        for rule in variants:
            yield _nat_rule(rule, bound, gateway, context, place, names_of(users[rule.name, bound]))


def _uses_of_nat(gateway: GatewayContext) -> Iterator[tuple[str, Nat, tuple[int, ...]]]:
    """Site, rule and instances of each use; the gateway's own rules have no site."""
    for use, link in gateway.links():
        yield from ((use.part.name, rule, gateway.instances_of(link)) for rule in link.nat or ())
    own = gateway.part.nat_rules if isinstance(gateway.part, VpnGateway) else ()
    yield from (("", rule, tuple(range(len(gateway.instances)))) for rule in own)


def _nat_rule(
    rule: Nat,
    bound: int | None,
    gateway: GatewayContext,
    context: CompileContext,
    place: Placement,
    lost: tuple[str, ...],
) -> nat_wire.NatRule:
    derived = rule.instance == "each" and bound is not None
    said = properties_of(rule)
    for side in ("internal", "external"):
        more = (
            {"addressSpace": getattr(each, side), "portRange": getattr(each, f"{side}_ports")}
            for each in rule.mappings
            if getattr(each, side) is not None
        )
        said[f"{side}Mappings"] = (*said[f"{side}Mappings"], *more)
    return nat_wire.NatRule(
        address=f"NatRule/{gateway.part.address_name}/{rule.name}{f'-{bound}' if derived else ''}",
        id=gateway.id.child("natRules", _nat_name(rule, bound, context)),
        tenant=place.tenant,
        derived_name=derived,
        affected=lost,
        properties=nat_wire.NatRuleProperties(
            ip_configuration_id=None if bound is None else gateway.configuration(bound), **said
        ),
    )
