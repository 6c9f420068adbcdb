"""What Azure says before anything begins, and what may not be interrupted, as the command line shows it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.conftest import SPEED, Shell, start

READER = "grants: [{actions: ['*/read']}]\n"
POLICY = "policies: [{name: no-hub, types: [Microsoft.Network/virtualNetworkGateways]}]\n"


@contextmanager
def served(vpngw: Shell, environment: dict[str, str], governance: str) -> Iterator[None]:
    """A subscription whose owners decided something, behind HTTPS."""
    file = vpngw.write("governance.yaml", governance)
    command = ("simulator", "serve", "--port", "0", "--speed", SPEED, "--dir", "served", "--json", "--governance", file)
    with start(*command, env=dict(os.environ)) as server:
        assert server.stdout is not None
        told = json.loads(server.stdout.readline())
        del environment["VPNGW_CLOUD"]
        environment.update(told["environment"])
        yield
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)


def test_a_reader_plans_with_a_warning_and_does_not_apply(vpngw: Shell, environment: dict[str, str]) -> None:
    with served(vpngw, environment, READER):
        planned = vpngw("plan", "hub.yaml", code=0)
        applied = vpngw("apply", "hub.yaml", "--yes", code=3)
        told = vpngw("apply", "hub.yaml", "--yes", "--json", code=3).document
        destroyed = vpngw("destroy", "hub.yaml", "--yes", "--no-probe", code=0)

    assert "V-PROBE-01" in planned.out
    assert "Microsoft.Network/virtualNetworkGateways/write" in planned.out
    assert "nothing was done" in applied.err
    assert "Microsoft.Network/virtualNetworkGateways/write" in applied.err
    assert (told["kind"], told["exit_code"]) == ("error", 3)
    assert [finding["rule"] for finding in told["findings"]] == ["V-PROBE-01"]
    assert "nothing" in destroyed.out.lower()


def test_a_policy_refuses_the_plan_and_no_probe_leaves_it_to_azure(vpngw: Shell, environment: dict[str, str]) -> None:
    with served(vpngw, environment, POLICY):
        planned = vpngw("plan", "hub.yaml", "--json", code=4)
        unasked = vpngw("plan", "hub.yaml", "--no-probe", code=0)
        applied = vpngw("apply", "hub.yaml", "--yes", "--no-probe")

    refused = [finding for finding in planned.document["findings"] if finding["rule"] == "V-PROBE-05"]
    assert [finding["address"] for finding in refused] == ["VpnGateway/vgw-hub"]
    assert "V-PROBE" not in unasked.out
    assert applied.code != 0
    assert "RequestDisallowedByPolicy" in applied.out + applied.err


def test_governance_that_cannot_be_read_is_told(vpngw: Shell) -> None:
    file = vpngw.write("governance.yaml", "grants: [{action: '*'}]\n")

    answer = vpngw("simulator", "serve", "--port", "0", "--governance", file, code=1)

    assert "governance.yaml holds no governance" in answer.err


def test_a_longer_outage_than_allowed_is_refused(hub: Shell) -> None:
    hub.edit("hub.yaml", "203.0.113.10", "203.0.113.11")

    refused = hub("plan", "hub.yaml", "--max-outage", "none", code=4)
    allowed = hub("plan", "hub.yaml", "--max-outage", "seconds", code=0)
    applied = hub("apply", "hub.yaml", "--yes", "--max-outage", "none", "--json", code=4)

    assert "V-OUTAGE-01" in refused.out
    assert "berlin would lose connectivity for seconds" in " ".join(refused.out.split())
    assert "V-OUTAGE-01" not in allowed.out
    assert "V-OUTAGE-01" in [finding["rule"] for finding in applied.document["findings"]]


def test_only_known_lengths_of_an_outage_are_taken(hub: Shell) -> None:
    answer = hub("plan", "hub.yaml", "--max-outage", "hours", code=64)

    assert "max-outage" in answer.err


@pytest.mark.parametrize("option", [("--no-probe",), ("--max-outage", "none")])
def test_a_saved_plan_has_its_options_already(hub: Shell, option: tuple[str, ...]) -> None:
    hub.edit("hub.yaml", "203.0.113.10", "203.0.113.11")
    hub("plan", "hub.yaml", "-o", "plan.json", code=0)

    answer = hub("apply", "plan.json", *option, code=64)

    assert option[0] in answer.err
