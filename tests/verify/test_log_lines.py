"""Which lines belong to a tunnel, and what its newest attempt says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from vpngw_iac.verify.log_lines import LogLine, judge, with_ends

START = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
BERLIN, OSLO, AZURE = "203.0.113.10", "203.0.113.20", "198.51.100.4"

SENT = "[SEND][SA_INIT] Sending IKE SA_INIT"
RECEIVED = "[RECEIVED][SA_AUTH] Received IKE AUTH message"
AUTH = "[SEND][NOTIFY] Sending Notify Message - Authentication failed"
MISMATCH = "[SEND][NOTIFY] Sending Notify Message - Policy Mismatch"
TIMEOUT = "[ErrorMessage] Negotiation timed out ([ErrorCode] 0x35ED)"
PAYLOAD = (
    "Received Traffic Selector payload request- [Tsid 0x729  ]Number of TSIs 2: StartAddress 10.20.0.0 EndAddress "
    "10.20.255.255 PortStart 0 PortEnd 65535 Protocol 0"
)
ANY = "Received Traffic Selector payload request- [Tsid 0x729 ] StartAddress 0.0.0.0 EndAddress 255.255.255.255"


def of(remote: str, text: str) -> str:
    return f"Remote {remote}:500: Local {AZURE}:500: {text}"


def lines(*texts: str, apart: float = 1.0) -> tuple[LogLine, ...]:
    return with_ends(LogLine(text, START + timedelta(seconds=apart * n)) for n, text in enumerate(texts))


def causes(*texts: str, apart: float = 1.0) -> set[str]:
    return set(judge(lines(*texts, apart=apart)).causes)


def test_a_line_without_address_belongs_to_the_tunnel_on_both_sides_of_it() -> None:
    found = lines(of(BERLIN, RECEIVED), "IkeCleanupQMNegotiation called with error 13868", of(BERLIN, MISMATCH),
                  of(OSLO, SENT))  # fmt: skip

    assert [line.remote for line in found] == [BERLIN, BERLIN, BERLIN, OSLO]


def test_a_line_without_address_between_two_tunnels_is_nobody_s() -> None:
    found = lines(of(BERLIN, RECEIVED), "IkeCleanupQMNegotiation called with error 13868", of(OSLO, MISMATCH))

    assert [line.remote for line in found] == [BERLIN, "", OSLO]


def test_a_session_carries_the_address_to_its_other_lines() -> None:
    session = "SESSION_ID :{0f1e2d3c-0000-4000-8000-aaaaaaaaaaaa}"
    found = lines(f"{session} {of(BERLIN, RECEIVED)}", of(OSLO, SENT), f"{session} [LOCAL] closed", of(OSLO, SENT))

    assert [line.remote for line in found] == [BERLIN, OSLO, BERLIN, OSLO]


def test_lines_are_read_in_the_order_of_time_whatever_the_export_s() -> None:
    newest_first = [LogLine(of(BERLIN, AUTH), START + timedelta(hours=1)), LogLine(of(BERLIN, MISMATCH), START)]

    assert {"key", "identity"} == set(judge(with_ends(newest_first)).causes)


def test_the_phase_beside_a_policy_mismatch_narrows_it() -> None:
    assert {"ike-proposal"} == causes("IkeCleanupMMNegotiation called with error 13868", of(BERLIN, MISMATCH))
    assert {"ipsec-proposal", "pfs"} == causes(
        "IkeCleanupQMNegotiation called with error 13868 and flags a", of(BERLIN, MISMATCH)
    )
    assert {"ike-proposal", "ipsec-proposal", "pfs"} == causes(of(BERLIN, MISMATCH))


def test_what_failed_before_the_newest_attempt_does_not_count() -> None:
    assert {"key", "identity"} == causes(of(BERLIN, MISMATCH), of(BERLIN, AUTH), apart=600)


def test_a_timeout_is_silence_only_where_nothing_came() -> None:
    assert {"silence"} == causes(of(BERLIN, SENT), of(BERLIN, SENT), of(BERLIN, TIMEOUT))
    assert {"silence", "selectors"} == causes(of(BERLIN, SENT), of(BERLIN, RECEIVED), of(BERLIN, TIMEOUT))


def test_a_timeout_after_selectors_of_the_device_is_the_selectors() -> None:
    assert {"selectors"} == causes(of(BERLIN, RECEIVED), of(BERLIN, PAYLOAD), of(BERLIN, TIMEOUT))


def test_selectors_for_everything_are_what_a_route_based_device_sends() -> None:
    assert {"silence", "selectors"} == causes(of(BERLIN, RECEIVED), of(BERLIN, ANY), of(BERLIN, TIMEOUT))


def test_a_log_without_failure_says_nothing() -> None:
    assert set() == causes(of(BERLIN, SENT), of(BERLIN, RECEIVED), of(BERLIN, PAYLOAD))


def test_a_log_without_times_is_read_to_its_end() -> None:
    found = judge([LogLine(of(BERLIN, MISMATCH)), *[LogLine(of(BERLIN, SENT))] * 100, LogLine(of(BERLIN, AUTH))])

    assert found.causes == ("key", "identity")


def test_the_other_end_s_proposal_is_kept_to_be_shown() -> None:
    text = of(BERLIN, "[RECEIVED]Received IPSec payload: Policy1:Cipher=DESIntegrity=Md5")
    found = judge(lines(text, "IkeCleanupQMNegotiation called with error 13868 and flags a", of(BERLIN, MISMATCH)))

    assert text == found.proposal
