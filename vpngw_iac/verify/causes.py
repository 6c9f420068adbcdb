"""What may be wrong with a tunnel, and what the sources cannot tell apart: both as data.

A source names a set of causes. Where it holds more than one, one check tells them apart, made at one end.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from vpngw_iac.late_dataclass import dataclass

End = Literal["azure", "device", "both"]
"""Where a check is made: in Azure (or in the blueprint), or by whoever runs the device."""


class Cause(StrEnum):
    """One thing that keeps a tunnel, or what runs through it, from working.

    ``Cause("pfs")``
    """

    INCIDENT = "azure-incident"
    GATEWAY_BUSY = "gateway-busy"
    GATEWAY_FAILED = "gateway-failed"
    PEER_ADDRESS = "peer-address"
    ROUTE = "route"
    SECURITY_GROUP = "security-group"
    MODE = "connection-mode"
    KEY = "key"
    IDENTITY = "identity"
    SILENCE = "silence"
    IKE_PROPOSAL = "ike-proposal"
    IPSEC_PROPOSAL = "ipsec-proposal"
    PFS = "pfs"
    SELECTORS = "selectors"
    IKE_VERSION = "ike-version"
    UNSUPPORTED = "unsupported"
    AS_NUMBER = "as-number"
    APIPA = "apipa-address"
    NEIGHBOUR = "neighbour"
    PREFIX = "prefix"


TITLES: dict[Cause, str] = {
    Cause.INCIDENT: "Azure has an incident or maintenance there: do not touch",
    Cause.GATEWAY_BUSY: "An operation is running on the gateway",
    Cause.GATEWAY_FAILED: "The gateway is in a failed state",
    Cause.PEER_ADDRESS: "Azure does not have the device's address that the blueprint says",
    Cause.ROUTE: "A route of GatewaySubnet leads the device's address away",
    Cause.SECURITY_GROUP: "A security rule on GatewaySubnet drops IKE",
    Cause.MODE: "The connection only initiates, and the device does too",
    Cause.KEY: "The two ends have different keys",
    Cause.IDENTITY: "The device shows, or expects, another identity than the public address",
    Cause.SILENCE: "The device does not answer",
    Cause.IKE_PROPOSAL: "The two ends share no IKE (phase 1) proposal",
    Cause.IPSEC_PROPOSAL: "The two ends share no IPsec (phase 2) proposal",
    Cause.PFS: "PFS differs: it is on at one end only, or another group",
    Cause.SELECTORS: "The traffic selectors (prefixes) of the two ends do not fit",
    Cause.IKE_VERSION: "One end speaks IKEv1, the other IKEv2",
    Cause.UNSUPPORTED: "The device sends IKE messages that Azure cannot read",
    Cause.AS_NUMBER: "The device's AS number is not the one declared",
    Cause.APIPA: "The BGP addresses of the two ends do not fit",
    Cause.NEIGHBOUR: "The device has no BGP neighbour for the gateway, or no route to it",
    Cause.PREFIX: "The device does not announce a prefix that is expected",
}
"""What each cause is, as people say it."""


@dataclass(frozen=True, slots=True)
class Check:
    """The one thing to look at next, and where."""

    end: End
    text: str


@dataclass(frozen=True, slots=True)
class LookAlikes:
    """Causes that one source cannot tell apart: why, and the check that can."""

    causes: frozenset[Cause]
    why: str
    check: Check
    source: str
    """Page, issue or rule that the row rests on."""


_ERRORS = 'Microsoft: "Troubleshoot Azure site-to-site VPN error codes"'
_TREE = 'Microsoft: "Troubleshoot a VPN tunnel that won\'t connect in Azure VPN Gateway"'


def _alike(causes: Iterable[Cause], why: str, end: End, check: str, source: str) -> LookAlikes:
    return LookAlikes(frozenset(causes), why, Check(end, check), source)


LOOK_ALIKES: tuple[LookAlikes, ...] = (
    _alike(
        (Cause.KEY, Cause.IDENTITY),
        "An answer to IKE_AUTH that fails (13801) does not say whether key or identity was wrong.",
        "device",
        "Read the local identity that the device sends (IDi). If it is the public address that Azure has, it is the "
        "key; if it is a private address or a name, set it to the public address.",
        _ERRORS,
    ),
    _alike(
        (Cause.SILENCE, Cause.SELECTORS),
        "A negotiation that times out (13805) looks the same whether packets are lost or the other end drops the "
        "selectors without a word.",
        "device",
        "Capture UDP 500 and 4500 on the device's outside. If packets from Azure arrive and are answered, compare the "
        "prefixes of both ends; if none arrives, look at the firewall or the provider before it.",
        _TREE,
    ),
    _alike(
        (Cause.AS_NUMBER, Cause.APIPA, Cause.NEIGHBOUR),
        "Azure tells the state of a BGP session only; the AS number in its row is the one configured in Azure.",
        "device",
        "Show the device's BGP neighbour with the gateway's address. No such neighbour: add it, with a host route "
        "through the tunnel. A notification 'bad peer AS': its own AS number differs. Neither: compare the addresses.",
        "R-BGP-21; shapes of `getbgppeerstatus`",
    ),
    _alike(
        (Cause.IKE_PROPOSAL, Cause.IPSEC_PROPOSAL, Cause.PFS),
        "'Policy match error' alone does not say in which phase the proposals were compared.",
        "azure",
        "Read the line before it: IkeCleanupMMNegotiation is IKE (phase 1), IkeCleanupQMNegotiation is IPsec or PFS.",
        _TREE,
    ),
    _alike(
        (Cause.IPSEC_PROPOSAL, Cause.PFS),
        "Phase 2 compares algorithms and PFS group at once, and its error (13868) names neither.",
        "device",
        "Compare cipher, integrity and PFS group of phase 2 with the declared policy. A tunnel that comes up and dies "
        "at its first rekey has another PFS.",
        _TREE,
    ),
    _alike(
        (Cause.UNSUPPORTED, Cause.KEY),
        "With a wrong key under IKEv1 the payload decrypts to rubbish, which reads as an invalid payload (13843).",
        "device",
        "Enter the key again on the device. If the error stays, its IKE is not one that Azure supports.",
        "RFC 2409 section 5: with pre-shared keys the encryption of IKEv1 is derived from the key",
    ),
)
"""What no source that we have tells apart. A set that is not here was narrowed by other evidence."""

_CHECKS: dict[Cause, Check] = {
    Cause.INCIDENT: Check("azure", "Wait for the end that Azure's health page tells; change nothing meanwhile."),
    Cause.GATEWAY_BUSY: Check("azure", "Wait until the operation has ended, then ask again."),
    Cause.GATEWAY_FAILED: Check("azure", "`vpngw plan` shows the repair; `vpngw apply` puts the gateway back."),
    Cause.PEER_ADDRESS: Check("azure", "`vpngw drift` shows who changed it; `vpngw apply` puts it back."),
    Cause.ROUTE: Check("azure", "Take the route away, or let it lead to the Internet."),
    Cause.SECURITY_GROUP: Check("azure", "Take the security group off GatewaySubnet, or allow UDP 500 and 4500."),
    Cause.MODE: Check("azure", 'Write mode="default" on the link, or let the device only respond.'),
    Cause.KEY: Check("device", "Enter the key again on the device, without spaces at its ends."),
    Cause.IDENTITY: Check("device", "Set the device's local identity to the public address that Azure has."),
    Cause.SILENCE: Check(
        "device",
        "Capture UDP 500 and 4500 on the device's outside: does anything from Azure's addresses arrive, and does it "
        "answer? Then the firewall before it, then its public address.",
    ),
    Cause.IKE_PROPOSAL: Check("device", "Compare phase 1 of the device with the declared policy."),
    Cause.IPSEC_PROPOSAL: Check("device", "Compare phase 2 of the device with the declared policy."),
    Cause.PFS: Check("device", "Compare the PFS group of phase 2 with the declared policy."),
    Cause.SELECTORS: Check("device", "Compare the prefixes of both ends; each must be the other's mirror."),
    Cause.IKE_VERSION: Check("device", "Set the device's tunnel to the declared IKE version."),
    Cause.UNSUPPORTED: Check("device", "Compare model and firmware with Microsoft's list of validated devices."),
    Cause.AS_NUMBER: Check("device", "Compare the device's own AS number with the declared one."),
    Cause.APIPA: Check("device", "Compare the BGP addresses of both ends."),
    Cause.NEIGHBOUR: Check("device", "Add the gateway's BGP address as a neighbour, with a route through the tunnel."),
    Cause.PREFIX: Check("device", "Show what the device advertises to the gateway's BGP address."),
}


def check_of(causes: Iterable[Cause]) -> Check:
    """The one check that tells these causes apart, or that confirms the only one."""
    wanted = frozenset(causes)
    if len(wanted) == 1:
        return _CHECKS[next(iter(wanted))]
    row = _alike_to(wanted)
    return row.check if row else Check("both", "Compare the parameters of both ends.")


def why_alike(causes: Iterable[Cause]) -> str:
    """Why these causes cannot be told apart from here; empty for a single one."""
    wanted = frozenset(causes)
    row = _alike_to(wanted) if len(wanted) > 1 else None
    return row.why if row else ""


def source_of(causes: Iterable[Cause]) -> str:
    """What that rests on."""
    row = _alike_to(frozenset(causes))
    return row.source if row else ""


def _alike_to(wanted: frozenset[Cause]) -> LookAlikes | None:
    """The narrowest row that has all of them."""
    return min((row for row in LOOK_ALIKES if wanted <= row.causes), key=lambda row: len(row.causes), default=None)


def in_order(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """Causes as they are told: Azure's own side first, then along the way of a negotiation."""
    return tuple(sorted(set(causes), key=list(Cause).index))
