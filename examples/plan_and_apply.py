"""Embedding: plan, look at the plan as data, apply with a callback that hears every event, look for drift, destroy.

    python examples/plan_and_apply.py                       # blueprints/one_site.py, on the embedded simulator
    python examples/plan_and_apply.py my_hub.py

Nothing here prints but this file: the library returns values, tells events, and raises typed errors.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from vpngw_iac import VpngwError, Workspace, load
from vpngw_iac.engine.execute.event import Event, OperationEnded, OperationStarted

BLUEPRINTS = Path(__file__).resolve().parents[1] / "blueprints"


def on_event(event: Event) -> None:
    """Called by the coordinating thread, in order. Send it to a chat, a dashboard, a log."""
    match event:
        case OperationStarted(address=address, usual=seconds) if seconds > 300:
            print(f"  {address} was started; it usually takes {seconds / 60:.0f} minutes")
        case OperationEnded(address=address, verb=verb, status=status, error=error):
            print(f"  {verb} {address}: {status} {error}".rstrip())


def main(file: str) -> int:
    blueprint = load(file).blueprint
    with tempfile.TemporaryDirectory() as folder:  # in earnest: leave `directory` out, or name a store with `state`
        workspace = Workspace.from_config(
            cloud="simulator",
            env_file=BLUEPRINTS / "example.env",
            state=f"{folder}/state",
            simulator_dir=f"{folder}/simulator",
        )
        try:
            plan = workspace.plan(blueprint)
            for finding in plan.findings:
                print(f"{finding.level} {finding.rule} {finding.address}: {finding.summary}")
            print(f"{plan.summary.add} to add, {plan.summary.change} to change, {plan.summary.destroy} to destroy")

            outcome = workspace.apply(plan, on_event=on_event)  # refused (StalePlan) if the world has moved since
            print(f"apply: {outcome.outcome}, exit code {outcome.exit_code}")

            drift = workspace.drift(blueprint)
            print(f"drift: {len(drift.items)} items")

            outcome = workspace.destroy(blueprint)
            print(f"destroy: {outcome.outcome}, {len(outcome.operations)} operations")
        except VpngwError as error:
            print(f"{type(error).__name__}: {error}. {error.advice}", file=sys.stderr)
            return int(error.exit_code)
    return int(outcome.exit_code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else str(BLUEPRINTS / "one_site.py")))
