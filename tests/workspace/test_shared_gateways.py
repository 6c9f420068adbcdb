"""A gateway that others use too: their BGP addresses and NAT rules survive, and what they use is never taken away."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.workspace.test_ownership import rules
from tests.worlds import REGION, Deployment, base, connection, gateway, group_id, nat_rule, rid, site
from vpngw_iac.arm import ArmId
from vpngw_iac.errors import Refused
from vpngw_iac.simulator.faults import AnswerInstead

GATEWAY = rid("virtualNetworkGateways", "vgw-hub")
GUEST = rid("connections", "con-theirs", group="rg-theirs")
OURS, OTHERS, USED = "169.254.21.2", "169.254.21.6", "169.254.21.10"
SECOND, SECOND_OTHERS = "169.254.22.2", "169.254.22.6"


def instance(number: int) -> ArmId:
    return GATEWAY.child("ipConfigurations", f"ip{number}")


def bgp(*addresses: tuple[str, ...]) -> dict[str, Any]:
    """BGP with custom addresses, by instance."""
    listed = [
        {"ipconfigurationId": str(instance(number)), "customBgpIpAddresses": list(custom)}
        for number, custom in enumerate(addresses, start=1)
        if custom
    ]
    return {"enableBgp": True, "bgpSettings": {"asn": 65010, **({"bgpPeeringAddresses": listed} if listed else {})}}


def choice(*addresses: str) -> list[dict[str, Any]]:
    return [
        {"ipConfigurationId": str(instance(number)), "customBgpIpAddress": text}
        for number, text in enumerate(addresses, start=1)
    ]


def chosen(*addresses: str) -> Any:
    """Our connection, which chose these addresses."""
    more = {"gatewayCustomBgpIpAddresses": choice(*addresses)} if addresses else {}
    return connection("berlin", enableBgp=True, **more)


def deployment(
    *custom: tuple[str, ...], ips: int = 1, choose: tuple[str, ...] = (), sku: str = "VpnGw2AZ"
) -> Deployment:
    peer = {"asn": 65101, "bgpPeeringAddress": "169.254.21.1"}
    hub = gateway(sku=sku, ips=ips, activeActive=ips > 1, **bgp(*custom))
    return Deployment("hub", (*base(ips=ips), hub, site("berlin", bgpSettings=peer), chosen(*choose)))


def custom(harness: Harness) -> list[list[str]]:
    block = harness.document(GATEWAY)["properties"]["bgpSettings"]["bgpPeeringAddresses"]
    return [sorted(entry["customBgpIpAddresses"]) for entry in block]


def put_by_hand(harness: Harness, identity: ArmId, **changes: Any) -> None:
    document = copy.deepcopy(harness.document(identity))
    document["properties"] |= changes
    harness.simulator.put(str(identity), document)
    harness.mark()


def others_add(harness: Harness, *addresses: str, number: int = 1) -> None:
    """Somebody adds custom addresses in the portal."""
    block = copy.deepcopy(harness.document(GATEWAY)["properties"]["bgpSettings"])
    block["bgpPeeringAddresses"][number - 1]["customBgpIpAddresses"] += list(addresses)
    put_by_hand(harness, GATEWAY, bgpSettings=block)


def guest(harness: Harness, *addresses: str, **more: Any) -> None:
    """Another team hangs a connection on our gateway, which chooses these addresses."""
    lgw = rid("localNetworkGateways", "lgw-theirs", group="rg-theirs")
    harness.simulator.put(str(group_id("rg-theirs")), {"location": REGION})
    inside = {"gatewayIpAddress": "198.51.100.9", "localNetworkAddressSpace": {"addressPrefixes": ["172.19.0.0/24"]}}
    harness.simulator.put(str(lgw), {"location": REGION, "properties": inside})
    ends = {"virtualNetworkGateway1": {"id": str(GATEWAY)}, "localNetworkGateway2": {"id": str(lgw)}}
    wants = {"connectionType": "IPsec", "sharedKey": "abcd", "gatewayCustomBgpIpAddresses": choice(*addresses)}
    harness.simulator.put(str(GUEST), {"location": REGION, "properties": ends | wants | more})
    harness.mark()


# --- addresses, one by one -------------------------------------------------------------------------------------------


def test_an_address_of_others_survives_an_update_of_the_gateway(harness: Harness) -> None:
    before = harness.create(deployment((OURS,), choose=(OURS,)))
    others_add(harness, OTHERS)

    assert harness.plan(before).changes == ()
    harness.converge(before.but(gateway(**bgp((OURS,)), enableDnsForwarding=True)))

    assert custom(harness) == [[OURS, OTHERS]]


def test_only_our_own_address_is_added_and_taken_away(harness: Harness) -> None:
    before = harness.create(deployment((OURS,), choose=(OURS,)))
    others_add(harness, OTHERS)

    harness.converge(deployment((OURS, USED), choose=(OURS,)))
    assert custom(harness) == [[USED, OURS, OTHERS]]

    harness.converge(before)
    assert custom(harness) == [[OURS, OTHERS]]


def test_an_address_of_ours_that_somebody_took_away_is_put_back_beside_those_of_others(harness: Harness) -> None:
    before = harness.create(deployment((OURS,)))
    block = copy.deepcopy(harness.document(GATEWAY)["properties"]["bgpSettings"])
    block["bgpPeeringAddresses"][0]["customBgpIpAddresses"] = [OTHERS]
    put_by_hand(harness, GATEWAY, bgpSettings=block)

    drift = harness.drift(before)

    assert [d.cause for item in drift.items for d in item.differences] == ["drift"]
    assert [d.observed for item in drift.items for d in item.differences] == [[]]
    harness.converge(before)
    assert custom(harness) == [[OURS, OTHERS]]


def test_an_unused_address_of_others_is_cosmetic_and_no_alarm(harness: Harness) -> None:
    before = harness.create(deployment((OURS,), choose=(OURS,)))
    others_add(harness, OTHERS)

    drift = harness.drift(before)

    assert [(item.kind, item.severity, OTHERS in item.detail) for item in drift.items] == [
        ("unmanaged", "cosmetic", True)
    ]
    assert not drift.alarming
    expected = before.but(gateway(more={"expected": (OTHERS,)}, **bgp((OURS,))))
    assert harness.drift(expected).items == ()


def test_what_a_state_of_today_remembers_takes_nothing_from_others(harness: Harness) -> None:
    """It holds the whole list as applied, in the order of that time."""
    before = harness.create(deployment((OURS, USED), choose=(OURS,)))
    others_add(harness, OTHERS)
    block = copy.deepcopy(harness.document(GATEWAY)["properties"]["bgpSettings"])
    block["bgpPeeringAddresses"][0]["customBgpIpAddresses"].reverse()
    put_by_hand(harness, GATEWAY, bgpSettings=block)

    plan = harness.plan(before)

    assert (plan.changes, plan.state_only_updates) == ((), ())


# --- what a guest uses -----------------------------------------------------------------------------------------------


def test_an_address_that_a_guest_uses_is_kept_when_it_is_no_longer_ours(harness: Harness) -> None:
    harness.create(deployment((OURS, USED), choose=(OURS,)))
    guest(harness, USED)
    after = deployment((OURS,), choose=(OURS,))

    plan = harness.plan(after)

    assert plan.changes == ()
    assert [f.rule for f in plan.findings if f.rule.startswith("V-FOREIGN")] == ["V-FOREIGN-03"]
    harness.apply(after)
    assert custom(harness) == [[USED, OURS]]
    assert "V-FOREIGN-03" not in {f.rule for f in harness.plan(after).findings}


def test_the_rest_goes_while_a_guest_keeps_what_it_uses(harness: Harness) -> None:
    harness.create(deployment((OURS, USED, OTHERS), choose=(OURS,)))
    guest(harness, USED)

    harness.converge(deployment((OURS,), choose=(OURS,)))

    assert custom(harness) == [[USED, OURS]]


def test_a_guest_whose_choice_the_list_does_not_tell_is_read_by_itself(harness: Harness, new_harness: Any) -> None:
    harness = new_harness(list_choices=False)
    before = harness.create(deployment((OURS, USED), choose=(OURS,)))
    guest(harness, USED)

    assert not any("rg-theirs" in path for path in _reads(harness, before))
    harness.mark()
    assert harness.plan(deployment((OURS,), choose=(OURS,))).changes == ()
    assert any(path.endswith("con-theirs") for path in (p.partition("?")[0] for p in harness.reads()))


def _reads(harness: Harness, wanted: Deployment) -> list[str]:
    harness.mark()
    harness.plan(wanted)
    return harness.reads()


def test_a_guest_that_cannot_be_read_is_taken_to_use_everything(new_harness: Any) -> None:
    harness = new_harness(list_choices=False)
    harness.create(deployment((OURS, OTHERS), choose=(OURS,)))
    guest(harness)
    harness.fault(AnswerInstead(status=403, code="AuthorizationFailed"), path="*/connections/con-theirs", times=50)

    plan = harness.plan(deployment((OURS,), choose=(OURS,)))

    assert plan.changes == ()
    assert [str(GUEST) in f.detail for f in plan.findings if f.rule == "V-FOREIGN-03"] == [True]


# --- instances that go -----------------------------------------------------------------------------------------------


def test_switching_active_active_off_takes_our_choices_and_rules_off_first(harness: Harness) -> None:
    rule = nat_rule("second", ipConfigurationId=str(instance(2)))
    linked = connection(
        "berlin",
        enableBgp=True,
        gatewayCustomBgpIpAddresses=choice(OURS, SECOND),
        ingressNatRules=[{"id": str(rule.id)}],
    )
    harness.create(deployment((OURS,), (SECOND,), ips=2).but(linked).plus(rule))

    harness.converge(deployment((OURS,), choose=(OURS,)))

    assert [write for write in harness.writes() if "publicIPAddresses" not in write] == [
        "PUT connections/con-berlin",
        "DELETE natRules/second",
        "PUT virtualNetworkGateways/vgw-hub",
        "PUT connections/con-berlin",
    ]
    assert custom(harness) == [[OURS]]


def test_switching_active_active_on_gives_the_new_instance_its_address_before_it_is_chosen(harness: Harness) -> None:
    harness.create(deployment((OURS,), choose=(OURS,)))

    harness.converge(deployment((OURS,), (SECOND,), ips=2, choose=(OURS, SECOND)))

    assert harness.writes()[-2:] == ["PUT virtualNetworkGateways/vgw-hub", "PUT connections/con-berlin"]


def test_another_address_for_our_link_is_let_go_of_before_the_gateway_gives_it_up(harness: Harness) -> None:
    harness.create(deployment((OURS,), choose=(OURS,)))

    harness.converge(deployment((OTHERS,), choose=(OTHERS,)))

    assert harness.writes() == [
        "PUT connections/con-berlin",
        "PUT virtualNetworkGateways/vgw-hub",
        "PUT connections/con-berlin",
    ]
    assert custom(harness) == [[OTHERS]]


def test_a_smaller_sku_without_nat_is_a_replacement_that_loses_its_rules(harness: Harness) -> None:
    rule = nat_rule("late")
    linked = connection("berlin", ingressNatRules=[{"id": str(rule.id)}])
    harness.create(Deployment("hub", (*base(), gateway(), rule, site("berlin"), linked)))
    after = Deployment("hub", (*base(), gateway(sku="VpnGw1AZ"), site("berlin"), connection("berlin")))

    harness.converge(after, replace=frozenset({"VpnGateway/hub"}))

    assert not harness.exists(rule.id)


def test_an_instance_that_a_guest_uses_is_not_dropped(harness: Harness) -> None:
    harness.create(deployment((OURS,), (SECOND,), ips=2, choose=(OURS, SECOND)))
    others_add(harness, SECOND_OTHERS, number=2)
    guest(harness, OURS, SECOND_OTHERS)

    with pytest.raises(Refused) as refused:
        harness.apply(deployment((OURS,), choose=(OURS,)))

    assert set(rules(refused)) == {"V-FOREIGN-01"}
    assert all(str(GUEST) in f.detail for f in refused.value.findings if f.blocks)
    assert any(SECOND_OTHERS in f.detail for f in refused.value.findings if f.blocks)
    assert harness.writes() == []


def test_a_nat_rule_that_a_guest_uses_keeps_its_instance(harness: Harness) -> None:
    harness.create(deployment((), (), ips=2))
    theirs = nat_rule("theirs", ipConfigurationId=str(instance(2)))
    harness.simulator.put(str(theirs.id), {"properties": theirs.body()["properties"]})
    guest(harness, ingressNatRules=[{"id": str(theirs.id)}])

    with pytest.raises(Refused) as refused:
        harness.apply(deployment(()))

    assert any("theirs" in f.detail and str(GUEST) in f.detail for f in refused.value.findings if f.blocks)
    assert harness.writes() == []


def test_what_nobody_uses_on_an_instance_that_goes_is_named_and_goes(harness: Harness) -> None:
    harness.create(deployment((), (), ips=2))
    theirs = nat_rule("theirs", ipConfigurationId=str(instance(2)))
    harness.simulator.put(str(theirs.id), {"properties": theirs.body()["properties"]})
    others_add(harness, SECOND_OTHERS, number=2)
    after = deployment(())

    named = [f.detail for f in harness.plan(after).findings if f.rule == "V-FOREIGN-02"]

    assert len(named) == 1
    assert "theirs" in named[0]
    assert SECOND_OTHERS in named[0]
    harness.converge(after)


def test_a_replaced_gateway_names_what_others_would_lose(harness: Harness) -> None:
    before = harness.create(deployment((OURS,), choose=(OURS,)))
    others_add(harness, OTHERS)
    theirs = nat_rule("theirs")
    harness.simulator.put(str(theirs.id), {"properties": theirs.body()["properties"]})

    named = [
        f.detail
        for f in harness.plan(before, replace=frozenset({"VpnGateway/hub"})).findings
        if f.rule == "V-FOREIGN-02"
    ]

    assert [OTHERS in text and "theirs" in text for text in named] == [True]


# --- limits count all ------------------------------------------------------------------------------------------------


def test_the_limit_of_custom_addresses_counts_those_of_others(harness: Harness) -> None:
    before = harness.create(deployment((OURS,), choose=(OURS,)))
    others_add(harness, *(f"169.254.22.{number}" for number in range(100, 131)))
    assert [f for f in harness.plan(before).findings if f.blocks] == []

    plan = harness.plan(deployment((OURS, OTHERS), choose=(OURS,)))

    assert [f.rule for f in plan.findings if f.blocks] == ["R-BGP-08"]


def test_an_address_that_others_have_on_the_other_instance_is_a_collision(harness: Harness) -> None:
    harness.create(deployment((OURS,), (SECOND,), ips=2, choose=(OURS, SECOND)))
    others_add(harness, SECOND_OTHERS, number=2)

    plan = harness.plan(deployment((OURS, SECOND_OTHERS), (SECOND,), ips=2, choose=(OURS, SECOND)))

    assert [f.rule for f in plan.findings if f.blocks] == ["R-BGP-08"]
