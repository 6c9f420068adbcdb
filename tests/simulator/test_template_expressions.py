"""The expression language of templates: what Microsoft's reference says of each function, and Azure's refusals."""

from __future__ import annotations

from typing import Any

import pytest

from vpngw_iac.simulator import VirtualTime
from vpngw_iac.simulator.cloud_view import CloudView, Switches
from vpngw_iac.simulator.deployments.surroundings import CloudSurroundings, span
from vpngw_iac.simulator.store import DocumentStore
from vpngw_iac.simulator.templates.errors import NotSimulatedFunction, TemplateError
from vpngw_iac.simulator.templates.evaluation import Environment
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
NETWORK = f"{GROUP}/providers/Microsoft.Network"


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(404, {"error": {"code": "ResourceNotFound", "message": request.path}})


def environment(scope: str = GROUP, **names: Any) -> Environment:
    cloud = CloudView(DocumentStore(), VirtualTime(90061.5), Switches())
    cloud.send = nothing
    return Environment(CloudSurroundings(cloud, scope, {"name": "d"}), **names)


VALUES = environment(
    parameters={"name": "hub", "sizes": [1, 2, 3], "deep": {"One": {"two": ["x", {"three": 4}]}}},
    variables={"twice": "[concat(parameters('name'), parameters('name'))]"},
    functions={"own.shout": {"parameters": [{"name": "t"}], "output": {"value": "[toUpper(parameters('T'))]"}}},
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("plain", "plain"),
        ("[[not an expression]", "[not an expression]"),
        ("[[only the beginning", "[[only the beginning"),
        ("[open", "[open"),
        ("['it''s']", "it's"),
        ("[ concat( 'a' , 'b' ) ]", "ab"),
        ("[CONCAT(parameters('NAME'), variables('Twice'))]", "hubhubhub"),
        ("[parameters('deep').one.Two[1].three]", 4),
        ("[parameters('deep')['one']['two'][sub(1, 1)]]", "x"),
        ("[own.shout('x')]", "X"),
        ("[concat(createArray(1), createArray('b'))]", [1, "b"]),
        ("[concat('n', 1, true())]", "n1True"),
        ("[format('{0}-{1:D3} {{x}} {0}', 'a', 7)]", "a-007 {x} a"),
        ("[length('abc')]", 3),
        ("[length(parameters('sizes'))]", 3),
        ("[if(true(), 'yes', parameters('nowhere'))]", "yes"),
        ("[if(equals(1, '1'), 1, 2)]", 2),
        ("[and(true(), not(false()))]", True),
        ("[or(false(), equals('a', 'A'))]", False),
        ("[empty('')]", True),
        ("[empty(null())]", True),
        ("[empty(0)]", False),
        ('[json(\'{"a": [1, null]}\')]', {"a": [1, None]}),
        ("[string(createObject('a', 1))]", '{"a":1}'),
        ("[string(true())]", "True"),
        ("[split('a,b;c', createArray(',', ';'))]", ["a", "b", "c"]),
        ("[first(split('a.b', '.'))]", "a"),
        ("[last('xyz')]", "z"),
        ("[range(3, 2)]", [3, 4]),
        ("[padLeft(7, 3, '0')]", "007"),
        ("[toUpper('aß')]", "ASS"),
        ("[endsWith('Berlin', 'LIN')]", True),
        ("[startsWith('Berlin', 'x')]", False),
        ("[greater(2, 1)]", True),
        ("[lessOrEquals('a', 'b')]", True),
        ("[null()]", None),
        ("[contains('abc', 'B')]", False),
        ("[contains(createObject('Key', 1), 'key')]", True),
        ("[indexOf('abcABC', 'C')]", 2),
        ("[take('abc', 9)]", "abc"),
        ("[skip(parameters('sizes'), 1)]", [2, 3]),
        ("[union(json('{\"a\": {\"b\": 1}}'), json('{\"a\": {\"c\": 2}}'))]", {"a": {"b": 1, "c": 2}}),
        ("[union(createArray(1, 2), createArray(2, 3))]", [1, 2, 3]),
        ("[intersection(createArray(1, 2), createArray(2, 3))]", [2]),
        ("[items(createObject('b', 2, 'A', 1))]", [{"key": "A", "value": 1}, {"key": "b", "value": 2}]),
        ("[div(-7, 2)]", -3),
        ("[mod(-7, 2)]", -1),
        ("[int('42')]", 42),
        ("[bool('TRUE')]", True),
        ("[coalesce(null(), 'x')]", "x"),
        ("[replace('a-b', '-', '')]", "ab"),
        ("[substring('abcdef', 2, 2)]", "cd"),
        ("[join(createArray('a', 'b'), '/')]", "a/b"),
        ("[base64ToString(base64('ä'))]", "ä"),
        ("[uriComponent('a b/ä')]", "a%20b%2F%C3%A4"),
        ("[tryGet(parameters('deep'), 'none', 'at', 'all')]", None),
        ("[max(createArray(1, 5, 3))]", 5),
        ("[utcNow('yyyy-MM-dd HH:mm:ss.fff')]", "2026-01-02 01:01:01.500"),
        ("[subscription().subscriptionId]", SUBSCRIPTION),
        ("[deployment().name]", "d"),
        ("[resourceId('Microsoft.Network/virtualNetworks', 'v')]", f"{NETWORK}/virtualNetworks/v"),
        ("[resourceId('Microsoft.Network/a/b', 'v', 's')]", f"{NETWORK}/a/v/b/s"),
        ("[resourceId('other', 'Microsoft.Network/a', 'r')]", f"{NETWORK}/a/r".replace("/rg/", "/other/")),
        ("[resourceId('sub', 'other', 'A.B/c', 'd')]", "/subscriptions/sub/resourceGroups/other/providers/A.B/c/d"),
        ("[subscriptionResourceId('A.B/c', 'd')]", f"/subscriptions/{SUBSCRIPTION}/providers/A.B/c/d"),
        ("[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'rg')]", GROUP),
        ("[extensionResourceId('/x/y', 'A.B/c', 'd')]", "/x/y/providers/A.B/c/d"),
        ("[tenantResourceId('A.B/c', 'd')]", "/providers/A.B/c/d"),
    ],
)  # fmt: skip
def test_an_expression_has_the_value_that_the_reference_says(expression: str, value: Any) -> None:
    found = VALUES.value(expression)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("[noSuch('x')]", "The template function 'noSuch' is not valid."),
        ("[concat('a', uniqueString(resourceGroup().id)]", "expected token 'RightParenthesis' and actual 'EndOfData'"),
        ("[concat('a'))]", "expected token 'EndOfData' and actual 'RightParenthesis'"),
        ("[concat('a' § 'b')]", "the string character '§' at position '11' is not expected"),
        ("[{'a': 1}]", "the string character '{' at position '0' is not expected"),
        ("[]", "expected token 'Identifier' and actual 'EndOfData'"),
        ("[name]", "expected token 'LeftParenthesis'"),
        ("[parameters('no')]", "The template parameter 'no' is not found."),
        ("[variables('no')]", "The template variable 'no' is not found."),
        ("[parameters('deep').four]", "property 'four' doesn't exist, available properties are 'One'"),
        ("[parameters('sizes')[3]]", "array index '3' is out of bounds"),
        ("[copyIndex()]", "The template function 'copyIndex' is not expected at this location"),
        ("[length(1)]", "'length'"),
        ("[toUpper(1)]", "must be of type 'string' and is of type 'Integer'"),
        ("[add(1, true())]", "must be of type 'int' and is of type 'Boolean'"),
        ("[if('true', 1, 2)]", "must be of type 'bool'"),
        ("[div(1, 0)]", "must not be zero"),
        ("[resourceId('noType', 'x')]", "requires fully qualified resource type"),
        ("[resourceId('A.B/c/d', 'x')]", "requires '2' resource name argument(s)"),
        ("[json('{')]", "not a valid JSON text"),
        ("[padLeft('x', 3, '..')]", "one character"),
        ("[substring('abc', 2, 5)]", "must refer to a location within the string"),
        ("[range(0, 99999)]", "between 0 and 10000"),
        (f"[{'not(' * 300}true(){')' * 300}]", "nested more than"),
        (f"[{'9' * 5000}]", "no integer of 64 bits"),
        ("[mul(9223372036854775807, 2)]", "no integer of 64 bits"),
        ("[length(padLeft('x', 2000000000))]", "exceeds the maximum limit"),
        ("[format('{0:D2000000000}', 1)]", "is too long"),
        ("[uri('http://[', 'x')]", "no valid URI"),
        (f"[concat({','.join(['1'] * 50000)})]", "Limit: '81920' and actual: '100009'"),
        (f"[parameters('deep'){'.a' * 300}]", "nested more than"),
        ("[reference('nobody')]", "could not find template resource or resource copy with this name"),
    ],
)
def test_what_is_wrong_is_said_in_azures_words(expression: str, said: str) -> None:
    with pytest.raises(TemplateError) as refused:
        VALUES.value(expression)
    assert said in str(refused.value)


def test_a_function_that_azure_has_and_this_cloud_has_not_is_no_lie() -> None:
    with pytest.raises(NotSimulatedFunction, match="cidrSubnet"):
        VALUES.value("[cidrSubnet('10.0.0.0/16', 24, 0)]")


def test_a_variable_that_needs_itself_is_refused() -> None:
    turning = environment(variables={"a": "[variables('b')]", "b": "[variables('a')]"})
    with pytest.raises(TemplateError, match="refers to itself"):
        turning.value("[variables('a')]")


def test_a_function_that_calls_itself_is_refused() -> None:
    own = {"a.b": {"parameters": [], "output": {"type": "string", "value": "[a.b()]"}}}
    with pytest.raises(TemplateError, match="calls itself"):
        environment(functions=own).value("[a.b()]")


def _of(number: int) -> str:
    return f"variables('t{number}')"


def _loop(depth: int) -> Any:
    return {"copy": [{"name": "l", "count": 800, "input": _loop(depth - 1)}]} if depth else 1


_CALL = "[createArray(parameters('x'), parameters('x'))]"
_TWICE = {"a.b": {"parameters": [{"name": "x"}], "output": {"value": _CALL}}}


@pytest.mark.parametrize(
    "value",
    [
        _loop(3),
        {"copy": [{"name": "l", "count": 800, "input": "[range(0, 10000)]"}]},
        "[variables('v40')]",
        "[variables('t9')]",
        f"[{'a.b(' * 60}1{')' * 60}]",
        "[replace(variables('t4'), 'x', variables('t4'))]",
    ],
)
def test_what_grows_without_end_is_refused_soon(value: Any) -> None:
    variables: dict[str, Any] = {"v0": 1, "t0": "x"}
    variables |= {f"v{n}": {"a": f"[variables('v{n - 1}')]", "b": f"[variables('v{n - 1}')]"} for n in range(1, 41)}
    variables |= {f"t{n}": f"[concat({','.join([_of(n - 1)] * 10)})]" for n in range(1, 10)}
    with pytest.raises(TemplateError, match="exceeds the maximum limit"):
        environment(variables=variables, functions=_TWICE).value(value)


def test_loops_in_objects_turn_inside_each_other() -> None:
    told = {
        "copy": [
            {
                "name": "rows",
                "count": "[length(parameters('sizes'))]",
                "input": {"copy": [{"name": "cells", "count": 2, "input": "[mul(copyIndex('rows', 1), copyIndex())]"}]},
            }
        ],
        "same": "[parameters('name')]",
    }
    assert VALUES.value(told) == {"rows": [{"cells": [0, 1]}, {"cells": [0, 2]}, {"cells": [0, 3]}], "same": "hub"}


def test_unique_strings_are_the_same_for_the_same_texts_and_have_13_characters() -> None:
    """Nothing more is published; a name must not depend on the process, nor be the same for other texts."""
    texts = ["", "a", "abc", "abcd", "abcde", "abcdefgh", "abcdefghi", GROUP, GROUP.upper()]
    found = [VALUES.value(f"[uniqueString('{text}')]") for text in texts]
    assert found == [VALUES.value(f"[uniqueString('{text}')]") for text in texts]
    assert len(set(found)) == len(texts)
    assert all(len(each) == 13 and set(each) <= set("abcdefghijklmnopqrstuvwxyz234567") for each in found)
    assert VALUES.value("[uniqueString('a', 'b')]") != VALUES.value("[uniqueString('ab')]")
    assert VALUES.value("[guid('a', 'b')]") == VALUES.value("[guid('a', 'b')]")


def test_a_group_is_not_asked_for_at_subscription_scope() -> None:
    with pytest.raises(TemplateError, match="resourceGroup"):
        environment(f"/subscriptions/{SUBSCRIPTION}").value("[resourceGroup().name]")


@pytest.mark.parametrize(("seconds", "said"), [(0, "PT0S"), (75.848, "PT1M15.848S"), (3725, "PT1H2M5S")])
def test_durations_are_written_as_azure_writes_them(seconds: float, said: str) -> None:
    assert span(seconds) == said
