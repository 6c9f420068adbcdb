"""What can be asked of an import, and what it does when Azure is difficult."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.architectures.conftest import FOLDER, ROOT, World, differences_of
from tests.architectures.test_imported import graph_of, groups_of
from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.load import load
from vpngw_iac.errors import ExitCode, Forbidden, Refused, StateLocked, UsageError
from vpngw_iac.simulator import Fault
from vpngw_iac.simulator.faults import AnswerInstead
from vpngw_iac.usecases.imported import Imported, Wanted
from vpngw_iac.usecases.importer import Importer


@pytest.fixture
def original(world: World) -> Blueprint:
    """Several sites on one gateway, applied, and forgotten."""
    blueprint = load(FOLDER / "multi_site.py").blueprint
    world.apply(blueprint)
    shutil.rmtree(world.directory / ".vpngw" / "state")
    return blueprint


def take(world: World, blueprint: Blueprint, **wanted: Any) -> Imported:
    known = {"groups": tuple(map(str, groups_of(blueprint))), "file": world.directory / "blueprint.py"}
    return Importer(world.workspace, blueprint.name).run(Wanted(**{**known, **wanted}))


def documents_of(world: World) -> dict[ArmId, Any]:
    return {ArmId(i): d for i, d in world.simulator.documents().items()}


def test_yaml_says_the_same(world: World, original: Blueprint) -> None:
    imported = take(world, original, yaml=True, file=world.directory / "blueprint.yaml")

    assert imported.differing == ()
    again = load(world.directory / "blueprint.yaml").blueprint
    assert graph_of(again, documents_of(world)) == graph_of(original, documents_of(world))
    assert differences_of(world.plan(again)) == []


def test_documents_from_files_need_no_cloud_and_leave_no_state(world: World, original: Blueprint) -> None:
    file = world.directory / "shown.json"
    file.write_text(json.dumps(list(world.simulator.documents().values())))
    asked = len(world.simulator.requests)

    imported = take(world, original, groups=(), files=(str(file),))

    assert imported.differing == ()
    assert len(world.simulator.requests) == asked
    assert not (world.directory / ".vpngw" / "state").exists()
    again = load(world.directory / "blueprint.py").blueprint
    assert graph_of(again, documents_of(world)) == graph_of(original, documents_of(world))


def test_documents_as_the_azure_cli_prints_them_are_read_too(world: World, original: Blueprint) -> None:
    def flattened(value: Any) -> Any:
        if isinstance(value, dict):
            inner = {k: flattened(v) for k, v in value.items() if k != "properties"}
            below = flattened(value["properties"]) if "properties" in value else {}
            return inner | {k: v for k, v in below.items() if k not in inner}
        return [flattened(item) for item in value] if isinstance(value, list) else value

    shown = [flattened(d) | {"resourceGroup": "rg"} for d in world.simulator.documents().values()]
    (world.directory / "shown.json").write_text(json.dumps(shown))

    take(world, original, groups=(), files=(str(world.directory / "shown.json"),))

    again = load(world.directory / "blueprint.py").blueprint
    assert graph_of(again, documents_of(world)) == graph_of(original, documents_of(world))


def test_texts_for_booleans_are_read_as_azure_reads_them(world: World, original: Blueprint) -> None:
    """Parameters of templates are texts; what people tagged with such a text stays a text."""

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: told(item) for name, item in value.items()}
        if isinstance(value, list):
            return [told(item) for item in value]
        return str(value) if isinstance(value, bool) else value

    shown = [
        {**told(document), "tags": {"live": "true"}}
        for document in world.simulator.documents().values()
        if document["type"] != "Microsoft.Resources/resourceGroups"
    ]
    assert "'True'" in str(shown)
    (world.directory / "shown.json").write_text(json.dumps(shown))

    imported = take(world, original, groups=(), files=(str(world.directory / "shown.json"),))

    assert imported.differing == ()
    assert '"live": "true"' in imported.text
    again = load(world.directory / "blueprint.py").blueprint.model_copy(update={"tags": original.tags})
    assert graph_of(again, documents_of(world)) == graph_of(original, documents_of(world))


def test_an_exported_template_is_read_when_its_group_is_named(world: World, original: Blueprint) -> None:
    def exported(value: Any) -> Any:
        """Ids as expressions, one of them over a parameter."""
        if isinstance(value, dict):
            return {name: exported(item) for name, item in value.items()}
        if isinstance(value, list):
            return [exported(item) for item in value]
        identity = ArmId.of(value) if isinstance(value, str) else None
        if identity is None or not identity.names:
            return value
        if len(identity.names) > 1:
            return f"[concat({exported(str(identity.parent))[1:-1]}, '/{'/'.join(value.rsplit('/', 2)[1:])}')]"
        return f"[resourceId('{identity.type}', parameters('p_{identity.name}'))]"

    known = documents_of(world)
    resources = [
        {**exported({k: v for k, v in d.items() if k != "id"}), "name": "/".join(i.names), "apiVersion": "2024-01-01"}
        for i, d in known.items()
        if i.names and not i.is_extension
    ]
    parameters = {f"p_{i.name}": {"defaultValue": i.name, "type": "String"} for i in known}
    template = {"$schema": "https://schema.management.azure.com/", "parameters": parameters, "resources": resources}
    (world.directory / "template.json").write_text(json.dumps(template))

    take(world, original, groups=("rg-hub",), files=(str(world.directory / "template.json"),))

    again = load(world.directory / "blueprint.py").blueprint
    assert graph_of(again, known) == graph_of(original, known)


def test_a_gateway_named_by_its_id_brings_what_hangs_on_it(world: World, original: Blueprint) -> None:
    gateway = next(str(i) for i in documents_of(world) if i.type.endswith("virtualNetworkGateways"))

    imported = take(world, original, groups=(), gateways=(gateway,))

    assert imported.differing == ()
    again = load(world.directory / "blueprint.py").blueprint
    assert graph_of(again, documents_of(world)) == graph_of(original, documents_of(world))


def test_the_whole_subscription_finds_the_groups_by_itself(world: World, original: Blueprint) -> None:
    take(world, original, groups=(), whole_subscription=True)

    again = load(world.directory / "blueprint.py").blueprint
    assert graph_of(again, documents_of(world)) == graph_of(original, documents_of(world))


def test_names_are_chosen_in_a_file_that_a_scan_wrote(world: World, original: Blueprint) -> None:
    names = world.directory / "names.yaml"
    take(world, original, scan=True, names_file=str(names), file=names)
    assert not (world.directory / ".vpngw" / "state").exists()
    names.write_text(names.read_text().replace('"berlin"', '"headquarters"'))

    imported = take(world, original, names_file=str(names))

    assert imported.differing == ()
    text = (world.directory / "blueprint.py").read_text()
    assert 'name="headquarters"' in text
    assert 'connection_name="con-berlin"' in text


def test_what_is_skipped_is_left_alone_with_its_reason(world: World, original: Blueprint) -> None:
    con = next(str(i) for i in documents_of(world) if i.name == "con-berlin")
    names = world.directory / "names.yaml"
    names.write_text(json.dumps({"skip": {con: "it is being replaced"}}))

    imported = take(world, original, names_file=str(names))

    account = next(account for account in imported.accounts if account.id == ArmId(con))
    assert (account.fate, account.why) == ("left", "left out: it is being replaced")
    assert imported.differing == ()
    assert not world.workspace.drift(load(world.directory / "blueprint.py").blueprint).alarming


def test_a_terraform_state_names_gateways_and_hands_over(world: World, original: Blueprint) -> None:
    def resource(kind: str, name: str, identity: ArmId) -> dict[str, Any]:
        instance = {"attributes": {"id": str(identity)}}
        return {"mode": "managed", "type": f"azurerm_{kind}", "name": name, "instances": [instance]}

    ids = documents_of(world)
    gateway = next(i for i in ids if i.type.endswith("virtualNetworkGateways"))
    connection = next(i for i in ids if i.name == "con-berlin")
    resources = [
        resource("virtual_network_gateway", "hub", gateway),
        resource("virtual_network_gateway_connection", "main_office", connection),
    ]
    state = world.directory / "terraform.tfstate"
    state.write_text(json.dumps({"version": 4, "resources": resources}))

    imported = take(world, original, groups=(), terraform_state=str(state))

    assert "terraform state rm 'azurerm_virtual_network_gateway.hub'" in imported.terraform
    assert 'name="main_office"' in imported.text
    assert imported.differing == ()


def test_nouns_to_add_are_printed_and_nothing_is_written(world: World, original: Blueprint) -> None:
    mine = world.directory / "mine.py"
    mine.write_text("# mine\n")

    imported = take(world, original, into=mine)

    assert 'name="berlin"' in imported.text
    assert mine.read_text() == "# mine\n"
    assert sorted(path.name for path in world.directory.iterdir() if path.suffix == ".py") == ["mine.py"]
    assert not imported.written


def test_keys_are_read_once_into_a_vault_and_nowhere_else(world: World, original: Blueprint) -> None:
    imported = take(world, original, vault="kv-hub")

    assert imported.differing == ()
    key = world.environment["BERLIN_PSK"]
    assert world.simulator.vault.get("kv-hub", "berlin-psk") == key
    assert 'Secret.key_vault("kv-hub", "berlin-psk")' in imported.text
    kept = [path.read_text() for path in (world.directory / ".vpngw" / "state").rglob("*.json*")]
    assert not [text for text in (imported.text, *kept) if key in text]


def test_many_alike_sites_are_a_table_beside_the_blueprint(world: World, original: Blueprint) -> None:
    many = _with_many_alike(world, original)

    imported = take(world, original, csv=True)

    assert imported.differing == ()
    assert "csv.DictReader" in imported.text
    assert not list(world.directory.glob(".*-*"))
    assert len((world.directory / "sites.csv").read_text().splitlines()) >= 14
    again = load(world.directory / "blueprint.py").blueprint
    assert graph_of(again, documents_of(world)) == graph_of(many, documents_of(world))


def _with_many_alike(world: World, original: Blueprint) -> Blueprint:
    """Applied and forgotten, with thirteen more sites that differ in name, address and prefix alone."""
    berlin = next(site for site in original.sites if site.name == "berlin")  # type: ignore[attr-defined]
    alike = [
        berlin.model_copy(update={"name": f"b{n}", "public_ip": f"198.51.100.{n}", "prefixes": (f"192.168.{n}.0/24",)})
        for n in range(100, 113)
    ]
    many = original.model_copy(update={"sites": (*original.sites, *alike)})  # type: ignore[attr-defined]
    assert world.apply(many, adopt=frozenset({"*"})).outcome == "succeeded"
    shutil.rmtree(world.directory / ".vpngw" / "state")
    return many


def test_a_death_between_table_and_blueprint_is_cleared_away_by_the_next(world: World, original: Blueprint) -> None:
    """Killed at each name that a file gets: no blueprint, and what is there is taken over."""
    _with_many_alike(world, original)
    script = Path(__file__).with_name("dying_import.py")
    left: list[list[str]] = []
    for nth in (1, 2):
        ended = subprocess.run(
            [sys.executable, str(script), "link", str(nth), "--csv"], cwd=ROOT, capture_output=True, text=True,
            check=False, env={**os.environ, "WORLD": str(world.directory), "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert not (world.directory / "blueprint.py").exists()
        left.append([path.name for path in world.directory.iterdir() if "sites.csv" in path.name])
    assert "sites.csv" in left[1]
    moved = next(str(identity) for identity in documents_of(world) if identity.name == "lgw-b100")
    world.simulator.set(moved, {"properties.gatewayIpAddress": "198.51.100.250"})

    assert take(world, original, csv=True).differing == ()

    assert "198.51.100.250" in (world.directory / "sites.csv").read_text()
    assert not list(world.directory.glob(".*-*"))


def test_a_table_of_somebody_elses_is_refused_and_kept(world: World, original: Blueprint) -> None:
    _with_many_alike(world, original)
    (world.directory / "sites.csv").write_text("mine")

    with pytest.raises(Refused, match=r"sites\.csv exists"):
        take(world, original, csv=True)

    assert (world.directory / "sites.csv").read_text() == "mine"
    assert not (world.directory / "blueprint.py").exists()
    assert not (world.directory / ".vpngw" / "state").exists()


def test_a_second_state_of_the_same_things_is_warned_of(world: World, original: Blueprint) -> None:
    take(world, original)
    (world.directory / "blueprint.py").unlink()
    groups = tuple(map(str, groups_of(original)))
    world.simulator.load([{**document, "tags": {}} for document in world.simulator.documents().values()])

    again = Importer(world.workspace, "other").run(Wanted(groups=groups, file=world.directory / "other.py"))

    assert "The state of multi-site remembers" in again.warnings[0]


# --- refused ---------------------------------------------------------------------------------------------------------


def test_a_file_that_exists_is_refused_before_anything_is_asked(world: World, original: Blueprint) -> None:
    (world.directory / "blueprint.py").write_text("mine")
    asked = len(world.simulator.requests)

    with pytest.raises(Refused, match="exists") as refused:
        take(world, original)

    assert refused.value.exit_code == ExitCode.REFUSED
    assert len(world.simulator.requests) == asked


def test_a_state_that_a_run_worked_with_is_refused(world: World, original: Blueprint) -> None:
    take(world, original)
    world.apply(load(world.directory / "blueprint.py").blueprint)
    (world.directory / "blueprint.py").unlink()

    with pytest.raises(Refused, match="There is a state"):
        take(world, original)


def test_a_state_that_only_import_wrote_is_replaced(world: World, original: Blueprint) -> None:
    take(world, original)
    (world.directory / "blueprint.py").unlink()

    assert take(world, original).entries == take_entries(world, original)


def take_entries(world: World, blueprint: Blueprint) -> int:
    return len(world.workspace.session_named(blueprint.name).bound_store().load().state.entries)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "wanted",
    [
        {"groups": ()},
        {"groups": (), "gateways": ("hub",)},
        {"whole_subscription": True},
        {"groups": (), "whole_subscription": True, "files": ("shown.json",)},
        {"yaml": True, "csv": True},
        {"groups": (), "terraform_state": "no-such-file"},
    ],
)
def test_what_names_nothing_or_two_things_is_a_usage_error(world: World, original: Blueprint, wanted: Any) -> None:
    with pytest.raises(UsageError):
        take(world, original, **wanted)

    assert not (world.directory / "blueprint.py").exists()


def test_a_gateway_that_is_not_there_is_named(world: World, original: Blueprint) -> None:
    gateway = next(i for i in documents_of(world) if i.type.endswith("virtualNetworkGateways"))

    with pytest.raises(Refused, match="no gateway vgw-gone in rg-hub"):
        take(world, original, groups=(), gateways=(str(gateway).replace(gateway.name, "vgw-gone"),))


@pytest.mark.parametrize("readable", [True, False])
def test_connections_of_other_groups_are_found_by_their_gateway(
    world: World, original: Blueprint, *, readable: bool
) -> None:
    far = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-far"
    known = {i.name: d for i, d in documents_of(world).items()}
    local = f"{far}/providers/Microsoft.Network/localNetworkGateways/lgw-far"
    connection = json.loads(json.dumps(known["con-berlin"]))
    connection |= {"id": f"{far}/providers/Microsoft.Network/connections/con-far", "name": "con-far", "tags": {}}
    connection["properties"]["localNetworkGateway2"] = {"id": local}
    device = json.loads(json.dumps(known["lgw-berlin"])) | {"id": local, "name": "lgw-far", "tags": {}}
    device["properties"]["gatewayIpAddress"] = "198.51.100.200"
    device["properties"]["localNetworkAddressSpace"] = {"addressPrefixes": ["192.168.200.0/24"]}
    world.simulator.load([connection, device])
    if not readable:
        refusal = AnswerInstead(status=403, code="AuthorizationFailed", message="No.")
        world.simulator.faults.add(Fault(path="*/resourceGroups/rg-far/*", times=None, effect=refusal))

    imported = take(world, original)

    assert imported.differing == ()
    fates = {account.id.name: account.fate for account in imported.accounts}
    assert fates["con-far"] == ("managed" if readable else "left")
    assert ('resource_group="rg-far"' if readable else 'guests=["con-far"]') in imported.text
    again = load(world.directory / "blueprint.py").blueprint
    assert differences_of(world.plan(again)) == []
    assert not world.workspace.drift(again).alarming


# --- under load ------------------------------------------------------------------------------------------------------


def test_lists_in_pages_of_three_and_throttled_answers_change_nothing(world: World, original: Blueprint) -> None:
    calm = take(world, original).text
    (world.directory / "blueprint.py").unlink()
    shutil.rmtree(world.directory / ".vpngw" / "state")
    cloud = world.simulator._cloud
    cloud.switches = replace(cloud.switches, page_size=3)
    before = len(world.simulator.requests)
    busy = AnswerInstead(status=429, code="TooManyRequests", message="Too many.", retry_after=2)
    world.simulator.faults.add(Fault(path="*/virtualNetworks", times=2, effect=busy), Fault(nth=5, effect=busy))

    imported = take(world, original)

    assert imported.differing == ()
    assert imported.text == calm
    asked = [request.path for request in list(world.simulator.requests)[before:]]
    assert max(asked.count(path) for path in asked if path.endswith("/resources")) >= 3, "seven resources and more"
    assert asked.count(next(path for path in asked if path.endswith("/virtualNetworks"))) >= 3, "refused twice"


def test_a_group_that_may_not_be_listed_is_told_and_nothing_is_written(world: World, original: Blueprint) -> None:
    refusal = AnswerInstead(status=403, code="AuthorizationFailed", message="No.")
    world.simulator.faults.add(Fault(path="*/providers/Microsoft.Network/connections", times=None, effect=refusal))

    with pytest.raises(Forbidden):
        take(world, original)

    assert not (world.directory / "blueprint.py").exists()
    assert not (world.directory / ".vpngw" / "state").exists()


def test_the_lock_of_another_run_is_respected(world: World, original: Blueprint) -> None:
    session = world.workspace.session_named(original.name)

    with session.bound_store().locked(session.owner("vpngw apply")), pytest.raises(StateLocked):
        take(world, original)

    assert not (world.directory / "blueprint.py").exists()
    assert take(world, original).differing == ()


def test_few_calls_are_needed(world: World, original: Blueprint) -> None:
    before = len(world.simulator.requests)

    take(world, original)

    reads = [f"{r.method} {r.path}" for r in list(world.simulator.requests)[before:]]
    assert len(reads) <= 12 * len(groups_of(original)) + 2, "\n".join(reads)


def test_a_death_leaves_no_blueprint_and_the_next_import_goes_on(world: World, original: Blueprint) -> None:
    """Killed at each file that is linked, replaced or written: nothing is half there."""
    script = Path(__file__).with_name("dying_import.py")
    for nth in (1, 2, 4, 7):
        ended = subprocess.run(
            [sys.executable, str(script), "fsync", str(nth)], cwd=ROOT, capture_output=True, text=True, check=False,
            env={**os.environ, "WORLD": str(world.directory), "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
        file = world.directory / "blueprint.py"
        if file.exists():
            load(file)
            file.unlink()
    assert take(world, original).differing == ()


@pytest.mark.parametrize("others", [("multi-site", "blueprint.py"), ("other", "blueprint.py")])
def test_of_two_at_once_one_writes_and_the_other_is_refused(
    world: World, original: Blueprint, others: tuple[str, str]
) -> None:
    """Both have read everything when they begin to write: one state and one file, or two names and one file."""
    (world.directory / "meeting").mkdir()
    script = Path(__file__).with_name("import_at_once.py")
    running = [
        subprocess.Popen(
            [sys.executable, str(script), *names], cwd=ROOT,
            env={**os.environ, "WORLD": str(world.directory), "PYTHONPATH": str(ROOT)},
        )
        for names in (("multi-site", "blueprint.py"), others)
    ]  # fmt: skip
    codes = [process.wait(timeout=120) for process in running]

    assert sorted(codes) in ([0, 4], [0, 7])
    assert codes.count(0) == 1
    winner = ("multi-site", "other")[codes.index(0)] if others[0] == "other" else "multi-site"
    written = load(world.directory / "blueprint.py").blueprint
    assert written.name == winner
    assert world.plan(written).changes == ()
    assert not list(world.directory.glob(".*-*"))
    for name in {"multi-site", "other"} - {winner}:
        state = world.workspace.session_named(name).store().load()
        assert state is None or not state.state.entries
