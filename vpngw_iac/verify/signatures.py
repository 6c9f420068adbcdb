"""What logs say and what it means: one row for each phrase, with the line as its source prints it and where that is.

Rows of Azure's own log rest on lines that Microsoft's pages quote; those of devices on what their vendors, or people
who run them, published. A row whose line was found nowhere says so and never makes a verdict certain. A row names every
cause that its phrase leaves possible: `causes` tells which look alike.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Literal

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.verify.causes import Cause

Source = Literal["azure", "strongswan", "fortigate", "ios", "panos", "device"]
"""Who printed a line; ``device`` stands for any device that uses the names of RFC 7296."""

Part = Literal["failure", "timeout", "selectors", "proposal", "closing", "up"]
"""What a line contributes: a failure with its causes, a negotiation that timed out, the selectors or the proposal of
the other end, the end of an attempt, which says nothing by itself, or a tunnel that came up: what failed before it has
passed."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One phrase of a log.

    ``[row.id for row in SIGNATURES if row.source == "azure"]``
    """

    id: str
    source: Source
    pattern: str
    """Regular expression, casing ignored, found anywhere in a line."""
    causes: frozenset[Cause]
    quoted: str
    """A line as the source of this row prints it."""
    page: str
    """Where that stands."""
    part: Part = "failure"
    confirmed: bool = True
    """The line was found in published material. What rests on others alone is `likely`, never `certain`."""

    def matches(self, text: str) -> bool:
        """Whether a line has the phrase."""
        return self.matches_lower(text.lower())

    def matches_lower(self, text: str) -> bool:
        """The same of a line in lower case."""
        return _compiled(self.pattern).search(text) is not None


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """For lines in lower case: to ignore the casing in each of a log's half a million lines takes minutes."""
    return re.compile(re.sub(r"\\.|[A-Z]", lambda m: m[0] if m[0][0] == "\\" else m[0].lower(), pattern))


TREE = "MicrosoftDocs/SupportArticles-docs, troubleshoot-vpn-tunnel-cannot-connect (2026-09-18)"
CODES = "MicrosoftDocs/SupportArticles-docs, vpn-gateway-troubleshoot-site-to-site-error-codes (2025-03-31)"
WATCHER = "MicrosoftDocs/azure-docs, network-watcher/vpn-troubleshoot-overview (2024-02-22)"
VYOS = "VyOS documentation, Troubleshooting Site-to-Site VPN IPsec (strongSwan's log)"
STRONGSWAN = "strongSwan, sources of libcharon"
SERVERFAULT = "Server Fault question 1048360 (FortiOS 6.4 with an Azure gateway)"
FORTI_MESSAGES = "FortiOS Log Message Reference 37124; a full line in the README of a public VPN Log Analysis Tool"
FORTI_UP = "FortiOS log lines of message 37138, IPsec connection status changed, as published"
FORTI_AZURE = "Fortinet, FortiGate to Azure VPN labs"
FORTI_LAB = "FortiGate 40F with an Azure gateway, debug output (FortiOS 7.6)"
CISCO = "Cisco IOS system messages"
CISCO_ASA = "Cisco ASA syslog message 750003"
CISCO_DEBUG = "debug crypto ikev2 of Cisco IOS, as published"
PANOS = 'Palo Alto Networks, "Interpret VPN Error Messages" (as paloaltofirewalls.com repeats it)'
PANOS_IDENTITY = "PAN-OS system log in the MikroTik forum, thread 1119654 (IKEv2 with a router behind NAT)"
PANOS_AZURE = "PAN-OS system log with an Azure gateway, r/paloaltonetworks 1cnkjl7"
PANOS_LAB = "PAN-OS system log in a public FortiGate to PA-VM lab, and in the sample lines of public log tools"
PFSENSE = "pfSense documentation, Troubleshooting IPsec VPNs (strongSwan's log)"
RACOON = "ipsec-tools, sources of racoon; Alibaba Cloud's page of the VPN gateway's error codes says the same"
UNCONFIRMED = "not confirmed: no published line with this phrase was found"
RFC = "RFC 7296 section 3.10.1; Microsoft's page says the same of devices"

_AUTH = (Cause.KEY, Cause.IDENTITY)
_POLICY = (Cause.IKE_PROPOSAL, Cause.IPSEC_PROPOSAL, Cause.PFS)
_PHASE2 = (Cause.IPSEC_PROPOSAL, Cause.PFS)
_TIMEOUT = (Cause.SILENCE, Cause.SELECTORS)


def _row(
    identifier: str, pattern: str, causes: tuple[Cause, ...], quoted: str, page: str, part: Part = "failure"
) -> Signature:
    source: Source = identifier.partition("-")[0]  # type: ignore[assignment]
    return Signature(identifier, source, pattern, frozenset(causes), quoted, page, part, page != UNCONFIRMED)


def _code(number: int, text: str) -> str:
    """An error of Windows' IKE as Azure's logs write it: in words, in hexadecimal, in decimal."""
    return rf"{text}|\b0x0*{number:X}\b|\berror {number}\b|\[ErrorCode\] {number}\b|Error code: {number}\b"


SIGNATURES: tuple[Signature, ...] = (
    # --- Azure: IKEDiagnosticLog, and the files of Network Watcher's VPN troubleshoot
    _row(
        "azure-auth-notify", r"Sending Notify Message - Authentication failed", _AUTH,
        "[SEND][NOTIFY] Sending Notify Message - Authentication failed", TREE,
    ),
    _row(
        "azure-13801", _code(13801, "IKE authentication credentials are unacceptable"), _AUTH,
        "[ErrorCode] 0x35E9 [ErrorMessage] IKE authentication credentials are unacceptable", TREE,
    ),
    _row(
        "azure-13826", r"\b0x0*3602\b|Failed to verify signature", _AUTH,
        "[ErrorCode] 0x3602 [ErrorMessage] Failed to verify signature", TREE,
    ),
    _row(
        "azure-policy-notify", r"Sending Notify Message - Policy Mismatch", _POLICY,
        "Remote 203.0.113.10:500: Local 198.51.100.4:500: [SEND][NOTIFY] Sending Notify Message - Policy Mismatch",
        WATCHER,
    ),
    _row(
        "azure-mm-13868", r"IkeCleanupMMNegotiation called with error 13868", (Cause.IKE_PROPOSAL,),
        "IkeCleanupMMNegotiation called with error 13868", TREE,
    ),
    _row(
        "azure-qm-13868", r"IkeCleanupQMNegotiation called with error 13868", _PHASE2,
        "IkeCleanupQMNegotiation called with error 13868 and flags a", WATCHER,
    ),
    _row(
        "azure-13868", r"Policy match error|\b0x0*362C\b|\[ErrorCode\] 13868\b|Error code: 13868\b", _POLICY,
        "[ErrorCode] 0x362C [ErrorMessage] Policy match error", TREE,
    ),
    _row(
        "azure-13825", _code(13825, "No policy configured"), _POLICY,
        "No policy configured (Error code: 13825, Hex: 0X3601)", CODES,
    ),
    _row(
        "azure-13822", _code(13822, "Failure in Diffie-Hellman computation"), (Cause.IKE_PROPOSAL, Cause.PFS),
        "Failure in Diffie-Hellman computation (Error code: 13822, Hex: 0X35FE)", CODES,
    ),
    _row(
        "azure-13805", _code(13805, "Negotiation timed out"), _TIMEOUT,
        "[ErrorMessage] Negotiation timed out ([ErrorCode] 0x35ED)", TREE, "timeout",
    ),
    _row(
        "azure-selectors", r"Received Traffic Selector payload request", (),
        "Remote 203.0.113.10:500: Local 198.51.100.4:500: Received Traffic Selector payload request- [Tsid 0x729  ]"
        "Number of TSIs 2: StartAddress 10.20.0.0 EndAddress 10.20.255.255 PortStart 0 PortEnd 65535 Protocol 0, "
        "StartAddress 192.168.100.0 EndAddress 192.168.100.255 PortStart 0 PortEnd 65535 Protocol 0 Number of TSRs "
        "1:StartAddress 0.0.0.0 EndAddress 255.255.255.255 PortStart 0 PortEnd 65535 Protocol 0", WATCHER, "selectors",
    ),
    _row(
        "azure-13999", _code(13999, "Traffic selectors unacceptable"), (Cause.SELECTORS,),
        "Traffic selectors unacceptable (Error code: 13999, Hex: 0X36AF)", CODES,
    ),
    _row(
        "azure-proposal", r"Received IPSec payload: Policy\d+:Cipher=", (),
        "Remote 203.0.113.10:500: Local 198.51.100.4:500: [RECEIVED]Received IPSec payload: "
        "Policy1:Cipher=DESIntegrity=Md5", WATCHER, "proposal",
    ),
    _row(
        "azure-13824", _code(13824, "Invalid header"), (Cause.UNSUPPORTED,),
        "Invalid header (Error code: 13824, Hex: 0X3600)", CODES,
    ),
    _row(
        "azure-13843", _code(13843, "Invalid payload received") + "|ERROR_IPSEC_IKE_INVALID_PAYLOAD",
        (Cause.UNSUPPORTED, Cause.KEY),
        "IkeFindPayloadInPacket failed with Windows error 13843(ERROR_IPSEC_IKE_INVALID_PAYLOAD)", WATCHER,
    ),
    _row(
        "azure-13846", _code(13846, "Invalid cookie received"), (Cause.UNSUPPORTED,),
        "Invalid cookie received (13846, Hex: 0X3616)", CODES,
    ),
    _row(
        "azure-13880", _code(13880, "recipient cannot handle version of IKE"), (Cause.IKE_VERSION,),
        "The recipient cannot handle version of IKE specified in the header (Error code: 13880, Hex: 0X3638)", CODES,
    ),
    _row(
        "azure-1225", _code(1225, "remote computer refused the network connection"), (Cause.MODE,),
        "The remote computer refused the network connection (Error code: 1225, Hex: 0X4C9)", CODES,
    ),
    _row(
        "azure-failed", r"\[IkeEvent\] SA_NEGOTIATION_FAILED", (), "[IkeEvent] SA_NEGOTIATION_FAILED", TREE, "closing",
    ),
    # --- strongSwan
    _row(
        "strongswan-mac", r"tried \d+ shared keys? for .* but MAC mismatched", (Cause.KEY,),
        "charon-systemd[2440]: tried 1 shared key for '192.168.1.2' - '192.168.0.1', but MAC mismatched", VYOS,
    ),
    _row(
        "strongswan-no-key", r"no shared key found for '", _AUTH,
        "no shared key found for '203.0.113.10' - '198.51.100.4'", STRONGSWAN,
    ),
    _row(
        "strongswan-no-peer", r"no matching peer config found", (Cause.IDENTITY,),
        "[CFG] no matching peer config found", STRONGSWAN,
    ),
    _row(
        "strongswan-auth", r"received AUTHENTICATION_FAILED notify error", _AUTH,
        "charon[2436]: 12[IKE] <PEER|1> received AUTHENTICATION_FAILED notify error", VYOS,
    ),
    _row(
        "strongswan-ike", r"received NO_PROPOSAL_CHOSEN notify error|received proposals unacceptable",
        (Cause.IKE_PROPOSAL,), "charon[2444]: 14[IKE] <PEER|1> received NO_PROPOSAL_CHOSEN notify error", VYOS,
    ),
    _row(
        "strongswan-esp", r"received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built|no acceptable proposal found",
        _PHASE2, "charon[3789]: 09[IKE] <PEER|1> received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built", VYOS,
    ),
    _row(
        "strongswan-selectors", r"received TS_UNACCEPTABLE notify|traffic selectors .* unacceptable",
        (Cause.SELECTORS,),
        "charon[2440]: 01[IKE] <PEER|7> traffic selectors 10.0.2.0/24 === 10.0.0.0/24 unacceptable", VYOS,
    ),
    _row(
        "strongswan-silence", r"giving up after \d+ retransmits|peer not responding", (Cause.SILENCE,),
        "charon: 07[IKE] giving up after 5 retransmits", STRONGSWAN,
    ),
    _row(
        "strongswan-child", r"failed to establish CHILD_SA", (),
        "charon[3789]: 09[IKE] <PEER|1> failed to establish CHILD_SA, keeping IKE_SA", VYOS, "closing",
    ),
    _row(
        "strongswan-up", r"CHILD_SA \S+ established with SPIs", (),
        "charon: 09[IKE] CHILD_SA con2000{2} established with SPIs cf4973bf_i c1cbfdf2_o and TS 192.168.48.0/24|/0 === "
        "10.42.42.0/24|/0", PFSENSE, "up",
    ),
    # --- FortiGate
    _row(
        "fortigate-phase1", r'(phase ?1 error|IPsec phase 1).*reason="?peer SA proposal not match local policy',
        (Cause.IKE_PROPOSAL,),
        'logid="0101037124" type="event" subtype="vpn" level="error" vd="root" logdesc="IPsec phase 1 error" '
        'msg="IPsec phase 1 error" action="negotiate" vpntunnel="N/A" status="negotiate_error" '
        'reason="peer SA proposal not match local policy" peer_notif="NOT-APPLICABLE"', FORTI_MESSAGES,
    ),
    _row(
        "fortigate-phase2", r'(phase ?2 error|IPsec phase 2).*reason="?peer SA proposal not match local policy',
        _PHASE2,
        'logid="0101037125" type="event" subtype="vpn" level="error" vd="root" logdesc="IPsec phase 2 error" '
        'msg="IPsec phase 2 error" action="negotiate" remip= locip= vpntunnel="AZURE-XYZ" status="negotiate_error" '
        'reason="peer SA proposal not match local policy"', SERVERFAULT,
    ),
    _row(
        "fortigate-proposal",
        r"Negotiate SA Error: *peer SA proposal not match|no (suitable|SA) proposal (found|chosen)", _POLICY,
        "ike V=root:0: Negotiate SA Error: peer SA proposal not match local policy", FORTI_LAB,
    ),
    _row(
        "fortigate-init", r"received SA_INIT error notify response", (Cause.IKE_PROPOSAL,),
        "ike V=root:0:40F_Azure_Tunn:3071: received SA_INIT error notify response, abort", FORTI_LAB,
    ),
    _row(
        "fortigate-key", r"pre-shared (secret|key) mismatch", (Cause.KEY,),
        "ike 0:to-fgt2: probable pre-shared secret mismatch", "Fortinet, diagnose debug application ike",
    ),
    _row(
        "fortigate-auth", r"notify type AUTHENTICATION_FAILED", _AUTH,
        "ike 0:IPSECVPN_Test:1535625: received notify type AUTHENTICATION_FAILED", FORTI_AZURE,
    ),
    _row(
        "fortigate-up", r'msg="IPsec connection status change.*action="?tunnel-up', (),
        'logid="0101037138" type="event" subtype="vpn" level="notice" vd="root" '
        'logdesc="IPsec connection status changed" msg="IPsec connection status change" action="tunnel-up"',
        FORTI_UP, "up",
    ),
    # --- Cisco IOS
    _row(
        "ios-auth", r"IKEv2.*Auth exchange failed", _AUTH,
        "IKEv2-ERROR:(SESSION ID = 71,SA ID = 1):: Auth exchange failed", CISCO_DEBUG,
    ),
    _row(
        "ios-key", r"CRYPTO-\d-IKMP_BAD_MESSAGE", (Cause.KEY, Cause.UNSUPPORTED),
        "%CRYPTO-4-IKMP_BAD_MESSAGE: IKE message from 192.1.20.2 failed its sanity check or is malformed", CISCO,
    ),
    _row(
        "ios-policy", r"Failed to find a matching policy", (Cause.IKE_PROPOSAL,),
        "IKEv2:(SESSION ID = 1,SA ID = 1):Failed to find a matching policy", CISCO_DEBUG,
    ),
    _row(
        "ios-selectors", r"no IPSEC policy found for received TS", (Cause.SELECTORS,),
        "%ASA-4-750003: Local:2.2.2.2:500 Remote:HOSTNAME:500 Username:User1 IKEv2 Negotiation aborted due to ERROR: "
        "There was no IPSEC policy found for received TS", CISCO_ASA,
    ),
    _row(
        "ios-up", r"%CRYPTO-5-SESSION_STATUS: Crypto tunnel is UP", (),
        "%CRYPTO-5-SESSION_STATUS: Crypto tunnel is UP", CISCO, "up",
    ),
    # --- PAN-OS
    _row(
        "panos-timeout", r"phase-1 negotiation is failed .*:0{16} due to timeout", (Cause.SILENCE,),
        "IKE phase-1 negotiation is failed as initiator, main mode. Failed SA: 203.0.113.1[500]-203.0.113.2[500] "
        "cookie:84222f276c2fa2e9:0000000000000000 due to timeout.", PANOS,
    ),
    _row(
        "panos-proposal1", r"Unable to process peer.s SA payload|unencrypted notify payload \(no proposal chosen\)",
        (Cause.IKE_PROPOSAL,), "IKE phase-1 negotiation is failed. Unable to process peer's SA payload.", UNCONFIRMED,
    ),
    _row(
        "panos-proposal2", r"phase-2 negotiation failed when processing SA payload", _PHASE2,
        "IKE phase-2 negotiation failed when processing SA payload. No suitable proposal found in peer's SA payload.",
        UNCONFIRMED,
    ),
    _row(
        "panos-selectors", r"phase-2 negotiation failed when processing Proxy ID", (Cause.SELECTORS,),
        "IKE phase-2 negotiation failed when processing Proxy ID. Received local id 10.1.0.0/16 type IPv4 address "
        "protocol 0 port 0", UNCONFIRMED,
    ),
    _row(
        "panos-identity", r"received ID_[IR] ?\(type .*\) ?does not match peers id", (Cause.IDENTITY,),
        "received ID_I (type ipaddr [10.222.191.127]) does not match peers id", PANOS_IDENTITY,
    ),
    _row(
        "panos-pfs", r"child SA negotiation is failed.* lacks KE payload", (Cause.PFS,),
        "IKEv2 child SA negotiation is failed message lacks KE payload", PANOS_AZURE,
    ),
    _row(
        "panos-failed", r"IKEv2 IKE SA negotiation is failed as (initiator|responder)", (),
        "IKEv2 IKE SA negotiation is failed as responder, non-rekey. Failed SA: 111.111.111.111[4500]-176.238.239.255"
        "[51435] SPI:0239b91635ed0e98:426762ab448185a9.", PANOS_IDENTITY, "closing",
    ),
    _row(
        "panos-up", r"IKEv2 child SA negotiation is succeeded as (initiator|responder)", (),
        "IKEv2 child SA negotiation is succeeded as responder non-rekey. Established SA", PANOS_LAB, "up",
    ),
    # --- any device that writes the names of RFC 7296
    _row("device-auth", r"\bAUTHENTICATION_FAILED\b", _AUTH, "AUTHENTICATION_FAILED", RFC),
    _row("device-proposal", r"\bNO_PROPOSAL_CHOSEN\b", _POLICY, "NO_PROPOSAL_CHOSEN", RFC),
    _row("device-selectors", r"\bTS_UNACCEPTABLE\b", (Cause.SELECTORS,), "TS_UNACCEPTABLE", RFC),
    _row("device-version", r"\bINVALID_MAJOR_VERSION\b", (Cause.IKE_VERSION,), "INVALID_MAJOR_VERSION", RFC),
    _row("device-pfs", r"pfs group mismatched", (Cause.PFS,), "pfs group mismatched: my:2 peer:0", RACOON),
    _row("device-syntax", r"\bINVALID_SYNTAX\b", (Cause.UNSUPPORTED,), "INVALID_SYNTAX", RFC),
)  # fmt: skip
"""Every phrase that is known."""


@functools.cache
def rows_of(source: Source) -> tuple[Signature, ...]:
    """The rows of one source; a device's own before the names that all devices use."""
    return tuple(row for row in SIGNATURES if row.source == source) or rows_of("device")


def found_in(text: str, source: Source) -> Iterator[Signature]:
    """The rows whose phrase a line has. A device's own words are told before the common names."""
    lower = text.lower()
    own = [row for row in rows_of(source) if row.matches_lower(lower)]
    if not own and source != "azure":
        own = [row for row in rows_of("device") if row.matches_lower(lower)]
    yield from own
