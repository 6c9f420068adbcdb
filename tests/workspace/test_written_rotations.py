"""A rotation that somebody wrote is an edit: it shows in every plan, read or not, and sets the key by one call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.workspace.test_saved_plans import apply, saved
from tests.worlds import Deployment, connection, gateway, hub, radius, site
from vpngw_iac.secret import Secret

BERLIN = "VpnConnection/hub/berlin"
KEYS = {"VPNGW_SECRET_PSK": "0123456789abcdef"}


def rotated(rotation: str, **changes: Any) -> Deployment:
    return hub("berlin").but(connection("berlin", **changes).model_copy(update={"rotation": rotation}))


def versioned(version: str | None) -> Deployment:
    return rotated("", sharedKey=Secret.key_vault("kv", "psk", version))


def test_another_rotation_sets_the_key_by_one_call_and_is_remembered(harness: Harness) -> None:
    harness.create(rotated("2026-10"))

    change = harness.change(rotated("2026-11"), BERLIN)
    assert (change.action, change.only_secret) == ("update", True)
    (difference,) = change.differences
    assert (difference.applied, difference.declared) == (
        "(sensitive, rotation 2026-10)",
        "(sensitive, rotation 2026-11)",
    )
    harness.converge(rotated("2026-11"))

    assert [w for w in harness.writes() if not w.startswith("GET")] == ["PUT con-berlin/sharedkey"]
    assert harness.entries(hub())[BERLIN].rotation == "2026-11"


def test_the_first_rotation_of_a_link_that_had_none_sets_it_too(harness: Harness) -> None:
    harness.create(hub("berlin"))

    assert harness.changes(rotated("2026-11")) == {BERLIN: "update"}


def test_a_rotation_that_is_taken_away_does_nothing(harness: Harness) -> None:
    harness.create(rotated("2026-10"))

    plan = harness.plan(hub("berlin"))

    assert plan.changes == ()
    assert plan.state_only_updates == (BERLIN,)
    harness.converge(hub("berlin"))
    assert harness.entries(hub())[BERLIN].rotation == ""
    assert harness.writes() == []


def test_a_rotation_beside_another_edit_is_one_put_that_carries_the_key(harness: Harness) -> None:
    harness.create(rotated("2026-10"))

    harness.converge(rotated("2026-11", dpdTimeoutSeconds=60))

    assert harness.writes() == ["PUT connections/con-berlin"]


def test_a_rotation_decides_the_same_whoever_can_read_the_key(harness: Harness) -> None:
    harness.create(rotated("2026-10"))
    seen = saved(harness, rotated("2026-11"))
    key = harness.environment.pop("PSK_BERLIN")
    unseen = saved(harness, rotated("2026-11"))

    assert seen["decision_digest"] == unseen["decision_digest"]
    assert seen["decision_digest"] != saved(harness, rotated("2026-12"))["decision_digest"]
    harness.environment["PSK_BERLIN"] = key[::-1]
    assert apply(harness, unseen).outcome == "succeeded"
    assert harness.changes(rotated("2026-11")) == {}


def test_a_key_that_cannot_be_read_alone_starts_nothing(harness: Harness) -> None:
    harness.create(hub("berlin"))
    harness.environment["PSK_BERLIN"] = "another-key-0123"
    hidden = harness.environment.pop("PSK_BERLIN")

    plan = harness.plan(hub("berlin"))

    assert hidden
    assert plan.changes == ()
    assert [(item.address, item.why) for item in plan.secrets] == [(BERLIN, "not readable here")]


@pytest.mark.parametrize(("before", "after"), [("v1", "v2"), (None, "v2")])
def test_another_version_of_a_reference_is_an_edit(harness: Harness, before: str | None, after: str) -> None:
    harness.environment |= KEYS
    harness.create(versioned(before))

    change = harness.change(versioned(after), BERLIN)

    assert change.differences[0].declared == "(sensitive, version v2)"
    harness.converge(versioned(after))
    assert harness.writes() == ["PUT con-berlin/sharedkey"]


def test_a_version_that_is_taken_away_is_judged_by_its_value(harness: Harness) -> None:
    harness.environment |= KEYS
    harness.create(versioned("v1"))

    assert harness.changes(versioned(None)) == {}


def test_no_secret_is_in_what_a_rotation_leaves(harness: Harness) -> None:
    harness.create(rotated("2026-10"))
    document = json.dumps(saved(harness, rotated("2026-11")))

    assert harness.environment["PSK_BERLIN"] not in document


# --- the same key once more -------------------------------------------------------------------------------------------


def test_resending_with_a_target_sets_that_key_and_no_other(harness: Harness) -> None:
    """With what is needed by the target nothing else happens, whatever it holds."""
    clients = gateway(**radius(Secret.env("PSK_ROME")))
    deployment = hub("berlin", "paris").but(clients)
    harness.create(deployment)
    next(harness.folder.rglob("key")).unlink()  # no fingerprint can be compared any more

    harness.apply(deployment, resend_secrets=True, target=frozenset({BERLIN}))

    assert harness.writes() == ["PUT con-berlin/sharedkey"]


def test_a_key_that_can_be_compared_is_sent_again_where_it_is_named(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))

    outcome = harness.apply(deployment, resend_secrets=True, target=frozenset({BERLIN}))

    assert [(r.address, r.verb) for r in outcome.operations] == [(BERLIN, "act")]
    assert harness.writes() == ["PUT con-berlin/sharedkey"]


def test_resending_without_a_target_sends_what_cannot_be_compared_alone(harness: Harness) -> None:
    deployment = harness.create(hub("berlin").plus(site("rome", 9)))

    assert harness.changes(deployment, resend_secrets=True) == {}
