"""Hypothesis strategies: shapes with three documents that fit them, and what real answers do to a document."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

from vpngw_iac.engine.compare.document import ABSENT, MaskedSecret, is_empty
from vpngw_iac.resources.shape import UNKNOWN, Shape
from vpngw_iac.secret import Fingerprint, FingerprintKey, Secret

KEY = FingerprintKey(b"k" * 32)
NAMES = ("a", "b", "c", "d")
TEXTS = st.sampled_from(["v", "w", "V", "x"])
LEAVES = TEXTS | st.integers(0, 2) | st.booleans()
ITEM = Shape(fields={"name": Shape(any_case=True), "value": UNKNOWN, "etag": Shape(read_only=True)})

OWNED = Shape(fields={"name": Shape(any_case=True), "texts": Shape(item=UNKNOWN, items=True, unordered=True)})
"""An element of a keyed list with texts that are owned one by one."""


def shapes(depth: int = 2) -> st.SearchStrategy[Shape]:
    """Objects whose members show every marker that changes how documents are compared."""
    leaf = st.one_of(
        st.just(UNKNOWN),
        st.just(Shape(any_case=True)),
        st.builds(lambda value: Shape(has_default=True, default=value), LEAVES | st.none()),
        st.just(Shape(read_only=True)),
        st.just(Shape(write_only=True)),
        st.just(Shape(item=UNKNOWN)),
        st.just(Shape(item=UNKNOWN, unordered=True)),
        st.just(Shape(item=UNKNOWN, unordered=True, has_default=True, default=[])),
        st.just(Shape(item=UNKNOWN, items=True, unordered=True)),
        st.just(Shape(item=UNKNOWN, items=True, unordered=True, has_default=True, default=[])),
        st.just(Shape(item=ITEM, key="name")),
        st.just(Shape(item=OWNED, key="name", items_stay=True)),
        st.just(Shape(key="")),
        st.just(Shape(children="Microsoft.Network/virtualNetworks/subnets")),
    )
    inner = leaf if depth == 0 else leaf | shapes(depth - 1)
    return st.builds(
        lambda fields, block: Shape(fields=fields, block=block and depth < 2),
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
        st.booleans(),
    )


def values(shape: Shape, *, observed: bool) -> st.SearchStrategy[Any]:
    """A value that fits; what only Azure writes stands in observed documents alone."""
    if shape.read_only or shape.children:
        child = st.fixed_dictionaries({"name": st.sampled_from(NAMES), "properties": st.just({"addressPrefix": "p"})})
        return (st.lists(child, max_size=2) if shape.children else LEAVES) if observed else st.nothing()
    if shape.write_only:
        fingerprints = TEXTS.map(KEY.fingerprint)
        return fingerprints if observed else fingerprints.map(lambda known: MaskedSecret(Secret.env("KEY"), known))
    if shape.key == "":
        return st.dictionaries(st.sampled_from(["t", "T", "u", "etag"]), TEXTS, max_size=2).map(one_casing)
    if shape.items_stay:
        texts = st.lists(TEXTS, max_size=3, unique=True)
        item = st.fixed_dictionaries({"name": st.sampled_from(NAMES), "texts": texts})
        return st.lists(item, max_size=3, unique_by=lambda element: element["name"])
    if shape.key:
        item = st.fixed_dictionaries({"name": st.sampled_from(NAMES)}, optional={"value": TEXTS})
        return st.lists(item, max_size=3, unique_by=lambda element: element["name"])
    if shape.item is not None:
        return st.lists(TEXTS, max_size=3, unique=shape.items)
    if shape.fields or shape.block:
        return documents(shape, observed=observed)
    return LEAVES


def one_casing(tags: dict[str, str]) -> dict[str, str]:
    """No two keys that differ in case only: Azure refuses them."""
    return {key: value for key, value in tags.items() if key == key.lower() or key.lower() not in tags}


def documents(shape: Shape, *, observed: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """An object of the shape; each member may be missing. Observed ones hold what nobody declares, too."""
    optional = {}
    for name, child in shape.fields.items():
        if observed or not (child.read_only or child.children):
            optional[name] = values(child, observed=observed)
    if observed:
        optional["foreign"] = st.fixed_dictionaries({"x": LEAVES})
    return st.fixed_dictionaries({}, optional=optional)


@st.composite
def triples(draw: st.DrawFn) -> tuple[Shape, dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Shape, declared, applied, observed."""
    shape = draw(shapes())
    declared = draw(documents(shape))
    applied = draw(documents(shape) | st.just(declared))
    observed = draw(documents(shape, observed=True))
    return shape, declared, applied, observed


# --- what Azure does to a document that it was given ----------------------------------------------------------------


def noisy(shape: Shape, value: Any, luck: random.Random) -> Any:
    """The same as Azure may answer it: other casing and order, defaults filled in or left out, things added."""
    if isinstance(value, MaskedSecret):
        return luck.choice([ABSENT, value.fingerprint])
    if isinstance(value, dict):
        return _noisy_object(shape, value, luck)
    if isinstance(value, list):
        answer = [noisy(shape.item or UNKNOWN, element, luck) for element in value]
        if shape.unordered or shape.key:
            luck.shuffle(answer)
        if shape.items and luck.random() < 0.5:
            answer.append("somebody-elses")
        if shape.key and luck.random() < 0.5:
            answer.append({shape.key: "somebody-elses", "etag": "e"})
        return answer
    if isinstance(value, str) and shape.any_case:
        return luck.choice([value, value.upper(), value.lower()])
    return value


def _noisy_object(shape: Shape, value: dict[str, Any], luck: random.Random) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for name, inner in value.items():
        child = shape.at(name)
        if child.has_default and child.default == inner and luck.random() < 0.5:
            continue
        is_entry = shape.key == "" and isinstance(inner, dict)  # an identity: its name says it, nothing is in it
        if is_empty(inner) and not is_entry and luck.random() < 0.5:
            continue
        found = noisy(child, inner, luck)
        if found is not ABSENT:
            answer[name.upper() if shape.key == "" and luck.random() < 0.5 else name] = found
    for name, child in shape.fields.items():
        if name not in value and child.has_default and not child.write_only and luck.random() < 0.5:
            answer[name] = child.default
        if name not in value and child.read_only and luck.random() < 0.5:
            answer[name] = "azures"
    if shape.key != "" and not shape.only_id and luck.random() < 0.5:
        answer["somethingNew"] = {"etag": "e"}
    return answer


def leaves(shape: Shape, value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Shape]]:
    """Every owned place of a declared document that holds a plain value."""
    if isinstance(value, dict):
        return [leaf for name, inner in value.items() for leaf in leaves(shape.at(name), inner, (*path, name))]
    if isinstance(value, list) and shape.key:
        key = shape.key
        found = [leaf for i, e in enumerate(value) for leaf in leaves(shape.item or UNKNOWN, e, (*path, i))]
        return [leaf for leaf in found if leaf[0][-1] != key]
    if isinstance(value, list):
        return [(path, shape)] if value else []
    return [(path, shape)]


def others_texts(shape: Shape, d: Any, a: Any, o: Any) -> list[Any]:
    """What in a list of `Items` is neither declared nor was applied."""
    mine = [text for document in (d, a) if isinstance(document, list) for text in document]
    return [text for text in o if text not in mine] if isinstance(o, list) else []


def changed(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, MaskedSecret):
        return KEY.fingerprint("somebody-elses")
    if isinstance(value, Fingerprint):
        return value
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, list):
        if value and isinstance(value[0], str):
            return [changed(value[0]), *value[1:]]  # a text more would be somebody else's in a list of `Items`
        return [*value, changed(value[-1])] if value else ["new"]
    if isinstance(value, dict):
        return {**value, "id": f"{value.get('id', '')}-other"}
    return f"{value}-other"


def with_value(document: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at a place."""
    if not path:
        return new
    head, *rest = path
    if isinstance(document, dict):
        return {**document, head: with_value(document.get(head, {}), tuple(rest), new)}
    return [with_value(e, tuple(rest), new) if i == head else e for i, e in enumerate(document)]
