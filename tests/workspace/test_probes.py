"""What only Azure can say, asked before the first operation: rights, locks, providers, quotas, policies, zones."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import (
    GROUP,
    REGION,
    SUBSCRIPTION,
    clients,
    connection,
    group_id,
    hub,
    hub_without_gateway,
    key_name,
    make,
    public_ip,
    rid,
    site,
)
from vpngw_iac import Secret, Site, SiteToSite, VirtualNetwork, VpnGateway
from vpngw_iac.errors import Finding, Forbidden, Refused
from vpngw_iac.report.json_documents import error_document
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.errors import error_text
from vpngw_iac.simulator import Condition, Governance, Grant, Policy
from vpngw_iac.simulator.faults import AnswerInstead

READER = Grant(actions=("*/read",))
GATEWAY = rid("virtualNetworkGateways", "vgw-hub")
LOCK = "/providers/Microsoft.Authorization/locks/keep"
QUESTIONS = ("/permissions", "/locks", "/usages", "/locations", "/checkPolicyRestrictions", "/Microsoft.Network")


def probes(findings: Any) -> list[Finding]:
    return [finding for finding in findings if finding.rule.startswith("V-PROBE")]


def asked(harness: Harness) -> Counter[str]:
    """How often each question was asked, by its path."""
    return Counter(r.path for r in harness.simulator.requests if r.path.endswith(QUESTIONS))


def lock(harness: Harness, scope: object, level: str) -> None:
    harness.simulator.put(f"{scope}{LOCK}", {"properties": {"level": level}})


# --- what is asked ---------------------------------------------------------------------------------------------------


def test_everything_allowed_is_no_finding_and_leaves_nothing_unread(harness: Harness) -> None:
    plan = harness.plan(hub("berlin", **clients("one")))

    assert probes(plan.findings) == []
    assert plan.unread == ()


def test_each_question_is_asked_once_for_each_scope_whatever_the_number_of_sites(harness: Harness) -> None:
    names = [f"s{n}" for n in range(12)]
    harness.environment |= {key_name(name): f"keyOf{name}0123456789" for name in names}
    harness.plan(hub(*names))

    counts = asked(harness)
    policies = counts.pop(f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions")

    assert policies == 5 + 2 * 12  # group, network, subnet, public IP, gateway; each site's gateway and connection
    assert set(counts.values()) == {1}
    assert sorted(path.removeprefix(f"/subscriptions/{SUBSCRIPTION}") for path in counts) == [
        "/locations",
        "/providers/Microsoft.Authorization/locks",
        "/providers/Microsoft.Authorization/permissions",
        "/providers/Microsoft.Network",
        "/providers/Microsoft.Network/locations/westeurope/usages",
    ]


def test_a_group_that_exists_is_asked_itself(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    harness.simulator.requests.clear()
    harness.plan(deployment.plus(site("paris", 1)))

    paths = set(asked(harness))

    assert f"{group_id()}/providers/Microsoft.Authorization/permissions" in paths
    assert f"{group_id()}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions" in paths
    assert not any(path.endswith(("/usages", "/locations")) for path in paths)


@pytest.mark.parametrize("look", ["nothing to do", "drift", "no probe", "wait"])
def test_nothing_is_asked_where_nothing_would_be_done(harness: Harness, look: str) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    edited = deployment.plus(site("paris", 1))
    harness.simulator.requests.clear()

    if look == "nothing to do":
        harness.plan(deployment)
    elif look == "drift":
        harness.drift(edited)
    elif look == "wait":
        harness.wait(edited)
    else:
        harness.plan(edited, probe=False)

    assert asked(harness) == Counter()


# --- rights ----------------------------------------------------------------------------------------------------------


def test_a_reader_may_plan_and_is_warned(harness: Harness) -> None:
    harness.simulator.governance = Governance(grants=(READER,))

    plan = harness.plan(hub("berlin"))

    (missing,) = probes(plan.findings)
    assert (missing.rule, missing.level) == ("V-PROBE-01", "warning")
    assert plan.blocking == ()
    for action in (
        "Microsoft.Resources/subscriptions/resourceGroups/write",
        "Microsoft.Network/virtualNetworkGateways/write",
        "Microsoft.Network/virtualNetworks/subnets/join/action",
        "Microsoft.Network/publicIPAddresses/join/action",
        "Microsoft.Network/connections/write (VpnConnection/hub/berlin)",
    ):
        assert action in missing.detail


def test_apply_refuses_missing_rights_before_the_first_operation(harness: Harness) -> None:
    harness.simulator.governance = Governance(grants=(READER,))

    with pytest.raises(Forbidden) as refused:
        harness.apply(hub("berlin"))

    assert refused.value.exit_code == 3
    assert harness.writes() == []
    assert harness.simulator.documents() == {}
    assert "Microsoft.Network/virtualNetworkGateways/write" in error_text(refused.value, Style())
    assert error_document(refused.value)["findings"][0]["rule"] == "V-PROBE-01"


def test_without_probing_azure_refuses_the_operation_itself(harness: Harness) -> None:
    harness.simulator.governance = Governance(grants=(READER,))

    outcome = harness.apply(hub("berlin"), probe=False)

    assert outcome.outcome == "failed"
    assert outcome.exit_code == 3
    assert any("resourceGroups/write" in result.error for result in outcome.operations)


def test_rights_at_a_single_resource_are_enough(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    berlin = rid("localNetworkGateways", "lgw-berlin")
    writer = Grant(scope=str(berlin), actions=("Microsoft.Network/localNetworkGateways/*",))
    harness.simulator.governance = Governance(grants=(READER, writer))
    edited = deployment.but(site("berlin", 7))

    outcome = harness.converge(edited)

    assert outcome.exit_code == 0


def test_joining_a_subnet_of_somebody_else_is_asked_at_that_subnet(harness: Harness) -> None:
    deployment = harness.create(hub("berlin")).without("VpnGateway/hub", "VpnConnection/hub/berlin")
    harness.converge(deployment)
    subnet = rid("virtualNetworks/subnets", "vnet-hub", "GatewaySubnet")
    everything_but = Grant(not_actions=("Microsoft.Network/virtualNetworks/subnets/join/action",))
    harness.simulator.governance = Governance(grants=(everything_but,))
    (missing,) = probes(harness.plan(hub("berlin")).findings)

    joiner = Grant(scope=str(subnet), actions=("Microsoft.Network/virtualNetworks/subnets/join/action",))
    harness.simulator.governance = Governance(grants=(everything_but, joiner))

    assert "subnets/join/action (VpnGateway/hub)" in missing.detail
    assert probes(harness.plan(hub("berlin")).findings) == []


def test_the_shared_key_has_a_right_of_its_own(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    harness.environment["PSK_BERLIN"] = "anotherKey0123456789"
    no_keys = Grant(not_actions=("Microsoft.Network/connections/sharedKey/*",))
    harness.simulator.governance = Governance(grants=(no_keys,))
    (missing,) = probes(harness.plan(deployment).findings)
    assert "sharedKey/write or Microsoft.Network/connections/sharedKey/action (VpnConnection/hub/berlin)" in (
        missing.detail
    )

    by_its_old_name = Grant(actions=("Microsoft.Network/connections/sharedKey/action",))
    harness.simulator.governance = Governance(grants=(no_keys, by_its_old_name))

    assert probes(harness.plan(deployment).findings) == []


# --- locks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", [f"/subscriptions/{SUBSCRIPTION}", group_id(), GATEWAY])
def test_a_read_only_lock_at_or_above_what_changes_refuses_the_plan(harness: Harness, scope: object) -> None:
    deployment = harness.create(hub("berlin"))
    lock(harness, scope, "ReadOnly")
    edited = deployment.but(deployment.at("VpnGateway/hub").model_copy(update={"tags": {"env": "prod"}}))

    (found,) = probes(harness.plan(edited).findings)
    with pytest.raises(Refused) as refused:
        harness.apply(edited)

    assert (found.rule, found.level, found.address) == ("V-PROBE-02", "error", "VpnGateway/hub")
    assert f"keep (ReadOnly) at {scope}" in found.detail
    assert refused.value.exit_code == 4
    assert harness.writes() == []


def test_a_lock_against_deleting_refuses_only_deletes(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    lock(harness, GATEWAY, "CanNotDelete")
    harness.converge(deployment.but(deployment.at("VpnGateway/hub").model_copy(update={"tags": {"env": "prod"}})))
    harness.mark()

    with pytest.raises(Refused) as refused:
        harness.destroy(deployment)

    assert [f.rule for f in refused.value.findings if f.level == "error"] == ["V-PROBE-02"]
    assert harness.writes() == []


def test_a_delete_is_refused_to_who_may_not_read_the_locks_that_guard_it(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    lock(harness, GATEWAY, "CanNotDelete")
    harness.fault(AnswerInstead(status=403, code="AuthorizationFailed"), path="*/locks", times=99)
    without = deployment.without("VpnConnection/hub/berlin", "LocalNetworkGateway/hub/berlin")

    with pytest.raises(Refused) as refused:
        harness.apply(without)

    (found,) = (f for f in refused.value.findings if f.blocks)
    assert (found.rule, refused.value.exit_code) == ("V-UNREAD-01", 4)
    assert "AuthorizationFailed" in found.detail
    assert "LocalNetworkGateway/hub/berlin" in found.detail
    assert "Microsoft.Authorization/locks/read" in found.advice
    assert harness.writes() == []
    assert harness.apply(without, probe=False).outcome == "succeeded"


def test_who_may_not_read_locks_may_still_add_and_change(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    harness.fault(AnswerInstead(status=403, code="AuthorizationFailed"), path="*/locks", times=99)

    plan = harness.plan(deployment.but(site("berlin", 7)).plus(site("paris", 8)))

    assert plan.blocking == ()
    assert any("management locks" in text for text in plan.unread)


def test_a_lock_beside_what_changes_is_none_of_its_business(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))
    lock(harness, rid("localNetworkGateways", "lgw-paris"), "ReadOnly")

    outcome = harness.converge(deployment.but(site("berlin", 7)))

    assert outcome.exit_code == 0


def test_a_locked_resource_refuses_for_itself_too(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    lock(harness, GATEWAY, "CanNotDelete")

    outcome = harness.destroy(deployment, probe=False)

    assert outcome.outcome == "failed"
    assert {r.code for r in outcome.operations if r.status == "failed"} == {"ScopeLocked"}


# --- providers, quotas, zones ----------------------------------------------------------------------------------------


def test_a_provider_that_nobody_registered_is_named(harness: Harness) -> None:
    harness.simulator.governance = Governance(unregistered=frozenset({"Microsoft.Network"}))

    (found,) = probes(harness.plan(hub("berlin")).findings)
    outcome = harness.apply(hub("berlin"), probe=False)

    assert (found.rule, found.level) == ("V-PROBE-03", "error")
    assert "az provider register --namespace Microsoft.Network" in found.advice
    assert "MissingSubscriptionRegistration" in {r.code for r in outcome.operations}


def test_a_quota_that_would_be_exceeded_is_refused(harness: Harness) -> None:
    harness.simulator.governance = Governance(quotas={"PublicIPAddresses": 1})
    deployment = hub("berlin")

    enough = probes(harness.plan(deployment).findings)
    (found,) = probes(harness.plan(deployment.plus(public_ip(number=2))).findings)
    outcome = harness.apply(deployment.plus(public_ip(number=2)), probe=False)

    assert enough == []
    assert (found.rule, found.level) == ("V-PROBE-04", "error")
    assert "limit of 1 for publicipaddresses in westeurope" in found.detail
    assert "PublicIPCountLimitReached" in {r.code for r in outcome.operations}


def test_a_quota_that_the_same_plan_makes_room_in_is_a_warning(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway().plus(public_ip(number=1)))
    harness.simulator.governance = Governance(quotas={"PublicIPAddresses": 1})

    (found,) = probes(harness.plan(deployment.without("PublicIp/hub/1").plus(public_ip(number=2))).findings)

    assert (found.rule, found.level) == ("V-PROBE-04", "warning")


@pytest.mark.parametrize(
    ("there", "level"), [(("1", "2"), "error"), ((), "warning"), (("1", "2", "3"), None)], ids=["two", "none", "three"]
)
def test_zones_are_those_of_the_subscription(harness: Harness, there: tuple[str, ...], level: str | None) -> None:
    harness.simulator.governance = Governance(zones={"westeurope": there})

    found = probes(harness.plan(hub_without_gateway().plus(public_ip(number=1))).findings)

    assert [(f.rule, f.level, f.address) for f in found] == ([("V-PROBE-06", level, "PublicIp/hub/1")] if level else [])


# --- policies --------------------------------------------------------------------------------------------------------

OWNERLESS = Policy(name="must-have-owner", when=(Condition(path="tags.owner", operator="exists", value=False),))
WITHOUT_POLICY = Policy(
    name="custom-ipsec",
    types=("Microsoft.Network/connections",),
    when=(Condition(path="properties.ipsecPolicies", operator="exists", value=False),),
)


def test_a_deny_policy_that_hits_our_body_is_named(harness: Harness) -> None:
    harness.simulator.governance = Governance(policies=(WITHOUT_POLICY,))
    deployment = hub("berlin", "paris")
    strong = {
        "saLifeTimeSeconds": 3600,
        "saDataSizeKilobytes": 102400,
        "ipsecEncryption": "GCMAES256",
        "ipsecIntegrity": "GCMAES256",
        "ikeEncryption": "AES256",
        "ikeIntegrity": "SHA384",
        "dhGroup": "ECP384",
        "pfsGroup": "ECP384",
    }

    (found,) = probes(harness.plan(deployment.but(connection("paris", ipsecPolicies=[strong]))).findings)

    assert (found.rule, found.level, found.address) == ("V-PROBE-05", "error", "VpnConnection/hub/berlin")
    assert "policyAssignments/custom-ipsec" in found.detail
    assert "properties.ipsecPolicies" in found.detail


def without_security_group(*, but: str) -> Policy:
    """What "Subnets should be associated with a Network Security Group" says, as a deny policy."""
    return Policy(
        name="nsg",
        types=("Microsoft.Network/virtualNetworks/subnets",),
        when=(
            Condition(path="properties.networkSecurityGroup", operator="exists", value=False),
            Condition(path="name", operator="notEquals", value=but),
        ),
    )


def with_subnets(**subnets: str) -> SiteToSite:
    network = VirtualNetwork(
        name="vnet-hub",
        location=REGION,
        resource_group=GROUP,
        address_space=["10.1.0.0/16"],
        gateway_subnet="10.1.255.0/27",
        subnets=subnets,
    )
    return SiteToSite(name="hub", gateway=VpnGateway(name="vgw-hub", network=network, sku="VpnGw1AZ"))


def test_a_policy_that_exempts_a_subnet_by_its_name_is_understood(harness: Harness) -> None:
    harness.simulator.governance = Governance(policies=(without_security_group(but="GatewaySubnet"),))

    assert probes(harness.plan(with_subnets()).findings) == []
    harness.create(with_subnets())


def test_every_other_subnet_is_told_before_the_network_is_made(harness: Harness) -> None:
    harness.simulator.governance = Governance(policies=(without_security_group(but="GatewaySubnet"),))
    blueprint = with_subnets(app="10.1.1.0/24", data="10.1.2.0/24")

    (found,) = probes(harness.plan(blueprint).findings)

    assert (found.rule, found.level, found.address) == ("V-PROBE-05", "error", "Subnet/vnet-hub/app")
    assert "The same holds for Subnet/vnet-hub/data." in found.detail
    with pytest.raises(Refused):
        harness.apply(blueprint)
    assert harness.writes() == []


def test_a_gateway_subnet_that_is_not_exempt_is_told(harness: Harness) -> None:
    harness.simulator.governance = Governance(policies=(without_security_group(but="other"),))

    (found,) = probes(harness.plan(with_subnets()).findings)

    assert found.address == "Subnet/vnet-hub/GatewaySubnet"


def test_what_is_there_already_is_not_asked_about_again(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    harness.simulator.governance = Governance(policies=(OWNERLESS,))

    edited = probes(harness.plan(deployment.but(site("berlin", 7))).findings)
    added = probes(harness.plan(deployment.plus(site("paris", 1))).findings)

    assert edited == []
    assert [(f.rule, f.address) for f in added] == [("V-PROBE-05", "LocalNetworkGateway/hub/paris")]


def test_an_audit_is_no_denial(harness: Harness) -> None:
    harness.simulator.governance = Governance(policies=(OWNERLESS.model_copy(update={"effect": "audit"}),))

    assert probes(harness.plan(hub_without_gateway("berlin")).findings) == []


def test_a_policy_that_looks_at_what_is_not_known_yet_is_a_warning(harness: Harness) -> None:
    about_the_key = Policy(
        name="keys",
        types=("Microsoft.Network/connections",),
        when=(Condition(path="properties.sharedKey", operator="exists", value=False),),
    )
    harness.simulator.governance = Governance(policies=(about_the_key,))

    (found,) = probes(harness.plan(hub("berlin")).findings)

    assert (found.rule, found.level) == ("V-PROBE-05", "warning")
    assert "properties.sharedKey" in found.detail


def test_no_secret_is_in_a_question(harness: Harness) -> None:
    bodies = []
    honest = harness.simulator.send

    def listening(method: str, url: str, headers: Any = None, body: bytes | None = None) -> Any:
        bodies.append((method, url, body or b""))
        return honest(method, url, headers, body)

    harness.simulator.send = listening  # type: ignore[method-assign]
    harness.plan(hub("berlin"))

    questions = [json.loads(body) for method, _, body in bodies if method == "POST"]
    types = {q["resourceDetails"]["resourceContent"]["type"] for q in questions}
    assert "Microsoft.Network/connections" in types
    assert not any(harness.environment["PSK_BERLIN"].encode() in body for _, _, body in bodies)


# --- regions ---------------------------------------------------------------------------------------------------------


class Tours:
    """A blueprint whose network stands where it is told to."""

    def __init__(self, location: str, **network: Any) -> None:
        place = VirtualNetwork(
            name="vnet-hub", location=location, resource_group="rg-hub", address_space=["10.1.0.0/16"],
            gateway_subnet="10.1.255.0/27", **network,
        )  # fmt: skip
        gateway = VpnGateway(name="vgw-hub", network=place, sku="VpnGw1AZ")
        paris = Site(
            name="paris", public_ip="203.0.113.9", prefixes=["10.9.0.0/16"], shared_key=Secret.env("PSK_PARIS")
        )
        self.blueprint = SiteToSite(name="tours", gateway=gateway, sites=[paris])


@pytest.mark.parametrize(("region", "meant"), [("westeurop", "westeurope"), ("Europe West", "westeurope")])
def test_a_region_that_does_not_exist_warns_offline_and_refuses_the_plan(
    harness: Harness, region: str, meant: str
) -> None:
    blueprint = Tours(region).blueprint

    warned = [f for f in harness.workspace().validate(blueprint).findings if f.rule == "R-SCOPE-03"]
    plan = harness.plan(blueprint)

    assert [f.level for f in warned] == ["warning"]
    assert meant in warned[0].advice
    assert [(f.rule, f.level) for f in probes(plan.findings)] == [("V-PROBE-07", "error")]
    assert meant in probes(plan.findings)[0].advice
    assert not any(f.rule == "R-SCOPE-03" for f in plan.findings)
    with pytest.raises(Refused):
        harness.apply(blueprint)
    assert harness.writes() == []


def test_a_region_that_the_subscription_knows_is_no_finding_although_our_list_does_not(harness: Harness) -> None:
    blueprint = Tours("atlantis").blueprint
    harness.simulator.governance = Governance(zones={"atlantis": ("1", "2", "3")})

    warned = [f.rule for f in harness.workspace().validate(blueprint).findings]
    outcome = harness.apply(blueprint)
    harness.mark()
    again = harness.plan(blueprint)

    assert "R-SCOPE-03" in warned
    assert outcome.exit_code == 0
    assert not [f for f in again.findings if f.rule == "R-SCOPE-03"]
    assert not any(path.endswith("/locations") for path in harness.reads())


def test_without_the_probe_azure_refuses(harness: Harness) -> None:
    outcome = harness.apply(Tours("westeurop").blueprint, probe=False)

    assert outcome.exit_code == 1
    assert "LocationNotAvailableForResource" in "".join(result.code for result in outcome.operations)


def test_a_region_that_nobody_may_be_asked_about_stays_a_warning(harness: Harness) -> None:
    harness.fault(AnswerInstead(status=403, code="NotForYou"), path="*/locations", times=None)

    plan = harness.plan(Tours("atlantis").blueprint)

    assert [(f.rule, f.level) for f in plan.findings if f.rule in ("R-SCOPE-03", "V-PROBE-07")] == [
        ("R-SCOPE-03", "warning")
    ]


# --- what may not be asked -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 404, 501])
def test_what_may_not_be_asked_is_unread_and_no_finding(harness: Harness, status: int) -> None:
    effect = AnswerInstead(status=status, code="NotForYou", message="No.")
    for path in ("*/permissions", "*/locks", "*/usages", "*/checkPolicyRestrictions", "*/locations"):
        harness.fault(effect, path=path, times=None)

    plan = harness.plan(hub("berlin", "paris"))
    outcome = harness.apply(hub("berlin", "paris"))

    assert probes(plan.findings) == []
    assert {text.split(" ")[0] for text in plan.unread} == {
        "permissions",
        "management",
        "network",
        "policies",
        "availability",
    }
    assert all("NotForYou" in text for text in plan.unread)
    assert len(set(plan.unread)) == len(plan.unread)  # once, not for each name
    assert outcome.exit_code == 0


def test_a_group_that_may_not_be_asked_is_looked_into(harness: Harness) -> None:
    deployment = harness.create(hub_without_gateway("berlin"))
    harness.fault(AnswerInstead(status=403, code="NotForYou"), path=f"*/resourcegroups/{GROUP}/*/permissions", times=1)
    harness.simulator.governance = Governance(grants=(READER,))

    plan = harness.plan(deployment.but(site("berlin", 7)))

    assert [f.rule for f in probes(plan.findings)] == ["V-PROBE-01"]


def test_a_saved_plan_is_probed_by_whoever_applies_it(harness: Harness) -> None:
    workspace = harness.workspace()
    document = workspace.save_plan(workspace.plan(hub_without_gateway("berlin")))
    harness.simulator.governance = Governance(grants=(READER,))

    with pytest.raises(Forbidden):
        workspace.apply(workspace.load_plan(document))


def test_a_lock_of_ours_that_is_lifted_for_the_plan_is_no_finding(harness: Harness) -> None:
    identity = GATEWAY.extension("Microsoft.Authorization/locks", "ours")
    ours = make("ManagementLock/hub", identity, {"level": "ReadOnly"})
    deployment = harness.create(hub("berlin").plus(ours))
    edited = deployment.but(deployment.at("VpnGateway/hub").model_copy(update={"tags": {"env": "prod"}}))

    plan = harness.plan(edited)

    assert {c.address: str(c.action) for c in plan.changes} == {
        "ManagementLock/hub": "replace",
        "VpnGateway/hub": "tag",
    }
    assert probes(plan.findings) == []
