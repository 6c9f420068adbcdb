"""``--max-outage`` and ``--outage-agreed`` on the command line, and what a plan without keys says there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Shell


def outage(shell: Shell, *options: str, code: int = 0) -> dict[str, Any]:
    (change,) = shell("plan", "hub.yaml", "--json", *options, code=code).document["changes"]
    told: dict[str, Any] = change["outage"]
    return told


@pytest.mark.parametrize("limit", ["none", "30s", "5m", "1h"])
def test_a_rotated_key_is_refused_however_long_an_outage_may_be(
    hub: Shell, environment: dict[str, str], limit: str
) -> None:
    environment["BERLIN_PSK"] = "anotherKeyOfThirtyTwoCharacters1"

    refused = hub("plan", "hub.yaml", "--max-outage", limit, code=4)
    agreed = hub("apply", "hub.yaml", "--yes", "--max-outage", limit, "--outage-agreed", "berlin", code=0)

    told = " ".join(refused.out.split())
    assert "berlin would lose connectivity until the device has the new key" in told
    assert "--outage-agreed berlin" in told
    assert "1 operation" in agreed.out


def test_the_document_says_what_ends_an_outage(hub: Shell, environment: dict[str, str]) -> None:
    environment["BERLIN_PSK"] = "anotherKeyOfThirtyTwoCharacters1"

    told = outage(hub, "--max-outage", "1h", code=4)
    agreed = outage(hub, "--max-outage", "1h", "--outage-agreed", "Berlin")

    assert (told["ends"], told["agreed"], told["level"], told["who"]) == ("somebody", False, "reconfigure", ["berlin"])
    assert isinstance(told["seconds"], int)
    assert agreed["agreed"] is True
    document = hub("plan", "hub.yaml", "--json", code=0).document
    assert [(o["name"], o["ends"], o["until"]) for o in document["outages"]] == [
        ("berlin", "somebody", "the device has the new key")
    ]


def test_a_name_that_nobody_bears_is_a_usage_error(hub: Shell) -> None:
    answer = hub("plan", "hub.yaml", "--outage-agreed", "berln", code=64)

    assert "berln" in answer.err
    assert "Did you mean 'berlin'?" in answer.err


def test_a_duration_without_a_unit_is_a_usage_error(hub: Shell) -> None:
    answer = hub("apply", "hub.yaml", "--yes", "--max-outage", "30", code=64)

    assert "Write 30s or 30m" in answer.err


def test_a_saved_plan_that_could_not_read_a_key_is_judged_again(hub: Shell, environment: dict[str, str]) -> None:
    del environment["BERLIN_PSK"]
    planned = hub("plan", "hub.yaml", "-o", "plan.json", "--max-outage", "5m", "--detailed-exitcode", code=0)
    environment["BERLIN_PSK"] = "anotherKeyOfThirtyTwoCharacters1"

    applied = hub("apply", "plan.json", "--json", code=4)

    assert "(not verified)" in planned.out
    assert "Not verified: 1 reference not readable here (vpngw secret check --verify)." in planned.out
    assert [f["rule"] for f in applied.document["findings"] if f["level"] == "error"] == ["V-OUTAGE-01"]


def test_a_saved_plan_cannot_be_given_an_agreement_afterwards(hub: Shell) -> None:
    hub("plan", "hub.yaml", "-o", "plan.json", code=0)

    answer = hub("apply", "plan.json", "--outage-agreed", "berlin", code=64)

    assert "--outage-agreed" in answer.err
