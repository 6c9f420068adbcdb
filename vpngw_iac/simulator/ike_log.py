"""What a gateway writes into its logs about a connection: rows of AzureDiagnostics, from what happened to it.

The phrases are those that Microsoft's pages quote, with the addresses filled in: SupportArticles-docs
``troubleshoot-vpn-tunnel-cannot-connect`` and ``vpn-gateway-troubleshoot-site-to-site-error-codes``, azure-docs
``vpn-troubleshoot-overview`` and ``troubleshoot-vpn-with-azure-diagnostics`` (operations, instances, the form "Remote
...:500: Local ...:500:"). That lines without an address stand between those of their tunnel is seen there too.
Composed, since no page shows the whole line: the words after ``[SEND][SA_INIT]``, the ``[LOCAL]`` before an
``[ErrorCode]``, and the message of a maintenance.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator import other_end
from vpngw_iac.simulator.cloud_view import CloudView, as_id
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.other_end import LoggedEvent
from vpngw_iac.simulator.relations import connections_from
from vpngw_iac.simulator.tunnels import ends_of

IKE, TUNNELS, GATEWAY = "IKEDiagnosticLog", "TunnelDiagnosticLog", "GatewayDiagnosticLog"

_INIT = "{ends}[SEND][SA_INIT] Sending IKE SA_INIT message"
_AUTH = "{ends}[RECEIVED][SA_AUTH] Received IKE AUTH message"
_ANY = "StartAddress 0.0.0.0 EndAddress 255.255.255.255 PortStart 0 PortEnd 65535 Protocol 0"
_PAYLOAD = (
    "{ends}Received Traffic Selector payload request- [Tsid 0x729  ]Number of TSIs 1: {selector} "
    "Number of TSRs 1:" + _ANY
)
_ODD = "StartAddress 10.20.0.0 EndAddress 10.20.255.255 PortStart 0 PortEnd 65535 Protocol 0"
_FAILED = "[IkeEvent] SA_NEGOTIATION_FAILED"
_TIMEOUT = "{ends}[LOCAL] [ErrorCode] 0x35ED [ErrorMessage] Negotiation timed out"
_MISMATCH = "{ends}[SEND][NOTIFY] Sending Notify Message - Policy Mismatch"
_PHASE2 = "IkeCleanupQMNegotiation called with error 13868 and flags a"

_REFUSED = (
    _INIT,
    _AUTH,
    "{ends}[SEND][NOTIFY] Sending Notify Message - Authentication failed",
    "{ends}[LOCAL] [ErrorCode] 0x35E9 [ErrorMessage] IKE authentication credentials are unacceptable",
)
_SILENT = (_INIT, _FAILED, _TIMEOUT)

LINES: Mapping[str, tuple[str, ...]] = {
    "wrong-key": _REFUSED,
    "wrong-identity": _REFUSED,
    "silence": _SILENT,
    "never-came-up": _SILENT,
    "ike-proposal": (_INIT, "IkeCleanupMMNegotiation called with error 13868", _MISMATCH),
    "ipsec-proposal": (
        _INIT,
        _AUTH,
        "{ends}[RECEIVED]Received IPSec payload: Policy1:Cipher=DESIntegrity=Md5",
        _PHASE2,
        _MISMATCH,
    ),
    "pfs": (_PHASE2, _MISMATCH),
    "selectors": (_INIT, _AUTH, _PAYLOAD.replace("{selector}", _ODD), _FAILED, _TIMEOUT),
    "ike-version": (
        _INIT,
        "{ends}[LOCAL] [ErrorCode] 0x3638 [ErrorMessage] The recipient cannot handle version of IKE specified in the "
        "header",
    ),
}
"""What one attempt leaves in the log, by the state of the other end."""
_CAME_UP = (_INIT, _AUTH, _PAYLOAD.replace("{selector}", _ANY))


@dataclass(frozen=True, slots=True)
class LogRow:
    """One row."""

    moment: float
    category: str
    operation: str
    instance: int
    message: str
    remote: str = ""


def rows_of(cloud: CloudView, gateway: Document, start: float, end: float) -> Iterator[LogRow]:
    """The rows of a gateway whose time is between two moments, in order of time."""
    found = [row for one in connections_from(cloud, gateway.id) for row in _rows(cloud, one, gateway, start, end)]
    failed_over = other_end.failover_of(gateway)
    if failed_over is not None:
        found.append(LogRow(failed_over, GATEWAY, "HostMaintenanceEvent", 0, "Host maintenance of the instance."))
    yield from sorted((row for row in found if start <= row.moment <= end), key=lambda row: (row.moment, row.remote))


def _rows(cloud: CloudView, connection: Document, gateway: Document, start: float, end: float) -> Iterator[LogRow]:
    site = cloud.find(as_id(connection.properties.get("localNetworkGateway2")))
    far = cloud.find(as_id(connection.properties.get("virtualNetworkGateway2")))
    remote = address_of(site) if site is not None else next(iter(ends_of(far)), "")
    locals_ = ends_of(gateway)
    for one in other_end.happened(cloud, connection, start, end):
        if one.instance < len(locals_):
            yield from _of(one, remote, locals_[one.instance])


def address_of(site: Document) -> str:
    """The address at which Azure reaches a device; that of a name is made up, always the same one."""
    said = site.properties.get("gatewayIpAddress")
    return str(said) if said else f"192.0.2.{zlib.crc32(str(site.properties.get('fqdn')).lower().encode()) % 254 + 1}"


def _of(event: LoggedEvent, remote: str, local: str) -> Iterator[LogRow]:
    operation = {"connected": "TunnelConnected", "disconnected": "TunnelDisconnected"}.get(event.what)
    if operation:
        yield LogRow(event.moment, TUNNELS, operation, event.instance, "", remote)
    came_up = _CAME_UP if event.what == "connected" else ()
    lines = LINES.get(event.mismatch, ()) if event.mismatch else came_up
    ends = f"Remote {remote}:500: Local {local}:500: "
    for number, line in enumerate(lines):
        text = line.replace("{ends}", ends)
        moment = event.moment + event.instance / 2 + number / 100
        yield LogRow(moment, IKE, "IKELogEvent", event.instance, text, remote)
