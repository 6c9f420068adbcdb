"""The judge is judged: small recordings of our own, in which something is wrong on purpose or nothing is."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.recordings.exchange import NOT_RECORDED
from tests.recordings.follow import Follow, Tally

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
SITE = f"{NETWORK}/localNetworkGateways/site"
CONNECTION = f"{NETWORK}/connections/con"
VNET = f"{NETWORK}/virtualNetworks/vnet"


def exchange(
    method: str, path: str, answered: Any = None, asked: Any = None, status: int = 200, **more: Any
) -> dict[str, Any]:
    return {
        "method": method,
        "url": f"{path}?api-version=2024-03-01",
        "request_body": asked,
        "status": status,
        "headers": {},
        "response_body": answered,
        "date": "2024-09-14T11:29:26Z",
        **more,
    }


def site(*prefixes: str, state: str = "Succeeded", **properties: Any) -> dict[str, Any]:
    space = {"addressPrefixes": list(prefixes)}
    properties |= {"provisioningState": state, "gatewayIpAddress": "203.0.113.9", "localNetworkAddressSpace": space}
    return {"id": SITE, "name": "site", "location": "westus", "properties": properties}


def sent(document: dict[str, Any]) -> dict[str, Any]:
    inside = {name: value for name, value in document["properties"].items() if name != "provisioningState"}
    return {"location": document["location"], "properties": inside}


@pytest.fixture
def follow(tmp_path: Path) -> Any:
    def run(*lines: Any) -> Tally:
        file = tmp_path / "own.jsonl"
        file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
        return Follow().run(file)

    return run


def test_an_answer_that_means_what_was_put_is_quiet(follow: Any) -> None:
    tally = follow(exchange("PUT", SITE, asked=sent(site("10.1.0.0/16"))), exchange("GET", SITE, site("10.1.0.0/16")))

    assert (tally.compared, tally.false, tally.missed, tally.unsaid) == ({2}, [], [], [])


def test_an_answer_that_nobody_explains_is_a_false_difference(follow: Any) -> None:
    tally = follow(exchange("PUT", SITE, asked=sent(site("10.1.0.0/16"))), exchange("GET", SITE, site("10.2.0.0/16")))

    assert len(tally.false) == 1
    assert "properties.localNetworkAddressSpace.addressPrefixes" in tally.false[0]


def test_a_resource_that_a_whole_list_does_not_show_is_a_false_difference(follow: Any) -> None:
    listed = exchange("GET", SITE.rpartition("/")[0], {"value": []}, date="2024-09-14T11:29:29Z")

    tally = follow(exchange("PUT", SITE, asked=sent(site("10.1.0.0/16"))), listed)

    assert len(tally.false) == 1
    assert tally.false[0].endswith("not there")


def test_a_later_change_is_found_by_the_earlier_declaration(follow: Any) -> None:
    tally = follow(
        exchange("PUT", SITE, asked=sent(site("10.1.0.0/16"))),
        exchange("GET", SITE, site("10.1.0.0/16")),
        exchange("PUT", SITE, asked=sent(site("10.2.0.0/16"))),
        exchange("GET", SITE, site("10.2.0.0/16")),
    )

    assert (tally.changes, tally.false, tally.missed) == (1, [], [])


def test_a_change_that_our_models_call_azures_own_is_missed(follow: Any) -> None:
    """`resourceGuid` obeyed twice would be a setting: the witness does not believe our models."""
    tally = follow(
        exchange("PUT", SITE, asked=sent(site("10.1.0.0/16", resourceGuid="a"))),
        exchange("GET", SITE, site("10.1.0.0/16", resourceGuid="a")),
        exchange("PUT", SITE, asked=sent(site("10.1.0.0/16", resourceGuid="b"))),
        exchange("GET", SITE, site("10.1.0.0/16", resourceGuid="b")),
    )

    assert len(tally.missed) == 1
    assert "resourceGuid" in tally.missed[0]


def test_a_key_that_was_put_by_itself_belongs_to_the_connection(follow: Any) -> None:
    def connection(key: str) -> dict[str, Any]:
        gateway = {"id": f"{NETWORK}/virtualNetworkGateways/gw"}
        inside = {"connectionType": "IPsec", "virtualNetworkGateway1": gateway, "sharedKey": key}
        return {"id": CONNECTION, "location": "westus", "properties": inside}

    tally = follow(
        exchange("PUT", CONNECTION, asked=sent(connection("one"))),
        exchange("GET", CONNECTION, connection("one")),
        exchange("PUT", f"{CONNECTION}/sharedKey", asked={"value": "two"}),
        exchange("GET", CONNECTION, connection("two")),
    )

    assert (len(tally.compared), tally.changes, tally.false, tally.missed) == (2, 1, [], [])


def test_children_written_with_their_parent_are_resources_and_go_with_its_next_write(follow: Any) -> None:
    def network(*subnets: str) -> dict[str, Any]:
        below = [{"name": f"s{i}", "properties": {"addressPrefix": prefix}} for i, prefix in enumerate(subnets)]
        for item in below:
            item["id"] = f"{VNET}/subnets/{item['name']}"
        inside = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": below}
        return {"id": VNET, "location": "westus", "properties": inside}

    tally = follow(
        exchange("PUT", VNET, asked=sent(network("10.0.0.0/24", "10.0.1.0/24"))),
        exchange("GET", VNET, network("10.0.0.0/24", "10.0.1.0/24")),
        exchange("PUT", VNET, asked=sent(network("10.0.9.0/24"))),
        exchange("GET", VNET, network("10.0.9.0/24")),
        exchange("GET", f"{VNET}/subnets", {"value": network("10.0.9.0/24")["properties"]["subnets"]}),
    )

    assert (tally.changes, tally.false, tally.missed) == (1, [], [])


def test_a_connection_of_a_template_is_declared_by_it_and_shown_by_its_output(follow: Any) -> None:
    deployment = f"{GROUP}/providers/Microsoft.Resources/deployments/d"
    inside = {
        "connectionType": "IPSec",
        "virtualNetworkGateway1": {"id": "[resourceId('Microsoft.Network/virtualNetworkGateways', 'gw')]"},
        "sharedKey": "[parameters('key')]",
    }
    template = {
        "parameters": {"key": {"type": "securestring"}},
        "resources": [
            {"type": "Microsoft.Network/connections", "name": "con", "location": "westus", "properties": inside}
        ],
        "outputs": {"resource": {"type": "object", "value": "[reference('con')]"}},
    }
    shown = {
        "connectionType": "IPsec",
        "virtualNetworkGateway1": {"id": f"{NETWORK}/virtualNetworkGateways/GW"},
        "sharedKey": "another",
    }

    tally = follow(
        exchange(
            "PUT", deployment, asked={"properties": {"template": template, "parameters": {"key": {"value": "k"}}}}
        ),
        exchange("GET", deployment, {"id": deployment, "properties": {"outputs": {"resource": {"value": shown}}}}),
    )

    assert tally.compared == {2}
    assert [text.rpartition(" ")[2] for text in tally.false] == ["properties.sharedKey"]


def test_what_says_nothing_is_named_and_never_a_crash(follow: Any) -> None:
    tally = follow(
        "{torn",
        '"no object"',
        exchange("PUT", SITE, asked=NOT_RECORDED),
        exchange("PUT", f"{NETWORK}/virtualHubs/hub", asked={"properties": {}}),
        exchange("PUT", SITE, asked=["no object"]),
        exchange("PUT", SITE, asked={"properties": "no object"}),
        exchange("PATCH", SITE, asked={"tags": {"a": "b"}}),
        exchange("PUT", "/nonsense", asked={}),
        exchange("GET", SITE, {"id": 7, "properties": None}),
        exchange("GET", SITE, "<html>"),
        exchange("GET", SITE.rpartition("/")[0], {"value": [None, "x", {"id": "y"}]}),
    )

    assert [skipped.line for skipped in tally.skipped] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert (tally.compared, tally.false) == (set(), [])


def test_a_setting_that_no_field_can_say_is_named_and_the_rest_is_compared(follow: Any) -> None:
    body = sent(site("10.1.0.0/16", inventedIn2031=True))

    tally = follow(exchange("PUT", SITE, asked=body), exchange("GET", SITE, site("10.1.0.0/16")))

    assert tally.compared == {2}
    assert [text.rpartition(": ")[0].rpartition(": ")[2] for text in tally.unsaid] == ["properties.inventedIn2031"]


@pytest.mark.parametrize("state", ["Updating", "Failed"])
def test_busy_and_failed_answers_are_not_compared(follow: Any, state: str) -> None:
    tally = follow(
        exchange("PUT", SITE, asked=sent(site("10.1.0.0/16"))), exchange("GET", SITE, site("10.2.0.0/16", state=state))
    )

    assert tally.compared == set()


def test_a_failed_update_leaves_what_nobody_declared(follow: Any) -> None:
    url = "https://management.azure.com/subscriptions/s/providers/Microsoft.Network/locations/westus/operations/1"

    tally = follow(
        exchange("PUT", SITE, asked=sent(site("10.1.0.0/16")), headers={"Azure-AsyncOperation": f"{url}?t=1"}),
        exchange("GET", url, {"status": "Failed", "error": {"code": "InternalError"}}),
        exchange("GET", SITE, site("10.2.0.0/16")),
    )

    assert tally.compared == set()


def test_sessions_of_another_day_use_the_names_for_other_things(follow: Any) -> None:
    tally = follow(
        exchange("PUT", SITE, asked=sent(site("10.1.0.0/16"))),
        exchange("GET", SITE, site("10.2.0.0/16"), date="2024-10-14T11:29:26Z"),
    )

    assert tally.compared == set()


def test_an_answer_within_two_seconds_of_a_write_may_show_what_was_before_it(follow: Any) -> None:
    """Lists of locks do, in recordings ``test_generic_subscription_locks`` and ``test_lock_commands_with_ids``."""
    tally = follow(
        exchange("PUT", SITE, asked=sent(site("10.1.0.0/16")), date="2024-09-14T11:29:20Z"),
        exchange("PUT", SITE, asked=sent(site("10.2.0.0/16")), date="2024-09-14T11:29:25Z"),
        exchange("GET", SITE, site("10.1.0.0/16"), date="2024-09-14T11:29:26Z"),
        exchange("GET", SITE, site("10.1.0.0/16"), date="2024-09-14T11:29:28Z"),
    )

    assert tally.compared == {4}
    assert len(tally.false) == 1


def test_inventories_and_usages_name_ids_and_show_no_documents(follow: Any) -> None:
    tally = follow(
        exchange("PUT", SITE, asked=sent(site("10.1.0.0/16"))),
        exchange("GET", f"{GROUP}/resources", {"value": [{"id": SITE, "location": "westus"}]}),
    )

    assert (tally.compared, tally.false) == (set(), [])


def test_sent_empty_and_not_sent_leave_the_same_to_azure(follow: Any) -> None:
    """Entra ID switched on and off: the types follow from it (recording ``test_network_vpn_gateway_aad``)."""

    def gateway(tenant: str | None, types: list[str] | None) -> dict[str, Any]:
        clients = {"vpnAuthenticationTypes": types, "aadTenant": tenant}
        clients = {name: value for name, value in clients.items() if value is not None}
        inside = {
            "gatewayType": "Vpn",
            "sku": {"name": "VpnGw1", "tier": "VpnGw1"},
            "ipConfigurations": [],
            "vpnClientConfiguration": clients,
        }
        return {"id": f"{NETWORK}/virtualNetworkGateways/gw", "properties": inside, "location": "westus"}

    path = f"{NETWORK}/virtualNetworkGateways/gw"
    tally = follow(
        exchange("PUT", path, asked=sent(gateway("t", []))),
        exchange("GET", path, gateway("t", ["AAD"])),
        exchange("PUT", path, asked=sent(gateway(None, None))),
        exchange("GET", path, gateway(None, [])),
    )

    assert (tally.changes, tally.false, tally.missed) == (1, [], [])


def test_bodies_are_read_in_any_wrapping(follow: Any) -> None:
    """Recorders kept JSON as text, as bytes that Python prints, and packed."""
    body, shown = sent(site("10.1.0.0/16")), site("10.2.0.0/16")
    packed = base64.b64encode(gzip.compress(json.dumps(shown).encode())).decode()

    tally = follow(
        exchange("PUT", SITE, asked=str(json.dumps(body).encode())),
        exchange("GET", SITE, json.dumps(shown)),
        exchange("GET", SITE, packed),
        exchange("GET", SITE, str(json.dumps(shown).encode())),
    )

    assert tally.compared == {2, 3, 4}
    assert len(tally.false) == 3


@pytest.mark.parametrize("in_answers", [True, False])
def test_a_subscription_that_was_masked_in_one_place_is_masked_everywhere(follow: Any, in_answers: bool) -> None:
    real = "0b1f6471-1bf0-4dda-aec3-cb9272f09590"
    known = {"connectionType": "IPsec", "virtualNetworkGateway1": {"id": f"{NETWORK}/virtualNetworkGateways/gw"}}
    document = {"id": CONNECTION, "location": "westus", "properties": known}
    as_it_was = json.loads(json.dumps(document).replace("00000000-0000-0000-0000-000000000000", real))
    asked, answered = (document, as_it_was) if in_answers else (as_it_was, document)

    tally = follow(exchange("PUT", CONNECTION, answered, sent(asked)), exchange("GET", CONNECTION, answered))

    assert (tally.compared, tally.false) == ({2}, [])


def test_previews_of_the_contract_say_nothing(follow: Any) -> None:
    lines = [
        exchange("PUT", SITE, asked=sent(site("10.1.0.0/16"))),
        exchange("GET", SITE, site("10.2.0.0/16"), url=f"{SITE}?api-version=2015-05-01-preview"),
    ]

    assert follow(*lines).compared == set()


def test_maintenance_of_machines_is_not_ours(follow: Any) -> None:
    path = f"{GROUP}/providers/Microsoft.Maintenance/maintenanceConfigurations/m"

    tally = follow(exchange("PUT", path, asked={"properties": {"maintenanceScope": "InGuestPatch", "reboot": True}}))

    assert (tally.unsaid, len(tally.skipped)) == ([], 1)


def test_a_write_in_unknown_words_is_compared_from_its_first_answer_on(follow: Any) -> None:
    tally = follow(
        exchange("PUT", SITE, site("10.1.0.0/16"), NOT_RECORDED, date="2024-09-14T11:29:20Z"),
        exchange("GET", SITE, site("10.1.0.0/16"), date="2024-09-14T11:29:30Z"),
        exchange("GET", SITE, site("10.1.0.0/16"), date="2024-09-14T11:29:40Z"),
        exchange("GET", SITE, site("10.2.0.0/16"), date="2024-09-14T11:29:50Z"),
        exchange("GET", SITE, site("10.3.0.0/16"), date="2024-09-14T11:29:21Z"),
    )

    assert tally.compared == {3, 4}
    assert [text.partition(" GET")[0] for text in tally.false] == ["line 4"]
