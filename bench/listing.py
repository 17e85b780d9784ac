"""Pages that read: lists, first and deep, by every kind of filter; the map; the home page."""

import json
import math
import re
from collections import Counter
from datetime import timedelta
from statistics import median
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from django.db import connections
from django.db.models import Count, QuerySet
from django.test import Client as InProcess

from registry.filters import select
from registry.filters.values import write_token
from registry.models import Person, Report

from .serving import HOST, Server
from .table import Table

EMPTY = "/bench/nothing"
#: Two columns that no index has together: one is tried on the rows that the other finds. What its statements take is
#: shown; that the page stays within its bar is held.
_TRIED = "level and cause"
#: Tiles of a wide screen.
ACROSS, DOWN = 3, 2
ZOOMS = (4, 6, 8, 10, 12, 14)
#: Rows of a page of a list.
PAGE = 50


def filters() -> dict[str, dict[str, str]]:
    """The filters of lists, by their names: each keeps some rows of this register."""
    rows = Report.objects.order_by()
    newest = rows.order_by("-sort_key").values_list("occurred_to", flat=True)[0]

    def most(column: str) -> Any:
        found = rows.values_list(column).annotate(n=Count("pk")).order_by("-n")[:2]
        return next(value for value, _n in found if value not in ("", None))

    incidents = rows.exclude(incident="").values_list("incident").annotate(n=Count("pk")).order_by("-n")
    return {
        "everything": {},
        "area, status, dates": {
            "area": most("adm1_code"),
            "status": "verified",
            "from": str(newest - timedelta(days=500)),
            "to": str(newest - timedelta(days=100)),
        },
        "kind": {"kind": "network"},
        "incident": {"incident": incidents[0][0] if incidents else "0000-0000"},
        "a common word": {"text": "facade"},
        "a rare word": {"text": _rare(rows)},
        "two words": {"text": "chimney flooded"},
        "assignee": {"assignee": str(most("assignee_id"))},
        _TRIED: {"level": "severe", "cause": "flood"},
    }


def _rare(rows: QuerySet) -> str:
    """The rarest word of descriptions that fills a page, judged by some of them: half a page would be faster."""
    said = rows.values_list("description", flat=True)[:20_000]
    found = Counter(word for one in said for word in {*re.findall(r"\w+", one)})
    enough = 2 * PAGE * len(said) / rows.count()
    return min((n, word) for word, n in found.items() if n >= enough)[1]


def pages(server: Server, official: Person) -> dict[str, tuple[float, float]]:
    """Of each filter, the milliseconds of its statements and of its page, the slower of first and deep."""
    client = server.client(official)
    found = {}
    for name, params in filters().items():
        query = urlencode(params)
        sql, page = 0.0, 0.0
        for address in (f"/reports?{query}", f"/reports?{query}&after={_deep(official, params)}"):
            sql = max(sql, _statements(address, client.cookies))
            page = max(page, client.seconds(address) * 1e3)
        found[name] = sql, page
    return found


def empty(server: Server, official: Person) -> float:
    """The milliseconds of a page that does nothing, for somebody signed in."""
    return server.client(official).seconds(EMPTY, 3) * 1e3


def _deep(official: Person, params: dict[str, str]) -> str:
    """The token of a page in the middle of a list's days; of an empty one, of the register's."""
    selection = select(official, params)
    # The page before the first day there is: the oldest rows.
    newest, oldest = selection.page().rows, selection.page(before="0001-01-01.0000-0000").rows
    if not newest or not oldest:
        return _deep(official, {})
    return write_token((newest[0].sort_key + oldest[-1].sort_key) // 2) or ""


def _statements(address: str, cookies: dict[str, str]) -> float:
    """The milliseconds that a page's own statements take, run again one after the other."""
    run: list[tuple[str, str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        run.append((context["connection"].alias, sql, params))
        return execute(sql, params, many, context)

    browser = InProcess(SERVER_NAME=HOST)
    browser.cookies.load(cookies)
    with connections["reader"].execute_wrapper(note), connections["default"].execute_wrapper(note):
        response = browser.get(address)
    if response.status_code != 200:
        raise RuntimeError(f"{address}: {response.status_code}")
    spent = 0.0
    for alias, sql, params in run:
        if sql.startswith(("SELECT", "WITH")):
            spent += _time(alias, sql, params)
    return spent * 1e3


def _time(alias: str, sql: str, params: Any, times: int = 5) -> float:
    spent = []
    with connections[alias].cursor() as cursor:
        for _number in range(times):
            began = perf_counter()
            cursor.execute(sql, params)
            cursor.fetchall()
            spent.append(perf_counter() - began)
    return median(spent)


def measure(table: Table, server: Server, official: Person, small: dict[str, list[float]]) -> None:
    """``small``: what ``pages`` gave at 10,000 reports."""
    nothing = empty(server, official)
    table.add("a page that does nothing, signed in", nothing, "ms")
    for name, (sql, page) in pages(server, official).items():
        table.add(
            f"list, {name}: its SQL, first and deep", sql, "ms", bar="list sql" if name != _TRIED else ""
        )
        table.add(
            f"list, {name}: the page, first and deep",
            page,
            "ms",
            beside="empty",
            peer=nothing,
            bar="list page",
        )
        if name in small and name != _TRIED:
            table.add(f"list, {name}", page, "ms", beside="at 10,000", peer=small[name][1], bar="list flat")
    _maps(table, server)
    visitor = server.client()
    nothing_public = visitor.seconds(EMPTY, 3) * 1e3
    for who, client, beside in (
        ("a visitor", visitor, nothing_public),
        ("staff", server.client(official), nothing),
    ):
        page = client.seconds("/") * 1e3
        table.add(
            f"home page with the figures of the day, {who}",
            page,
            "ms",
            beside="empty",
            peer=beside,
            bar="home",
        )
    _of_then(table, server, official)


def _of_then(table: Table, server: Server, official: Person) -> None:
    """Pages as of a moment in the middle of the register's days."""
    client, moment = server.client(official), middle()
    first = client.get("/reports?as_of=" + moment)
    if b"report" not in first:
        raise RuntimeError("nothing stood then")
    for what, address, bar in (
        ("list", "/reports?", "list then"),
        ("list, kind", "/reports?kind=network&", "list then"),
        ("home page with figures and map", "/?", "figures then"),
        ("map page with regions", "/map?", "figures then"),
        (
            "a tile of a country",
            f"/map/tiles/5/{'/'.join(map(str, _tile(*_busiest(), 5)))}.json?",
            "figures then",
        ),
    ):
        spent = client.seconds(f"{address}as_of={moment}", 1) * 1e3
        table.add(f"as of a moment: {what}", spent, "ms", bar=bar)


def middle() -> str:
    """A moment between the first and the last day of damage, after the first report was logged."""
    logged = Report.objects.order_by("logged_utc").values_list("logged_utc", flat=True)
    first, last = logged[0], logged.reverse()[0]
    return f"{first + (last - first) / 2:%Y-%m-%dT%H:%M:%SZ}"


def _tile(lat: float, lon: float, zoom: int) -> tuple[int, int]:
    side = 1 << zoom
    y = (0.5 - math.asinh(math.tan(math.radians(lat))) / math.tau) * side
    return int((lon + 180) / 360 * side), int(y)


def _maps(table: Table, server: Server) -> None:
    visitor = server.client()
    nothing = visitor.seconds(EMPTY, 3) * 1e3
    lat, lon = _busiest()
    for name, params, bar in (
        ("unfiltered", {}, "map unfiltered"),
        ("kind", {"kind": "building"}, "map covered"),
        (
            "kind, status, dates",
            {"kind": "building", "status": "verified", "from": "2000-01-01"},
            "map covered",
        ),
        ("a cause", {"cause": "wind"}, "map any"),
        ("a word", {"text": "facade"}, "map any"),
    ):
        slowest, largest, partial = 0.0, 0.0, False
        for zoom in ZOOMS:
            size = 0.0
            for address in _viewport(lat, lon, zoom, urlencode(params)):
                body = visitor.get(address)
                size += len(body) / 1000
                partial |= json.loads(body)["partial"]
                slowest = max(slowest, visitor.seconds(address, 1 / 3, cold=False) * 1e3)
            largest = max(largest, size)
        what = f"map, {name}: slowest tile of any viewport"
        table.add(
            f"{what}{', says it is partial' if partial else ''}",
            slowest,
            "ms",
            beside="empty",
            peer=nothing,
            bar=bar,
        )
        table.add(f"map, {name}: largest viewport", largest, "kB", bar="map size")


def _busiest() -> tuple[float, float]:
    """A point in the town with most reports."""
    town = Report.objects.order_by().values_list("settlement").annotate(n=Count("pk")).order_by("-n")
    name = next(settlement for settlement, _n in town if settlement)
    lat, lon = Report.objects.filter(settlement=name, lat__isnull=False).values_list("lat", "lon")[0]
    return float(lat), float(lon)


def _viewport(lat: float, lon: float, zoom: int, query: str) -> list[str]:
    """The addresses of the tiles that a screen around a point shows."""
    side = 1 << zoom
    x = (lon + 180) / 360 * side
    y = (0.5 - math.asinh(math.tan(math.radians(lat))) / math.tau) * side
    return [
        f"/map/tiles/{zoom}/{column}/{line}.json?{query}"
        for column in range(int(x - ACROSS / 2), int(x - ACROSS / 2) + ACROSS)
        for line in range(int(y - DOWN / 2), int(y - DOWN / 2) + DOWN)
        if 0 <= column < side and 0 <= line < side
    ]


__all__ = ["empty", "measure", "middle", "pages"]
