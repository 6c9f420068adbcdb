"""What the other company needs to find its part of a fault: the parameters of both ends, and what was seen. Pure.

Holds addresses, numbers and algorithms, and no name of ours: no site, resource, group, subscription or tenant, and
never a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vpngw_iac.paths import objects, value_at
from vpngw_iac.verify.causes import TITLES, Cause, check_of
from vpngw_iac.verify.diagnosis import Diagnosis, PeerParameter, PeerSheet, Seen

SHOWN_SOURCES = frozenset({"IKE log", "BGP", "association"})
"""Evidence that is about both ends; what we know of our own settings stays here."""
DEFAULTS = "https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-devices#ipsec"
IKE_SECONDS = 28_800
"""Lifetime of phase 1, which is not configurable (R-IPSEC-08)."""
_SESSION = re.compile(r"SESSION_ID ?:? ?\{?[0-9A-Fa-f-]{8,36}\}? ?")


_RELEVANT: dict[Cause, tuple[str, ...]] = {
    Cause.KEY: ("public address", "IKE identity"),
    Cause.IDENTITY: ("public address", "IKE identity"),
    Cause.SILENCE: ("public address",),
    Cause.IKE_PROPOSAL: ("phase 1", "algorithms"),
    Cause.IPSEC_PROPOSAL: ("phase 2", "PFS group", "algorithms"),
    Cause.PFS: ("phase 2", "PFS group", "algorithms"),
    Cause.SELECTORS: ("traffic selectors", "networks"),
    Cause.IKE_VERSION: ("IKE version",),
    Cause.AS_NUMBER: ("AS number",),
    Cause.APIPA: ("BGP address",),
    Cause.NEIGHBOUR: ("BGP address",),
    Cause.PREFIX: ("networks",),
}
"""Which parameters the check of a cause compares."""


def compared(diagnosis: Diagnosis, sheet: PeerSheet) -> tuple[PeerParameter, ...]:
    """The parameters that matter for these causes."""
    names = {name for cause in diagnosis.causes for name in _RELEVANT.get(cause, ())}
    return tuple(row for row in sheet.parameters if row.name in names)


def sheet_of(seen: Seen, diagnosis: Diagnosis) -> PeerSheet:
    """The sheet of one link."""
    device = ", ".join(seen.devices) or _text(seen.declared_site, "properties.fqdn") or "the device"
    evidence = tuple(
        f"{one.at:%Y-%m-%d %H:%M:%S} UTC  {_plain(one.text)}" if one.at else _plain(one.text)
        for one in diagnosis.evidence
        if one.source in SHOWN_SOURCES
    )
    theirs = [cause for cause in diagnosis.causes if check_of([cause]).end != "azure"]
    check = diagnosis.check if theirs and diagnosis.check and diagnosis.check.end != "azure" else None
    return PeerSheet(
        device,
        diagnosis.status,
        tuple(_parameters(seen, device)),
        tuple(TITLES[cause] for cause in theirs),
        check,
        evidence,
    )


def _plain(text: str) -> str:
    return _SESSION.sub("", text)


def _parameters(seen: Seen, device: str) -> Iterator[PeerParameter]:
    ours = _of_instance(azure_addresses(seen.gateway), seen)
    yield PeerParameter("public address", ", ".join(ours) or "not known yet", device)
    yield PeerParameter("IKE identity", "its public address", "its public address")
    version = str(value_at(seen.declared, "properties.connectionProtocol") or "IKEv2")
    yield PeerParameter("IKE version", version, version)
    certificate = value_at(seen.declared, "properties.authenticationType") == "Certificate"
    proof = "certificate" if certificate else "pre-shared key, handed over separately"
    yield PeerParameter("authentication", proof, proof)
    yield from _algorithms(seen.declared)
    yield from _prefixes(seen)
    yield from _bgp(seen)
    seconds = value_at(seen.declared, "properties.dpdTimeoutSeconds") or 45
    yield PeerParameter("dead peer detection", f"{seconds} s", "any")


def _algorithms(declared: Mapping[str, Any]) -> Iterator[PeerParameter]:
    policy = next(iter(objects(value_at(declared, "properties.ipsecPolicies"))), None)
    if policy is None:
        yield PeerParameter("algorithms", f"Azure's defaults, {DEFAULTS}", "one of these")
        return
    phase1 = " / ".join(str(policy.get(name)) for name in ("ikeEncryption", "ikeIntegrity", "dhGroup"))
    phase2 = " / ".join(str(policy.get(name)) for name in ("ipsecEncryption", "ipsecIntegrity"))
    pfs = str(policy.get("pfsGroup"))
    yield PeerParameter("phase 1", phase1, "the same")
    yield PeerParameter("phase 1 lifetime", f"{IKE_SECONDS} s", "its own choice")
    yield PeerParameter("phase 2", phase2, "the same")
    yield PeerParameter("PFS group", "off" if pfs == "None" else pfs, "the same")
    seconds, size = policy.get("saLifeTimeSeconds"), policy.get("saDataSizeKilobytes")
    yield PeerParameter("phase 2 lifetime", f"{seconds} s, {size} kB", "its own choice")


def _prefixes(seen: Seen) -> Iterator[PeerParameter]:
    theirs = value_at(seen.declared_site, "properties.localNetworkAddressSpace.addressPrefixes") or ()
    if not value_at(seen.declared, "properties.usePolicyBasedTrafficSelectors"):
        yield PeerParameter("traffic selectors", "0.0.0.0/0 to 0.0.0.0/0", "the same, or narrower")
    translated = value_at(seen.declared, "properties.egressNatRules") or value_at(
        seen.declared, "properties.ingressNatRules"
    )
    ours = "translated addresses, as agreed" if translated else ", ".join(seen.networks)
    yield PeerParameter("networks", ours or "by BGP", ", ".join(map(str, theirs)) or "by BGP")


def _bgp(seen: Seen) -> Iterator[PeerParameter]:
    if not value_at(seen.declared, "properties.enableBgp"):
        return
    settings = value_at(seen.declared_site, "properties.bgpSettings") or {}
    yield PeerParameter(
        "AS number",
        str(value_at(seen.gateway, "properties.bgpSettings.asn") or "not known yet"),
        str(settings.get("asn") or "not known here"),
    )
    chosen = [
        str(one.get("customBgpIpAddress"))
        for one in objects(value_at(seen.declared, "properties.gatewayCustomBgpIpAddresses"))
    ]
    defaults = [
        str(text)
        for entry in objects(value_at(seen.gateway, "properties.bgpSettings.bgpPeeringAddresses"))
        for text in entry.get("defaultBgpIpAddresses") or ()
    ]
    own = _of_instance(chosen or defaults, seen)
    device = settings.get("bgpPeeringAddress")
    yield PeerParameter("BGP address", ", ".join(own) or "not known yet", str(device or "not known here"))


def _of_instance(addresses: list[str], seen: Seen) -> list[str]:
    """The address of the instance that a link is built to; all where it is built to both."""
    one = seen.instance
    return addresses[one : one + 1] if one is not None and len(addresses) > 1 else addresses


def azure_addresses(gateway: Mapping[str, Any] | None) -> list[str]:
    """Where the gateway ends tunnels: one address for each instance."""
    entries = objects(value_at(gateway, "properties.bgpSettings.bgpPeeringAddresses"))
    return [str(text) for entry in entries for text in entry.get("tunnelIpAddresses") or ()]


def _text(document: Mapping[str, Any] | None, path: str) -> str:
    found = value_at(document, path)
    return found if isinstance(found, str) else ""
