"""Deployments of templates, asked for by the SDK's own deployments package; time is virtual."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from tests.simulator.conftest import (
    GROUP,
    NETWORK,
    OTHER_SUBSCRIPTION,
    REGION,
    SUBSCRIPTION,
    Body,
    connection,
    gateway,
    public_ip,
    site,
    vnet,
)
from vpngw_iac.simulator import Fault, Governance, Grant, Policy, Simulator, VirtualTime
from vpngw_iac.simulator.faults import AnswerInstead, AnswerStrangely, BreakConnection, Effect

VERSION = "2024-05-01"
KEY = "Sekret-99-never-told"


def template(*resources: Body, subscription: bool = False, **sections: Any) -> Body:
    name = "subscriptionDeploymentTemplate" if subscription else "deploymentTemplate"
    schema = f"https://schema.management.azure.com/schemas/2019-04-01/{name}.json#"
    return {"$schema": schema, "contentVersion": "1.0.0.0", "resources": list(resources), **sections}


def resource(arm_type: str, name: str, body: Body, *needs: str, **more: Any) -> Body:
    head = {"type": f"Microsoft.Network/{arm_type}", "apiVersion": VERSION, "name": name}
    return {**head, **body, **({"dependsOn": list(needs)} if needs else {}), **more}


def nested(name: str, inner: Body, *needs: str, scope: str = "inner", given: Body | None = None, **place: Any) -> Body:
    properties: Body = {
        "mode": "Incremental",
        "expressionEvaluationOptions": {"scope": scope},
        "template": inner,
        "parameters": given or {},
    }
    head = {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": name, **place}
    return {**head, "dependsOn": list(needs), "properties": properties}


def wish(told: Body, mode: str = "Incremental", **parameters: Any) -> Body:
    given = {name: {"value": value} for name, value in parameters.items()}
    return {"properties": {"mode": mode, "template": told, "parameters": given}}


def _deep(levels: int) -> Any:
    return {"a": _deep(levels - 1)} if levels else 1


@pytest.fixture
def deploy(simulator: Simulator, deployments: Any) -> Callable[..., Any]:
    simulator.put(GROUP, {"location": REGION})

    def run(told: Body, name: str = "d", mode: str = "Incremental", **parameters: Any) -> Any:
        return deployments.deployments.begin_create_or_update("rg-hub", name, wish(told, mode, **parameters)).result()

    return run


def error_of(raised: pytest.ExceptionInfo[HttpResponseError]) -> Body:
    assert raised.value.response is not None
    found: Body = json.loads(raised.value.response.text())["error"]
    return found


def refused(deploy: Callable[..., Any], told: Body, **parameters: Any) -> Body:
    with pytest.raises(HttpResponseError) as raised:
        deploy(told, **parameters)
    return error_of(raised)


HUB = template(
    resource("virtualNetworks", "vnet-hub", vnet()),
    resource("publicIPAddresses", "pip-1", public_ip()),
    resource(
        "virtualNetworkGateways",
        "vgw-hub",
        gateway(),
        "vnet-hub",
        "[resourceId('Microsoft.Network/publicIPAddresses', 'pip-1')]",
    ),
    resource("localNetworkGateways", "lgw-berlin", site()),
    resource(
        "connections",
        "con-berlin",
        connection(key="[parameters('key')]"),
        "Microsoft.Network/virtualNetworkGateways/vgw-hub",
        "lgw-berlin",
    ),
    parameters={"key": {"type": "securestring"}},
    outputs={
        "address": {"type": "string", "value": "[reference('pip-1').ipAddress]"},
        "key": {"type": "securestring", "value": "[parameters('key')]"},
    },
)


def test_a_hub_is_deployed_in_the_order_of_its_dependencies(
    deploy: Callable[..., Any], simulator: Simulator, deployments: Any, time: VirtualTime
) -> None:
    done = deploy(HUB, key=KEY)

    assert done.properties.provisioning_state == "Succeeded"
    documents = simulator.documents()
    assert {name.rsplit("/", 1)[-1] for name in documents} == {
        *("rg-hub", "vnet-hub", "GatewaySubnet", "pip-1", "vgw-hub", "lgw-berlin", "con-berlin")
    }
    assert all(d["properties"].get("provisioningState", "Succeeded") == "Succeeded" for d in documents.values())
    address = documents[f"{NETWORK}/publicIPAddresses/pip-1"]["properties"]["ipAddress"]
    assert done.properties.outputs["address"] == {"type": "String", "value": address}
    began = {
        each.properties.target_resource.resource_name: each.properties.timestamp
        for each in deployments.deployment_operations.list("rg-hub", "d")
        if each.properties.target_resource is not None
    }
    assert began["pip-1"] < began["vgw-hub"] < began["con-berlin"]
    assert began["lgw-berlin"] < began["vgw-hub"]
    assert time.now() < 2 * 3600


def test_time_that_passes_at_once_is_the_same_time(deploy: Callable[..., Any], simulator: Simulator) -> None:
    """Nobody asks for hours: each resource began when those before it had ended, not when somebody asked."""
    seconds = []
    for pause in (5.0, 86_400.0):
        time = VirtualTime()
        cloud = Simulator(time=time)
        cloud.put(GROUP, {"location": REGION})
        path = f"{GROUP}/providers/Microsoft.Resources/deployments/d?api-version=2022-09-01"
        cloud.send("PUT", path, {}, json.dumps(wish(HUB, key=KEY)).encode())
        for _ in range(1000):
            time.advance(pause)
            told = json.loads(cloud.send("GET", path)[2])["properties"]
            if told["provisioningState"] == "Succeeded":
                break
        seconds.append(told["duration"])
    assert seconds[0] == seconds[1]


def test_secrets_are_in_no_answer(deploy: Callable[..., Any], simulator: Simulator, deployments: Any) -> None:
    before = deployments.deployments.begin_what_if("rg-hub", "d", wish(HUB, key=KEY)).result()
    checked = deployments.deployments.begin_validate("rg-hub", "d", wish(HUB, key=KEY)).result()
    done = deploy(HUB, key=KEY)
    listed = list(deployments.deployments.list_by_resource_group("rg-hub"))
    operations = list(deployments.deployment_operations.list("rg-hub", "d"))
    exported = deployments.deployments.export_template("rg-hub", "d")

    told = json.dumps([each.as_dict() for each in (before, checked, done, *listed, *operations, exported)])
    assert KEY not in told
    assert done.properties.parameters == {"key": {"type": "SecureString"}}
    assert done.properties.outputs["key"] == {"type": "SecureString"}


def test_a_deployment_that_is_over_has_forgotten_its_secrets(tmp_path: Path) -> None:
    cloud = Simulator(tmp_path, time=VirtualTime())
    told = template(
        parameters={"key": {"type": "securestring"}, "more": {"type": "secureObject"}},
        outputs={"long": {"type": "int", "value": "[length(parameters('key'))]"}},
    )
    cloud.put(GROUP, {"location": REGION})
    path = f"{GROUP}/providers/Microsoft.Resources/deployments/d?api-version=2022-09-01"
    cloud.send("PUT", path, {}, json.dumps(wish(told, key=KEY, more={"inner": KEY})).encode())
    told = json.loads(cloud.send("GET", path)[2])
    assert told["properties"]["outputs"]["long"]["value"] == len(KEY)
    again = Simulator(tmp_path, time=VirtualTime())
    assert json.loads(again.send("GET", path)[2]) == told
    assert all(KEY not in json.dumps(each.record()) for each in again._store.deployments.values())


def test_a_deployment_goes_on_in_another_process(tmp_path: Path) -> None:
    path = f"{GROUP}/providers/Microsoft.Resources/deployments/d?api-version=2022-09-01"
    time = VirtualTime()
    first = Simulator(tmp_path, time=time)
    first.put(GROUP, {"location": REGION})
    assert first.send("PUT", path, {}, json.dumps(wish(HUB, key=KEY)).encode())[0] == 201
    second = Simulator(tmp_path, time=VirtualTime(time.now() + 50_000))
    assert json.loads(second.send("GET", path)[2])["properties"]["provisioningState"] == "Succeeded"
    assert f"{NETWORK}/connections/con-berlin" in second.documents()


def test_the_cli_creates_a_connection_by_its_template(
    deploy: Callable[..., Any], simulator: Simulator, hub: Callable[..., None], deployments: Any
) -> None:
    """`az network vpn-connection create` (``test_network_vpn_connection_ipsec``): its output has the key in clear."""
    hub()
    told = {
        "$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {"sharedKey": {"type": "securestring", "metadata": {"description": "Secure sharedKey"}}},
        "variables": {},
        "resources": [
            {
                "type": "Microsoft.Network/connections",
                "name": "conn1",
                "location": REGION,
                "tags": {},
                "apiVersion": "2015-06-15",
                "dependsOn": [],
                "properties": {
                    "virtualNetworkGateway1": {"id": f"{NETWORK}/virtualNetworkGateways/vgw-hub"},
                    "enableBgp": False,
                    "connectionType": "IPSec",
                    "routingWeight": 10,
                    "usePolicyBasedTrafficSelectors": False,
                    "expressRouteGatewayBypass": None,
                    "localNetworkGateway2": {"id": f"{NETWORK}/localNetworkGateways/lgw-berlin"},
                    "sharedKey": "[parameters('sharedKey')]",
                },
            }
        ],
        "outputs": {"resource": {"type": "object", "value": "[reference('conn1')]"}},
    }
    poller = deployments.deployments.begin_create_or_update(
        "rg-hub", "vpn_connection_deploy_x", wish(told, mode="incremental", sharedKey="AzureA1b2C3")
    )
    accepted = poller.polling_method()._initial_response.http_response.json()
    assert accepted["properties"]["provisioningState"] == "Accepted"
    assert accepted["properties"]["parameters"] == {"sharedKey": {"type": "SecureString"}}
    done = poller.result().properties
    assert done.mode == "Incremental"
    assert done.outputs["resource"]["type"] == "Object"
    value = done.outputs["resource"]["value"]
    assert (value["provisioningState"], value["connectionType"], value["sharedKey"]) == (
        "Succeeded",
        "IPsec",
        "AzureA1b2C3",
    )
    assert [each.id for each in done.output_resources] == [f"{NETWORK}/connections/conn1"]
    (provider,) = done.providers
    assert (provider.namespace, provider.resource_types[0].locations) == ("Microsoft.Network", [REGION])


# --- loops, conditions, children, scopes


def test_loops_make_resources_properties_variables_and_outputs(
    deploy: Callable[..., Any], simulator: Simulator
) -> None:
    told = template(
        resource(
            "localNetworkGateways",
            "[concat('lgw-', variables('names')[copyIndex('sites')])]",
            site(address="[concat('203.0.113.', copyIndex(10))]"),
            copy={"name": "sites", "count": "[length(variables('names'))]"},
        ),
        resource("virtualNetworks", "late", vnet(gateway_subnet=None), "sites"),
        variables={"copy": [{"name": "names", "count": 3, "input": "[format('s{0}', copyIndex('names', 1))]"}]},
        outputs={
            "ids": {
                "type": "array",
                "copy": {
                    "count": 3,
                    "input": "[resourceId('Microsoft.Network/localNetworkGateways', format('lgw-s{0}', copyIndex(1)))]",
                },
            }
        },
    )
    done = deploy(told)
    addresses = [
        simulator.documents()[f"{NETWORK}/localNetworkGateways/lgw-s{n}"]["properties"]["gatewayIpAddress"]
        for n in (1, 2, 3)
    ]
    assert addresses == ["203.0.113.10", "203.0.113.11", "203.0.113.12"]
    assert done.properties.outputs["ids"]["value"] == [f"{NETWORK}/localNetworkGateways/lgw-s{n}" for n in (1, 2, 3)]


def test_a_serial_loop_runs_in_batches(deploy: Callable[..., Any], deployments: Any) -> None:
    loop = {"name": "sites", "count": 5, "mode": "serial", "batchSize": 2}
    deploy(template(resource("localNetworkGateways", "[concat('lgw-', copyIndex())]", site(), copy=loop)))
    ended = {
        each.properties.target_resource.resource_name: each.properties.timestamp
        for each in deployments.deployment_operations.list("rg-hub", "d")
        if each.properties.target_resource is not None
    }
    assert ended["lgw-0"] == ended["lgw-1"] < ended["lgw-2"] == ended["lgw-3"] < ended["lgw-4"]


def test_what_a_condition_excludes_is_not_waited_for(deploy: Callable[..., Any], simulator: Simulator) -> None:
    told = template(
        resource("localNetworkGateways", "lgw-a", site(), condition="[equals(parameters('which'), 'a')]"),
        resource("localNetworkGateways", "lgw-a", site("203.0.113.77"), condition="[equals(parameters('which'), 'b')]"),
        resource("localNetworkGateways", "lgw-b", site(), condition="[not(equals(parameters('which'), 'b'))]"),
        resource("publicIPAddresses", "pip", public_ip(), "lgw-b"),
        parameters={"which": {"type": "string", "allowedValues": ["a", "b"]}},
    )
    deploy(told, which="b")
    found = simulator.documents()
    assert found[f"{NETWORK}/localNetworkGateways/lgw-a"]["properties"]["gatewayIpAddress"] == "203.0.113.77"
    assert f"{NETWORK}/localNetworkGateways/lgw-b" not in found
    assert f"{NETWORK}/publicIPAddresses/pip" in found


def test_children_may_stand_inside_or_beside_their_parent(deploy: Callable[..., Any], simulator: Simulator) -> None:
    inside = {"type": "subnets", "apiVersion": VERSION, "name": "inside", "dependsOn": ["vnet"]}
    told = template(
        resource(
            "virtualNetworks",
            "vnet",
            vnet(gateway_subnet=None),
            resources=[{**inside, "properties": {"addressPrefix": "10.1.1.0/24"}}],
        ),
        resource(
            "virtualNetworks/subnets", "vnet/beside", {"properties": {"addressPrefix": "10.1.2.0/24"}}, "vnet/inside"
        ),
    )
    deploy(told)
    assert {
        f"{NETWORK}/virtualNetworks/vnet/subnets/{name}" for name in ("inside", "beside")
    } <= simulator.documents().keys()


def test_extensions_hang_on_their_scope(deploy: Callable[..., Any], simulator: Simulator) -> None:
    lock = {"type": "Microsoft.Authorization/locks", "apiVersion": "2020-05-01"}
    level = {"properties": {"level": "CanNotDelete"}}
    told = template(
        resource("publicIPAddresses", "pip", public_ip()),
        {**lock, **level, "name": "short", "scope": "Microsoft.Network/publicIPAddresses/pip", "dependsOn": ["pip"]},
        {
            **lock,
            **level,
            "name": "long",
            "scope": "[resourceId('Microsoft.Network/publicIPAddresses', 'pip')]",
            "dependsOn": ["pip"],
        },
        {**lock, **level, "name": "of-the-group"},
        {
            "type": "Microsoft.Network/publicIPAddresses/providers/locks",
            "apiVersion": "2020-05-01",
            "name": "pip/Microsoft.Authorization/old",
            "dependsOn": ["pip"],
            **level,
        },
    )
    deploy(told)
    locks = "providers/Microsoft.Authorization/locks"
    assert {
        *(f"{NETWORK}/publicIPAddresses/pip/{locks}/{name}" for name in ("short", "long", "old")),
        f"{GROUP}/{locks}/of-the-group",
    } <= simulator.documents().keys()


def test_nested_templates_work_in_their_own_scope_or_in_their_parents(
    deploy: Callable[..., Any], simulator: Simulator, deployments: Any
) -> None:
    inner = template(
        resource("localNetworkGateways", "[concat('lgw-', parameters('n'))]", site()),
        parameters={"n": {"type": "string", "defaultValue": "default"}},
        outputs={"name": {"type": "string", "value": "[concat('lgw-', parameters('n'))]"}},
    )
    told = template(
        nested("in", inner, given={"n": {"value": "[concat(parameters('n'), '-inner')]"}}),
        nested("out", inner, "in", scope="outer"),
        parameters={"n": {"type": "string"}},
        outputs={"name": {"type": "string", "value": "[reference('in').outputs.name.value]"}},
    )
    done = deploy(told, n="x")
    names = {name.rsplit("/", 1)[-1] for name in simulator.documents() if "/localNetworkGateways/" in name}
    assert names == {"lgw-x-inner", "lgw-x"}
    assert done.properties.outputs["name"]["value"] == "lgw-x-inner"
    assert {each.name for each in deployments.deployments.list_by_resource_group("rg-hub")} == {"d", "in", "out"}
    assert deployments.deployments.get("rg-hub", "out").properties.provisioning_state == "Succeeded"


def test_a_subscription_is_deployed_to_with_its_groups(simulator: Simulator, deployments: Any) -> None:
    group = {"type": "Microsoft.Resources/resourceGroups", "apiVersion": "2022-09-01", "location": REGION}
    inner = template(
        resource("publicIPAddresses", "pip", {**public_ip(), "location": "[resourceGroup().location]"}),
        outputs={"id": {"type": "string", "value": "[resourceId('Microsoft.Network/publicIPAddresses', 'pip')]"}},
    )
    told = template(
        {**group, "name": "rg-a", "tags": {"is": "[subscription().subscriptionId]"}},
        nested(
            "a", inner, "[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'rg-a')]", resourceGroup="rg-a"
        ),
        nested("b", inner, "a", resourceGroup="rg-b", subscriptionId=OTHER_SUBSCRIPTION),
        subscription=True,
        outputs={"a": {"type": "string", "value": "[reference('a').outputs.id.value]"}},
    )
    simulator.put(f"/subscriptions/{OTHER_SUBSCRIPTION}/resourceGroups/rg-b", {"location": REGION})
    body = {**wish(told), "location": REGION}
    done = deployments.deployments.begin_create_or_update_at_subscription_scope("s", body).result()
    first = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-a"
    other = f"/subscriptions/{OTHER_SUBSCRIPTION}/resourceGroups/rg-b"
    found = simulator.documents()
    assert found[first]["tags"] == {"is": SUBSCRIPTION}
    assert {f"{each}/providers/Microsoft.Network/publicIPAddresses/pip" for each in (first, other)} <= found.keys()
    assert done.location == REGION
    assert done.properties.outputs["a"]["value"].startswith(first)
    assert [each.name for each in deployments.deployments.list_at_subscription_scope()] == ["s"]


def test_a_template_for_a_group_fails_at_a_subscription_and_spoils_nothing(
    simulator: Simulator, deployments: Any, deploy: Callable[..., Any]
) -> None:
    told = template(resource("publicIPAddresses", "pip", public_ip()))

    with pytest.raises(HttpResponseError, match="lies in a resource group"):
        deployments.deployments.begin_create_or_update_at_subscription_scope(
            "wrong", {**wish(told), "location": REGION}
        ).result()

    assert deploy(told).properties.provisioning_state == "Succeeded"


def test_symbolic_names_are_followed(deploy: Callable[..., Any], simulator: Simulator) -> None:
    told = template(
        languageVersion="2.0",
        outputs={"ip": {"type": "string", "value": "[reference('address').ipAddress]"}},
    )
    told["resources"] = {
        "there": {**resource("virtualNetworks", "vnet", {}), "existing": True},
        "address": resource("publicIPAddresses", "pip", public_ip(), "late"),
        "late": resource("localNetworkGateways", "lgw", site()),
    }
    done = deploy(told)
    assert done.properties.outputs["ip"]["value"]
    assert not any("virtualNetworks" in name for name in simulator.documents())


def test_key_vault_references_are_looked_up(deploy: Callable[..., Any], simulator: Simulator, deployments: Any) -> None:
    simulator.vault.put("kv-hub", "berlin", KEY)
    vault = {"id": f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-hub"}
    told = template(
        parameters={"key": {"type": "securestring"}},
        outputs={"n": {"type": "int", "value": "[length(parameters('key'))]"}},
    )
    body = wish(told)
    body["properties"]["parameters"] = {"key": {"reference": {"keyVault": vault, "secretName": "berlin"}}}
    done = deployments.deployments.begin_create_or_update("rg-hub", "d", body).result()
    assert done.properties.outputs["n"]["value"] == len(KEY)
    body["properties"]["parameters"]["key"]["reference"]["secretName"] = "paris"
    with pytest.raises(HttpResponseError) as raised:
        deployments.deployments.begin_create_or_update("rg-hub", "d", body)
    assert error_of(raised)["code"] == "KeyVaultParameterReferenceSecretRetrieveFailed"


# --- what goes wrong


def test_one_failure_holds_back_what_needs_it_and_nothing_else(
    deploy: Callable[..., Any], simulator: Simulator, deployments: Any
) -> None:
    told = template(
        resource("virtualNetworks", "bad", vnet(gateway_subnet="192.168.0.0/24")),
        resource("localNetworkGateways", "after", site(), "bad"),
        resource("localNetworkGateways", "beside", site()),
    )
    with pytest.raises(HttpResponseError) as raised:
        deploy(told)
    assert raised.value.error is not None
    assert raised.value.error.code == "DeploymentFailed"
    assert {name.rsplit("/", 1)[-1] for name in simulator.documents()} == {"rg-hub", "beside"}
    kept = deployments.deployments.get("rg-hub", "d").properties
    assert (kept.provisioning_state, kept.error.code) == ("Failed", "DeploymentFailed")
    assert [each.code for each in kept.error.details] == ["NetcfgInvalidSubnet"]
    states = {
        each.properties.target_resource.resource_name: (each.properties.provisioning_state, each.properties.status_code)
        for each in deployments.deployment_operations.list("rg-hub", "d")
    }
    assert states == {"bad": ("Failed", "400"), "beside": ("Succeeded", "Created")}


def test_connections_beyond_what_a_gateway_takes_at_a_time_need_an_order(
    deploy: Callable[..., Any], simulator: Simulator, hub: Callable[..., None]
) -> None:
    """Azure says 409 AnotherOperationInProgress, and a deployment is no cleverer than another client (R-OPS-02)."""
    hub()
    names = [f"s{number}" for number in range(9)]
    sites = [resource("localNetworkGateways", f"lgw-{n}", site(f"203.0.113.{k}")) for k, n in enumerate(names, 20)]
    at_once = [resource("connections", f"con-{n}", connection(f"lgw-{n}"), f"lgw-{n}") for n in names]
    assert {each["code"] for each in refused(deploy, template(*sites, *at_once))["details"]} == {
        "AnotherOperationInProgress"
    }
    in_order = [
        resource(
            "connections", f"con-{n}", connection(f"lgw-{n}"), f"lgw-{n}", *([f"con-{names[k - 4]}"] if k > 3 else [])
        )
        for k, n in enumerate(names)
    ]
    assert deploy(template(*sites, *in_order)).properties.provisioning_state == "Succeeded"
    assert {f"{NETWORK}/connections/con-{n}" for n in names} <= simulator.documents().keys()


def test_what_azure_says_can_be_repeated_is_repeated(
    deploy: Callable[..., Any], simulator: Simulator, time: VirtualTime
) -> None:
    instead = AnswerInstead(status=429, code="RetryableError", message="Later.", retry_after=30)
    simulator.faults.add(Fault(effect=instead, method="PUT", path="*/localNetworkGateways/*", times=3))
    done = deploy(template(resource("localNetworkGateways", "lgw", site())))
    assert done.properties.provisioning_state == "Succeeded"
    assert time.now() >= 90


def test_faults_strike_a_deployment_as_any_client(deploy: Callable[..., Any], simulator: Simulator) -> None:
    instead = AnswerInstead(status=403, code="AuthorizationFailed", message="No.")
    simulator.faults.add(Fault(effect=instead, method="PUT", path="*/localNetworkGateways/*"))
    error = refused(deploy, template(resource("localNetworkGateways", "lgw", site())))
    assert (error["code"], error["details"][0]["code"]) == ("DeploymentFailed", "AuthorizationFailed")


@pytest.mark.parametrize("effect", [BreakConnection(), AnswerInstead(html=True)])
def test_trouble_on_the_way_fails_a_deployment_and_not_who_asks_for_it(
    deploy: Callable[..., Any], simulator: Simulator, effect: Effect
) -> None:
    simulator.put(f"{NETWORK}/localNetworkGateways/lgw", site())
    simulator.faults.add(Fault(effect=effect, method="DELETE", path="*/localNetworkGateways/*"))
    error = refused(deploy, template(resource("routeTables", "rt", {"location": REGION})), mode="Complete")
    assert (error["code"], error["details"][0]["code"]) == (
        "DeploymentFailed",
        "ServiceUnavailable" if isinstance(effect, BreakConnection) else "503",
    )

    simulator.faults.add(Fault(effect=effect, method="GET", path="*/localNetworkGateways/*"))
    told = "[reference(resourceId('Microsoft.Network/localNetworkGateways', 'lgw'), '2024-05-01').gatewayIpAddress]"
    error = refused(deploy, template(outputs={"address": {"type": "string", "value": told}}))
    assert (error["code"], error["details"][0]["code"]) == ("DeploymentFailed", "DeploymentOutputEvaluationFailed")


def test_a_deployment_sends_again_also_when_told_no_time(deploy: Callable[..., Any], simulator: Simulator) -> None:
    strange = AnswerStrangely(done=False, status=503, headers={"Retry-After": "soon"})
    simulator.faults.add(Fault(effect=strange, method="PUT", path="*/localNetworkGateways/*"))
    deploy(template(resource("localNetworkGateways", "lgw", site())))
    assert f"{NETWORK}/localNetworkGateways/lgw" in simulator.documents()


def test_a_deployment_is_cancelled(simulator: Simulator, deployments: Any, time: VirtualTime) -> None:
    simulator.put(GROUP, {"location": REGION})
    deployments.deployments.begin_create_or_update("rg-hub", "d", wish(HUB, key=KEY), polling=False)
    time.advance(60)
    with pytest.raises(ResourceExistsError) as raised:
        deployments.deployments.begin_create_or_update("rg-hub", "d", wish(HUB, key=KEY))
    assert error_of(raised)["code"] == "DeploymentActive"
    deployments.deployments.cancel("rg-hub", "d")
    time.advance(86_400)
    assert deployments.deployments.get("rg-hub", "d").properties.provisioning_state == "Canceled"
    found = simulator.documents()
    assert found[f"{NETWORK}/virtualNetworkGateways/vgw-hub"]["properties"]["provisioningState"] == "Succeeded"
    assert f"{NETWORK}/connections/con-berlin" not in found
    with pytest.raises(ResourceExistsError):
        deployments.deployments.cancel("rg-hub", "d")


def test_a_deployment_is_taken_out_of_the_history(
    deploy: Callable[..., Any], simulator: Simulator, deployments: Any
) -> None:
    deploy(template(resource("localNetworkGateways", "lgw", site())))
    assert deployments.deployments.check_existence("rg-hub", "d")
    deployments.deployments.begin_delete("rg-hub", "d").result()
    assert not deployments.deployments.check_existence("rg-hub", "d")
    with pytest.raises(ResourceNotFoundError, match="DeploymentNotFound"):
        deployments.deployments.get("rg-hub", "d")
    assert f"{NETWORK}/localNetworkGateways/lgw" in simulator.documents()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (template(variables={"a": "[noSuchThing()]"}), "The template function 'noSuchThing' is not valid"),
        (template(resource("routeTables", "[nope(1)]", {})), "The template function 'nope' is not valid"),
        (
            template(resource("routeTables", "r", {"tags": {"x": "[nope(1)]"}})),
            "The template resource 'r' is not valid",
        ),
        (template(resource("routeTables", "r", {}, "gone")), "The resource 'gone' is not defined in the template"),
        (template(resource("routeTables", "r/x", {})), "has incorrect segment lengths"),
        (template(resource("routeTables", "r", {}), resource("routeTables", "R", {})), "defined multiple times"),
        (template(resource("routeTables", "a", {}, "b"), resource("routeTables", "b", {}, "a")), "Circular dependency"),
        (template({"type": "Microsoft.Network/routeTables", "name": "r"}), "The api-version is required"),
        (template(resource("routeTables", "r", {}, copy={"name": "c"})), "must have the properties 'name' and 'count'"),
        (template(resource("routeTables", "r", {}, copy={"name": "c", "count": 900})), "between 0 and 800"),
        (
            template(
                *(
                    resource("routeTables", f"[concat('{n}-', copyIndex())]", {}, copy={"name": n, "count": 500})
                    for n in "ab"
                )
            ),
            "Limit: '800' and actual: '1000'",
        ),
        (template(parameters={"p": {"type": "string"}}), "The value for the template parameter 'p' is not provided"),
        (template(parameters={"q": {"type": "int", "defaultValue": "1"}}), "Expected a value of type 'Int'"),
        (template(nonsense=1), "Could not find member 'nonsense'"),
        (template(parameters={"p": "string"}), "The template parameter 'p' is not valid: it must be an object"),
        (template(parameters={"p": None}), "The template parameter 'p' is not valid"),
        (template(parameters={"p": {"type": "int", "defaultValue": 1, "allowedValues": 1}}), "must be an array"),
        (template(parameters={"p": {"type": "int", "defaultValue": 1, "minValue": "1"}}), "must be an integer"),
        (
            template(
                parameters={
                    "p": {"type": "string", "defaultValue": "[parameters('q')]"},
                    "q": {"type": "string", "defaultValue": "[parameters('p')]"},
                }
            ),
            "its default value refers to itself",
        ),
        (template(outputs={"o": "x"}), "The template output 'o' is not valid: it must be an object"),
        (template(outputs={"o": {"type": "array", "copy": 3}}), "its 'copy' must be an object"),
        (template(outputs={"o": {"type": "int", "value": "[variables('no')]"}}), "template variable 'no' is not found"),
        (template(resource("routeTables", "r", {"tags": {"a": "[parameters('no')]"}})), "parameter 'no' is not found"),
        (template(functions=["x"]), "must be objects with the properties 'namespace' and 'members'"),
        (template(functions=[{"namespace": "a", "members": {"b": "x"}}]), "The template function 'b' is not valid"),
        ({**template(), "resources": {"a": "x"}}, "must be an array or an object of resources"),
        (template({**resource("routeTables", "r", {}), "name": {"a": 1}}), "must be a string, and is of type 'Object'"),
        (template(resource("routeTables", "r", {}, "r")), "Circular dependency detected"),
        (template(resource("routeTables", "r", {"tags": _deep(400)})), "nested more than 200 levels deep"),
        (template({**nested("n", template()), "properties": "x"}), "A nested deployment needs 'properties'"),
        ({"resources": []}, "Required property '$schema' not found"),
        (
            template(outputs={"o": {"type": "string", "value": "[reference('r')]"}}),
            "template reference 'r' is not valid",
        ),
    ],
)
def test_a_wrong_template_is_refused_before_anything_begins(
    deploy: Callable[..., Any], simulator: Simulator, told: Body, said: str
) -> None:
    error = refused(deploy, told)
    assert error["code"] == "InvalidTemplate"
    assert said in error["message"]
    assert error["additionalInfo"][0]["type"] == "TemplateViolation"
    assert list(simulator.documents()) == [GROUP]


@pytest.mark.parametrize(
    ("told", "value", "said"),
    [
        (
            {"type": "string", "allowedValues": ["a", "b"]},
            "c",
            "The value 'c' is not part of the allowed value(s): 'a,b'",
        ),
        ({"type": "securestring", "minLength": 99}, KEY, "should be greater than or equal to '99'"),
        ({"type": "securestring", "allowedValues": ["a"]}, KEY, "The value is not part of the allowed value(s)"),
        ({"type": "int", "maxValue": 5}, 6, "should be less than or equal to '5'"),
        (
            {"type": "secureObject"},
            KEY,
            "Expected a value of type 'SecureObject', but received a value of type 'String'",
        ),
    ],
)
def test_a_parameter_is_held_to_its_declaration(deploy: Callable[..., Any], told: Body, value: Any, said: str) -> None:
    error = refused(deploy, template(parameters={"p": told}), p=value)
    assert said in error["message"]
    assert KEY not in json.dumps(error)


def test_a_parameter_that_nobody_asked_for_is_refused(deploy: Callable[..., Any]) -> None:
    error = refused(deploy, template(parameters={"a": {"type": "int", "defaultValue": 1}}), b=1)
    assert "The template parameters 'b' in the parameters file are not valid" in error["message"]


@pytest.mark.parametrize(
    "more",
    [
        {"templateLink": "x"},
        {"parameters": {"p": {"reference": "x"}}},
        {"parameters": {"p": {"reference": {"keyVault": "x", "secretName": "y"}}}},
        {"parameters": "x"},
    ],
)
def test_a_request_of_the_wrong_shape_is_refused(simulator: Simulator, more: Body) -> None:
    simulator.put(GROUP, {"location": REGION})
    asked = {"mode": "Incremental", "template": template(parameters={"p": {"type": "string", "defaultValue": ""}})}
    for properties, top in (({**asked, **more}, {}), (asked, {"tags": "x"})):
        body = json.dumps({"properties": properties, **top}).encode()
        url = f"{GROUP}/providers/Microsoft.Resources/deployments/d?api-version=2025-04-01"
        assert simulator.send("PUT", url, {}, body)[0] == 400


def test_nobody_outside_can_say_what_a_nested_template_is_evaluated_with(simulator: Simulator) -> None:
    simulator.put(GROUP, {"location": REGION})
    properties = {"mode": "Incremental", "template": template(), "$outer": {"values": 1}}
    url = f"{GROUP}/providers/Microsoft.Resources/deployments/d?api-version=2025-04-01"
    assert simulator.send("PUT", url, {}, json.dumps({"properties": properties}).encode())[0] == 201


def test_a_default_may_name_a_parameter_that_comes_later(deploy: Callable[..., Any]) -> None:
    told = template(
        parameters={
            "p": {"type": "string", "defaultValue": "[concat(parameters('q'), '!')]"},
            "q": {"type": "string", "defaultValue": "x"},
        },
        outputs={"o": {"type": "string", "value": "[parameters('p')]"}},
    )
    assert deploy(told).properties.outputs["o"]["value"] == "x!"


def test_an_api_version_may_be_a_variable(deploy: Callable[..., Any], simulator: Simulator) -> None:
    deploy(
        template(
            {**resource("routeTables", "r", {"location": REGION}), "apiVersion": "[variables('v')]"},
            variables={"v": VERSION},
        )
    )
    assert f"{NETWORK}/routeTables/r" in simulator.documents()


def test_what_is_linked_is_not_downloaded(simulator: Simulator, deployments: Any) -> None:
    simulator.put(GROUP, {"location": REGION})
    body = {"properties": {"mode": "Incremental", "templateLink": {"uri": "https://example.com/t.json"}}}
    with pytest.raises(HttpResponseError) as raised:
        deployments.deployments.begin_create_or_update("rg-hub", "d", body)
    error = error_of(raised)
    assert error["code"] == "InvalidContentLink"
    assert "https://example.com/t.json" in error["message"]


def test_what_is_not_simulated_is_said_before_anything_begins(deploy: Callable[..., Any], simulator: Simulator) -> None:
    told = template(
        resource("localNetworkGateways", "lgw", site()), resource("virtualWans", "wan", {"location": REGION})
    )
    with pytest.raises(HttpResponseError) as raised:
        deploy(told)
    assert raised.value.status_code == 501
    assert "virtualWans" in error_of(raised)["message"]
    assert list(simulator.documents()) == [GROUP]
    with pytest.raises(HttpResponseError, match="cidrSubnet"):
        deploy(template(variables={"v": "[cidrSubnet('10.0.0.0/16', 24, 0)]"}))


def test_policies_and_rights_refuse_before_anything_begins(
    deploy: Callable[..., Any], simulator: Simulator, deployments: Any
) -> None:
    told = template(resource("localNetworkGateways", "lgw", site()), resource("publicIPAddresses", "pip", public_ip()))
    simulator.governance = Governance(policies=(Policy(name="no-sites", types=("*/localNetworkGateways",)),))
    error = refused(deploy, told)
    assert (error["code"], error["details"][0]["code"]) == ("InvalidTemplateDeployment", "RequestDisallowedByPolicy")
    simulator.governance = Governance(grants=(Grant(actions=("Microsoft.Resources/*", "*/publicIPAddresses/*")),))
    with pytest.raises(HttpResponseError) as raised:
        deployments.deployments.begin_validate("rg-hub", "d", wish(told))
    error = error_of(raised)
    assert (error["code"], error["details"][0]["code"]) == ("InvalidTemplateDeployment", "AuthorizationFailed")
    assert list(simulator.documents()) == [GROUP]


# --- what-if, complete mode


def changes(answer: Any) -> dict[str, str]:
    assert answer.status == "Succeeded"
    return {each.resource_id.rsplit("/", 1)[-1]: each.change_type.value for each in answer.properties.changes}


def test_what_if_tells_what_would_come_and_changes_nothing(
    deploy: Callable[..., Any], simulator: Simulator, deployments: Any
) -> None:
    ask = deployments.deployments.begin_what_if
    simulator.put(f"{NETWORK}/routeTables/other", {"location": REGION})
    before = simulator.documents()
    found = changes(ask("rg-hub", "w", wish(HUB, key=KEY)).result())
    assert found == dict.fromkeys(["con-berlin", "lgw-berlin", "pip-1", "vgw-hub", "vnet-hub"], "Create") | {
        "other": "Ignore"
    }
    assert simulator.documents() == before
    assert list(deployments.deployments.list_by_resource_group("rg-hub")) == []

    deploy(HUB, key=KEY)
    found = changes(ask("rg-hub", "w", wish(HUB, key=KEY)).result())
    assert set(found.values()) == {"NoChange", "Ignore"}

    edited = json.loads(json.dumps(HUB))
    edited["resources"][3]["properties"]["gatewayIpAddress"] = "203.0.113.99"
    edited["resources"][3]["tags"] = {"new": "1"}
    answer = ask("rg-hub", "w", wish(edited, key=KEY)).result()
    assert changes(answer)["lgw-berlin"] == "Modify"
    (change,) = [each for each in answer.properties.changes if each.change_type == "Modify"]
    told = {each.path: (each.property_change_type.value, each.before, each.after) for each in change.delta}
    assert told == {
        "properties.gatewayIpAddress": ("Modify", "203.0.113.10", "203.0.113.99"),
        "tags": ("Create", None, {"new": "1"}),
    }


def test_what_if_says_what_would_be_refused(deploy: Callable[..., Any], deployments: Any) -> None:
    told = template(resource("virtualNetworks", "bad", vnet(gateway_subnet="192.168.0.0/24")))
    (change,) = deployments.deployments.begin_what_if("rg-hub", "w", wish(told)).result().properties.changes
    assert change.change_type == "Unsupported"
    assert "NetcfgInvalidSubnet" in change.unsupported_reason


def test_complete_mode_deletes_what_the_template_does_not_hold(
    deploy: Callable[..., Any], simulator: Simulator, hub: Callable[..., None], deployments: Any
) -> None:
    hub(with_connection=True)
    told = template(resource("localNetworkGateways", "lgw-paris", site("203.0.113.50")))
    answer = deployments.deployments.begin_what_if("rg-hub", "d", wish(told, mode="Complete")).result()
    assert changes(answer)["vgw-hub"] == "Delete"
    done = deploy(told, mode="Complete")
    assert done.properties.mode == "Complete"
    assert {name.rsplit("/", 1)[-1] for name in simulator.documents()} == {"rg-hub", "lgw-paris"}


def test_complete_mode_deletes_what_a_condition_excludes_and_says_so(
    deploy: Callable[..., Any], simulator: Simulator, deployments: Any
) -> None:
    stays, goes = resource("routeTables", "rt", {"location": REGION}), resource("localNetworkGateways", "lgw", site())
    deploy(template(stays, goes))

    done = deploy(template(stays, {**goes, "condition": False}), name="again", mode="Complete")

    assert {each.id for each in done.properties.output_resources} == {f"{NETWORK}/routeTables/rt"}
    told = {
        each.properties.target_resource.id.rsplit("/", 1)[-1]: each.properties.as_dict()
        for each in deployments.deployment_operations.list("rg-hub", "again")
        if each.properties.target_resource is not None
    }
    assert {name: each["provisioningOperation"] for name, each in told.items()} == {"rt": "Create", "lgw": "Delete"}
    assert told["lgw"]["provisioningState"] == "Succeeded"
    assert told["lgw"]["duration"] != "PT0S", "it takes the time of a deletion"
    assert f"{NETWORK}/localNetworkGateways/lgw" not in simulator.documents()


def test_complete_mode_is_not_for_subscriptions(simulator: Simulator, deployments: Any) -> None:
    body = {**wish(template(subscription=True), mode="Complete"), "location": REGION}
    with pytest.raises(HttpResponseError, match="Complete mode"):
        deployments.deployments.begin_create_or_update_at_subscription_scope("s", body)


def test_what_is_locked_stays_in_complete_mode(deploy: Callable[..., Any], simulator: Simulator) -> None:
    simulator.put(f"{NETWORK}/publicIPAddresses/pip", public_ip())
    lock = f"{NETWORK}/publicIPAddresses/pip/providers/Microsoft.Authorization/locks/keep"
    simulator.put(lock, {"properties": {"level": "CanNotDelete"}})
    with pytest.raises(HttpResponseError, match="DeploymentFailed"):
        deploy(template(resource("localNetworkGateways", "lgw", site())), mode="Complete")
    assert lock in simulator.documents()


def test_a_deleted_group_takes_its_deployments_along(
    deploy: Callable[..., Any], simulator: Simulator, deployments: Any, groups: Any
) -> None:
    deploy(template(resource("localNetworkGateways", "lgw", site())))
    groups.resource_groups.begin_delete("rg-hub").result()
    simulator.put(GROUP, {"location": REGION})
    assert list(deployments.deployments.list_by_resource_group("rg-hub")) == []
