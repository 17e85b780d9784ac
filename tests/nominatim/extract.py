"""A small extract in OpenStreetMap's XML, all of it made up: two towns of two regions, with streets and houses.

The towns stand where towns of these names stand, so that the gazetteer and the boundaries agree; no street and
no house is a real one."""

from itertools import count
from pathlib import Path
from xml.etree import ElementTree

# Region: names, and a box of west, south, east, north in degrees.
_REGIONS = {
    "63": ({"name": "Харківська область", "name:en": "Kharkiv Oblast"}, (35.5, 49.2, 37.5, 50.4)),
    "59": ({"name": "Сумська область", "name:en": "Sumy Oblast"}, (33.5, 50.5, 35.4, 52.0)),
}
# Town: names, latitude, longitude.
_TOWNS = [
    ({"name": "Чугуїв", "name:en": "Chuhuiv", "name:ru": "Чугуев"}, 49.8354, 36.6865),
    ({"name": "Суми", "name:en": "Sumy", "name:ru": "Сумы"}, 50.9077, 34.7981),
]
# Streets of every town, each a little farther north than the one before it, with houses 1 to 9.
_STREETS = [
    {"name": "вулиця Соборна", "name:en": "Soborna Street", "name:ru": "Соборная улица"},
    {"name": "вулиця Калинова", "name:en": "Kalynova Street", "name:ru": "Калиновая улица"},
    {"name": "провулок Тихий", "name:en": "Tykhyi Lane", "name:ru": "Тихий переулок"},
]


def write(path: Path) -> None:
    """Write the extract; a street is 900 m long, a house stands 10 m off it."""
    root = ElementTree.Element("osm", version="0.6", generator="register tests")
    ids = count(1)
    elements: list[ElementTree.Element] = []

    def add(kind: str, tags: dict[str, str], **attributes: object) -> ElementTree.Element:
        stamped = {"id": str(next(ids)), "version": "1", "timestamp": "2026-01-01T00:00:00Z"}
        element = ElementTree.Element(
            kind, stamped | {name: str(value) for name, value in attributes.items()}
        )
        for key, value in tags.items():
            ElementTree.SubElement(element, "tag", k=key, v=value)
        elements.append(element)
        return element

    def line(tags: dict[str, str], points: list[tuple[float, float]], *, closed: bool = False) -> str:
        """A way through points of latitude and longitude; its id."""
        nodes = [add("node", {}, lat=round(lat, 7), lon=round(lon, 7)).get("id", "") for lat, lon in points]
        way = add("way", tags)
        for number, node in enumerate(nodes + nodes[:1] * closed):
            way.insert(number, ElementTree.Element("nd", ref=node))
        return way.get("id", "")

    for code, (names, (west, south, east, north)) in _REGIONS.items():
        ring = line({}, [(south, west), (south, east), (north, east), (north, west)], closed=True)
        tags = {
            "type": "boundary",
            "boundary": "administrative",
            "admin_level": "4",
            "ISO3166-2": f"UA-{code}",
        }
        relation = add("relation", tags | names)
        relation.insert(0, ElementTree.Element("member", type="way", ref=ring, role="outer"))
    for town, lat, lon in _TOWNS:
        add("node", {"place": "town", "population": "30000"} | town, lat=lat, lon=lon)
        for row, street in enumerate(_STREETS):
            north = lat + 0.002 * row
            line({"highway": "residential"} | street, [(north, lon - 0.006), (north, lon + 0.006)])
            for house in range(1, 10):
                address = {"addr:street": street["name"], "addr:housenumber": str(house)}
                at = {"lat": round(north + 0.0001, 7), "lon": round(lon - 0.006 + 0.0012 * house, 7)}
                add("node", address | {"building": "house", "addr:city": town["name"]}, **at)
    # osm2pgsql wants nodes, then ways, then relations, each by id.
    order = ["node", "way", "relation"]
    root.extend(sorted(elements, key=lambda one: (order.index(one.tag), int(one.get("id", "0")))))
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
