"""What somebody writes on the first day: each slip names the element, the line, what stands there and what to write."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.blueprints.test_bad_values import GOOD
from vpngw_iac import IpsecPolicy, Site, VirtualNetwork, VpnGateway, Workspace
from vpngw_iac.blueprints.language import in_yaml
from vpngw_iac.blueprints.load import load
from vpngw_iac.errors import BlueprintError, Finding, InvalidValue, VpngwError

HEAD = """from vpngw_iac import *
hub = VirtualNetwork(name="vnet", location="WestEurope", resource_group="rg",
                     address_space=["10.1.0.0/16"], gateway_subnet="10.1.255.0/27")
gateway = VpnGateway(name="vgw", network=hub, sku="VpnGw2AZ")
"""
SITE = 'Site(name="berlin", public_ip="203.0.113.1", prefixes=["192.168.1.0/24"], shared_key=Secret.env("PSK"))'


def told(tmp_path: Path, text: str, name: str = "case.py") -> Finding:
    """The first finding of a file that is refused."""
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BlueprintError) as caught:
        load(file)
    return caught.value.findings[0]


@pytest.mark.parametrize(
    ("site", "words"),
    {
        "None": (SITE.replace('["192.168.1.0/24"]', "[None]"), "Site 'berlin': Expected a text in quotes, got None."),
        "None for an address": (SITE.replace('"203.0.113.1"', "None"), "got public_ip=None"),
        "None for a key": (SITE.replace('Secret.env("PSK")', "None"), "got shared_key=None"),
        "a method": (
            SITE.replace('Secret.env("PSK")', "Secret.env"),
            "got the method Secret.env. Call it: Secret.env(...).",
        ),
        "a method without values": (
            SITE.replace("prefixes", "ipsec=IpsecPolicy.strong, prefixes"),
            "got the method IpsecPolicy.strong. Call it: IpsecPolicy.strong().",
        ),
        "a class": (SITE.replace('Secret.env("PSK")', "Secret"), 'got the class Secret. Write Secret.env("NAME").'),
        "a wrong noun": (SITE.replace("prefixes", "bgp=hub, prefixes"), "got the VirtualNetwork 'vnet'"),
        "a noun in a tuple": (
            SITE.replace("prefixes", "ipsec=(IpsecPolicy.strong(),), prefixes"),
            "Take away the comma",
        ),
        "a number": (SITE.replace("prefixes", "bgp=65010, prefixes"), "Expected BgpPeer, got a number."),
        "an address of the standard library": (
            "__import__('ipaddress').ip_address('203.0.113.1')".join(SITE.split('"203.0.113.1"')),
            "got an IPv4Address. Write str(...) around it.",
        ),
        "values without names": ('Site("berlin", "203.0.113.1")', "Write Site(name=..., public_ip=...)."),
        "a change of a value": ('gateway) if setattr(gateway, "sku", "x") else (1', "VpnGateway.sku cannot be changed"),
        "a wrong field of a dict": (SITE.replace("prefixes", 'ipsec={"integrity": 1}, prefixes'), "ike_encryption, dh"),
    }.values(),
)
def test_a_wrong_value_says_what_it_got_and_where(site: str, words: str, tmp_path: Path) -> None:
    finding = told(tmp_path, f"{HEAD}sites = []\nsites.append({site})\n")

    assert words in f"{finding.detail} {finding.advice}"
    assert f"{tmp_path / 'case.py'}:6" == finding.location


def test_a_wrong_field_is_the_field_of_the_noun_that_it_stands_in(tmp_path: Path) -> None:
    site = SITE.replace("prefixes", 'ipsec=IpsecPolicy(integrity="SHA256"), prefixes')
    document = yaml.safe_dump({**GOOD, "sites": [{**GOOD["sites"][0], "ipsec": {"integrity": "SHA256"}}]})

    for text, name in ((f"{HEAD}blueprint = {site}\n", "case.py"), (document, "case.yaml")):
        (tmp_path / name).write_text(text)
        with pytest.raises(BlueprintError) as caught:
            load(tmp_path / name)
        missing, wrong = caught.value.findings
        assert wrong.detail == "Site 'berlin': IpsecPolicy has no field 'integrity'."
        assert wrong.address.endswith("integrity")
        assert "ipsec_encryption, ipsec_integrity, pfs_group are required." in missing.detail
        assert ("ipsec: strong" if name.endswith("yaml") else "IpsecPolicy.strong()") in missing.advice


def test_the_elements_around_are_named_in_python_and_in_yaml(tmp_path: Path) -> None:
    python = 'Site(name="berlin", links=[\n    Link(name="telekom",\n         public_ip="203.0.113.300")])\n'
    links = [{"name": "telekom", "public_ip": "203.0.113.300"}]
    document = yaml.safe_dump({**GOOD, "sites": [{"name": "berlin", "links": links}]}, sort_keys=False)

    one = told(tmp_path, f"{HEAD}sites = {python}")
    two = told(tmp_path, document, "case.yaml")

    for finding in (one, two):
        assert finding.detail.startswith("Site 'berlin', link 'telekom': '203.0.113.300' is not an IPv4 address")
    assert one.location.endswith("case.py:7")
    assert two.location == f"{tmp_path / 'case.yaml'}:{document[: document.index('203')].count(chr(10)) + 1}"


@pytest.mark.parametrize(
    ("call", "way"),
    [
        ("Secret.env()", "Write Secret.env(name)."),
        ('Secret.key_vault("kv")', "Write Secret.key_vault(vault, name, version=None)."),
        ('Secret.env(nme="PSK")', "Write Secret.env(name)."),
        ("IpsecPolicy.strong(1)", "Write IpsecPolicy.strong()."),
        ('Nat.ingress("berlin")', "Write Nat.ingress(name, internal, external, **more)."),
        ('VpnGateway.existing(loc="westeurope")', "Write VpnGateway.existing("),
        ('Site.existing("berlin")', "What it stands after has no 'existing'."),
        (SITE.replace('Secret.env("PSK")', "Secret()"), 'got a Secret. Write Secret.env("NAME").'),
    ],
)
def test_a_wrong_call_says_how_it_is_called(call: str, way: str, tmp_path: Path) -> None:
    finding = told(tmp_path, f"{HEAD}\n{call}\n")

    assert way in f"{finding.detail} {finding.advice}"
    assert finding.location == f"{tmp_path / 'case.py'}:6"


@pytest.mark.parametrize("text", ["${PSK}", "$PSK", "$(PSK)", "%PSK%", "{{ PSK }}", "env:PSK", "Secret.env('PSK')"])
def test_a_reference_that_is_only_a_text_is_told_as_such(text: str, tmp_path: Path) -> None:
    document = yaml.safe_dump({**GOOD, "sites": [{**GOOD["sites"][0], "shared_key": text}]})

    in_file = told(tmp_path, document, "case.yaml")
    in_python = told(tmp_path, HEAD + SITE.replace('Secret.env("PSK")', repr(text)))

    assert "no text is filled in. Write {env: NAME} without quotes around it" in in_file.detail
    assert 'no text is filled in. Write Secret.env("NAME") without quotes' in in_python.detail
    assert not any(text in finding.detail for finding in (in_file, in_python))


@pytest.mark.parametrize("text", ["$ecret!", "environment-7", "pass%word%", "secret: of berlin"])
def test_a_key_that_only_resembles_a_reference_is_a_secret_in_plain_text(text: str, tmp_path: Path) -> None:
    document = yaml.safe_dump({**GOOD, "sites": [{**GOOD["sites"][0], "shared_key": text}]})

    assert "A secret stands here in plain text." in told(tmp_path, document, "case.yaml").detail


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"env": None}, "Expected the name of an environment variable after env: {env: NAME}."),
        ({"file": None}, "Expected a path after file: {file: PATH}."),
    ],
)
def test_a_reference_without_its_name_says_what_to_write(form: object, words: str, tmp_path: Path) -> None:
    document = yaml.safe_dump({**GOOD, "sites": [{**GOOD["sites"][0], "shared_key": form}]})

    assert words in told(tmp_path, document, "case.yaml").detail


@pytest.mark.parametrize("indent", [2, "\t"])
def test_json_has_the_line_of_the_value_as_yaml_has(indent: int | str, tmp_path: Path) -> None:
    wrong = {
        **GOOD,
        "tags": {"owner": "\N{GRINNING FACE}"},
        "sites": [{**GOOD["sites"][0], "public_ip": "203.0.113.300"}],
    }
    text = json.dumps(wrong, indent=indent)
    fine = text.replace("203.0.113.300", "203.0.113.30")
    line = text[: text.index("203.0.113.300")].count("\n") + 1

    finding = told(tmp_path, text, "case.json")
    (tmp_path / "case.json").write_text(fine)

    assert finding.location == f"{tmp_path / 'case.json'}:{line}"
    assert load(tmp_path / "case.json").locate("VpnConnection/vgw/berlin", "203.0.113.30") == finding.location
    assert load(tmp_path / "case.json").blueprint.tags == {"owner": "\N{GRINNING FACE}"}


IN_A_FUNCTION = f"""{HEAD}
def site(number):
    return Site(
        name=f"branch{{number}}",
        public_ip=f"203.0.113.{{number}}",
        prefixes=[f"192.168.{{number}}.0/24"],
        shared_key=Secret.env("PSK"),
    )
sites = [site(1), site(2)]
for name in ("berlin", "paris"):
    sites.append(Site(name=name, public_ip="203.0.113.9", prefixes=["10.1.3.0/24"], shared_key=Secret.env("PSK")))
blueprint = SiteToSite(name="case", gateway=gateway, sites=sites)
"""


def test_a_part_made_in_a_function_or_a_loop_has_its_line_also_in_a_plan(tmp_path: Path) -> None:
    file = tmp_path / "case.py"
    file.write_text(IN_A_FUNCTION)
    loaded = load(file)
    workspace = Workspace(cloud="simulator", directory=tmp_path).beside(loaded)

    checked = workspace.validate(loaded.blueprint).findings
    planned = workspace.plan(loaded.blueprint).findings

    assert [loaded.locate(f"sites[{i}]") for i in (0, 3)] == [f"{file}:7", f"{file}:15"]
    assert loaded.locate("sites[1].public_ip") == f"{file}:9"
    for findings in (checked, planned):
        overlaps = {f.address: f.location for f in findings if f.rule == "R-LNG-06"}
        assert overlaps["VpnConnection/vgw/paris"] == f"{file}:15"


def test_parts_of_a_neighbouring_module_are_located_there(tmp_path: Path) -> None:
    (tmp_path / "parts_of_case.py").write_text(f"{HEAD}\ndef site():\n    return {SITE}\n")
    file = tmp_path / "case.py"
    file.write_text("from parts_of_case import *\nblueprint = SiteToSite(name='c', gateway=gateway, sites=[site()])\n")

    assert f"{tmp_path / 'parts_of_case.py'}:7" == load(file).locate("VpnConnection/vgw/berlin")


def test_a_copy_has_the_line_that_copied_it_and_is_equal_to_what_is_written_anew(tmp_path: Path) -> None:
    file = tmp_path / "case.py"
    copied = f'{HEAD}one = {SITE}\ntwo = one.model_copy(update={{"name": "paris"}})\n'
    file.write_text(copied + "blueprint = SiteToSite(name='case', gateway=gateway, sites=[one, two])\n")

    loaded = load(file)

    assert [loaded.locate(f"sites[{i}]") for i in (0, 1)] == [f"{file}:5", f"{file}:6"]
    assert load(file).blueprint == loaded.blueprint


def test_a_finding_of_a_yaml_file_has_the_line_of_the_value(tmp_path: Path) -> None:
    text = yaml.safe_dump({**GOOD, "sites": [{**GOOD["sites"][0], "prefixes": ["192.168.1.0/24", "10.1.4.0/24"]}]})
    file = tmp_path / "case.yaml"
    file.write_text(text)
    loaded = load(file)

    found = Workspace(directory=tmp_path).beside(loaded).validate(loaded.blueprint).findings

    lines = text.splitlines()
    (overlap,) = (finding for finding in found if finding.rule == "R-LNG-06")
    assert lines[int(overlap.location.rpartition(":")[2]) - 1].strip() == "- 10.1.4.0/24"
    assert "nat: {direction: ingress, ...}" in overlap.advice
    assert not any("Nat.ingress" in finding.advice for finding in found)


@pytest.mark.parametrize(
    ("python", "words"),
    [
        ("Set active_active=True if the sites need it.", "Set active_active: true if the sites need it."),
        ("Add ipsec=IpsecPolicy.strong().", "Add ipsec: strong."),
        ('Write shared_key=Secret.env("NAME").', "Write shared_key: {env: NAME}."),
        ("Use bgp=Bgp(asn=65010), or none.", "Use bgp: {asn: 65010}, or none."),
        ("Use Circuit.existing(id, location=...).", "Use circuit: {existing: id, location: ...}."),
        ('Say sku=Sku.other("VpnGw9").', "Say sku: {other: VpnGw9}."),
        ("A tenant says aud=x; f(x) and Up(x) stay.", "A tenant says aud=x; f(x) and Up(x) stay."),
        ('It takes maintenance=Maintenance(start="02:00")', 'It takes maintenance: {start: "02:00"}'),
        ("Broken: sku=[", "Broken: sku=["),
    ],
)
def test_advice_is_in_the_language_of_the_file(python: str, words: str) -> None:
    assert words == in_yaml(python)


def test_no_advice_of_a_rule_is_left_in_python_for_yaml() -> None:
    from vpngw_iac.preflight.catalogue import rules

    left = [rule.id for rule in rules() if any(sign in in_yaml(rule.fix) for sign in ("=True", "=False", "=[", "(..."))]

    assert left == []


@pytest.mark.parametrize(
    ("field", "written", "meant"),
    [
        ("protocol", "IkeV2", "IKEv2"),
        ("protocol", "ikev1", "IKEv1"),
        ("mode", "InitiatorOnly", "initiator-only"),
        ("mode", "ResponderOnly", "responder-only"),
        ("on_removal", "Forget", "forget"),
    ],
)
def test_azures_spelling_and_any_casing_are_taken(field: str, written: str, meant: str) -> None:
    site = Site(name="a", public_ip="203.0.113.1", shared_key={"env": "A"}, **{field: written})  # type: ignore[arg-type]

    assert meant == getattr(site, field)


def test_every_choice_of_every_noun_is_taken_in_any_casing() -> None:
    from vpngw_iac.blueprints.part import Part, _shapes

    for noun in Part.models.values():
        for words in _shapes(noun)[1].values():
            assert {written for written in words if written != written.lower()} == set()
    policy = IpsecPolicy.strong()
    lower = {name: value.lower() for name, value in policy.model_dump().items() if isinstance(value, str)}
    assert policy == IpsecPolicy(**lower)  # type: ignore[arg-type]


def test_a_kind_is_taken_in_any_casing(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text(yaml.safe_dump({**GOOD, "kind": "sitetosite"}))

    assert load(tmp_path / "case.yaml").blueprint.kind == "SiteToSite"


@pytest.mark.parametrize("name", ["strong", "compatible", "cnsa", "Strong"])
def test_a_policy_is_named_in_yaml(name: str, tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text(yaml.safe_dump({**GOOD, "sites": [{**GOOD["sites"][0], "ipsec": name}]}))

    (site,) = load(tmp_path / "case.yaml").blueprint.sites  # type: ignore[attr-defined]

    assert site.ipsec == getattr(IpsecPolicy, name.lower())()


def test_a_policy_that_has_no_such_name_is_told_with_the_names(tmp_path: Path) -> None:
    finding = told(tmp_path, yaml.safe_dump({**GOOD, "sites": [{**GOOD["sites"][0], "ipsec": "best"}]}), "case.yaml")

    assert "It is one of strong, compatible, cnsa" in finding.detail


def test_what_a_blueprint_prints_goes_to_stderr(tmp_path: Path) -> None:
    file = tmp_path / "case.py"
    file.write_text(f"{HEAD}print('hello')\nblueprint = SiteToSite(name='case', gateway=gateway, sites=[{SITE}])\n")

    ran = subprocess.run(
        [sys.executable, "-m", "vpngw_iac", "validate", str(file), "--json"], capture_output=True, text=True, check=True
    )

    assert "hello" in ran.stderr
    assert ran.stdout.startswith("{")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Site(name="a b", public_ip="203.0.113.1"),
        lambda: Site.model_validate({"name": "a"}),
        lambda: VpnGateway.existing("nowhere"),
        lambda: VirtualNetwork.existing("nowhere"),
        lambda: __import__("vpngw_iac").Secret.env("a b"),
        lambda: __import__("vpngw_iac").RootCertificate.file("root", "nowhere.pem"),
        lambda: __import__("vpngw_iac").RootCertificate.pem("root", "nothing"),
    ],
)
def test_every_wrong_value_raises_an_error_of_the_library(make: object) -> None:
    with pytest.raises(VpngwError) as caught:
        make()  # type: ignore[operator]

    assert isinstance(caught.value, InvalidValue)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("from vpngw_iac import VpnGatway\n", "Did you mean 'VpnGateway'?"),
        (f"{HEAD}x = IpsecPolicy.strongest()\n", "Did you mean 'strong'?"),
        ("hub = VirtualNetwork(name='x')\n", "Add: from vpngw_iac import VirtualNetwork."),
        ("from vpngw_iac import *\nblueprint = SiteToSite\n", "Write SiteToSite(...)."),
        ("def blueprint():\n    return 1\n", "Call it: blueprint()."),
    ],
)
def test_a_slip_in_a_name_says_what_was_meant(text: str, advice: str, tmp_path: Path) -> None:
    assert advice == told(tmp_path, text).advice


def test_a_tab_and_a_mapping_for_a_list_say_what_to_write(tmp_path: Path) -> None:
    assert "indent with spaces" in told(tmp_path, "kind: SiteToSite\n\tname: x\n", "tab.yaml").advice
    sites = yaml.safe_dump({**GOOD, "sites": {"berlin": {}}})
    assert "Begin each entry with a dash" in told(tmp_path, sites, "map.yaml").advice
