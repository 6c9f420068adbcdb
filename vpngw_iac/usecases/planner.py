"""How a plan comes about: open a session, recall, observe, decide, judge, probe. Reads only; starts nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.ask.probe import probed
from vpngw_iac.engine.compare.document import secrets_in
from vpngw_iac.engine.compare.key_reading import whose_turn, with_keys
from vpngw_iac.engine.compare.observing import observe, read_existing
from vpngw_iac.engine.plan import guests
from vpngw_iac.engine.plan.change import Action
from vpngw_iac.engine.plan.decide import make_plan
from vpngw_iac.engine.plan.inputs import PlanInputs
from vpngw_iac.engine.plan.outage import Limit, check_agreed
from vpngw_iac.engine.plan.ownership import by_pattern
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.engine.plan.renaming import renames
from vpngw_iac.engine.ports import Snapshot
from vpngw_iac.errors import Finding, Findings, SecretError, UsageError
from vpngw_iac.files import first_link, open_to_all, owned
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.graph import Graph
from vpngw_iac.secret import (
    CachedSecrets,
    FileSecret,
    Fingerprint,
    FingerprintKey,
    GeneratedSecret,
    SecretReference,
    SecretSource,
)
from vpngw_iac.state.journal import LoadedState
from vpngw_iac.state.model import State
from vpngw_iac.text import suggestion
from vpngw_iac.usecases.offline import blueprint_context
from vpngw_iac.usecases.session import Session, SessionSettings, pipeline_url, said_by


def load_state(session: Session) -> LoadedState | None:
    """What is remembered of a deployment; of one that was renamed, what is remembered under its old name."""
    loaded = session.bound_store().load()
    if loaded is not None or session.former is None:
        return loaded
    old = session.former.bound_store().load()
    return renamed(old, session.deployment) if old is not None else None


def decide(session: Session, loaded: LoadedState | None, options: Options, *, resumed: bool) -> Plan:
    """Observe and decide; `resumed` says that the journal's open operations were dealt with."""
    from vpngw_iac.state.binding import binding_of, check_bound
    from vpngw_iac.state.log import replaced_since_success

    if options.max_outage is not None:
        Limit.of(options.max_outage)  # told before anything is read
    blueprint, reviewed = session.declared, session.reviewed
    state = loaded.state if loaded else State.new(session.deployment, binding_of(session.cloud.identity))
    graph = Graph.of(() if options.destroy else _items(session, state))
    belongs = {item.address: item.id for item in session.compiled if isinstance(item, Resource)}
    check_bound(state, session.cloud.identity, belongs, reviewed=reviewed is not None)
    snapshot = observe(session.cloud, graph, state, deep=options.deep, around=options.look_around or options.destroy)
    if loaded is not None and not resumed:
        state = _with_what_is_being_made(state, loaded, snapshot)
    secrets = CachedSecrets(session.secrets())
    fingerprints, unresolved = fingerprints_of(graph, secrets, session.readable_key())
    findings: list[Finding] = []
    if not options.destroy:
        open_files = () if session.saved_graph else exposed(graph, session.place)
        findings = [*(reviewed.findings if reviewed else ()), *_of_file(session), *unresolved, *open_files]
    findings += [*behind_a_link(session), *without_key(session), *by_hand(session)]
    owner = session.store().owner()
    moved = said_by(blueprint, "moved")
    if reviewed is None:
        options = replace(options, key_turns=whose_turn(options.verify_keys, graph, session.clock.utc()))
    snapshot = with_keys(session.cloud, graph, snapshot, options.key_turns, session.place.threads)
    if reviewed is None:
        options, untaken = by_pattern(options, graph, state, snapshot, moved)
        findings += untaken
        options = _with_addresses(options, graph, state)
        check_agreed(options.outage_agreed, graph, state, snapshot)
    if options.replace:
        options = replace(options, replaced=replaced_since_success(session.store().history()))
    inputs = PlanInputs(
        deployment=session.deployment,
        identity=session.cloud.identity,
        state_url=session.store().url,
        graph=graph,
        state=state,
        snapshot=snapshot,
        fingerprints=fingerprints,
        options=options,
        moved=moved,
        formerly=said_by(blueprint, "formerly"),
        findings=tuple([*findings, *_in_flight(loaded, resumed=resumed)]),
        running=owner.describe() if owner and not resumed else "",
    )
    plan = make_plan(inputs)
    if asked := guests.to_ask(plan.changes, snapshot, plan.graph, state):
        plan = make_plan(replace(inputs, snapshot=guests.ask(session.cloud, snapshot, asked, read_existing)))
    of_graph = session.saved_graph is not None
    plan = replace(plan, settings=str(session.place.settings.file or ""), of_graph=of_graph)
    return _with_preflight(session, plan, secrets)


def _items(session: Session, state: State) -> Iterable[Resource | Existing]:
    """What is declared; certificates that a saved graph takes from a vault are as they were applied."""
    if session.saved_graph is None:
        return session.items
    from vpngw_iac.usecases.certificates import as_applied

    return [as_applied(item, state.entries.get(item.address)) for item in session.items]


def _of_file(session: Session) -> list[Finding]:
    """What only the blueprint's file showed where a graph was compiled: everything else is judged again."""
    said = session.saved_graph.findings if session.saved_graph else ()
    return [finding for finding in said if finding.rule == "P-TWICE" or finding.rule.startswith("B-")]


def _with_preflight(session: Session, plan: Plan, secrets: CachedSecrets) -> Plan:
    """Judge again with what Azure has: rules about creating are errors only where this plan creates.

    A plan that was judged when it was made, and a destroy, meet only the rules about what Azure shows just now.
    """
    from vpngw_iac import preflight

    saved = session.saved_graph
    found = preflight.check(
        (*plan.graph.resources.values(), *plan.graph.existing.values()),
        **(saved.context() if saved else blueprint_context(session.scope, session.declared)),
        observed=_documents(plan),
        created_or_replaced={c.id for c in plan.changes if c.action in (Action.CREATE, Action.REPLACE)},
        changed={c.id: [d.path for d in c.differences] for c in plan.changes},
        deleted=_deleted(plan),
        live=session.reviewed is not None or plan.options.destroy,
        profile=plan.options.profile or session.place.profile,
        reveal=secrets.reveal,
    )
    told = map(session.told, [*plan.findings, *found, *renames(plan)])
    return replace(plan, findings=Findings.of(told).items)


def ask(session: Session, plan: Plan) -> Plan:
    """Ask Azure what would stop the plan, if that is wanted."""
    if not plan.options.probe:
        return plan
    asked = probed(session.cloud, plan)
    return replace(asked, findings=tuple(map(session.told, asked.findings)))


def _with_addresses(options: Options, graph: Graph, state: State) -> Options:
    """The options with the address of each resource they name; raises `UsageError` for a name that nothing bears.

    An id counts however it is cased; what is not found is a slip of the pen that must not pass as "No changes".
    """
    known = {entry.id.key: entry.address for entry in state.entries.values()}
    known |= {resource.id.key: address for address, resource in graph.resources.items()}
    addresses = {address.lower(): address for address in (*state.entries, *graph.resources)}
    found: dict[str, frozenset[str]] = {}
    for name in ("target", "replace", "adopt"):
        given = {text: addresses.get(text.lower()) or known.get(text.lower()) for text in getattr(options, name)}
        for text, address in sorted(given.items()):
            if address is None:
                hint = suggestion(text, addresses.values()) or "`vpngw compile FILE` and `vpngw state list` show them."
                raise UsageError(f"--{name} {text} is neither in the blueprint nor in the state.", advice=hint)
        found[name] = frozenset(address for address in given.values() if address)
    return replace(options, target=found["target"], replace=found["replace"], adopt=found["adopt"])


def _documents(plan: Plan) -> dict[ArmId, Any]:
    """What Azure has of what is declared, remembered, used or attached; the engine tells of a gateway in the way."""
    beside = {finding.location for finding in plan.findings if finding.rule == "V-OWN-03"}
    there = {i: answer.document for i, answer in plan.snapshot.observed.items() if answer.document is not None}
    return {i: document for i, document in {**there, **guests.remaining(plan)}.items() if i.key not in beside}


def _deleted(plan: Plan) -> dict[ArmId, str]:
    """Addresses of what this plan deletes, alone or to build it again."""
    going = [change for change in plan.changes if change.action in (Action.DELETE, Action.REPLACE)]
    ids = {i for change in going for i in (change.id, change.old_id)}
    return {entry.id: entry.address for entry in plan.state.entries.values() if entry.id in ids}


def fingerprints_of(
    graph: Graph, source: SecretSource, key: FingerprintKey | None
) -> tuple[dict[SecretReference, Fingerprint | None], list[Finding]]:
    """Fingerprint of each reference as it is now; those that cannot be resolved here are told once."""
    fingerprints: dict[SecretReference, Fingerprint | None] = {}
    findings = []
    for resource in graph.resources.values():
        for path, reference in secrets_in(resource.body()):
            if reference in fingerprints:
                continue
            try:
                value = source.resolve(reference)
                fingerprints[reference] = key.fingerprint(value.value, value.version) if key else None
            except SecretError as error:
                fingerprints[reference] = None
                if isinstance(reference, GeneratedSecret):
                    continue  # apply makes it
                findings.append(
                    Finding(
                        rule="V-SECRET-03",
                        level="warning",
                        address=resource.address,
                        summary="Secret cannot be resolved here",
                        detail=f"{path} ({reference}): {error.message} A changed value cannot be told by this plan, "
                        "and apply refuses to write what needs it.",
                        advice=error.advice,
                    )
                )
    return fingerprints, findings


def exposed(graph: Graph, place: SessionSettings) -> list[Finding]:
    """Secret files that every user of this machine can read, each told once."""
    folder = place.secret_directory or place.directory
    found: dict[str, Finding] = {}
    for resource in graph.resources.values():
        for path, reference in secrets_in(resource.body()):
            if isinstance(reference, FileSecret) and open_to_all(folder / reference.path):
                found.setdefault(
                    reference.path,
                    Finding(
                        rule="V-SECRET-04",
                        level="warning",
                        address=resource.address,
                        summary="Every user of this machine can read the secret file",
                        detail=f"{path} ({reference}): {owned(folder / reference.path)}.",
                        advice=f"chmod 600 {reference.path}",
                    ),
                )
    return list(found.values())


def behind_a_link(session: Session) -> list[Finding]:
    """A state folder that is reached over a symbolic link: whoever may change the link decides which state is used."""
    root = session.place.state_root(session.deployment)
    link = first_link(Path(os.path.abspath(root))) if isinstance(root, Path) else None  # noqa: PTH100 - links stay
    if link is None:
        return []
    return [
        Finding(
            rule="V-STATE-04",
            level="warning",
            summary="The state folder lies behind a symbolic link",
            detail=f"{root} is reached over {link}, which leads to {os.path.realpath(link)}; {owned(link.parent)}.",
            advice="Name the folder that it leads to with --state.",
        )
    ]


_KEY_BESIDE = Finding(
    rule="V-STATE-06",
    level="info",
    summary="The key lies beside the state",
    detail="Whoever may read the state can read the key that seals plans and recognises secrets.",
    advice="`vpngw state init` moves it into a container of its own, which can have rights of its own.",
)


def without_key(session: Session) -> list[Finding]:
    """The store's key may not be read here: whoever has no right to it plans all the same."""
    if not session.key_denied:
        return [_KEY_BESIDE] if not session.store().key_is_apart else []
    return [
        Finding(
            rule="V-STATE-05",
            level="info",
            summary="The key of the state cannot be read here",
            detail=f"{_where(session)}No secret is compared with what was applied, and a plan that is saved here is "
            "not sealed.",
            advice="`vpngw apply` takes a plan that was made where the key can be read.",
        )
    ]


def _where(session: Session) -> str:
    name = session.store().key_name
    return f"It is {name}. " if name else ""


def by_hand(session: Session) -> list[Finding]:
    """A pipeline says so when the last run did not come from one: somebody broke the glass."""
    from vpngw_iac.state.log import last_by_hand

    if not pipeline_url(session.place.environment):
        return []
    found = last_by_hand(session.store().history(), session.run)
    if found is None:
        return []
    return [
        Finding(
            rule="V-RUN-01",
            level="info",
            summary="The last run came from no pipeline",
            detail=f"`vpngw {found.command}` was run by {found.actor} at {found.at}, past the pipeline.",
            advice="`vpngw log` tells what it did; what it changed and the blueprint does not say is in this plan.",
        )
    ]


def tell_of_links(session: Session) -> None:
    """What only looks at a state, or works on it by hand, tells of a link by a notice."""
    for finding in behind_a_link(session):
        session.tell(f"Warning: {finding.detail} {finding.advice}")


def _with_what_is_being_made(state: State, loaded: LoadedState, snapshot: Snapshot) -> State:
    """The state with what open operations make: it is there, it is ours, and it has no entry before it has ended."""
    made = {
        flight.begun.entry.address: flight.begun.entry
        for flight in loaded.in_flight.values()
        if flight.begun.entry is not None and snapshot.get(flight.begun.id).present
    }
    return state.model_copy(update={"entries": {**made, **state.entries}})


def _in_flight(loaded: LoadedState | None, *, resumed: bool) -> list[Finding]:
    if loaded is None or resumed:
        return []
    return [
        Finding(
            rule="V-JOURNAL-01",
            level="info",
            address=flight.begun.address,
            summary="An earlier run left this operation open",
            detail=f"The {flight.begun.step} of {flight.begun.address} was begun at {flight.begun.at} and is ours.",
            advice="`vpngw apply` waits for it and goes on; `vpngw wait` only waits.",
        )
        for flight in loaded.in_flight.values()
    ]


def renamed(loaded: LoadedState, deployment: str) -> LoadedState:
    """The memory of a deployment under its new name: same lineage, same entries."""
    return replace(loaded, state=loaded.state.model_copy(update={"deployment": deployment}), open_run=None)
