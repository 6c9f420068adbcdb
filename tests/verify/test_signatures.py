"""Rows of signatures: each finds the line that its source prints, and no row finds another's."""

from __future__ import annotations

import pytest

from vpngw_iac.verify.causes import LOOK_ALIKES, TITLES, Cause, LookAlikes, check_of, in_order, why_alike
from vpngw_iac.verify.signatures import SIGNATURES, Signature, found_in


@pytest.mark.parametrize("row", SIGNATURES, ids=lambda row: row.id)
def test_a_row_finds_the_line_that_its_source_prints_and_is_the_only_one(row: Signature) -> None:
    assert [row.id] == [found.id for found in found_in(row.quoted, row.source)]


def test_every_row_says_where_its_line_stands_and_has_a_name_of_its_own() -> None:
    assert all(row.page and row.quoted for row in SIGNATURES)
    assert len(SIGNATURES) == len({row.id for row in SIGNATURES})


@pytest.mark.parametrize(
    ("text", "causes"),
    [
        # The issue's sets: what Azure's log leaves possible.
        ("IKE Tunnel closed with status IKE authentication credentials are unacceptable", {"key", "identity"}),
        ("Error: Peer failed with Windows error 13801(ERROR_IPSEC_IKE_AUTH_FAIL)", {"key", "identity"}),
        ("  Failure error code:0x000035e9", {"key", "identity"}),
        ("IkeCleanupMMNegotiation called with error 13868", {"ike-proposal"}),
        ("IkeCleanupQMNegotiation called with error 13868 and flags a", {"ipsec-proposal", "pfs"}),
        ("[ErrorCode] 0x362C [ErrorMessage] Policy match error", {"ike-proposal", "ipsec-proposal", "pfs"}),
        ("[ErrorCode] 0x36AF", {"selectors"}),
    ],
)
def test_azure_s_words_codes_in_both_bases_mean_the_same(text: str, causes: set[str]) -> None:
    (row,) = {frozenset(row.causes) for row in found_in(text, "azure")}

    assert causes == set(row)


@pytest.mark.parametrize(
    "text",
    [
        "Remote 203.0.113.10:500: Local 198.51.100.4:500: [RECEIVED][SA_AUTH] Received IKE AUTH message",
        "Remote 203.0.113.10:13801: Local 198.51.100.4:500: [SEND][SA_INIT] cookie 0x135E90",
        "session 13868 of 13805",
    ],
)
def test_numbers_that_are_no_error_codes_mean_nothing(text: str) -> None:
    assert [row.id for row in found_in(text, "azure")] == []


def test_a_device_s_own_words_count_before_the_common_names() -> None:
    both = "charon: 09[IKE] <PEER|1> received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built"

    assert [row.id for row in found_in(both, "strongswan")] == ["strongswan-esp"]
    assert [row.id for row in found_in("peer answers NO_PROPOSAL_CHOSEN", "ios")] == ["device-proposal"]


def test_every_cause_has_words_and_a_check_with_its_end() -> None:
    assert set(Cause) == set(TITLES)
    assert all(check_of([cause]).text for cause in Cause)


@pytest.mark.parametrize("row", LOOK_ALIKES, ids=lambda row: " ".join(in_order(row.causes)))
def test_what_looks_alike_has_one_check_that_tells_it_apart(row: LookAlikes) -> None:
    assert (row.check, row.why) == (check_of(row.causes), why_alike(row.causes))
    assert len(row.causes) > 1


def test_a_narrowed_set_is_still_told_apart_by_the_same_check() -> None:
    assert check_of({Cause.AS_NUMBER, Cause.APIPA, Cause.NEIGHBOUR}) == check_of({Cause.AS_NUMBER, Cause.NEIGHBOUR})
