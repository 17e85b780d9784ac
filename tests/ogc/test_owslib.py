"""OWSLib's client of OGC API Features."""

from typing import Any

import pytest
from owslib.ogcapi.features import Features

from tests.ogc.conftest import ids

pytestmark = pytest.mark.django_db(transaction=True)


def test_owslib_finds_and_reads_the_reports(live_server: Any, reports: list[str]) -> None:
    client = Features(f"{live_server.url}/ogc/")
    assert client.feature_collections() == ["reports"]
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in client.conformance()["conformsTo"]
    assert client.api()["openapi"] == "3.0.3"
    assert client.collection("reports")["itemType"] == "feature"
    assert "kind" in client.collection_queryables("reports")["properties"]
    shop, house, loss = reports
    assert ids(client.collection_items("reports")) == reports
    assert ids(client.collection_items("reports", limit=1)) == [shop]
    assert ids(client.collection_items("reports", bbox=[36.4, 49, 37, 50])) == [house, loss]
    assert ids(client.collection_items("reports", datetime_="../2026-03-08")) == [house, loss]
    assert ids(client.collection_items("reports", filter="dwellings_total > 3")) == [house]
    assert ids(client.collection_items("reports", kind="outage")) == [loss]
    assert client.collection_item("reports", house)["properties"]["dwellings_total"] == 12
    with pytest.raises(RuntimeError, match="assignee"):
        client.collection_items("reports", filter="assignee = 1")
