"""What stands in an exported template: order, secrets, places, sizes, and what is told because it cannot be said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.export.deploying import SUBSCRIPTION, Cloud
from tests.simulator.test_template_expressions import environment
from vpngw_iac import (
    Bgp,
    Diagnostics,
    Lock,
    Maintenance,
    Pair,
    RoleAssignment,
    Secret,
    Site,
    SiteToSite,
    Spoke,
    Topology,
    VirtualNetwork,
    VnetToVnet,
    VpnGateway,
)
from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.engine.plan.change import Action
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.errors import UsageError
from vpngw_iac.export.exported import Exported
from vpngw_iac.export.expressions import Place, Words
from vpngw_iac.usecases.exporter import check_format, export_blueprint

VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults/kv-hub"


def hub(name: str = "hub", number: int = 1, **more: Any) -> VpnGateway:
    network = VirtualNetwork(
        name=f"vnet-{name}",
        location="westeurope",
        resource_group=f"rg-{name}",
        address_space=[f"10.{number}.0.0/16"],
        gateway_subnet=f"10.{number}.255.0/27",
    )
    return VpnGateway(name=f"vgw-{name}", network=network, sku="VpnGw2AZ", **more)


def site(number: int, key: Any = None) -> Site:
    return Site(
        name=f"s{number}",
        public_ip=f"203.0.{113 + number // 250}.{number % 250 + 1}",
        prefixes=[f"172.{16 + number // 250}.{number % 250}.0/24"],
        shared_key=key or Secret.env("PSK"),
    )


def sites(count: int, **more: Any) -> SiteToSite:
    return SiteToSite(name="many", gateway=hub(), sites=[site(number) for number in range(count)], **more)


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path, {"PSK": "Key-0123456789", "OTHER_PSK": "Key-9876543210"})


def exported(cloud: Cloud, blueprint: Blueprint, *vaults: str) -> Exported:
    return export_blueprint(cloud.workspace, blueprint, vaults)


def the_only(result: Exported) -> dict[str, Any]:
    (template,) = result.templates.values()
    return dict(template)


def resources(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of a template and of the nested ones in it."""
    for resource in template["resources"]:
        yield resource
        if resource["type"] == "Microsoft.Resources/deployments":
            yield from resources(resource["properties"]["template"])


def proved(cloud: Cloud, blueprint: Blueprint, *vaults: str) -> Exported:
    """Exported, deployed, deployed again, and adopted without a difference."""
    result = exported(cloud, blueprint, *vaults)
    cloud.deploy(result)
    before = _settled(cloud)
    cloud.deploy(result)
    assert _settled(cloud) == before
    plan = cloud.workspace.plan(blueprint, Options(adopt=("*",)))
    assert {change.action for change in plan.changes} == {Action.ADOPT}
    assert [difference for change in plan.changes for difference in change.differences] == []
    return result


_ALIVE = {
    "etag",
    "gatewayManagerEtag",
    "connectionStatus",
    "tunnelConnectionStatus",
    "ingressBytesTransferred",
    "egressBytesTransferred",
}


def _settled(cloud: Cloud) -> Any:
    """Everything that is there, but for what lives on by itself and what a write of the same leaves behind."""

    def still(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: still(item) for name, item in value.items() if name not in _ALIVE}
        return [still(item) for item in value] if isinstance(value, list) else value

    return still(cloud.simulator.documents())


def test_connections_of_a_gateway_wait_for_each_other_in_four_rows(cloud: Cloud) -> None:
    template = the_only(proved(cloud, sites(11)))
    needs = {r["name"]: r.get("dependsOn", []) for r in template["resources"] if r["type"].endswith("/connections")}
    before = {
        name: [each for each in needs if any(f"/connections', '{each}'" in need for need in names)]
        for name, names in needs.items()
    }
    rows = [name for name in needs if not before[name]]
    assert len(rows) == 4
    assert sorted(len(each) for each in before.values()) == [0] * 4 + [1] * 7
    assert len({each for names in before.values() for each in names}) == 7


def test_a_large_group_is_split_and_stays_in_order(cloud: Cloud) -> None:
    """Beyond 800 resources, nested templates; each waits for those whose resources it needs."""
    result = exported(cloud, sites(402))
    template = the_only(result)
    parts = template["resources"]
    assert {part["type"] for part in parts} == {"Microsoft.Resources/deployments"}
    sizes = [len(part["properties"]["template"]["resources"]) for part in parts]
    assert (len(parts), sum(sizes)) == (2, 402 * 2 + 3)
    assert max(sizes) <= 800
    assert parts[1]["dependsOn"] == [parts[0]["name"]]


def test_what_is_too_large_for_one_file_is_several(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is deployed after the one before: nothing in it waits for something that it does not hold."""
    monkeypatch.setattr("vpngw_iac.export.arm.MOST_BYTES", 20_000)
    monkeypatch.setattr("vpngw_iac.export.segments.MOST_RESOURCES", 10)
    result = proved(cloud, Topology(name="both", blueprints=[sites(20), other_sites()]))
    assert len(result.templates) > 1
    assert list(result.templates) == [f"both-{n}.json" for n in range(1, len(result.templates) + 1)]
    assert [line for line in result.commands if " create " in line and "deployment" in line] == [
        line for name in result.templates for line in result.commands if f"create --name {name[:-5]} " in line
    ]


def other_sites() -> SiteToSite:
    return SiteToSite(name="other", gateway=hub("other", 2), sites=[site(30)])


def test_secrets_are_parameters_and_stand_nowhere(cloud: Cloud) -> None:
    keys = [
        Secret.env("PSK"), Secret.env("PSK"), Secret.env("OTHER_PSK"), Secret.key_vault("kv-hub", "Berlin-Key"),
        Secret.key_vault("kv-hub", "berlin-key", version="7f3a"), Secret.generated("kv-hub", "made"),
    ]  # fmt: skip
    blueprint = SiteToSite(name="keys", gateway=hub(), sites=[site(n, key) for n, key in enumerate(keys)])
    result = exported(cloud, blueprint, VAULT)

    template = the_only(result)
    assert set(template["parameters"]) == {"psk", "otherPsk", "berlinKey", "berlinKey2", "made"}
    assert {each["type"] for each in template["parameters"].values()} == {"securestring"}
    used = [r["properties"]["sharedKey"] for r in template["resources"] if r["type"].endswith("/connections")]
    assert sorted(used)[:2] == ["[parameters('berlinKey')]", "[parameters('berlinKey2')]"]
    assert used.count("[parameters('psk')]") == 2
    (file,) = result.parameters_files.values()
    told = file["parameters"]["berlinKey2"]["reference"]
    assert told == {"keyVault": {"id": VAULT}, "secretName": "berlin-key", "secretVersion": "7f3a"}
    assert set(file["parameters"]) == {"berlinKey", "berlinKey2", "made"}
    assert any("made must be in the key vault kv-hub" in line for line in result.before)
    assert any('otherPsk="$OTHER_PSK"' in line and "@keys.parameters.json" in line for line in result.commands)
    assert result.unsaid == ()
    whole = json.dumps([result.templates, result.parameters_files, result.commands, result.before])
    assert not any(value in whole for value in cloud.environment.values())


def test_a_key_vault_whose_id_nobody_knows_is_told(cloud: Cloud) -> None:
    blueprint = SiteToSite(name="keys", gateway=hub(), sites=[site(1, Secret.key_vault("kv-hub", "k"))])
    result = exported(cloud, blueprint)
    assert [line.partition(":")[0] for line in result.unsaid] == ["key vault kv-hub"]
    (file,) = result.parameters_files.values()
    assert "/SUBSCRIPTION/" in file["parameters"]["k"]["reference"]["keyVault"]["id"]
    with pytest.raises(UsageError, match="no id of a key vault"):
        exported(cloud, blueprint, "kv-hub")


def test_two_groups_that_need_each_other_come_by_turns(cloud: Cloud) -> None:
    spoke = VirtualNetwork(
        name="vnet-spoke", location="westeurope", resource_group="rg-spoke", address_space=["10.9.0.0/16"]
    )
    blueprint = sites(2, spokes=[Spoke(network=spoke)])
    result = proved(cloud, blueprint)
    assert result.scope == "sub"
    groups = [r.get("resourceGroup") for r in the_only(result)["resources"] if "resourceGroup" in r]
    assert groups[0] == "rg-hub"
    assert groups.count("rg-spoke") == 2
    made = [r["name"] for r in the_only(result)["resources"] if r["type"] == "Microsoft.Resources/resourceGroups"]
    assert made == ["rg-hub", "rg-spoke"]


def test_what_hangs_on_a_gateway_is_an_extension_of_it(cloud: Cloud) -> None:
    logs = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights"
    gateway = hub(
        lock=Lock(level="CanNotDelete"),
        diagnostics=Diagnostics(workspace=f"{logs}/workspaces/w"),
        maintenance=Maintenance(start="02:00", time_zone="W. Europe Standard Time"),
        access=[RoleAssignment(role="Reader", principal="55555555-5555-4555-8555-555555555555")],
    )
    result = proved(cloud, SiteToSite(name="kept", gateway=gateway, sites=[site(1)]))
    scope = "[resourceId('Microsoft.Network/virtualNetworkGateways', 'vgw-hub')]"
    hanging = {r["type"]: r for r in the_only(result)["resources"] if r.get("scope") == scope}
    assert set(hanging) == {
        "Microsoft.Authorization/locks",
        "Microsoft.Authorization/roleAssignments",
        "Microsoft.Insights/diagnosticSettings",
        "Microsoft.Maintenance/configurationAssignments",
    }
    assert all(scope in each["dependsOn"] for each in hanging.values() if "locks" not in each["type"])
    assert [line for line in result.before if "workspaces/w" in line]


def test_a_lock_comes_after_what_it_would_refuse(cloud: Cloud) -> None:
    """A ReadOnly lock refuses every write below it, so it is the last."""
    gateway = hub(lock=Lock(level="ReadOnly"))
    result = exported(cloud, SiteToSite(name="kept", gateway=gateway, sites=[site(1), site(2)]))
    cloud.deploy(result)
    assert any("/locks/" in name for name in cloud.simulator.documents())


def test_nat_rules_and_bgp_survive_a_second_deployment(cloud: Cloud) -> None:
    from vpngw_iac import BgpPeer, Nat

    rule = Nat.egress("out", internal="10.1.1.0/24", external="100.64.1.0/24")
    one = Site(
        name="nat",
        public_ip="203.0.113.9",
        shared_key=Secret.env("PSK"),
        bgp=BgpPeer(asn=65020, address="172.31.0.1"),
        nat=[rule],
    )
    proved(cloud, SiteToSite(name="bgp", gateway=hub(bgp=Bgp(asn=65010)), sites=[one]))


def test_half_of_a_peering_is_told_and_left_out(cloud: Cloud) -> None:
    spoke = VirtualNetwork.existing(
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-spoke/providers/Microsoft.Network/virtualNetworks/vnet-spoke",
        location="westeurope",
        address_space=["10.9.0.0/16"],
    )
    result = exported(cloud, sites(1, spokes=[Spoke(network=spoke, manage="flags")]))
    assert len(result.unsaid) == 2
    assert all("transit flags" in line for line in result.unsaid)
    assert not any("Peering" in r["type"] for r in resources(the_only(result)))
    assert any("vnet-spoke" in line for line in result.before)


def test_a_secret_of_what_is_left_out_is_asked_of_nobody(cloud: Cloud) -> None:
    """No template takes it: nothing need be in the key vault, and nobody need know its id."""
    ends = (hub("a", 1, bgp=Bgp(asn=65010)), hub("b", 2, bgp=Bgp(asn=65011)))
    pair = Pair(a=ends[0], b=ends[1], via="ipsec", bgp=True, shared_key=Secret.generated("kv-hub", "made"))
    result = exported(cloud, VnetToVnet(name="two", pairs=[pair]))
    assert [line.split("/")[0] for line in result.unsaid] == ["LocalNetworkGateway"] * 2 + ["VpnConnection"] * 2
    assert result.before == ()
    assert result.parameters == {}


@pytest.mark.parametrize(
    ("identifier", "said"),
    [
        ("/subscriptions/S/resourceGroups/rg/providers/A.B/c/d", "resourceId('A.B/c', 'd')"),
        ("/subscriptions/s/resourceGroups/RG/providers/A.B/c/d/e/f", "resourceId('A.B/c/e', 'd', 'f')"),
        ("/subscriptions/S/resourceGroups/other/providers/A.B/c/d", "resourceId('other', 'A.B/c', 'd')"),
        ("/subscriptions/T/resourceGroups/rg/providers/A.B/c/d", "resourceId('T', 'rg', 'A.B/c', 'd')"),
        ("/subscriptions/S/resourceGroups/rg", "subscriptionResourceId('Microsoft.Resources/resourceGroups', 'rg')"),
        ("/subscriptions/S/providers/A.B/c/d", "subscriptionResourceId('A.B/c', 'd')"),
        ("/subscriptions/S/resourceGroups/rg/providers/A.B/c/it's", "resourceId('A.B/c', 'it''s')"),
        (
            "/subscriptions/S/resourceGroups/rg/providers/A.B/c/d/providers/E.F/g/h",
            "extensionResourceId(resourceId('A.B/c', 'd'), 'E.F/g', 'h')",
        ),
    ],
)
def test_ids_are_said_as_short_as_the_place_allows(identifier: str, said: str) -> None:
    words = Words(Place("s", "rg"), lambda _: "p", lambda _: "2026-03-01")
    assert words.id(ArmId(identifier)) == said


def test_a_text_that_looks_like_an_expression_stays_a_text() -> None:
    words = Words(Place("s", "rg"), lambda _: "p", lambda _: "2026-03-01")
    told = {"notes": "[not] one]", "tags": ["[a]", {"[owner]": "[open", "[[b]": "b]"}]}
    written = words.value(told)
    assert written == {"notes": "[[not] one]", "tags": ["[[a]", {"[[owner]": "[open", "[[[b]": "b]"}]}
    assert environment().value(written) == told


@pytest.mark.parametrize("name", ["bicep", "terraform"])
def test_what_cannot_be_proved_is_not_written(name: str) -> None:
    with pytest.raises(UsageError, match="not written"):
        check_format(name)
    check_format("arm")


def test_several_subscriptions_need_ours(tmp_path: Path) -> None:
    from vpngw_iac.usecases.offline import OfflineWorkspace

    elsewhere = VirtualNetwork(
        name="vnet-far", location="westeurope", resource_group="rg-far", address_space=["10.9.0.0/16"],
        subscription="33333333-3333-4333-8333-333333333333",
    )  # fmt: skip
    blueprint = sites(1, spokes=[Spoke(network=elsewhere)])
    with pytest.raises(UsageError, match="yours is not told"):
        export_blueprint(OfflineWorkspace(directory=tmp_path, environment={}), blueprint)
