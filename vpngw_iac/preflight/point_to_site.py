"""Point-to-site: tunnel types, sign-in, pools, Microsoft Entra ID."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vpngw_iac.paths import value_at
from vpngw_iac.preflight import limits
from vpngw_iac.preflight.registry import Violation, each, rule
from vpngw_iac.preflight.view.gateway import CLIENTS, Gateway
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.text import listed

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def with_clients(topology: TopologyView) -> Iterator[Gateway]:
    """VPN gateways that have point-to-site."""
    return (gateway for gateway in topology.vpn_gateways if gateway.clients is not None)


@rule("R-P2S-01", "E", "Point-to-site needs a route-based gateway", "P2S, T-P2S", "Make it route-based.")
@each(with_clients)
def route_based(gateway: Gateway) -> Iterator[str]:
    """Policy-based gateways have no clients."""
    if gateway.is_policy_based:
        yield "It is policy-based and has client settings."


@rule(
    "R-P2S-02",
    "E",
    "Basic gateway cannot do this point-to-site",
    "P2S, SSTP, ENTRA",
    "Use VpnGw1AZ, or protocols=['SSTP'] with certificates.",
)
@each(with_clients)
def basic(gateway: Gateway) -> Iterator[str]:
    """Basic knows SSTP with certificates only. RADIUS is R-RAD-01, IPv6 R-V6-01."""
    if not gateway.is_basic:
        return
    wrong = sorted(gateway.protocols - {"sstp"}) + sorted(gateway.sign_ins & {"aad"})
    if wrong:
        yield f"SKU Basic serves SSTP with certificates; declared is {listed(wrong)}."


def _missing_protocol(gateway: Gateway) -> str:
    """What is wrong with tunnel types and sign-in together (table 5.1 of the rules)."""
    protocols, sign_ins = gateway.protocols, gateway.sign_ins
    if "aad" in sign_ins and protocols and "openvpn" not in protocols:
        return "Microsoft Entra ID needs OpenVPN."
    if {"radius", "certificate"} <= sign_ins and protocols and protocols != {"openvpn"}:
        return "Certificates and RADIUS together work with OpenVPN alone."
    return ""


@rule(
    "R-P2S-03",
    "E",
    "Tunnel type and sign-in do not go together",
    "P2S",
    "Use OpenVPN alone, or one of the two sign-ins.",
    when="change",
)
@each(with_clients)
def combination(gateway: Gateway) -> Iterator[Violation]:
    """Entra ID rides OpenVPN; other pairs of sign-ins need OpenVPN alone."""
    wrong = _missing_protocol(gateway)
    if wrong:
        yield Violation(
            gateway.resource,
            f"{wrong} Declared are {listed(sorted(gateway.protocols))} with {listed(sorted(gateway.sign_ins))}.",
            "Add OpenVPN." if "Entra" in wrong else "",
            block=CLIENTS,
        )
    elif gateway.sign_ins == {"aad"} and gateway.protocols > {"openvpn"}:
        others = listed(sorted(gateway.protocols - {"openvpn"}))
        yield Violation(
            gateway.resource,
            f"Microsoft Entra ID is the only way to sign in and rides OpenVPN alone: nobody can use {others}.",
            "Leave the other protocols out, or add certificates or RADIUS for them.",
            "warning",
            block=CLIENTS,
        )


@rule(
    "R-P2S-04",
    "E",
    "SSTP and OpenVPN exclude each other",
    "SSTP",
    "Drop SSTP: OpenVPN serves Windows too.",
    when="create",
)
@each(with_clients)
def sstp_and_openvpn(gateway: Gateway) -> Iterator[str]:
    """Both use TLS on port 443."""
    if {"sstp", "openvpn"} <= gateway.protocols:
        yield "SSTP and OpenVPN are both declared; both need port 443."


@rule(
    "R-POOL-01",
    "E",
    "Client pool is too small",
    "POOL",
    "Use /29 or larger, /28 on an active-active gateway; a /24 serves 250 clients.",
)
@each(with_clients)
def pool_size(gateway: Gateway) -> Iterator[Violation]:
    """/29, on an active-active gateway /28; a pool in several pieces is judged by its sum, with a warning."""
    longest = 28 if gateway.active_active else 29
    ipv4 = [prefix for prefix in gateway.pool if prefix.version == 4]
    small = [prefix for prefix in ipv4 if prefix.prefixlen > longest]
    total = sum(prefix.num_addresses for prefix in ipv4)
    if small:
        yield Violation(
            gateway.resource,
            f"The pool {listed(small)} is smaller than /{longest}.",
            f"Use /{longest} or larger; a /24 serves 250 clients.",
            "warning" if len(ipv4) > 1 and total >= 2 ** (32 - longest) else "error",
        )


def _tenant(gateway: Gateway, name: str) -> str | None:
    value = value_at(gateway.clients, name)
    return value if isinstance(value, str) and value else None


def _guid(text: str | None) -> str | None:
    found = _GUID.search(text or "")
    return found.group().lower() if found else None


@rule(
    "R-AAD-02",
    "E",
    "Entra ID audience is not one application id",
    "P2S",
    "Leave audience to its default, or write one GUID.",
)
@each(with_clients)
def audience(gateway: Gateway) -> Iterator[Violation]:
    """One audience per gateway: an application's GUID, in any casing."""
    said = _tenant(gateway, "aadAudience")
    if "aad" in gateway.sign_ins and said is None and gateway.resource.is_managed:
        yield Violation(gateway.resource, "Entra ID is on, and there is no audience.", "Leave audience to its default.")
    elif said is not None and not _GUID.fullmatch(said.strip("{}")):
        yield Violation(gateway.resource, f"The audience {said!r} is not an application id.", "Write one GUID.")


@rule(
    "R-AAD-03",
    "F",
    "Entra ID issuer lacks its slash",
    "ENTRA",
    "Write the issuer with its trailing slash, or leave it out.",
)
@each(with_clients)
def issuer_slash(gateway: Gateway) -> Iterator[Violation]:
    """The issuer ends in a slash; it is told, since a token's issuer must match it to the letter."""
    issuer = _tenant(gateway, "aadIssuer")
    if issuer is not None and not issuer.endswith("/"):
        yield Violation(gateway.resource, f"The issuer {issuer} has no slash at its end.", f"Write {issuer}/.", "info")


@rule("R-AAD-04", "F", "Entra ID tenant ends in a backslash", "ENTRA", "Remove it.")
@each(with_clients)
def tenant_slash(gateway: Gateway) -> Iterator[str]:
    """A slash is borne, a backslash is not."""
    tenant = _tenant(gateway, "aadTenant")
    if tenant is not None and tenant.endswith("\\"):
        yield f"The tenant {tenant} ends in a backslash."


@rule(
    "R-AAD-05",
    "F",
    "Entra ID tenant and issuer differ",
    "ENTRA",
    "Leave the issuer out: it is derived from the tenant.",
)
@each(with_clients)
def one_tenant(gateway: Gateway) -> Iterator[str]:
    """Both carry the same tenant id."""
    tenant, issuer = _guid(_tenant(gateway, "aadTenant")), _guid(_tenant(gateway, "aadIssuer"))
    if tenant and issuer and tenant != issuer:
        yield f"The tenant is {tenant}, the issuer belongs to {issuer}."


@rule(
    "R-AAD-06",
    "W",
    "Manually registered VPN application retires",
    "P2S, ENTRA",
    "Move to c632b3df-fb67-4d84-bdcf-b95ad541b5c8 and issue profiles again.",
    ages=True,
)
@each(with_clients)
def manual_audience(gateway: Gateway) -> Iterator[str]:
    """The applications that people registered by hand end; Microsoft's own stays."""
    said = _guid(_tenant(gateway, "aadAudience"))
    if said in limits.MANUAL_AUDIENCES:
        yield f"The audience {said} retires: {limits.MANUAL_AUDIENCES[said]}."


@rule(
    "R-AAD-07",
    "W",
    "Entra ID clients need Windows or macOS",
    "P2S, NEW, FAQ",
    "Add certificates if Linux users shall connect.",
    ages=True,
)
@each(with_clients)
def linux_clients(gateway: Gateway) -> Iterator[Violation]:
    """The Azure VPN client for Linux ended in August 2026."""
    if gateway.sign_ins == {"aad"}:
        yield Violation(
            gateway.resource,
            "Entra ID is the only way to sign in; since 2026-08-31 no supported client for Linux can.",
            level="info",
        )


@rule(
    "R-P2SPOL-01",
    "F",
    "Client IPsec policy cannot work",
    "P2SPOL, P2S",
    "Add IkeV2 to the protocols and keep one policy, or leave ipsec out.",
)
@each(with_clients)
def client_policy(gateway: Gateway) -> Iterator[Violation]:
    """A policy counts for IKEv2 and follows the rules of one for sites; other tools' acceptance tests do without."""
    policies = gateway.client_policies
    if policies and gateway.protocols and "ikev2" not in gateway.protocols:
        yield Violation(
            gateway.resource,
            f"There is an IPsec policy for clients, and the protocols are {listed(sorted(gateway.protocols))}.",
            "Add IkeV2, or leave ipsec out.",
        )
    if len(policies) > 1:
        yield Violation(gateway.resource, f"{len(policies)} IPsec policies for clients.", "Keep one.")
    for policy in policies:
        cipher, integrity = str(policy.get("ipsecEncryption")), str(policy.get("ipsecIntegrity"))
        if "GCM" in cipher + integrity and cipher != integrity:
            yield Violation(
                gateway.resource,
                f"Client policy: IPsec encryption {cipher} with integrity {integrity}.",
                "Use the same GCM for both.",
            )


@rule("R-P2S-06", "W", "IKEv2 clients and a site share an address", "FAQ", "Add OpenVPN.")
@each(with_clients)
def shared_address(gateway: Gateway) -> Iterator[Violation]:
    """Users behind a site's public address cannot dial in by IKEv2; OpenVPN works."""
    if gateway.sites and gateway.protocols and "ikev2" in gateway.protocols and "openvpn" not in gateway.protocols:
        yield Violation(
            gateway.resource,
            "IKEv2 clients cannot connect from behind the public address of one of its sites.",
            level="info",
        )


_ROUTES = {"ikev2": 255, "openvpn": 1000}
"""How many routes Windows clients take over IKEv2, and any client over OpenVPN (FAQ, LIM)."""


@rule(
    "R-TS-07",
    "I",
    "More routes than clients take",
    "FAQ, LIM",
    "Summarise address spaces and site prefixes, or use OpenVPN alone (1000 routes).",
)
@each(with_clients)
def client_routes(gateway: Gateway) -> Iterator[Violation]:
    """Clients learn the prefixes of networks and sites: 255 over IKEv2 on Windows, 1000 over OpenVPN."""
    network = gateway.network
    if network is None:
        return
    found = {prefix for near in (network, *network.reach) for prefix in near.prefixes}
    found |= {prefix for connection in gateway.sites for prefix in connection.translated}
    told = [name for name, most in _ROUTES.items() if name in gateway.protocols and len(found) > most]
    if told:
        yield Violation(
            gateway.resource,
            f"Clients get {len(found)} routes; over {listed(told)} they take {listed(_ROUTES[t] for t in told)}.",
            level="warning",
        )


@rule(
    "R-POOL-03",
    "I",
    "SSTP splits the client pool",
    "FAQ, POOL",
    "Leave SSTP out, or give the pool twice the addresses that IKEv2 clients need.",
)
@each(with_clients)
def split_pool(gateway: Gateway) -> Iterator[str]:
    """With SSTP beside another tunnel type the pool is divided for good: 128 addresses to SSTP, or half of it."""
    if "sstp" in gateway.protocols and len(gateway.protocols) > 1:
        yield "SSTP and another tunnel type share the client pool, in fixed parts."
