"""Our own tag without an entry is told, refused, and found by `state rebuild`; forgetting leaves no such thing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import (
    REGION,
    connection,
    gateway,
    group_id,
    hub,
    hub_without_gateway,
    public_ip,
    rid,
    site,
)
from vpngw_iac.engine.plan.result import Drift
from vpngw_iac.errors import ExitCode, Refused, UsageError
from vpngw_iac.simulator.faults import AnswerInstead
from vpngw_iac.state.journal import EntryRemoved
from vpngw_iac.usecases.state_commands import StateCommands

LGW = rid("localNetworkGateways", "lgw-paris")
CON = rid("connections", "con-paris")
PIP = rid("publicIPAddresses", "pip-hub-1")
OURS = {"vpngw-deployment": "hub"}


def lose(harness: Harness, *addresses: str, deployment: Any = None) -> None:
    """The entries vanish, and Azure keeps what they stood for, tags included."""
    session = harness.workspace().session(deployment or hub())
    store = session.bound_store()
    with store.locked(session.owner("test")) as locked:
        for address in addresses:
            locked.append(EntryRemoved(at=session.clock.utc(), address=address, why="deleted"))


def lost_paris(harness: Harness) -> Any:
    """A hub whose state has lost one of two sites; the blueprint does not declare it any more."""
    harness.create(hub("berlin", "paris"))
    lose(harness, "VpnConnection/hub/paris", "LocalNetworkGateway/hub/paris")
    harness.mark()
    return hub("berlin")


def items(drift: Drift) -> list[tuple[str, str, str]]:
    return [(item.id.rpartition("/")[2], item.kind, item.severity) for item in drift.items]


def blocking(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {finding.rule for finding in refused.value.findings if finding.blocks}


def forgotten(harness: Harness, deployment: Any) -> list[str]:
    loaded = harness.workspace().session(deployment).store().load()
    assert loaded is not None
    assert loaded.state.check() == ()
    return [each.name for each in loaded.state.forgotten]


# --- drift and destroy -----------------------------------------------------------------------------------------------


def test_a_tunnel_with_our_tag_and_no_entry_is_a_security_alarm_and_no_guest(harness: Harness) -> None:
    deployment = lost_paris(harness)

    drift = harness.drift(deployment)

    assert sorted(items(drift)) == [("con-paris", "unmanaged", "security"), ("lgw-paris", "unmanaged", "security")]
    assert drift.alarming
    assert all("state rebuild FILE --include" in item.detail for item in drift.items)


def test_what_hangs_on_nothing_of_ours_is_found_by_its_tag_too(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    harness.simulator.put(str(LGW), {"location": REGION, "tags": OURS, "properties": site("x").body()["properties"]})

    assert items(harness.drift(deployment)) == [("lgw-paris", "unmanaged", "security")]


@pytest.mark.parametrize("name", ["con-paris", str(CON)])
def test_what_is_expected_is_no_alarm_even_with_our_tag(harness: Harness, name: str) -> None:
    deployment = lost_paris(harness)
    told = deployment.but(gateway(more={"expected": (name, "lgw-paris")}))

    assert harness.drift(told).items == ()


def test_another_deployments_tag_stays_cosmetic(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    body = {"location": REGION, "tags": {"vpngw-deployment": "theirs"}, "properties": site("x").body()["properties"]}
    harness.simulator.put(str(LGW), body)

    assert not harness.drift(deployment).alarming


def test_destroy_refuses_while_something_bears_our_tag_without_an_entry(harness: Harness) -> None:
    deployment = lost_paris(harness)

    with pytest.raises(Refused) as refused:
        harness.destroy(deployment)

    assert blocking(refused) == {"V-OWN-04"}
    assert refused.value.exit_code is ExitCode.REFUSED
    assert {f.detail.split()[0].rpartition("/")[2] for f in refused.value.findings if f.blocks} == {
        "con-paris",
        "lgw-paris",
    }
    assert harness.writes() == []


def test_destroy_looks_in_a_group_that_was_there_before_us(harness: Harness) -> None:
    harness.simulator.put(str(group_id()), {"location": REGION})
    deployment = harness.create(hub_without_gateway("berlin"))
    harness.simulator.put(str(LGW), {"location": REGION, "tags": OURS, "properties": site("x").body()["properties"]})
    harness.mark()

    with pytest.raises(Refused) as refused:
        harness.destroy(deployment)

    assert blocking(refused) == {"V-OWN-04"}
    assert harness.writes() == []


def test_a_group_that_may_not_be_listed_is_told_as_unread(harness: Harness) -> None:
    harness.simulator.put(str(group_id()), {"location": REGION})
    deployment = harness.create(hub_without_gateway("berlin"))
    harness.fault(
        AnswerInstead(status=403, code="AuthorizationFailed", message="No."), method="GET", path="*/resources"
    )

    drift = harness.drift(deployment)

    assert any("its content" in text for text in drift.unread)


def test_replacing_a_gateway_under_a_lost_connection_of_ours_names_the_way_out(harness: Harness) -> None:
    harness.create(hub("berlin", "paris", sku="VpnGw3AZ"))
    lose(harness, "VpnConnection/hub/paris", "LocalNetworkGateway/hub/paris")
    harness.mark()

    with pytest.raises(Refused) as refused:
        harness.apply(hub("berlin", sku="VpnGw2AZ"), replace=frozenset({"VpnGateway/hub"}))

    (finding,) = (f for f in refused.value.findings if f.rule == "V-FOREIGN-01")
    assert "bears the tag of this deployment without an entry" in finding.detail
    assert "state rebuild" in finding.advice
    assert harness.writes() == []


# --- rebuild ---------------------------------------------------------------------------------------------------------


def test_rebuild_finds_what_bears_our_tag_and_writes_no_entry_for_it(harness: Harness) -> None:
    deployment = lost_paris(harness)

    rebuilt = StateCommands(harness.workspace(), "hub").rebuild(deployment)

    assert rebuilt.strays == (CON, LGW)
    assert not [address for address in harness.entries(deployment) if "paris" in address]


def test_rebuild_looks_in_groups_that_only_the_old_state_names(harness: Harness) -> None:
    elsewhere = rid("localNetworkGateways", "lgw-berlin", group="rg-old")
    harness.simulator.put(str(group_id("rg-old")), {"location": REGION})
    there = site("berlin").model_copy(update={"id": elsewhere})
    harness.create(hub_without_gateway().plus(there))

    rebuilt = StateCommands(harness.workspace(), "hub").rebuild(hub_without_gateway())

    assert rebuilt.strays == (elsewhere,)


def test_rebuild_of_a_whole_deployment_has_no_strays(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))

    rebuilt = StateCommands(harness.workspace(), "hub").rebuild(deployment)

    assert (rebuilt.strays, rebuilt.included, rebuilt.unseen) == ((), (), ())


def test_what_is_included_gets_a_protected_entry_under_the_address_it_had(harness: Harness) -> None:
    harness.create(hub("berlin", "paris"))
    both = ["VpnConnection/hub/paris", str(LGW).upper()]

    rebuilt = StateCommands(harness.workspace(), "hub").rebuild(hub("berlin"), both)

    entries = harness.entries(hub())
    assert rebuilt.strays == ()
    assert rebuilt.included == ("LocalNetworkGateway/hub/paris", "VpnConnection/hub/paris")
    assert entries["VpnConnection/hub/paris"].protect
    assert LGW in entries["VpnConnection/hub/paris"].needs
    with pytest.raises(Refused) as refused:
        harness.apply(hub("berlin"))
    assert blocking(refused) == {"V-PROTECT-01"}
    assert "state forget" in next(f.advice for f in refused.value.findings if f.blocks)


def test_what_is_included_and_declared_again_is_managed_as_before(harness: Harness) -> None:
    deployment = lost_paris(harness)
    StateCommands(harness.workspace(), "hub").rebuild(deployment, [str(CON), str(LGW)])

    harness.converge(hub("berlin", "paris"))
    harness.destroy(hub("berlin", "paris"))

    assert not harness.exists(group_id())


def test_including_what_is_no_stray_is_refused_and_names_those_that_are(harness: Harness) -> None:
    deployment = lost_paris(harness)
    before = harness.entries(deployment)

    with pytest.raises(UsageError, match="is not among") as refused:
        StateCommands(harness.workspace(), "hub").rebuild(deployment, ["VpnConnection/hub/rome"])

    assert "con-paris" in refused.value.advice
    assert harness.entries(deployment) == before


# --- forgetting ------------------------------------------------------------------------------------------------------


def test_forgetting_on_removal_takes_our_tag_off_and_keeps_the_others(harness: Harness) -> None:
    before = harness.create(hub_without_gateway().plus(site("paris", on_removal="forget", tags={"team": "net"})))

    harness.converge(before.without("LocalNetworkGateway/hub/paris"))

    assert harness.document(LGW)["tags"] == {"team": "net"}
    assert forgotten(harness, before) == []
    assert harness.drift(before.without("LocalNetworkGateway/hub/paris")).items == ()


def test_without_the_right_to_write_tags_the_id_is_kept_and_is_no_alarm(harness: Harness) -> None:
    before = harness.create(hub_without_gateway().plus(site("paris", on_removal="forget")))
    after = before.without("LocalNetworkGateway/hub/paris")
    harness.fault(AnswerInstead(status=403, code="AuthorizationFailed", message="No."), method="PATCH")

    outcome = harness.converge(after)

    assert forgotten(harness, after) == ["lgw-paris"]
    assert any("could not be taken off" in notice for notice in outcome.notices)
    assert harness.drift(after).items == ()
    harness.destroy(after)


def test_what_was_forgotten_with_its_tag_is_remembered_no_more_once_it_is_adopted(harness: Harness) -> None:
    before = harness.create(hub_without_gateway().plus(site("paris", on_removal="forget")))
    harness.fault(AnswerInstead(status=403, code="AuthorizationFailed", message="No."), method="PATCH")
    harness.converge(before.without("LocalNetworkGateway/hub/paris"))

    harness.converge(before, adopt=frozenset({"LocalNetworkGateway/hub/paris"}))

    assert forgotten(harness, before) == []


def test_kept_public_ips_lose_our_tag(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway().plus(public_ip()))

    harness.destroy(deployment, keep_public_ips=True)

    assert harness.document(PIP).get("tags", {}) == {}
    assert harness.entries(deployment) == {}


def test_a_busy_moment_does_not_keep_the_tag(harness: Harness) -> None:
    before = harness.create(hub_without_gateway().plus(site("paris", on_removal="forget")))
    busy = AnswerInstead(status=409, code="AnotherOperationInProgress", message="Busy.")
    harness.fault(busy, method="PATCH", times=1)

    harness.converge(before.without("LocalNetworkGateway/hub/paris"))

    assert harness.document(LGW).get("tags", {}) == {}


def test_state_forget_takes_the_tag_off(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))

    StateCommands(harness.workspace(), "hub").forget("VpnConnection/hub/paris")

    assert harness.document(CON).get("tags", {}) == {}
    assert harness.entries(deployment).keys() == {i.address for i in deployment.items} - {"VpnConnection/hub/paris"}


def test_what_cannot_bear_a_tag_is_forgotten_without_a_request(harness: Harness) -> None:
    deployment = harness.create(hub())
    gone = deployment.without("VpnGateway/hub")
    harness.converge(gone)
    harness.mark()

    StateCommands(harness.workspace(), "hub").forget("Subnet/hub/GatewaySubnet")

    assert harness.writes() == []


def test_adopting_elsewhere_takes_our_tag_off_what_is_left(harness: Harness) -> None:
    before = harness.create(hub_without_gateway("berlin"))
    other = rid("localNetworkGateways", "lgw-other")
    harness.simulator.put(str(other), {"location": REGION, "properties": site("berlin").body()["properties"]})

    harness.converge(
        before.but(site("berlin", identity="lgw-other")), adopt=frozenset({"LocalNetworkGateway/hub/berlin"})
    )

    assert harness.document(site("berlin").id).get("tags", {}) == {}


def test_a_state_without_the_new_field_is_read(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    path = harness.folder / ".vpngw/state/simulator/hub/state.json"
    document = json.loads(path.read_text())
    document.pop("forgotten")
    path.write_text(json.dumps(document))

    assert forgotten(harness, deployment) == []
    assert connection("berlin").address not in harness.entries(deployment)
