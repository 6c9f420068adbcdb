"""Who loses connectivity, for how long, what ends it, and which links carry a name meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.engine.imagined import applied, azure, plan
from tests.worlds import (
    Deployment,
    Ref,
    base,
    circuit,
    clients,
    connection,
    gateway,
    hub,
    hub_with_spokes,
    make,
    nat_rule,
    network,
    radius,
    rid,
    site,
)
from vpngw_iac.engine.plan.change import Loss
from vpngw_iac.engine.plan.outage import Limit, check_agreed, how_long
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.engine.ports import Attached
from vpngw_iac.errors import UsageError
from vpngw_iac.report import formatting
from vpngw_iac.secret import Secret

GATEWAY = rid("virtualNetworkGateways", "vgw-hub")
OTHER_KEY = Secret.env("ANOTHER_KEY")
GUEST = Attached(GATEWAY, "connection", "con-guest", rid("connections", "con-guest", group="rg-others"), None)


def planned(before: Deployment, after: Deployment, *, attached: tuple[Attached, ...] = (), **options: Any) -> Plan:
    """The plan of an edit that Azure has as it was before."""
    return plan(after, applied(before), azure(before, attached=attached), **options)


def losses(plan: Plan) -> dict[str, Loss]:
    return {loss.name: loss for loss in plan.losses}


def two_links(**isp1: Any) -> Deployment:
    """Berlin has two links to two devices."""
    first = connection("berlin_isp1", affected=("berlin",), **isp1)
    second = connection("berlin_isp2", affected=("berlin",))
    return hub("paris").plus(site("berlin_isp1", 3), first, site("berlin_isp2", 4), second)


def pair(a: str, b: str, **changes: Any) -> Any:
    """One direction of a pair of gateways."""
    properties = {
        "connectionType": "Vnet2Vnet",
        "virtualNetworkGateway1": Ref.to(rid("virtualNetworkGateways", f"vgw-{a}")),
        "virtualNetworkGateway2": Ref.to(rid("virtualNetworkGateways", f"vgw-{b}")),
        "sharedKey": Secret.env("PSK_PAIR"),
    }
    identity = rid("connections", f"con-{a}-{b}")
    address = f"VnetConnection/{a}/{b}"
    return make(address, identity, properties | changes, location="westeurope", affected=(f"vgw-{b}",))


def paired(*connections: Any) -> Deployment:
    far = base("far", "10.2.0.0/16", "10.2.255.0/27")[1:]
    return Deployment("pair", (*base(), gateway(), *far, gateway("far"), *connections))


# --- what ends it ----------------------------------------------------------------------------------------------------


def test_a_rotated_key_ends_when_the_device_has_it_for_that_link_alone() -> None:
    told = planned(two_links(), two_links(sharedKey=OTHER_KEY))

    assert list(losses(told)) == ["berlin"]
    berlin = losses(told)["berlin"]
    assert (berlin.ends, berlin.level, berlin.until) == ("somebody", "reconfigure", "the device has the new key")
    assert (berlin.links, berlin.meanwhile) == (("berlin_isp1",), ("berlin_isp2",))
    assert formatting.outages(told.losses) == (
        "berlin (link berlin_isp1; berlin_isp2 carries it meanwhile), until the device has the new key"
    )


def test_a_link_whose_key_is_rotated_too_carries_nobody() -> None:
    after = two_links(sharedKey=OTHER_KEY)
    after = after.but(connection("berlin_isp2", affected=("berlin",), sharedKey=OTHER_KEY))

    berlin = losses(planned(two_links(), after))["berlin"]

    assert (berlin.links, berlin.meanwhile) == ((), ())


def test_links_that_carry_meanwhile_do_not_soften_the_judgement() -> None:
    refused = planned(two_links(), two_links(sharedKey=OTHER_KEY), max_outage="1h")

    assert [f.rule for f in refused.blocking] == ["V-OUTAGE-01"]


def test_the_key_of_a_pair_whose_both_ends_are_ours_ends_by_itself() -> None:
    before = paired(pair("hub", "far"), pair("far", "hub"))
    after = before.but(pair("hub", "far", sharedKey=OTHER_KEY), pair("far", "hub", sharedKey=OTHER_KEY))

    told = losses(planned(before, after))

    assert {name: (loss.ends, loss.level) for name, loss in told.items()} == {
        "vgw-far": ("itself", "seconds"),
        "vgw-hub": ("itself", "seconds"),
    }


def test_the_key_of_a_pair_whose_other_end_is_somebody_elses_ends_by_somebody() -> None:
    before = paired(pair("hub", "far"))

    told = losses(planned(before, before.but(pair("hub", "far", sharedKey=OTHER_KEY))))

    assert told["vgw-far"].ends == "somebody"


def test_a_removed_site_is_cut_off_for_good() -> None:
    before = hub("berlin", "paris")
    after = before.without("VpnConnection/hub/berlin", "LocalNetworkGateway/hub/berlin")

    told = planned(before, after)

    berlin = losses(told)["berlin"]
    assert (berlin.for_good, berlin.ends, berlin.seconds, how_long(berlin)) == (True, "somebody", 0.0, "for good")
    assert [f.rule for f in planned(before, after, max_outage="none").blocking] == ["V-OUTAGE-01"]
    assert planned(before, after, max_outage="none", outage_agreed=frozenset({"berlin"})).blocking == ()


def test_a_removed_link_of_a_site_that_keeps_another_is_not_for_good() -> None:
    before = two_links()
    after = before.without("VpnConnection/hub/berlin_isp1", "LocalNetworkGateway/hub/berlin_isp1")

    berlin = losses(planned(before, after))["berlin"]

    assert (berlin.for_good, berlin.ends, berlin.meanwhile) == (False, "somebody", ("berlin_isp2",))


def test_a_spoke_that_is_removed_is_cut_off_for_good() -> None:
    def spoke(item: Any) -> Any:
        return item.model_copy(update={"affected": ("vnet-app",)})

    before = hub_with_spokes("app")
    before = before.but(spoke(before.at("Peering/hub/app")), spoke(before.at("Peering/app/hub")))

    told = losses(planned(before, before.without("Peering/hub/app", "Peering/app/hub")))

    assert told["vnet-app"].for_good


def test_a_destroy_cuts_everybody_off_for_good() -> None:
    before = hub("berlin", more={"affected": ("berlin", "clients of vgw-hub")}, **clients("one"))

    told = losses(planned(before, before, destroy=True, max_outage="1h"))

    assert {name: loss.for_good for name, loss in told.items()} == {"berlin": True, "clients of vgw-hub": True}


def test_a_key_that_is_sent_again_may_be_another_one() -> None:
    before = hub("berlin")
    state = applied(before)
    entry = state.entries["VpnConnection/hub/berlin"].model_copy(update={"fingerprints": {}})
    state = state.model_copy(update={"entries": {**state.entries, entry.address: entry}})
    snapshot = azure(before)
    for document in (o.document for o in snapshot.observed.values() if o.id == entry.id):
        document["properties"].pop("sharedKey")  # type: ignore[index]

    told = plan(before, state, snapshot, resend_secrets=True)

    (berlin,) = told.losses
    assert (berlin.ends, berlin.until) == ("somebody", "the device has the key, if it is another one than before")


# --- how long --------------------------------------------------------------------------------------------------------

SMALLER = {"sku": "VpnGw1AZ"}


def test_a_replaced_gateway_takes_all_operations_of_a_site_one_after_the_other() -> None:
    before = hub("berlin", more={"affected": ("berlin",)})
    after = hub("berlin", more={"affected": ("berlin",)}, **SMALLER)

    told = planned(before, after, replace=frozenset({"VpnGateway/hub"}))

    (berlin,) = told.losses
    assert berlin.seconds == 30 + 450 + 1100 + 40  # connection, gateway, gateway, connection
    assert berlin.ends == "itself"
    assert formatting.outages(told.losses) == "berlin, for about 27 min"
    refused = planned(before, after, replace=frozenset({"VpnGateway/hub"}), max_outage="5m")
    assert [f.rule for f in refused.blocking] == ["V-OUTAGE-01"]
    assert planned(before, after, replace=frozenset({"VpnGateway/hub"}), max_outage="27m").blocking == ()


def test_what_an_ordering_edge_puts_between_adds_up() -> None:
    """The gateway waits for the NAT rule that stands on it, while Berlin's connection is already gone."""
    before, after = hub("berlin").plus(nat_rule("in")), hub("berlin", **SMALLER).plus(nat_rule("in"))

    (berlin,) = planned(before, after, replace=frozenset({"VpnGateway/hub"})).losses

    assert berlin.seconds == 130 + 450 + 1100 + 40


def test_of_links_that_may_be_set_at_once_the_longest_counts() -> None:
    before = hub().plus(
        *(item for n in range(9) for item in (site(f"b{n}", n), connection(f"b{n}", affected=("berlin",))))
    )
    after = before.but(
        *(
            connection(f"b{n}", affected=("berlin",), usePolicyBasedTrafficSelectors=True, dpdTimeoutSeconds=30)
            for n in range(9)
        )
    )

    (berlin,) = planned(before, after).losses

    assert (berlin.level, berlin.seconds) == ("seconds", 10)


def test_what_waits_for_something_else_of_the_same_name_adds_up() -> None:
    before = hub("berlin")
    after = before.but(site("berlin", 9), connection("berlin", dpdTimeoutSeconds=30))

    told = planned(before, after, max_outage="15s")

    assert losses(told)["berlin"].seconds == 20
    assert [f.rule for f in told.blocking] == ["V-OUTAGE-01"]


def test_two_gateways_behind_one_lock_are_down_for_both() -> None:
    line = make(
        "Connection/er/line",
        rid("connections", "con-line"),
        {
            "connectionType": "ExpressRoute",
            "virtualNetworkGateway1": Ref.to(rid("virtualNetworkGateways", "vgw-er")),
            "peer": Ref.to(rid("expressRouteCircuits", "erc-line")),
        },
        location="westeurope",
        affected=("line",),
    )

    def both(vpn: str, er: str) -> Deployment:
        subnet = Ref.to(rid("virtualNetworks/subnets", "vnet-hub", "GatewaySubnet"))
        other = make(
            "ErGateway/er",
            rid("virtualNetworkGateways", "vgw-er"),
            {
                "gatewayType": "ExpressRoute",
                "sku": {"name": er},
                "ipConfigurations": [{"name": "ip", "properties": {"subnet": subnet}}],
            },
            location="westeurope",
            affected=("line",),
        )
        return hub("berlin", sku=vpn).plus(other, line)

    named = frozenset({"VpnGateway/hub", "ErGateway/er"})
    told = losses(planned(both("VpnGw3AZ", "ErGw3AZ"), both("VpnGw1AZ", "ErGw3AZ"), replace=named))

    gateways = 2 * (450 + 1100)
    assert max(loss.seconds for loss in told.values()) == 30 + gateways + 40


def test_a_site_that_moves_to_another_gateway_comes_back_by_somebody() -> None:
    far = base("far", "10.2.0.0/16", "10.2.255.0/27")[1:]
    before = hub("berlin").plus(*far, gateway("far"))
    moved = (site("berlin", 0, hub="far", identity="lgw-far"), connection("berlin", hub="far", identity="con-far"))
    moved = (moved[0], connection("berlin", hub="far", identity="con-far", to="lgw-far"))
    after = before.without("VpnConnection/hub/berlin", "LocalNetworkGateway/hub/berlin").plus(*moved)

    berlin = losses(planned(before, after))["berlin"]

    assert (berlin.for_good, berlin.ends) == (False, "somebody")
    assert berlin.seconds == 55  # until the new connection is there: local network gateway, then connection


# --- guests ----------------------------------------------------------------------------------------------------------


def test_a_rebuilt_gateway_names_the_connections_of_others() -> None:
    before, after = hub("berlin", sku="VpnGw2AZ"), hub("berlin", sku="VpnGw3AZ")

    told = planned(before, after, attached=(GUEST,))

    (change,) = told.changes
    assert change.outage.who == ("berlin", "con-guest")
    assert losses(told)["con-guest"].foreign
    assert formatting.outages(told.losses) == "berlin, con-guest (not ours), for about 18 min"


def test_guests_are_told_to_others_by_their_name_when_they_must_learn_a_new_as_number() -> None:
    bgp = {"enableBgp": True, "bgpSettings": {"asn": 65010}}
    after = {"enableBgp": True, "bgpSettings": {"asn": 65020}}

    told = losses(planned(hub(**bgp), hub(**after), attached=(GUEST,)))

    assert told["con-guest"].ends == "somebody"


def test_a_gateway_that_only_guests_use_counts_them() -> None:
    told = planned(hub(), hub(sku="VpnGw3AZ"), attached=(GUEST,), max_outage="5m")

    assert list(losses(told)) == ["con-guest"]
    assert "con-guest" in told.blocking[0].detail
    agreed = {"max_outage": "5m", "outage_agreed": frozenset({"con-guest"})}
    assert planned(hub(), hub(sku="VpnGw3AZ"), attached=(GUEST,), **agreed).blocking == ()


def test_a_connection_of_others_to_the_same_site_carries_it_meanwhile() -> None:
    far = base("far", "10.2.0.0/16", "10.2.255.0/27")[1:]
    before = hub("berlin").plus(*far, gateway("far"))
    other = Attached(
        rid("virtualNetworkGateways", "vgw-far"),
        "connection",
        "con-backup",
        rid("connections", "con-backup", group="rg-others"),
        leads_to=frozenset({rid("localNetworkGateways", "lgw-berlin")}),
    )
    elsewhere = Attached(GATEWAY, "connection", "con-elsewhere", rid("connections", "con-elsewhere"))
    rotated = before.but(connection("berlin", sharedKey=OTHER_KEY))

    told = planned(before, rotated, attached=(other, elsewhere))
    both = planned(before, rotated.but(gateway("far", sku="VpnGw3AZ")), attached=(other, elsewhere))

    assert losses(told)["berlin"].meanwhile == ("con-backup (not ours)",)
    assert losses(both)["berlin"].meanwhile == ()


def test_our_own_connections_are_no_guests() -> None:
    own = Attached(GATEWAY, "connection", "con-berlin", rid("connections", "con-berlin"), "hub")
    before, after = hub("berlin"), hub("berlin", sku="VpnGw3AZ")

    assert list(losses(planned(before, after, attached=(own,)))) == ["berlin"]


# --- what is allowed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"), [("none", 0), ("30s", 30), ("5m", 300), ("1h", 3600), (" 1H30m ", 5400), ("0s", 0)]
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert Limit.of(text).seconds == seconds


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("hours", "Write none, 30s, 5m or 1h."),
        ("second", "Did you mean 'seconds'?"),
        ("5", "Write 5s or 5m"),
        ("5min", "Write 5m"),
        ("-5m", "Write none"),
        ("", "Write none"),
        ("9" * 5000 + "h", "Write"),
        ("٥m", "Write none"),
    ],
)
def test_what_is_no_duration_is_refused_with_one_that_is(text: str, advice: str) -> None:
    with pytest.raises(UsageError) as refused:
        Limit.of(text)

    assert advice in refused.value.advice


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("berln", "Did you mean 'berlin'?"),
        ("berlin_isp1", "It is a link of berlin; agree for the whole of it: --outage-agreed berlin."),
        ("clients of vgw-hup", "Did you mean 'clients of vgw-hub'?"),
        ("VpnGateway/hub", "The names are: "),
    ],
)
def test_a_name_that_nobody_bears_is_an_error_with_a_suggestion(name: str, advice: str) -> None:
    told = planned(two_links(), two_links())

    with pytest.raises(UsageError) as refused:
        check_agreed([name], told.graph, told.state, told.snapshot)

    assert advice in refused.value.advice


def test_names_are_known_in_any_case_and_after_they_left_the_blueprint() -> None:
    before = hub("berlin").plus(network("app", "10.9.0.0/16"))
    told = planned(before, before.without("VpnConnection/hub/berlin"))

    check_agreed(["BERLIN", "Clients of vgw-hub"], told.graph, told.state, told.snapshot)


# --- secrets ---------------------------------------------------------------------------------------------------------


def without_fingerprints(before: Deployment, after: Deployment, address: str, *path: str, **options: Any) -> Plan:
    """The plan of an edit where nobody knows which secret was applied, and no answer shows it."""
    state = applied(before)
    entry = state.entries[address].model_copy(update={"fingerprints": {}})
    state = state.model_copy(update={"entries": {**state.entries, address: entry}})
    snapshot = azure(before)
    (document,) = (o.document for o in snapshot.observed.values() if o.id == entry.id)
    inner: Any = document
    for name in path[:-1]:
        inner = inner[name]
    inner.pop(path[-1])
    return plan(after, state, snapshot, **options)


def test_another_radius_secret_locks_clients_out_until_the_server_has_it() -> None:
    before, after = hub("berlin", **radius(Secret.env("RADIUS"))), hub("berlin", **radius(OTHER_KEY))

    told = planned(before, after, max_outage="1h")

    ((name, loss),) = losses(told).items()
    assert (name, loss.ends, loss.until) == ("clients of vgw-hub", "somebody", "the RADIUS server has the new secret")
    assert [f.rule for f in told.blocking] == ["V-OUTAGE-01"]


def test_a_radius_secret_that_is_sent_again_concerns_the_clients_alone() -> None:
    before = hub("berlin", **radius(Secret.env("RADIUS")))
    path = ("properties", "vpnClientConfiguration", "radiusServerSecret")

    told = losses(without_fingerprints(before, before, "VpnGateway/hub", *path, resend_secrets=True))

    assert {name: loss.until for name, loss in told.items()} == {
        "clients of vgw-hub": "the RADIUS server has the secret, if it is another one than before"
    }


def test_a_put_that_carries_a_key_that_cannot_be_compared_may_rotate_it() -> None:
    before = hub("berlin")
    after = before.but(connection("berlin", dpdTimeoutSeconds=30))

    told = without_fingerprints(before, after, "VpnConnection/hub/berlin", "properties", "sharedKey", max_outage="1h")

    berlin = losses(told)["berlin"]
    assert (berlin.ends, berlin.until) == ("somebody", "the device has the key, if it is another one than before")
    assert [f.rule for f in told.blocking] == ["V-OUTAGE-01"]


def test_a_change_of_tags_carries_no_key() -> None:
    before = hub("berlin")
    after = before.but(before.at("VpnConnection/hub/berlin").model_copy(update={"tags": {"a": "b"}}))

    told = without_fingerprints(before, after, "VpnConnection/hub/berlin", "properties", "sharedKey", max_outage="none")

    assert (told.losses, told.blocking) == ((), ())


def expressroute(**changes: Any) -> Deployment:
    """A circuit with its private peering, and a connection that an authorization opens."""
    private = make(
        "CircuitPeering/line/private",
        rid("expressRouteCircuits/peerings", "erc-line", "AzurePrivatePeering"),
        {
            "peeringType": "AzurePrivatePeering",
            "peerASN": 65050,
            "primaryPeerAddressPrefix": "172.16.1.0/30",
            "secondaryPeerAddressPrefix": "172.16.1.4/30",
            "vlanId": 100,
            "sharedKey": Secret.env("MD5"),
        }
        | {name: value for name, value in changes.items() if name != "authorizationKey"},
        affected=("line",),
    )
    line = make(
        "Connection/hub/line",
        rid("connections", "con-line"),
        {
            "connectionType": "ExpressRoute",
            "virtualNetworkGateway1": Ref.to(GATEWAY),
            "peer": Ref.to(rid("expressRouteCircuits", "erc-line")),
            "authorizationKey": changes.get("authorizationKey", Secret.env("AUTHORIZATION")),
        },
        location="westeurope",
        affected=("line",),
    )
    return hub().plus(circuit(), private, line)


@pytest.mark.parametrize(
    ("changed", "until"),
    [
        ({"sharedKey": OTHER_KEY}, "the router on the other side has the new key"),
        ({"peerASN": 65051}, "the router on the other side has the new AS number"),
        ({"vlanId": 101}, "the router on the other side has the new VLAN"),
        ({"primaryPeerAddressPrefix": "172.16.2.0/30"}, "the router on the other side has the new address"),
    ],
)
def test_what_both_ends_of_a_circuit_must_agree_on_ends_by_somebody(changed: dict[str, Any], until: str) -> None:
    line = losses(planned(expressroute(), expressroute(**changed)))["line"]

    assert (line.ends, line.until) == ("somebody", until)


def test_another_authorization_costs_an_outage() -> None:
    told = planned(expressroute(), expressroute(authorizationKey=OTHER_KEY), max_outage="none")

    assert losses(told)["line"].ends == "itself"
    assert [f.rule for f in told.blocking] == ["V-OUTAGE-01"]


# --- others on our gateway -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bgp", "told"), [(True, True), (None, True), (False, False)])
def test_a_guest_without_bgp_has_no_as_number_to_learn(bgp: bool | None, told: bool) -> None:
    before = {"enableBgp": True, "bgpSettings": {"asn": 65010}}
    after = {"enableBgp": True, "bgpSettings": {"asn": 65020}}

    found = losses(planned(hub(**before), hub(**after), attached=(replace(GUEST, bgp=bgp),)))

    assert ("con-guest" in found) is told


def with_halves(before: Deployment, *halves: dict[str, Any]) -> Any:
    snapshot = azure(before)
    (document,) = (o.document for o in snapshot.observed.values() if o.id == rid("virtualNetworks", "vnet-hub"))
    document["properties"]["virtualNetworkPeerings"] = list(halves)  # type: ignore[index]
    return snapshot


def half(name: str, *, lends: bool = True) -> dict[str, Any]:
    remote = {"id": str(rid("virtualNetworks", f"vnet-{name}", group="rg-others"))}
    return {"name": name, "properties": {"allowGatewayTransit": lends, "remoteVirtualNetwork": remote}}


def test_a_rebuilt_gateway_names_the_networks_of_others_that_borrow_it() -> None:
    before, after = hub("berlin", sku="VpnGw2AZ"), hub("berlin", sku="VpnGw3AZ")
    snapshot = with_halves(before, half("theirs"), half("beside", lends=False))

    told = plan(after, applied(before), snapshot, max_outage="5m")
    agreed = frozenset({"berlin", "vnet-theirs"})

    assert {name: loss.foreign for name, loss in losses(told).items()} == {"berlin": False, "vnet-theirs": True}
    assert formatting.outages(told.losses) == "berlin, vnet-theirs (not ours), for about 18 min"
    check_agreed(agreed, told.graph, told.state, told.snapshot)
    assert plan(after, applied(before), snapshot, max_outage="5m", outage_agreed=agreed).blocking == ()


def test_a_spoke_of_ours_is_no_stranger() -> None:
    before = hub_with_spokes("app")
    name = before.at("Peering/hub/app").id.name

    told = plan(
        before.but(gateway(sku="VpnGw3AZ")), applied(before), with_halves(before, {**half("app"), "name": name})
    )

    assert not any(loss.foreign for loss in told.losses)
