"""The same driver in front of the simulator: a hub is built, read, changed and taken down in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.azure.scripted import (
    ADDRESS,
    CIRCUIT,
    CONNECTION,
    CORRELATION,
    GATEWAY,
    HUB,
    KEY,
    SITE,
    SUBNET,
    VNET,
    connect,
    group_id,
    network,
)
from vpngw_iac.arm import ArmId
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.engine.ports import Call, Cloud, Ended, Observed, Pending, Running
from vpngw_iac.errors import AzureRefused, Contention, PreconditionFailed, Throttled, Unavailable
from vpngw_iac.resources.wire import Output
from vpngw_iac.simulator import Fault, Simulator, Switches

PSK = "Th1sIsASharedKey"
RULE = GATEWAY.child("natRules", "nat-1")
AUTHORIZATION = CIRCUIT.child("authorizations", "auth-1")


class Lab:
    """A simulator behind the real client, with one virtual clock for both."""

    def __init__(self, **options: Any) -> None:
        self.clock = VirtualClock()
        self.simulator = Simulator(**options)
        self.clock.on_advance(self.simulator.time.advance_to)  # type: ignore[attr-defined]
        self.cloud: Cloud = connect(
            "simulator",
            subscription=HUB,
            transport=self.simulator.send,
            key=KEY.fingerprint,
            clock=self.clock,
            correlation=CORRELATION,
        )

    def finish(self, step: Pending | Ended) -> Ended:
        """Poll until it ends, waiting as Azure asks."""
        for _ in range(500):
            if isinstance(step, Ended):
                return step
            progress = self.cloud.poll(step)
            if isinstance(progress, Ended):
                return progress
            self.clock.advance(progress.retry_after or 10.0)
        raise AssertionError("it never ends")

    def do(self, call: Call) -> Ended:
        return self.finish(self.cloud.begin(call))

    def put(self, resource_id: ArmId, body: dict[str, Any], **options: Any) -> Ended:
        return self.do(Call("put", resource_id, {"location": "westeurope"} | body, **options))

    def hub(self, *, connected: bool = True) -> Lab:
        self.put(group_id(), {})
        self.put(VNET, {"properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}})
        self.put(SUBNET, {"properties": {"addressPrefix": "10.1.255.0/27"}})
        self.put(ADDRESS, public_ip())
        self.put(GATEWAY, gateway())
        self.put(SITE, site())
        if connected:
            self.put(CONNECTION, connection())
        return self


def public_ip() -> dict[str, Any]:
    return {
        "sku": {"name": "Standard"},
        "zones": ["1", "2", "3"],
        "properties": {"publicIPAllocationMethod": "Static"},
    }


def gateway(**properties: Any) -> dict[str, Any]:
    ip = {"subnet": {"id": str(SUBNET)}, "publicIPAddress": {"id": str(ADDRESS)}}
    return {
        "properties": {
            "gatewayType": "Vpn",
            "vpnType": "RouteBased",
            "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ"},
            "ipConfigurations": [{"name": "default", "properties": ip}],
            **properties,
        }
    }


def site(prefix: str = "192.168.10.0/24") -> dict[str, Any]:
    return {
        "properties": {
            "gatewayIpAddress": "203.0.113.10",
            "localNetworkAddressSpace": {"addressPrefixes": [prefix]},
        }
    }


def connection(to: ArmId = SITE, **properties: Any) -> dict[str, Any]:
    return {
        "properties": {
            "connectionType": "IPsec",
            "virtualNetworkGateway1": {"id": str(GATEWAY)},
            "localNetworkGateway2": {"id": str(to)},
            "sharedKey": PSK,
            **properties,
        }
    }


def test_a_hub_is_built_and_taken_down_in_the_time_azure_takes() -> None:
    lab = Lab().hub()

    assert 900 < lab.clock.now() < 2400
    for resource_id in (CONNECTION, SITE, GATEWAY, ADDRESS, SUBNET, VNET, group_id()):
        ended = lab.do(Call("delete", resource_id))
        assert ended == Ended("Succeeded", Observed(resource_id, None))
    assert lab.simulator.documents() == {}


def test_what_get_shows_after_a_put_is_the_end_of_it() -> None:
    lab = Lab().hub(connected=False)

    ended = lab.put(GATEWAY, gateway(enableBgp=True, bgpSettings={"asn": 65010}))

    assert ended.state == "Succeeded"
    assert ended.observed == lab.cloud.read(GATEWAY)


def test_read_overlay_put_keeps_what_others_wrote() -> None:
    lab = Lab().hub(connected=False)
    lab.put(RULE, {"properties": {"mode": "EgressSnat", "internalMappings": [{"addressSpace": "10.1.0.0/24"}],
                                  "externalMappings": [{"addressSpace": "100.64.0.0/24"}]}})  # fmt: skip
    before = lab.cloud.read(GATEWAY)
    assert before.document is not None

    lab.do(Call("put", GATEWAY, dict(before.document), etag=before.etag))

    assert lab.cloud.read(RULE).present


def test_an_old_etag_is_a_failed_precondition() -> None:
    lab = Lab().hub(connected=False)
    old = lab.cloud.read(SITE).etag
    lab.put(SITE, site("192.168.20.0/24"))

    with pytest.raises(PreconditionFailed):
        lab.put(SITE, site("192.168.30.0/24"), etag=old)


def test_an_echoed_key_is_recognised_and_a_new_one_arrives() -> None:
    lab = Lab().hub()

    first = lab.cloud.read(CONNECTION)
    lab.do(Call("act", CONNECTION, {"value": "An0therKey"}, action="sharedKey", secrets=("An0therKey",)))
    second = lab.cloud.read(CONNECTION)

    assert first.document is not None
    assert second.document is not None
    assert first.document["properties"]["sharedKey"] == KEY.fingerprint(PSK)
    assert second.document["properties"]["sharedKey"] == KEY.fingerprint("An0therKey")


def test_a_cloud_that_echoes_nothing_works_as_well() -> None:
    lab = Lab(switches=Switches(echo_secrets=False)).hub()

    found = lab.cloud.read(CONNECTION)

    assert found.document is not None
    assert "sharedKey" not in found.document["properties"]


def test_tags_are_patched_and_waited_for_without_an_operation_url() -> None:
    lab = Lab().hub(connected=False)

    step = lab.cloud.begin(Call("tag", GATEWAY, {"tags": {"env": "prod"}}))
    assert isinstance(step, Pending)
    first = lab.cloud.poll(step)
    ended = lab.finish(step)

    assert step.url is None
    assert isinstance(first, Running)
    assert ended.observed is not None
    assert ended.observed.document is not None
    assert ended.observed.document["tags"] == {"env": "prod"}


def test_many_sites_are_read_with_two_lists_and_hang_on_their_gateway() -> None:
    lab = Lab(switches=Switches(page_size=7)).hub(connected=False)
    sites = [network("localNetworkGateways", f"lgw-{number}") for number in range(20)]
    tunnels = [network("connections", f"con-{number}") for number in range(20)]
    for number, (lgw, tunnel) in enumerate(zip(sites, tunnels, strict=True)):
        lab.simulator.put(str(lgw), {"location": "westeurope"} | site(f"192.168.{number + 100}.0/24"))
        lab.simulator.put(str(tunnel), {"location": "westeurope"} | connection(lgw))
    lab.simulator.requests.clear()

    found = lab.cloud.observe([*sites, *tunnels, GATEWAY])
    pages = len(lab.simulator.requests) - 1
    attached = lab.cloud.attached([GATEWAY])

    assert all(each.present for each in found.values())
    assert pages == 6
    assert [item.id for item in attached if item.kind == "connection"] == sorted(tunnels)


def test_the_key_of_an_authorization_is_read_but_never_observed() -> None:
    lab = Lab()
    lab.put(group_id(), {})
    service = {"serviceProviderName": "Equinix", "peeringLocation": "Amsterdam", "bandwidthInMbps": 50}
    sku = {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"}
    lab.put(CIRCUIT, {"sku": sku, "properties": {"serviceProviderProperties": service}})
    lab.put(AUTHORIZATION, {"properties": {}})

    value = lab.cloud.secret(Output(AUTHORIZATION, "properties.authorizationKey", secret=True)).value

    assert value
    assert value not in repr(lab.cloud.observe([AUTHORIZATION, CIRCUIT]))


def test_what_is_in_use_is_refused_with_azures_code() -> None:
    lab = Lab().hub(connected=False)

    with pytest.raises(AzureRefused) as caught:
        lab.do(Call("delete", SUBNET))

    assert caught.value.code == "InUseSubnetCannotBeDeleted"
    assert caught.value.ids.correlation == CORRELATION
    assert caught.value.ids.request


def fault(**values: Any) -> Fault:
    return Fault.model_validate(values)


def test_a_lost_operation_url_does_not_lose_the_operation() -> None:
    lab = Lab().hub(connected=False)
    lab.simulator.faults.add(fault(method="PUT", path="*/connections/*", effect={"do": "lose-operation"}))

    assert lab.put(CONNECTION, connection()).state == "Succeeded"


def test_an_operation_that_fails_late_brings_azures_reason() -> None:
    lab = Lab().hub(connected=False)
    failing = {"do": "fail", "code": " InternalError", "message": "bad peer"}
    lab.simulator.faults.add(fault(method="PUT", path="*/connections/*", effect=failing))

    ended = lab.put(CONNECTION, connection())

    assert ended.error is not None
    assert (ended.state, ended.error.code) == ("Failed", "InternalError")
    assert ended.observed is not None
    assert ended.observed.state == "Failed"


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        ({"do": "answer", "status": 409, "code": "AnotherOperationInProgress"}, Contention),
        (
            {"do": "answer", "status": 429, "code": "RetryableError", "detail": "ReferencedResourceNotProvisioned"},
            Contention,
        ),
        ({"do": "answer", "status": 429, "code": "SubscriptionRequestsThrottled", "retry_after": 7}, Throttled),
        ({"do": "answer", "status": 503, "html": True}, Unavailable),
        ({"do": "break", "done": False}, Unavailable),
        ({"do": "break", "done": True}, Unavailable),
    ],
)
def test_trouble_with_a_write_is_told_once_and_left_to_the_scheduler(
    effect: dict[str, Any], kind: type[Exception]
) -> None:
    lab = Lab().hub(connected=False)
    lab.simulator.faults.add(fault(method="PUT", path="*/connections/*", effect=effect))

    with pytest.raises(kind):
        lab.put(CONNECTION, connection())
    assert lab.cloud.read(CONNECTION).present is (effect.get("done") is True)
    lab.clock.advance(60)

    assert lab.put(CONNECTION, connection()).state == "Succeeded"


def test_trouble_with_reads_is_waited_out() -> None:
    lab = Lab().hub()
    trouble = {"do": "answer", "status": 429, "code": "TooManyRequests", "retry_after": 30}
    lab.simulator.faults.add(fault(method="GET", path="*/connections*", times=2, effect=trouble))
    before = lab.clock.now()

    assert lab.cloud.read(CONNECTION).present
    assert 60 <= lab.clock.now() - before < 65
