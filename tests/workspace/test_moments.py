"""What Azure shows at the moment can refuse a plan before its first operation: a migration, a provider's circuit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import GROUP, REGION
from vpngw_iac.blueprints.circuit import Circuit, CircuitLink, PrivatePeering
from vpngw_iac.blueprints.coexistence import ExpressRouteCoexistence
from vpngw_iac.blueprints.gateway import ExpressRouteGateway, VpnGateway
from vpngw_iac.blueprints.network import VirtualNetwork
from vpngw_iac.blueprints.site import IpsecPolicy, Site
from vpngw_iac.blueprints.site_to_site import SiteToSite
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.errors import Finding, Refused
from vpngw_iac.report.json import plan_document
from vpngw_iac.report.view import PlanView
from vpngw_iac.secret import Secret


def network() -> VirtualNetwork:
    return VirtualNetwork(
        name="vnet-hub",
        location=REGION,
        resource_group=GROUP,
        address_space=["10.1.0.0/16"],
        gateway_subnet="10.1.255.0/27",
    )


def hub(*sites: Site, **more: Any) -> SiteToSite:
    gateway = VpnGateway(name="vgw-hub", network=network(), sku="VpnGw2AZ")
    return SiteToSite(name="hub", gateway=gateway, sites=sites, **more)


def berlin(**more: Any) -> Site:
    return Site(
        name="berlin",
        public_ip="203.0.113.10",
        prefixes=["192.168.10.0/24"],
        shared_key=Secret.env("PSK_BERLIN"),
        ipsec=IpsecPolicy.strong(),
        **more,
    )


def both(**more: Any) -> ExpressRouteCoexistence:
    circuit = Circuit(
        name="erc-ams",
        location=REGION,
        resource_group=GROUP,
        peering_location="Amsterdam",
        bandwidth=1000,
        private_peering=PrivatePeering(asn=65300, vlan=100, primary="10.99.0.0/30", secondary="10.99.0.4/30"),
        **{"provider": "Equinix"} | more,
    )
    expressroute = ExpressRouteGateway(name="ergw-hub", network=network(), sku="ErGw1AZ")
    return ExpressRouteCoexistence(
        name="both",
        vpn=VpnGateway(name="vgw-hub", network=network(), sku="VpnGw2AZ"),
        expressroute=expressroute,
        circuits=[CircuitLink(name="ams", circuit=circuit)],
    )


def stored(harness: Harness, name: str) -> Any:
    return next(d for d in harness.simulator._store.documents.values() if d.id.lower().endswith(f"/{name}"))


def migrate(harness: Harness, state: str, phase: str) -> None:
    """Microsoft's tool is at work on the gateway."""
    harness.simulator.migrate(stored(harness, "vgw-hub").id, state, phase)


def of(findings: tuple[Finding, ...], *rules: str) -> dict[str, str]:
    """The gravest level of each of these rules."""
    rank = {"error": 2, "warning": 1, "info": 0}
    found: dict[str, str] = {}
    for finding in findings:
        if finding.rule in rules and rank[finding.level] >= rank[found.get(finding.rule, "info")]:
            found[finding.rule] = finding.level
    return found


def test_a_gateway_under_migration_takes_no_new_connection(harness: Harness) -> None:
    harness.create(hub())
    migrate(harness, "InProgress", "Execute")

    plan = harness.plan(hub(berlin()))

    assert of(plan.blocking, "R-PIP-18") == {"R-PIP-18": "error"}
    with pytest.raises(Refused):
        harness.apply(hub(berlin()))
    assert harness.writes() == []


def test_a_gateway_under_migration_is_not_destroyed(harness: Harness) -> None:
    harness.create(hub(berlin()))
    migrate(harness, "Succeeded", "ExecuteSucceeded")

    with pytest.raises(Refused) as refused:
        harness.destroy(hub(berlin()))

    assert of(refused.value.findings, "R-PIP-18") == {"R-PIP-18": "error"}
    assert harness.writes() == []


def test_a_migration_that_began_after_a_plan_was_saved_refuses_it(harness: Harness) -> None:
    harness.create(hub())
    workspace = harness.workspace()
    saved = workspace.load_plan(workspace.save_plan(workspace.plan(hub(berlin()))))
    migrate(harness, "InProgress", "Commit")

    with pytest.raises(Refused) as refused:
        harness.workspace().apply(saved)

    assert of(refused.value.findings, "R-PIP-18") == {"R-PIP-18": "error"}
    assert harness.writes() == []


def test_a_migration_elsewhere_stops_nobody(harness: Harness) -> None:
    harness.create(hub())
    migrate(harness, "Succeeded", "CommitSucceeded")

    harness.converge(hub(berlin()))


def test_a_waived_migration_stays_waived_in_a_saved_plan(harness: Harness) -> None:
    waived = {"R-PIP-18": "support asked for it"}
    harness.create(hub(waive=waived))
    migrate(harness, "InProgress", "Execute")
    workspace = harness.workspace()
    plan = workspace.plan(hub(berlin(), waive=waived))
    shown = plan_document(PlanView.of(plan, workspace.schedule(plan)))

    saved = workspace.load_plan(workspace.save_plan(plan, shown))
    outcome = harness.workspace().apply(saved)

    assert outcome.outcome == "succeeded"


def test_a_circuit_that_the_provider_has_is_told_before_anything_is_deleted(harness: Harness) -> None:
    harness.apply(both())
    harness.simulator.provision_circuit(stored(harness, "erc-ams").id)
    harness.create(both())

    with pytest.raises(Refused) as refused:
        harness.destroy(both())

    assert of(refused.value.findings, "R-ER-11") == {"R-ER-11": "error"}
    told = next(finding for finding in refused.value.findings if finding.rule == "R-ER-11")
    assert told.address == "Circuit/erc-ams"
    assert harness.writes() == []


def test_a_circuit_that_the_provider_took_back_is_destroyed_with_the_rest(harness: Harness) -> None:
    harness.apply(both())
    harness.simulator.provision_circuit(stored(harness, "erc-ams").id)
    harness.create(both())
    harness.simulator.provision_circuit(stored(harness, "erc-ams").id, "NotProvisioned")

    assert harness.workspace().plan(both(), Options(destroy=True)).blocking == ()
    assert harness.destroy(both()).outcome == "succeeded"


def test_a_circuit_is_replaced_only_when_that_is_named(harness: Harness) -> None:
    """Its service key is another one then, and what a provider was asked to do begins anew."""
    harness.apply(both())
    before = stored(harness, "erc-ams").properties["serviceKey"]
    harness.simulator.requests.clear()

    with pytest.raises(Refused) as refused:
        harness.apply(both(provider="Colt"))

    assert harness.writes() == []
    (told,) = (finding for finding in refused.value.findings if finding.blocks)
    assert (told.rule, told.address) == ("V-REPLACE-01", "Circuit/erc-ams")
    assert "service key" in told.detail
    assert "--replace Circuit/erc-ams" in told.advice

    assert harness.apply(both(provider="Colt"), replace=frozenset({"Circuit/erc-ams"})).outcome == "waiting"
    assert stored(harness, "erc-ams").properties["serviceKey"] != before


def test_a_circuit_that_stays_does_not_stop_the_destroy(harness: Harness) -> None:
    harness.apply(both(on_removal="forget"))
    harness.simulator.provision_circuit(stored(harness, "erc-ams").id)
    harness.create(both(on_removal="forget"))

    outcome = harness.destroy(both(on_removal="forget"))

    assert outcome.outcome == "succeeded"
    assert harness.exists(stored(harness, "erc-ams").arm_id)
