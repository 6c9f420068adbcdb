"""Security posture: weak algorithms, defaults, and the profiles cnsa, nist and bsi."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vpngw_iac.errors import Level
from vpngw_iac.preflight.point_to_site import with_clients
from vpngw_iac.preflight.registry import Violation, connections, each, rule, vpn_gateways
from vpngw_iac.preflight.view.connection import Connection
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.resource_view import ResourceView
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.text import listed

_WEAK: Mapping[str, frozenset[str]] = {
    "ikeEncryption": frozenset({"DES", "DES3"}),
    "ikeIntegrity": frozenset({"MD5", "SHA1"}),
    "dhGroup": frozenset({"None", "DHGroup1", "DHGroup2"}),
    "ipsecEncryption": frozenset({"None", "DES", "DES3"}),
    "ipsecIntegrity": frozenset({"MD5", "SHA1"}),
    "pfsGroup": frozenset({"None", "PFS1", "PFS2"}),
}
"""What is flagged without a profile; Azure accepts all of it."""

_GCM = frozenset({"GCMAES128", "GCMAES192", "GCMAES256"})
_AES = frozenset({"AES128", "AES192", "AES256"})

PROFILES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "cnsa": {
        "ikeEncryption": frozenset({"AES256", "GCMAES256"}),
        "ikeIntegrity": frozenset({"SHA384", "GCMAES256"}),
        "dhGroup": frozenset({"ECP384"}),
        "ipsecEncryption": frozenset({"GCMAES256"}),
        "ipsecIntegrity": frozenset({"GCMAES256"}),
        "pfsGroup": frozenset({"ECP384"}),
    },
    "nist": {
        "ikeEncryption": _AES | _GCM,
        "ikeIntegrity": frozenset({"SHA256", "SHA384"}) | _GCM,
        "dhGroup": frozenset({"DHGroup14", "DHGroup2048", "ECP256", "ECP384"}),
        "ipsecEncryption": _AES | _GCM,
        "ipsecIntegrity": frozenset({"SHA256"}) | _GCM,
        "pfsGroup": frozenset({"PFS2048", "PFS14", "ECP256", "ECP384"}),
    },
    "bsi": {
        "ikeEncryption": _AES | _GCM,
        "ikeIntegrity": frozenset({"SHA256", "SHA384"}) | _GCM,
        "dhGroup": frozenset({"ECP256", "ECP384"}),
        "ipsecEncryption": _AES | _GCM,
        "ipsecIntegrity": frozenset({"SHA256"}) | _GCM,
        "pfsGroup": frozenset({"ECP256", "ECP384"}),
    },
}
"""What each profile allows, of what Azure offers. nist: SP 800-77 Rev. 1 with SP 800-131A (no SHA-1, at least 112 bits,
group 24 not recommended). cnsa: RFC 9206. bsi: TR-02102-3 (2048-bit groups ended in 2022)."""


def _policies(topology: TopologyView) -> Iterator[tuple[ResourceView, Mapping[str, Any]]]:
    for connection in topology.connections:
        yield from ((connection.resource, policy) for policy in connection.policies)
    for gateway in with_clients(topology):
        yield from ((gateway.resource, policy) for policy in gateway.client_policies)


def _is_excluded(profile: str | None, name: str, value: object) -> bool:
    allowed = PROFILES.get(profile or "")
    if allowed is not None:
        return str(value) not in allowed[name]
    return str(value) in _WEAK[name]


def _level(topology: TopologyView) -> Level:
    return "error" if topology.profile in PROFILES else "warning"


@rule(
    "R-SEC-01",
    "W",
    "Weak algorithm in an IPsec policy",
    "FAQ, CRY, SKU",
    "Use IpsecPolicy.strong(), or IpsecPolicy.cnsa() for that profile.",
    see=("AzurePolicy:50b83b09-03da-41c1-b656-c293c914862b",),
)
def weak_algorithms(topology: TopologyView) -> Iterator[Violation]:
    """DES, 3DES, MD5, SHA-1, small groups, no encryption; under a profile everything that it does not allow."""
    for resource, policy in _policies(topology):
        weak = [f"{n} {policy[n]}" for n in _WEAK if n in policy and _is_excluded(topology.profile, n, policy[n])]
        if weak:
            under = f" is not in profile {topology.profile}" if topology.profile in PROFILES else " is weak"
            yield Violation(resource, f"{listed(weak, most=8)}{under}.", level=_level(topology))


@rule("R-SEC-02", "W", "IKEv1 or a policy-based gateway", "FAQ", "Use IKEv2 on a route-based gateway.")
def old_protocols(topology: TopologyView) -> Iterator[Violation]:
    """Both are kept for old devices."""
    for connection in topology.connections:
        if connection.is_ikev1 and not (connection.gateway and connection.gateway.is_policy_based):
            yield Violation(connection.resource, "It uses IKEv1.", "Use IKEv2.", _level(topology))
    for gateway in topology.vpn_gateways:
        if gateway.is_policy_based:
            yield Violation(
                gateway.resource, "It is policy-based and speaks IKEv1.", "Make it route-based.", _level(topology)
            )


def _uses_defaults(connection: Connection) -> bool:
    gateway = connection.gateway
    takes_policy = gateway is None or not gateway.is_basic
    return not connection.is_expressroute and takes_policy and connection.knows_policies and not connection.policies


@rule(
    "R-SEC-03",
    "W",
    "Azure's default proposals allow weak algorithms",
    "DEV, CRY",
    "Add ipsec=IpsecPolicy.strong().",
    see=("AzurePolicy:50b83b09-03da-41c1-b656-c293c914862b",),
)
@each(connections)
def default_proposals(connection: Connection) -> Iterator[Violation]:
    """Without a policy of its own a connection accepts 3DES, SHA-1 and group 2."""
    if connection.kind and _uses_defaults(connection):
        yield Violation(
            connection.resource,
            "It has no IPsec policy; Azure then accepts 3DES, SHA-1 and DH group 2 too.",
            level=_level(connection.topology),
        )


@rule("R-SEC-05", "W", "SSTP should go", "P2S, UG", "Use OpenVPN; clients need a new profile.")
@each(with_clients)
def sstp(gateway: Gateway) -> Iterator[str]:
    """Windows only, 128 clients, no IPv6, no user groups."""
    if "sstp" in gateway.protocols and not gateway.is_basic:
        yield "SSTP serves Windows only and 128 clients."


@rule("R-SEC-07", "W", "Sites authenticate by shared key", "CERT", "Consider certificates for devices that can.")
@each(vpn_gateways)
def shared_keys(gateway: Gateway) -> Iterator[Violation]:
    """Certificates need no secret on both sides; told once per gateway, and only where they work (R-CERT-01)."""
    keyed = [connection for connection in gateway.sites if not connection.uses_certificate]
    if keyed and gateway.resource.is_managed and not gateway.is_basic:
        yield Violation(gateway.resource, f"{len(keyed)} connection(s) use shared keys.", level="info")


_DIAGNOSTICS = "microsoft.insights/diagnosticsettings"
_WATCHED = ("IKEDiagnosticLog", "RouteDiagnosticLog", "TunnelDiagnosticLog")


def _logged(settings: list[ResourceView]) -> frozenset[str]:
    """Categories, and groups of them, that any of the settings keeps; in lower case."""
    logs = [log for setting in settings for log in setting.items("properties.logs") if log.get("enabled")]
    return frozenset(str(log.get("category") or log.get("categoryGroup")).lower() for log in logs)


@rule(
    "R-SEC-09",
    "W",
    "Logs that explain a failed tunnel are not kept",
    "T-TUN",
    'Add diagnostics=Diagnostics(workspace="..."): it keeps all logs.',
    see=("APRL:9eab120e-f6d3-ee49-ba0d-766562ce7df1",),
)
@each(vpn_gateways)
def logs_kept(gateway: Gateway) -> Iterator[Violation]:
    """Tunnel, route and IKE logs. A gateway without any setting is only told: Azure Policy often adds one."""
    settings = [
        resource for resource in gateway.topology.of_type(_DIAGNOSTICS) if resource.id.parent == gateway.resource.id
    ]
    kept = _logged(settings)
    lacking = [name for name in _WATCHED if not kept & {name.lower(), "alllogs"}]
    if lacking and gateway.resource.is_managed:
        yield Violation(
            gateway.resource,
            f"No diagnostic setting of this file keeps {listed(lacking)}.",
            level=None if settings else "info",
        )


@rule("R-SEC-11", "W", "IPsec replay protection is off", "SDK", "Set replay_protection=True.")
@each(vpn_gateways)
def replay(gateway: Gateway) -> Iterator[str]:
    """Off, an attacker can send recorded packets again."""
    if gateway.resource.flag("properties.disableIPSecReplayProtection"):
        yield "disableIPSecReplayProtection is true."
