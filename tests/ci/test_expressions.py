"""The evaluator that the replay rests on: what GitHub's page says, and loud about everything else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ci.expressions import Loose, UnknownExpressionError, evaluate, filled, is_true

CONTEXTS = {
    "inputs": {"deep": True, "resend": "", "runs-on": "ubuntu-latest", "labels": '["self-hosted", "linux"]'},
    "github": {"ref": "refs/heads/main", "event": Loose(repository={"default_branch": "main"})},
    "secrets": Loose(),
    "status": {"cancelled": False, "failure": True},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("github.ref == format('refs/heads/{0}', github.event.repository.default_branch)", True),
        ("github.event.schedule == '17 3 * * *'", False),
        ("github.event.pull_request.head.repo.full_name == ''", True),
        ("inputs.resend != '' || secrets.env", None),
        ("inputs.resend || 'else'", "else"),
        ("inputs.resend == '' && (inputs.deep == 'x' || 'it''s')", "it's"),
        ("'A' == 'a'", True),
        ("startsWith(inputs.runs-on, '[') && fromJSON(inputs.runs-on) || inputs.runs-on", "ubuntu-latest"),
        ("startsWith(inputs.labels, '[') && fromJSON(inputs.labels)", ["self-hosted", "linux"]),
        ("true", True),
        ("!cancelled() && !(inputs.resend == 'x')", True),
        ("!inputs.deep", False),
        ("!cancelled() && !failure()", False),
    ],
)
def test_what_our_workflows_write(text: str, value: Any) -> None:
    assert evaluate(text, CONTEXTS) == value


@pytest.mark.parametrize(
    "text",
    ["inputs.dep", "matrix.x", "contains(inputs.resend, 'x')", "inputs.deep > 1", "'open", "(true",
     "==", "true true", "always()", "github.event.*"],
)  # fmt: skip
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(UnknownExpressionError):
        evaluate(text, CONTEXTS)


def test_values_are_inserted_as_texts() -> None:
    assert (
        filled("a ${{ inputs.deep }} b ${{ secrets.env }} ${{ inputs.runs-on }}", CONTEXTS) == "a true b  ubuntu-latest"
    )


@pytest.mark.parametrize("value", [None, "", False, 0, float("nan")])
def test_what_is_false(value: object) -> None:
    assert not is_true(value)
    assert is_true("false")
