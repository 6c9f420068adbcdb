"""What happens around one call, in a worker thread: read, overlay, resolve, and afterwards what the answer tells.

Nothing here touches journal or state. Secrets and outputs are resolved here, just before the call.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.difference import Comparison, compare, compare_whole
from vpngw_iac.engine.compare.document import ABSENT, MaskedSecret, lookup, secrets_in, transform
from vpngw_iac.engine.compare.overlay import carried_loss, overlay
from vpngw_iac.engine.compare.secret_masking import entry_of, mask_secrets, stored
from vpngw_iac.engine.order.operation import Operation
from vpngw_iac.engine.order.order import in_the_way
from vpngw_iac.engine.order.transit import half_of
from vpngw_iac.engine.plan.guests import Guests, applied_less_used
from vpngw_iac.engine.plan.inputs import DEPLOYMENT_TAG, deployment_in
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.engine.ports import Call, Cloud, Ended, Observed
from vpngw_iac.errors import (
    AzureRefused,
    CarriedValueLost,
    CloudError,
    ExitCode,
    Forbidden,
    OtherTenant,
    OutputMissing,
    SecretError,
    StalePlan,
)
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.graph import outputs_in
from vpngw_iac.resources.shape import shape_of
from vpngw_iac.resources.wire import Document, Output
from vpngw_iac.secret import Fingerprint, FingerprintKey, SecretReference, SecretSource, SecretValue
from vpngw_iac.state.model import Entry


@dataclass(frozen=True, slots=True, repr=False)
class Prepared:
    """A call that is ready to be sent, and what the journal may know about it."""

    call: Call
    etag: str
    digest: str
    entry: Entry | None = None
    declared: Document = field(default_factory=dict)
    """What is declared, secrets masked: for checking the answer."""


@dataclass(frozen=True, slots=True)
class NoCallNeeded:
    """No call is needed: Azure already has it (or has lost it, for a delete)."""

    entry: Entry | None = None
    forget: str = ""
    """Why the entry is forgotten instead of deleted."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Azure is still at work on this resource; wait for it and prepare again."""

    observed: Observed


@dataclass(frozen=True, slots=True)
class GateClosed:
    """People outside must act first."""

    says: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """Azure keeps refusing, and something that has to do with it is in a failed state."""

    blocker: ArmId
    error: AzureRefused
    """What it comes to if nothing of ours can repair it."""


Preparation = Prepared | NoCallNeeded | Busy | GateClosed | Blocked


_OUR_MARK = f"tags.{DEPLOYMENT_TAG}"
"""A policy may take it off: that is not a loss of anybody's."""

BLOCKED_AFTER = 3
"""So many refusals because of another operation, and we look whether something is in a failed state."""


@dataclass(frozen=True)
class Worker:
    """Everything a worker needs; all of it may be used from several threads."""

    plan: Plan
    cloud: Cloud
    secrets: SecretSource
    key: FingerprintKey

    def prepare(
        self,
        operation: Operation,
        *,
        maybe_applied: bool = False,
        contentions: int = 0,
        superseded: bool = False,
        landing: Collection[tuple[str, bool]] = (),
    ) -> Preparation:
        """Read what Azure has now and make the call.

        `maybe_applied`: a call of ours may have been carried out already. `contentions`: so often Azure said "another
        operation". `superseded`: somebody wrote between our read and our write; it is made again only while the change
        stays the one that was planned. `landing`: addresses whose ids must still be free before this takes something
        away, and whether this run is making them just now.
        """
        for address, is_under_way in landing:
            self._require_free(self.plan.graph.resources[address], is_under_way=is_under_way)
        if contentions >= BLOCKED_AFTER and (blocked := self._blocked(operation)) is not None:
            return blocked
        if operation.verb == "delete":
            return self._delete(operation)
        if operation.key.step == "release":
            return self._release(operation)
        resource = self.plan.graph.resources[operation.address]
        if (gate := self._closed_gate(resource)) is not None:
            return gate
        observed = self.cloud.read(resource.id)
        if not observed.is_terminal:
            return Busy(observed)
        if operation.verb == "act":
            return self._act(resource, observed, maybe_applied=maybe_applied)
        if operation.key.step == "sync" and not type(resource).lags(observed.document or {}):
            return NoCallNeeded(self._entry(resource, {}))  # somebody else did it, or its other half is gone
        if operation.verb == "tag":
            return self._tag(resource, observed, maybe_applied=maybe_applied)
        return self._put(operation, resource, observed, maybe_applied=maybe_applied, superseded=superseded)

    # -- verbs

    def _delete(self, operation: Operation) -> Preparation:
        observed = self.cloud.read(operation.id)
        if not observed.present:
            return NoCallNeeded()
        if not observed.is_terminal:
            return Busy(observed)
        if not operation.id.names:
            left = [item for item in self.cloud.attached([operation.id]) if item.kind == "resource"]
            if left:
                names = ", ".join(sorted(item.name for item in left)[:5])
                return NoCallNeeded(forget=f"{operation.address} is kept, it is not empty: {names}")
        return Prepared(Call("delete", operation.id), etag=observed.etag or "present", digest="")

    def _release(self, operation: Operation) -> Preparation:
        """Put what is about to be forgotten with its flags off, and nothing else changed."""
        observed, model = self.cloud.read(operation.id), half_of(operation.id)
        if not observed.is_terminal:
            return Busy(observed)
        change, on = self.plan.change(operation.id), model.flags(observed.document) if model is not None else ()
        ours = {difference.path for difference in change.differences} if change is not None else set()
        found = zip(model.flag_names, on, strict=True) if model is not None else ()
        off = {name: False for name, value in found if value and f"properties.{name}" in ours}
        if observed.document is None or model is None or not off:
            return NoCallNeeded()
        sent = overlay(shape_of(model), {"properties": off}, {}, observed.document)
        if observed.etag:
            sent["etag"] = observed.etag
        call = Call("put", operation.id, self._opened(sent, {}), etag=observed.etag)
        return Prepared(call, observed.etag or "present", _digest(off))

    def _act(self, resource: Resource, observed: Observed, *, maybe_applied: bool) -> Preparation:
        if not observed.present:
            raise AzureRefused(f"{resource.id} is gone.", address=resource.address, code="NotFound", status=404)
        values, own = self._values(resource), resource.key_call
        assert own is not None  # noqa: S101 - what has no call of its own is never given one
        value = values[lookup(resource.body(), own.path)]
        entry = self._entry(resource, values)
        witness = lookup(observed.document, own.path)
        mine = self.key.fingerprint(value.value, value.version)
        if maybe_applied and isinstance(witness, Fingerprint) and witness.same_value(mine):
            return NoCallNeeded(entry)
        call = Call("act", resource.id, {"value": value.value}, action=own.action, secrets=(value.value,))
        return Prepared(call, etag=observed.etag or "present", digest=_digest(entry.applied), entry=entry)

    def _tag(self, resource: Resource, observed: Observed, *, maybe_applied: bool) -> Preparation:
        if observed.document is None:
            raise AzureRefused(f"{resource.id} is gone.", address=resource.address, code="NotFound", status=404)
        shape = shape_of(type(resource)).at("tags")
        declared, entry = resource.body().get("tags", {}), self.plan.state.entries.get(resource.address)
        applied = (entry.applied.get("tags") or {}) if entry else {}
        tags = self._own(resource, overlay(shape, declared, applied, observed.document.get("tags") or {}))
        kept = self._entry(resource, {})
        left = {path: value for path, value in kept.adopted.items() if not path.startswith("tags")}
        kept = kept.model_copy(update={"adopted": left})
        if maybe_applied and tags == observed.document.get("tags"):
            return NoCallNeeded(kept)
        call = Call("tag", resource.id, {"tags": tags}, tenants=self._tenants(resource))
        return Prepared(call, observed.etag or "present", _digest(kept.applied), kept, {"tags": declared})

    def _put(
        self, operation: Operation, resource: Resource, observed: Observed, *, maybe_applied: bool, superseded: bool
    ) -> Preparation:
        body = resource.body_without(operation.detach) if operation.detach else resource.body()
        values = self._values(resource)
        outputs = self._outputs(body)
        fingerprints = {reference: self.key.fingerprint(v.value, v.version) for reference, v in values.items()}
        declared = mask_secrets(body, fingerprints, lambda output: outputs.get(output, ABSENT))
        entry = self._entry(resource, values, body, outputs)
        entry = entry.model_copy(update={"broken": ""})
        if operation.kind == "update" and resource.address not in self.plan.state.entries:
            entry = entry.model_copy(update={"created": False})  # adopted and changed
        if operation.kind == "create":
            if observed.present and not (maybe_applied and self._is_mine(resource, declared, observed)):
                raise _appeared(resource, observed)
            if observed.state == "Succeeded" and not self._differs(resource, declared, observed):
                return NoCallNeeded(entry)
        shape = shape_of(type(resource))
        sent = dict(declared)
        if observed.document is not None:
            known = self.plan.state.entries.get(resource.address)
            applied = applied_less_used(type(resource), known, declared, self._guests) if known else None
            unread = known.unread if known else ()
            taken = known is None and operation.kind == "update"
            found = compare_whole(type(resource), declared, applied, observed.document, unread=unread, adopting=taken)
            entry = entry.model_copy(update={"adopted": self._still_adopted(operation, known, found.held)})
            if operation.key.step != "sync" and self._is_done(operation, observed, found, maybe_applied=maybe_applied):
                return NoCallNeeded(entry)
            if superseded and operation.kind == "update":
                self._still_as_planned(operation, found)
            sent = resource.tidied(overlay(shape, declared, applied, observed.document, held=found.held))
            sent = resource.emptied(sent, operation.detach)
        if resource.taggable:
            sent["tags"] = self._own(resource, dict(sent.get("tags") or {}))
        if observed.etag:
            sent["etag"] = observed.etag
        call = Call(
            "put",
            resource.id,
            self._opened(sent, values),
            etag=observed.etag,
            tenants=self._tenants(resource),
            secrets=tuple(value.value for value in values.values()),
            sync=type(resource).takes_over(observed.document or {}),
        )
        before = observed.etag or ("present" if observed.present else "absent")  # locks and their kin have no etag
        return Prepared(call, before, _digest(entry.applied), entry, declared)

    # -- parts

    def _still_adopted(self, operation: Operation, known: Entry | None, held: Collection[str]) -> dict[str, Any]:
        """What differs since its adoption and is not put by this either: the entry goes on remembering it."""
        change = self.plan.change(operation.id)
        adopted = known.adopted if known else (change.adopted if change else {})
        return {path: value for path, value in adopted.items() if path in held}

    @cached_property
    def _guests(self) -> Guests:
        return Guests.of(self.plan.snapshot, self.plan.graph, self.plan.state)

    def _require_free(self, resource: Resource, *, is_under_way: bool) -> None:
        """Raise if somebody made what a replacement needs to make, before anything is taken away for it."""
        observed = self.cloud.read(resource.id)
        if observed.present and not (is_under_way and (not resource.taggable or self._is_mine(resource, {}, observed))):
            error = _appeared(resource, observed)
            error.exit_code = ExitCode.REFUSED
            raise error

    def _is_mine(self, resource: Resource, declared: Document, observed: Observed) -> bool:
        """Whether a call of ours made what appeared: it bears our mark; or it cannot bear one, and is as declared."""
        if resource.taggable:
            return deployment_in(observed.document) == self.plan.deployment
        return not self._differs(resource, declared, observed)

    def _differs(self, resource: Resource, declared: Document, observed: Observed) -> bool:
        document = observed.document or {}
        return bool(compare(shape_of(type(resource)), declared, declared, document).found)

    def _still_as_planned(self, operation: Operation, found: Comparison) -> None:
        change = self.plan.change(operation.id)
        if change is None or operation.key.step != "put":
            return
        planned = {difference.path for difference in change.differences}
        new = [f.difference.path for f in found.owned if f.difference.path not in planned]
        if new:
            raise StalePlan(
                f"Somebody changed {', '.join(new)} of {operation.id} while it was being written.",
                address=operation.address,
            )

    def _is_done(self, operation: Operation, observed: Observed, found: Comparison, *, maybe_applied: bool) -> bool:
        """Nothing differs: an output did not change after all, or the call whose answer was lost was carried out."""
        change = self.plan.change(operation.id)
        waited = operation.key.step == "put" and change is not None and bool(change.known_after)
        if not found.found and waited:
            return True
        return maybe_applied and observed.state == "Succeeded" and not found.owned and not found.unverified

    def _own(self, resource: Resource, tags: dict[str, Any]) -> dict[str, Any]:
        """Tags with our mark, which is how a lost state is found again."""
        if not resource.taggable or DEPLOYMENT_TAG in resource.body().get("tags", {}):
            return tags
        others = {name: value for name, value in tags.items() if name.lower() != DEPLOYMENT_TAG}
        return others | {DEPLOYMENT_TAG: self.plan.deployment}

    def _values(self, resource: Resource) -> dict[SecretReference, SecretValue]:
        found = {}
        for path, reference in secrets_in(resource.body()):
            try:
                found[reference] = self.secrets.resolve(reference)
            except SecretError as error:
                raise SecretError(f"{path}: {error.message}", advice=error.advice, address=resource.address) from None
        return found

    def _outputs(self, body: Document) -> dict[Output, Any]:
        known: dict[Output, Any] = {}
        for path, output in outputs_in(body):
            if output.secret:
                continue
            source = self.cloud.read(output.source)
            value = ABSENT if source.document is None else lookup(source.document, output.path)
            if value is ABSENT:
                raise OutputMissing(
                    f"{path} needs {output.path} of {output.source}, which Azure does not report "
                    f"although it is {source.state or 'absent'}.",
                    advice="Run apply again: Azure may report the value a little later.",
                )
            known[output] = value
        return known

    def _entry(
        self,
        resource: Resource,
        values: Mapping[SecretReference, SecretValue],
        body: Document | None = None,
        outputs: Mapping[Output, Any] | None = None,
    ) -> Entry:
        fingerprints = {reference: self.key.fingerprint(v.value, v.version) for reference, v in values.items()}
        before = self.plan.state.entries.get(resource.address)
        resolve = (outputs if outputs is not None else self._outputs(resource.body())).get
        entry = entry_of(
            resource,
            self.plan.needed_entries(resource.address),
            fingerprints,
            lambda output: resolve(output, ABSENT),
            before,
        )
        if body is None:
            return entry
        return entry.model_copy(update={"applied": stored(body, lambda output: resolve(output, ABSENT))})

    def _opened(self, document: Document, values: Mapping[SecretReference, SecretValue]) -> Document:
        """The body with the secrets' values in it, for one call."""

        def leaf(path: str, value: Any) -> Any:
            if isinstance(value, MaskedSecret):
                if isinstance(value.reference, Output):
                    return self.cloud.secret(value.reference).value
                return values[value.reference].value
            raise TypeError(f"{path} cannot be sent")

        opened = transform(document, leaf)
        assert isinstance(opened, dict)  # noqa: S101 - a body is an object
        return opened

    def _tenants(self, resource: Resource) -> tuple[str, ...]:
        """Tenants, other than the resource's own, of what its body names."""
        home = resource.tenant or self.cloud.identity.tenant
        graph = self.plan.graph
        joined = (graph.by_id.get(target) or graph.existing.get(target) for target in resource.joins())
        others = {item.tenant for item in joined if item is not None and item.tenant}
        return tuple(sorted(tenant for tenant in others if tenant.lower() != home.lower()))

    def _closed_gate(self, resource: Resource) -> GateClosed | None:
        """A connection does not start before the provider has provisioned our circuit (R-ER-10)."""
        for holder, gate in self.plan.graph.gates(resource.address):
            observed = self.cloud.read(holder.id)
            if observed.document is not None and lookup(observed.document, gate.path) != gate.ready:
                return GateClosed(f"{holder.address}: {gate.says}")
        return None

    def _blocked(self, operation: Operation) -> Blocked | None:
        """What stands in the way: something needed, or a connection of the gateway, that is in a failed state."""
        for target in in_the_way(self.plan, operation.id):
            try:
                observed = self.cloud.read(target)
            except (Forbidden, OtherTenant):
                continue  # somebody else's, and nobody tells us: Azure's own refusal goes on counting
            if observed.has_failed:
                refusal = AzureRefused(
                    f"{operation.id} cannot be written while {target} is {observed.state}.",
                    code="ReferencedResourceFailed",
                    address=operation.address,
                    advice="It must be repaired first (GET it and PUT it back). If it is not ours, ask its owner.",
                )
                return Blocked(target, refusal)
        return None

    # -- afterwards

    def settle(self, operation: Operation, prepared: Prepared, ended: Ended) -> tuple[Entry | None, tuple[str, ...]]:
        """The entry after a successful operation and what to tell; raises `CarriedValueLost`."""
        entry = prepared.entry
        if entry is None or ended.observed is None or ended.observed.document is None or operation.verb == "act":
            return entry, ()
        shape = shape_of(type(self.plan.graph.resources[operation.address]))
        after = ended.observed.document
        lost = [p for p in carried_loss(shape, prepared.declared, prepared.call.body, after) if p != _OUR_MARK]
        if operation.key.step == "sync" and (level := type(self.plan.graph.resources[operation.address]).lags(after)):
            raise CloudError(
                f"{operation.id} is still {level} after it was synchronised: the other network has changed once more.",
                advice="Run apply again: it looks at what Azure has, and synchronises what is still out of step.",
                address=operation.address,
            )
        if operation.verb == "put" and lost:
            raise CarriedValueLost(
                f"After the PUT of {operation.id} these are gone, although they were carried along: {', '.join(lost)}.",
                advice="Somebody changed the resource at the same moment. Look at it before you apply again.",
                address=operation.address,
            )
        found = compare(shape, prepared.declared, prepared.declared, after).found
        silent = tuple(f.difference.path for f in found if f.difference.observed is None)
        if operation.verb == "tag":  # only tags were compared
            silent += tuple(path for path in entry.unread if not path.startswith("tags."))
        overruled = {
            path: f.difference.observed
            for f in found
            if (path := f.difference.path).startswith("tags.") and f.difference.observed is not None
        }
        notices = tuple(
            f"{operation.address}: {path} was overruled by a policy: Azure has {value!r}."
            for path, value in overruled.items()
        )
        return entry.model_copy(update={"unread": silent, "overruled": overruled}), notices


def _appeared(resource: Resource, observed: Observed) -> AzureRefused:
    return AzureRefused(
        f"{resource.id} exists now (state {observed.state}); it did not when the plan was made.",
        code="V-OWN-01",
        address=resource.address,
        advice=f"Plan again; take it over with --adopt {resource.address} if it is meant to be ours.",
    )


def _digest(document: Any) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
