"""Which lines belong to a tunnel, and what its newest attempt says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vpngw_iac.verify.log_lines import LogLine, judge, tunnels_named, with_ends
from vpngw_iac.verify.signatures import Source

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


DOWN = "charon: 13[IKE] <azure|1> received AUTHENTICATION_FAILED notify error"
CAME_UP = "charon: 09[IKE] <azure|2> CHILD_SA net{2} established with SPIs c1_i c2_o and TS 10.0.0.0/8 === 10.1.0.0/16"


def test_what_failed_before_the_tunnel_came_up_has_passed() -> None:
    old, new = (LogLine(DOWN, source="strongswan"), LogLine(CAME_UP, source="strongswan"))

    assert (judge([old, new]).causes, judge([old, new]).came_up) == ((), new)
    assert judge([new, old]).causes == ("key", "identity")


def test_causes_that_rest_on_unpublished_phrases_alone_are_not_confirmed() -> None:
    alone = LogLine("IKE phase-2 negotiation failed when processing Proxy ID. Received local id", source="panos")
    published = LogLine("peer sent TS_UNACCEPTABLE", source="panos")

    assert judge([alone]).causes == judge([alone, published]).causes == judge([published, alone]).causes
    assert [judge(x).is_confirmed for x in ([alone], [alone, published], [published, alone])] == [False, True, True]


def test_an_unpublished_phrase_that_narrows_published_ones_confirms_nothing() -> None:
    narrowing = LogLine("Unable to process peer's SA payload", source="panos")
    found = judge([LogLine("peer sent NO_PROPOSAL_CHOSEN", source="panos"), narrowing])

    assert (found.causes, found.is_confirmed) == (("ike-proposal",), False)


@pytest.mark.parametrize(
    ("source", "texts", "names"),
    [
        (
            "fortigate",
            [
                'logid="0101037124" msg="IPsec phase 1 error" remip=192.0.2.7 vpntunnel="N/A" '
                'reason="peer SA proposal not match local policy"',
                'msg="IPsec connection status change" action="tunnel-up" remip=198.51.100.4 vpntunnel="AZ"',
            ],
            ("192.0.2.7", "198.51.100.4"),
        ),
        ("fortigate", ["ike 0:az:12: probable pre-shared key mismatch", "ike 0:az:13: sent"], ("az",)),
        ("strongswan", [DOWN, CAME_UP.replace("<azure", "<aws")], ("azure", "aws")),
        (
            "panos",
            ["IKE phase-1 negotiation is failed as initiator, main mode. Failed SA: 192.0.2.1[500]-192.0.2.2[500] "
             "cookie:84222f276c2fa2e9:0000000000000000 due to timeout."],
            ("192.0.2.1[500]-192.0.2.2[500]",),
        ),
        ("ios", ["%CRYPTO-4-IKMP_BAD_MESSAGE: IKE message from 192.1.20.2 failed its sanity check"], ("192.1.20.2",)),
    ],
)  # fmt: skip
def test_a_device_s_log_names_the_tunnels_that_it_tells_of(
    source: Source, texts: list[str], names: tuple[str, ...]
) -> None:
    assert tunnels_named(LogLine(text, source=source) for text in texts) == names
