"""What a run leaves behind half-way: a replacement is not begun anew, and nothing is remembered that is not so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import (
    REGION,
    Deployment,
    connection,
    group_id,
    hub,
    hub_without_gateway,
    network,
    resource_group,
    site,
)
from vpngw_iac.errors import StateLocked
from vpngw_iac.resources.base import Ref
from vpngw_iac.secret import Secret
from vpngw_iac.simulator.faults import AnswerInstead, FailLate
from vpngw_iac.state.journal import EntryRemoved, RunClosed, RunOpened
from vpngw_iac.state.log import replaced_since_success

GATEWAY = frozenset({"VpnGateway/hub"})
NOW = "2026-01-01T00:00:00Z"


def gone(harness: Harness) -> int:
    """How often the gateway was deleted since the mark."""
    return harness.writes().count("DELETE virtualNetworkGateways/vgw-hub")


# --- a replacement that died half-way (replaced_since_success) -------------------------------------------------------


def half_replaced(harness: Harness) -> Deployment:
    """The gateway is built again; its connection, which goes with it, is refused: the run fails."""
    harness.create(hub("berlin"))
    same = hub("berlin")
    harness.fault(AnswerInstead(status=400, code="BadRequest", message="No."), method="PUT", path="*/con-berlin")
    outcome = harness.apply(same, replace=GATEWAY)
    assert outcome.outcome == "failed"
    assert gone(harness) == 1
    return same


def test_a_gateway_asked_for_again_after_a_failure_is_not_deleted_a_second_time(harness: Harness) -> None:
    deployment = half_replaced(harness)

    harness.converge(deployment, replace=GATEWAY)

    assert gone(harness) == 1


def test_a_wait_in_between_does_not_begin_it_anew(harness: Harness) -> None:
    deployment = half_replaced(harness)
    harness.wait(deployment)

    harness.converge(deployment, replace=GATEWAY)

    assert gone(harness) == 1


def test_after_an_apply_that_succeeded_it_is_asked_for_anew(harness: Harness) -> None:
    deployment = half_replaced(harness)
    harness.converge(deployment, replace=GATEWAY)

    harness.converge(deployment, replace=GATEWAY)

    assert gone(harness) == 2


def run_of(command: str, outcome: str, *inside: Any) -> list[Any]:
    opened = RunOpened(at=NOW, run=command, command=command, actor="", correlation="", version="")
    return [opened, *inside, RunClosed(at=NOW, run=command, outcome=outcome, exit_code=0)]


def removed(why: Any = "deleted") -> EntryRemoved:
    return EntryRemoved(at=NOW, address="VpnGateway/hub", why=why)


@pytest.mark.parametrize(
    ("records", "found"),
    [
        (run_of("apply", "failed", removed()), True),
        (run_of("apply", "failed", removed())[:-1], True),
        (run_of("apply", "succeeded", removed()), False),
        (run_of("destroy", "succeeded", removed()), False),
        ([*run_of("apply", "failed", removed()), *run_of("wait", "succeeded")], True),
        ([*run_of("apply", "failed", removed()), *run_of("state mv", "succeeded")], True),
        ([*run_of("apply", "failed", removed()), *run_of("apply", "succeeded")], False),
        (run_of("state forget", "succeeded", removed("forgotten")), False),
        (run_of("apply", "failed", removed("forgotten")), False),
    ],
)
def test_what_was_deleted_counts_until_an_apply_succeeds(records: list[Any], found: bool) -> None:
    assert replaced_since_success(records) == (frozenset({"VpnGateway/hub"}) if found else frozenset())


# --- a create that ended Failed (Ledger.remember_failed) -------------------------------------------------------------


def test_a_create_that_failed_leaves_an_entry_without_fingerprints(harness: Harness) -> None:
    """Whether Azure has the key of a Failed connection nobody knows; it is sent with the repair."""
    harness.fault(FailLate(code="InternalServerError", message="No."), method="PUT", path="*/con-berlin")
    deployment = hub("berlin")

    harness.apply(deployment)

    entry = harness.entries(deployment)["VpnConnection/hub/berlin"]
    assert entry.fingerprints == {}
    harness.converge(deployment)
    assert harness.entries(deployment)["VpnConnection/hub/berlin"].fingerprints != {}


# --- the lock after the question (hold.renew) ------------------------------------------------------------------------


def test_a_lock_that_was_lost_while_people_thought_ends_the_run_before_anything_is_made(harness: Harness) -> None:
    """The first thing that a run makes is a generated secret: by then it must know that the lock is still its own."""
    generated = connection("berlin", sharedKey=Secret.generated("kv-hub", "psk-berlin"))
    deployment = hub("berlin").but(generated)

    def broken(_: Any) -> bool:
        harness.workspace().session(deployment).store().unlock()
        return True

    with pytest.raises(StateLocked):
        harness.apply(deployment, run={"confirm": broken})

    assert harness.simulator.vault.get("kv-hub", "psk-berlin") is None
    assert harness.writes() == []


# --- needs that had no entry yet (_complete_needs) -------------------------------------------------------------------


def test_what_is_adopted_before_something_it_needs_is_made_needs_that_too_at_the_end(harness: Harness) -> None:
    """A local network gateway is there; the network that it is to come after is made in the same run."""
    harness.simulator.put(str(group_id()), {"location": REGION})
    harness.simulator.put(str(site("berlin").id), dict(site("berlin").body()))
    later = site("berlin").model_copy(update={"needs": (Ref.to(network().id),)})
    deployment = Deployment("hub", (resource_group(), network(), later))

    harness.apply(deployment, adopt=frozenset({later.address}))

    assert network().id in harness.entries(deployment)[later.address].needs


# --- what a LIST shows as not Succeeded (observe._suspicious) --------------------------------------------------------


@pytest.mark.parametrize("state", ["Failed", "Updating"])
def test_what_a_list_shows_as_not_succeeded_is_confirmed_by_a_get(harness: Harness, state: str) -> None:
    deployment = harness.create(hub_without_gateway("berlin", "paris", "rome", "oslo"))
    stored = harness.simulator._store.find(site("rome").id)
    assert stored is not None
    stored.state = state
    harness.simulator._store.save(stored)
    harness.mark()

    harness.plan(deployment)

    single = [path for path in harness.reads() if "/localnetworkgateways/" in path.lower()]
    assert [path.partition("?")[0].rpartition("/")[2] for path in single] == ["lgw-rome"]
