"""Reading resources: one GET each, or one LIST per type and group where that costs fewer requests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from vpngw_iac.arm import ArmId, InvalidArmId
from vpngw_iac.azure.answer import Answer
from vpngw_iac.azure.client import Arm
from vpngw_iac.azure.reads import LIST_METHOD, list_path
from vpngw_iac.azure.redact import without_secrets
from vpngw_iac.azure.response_shape import misfit
from vpngw_iac.azure.retry import SILENCE, Retry
from vpngw_iac.azure.translate import not_arm
from vpngw_iac.engine.ports import Clock, Fingerprinter, Listing, Observed
from vpngw_iac.errors import Forbidden, UsageError
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import model_of, shape_at, type_of
from vpngw_iac.secret import Fingerprint
from vpngw_iac.text import duration

T = TypeVar("T")

THREADS = 16
"""Calls of one reading at once."""

MOST_PAGES = 1000
MOST_ITEMS = 200_000
LIST_SECONDS = 3600.0
"""Where a LIST ends that does not end by itself. A page of Azure's networks has up to 1000 items (R-LIM rules)."""


def sdk_of(resource_id: ArmId) -> str:
    """The SDK's operation group for an id, for example ``network.subnets``."""
    model = type_of(resource_id.type)
    if model is None:
        raise UsageError(f"{resource_id} has the type {resource_id.type}, which vpngw does not know.")
    return model.sdk


def version_of(resource_id: ArmId) -> str:
    """Api-version of a type that goes through the generic calls by id; empty for all others."""
    return model_of(resource_id).api_version


def names_of(resource_id: ArmId) -> tuple[str, ...]:
    """Arguments of the SDK's methods: the group, then the names along the path; or the whole id for calls by id."""
    if version_of(resource_id):
        return (str(resource_id).lstrip("/"),)
    return (str(resource_id.group), *resource_id.names)


def is_absent(answer: Answer, resource_id: ArmId) -> bool:
    """Whether Azure says that it does not have this; providers beside networks have codes of their own for it."""
    return answer.is_not_found_by_any_provider if version_of(resource_id) else answer.is_absent


class Reader:
    """All reads of one cloud; safe between threads."""

    def __init__(self, arm: Arm, retry: Retry, key: Fingerprinter | None, clock: Clock) -> None:
        self._arm = arm
        self._retry = retry
        self._key = key
        self._clock = clock

    def _seal(self, value: str) -> Fingerprint | None:
        """Fingerprint of an echoed secret, which from now on no message may show."""
        self._arm.remember((value,))
        return self._key(value) if self._key is not None else None

    def raw(self, resource_id: ArmId) -> dict[str, Any] | None:
        """One GET, once, secrets included: only for callers inside this folder. None when absent."""
        doing = f"get {resource_id}"
        version = version_of(resource_id)
        answer = self._arm.call(
            resource_id.subscription,
            sdk_of(resource_id),
            "get_by_id" if version else "get",
            *names_of(resource_id),
            api_version=version,
            doing=doing,
        )
        if is_absent(answer, resource_id):
            return None
        document = self._arm.checked(answer, doing).body
        if where := misfit(document, resource_id.type):
            raise not_arm(f"{doing}: the answer is no such resource ({where})", self._arm.ids(answer), answer.status)
        return dict(document)

    def shared_key(self, resource_id: ArmId) -> Fingerprint | None:
        """The fingerprint of a key by its own GET; None if none is told.

        It answers 200 and nothing while a key is being set (recordings, section (c)).
        """
        value = self.told(resource_id, "get_shared_key", f"get the shared key of {resource_id}").get("value")
        return self._seal(value) if isinstance(value, str) and value else None

    def told(self, resource_id: ArmId, method: str, doing: str) -> dict[str, Any]:
        """The answer to a call that tells keys, repeated while Azure is busy."""
        subscription, sdk = resource_id.subscription, sdk_of(resource_id)

        def ask() -> Answer:
            answer = self._arm.call(subscription, sdk, method, *names_of(resource_id), doing=doing)
            return self._arm.checked(answer, doing)

        return self._retry.read(subscription, ask, doing).document

    def look(self, resource_id: ArmId) -> Observed:
        """One GET, once."""
        return self._observed(resource_id, self.raw(resource_id), "get")

    def read(self, resource_id: ArmId) -> Observed:
        """One GET, repeated while Azure is busy."""
        return self._retry.read(resource_id.subscription, lambda: self.look(resource_id), f"get {resource_id}")

    def observe(self, ids: Collection[ArmId], *, deep: bool = False) -> dict[ArmId, Observed]:
        """Every id once. What a complete LIST does not show is absent; what its parent shows needs no call."""
        known = set(ids)
        inside = {} if deep else {each: place for each in known if (place := _shown_at(each)) and place[0] in known}
        found = self._read(known - inside.keys(), deep=deep)
        for parent, path in set(inside.values()):
            found |= {child.id: child for child in _shown(found[parent], path) if child.id in inside}
        return found | self._read(inside.keys() - found.keys(), deep=deep)

    def _read(self, ids: Collection[ArmId], *, deep: bool) -> dict[ArmId, Observed]:
        tasks = [self._task(container, wanted, deep=deep) for container, wanted in _by_container(ids)]
        found: dict[ArmId, Observed] = {}
        for part in self.in_parallel([step for task in tasks for step in task]):
            found |= part
        return found

    def _task(
        self, container: ArmId | None, wanted: list[ArmId], *, deep: bool
    ) -> list[Callable[[], dict[ArmId, Observed]]]:
        """One LIST, or one step for each GET: so that GETs of one group run side by side."""
        if container is None or deep or len(wanted) < 2:
            return [partial(self._single, each) for each in wanted]
        return [partial(self._listed, container, wanted)]

    def _single(self, resource_id: ArmId) -> dict[ArmId, Observed]:
        return {resource_id: self.read(resource_id)}

    def _listed(self, container: ArmId, wanted: list[ArmId]) -> dict[ArmId, Observed]:
        sdk = sdk_of(wanted[0])
        method = LIST_METHOD.get(sdk, "list")
        try:
            documents = self.items(container, sdk, method)
        except Forbidden:
            # Somebody may read single resources and not their group: what cannot be read says so itself.
            return {each: self.read(each) for each in wanted}
        if where := next(filter(None, (misfit(item, wanted[0].type) for item in documents or ())), ""):
            raise not_arm(f"list {sdk} in {container}: an item is no such resource ({where})", self._arm.ids())
        by_id = {str(item.get("id", "")).lower(): item for item in documents or ()}
        return {each: self._observed(each, by_id.get(each.key), "list") for each in wanted}

    def listed(self, wanted: Collection[Listing]) -> dict[Listing, tuple[Observed, ...]]:
        """Every item of these lists as it is shown there, secrets left out."""
        asked = list(dict.fromkeys(wanted))
        found = self.in_parallel([partial(self._whole, listing) for listing in asked])
        return dict(zip(asked, found, strict=True))

    def in_parallel(self, steps: Sequence[Callable[[], T]]) -> list[T]:
        """Results in the order of the steps; the first failure is raised and what has not begun is dropped."""
        return self._arm.threads.in_parallel(steps, THREADS)

    def _whole(self, listing: Listing) -> tuple[Observed, ...]:
        container, doing = listing.container, f"list {listing.arm_type or 'resources'} in {listing.container}"
        items = self.pages(container.subscription, self._arm.settings.endpoint + list_path(listing), doing)
        ids = [(ArmId.of(item.get("id")), item) for item in items]
        for _, item in ids if listing.arm_type else ():
            self.require_formed(item, doing)
        return tuple(self._observed(identity, item, "list") for identity, item in ids if identity is not None)

    def require_formed(self, item: Mapping[str, Any], doing: str) -> None:
        """Raise `EndpointError` if an item of a LIST that says its own id is not what its type has."""
        try:
            kind = ArmId(str(item.get("id"))).type
        except InvalidArmId:
            return  # it names nothing of ours
        if where := misfit(item, kind):
            raise not_arm(f"{doing}: an item is no such resource ({where})", self._arm.ids())

    def items(self, container: ArmId, sdk: str, method: str) -> list[dict[str, Any]] | None:
        """All items of a LIST, page by page, secrets included; None when the container is absent."""
        return self.listing(
            container.subscription, sdk, method, *names_of(container), doing=f"list {sdk} in {container}"
        )

    def listing(self, subscription: str, sdk: str, method: str, *names: str, doing: str) -> list[dict[str, Any]] | None:
        """The same for a LIST of the SDK that is not about a group or a parent."""
        answer = self._retry.read(
            subscription,
            lambda: self._page(self._arm.call(subscription, sdk, method, *names, doing=doing), doing, first=True),
            doing,
        )
        if answer.is_absent:
            return None
        return self._values(answer, doing) + self._following(subscription, answer, doing)

    def pages(self, subscription: str, url: str, doing: str) -> list[dict[str, Any]]:
        """All items of a LIST that the SDK has no method for."""
        answer = self._retry.read(subscription, partial(self._next, subscription, url, doing), doing)
        return self._values(answer, doing) + self._following(subscription, answer, doing)

    def _following(self, subscription: str, answer: Answer, doing: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        seen: set[str] = set()
        began, told = self._clock.now(), False
        until = began + LIST_SECONDS
        while (link := answer.document.get("nextLink")) is not None and link != "":
            if not self._arm.is_ours(link):
                raise not_arm(f"{doing}: its next page leads elsewhere", self._arm.ids(answer), answer.status)
            if link in seen or len(seen) >= MOST_PAGES or len(items) > MOST_ITEMS or self._clock.now() > until:
                why = "leads in a circle" if link in seen else f"does not end (page {len(seen) + 1})"
                raise not_arm(f"{doing}: the list {why}", self._arm.ids(answer), answer.status)
            seen.add(link)
            if not told and self._clock.now() - began >= SILENCE / 2:
                told = True
                self._retry.tell(
                    f"{doing}: the list is long, page {len(seen) + 1} is read now; giving up after {MOST_PAGES} pages "
                    f"or {duration(LIST_SECONDS)}."
                )
            answer = self._retry.read(subscription, partial(self._next, subscription, link, doing), doing)
            items += self._values(answer, doing)
        return items

    def _next(self, subscription: str, url: str, doing: str) -> Answer:
        return self._page(self._arm.get(subscription, url, doing=doing), doing, first=False)

    def _page(self, answer: Answer, doing: str, *, first: bool) -> Answer:
        """A page that vanishes between two pages is an error, not an absence."""
        return answer if first and answer.is_absent else self._arm.checked(answer, doing)

    def _values(self, answer: Answer, doing: str) -> list[dict[str, Any]]:
        values = answer.document.get("value")
        if not isinstance(values, list):
            raise not_arm(f"{doing}: the answer is not a list", self._arm.ids(answer), answer.status)
        if not all(isinstance(item, dict) for item in values):
            raise not_arm(f"{doing}: the list holds what is not an object", self._arm.ids(answer), answer.status)
        return values

    def _observed(self, resource_id: ArmId, document: dict[str, Any] | None, source: Any) -> Observed:
        if document is None:
            return Observed(resource_id, None, source)
        return Observed(resource_id, without_secrets(document, shape_at(resource_id.type), self._seal), source)


def _by_container(ids: Iterable[ArmId]) -> Iterator[tuple[ArmId | None, list[ArmId]]]:
    """Ids of one type below one container: the group, or the parent of children; None when no LIST shows the type."""
    together: dict[tuple[str, ArmId | None], list[ArmId]] = defaultdict(list)
    for each in sorted(set(ids)):
        together[each.type.lower(), _container(each)].append(each)
    for (_, container), wanted in together.items():
        yield container, wanted


def _shown_at(resource_id: ArmId) -> tuple[ArmId, str] | None:
    """The parent whose document shows this whole, and where."""
    model, parent = type_of(resource_id.type), resource_id.parent
    return (parent, model.shown_in_parent) if model and parent and model.shown_in_parent else None


def _shown(parent: Observed, path: str) -> Iterator[Observed]:
    """Children in a parent's document; as with a LIST, what they make suspicious is confirmed by GET."""
    for item in objects(value_at(parent.document or {}, path)):
        identity = ArmId.of(item.get("id"))
        if identity is not None and not misfit(item, identity.type):
            yield Observed(identity, item, "list")


def _container(resource_id: ArmId) -> ArmId | None:
    model = type_of(resource_id.type)
    if model is None or model.listed_by == "none":
        return None
    return resource_id.parent if model.listed_by == "parent" else resource_id.resource_group
