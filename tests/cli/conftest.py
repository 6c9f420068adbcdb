"""The command line in a folder of its own, against the simulator, a gateway in milliseconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from vpngw_iac.cli.app import run

ROOT = Path(__file__).parent.parent.parent
SPEED = "50000"

HUB = """
kind: SiteToSite
name: hub
networks:
  hub: {name: vnet-hub, location: westeurope, resource_group: rg-hub, address_space: [10.1.0.0/16],
        gateway_subnet: 10.1.255.0/27}
gateways:
  hub: {name: vgw-hub, network: hub, sku: VpnGw1AZ}
gateway: hub
sites:
  - {name: berlin, public_ip: 203.0.113.10, prefixes: [192.168.10.0/24], shared_key: {source: env, name: BERLIN_PSK}}
"""
"""One hub with one site, as people write it."""

CANARY = "Canary0PreSharedKey7nobody5may3see"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Stdout as the one JSON document that it must be."""
        found = json.loads(self.out)
        assert found["format"] == 1
        return dict(found)


@dataclass(slots=True)
class Shell:
    """Runs command lines in this process; `variables` are exported."""

    directory: Path
    capture: pytest.CaptureFixture[str]
    seen: list[Answer] = field(default_factory=list)

    def __call__(self, *arguments: str, code: int | None = None) -> Answer:
        self.capture.readouterr()
        given = run(arguments)
        answer = Answer(given, *self.capture.readouterr())
        self.seen.append(answer)
        if code is not None:
            assert given == code, f"vpngw {' '.join(arguments)}\n{answer.out}\n{answer.err}"
        return answer

    def write(self, name: str, text: str) -> str:
        """A file in the folder."""
        (self.directory / name).write_text(text, encoding="utf-8")
        return name

    def edit(self, name: str, before: str, after: str) -> None:
        """Change a file as a person would."""
        text = (self.directory / name).read_text(encoding="utf-8")
        assert before in text
        self.write(name, text.replace(before, after))


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, str]]:
    """Variables of a clean machine with the simulator chosen; what a command exports is taken back."""
    before = dict(os.environ)
    for name in list(os.environ):
        if name.startswith(("VPNGW_", "AZURE_", "ARM_", "GITHUB_")) or name in ("CI", "NO_COLOR"):
            del os.environ[name]
    os.environ |= {"VPNGW_CLOUD": "simulator", "VPNGW_SIMULATOR_SPEED": SPEED, "BERLIN_PSK": CANARY}
    monkeypatch.chdir(tmp_path)
    yield os.environ
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def vpngw(tmp_path: Path, environment: Mapping[str, str], capsys: pytest.CaptureFixture[str]) -> Shell:
    """The program, in a folder that holds ``hub.yaml``."""
    shell = Shell(tmp_path, capsys)
    shell.write("hub.yaml", HUB)
    return shell


@pytest.fixture
def hub(vpngw: Shell) -> Shell:
    """The same with the hub applied."""
    vpngw("apply", "hub.yaml", "--yes", code=0)
    return vpngw


def start(*arguments: str, **settings: Any) -> subprocess.Popen[str]:
    """The program in a process of its own."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", "vpngw_iac", *arguments], **(pipes | settings))
