"""The walk from what was seen to causes: what decides, what is never concluded, and what is told as not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vpngw_iac.verify.diagnosis import ABSENT, Diagnosis, Seen
from vpngw_iac.verify.gateway_log import GatewayLog, LogUnread, TunnelEvent
from vpngw_iac.verify.log_lines import LogLine, with_ends
from vpngw_iac.verify.walk import walk

DEVICE, OTHER, AZURE = "203.0.113.10", "203.0.113.20", "198.51.100.4"
UP = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)
WENT = UP + timedelta(hours=1)
AUTH = "[SEND][NOTIFY] Sending Notify Message - Authentication failed"


def at(seconds: float, remote: str = DEVICE, text: str = AUTH) -> LogLine:
    return LogLine(f"Remote {remote}:500: Local {AZURE}:500: {text}", WENT + timedelta(seconds=seconds))


def log(*lines: LogLine, went: bool = True, cut: bool = False) -> GatewayLog:
    events = (TunnelEvent(WENT, False, "IN_0", DEVICE),) if went else ()
    times = [line.at for line in lines if line.at is not None]
    return GatewayLog(with_ends(lines), events, (), max(times, default=None), cut)


def connection(status: str = "Connecting", established: datetime | None = UP) -> dict[str, Any]:
    since = f"{established:%m/%d/%Y %H:%M:%S}" if established else ""
    tunnel = {
        "tunnel": f"con_{AZURE}",
        "connectionStatus": status,
        "lastConnectionEstablishedUtcTime": since,
    }
    return {"properties": {"connectionStatus": status, "tunnelConnectionStatus": [tunnel]}}


POLICY = {"ipsecEncryption": "AES256", "ipsecIntegrity": "SHA256", "pfsGroup": "PFS2048"}
SEEN = Seen(
    "berlin",
    "VpnConnection/vgw/berlin",
    connection(),
    {"properties": {"provisioningState": "Succeeded"}},
    {"properties": {"gatewayIpAddress": DEVICE}},
    {"properties": {"ipsecPolicies": [POLICY], "enableBgp": True}},
    {"properties": {"gatewayIpAddress": DEVICE}},
    (DEVICE,),
)


def causes(seen: Seen) -> set[str]:
    return {str(cause) for cause in walk(seen).causes}


def test_what_is_not_there_is_not_called_unreadable() -> None:
    absent = walk(replace(SEEN, connection=None, unread={"connection": ABSENT}))
    denied = walk(replace(SEEN, connection=None, unread={"connection": "AuthorizationFailed"}))

    assert [step.text for step in absent.steps] == ["The connection is not there."]
    assert "`vpngw apply` makes it" in gaps(absent)
    assert [step.text for step in denied.steps] == ["The connection could not be read: AuthorizationFailed."]
    assert "apply" not in gaps(denied)


def gaps(found: Diagnosis) -> str:
    return " ".join(f"{gap.text} {gap.advice}" for gap in found.gaps)


def test_an_incident_is_the_only_thing_that_is_told_whatever_the_log_says() -> None:
    found = walk(replace(SEEN, incident="Azure says of the gateway: host update.", log=log(at(10))))

    assert ([str(c) for c in found.causes], found.sure) == (["azure-incident"], "certain")
    assert "Do not touch." in found.steps[-1].text
    assert [step.name for step in found.steps] == ["connection", "gateway"]


@pytest.mark.parametrize(
    ("state", "cause"), [("Updating", "gateway-busy"), ("Failed", "gateway-failed"), ("Canceled", "gateway-failed")]
)
def test_a_gateway_that_is_not_well_comes_before_the_device(state: str, cause: str) -> None:
    gateway = {"properties": {"provisioningState": state}}

    assert causes(replace(SEEN, gateway=gateway, log=log(at(10)))) == {cause}


def test_maintenance_at_the_moment_at_which_the_tunnel_went_is_azure_s_own() -> None:
    moved = WENT - timedelta(seconds=5)

    assert causes(replace(SEEN, log=replace(log(at(30)), maintenance=(moved,)))) == {"azure-incident"}


def test_maintenance_long_ago_excuses_nothing() -> None:
    moved = WENT - timedelta(seconds=5)

    assert causes(replace(SEEN, log=replace(log(at(3000)), maintenance=(moved,)))) == {"key", "identity"}


def test_what_the_log_says_of_this_failure_is_the_set() -> None:
    assert causes(replace(SEEN, log=log(at(10)))) == {"key", "identity"}


def test_what_failed_before_the_tunnel_was_established_is_not_this_failure() -> None:
    found = walk(replace(SEEN, log=log(at(-7200))))

    assert found.causes == ()
    assert "has not arrived yet" in gaps(found)


def test_that_nothing_arrives_needs_rows_of_others_newer_than_the_failure() -> None:
    newer = log(at(300, OTHER))
    older = log(at(-300, OTHER))
    alone = log()

    assert causes(replace(SEEN, log=newer)) == {"silence"}
    assert causes(replace(SEEN, log=older)) == set()
    assert causes(replace(SEEN, log=alone)) == set()
    assert "Rows arrive late" in gaps(walk(replace(SEEN, log=older)))


def test_that_nothing_arrives_is_not_said_while_the_log_does_not_know_that_the_tunnel_went() -> None:
    assert causes(replace(SEEN, log=log(at(300, OTHER), went=False))) == set()


def test_that_nothing_arrives_is_not_said_of_a_log_that_was_read_in_part() -> None:
    assert causes(replace(SEEN, log=log(at(300, OTHER), cut=True))) == set()


def test_of_a_tunnel_that_never_was_rows_of_others_are_enough() -> None:
    never = replace(SEEN, connection=connection("NotConnected", None), log=log(at(300, OTHER), went=False))

    assert (causes(never), walk(never).sure) == ({"silence"}, "likely")


def test_without_the_log_nothing_is_concluded_and_the_way_to_it_is_told() -> None:
    found = walk(replace(SEEN, log=LogUnread("No right.", "Ask for Reader.")))

    assert (found.causes, found.sure) == ((), "unknown")
    assert "Ask for Reader." in gaps(found)


@pytest.mark.parametrize(
    ("texts", "established", "protocol", "expected"),
    [
        (("[RECEIVED]Received IPSec payload: Policy1:Cipher=DESIntegrity=Md5",), UP, "", {"ipsec-proposal"}),
        (("[RECEIVED]Received IPSec payload: Policy1:Cipher=AES256Integrity=SHA256",), UP, "", {"pfs"}),
        (("[RECEIVED]Received IPSec payload: Policy1:Cipher=OddIntegrity=Odder",), UP, "", {"pfs"}),
        (("[RECEIVED][SA_AUTH] Received IKE AUTH message",), UP, "", {"ipsec-proposal"}),
        ((), UP, "", {"pfs"}),
        ((), None, "", {"ipsec-proposal", "pfs"}),
        (("[RECEIVED][SA_AUTH] Received IKE AUTH message",), UP, "IKEv1", {"ipsec-proposal", "pfs"}),
    ],
    ids=["other algorithms", "same", "unknown words", "first child", "rekey", "never up", "ikev1"],
)
def test_phase_2_is_told_apart_by_the_proposal_and_by_the_exchange(
    texts: tuple[str, ...], established: datetime | None, protocol: str, expected: set[str]
) -> None:
    before = [at(10 + number, text=text) for number, text in enumerate(texts)]
    error = LogLine("IkeCleanupQMNegotiation called with error 13868 and flags a", WENT + timedelta(seconds=13))
    after = at(14, text="[SEND][NOTIFY] Sending Notify Message - Policy Mismatch")
    said = {"properties": {"ipsecPolicies": [POLICY], **({"connectionProtocol": protocol} if protocol else {})}}
    seen = replace(SEEN, declared=said, connection=connection(established=established))

    assert causes(replace(seen, log=log(*before, error, after))) == expected


def test_another_address_in_azure_is_certain_even_if_the_log_says_more() -> None:
    moved = {"properties": {"gatewayIpAddress": "203.0.113.99"}}
    found = walk(replace(SEEN, site=moved, log=log(at(10))))

    assert ([str(c) for c in found.causes], found.sure) == (["peer-address"], "certain")


def route(prefix: str, hop: str) -> dict[str, Any]:
    return {"name": "fw", "properties": {"addressPrefix": prefix, "nextHopType": hop}}


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([route("203.0.113.0/24", "None")], {"route"}),
        ([route("0.0.0.0/0", "VirtualAppliance")], {"route"}),
        ([route("0.0.0.0/0", "VirtualAppliance"), route("203.0.113.10/32", "Internet")], set()),
        ([route("198.18.0.0/15", "None")], set()),
        ([route("what", "None"), {"name": "odd"}], set()),
    ],
    ids=["black hole", "default", "exception", "elsewhere", "unreadable"],
)
def test_the_route_that_the_device_s_address_takes_is_judged(routes: list[Any], expected: set[str]) -> None:
    assert causes(replace(SEEN, route_table={"properties": {"routes": routes}})) == expected


def rule(name: str, priority: int, access: str, **more: Any) -> dict[str, Any]:
    said = {"direction": "Inbound", "protocol": "*", "sourceAddressPrefix": "*", "destinationPortRange": "*", **more}
    return {"name": name, "properties": {"priority": priority, "access": access, **said}}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([rule("deny", 200, "Deny")], {"security-group"}),
        ([rule("allow", 100, "Allow", destinationPortRange="400-600"), rule("deny", 200, "Deny")], set()),
        ([rule("deny", 200, "Deny", protocol="Tcp")], set()),
        ([rule("deny", 200, "Deny", sourceAddressPrefix="198.18.0.0/15")], set()),
        ([rule("deny", 200, "Deny", direction="Outbound")], set()),
        ([rule("deny", 200, "Deny", destinationPortRange="", destinationPortRanges=["4500"])], {"security-group"}),
    ],
    ids=["all", "allowed first", "tcp", "others", "outbound", "nat-t"],
)
def test_the_first_rule_that_fits_ike_decides(rules: list[Any], expected: set[str]) -> None:
    assert causes(replace(SEEN, security_group={"properties": {"securityRules": rules}})) == expected


def test_a_route_is_no_cause_while_packets_of_the_device_arrive() -> None:
    table = {"properties": {"routes": [route("203.0.113.0/24", "VirtualAppliance")]}}
    heard = log(at(9, text="[RECEIVED][SA_AUTH] Received IKE AUTH message"), at(10))

    assert causes(replace(SEEN, route_table=table, log=heard)) == {"key", "identity"}


def test_bgp_is_judged_only_while_the_tunnel_is_up() -> None:
    down = (("10.1.255.30", "192.168.10.1", "Connecting"),)
    up = connection("Connected")

    assert causes(replace(SEEN, connection=up, sessions=down)) == {"as-number", "apipa-address", "neighbour"}
    assert causes(replace(SEEN, sessions=down)) == set()
    assert causes(replace(SEEN, connection=up, sessions_unread="a lock")) == set()


def test_prefixes_that_could_not_be_looked_for_are_told_and_no_cause() -> None:
    sessions = (("10.1.255.30", "192.168.10.1", "Connected"),)
    seen = replace(SEEN, connection=connection("Connected"), sessions=sessions, prefixes_unread="not permitted")

    assert causes(seen) == set()
    assert "Whether the expected prefixes are learned is not known: not permitted." in gaps(walk(seen))


@pytest.mark.parametrize(
    ("key", "evidence", "gap"),
    [
        ("equal", "if it is the key, the device has another one", ""),
        ("different", "Azure has another key", ""),
        ("not told", "", "Azure did not tell its key"),
        ("not resolved", "", "cannot be resolved here"),
        ("", "", ""),
    ],
)
def test_of_the_key_nothing_is_said_without_azure_s_and_ours(key: Any, evidence: str, gap: str) -> None:
    found = walk(replace(SEEN, log=log(at(10)), key=key))

    told = [one.text for one in found.evidence if one.source == "key"]
    assert [evidence in text for text in told] == ([True] if evidence else [])
    assert gap in gaps(found)
    assert {str(cause) for cause in found.causes} == {"key", "identity"}


def test_a_connection_that_cannot_be_read_ends_the_walk() -> None:
    found = walk(replace(SEEN, connection=None, unread={"connection": "AuthorizationFailed"}))

    assert (found.causes, found.status) == ((), "Unknown")
    assert "AuthorizationFailed" in found.steps[0].text


def test_of_a_link_to_one_instance_the_other_tunnel_is_expected_down() -> None:
    document = connection("Connected")
    other = {"tunnel": "con_198.51.100.5", "connectionStatus": "NotConnected", "lastConnectionEstablishedUtcTime": ""}
    document["properties"]["tunnelConnectionStatus"].append(other)
    half = replace(SEEN, connection=document)

    assert (half.is_connected, replace(half, bound=True).is_connected) == (False, True)
    assert half.down_at == {"198.51.100.5"}
