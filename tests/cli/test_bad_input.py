"""What bad input gets: a clear text with location and what to do, the documented code, never a traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import CANARY, HUB, Shell

GOOD = """
from vpngw_iac import Secret, Site, SiteToSite, VirtualNetwork, VpnGateway

network = VirtualNetwork(name="vnet-hub", location="westeurope", resource_group="rg-hub",
                         address_space=["10.1.0.0/16"], gateway_subnet="10.1.255.0/27")
gateway = VpnGateway(name="vgw-hub", network=network, sku="VpnGw1AZ")
site = Site(name="berlin", public_ip="203.0.113.10", prefixes=["192.168.10.0/24"], shared_key=Secret.env("BERLIN_PSK"))
blueprint = SiteToSite(name="hub", gateway=gateway, sites=[site])
"""

BAD_FILES = {
    "a syntax error": ("bad.py", GOOD.replace("sites=[site])", "sites=[site]"), ("bad.py", ":8")),
    "an exception": ("bad.py", "def f():\n    return 1 / 0\nf()\n", ("bad.py", "ZeroDivisionError", "2")),
    "a call of itself": ("bad.py", "def f():\n    return f()\nf()\n", ("bad.py", "RecursionError", "Do: ")),
    "an assertion": ("bad.py", "assert 1 == 2\n", ("bad.py:1", "AssertionError", "Do: ")),
    "an exit": ("bad.py", "raise SystemExit(0)\n", ("bad.py",)),
    "no blueprint": ("bad.py", GOOD.replace("blueprint =", "other ="), ("bad.py", "neither", "other")),
    "both names": ("bad.py", GOOD + "blueprints = [blueprint]\n", ("bad.py", "both")),
    "a wrong type": ("bad.py", "blueprint = 7\n", ("bad.py", "int")),
    "an unknown field": ("bad.py", GOOD.replace("sku=", "skew="), ("skew",)),
    "a misspelt SKU": ("bad.py", GOOD.replace("VpnGw1AZ", "VpnGw1ZA"), ("VpnGw1ZA", "VpnGw1AZ")),
    "a literal secret": ("bad.py", GOOD.replace('Secret.env("BERLIN_PSK")', f'"{CANARY}"'), ("shared_key",)),
    "two sites of one name": ("bad.py", GOOD.replace("[site]", "[site, site]"), ("berlin",)),
    "not YAML": ("bad.yaml", "kind: [\n", ("bad.yaml",)),
    "an unknown kind": ("bad.yaml", HUB.replace("SiteToSite", "SiteToSight"), ("SiteToSight", "SiteToSite")),
    "a prefix with host bits": (
        "bad.yaml",
        HUB.replace("192.168.10.0/24", "192.168.10.1/24"),
        ("bad.yaml:", "192.168.10.0/24"),
    ),
    "a literal secret in YAML": ("bad.yaml", HUB.replace("{source: env, name: BERLIN_PSK}", CANARY), ("bad.yaml:",)),
    "not JSON": ("bad.json", "{", ("bad.json",)),
    "an empty file": ("bad.yaml", "", ("bad.yaml",)),
}


@pytest.mark.parametrize("command", ["validate", "plan", "apply"])
@pytest.mark.parametrize("what", BAD_FILES)
def test_a_bad_blueprint_is_refused_with_place_and_advice(vpngw: Shell, what: str, command: str) -> None:
    name, text, told = BAD_FILES[what]
    vpngw.write(name, text)
    consent = ["--yes"] if command == "apply" else []

    answer = vpngw(command, name, *consent, code=4)
    document = vpngw(command, name, *consent, "--json", code=4).document

    everything = answer.out + answer.err
    assert "Traceback" not in everything
    assert "bug" not in everything
    for word in told:
        assert word in everything
    assert document["kind"] in ("error", "validate")
    assert CANARY not in everything + json.dumps(document)


def test_a_missing_key_is_told_before_anything_is_done(vpngw: Shell, environment: dict[str, str]) -> None:
    del environment["BERLIN_PSK"]

    answer = vpngw("apply", "hub.yaml", "--yes", code=4)

    assert "BERLIN_PSK" in answer.err
    assert "--env-file" in answer.err
    assert "Nothing of hub is deployed." in vpngw("show", "hub.yaml", code=0).out


def state_document(shell: Shell) -> Path:
    return shell.directory / ".vpngw" / "state" / "simulator" / "hub" / "state.json"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda text: text[: len(text) // 2], "damaged"),
        (lambda text: json.dumps(json.loads(text) | {"format": 99}), "newer"),
        (lambda text: text.replace('"hub"', '"pub"'), "pub"),
    ],
    ids=["truncated", "newer", "of another deployment"],
)
def test_a_state_that_cannot_be_used_is_told_and_left_alone(hub: Shell, damage: object, told: str) -> None:
    path = state_document(hub)
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    before = path.read_bytes()

    answers = [hub(command, "hub.yaml", *flags) for command, *flags in (("plan",), ("apply", "--yes"), ("drift",))]

    assert all(answer.code in (1, 4) for answer in answers)
    assert all(told in answer.err for answer in answers)
    assert all("Traceback" not in answer.err for answer in answers)
    assert path.read_bytes() == before


def test_a_state_of_another_cloud_is_refused_naming_both(hub: Shell) -> None:
    source = state_document(hub).parent
    target = source.parent.parent / "localhost-1" / "hub"
    target.parent.mkdir(parents=True)
    source.rename(target)

    answer = hub("plan", "hub.yaml", "--cloud", "https://localhost:1", "--subscription", "0" * 8)

    assert answer.code in (1, 3, 4)
    assert "Traceback" not in answer.err


def test_resources_that_a_lost_state_does_not_know_are_refused_before_anything(vpngw: Shell) -> None:
    vpngw("apply", "hub.yaml", "--yes", code=0)
    state = state_document(vpngw).parent
    state.rename(state.parent / "elsewhere")

    answer = vpngw("apply", "hub.yaml", "--yes", code=4)

    assert "The state is empty, but this deployment is in Azure" in answer.err
    assert "vpngw state rebuild" in answer.err


def test_a_plan_file_that_is_damaged_or_edited_is_refused(vpngw: Shell) -> None:
    vpngw("plan", "hub.yaml", "-o", "plan.json", code=0)
    document = json.loads((vpngw.directory / "plan.json").read_text())
    vpngw.write("edited.json", json.dumps(document | {"deployment": "hub", "subscription": "another"}))
    vpngw.write("empty.json", json.dumps({"format": 1, "kind": "plan"}))

    edited = vpngw("apply", "edited.json")
    empty = vpngw("apply", "empty.json")
    shown = vpngw("show", "empty.json")

    assert edited.code == 8
    assert empty.code in (1, 4)
    assert shown.code in (1, 4)
    assert all("Traceback" not in answer.err and "bug" not in answer.err for answer in (edited, empty, shown))


def test_a_plan_file_of_a_newer_version_is_refused(vpngw: Shell) -> None:
    vpngw("plan", "hub.yaml", "-o", "plan.json", code=0)
    document = json.loads((vpngw.directory / "plan.json").read_text())
    vpngw.write("newer.json", json.dumps(document | {"format": 99}))

    for command in ("apply", "show"):
        answer = vpngw(command, "newer.json", code=1)
        assert "format 99" in answer.err
        assert "Use a newer version" in answer.err


@pytest.mark.parametrize("cloud", ["atlantis", "http://example.invalid", "https://localhost:1"])
def test_a_cloud_that_is_none_is_told(vpngw: Shell, cloud: str) -> None:
    answer = vpngw("plan", "hub.yaml", "--cloud", cloud, "--subscription", "11111111-1111-1111-1111-111111111111")

    assert answer.code in (1, 3, 64)
    assert "Traceback" not in answer.err
    assert "bug" not in answer.err


def test_no_subscription_is_told_with_the_ways_to_give_one(vpngw: Shell) -> None:
    answer = vpngw("plan", "hub.yaml", "--cloud", "public", code=64)

    assert "--subscription" in answer.err


def test_a_locked_state_names_who_holds_it(hub: Shell) -> None:
    from tests.cli.conftest import start

    slow = dict(os.environ) | {"VPNGW_SIMULATOR_SPEED": "10"}
    hub.edit("hub.yaml", "VpnGw1AZ", "VpnGw2AZ")
    with start("apply", "hub.yaml", "--yes", env=slow) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "update started" in line:
                break
        locked = hub("apply", "hub.yaml", "--yes", code=7)
        planned = hub("plan", "hub.yaml", code=0)
        process.terminate()
        process.communicate(timeout=30)

    assert "vpngw apply" in locked.err
    assert "A run is in progress" in planned.out


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_a_type_error_is_a_finding_like_any_other(vpngw: Shell, form: str) -> None:
    vpngw.edit("hub.yaml", "VpnGw1AZ", "VpnGw1ZA")

    answer = vpngw("validate", "hub.yaml", "--format", form, code=4)

    assert "T-SKU" in answer.out
    assert "hub.yaml" in answer.out
    assert str(vpngw.directory) not in answer.out
    assert answer.err == ""


@pytest.mark.parametrize("command", ["apply", "destroy"])
@pytest.mark.parametrize("name", ["nowhere.json", "nowhere.py"])
def test_a_missing_file_is_told_before_anybody_is_missed_who_could_confirm(
    vpngw: Shell, command: str, name: str
) -> None:
    assert f"There is no file {name}." in vpngw(command, name, code=64).err


def test_an_apply_without_subscription_leaves_nothing_behind(vpngw: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    vpngw.write("hub.yaml", HUB)

    answer = vpngw("apply", "hub.yaml", "--yes", "--cloud", "public", code=64)

    assert "No subscription was given" in answer.err
    assert not (vpngw.directory / ".vpngw").exists()


def test_one_of_a_list_in_python_is_chosen_by_the_name_of_its_blueprint(vpngw: Shell) -> None:
    two = GOOD.replace("blueprint =", "first =") + "second = first.model_copy(update={'name': 'other'})\n"
    vpngw.write("both.py", two + "blueprints = [first, second]\n")

    assert vpngw("plan", "both.py:other", code=0).out.startswith("other in the simulator")
    assert "both.py:NAME" in vpngw("graph", "both.py", code=64).err
    assert "'other'" in vpngw("plan", "both.py:othr", code=4).err
