"""What a caller of the library gives in the wrong kind is a `UsageError` that names the parameter, before anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.blueprints.test_bad_values import GOOD
from vpngw_iac import SiteToSite, UsageError, Workspace
from vpngw_iac.engine.plan.plan import Options

BLUEPRINT = SiteToSite.model_validate({key: value for key, value in GOOD.items() if key != "kind"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cloud", 5),
        ("cloud", ["simulator"]),
        ("subscription", 3),
        ("tenant", b"x"),
        ("resource_group", {}),
        ("state", Path("here")),
        ("deployment", 5),
        ("directory", None),
        ("directory", 5),
        ("secret_directory", 5),
        ("environment", ["A=1"]),
        ("environment", {"A": 1}),
        ("simulator_speed", "fast"),
        ("simulator_speed", 0),
        ("simulator_speed", True),
        ("simulator_dir", 5),
        ("profile", 5),
        ("credential", "token"),
        ("simulator", "http://localhost"),
        ("clock", 5),
        ("settings", {}),
        ("on_notice", "print"),
    ],
)
def test_a_workspace_refuses_a_value_of_another_kind(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"^{name} takes ") as caught:
        Workspace(**{name: value})

    assert caught.value.advice


@pytest.mark.parametrize(
    "method", ["validate", "compile", "plan", "apply", "destroy", "wait", "drift", "show", "name_of"]
)
@pytest.mark.parametrize("value", [None, 5, "hub.py", [BLUEPRINT], {}, BLUEPRINT.gateway, SiteToSite, Options()])
def test_what_is_no_blueprint_is_refused_with_the_way_to_one(method: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"takes a blueprint.*, got") as caught:
        getattr(Workspace("simulator", directory=tmp_path), method)(value)

    assert 'load("hub.py").blueprint' in caught.value.advice
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "values",
    [
        {"timeout": "soon"},
        {"timeout": -1},
        {"lock_timeout": None},
        {"on_event": 5},
        {"confirm": True},
        {"detach": "no"},
        {"stop": 5},
        {"options": {"deep": True}},
    ],
)
def test_a_run_with_a_wrong_value_begins_nothing(values: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"^{next(iter(values))} takes "):
        Workspace("simulator", directory=tmp_path).apply(BLUEPRINT, **values)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "values",
    [
        {"target": 5},
        {"adopt": [5]},
        {"replace": None},
        {"max_outage": 5},
        {"verify_keys": 1},
        {"profile": 3},
        {"deep": "yes"},
        {"probe": None},
    ],
)
def test_options_refuse_a_value_of_another_kind(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(values))} takes ") as caught:
        Options(**values)

    assert caught.value.advice


def test_options_take_one_address_and_any_collection_of_them() -> None:
    once: Any = "VpnGateway/vgw"
    listed: Any = ["VpnGateway/vgw"]

    assert Options(target=once) == Options(target=listed) == Options(target=frozenset({"VpnGateway/vgw"}))


def test_a_call_that_cannot_be_keeps_the_words_of_python() -> None:
    call: Any = Workspace("simulator").plan
    with pytest.raises(TypeError, match=r"plan\(\) missing 1 required positional argument"):
        call()
