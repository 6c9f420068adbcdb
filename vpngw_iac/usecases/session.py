"""Open what a run works with: clock, cloud, store and secrets, from what was asked for. Only the workspace uses it."""

from __future__ import annotations

import contextlib
import copy
import getpass
import math
import os
import re
import secrets as randomness
import socket
import string
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable
from urllib.parse import quote

from vpngw_iac.arm import SIGNED_IN, Scope
from vpngw_iac.call_threads import CallThreads
from vpngw_iac.errors import BlueprintError, Finding, Forbidden, SecretError, StateDenied, UsageError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.masks import Masks
from vpngw_iac.pipeline import home_of, tell_runner
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.secret import (
    FingerprintKey,
    GeneratedSecret,
    GithubMaskedSecrets,
    KeyVaultCertificate,
    KeyVaultSecret,
    LocalSecrets,
    RedactedSecrets,
    SecretReference,
    SecretSource,
    SecretValue,
)
from vpngw_iac.state_url import BlobPlace, FolderPlace, cloud_folder, read_state_url
from vpngw_iac.usecases.settings import SIMULATOR_DIR, SettingsSource
from vpngw_iac.usecases.settings_file import CONFIG_FILE

if TYPE_CHECKING:
    from vpngw_iac.azure import CloudClient
    from vpngw_iac.azure.key_vault import KeyVaultSecrets
    from vpngw_iac.azure.logs import Logs
    from vpngw_iac.engine.plan.saved import ReviewedPlan
    from vpngw_iac.engine.plan.saved_graph import SavedGraph
    from vpngw_iac.engine.ports import Clock, Cloud
    from vpngw_iac.simulator import Simulator
    from vpngw_iac.state.store import Owner, Store
    from vpngw_iac.verify.questions import Reply, TunnelQuestion

OFFLINE_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
"""Stands for the subscription in offline commands that were told none; and is the simulator's own."""

STATE_DIR = ".vpngw/state"
"""Where states are, if nothing else was said."""

_KEPT = ("state.json", "journal.jsonl", "backups", "history")
"""What a state's folder has of which one is there as soon as something was remembered."""

SIMULATOR_SPEED = 120.0
"""Simulated seconds per second: a gateway that takes twenty minutes is there in ten seconds."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Where a run works and what it may read: settings in the words of the command line."""

    cloud: str = "public"
    cloud_given: bool = True
    """Somebody chose this cloud; it is not the default."""
    subscription: str | None = None
    tenant: str | None = None
    resource_group: str | None = None
    state: str | None = None
    directory: Path = field(default_factory=Path)
    settings: SettingsSource = field(default_factory=SettingsSource)
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
    told: Callable[[Finding], Finding] = field(default=lambda finding: finding, repr=False)
    """A finding with its place in the blueprint's file, in the language of that file."""
    allowed_subscriptions: tuple[str, ...] = ()
    """Where a saved graph may name something, besides `subscription`."""
    allowed_tenants: tuple[str, ...] = ()
    """The same for tenants, besides `tenant`."""
    clients: dict[tuple[str, int], CloudClient] = field(default_factory=dict, repr=False, compare=False)
    """The clouds that were opened from here, each with its tokens, connections and quota, for all sessions."""
    simulators: dict[Path, Simulator] = field(default_factory=dict, repr=False, compare=False)
    threads: CallThreads = field(default_factory=CallThreads, repr=False, compare=False)
    """They make the calls of all sessions."""
    opening: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)
    """Held while one of these two is opened: the sessions of a fleet come at once."""

    @property
    def scope(self) -> Scope:
        """Scope for compiling; the offline subscription where none was told."""
        return Scope(self.subscription or OFFLINE_SUBSCRIPTION, self.tenant, self.resource_group)

    @property
    def cloud_name(self) -> str:
        """The folder name of this cloud."""
        return cloud_folder(self.cloud)

    def state_root(self, deployment: str) -> Path | BlobPlace:
        """The folder below which states are, or the place of a blob state.

        A folder that no flag or variable names may also be in the working directory, below ``vpngw.toml``: it is used
        where it remembers this deployment. Raises `UsageError` if both do, naming both.
        """
        named = read_state_url(self.state) if self.state else FolderPlace(self.settings.home / STATE_DIR)
        usual = self.directory / named.path if isinstance(named, FolderPlace) else named
        here = self.directory / STATE_DIR
        chosen = self.settings.said.get("state", CONFIG_FILE) != CONFIG_FILE
        if chosen or self.settings.home == self.directory or usual == here or not self._remembers(here, deployment):
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
        return GithubMaskedSecrets(source, tell_runner) if home_of(self.environment) == "github" else source

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


class Deployable(Protocol):
    """What can be deployed, and what a use-case may ask of it: a blueprint, a reviewed plan."""

    @property
    def name(self) -> str:
        """Name of the deployment."""

    @property
    def formerly(self) -> str | None:
        """The name it had before; its state is taken over."""
        return None

    @property
    def moved(self) -> Mapping[str, str]:
        """What was renamed, old to new."""
        return {}

    @property
    def waive(self) -> Mapping[str, str]:
        """Accepted rules, each with the reason."""
        return {}

    def resources(self, scope: Scope) -> Iterable[Resource | Existing]:
        """What it declares, and what it only uses."""


def said_by(blueprint: Deployable, name: Literal["formerly", "moved", "waive"]) -> Any:
    """What a blueprint says beside its resources; a class of somebody's own may say these alone."""
    return getattr(blueprint, name, getattr(Deployable, name).fget(blueprint))


@runtime_checkable
class Asking(Protocol):
    """A cloud that answers questions about tunnels."""

    def ask(self, questions: Collection[TunnelQuestion]) -> Mapping[TunnelQuestion, Reply]:
        """Every reply; what cannot be known is `Unknown`."""


class Session:
    """Everything one use-case works with, opened when first used: one store, one client, one compiled blueprint."""

    def __init__(self, place: SessionSettings, deployment: str, blueprint: Deployable | None = None) -> None:
        """Compiles the blueprint; raises `BlueprintError` if it contradicts itself, before anything is opened."""
        from vpngw_iac.engine.execute.clock import RealClock

        self.place, self.deployment, self.blueprint = place, deployment, blueprint
        scope = replace(place.scope, tenant=place.tenant or SIGNED_IN)
        try:
            self.compiled = tuple(blueprint.resources(scope)) if blueprint else ()
        except BlueprintError as error:
            error.findings = tuple(map(place.told, error.findings))
            raise
        """What is declared, before it is known which tenant is signed in to."""
        self.run = uuid.uuid4().hex[:12]
        self.correlation = str(uuid.uuid4())
        speed = place.simulator_speed if place.cloud == "simulator" else 1.0
        self.clock: Clock = place.clock or RealClock(speed)
        self.masks = Masks()
        """Every secret value that this run comes to know."""
        self.tell: Callable[[str], None] = place.on_notice or (lambda _: None)
        """Hears, from any thread, why a read takes long."""
        self._former: Session | None = None
        self._cloud: Cloud | None = None
        self._store: Store | None = None
        self._key: FingerprintKey | None = None
        self._keeps_key = False
        self.key_denied = False
        """Whether the store's key is there and may not be read here; known once it was asked for."""
        self._certificates: dict[KeyVaultCertificate, str] = {}

    @property
    def former(self) -> Session | None:
        """The deployment under the blueprint's former name, if the run goes by the blueprint's own: the same client."""
        goes_by_own = self.blueprint is not None and self.deployment == self.blueprint.name
        formerly = said_by(self.declared, "formerly") if goes_by_own else None
        if self._former is None and formerly:
            self._former = other = copy.copy(self)
            other.deployment, other.blueprint, other.run = formerly, None, uuid.uuid4().hex[:12]
            other.compiled, other._store, other._key, other._keeps_key = (), None, None, False
        if self._former is not None:
            self._former._cloud = self._cloud
        return self._former

    @property
    def declared(self) -> Deployable:
        """The blueprint, or the reviewed plan; a deployment that is only named has none."""
        assert self.blueprint is not None  # noqa: S101 - nothing is planned without one
        return self.blueprint

    @property
    def reviewed(self) -> ReviewedPlan | None:
        """The plan that is to be carried out, if it is one."""
        from vpngw_iac.engine.plan.saved import ReviewedPlan

        return self.blueprint if isinstance(self.blueprint, ReviewedPlan) else None

    @property
    def items(self) -> tuple[Resource | Existing, ...]:
        """What is declared; what lives in the tenant that is signed in to says so now.

        Certificates in Key Vault are read here, each once in a run; raises `SecretError` where one cannot be.
        """
        from vpngw_iac.usecases.certificates import with_certificates

        tenant = self.cloud.identity.tenant
        signed_in = (_signed_in(item, tenant) if item.tenant == SIGNED_IN else item for item in self.compiled)
        return tuple(with_certificates(item, self._certificate) for item in signed_in)

    def let_go(self) -> None:
        """Hold nothing of what is declared: who destroys asks for it until the plan is made, and never again."""
        self.compiled = ()

    @property
    def saved_graph(self) -> SavedGraph | None:
        """The graph of a file that somebody gave us, if it is one: nothing that it names is looked up."""
        from vpngw_iac.engine.plan.saved_graph import SavedGraph

        return self.blueprint if isinstance(self.blueprint, SavedGraph) else None

    @property
    def told(self) -> Callable[[Finding], Finding]:
        """A finding with its place in the blueprint's file."""
        return self.saved_graph.told if self.saved_graph else self.place.told

    def _certificate(self, reference: KeyVaultCertificate) -> str:
        from vpngw_iac.usecases.certificates import read_certificate

        if self.saved_graph:
            return reference.describe()
        if reference not in self._certificates:
            # It is public: no mask may hide it in a plan. What turns out to be no certificate is not said.
            self._certificates[reference] = read_certificate(reference, self.vaults())
        return self._certificates[reference]

    @property
    def scope(self) -> Scope:
        """Where the resources live, now that the cloud is known."""
        identity = self.cloud.identity
        return Scope(identity.subscription, identity.tenant, self.place.resource_group)

    # -- simulator

    @property
    def simulator(self) -> Simulator:
        """The embedded simulator, with its content of the last command."""
        if self.place.simulator is not None:
            found: Simulator = self.place.simulator
            return found
        folder = self.place.simulator_folder(self.deployment)
        with self.place.opening:
            if folder not in self.place.simulators:
                self.place.simulators[folder] = open_simulator(self.place, self.clock, folder)
            return self.place.simulators[folder]

    # -- store and key

    def store(self) -> Store:
        """The store of this deployment; before the cloud is asked for it is bound to none."""
        if self._store is None:
            self._store = self._opened_store()
        return self._store

    def bound_store(self) -> Store:
        """The store, refusing a state of another cloud, endpoint or tenant."""
        from vpngw_iac.state.binding import binding_of

        store = self.store()
        store.binding = binding_of(self.cloud.identity)
        return store

    def _opened_store(self) -> Store:
        self.place.settings.require_trusted()
        place, root = self.place, self.place.state_root(self.deployment)
        if isinstance(root, BlobPlace):
            from vpngw_iac.azure.blob_store import open_blob_store

            return open_blob_store(
                place.state or "",
                place.cloud_name,
                self.deployment,
                # The state of a simulated deployment lies in public Azure Storage.
                credential=lambda: self._client("public" if place.cloud == "simulator" else place.cloud).tokens(),
                environment=place.environment,
                vault_keys=lambda: self._client(place.cloud).vault_keys(self.correlation, self.masks),
            )
        from vpngw_iac.state.file import FileStore, state_folder

        return FileStore(state_folder(root, place.cloud_name, self.deployment), self.deployment, utc=self.clock.utc)

    def key(self, *, create: bool = False) -> FingerprintKey | None:
        """The store's fingerprint key; a deployment that was renamed keeps its key."""
        if self._key is None:
            self._key = self.store().key()
            self._keeps_key = self._key is not None
            if self._key is None and self.former:
                self._key = self.former.key()
        if create and not self._keeps_key:
            if self.former and self.former.store().key_vault:
                self.store().keep_key_in(self.former.store().key_vault)
            self._key, self._keeps_key = self.store().key(create=True, like=self._key), True
        if self._key is not None:
            self.masks.add(self._key.secret.hex())
        return self._key

    def readable_key(self) -> FingerprintKey | None:
        """The store's fingerprint key for who only plans: one that may not be read compares and seals nothing."""
        if self.key_denied:
            return None
        try:
            return self.key()
        except (Forbidden, StateDenied):
            self.key_denied = True
            return None

    def required_key(self) -> FingerprintKey:
        """The store's fingerprint key, made if there is none."""
        key = self.key(create=True)
        assert key is not None  # noqa: S101 - it was made
        return key

    # -- cloud and secrets

    def _client(self, cloud: str) -> CloudClient:
        from vpngw_iac.azure import CloudClient

        self.place.settings.require_trusted()
        simulator = self.simulator if cloud == "simulator" else None
        which = (cloud, id(simulator))
        with self.place.opening:
            if which not in self.place.clients:
                self.place.clients[which] = CloudClient(
                    cloud,
                    tenant=self.place.tenant,
                    credential=self.place.credential,
                    transport=simulator.send if simulator else None,
                    threads=self.place.threads,
                )
            return self.place.clients[which]

    @property
    def cloud(self) -> Cloud:
        """The cloud, connected at first use."""
        if self._cloud is None:
            subscription = self.place.required_subscription()
            self.readable_key()
            self._cloud = self._client(self.place.cloud).cloud(
                subscription=subscription,
                key=lambda value: self._key.fingerprint(value) if self._key is not None else None,
                clock=self.clock,
                correlation=self.correlation,
                tenants={i.id.subscription: i.tenant for i in self.compiled if i.tenant and i.tenant != SIGNED_IN},
                masks=self.masks,
                tell=lambda text: self.tell(self.masks.scrub(text)),  # to whoever listens by then
            )
        return self._cloud

    def ask(self, questions: Collection[TunnelQuestion]) -> Mapping[TunnelQuestion, Reply]:
        """Replies to questions about tunnels; the cloud is connected at first use."""
        cloud = self.cloud
        assert isinstance(cloud, Asking)  # noqa: S101 - whatever is opened here can be asked
        return cloud.ask(questions)

    def secrets(self) -> SecretSource:
        """Resolves references: environment and files here, vaults in the cloud (or in the simulator)."""
        if self.saved_graph:
            return NoSecrets()
        source: SecretSource = self.vaults()
        # What it resolves is masked, in what the runner logs and in all that this run says.
        return RedactedSecrets(self.place.masked(source), self.masks)

    def vaults(self) -> SimulatedVault | KeyVaultSecrets:
        """Key vaults of the cloud, or of the simulator."""
        local = self.place.plain_secrets
        if self.place.cloud == "simulator":
            return SimulatedVault(local, self.simulator, self.place.environment)
        return self._client(self.place.cloud).secrets(local, self.correlation, self.masks)

    def logs(self) -> Logs:
        """The logs that gateways write, of the cloud or of the simulator."""
        return self._client(self.place.cloud).logs(self.correlation, self.masks)

    @contextlib.contextmanager
    def redacted(self) -> Iterator[None]:
        """Whatever is raised in here, by whomever, shows no secret that this run knows."""
        try:
            yield
        except BaseException as error:
            self.masks.silence(error)
            raise

    # -- who

    def owner(self, command: str, *, signed_in: bool = True) -> Owner:
        """Who holds the lock of this run; a command that asks no cloud goes by the name of the local user."""
        from vpngw_iac.state.process import birth_of
        from vpngw_iac.state.store import Owner

        env = self.place.environment
        return Owner(
            run=self.run,
            actor=pipeline_actor(env) or (signed_in and self.cloud.identity.actor) or _user(),
            host=socket.gethostname(),
            process=os.getpid(),
            since=self.clock.utc(),
            command=command,
            birth=birth_of(os.getpid()),
            url=pipeline_url(env),
        )


def pipeline_actor(environment: Mapping[str, str]) -> str:
    """Who started the pipeline's run, as GitHub, Azure Pipelines or GitLab says."""
    names = ("GITHUB_ACTOR", "BUILD_REQUESTEDFOR", "GITLAB_USER_LOGIN")
    return next((environment[name] for name in names if environment.get(name)), "")


def pipeline_url(environment: Mapping[str, str]) -> str:
    """Address of the pipeline's run; empty anywhere else.

    https://docs.github.com/actions/reference/workflows-and-actions/variables,
    https://learn.microsoft.com/azure/devops/pipelines/build/variables, https://docs.gitlab.com/ci/variables.
    """
    github = [environment.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    if all(github):
        return f"{github[0]}/{github[1]}/actions/runs/{github[2]}"
    names = ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID")
    devops = [environment.get(name, "") for name in names]
    if all(devops):
        return f"{devops[0].rstrip('/')}/{quote(devops[1])}/_build/results?buildId={devops[2]}"
    return environment.get("CI_JOB_URL", "")


def _signed_in(item: Resource | Existing, tenant: str) -> Resource | Existing:
    return replace(item, tenant=tenant) if isinstance(item, Existing) else item.model_copy(update={"tenant": tenant})


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def open_simulator(place: SessionSettings, clock: Clock, folder: Path | None = None) -> Simulator:
    """The simulator of this place: content in a folder (the place's own), time as the run's clock has it."""
    from vpngw_iac.engine.execute.clock import VirtualClock
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


class NoSecrets:
    """Resolves nothing: who wrote these references must not decide what is read here, and from where."""

    def resolve(self, reference: SecretReference) -> SecretValue:
        """Raises `SecretError`."""
        raise SecretError(
            f"{reference} is not read: a plan of a saved graph looks up no secret.",
            advice="A plan of the blueprint itself does.",
        )

    def prepare(self, reference: SecretReference) -> None:
        """Nothing is made."""


class SimulatedVault:
    """Key Vault references without a Key Vault: ``VPNGW_SECRET_<NAME>`` if set, else a value generated once."""

    def __init__(self, local: SecretSource, simulator: Simulator, environment: Mapping[str, str]) -> None:
        self._local, self._simulator, self._environment = local, simulator, environment

    def resolve(self, reference: SecretReference) -> SecretValue:
        """The value now."""
        if not isinstance(reference, KeyVaultSecret | GeneratedSecret):
            return self._local.resolve(reference)
        variable = f"VPNGW_SECRET_{re.sub('[^A-Za-z0-9]', '_', reference.name).upper()}"
        given = self._environment.get(variable)
        if given:
            return SecretValue(given)
        if isinstance(reference, KeyVaultSecret) and not isinstance(reference, KeyVaultCertificate):
            self.prepare(reference)
        value = self._simulator.vault.get(reference.vault, reference.name)
        if value is None and isinstance(reference, KeyVaultCertificate):
            raise SecretError(
                f"There is no secret {reference}.", advice=f"Export {variable} with the certificate's text."
            )
        if value is None:
            raise SecretError(f"{reference} is made at the first apply.")
        return SecretValue(value)

    def keep(self, reference: KeyVaultSecret, value: str) -> None:
        """Store a value; a name that holds another one is refused."""
        held = self._simulator.vault.get(reference.vault, reference.name)
        if held is not None and held != value:
            raise SecretError(f"The secret {reference} holds another value; it is never overwritten.")
        self._simulator.vault.put(reference.vault, reference.name, value)

    def prepare(self, reference: SecretReference) -> None:
        """Generate what is absent."""
        if not isinstance(reference, KeyVaultSecret | GeneratedSecret):
            self._local.prepare(reference)
        elif self._simulator.vault.get(reference.vault, reference.name) is None:
            alphabet = string.ascii_letters + string.digits
            value = "".join(randomness.choice(alphabet) for _ in range(48))
            self._simulator.vault.put(reference.vault, reference.name, value)
