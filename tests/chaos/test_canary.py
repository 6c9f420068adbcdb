"""The canary among processes: markers in the secrets, --verbose and --json, and an Azure that fails and repeats them.

Afterwards no byte that the program wrote or said holds one; only the simulated cloud itself may.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.processes import Launcher, Operator, Served, side_by_side
from vpngw_iac.simulator import Simulator

MARK = "Canary7mark"
BERLIN, RADIUS, VAULT = f"{MARK}Berlin01", f"{MARK}Radius02", f"{MARK}Vault003"
FAULTS = f"""
- method: PUT
  path: "*/connections/con-berlin"
  effect: {{do: answer, status: 400, code: InvalidSharedKey, message: "The key {BERLIN} is no good."}}
- method: PUT
  path: "*/virtualNetworkGateways/*"
  effect: {{do: fail, code: InvalidRadiusSecret, message: "The secret {RADIUS} is no good."}}
- {{method: PUT, path: "*/connections/con-oslo", effect: {{do: break, done: true}}}}
"""
BLUEPRINT = """
from vpngw_iac import PointToSite, Radius, RadiusServer, Secret, Site, SiteToSite, Topology, VirtualNetwork, VpnGateway

network = VirtualNetwork(name="vnet-hub", location="westeurope", resource_group="rg-hub", address_space=["10.1.0.0/16"],
                         gateway_subnet="10.1.255.0/27")
gateway = VpnGateway(name="vgw-hub", network=network, sku="VpnGw1AZ")
site = lambda name, number, key: Site(name=name, public_ip=f"203.0.113.{number}",
                                      prefixes=[f"192.168.{number}.0/24"], shared_key=key)
server = RadiusServer(address="10.1.0.4", secret=Secret.env("RADIUS_SECRET"))
blueprint = Topology(name="hub", blueprints=[
    SiteToSite(name="sites", gateway=gateway, sites=[
        site("berlin", 10, Secret.env("BERLIN_PSK")),
        site("oslo", 11, Secret.file("oslo.key")),
        MORE
    ]),
    PointToSite(name="clients", gateway=gateway, protocols=["OpenVPN"], address_pool=["172.16.0.0/24"],
                authentication=[Radius(servers=[server])]),
])
"""
VAULTED = (
    """site("rome", 12, Secret.key_vault("kv-hub", "rome")), site("paris", 13, Secret.generated("kv-hub", "paris")),"""
)


@pytest.fixture
def betraying(tmp_path: Path) -> Iterator[Served]:
    """A cloud that repeats secrets in its error messages."""
    (tmp_path / "cloud").mkdir()
    started = Served.start(tmp_path / "cloud", 20_000, FAULTS)
    yield started
    started.close()


def operator_in(folder: Path, served: Served, launcher: Launcher, more: str = "", **variables: str) -> Operator:
    folder.mkdir()
    (folder / "hub.py").write_text(BLUEPRINT.replace("MORE", more))
    (folder / "oslo.key").write_text(f"{MARK}Oslo0004\n")
    secrets = {"BERLIN_PSK": BERLIN, "RADIUS_SECRET": RADIUS}
    return Operator(served, launcher, folder, extra=secrets | {"VPNGW_VERBOSE": "1", **variables})


def live(operator: Operator) -> list[int]:
    """A whole life, and what is said about it; returns the exit codes of the first applies."""
    operator.run("plan", "hub.py", "-o", "plan.json", "--verbose", code=0)
    codes = [operator.run("apply", "hub.py", "--yes", "--json", "--verbose").wait() for _ in range(3)]
    operator.extra["BERLIN_PSK"] = f"{MARK}Other005"
    operator.run("apply", "hub.py", "--yes", "--verbose", code=0)
    operator.run("plan", "hub.py", "-o", "after.json", code=0)
    for command in ("compile", "drift", "show", "log", "secret check"):
        operator.run(*command.split(), "hub.py", "--json", code=0)
    operator.run("state", "pull", "hub.py", code=0)
    return codes


def betrayals(folder: Path, *values: str) -> list[str]:
    """Files with a secret in them, those apart that hold secrets on purpose."""
    return [
        f"{file.relative_to(folder)}: {value}"
        for file in sorted(folder.rglob("*"))
        if file.is_file() and ".vpngw/simulator" not in file.as_posix() and file.name != "oslo.key"
        for value in values
        if value.encode() in file.read_bytes()
    ]


def betrayed_by_azure(operator: Operator) -> None:
    codes = live(operator)

    assert codes[0] == 1, "the cloud refuses the gateway first"
    assert codes[-1] == 0
    assert betrayals(operator.folder, MARK) == []
    said = "".join(file.read_text() for name in ("*.err", "*.out") for file in operator.folder.glob(name))
    assert "The secret *** is no good." in said
    assert "The key *** is no good." in said
    assert_private(operator)


def vaulted(operator: Operator) -> None:
    codes = live(operator)

    assert codes == [0, 0, 0]
    generated = Simulator(operator.folder / ".vpngw/simulator").vault.get("kv-hub", "paris")
    assert generated is not None
    assert betrayals(operator.folder, MARK, generated) == []
    assert_private(operator)


def assert_private(operator: Operator) -> None:
    """Nobody else reads the state; the key that makes fingerprints stands in its own file alone."""
    key = (operator.state / "key").read_text().strip()
    assert len(key) == 64
    assert betrayals(operator.folder, key) == [f"{(operator.state / 'key').relative_to(operator.folder)}: {key}"]
    files = [operator.state, *operator.state.rglob("*")]
    assert {(file.is_dir(), oct(file.stat().st_mode & 0o777)) for file in files} == {(True, "0o700"), (False, "0o600")}


def test_nothing_that_is_kept_or_said_holds_a_secret(
    betraying: Served, served: Served, launcher: Launcher, tmp_path: Path
) -> None:
    embedded = {"VPNGW_CLOUD": "simulator", "VPNGW_SIMULATOR_SPEED": "50000", "VPNGW_SECRET_ROME": VAULT}
    first = operator_in(tmp_path / "first", betraying, launcher)
    second = operator_in(tmp_path / "second", served, launcher, VAULTED, **embedded)

    side_by_side({"Azure repeats them": lambda: betrayed_by_azure(first), "a vault": lambda: vaulted(second)})
