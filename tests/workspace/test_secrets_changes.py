"""Secrets: compared by fingerprint, sent when a PUT would lose them, asked for before the first operation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.workspace.conftest import Bench
from tests.worlds import Deployment, clients, connection, gateway, hub, hub_without_gateway, radius, rid, site
from vpngw_iac.errors import ExitCode, Refused, SecretError
from vpngw_iac.secret import Secret

CON = rid("connections", "con-berlin")
ECHO = pytest.mark.parametrize("echo", [True, False], ids=["echoed", "not-echoed"])


def steal_key(bench: Bench, value: str = "somebodyElsesKey1") -> None:
    """Somebody else sets another key."""
    document = bench.document(CON)
    document["properties"]["sharedKey"] = value
    bench.simulator.put(str(CON), document)
    bench.mark()


@ECHO
def test_an_unchanged_key_is_no_change(new_bench: Callable[..., Bench], echo: bool) -> None:
    bench = new_bench(echo_secrets=echo)
    deployment = bench.create(hub("berlin"))

    assert bench.changes(deployment) == {}
    assert bench.drift(deployment, deep=True).items == ()


@ECHO
def test_a_rotated_key_is_exactly_one_act(new_bench: Callable[..., Bench], echo: bool) -> None:
    bench = new_bench(echo_secrets=echo)
    deployment = bench.create(hub("berlin"))
    bench.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    change = bench.change(deployment, "VpnConnection/hub/berlin")
    bench.converge(deployment)

    assert change.only_secret
    assert [(d.path, d.cause, d.declared) for d in change.differences] == [
        ("properties.sharedKey", "edit", "(sensitive)")
    ]
    assert [w.lower() for w in bench.writes()] == ["put con-berlin/sharedkey"]


def test_a_key_that_somebody_else_set_is_drift_where_azure_echoes_it(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))
    steal_key(bench)

    item = next(iter(bench.drift(deployment, deep=True).items))
    bench.converge(deployment, deep=True)

    assert (item.kind, item.severity) == ("changed", "security")
    assert [w.lower() for w in bench.writes()] == ["put con-berlin/sharedkey"]


def test_a_missing_variable_is_told_by_plan_and_refuses_apply_before_the_first_operation(bench: Bench) -> None:
    del bench.environment["PSK_BERLIN"]
    deployment = hub("berlin")

    plan = bench.plan(deployment)
    with pytest.raises(SecretError) as refused:
        bench.apply(deployment)

    assert "V-SECRET-03" in {f.rule for f in plan.findings}
    assert refused.value.exit_code is ExitCode.REFUSED
    assert "PSK_BERLIN" in refused.value.message
    assert bench.writes() == []


def test_a_missing_variable_of_an_untouched_connection_does_not_stop_another_change(bench: Bench) -> None:
    before = bench.create(hub("berlin", "paris"))
    del bench.environment["PSK_BERLIN"]
    after = before.but(site("paris", 7))

    outcome = bench.apply(after)

    assert outcome.outcome == "succeeded"
    assert bench.writes() == ["PUT localNetworkGateways/lgw-paris"]


def lose_key(bench: Bench) -> None:
    next(bench.folder.rglob("key")).unlink()


def test_a_lost_fingerprint_key_is_one_warning_and_no_change(new_bench: Callable[..., Bench]) -> None:
    bench = new_bench(echo_secrets=False)
    deployment = bench.create(hub("berlin", "paris"))
    lose_key(bench)

    outcome = bench.apply(deployment)
    plan = bench.plan(deployment)

    assert (outcome.outcome, bench.writes()) == ("succeeded", [])
    warned = [f.address for f in plan.findings if f.rule == "V-SECRET-01"]
    assert warned == ["VpnConnection/hub/berlin", "VpnConnection/hub/paris"]
    assert plan.changes == ()


def test_an_unverified_key_stays_unverified_when_something_else_is_brought_up_to_date(
    new_bench: Callable[..., Bench],
) -> None:
    bench = new_bench(echo_secrets=False)
    deployment = bench.create(hub("berlin"))
    lose_key(bench)
    bench.environment["PSK_BERLIN"] = "neverAppliedKey99"

    bench.apply(deployment.but(connection("berlin", protect=True)))
    plan = bench.plan(deployment.but(connection("berlin", protect=True)))

    assert [f.address for f in plan.findings if f.rule == "V-SECRET-01"] == ["VpnConnection/hub/berlin"]


def test_resending_sets_every_unverified_secret_again_and_verifies_it(new_bench: Callable[..., Bench]) -> None:
    bench = new_bench(echo_secrets=False)
    deployment = bench.create(hub("berlin", "paris"))
    lose_key(bench)

    bench.converge(deployment, resend_secrets=True)

    assert sorted(w.lower() for w in bench.writes()) == ["put con-berlin/sharedkey", "put con-paris/sharedkey"]
    assert not [f for f in bench.plan(deployment).findings if f.rule == "V-SECRET-01"]


def test_resending_with_everything_verified_does_nothing(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))

    outcome = bench.apply(deployment, resend_secrets=True)

    assert (outcome.operations, bench.writes()) == ((), [])


def test_an_adopted_connection_whose_key_is_not_told_is_unverified(new_bench: Callable[..., Bench]) -> None:
    bench = new_bench(echo_secrets=False)
    theirs = bench.create(hub("berlin", name="theirs"))
    for item in theirs.items:
        if bench.exists(item.id) and item.taggable and item.arm_type.startswith("Microsoft.Network"):
            bench.simulator.put(str(item.id), {**bench.document(item.id), "tags": {}})
    bench.environment["PSK_BERLIN"] = "perhapsAnotherKey1"
    ours = hub("berlin", name="ours")
    everything = frozenset(item.address for item in ours.items)

    bench.apply(ours, adopt=everything)
    plan = bench.plan(ours)

    assert [f.address for f in plan.findings if f.rule == "V-SECRET-01"] == ["VpnConnection/hub/berlin"]
    assert plan.changes == ()


@ECHO
def test_every_put_of_a_connection_carries_the_key(new_bench: Callable[..., Bench], echo: bool) -> None:
    bench = new_bench(echo_secrets=echo)
    before = bench.create(hub("berlin"))

    bench.converge(before.but(connection("berlin", dpdTimeoutSeconds=45)))

    stored = next(d for d in bench.simulator._store.documents.values() if d.id.endswith("con-berlin"))
    assert bench.environment["PSK_BERLIN"] in repr(stored)


def test_a_failed_operation_leaves_the_old_fingerprint(bench: Bench) -> None:
    from vpngw_iac.simulator.faults import AnswerInstead

    deployment = bench.create(hub("berlin"))
    old = bench.entries(deployment)["VpnConnection/hub/berlin"].fingerprints
    bench.environment["PSK_BERLIN"] = "rotatedKeyValue42"
    bench.fault(AnswerInstead(status=400, code="BadRequest", message="No."), method="PUT", path="*/sharedkey")

    outcome = bench.apply(deployment)

    assert outcome.outcome == "failed"
    assert bench.entries(deployment)["VpnConnection/hub/berlin"].fingerprints == old
    bench.converge(deployment)
    assert bench.entries(deployment)["VpnConnection/hub/berlin"].fingerprints != old


def radius_hub(bench: Bench, **more: object) -> Deployment:
    bench.environment["RADIUS"] = "radiusSecretValue1"
    return hub().but(gateway(**radius(Secret.env("RADIUS"), **more)))


@ECHO
def test_point_to_site_with_radius_can_be_removed(new_bench: Callable[..., Bench], echo: bool) -> None:
    bench = new_bench(echo_secrets=echo)
    deployment = bench.create(radius_hub(bench))

    bench.converge(deployment.but(gateway()))

    assert bench.writes() == ["PUT virtualNetworkGateways/vgw-hub"]


@ECHO
def test_radius_can_give_way_to_certificates(new_bench: Callable[..., Bench], echo: bool) -> None:
    bench = new_bench(echo_secrets=echo)
    deployment = bench.create(radius_hub(bench))

    bench.converge(deployment.but(gateway(**clients("one"))))


@ECHO
def test_a_rotated_radius_secret_is_one_put_of_the_gateway(new_bench: Callable[..., Bench], echo: bool) -> None:
    bench = new_bench(echo_secrets=echo)
    deployment = bench.create(radius_hub(bench))
    bench.environment["RADIUS"] = "radiusSecretValue2"

    bench.converge(deployment)

    assert bench.writes() == ["PUT virtualNetworkGateways/vgw-hub"]


def test_a_put_that_would_lose_somebody_elses_secret_is_refused(new_bench: Callable[..., Bench]) -> None:
    bench = new_bench(echo_secrets=False)
    before = bench.create(hub())
    identity = rid("virtualNetworkGateways", "vgw-hub")
    document = bench.document(identity)
    document["properties"] |= radius("foreignRadiusSecret1")
    bench.simulator.put(str(identity), document)
    bench.mark()

    with pytest.raises(Refused) as refused:
        bench.apply(before.but(gateway(enableDnsForwarding=True)))

    assert {f.rule for f in refused.value.findings if f.blocks} == {"V-SECRET-02"}
    assert bench.writes() == []


def test_generated_secrets_are_made_once_and_kept(bench: Bench) -> None:
    generated = connection("berlin", sharedKey=Secret.generated("kv-hub", "psk-berlin"))
    deployment = bench.create(hub("berlin").but(generated))

    made = bench.simulator.vault.get("kv-hub", "psk-berlin")
    bench.apply(deployment)

    assert made
    assert bench.simulator.vault.get("kv-hub", "psk-berlin") == made
    assert bench.changes(deployment) == {}


def test_a_plan_generates_nothing(bench: Bench) -> None:
    deployment = hub("berlin").but(connection("berlin", sharedKey=Secret.generated("kv-hub", "psk-berlin")))

    plan = bench.plan(deployment)

    assert bench.simulator.vault.get("kv-hub", "psk-berlin") is None
    assert plan.blocking == ()


def test_a_connection_changes_from_a_variable_to_a_generated_key(bench: Bench) -> None:
    before = bench.create(hub("berlin"))
    after = before.but(connection("berlin", sharedKey=Secret.generated("kv-hub", "psk-berlin")))

    bench.converge(after)

    assert [w.lower() for w in bench.writes()] == ["put con-berlin/sharedkey"]
    stored = next(d for d in bench.simulator._store.documents.values() if d.id.endswith("con-berlin"))
    assert bench.simulator.vault.get("kv-hub", "psk-berlin") in repr(stored)


def test_key_vault_references_resolve_offline_from_a_variable(bench: Bench) -> None:
    bench.environment["VPNGW_SECRET_PSK_BERLIN"] = "fromTheVariable12"
    deployment = hub("berlin").but(connection("berlin", sharedKey=Secret.key_vault("kv-hub", "psk-berlin")))

    bench.create(deployment)

    stored = next(d for d in bench.simulator._store.documents.values() if d.id.endswith("con-berlin"))
    assert "fromTheVariable12" in repr(stored)


def test_checking_secrets_resolves_each_reference_and_shows_none(bench: Bench) -> None:
    del bench.environment["PSK_PARIS"]

    checks = bench.workspace().check_secrets(hub("berlin", "paris"))

    assert [(check.address, check.ok) for check in checks] == [
        ("VpnConnection/hub/berlin", True),
        ("VpnConnection/hub/paris", False),
    ]
    assert bench.environment["PSK_BERLIN"] not in repr(checks)


def test_a_deployment_without_connections_needs_no_secret(bench: Bench) -> None:
    bench.environment.clear()

    bench.converge(hub_without_gateway("berlin"))
