"""What verify says of each state of the other end, and that nothing else is an alarm at night."""

from __future__ import annotations

import json

import pytest

from tests.verify.conftest import BERLIN, GATEWAY, NETWORK, PRAGUE, Hub, hub, site, speaking
from vpngw_iac.simulator import Fault, Governance, Grant
from vpngw_iac.simulator.faults import AnswerInstead, AnswerStrangely, SlowOperation
from vpngw_iac.simulator.other_end import MISMATCHES, OTHER_ENDS
from vpngw_iac.simulator.wire import HttpRequest

BOTH = (speaking("berlin", 10, expects=["192.168.10.0/24"]), site("prague", 20))

VERDICTS = {
    **dict.fromkeys(OTHER_ENDS, "down"),
    "up": "up",
    "idle": "up",
    "never-came-up": "never up",
}


@pytest.mark.parametrize("word", OTHER_ENDS)
def test_each_state_of_the_other_end_has_its_verdict(world: Hub, word: str) -> None:
    world.apply(*BOTH)
    world.set(BERLIN, announces="192.168.10.0/24")

    world.set(BERLIN, other_end=word)
    if word == "pfs":
        world.set(BERLIN, happens="rekey")

    assert world.words() == {"berlin": VERDICTS[word], "prague": "up"}


@pytest.mark.parametrize("word", sorted(name for name, end in MISMATCHES.items() if not end.tunnel))
def test_a_tunnel_without_bgp_is_down_by_whatever_keeps_it_down(world: Hub, word: str) -> None:
    world.apply(*BOTH[1:])

    world.set(PRAGUE, other_end=word)
    if word == "pfs":
        world.set(PRAGUE, happens="rekey")

    assert world.words() == {"prague": "down"}


def test_a_failover_is_no_alarm_while_it_lasts_and_after_it(world: Hub) -> None:
    world.apply(*BOTH[1:])
    world.set(GATEWAY, happens="failover")

    during = world.verdict("prague")
    after = world.words()

    assert during.word == "unknown"
    assert "planned maintenance" in during.reason
    assert after == {"prague": "up"}


def test_a_failover_of_one_instance_is_no_alarm_for_those_who_ask_for_every_path(world: Hub) -> None:
    world.apply(*BOTH[1:], gateway=hub(active_active=True))
    world.set(GATEWAY, happens="failover")

    assert not world.verify().fails("degraded")


def test_a_rekey_an_idle_tunnel_and_a_branch_without_a_device_are_no_alarm(world: Hub) -> None:
    world.apply(*BOTH)
    world.set(BERLIN, announces="192.168.10.0/24")
    world.set(BERLIN, happens="rekey")
    world.set(PRAGUE, other_end="idle")
    quiet = world.verify()
    world.set(PRAGUE, other_end="never-came-up")
    never = world.verify()

    assert [one.word for one in quiet.subjects] == ["up", "up"]
    assert [one.word for one in never.subjects] == ["up", "never up"]
    assert (never.fails("degraded"), never.fails(strict=True)) == (False, True)


def test_one_read_says_nothing_a_tunnel_that_came_back_is_up(world: Hub) -> None:
    world.apply(*BOTH[1:])
    world.set(PRAGUE, other_end="silence")
    world.clock.on_advance(lambda _: world.set(PRAGUE, other_end="up"))

    assert world.words() == {"prague": "up"}


def test_a_reader_raises_no_alarm_and_is_told_what_is_not_known(world: Hub) -> None:
    world.apply(*BOTH)
    world.simulator.governance = Governance(grants=(Grant(actions=("*/read",)),))

    found = world.verify()

    assert {one.name: one.word for one in found.subjects} == {"berlin": "unknown", "prague": "up"}
    assert "not permitted (AuthorizationFailed)" in found.subjects[0].reason
    assert (found.fails("degraded"), found.fails(strict=True)) == (False, True)


def test_who_may_not_even_read_raises_no_alarm(world: Hub) -> None:
    world.apply(*BOTH)
    world.simulator.governance = Governance(grants=())

    assert set(world.words().values()) == {"unknown"}


def test_a_read_only_lock_makes_unknown_what_is_asked_by_post(world: Hub) -> None:
    world.apply(*BOTH)
    lock = f"{GATEWAY}/providers/Microsoft.Authorization/locks/frozen"
    world.simulator.put(lock, {"properties": {"level": "ReadOnly"}})

    found = world.verify()

    assert {one.name: one.word for one in found.subjects} == {"berlin": "unknown", "prague": "up"}
    assert "ReadOnly lock" in found.subjects[0].reason


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        (AnswerInstead(status=409, code="AnotherOperationInProgress", message="busy"), "busy"),
        (AnswerInstead(status=403, code="AuthorizationFailed", message="no"), "not permitted"),
        (SlowOperation(factor=1_000_000.0), "no answer within 5 min"),
    ],
)
def test_questions_that_are_not_answered_are_unknown(world: Hub, effect: object, said: str) -> None:
    world.apply(*BOTH)
    world.simulator.faults.add(Fault(method="POST", path="*/getBgpPeerStatus", times=None, effect=effect))

    verdict = world.verdict("berlin")

    assert verdict.word == "unknown"
    assert said in verdict.reason


@pytest.mark.parametrize("body", ["{}", "null", '{"value": null}', '{"value": []}', "[]"])
def test_empty_answers_are_unknown(world: Hub, body: str) -> None:
    world.apply(*BOTH)
    result = Fault(path="*/operationResults/*", times=None, effect=AnswerStrangely(status=200, body=body))
    world.simulator.faults.add(result)

    assert world.words() == {"berlin": "unknown", "prague": "up"}


def test_a_gateway_at_work_makes_nobody_down(world: Hub) -> None:
    world.apply(*BOTH[1:])
    world.set(PRAGUE, other_end="silence")
    document = world.simulator.documents()[GATEWAY]
    body = {name: document[name] for name in ("location", "sku", "properties") if name in document}
    body["properties"]["enableBgpRouteTranslationForNat"] = True
    url = f"{GATEWAY}?api-version=2026-03-01"
    answer = world.simulator.handle(HttpRequest.of("PUT", url, {}, json.dumps(body).encode()))
    assert answer.status == 200

    verdict = world.verdict("prague")

    assert verdict.word == "unknown"
    assert "the gateway is Updating" in verdict.reason


def test_a_site_that_is_not_live_is_reported_and_never_an_alarm(world: Hub) -> None:
    world.apply(site("prague", 20, live=False))
    world.set(PRAGUE, other_end="silence")

    found = world.verify()

    assert found.subjects[0].word == "down"
    assert not found.fails("degraded", strict=True)


def test_a_link_to_one_instance_expects_one_tunnel(world: Hub) -> None:
    world.apply(site("prague", 20, instance=1), gateway=hub(active_active=True))
    world.set(PRAGUE, instance=1)

    assert world.words() == {"prague": "up"}


def test_a_device_that_built_one_of_two_tunnels_is_degraded(world: Hub) -> None:
    world.apply(site("prague", 20), gateway=hub(active_active=True))
    world.set(PRAGUE, instance=1)

    verdict = world.verdict("prague")

    assert verdict.word == "degraded"
    assert "1 of 2 tunnels up" in verdict.reason


def test_a_connection_that_somebody_deleted_is_down_and_one_to_come_is_unknown(world: Hub) -> None:
    world.apply(*BOTH[1:])
    world.simulator.delete(PRAGUE)
    gone = world.words()
    world.blueprint = world.blueprint.model_copy(update={"sites": (*world.blueprint.sites, site("oslo", 30))})

    assert gone == {"prague": "down"}
    assert world.words() == {"oslo": "unknown", "prague": "down"}


def test_some_expected_prefixes_missing_is_degraded_and_a_wider_route_covers_them(world: Hub) -> None:
    world.apply(speaking("berlin", 10, expects=["10.9.0.0/24", "10.9.1.0/24"]))

    world.set(BERLIN, announces="10.9.0.0/24")
    one = world.verdict("berlin")
    world.set(BERLIN, announces="10.9.0.0/16")

    assert (one.word, "not learned: 10.9.1.0/24" in one.reason) == ("degraded", True)
    assert world.words() == {"berlin": "up"}


def test_what_is_written_for_a_site_is_carried_without_bgp(world: Hub) -> None:
    world.apply(speaking("berlin", 10, prefixes=["172.20.0.0/16"]))
    world.set(BERLIN, other_end="as-number")

    assert world.words() == {"berlin": "degraded"}


def test_waiting_ends_when_everything_is_up(world: Hub) -> None:
    world.apply(*BOTH[1:], then=0.0)
    began = world.clock.now()

    words = world.words(wait=30 * 60)

    assert words == {"prague": "up"}
    assert world.clock.now() - began < 10 * 60


def test_what_a_machine_sees_is_told_and_changes_nothing(world: Hub) -> None:
    world.apply(*BOTH[1:])
    subnet = {"id": f"{NETWORK}/virtualNetworks/vnet-hub/subnets/GatewaySubnet"}
    inner = {"ipConfigurations": [{"name": "one", "properties": {"subnet": subnet}}]}
    nic = f"{NETWORK}/networkInterfaces/nic-1"
    world.simulator.load([{"id": nic, "location": "westeurope", "properties": inner}])

    verdict = world.verdict("prague", nic=nic)

    assert verdict.word == "up"
    assert any("nic-1 sends 192.168.20.0/24 through vgw-hub" in note for note in verdict.notes)


def test_nothing_is_asked_by_post_while_a_run_holds_the_lock(world: Hub) -> None:
    world.apply(*BOTH)
    session = world.workspace.session(world.blueprint)
    with session.bound_store().locked(session.owner("vpngw apply")):
        calls = world.calls(world.verify)
        found = world.verify()

    assert [call for call in calls if call[0] != "GET"] == []
    assert {one.name: one.word for one in found.subjects} == {"berlin": "unknown", "prague": "up"}
    assert "A run is in progress" in found.notices[0]


@pytest.mark.parametrize("place", [".0", "[0]"])
def test_items_of_lists_are_set_by_their_number_and_tags_by_any_name(world: Hub, place: str) -> None:
    world.apply(site("berlin", 10))
    own = f"properties.bgpSettings.bgpPeeringAddresses{place}.customBgpIpAddresses"

    world.simulator.set(GATEWAY, {own: ["169.254.21.30"], "tags.cost-center": "7"})

    seen = world.simulator.documents()[GATEWAY]
    assert seen["tags"]["cost-center"] == "7"
    assert seen["properties"]["bgpSettings"]["bgpPeeringAddresses"][0]["customBgpIpAddresses"] == ["169.254.21.30"]
    with pytest.raises(ValueError, match="list of 1 items, and no item 5"):
        world.simulator.set(GATEWAY, {own.replace("0", "5", 1): []})
