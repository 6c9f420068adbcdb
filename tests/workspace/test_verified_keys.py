"""Shared keys, honestly: what was not verified is said; ``--verify-keys`` and ``secret check --verify`` read them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import hub
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.engine.plan.unverified import Unverified
from vpngw_iac.errors import UsageError
from vpngw_iac.report import formatting
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.inspection import drift_text
from vpngw_iac.simulator.faults import AnswerInstead

SITES = ("berlin", "paris", "rome", "oslo")
KEY = "properties.sharedKey"


@pytest.fixture
def silent(new_harness: Callable[..., Harness]) -> Harness:
    """A cloud whose answers do not echo keys."""
    return new_harness(echo_secrets=False)


def changed_by_somebody(harness: Harness, site: str, value: str = "anotherKey1234567890abcdef") -> None:
    stored = next(d for d in harness.simulator._store.documents.values() if d.id.lower().endswith(f"/con-{site}"))
    stored.hidden["sharedKey"] = value


def keys_read(harness: Harness) -> list[str]:
    paths = (path.partition("?")[0] for path in harness.reads())
    return sorted(path.split("/")[-2] for path in paths if path.lower().endswith("/sharedkey"))


def addresses(found: Any) -> list[str]:
    return [item.address for item in found.items]


def test_a_plain_plan_reads_no_key_and_says_so(silent: Harness) -> None:
    deployment = silent.create(hub(*SITES))
    changed_by_somebody(silent, "paris")

    for options in ({}, {"deep": True}):
        plan = silent.plan(deployment, **options)
        assert plan.changes == ()
        assert formatting.not_verified(plan.secrets) == [
            "Not verified: 4 shared keys not read (vpngw secret check --verify)."
        ]
    found = silent.drift(deployment, deep=True)

    assert keys_read(silent) == []
    assert "Not verified: 4 shared keys not read (vpngw secret check --verify)." in drift_text(found, Style())


def test_the_line_names_each_situation() -> None:
    items = [
        *(Unverified(f"VpnConnection/hub/{n}", KEY, "not read") for n in range(24)),
        *(Unverified(f"VpnConnection/hub/{n}", KEY, "not comparable") for n in (30, 31)),
        Unverified("VpnConnection/hub/40", KEY, "not readable here", "env:PSK"),
    ]

    assert formatting.not_verified(items)[0] == (
        "Not verified: 24 shared keys not read, 2 that cannot be compared, 1 reference not readable here "
        "(vpngw secret check --verify)."
    )
    assert formatting.not_verified([]) == []


def test_deep_compares_a_key_where_the_connection_echoes_it(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))
    changed_by_somebody(harness, "paris")

    assert harness.plan(deployment).changes == ()
    assert [c.address for c in harness.plan(deployment, deep=True).changes] == ["VpnConnection/hub/paris"]
    assert keys_read(harness) == []


def test_verify_keys_reads_each_by_its_own_call_and_sees_what_somebody_changed(silent: Harness) -> None:
    deployment = silent.create(hub(*SITES))
    changed_by_somebody(silent, "paris")

    plan = silent.plan(deployment, verify_keys="all")

    assert keys_read(silent) == ["con-berlin", "con-oslo", "con-paris", "con-rome"]
    assert [(c.address, c.only_secret) for c in plan.changes] == [("VpnConnection/hub/paris", True)]
    assert plan.secrets == ()
    assert "anotherKey" not in repr(plan)
    drifted = silent.drift(deployment, verify_keys="all")
    assert addresses(drifted) == ["VpnConnection/hub/paris"]
    outcome = silent.apply(deployment, verify_keys="all")
    assert outcome.outcome == "succeeded"
    assert silent.plan(deployment, verify_keys="all").changes == ()


def test_a_key_that_the_connection_echoes_is_not_read_again(harness: Harness) -> None:
    deployment = harness.create(hub("berlin", "paris"))

    assert harness.plan(deployment, verify_keys="all", deep=True).changes == ()

    assert keys_read(harness) == []


def test_n_daily_runs_read_every_key_once(silent: Harness) -> None:
    deployment = silent.create(hub(*SITES))
    seen: list[str] = []
    for _ in range(3):
        silent.mark()
        days = int(silent.clock.now() // 86400) + 20454  # virtual time begins on 2026-01-01
        silent.plan(deployment, verify_keys="1/3")
        today = keys_read(silent)
        for site in SITES:
            number = int(hashlib.sha256(f"VpnConnection/hub/{site}".encode()).hexdigest(), 16)
            assert (f"con-{site}" in today) == (number % 3 == days % 3)
        seen += today
        silent.clock.advance(86400)

    assert sorted(seen) == sorted(f"con-{site}" for site in SITES)


@pytest.mark.parametrize("wrong", ["", "some", "1/0", "2/7", "1/", "1/x", "1/7 "])
def test_anything_else_is_refused_with_what_to_write(harness: Harness, wrong: str) -> None:
    with pytest.raises(UsageError, match="neither all nor 1/N") as refused:
        harness.plan(hub("berlin"), verify_keys=wrong)

    assert "1/7" in refused.value.advice


def test_a_key_that_may_not_be_read_stays_unverified(silent: Harness) -> None:
    deployment = silent.create(hub("berlin", "paris"))
    silent.fault(AnswerInstead(status=403, code="AuthorizationFailed"), method="GET", path="*/con-paris/sharedkey")

    plan = silent.plan(deployment, verify_keys="all")

    assert plan.changes == ()
    assert [(item.address, item.why) for item in plan.secrets] == [("VpnConnection/hub/paris", "not read")]


def test_a_saved_plan_looks_at_the_same_keys_again(silent: Harness) -> None:
    """Whatever the day: the plan says whose turn it was."""
    deployment = silent.create(hub(*SITES))
    changed_by_somebody(silent, "paris")
    workspace = silent.workspace()
    plan = workspace.plan(deployment, Options(verify_keys="all"))
    document = workspace.save_plan(plan)
    silent.clock.advance(86400)

    again = silent.workspace()
    outcome = again.apply(again.load_plan(document))

    assert outcome.outcome == "succeeded"
    assert silent.plan(deployment, verify_keys="all").changes == ()


def test_secret_check_verifies_once_for_all(silent: Harness) -> None:
    deployment = silent.create(hub("berlin", "paris"))
    forget_fingerprints(silent, deployment)
    assert [s.why for s in silent.plan(deployment).secrets] == ["not comparable"] * 2
    changed_by_somebody(silent, "paris")

    checks = silent.workspace().check_secrets(deployment, verify=True)

    assert {check.address: (check.verified, check.ok) for check in checks} == {
        "VpnConnection/hub/berlin": ("equal", True),
        "VpnConnection/hub/paris": ("different", False),
    }
    assert {s.address: s.why for s in silent.plan(deployment).secrets} == {
        "VpnConnection/hub/berlin": "not read",
        "VpnConnection/hub/paris": "not comparable",
    }
    silent.environment["PSK_BERLIN"] = "rotated1234567890abcdefghij"
    assert "VpnConnection/hub/berlin" in silent.changes(deployment), "a rotation is seen from now on"


def test_secret_check_without_verify_asks_azure_nothing(silent: Harness) -> None:
    deployment = silent.create(hub("berlin"))
    before = len(silent.simulator.requests)

    checks = silent.workspace().check_secrets(deployment)

    assert [check.verified for check in checks] == [""]
    assert len(silent.simulator.requests) == before


def forget_fingerprints(harness: Harness, deployment: Any) -> None:
    """As after an import: the keys are there, and nobody knows what they were."""
    session = harness.workspace().session(deployment)
    store = session.store()
    with store.locked(session.owner("test")) as locked:
        loaded = store.load()
        assert loaded is not None
        entries = {a: e.model_copy(update={"fingerprints": {}}) for a, e in loaded.state.entries.items()}
        locked.checkpoint(loaded.state.model_copy(update={"entries": entries, "serial": loaded.state.serial + 1}))
