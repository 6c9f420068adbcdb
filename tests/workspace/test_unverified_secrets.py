"""Secrets that nothing vouches for: told apart, told in a line, and never a hidden rotation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import Deployment, clients, connection, gateway, hub, radius, rid, site
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.errors import ExitCode, Refused, StalePlan
from vpngw_iac.report.json import drift_document, outcome_document, plan_document
from vpngw_iac.report.json_documents import dumps
from vpngw_iac.report.markdown import drift_markdown, plan_markdown
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.inspection import drift_text
from vpngw_iac.report.text.outcome import outcome_text
from vpngw_iac.report.text.plan import plan_text
from vpngw_iac.report.view import PlanView
from vpngw_iac.secret import Secret

BERLIN = "VpnConnection/hub/berlin"
BOTH = pytest.mark.parametrize("how", ["saved", "in memory"])


def view_of(harness: Harness, plan: Plan) -> PlanView:
    return PlanView.of(plan, harness.workspace().schedule(plan))


def lines(harness: Harness, plan: Plan) -> list[str]:
    return plan_text(view_of(harness, plan), Style()).splitlines()


def whys(plan: Plan) -> dict[str, str]:
    return {item.address: item.why for item in plan.secrets}


def forget_fingerprint(harness: Harness, deployment: Deployment, address: str = BERLIN) -> None:
    """As after an import: the entry knows the reference and no fingerprint."""
    store = harness.workspace().session(deployment).store()
    loaded = store.load()
    assert loaded is not None
    entry = loaded.state.entries[address].model_copy(update={"fingerprints": {}})
    state = loaded.state.model_copy(update={"entries": {**loaded.state.entries, address: entry}})
    with store.locked(harness.workspace().session(deployment).owner("test")) as locked:
        store.replace(locked, state)


def planned(harness: Harness, deployment: Deployment, how: str, **options: Any) -> Any:
    """A plan to apply later: from a file, or kept in memory."""
    workspace = harness.workspace()
    plan = workspace.plan(deployment, Options(**options))
    document = workspace.save_plan(plan, plan_document(view_of(harness, plan)))
    return json.loads(json.dumps(document)) if how == "saved" else plan


def apply(harness: Harness, kept: Any) -> Any:
    workspace = harness.workspace()
    return workspace.apply(workspace.load_plan(kept) if isinstance(kept, dict) else kept)


# --- the three situations --------------------------------------------------------------------------------------------


def test_the_three_situations_are_told_apart_in_one_line(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris", "rome", "oslo"))
    forget_fingerprint(harness, deployment)
    del harness.environment["PSK_PARIS"]

    plan = harness.plan(deployment)

    assert whys(plan) == {
        BERLIN: "not comparable",
        "VpnConnection/hub/oslo": "not read",
        "VpnConnection/hub/paris": "not readable here",
        "VpnConnection/hub/rome": "not read",
    }
    told = lines(harness, plan)
    assert (
        "Not verified: 2 shared keys not read, 1 that cannot be compared, 1 reference not readable here "
        "(vpngw secret check --verify)." in told
    ), told
    assert any(line.startswith("1 key cannot be compared: a rotation of these is not seen; ") for line in told)
    assert any("--resend-secrets" in line for line in told)
    assert plan.changes == ()


def test_a_reference_that_two_keys_share_is_one(harness: Harness) -> None:
    key = Secret.env("PSK_BERLIN")
    deployment = harness.create(hub("berlin").plus(site("paris", 1), connection("paris", sharedKey=key)))
    del harness.environment["PSK_BERLIN"]

    assert "Not verified: 1 reference not readable here (vpngw secret check --verify)." in lines(
        harness, harness.plan(deployment)
    )


def test_where_azure_echoes_keys_a_deep_look_leaves_nothing_to_say(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))

    plan, drift = harness.plan(deployment, deep=True), harness.drift(deployment, deep=True)

    assert plan.secrets == ()
    assert "Not verified" not in "\n".join(lines(harness, plan))
    assert drift_text(drift, Style()) == "No drift: Azure has what was applied to hub.\n"


@pytest.mark.parametrize("deep", [False, True])
def test_no_drift_says_what_was_not_verified(new_harness: Callable[..., Harness], deep: bool) -> None:
    harness = new_harness(echo_secrets=False)
    deployment = harness.create(hub("berlin", "paris"))

    drift = harness.drift(deployment, deep=deep)

    assert drift_text(drift, Style()).splitlines() == [
        "Not verified: 2 shared keys not read (vpngw secret check --verify).",
        "No drift: Azure has what was applied to hub, as far as it was verified.",
    ]
    assert "Not verified: 2 shared keys not read (vpngw secret check --verify)." in drift_markdown(drift)
    document = json.loads(dumps(drift_document(drift)))
    assert document["unverified"] == [f"{a}: properties.sharedKey" for a in (BERLIN, "VpnConnection/hub/paris")]
    assert [item["why"] for item in document["unverified_secrets"]] == ["not read", "not read"]
    assert (document["not_verified"], document["drift"]) == (2, [])


def test_no_changes_of_an_apply_says_it_too(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))

    outcome = harness.apply(deployment)

    assert (
        outcome_text(outcome, Style()).splitlines()[0]
        == "Not verified: 2 shared keys not read (vpngw secret check --verify)."
    )
    document = json.loads(dumps(outcome_document(outcome)))
    assert document["unverified"] == [f"{a}: properties.sharedKey" for a in (BERLIN, "VpnConnection/hub/paris")]


def test_secrets_of_other_kinds_are_counted_as_secrets(new_harness: Callable[..., Harness]) -> None:
    harness = new_harness(echo_secrets=False)
    harness.environment["RADIUS"] = "radiusSecret123"
    deployment = harness.create(hub("berlin", **radius(Secret.env("RADIUS"))))

    told = lines(harness, harness.plan(deployment, deep=True))

    assert "Not verified: 2 secrets not read." in told


def test_what_is_only_being_created_has_nothing_to_verify(harness: Harness) -> None:
    assert harness.plan(hub("berlin")).secrets == ()


# --- not readable here -----------------------------------------------------------------------------------------------


def test_a_reference_that_cannot_be_read_here_is_listed_and_starts_nothing(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    del harness.environment["PSK_BERLIN"]

    plan, drift = harness.plan(deployment), harness.drift(deployment)
    outcome = harness.apply(deployment)

    document = json.loads(dumps(plan_document(view_of(harness, plan))))
    assert document["unverified"] == [f"{BERLIN}: properties.sharedKey"]
    assert document["unverified_secrets"] == [
        {
            "address": BERLIN,
            "path": "properties.sharedKey",
            "why": "not readable here",
            "reference": "env:PSK_BERLIN",
        }
    ]
    told = "\n".join(lines(harness, plan))
    assert f"  {BERLIN}  sharedKey  (not verified) env:PSK_BERLIN" in told
    assert "(none)" not in told
    assert "(not verified)" in plan_markdown(view_of(harness, plan)).replace("\\", "")
    assert drift.unverified == (f"{BERLIN}: properties.sharedKey",)
    assert (outcome.exit_code, outcome.operations) == (ExitCode.DONE, ())
    assert harness.writes() == []


def test_it_is_shown_beside_another_change_of_its_connection(harness: Harness) -> None:
    harness.create(hub("berlin"))
    del harness.environment["PSK_BERLIN"]

    told = lines(harness, harness.plan(hub("berlin").but(connection("berlin", dpdTimeoutSeconds=30))))

    assert "      sharedKey  (not verified)" in told


def test_a_rotation_is_never_shown_as_coming_from_none(new_harness: Callable[..., Harness]) -> None:
    harness = new_harness(echo_secrets=False)
    deployment = harness.create(hub("berlin"))
    harness.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    told = "\n".join(lines(harness, harness.plan(deployment)))

    assert "sharedKey  (not verified) -> (sensitive)" in told
    assert "(none)" not in told


def test_sending_again_leaves_alone_what_cannot_be_read(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))
    forget_fingerprint(harness, deployment)
    del harness.environment["PSK_PARIS"]

    assert harness.changes(deployment, resend_secrets=True) == {BERLIN: "update"}


# --- a plan that could not read it, applied where it can be read -----------------------------------------------------


@BOTH
def test_an_unchanged_key_does_not_make_such_a_plan_stale(harness: Harness, how: str) -> None:
    harness.create(hub("berlin", "paris"))
    key = harness.environment.pop("PSK_BERLIN")
    kept = planned(harness, hub("berlin", "paris").but(site("paris", 7)), how)
    harness.environment["PSK_BERLIN"] = key

    outcome = apply(harness, kept)

    assert outcome.outcome == "succeeded"
    assert harness.writes() == ["PUT localNetworkGateways/lgw-paris"]


@BOTH
def test_a_rotation_behind_such_a_plan_is_applied_and_told(harness: Harness, how: str) -> None:
    deployment = harness.create(hub("berlin"))
    del harness.environment["PSK_BERLIN"]
    kept = planned(harness, deployment, how)
    harness.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    outcome = apply(harness, kept)

    assert [w.lower() for w in harness.writes()] == ["put con-berlin/sharedkey"]
    assert any(BERLIN in notice and "is another one" in notice for notice in outcome.notices)
    assert harness.changes(deployment) == {}


@BOTH
@pytest.mark.parametrize("limit", ["none", "30s", "1h"])
def test_the_limit_of_an_outage_is_judged_again(harness: Harness, how: str, limit: str) -> None:
    deployment = harness.create(hub("berlin"))
    del harness.environment["PSK_BERLIN"]
    kept = planned(harness, deployment, how, max_outage=limit)
    harness.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    with pytest.raises(Refused) as refused:
        apply(harness, kept)

    assert [f.rule for f in refused.value.findings if f.level == "error"] == ["V-OUTAGE-01"]
    assert harness.writes() == []


@BOTH
def test_an_agreed_outage_is_agreed_in_such_a_plan_too(harness: Harness, how: str) -> None:
    deployment = harness.create(hub("berlin"))
    del harness.environment["PSK_BERLIN"]
    kept = planned(harness, deployment, how, max_outage="none", outage_agreed=frozenset({"berlin"}))
    harness.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    assert apply(harness, kept).outcome == "succeeded"


@BOTH
@pytest.mark.parametrize("edit", [{"dpdTimeoutSeconds": 30}, {"tags": {"env": "prod"}}], ids=["update", "tag"])
def test_a_rotation_beside_a_planned_change_of_the_same_connection(
    harness: Harness, how: str, edit: dict[str, Any]
) -> None:
    harness.create(hub("berlin"))
    del harness.environment["PSK_BERLIN"]
    after = hub("berlin").but(connection("berlin", **edit))
    kept = planned(harness, after, how)
    harness.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    assert apply(harness, kept).outcome == "succeeded"
    assert harness.plan(after, deep=True).changes == ()


@BOTH
def test_anything_else_that_moved_makes_such_a_plan_stale(harness: Harness, how: str) -> None:
    deployment = harness.create(hub("berlin"))
    del harness.environment["PSK_BERLIN"]
    kept = planned(harness, deployment, how)
    harness.environment["PSK_BERLIN"] = "rotatedKeyValue42"
    document = harness.document(rid("localNetworkGateways", "lgw-berlin"))
    document["properties"]["gatewayIpAddress"] = "203.0.113.77"
    harness.simulator.put(str(rid("localNetworkGateways", "lgw-berlin")), document)
    harness.mark()

    with pytest.raises(StalePlan):
        apply(harness, kept)

    assert harness.writes() == []


@BOTH
def test_a_rotation_that_the_plan_could_read_is_stale_as_ever(harness: Harness, how: str) -> None:
    deployment = harness.create(hub("berlin", "paris"))
    del harness.environment["PSK_PARIS"]
    kept = planned(harness, deployment, how)
    harness.environment["PSK_BERLIN"] = "rotatedKeyValue42"

    with pytest.raises(StalePlan):
        apply(harness, kept)


def test_a_saved_plan_that_knows_nothing_of_this_is_compared_as_before(harness: Harness) -> None:
    deployment = harness.create(hub("berlin"))
    kept = planned(harness, deployment, "saved")

    assert kept["basis"]["unreadable"] == []
    del kept["basis"]["unreadable"]
    kept.pop("seal")
    session = harness.workspace().session(deployment)
    key = session.key()
    assert key is not None

    assert apply(harness, kept | {"digest": key.digest(kept)}).outcome == "succeeded"


def test_what_was_shown_of_a_plan_is_shown_of_its_file(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris", **clients("one")))
    forget_fingerprint(harness, deployment)
    del harness.environment["PSK_PARIS"]
    plan = harness.plan(deployment.but(gateway(sku="VpnGw3AZ", **clients("one"))))
    view = view_of(harness, plan)

    loaded = PlanView.load(json.loads(dumps(plan_document(view))))

    assert plan_text(view, Style()) == plan_text(loaded, Style())
    assert (loaded.losses, loaded.secrets) == (view.losses, view.secrets)
