"""`vpngw ci verify`: what is not up fails the step, unless the caller takes it for news."""

from __future__ import annotations

import pytest

from tests.ci.conftest import Step
from vpngw_iac.cli.app import run


@pytest.fixture
def applied(step: Step) -> Step:
    """A hub whose tunnel came up."""
    step("plan", code=0)
    step("apply", code=0)
    step("verify", code=0, MINUTES="10")
    return step


def break_the_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("VPNGW_CLOUD", "simulator")
        assert run(("simulator", "set", "con-berlin", "other-end=silence")) == 0


def test_tunnels_are_told_on_the_page_of_the_run(applied: Step) -> None:
    assert applied.outputs == {"exitcode": "0", "verified": "true"}
    assert "### vpngw verify: hub" in applied.summary
    assert "berlin" in applied.summary


def test_what_is_down_fails_the_step(applied: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    break_the_tunnel(monkeypatch)

    answer = applied("verify", code=5)

    assert applied.outputs == {"exitcode": "5", "verified": "false"}
    assert "::warning" not in answer.out


def test_what_is_down_is_news_where_the_caller_says_so(applied: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    break_the_tunnel(monkeypatch)

    answer = applied("verify", code=0, FAIL="false")

    assert applied.outputs == {"exitcode": "5", "verified": "false"}
    assert "::warning::Something is down" in answer.out


def test_what_cannot_be_verified_fails_whatever_the_caller_says(step: Step) -> None:
    step("verify", code=64, FAIL="false", BLUEPRINT="")

    assert step.outputs == {"exitcode": "64"}
