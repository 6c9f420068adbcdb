"""``vpngw verify`` and ``apply --verify``: verdicts, exit codes, formats."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from tests.cli.conftest import Shell


def test_verify_tells_and_ends_with_five_where_something_is_down(hub: Shell) -> None:
    up = hub("verify", "hub.yaml", "--wait", "10", code=0)
    hub("simulator", "set", "con-berlin", "other-end=silence", code=0)
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


def test_apply_with_verify_ends_with_five_where_something_is_down(hub: Shell) -> None:
    hub("verify", "hub.yaml", "--wait", "10", code=0)
    hub("simulator", "set", "con-berlin", "other-end=silence", "tags.owner=somebody", code=0)

    document = hub("apply", "hub.yaml", "--yes", "--verify", "0", "--json", code=5).document

    assert (document["kind"], document["outcome"], document["exit_code"]) == ("apply", "succeeded", 0)
    assert document["verification"]["verified"] is False
    assert "nothing to verify" in hub("apply", "hub.yaml", "--yes", "--destroy", "--verify", "1", code=64).err
