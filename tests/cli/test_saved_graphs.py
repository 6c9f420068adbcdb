"""``vpngw compile --save`` where no identity is, ``vpngw plan graph.json`` where one is, and nothing else."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import CANARY, Shell


def test_a_graph_goes_from_compile_to_plan_and_nowhere_else(vpngw: Shell) -> None:
    vpngw("compile", "hub.yaml", "--save", "graph.json", code=0)
    assert CANARY not in (vpngw.directory / "graph.json").read_text()
    (vpngw.directory / "hub.yaml").unlink()

    plan = vpngw("plan", "graph.json", "--json", code=0)

    assert plan.document["kind"] == "plan"
    assert len(plan.document["decision_digest"]) == 64
    for command in ("apply", "destroy", "drift", "wait", "validate", "compile", "show"):
        assert "saved graph" in vpngw(command, "graph.json", code=64).err


def test_a_graph_without_a_subscription_is_not_saved(vpngw: Shell) -> None:
    answer = vpngw("compile", "hub.yaml", "--save", "graph.json", "--cloud", "public", code=64)

    assert "subscription" in answer.err
    assert not (vpngw.directory / "graph.json").exists()


@pytest.mark.parametrize("content", ["[]", '{"kind": "graph"}', '{"kind": "graph", "picture": "x", "format": 1}'])
def test_what_is_no_graph_is_told_so(vpngw: Shell, content: str) -> None:
    vpngw.write("graph.json", content)

    answer = vpngw("plan", "graph.json")

    assert answer.code in (1, 4)
    assert "Error" in answer.err


def test_the_plan_of_a_graph_is_saved_and_not_applied(vpngw: Shell) -> None:
    vpngw("compile", "hub.yaml", "--save", "graph.json", code=0)
    saved = vpngw("plan", "graph.json", "-o", "plan.json", code=0)

    assert "not sealed" in saved.err
    assert json.loads((vpngw.directory / "plan.json").read_text())["sealed"] is False
    vpngw("show", "plan.json", code=0)
    vpngw("apply", "plan.json", code=4)
