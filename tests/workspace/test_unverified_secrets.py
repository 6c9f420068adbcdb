"""Secrets that nothing vouches for: told apart, told in a line, and never a hidden rotation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.workspace.conftest import Bench
from tests.worlds import Deployment, clients, connection, gateway, hub, radius, rid, site
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.errors import ExitCode, Refused, StalePlan
from vpngw_iac.report.envelope import dumps
from vpngw_iac.report.json import drift_document, outcome_document, plan_document
from vpngw_iac.report.markdown import drift_markdown, plan_markdown
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.look import drift_text
from vpngw_iac.report.text.outcome import outcome_text
from vpngw_iac.report.text.plan import plan_text
from vpngw_iac.report.view import PlanView
from vpngw_iac.secret import Secret

BERLIN = "VpnConnection/hub/berlin"
BOTH = pytest.mark.parametrize("how", ["saved", "in memory"])


def view_of(bench: Bench, plan: Plan) -> PlanView:
    return PlanView.of(plan, bench.workspace().schedule(plan))


def lines(bench: Bench, plan: Plan) -> list[str]:
    return plan_text(view_of(bench, plan), Style()).splitlines()


def whys(plan: Plan) -> dict[str, str]:
    return {item.address: item.why for item in plan.secrets}


def forget_fingerprint(bench: Bench, deployment: Deployment, address: str = BERLIN) -> None:
    """As after an import: the entry knows the reference and no fingerprint."""
    store = bench.workspace().session(deployment).store()
    memory = store.load()
    assert memory is not None
    entry = memory.state.entries[address].model_copy(update={"fingerprints": {}})
    state = memory.state.model_copy(update={"entries": {**memory.state.entries, address: entry}})
    with store.hold(bench.workspace().session(deployment).owner("test")) as hold:
        store.replace(hold, state)


def planned(bench: Bench, deployment: Deployment, how: str, **options: Any) -> Any:
    """A plan to apply later: from a file, or kept in memory."""
    workspace = bench.workspace()
    plan = workspace.plan(deployment, Options(**options))
    document = workspace.save_plan(plan, plan_document(view_of(bench, plan)))
    return json.loads(json.dumps(document)) if how == "saved" else plan


def apply(bench: Bench, kept: Any) -> Any:
    workspace = bench.workspace()
    return workspace.apply(workspace.load_plan(kept) if isinstance(kept, dict) else kept)


# --- the three situations --------------------------------------------------------------------------------------------


def test_the_three_situations_are_told_apart_in_one_line(bench: Bench) -> None:
    deployment = bench.create(hub("berlin", "paris", "rome", "oslo"))
    forget_fingerprint(bench, deployment)
    del bench.environment["PSK_PARIS"]

    plan = bench.plan(deployment)

    assert whys(plan) == {
        BERLIN: "not comparable",
        "VpnConnection/hub/oslo": "not read",
        "VpnConnection/hub/paris": "not readable here",
        "VpnConnection/hub/rome": "not read",
    }
    told = lines(bench, plan)
    assert "Not verified: 2 shared keys not read, 1 that cannot be compared, 1 reference not readable here." in told, (
        told
    )
    assert any(line.startswith("1 key cannot be compared: a rotation of these is not seen; ") for line in told)
    assert any("--resend-secrets" in line for line in told)
    assert plan.changes == ()


def test_a_reference_that_two_keys_share_is_one(bench: Bench) -> None:
    key = Secret.env("PSK_BERLIN")
    deployment = bench.create(hub("berlin").plus(site("paris", 1), connection("paris", sharedKey=key)))
    del bench.environment["PSK_BERLIN"]

    assert "Not verified: 1 reference not readable here." in lines(bench, bench.plan(deployment))


def test_where_azure_echoes_keys_a_deep_look_leaves_nothing_to_say(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))

    plan, drift = bench.plan(deployment, deep=True), bench.drift(deployment, deep=True)

    assert plan.secrets == ()
    assert "Not verified" not in "\n".join(lines(bench, plan))
    assert drift_text(drift, Style()) == "No drift: Azure has what was applied to hub.\n"


@pytest.mark.parametrize("deep", [False, True])
def test_no_drift_says_what_was_not_verified(new_bench: Callable[..., Bench], deep: bool) -> None:
    bench = new_bench(echo_secrets=False)
    deployment = bench.create(hub("berlin", "paris"))

    drift = bench.drift(deployment, deep=deep)

    assert drift_text(drift, Style()).splitlines() == [
        "Not verified: 2 shared keys not read.",
        "No drift: Azure has what was applied to hub, as far as it was verified.",
    ]
    assert "Not verified: 2 shared keys not read." in drift_markdown(drift)
    document = json.loads(dumps(drift_document(drift)))
    assert document["unverified"] == [f"{a}: properties.sharedKey" for a in (BERLIN, "VpnConnection/hub/paris")]
    assert [item["why"] for item in document["unverified_secrets"]] == ["not read", "not read"]
    assert (document["not_verified"], document["drift"]) == (2, [])


def test_no_changes_of_an_apply_says_it_too(bench: Bench) -> None:
    deployment = bench.create(hub("berlin", "paris"))

    outcome = bench.apply(deployment)

    assert outcome_text(outcome, Style()).splitlines()[0] == "Not verified: 2 shared keys not read."
    document = json.loads(dumps(outcome_document(outcome)))
    assert document["unverified"] == [f"{a}: properties.sharedKey" for a in (BERLIN, "VpnConnection/hub/paris")]


def test_secrets_of_other_kinds_are_counted_as_secrets(new_bench: Callable[..., Bench]) -> None:
    bench = new_bench(echo_secrets=False)
    bench.environment["RADIUS"] = "radiusSecret123"
    deployment = bench.create(hub("berlin", **radius(Secret.env("RADIUS"))))

    told = lines(bench, bench.plan(deployment, deep=True))

    assert "Not verified: 2 secrets not read." in told


def test_what_is_only_being_created_has_nothing_to_verify(bench: Bench) -> None:
    assert bench.plan(hub("berlin")).secrets == ()


# --- not readable here -----------------------------------------------------------------------------------------------


def test_a_reference_that_cannot_be_read_here_is_listed_and_starts_nothing(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))
    del bench.environment["PSK_BERLIN"]

    plan, drift = bench.plan(deployment), bench.drift(deployment)
    outcome = bench.apply(deployment)

    document = json.loads(dumps(plan_document(view_of(bench, plan))))
    assert document["unverified"] == [f"{BERLIN}: properties.sharedKey"]
    assert document["unverified_secrets"] == [
        {
            "address": BERLIN,
            "path": "properties.sharedKey",
            "why": "not readable here",
            "reference": "env:PSK_BERLIN",
        }
    ]
    told = "\n".join(lines(bench, plan))
    assert f"  {BERLIN}  sharedKey  (not verified) env:PSK_BERLIN" in told
    assert "(none)" not in told
    assert "(not verified)" in plan_markdown(view_of(bench, plan)).replace("\\", "")
    assert drift.unverified == (f"{BERLIN}: properties.sharedKey",)
    assert (outcome.exit_code, outcome.operations) == (ExitCode.DONE, ())
    assert bench.writes() == []


def test_it_is_shown_beside_another_change_of_its_connection(bench: Bench) -> None:
    bench.create(hub("berlin"))
    del bench.environment["PSK_BERLIN"]

    told = lines(bench, bench.plan(hub("berlin").but(connection("berlin", dpdTimeoutSeconds=30))))

    assert "      sharedKey  (not verified)" in told


def test_a_rotation_is_never_shown_as_coming_from_none(new_bench: Callable[..., Bench]) -> None:
    bench = new_bench(echo_secrets=False)
    deployment = bench.create(hub("berlin"))
    bench.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    told = "\n".join(lines(bench, bench.plan(deployment)))

    assert "sharedKey  (not verified) -> (sensitive)" in told
    assert "(none)" not in told


def test_sending_again_leaves_alone_what_cannot_be_read(bench: Bench) -> None:
    deployment = bench.create(hub("berlin", "paris"))
    forget_fingerprint(bench, deployment)
    del bench.environment["PSK_PARIS"]

    assert bench.changes(deployment, resend_secrets=True) == {BERLIN: "update"}


# --- a plan that could not read it, applied where it can be read -----------------------------------------------------


@BOTH
def test_an_unchanged_key_does_not_make_such_a_plan_stale(bench: Bench, how: str) -> None:
    bench.create(hub("berlin", "paris"))
    key = bench.environment.pop("PSK_BERLIN")
    kept = planned(bench, hub("berlin", "paris").but(site("paris", 7)), how)
    bench.environment["PSK_BERLIN"] = key

    outcome = apply(bench, kept)

    assert outcome.outcome == "succeeded"
    assert bench.writes() == ["PUT localNetworkGateways/lgw-paris"]


@BOTH
def test_a_rotation_behind_such_a_plan_is_applied_and_told(bench: Bench, how: str) -> None:
    deployment = bench.create(hub("berlin"))
    del bench.environment["PSK_BERLIN"]
    kept = planned(bench, deployment, how)
    bench.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    outcome = apply(bench, kept)

    assert [w.lower() for w in bench.writes()] == ["put con-berlin/sharedkey"]
    assert any(BERLIN in notice and "is another one" in notice for notice in outcome.notices)
    assert bench.changes(deployment) == {}


@BOTH
@pytest.mark.parametrize("limit", ["none", "30s", "1h"])
def test_the_limit_of_an_outage_is_judged_again(bench: Bench, how: str, limit: str) -> None:
    deployment = bench.create(hub("berlin"))
    del bench.environment["PSK_BERLIN"]
    kept = planned(bench, deployment, how, max_outage=limit)
    bench.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    with pytest.raises(Refused) as refused:
        apply(bench, kept)

    assert [f.rule for f in refused.value.findings if f.level == "error"] == ["V-OUTAGE-01"]
    assert bench.writes() == []


@BOTH
def test_an_agreed_outage_is_agreed_in_such_a_plan_too(bench: Bench, how: str) -> None:
    deployment = bench.create(hub("berlin"))
    del bench.environment["PSK_BERLIN"]
    kept = planned(bench, deployment, how, max_outage="none", outage_agreed=frozenset({"berlin"}))
    bench.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    assert apply(bench, kept).outcome == "succeeded"


@BOTH
@pytest.mark.parametrize("edit", [{"dpdTimeoutSeconds": 30}, {"tags": {"env": "prod"}}], ids=["update", "tag"])
def test_a_rotation_beside_a_planned_change_of_the_same_connection(
    bench: Bench, how: str, edit: dict[str, Any]
) -> None:
    bench.create(hub("berlin"))
    del bench.environment["PSK_BERLIN"]
    after = hub("berlin").but(connection("berlin", **edit))
    kept = planned(bench, after, how)
    bench.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    assert apply(bench, kept).outcome == "succeeded"
    assert bench.plan(after, deep=True).changes == ()


@BOTH
def test_anything_else_that_moved_makes_such_a_plan_stale(bench: Bench, how: str) -> None:
    deployment = bench.create(hub("berlin"))
    del bench.environment["PSK_BERLIN"]
    kept = planned(bench, deployment, how)
    bench.environment["PSK_BERLIN"] = "rotatedKeyValue42"
    document = bench.document(rid("localNetworkGateways", "lgw-berlin"))
    document["properties"]["gatewayIpAddress"] = "203.0.113.77"
    bench.simulator.put(str(rid("localNetworkGateways", "lgw-berlin")), document)
    bench.mark()

    with pytest.raises(StalePlan):
        apply(bench, kept)

    assert bench.writes() == []


@BOTH
def test_a_rotation_that_the_plan_could_read_is_stale_as_ever(bench: Bench, how: str) -> None:
    deployment = bench.create(hub("berlin", "paris"))
    del bench.environment["PSK_PARIS"]
    kept = planned(bench, deployment, how)
    bench.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    with pytest.raises(StalePlan):
        apply(bench, kept)


def test_a_saved_plan_that_knows_nothing_of_this_is_compared_as_before(bench: Bench) -> None:
    deployment = bench.create(hub("berlin"))
    kept = planned(bench, deployment, "saved")

    assert kept["basis"]["unreadable"] == []
    del kept["basis"]["unreadable"]
    kept.pop("digest")
    session = bench.workspace().session(deployment)
    key = session.key()
    assert key is not None

    assert apply(bench, kept | {"digest": key.digest(kept)}).outcome == "succeeded"


def test_what_was_shown_of_a_plan_is_shown_of_its_file(bench: Bench) -> None:
    deployment = bench.create(hub("berlin", "paris", **clients("one")))
    forget_fingerprint(bench, deployment)
    del bench.environment["PSK_PARIS"]
    plan = bench.plan(deployment.but(gateway(sku="VpnGw3AZ", **clients("one"))))
    view = view_of(bench, plan)

    loaded = PlanView.load(json.loads(dumps(plan_document(view))))

    assert plan_text(view, Style()) == plan_text(loaded, Style())
    assert (loaded.losses, loaded.secrets) == (view.losses, view.secrets)
