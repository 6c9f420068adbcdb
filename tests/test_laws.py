"""Laws that hold for all documents, not for examples: what comparing and overlaying promise."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from tests.resources.samples import resources
from tests.strategies import changed, documents, leaves, noisy, others_texts, shapes, triples, with_value
from vpngw_iac.engine.compare.difference import compare
from vpngw_iac.engine.compare.document import ABSENT, MaskedSecret, any_same, by_key, lookup, member, same, transform
from vpngw_iac.engine.compare.overlay import carried_loss, overlay
from vpngw_iac.engine.compare.secret_masking import applied_of, entry_of, mask_secrets
from vpngw_iac.resources import registry
from vpngw_iac.resources.shape import Shape, shape_of
from vpngw_iac.resources.wire import Output
from vpngw_iac.secret import FingerprintKey, Secret

QUICK = (Phase.explicit, Phase.generate)
"""A whole gateway shrinks for minutes."""
KEY = FingerprintKey(b"k" * 32)
MODELS = [
    registry()[f"microsoft.network/{name}"]
    for name in (
        "virtualnetworks",
        "virtualnetworks/subnets",
        "virtualnetworks/virtualnetworkpeerings",
        "publicipaddresses",
        "localnetworkgateways",
        "virtualnetworkgateways",
        "virtualnetworkgateways/natrules",
        "connections",
        "expressroutecircuits",
        "expressroutecircuits/peerings",
    )
]


def echoed(sent: Any) -> Any:
    """What was sent, as an answer that echoes secrets."""
    return transform(sent, lambda _, value: value.fingerprint if isinstance(value, MaskedSecret) else value)


@settings(max_examples=80)
@given(triples())
def test_what_an_overlay_sends_leaves_no_difference(triple: tuple[Shape, Any, Any, Any]) -> None:
    shape, declared, applied, observed = triple

    sent = overlay(shape, declared, applied, observed)

    assert compare(shape, declared, applied, echoed(sent)).found == ()


@settings(max_examples=80)
@given(triples())
def test_an_overlay_leaves_everything_of_others_as_it_is(triple: tuple[Shape, Any, Any, Any]) -> None:
    shape, declared, applied, observed = triple

    sent = overlay(shape, declared, applied, observed)

    assert list(lost(shape, declared, applied, observed, sent)) == []


def lost(shape: Shape, d: Any, a: Any, o: Any, sent: Any, path: str = "") -> Any:
    """Paths of `o` that are nobody's but others', and that are not the same in `sent`."""
    for name, value in o.items():
        child, place = shape.at(name), f"{path}.{name}"
        azures = child.read_only or child.write_only or (name == "etag" and shape.key != "")
        mine = [member(shape, document, name) for document in (d, a)]
        now = member(shape, sent, name)
        if azures:
            continue
        if mine == [ABSENT, ABSENT]:
            if now != people_s(child, value):
                yield place
        elif child.items and isinstance(value, list):
            kept = now if isinstance(now, list) else []
            yield from (f"{place}[{text}]" for text in others_texts(child, *mine, value) if text not in kept)
        elif child.key and isinstance(value, list) and isinstance(now, list):
            for element in value if child.items_stay else ():
                parts = [by_key(m, child.key, element[child.key]) for m in (*mine, now)]
                inner = [p if isinstance(p, dict) else {} for p in parts]
                yield from lost(child.item or Shape(), inner[0], inner[1], element, inner[2], place)
            own = [m for m in mine if m is not ABSENT]
            foreign = [e for e in value if all(by_key(m, child.key, e[child.key]) is ABSENT for m in own)]
            yield from (f"{place}[{e}]" for e in foreign if e not in now)
        elif isinstance(value, dict) and isinstance(now, dict):
            parts = [m if isinstance(m, dict) else {} for m in mine]
            yield from lost(child, *parts, value, now, place)
        elif now is ABSENT and mine[0] is ABSENT:
            ours = same(child, mine[1], value) or any_same(child, mine[1], value)
            yield from () if ours else (place,)


def people_s(shape: Shape, value: Any) -> Any:
    """What of an observed value people wrote: without what Azure adds, and without secrets."""
    if isinstance(value, dict):
        mine = {n: v for n, v in value.items() if shape.key == "" or n not in ("etag", "provisioningState")}
        kept = {n: v for n, v in mine.items() if not (shape.at(n).read_only or shape.at(n).write_only)}
        return {name: people_s(shape.at(name), inner) for name, inner in kept.items()}
    if isinstance(value, list) and shape.item is not None:
        return [people_s(shape.item, element) for element in value]
    return value


@settings(max_examples=80)
@given(triples())
def test_nothing_that_only_azure_has_is_ever_a_difference(triple: tuple[Shape, Any, Any, Any]) -> None:
    shape, _, _, observed = triple

    assert compare(shape, {}, {}, observed).found == ()


@settings(max_examples=80)
@given(shapes().flatmap(lambda shape: st.tuples(st.just(shape), documents(shape))), st.randoms(use_true_random=False))
def test_noise_is_never_a_difference(drawn: tuple[Shape, Any], luck: random.Random) -> None:
    shape, declared = drawn

    assert compare(shape, declared, declared, noisy(shape, declared, luck)).found == ()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
@settings(max_examples=12, phases=QUICK)
@given(data=st.data())
def test_noise_on_a_real_resource_is_never_a_difference_and_a_change_always_is(model: Any, data: st.DataObject) -> None:
    shape = shape_of(model)
    body = data.draw(resources(model)).body()
    luck = data.draw(st.randoms(use_true_random=False))
    fingerprints = {reference: KEY.fingerprint(str(reference)) for _, reference in secrets_of(body)}
    declared = mask_secrets(body, fingerprints, lambda _: "203.0.113.1")
    assume(not repeats(shape, declared))
    assume(not {"addressPrefix", "addressPrefixes"} <= set(declared.get("properties", {})))  # R-SUBNET-18

    answer = noisy(shape, declared, luck)

    assert compare(shape, declared, declared, answer).found == ()
    owned = [leaf for leaf in leaves(shape, declared) if not leaf[1].only_id]
    if owned:
        path, _ = data.draw(st.sampled_from(owned))
        value = at(declared, path)
        assume(value not in (None, {}, []))
        assume(not (isinstance(value, MaskedSecret) and value.fingerprint is None))
        moved = with_value(echoed(declared), path, changed(value))
        assert compare(shape, declared, declared, moved).found != (), path


def repeats(shape: Shape, value: Any) -> bool:
    """Whether a keyed list names one item twice, or tags differ in case only: Azure refuses both."""
    if isinstance(value, dict):
        keys = [key.lower() for key in value]
        return len(set(keys)) < len(keys) or any(repeats(shape.at(k), v) for k, v in value.items())
    if isinstance(value, list):
        if shape.key:
            names = [str(element.get(shape.key)).lower() for element in value]
            if len(set(names)) < len(names):
                return True
        return any(repeats(shape.item or Shape(), element) for element in value)
    return False


def secrets_of(body: Any) -> Any:
    from vpngw_iac.engine.compare.document import secrets_in

    return secrets_in(body)


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
@settings(max_examples=12, phases=QUICK)
@given(data=st.data())
def test_an_entry_remembers_exactly_what_was_declared(model: Any, data: st.DataObject) -> None:
    resource = data.draw(resources(model))
    body = resource.body()
    fingerprints = {reference: KEY.fingerprint(str(reference)) for _, reference in secrets_of(body)}

    assume(not repeats(shape_of(model), body))
    assume(not isinstance(lookup(body, "properties.authorizationKey"), Output))  # such a one is always secret
    entry = entry_of(resource, (), fingerprints, lambda _: "203.0.113.1", None)

    declared = mask_secrets(body, fingerprints, lambda _: "203.0.113.1")
    assert compare(shape_of(model), declared, applied_of(entry), echoed(declared)).stale is False


@given(st.sampled_from(["a.b", "a.c[0].d", "a.c[name=X].d", "a.c[name=*x].d", "a.z", "a.c[7].d", "a.c[name=q].d"]))
def test_looking_something_up_answers_a_value_or_absent(path: str) -> None:
    document = {"a": {"b": 1, "c": [{"name": "x", "d": 2}], "n": None}}

    assert lookup(document, path) in (1, 2, ABSENT)
    assert lookup(document, "a.n") is ABSENT


def test_a_sealed_secret_never_shows_itself() -> None:
    assert repr(MaskedSecret(Secret.env("A"), KEY.fingerprint("hidden"))) == "(sensitive)"


@given(triples())
def test_only_texts_that_were_ours_are_taken_away_and_all_of_ours_are_there(
    triple: tuple[Shape, Any, Any, Any],
) -> None:
    """Sent is observed, less what was applied and is no longer declared, and what is declared."""
    shape, declared, applied, observed = triple
    sent = overlay(shape, declared, applied, observed)

    for name, child in shape.fields.items():
        d, a, o, s = (
            set(member(shape, document, name) or ()) if child.items else set()
            for document in (declared, applied, observed, sent)
        )
        if child.items:
            assert s == (o - (a - d)) | d


@given(triples())
def test_a_text_of_others_that_a_put_lost_is_a_loss(triple: tuple[Shape, Any, Any, Any]) -> None:
    shape, declared, applied, observed = triple
    sent = overlay(shape, declared, applied, observed)
    lists = [name for name, child in shape.fields.items() if child.items and member(shape, sent, name)]
    for name in lists:
        after = {**echoed(sent), name: list(declared.get(name) or ())}
        foreign = [text for text in sent[name] if text not in (declared.get(name) or ())]

        told = carried_loss(shape, declared, sent, after)

        assert {f"{name}[{text}]" for text in foreign} <= set(told)
    assert [path for path in carried_loss(shape, declared, sent, echoed(sent)) if path.endswith("]")] == []
