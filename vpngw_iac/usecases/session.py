"""Open what a run works with: clock, cloud, store and secrets, from what was asked for. Only the workspace uses it."""

from __future__ import annotations

import contextlib
import getpass
import math
import os
import re
import secrets as randomness
import socket
import stat
import string
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vpngw_iac.arm import Scope
from vpngw_iac.engine.execute.clock import RealClock, VirtualClock
from vpngw_iac.engine.ports import Clock, Cloud
from vpngw_iac.errors import SecretError, UsageError
from vpngw_iac.masks import Masks
from vpngw_iac.secret import (
    FingerprintKey,
    GeneratedSecret,
    KeyVaultSecret,
    LocalSecrets,
    Masked,
    Remembering,
    SecretReference,
    SecretSource,
    SecretValue,
)
from vpngw_iac.state.process import birth_of
from vpngw_iac.state.store import Owner, Store
from vpngw_iac.state_url import BlobPlace, FolderPlace, read_state_url
from vpngw_iac.usecases.lookup import CONFIG_FILE
from vpngw_iac.usecases.settings import SIMULATOR_DIR, Origin

if TYPE_CHECKING:
    from vpngw_iac.simulator import Simulator

OFFLINE_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
"""Stands for the subscription in offline commands that were told none; and is the simulator's own."""

STATE_DIR = ".vpngw/state"
"""Where states are, if nothing else was said."""

_KEPT = ("state.json", "journal.jsonl", "backups", "history")
"""What a state's folder has of which one is there as soon as something was remembered."""

SIMULATOR_SPEED = 120.0
"""Simulated seconds per second: a gateway that takes twenty minutes is there in ten seconds."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run works and what it may read: settings in the words of the command line."""

    cloud: str = "public"
    cloud_given: bool = True
    """Somebody chose this cloud; it is not the default."""
    subscription: str | None = None
    tenant: str | None = None
    resource_group: str | None = None
    state: str | None = None
    directory: Path = field(default_factory=Path)
    settings: Origin = field(default_factory=Origin)
    """Where the settings were found; of a workspace that was made by hand nothing is known."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    simulator_dir: str = SIMULATOR_DIR
    simulator_speed: float = SIMULATOR_SPEED
    clock: Clock | None = None
    credential: Any = field(default=None, repr=False)
    simulator: Any = field(default=None, repr=False)
    secret_directory: Path | None = None
    """Where relative paths of secret files start; the working directory if none."""
    on_notice: Callable[[str], None] | None = field(default=None, repr=False)
    """Hears why a command that only reads takes long."""
    profile: str | None = None
    """Profile of preflight, where the caller names none."""

    @property
    def scope(self) -> Scope:
        """Scope for compiling; the offline subscription where none was told."""
        return Scope(self.subscription or OFFLINE_SUBSCRIPTION, self.tenant, self.resource_group)

    @property
    def cloud_name(self) -> str:
        """The folder name of this cloud: its own name, or host and port of an endpoint."""
        if not self.cloud.startswith(("https://", "http://")):
            return self.cloud
        return re.sub(r"[^A-Za-z0-9.-]", "-", urlsplit(self.cloud).netloc)

    @property
    def home(self) -> Path:
        """The folder at which ``.vpngw/`` starts: that of ``vpngw.toml``, else the working directory."""
        return self.settings.file.parent if self.settings.file else self.directory

    def state_root(self, deployment: str) -> Path | BlobPlace:
        """The folder below which states are, or the place of a blob state.

        A folder that no flag or variable names may also be in the working directory, below ``vpngw.toml``: it is used
        where it remembers this deployment. Raises `UsageError` if both do, naming both.
        """
        named = read_state_url(self.state) if self.state else FolderPlace(self.home / STATE_DIR)
        usual = self.directory / named.path if isinstance(named, FolderPlace) else named
        here = self.directory / STATE_DIR
        chosen = self.settings.said.get("state", CONFIG_FILE) != CONFIG_FILE
        if chosen or self.home == self.directory or usual == here or not self._remembers(here, deployment):
            return usual
        if isinstance(usual, BlobPlace) or self._remembers(usual, deployment):
            other = self.state if isinstance(usual, BlobPlace) else usual
            raise UsageError(
                f"There are two states of {deployment}: one in {here}, one at {other} ({self.settings.file}).",
                advice="Say which with --state, and remove or move the other one.",
            )
        return here

    def _remembers(self, root: Path, deployment: str) -> bool:
        folder = root / self.cloud_name / deployment
        return any(os.path.lexists(folder / name) for name in _KEPT)

    def simulator_folder(self, deployment: str) -> Path:
        """Where the simulator's content is: beside the state, where neither was named."""
        here = self.directory / SIMULATOR_DIR
        if self.settings.file and "simulator_dir" not in self.settings.said and here.is_dir():
            root = self.state_root(deployment)
            if isinstance(root, Path) and root == self.directory / STATE_DIR:
                return here
        return self.directory / self.simulator_dir

    @property
    def local_secrets(self) -> SecretSource:
        """What is at hand without a cloud: the environment, and files."""
        return self.masked(self.plain_secrets)

    @property
    def plain_secrets(self) -> SecretSource:
        """The same, for a source that is masked as a whole."""
        return LocalSecrets(self.environment, self.secret_directory or self.directory)

    def masked(self, source: SecretSource) -> SecretSource:
        """In GitHub Actions the runner is told each value, so that no later line of its log shows one."""
        return Masked(source, _tell_runner) if self.environment.get("GITHUB_ACTIONS") == "true" else source

    def required_subscription(self) -> str:
        """The subscription; raises `UsageError` if a cloud that has many was given none."""
        if self.subscription:
            return self.subscription
        if self.cloud == "simulator":
            return OFFLINE_SUBSCRIPTION
        raise UsageError(
            "No subscription was given.",
            advice="Use --subscription ID, or set VPNGW_SUBSCRIPTION or AZURE_SUBSCRIPTION_ID.",
        )


class Session:
    """Everything one run works with, opened when first used."""

    def __init__(
        self,
        place: Place,
        deployment: str,
        tenants: Mapping[str, str] | None = None,
        formerly: str | None = None,
    ) -> None:
        self.place = place
        self.formerly = formerly
        self.tenants = tenants or {}
        self.deployment = deployment
        self.run = uuid.uuid4().hex[:12]
        self.correlation = str(uuid.uuid4())
        self._simulator: Simulator | None = place.simulator
        self.clock = self._open_clock()
        self.masks = Masks()
        """Every secret value that this run comes to know."""
        self.tell: Callable[[str], None] = place.on_notice or (lambda _: None)
        """Hears, from any thread, why a read takes long."""
        self._cloud: Cloud | None = None
        self._key: FingerprintKey | None = None

    # -- clock and simulator

    def _open_clock(self) -> Clock:
        if self.place.clock is not None:
            return self.place.clock
        return RealClock(self.place.simulator_speed if self.place.cloud == "simulator" else 1.0)

    @property
    def simulator(self) -> Simulator:
        """The embedded simulator, with its content of the last command."""
        if self._simulator is None:
            self._simulator = open_simulator(self.place, self.clock, self.place.simulator_folder(self.deployment))
        return self._simulator

    # -- store and key

    def store(self) -> Store:
        """The store of this deployment, not bound to what we are connected to."""
        return self._store(bound=False)

    def bound_store(self) -> Store:
        """The store, refusing a state of another cloud, endpoint or tenant."""
        return self._store(bound=True)

    def _store(self, *, bound: bool) -> Store:
        from vpngw_iac.state.binding import binding_of

        binding = binding_of(self.cloud.identity) if bound else None
        root = self.place.state_root(self.deployment)
        if isinstance(root, BlobPlace):
            from vpngw_iac.azure import blob_state_store

            return blob_state_store(
                self.place.state or "",
                self.place.cloud,
                self.deployment,
                binding,
                folder=self.place.cloud_name,
                tenant=self.place.tenant,
                credential=self.place.credential,
                environment=self.place.environment,
            )
        from vpngw_iac.state.file import FileStore, state_folder

        folder = state_folder(root, self.place.cloud_name, self.deployment)
        return FileStore(folder, self.deployment, binding, utc=self.clock.utc)

    def key(self, *, create: bool = False) -> FingerprintKey | None:
        """The store's fingerprint key; a deployment that was renamed keeps its key."""
        if self._key is None:
            self._key = self.store().key()
        if self._key is None:
            former = Session(self.place, self.formerly).key() if self.formerly else None
            if not create:
                return former
            self._key = self.store().key(create=True, like=former)
            self._cloud = None  # it fingerprints with the key: connect anew at next use
        return self._key

    # -- cloud and secrets

    @property
    def cloud(self) -> Cloud:
        """The cloud, connected at first use."""
        if self._cloud is None:
            from vpngw_iac.azure import connect

            key = self.key()
            self._cloud = connect(
                self.place.cloud,
                subscription=self.place.required_subscription(),
                tenant=self.place.tenant,
                credential=self.place.credential,
                transport=self.simulator.send if self.place.cloud == "simulator" else None,
                key=key.fingerprint if key else None,
                clock=self.clock,
                correlation=self.correlation,
                tenants=self.tenants,
                masks=self.masks,
                tell=self._tell_slow_read,
            )
        return self._cloud

    def secrets(self) -> SecretSource:
        """Resolves references: environment and files here, vaults in the cloud (or in the simulator)."""
        local = self.place.plain_secrets
        if self.place.cloud == "simulator":
            return self._known(SimulatedVault(local, self.simulator, self.place.environment))
        from vpngw_iac.azure import key_vault_secrets

        vaults = key_vault_secrets(
            self.place.cloud,
            local=local,
            tenant=self.place.tenant,
            credential=self.place.credential,
            correlation=self.correlation,
            masks=self.masks,
        )
        return self._known(vaults)

    @contextlib.contextmanager
    def discreet(self) -> Iterator[None]:
        """Whatever is raised in here, by whomever, shows no secret that this run knows."""
        try:
            yield
        except BaseException as error:
            self.masks.silence(error)
            raise

    def _tell_slow_read(self, text: str) -> None:
        """To whoever listens by then: a run says it among its events."""
        self.tell(self.masks.scrub(text))

    def _known(self, source: SecretSource) -> SecretSource:
        """What it resolves is masked, in what the runner logs and in all that this run says."""
        return Remembering(self.place.masked(source), self.masks)

    # -- who

    def owner(self, command: str) -> Owner:
        """Who holds the lock of this run."""
        env = self.place.environment
        server, repository, number = (env.get(f"GITHUB_{n}", "") for n in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
        return Owner(
            run=self.run,
            actor=env.get("GITHUB_ACTOR") or self.cloud.identity.actor or _user(),
            host=socket.gethostname(),
            process=os.getpid(),
            since=self.clock.utc(),
            command=command,
            birth=birth_of(os.getpid()),
            url=f"{server}/{repository}/actions/runs/{number}" if server and repository and number else "",
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def open_simulator(place: Place, clock: Clock, folder: Path | None = None) -> Simulator:
    """The simulator of this place: content in a folder (the place's own), time as the run's clock has it."""
    from vpngw_iac.simulator import ScaledTime, Simulator, VirtualTime

    class _InProcess(ScaledTime):
        """Nobody reads ``Retry-After`` with an ordinary clock here: it stays in simulated seconds."""

        def real_seconds(self, simulated: float) -> int:
            return max(1, math.ceil(simulated))

    folder = folder or place.directory / place.simulator_dir
    if not isinstance(clock, VirtualClock):
        return Simulator(folder, time=_InProcess(place.simulator_speed))
    time, last = VirtualTime(), [clock.now()]

    def advance(moment: float) -> None:
        time.advance(moment - last[0])
        last[0] = moment

    clock.on_advance(advance)
    return Simulator(folder, time=time)


def _tell_runner(command: str) -> None:
    """Say it on stderr, which the runner reads; never into a file, where the value would stay."""
    try:
        if not stat.S_ISREG(os.fstat(sys.stderr.fileno()).st_mode):
            sys.stderr.write(command)
            sys.stderr.flush()
    except (OSError, ValueError):
        return  # there is no stderr, hence no log


class SimulatedVault:
    """Key Vault references without a Key Vault: ``VPNGW_SECRET_<NAME>`` if set, else a value generated once."""

    def __init__(self, local: SecretSource, simulator: Simulator, environment: Mapping[str, str]) -> None:
        self._local, self._simulator, self._environment = local, simulator, environment

    def resolve(self, reference: SecretReference) -> SecretValue:
        """The value now."""
        if not isinstance(reference, KeyVaultSecret | GeneratedSecret):
            return self._local.resolve(reference)
        given = self._environment.get(f"VPNGW_SECRET_{re.sub('[^A-Za-z0-9]', '_', reference.name).upper()}")
        if given:
            return SecretValue(given)
        if isinstance(reference, KeyVaultSecret):
            self.prepare(reference)
        value = self._simulator.vault.get(reference.vault, reference.name)
        if value is None:
            raise SecretError(f"{reference} is made at the first apply.")
        return SecretValue(value)

    def prepare(self, reference: SecretReference) -> None:
        """Generate what is absent."""
        if not isinstance(reference, KeyVaultSecret | GeneratedSecret):
            self._local.prepare(reference)
        elif self._simulator.vault.get(reference.vault, reference.name) is None:
            alphabet = string.ascii_letters + string.digits
            value = "".join(randomness.choice(alphabet) for _ in range(48))
            self._simulator.vault.put(reference.vault, reference.name, value)
