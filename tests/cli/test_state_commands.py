"""Looking at a state, and repairing it by hand."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from tests.cli.conftest import CANARY, Shell, start

SITE = "LocalNetworkGateway/vgw-hub/berlin"
CONNECTION = "VpnConnection/vgw-hub/berlin"


@pytest.mark.parametrize(
    "words", [("hub.yaml", CONNECTION), (CONNECTION, "hub.yaml"), (CONNECTION, "--deployment", "hub")]
)
def test_the_file_comes_first_or_last(hub: Shell, words: tuple[str, ...]) -> None:
    assert CONNECTION in hub("state", "show", *words, code=0).out


def test_too_many_words_say_what_is_expected(hub: Shell) -> None:
    assert "Expected [FILE] OLD NEW" in hub("state", "mv", "hub.yaml", "a", "b", "c", code=64).err


def test_a_document_is_told_from_a_blueprint_in_json_wherever_it_stands(hub: Shell) -> None:
    hub.write("state.json", hub("state", "pull", "hub.yaml", code=0).out)
    for words in (("hub.yaml", "state.json"), ("state.json", "hub.yaml")):
        hub("state", "push", *words, code=0)


@pytest.mark.parametrize("where", [("hub.yaml",), ("--deployment", "hub")])
def test_list_and_show_take_a_file_or_a_deployment(hub: Shell, where: tuple[str, ...]) -> None:
    listed = hub("state", "list", *where, code=0)
    shown = hub("state", "show", CONNECTION, *where, code=0)
    document = hub("state", "show", CONNECTION, *where, "--json", code=0).document

    assert "hub: 7 entries" in listed.out
    assert SITE in listed.out
    assert "(sensitive) env:BERLIN_PSK" in shown.out
    assert CANARY not in shown.out + json.dumps(document)
    assert document["entry"]["address"] == CONNECTION


def test_without_file_and_deployment_it_asks_which(hub: Shell) -> None:
    assert "Which deployment?" in hub("state", "list", code=64).err


def test_an_address_that_is_not_there_names_the_nearest(hub: Shell) -> None:
    answer = hub("state", "show", "VpnConnection/vgw-hub/berlim", "hub.yaml", code=64)

    assert f"Did you mean '{CONNECTION}'?" in answer.err


def test_a_deployment_without_a_state_is_told(vpngw: Shell) -> None:
    answer = vpngw("state", "list", "--deployment", "nobody", code=1)

    assert "There is no state of nobody" in answer.err


def test_a_moved_entry_is_found_by_its_id_again(hub: Shell) -> None:
    hub("state", "mv", SITE, "LocalNetworkGateway/vgw-hub/capital", "hub.yaml", code=0)

    listed = hub("state", "list", "hub.yaml", code=0)
    planned = hub("plan", "hub.yaml", code=0)

    assert "LocalNetworkGateway/vgw-hub/capital" in listed.out
    assert SITE not in listed.out
    assert "moved from LocalNetworkGateway/vgw-hub/capital" in planned.out
    assert "Plan: 0 to add, 0 to change, 0 to destroy." in planned.out


@pytest.mark.parametrize(
    "new",
    [
        CONNECTION,
        "Nonsense/x",
        "LocalNetworkGateway/",
        "LocalNetworkGateway",
        "",
    ],
)
def test_a_move_to_an_impossible_address_is_refused(hub: Shell, new: str) -> None:
    before = hub("state", "pull", "hub.yaml", code=0).out

    hub("state", "mv", SITE, new, "hub.yaml", code=64)

    assert json.loads(hub("state", "pull", "hub.yaml", code=0).out)["entries"] == json.loads(before)["entries"]


def test_a_forgotten_resource_stays_in_azure_and_is_nobodys(hub: Shell) -> None:
    told = hub("state", "forget", CONNECTION, "hub.yaml", code=0)

    planned = hub("plan", "hub.yaml", code=4)
    logged = hub("log", "hub.yaml", code=0)

    assert "stays in Azure" in told.out
    assert "--adopt" in planned.out
    assert f"forgotten {CONNECTION}" in logged.out
    hub("apply", "hub.yaml", "--yes", "--adopt", CONNECTION, code=0)
    assert "No changes" in hub("plan", "hub.yaml", code=0).out


def test_what_others_need_is_not_forgotten(hub: Shell) -> None:
    answer = hub("state", "forget", SITE, "hub.yaml", code=1)

    assert f"needed by {CONNECTION}" in answer.err


def test_pull_and_push_carry_a_state_to_another_place(hub: Shell) -> None:
    pulled = hub("state", "pull", "hub.yaml", code=0)
    hub.write("state.json", pulled.out)

    pushed = hub("state", "push", "state.json", "hub.yaml", "--state", "elsewhere", code=0)
    planned = hub("plan", "hub.yaml", "--state", "elsewhere", code=0)

    assert CANARY not in pulled.out
    assert "hub: 7 entries" in pushed.out
    assert "No changes" in planned.out


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda state: state | {"deployment": "other"}, 4),
        (lambda state: state | {"format": 3}, 1),
        (lambda state: state | {"lineage": "another"}, 4),
        (lambda state: state | {"binding": state["binding"] | {"cloud": "public"}}, 4),
        (lambda state: state | {"binding": state["binding"] | {"tenant": "another"}}, 4),
        (lambda state: {"nonsense": True}, 1),
    ],
    ids=["another deployment", "newer", "another history", "another cloud", "another tenant", "no state"],
)
def test_a_document_that_is_not_this_state_is_not_pushed(hub: Shell, edit: object, code: int) -> None:
    before = hub("state", "pull", "hub.yaml", code=0).out
    hub.write("state.json", json.dumps(edit(json.loads(before))))  # type: ignore[operator]

    answer = hub("state", "push", "state.json", "hub.yaml", code=code)

    assert "Traceback" not in answer.err
    assert "bug" not in answer.err
    assert hub("state", "pull", "hub.yaml", code=0).out == before


def test_a_state_of_another_cloud_is_not_pushed_where_there_is_none_yet(hub: Shell) -> None:
    state = json.loads(hub("state", "pull", "hub.yaml", code=0).out)
    hub.write("state.json", json.dumps(state | {"binding": state["binding"] | {"cloud": "public"}}))

    answer = hub("state", "push", "state.json", "hub.yaml", "--state", "elsewhere", code=4)

    assert "bound to cloud public" in answer.err
    assert not (hub.directory / "elsewhere" / "simulator" / "hub" / "state.json").exists()


def test_a_lost_state_is_rebuilt_from_azure_and_proves_it_by_an_empty_plan(hub: Shell) -> None:
    shutil.rmtree(hub.directory / ".vpngw" / "state")

    lost = hub("plan", "hub.yaml", code=4)
    rebuilt = hub("state", "rebuild", "hub.yaml", code=0)
    planned = hub("plan", "hub.yaml", code=0)

    assert "V-STATE-03" in lost.out
    assert "`vpngw state rebuild FILE` recovers it" in " ".join(lost.out.split())
    assert "recovered" in rebuilt.out
    assert "Plan: " not in planned.out
    assert "No changes" in planned.out


def test_unlock_tells_whose_lock_it_broke(hub: Shell) -> None:
    free = hub("state", "unlock", "hub.yaml", code=0)
    hub.edit("hub.yaml", "VpnGw1AZ", "VpnGw2AZ")
    slow = dict(os.environ) | {"VPNGW_SIMULATOR_SPEED": "25"}
    with start("apply", "hub.yaml", "--yes", env=slow) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "update started" in line:
                break
        refused = hub("state", "unlock", "hub.yaml", "--yes", code=7)
        lock = hub.directory / ".vpngw/state/simulator/hub/lock.json"
        lock.write_text(json.dumps(json.loads(lock.read_text()) | {"host": "runner-7"}))
        broken = hub("state", "unlock", "hub.yaml", "--yes", code=0)
        process.communicate(timeout=60)

    assert "Nobody holds the lock." in free.out
    assert "is alive on this machine" in refused.err
    assert "`vpngw apply`" in broken.out
    assert process.returncode == 7
    hub("apply", "hub.yaml", "--yes", code=0)
