"""A gateway that others use too: their BGP addresses and NAT rules survive, and what they use is never taken away."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.workspace.conftest import Bench
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


def custom(bench: Bench) -> list[list[str]]:
    block = bench.document(GATEWAY)["properties"]["bgpSettings"]["bgpPeeringAddresses"]
    return [sorted(entry["customBgpIpAddresses"]) for entry in block]


def put_by_hand(bench: Bench, identity: ArmId, **changes: Any) -> None:
    document = copy.deepcopy(bench.document(identity))
    document["properties"] |= changes
    bench.simulator.put(str(identity), document)
    bench.mark()


def others_add(bench: Bench, *addresses: str, number: int = 1) -> None:
    """Somebody adds custom addresses in the portal."""
    block = copy.deepcopy(bench.document(GATEWAY)["properties"]["bgpSettings"])
    block["bgpPeeringAddresses"][number - 1]["customBgpIpAddresses"] += list(addresses)
    put_by_hand(bench, GATEWAY, bgpSettings=block)


def guest(bench: Bench, *addresses: str, **more: Any) -> None:
    """Another team hangs a connection on our gateway, which chooses these addresses."""
    lgw = rid("localNetworkGateways", "lgw-theirs", group="rg-theirs")
    bench.simulator.put(str(group_id("rg-theirs")), {"location": REGION})
    inside = {"gatewayIpAddress": "198.51.100.9", "localNetworkAddressSpace": {"addressPrefixes": ["172.19.0.0/24"]}}
    bench.simulator.put(str(lgw), {"location": REGION, "properties": inside})
    ends = {"virtualNetworkGateway1": {"id": str(GATEWAY)}, "localNetworkGateway2": {"id": str(lgw)}}
    wants = {"connectionType": "IPsec", "sharedKey": "abcd", "gatewayCustomBgpIpAddresses": choice(*addresses)}
    bench.simulator.put(str(GUEST), {"location": REGION, "properties": ends | wants | more})
    bench.mark()


# --- addresses, one by one -------------------------------------------------------------------------------------------


def test_an_address_of_others_survives_an_update_of_the_gateway(bench: Bench) -> None:
    before = bench.create(deployment((OURS,), choose=(OURS,)))
    others_add(bench, OTHERS)

    assert bench.plan(before).changes == ()
    bench.converge(before.but(gateway(**bgp((OURS,)), enableDnsForwarding=True)))

    assert custom(bench) == [[OURS, OTHERS]]


def test_only_our_own_address_is_added_and_taken_away(bench: Bench) -> None:
    before = bench.create(deployment((OURS,), choose=(OURS,)))
    others_add(bench, OTHERS)

    bench.converge(deployment((OURS, USED), choose=(OURS,)))
    assert custom(bench) == [[USED, OURS, OTHERS]]

    bench.converge(before)
    assert custom(bench) == [[OURS, OTHERS]]


def test_an_address_of_ours_that_somebody_took_away_is_put_back_beside_those_of_others(bench: Bench) -> None:
    before = bench.create(deployment((OURS,)))
    block = copy.deepcopy(bench.document(GATEWAY)["properties"]["bgpSettings"])
    block["bgpPeeringAddresses"][0]["customBgpIpAddresses"] = [OTHERS]
    put_by_hand(bench, GATEWAY, bgpSettings=block)

    drift = bench.drift(before)

    assert [d.cause for item in drift.items for d in item.differences] == ["drift"]
    assert [d.observed for item in drift.items for d in item.differences] == [[]]
    bench.converge(before)
    assert custom(bench) == [[OURS, OTHERS]]


def test_an_unused_address_of_others_is_cosmetic_and_no_alarm(bench: Bench) -> None:
    before = bench.create(deployment((OURS,), choose=(OURS,)))
    others_add(bench, OTHERS)

    drift = bench.drift(before)

    assert [(item.kind, item.severity, OTHERS in item.detail) for item in drift.items] == [
        ("unmanaged", "cosmetic", True)
    ]
    assert not drift.alarming
    expected = before.but(gateway(more={"expected": (OTHERS,)}, **bgp((OURS,))))
    assert bench.drift(expected).items == ()


def test_what_a_state_of_today_remembers_takes_nothing_from_others(bench: Bench) -> None:
    """It holds the whole list as applied, in the order of that time."""
    before = bench.create(deployment((OURS, USED), choose=(OURS,)))
    others_add(bench, OTHERS)
    block = copy.deepcopy(bench.document(GATEWAY)["properties"]["bgpSettings"])
    block["bgpPeeringAddresses"][0]["customBgpIpAddresses"].reverse()
    put_by_hand(bench, GATEWAY, bgpSettings=block)

    plan = bench.plan(before)

    assert (plan.changes, plan.brought_up_to_date) == ((), ())


# --- what a guest uses -----------------------------------------------------------------------------------------------


def test_an_address_that_a_guest_uses_is_kept_when_it_is_no_longer_ours(bench: Bench) -> None:
    bench.create(deployment((OURS, USED), choose=(OURS,)))
    guest(bench, USED)
    after = deployment((OURS,), choose=(OURS,))

    plan = bench.plan(after)

    assert plan.changes == ()
    assert [f.rule for f in plan.findings if f.rule.startswith("V-FOREIGN")] == ["V-FOREIGN-03"]
    bench.apply(after)
    assert custom(bench) == [[USED, OURS]]
    assert "V-FOREIGN-03" not in {f.rule for f in bench.plan(after).findings}


def test_the_rest_goes_while_a_guest_keeps_what_it_uses(bench: Bench) -> None:
    bench.create(deployment((OURS, USED, OTHERS), choose=(OURS,)))
    guest(bench, USED)

    bench.converge(deployment((OURS,), choose=(OURS,)))

    assert custom(bench) == [[USED, OURS]]


def test_a_guest_whose_choice_the_list_does_not_tell_is_read_by_itself(bench: Bench, new_bench: Any) -> None:
    bench = new_bench(list_choices=False)
    before = bench.create(deployment((OURS, USED), choose=(OURS,)))
    guest(bench, USED)

    assert not any("rg-theirs" in path for path in _reads(bench, before))
    bench.mark()
    assert bench.plan(deployment((OURS,), choose=(OURS,))).changes == ()
    assert any(path.endswith("con-theirs") for path in (p.partition("?")[0] for p in bench.reads()))


def _reads(bench: Bench, wanted: Deployment) -> list[str]:
    bench.mark()
    bench.plan(wanted)
    return bench.reads()


def test_a_guest_that_cannot_be_read_is_taken_to_use_everything(new_bench: Any) -> None:
    bench = new_bench(list_choices=False)
    bench.create(deployment((OURS, OTHERS), choose=(OURS,)))
    guest(bench)
    bench.fault(AnswerInstead(status=403, code="AuthorizationFailed"), path="*/connections/con-theirs", times=50)

    plan = bench.plan(deployment((OURS,), choose=(OURS,)))

    assert plan.changes == ()
    assert [str(GUEST) in f.detail for f in plan.findings if f.rule == "V-FOREIGN-03"] == [True]


# --- instances that go -----------------------------------------------------------------------------------------------


def test_switching_active_active_off_takes_our_choices_and_rules_off_first(bench: Bench) -> None:
    rule = nat_rule("second", ipConfigurationId=str(instance(2)))
    linked = connection(
        "berlin",
        enableBgp=True,
        gatewayCustomBgpIpAddresses=choice(OURS, SECOND),
        ingressNatRules=[{"id": str(rule.id)}],
    )
    bench.create(deployment((OURS,), (SECOND,), ips=2).but(linked).plus(rule))

    bench.converge(deployment((OURS,), choose=(OURS,)))

    assert [write for write in bench.writes() if "publicIPAddresses" not in write] == [
        "PUT connections/con-berlin",
        "DELETE natRules/second",
        "PUT virtualNetworkGateways/vgw-hub",
        "PUT connections/con-berlin",
    ]
    assert custom(bench) == [[OURS]]


def test_switching_active_active_on_gives_the_new_instance_its_address_before_it_is_chosen(bench: Bench) -> None:
    bench.create(deployment((OURS,), choose=(OURS,)))

    bench.converge(deployment((OURS,), (SECOND,), ips=2, choose=(OURS, SECOND)))

    assert bench.writes()[-2:] == ["PUT virtualNetworkGateways/vgw-hub", "PUT connections/con-berlin"]


def test_another_address_for_our_link_is_let_go_of_before_the_gateway_gives_it_up(bench: Bench) -> None:
    bench.create(deployment((OURS,), choose=(OURS,)))

    bench.converge(deployment((OTHERS,), choose=(OTHERS,)))

    assert bench.writes() == [
        "PUT connections/con-berlin",
        "PUT virtualNetworkGateways/vgw-hub",
        "PUT connections/con-berlin",
    ]
    assert custom(bench) == [[OTHERS]]


def test_a_smaller_sku_without_nat_is_a_replacement_that_loses_its_rules(bench: Bench) -> None:
    rule = nat_rule("late")
    linked = connection("berlin", ingressNatRules=[{"id": str(rule.id)}])
    bench.create(Deployment("hub", (*base(), gateway(), rule, site("berlin"), linked)))
    after = Deployment("hub", (*base(), gateway(sku="VpnGw1AZ"), site("berlin"), connection("berlin")))

    bench.converge(after, replace=frozenset({"VpnGateway/hub"}))

    assert not bench.exists(rule.id)


def test_an_instance_that_a_guest_uses_is_not_dropped(bench: Bench) -> None:
    bench.create(deployment((OURS,), (SECOND,), ips=2, choose=(OURS, SECOND)))
    others_add(bench, SECOND_OTHERS, number=2)
    guest(bench, OURS, SECOND_OTHERS)

    with pytest.raises(Refused) as refused:
        bench.apply(deployment((OURS,), choose=(OURS,)))

    assert set(rules(refused)) == {"V-FOREIGN-01"}
    assert all(str(GUEST) in f.detail for f in refused.value.findings if f.blocks)
    assert any(SECOND_OTHERS in f.detail for f in refused.value.findings if f.blocks)
    assert bench.writes() == []


def test_a_nat_rule_that_a_guest_uses_keeps_its_instance(bench: Bench) -> None:
    bench.create(deployment((), (), ips=2))
    theirs = nat_rule("theirs", ipConfigurationId=str(instance(2)))
    bench.simulator.put(str(theirs.id), {"properties": theirs.body()["properties"]})
    guest(bench, ingressNatRules=[{"id": str(theirs.id)}])

    with pytest.raises(Refused) as refused:
        bench.apply(deployment(()))

    assert any("theirs" in f.detail and str(GUEST) in f.detail for f in refused.value.findings if f.blocks)
    assert bench.writes() == []


def test_what_nobody_uses_on_an_instance_that_goes_is_named_and_goes(bench: Bench) -> None:
    bench.create(deployment((), (), ips=2))
    theirs = nat_rule("theirs", ipConfigurationId=str(instance(2)))
    bench.simulator.put(str(theirs.id), {"properties": theirs.body()["properties"]})
    others_add(bench, SECOND_OTHERS, number=2)
    after = deployment(())

    named = [f.detail for f in bench.plan(after).findings if f.rule == "V-FOREIGN-02"]

    assert len(named) == 1
    assert "theirs" in named[0]
    assert SECOND_OTHERS in named[0]
    bench.converge(after)


def test_a_replaced_gateway_names_what_others_would_lose(bench: Bench) -> None:
    before = bench.create(deployment((OURS,), choose=(OURS,)))
    others_add(bench, OTHERS)
    theirs = nat_rule("theirs")
    bench.simulator.put(str(theirs.id), {"properties": theirs.body()["properties"]})

    named = [
        f.detail for f in bench.plan(before, replace=frozenset({"VpnGateway/hub"})).findings if f.rule == "V-FOREIGN-02"
    ]

    assert [OTHERS in text and "theirs" in text for text in named] == [True]


# --- limits count all ------------------------------------------------------------------------------------------------


def test_the_limit_of_custom_addresses_counts_those_of_others(bench: Bench) -> None:
    before = bench.create(deployment((OURS,), choose=(OURS,)))
    others_add(bench, *(f"169.254.22.{number}" for number in range(100, 131)))
    assert [f for f in bench.plan(before).findings if f.blocks] == []

    plan = bench.plan(deployment((OURS, OTHERS), choose=(OURS,)))

    assert [f.rule for f in plan.findings if f.blocks] == ["R-BGP-08"]


def test_an_address_that_others_have_on_the_other_instance_is_a_collision(bench: Bench) -> None:
    bench.create(deployment((OURS,), (SECOND,), ips=2, choose=(OURS, SECOND)))
    others_add(bench, SECOND_OTHERS, number=2)

    plan = bench.plan(deployment((OURS, SECOND_OTHERS), (SECOND,), ips=2, choose=(OURS, SECOND)))

    assert [f.rule for f in plan.findings if f.blocks] == ["R-BGP-08"]
