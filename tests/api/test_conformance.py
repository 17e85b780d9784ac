"""The API does what its description says, whatever it is sent and whoever sends it: never a failure of the
register, and every answer as described. A few examples here; ``make test-api EXAMPLES=500`` tries more."""

import os
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from registry.actions import editions, evidence, journal, tokens
from registry.actions.sampling import photo
from registry.api.description import described
from registry.models import Assessment, Asset, Estimate, Incident, OutageStep, Source, Statement
from registry.rules.vocabularies import EntryKind
from tests import factories
from tests.generated import examples, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gazetteer_path", "connections_stay_open")]

#: Of each operation, of what fits its description and of what does not.
EXAMPLES = int(os.environ.get("EXAMPLES", "1"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
WHO = (
    "visitor",
    "resident",
    "researcher",
    "official",
    "inspector",
    "operator",
    "supervisor",
    "administrator",
)


class World:
    """One of each thing, and the headers of one of each role."""

    def __init__(self) -> None:
        areas = factories.ukraine()
        region = areas["UA-63"]
        self.headers: dict[str, dict[str, str]] = {"visitor": {}}
        people = {}
        for who in WHO[1:]:
            role = "official" if who == "administrator" else who
            held = [] if who in ("resident", "researcher") else [region]
            people[who] = factories.person(
                role,
                *held,
                sectors=["electricity"] if who == "operator" else [],
                is_administrator=who == "administrator",
            )
            _token, secret = tokens.make(people[who], name=who, scope="work", days=7)
            self.headers[who] = {"Authorization": f"Bearer {secret}"}
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=5)
        when = {"at": at, "occurred_from": at.date(), "occurred_to": at.date(), "lat": 50, "lon": 36}
        night = Incident.objects.create(
            title="Night", cause_group="hostilities", began_at=at, created_at=at, published=True
        )
        night.areas.add(region)
        Statement.objects.create(
            incident=night, type="damage", text="Roofs", said_by="Office", said_at=at, certainty="confirmed",
            recorded_at=at, published=True,
        )  # fmt: skip
        mill = Asset.objects.create(kind="building", object_type="school", name="Mill school")
        by = people["official"]
        supply = {"kind": "outage", "object_type": "", "damage_level": "", "sector": "electricity"}
        made = [
            factories.report(by=by, of_incident_id=night.pk, of_asset_id=mill.pk, summary="Roof", **when),
            factories.report(by=people["resident"], from_resident=True, status="reported", **when),
            factories.report(
                by=by, status="confirmed", customers_unit="accounts", customers_affected=9,
                customers_out=9, customer_hours=Decimal(9), **supply, **when,
            ),
        ]  # fmt: skip
        grade = Assessment(scale="ems98", scale_grade="2", method="desk", assessed_on=at.date())
        self._beside(made[0], [grade, Source(type="media", name="Post")], at)
        steps = [
            OutageStep(direction="lost", customers=9, at=at),
            Estimate(given_at=at, restored_by=at + timedelta(1)),
        ]
        self._beside(made[2], steps, at)
        line = evidence.attach(made[0].reference, photo("Here", (9, 9, 9)), by=by)
        editions.publish(journal.now() - timedelta(hours=1))
        self.known = {
            "reports": [one.reference for one in made],
            "incidents": [night.reference],
            "assets": [mill.reference],
            "code": ["UA", "UA-63", "700001"],
            "sha256": [line.shown_sha256],
        }

    @staticmethod
    def _beside(report: Any, rows: list[Any], at: datetime) -> None:
        with transaction.atomic():
            journal.record(journal.Line(journal.lock(report.reference), EntryKind.NOTED, rows=rows), at=at)


@pytest.mark.parametrize("mode", GenerationMode)
def test_the_api_does_what_its_description_says(mode: GenerationMode, settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    settings.ALLOWED_HOSTS = ["*"]
    world = World()
    operations = [found.ok() for found in _described().get_all_operations()]
    assert len(operations) > 60
    seen: dict[int, int] = {}
    for number, operation in enumerate(operations):
        _try(operation, mode, world, first=number, seen=seen)
    print(mode, dict(sorted(seen.items())))
    assert sum(seen.values()) >= len(operations) * EXAMPLES / 2


def _described() -> Any:
    """The API by its own description, but for who may come in: that is ours to say."""
    description = deepcopy(described("en"))
    for methods in description["paths"].values():
        for one in methods.values():
            del one["security"]
    api = schemathesis.openapi.from_dict(description)
    api.app = get_wsgi_application()
    return api


def _try(operation: Any, mode: GenerationMode, world: World, *, first: int, seen: dict[int, int]) -> None:
    checks = [*CHECKS, negative_data_rejection] if not mode.is_positive else CHECKS
    turns = iter(range(first, first + 10**9))

    @examples(EXAMPLES)
    @given(case=operation.as_strategy(mode), data=st.data())
    def tried(case: Any, data: st.DataObject) -> None:
        who = WHO[next(turns) % len(WHO)]
        for name in case.path_parameters or {}:
            known = world.known.get(name) or world.known[case.path.split("/")[3]]
            if data.draw(st.integers(0, 9)) < 9:
                case.path_parameters[name] = data.draw(st.sampled_from(known))
        with transaction.atomic():
            answer = case.call(headers=world.headers[who])
            transaction.set_rollback(True)
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        case.validate_response(answer, checks=checks)

    run(tried)
