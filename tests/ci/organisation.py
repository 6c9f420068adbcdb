"""Azure of an organisation that has done what `vpngw init --github` asked for: who has which identity and which right.

The commands of the hand-over are run by bash, with programs `az` and `gh` that write down what they were told. From
that come the principals of the simulator's governance, the variables of the repository and its environments.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from azure.storage.blob import BlobClient, BlobLeaseClient, ContainerClient

from tests.azure.azurite import ACCOUNT, ACCOUNT_KEY, Azurite, running_azurite
from tests.azure.guarded_azurite import GuardedAzurite, guarded
from tests.ci.github_server import REPOSITORY
from tests.cli.conftest import HUB, ROOT, SPEED
from vpngw_iac.simulator import FederatedCredential, Governance, Grant, HttpRequest, Principal, ScaledTime, Simulator
from vpngw_iac.simulator.identity import TENANT
from vpngw_iac.simulator.server import Server
from vpngw_iac.simulator.simulator import API_VERSION

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
STORAGE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-state/providers/Microsoft.Storage/storageAccounts/{ACCOUNT}"
OWNER, OWNER_KEY = "99999999-9999-4999-8999-999999999999", "the owner's"
STATES, KEYS = "network", "network-keys"

_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers"
_READER = Grant(actions=(f"{_BLOBS}/read",), data_actions=(f"{_BLOBS}/blobs/read",))
_CONTRIBUTOR = Grant(
    actions=tuple(f"{_BLOBS}/{verb}" for verb in ("delete", "read", "write")),
    data_actions=tuple(f"{_BLOBS}/blobs/{verb}" for verb in ("delete", "read", "write", "move/action", "add/action")),
)
BUILT_IN = {"Storage Blob Data Reader": _READER, "Storage Blob Data Contributor": _CONTRIBUTOR}
"""https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage"""

_STANDS_IN = r"""
told() { printf '%s\x1f' "$@" >> "$TOLD"; printf '\n' >> "$TOLD"; }
guid() { printf '%s' "$1" | md5sum | sed -E 's/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/\1-\2-\3-\4-\5/'; }
az() {
  told az "$@"
  case "$*" in
    "ad app create "*) guid "$5" ;;
    "ad sp create "*) printf 'object-of-%s\n' "$5" ;;
    "storage account show "*) printf '%s\n' "$STORAGE" ;;
  esac
}
gh() { told gh "$@"; }
"""


class Pace(ScaledTime):
    """Simulated time whose speed can be changed while it goes."""

    def set(self, speed: float) -> None:
        """From here on so many times as fast."""
        self.resume({"now": self.now()})
        self.speed = speed

    def real_seconds(self, simulated: float) -> float:  # type: ignore[override]
        """Parts of a second too: a whole one would be hours of simulated time."""
        return max(0.05, simulated / self.speed)


@dataclass
class Moment:
    """What is in Azure and in the store."""

    blobs: dict[str, dict[str, tuple[str, bytes]]] = field(default_factory=dict)
    """Kind and content, by container and name."""
    documents: list[dict[str, Any]] = field(default_factory=list)
    """As GET answers them to somebody who may read everything."""


@dataclass
class Organisation:
    """What was set up once; `reset` goes back to a moment of it."""

    server: Server
    door: GuardedAzurite
    azurite: Azurite
    pace: Pace
    workflow: str = ""
    """The caller, as `vpngw init --github` has written it."""
    variables: dict[str, str] = field(default_factory=dict)
    environments: dict[str, list[str]] = field(default_factory=dict)
    """Branches that may name it, by environment."""
    governance: Governance = field(default_factory=Governance)
    _moments: dict[str, Moment] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """The state, as people write it."""
        return f"azblob://{ACCOUNT}/{STATES}/prod?endpoint={self.door.url}"

    @property
    def trust(self) -> dict[str, str]:
        """What a runner of this organisation trusts."""
        certificate = str(self.server.certificate)
        return {"REQUESTS_CA_BUNDLE": certificate, "SSL_CERT_FILE": certificate}

    @property
    def owner(self) -> dict[str, str]:
        """Variables of somebody who may do everything."""
        return {
            **self.trust, "VPNGW_CLOUD": self.server.url, "VPNGW_SUBSCRIPTION": SUBSCRIPTION, "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": OWNER, "AZURE_CLIENT_SECRET": OWNER_KEY, "VPNGW_STATE": self.state,
        }  # fmt: skip

    def vpngw(self, folder: Path, *arguments: str) -> str:
        """The owner's own command; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "vpngw_iac", *arguments], cwd=folder, env=_plain() | self.owner,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def reset(self, moment: str = "") -> bool:
        """Rights and time as at first, the rest as at a moment; whether there was such a moment."""
        found = self._moments.get(moment)
        if found is None:
            return False
        self.pace.set(float(SPEED))
        simulator = self.server.simulator
        simulator.governance = self.governance
        simulator.reset()
        simulator.load(found.documents)
        simulator.requests.clear()
        self.door.asked.clear()
        for container in (STATES, KEYS):
            with self._container(container) as client:
                for name in list(client.list_blob_names()):
                    _remove(client.get_blob_client(name))
                for name, (kind, content) in found.blobs[container].items():
                    client.upload_blob(name, content, blob_type=kind)
        return True

    def remember(self, moment: str = "") -> None:
        """What is there now is what `reset` restores under this name."""
        kept = Moment(documents=[self.read(name) for name in self.server.simulator.documents()])
        kept.blobs = self.stored()
        self._moments[moment] = kept

    def stored(self) -> dict[str, dict[str, tuple[str, bytes]]]:
        """Kind and content of every blob, by container and name."""
        found: dict[str, dict[str, tuple[str, bytes]]] = {}
        for container in (STATES, KEYS):
            with self._container(container) as client:
                found[container] = {
                    str(blob.name): (str(blob.blob_type.value), client.download_blob(blob.name).readall())
                    for blob in client.list_blobs()
                }
        return found

    def read(self, name: str) -> dict[str, Any]:
        """What GET answers to the owner: keys too."""
        asked = HttpRequest("GET", name, {"api-version": API_VERSION}, caller=OWNER)
        answer = self.server.simulator.handle(asked)
        assert answer.status == 200, answer.body
        return dict(answer.body)

    def caller_of(self, word: str) -> str:
        """Client id of the identity with this word: pull-request, plan, apply, resume."""
        return self.variables[f"VPNGW_{word.upper().replace('-', '_')}_CLIENT_ID"]

    def _container(self, name: str) -> ContainerClient:
        return ContainerClient(self.azurite.endpoint, name, credential=ACCOUNT_KEY)


def _remove(blob: BlobClient) -> None:
    if blob.get_blob_properties().lease.state == "leased":
        BlobLeaseClient(blob).break_lease(lease_break_period=0)
    blob.delete_blob(delete_snapshots="include")


@contextmanager
def organised(folder: Path) -> Iterator[Organisation]:
    """An organisation that was set up in a folder, with its services on this machine."""
    pace = Pace(float(SPEED))
    everything = Grant(data_actions=("*",))
    owner = Principal(client=OWNER, grants=(everything,))
    simulator = Simulator(time=pace, governance=Governance(grants=(), principals=(owner,)))
    clients = {OWNER: OWNER_KEY}
    with (
        running_azurite() as azurite,
        Server(simulator, certificate_directory=folder / "tls", clients=clients) as server,
    ):

        def judge(bearer: str, action: str, scope: str, is_data: bool) -> bool:
            asked = urlencode({"scope": scope, "action": action, "data": str(is_data).lower()})
            url = f"{server.url}/.simulator/permitted?{asked}"
            answer = server.answer(HttpRequest.of("GET", url, {"Authorization": f"Bearer {bearer}"}))
            return answer.status == 200 and bool(answer.body["permitted"])

        with guarded(azurite, STORAGE, folder / "tls", judge) as door:
            made = Organisation(server, door, azurite, pace)
            _set_up(made, folder / "repository", owner)
            made.remember()
            yield made


def _set_up(made: Organisation, folder: Path, owner: Principal) -> None:
    folder.mkdir()
    (folder / "hub.yaml").write_text(HUB, encoding="utf-8")
    known = ("--state", made.state, "--subscription", SUBSCRIPTION, "--tenant", TENANT, "--repository", REPOSITORY)
    made.vpngw(folder, "init", "--github", "hub.yaml", "--finish", *known)
    made.workflow = (folder / ".github" / "workflows" / "network.yml").read_text(encoding="utf-8")
    handover = (folder / "github-setup.md").read_text(encoding="utf-8")
    script = "\n".join(line[4:] for line in handover.splitlines() if line.startswith("    "))
    told = folder / "told"
    program = f'vpngw() {{ {shlex.quote(sys.executable)} -m vpngw_iac "$@"; }}\n'
    variables = _plain() | made.owner | {"TOLD": str(told), "STORAGE": STORAGE}
    done = subprocess.run(
        ["bash", "-euc", _STANDS_IN + program + script], cwd=folder, env=variables, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    commands = [line.split("\x1f")[:-1] for line in told.read_text(encoding="utf-8").splitlines()]
    made.governance = Governance(grants=(), principals=(owner, *_principals(commands, folder)))
    for command in commands:
        _settle(made, command)


def _settle(made: Organisation, command: list[str]) -> None:
    """Variables and environments of the repository."""
    match command:
        case ["gh", "variable", "set", name, *rest]:
            made.variables[name] = _after(rest, "--body")
        case ["gh", "api", "--method", "PUT", place, *_]:
            made.environments[place.rpartition("/")[2]] = []
        case ["gh", "api", "--method", "POST", place, "-f", branch]:
            made.environments[place.split("/")[-2]].append(branch.removeprefix("name="))


def _principals(commands: list[list[str]], folder: Path) -> Iterator[Principal]:
    roles = dict(BUILT_IN)
    credentials: dict[str, list[FederatedCredential]] = {}
    grants: dict[str, list[Grant]] = {}
    for command in commands:
        match command:
            case ["az", "role", "definition", "create", "--role-definition", file]:
                definition = json.loads((folder / file).read_text(encoding="utf-8"))
                roles[definition["Name"]] = _grant_of(definition)
            case ["az", "ad", "app", "federated-credential", "create", "--id", client, "--parameters", told]:
                credentials.setdefault(client, []).append(_credential_of(json.loads(told)))
            case ["az", "role", "assignment", "create", "--assignee-object-id", who, *rest]:
                grant = roles[_after(rest, "--role")].model_copy(update={"scope": _after(rest, "--scope")})
                grants.setdefault(who.removeprefix("object-of-"), []).append(grant)
    for client, found in credentials.items():
        yield Principal(client=client, credentials=tuple(found), grants=tuple(grants[client]))


def _grant_of(definition: Mapping[str, Any]) -> Grant:
    return Grant(
        actions=tuple(definition["Actions"]),
        not_actions=tuple(definition.get("NotActions", ())),
        data_actions=tuple(definition.get("DataActions", ())),
        not_data_actions=tuple(definition.get("NotDataActions", ())),
    )


def _credential_of(told: Mapping[str, Any]) -> FederatedCredential:
    (audience,) = told["audiences"]
    return FederatedCredential(subject=told["subject"], issuer=told["issuer"], audience=audience)


def _after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def _plain() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT)}


def digest_in(text: str) -> str:
    """The decision digest that a page shows."""
    found = re.search(r"[0-9a-f]{64}", text)
    assert found, text
    return found[0]
