"""A late dataclass does what the standard one does, and writes nothing before it is used."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import field
from typing import Any

import pytest

from vpngw_iac import late_dataclass


def point(decorator: Any) -> Any:
    @decorator(frozen=True, slots=True, order=True)
    class Point:
        """A value."""

        x: int
        y: int = 2
        tags: list[str] = field(default_factory=list)
        note: str = field(default="", compare=False, repr=False)
        seen: int = field(default=0, hash=False)
        far: bool = field(default=False, kw_only=True)
        made: int = field(default=7, init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "note", self.note.upper())

    return Point


STANDARD, LATE = point(dataclasses.dataclass), point(late_dataclass.dataclass)


@late_dataclass.dataclass(frozen=True, slots=True)
class Pair:
    """At the top of a module, so that it can be pickled."""

    left: int
    right: tuple[int, ...] = ()


@late_dataclass.dataclass(slots=True)
class Counter:
    """One that changes."""

    count: int = 0


def outcome(work: Callable[[], Any]) -> Any:
    """What something gives, or the class and the words of its error."""
    try:
        return work()
    except Exception as error:
        return type(error), str(error).replace("point.<locals>.", "")


@pytest.mark.parametrize(
    "question",
    [
        lambda c: repr(c(1)),
        lambda c: repr(c(1, 3, ["a"], "n", 4, far=True)),
        lambda c: (c(1).note, c(1, note="n").note, c(1).made, c(1).tags is c(1).tags),
        lambda c: c(1) == c(1, note="other"),
        lambda c: c(1) == c(2),
        lambda c: c(1) == (1, 2),
        lambda c: c(1) != c(1, 3),
        lambda c: c(1) < c(1, 3) <= c(2) > c(1, 9) >= c(1, 9),
        lambda c: c(1) < (1, 2),
        lambda c: hash(c(1, tags=())) == hash(c(1, tags=(), note="other", seen=5)),
        lambda c: hash(c(1, tags=())) == hash(c(2, tags=())),
        lambda c: hash(c(1)),
        lambda c: c(),
        lambda c: c(1, 2, [], "", 0, True),
        lambda c: c(1, z=2),
        lambda c: c(1, made=2),
        lambda c: setattr(c(1), "x", 2),
        lambda c: delattr(c(1), "x"),
        lambda c: dataclasses.asdict(c(1)),
        lambda c: repr(dataclasses.replace(c(1), y=5, far=True)),
        lambda c: [(f.name, f.type, f.init, f.kw_only) for f in dataclasses.fields(c)],
        lambda c: (c.__match_args__, c.__slots__, c.__doc__, dataclasses.is_dataclass(c)),
        lambda c: repr(copy.deepcopy(c(1, tags=["a"]))),
    ],
)
def test_it_answers_as_the_standard_one(question: Callable[[Any], Any]) -> None:
    expected = outcome(lambda: question(STANDARD))

    actual = outcome(lambda: question(LATE))

    assert expected == actual


def test_what_a_class_says_for_itself_stays() -> None:
    @late_dataclass.dataclass(frozen=True)
    class Own:  # noqa: PLW1641 - the hash that it gets is asked for
        """With methods of its own."""

        x: int

        def __eq__(self, other: object) -> bool:
            return True

        def __repr__(self) -> str:
            return "mine"

    assert (repr(Own(1)), Own(1) == Own(2), hash(Own(1)) == hash(Own(1))) == ("mine", True, True)


def test_a_subclass_has_the_fields_of_both_and_attributes_of_its_own() -> None:
    @late_dataclass.dataclass(frozen=True)
    class Base:
        """One field."""

        x: int

    @late_dataclass.dataclass(frozen=True)
    class Derived(Base):
        """Two fields."""

        y: int = 2

    class Plain(Base):
        pass

    plain = Plain(1)
    plain.extra = 3  # type: ignore[attr-defined]

    assert (Derived(1), Base(1) == Derived(1), plain.extra) == (Derived(1, 2), False, 3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        plain.x = 2  # type: ignore[misc]


def test_a_frozen_value_takes_no_other_attribute() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'other'"):
        LATE(1).other = 2


def test_a_frozen_value_with_slots_can_be_pickled() -> None:
    assert Pair(1, (2,)) == pickle.loads(pickle.dumps(Pair(1, (2,))))


def test_one_that_is_not_frozen_changes_and_has_no_hash() -> None:
    counter = Counter()
    counter.count += 1

    assert counter == Counter(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter)


def test_without_equality_a_value_is_only_itself() -> None:
    @late_dataclass.dataclass(frozen=True, eq=False)
    class Thing:
        """By identity."""

        x: int

    assert Thing(1) != Thing(1)
    assert isinstance(hash(Thing(1)), int)


def test_the_constructor_is_written_with_the_first_value() -> None:
    new = point(late_dataclass.dataclass)
    before = new.__init__

    new(1)

    assert before is not new.__init__
    assert new.__init__ is new.__init__
    assert new.__init__.__code__.co_varnames[:2] == ("self", "x")
