"""Loading files: what they may expose, and what each kind of broken file is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vpngw_iac.blueprints.document import read_document
from vpngw_iac.blueprints.load import LoadedFile, load, saved_plan
from vpngw_iac.errors import BlueprintError, ExitCode, UsageError

GOOD = """
from vpngw_iac import Secret, Site, SiteToSite, VirtualNetwork, VpnGateway
network = VirtualNetwork(name="vnet", location="westeurope", resource_group="rg",
                         address_space=["10.1.0.0/16"], gateway_subnet="10.1.255.0/27")
gateway = VpnGateway(name="vgw", network=network, sku="VpnGw2AZ")
blueprint = SiteToSite(name="case", gateway=gateway)
"""

WITH_LITERAL = """gateway=gateway, sites=[
    Site(name="a", public_ip="203.0.113.1", shared_key="hunter2")])"""


def write(folder: Path, text: str, name: str = "case.py") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def refused(target: Path | str) -> BlueprintError:
    with pytest.raises(BlueprintError) as caught:
        load(target)
    assert caught.value.exit_code == ExitCode.REFUSED
    assert caught.value.findings
    return caught.value


def test_a_python_file_exposes_one_blueprint(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, GOOD))

    assert loaded.blueprint.name == "case"
    assert tmp_path == loaded.directory


def test_a_python_file_exposes_a_list_of_blueprints_with_distinct_names(tmp_path: Path) -> None:
    file = write(
        tmp_path, GOOD.replace("blueprint =", "one =") + 'blueprints = [one, one.model_copy(update={"name": "b"})]'
    )

    loaded = load(file)

    assert [blueprint.name for blueprint in loaded.blueprints] == ["case", "b"]
    with pytest.raises(UsageError, match="several blueprints: case, b"):
        _ = loaded.blueprint


def test_a_name_after_a_colon_chooses_a_variable(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD + 'other = SiteToSite(name="other", gateway=gateway)\n')

    assert load(f"{file}:other").blueprint.name == "other"


def test_a_name_that_is_not_defined_suggests_the_close_one(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD)

    assert "Did you mean 'blueprint'?" in str(refused(f"{file}:bluprint"))


@pytest.mark.parametrize(
    ("text", "line", "words"),
    {
        "a syntax error": ("x = (\n", 1, "Syntax error"),
        "an exception": (GOOD + "raise ValueError('no such site')\n", 7, "The file raised ValueError: no such site"),
        "an exit": ("import sys\nsys.exit(3)\n", 2, "The file raised SystemExit: 3"),
        "an exception in a function": ("def f():\n    return 1 / 0\nf()\n", 2, "ZeroDivisionError"),
        "a missing module": ("import nothing_of_that_name\n", 1, "ModuleNotFoundError"),
        "a wrong value": (GOOD.replace('"VpnGw2AZ"', '"VpnGw2ZA"'), 5, "VpnGateway.sku"),
        "a literal secret": (
            GOOD.replace("gateway=gateway)", WITH_LITERAL),
            7,
            "Site.shared_key: Site 'a': A secret stands here in plain text",
        ),
    }.values(),
    ids=["syntax", "raise", "exit", "function", "module", "value", "secret"],
)
def test_a_broken_python_file_is_told_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    file = write(tmp_path, text)

    error = refused(file)

    assert f"{file}:{line}" == error.location
    assert words in str(error)
    assert "hunter2" not in f"{error} {error.findings!r}"
    assert "Traceback" not in str(error)


def test_an_error_in_a_neighbouring_module_is_told_there(tmp_path: Path) -> None:
    neighbour = write(tmp_path, "def make():\n    raise RuntimeError('not today')\n", "neighbour_of_case.py")
    file = write(tmp_path, "import neighbour_of_case\nneighbour_of_case.make()\n")

    assert f"{neighbour}:2" == refused(file).location


def test_a_missing_environment_variable_is_told_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VPNGW_TEST_NOT_SET", raising=False)
    file = write(tmp_path, "import os\nx = os.environ['VPNGW_TEST_NOT_SET']\n")

    error = refused(file)

    assert "VPNGW_TEST_NOT_SET" in error.advice
    assert "--env-file" in error.advice


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n", "exposes neither 'blueprint' nor 'blueprints'"),
        (GOOD + "blueprints = [blueprint]\n", "exposes both 'blueprint' and 'blueprints'"),
        ("blueprint = {'name': 'x'}\n", "'blueprint' is a mapping"),
        ("blueprints = []\n", "'blueprints' is empty"),
        ("blueprints = [1]\n", "'blueprints' holds a number"),
        (GOOD.replace("blueprint =", "blueprints ="), "is one blueprint, not a list"),
        (GOOD + "blueprints = [blueprint, blueprint]\ndel blueprint\n", "Two blueprints are called 'case'"),
    ],
)
def test_a_file_that_exposes_the_wrong_thing_says_what_to_do(tmp_path: Path, text: str, words: str) -> None:
    error = refused(write(tmp_path, text))

    assert words in str(error)
    assert error.findings[0].advice


def test_a_blueprint_under_another_name_is_pointed_at(tmp_path: Path) -> None:
    error = refused(write(tmp_path, GOOD.replace("blueprint =", "hub =")))

    assert "case.py:hub" in error.advice


@pytest.mark.parametrize("target", ["nowhere.py", "nowhere.yaml", "nowhere.py:name", "."])
def test_a_file_that_is_not_there_is_a_usage_error(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError) as caught:
        load(target)

    assert caught.value.exit_code == ExitCode.USAGE


def test_a_file_of_another_kind_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a blueprint file"):
        load(write(tmp_path, "", "main.tf"))


def test_the_folder_of_a_file_is_importable_only_while_it_runs(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, region in ((one, "westeurope"), (two, "northeurope")):
        folder.mkdir()
        write(folder, f"REGION = '{region}'\n", "shared_settings.py")
        write(folder, "from shared_settings import REGION\n" + GOOD.replace('"westeurope"', "REGION"))
    path = list(sys.path)

    regions = [load(folder / "case.py").blueprint.gateway.network.location for folder in (one, two)]  # type: ignore[attr-defined]

    assert regions == ["westeurope", "northeurope"]
    assert path == sys.path
    assert "shared_settings" not in sys.modules
    assert list(tmp_path.rglob("__pycache__")) == []


def test_a_file_knows_its_own_path_and_reads_beside_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prefix.txt").write_text("10.1.0.0/16", encoding="utf-8")
    text = "from pathlib import Path\nprefix = (Path(__file__).parent / 'prefix.txt').read_text()\n"
    file = write(tmp_path, text + GOOD.replace('["10.1.0.0/16"]', "[prefix]"))
    monkeypatch.chdir(tmp_path.parent)

    network = load(f"{tmp_path.name}/{file.name}").blueprint.gateway.network  # type: ignore[attr-defined]

    assert network.address_space == ("10.1.0.0/16",)


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        ("case.yaml", "kind: SiteToSite\nname: [\n", 3, "It is not YAML"),
        ("case.yaml", "kind: SiteToSite\nname a\ngateway: hq\n", 2, "could not find expected ':'"),
        ("case.yaml", "kind: SiteToSite\nname: a\nname: b\n", 3, "the key 'name' stands twice"),
        ("case.yaml", "- a\n", 1, "no mapping at its top"),
        ("case.yaml", "name: a\n", 1, "It does not say its kind"),
        ("case.yaml", "kind: SiteToSite\nname: a\nnetworks: [1]\n", 3, "'networks:' holds names with values"),
        ("case.json", '{"kind": "SiteToSite",\n"name": }', 2, "It is not JSON"),
        ("case.json", '{"kind": "SiteToSite", "name": "a",\n"name": "b"}', 2, "stands twice"),
        ("case.yaml", f"kind: SiteToSite\nname: {'9' * 5000}\n", 2, "a number with too many digits"),
        ("case.yaml", "kind: SiteToSite\nname: !!int x\n", 2, "no value of the kind that its tag says"),
        ("case.json", f'{{"kind": "SiteToSite",\n"name": {"9" * 5000}}}', 2, "a number with too many digits"),
    ],
)
def test_a_broken_text_file_is_told_with_its_line(
    tmp_path: Path, name: str, text: str, line: int | None, words: str
) -> None:
    file = write(tmp_path, text, name)

    error = refused(file)

    assert words in str(error)
    assert (f"{file}:{line}" if line else str(file)) == error.location


def test_yaml_reads_values_as_people_mean_them(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "x-network: &hub\n"
        "  location: westeurope\n"
        "  resource_group: rg\n"
        "  address_space: 10.1.0.0/16\n"
        "  gateway_subnet: 10.1.255.0/27\n"
        "kind: SiteToSite\n"
        "name: no\n"
        "tags: {released: 2026-11-22, on: yes, country: NO}\n"
        "gateway: {name: vgw, sku: VpnGw2AZ, network: {name: vnet, <<: *hub, label: on}}\n",
        "case.yaml",
    )

    blueprint = load(file).blueprint

    assert blueprint.name == "no"
    assert blueprint.tags == {"released": "2026-11-22", "on": "yes", "country": "NO"}


@pytest.mark.parametrize("text", [r"\ud800", "\x7f", r"\ud83d\ude00", "k" * 1100])
def test_json_takes_every_character_that_json_writes(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, f'{{"networks": {{"{text}": 1}}, "kind": "SiteToSite"}}', "case.json")

    assert list(read_document(file).content["networks"]) == [json.loads(f'"{text}"')]


def test_json_and_yaml_and_python_load_the_same_value(tmp_path: Path) -> None:
    document = {
        "kind": "SiteToSite",
        "name": "case",
        "gateway": "vgw",
        "gateways": {"vgw": {"network": "vnet", "sku": "VpnGw2AZ"}},
        "networks": {
            "vnet": {
                "location": "West Europe",
                "resource_group": "rg",
                "address_space": "10.1.0.0/16",
                "gateway_subnet": "10.1.255.0/27",
            }
        },
    }
    json_file = write(tmp_path, json.dumps(document), "case.json")
    yaml_file = write(tmp_path, json.dumps(document), "case.yaml")

    loaded = [load(file).blueprint for file in (json_file, yaml_file, write(tmp_path, GOOD))]

    assert loaded[0] == loaded[1] == loaded[2]


def test_several_blueprints_in_one_yaml_file_are_chosen_by_name(tmp_path: Path) -> None:
    entry = {"kind": "SiteToSite", "gateway": "vgw"}
    document = {
        "gateways": {
            "vgw": {"network": {"name": "v", "location": "x", "address_space": "10.1.0.0/16"}, "sku": "Basic"}
        },
        "blueprints": [entry | {"name": "dev"}, entry | {"name": "prod"}],
    }
    file = write(tmp_path, json.dumps(document), "case.yaml")

    assert [blueprint.name for blueprint in load(file).blueprints] == ["dev", "prod"]
    assert load(f"{file}:prod").blueprint.name == "prod"
    assert "Did you mean 'prod'?" in str(refused(f"{file}:pord"))


def test_a_saved_plan_is_told_apart_from_a_blueprint(tmp_path: Path) -> None:
    plan = write(tmp_path, json.dumps({"format": 1, "kind": "plan"}), "plan.json")
    other = write(tmp_path, json.dumps({"kind": "SiteToSite"}), "case.json")

    assert saved_plan(plan) == {"format": 1, "kind": "plan"}
    assert None is saved_plan(other)
    assert None is saved_plan(tmp_path / "absent.json")
    with pytest.raises(UsageError, match="saved plan"):
        load(plan)


def test_a_place_in_a_yaml_file_is_located_by_its_path(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "kind: SiteToSite\nname: case\ngateway:\n  name: vgw\n  sku: Basic\n"
        "  network: {name: v, location: x, address_space: 10.1.0.0/16}\n",
        "case.yaml",
    )

    loaded = load(file)

    assert isinstance(loaded, LoadedFile)
    assert f"{file}:5" == loaded.locate("gateway.sku")


def test_loading_a_blueprint_imports_no_cloud_and_no_terminal(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD)
    script = (
        "import sys\n"
        "from vpngw_iac import Scope, load\n"
        f"load({str(file)!r}).blueprint.resources(Scope('s'))\n"
        "heavy = {'azure', 'rich', 'requests', 'asyncio', 'cryptography', 'yaml', 'vpngw_iac.azure'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("sites[1]", 'name="prague"'),
        ("sites[1].bgp.asn", "bgp=BgpPeer(asn=65102"),
        ("VpnConnection/vgw-hub/prague", 'name="prague"'),
        ("PublicIp/vgw-hub/1", 'name="vgw-hub"'),
        ("VpnGateway/vgw-hub", 'name="vgw-hub"'),
        ("Subnet/vnet-hub/GatewaySubnet", 'name="vnet-hub"'),
        ("gateway.network.gateway_subnet", "gateway_subnet="),
    ],
)
def test_a_part_of_a_python_file_is_located_by_path_and_by_address(where: str, words: str) -> None:
    file = Path(__file__).parents[2] / "blueprints" / "multi_site.py"
    lines = file.read_text(encoding="utf-8").splitlines()

    path, _, line = load(file).locate(where).rpartition(":")

    assert str(file) == path
    assert words in "".join(lines[int(line) - 1 : int(line) + 1])


def test_a_resource_of_a_yaml_file_is_located_where_its_part_is_written(tmp_path: Path) -> None:
    file = Path(__file__).parents[2] / "blueprints" / "one_site.yaml"
    lines = file.read_text(encoding="utf-8").splitlines()

    loaded = load(file)

    for address, words in (
        ("VpnConnection/vgw-branch/berlin", "berlin"),
        ("VpnGateway/vgw-branch", "gateway: vgw-branch"),
    ):
        line = int(loaded.locate(address).rpartition(":")[2])
        assert words in "".join(lines[line - 1 : line + 1])


def test_a_part_in_a_loop_has_the_line_of_its_call_and_what_is_not_there_has_none(tmp_path: Path) -> None:
    text = GOOD.replace("blueprint =", "made =") + "blueprint = made.model_copy(update={'sites': tuple(\n"
    text += "    Site(name=n, public_ip='203.0.113.1', shared_key=Secret.env('A')) for n in 'ab')})\n"

    loaded = load(write(tmp_path, text))

    assert f"{tmp_path / 'case.py'}:8" == loaded.locate("sites[1]")
    assert loaded.locate("Circuit/nothing") == ""
    assert loaded.locate("") == ""
