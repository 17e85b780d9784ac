"""The layer does what its description says, whatever it is sent and whoever sends it: never a failure of the
register, and every answer as described. ``EXAMPLES=200`` tries more."""

import os
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from registry.actions import tokens
from registry.ogc import describing
from tests import factories
from tests.generated import examples, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("connections_stay_open")]

EXAMPLES = int(os.environ.get("EXAMPLES", "3"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
#: What generators rarely hit upon.
FILTERS = [
    "kind = 'building' AND NOT (lat > 49.9 OR settlement LIKE '%ö_')",
    "S_INTERSECTS(geometry, BBOX(36, 49, 37, 51))",
    "dwellings_total BETWEEN 1 AND 1E300 OR updated_utc < TIMESTAMP('9999-12-31T23:59:59Z')",
    "occurred_to >= DATE('0001-01-01') AND logged_utc IN ('2026-03-10', '2026-03-10T12:00:00Z')",
]


@pytest.mark.parametrize("mode", GenerationMode)
def test_the_layer_does_what_its_description_says(
    mode: GenerationMode, reports: list[str], settings: Any
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    settings.ALLOWED_HOSTS = ["*"]
    official = factories.person("official", factories.ukraine()["UA-63"])
    headers: list[dict[str, str]] = [{}]
    for person in (factories.person("researcher"), official):
        _token, secret = tokens.make(person, name="GDAL", scope="read", days=1)
        headers.append({"Authorization": f"Bearer {secret}"})
    description = describing.openapi(RequestFactory().get("/ogc/api"))
    # Who may come in is ours to say.
    del description["security"]
    api = schemathesis.openapi.from_dict(description)
    api.app = get_wsgi_application()
    seen: dict[int, int] = {}
    for found in api.get_all_operations():
        _try(found.ok(), mode, headers, reports, seen)
    assert seen.get(200, 0) + seen.get(400, 0) > 0.8 * sum(seen.values())


def _try(operation: Any, mode: Any, headers: list[Any], reports: list[str], seen: dict[int, int]) -> None:
    @examples(EXAMPLES)
    @given(case=operation.as_strategy(mode), data=st.data())
    def tried(case: Any, data: st.DataObject) -> None:
        if case.path_parameters:
            case.path_parameters["featureId"] = data.draw(st.sampled_from(reports))
        if operation.path.endswith("/items") and mode.is_positive:
            # Of a hundred parameters one is always wrong: a few at a time get further.
            names = data.draw(st.lists(st.sampled_from(sorted(case.query or {"f": ""})), max_size=2))
            case.query = {name: value for name, value in (case.query or {}).items() if name in names}
            case.query["filter"] = data.draw(st.sampled_from(FILTERS))
        answer = case.call(headers=data.draw(st.sampled_from(headers)))
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        case.validate_response(answer, checks=CHECKS)

    run(tried)
