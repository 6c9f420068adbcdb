"""The blob store on a real Azurite: leases, conditional writes, appends, and what is said when something is wrong."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobClient, ContainerClient, ExponentialRetry

from tests.azure.azurite import ACCOUNT, ACCOUNT_KEY, Azurite, running_azurite
from tests.state.samples import AT, BINDING, DEPLOYMENT, a_state, an_entry, an_owner, begun, entry_set, opened
from vpngw_iac.azure.blob_store import BlobStore, open_blob_store, place_of
from vpngw_iac.azure.blobs import Blobs
from vpngw_iac.errors import (
    EndpointError,
    ExitCode,
    Forbidden,
    SignInFailed,
    StateError,
    StateLocked,
    StateMismatch,
    UsageError,
)
from vpngw_iac.state.journal import OperationClosed, StateReplaced
from vpngw_iac.state_url import BlobPlace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(azurite: Azurite, container: str) -> BlobStore:
    return a_store(azurite, container)


def no_credential() -> Any:
    raise AssertionError("the account key is given")


def a_store(azurite: Azurite, container: str, **more: Any) -> BlobStore:
    known: dict[str, Any] = {"binding": BINDING, "environment": {"AZURE_STORAGE_KEY": ACCOUNT_KEY}}
    url = azurite.url(container)
    return open_blob_store(url, "simulator", DEPLOYMENT, credential=no_credential, **(known | more))


def blob(azurite: Azurite, container: str, name: str) -> BlobClient:
    path = f"network/simulator/{DEPLOYMENT}/{name}"
    return BlobClient(azurite.endpoint, container, path, credential=ACCOUNT_KEY)


def test_a_store_without_anything_remembers_nothing(store: BlobStore) -> None:
    assert store.load() is None
    assert store.key() is None
    assert store.owner() is None
    assert store.unlock() is None
    assert list(store.history()) == []
    assert store.backups() == ()


def test_what_was_appended_is_remembered_with_its_numbers(store: BlobStore) -> None:
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state(an_entry(1)))
        records = [locked.append(record) for record in (opened(), begun(number=2), entry_set(2))]
        locked.renew()

    memory = store.load()
    assert memory is not None
    assert [record.number for record in records] == [1, 2, 3]
    assert set(memory.state.entries) == {"Thing/0001", "Thing/0002"}
    assert (set(memory.in_flight), memory.open_run, memory.last) == ({"op-1"}, records[0], 3)
    assert list(store.history()) == records
    assert store.owner() is None


def test_records_of_one_flush_are_one_append(store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks: list[bytes] = []
    append = Blobs.append

    def counted(blobs: Blobs, name: str, data: bytes, **how: Any) -> None:
        blocks.append(data)
        append(blobs, name, data, **how)

    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
        locked.append(opened())
        monkeypatch.setattr(Blobs, "append", counted)
        numbers = [record.number for record in locked.append_all([begun(number=2), entry_set(1), entry_set(2)])]

    memory = store.load()
    assert memory is not None
    assert (numbers, len(blocks)) == ([2, 3, 4], 1)
    assert (set(memory.state.entries), memory.last) == ({"Thing/0001", "Thing/0002"}, 4)


def test_a_checkpoint_starts_a_new_journal_keeps_a_snapshot_and_what_is_in_flight(store: BlobStore) -> None:
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
        for record in (opened(), begun(number=2), entry_set(1)):
            locked.append(record)
        before = store.load()
        assert before is not None
        locked.checkpoint(before.state)
        after = store.load()
        assert after is not None
        assert (after.in_flight, after.open_run, after.last) == (before.in_flight, before.open_run, 3)
        assert locked.append(OperationClosed(at=AT, operation="op-1", status="succeeded")).number == 4

    final = store.load()
    assert final is not None
    assert final.in_flight == {}
    assert [record.number for record in store.history()] == [1, 2, 3, 4]
    assert len(store.backups()) == 1
    assert store.backups()[0].startswith("state.json?snapshot=20")


def test_a_second_run_goes_on_where_the_first_ended(store: BlobStore) -> None:
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
        locked.append(entry_set(1))

    with store.locked(an_owner("run-2")) as locked:
        assert locked.notices == ()
        assert locked.append(entry_set(2)).number == 2
        locked.checkpoint(a_state(an_entry(1), an_entry(2), serial=2))
        assert locked.append(entry_set(3)).number == 3

    memory = store.load()
    assert memory is not None
    assert set(memory.state.entries) == {"Thing/0001", "Thing/0002", "Thing/0003"}


def test_the_key_is_made_once(azurite: Azurite, container: str, store: BlobStore) -> None:
    made = store.key(create=True)

    assert made is not None
    again = a_store(azurite, container).key(create=True)
    assert again is not None
    assert again.secret == made.secret
    blob(azurite, f"{container}-keys", "key").upload_blob(b"damaged", overwrite=True)
    with pytest.raises(StateError, match=r"fingerprint key .* is damaged"):
        store.key(create=True)


# --- the lock --------------------------------------------------------------------------------------------------------


def test_who_finds_the_lock_taken_hears_the_owner_and_exit_code_7(azurite: Azurite, container: str) -> None:
    ada, bob = a_store(azurite, container), a_store(azurite, container)
    owner = an_owner("run-1", actor="Ada Lovelace / Zürich", url="https://ci.example/runs/1?x=1&y=%20")
    with ada.locked(owner):
        with pytest.raises(StateLocked, match=r"locked by Ada Lovelace / Zürich on runner-7, process 4711") as refusal:
            bob.locked(an_owner("run-2")).__enter__()

        assert refusal.value.exit_code == ExitCode.LOCKED
        assert "within 60 seconds" in refusal.value.advice
        assert bob.owner() == owner
    assert bob.owner() is None


def test_a_holder_whose_lock_was_broken_can_write_nothing_more(azurite: Azurite, container: str) -> None:
    ada, operator = a_store(azurite, container), a_store(azurite, container)
    with ada.locked(an_owner("run-1")) as locked:
        locked.checkpoint(a_state())
        locked.append(opened())

        assert operator.unlock() == an_owner("run-1")

        with pytest.raises(StateLocked, match="was taken from this run; nobody holds it now"):
            locked.append(entry_set(1))
        with pytest.raises(StateLocked):
            locked.checkpoint(a_state(serial=9))
        with pytest.raises(StateLocked):
            locked.renew()
    memory = operator.load()
    assert memory is not None
    assert memory.last == 1
    assert operator.unlock() is None


@pytest.mark.parametrize("deed", ["append", "checkpoint", "renew"])
def test_a_run_that_was_overtaken_is_refused_before_the_new_one_wrote_anything(
    azurite: Azurite, container: str, deed: str
) -> None:
    ada, bob = a_store(azurite, container), a_store(azurite, container)
    first = ada.locked(an_owner("run-1"))
    locked = first.__enter__()
    locked.checkpoint(a_state())
    locked.append(opened())
    bob.unlock()
    with bob.locked(an_owner("run-2", actor="bob@contoso.example")) as second:
        with pytest.raises(StateLocked, match=r"bob@contoso\.example on runner-7.* holds it now"):
            {"append": lambda: locked.append(entry_set(1)), "renew": locked.renew}.get(
                deed, lambda: locked.checkpoint(a_state(serial=9))
            )()
        first.__exit__(None, None, None)

        assert bob.owner() == an_owner("run-2", actor="bob@contoso.example"), "the former holder leaves the lock alone"
        assert second.append(entry_set(2)).number == 2


def test_a_document_written_by_somebody_else_is_never_written_over(azurite: Azurite, container: str) -> None:
    store = a_store(azurite, container)
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
        document = blob(azurite, container, "state.json")
        document.upload_blob(document.download_blob().readall(), overwrite=True)

        with pytest.raises(StateLocked):
            locked.checkpoint(a_state(serial=1))


def test_a_lease_without_a_name_locks_too_and_can_be_broken(azurite: Azurite, container: str, store: BlobStore) -> None:
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
    blob(azurite, container, "lock").acquire_lease(60)

    with pytest.raises(StateLocked, match="locked by a run on an unknown host"):
        store.locked(an_owner("run-2")).__enter__()

    broken = store.unlock()
    assert broken is not None
    assert broken.actor == "a run"
    with store.locked(an_owner("run-3")) as locked:
        assert locked.append(opened()).number == 1


@contextlib.contextmanager
def worker(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.state.lock_worker", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"AZURE_STORAGE_KEY": ACCOUNT_KEY},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str], text: str = "") -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    if text:
        process.stdin.write(text + "\n")
        process.stdin.flush()
    return process.stdout.readline().strip()


def test_of_racing_processes_one_writes_and_the_others_are_told_who(
    azurite: Azurite, container: str, store: BlobStore, tmp_path: Path
) -> None:
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
    url, rounds, marker = azurite.url(container), 50, tmp_path / "inside"

    with worker("race", url, "ada", rounds, marker) as ada, worker("race", url, "bob", rounds, marker) as bob:
        lines = {
            "ada": ada.communicate(timeout=120)[0].splitlines(),
            "bob": bob.communicate(timeout=120)[0].splitlines(),
        }

    assert (ada.returncode, bob.returncode) == (0, 0), "two were inside at once"
    assert {name: len(found) for name, found in lines.items()} == {"ada": rounds, "bob": rounds}
    refused = [line for found in lines.values() for line in found if line != "won"]
    assert all("locked by ada on" in line or "locked by bob on" in line for line in refused), set(refused)
    memory = store.load()
    assert memory is not None
    assert memory.last == sum(found.count("won") for found in lines.values())
    assert store.owner() is None


def test_leases_of_runs_that_died_or_slept(azurite: Azurite) -> None:
    """One wait of a lease's fifteen seconds, four fates: killed, overtaken asleep, asleep and left alone, at work."""
    names = ("killed", "overtaken", "sleeper")
    containers = {name: azurite.new_container() for name in names}
    stores = {name: a_store(azurite, containers[name]) for name in names}
    with contextlib.ExitStack() as stack:
        runs = {name: stack.enter_context(worker("stay", azurite.url(containers[name]), name)) for name in names}
        assert [said(run) for run in runs.values()] == ["held"] * 3
        runs["killed"].send_signal(signal.SIGKILL)
        runs["killed"].wait()
        for name in ("overtaken", "sleeper"):
            runs[name].send_signal(signal.SIGSTOP)
        with pytest.raises(StateLocked, match="locked by killed on"):
            stores["killed"].locked(an_owner()).__enter__()
        assert stores["killed"].owner() == an_owner("killed", actor="killed")

        renewed = a_store(azurite, azurite.new_container(), lease_seconds=15)
        at_work = stack.enter_context(renewed.locked(an_owner("at-work")))
        at_work.checkpoint(a_state())

        time.sleep(16)

        assert renewed.owner() == an_owner("at-work")
        assert at_work.append(opened()).number == 1
        assert stores["killed"].owner() is None
        with stores["killed"].locked(an_owner("run-2")) as locked:
            assert locked.notices[0].startswith("Stale lock of killed on runner-7")
            assert locked.append(entry_set(1)).number == 2
        with stores["overtaken"].locked(an_owner("run-2")) as locked:
            runs["overtaken"].send_signal(signal.SIGCONT)
            assert said(runs["overtaken"], "append") == "lost"
            assert locked.append(entry_set(1)).number == 2
        runs["sleeper"].send_signal(signal.SIGCONT)
        assert said(runs["sleeper"], "append") == "written", "nobody wanted the lock meanwhile"


# --- answers that are lost on the way --------------------------------------------------------------------------------


class LossyTransport(RequestsTransport):  # type: ignore[misc]
    """Carries requests out and loses the answer to those whose URL says so."""

    def __init__(self) -> None:
        super().__init__()
        self.lose: str | None = None
        self.lost = 0

    def send(self, request: Any, **more: Any) -> Any:
        answer = super().send(request, **more)
        if self.lose and request.method == "PUT" and self.lose in request.url:
            self.lose, self.lost = None, self.lost + 1
            raise ServiceResponseError("connection reset")
        return answer


@pytest.mark.parametrize("retries", [0, 2])
@pytest.mark.parametrize("lost", ["comp=appendblock", "state.json?"])
def test_an_answer_that_is_lost_is_recognised_and_nothing_is_written_twice(
    azurite: Azurite, container: str, lost: str, retries: int
) -> None:
    transport = LossyTransport()
    retry = ExponentialRetry(initial_backoff=0, increment_base=1, retry_total=retries, random_jitter_range=0)
    client = ContainerClient(
        azurite.endpoint, container, credential=ACCOUNT_KEY, transport=transport, retry_policy=retry
    )
    store = BlobStore(client, f"network/simulator/{DEPLOYMENT}", DEPLOYMENT, BINDING, account=ACCOUNT)
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state())
        locked.append(opened())
        transport.lose = lost if "append" in lost else "state.json"

        def write() -> None:
            locked.append(entry_set(1)) if "append" in lost else locked.checkpoint(a_state(an_entry(1), serial=1))

        if retries:
            write()
        else:
            with pytest.raises(Exception, match=r"connection .* broke"):
                write()
        assert transport.lost == 1
        number = locked.append(entry_set(2)).number

    memory = store.load()
    assert memory is not None
    assert set(memory.state.entries) >= {"Thing/0002"}
    assert [record.number for record in store.history()] == list(range(1, number + 1))


# --- damage, and states of something else ----------------------------------------------------------------------------


def written(store: BlobStore) -> None:
    with store.locked(an_owner()) as locked:
        locked.checkpoint(a_state(an_entry(1)))
        locked.append(opened())
        locked.append(entry_set(2))
        locked.checkpoint(a_state(an_entry(1), an_entry(2), serial=1))
        locked.append(entry_set(3))
        locked.append(entry_set(4))


def test_a_truncated_document_is_told_with_its_snapshots_and_never_overwritten(
    azurite: Azurite, container: str, store: BlobStore
) -> None:
    written(store)
    document = blob(azurite, container, "state.json")
    half = document.download_blob().readall()[:100]
    document.upload_blob(half, overwrite=True)

    with pytest.raises(StateError, match=r"state\.json is damaged: .* at line \d+") as told:
        store.load()
    with store.locked(an_owner()) as locked, pytest.raises(StateError, match="is damaged"):
        locked.append(opened())
    with store.locked(an_owner()) as locked, pytest.raises(StateError, match="is damaged"):
        locked.checkpoint(a_state(serial=9))

    assert "state.json?snapshot=" in told.value.advice
    assert document.download_blob().readall() == half


def test_replacing_a_damaged_document_puts_it_aside_and_goes_on_numbering(
    azurite: Azurite, container: str, store: BlobStore
) -> None:
    written(store)
    blob(azurite, container, "state.json").upload_blob(b"{ damaged", overwrite=True)

    with store.locked(an_owner("run-2")) as locked:
        store.replace(locked, a_state(an_entry(7)))
        assert locked.append(entry_set(8)).number == 5

    memory = store.load()
    assert memory is not None
    assert set(memory.state.entries) == {"Thing/0007", "Thing/0008"}
    assert "backups/damaged-000001-state.json" in store.backups()
    assert blob(azurite, container, "backups/damaged-000001-state.json").download_blob().readall() == b"{ damaged"


def test_a_damaged_journal_is_told_with_its_line_and_put_aside_by_a_replacement(
    azurite: Azurite, container: str, store: BlobStore
) -> None:
    written(store)
    journal = blob(azurite, container, "journal/0000000003.jsonl")
    lines = journal.download_blob().readall().split(b"\n")
    journal.upload_blob(b"\n".join([b'{"torn', *lines[1:]]), blob_type="AppendBlob", overwrite=True)

    with pytest.raises(StateError, match=r"journal/0000000003\.jsonl is damaged at line 1"):
        store.load()
    with store.locked(an_owner("run-2")) as locked:
        store.replace(locked, a_state(an_entry(7), serial=3))
        assert locked.append(entry_set(8)).number == 5

    memory = store.load()
    assert memory is not None
    assert set(memory.state.entries) == {"Thing/0007", "Thing/0008"}
    assert "backups/damaged-000001-journal-0000000003.jsonl" in store.backups()
    assert [record.number for record in store.history()] == [1, 2, 5]


def test_a_replacement_is_told_in_the_journal(store: BlobStore) -> None:
    written(store)

    with store.locked(an_owner("run-2")) as locked:
        store.replace(locked, a_state(an_entry(7)))

    memory = store.load()
    assert memory is not None
    assert (set(memory.state.entries), memory.state.serial) == ({"Thing/0007"}, 4)
    assert isinstance(list(store.history())[-1], StateReplaced)


def test_a_lost_document_does_not_look_like_a_new_deployment(
    azurite: Azurite, container: str, store: BlobStore
) -> None:
    written(store)
    blob(azurite, container, "state.json").delete_blob(delete_snapshots="include")

    with pytest.raises(StateError, match="is missing, but its journal"):
        store.load()


def test_states_of_something_else_and_newer_ones_are_refused(
    azurite: Azurite, container: str, store: BlobStore
) -> None:
    written(store)
    document = blob(azurite, container, "state.json")

    with pytest.raises(StateMismatch, match="cloud simulator, but this run uses cloud public"):
        a_store(azurite, container, binding=BINDING.model_copy(update={"cloud": "public"})).load()
    content = json.loads(document.download_blob().readall())
    document.upload_blob(json.dumps(content | {"deployment": "fabrikam"}), overwrite=True)
    with pytest.raises(StateMismatch, match="'fabrikam', not of 'contoso-hub'"):
        store.load()
    document.upload_blob(json.dumps(content | {"format": 3, "written_by": "3.1.4"}), overwrite=True)
    with pytest.raises(StateError, match=r"format 3, written by vpngw 3\.1\.4"):
        store.load()
    with store.locked(an_owner()) as locked, pytest.raises(StateError, match="format 3"):
        store.replace(locked, a_state())


def test_replacing_needs_the_lock_of_the_same_store(azurite: Azurite, store: BlobStore) -> None:
    other = a_store(azurite, azurite.new_container())

    with other.locked(an_owner()) as locked, pytest.raises(UsageError, match="under the lock of its own store"):
        store.replace(locked, a_state())


# --- ways to the storage service -------------------------------------------------------------------------------------


def test_a_container_that_does_not_exist_is_no_empty_state(azurite: Azurite) -> None:
    store = a_store(azurite, "no-such-container")

    with pytest.raises(StateError, match="has no container 'no-such-container'") as told:
        store.load()
    with pytest.raises(StateError, match="has no container"):
        store.locked(an_owner()).__enter__()

    assert "az storage container create" in told.value.advice


def test_a_wrong_account_key_is_a_failed_sign_in_that_shows_no_key(azurite: Azurite, container: str) -> None:
    wrong = base64.b64encode(b"wrong" * 8).decode()
    store = a_store(azurite, container, environment={"AZURE_STORAGE_KEY": wrong})

    with pytest.raises((SignInFailed, Forbidden)) as refused:
        store.load()

    assert refused.value.exit_code == ExitCode.PERMISSION
    assert wrong not in f"{refused.value.message} {refused.value.advice} {refused.value!r}"


def test_a_storage_service_that_is_down_is_told() -> None:
    client = ContainerClient(
        "http://127.0.0.1:9/devstoreaccount1",
        "state",
        credential=ACCOUNT_KEY,
        retry_policy=ExponentialRetry(initial_backoff=0, retry_total=0),
    )
    store = BlobStore(client, "x", DEPLOYMENT, BINDING, account=ACCOUNT)

    with pytest.raises(EndpointError, match=r"127\.0\.0\.1:9.* cannot be reached: connection refused"):
        store.load()


@pytest.mark.parametrize(
    ("url", "cloud", "place"),
    [
        ("azblob://acct/state", "public", BlobPlace("acct", "state", "", "https://acct.blob.core.windows.net")),
        (
            "azblob://acct/state/a/b/",
            "china",
            BlobPlace("acct", "state", "a/b", "https://acct.blob.core.chinacloudapi.cn"),
        ),
        (
            "azblob://acct/s/a",
            "usgovernment",
            BlobPlace("acct", "s", "a", "https://acct.blob.core.usgovcloudapi.net"),
        ),
        (
            "azblob://acct/s/a?endpoint=https://st.local/acct",
            "custom",
            BlobPlace("acct", "s", "a", "https://st.local/acct"),
        ),
    ],
)
def test_a_state_url_names_account_container_and_prefix(url: str, cloud: str, place: BlobPlace) -> None:
    assert place_of(url, cloud) == place


@pytest.mark.parametrize(
    "url", ["azblob://acct", "azblob:///c/p", "https://acct/c", "azblob://acct/c?endpoint=ftp://x", ""]
)
def test_what_is_no_state_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is not"):
        place_of(url, "public")


def test_a_token_is_never_sent_in_the_clear() -> None:
    with pytest.raises(UsageError, match="is not https"):
        open_blob_store(
            "azblob://acct/c?endpoint=http://127.0.0.1:1/acct",
            "public",
            DEPLOYMENT,
            credential=no_credential,
            environment={},
        )


# --- signing in with a token over HTTPS ------------------------------------------------------------------------------


class TokenOf:
    """A credential whose token has the shape of Microsoft Entra's, for the audience of Azure Storage."""

    def __init__(self, audience: str = "https://storage.azure.com") -> None:
        self.audience = audience
        self.scopes: set[str] = set()

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.scopes.update(scopes)
        now = int(time.time())
        claims = {"aud": self.audience, "iss": "https://sts.windows.net/22222222-2222-2222-2222-222222222222/"}
        claims |= {"iat": now - 10, "nbf": now - 10, "exp": now + 3600}
        parts = ({"alg": "RS256", "typ": "JWT"}, claims, {"signature": "none"})
        text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        return AccessToken(text, now + 3600)


def test_a_token_is_taken_over_https_and_one_for_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = self_signed(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with running_azurite("--oauth", "basic", "--cert", str(certificate), "--key", str(key), scheme="https") as server:
        container = server.new_container()
        token = TokenOf()

        def store_with(credential: TokenOf) -> BlobStore:
            return open_blob_store(
                server.url(container), "simulator", DEPLOYMENT, BINDING, credential=lambda: credential, environment={}
            )

        store = store_with(token)
        with store.locked(an_owner()) as locked:
            locked.checkpoint(a_state(an_entry(1)))
            locked.append(opened())
        memory = store.load()

        assert memory is not None
        assert memory.last == 1
        assert token.scopes == {"https://storage.azure.com/.default"}
        with pytest.raises((SignInFailed, Forbidden)) as refused:
            store_with(TokenOf("https://management.azure.com")).load()
        assert refused.value.exit_code == ExitCode.PERMISSION


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "azurite")])
    start = datetime.now(UTC) - timedelta(hours=1)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"
