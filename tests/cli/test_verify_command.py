"""``vpngw verify`` and ``apply --verify``: verdicts, exit codes, formats."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree

from tests.cli.conftest import HUB, Shell


def test_verify_tells_and_ends_with_five_where_something_is_down(hub: Shell) -> None:
    up = hub("verify", "hub.yaml", "--wait", "10", code=0)
    hub("simulator", "set", "con-berlin", "other-end=silence", code=0)
    os.environ["VPNGW_SIMULATOR_SPEED"] = "2000"  # five minutes of patience are more than a busy machine's breath
    down = hub("verify", "hub.yaml", "berlin", code=5)
    told = hub("verify", "hub.yaml", "--json", code=5).document

    assert "Verified hub:" in up.out
    assert "berlin  down" in down.out
    assert "There is no security association" in down.out
    assert (told["kind"], told["verified"], told["exit_code"]) == ("verify", False, 5)
    assert {one["name"]: one["verdict"] for one in told["subjects"]}["berlin"] == "down"
    assert told["summary"]["down"] == 1


def test_the_other_formats_say_the_same(hub: Shell) -> None:
    hub("verify", "hub.yaml", "--wait", "10", code=0)
    hub("simulator", "set", "con-berlin", "other-end=never-came-up", code=0)

    suite = ElementTree.fromstring(hub("verify", "hub.yaml", "--format", "junit", code=0).out)
    page = hub("verify", "hub.yaml", "--format", "markdown", "--strict", code=5).out

    case = suite.find(".//testcase[@name='berlin']")
    assert case is not None
    assert case.find("skipped") is not None
    assert "### vpngw verify: hub" in page
    assert "berlin | never up" in page


def test_a_name_that_is_nowhere_is_corrected(hub: Shell) -> None:
    assert "Did you mean 'berlin'?" in hub("verify", "hub.yaml", "berlim", code=64).err
    assert "is no id of a network interface" in hub("verify", "hub.yaml", "--nic", "nic-1", code=64).err


def test_apply_tells_how_many_tunnels_are_up_and_waits_for_them_where_asked(vpngw: Shell) -> None:
    told = vpngw("apply", "hub.yaml", "--yes", "--verify", "10", code=0)

    assert "Apply of hub complete" in told.out
    assert "tunnels up" in told.out or "tunnel up" in told.out
    assert "Verified hub:" in told.out


def test_apply_of_a_saved_plan_tells_it_too(vpngw: Shell) -> None:
    vpngw("plan", "hub.yaml", "--out", "plan.json", code=0)

    told = vpngw("apply", "plan.json", code=0).out

    assert "tunnels up" in told or "tunnel up" in told


def test_apply_with_verify_ends_with_five_where_something_is_down(hub: Shell) -> None:
    hub("verify", "hub.yaml", "--wait", "10", code=0)
    hub("simulator", "set", "con-berlin", "other-end=silence", "tags.owner=somebody", code=0)

    document = hub("apply", "hub.yaml", "--yes", "--verify", "0", "--json", code=5).document

    assert (document["kind"], document["outcome"], document["exit_code"]) == ("apply", "succeeded", 0)
    assert document["verification"]["verified"] is False
    assert document["verification"]["notices"] == []  # the run's lock was given up before
    assert "nothing to verify" in hub("apply", "hub.yaml", "--yes", "--destroy", "--verify", "1", code=64).err


def two(vpngw: Shell) -> None:
    vpngw.write(
        "two.yaml", HUB.replace("name: hub\nn", "name: two\nn").replace("-hub", "-two").replace("10.1.", "10.2.")
    )


def test_several_deployments_are_applied_and_verified_in_one_document(vpngw: Shell) -> None:
    two(vpngw)

    told = vpngw("apply", ".", "--yes", "--verify", "10", "--json", code=0).document

    assert (told["kind"], told["command"], told["exit_code"]) == ("fleet", "apply", 0)
    assert {one["deployment"]: one["verification"]["verified"] for one in told["deployments"]} == {
        "hub": True,
        "two": True,
    }


def test_one_of_several_that_is_down_ends_with_five_and_only_what_was_applied_is_verified(hub: Shell) -> None:
    hub("verify", "hub.yaml", "--wait", "10", code=0)
    hub("simulator", "set", "con-berlin", "other-end=silence", code=0)
    two(hub)
    hub.write("two.yaml", (hub.directory / "two.yaml").read_text().replace("BERLIN_PSK", "NOWHERE_PSK"))

    told = hub("apply", ".", "--yes", "--verify", "0", "--json").document
    by_name = {one["deployment"]: one for one in told["deployments"]}

    assert by_name["hub"]["verification"]["exit_code"] == 5
    assert "verification" not in by_name["two"]
    assert told["exit_code"] == by_name["two"]["exit_code"] != 0


def test_what_counts_with_strict_is_a_failure_in_junit_and_else_skipped(hub: Shell) -> None:
    hub("verify", "hub.yaml", "--wait", "10", code=0)
    hub("simulator", "set", "con-berlin", "other-end=never-came-up", code=0)

    strict = hub("verify", "hub.yaml", "--format", "junit", "--strict", code=5).out
    plain = hub("verify", "hub.yaml", "--format", "junit", code=0).out

    assert 'failures="1" errors="0" skipped="0"' in strict
    assert 'failures="0" errors="0" skipped="1"' in plain
