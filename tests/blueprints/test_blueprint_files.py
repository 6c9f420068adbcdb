"""Every file in blueprints/: it loads, compiles without a finding, and finds its secrets in example.env."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.blueprints.samples import ROOT, SCOPE
from vpngw_iac import SiteToSite, load
from vpngw_iac.blueprints.base import Blueprint, kinds
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.graph import Graph
from vpngw_iac.secret import EnvironmentSecret

FOLDER = ROOT / "blueprints"
FILES = sorted([*FOLDER.glob("*.py"), *FOLDER.glob("*.yaml")])


def example_values() -> dict[str, str]:
    lines = (FOLDER / "example.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def secrets_of(value: object) -> set[str]:
    if isinstance(value, EnvironmentSecret):
        return {value.name}
    if isinstance(value, dict):
        return {name for item in value.values() for name in secrets_of(item)}
    if isinstance(value, list):
        return {name for item in value for name in secrets_of(item)}
    return set()


def loaded(path: Path) -> Blueprint:
    return load(path).blueprint


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_compiles_without_a_finding_and_without_a_circle(path: Path) -> None:
    blueprint = loaded(path)

    items = blueprint.resources(SCOPE)

    assert blueprint.findings(SCOPE) == ()
    assert items
    assert None is Graph.of(items).cycle()
    assert all(isinstance(item, Resource) for item in items), "a file people copy must not need what they do not have"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_secrets_of_a_file_stand_in_the_example_values(path: Path) -> None:
    values = example_values()

    needed = {
        name for item in loaded(path).resources(SCOPE) if isinstance(item, Resource) for name in secrets_of(item.body())
    }

    assert needed <= set(values)


def test_the_example_values_are_strong_enough_and_plainly_examples() -> None:
    for name, value in example_values().items():
        if not name.endswith("_ID"):
            assert value.startswith("Example"), name
            assert re.fullmatch(r"[A-Za-z0-9]{20,128}", value), name


def test_every_example_value_is_used_by_a_file() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FILES)

    assert [name for name in example_values() if name not in text] == []


def test_each_kind_has_a_file_and_no_two_deployments_share_a_name() -> None:
    blueprints = [loaded(path) for path in FILES]

    assert set(kinds().values()) == {type(b) for b in blueprints}
    assert len(blueprints) == len({blueprint.name for blueprint in blueprints})


def test_the_yaml_file_says_the_same_as_its_python_twin() -> None:
    python, yaml = (loaded(FOLDER / f"one_site.{suffix}") for suffix in ("py", "yaml"))

    assert isinstance(python, SiteToSite)
    assert isinstance(yaml, SiteToSite)
    assert python.sites == yaml.sites


def test_the_partner_subscription_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTNER_SUBSCRIPTION_ID", "33333333-3333-4333-8333-333333333333")

    items = loaded(FOLDER / "vnet_to_vnet_subscriptions.py").resources(SCOPE)

    assert {SCOPE.subscription, "33333333-3333-4333-8333-333333333333"} == {item.id.subscription for item in items}
