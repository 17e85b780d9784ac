"""The description of the API: made of the columns, filters and forms, and true JSON Schema."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.test import Client
from jsonschema import Draft202012Validator

from registry.actions.deeds import DEEDS
from registry.api import register
from registry.api.description import described
from registry.columns import COLUMNS
from registry.filters import EVERY_FILTER
from registry.forms.reports import ReportForm
from registry.rules import workflow
from registry.upkeep.replica import replica
from registry.views import middleware

API = "/api/v1"


def test_columns_filters_and_forms_are_described_in_their_own_words() -> None:
    spec = described("en")
    report = spec["components"]["schemas"]["Report"]["properties"]
    for column in COLUMNS:
        assert str(column.help) in report[column.name]["description"]
        assert str(column.label)[1:] in report[column.name]["description"]
    listing, logging = (spec["paths"][f"{API}/reports"][method] for method in ("get", "post"))
    parameters = {one["name"]: one for one in listing["parameters"]}
    for name, one in EVERY_FILTER.items():
        assert str(one.label)[1:] in parameters[name]["description"]
    body = logging["requestBody"]["content"]["application/json"]["schema"]
    for name, field in ReportForm.base_fields.items():
        assert str(field.label)[1:] in body["properties"][name]["description"]
    assert body["required"] == ["kind"]


def test_every_move_and_deed_has_an_address_of_its_own() -> None:
    paths = described("en")["paths"]
    for move in workflow.MOVES:
        one = paths[f"{API}/reports/{{reference}}/moves/{move.name}"]["post"]
        for content in one["requestBody"]["content"].values():
            assert set(move.takes) - {"image", "photos_after"} <= content["schema"]["properties"].keys()
    for name in DEEDS:
        assert f"{API}/reports/{{reference}}/deeds/{name}" in paths
    ids = [one["operationId"] for methods in paths.values() for one in methods.values()]
    assert len(ids) == len(set(ids))


def test_a_change_says_what_it_began_from() -> None:
    paths = described("en")["paths"]
    change = paths[f"{API}/reports/{{reference}}"]["patch"]["requestBody"]["content"]["application/json"]
    assert change["schema"]["required"] == ["since"]
    assert (change["schema"]["properties"]["since"] | {"description": ""}) == {
        "type": "integer", "minimum": 1, "maximum": 2**31 - 1, "description": "",
    }  # fmt: skip
    log = paths[f"{API}/reports"]["post"]["requestBody"]["content"]["application/json"]
    assert "since" not in log["schema"]["properties"]


def test_no_sentence_ends_twice() -> None:
    spec = described("en")
    ends = re.compile(r"[?!.,;:][?!.,;:]|^\.|^\s")
    assert [words for words in _descriptions(spec) if ends.search(words)] == []


def _descriptions(spec: Any) -> Iterator[str]:
    for name, one in spec.items() if isinstance(spec, dict) else enumerate(spec):
        if isinstance(one, dict | list):
            yield from _descriptions(one)
        elif name == "description":
            yield one


def test_every_schema_is_one() -> None:
    spec = described("en")
    for schema in spec["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for methods in spec["paths"].values():
        for one in methods.values():
            for content in one.get("requestBody", {}).get("content", {}).values():
                Draft202012Validator.check_schema(content["schema"])


@pytest.mark.django_db
def test_a_read_under_which_the_replica_goes_away_is_made_again(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.DATABASE_REPLICA_URL = "postgresql://replica/register"
    monkeypatch.setattr(replica, "watch", lambda: None)
    asked = register.address

    @contextmanager
    def from_replica(_person: Any) -> Any:
        reader = connections["reader"]
        connections["reader"] = copy(connections["default"])
        yield
        connections["reader"] = reader

    def address(name: str) -> str:
        if connections["reader"] is not connections["default"]:
            raise OperationalError("The replica is gone.")
        return asked(name)

    monkeypatch.setattr(middleware, "reading", from_replica)
    monkeypatch.setattr(register, "address", address)
    answer = Client().get(f"{API}/")
    assert (answer.status_code, answer.json()["links"]["reports"]) == (
        200,
        "http://testserver/api/v1/reports",
    )
