"""The page of settings: each field that it lists exists, is used by its example, and becomes the property beside it.

Every example lives on the simulator in virtual time: applied, nothing left to change, nothing drifted, gone.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from tests.architectures.conftest import FOLDER, World, differences_of
from vpngw_iac.blueprints.base import Blueprint, kinds
from vpngw_iac.blueprints.load import load
from vpngw_iac.blueprints.part import Part
from vpngw_iac.engine.compare.document import ABSENT, lookup
from vpngw_iac.resources.base import Resource
from vpngw_iac.secret import EnvironmentSecret
from vpngw_iac.usecases.settings import read_env_file

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
OF_CIRCUITS = {"CIRCUIT_ACTIVATION_KEY": "ExampleActivation8hG2jK5", "PORT_AUTHORIZATION": "ExamplePort6tR4eW1qP4oI7"}
"""Keys that the page names and no file in blueprints/ does."""
_ROW = re.compile(r"^\| (?P<field>\w+\.\w+) \| (?P<kind>\w+): ?(?P<path>[^|]*) \| (?P<what>.+) \|$", re.MULTILINE)
_EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Section:
    """One part of the page."""

    title: str
    rows: tuple[tuple[str, str, str, str], ...]
    example: str


def _sections() -> Iterator[Section]:
    _, *parts = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for part in parts:
        rows = tuple((row["what"], row["field"], row["kind"], row["path"].strip()) for row in _ROW.finditer(part))
        yield Section(part.splitlines()[0], rows, "\n".join(_EXAMPLE.findall(part)))


SECTIONS = tuple(_sections())
ROWS = [(section, row) for section in SECTIONS for row in section.rows]
per_section = pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)


def written(section: Section, folder: Path) -> Blueprint:
    """The example as a file of its own, with the certificates that it names beside it."""
    shutil.copytree(FOLDER / "certificates", folder / "certificates", dirs_exist_ok=True)
    file = folder / "example.py"
    file.write_text(f'"""An example."""\n\n{section.example}', encoding="utf-8")
    return load(file).blueprint


def parts_of(value: Any) -> Iterator[BaseModel]:
    """Every noun inside a blueprint."""
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from parts_of(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from parts_of(item)


def said(blueprint: Blueprint) -> set[str]:
    """Fields that the blueprint gives, as ``Noun.field``."""
    return {f"{type(part).__name__}.{name}" for part in parts_of(blueprint) for name in part.model_fields_set}


def plain(value: Any) -> Any:
    """A part as YAML says it: names, texts, numbers, lists."""
    if isinstance(value, EnvironmentSecret):
        return {"env": value.name}
    if isinstance(value, BaseModel):
        said = {name: plain(getattr(value, name)) for name in value.model_fields_set}
        return {"kind": value.kind, **said} if isinstance(value, Blueprint) else said
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else _text(value)


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | bool) else str(value)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    environment = read_env_file(FOLDER / "example.env") | OF_CIRCUITS
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return World(tmp_path, dict(environment))


def test_the_page_has_its_sections_and_every_row_of_them_was_read() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]

    assert len(SECTIONS) >= 7
    assert all(section.rows and section.example for section in SECTIONS)
    assert len(lines) - 2 * len(SECTIONS) == len(ROWS)


@pytest.mark.parametrize(("section", "row"), ROWS, ids=lambda value: value[1] if isinstance(value, tuple) else "")
def test_a_listed_field_exists(section: Section, row: tuple[str, str, str, str]) -> None:
    noun, _, name = row[1].partition(".")

    assert kinds()
    assert name in Part.models[noun].model_fields


@per_section
def test_an_example_uses_each_field_and_each_becomes_its_property(section: Section, world: World) -> None:
    blueprint = written(section, world.directory)

    given = said(blueprint)
    items = world.workspace.compile(blueprint).graph.resources.values()
    bodies = [(item.address.partition("/")[0], item.body()) for item in items if isinstance(item, Resource)]

    unused = {field for _, field, _, _ in section.rows} - given
    missing = [
        (field, kind, path)
        for _, field, kind, path in section.rows
        if not any(there == kind and (not path or lookup(body, path) is not ABSENT) for there, body in bodies)
    ]
    assert unused == set()
    assert missing == []


@per_section
def test_an_example_says_the_same_in_yaml(section: Section, tmp_path: Path) -> None:
    blueprint = written(section, tmp_path)
    file = tmp_path / "example.yaml"
    file.write_text(yaml.safe_dump(plain(blueprint)), encoding="utf-8")

    assert load(file).blueprint == blueprint


@per_section
def test_an_example_is_applied_stays_and_goes(section: Section, world: World) -> None:
    blueprint = written(section, world.directory)
    blocking = [finding for finding in world.workspace.validate(blueprint).findings if finding.blocks]

    outcome = world.apply(blueprint)

    assert blocking == []
    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    assert differences_of(world.plan(blueprint, deep=True)) == []
    assert world.workspace.drift(blueprint).items == ()
    world.release_circuits()
    gone = world.workspace.destroy(blueprint)
    assert gone.outcome == "succeeded", [(r.address, r.error) for r in gone.operations if r.error]
    assert world.simulator.documents() == {}


SHOWN = [
    (page, name, text)
    for page in sorted((PAGE.parent / "how-to").glob("*.md"))
    for name, text in re.findall(r"<!-- (\S+-yaml) -->\n```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
]


@pytest.mark.parametrize(("page", "name", "text"), SHOWN, ids=[name for _, name, _ in SHOWN])
def test_a_file_that_a_how_to_shows_is_applied_and_stays(page: Path, name: str, text: str, world: World) -> None:
    shutil.copytree(FOLDER / "certificates", world.directory / "certificates")
    world.environment["RADIUS_SECRET"] = "0123456789abcdefghij"
    file = world.directory / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    blueprint = load(file).blueprint

    outcome = world.apply(blueprint)

    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    assert differences_of(world.plan(blueprint, deep=True)) == []
    assert world.workspace.drift(blueprint).items == ()


def test_the_how_to_pages_show_their_settings() -> None:
    assert {"p2s-yaml", "looked-after-yaml", "private-yaml", "groups-yaml", "guarded-yaml"} <= {
        name for _, name, _ in SHOWN
    }


def test_a_site_moves_from_its_key_to_certificates_and_back_in_place(world: World) -> None:
    (section,) = [section for section in SECTIONS if section.title == "Sites"]
    keyed = written(section, world.directory)
    links = re.sub(r'shared_key=Secret.env\("ZURICH_PSK"\)', CERTIFICATE, section.example)
    (folder := world.directory / "other").mkdir()
    certified = written(Section(section.title, section.rows, links), folder)
    world.apply(keyed)

    for blueprint in (certified, keyed):
        plan = world.plan(blueprint)
        assert [(c.action, c.address, c.outage.level) for c in plan.changes] == [
            ("update", "VpnConnection/vgw-sites/zurich-device1", "reconfigure")
        ]
        assert world.apply(blueprint).outcome == "succeeded"
        assert differences_of(world.plan(blueprint, deep=True)) == []


CERTIFICATE = """certificate=CertificateKey(
                outbound="https://kv-vpn.vault.azure.net/secrets/gateway",
                inbound_subject="CN=vpn1.zurich.example.com",
                inbound_chain=["MIIBdevicerootcertificateinoneline"],
            )"""
