"""The docstring of each public class ends in an example in double backquotes, and each of these examples runs.

An example is one expression of public names and of what a user has at hand: a blueprint, a workspace, its results.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import vpngw_iac
from tests.test_docs import ROOT, generator
from vpngw_iac import Fleet, Workspace
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.errors import VpngwError
from vpngw_iac.simulator import Simulator, VirtualTime
from vpngw_iac.verify.diagnosis import Diagnosis, DiagnosisReport, Evidence, Gap, PeerParameter, PeerSheet, WalkStep

ERRORS = (
    "BlueprintError", "CloudError", "PlanError", "Refused", "SecretError", "StalePlan", "StateError", "StateLocked",
    "UsageError", "VpngwError",
)  # fmt: skip
WITHOUT = {"Blueprint": "the base of the kinds, which have examples"} | dict.fromkeys(ERRORS, "caught, never made")
"""Public classes without an example, and why."""


def public_classes() -> dict[str, type]:
    """The classes of `vpngw_iac`, and those that the reference of the library explains."""
    exported = {name: getattr(vpngw_iac, name) for name in vpngw_iac.__all__}
    results = {
        name: getattr(importlib.import_module(module), name)
        for module, names in generator().RESULTS.items()
        for name in names
    }
    return {name: value for name, value in (exported | results).items() if inspect.isclass(value)}


CLASSES = public_classes()


def example_of(owner: type) -> str | None:
    """The code at the end of the docstring of a class; an inherited docstring is none."""
    found = re.search(r"``([^`]+)``\.?$", inspect.cleandoc(vars(owner).get("__doc__") or ""))
    return found[1] if found else None


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What examples may use: the public names, the blueprint of one office, and what became of it on the simulator."""
    folder = tmp_path_factory.mktemp("examples")
    shutil.copy(ROOT / "blueprints" / "one_site.py", folder / "hub.py")
    shutil.copy(ROOT / "blueprints" / "certificates" / "example-root.pem", folder / "root.pem")
    known: dict[str, Any] = {name: getattr(vpngw_iac, name) for name in vpngw_iac.__all__} | CLASSES
    exec(compile((folder / "hub.py").read_text(encoding="utf-8"), "hub.py", "exec"), known)
    chain = "".join((folder / "root.pem").read_text(encoding="ascii").splitlines()[1:-1])
    group = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-partner/providers"
    known |= {
        "__file__": str(folder / "hub.py"),
        "chain": chain,
        "partner_circuit": f"{group}/Microsoft.Network/expressRouteCircuits/er-partner",
        "partner_gateway": f"{group}/Microsoft.Network/virtualNetworkGateways/vgw-partner",
        "log_analytics": f"{group}/Microsoft.OperationalInsights/workspaces/logs",
        "other_gateway": known["gateway"].model_copy(update={"name": "vgw-north"}),
        "er_gateway": eval(str(example_of(CLASSES["ExpressRouteGateway"])), known),
        "circuit": eval(str(example_of(CLASSES["Circuit"])), known),
    }
    return known | results(known, folder)


def results(known: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What `Workspace` answers about the office: applied, edited afterwards, and drifted by a lost connection."""
    clock, time, blueprint = VirtualClock(), VirtualTime(), known["blueprint"]
    clock.on_advance(time.advance_to)
    simulator, environment = Simulator(time=time), {"BERLIN_PSK": "0123456789abcBERLIN"}
    workspace = Workspace("simulator", directory=folder, environment=environment, clock=clock, simulator=simulator)
    plan, outcome, inventory = workspace.plan(blueprint), workspace.apply(blueprint), workspace.show(blueprint)
    moved = known["berlin"].model_copy(update={"prefixes": ("192.168.11.0/24",)})
    change = workspace.plan(blueprint.model_copy(update={"sites": (moved,)})).changes[0]
    simulator.delete(next(identity for identity in simulator.documents() if "/connections/" in identity))
    drift = workspace.drift(blueprint)
    return {
        "workspace": workspace,
        "fleet_result": (fleet_result := Fleet.of(workspace, blueprint).plan()),
        "deployment_result": fleet_result.deployments[0],
        "finding": plan.findings[0],
        "plan": plan,
        "change": change,
        "difference": change.differences[0],
        "outcome": outcome,
        "operation": outcome.operations[0],
        "drift": drift,
        "item": drift.items[0],
        "inventory": inventory,
        "inventory_item": inventory.items[0],
        "check": workspace.check_secrets(blueprint)[0],
        "evidence": Evidence("IKE log", "Authentication failed"),
        "walk_step": (walk_step := WalkStep("connection", "wrong", "Azure says Connecting.")),
        "gap": Gap("No log is kept.", "Add diagnostics."),
        "diagnosis": (one := Diagnosis("berlin", "VpnConnection/hub/berlin", "Connecting", (walk_step,), ("key",))),
        "peer_parameter": (parameter := PeerParameter("AS number", "65010", "65020")),
        "sheet": (sheet := PeerSheet("203.0.113.10", "Connecting", (parameter,))),
        "report": DiagnosisReport("hub", (one,), sheets=(sheet,)),
    }


@pytest.mark.parametrize("name", sorted(CLASSES.keys() - WITHOUT.keys()))
def test_the_docstring_of_a_public_class_ends_in_an_example_that_runs(
    name: str, names: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(names["__file__"]).parent)
    code = example_of(CLASSES[name])
    assert code is not None, f'end the docstring of {name} with an example: ``{name}(name="hub")``'

    value = eval(" ".join(code.split()), dict(names))

    used = [names.get(node.id) for node in ast.walk(ast.parse(code, mode="eval")) if isinstance(node, ast.Name)]
    assert value is not None
    assert any(one is CLASSES[name] or isinstance(one, CLASSES[name]) for one in [value, *used]), "not about it"


def test_what_needs_no_example_is_public_and_has_none() -> None:
    assert [name for name in WITHOUT if name not in CLASSES or example_of(CLASSES[name])] == []
    assert all(issubclass(CLASSES[name], VpngwError) for name in WITHOUT.keys() - {"Blueprint"})


def test_the_reference_shows_every_example() -> None:
    pages = " ".join((ROOT / "docs" / "reference" / page).read_text("utf-8") for page in ("blueprint.md", "library.md"))
    shown = {name: f"`{' '.join(str(example_of(owner)).split())}`" for name, owner in CLASSES.items()}

    told = set(re.findall(r"^##+ (\w+)$", pages, re.MULTILINE)) & CLASSES.keys() - WITHOUT.keys()
    assert len(told) > 50
    assert sorted(name for name in told if shown[name] not in pages) == []
