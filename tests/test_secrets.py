"""The canary: every kind of secret carries a marker; nothing that anybody keeps, prints or raises may contain one."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.workspace.conftest import Harness, Killed
from tests.worlds import (
    REGION,
    Deployment,
    circuit,
    connection,
    gateway,
    hub,
    make,
    radius,
    rid,
    site,
)
from vpngw_iac.engine.execute.event import OperationStarted
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.errors import Finding, Refused, VpngwError
from vpngw_iac.resources.base import Ref
from vpngw_iac.resources.wire import Output
from vpngw_iac.secret import Secret
from vpngw_iac.simulator.faults import AnswerInstead, BreakConnection, FailLate
from vpngw_iac.state.journal import OperationClosed
from vpngw_iac.usecases.exporter import export_blueprint
from vpngw_iac.usecases.locking import RedactedStore

MARK = "canaryMark"
KINDS = {
    "env": (Secret.env("PSK_ENV"), f"{MARK}Env0001"),
    "file": (Secret.file("keys/psk.txt"), f"{MARK}File002"),
    "vault": (Secret.key_vault("kv-hub", "psk-vault"), f"{MARK}Vault03"),
    "generated": (Secret.generated("kv-hub", "psk-made"), f"{MARK}Made004"),
}


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    harness = Harness(tmp_path / "desk")
    (tmp_path / "desk" / "keys").mkdir(parents=True)
    (tmp_path / "desk" / "keys" / "psk.txt").write_text(f"{KINDS['file'][1]}\n", encoding="utf-8")
    harness.environment |= {"PSK_ENV": KINDS["env"][1], "RADIUS": f"{MARK}Radius5", "MD5": f"{MARK}Md5006"}
    harness.environment |= {"VPNGW_SECRET_PSK_VAULT": KINDS["vault"][1], "VPNGW_SECRET_PSK_MADE": KINDS["generated"][1]}
    return harness


def every_secret() -> Deployment:
    """A connection per kind, RADIUS with two servers, MD5 on a circuit's peering."""
    servers = [
        {"radiusServerAddress": "10.1.0.11", "radiusServerScore": 30, "radiusServerSecret": Secret.env("RADIUS")},
        {"radiusServerAddress": "10.1.0.12", "radiusServerScore": 20, "radiusServerSecret": Secret.env("RADIUS")},
    ]
    clients = radius(Secret.env("RADIUS"))
    inner = clients["vpnClientConfiguration"]
    for name in ("radiusServerAddress", "radiusServerSecret"):
        inner.pop(name)
    inner["radiusServers"] = servers
    deployment = hub().but(gateway(**clients))
    for number, (kind, (reference, _)) in enumerate(KINDS.items()):
        deployment = deployment.plus(site(kind, number), connection(kind, sharedKey=reference))
    private = make(
        "CircuitPeering/line/private",
        rid("expressRouteCircuits/peerings", "erc-line", "AzurePrivatePeering"),
        {
            "peeringType": "AzurePrivatePeering",
            "peerASN": 65050,
            "primaryPeerAddressPrefix": "172.16.1.0/30",
            "secondaryPeerAddressPrefix": "172.16.1.4/30",
            "vlanId": 100,
            "sharedKey": Secret.env("MD5"),
        },
    )
    return deployment.plus(circuit(), private)


def texts(harness: Harness) -> Iterator[tuple[str, str]]:
    """Every file of the harness but the one that holds the secret itself."""
    for path in sorted(harness.folder.rglob("*")):
        if path.is_file() and path.name != "psk.txt":
            yield str(path.relative_to(harness.folder)), path.read_bytes().decode("utf-8", "replace")


def told(error: BaseException) -> str:
    """An exception in every form in which somebody may print it, locals of all frames included."""
    rich = traceback.TracebackException.from_exception(error, capture_locals=True)
    return f"{error!r} {error} {vars(error)!r} {''.join(rich.format())}"


def assert_clean(name: str, text: str, marks: tuple[str, ...] = (MARK,)) -> None:
    for mark in marks:
        place = text.find(mark)
        assert place < 0, f"{name} holds a secret: ...{text[max(0, place - 200) : place + 5]}..."


def check(harness: Harness, deployment: Deployment, *things: Any) -> None:
    for name, text in texts(harness):
        assert_clean(name, text)
    workspace = harness.workspace()
    plan = workspace.plan(deployment)
    assert_clean("plan", repr(plan))
    assert_clean("saved plan", json.dumps(workspace.save_plan(plan)))
    assert_clean("destroy plan", json.dumps(workspace.save_plan(workspace.plan(deployment, Options(destroy=True)))))
    for use in (
        workspace.drift,
        workspace.show,
        workspace.history,
        workspace.check_secrets,
        workspace.diagnose,
        workspace.verify,
    ):
        assert_clean(use.__name__, repr(use(deployment)))
    assert_clean("export", repr(export_blueprint(workspace, deployment)))
    assert_clean("events", repr(harness.events))
    assert_clean("workspace", repr(workspace) + repr(vars(workspace)))
    assert_clean("session", repr(workspace.session(deployment)) + repr(vars(workspace.session(deployment))))
    for number, thing in enumerate(things):
        assert_clean(f"thing {number}", told(thing) if isinstance(thing, BaseException) else repr(thing))


def test_a_whole_life_leaves_no_secret_anywhere(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    deployment = every_secret()

    created = harness.apply(deployment)
    harness.environment["PSK_ENV"] = f"{MARK}Env0002"
    harness.environment["RADIUS"] = f"{MARK}Radius6"
    rotated = harness.apply(deployment)
    check(harness, deployment, created, rotated)
    destroyed = harness.destroy(deployment)

    assert [o.outcome for o in (created, rotated, destroyed)] == ["succeeded"] * 3, failures(created)
    assert_clean("log", caplog.text)
    check(harness, deployment, destroyed)


def failures(outcome: Any) -> list[tuple[str, str]]:
    return [(r.address, r.error) for r in outcome.operations if r.error]


@pytest.mark.parametrize(
    "effect",
    [
        AnswerInstead(status=400, code="InvalidSharedKey", message=f"'{MARK}Env0001' is not a key."),
        AnswerInstead(status=400, code="Bad", message=f'{{\\"sharedKey\\": \\"{MARK}Env0001\\"}}'),
        FailLate(code="Bad", message=f"Could not set {MARK}Env0001"),
        BreakConnection(done=True),
    ],
    ids=["refused", "escaped", "late", "lost"],
)
def test_an_azure_that_repeats_the_secret_in_its_error_is_silenced(
    harness: Harness, effect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    harness.fault(effect, method="PUT", path="*/connections/con-env")

    outcome = harness.apply(every_secret())

    check(harness, every_secret(), outcome)
    assert_clean("log", caplog.text)


FORMS = {
    "plain": lambda value: value,
    "url": lambda value: quote(value, safe=""),
    "json in json": lambda value: json.dumps(json.dumps({"sharedKey": value})),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 of more": lambda value: base64.b64encode(f"user:{value}".encode()).decode(),
    "at the cut": lambda value: "x" * 1450 + value * 9,
}


@pytest.mark.parametrize("late", [False, True], ids=["refused", "late"])
@pytest.mark.parametrize("form", FORMS)
def test_the_secret_of_another_resource_is_silenced_too(harness: Harness, form: str, late: bool) -> None:
    """Azure speaks of the keys of all connections while one of them, or a public IP, is written."""
    values = [value for _, value in KINDS.values()] + [f"{MARK}Radius5", f"{MARK}Md5006"]
    said = " ".join(FORMS[form](value) for value in values)
    effect = FailLate(code="Bad", message=said) if late else AnswerInstead(status=400, code="Bad", message=said)
    harness.fault(effect, method="PUT", path="*/publicIPAddresses/*")

    outcome = harness.apply(every_secret())

    assert outcome.outcome == "failed"
    check(harness, every_secret(), outcome)
    forms = tuple(FORMS[form](value) for value in values)
    for name, text in texts(harness):
        assert_clean(name, text, forms)
    assert_clean("outcome", repr(outcome), forms)
    assert_clean("events", repr(harness.events), forms)


def test_a_run_that_dies_leaves_no_secret_in_its_journal_or_its_exception(harness: Harness) -> None:
    def die(event: Any) -> None:
        if isinstance(event, OperationStarted) and event.address == "VpnConnection/hub/vault":
            raise Killed

    with pytest.raises(Killed) as killed:
        harness.apply(every_secret(), run={"on_event": die})

    check(harness, every_secret(), killed.value)


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


SAID = f"keys: {KINDS['env'][1]}, {quote(KINDS['file'][1])}, {base64.b64encode(KINDS['vault'][1].encode()).decode()}"
RAISED: dict[str, Callable[[], Exception]] = {
    "ours": lambda: VpngwError(SAID, advice=SAID, address=SAID),
    "a finding": lambda: Refused("no", findings=[Finding("V-1", "error", "a", "b", SAID, SAID)]),
    "the system": lambda: OSError(5, SAID, "/tmp/keys"),
    "anybody": lambda: ValueError(SAID),
    "a cause": lambda: caused(VpngwError("no"), ValueError(SAID)),
    "several": lambda: ExceptionGroup("no", [ValueError(SAID)]),
}


@pytest.mark.parametrize("kind", RAISED)
def test_whoever_repeats_a_secret_in_a_run_is_silenced(harness: Harness, kind: str) -> None:
    harness.create(every_secret())
    deployment = every_secret().but(connection("env", sharedKey=KINDS["env"][0], dpdTimeoutSeconds=30))

    def say(*_: Any) -> bool:
        raise RAISED[kind]()

    with pytest.raises(Exception, match=r"no|keys") as raised:
        harness.apply(deployment, run={"confirm": say})

    assert isinstance(raised.value, type(RAISED[kind]()))
    assert_silent(raised.value)


@pytest.mark.parametrize("kind", ["ours", "anybody"])
def test_whoever_repeats_a_secret_while_a_plan_is_made_is_silenced(harness: Harness, kind: str) -> None:
    harness.create(every_secret())

    class Talkative(dict[str, str]):
        def get(self, name: str, *rest: Any) -> Any:
            if name == "RADIUS":  # asked for when every other one is known
                raise RAISED[kind]()
            return super().get(name, *rest)

    harness.environment = Talkative(harness.environment)

    with pytest.raises(type(RAISED[kind]())) as raised:
        harness.plan(every_secret())

    assert_silent(raised.value)


def assert_silent(error: BaseException) -> None:
    text = "".join(traceback.format_exception(error)) + repr(vars(error))
    assert "***" in text
    assert_clean("exception", text, (MARK, base64.b64encode(KINDS["vault"][1].encode()).decode()[:12]))


def test_what_is_written_into_a_journal_shows_no_secret(harness: Harness) -> None:
    harness.create(every_secret())
    session = harness.workspace().session(every_secret())
    session.masks.add(KINDS["env"][1])
    store = session.bound_store()

    with store.locked(session.owner("test")) as locked:
        closed = OperationClosed(at="", operation="1", status="failed", code=SAID[:30], error=SAID, request=SAID)
        RedactedStore(locked, session.masks).append(closed)

    for name, text in texts(harness):
        assert_clean(name, text, (KINDS["env"][1],))


def test_a_refused_run_says_no_secret(harness: Harness) -> None:
    harness.create(every_secret())
    del harness.environment["MD5"]
    harness.environment["PSK_ENV"] = f"{MARK}Env0009"
    edited = every_secret().but(gateway(sku="VpnGw1AZ"))

    with pytest.raises(VpngwError) as refused:
        harness.apply(edited)

    check(harness, edited, refused.value)


def test_a_missing_secret_names_its_reference_and_no_other_value(harness: Harness) -> None:
    del harness.environment["MD5"]

    with pytest.raises(VpngwError) as refused:
        harness.apply(every_secret())

    assert "MD5" in refused.value.message
    check(harness, every_secret(), refused.value)


def test_a_key_that_azure_made_never_leaves_it(harness: Harness) -> None:
    source = rid("expressRouteCircuits/authorizations", "erc-line", "hub")
    key = Output(source, "properties.authorizationKey", secret=True)
    authorization = make("CircuitAuthorization/line/hub", source, None)
    inner = gateway().body()["properties"]["ipConfigurations"]
    expressroute = make(
        "ErGateway/hub",
        rid("virtualNetworkGateways", "vgw-hub"),
        {"gatewayType": "ExpressRoute", "sku": {"name": "ErGw1AZ"}, "ipConfigurations": inner},
        location=REGION,
    )
    joined = make(
        "Connection/hub/line",
        rid("connections", "con-line"),
        {
            "connectionType": "ExpressRoute",
            "virtualNetworkGateway1": Ref.to(rid("virtualNetworkGateways", "vgw-hub")),
            "peer": Ref.to(rid("expressRouteCircuits", "erc-line")),
            "authorizationKey": key,
        },
        location=REGION,
    )
    base = hub().without("VpnGateway/hub")
    deployment = base.plus(expressroute, circuit(), authorization, joined)
    harness.apply(deployment)
    harness.simulator.provision_circuit(str(rid("expressRouteCircuits", "erc-line")))
    outcome = harness.apply(deployment)
    stored = harness.simulator._store.find(source)
    made = next(
        value for value in flat(vars_of(stored)) if isinstance(value, str) and len(value) >= 32 and "/" not in value
    )

    assert outcome.outcome == "succeeded", failures(outcome)
    for name, text in texts(harness):
        assert_clean(name, text, (made,))
    plan = harness.plan(deployment)
    assert plan.changes == ()
    assert_clean("plan", repr(plan), (made,))
    assert_clean("events", repr(harness.events), (made,))
    assert_clean("outcome", repr(outcome), (made,))


def vars_of(thing: Any) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in ("hidden", "body") if hasattr(thing, name)}


def flat(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from flat(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from flat(inner)
    else:
        yield value


def test_the_canary_itself_is_seen_where_it_may_be(harness: Harness) -> None:
    """Azure did get the values: otherwise finding none of them elsewhere would prove nothing."""
    harness.create(every_secret())

    held = repr([vars_of(document) for document in harness.simulator._store.documents.values()])

    for _, value in KINDS.values():
        assert value in held
    assert f"{MARK}Radius5" in held
    assert f"{MARK}Md5006" in held
