"""Levels, waivers, profiles, facts that are missing: what becomes of a broken rule."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests.preflight.world import build, judge
from vpngw_iac.errors import UsageError
from vpngw_iac.preflight import check

INSIDE = {"set": {"lgw-berlin.properties.localNetworkAddressSpace.addressPrefixes": ["10.1.4.0/24"]}}


def test_a_waived_finding_stays_visible_with_its_reason_and_blocks_nothing() -> None:
    found = judge({**INSIDE, "waive": {"R-LNG-06": "that range is empty"}})

    overlap = next(finding for finding in found if finding.rule == "R-LNG-06")
    assert overlap.waived == "that range is empty"
    assert overlap.level == "error"
    assert not overlap.blocks


def test_a_waiver_for_one_address_waives_nothing_elsewhere() -> None:
    here = judge({**INSIDE, "waive": {"R-LNG-06@Connection/con-berlin": "known"}})
    elsewhere = judge({**INSIDE, "waive": {"R-LNG-06@Connection/con-paris": "known"}})

    assert next(f for f in here if f.rule == "R-LNG-06").waived == "known"
    assert next(f for f in elsewhere if f.rule == "R-LNG-06").waived is None
    assert "P-WAIVER" in {finding.rule for finding in elsewhere}


def test_a_waiver_for_a_name_covers_every_address_with_that_name() -> None:
    found = judge({**INSIDE, "waive": {"R-LNG-06@con-berlin": "known"}})

    assert next(f for f in found if f.rule == "R-LNG-06").waived == "known"


def test_a_waiver_that_nothing_needs_is_a_warning() -> None:
    found = judge({"waive": {"R-LNG-06": "was once needed"}})

    told = next(finding for finding in found if finding.rule == "P-WAIVER")
    assert told.level == "warning"
    assert "nothing breaks it" in told.detail


def test_a_waiver_for_a_rule_that_does_not_exist_says_so() -> None:
    found = judge({"waive": {"R-LNG-99": "typing error"}})

    assert "no rule of that id" in next(finding for finding in found if finding.rule == "P-WAIVER").detail


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(UsageError, match="paranoid"):
        check([], profile="paranoid")


def test_facts_that_an_existing_thing_does_not_give_are_told_once() -> None:
    found = judge({"set": {"vnet.existing": True}})

    told = [finding for finding in found if finding.rule == "P-FACT"]
    assert [finding.address for finding in told] == ["VirtualNetwork/vnet"]
    assert "properties.addressSpace.addressPrefixes" in told[0].detail
    assert told[0].level == "info"


def test_what_azure_answered_fills_in_what_the_blueprint_does_not_say() -> None:
    world = {"set": {"vnet.existing": True, **INSIDE["set"]}}

    offline = {finding.rule for finding in judge(world)}
    online = {finding.rule for finding in judge({**world, "seen": {"vnet": {}}, "plan": {"creates": ["con-berlin"]}})}

    assert "R-LNG-06" not in offline
    assert "R-LNG-06" in online
    assert "P-FACT" not in online


def test_a_given_fact_wins_over_what_is_read() -> None:
    facts = {"vnet.existing": True, "vnet.facts": {"properties.addressSpace.addressPrefixes": ["10.1.0.0/16"]}}
    seen = {"vnet": {"properties": {"addressSpace": {"addressPrefixes": ["172.30.0.0/16"]}}}}

    found = judge({"set": {**facts, **INSIDE["set"]}, "seen": seen, "plan": {"creates": []}})

    assert "R-LNG-06" in {finding.rule for finding in found}


def test_children_that_azure_shows_are_judged_although_nobody_declared_them() -> None:
    peering = {
        "name": "to-other",
        "properties": {"remoteVirtualNetwork": {"id": "@vnet-2"}, "useRemoteGateways": True},
    }
    found = judge(
        {
            "add": {
                "vnet-2": {
                    "type": "vnet",
                    "name": "vnet-2",
                    "facts": {"properties.addressSpace.addressPrefixes": ["10.1.5.0/24"]},
                }
            },
            "seen": {"vnet": {"properties.virtualNetworkPeerings": [peering]}},
            "plan": {"creates": []},
        }
    )

    told = {finding.rule: finding.level for finding in found if finding.level != "info"}
    assert told == {"R-PEER-02": "warning", "R-PEER-05": "error"}


def test_findings_come_in_the_same_order_whatever_the_order_of_resources() -> None:
    items = build(INSIDE).items

    assert check(items) == check(reversed(items))


def test_no_secret_enters_a_finding() -> None:
    marker = "kv-Marker Secret~9f2c"

    found = judge({"keys": {"BERLIN_PSK": marker}})

    assert {"R-PSK-01"} <= {finding.rule for finding in found}
    assert marker not in repr(found)


def test_a_hub_with_ten_thousand_prefixes_is_judged_in_well_under_a_second_of_overlap_work() -> None:
    sites = {
        f"s{n}": {
            "ip": f"198.51.{100 + n}.1",
            "prefixes": [f"{20 + n}.{i // 256}.{i % 256}.0/24" for i in range(1000)],
        }
        for n in range(10)
    }
    items = build({"sites": sites}).items
    check([])

    before = time.process_time()
    found = check(items)
    seconds = time.process_time() - before

    assert [finding for finding in found if finding.level == "error"] == []
    assert seconds < 2


def test_judging_a_file_without_certificates_loads_neither_cryptography_nor_the_sdk() -> None:
    program = (
        "import sys\n"
        "from vpngw_iac.preflight import check\n"
        "check([])\n"
        "print([name for name in ('cryptography', 'azure', 'rich', 'requests') if name in sys.modules])\n"
    )

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"
