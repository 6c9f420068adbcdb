"""What the start of the command line may load, measured in processes of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from vpngw_iac.blueprints.base import kinds
from vpngw_iac.resources import registry
from vpngw_iac.resources.base import Resource

ROOT = Path(__file__).parent.parent
BLUEPRINT = ROOT / "blueprints" / "one_site.py"
KEY = "0123456789abcdefghijklmnopqrstuv"
FORBIDDEN = ("azure", "msal", "requests", "urllib3", "aiohttp", "rich", "asyncio", "cryptography")

REPORTS = {f"vpngw_iac.report.{name}" for name in ("json", "view", "words", "drawing", "markdown")}


def models(of: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    """Every model of the package that is loaded."""
    for model in of.__subclasses__():
        if model.__module__.startswith("vpngw_iac."):
            yield model
        yield from models(model)


PROBE = """
import json, sys
from vpngw_iac.cli.app import run
code = run(sys.argv[1:])
sys.stdout.flush()
print("LOADED" + json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def modules_of(*arguments: str, folder: Path | None = None, **more: str) -> tuple[int, set[str]]:
    """Exit code and all modules of one command line in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VPNGW_", "AZURE_"))}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        capture_output=True,
        text=True,
        env=environment | more,
        cwd=folder,
        timeout=60,
        check=True,
    )
    code, names = json.loads(done.stderr.rpartition("LOADED")[2])
    return code, set(names)


def loaded_by(*arguments: str) -> tuple[int, set[str]]:
    """The same with the names of packages alone."""
    code, names = modules_of(*arguments)
    return code, {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        ("--help",),
        ("plan", "--help"),
        ("validate", str(BLUEPRINT)),
        ("validate", str(BLUEPRINT), "--json"),
        ("validate", str(BLUEPRINT), "--format", "sarif"),
        ("validate", str(BLUEPRINT.with_suffix(".yaml"))),
        ("compile", str(BLUEPRINT)),
        ("graph", str(BLUEPRINT), "--format", "svg"),
        ("rule",),
    ],
    ids=" ".join,
)
def test_offline_commands_load_neither_the_sdk_nor_rich(arguments: tuple[str, ...]) -> None:
    code, names = loaded_by(*arguments)

    assert code == 0
    assert names.isdisjoint(FORBIDDEN)


@pytest.mark.parametrize("arguments", [("--version",), ("--help",)], ids=" ".join)
def test_version_and_help_load_no_pydantic_either(arguments: tuple[str, ...]) -> None:
    _, names = loaded_by(*arguments)

    assert names.isdisjoint({"pydantic", "yaml", "dotenv"})


@pytest.mark.parametrize(
    "arguments",
    [("validate", str(BLUEPRINT)), ("validate", str(BLUEPRINT), "--json"), ("--version",), ("plan", "--help")],
    ids=" ".join,
)
def test_what_judges_a_blueprint_alone_loads_neither_engine_nor_state(arguments: tuple[str, ...]) -> None:
    code, names = modules_of(*arguments)

    assert code == 0
    assert not {name for name in names if name.startswith(("vpngw_iac.engine", "vpngw_iac.state."))}
    assert names.isdisjoint(REPORTS)


def test_importing_the_package_loads_nothing_heavy() -> None:
    probe = "import sys, vpngw_iac; print(sorted({n.split('.')[0] for n in sys.modules}))"

    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True)

    assert all(repr(name) not in done.stdout for name in (*FORBIDDEN, "pydantic", "typer"))


CLASSES = """
import dataclasses, json, sys
from vpngw_iac.cli.app import run
run(sys.argv[1:])
sys.stdout.flush()
found = {
    f"{name}.{value.__qualname__}": value
    for name, module in list(sys.modules.items())
    if name.startswith("vpngw_iac.")
    for value in list(vars(module).values())
    if isinstance(value, type) and value.__module__ == name
}
standard = [name for name, value in found.items() if getattr(vars(value).get("__dataclass_params__"), "init", False)]
models = [name for name, value in found.items() if hasattr(value, "__pydantic_fields__")]
built = [name for name in models if found[name].__pydantic_complete__]
print("CLASSES" + json.dumps({"standard": standard, "models": models, "built": built}), file=sys.stderr)
"""


def classes_of(*arguments: str, folder: Path | None = None, **more: str) -> dict[str, list[str]]:
    """Of the classes that one command line loads: standard dataclasses, models, and models whose schema is made."""
    done = subprocess.run(
        [sys.executable, "-c", CLASSES, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | more,
        cwd=folder,
        timeout=60,
        check=True,
    )
    found: dict[str, list[str]] = json.loads(done.stderr.rpartition("CLASSES")[2])
    return found


LATE = "import `dataclass` from vpngw_iac.late_dataclass"


def test_classes_of_values_write_their_constructors_late() -> None:
    """The standard dataclasses compile six methods each, for classes that most commands never make a value of."""
    assert classes_of("validate", str(BLUEPRINT))["standard"] == [], LATE


NOT_USED = {
    "vpngw_iac.blueprints.circuit",
    "vpngw_iac.blueprints.client",
    "vpngw_iac.blueprints.compiling.clients",
    "vpngw_iac.blueprints.compiling.expressroute",
    "vpngw_iac.blueprints.compiling.pair",
    "vpngw_iac.blueprints.compiling.spoke",
    "vpngw_iac.resources.circuit_authorization",
    "vpngw_iac.resources.circuit_connection",
    "vpngw_iac.resources.circuit_peering",
    "vpngw_iac.resources.diagnostic_setting",
    "vpngw_iac.resources.express_route_circuit",
    "vpngw_iac.resources.maintenance_assignment",
    "vpngw_iac.resources.maintenance_configuration",
    "vpngw_iac.resources.management_lock",
    "vpngw_iac.resources.network_security_group",
    "vpngw_iac.resources.role_assignment",
    "vpngw_iac.resources.route_table",
    "vpngw_iac.resources.virtual_network_peering",
}


def test_validate_loads_the_nouns_and_resources_that_the_file_uses() -> None:
    """A model costs half a millisecond when its class is made, and as much again for each schema that has it."""
    _, names = modules_of("validate", str(BLUEPRINT))
    found = classes_of("validate", str(BLUEPRINT))

    assert {name for name in NOT_USED if importlib.util.find_spec(name)} == NOT_USED
    assert names.isdisjoint(NOT_USED)
    assert len(found["models"]) <= 120
    assert len(found["built"]) <= 35


def test_what_stands_for_a_type_elsewhere_names_one_of_ours() -> None:
    known = registry()
    named = {
        value.arm_type.lower()
        for name, module in list(sys.modules.items())
        if name.startswith("vpngw_iac.resources.")
        for value in vars(module).values()
        if isinstance(value, type) and not issubclass(value, Resource) and isinstance(vars(value).get("arm_type"), str)
    }

    assert len(named) == 3
    assert named <= known.keys()


def test_annotations_of_models_are_no_texts() -> None:
    """A text is compiled when its class is made, and that of a class variable again for each subclass."""
    assert len(kinds()) > 5
    assert len(registry()) > 15

    texts = [
        f"{model.__qualname__}.{name}"
        for model in models()
        for name, annotation in vars(model).get("__annotations__", {}).items()
        if isinstance(annotation, str)
    ]

    assert texts == []


PACKAGES = {"azure.mgmt.network", "azure.mgmt.resource"}
OF_REAL_CLOUDS = {"azure.identity", "azure.keyvault", "azure.storage", "requests", "cryptography", "rich"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose simulator has what the blueprint says."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "vpngw.toml").write_text('cloud = "simulator"\nsimulator_speed = 100000\n', encoding="utf-8")
    code, names = modules_of("apply", str(BLUEPRINT), "--yes", folder=folder, BERLIN_PSK=KEY)

    assert (code, names >= PACKAGES) == (0, True)
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", str(BLUEPRINT)),
        ("plan", str(BLUEPRINT), "--deep", "--json"),
        ("apply", str(BLUEPRINT), "--yes"),
        ("drift", str(BLUEPRINT)),
        ("show", str(BLUEPRINT)),
    ],
    ids=lambda arguments: " ".join(arguments[::2]),
)
def test_what_only_reads_loads_no_operations_of_the_sdk(built: Path, arguments: tuple[str, ...]) -> None:
    code, names = modules_of(*arguments, folder=built, BERLIN_PSK=KEY)

    assert code == 0
    assert names.isdisjoint(PACKAGES | OF_REAL_CLOUDS)
    assert "azure.mgmt.core" in names


def test_a_plan_has_no_classes_of_values_that_write_their_constructors_early(built: Path) -> None:
    assert classes_of("plan", str(BLUEPRINT), folder=built, BERLIN_PSK=KEY)["standard"] == [], LATE


@pytest.mark.parametrize("name", ["azure-mgmt-network", "azure-mgmt-resource"])
def test_with_another_version_of_a_package_reads_go_through_it(built: Path, tmp_path: Path, name: str) -> None:
    metadata = tmp_path / f"{name.replace('-', '_')}-999.0.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 999.0.0\n", encoding="utf-8")

    code, names = modules_of("plan", str(BLUEPRINT), folder=built, BERLIN_PSK=KEY, PYTHONPATH=str(tmp_path))

    assert code == 0
    assert {each for each in PACKAGES if each in names} == {name.replace("-", ".")}
