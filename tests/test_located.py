"""One mistake in a blueprint file ends in a valid plan, or is told with the right file and line.

`benchmarks/mutations.py --located` does the same for ten thousand of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.located import Mistake, python_mistake, verdict, verdicts, yaml_mistake
from tests.mutants import environment
from vpngw_iac.blueprints.load import load
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.errors import BlueprintError
from vpngw_iac.usecases.session import SessionSettings, open_simulator
from vpngw_iac.usecases.workspace import Workspace


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder, clock = tmp_path_factory.mktemp("desk"), VirtualClock()
    simulator = open_simulator(SessionSettings("simulator", directory=folder), clock)
    return Workspace(
        "simulator",
        directory=folder,
        clock=clock,
        simulator=simulator,
        environment=environment(),
        resource_group="rg-run",
    )


@pytest.mark.parametrize("first", range(0, 160, 40))
def test_a_mistake_is_told_where_it_stands(first: int, desk: Workspace, tmp_path: Path) -> None:
    ends = list(verdicts(range(first, first + 40), tmp_path, desk))

    assert {told: found.wrong for told, _, found in ends if found.wrong} == {}
    assert {mistake.file.suffix for _, mistake, _ in ends} == {".py", ".yaml"}
    assert {"unreadable", "planned"} <= {found.word for _, _, found in ends}


@pytest.mark.parametrize("make", [python_mistake, yaml_mistake])
def test_a_wrong_place_would_be_seen(
    make: Callable[[random.Random, Path], Mistake], desk: Workspace, tmp_path: Path
) -> None:
    made = (make(random.Random(seed), tmp_path) for seed in range(40))
    mistake = next(found for found in made if verdict(found, desk).word == "unreadable")

    elsewhere = Mistake(mistake.file, mistake.told, frozenset({10_000}))

    assert verdict(elsewhere, desk).wrong


HUB = """\
kind: SiteToSite
name: hub
networks:
  hub: {name: vnet, location: westeurope, resource_group: rg, address_space: 10.1.0.0/16, gateway_subnet: 10.1.255.0/27}
  spoke: {existing: SPOKE}
gateways:
  hub: {name: vgw, network: hub, sku: VpnGw1AZ}
gateway: hub
sites:
- name: berlin
  public_ip: 203.0.113.10
  prefixes: 192.168.10.0/24
  shared_key: {env: PSK}
spokes:
- network: spoke
""".replace("SPOKE", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/spoke")


def written(folder: Path, text: str) -> Path:
    file = folder / "hub.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("gateway: hub\n", "", 1),  # what is missing at the top stands nowhere else
        ("name: hub\n", "", 1),
        ("gateway_subnet: 10.1.255.0/27", "gateway_subnet: 10.1.255.0", 4),  # a name in what a name stands for
        ("public_ip: 203.0.113.10", "public_ip: here", 11),
        ("  public_ip: 203.0.113.10\n", "", 10),
    ],
)
def test_what_yaml_lacks_or_says_by_a_name_has_its_line(before: str, after: str, line: int, tmp_path: Path) -> None:
    file = written(tmp_path, HUB.replace(before, after, 1))

    with pytest.raises(BlueprintError) as refused:
        load(file)

    assert f"{file}:{line}" in {finding.location for finding in refused.value.findings}


@pytest.mark.parametrize(
    ("address", "line"),
    [("VirtualNetwork/spoke", 15), ("routeTables/rt-old", 7), ("MaintenanceConfiguration/mc", 8)],
)
def test_what_is_only_used_is_located_where_it_is_named(address: str, line: int, tmp_path: Path) -> None:
    provider = "/subscriptions/s/resourceGroups/g/providers"
    table = f"{provider}/Microsoft.Network/routeTables/rt-old"
    window = f"{provider}/Microsoft.Maintenance/maintenanceConfigurations/mc"
    subnet = f"{{prefix: 10.1.255.0/27, route_table: {table}}}"
    text = HUB.replace("gateway_subnet: 10.1.255.0/27", f"gateway_subnet: {subnet}")
    text = text.replace("sku: VpnGw1AZ", f"sku: VpnGw1AZ, maintenance: {{existing: {window}}}")

    loaded = load(written(tmp_path, text))

    assert loaded.locate(address).rpartition(":")[2] == str(line)
