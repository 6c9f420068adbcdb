"""Writes what lies beside this file. Run once, on the code of commit e39771c: ``python make.py FOLDER AZURITE_PORT``.

Here for whoever asks how these files came to be; a later version would write its own format.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azure.storage.blob import ContainerClient
from network import KEYS, ROTATED, deployed, edited  # type: ignore[import-not-found]

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.report.json import plan_document
from vpngw_iac.report.view import PlanView
from vpngw_iac.simulator import Simulator, VirtualTime
from vpngw_iac.state.document import dump_record
from vpngw_iac.state.journal import (
    Accepted,
    Begun,
    EntriesMoved,
    EntryRemoved,
    EntrySet,
    OperationClosed,
    RunClosed,
    RunOpened,
    StateReplaced,
)
from vpngw_iac.state.model import Binding, Entry, State
from vpngw_iac.usecases.workspace import Workspace

STATE = Path(".vpngw/state/simulator/contoso")
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-hub"
KEY = bytes(range(32)).hex() + "\n"
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's, known to everybody: https://learn.microsoft.com/azure/storage/common/storage-use-azurite"""


class MortalClock(VirtualClock):
    """The process ends when `journal` holds four operations that Azure has accepted and that have not ended."""

    journal: Callable[[], str] | None = None

    def utc(self) -> str:
        if self.journal is not None:
            text = self.journal()
            if text.count('"record":"accepted"') - text.count('"record":"ended"') >= 4:
                os._exit(9)
        return super().utc()


def at(folder: Path, keys: dict[str, str], state: str | None) -> tuple[Workspace, MortalClock]:
    """A workspace whose simulator lives in virtual time and continues from its folder."""
    time = VirtualTime()
    simulator = Simulator(directory=folder / ".vpngw" / "simulator", time=time)
    clock = MortalClock(start=time.now())
    clock.on_advance(time.advance_to)
    environment = {"GITHUB_ACTOR": "ada", "AZURE_STORAGE_KEY": ACCOUNT_KEY} | keys
    given: dict[str, Any] = {"directory": folder, "environment": environment, "clock": clock, "simulator": simulator}
    return Workspace("simulator", state=state, **given), clock


def deploy(folder: Path, state: str | None = None) -> None:
    """Apply what is deployed."""
    workspace, _ = at(folder, KEYS, state)
    outcome = workspace.apply(deployed)
    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]


def die(folder: Path, journal: Callable[[], str], state: str | None = None) -> None:
    """Apply the edit in a process that ends in the middle."""
    child = os.fork()
    if not child:
        workspace, clock = at(folder, ROTATED, state)
        clock.journal = journal
        workspace.apply(edited)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def in_folders(folder: Path) -> None:
    """Deployed, planned, and in the middle of the edit."""
    one, two = folder / "deployed", folder / "open"
    (one / STATE).mkdir(parents=True, mode=0o700)
    (one / STATE / "key").write_text(KEY)
    deploy(one)
    workspace, _ = at(one, ROTATED, None)
    plan = workspace.plan(edited)
    shown = plan_document(PlanView.of(plan, workspace.schedule(plan)))
    (folder / "plan.json").write_text(json.dumps(workspace.save_plan(plan, shown), indent=1) + "\n")
    shutil.copytree(one, two)
    live = two / STATE / "journal.jsonl"
    die(two, lambda: live.read_text() if live.exists() else "")


def in_blobs(folder: Path, port: str) -> None:
    """In the middle of the edit, with the state in blobs."""
    endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
    container = ContainerClient(endpoint, "states", credential=ACCOUNT_KEY)
    container.create_container()
    container.upload_blob("network/simulator/contoso/key", KEY)
    url = f"azblob://{ACCOUNT}/states/network?endpoint={endpoint}"

    def journal() -> str:
        names = sorted(blob.name for blob in container.list_blobs() if "journal" in blob.name)
        return container.download_blob(names[-1]).readall().decode() if names else ""

    deploy(folder / "blobs", url)
    die(folder / "blobs", journal, url)
    for blob in container.list_blobs():
        target = folder / "blobs" / "container" / blob.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(container.download_blob(blob.name).readall())


def every_record(folder: Path) -> None:
    """One journal line of each kind, with every field said."""
    entry = Entry(
        address="VpnConnection/vgw-hub/berlin",
        id=ArmId(f"{GROUP}/providers/Microsoft.Network/connections/con-berlin"),
        needs=(ArmId(GROUP),),
        applied={"location": "westeurope", "properties": {"sharedKey": {"$secret": {"source": "env", "name": "B"}}}},
        fingerprints={"properties.sharedKey": {"key": "k", "hmac": "0" * 64, "version": "1"}},
        unread=("properties.sharedKey",),
        overruled={"tags.cost": "42"},
        detached=("properties.ingressNatRules",),
        protect=True,
        on_removal="forget",
        created=False,
        transient=("berlin",),
        tenant="22222222-2222-2222-2222-222222222222",
    )
    group = Entry(address="ResourceGroup/rg-hub", id=ArmId(GROUP))
    binding = Binding(cloud="simulator", endpoint="https://management.example", tenant="t")
    entries = {group.address: group, entry.address: entry}
    lineage = "33333333-3333-4333-8333-333333333333"
    state = State(deployment="contoso", lineage=lineage, serial=7, binding=binding, entries=entries, written_by="0.1.0")
    about = {"at": "2026-01-02T03:04:05.000Z"}
    run = {"run": "run-1", "process": "runner-7:4711"}
    begun = Begun(
        **about, **run, operation="op-1", address=entry.address, step="put", verb="put", id=entry.id, etag='W/"1"',
        digest="d" * 64, fingerprints=entry.fingerprints, entry=entry,
    )  # fmt: skip
    records: list[Any] = [
        StateReplaced(**about, state=state),
        RunOpened(**about, run="run-1", command="apply", actor="ada", correlation="c-1", version="0.1.0"),
        begun,
        Accepted(**about, operation="op-1", url="https://management.example/operations/1", request="r-1"),
        OperationClosed(**about, operation="op-1", status="unconfirmed", code="c", error="e", request="r-1"),
        EntrySet(**about, entry=entry),
        EntriesMoved(**about, addresses={entry.address: "VpnConnection/vgw-hub/hamburg"}),
        EntryRemoved(**about, address="VpnConnection/vgw-hub/hamburg", why="forgotten"),
        RunClosed(**about, run="run-1", outcome="succeeded", exit_code=0),
    ]
    numbered = [record.model_copy(update={"number": number}) for number, record in enumerate(records, start=1)]
    (folder / "records.jsonl").write_bytes(b"".join(map(dump_record, numbered)))


if __name__ == "__main__":
    every_record(Path(sys.argv[1]))
    in_folders(Path(sys.argv[1]))
    in_blobs(Path(sys.argv[1]), sys.argv[2])
