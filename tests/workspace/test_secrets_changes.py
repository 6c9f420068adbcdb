"""Secrets: compared by fingerprint, sent when a PUT would lose them, asked for before the first operation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import Deployment, clients, connection, gateway, hub, hub_without_gateway, radius, rid, site
from vpngw_iac.errors import ExitCode, Refused, SecretError
from vpngw_iac.secret import Secret

CON = rid("connections", "con-berlin")
ECHO = pytest.mark.parametrize("echo", [True, False], ids=["echoed", "not-echoed"])


def steal_key(harness: Harness, value: str = "somebodyElsesKey1") -> None:
    """Somebody else sets another key."""
    document = harness.document(CON)
    document["properties"]["sharedKey"] = value
    harness.simulator.put(str(CON), document)
    harness.mark()


@ECHO
def test_an_unchanged_key_is_no_change(new_harness: Callable[..., Harness], echo: bool) -> None:
    harness = new_harness(echo_secrets=echo)
    deployment = harness.create(hub("berlin"))

    assert harness.changes(deployment) == {}
    assert harness.drift(deployment, deep=True).items == ()


@ECHO
def test_a_rotated_key_is_exactly_one_act(new_harness: Callable[..., Harness], echo: bool) -> None:
    harness = new_harness(echo_secrets=echo)
    deployment = harness.create(hub("berlin"))
    harness.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    change = harness.change(deployment, "VpnConnection/hub/berlin")
    harness.converge(deployment)

    assert change.only_secret
    assert [(d.path, d.cause, d.declared) for d in change.differences] == [
        ("properties.sharedKey", "edit", "(sensitive)")
    ]
    assert [w.lower() for w in harness.writes()] == ["put con-berlin/sharedkey"]


def test_a_key_that_somebody_else_set_is_drift_where_azure_echoes_it(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    steal_key(harness)

    item = next(iter(harness.drift(deployment, deep=True).items))
    harness.converge(deployment, deep=True)

    assert (item.kind, item.severity) == ("changed", "security")
    assert [w.lower() for w in harness.writes()] == ["put con-berlin/sharedkey"]


def test_a_missing_variable_is_told_by_plan_and_refuses_apply_before_the_first_operation(harness: Harness) -> None:
    del harness.environment["PSK_BERLIN"]
    deployment = hub("berlin")

    plan = harness.plan(deployment)
    with pytest.raises(SecretError) as refused:
        harness.apply(deployment)

    assert "V-SECRET-03" in {f.rule for f in plan.findings}
    assert refused.value.exit_code is ExitCode.REFUSED
    assert "PSK_BERLIN" in refused.value.message
    assert harness.writes() == []


def test_a_missing_variable_of_an_untouched_connection_does_not_stop_another_change(harness: Harness) -> None:
    before = harness.create(hub("berlin", "paris"))
    del harness.environment["PSK_BERLIN"]
    after = before.but(site("paris", 7))

    outcome = harness.apply(after)

    assert outcome.outcome == "succeeded"
    assert harness.writes() == ["PUT localNetworkGateways/lgw-paris"]


def lose_key(harness: Harness) -> None:
    next(harness.folder.rglob("key")).unlink()


def test_a_lost_fingerprint_key_is_one_warning_and_no_change(new_harness: Callable[..., Harness]) -> None:
    harness = new_harness(echo_secrets=False)
    deployment = harness.create(hub("berlin", "paris"))
    lose_key(harness)

    outcome = harness.apply(deployment)
    plan = harness.plan(deployment)

    assert (outcome.outcome, harness.writes()) == ("succeeded", [])
    warned = [f.address for f in plan.findings if f.rule == "V-SECRET-01"]
    assert warned == ["VpnConnection/hub/berlin", "VpnConnection/hub/paris"]
    assert plan.changes == ()


def test_an_unverified_key_stays_unverified_when_something_else_is_brought_up_to_date(
    new_harness: Callable[..., Harness],
) -> None:
    harness = new_harness(echo_secrets=False)
    deployment = harness.create(hub("berlin"))
    lose_key(harness)
    harness.environment["PSK_BERLIN"] = "neverAppliedKey99"

    harness.apply(deployment.but(connection("berlin", protect=True)))
    plan = harness.plan(deployment.but(connection("berlin", protect=True)))

    assert [f.address for f in plan.findings if f.rule == "V-SECRET-01"] == ["VpnConnection/hub/berlin"]


def test_resending_sets_every_unverified_secret_again_and_verifies_it(new_harness: Callable[..., Harness]) -> None:
    harness = new_harness(echo_secrets=False)
    deployment = harness.create(hub("berlin", "paris"))
    lose_key(harness)

    harness.converge(deployment, resend_secrets=True)

    assert sorted(w.lower() for w in harness.writes()) == ["put con-berlin/sharedkey", "put con-paris/sharedkey"]
    assert not [f for f in harness.plan(deployment).findings if f.rule == "V-SECRET-01"]


def test_resending_with_everything_verified_does_nothing(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))

    outcome = harness.apply(deployment, resend_secrets=True)

    assert (outcome.operations, harness.writes()) == ((), [])


def test_an_adopted_connection_whose_key_is_not_told_is_unverified(new_harness: Callable[..., Harness]) -> None:
    harness = new_harness(echo_secrets=False)
    theirs = harness.create(hub("berlin", name="theirs"))
    for item in theirs.items:
        if harness.exists(item.id) and item.taggable and item.arm_type.startswith("Microsoft.Network"):
            harness.simulator.put(str(item.id), {**harness.document(item.id), "tags": {}})
    harness.environment["PSK_BERLIN"] = "perhapsAnotherKey1"
    ours = hub("berlin", name="ours")
    everything = frozenset(item.address for item in ours.items)

    harness.apply(ours, adopt=everything)
    plan = harness.plan(ours)

    assert [f.address for f in plan.findings if f.rule == "V-SECRET-01"] == ["VpnConnection/hub/berlin"]
    assert plan.changes == ()


@ECHO
def test_every_put_of_a_connection_carries_the_key(new_harness: Callable[..., Harness], echo: bool) -> None:
    harness = new_harness(echo_secrets=echo)
    before = harness.create(hub("berlin"))

    harness.converge(before.but(connection("berlin", dpdTimeoutSeconds=45)))

    stored = next(d for d in harness.simulator._store.documents.values() if d.id.endswith("con-berlin"))
    assert harness.environment["PSK_BERLIN"] in repr(stored)


def test_a_failed_operation_leaves_the_old_fingerprint(harness: Harness) -> None:
    from vpngw_iac.simulator.faults import AnswerInstead

    deployment = harness.create(hub("berlin"))
    old = harness.entries(deployment)["VpnConnection/hub/berlin"].fingerprints
    harness.environment["PSK_BERLIN"] = "rotatedKeyValue42"
    harness.fault(AnswerInstead(status=400, code="BadRequest", message="No."), method="PUT", path="*/sharedkey")

    outcome = harness.apply(deployment)

    assert outcome.outcome == "failed"
    assert harness.entries(deployment)["VpnConnection/hub/berlin"].fingerprints == old
    harness.converge(deployment)
    assert harness.entries(deployment)["VpnConnection/hub/berlin"].fingerprints != old


def radius_hub(harness: Harness, **more: object) -> Deployment:
    harness.environment["RADIUS"] = "radiusSecretValue1"
    return hub().but(gateway(**radius(Secret.env("RADIUS"), **more)))


@ECHO
def test_point_to_site_with_radius_can_be_removed(new_harness: Callable[..., Harness], echo: bool) -> None:
    harness = new_harness(echo_secrets=echo)
    deployment = harness.create(radius_hub(harness))

    harness.converge(deployment.but(gateway()))

    assert harness.writes() == ["PUT virtualNetworkGateways/vgw-hub"]


@ECHO
def test_radius_can_give_way_to_certificates(new_harness: Callable[..., Harness], echo: bool) -> None:
    harness = new_harness(echo_secrets=echo)
    deployment = harness.create(radius_hub(harness))

    harness.converge(deployment.but(gateway(**clients("one"))))


@ECHO
def test_a_rotated_radius_secret_is_one_put_of_the_gateway(new_harness: Callable[..., Harness], echo: bool) -> None:
    harness = new_harness(echo_secrets=echo)
    deployment = harness.create(radius_hub(harness))
    harness.environment["RADIUS"] = "radiusSecretValue2"

    harness.converge(deployment)

    assert harness.writes() == ["PUT virtualNetworkGateways/vgw-hub"]


def test_a_put_that_would_lose_somebody_elses_secret_is_refused(new_harness: Callable[..., Harness]) -> None:
    harness = new_harness(echo_secrets=False)
    before = harness.create(hub())
    identity = rid("virtualNetworkGateways", "vgw-hub")
    document = harness.document(identity)
    document["properties"] |= radius("foreignRadiusSecret1")
    harness.simulator.put(str(identity), document)
    harness.mark()

    with pytest.raises(Refused) as refused:
        harness.apply(before.but(gateway(enableDnsForwarding=True)))

    assert {f.rule for f in refused.value.findings if f.blocks} == {"V-SECRET-02"}
    assert harness.writes() == []


def test_generated_secrets_are_made_once_and_kept(harness: Harness) -> None:
    generated = connection("berlin", sharedKey=Secret.generated("kv-hub", "psk-berlin"))
    deployment = harness.create(hub("berlin").but(generated))

    made = harness.simulator.vault.get("kv-hub", "psk-berlin")
    harness.apply(deployment)

    assert made
    assert harness.simulator.vault.get("kv-hub", "psk-berlin") == made
    assert harness.changes(deployment) == {}


def test_a_plan_generates_nothing(harness: Harness) -> None:
    deployment = hub("berlin").but(connection("berlin", sharedKey=Secret.generated("kv-hub", "psk-berlin")))

    plan = harness.plan(deployment)

    assert harness.simulator.vault.get("kv-hub", "psk-berlin") is None
    assert plan.blocking == ()


def test_a_connection_changes_from_a_variable_to_a_generated_key(harness: Harness) -> None:
    before = harness.create(hub("berlin"))
    after = before.but(connection("berlin", sharedKey=Secret.generated("kv-hub", "psk-berlin")))

    harness.converge(after)

    assert [w.lower() for w in harness.writes()] == ["put con-berlin/sharedkey"]
    stored = next(d for d in harness.simulator._store.documents.values() if d.id.endswith("con-berlin"))
    assert harness.simulator.vault.get("kv-hub", "psk-berlin") in repr(stored)


def test_key_vault_references_resolve_offline_from_a_variable(harness: Harness) -> None:
    harness.environment["VPNGW_SECRET_PSK_BERLIN"] = "fromTheVariable12"
    deployment = hub("berlin").but(connection("berlin", sharedKey=Secret.key_vault("kv-hub", "psk-berlin")))

    harness.create(deployment)

    stored = next(d for d in harness.simulator._store.documents.values() if d.id.endswith("con-berlin"))
    assert "fromTheVariable12" in repr(stored)


def test_checking_secrets_resolves_each_reference_and_shows_none(harness: Harness) -> None:
    del harness.environment["PSK_PARIS"]

    checks = harness.workspace().check_secrets(hub("berlin", "paris"))

    assert [(check.address, check.ok) for check in checks] == [
        ("VpnConnection/hub/berlin", True),
        ("VpnConnection/hub/paris", False),
    ]
    assert harness.environment["PSK_BERLIN"] not in repr(checks)


def test_a_deployment_without_connections_needs_no_secret(harness: Harness) -> None:
    harness.environment.clear()

    harness.converge(hub_without_gateway("berlin"))
