"""Folders, patterns and several files: one command for many deployments, and the jobs of a pipeline."""

from __future__ import annotations

import json
import select
import signal
import sys
from typing import IO, Any

import pytest

from tests.another_user import another_user, as_root, let_through
from tests.cli.conftest import CANARY, HUB, Shell, start
from tests.cli.test_prompt_and_signals import terminal

CIRCUIT = """
kind: ExpressRoute
name: {name}
circuits:
  - {{name: erc-{name}, location: westeurope, resource_group: rg-{name}, provider: Equinix,
      peering_location: Amsterdam, bandwidth: 50}}
"""
"""The smallest deployment there is."""


def hub(name: str, number: int) -> str:
    text = HUB.replace("vnet-hub", f"vnet-{name}").replace("vgw-hub", f"vgw-{name}").replace("rg-hub", f"rg-{name}")
    return text.replace("name: hub\n", f"name: {name}\n").replace("10.1.", f"10.{number}.")


@pytest.fixture
def hubs(vpngw: Shell) -> Shell:
    """Three hubs in a folder."""
    (vpngw.directory / "hubs").mkdir()
    for number, name in enumerate(("amsterdam", "berlin", "cairo"), start=1):
        vpngw.write(f"hubs/{name}.yaml", hub(name, number))
    return vpngw


def deployments(document: dict[str, Any]) -> list[str]:
    return [one["deployment"] for one in document["deployments"]]


# --- what FILE stands for --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["hubs/"], ["amsterdam", "berlin", "cairo"]),
        (["hubs/*a*.yaml"], ["amsterdam", "cairo"]),
        (["**/cairo.yaml", "hubs/berlin.yaml", "hubs"], ["amsterdam", "berlin", "cairo"]),
        (["hubs/berlin.yaml", "hubs/amsterdam.yaml"], ["amsterdam", "berlin"]),
        (["hubs/berlin.yaml:berlin", "hubs/cairo.yaml"], ["berlin", "cairo"]),
    ],
)
def test_files_folders_and_patterns_name_a_fleet(hubs: Shell, targets: list[str], expected: list[str]) -> None:
    document = hubs("plan", *targets, "--json", code=0).document

    assert document["kind"] == "fleet"
    assert document["command"] == "plan"
    assert deployments(document) == expected
    assert [one["kind"] for one in document["deployments"]] == ["plan"] * len(expected)


def test_what_others_import_is_no_deployment(hubs: Shell) -> None:
    hubs.write("hubs/_common.py", "PREFIX = '192.168.10.0/24'\n")
    hubs.write("hubs/.hidden.yaml", "kind: nothing\n")
    hubs.write("hubs/README.md", "# Hubs\n")

    assert deployments(hubs("plan", "hubs", "--json", code=0).document) == ["amsterdam", "berlin", "cairo"]


def test_a_file_that_goes_elsewhere_takes_no_other_along(hubs: Shell) -> None:
    hubs.write("hubs/_aside.yaml", hub("aside", 9))
    hubs.write(
        "hubs/aside.py",
        "import os\n\nfrom vpngw_iac import load\n\nos.chdir('/')\n"
        "blueprint = load(__file__.replace('aside.py', '_aside.yaml')).blueprint\n",
    )

    planned = hubs("plan", "hubs", "--json", code=0).document

    assert deployments(planned) == ["amsterdam", "aside", "berlin", "cairo"]
    assert {one["state"] for one in planned["deployments"]} == {
        f"{hubs.directory.as_uri()}/.vpngw/state/simulator/{name}" for name in deployments(planned)
    }


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (["empty"], "There is no blueprint file in the folder empty."),
        (["nowhere/*.py"], "No blueprint file matches nowhere/*.py."),
        (["hubs", "absent.yaml"], "There is no file absent.yaml."),
        (["hubs", "--deployment", "x"], "--deployment names one deployment, these are several."),
        (["hubs", "-o", "plan.json"], "plan.json is a file, and these are 3 plans."),
        (["hubs", "--parallel", "0"], "--parallel"),
    ],
)
def test_what_cannot_be_a_fleet_is_told(hubs: Shell, targets: list[str], said: str) -> None:
    (hubs.directory / "empty").mkdir()

    answer = hubs("plan", *targets, code=64)

    assert said in answer.err.replace("\n", " ")
    assert answer.out == ""


@as_root
def test_a_folder_that_takes_no_plan_is_told_before_anything_is_planned(hubs: Shell) -> None:
    hubs("plan", "hubs", code=0)
    (hubs.directory / "plans").mkdir(mode=0o555)
    let_through(hubs.directory / "hubs")

    with another_user():
        answer = hubs("plan", "hubs", "-o", "plans", code=64)

    assert "Plans cannot be saved to plans: Permission denied." in answer.err
    assert answer.out == ""


def test_a_file_with_several_blueprints_is_a_fleet(vpngw: Shell) -> None:
    vpngw.write("two.yaml", "blueprints:\n" + "".join(f"  - {json.dumps(c)}\n" for c in circuits("one", "two")))

    applied = vpngw("apply", "two.yaml", "--yes", "--json", code=0).document
    again = vpngw("plan", "two.yaml", "--json", code=0).document

    assert [(one["deployment"], one["outcome"]) for one in applied["deployments"]] == [
        ("one", "succeeded"),
        ("two", "succeeded"),
    ]
    assert [one["changes"] for one in again["deployments"]] == [[], []]


def circuits(*names: str) -> list[dict[str, Any]]:
    import yaml

    return [yaml.safe_load(CIRCUIT.format(name=name)) for name in names]


def test_validate_tells_what_two_files_manage_both(hubs: Shell) -> None:
    hubs.write("hubs/again.yaml", hub("cairo", 3).replace("name: cairo\n", "name: again\n", 1))

    answer = hubs("validate", "hubs", code=0)

    assert "P-TWICE" in answer.out
    assert "'again' and 'cairo' both manage" in answer.out


def test_validate_tells_what_plan_would_refuse_a_folder_for(hubs: Shell) -> None:
    hubs.write("hubs/copy.yaml", hub("cairo", 9).replace("-cairo", "-copy"))
    hubs("compile", "hubs/berlin.yaml", "--save", "hubs/graph.json", code=0)

    document = hubs("validate", "hubs", "--json", code=4).document
    planned = hubs("plan", "hubs/c*.yaml", code=64)

    assert {(f["rule"], f["location"]) for f in document["findings"] if f["level"] == "error"} == {
        ("P-NAME", "hubs/copy.yaml"),
        ("T-FILE", "hubs/graph.json"),
    }
    assert "Two deployments are called 'cairo'" in planned.err
    assert "There is no file" in hubs("validate", "hubs", "absent.yaml", code=64).err


@as_root
def test_validate_goes_on_with_the_others_where_a_file_cannot_be_read(hubs: Shell) -> None:
    hubs("validate", "hubs", code=0)  # whatever is loaded with a file is loaded
    hubs.write("hubs/closed.yaml", "")
    (hubs.directory / "hubs/closed.yaml").chmod(0)
    (hubs.directory / "hubs/coded.yaml").write_bytes(hub("coded", 9).encode("utf-16"))
    hubs.edit("hubs/berlin.yaml", "10.2.255.0/27", "10.9.255.0/27")
    let_through(hubs.directory / "hubs")

    with another_user():
        told = hubs("validate", "hubs", code=4)
        document = hubs("validate", "hubs", "--json", code=4).document
        alone = hubs("validate", "hubs/closed.yaml", code=4)

    assert "hubs/closed.yaml" in told.out
    assert "belongs to" in told.out, "whose file it is, as the error of the file alone says"
    assert {(f["rule"], f["location"]) for f in document["findings"] if f["level"] == "error"} == {
        ("T-FILE", "hubs/closed.yaml"),
        ("T-FILE", "hubs/coded.yaml"),
        ("T-SUBNET", "hubs/berlin.yaml:5"),
    }
    assert "closed.yaml" in alone.err


# --- the whole life --------------------------------------------------------------------------------------------------


def test_plans_are_saved_one_each_and_applied_as_they_are(hubs: Shell) -> None:
    planned = hubs("plan", "hubs", "-o", "plans", "--detailed-exitcode", code=2)
    saved = sorted(path.name for path in (hubs.directory / "plans").iterdir())
    applied = hubs("apply", "plans", code=0)
    hubs("plan", "hubs", "--detailed-exitcode", code=0)

    assert saved == ["amsterdam.json", "berlin.json", "cairo.json"]
    assert "Saved to plans: 3 plans. `vpngw apply plans` applies exactly these, or refuses." in planned.err
    assert "3 deployments: 3 with changes.\nPlan: 21 to add, 0 to change, 0 to destroy.\n" in planned.out
    assert applied.out.startswith("3 deployments: 3 succeeded.\n")


def test_a_stale_plan_ends_with_8_and_the_others_go_on(hubs: Shell) -> None:
    hubs("plan", "hubs", "-o", "plans", code=0)
    hubs("apply", "hubs/berlin.yaml", "--yes", code=0)

    document = hubs("apply", "plans", "--json", code=8).document

    assert {one["deployment"]: one.get("outcome", one["kind"]) for one in document["deployments"]} == {
        "amsterdam": "succeeded",
        "berlin": "error",
        "cairo": "succeeded",
    }


def test_saved_plans_and_blueprints_are_not_mixed(hubs: Shell) -> None:
    hubs("plan", "hubs", "-o", "plans", code=0)

    mixed = hubs("apply", "plans", "hubs", "--yes", code=64)
    planned = hubs("plan", "plans", code=64)
    chosen = hubs("apply", "plans", "--target", "VpnGateway/vgw-cairo", code=64)

    assert "is a saved plan, hubs/amsterdam.yaml is none" in mixed.err
    assert "is a saved plan. " in planned.err.replace("\n", " ")
    assert "--target cannot change it" in chosen.err


def test_a_run_in_a_log_is_a_line_at_its_start_and_end(hubs: Shell) -> None:
    answer = hubs("apply", "hubs", "--yes", code=0)

    lines = [line.split(" ", 1)[1] for line in answer.err.splitlines()]
    mine = [line for line in lines if line.startswith("cairo: ")]
    assert mine[0].startswith("cairo: 7 to add, 0 to change, 0 to destroy; about ")
    assert mine[1].startswith("cairo: 7 operations, about ")
    assert mine[2].startswith("cairo: succeeded after ")
    assert len(mine) == 3
    assert lines[-1].endswith("(3 of 3 deployments done)")


def test_what_is_alike_for_many_is_said_once(hubs: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VPNGW_CLOUD", "public")

    answer = hubs("plan", "hubs", code=64)

    assert answer.out.count("Error: No subscription was given.") == 1
    assert answer.out.startswith("amsterdam, berlin, cairo\nError: ")
    assert "3 deployments: 3 not started." in answer.out


def test_what_waits_for_another_deployment_is_no_refusal_and_nothing_unmanaged(hubs: Shell) -> None:
    hubs.write("hubs/added.yaml", added_to("cairo"))

    planned = hubs("plan", "hubs", "-o", "plans", "--detailed-exitcode", code=2)
    applied = hubs("apply", "plans", code=0)
    drifted = hubs("drift", "hubs", code=0)

    assert "added      waiting  after cairo: 2 to add, 0 to change, 0 to destroy;" in planned.out
    assert "4 deployments: 3 with changes, 1 waiting.\n" in planned.out
    assert "4 deployments: 4 succeeded.\n" in applied.out
    assert drifted.out.startswith("cairo  no drift  managed by others: 1 by added\n")
    assert "unmanaged" not in drifted.out


def test_drift_is_told_hub_by_hub(hubs: Shell) -> None:
    hubs("apply", "hubs", "--yes", code=0)
    hubs("simulator", "set", "vgw-berlin", "properties.enableBgp=true", code=0)

    answer = hubs("drift", "hubs", code=2)

    assert "berlin  drift  1 difference" in answer.out
    assert "3 deployments: 2 without drift, 1 with drift." in answer.out


def test_a_fleet_says_what_was_not_verified_as_each_hub_alone_does(hubs: Shell, environment: dict[str, str]) -> None:
    hubs("apply", "hubs", "--yes", code=0)
    assert "Not verified" not in hubs("drift", "hubs", code=0).out
    del environment["BERLIN_PSK"]
    line = "Not verified: 1 reference not readable here (vpngw secret check --verify).\n3 deployments: 3 "

    assert hubs("plan", "hubs", code=0).out == f"{line}without changes.\n"
    assert hubs("drift", "hubs", code=0).out == f"{line}without drift.\n"
    assert line in hubs("apply", "hubs", "--yes", code=0).out


def test_where_nothing_is_applied_nobody_says_that_azure_has_it(hubs: Shell) -> None:
    alone = "Nothing of berlin is applied: there is nothing that could drift.\n"

    assert hubs("drift", "hubs/berlin.yaml", code=0).out == alone
    assert "berlin     no drift  nothing of it is applied" in hubs("drift", "hubs", code=0).out


def test_a_fleet_that_is_verified_ends_with_the_sum(hubs: Shell) -> None:
    hubs("apply", "hubs", "--yes", code=0)

    answer = hubs("verify", "hubs", code=0)

    assert answer.out.splitlines()[-1] == "Verified 3 deployments: 3 of 3 tunnels up. 3 up."


def test_one_question_for_all(hubs: Shell) -> None:
    with terminal("apply", "hubs") as person:
        person.read_until("Apply these changes to 3 deployments in the simulator? yes/no: ")
        person.type("yes\n")
        code = person.wait()

    assert code == 0
    assert person.seen.count("yes/no") == 1
    assert "3 deployments: 3 succeeded." in person.seen


def test_ctrl_c_stops_all_of_them(hubs: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VPNGW_SIMULATOR_SPEED", "200")

    with terminal("apply", "hubs", "--yes") as person:
        person.read_until("VpnGateway 1 running")
        person.type("\x03")
        code = person.wait()
    monkeypatch.setenv("VPNGW_SIMULATOR_SPEED", "50000")

    assert code == 130
    assert "3 deployments: 3 interrupted." in person.seen
    assert [one["outcome"] for one in hubs("apply", "hubs", "--yes", "--json", code=0).document["deployments"]] == [
        "succeeded"
    ] * 3


@pytest.mark.skipif(sys.platform != "linux", reason="only there a pipe can be made small")
@pytest.mark.parametrize("first", [True, False], ids=["after a first", "alone"])
def test_ctrl_c_after_the_runs_ended_keeps_nothing_of_what_is_told(
    hubs: Shell, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    """Somebody presses it again while the summary is written: to a reader that is slow, here."""
    monkeypatch.setenv("VPNGW_SIMULATOR_SPEED", "400" if first else "50000")
    monkeypatch.setenv("PYTHONUNBUFFERED", "" if first else "1")

    with start("apply", "hubs", "--yes", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        make_small(process.stdout)
        if first:
            next(line for line in process.stderr if "cairo: 7 operations" in line)
            process.send_signal(signal.SIGINT)
        assert select.select([process.stdout], [], [], 30)[0], "the document is begun, and longer than the pipe"
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)

    document = json.loads(out)
    assert {one["outcome"] for one in document["deployments"]} == {"interrupted" if first else "succeeded"}
    assert process.returncode == document["exit_code"] == (130 if first else 0)


def make_small(pipe: IO[str]) -> None:
    import fcntl

    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)


def test_no_secret_is_in_what_a_fleet_says(hubs: Shell) -> None:
    hubs("plan", "hubs", "-o", "plans")
    hubs("apply", "hubs", "--yes")
    hubs("drift", "hubs", "--json")

    assert all(CANARY not in answer.out + answer.err for answer in hubs.seen)
    assert all(CANARY not in path.read_text() for path in (hubs.directory / "plans").iterdir())


def test_two_processes_never_touch_one_deployment_at_once(hubs: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VPNGW_SIMULATOR_SPEED", "1000")

    both = [start("apply", "hubs", "--yes", "--json") for _ in range(2)]
    answers = [json.loads(process.communicate(timeout=120)[0]) for process in both]

    for name in ("amsterdam", "berlin", "cairo"):
        ends = [next(one for one in answer["deployments"] if one["deployment"] == name) for answer in answers]
        made = [one for one in ends if one.get("operations")]
        assert len(made) == 1, "exactly one of the two has created it"
        other = next(one for one in ends if one is not made[0])
        assert other.get("error") == "StateLocked" or (other["outcome"] == "succeeded" and other["operations"] == [])
    assert all(process.returncode in (0, 7) for process in both)


# --- past one machine ------------------------------------------------------------------------------------------------


def test_a_matrix_has_a_job_for_each_deployment(hubs: Shell) -> None:
    github = json.loads(hubs("plan", "hubs", "--matrix", "github", code=0).out)
    azure = json.loads(hubs("plan", "hubs", "--matrix", "azure-devops", code=0).out)

    assert github["include"][0] == {
        "name": "amsterdam",
        "deployments": ["amsterdam"],
        "files": "hubs/amsterdam.yaml:amsterdam",
    }
    assert list(azure) == ["amsterdam", "berlin", "cairo"]
    assert not (hubs.directory / ".vpngw").exists(), "no cloud was asked, no state was made"


def test_what_uses_another_deployment_is_in_its_job(hubs: Shell) -> None:
    hubs.write("hubs/added.yaml", added_to("cairo"))

    jobs = json.loads(hubs("plan", "hubs", "--matrix", "github", code=0).out)["include"]

    assert [job["deployments"] for job in jobs] == [["added", "cairo"], ["amsterdam"], ["berlin"]]


def added_to(name: str) -> str:
    """A deployment that adds a site to another one's gateway."""
    group = f"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-{name}"
    gateway = f"{group}/providers/Microsoft.Network/virtualNetworkGateways/vgw-{name}"
    said = f"gateways:\n  hub: {{existing: {gateway}, sku: VpnGw1AZ, location: westeurope}}\n"
    text = hub("added", 9).replace("name: berlin", "name: paris").replace("192.168.10.", "192.168.20.")
    return text[: text.index("networks:")] + said + text[text.index("gateway: hub") :]


def test_a_file_that_is_no_blueprint_makes_no_matrix(hubs: Shell) -> None:
    hubs.write("hubs/broken.yaml", "kind: SiteToSite\n")

    answer = hubs("plan", "hubs", "--matrix", "github", code=4)

    assert answer.out == ""
    assert "broken.yaml" in answer.err
