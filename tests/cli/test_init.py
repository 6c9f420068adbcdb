"""A project from `init` lives its whole life untouched: every kind, in Python and YAML, on the simulator."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SPEED, Answer, Shell
from tests.cli.test_prompt_and_signals import terminal
from vpngw_iac.blueprints.beginning.kinds import KINDS
from vpngw_iac.blueprints.load import load, schema
from vpngw_iac.simulator import ScaledTime, Simulator
from vpngw_iac.usecases.editor_schemas import settings_schema
from vpngw_iac.usecases.settings import setting_names

NAMES = [kind.name for kind in KINDS]
FORMS = {"python": ("blueprint.py", ()), "yaml": ("blueprint.yaml", ("--yaml",))}


@pytest.fixture
def shell(vpngw: Shell, environment: dict[str, str]) -> Shell:
    """The program in an empty folder, on a machine where nothing but the simulator's speed is set."""
    (vpngw.directory / "hub.yaml").unlink()
    for name in ("VPNGW_CLOUD", "BERLIN_PSK"):
        del environment[name]
    return vpngw


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", NAMES)
def test_a_project_lives_its_whole_life_untouched(shell: Shell, kind: str, form: str) -> None:
    file, flags = FORMS[form]

    begun = shell("init", kind, *flags, "--deployment", "demo", code=0)
    before = {path.name: path.read_bytes() for path in shell.directory.iterdir() if path.is_file()}
    shell("validate", file, code=0)
    planned = shell("plan", file, "--json", code=0).document
    applied = shell("apply", file, "--yes")
    if applied.code == 6:  # a provider must act
        circuit = re.findall(r"vpngw simulator provision (\S+)", begun.out)[0]
        shell("simulator", "provision", circuit, code=0)
        applied = shell("apply", file, "--yes")
    assert applied.code == 0, applied.err
    shell("plan", file, "--detailed-exitcode", code=0)
    shell("drift", file, code=0)

    simulator = Simulator(shell.directory / ".vpngw/simulator", time=ScaledTime(float(SPEED)))
    network = next(i for i in simulator.documents() if i.lower().rpartition("/")[0].endswith("/virtualnetworks"))
    own = simulator.documents()[network]["properties"]["addressSpace"]["addressPrefixes"]
    simulator.set(network, {"properties.addressSpace.addressPrefixes": [*own, "10.77.0.0/16"]})
    shell("drift", file, code=2)
    shell("apply", file, "--yes", code=0)
    shell("drift", file, code=0)
    for circuit in re.findall(r"vpngw simulator deprovision (\S+)", begun.out):
        shell("simulator", "deprovision", circuit, code=0)
    shell("destroy", file, "--yes", code=0)

    assert planned["summary"]["add"] >= 5
    assert not [f for f in planned["findings"] if f["level"] != "info"]
    assert Simulator(shell.directory / ".vpngw/simulator", time=ScaledTime(float(SPEED))).documents() == {}
    assert {path.name: path.read_bytes() for path in shell.directory.iterdir() if path.is_file()} == before


def test_the_program_itself_begins_and_builds_a_project(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "VPNGW_SIMULATOR_SPEED": SPEED}

    def program(*arguments: str, folder: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "vpngw_iac", *arguments],
            cwd=folder, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    begun = program("init", "SiteToSite", "--dir", "office-hub")
    project = tmp_path / "office-hub"
    life = [
        program(*line.split(), folder=project)
        for line in (
            "validate blueprint.py",
            "apply blueprint.py --yes",
            "plan blueprint.py --detailed-exitcode",
            "drift blueprint.py",
            "destroy blueprint.py --yes",
        )
    ]

    assert begun.returncode == 0, begun.stderr
    assert "office-hub begins in office-hub:" in begun.stdout
    assert [(each.args[3], each.returncode) for each in life if each.returncode] == []
    assert "Destroy of office-hub complete: 7 operations" in life[-1].stdout


# --- what is written -------------------------------------------------------------------------------------------------


def test_a_second_project_in_one_folder_is_refused_and_names_the_file(shell: Shell) -> None:
    shell("init", "SiteToSite", code=0)
    before = {path.name: path.stat().st_mtime_ns for path in shell.directory.iterdir()}

    same = shell("init", "SiteToSite", code=4)
    other = shell("init", "PointToSite", "--yaml", "--json", code=4)

    assert "blueprint.py exists" in same.err
    assert "--dir" in same.err
    assert other.document["error"] == "Refused"
    assert {path.name: path.stat().st_mtime_ns for path in shell.directory.iterdir()} == before


@pytest.mark.parametrize("name", ["blueprint.py", "blueprint.yaml", "vpngw.toml", ".env.example", ".env"])
def test_whatever_is_there_is_left_as_it_is(shell: Shell, name: str) -> None:
    (shell.directory / "p").mkdir()
    (shell.directory / "p" / name).write_text("mine\n")

    answer = shell("init", "SiteToSite", "--dir", "p", code=4)

    assert f"p/{name} exists" in answer.err
    assert files_in(shell.directory / "p") == {name}
    assert (shell.directory / "p" / name).read_text() == "mine\n"


@pytest.mark.parametrize("folder", ["mine", "mine/below"])
def test_a_file_in_the_place_of_the_folder_is_told(shell: Shell, folder: str) -> None:
    (shell.directory / "mine").write_text("mine\n")

    answer = shell("init", "SiteToSite", "--dir", folder, code=64)

    assert f"{folder} is no folder" in answer.err
    assert "--dir" in answer.err


def test_what_to_do_next_can_be_pasted_into_a_shell(shell: Shell) -> None:
    assert "  cd 'my hub'\n" in shell("init", "SiteToSite", "--dir", "my hub", code=0).out


def test_a_link_that_leads_nowhere_is_not_written_through(shell: Shell) -> None:
    (shell.directory / ".env").symlink_to(shell.directory / "elsewhere")

    shell("init", "SiteToSite", code=4)

    assert not (shell.directory / "elsewhere").exists()


def test_a_gitignore_that_is_there_keeps_its_lines_and_gets_what_it_lacks(shell: Shell) -> None:
    (shell.directory / ".gitignore").write_text("*.pyc\n/.env")

    answer = shell("init", "SiteToSite", code=0)

    lines = (shell.directory / ".gitignore").read_text().splitlines()
    assert lines[:2] == ["*.pyc", "/.env"]
    assert lines.count(".vpngw/") == 1
    assert ".env" not in lines
    assert ".gitignore was there: .vpngw/ added to it" in answer.out


def test_what_must_not_be_committed_is_not(shell: Shell) -> None:
    shell("init", "SiteToSite", code=0)
    for line in ("init -q", "add -A"):
        subprocess.run(["git", *line.split()], cwd=shell.directory, check=True)
    shell("apply", "blueprint.py", "--yes", code=0)
    subprocess.run(["git", "add", "-A"], cwd=shell.directory, check=True)

    listed = subprocess.run(["git", "ls-files"], cwd=shell.directory, capture_output=True, text=True, check=True)

    assert set(listed.stdout.split()) == {".env.example", ".gitignore", "blueprint.py", "vpngw.toml"}


def test_the_key_is_its_own_private_and_told_nowhere(shell: Shell) -> None:
    told = shell("init", "SiteToSite", "--dir", "a", code=0)
    told_json = shell("init", "SiteToSite", "--dir", "b", "--json", code=0)
    files = [shell.directory / folder / ".env" for folder in "ab"]
    keys = [file.read_text().partition("OFFICE_PSK=")[2].strip() for file in files]

    assert keys[0] != keys[1]
    assert all(re.fullmatch("[A-Za-z0-9]{32}", key) for key in keys)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert keys[0] not in told.out + told.err
    assert keys[1] not in told_json.out + told_json.err
    os.chdir(shell.directory / "a")
    shell("apply", "blueprint.py", "--yes", code=0)
    assert not any(key in answer.out + answer.err for answer in shell.seen for key in keys)
    others = [p for f in "ab" for p in (shell.directory / f).rglob("*") if p.is_file() and p.name != ".env"]
    kept = [path for path in others if ".vpngw/simulator/" not in path.as_posix()]  # Azure itself has the key
    assert len(kept) > len([path for path in kept if ".vpngw/state/" not in path.as_posix()])
    assert not [path for path in kept if any(key.encode() in path.read_bytes() for key in keys)]
    assert "OFFICE_PSK=\n" in (shell.directory / "a" / ".env.example").read_text()


def test_a_clone_without_the_env_file_says_what_to_do_and_goes_on(shell: Shell) -> None:
    shell("init", "SiteToSite", code=0)
    (shell.directory / ".env").unlink()

    answer = shell("validate", "blueprint.py", code=0)

    assert "which is not there" in answer.err
    assert "Copy .env.example to it" in answer.err


def test_an_editor_finds_its_schemas_and_they_hold(shell: Shell) -> None:
    shell("init", "SiteToSite", "--yaml", code=0)
    blueprint, config = ((shell.directory / name).read_text() for name in ("blueprint.yaml", "vpngw.toml"))
    of_blueprint = re.match(r"# yaml-language-server: \$schema=(\S+)\n", blueprint)
    of_config = re.match(r"#:schema (\S+)\n", config)

    assert of_blueprint
    assert of_config
    assert json.loads((shell.directory / of_blueprint[1]).read_text()) == schema()
    settings = json.loads((shell.directory / of_config[1]).read_text())
    assert settings["additionalProperties"] is False
    assert tomllib.loads(config).keys() <= settings["properties"].keys()


def test_the_schema_of_settings_has_every_setting_with_its_meaning(shell: Shell) -> None:
    printed = json.loads(shell("schema", "--of", "settings", code=0).out)
    shell("schema", "--of", "settings", "-o", "deep/down/settings.json", code=0)

    assert printed == settings_schema() == json.loads((shell.directory / "deep/down/settings.json").read_text())
    assert set(setting_names()) <= set(printed["properties"])
    assert not [name for name, entry in printed["properties"].items() if not entry["description"]]


# --- answers ---------------------------------------------------------------------------------------------------------


def test_flags_are_what_the_blueprint_says(shell: Shell) -> None:
    flags = (
        "--location UKSouth -g rg-net --address-space 10.9.0.0/20 --sku VpnGw2AZ --site leeds --public-ip 198.51.100.7"
        " --prefixes 192.168.1.0/24,192.168.2.0/24"
    )
    answer = shell("init", "site-to-site", *flags.split(), "--deployment", "uk", code=0)

    made: Any = load(shell.directory / "blueprint.py").blueprint
    network, site = made.gateway.network, made.sites[0]
    assert (made.name, network.location, network.resource_group) == ("uk", "uksouth", "rg-net")
    assert (network.address_space, made.gateway.sku) == (("10.9.0.0/20",), "VpnGw2AZ")
    assert (site.name, site.public_ip, site.prefixes) == ("leeds", "198.51.100.7", ("192.168.1.0/24", "192.168.2.0/24"))
    assert "LEEDS_PSK" in (shell.directory / ".env").read_text()
    assert "Examples" not in answer.out


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", "Write one of SiteToSite, PointToSite"),
        ("SiteToSit", "Did you mean 'SiteToSite'?"),
        ("SiteToSite PointToSite", "one kind"),
        ("SiteToSite --provider Equinix", "--provider is no question of SiteToSite"),
        ("VnetToVnet --root-certificate r.pem", "--root-certificate is no question of VnetToVnet"),
        ("SiteToSite --public-ip berlin", "--public-ip 'berlin'"),
        ("SiteToSite --address-space 10.0.0.0/28", "/24 or larger"),
        ("SiteToSite --sku VpnGw1Z", "Did you mean 'VpnGw1AZ'"),
        ("SiteToSite --prefixes ,", "--prefixes ','"),
        ("ExpressRoute --bandwidth much", "--bandwidth 'much'"),
        ("SiteToSite --subscription-wide", "--subscription-wide goes with --from-azure"),
        ("SiteToSite -g a -g b", "one resource group"),
        ("SiteToSite --cloud public", "--public-ip, --prefixes"),
        ("PointToSite --cloud public", "--tenant"),
        ("--from-azure", "Nothing to import was named"),
    ],
)
def test_a_wrong_line_says_what_to_do_and_writes_nothing(shell: Shell, line: str, told: str) -> None:
    answer = shell("init", *line.split(), code=64)

    assert told in answer.err
    assert files_in(shell.directory) == set()


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("SiteToSite --prefixes 10.0.0.0/16", "R-LNG-"),
        ("ExpressRouteCoexistence --sku Basic", "R-"),
        ("VnetToVnet --peer-address-space 10.0.0.0/16", "R-V2V-"),
        ("PointToSite --address-pool 10.0.1.0/24", "R-POOL-02"),
    ],
)
def test_answers_that_do_not_go_together_are_refused_before_anything_is_written(
    shell: Shell, line: str, rule: str
) -> None:
    document = shell("init", *line.split(), "--json", code=4).document

    assert any(finding["rule"].startswith(rule) for finding in document["findings"]), document["findings"]
    assert files_in(shell.directory) == set()


def test_a_gateway_for_tests_has_what_it_can_have(shell: Shell) -> None:
    shell("init", "SiteToSite", "--sku", "basic", code=0)

    assert "IpsecPolicy" not in (shell.directory / "blueprint.py").read_text()
    shell("validate", "blueprint.py", code=0)


def test_the_place_of_a_state_goes_into_the_settings(shell: Shell) -> None:
    shell("init", "SiteToSite", "--state", "azblob://stnetwork/vpngw/prod", code=0)

    assert tomllib.loads((shell.directory / "vpngw.toml").read_text())["state"] == "azblob://stnetwork/vpngw/prod"


def test_a_project_for_azure_says_so_in_its_settings(shell: Shell) -> None:
    subscription = "22222222-2222-4222-8222-222222222222"
    line = f"SiteToSite --cloud public --subscription {subscription} --public-ip 198.51.100.7 --prefixes 192.168.1.0/24"
    shell("init", *line.split(), code=0)

    settings = tomllib.loads((shell.directory / "vpngw.toml").read_text())
    assert settings == {"cloud": "public", "subscription": subscription, "env_file": ".env"}


def test_a_project_below_another_one_does_not_take_its_settings(shell: Shell) -> None:
    (shell.directory / "vpngw.toml").write_text('cloud = "public"\ndeployment = "above"\n')

    document = shell("init", "SiteToSite", "--dir", "below", "--json", code=0).document

    assert document["deployment"] == "below"
    assert tomllib.loads((shell.directory / "below" / "vpngw.toml").read_text())["cloud"] == "simulator"


def test_clients_may_have_certificates_of_a_root(shell: Shell) -> None:
    root = Path(__file__).parents[2] / "blueprints" / "certificates" / "example-root.pem"

    shell("init", "PointToSite", "--root-certificate", str(root), code=0)

    assert "RootCertificate.pem" in (shell.directory / "blueprint.py").read_text()
    shell("validate", "blueprint.py", code=0)
    refused = shell("init", "PointToSite", "--root-certificate", "no.pem", "--dir", "x")
    assert "cannot be read" in " ".join(refused.err.split())


def test_somebody_at_a_terminal_is_asked_and_a_wrong_answer_is_asked_again(shell: Shell) -> None:
    with terminal("init", "--dir", "asked") as person:
        person.read_until("Kind [SiteToSite]: ")
        person.type("nonsense\n")
        person.read_until("There is no kind 'nonsense'.")
        person.type("\n")
        person.read_until("Azure region [westeurope]: ")
        person.type("uksouth\n")
        person.read_until("Address space of the network [10.0.0.0/16]: ")
        person.type("10.0.0.1/16\n")
        person.read_until("Did you mean 10.0.0.0/16?")
        for _ in range(5):
            person.type("\n")
        assert person.wait() == 0

    made: Any = load(shell.directory / "asked" / "blueprint.py").blueprint
    assert made.gateway.network.location == "uksouth"
    assert made.gateway.network.address_space == ("10.0.0.0/16",)
    assert "Examples, good for the simulator alone" in person.seen


def test_whoever_leaves_the_questions_leaves_nothing_behind(shell: Shell) -> None:
    with terminal("init", "SiteToSite", "--dir", "asked") as person:
        person.read_until("Azure region")
        person.type("\x03")
        assert person.wait() == 130

    assert not (shell.directory / "asked").exists()


# --- from Azure ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_project_from_azure_is_an_import_with_surroundings(
    hub: Shell, environment: Mapping[str, str], form: str
) -> None:
    file, flags = FORMS[form]

    begun = hub("init", "--from-azure", "-g", "rg-hub", "--dir", "taken", "--deployment", "hub", *flags, code=0)
    os.chdir(hub.directory / "taken")
    planned = hub("plan", file, "--json", "--detailed-exitcode", code=0).document

    folder = hub.directory / "taken"
    assert files_in(folder) == {file, "vpngw.toml", ".env.example", ".gitignore", ".vpngw"}
    assert "A plan of it changes nothing" in begun.out
    assert "Copy .env.example to .env" in begun.out
    assert planned["state"] == f"file://{folder}/.vpngw/state/simulator/hub"
    assert (
        "VGW_HUB_BERLIN_PSK=" in (folder / ".env.example").read_text()
        or "_PSK=" in (folder / ".env.example").read_text()
    )
    assert (folder / file).read_text().startswith('"""' if form == "python" else "# yaml-language-server: $schema=")


def test_a_gateway_is_named_by_its_id(hub: Shell) -> None:
    listed: Answer = hub("show", "hub.yaml", "--json", code=0)
    gateway = next(r["id"] for r in listed.document["resources"] if r["address"] == "VpnGateway/vgw-hub")

    document = hub("init", "--from-azure", gateway, "--dir", "taken", "--json", code=0).document

    assert document["kind"] == "init"
    assert document["import"]["kind"] == "import"
    assert document["deployment"] == "vgw-hub"
    assert document["files"] == ["blueprint.py", "vpngw.toml", ".env.example", ".gitignore"]
    assert "is not the id of a virtual network gateway" in hub("init", "--from-azure", "SiteToSite", "--dir", "x").err
    assert not (hub.directory / "x").exists()
