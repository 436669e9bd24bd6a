"""No text of the validator reaches a person: each constraint of each schema is broken, and what is said is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from pigi.domain.resources import RESOURCES
from pigi.errors import Refused
from pigi.flaws import OTHER, flaws_of
from web.app import ROUTES
from web.http.requests import read_query
from web.http.schemas import RequestModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

FORBIDDEN = re.compile(
    r"Input |[Vv]alid (string|integer|list|dictionary|number|boolean|date)|[Vv]alue error|instance of|match pattern|"
    r"\^|\[a-z|\\|pydantic|permitted|Extra inputs|Field required|String should|Request\b|discriminator|"
    r"function-|constrained"
)
BODIES = {route.body for route in ROUTES if isinstance(route.body, type) and issubclass(route.body, RequestModel)}
MODELS: list[type[BaseModel]] = [
    *sorted(BODIES, key=lambda model: model.__name__),
    *(one.model for one in RESOURCES.values()),
]
WRONG: dict[str, Any] = {"string": 7, "integer": "x", "number": "x", "boolean": "x", "array": 7, "object": 7}


def resolved(node: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def broken(node: dict[str, Any], root: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Values that break each constraint of a schema, at every depth; with the constraint's name."""
    node = resolved(node, root)
    for part in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from broken(part, root)
    if "oneOf" in node:
        yield from (("tag", {}), ("tag", {node["discriminator"]["propertyName"]: "no-such"}))
    if "enum" in node or "const" in node:
        yield "enum", "no-such"
    sort = node.get("type", "")
    if sort in WRONG:
        yield from (("type", WRONG[sort]), ("type", None))
        yield from SORTS.get(sort, lambda *_: ())(node, root)


def broken_text(node: dict[str, Any], _root: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from (("pattern", "\x00"), ("minLength", ""), ("maxLength", "x" * (node.get("maxLength", 0) + 1)))


def broken_number(node: dict[str, Any], _root: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from (("minimum", node.get("minimum", 0) - 10**9), ("maximum", node.get("maximum", 0) + 10**9), ("type", 1.5))


def broken_list(node: dict[str, Any], root: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "minItems", []
    yield "maxItems", [7] * (node.get("maxItems", 0) + 1)
    yield from ((name, [value]) for name, value in broken(node["items"], root))


def broken_object(node: dict[str, Any], root: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from (("additionalProperties", {"no_such_field": 1}), ("required", {}))
    fields = node.get("properties", {})
    constants = {name: one["const"] for name, one in fields.items() if "const" in one}
    for field, inner in fields.items():
        yield from ((f"{field} {name}", {**constants, field: value}) for name, value in broken(inner, root))


SORTS: dict[str, Any] = {
    "string": broken_text, "integer": broken_number, "number": broken_number, "array": broken_list,
    "object": broken_object,
}  # fmt: skip


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_broken_constraint_is_told_in_words(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    told = set()
    for constraint, value in broken(schema, schema):
        try:
            model.model_validate(value)
        except ValidationError as error:
            told |= {(constraint, flaw["pointer"], flaw["message"]) for flaw in flaws_of(error, model)}
    assert told
    fields = {"/" + re.sub(r"\W", "", name) for name in schema.get("properties", {})}
    wrong = [one for one in told if FORBIDDEN.search(re.split("[Kk]nown are:", one[2])[0]) or one[2] == OTHER]
    assert not wrong
    assert {re.sub(r"^(/[^/]*).*", r"\1", pointer) for _, pointer, _ in told} <= fields | {"", "/no_such_field"}


class Inner(BaseModel, extra="forbid"):
    """A form with a field."""

    name: str


class Counted(BaseModel):
    """What is counted once it was brought into its form: the validator no longer knows of what sort it is."""

    one: list[str] = Field(default_factory=list, min_length=1)
    short: Annotated[str, AfterValidator(str.strip), Field(max_length=3)] = ""
    letter: Annotated[str, AfterValidator(str.strip), Field(min_length=1)] = "a"


class Outer(BaseModel, extra="forbid"):
    """Forms in lists, maps and unions, as schemas may come to have them."""

    some: list[Inner] = Field(default_factory=list)
    either: str | list[str] = ""
    by_name: dict[str, Inner] = Field(default_factory=dict)
    maybe: Inner | None = None


@pytest.mark.parametrize(
    ("value", "pointer", "message"),
    [
        ([], "", "must be an object"),
        ({"sme": []}, "/sme", "unknown field; is some meant? Known are: some, either, by_name, maybe."),
        ({"some": [{"name": "n", "nam": 1}]}, "/some/0/nam", "unknown field; is name meant? Known are: name."),
        ({"maybe": {"name": "n", "a/b": 1}}, "/maybe/a~1b", "unknown field; known are: name."),
        ({"by_name": {"x": {"name": 1}}}, "/by_name/x/name", "must be a text"),
        ({"either": 7}, "/either", "must be a text, or a list"),
        ({"either": ["a", 7]}, "/either/1", "must be a text"),
        ({"x" * 65: 1}, "", "unknown field; known are: some, either, by_name, maybe."),
    ],
)
def test_a_flaw_is_where_it_is_and_says_what_would_be_right(value: Any, pointer: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(value, strict=True)
    assert {"pointer": pointer, "message": message} in flaws_of(caught.value, Outer)


def test_texts_have_characters_and_lists_have_entries_of_which_one_is_an_entry() -> None:
    with pytest.raises(ValidationError) as caught:
        Counted.model_validate({"one": [], "short": "long", "letter": " "})
    told = {flaw["pointer"]: flaw["message"] for flaw in flaws_of(caught.value, Counted)}
    assert told["/one"] == "must have at least 1 entry"
    assert told["/short"] == "must have at most 3 characters"
    assert told["/letter"] == "must have at least 1 character"


@pytest.mark.parametrize("values", [["\x00" * 50, "x"], [""], ["-1"]], ids=["twice", "empty", "minus one"])
def test_every_parameter_of_every_query_is_told_in_words(app: Flask, values: list[str]) -> None:
    for route in ROUTES:
        for name in (*route.query, "no_such"):
            flaws: Any = []
            with app.test_request_context(query_string={name: values}):
                try:
                    read_query(route.query)
                except Refused as refusal:
                    flaws = refusal.details["errors"]
            assert {flaw["parameter"] for flaw in flaws} <= {name}
            assert flaws or len(values) == 1
            assert not [flaw for flaw in flaws if FORBIDDEN.search(re.split("[Kk]nown are:", flaw["message"])[0])]
