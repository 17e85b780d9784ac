"""The words by which other people's tables name what the register knows: headings, things, causes, grades.

English, Ukrainian and Russian. A word that ends in ``*`` is any that begins so; of several rules the first
that fits counts, so what is special stands above what is general.
"""

import re
from collections.abc import Iterable
from functools import lru_cache, partial

from registry.rules import scales

#: Less sure than this, a heading names nothing.
LEAST = 0.4

#: Words of headings for each role of a column. A heading that is exactly one of them is surer than one that
#: holds it.
HEADINGS: dict[str, tuple[str, ...]] = {
    "ref": (
        "id", "uid", "uuid", "ref", "reference", "nr", "no", "number", "obs", "entry", "code", "case", "record",
        "fid", "objectid", "globalid", "key", "№", "номер", "код", "ід", "ид", "nn", "№ п/п", "п/п",
    ),
    "country": ("country", "nation", "iso3", "iso2", "iso", "admin0", "adm0", "admin 0", "adm 0", "країна", "страна"),
    "region": (
        "region", "oblast*", "province", "state", "governorate", "adm1", "admin1", "adm 1", "admin 1", "prefecture",
        "область", "області", "регіон*", "регион*", "postal code", "край",
    ),
    "pcode": ("pcode", "p-code", "p code", "adm1 pcode", "adm2 pcode", "admin1pcode", "admin2pcode"),
    "district": ("district", "raion", "rayon", "county", "adm2", "admin2", "adm 2", "admin 2", "район*", "department"),
    "place": (
        "place", "town", "city", "settlement", "village", "locality", "location", "municipality", "community",
        "hromada", "adm3", "adm4", "admin3", "admin4", "site", "населений пункт", "населенный пункт",
        "насел. пункт", "нас. пункт", "насел пункт", "нас пункт", "нп", "н.п.", "н п",
        "місто", "город", "село", "громада", "місце", "место", "population point",
    ),
    "address": ("address", "street", "адрес*", "вулиця", "улица"),
    "object_name": ("name", "object name", "facility name", "title of object", "назва", "название", "найменування",
                    "наименование"),
    "lat": ("lat", "latitude", "y", "широта"),
    "lon": ("lon", "lng", "long", "longitude", "x", "довгота", "долгота"),
    "point": ("coordinates", "coords", "coordinate", "lat lon", "lat long", "latlon", "gps", "geo point", "координати",
              "координаты"),
    "day": ("date", "day", "event date", "occurred", "when", "happened", "incident date", "date of event", "start date",
            "outage start date", "дата", "день", "коли", "когда", "date of damage", "damaged on"),
    "time": ("time", "hour", "start time", "outage start time", "час", "время", "time of day"),
    "moment": ("datetime", "timestamp", "start", "began", "started", "outage start", "begin", "start datetime",
               "date and time", "початок", "начало", "off since"),
    "back_day": ("restoration date", "restored date", "end date", "date restored", "restored on"),
    "back_time": ("restoration time", "restored time", "end time"),
    "back": ("restored", "restoration", "end", "ended", "power back", "restored at", "відновлен*", "восстановлен*",
             "кінець", "конец", "finish"),
    "year": ("year", "рік", "год"),
    "month": ("month", "місяць", "месяц"),
    "what": ("what", "type", "kind", "category", "infrastructure", "facility", "object", "building", "use", "sector",
             "class", "type of infrastructure", "object type", "тип*", "вид*", "об'єкт*", "объект*", "категор*",
             "структур*"),
    "grade": ("damage", "extent", "severity", "grade", "degree", "condition", "damage level", "level of damage",
              "extent of damage", "damage class", "ступін*", "степень", "пошкодж*", "повреж*", "руйнув*", "разруш*",
              "стан", "состояние"),
    "cause": ("cause", "reason", "hazard", "cause category", "cause detail", "event type", "причин*",
              "trigger"),
    "customers_lost": ("customers affected", "customers out", "customers", "affected", "consumers", "clients",
                       "customers without power", "абонент*", "споживач*", "потребител*", "відключено", "отключено"),
    "customers_served": ("total customers", "customers served", "customers total", "served"),
    "dwellings_total": ("dwellings", "apartments total", "flats", "квартир*"),
    "source_name": ("source", "source name", "publisher", "reported by", "джерело", "источник"),
    "source_url": ("url", "link", "source link", "source url", "href", "website", "links", "посилання", "ссылк*"),
    "more_sources": ("additional sources", "other sources", "more sources", "other links"),
    "source_date": ("source date", "published", "publication date", "date published", "reported on", "дата публікації",
                    "дата публикации"),
    "description": ("description", "brief description", "details", "detail", "comment*", "remark*", "note*",
                    "narrative", "summary", "other what", "опис", "описание", "прим*", "комент*",
                    "коммент*", "text", "title"),
}  # fmt: skip

_BUILDING = {"kind": "building"}


def _building(use: str) -> dict[str, str]:
    return {**_BUILDING, "object_type": use}


def _network(sector: str, part: str = "system") -> dict[str, str]:
    return {"kind": "network", "sector": sector, "object_type": part}


Rule = tuple[tuple[str, ...], dict[str, str]]

#: What was damaged.
THINGS: tuple[Rule, ...] = (
    (("energy infrastructure (unknown*",), _network("unknown", "unknown")),
    (("transformer*", "трансформатор*"), _network("electricity", "transformer")),
    (("substation*", "підстанц*", "подстанц*"), _network("electricity", "substation")),
    (("power plant*", "power station*", "nuclear*", "тец", "тэц", "тес", "гес", "аес", "аэс", "гэс", "електростанц*",
      "электростанц*", "thermal power*", "hydroelectric*"), _network("electricity", "plant")),
    (("power line*", "transmission line*", "лінія електро*", "линия электро*", "леп", "лэп", "лінії електро*"),
     _network("electricity", "line")),
    (("boiler*", "котельн*"), _network("heat", "boiler_house")),
    (("heating", "heat supply", "district heat*", "теплопостач*", "теплоснаб*", "тепломереж*"), _network("heat")),
    (("pumping*", "насосн*"), _network("water", "pumping_station")),
    (("sewage*", "sewer*", "wastewater*", "каналіз*", "канализ*"), _network("water", "sewer")),
    (("water supply*", "water system*", "water main*", "waterworks", "water", "водопост*", "водоснаб*", "водопров*",
      "водогін*"), _network("water")),
    (("petrol station*", "gas station*", "filling station*", "fuel station*", "азс"), _network("fuel", "station")),
    (("refiner*", "нпз"), _network("fuel", "refinery")),
    (("fuel depot*", "oil depot*", "fuel storage*", "oil storage*", "нафтобаз*", "нефтебаз*", "fuel", "oil"),
     _network("fuel", "depot")),
    (("pipeline*", "газопров*", "газогін*"), _network("gas", "pipeline")),
    (("gas supply*", "gas system*", "gas network*", "gas infrastructure", "gas", "газопост*", "газоснаб*"),
     _network("gas")),
    (("electric*", "power supply*", "power grid*", "power infrastructure", "energy*", "енергет*", "энергет*",
      "електро*", "электро*", "power"), _network("electricity")),
    (("telecom*", "communications", "tv tower*", "television tower*", "internet", "зв'язок", "связь", "телеком*"),
     _network("telecom")),
    (("bridge*", "міст", "мост", "мости", "мосты"), _network("transport", "bridge")),
    (("railway*", "railroad*", "rail", "train", "залізни*", "железнодор*", "жд"), _network("transport", "railway")),
    (("road*", "highway*", "street surface", "дорог*", "шляхи", "автошлях*"), _network("transport", "road")),
    (("airport*", "airfield*", "аеропорт*", "аэропорт*"), _network("transport", "airport")),
    (("harbo*", "seaport*", "port", "ports", "порт", "порти", "порты"), _network("transport", "port")),
    (("bus station*", "metro*", "transport station*", "вокзал*", "автовокзал*"), _network("transport", "station")),
    (("transport*",), _network("transport", "unknown")),
    (("kindergarten*", "nursery*", "preschool*", "дитсад*", "дитяч* сад*", "дитячий садок", "дитячий сад", "детсад*",
      "детский сад*", "днз", "зднз", "здо"), _building("kindergarten")),
    (("education*", "освіт*", "образован*"), _building("education")),
    (("school*", "lyceum*", "gymnasium*", "школ*", "ліцей*", "лицей*", "гімназ*", "гимназ*"), _building("school")),
    (("universit*", "college*", "institute*", "academy", "університет*", "университет*", "коледж*", "колледж*"),
     _building("university")),
    (("health*", "medical*", "медичн*", "медицин*", "охорон* здоров*"), _building("health")),
    (("hospital*", "maternity*", "лікарн*", "больниц*", "госпітал*", "госпитал*", "пологов*"), _building("hospital")),
    (("clinic*", "polyclinic*", "поліклін*", "поликлин*", "амбулатор*"), _building("clinic")),
    (("fire station*", "police*", "rescue*", "emergency service*", "пожежн*", "пожарн*", "поліці*", "полици*"),
     _building("emergency_services")),
    (("government*", "administrat*", "council*", "town hall*", "city hall*", "court*", "адмін*", "админ*", "міськрада",
      "сільрад*"), _building("government")),
    (("church*", "mosque*", "temple*", "synagogue*", "cathedral*", "monaster*", "chapel*", "religio*", "церк*", "храм*",
      "собор*", "релігі*", "религи*"), _building("religious")),
    (("cultur*", "museum*", "theat*", "librar*", "concert*", "cinema*", "культур*", "музе*", "театр*", "бібліот*",
      "библиот*"), _building("culture")),
    (("dormitor*", "hostel*", "гуртож*", "общежит*"), _building("dormitory")),
    (("apartment*", "multi-storey*", "multistory*", "high-rise*", "flats", "tower block*", "residential block*",
      "багатоквартир*", "многоквартир*", "багатоповерх*", "многоэтаж*", "мкд", "мжб"), _building("apartments")),
    (("private house*", "house", "houses", "home", "homes", "cottage*", "detached*", "приватн* буд*",
      "приватний будинок", "частн* дом*", "частный дом", "житлов* буд*", "житловий будинок", "жилой дом", "жил* дом*",
      "будинок", "будинки", "домовлад*", "домоволод*"), _building("house")),
    (("residential*", "dwelling*", "housing*", "житл*", "жил*"), _building("unknown")),
    (("agricult*", "farm*", "grain*", "elevator*", "сільськогосп*", "сельхоз*", "ферм*", "зернос*", "елеватор*"),
     _building("agricultural")),
    (("warehouse*", "storage*", "depot*", "hangar*", "склад*", "ангар*"), _building("warehouse")),
    (("industr*", "factory*", "factories", "plant", "plants", "enterprise*", "manufactur*", "mine", "mines", "завод*",
      "фабрик*", "промисл*", "промыш*", "підприєм*", "предприят*", "шахт*"), _building("industrial")),
    (("commerc*", "business*", "shop*", "store", "stores", "mall*", "market*", "supermarket*", "office*", "hotel*",
      "cafe*", "restaurant*", "bank*", "магазин*", "торг*", "ринок", "рынок", "офіс*", "офис*", "готел*", "гостиниц*",
      "кафе", "ресторан*"), _building("commercial")),
    (("other*", "інш*", "прочее", "друг*", "miscellaneous"), _building("other")),
    (("building*", "будівл*", "здани*", "споруд*"), _building("unknown")),
)  # fmt: skip

#: What caused it.
CAUSES: tuple[Rule, ...] = (
    (("earthquake*", "землетрус*", "землетряс*"), {"cause_group": "geophysical", "cause": "earthquake"}),
    (("landslide*", "mudslide*", "зсув*", "оползен*"), {"cause_group": "geophysical", "cause": "landslide"}),
    (("planned*", "maintenance*", "scheduled*", "планов*", "ремонт*"), {"cause_group": "planned"}),
    (("load shed*", "rolling blackout*", "rotating*"), {"cause_group": "load_shedding"}),
    (("intentional*", "vandal*", "sabotage*", "theft", "suspicious*", "диверс*", "крадіж*", "краж*"),
     {"cause_group": "deliberate"}),
    (("debris*", "уламк*", "обломк*"), {"cause_group": "hostilities", "cause": "debris_fall"}),
    (("shell*", "attack*", "drone*", "uav*", "missile*", "rocket*", "airstrike*", "air strike*", "bomb*", "artiller*",
      "strike*", "combat", "hostilit*", "war", "mine explosion", "обстріл*", "обстрел*", "ракет*", "дрон*", "бпла",
      "шахед*", "атак*", "авіауд*", "авиауд*", "бойов*", "боев*", "вибух*", "взрыв*", "explosion*"),
     {"cause_group": "hostilities"}),
    (("wildfire*",), {"cause_group": "weather", "cause": "fire"}),
    (("flood*", "повін*", "наводнен*", "підтопл*", "подтопл*"), {"cause_group": "weather", "cause": "flood"}),
    (("wind*", "tornado*", "hurricane*", "cyclone*", "typhoon*", "thunderstorm*", "derecho", "буревій*", "шквал*",
      "вітер", "ветер", "ураган*"), {"cause_group": "weather", "cause": "wind"}),
    (("ice", "icing", "ice storm*", "ожелед*", "гололед*"), {"cause_group": "weather", "cause": "ice"}),
    (("severe weather", "weather", "storm*", "winter*", "snow*", "hail*", "lightning*", "heatwave*", "heavy rain",
      "погод*", "негод*", "непогод*", "буря", "сніг*", "снег*"), {"cause_group": "weather"}),
    (("equipment*", "transformer failure", "breaker*", "обладнан*", "оборудован*"),
     {"cause_group": "technical", "cause": "equipment"}),
    (("technical*", "operability*", "system failure", "failure*", "fault*", "islanding*", "transmission interruption",
      "авар*", "технічн*", "техническ*"), {"cause_group": "technical"}),
    (("fire", "fires", "пожеж*", "пожар*"), {"cause_group": "unknown", "cause": "fire"}),
)  # fmt: skip

#: Grades in words, where a table names no scale: what can be meant on the widest one.
_PLAIN_GRADES: tuple[Rule, ...] = (
    (("no damage", "undamaged", "not damaged", "не пошкоджен*", "не поврежд*"), {"grade": ""}),
    (("partial*", "partly", "частков*", "частичн*"), {"grade": "partially_damaged"}),
    (("destroy*", "total loss", "collapsed", "зруйнован*", "знищен*", "разруш*", "уничтож*"), {"grade": "destroyed"}),
    (("damaged", "пошкоджен*", "поврежд*"), {"grade": "partially_damaged"}),
    (("unknown", "not known", "невідом*", "неизвест*"), {"grade": "unknown"}),
)  # fmt: skip


@lru_cache(maxsize=1000)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    parts = (
        re.escape(word.removesuffix("*")).replace(r"\*", r"\w*") + ("" if word.endswith("*") else r"(?!\w)")
        for word in words
    )
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})")


def meant(rules: Iterable[Rule], text: str) -> dict[str, str] | None:
    """What the first rule that fits a text says; None if none does."""
    folded = text.casefold()
    return next((outcome for words, outcome in rules if _pattern(words).search(folded)), None)


def folded(heading: str) -> str:
    """A heading as words: ``OUTAGE.START_Date`` and ``outageStartDate`` are “outage start date”."""
    spaced = re.sub(r"(?<=[a-zа-яіїє0-9])(?=[A-ZА-ЯІЇЄ])", " ", heading)
    return " ".join(re.sub(r"[\W_]+", " ", spaced.replace("№", " № ").replace("№", "nr")).casefold().split())


def heading_score(role: str, heading: str) -> float:
    """How surely a heading names a role, from 0 to 1."""
    name = folded(heading)
    best = 0.0
    for place, word in enumerate(HEADINGS[role]):
        plain = folded(word.removesuffix("*"))
        if name == plain:
            return 1.0
        if plain and _pattern((plain + ("*" if word.endswith("*") else ""),)).search(name):
            # Longer words say more, and earlier ones are the usual ones.
            best = max(best, 0.45 + 0.4 * len(plain) / max(len(name), 1) - 0.002 * place)
    return min(best, 0.95)


def likest(headings: Iterable[str], *roles: str) -> str:
    """Of the roles the first that a heading names, and the heading that names it most surely; empty if none does."""
    headings = list(headings)
    for role in roles:
        best = max(headings, key=partial(heading_score, role), default="")
        if heading_score(role, best) >= LEAST:
            return best
    return ""


def grades(values: Iterable[str]) -> tuple[str, dict[str, str]]:
    """The scale that knows most of these words, and their grades on it; empty where none knows half of them.

    Of several the first is taken that knows all; words of no scale are read on ACAPS', the widest.
    """
    values = list(values)
    read = {scale: grades_on(scale, values) for scale in scales.SCALES}
    # ACAPS', which also takes plain words, last: where another scale knows as many, they are its own.
    exact = "acaps" if all(folded(value) in _labels("acaps") for value in values) else ""
    order = sorted(read, key=lambda scale: (-len(read[scale]), scale != exact, scale == "acaps"))
    found = read[order[0]]
    return (order[0], found) if found and 2 * len(found) >= len(values) else ("", {})


def grades_on(scale: str, values: Iterable[str]) -> dict[str, str]:
    """The grades of a scale that these words name, those left out that name none."""
    known, found = _labels(scale), {}
    for value in values:
        if grade := known.get(folded(value)):
            found[value] = grade
        elif scale == "acaps" and len(value.split()) <= 4 and (said := meant(_PLAIN_GRADES, value)):
            found[value] = said["grade"]
    return {value: grade for value, grade in found.items() if grade}


@lru_cache(maxsize=20)
def _labels(scale: str) -> dict[str, str]:
    """The folded codes and words of a scale's grades."""
    known: dict[str, str] = {}
    for grade in scales.SCALES[scale].grades if scale in scales.SCALES else ():
        label = folded(str(grade.label))
        known |= {folded(grade.code): grade.code, label: grade.code, label.lstrip("0123456789 "): grade.code}
    return known
