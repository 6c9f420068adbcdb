"""What the start of the command line may load, measured in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLUEPRINT = ROOT / "blueprints" / "one_site.py"
FORBIDDEN = ("azure", "msal", "requests", "urllib3", "aiohttp", "rich", "asyncio", "cryptography")

PROBE = """
import json, sys
from vpngw_iac.cli.app import run
code = run(sys.argv[1:])
sys.stdout.flush()
loaded = sorted({name.split(".")[0] for name in sys.modules})
print("LOADED" + json.dumps([code, loaded]), file=sys.stderr)
"""


def loaded_by(*arguments: str) -> tuple[int, set[str]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VPNGW_", "AZURE_"))}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=True,
    )
    code, names = json.loads(done.stderr.rpartition("LOADED")[2])
    return code, set(names)


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


def test_importing_the_package_loads_nothing_heavy() -> None:
    probe = "import sys, vpngw_iac; print(sorted({n.split('.')[0] for n in sys.modules}))"

    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True)

    assert all(repr(name) not in done.stdout for name in (*FORBIDDEN, "pydantic", "typer"))
