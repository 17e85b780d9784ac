"""The code lists of the register: every coded column takes its codes and their words from here.

Codes are stored and exported; labels are for people and are translatable. Sources: building uses and
object types follow OpenStreetMap (``building=*``, ``power=*``) where it has a word; usability is ATC-20;
statuses of an outage map to CIM ``OutageStatusKind``.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Kind(TextChoices):
    BUILDING = "building", _("Building")
    NETWORK = "network", _("Network facility or line")
    OUTAGE = "outage", _("Loss of supply or closure")


class Sector(TextChoices):
    ELECTRICITY = "electricity", _("Electricity")
    GAS = "gas", _("Gas")
    WATER = "water", _("Water")
    HEAT = "heat", _("Heat")
    FUEL = "fuel", _("Fuel")
    TELECOM = "telecom", _("Telecommunications")
    TRANSPORT = "transport", _("Transport")
    UNKNOWN = "unknown", _("Not known")


class Status(TextChoices):
    REPORTED = "reported", _("Reported")
    NEEDS_INFO = "needs_info", _("Needs information")
    UNVERIFIABLE = "unverifiable", _("Cannot be verified")
    REJECTED = "rejected", _("Rejected")
    DUPLICATE = "duplicate", _("Duplicate")
    VERIFIED = "verified", _("Verified")
    REPAIR_PLANNED = "repair_planned", _("Repair planned")
    REPAIR_IN_PROGRESS = "repair_in_progress", _("Repair in progress")
    REPAIRED = "repaired", _("Repaired")
    CONFIRMED = "confirmed", _("Confirmed")
    PARTIALLY_RESTORED = "partially_restored", _("Partially restored")
    RESTORED = "restored", _("Restored")
    CLOSED = "closed", _("Closed")


class Outcome(TextChoices):
    REPAIRED = "repaired", _("Repaired")
    NO_REPAIR_NEEDED = "no_repair_needed", _("No repair needed")
    REPAIRED_BY_OWNER = "repaired_by_owner", _("Repaired by the owner")
    DEMOLISHED = "demolished", _("Demolished")
    SUPERSEDED = "superseded", _("Superseded by later damage")
    CANCELLED = "cancelled", _("Repair cancelled")
    NO_DAMAGE = "no_damage", _("Inspected, no damage found")
    NOT_FOUND = "not_found", _("Place not found")
    OUT_OF_SCOPE = "out_of_scope", _("Outside what the register records")
    FALSE = "false", _("False report")
    NO_FAULT = "no_fault", _("No fault found")


class BuildingUse(TextChoices):
    HOUSE = "house", _("House")
    APARTMENTS = "apartments", _("Apartment building")
    DORMITORY = "dormitory", _("Dormitory")
    SCHOOL = "school", _("School")
    KINDERGARTEN = "kindergarten", _("Kindergarten")
    UNIVERSITY = "university", _("University or college")
    HOSPITAL = "hospital", _("Hospital")
    CLINIC = "clinic", _("Clinic")
    GOVERNMENT = "government", _("Government or administration")
    EMERGENCY_SERVICES = "emergency_services", _("Emergency services")
    CULTURE = "culture", _("Culture")
    RELIGIOUS = "religious", _("Place of worship")
    COMMERCIAL = "commercial", _("Shop, office or other business")
    INDUSTRIAL = "industrial", _("Industry")
    WAREHOUSE = "warehouse", _("Warehouse")
    AGRICULTURAL = "agricultural", _("Agriculture")
    OTHER = "other", _("Other building")
    EDUCATION = "education", _("Education, not known which")
    HEALTH = "health", _("Health, not known which")
    UNKNOWN = "unknown", _("Not known")


DWELLINGS = (BuildingUse.HOUSE, BuildingUse.APARTMENTS, BuildingUse.DORMITORY)


class NetworkObject(TextChoices):
    PLANT = "plant", _("Power plant")
    GENERATOR = "generator", _("Generator")
    SUBSTATION = "substation", _("Substation")
    TRANSFORMER = "transformer", _("Transformer")
    LINE = "line", _("Line")
    MINOR_LINE = "minor_line", _("Minor line")
    CABLE = "cable", _("Cable")
    TOWER = "tower", _("Tower")
    POLE = "pole", _("Pole")
    SWITCHGEAR = "switchgear", _("Switchgear")
    STATION = "station", _("Station")
    PIPELINE = "pipeline", _("Pipeline")
    STORAGE = "storage", _("Storage")
    PUMPING_STATION = "pumping_station", _("Pumping station")
    TREATMENT = "treatment", _("Treatment works")
    MAIN = "main", _("Water main")
    SEWER = "sewer", _("Sewer")
    BOILER_HOUSE = "boiler_house", _("Boiler house")
    HEAT_MAIN = "heat_main", _("Heat main")
    EXCHANGE = "exchange", _("Telephone exchange")
    MAST = "mast", _("Mast")
    DEPOT = "depot", _("Depot")
    REFINERY = "refinery", _("Refinery")
    BRIDGE = "bridge", _("Bridge")
    ROAD = "road", _("Road")
    RAILWAY = "railway", _("Railway")
    AIRPORT = "airport", _("Airport")
    PORT = "port", _("Port")
    SYSTEM = "system", _("System, not known which part")
    UNKNOWN = "unknown", _("Not known")


_ANY_NETWORK = ("system", "unknown")
#: Network object types by sector; an outage of transport names what was closed with the same codes.
NETWORK_OBJECTS: dict[str, tuple[str, ...]] = {
    "electricity": (
        "plant",
        "generator",
        "substation",
        "transformer",
        "line",
        "minor_line",
        "cable",
        "tower",
        "pole",
        "switchgear",
        *_ANY_NETWORK,
    ),
    "gas": ("station", "pipeline", "storage", *_ANY_NETWORK),
    "water": ("pumping_station", "treatment", "main", "sewer", *_ANY_NETWORK),
    "heat": ("boiler_house", "heat_main", *_ANY_NETWORK),
    "telecom": ("exchange", "mast", "line", *_ANY_NETWORK),
    "fuel": ("depot", "refinery", "station", *_ANY_NETWORK),
    "transport": ("bridge", "road", "railway", "station", "airport", "port", "depot", *_ANY_NETWORK),
    "unknown": _ANY_NETWORK,
}


_BUILDING_USES = tuple(BuildingUse.values)


def object_types(kind: str, sector: str) -> tuple[str, ...]:
    """The codes ``object_type`` may take for a report of this kind and sector."""
    if kind == Kind.BUILDING:
        return _BUILDING_USES
    return NETWORK_OBJECTS.get(sector, _ANY_NETWORK)


#: Every code and label of ``object_type``; the union of the two lists above.
OBJECT_TYPE_CHOICES = list({**dict(BuildingUse.choices), **dict(NetworkObject.choices)}.items())


class CauseGroup(TextChoices):
    HOSTILITIES = "hostilities", _("Hostilities")
    WEATHER = "weather", _("Weather")
    GEOPHYSICAL = "geophysical", _("Earthquake or landslide")
    TECHNICAL = "technical", _("Technical failure")
    DELIBERATE = "deliberate", _("Deliberate damage")
    LOAD_SHEDDING = "load_shedding", _("Load shedding")
    PLANNED = "planned", _("Planned work")
    UNKNOWN = "unknown", _("Not known")


#: Causes whose outages may begin in the future.
PLANNABLE = (CauseGroup.PLANNED, CauseGroup.LOAD_SHEDDING)


class Cause(TextChoices):
    BLAST = "blast", _("Blast")
    DEBRIS_FALL = "debris_fall", _("Falling debris")
    FRAGMENTS = "fragments", _("Fragments")
    FIRE = "fire", _("Fire")
    FLOOD = "flood", _("Flood")
    WIND = "wind", _("Wind")
    ICE = "ice", _("Ice")
    EARTHQUAKE = "earthquake", _("Earthquake")
    LANDSLIDE = "landslide", _("Landslide")
    EQUIPMENT = "equipment", _("Equipment failure")
    UNKNOWN = "unknown", _("Not known")


class GeoPrecision(TextChoices):
    EXACT = "exact", _("Exact")
    STREET = "street", _("Street")
    SETTLEMENT = "settlement", _("Settlement")
    ADM2 = "adm2", _("District")
    ADM1 = "adm1", _("Region")
    COUNTRY = "country", _("Country")
    UNKNOWN = "unknown", _("Not known")


class DatePrecision(TextChoices):
    DAY = "day", _("On a day")
    RANGE = "range", _("Between two days")
    BEFORE = "before", _("Before a day")
    MONTH = "month", _("In a month")
    YEAR = "year", _("In a year")


class DamageLevel(TextChoices):
    UNKNOWN = "unknown", _("Not known")
    NONE = "none", _("No damage")
    DAMAGED = "damaged", _("Damaged, not known how far")
    MINOR = "minor", _("Minor")
    MODERATE = "moderate", _("Moderate")
    SEVERE = "severe", _("Severe")
    DESTROYED = "destroyed", _("Destroyed")


#: Damage levels as they are stacked and explained, the lightest first.
LIGHTEST_FIRST = ("none", "minor", "damaged", "moderate", "severe", "destroyed", "unknown")


class Method(TextChoices):
    """How an assessment was made, strongest first."""

    FIELD = "field", _("Field inspection")
    DRONE = "drone", _("Drone")
    PHOTO = "photo", _("Photo")
    SATELLITE = "satellite", _("Satellite image")
    DESK = "desk", _("Desk: from what a source says")


class Usability(TextChoices):
    INSPECTED = "inspected", _("Inspected (green)")
    RESTRICTED = "restricted", _("Restricted use (yellow)")
    UNSAFE = "unsafe", _("Unsafe (red)")


class InUse(TextChoices):
    FULL = "full", _("Fully in use")
    PARTIAL = "partial", _("Partly in use")
    NONE = "none", _("Not in use")


class PartSeen(TextChoices):
    INSIDE = "inside", _("Inside and outside")
    OUTSIDE = "outside", _("Outside only")


class Element(TextChoices):
    FACADE = "facade", _("Façade")
    GLAZING = "glazing", _("Glazing")
    DOORS = "doors", _("Doors")
    ROOF_COVERING = "roof_covering", _("Roof covering")
    ROOF_STRUCTURE = "roof_structure", _("Roof structure")
    LOAD_BEARING_WALLS = "load_bearing_walls", _("Load-bearing walls")
    FRAME = "frame", _("Frame")
    FLOORS_STAIRS = "floors_stairs", _("Floors and stairs")
    BALCONY = "balcony", _("Balconies")
    FOUNDATION = "foundation", _("Foundation")
    INTERIOR = "interior", _("Interior")
    ELECTRICAL = "electrical", _("Electrical installation")
    GAS = "gas", _("Gas installation")
    WATER_HEAT = "water_heat", _("Water and heating installation")
    LIFT = "lift", _("Lift")


class Extent(TextChoices):
    NONE = "none", _("None")
    UNDER_10 = "<10", _("Under 10 %")
    TO_30 = "10-30", _("10 to 30 %")
    TO_60 = "30-60", _("30 to 60 %")
    OVER_60 = ">60", _("Over 60 %")


class Danger(TextChoices):
    LIVE_WIRE = "live_wire", _("Live wire")
    GAS = "gas", _("Gas leak")
    ORDNANCE = "ordnance", _("Unexploded ordnance")
    TRAPPED = "trapped", _("People trapped")
    COLLAPSE = "collapse", _("Danger of collapse")


class Restriction(TextChoices):
    CLOSED = "closed", _("Closed")
    LIMITED = "limited", _("Limited")
    DIVERTED = "diverted", _("Diverted")
    NONE = "none", _("No restriction")


class CustomersUnit(TextChoices):
    ACCOUNTS = "accounts", _("Accounts")
    HOUSEHOLDS = "households", _("Households")
    PEOPLE = "people", _("People")
    SETTLEMENTS = "settlements", _("Settlements")


class Crew(TextChoices):
    AWAITING = "awaiting", _("Awaiting a crew")
    ASSIGNED = "assigned", _("Crew assigned")
    EN_ROUTE = "en_route", _("Crew on the way")
    ARRIVED = "arrived", _("Crew on site")
    DONE = "done", _("Crew done")


class Priority(TextChoices):
    LOW = "low", _("Low")
    NORMAL = "normal", _("Normal")
    HIGH = "high", _("High")
    URGENT = "urgent", _("Urgent")


class WithdrawalReason(TextChoices):
    SAFETY = "safety", _("Safety")
    PRIVACY = "privacy", _("Privacy")
    ERROR = "error", _("Error")


class SourceType(TextChoices):
    OWN = "own", _("Seen by ourselves")
    RESIDENT = "resident", _("A resident")
    AUTHORITY = "authority", _("An authority")
    UTILITY = "utility", _("A utility")
    MEDIA = "media", _("News or social media")
    IMAGERY = "imagery", _("Imagery")
    DATASET = "dataset", _("A data set")


class StatementType(TextChoices):
    DAMAGE = "damage", _("Damage")
    NO_DAMAGE = "no_damage", _("No damage found")
    CASUALTIES = "casualties", _("Casualties")
    SUPPLY = "supply", _("Supply")
    RESTRICTION = "restriction", _("Closure or restriction")
    RESPONSE = "response", _("Response")
    INQUIRY = "inquiry", _("Inquiry")
    APPEAL = "appeal", _("Appeal")


class Certainty(TextChoices):
    PRELIMINARY = "preliminary", _("Preliminary")
    CONFIRMED = "confirmed", _("Confirmed")


class LinkType(TextChoices):
    CAUSED = "caused", _("Caused by")
    RELATED = "related", _("Related to")
    SUPPLY = "supply", _("Supply lost with it")


class GeocodeState(TextChoices):
    TYPED = "typed", _("Coordinates given")
    FOUND = "found", _("Found")
    AMBIGUOUS = "ambiguous", _("Several places fit")
    OUTSIDE = "outside", _("Outside the named region")
    NOT_FOUND = "not_found", _("Not found")
    WAITING = "waiting", _("Waiting for a geocoder")
    CONFIRMED = "confirmed", _("Confirmed by a person")


class EntryKind(TextChoices):
    LOGGED = "logged", _("Logged")
    MOVED = "moved", _("Moved")
    EDITED = "edited", _("Changed")
    LOCATED = "located", _("Located")
    INSPECTED = "inspected", _("Inspected")
    ATTEMPTED = "attempted", _("Visited without access")
    STEPPED = "stepped", _("Supply changed")
    ESTIMATED = "estimated", _("Restoration estimated")
    SOURCED = "sourced", _("Source added")
    ATTACHED = "attached", _("Evidence added")
    LINKED = "linked", _("Linked")
    TOLD_APART = "told_apart", _("Not a duplicate")
    NOTED = "noted", _("Note")
    REQUESTED = "requested", _("Asked for")
    PLANNED = "planned", _("Repair plan drafted")
    VOIDED = "voided", _("Struck out")
    ERASED = "erased", _("Text erased")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    REINSTATED = "reinstated", _("Withdrawal reversed")
    REVISED = "revised", _("Revised by an import")
    STATED = "stated", _("Statement recorded")


class Role(TextChoices):
    RESIDENT = "resident", _("Resident")
    OFFICIAL = "official", _("Official")
    INSPECTOR = "inspector", _("Inspector")
    OPERATOR = "operator", _("Utility operator")
    SUPERVISOR = "supervisor", _("Supervisor")
    RESEARCHER = "researcher", _("Researcher")


class TokenScope(TextChoices):
    """What a token may be used for; each holds the ones before."""

    READ = "read", _("Read what I may read")
    LOG = "log", _("Read, log reports and add photos")
    WORK = "work", _("All that I may do with reports")


class Holder(TextChoices):
    """Whose row it is: the office's own, or what an audience sees."""

    OFFICE = "office", _("Office")
    PUBLIC = "public", _("Public")
    RESEARCHER = "researcher", _("Researchers")


class Withheld(TextChoices):
    """What the column ``withheld`` names. All but figures follow from the class of a report alone."""

    AREA = "area", _("District or settlement")
    PLACE = "place", _("Exact place: rounded to a grid, or left out")
    NAMES = "names", _("Name of the object, address and sources")
    TIMES = "times", _("Times of day")
    DAYS = "days", _("Days: the month's first day stands for each, its last for occurred_to")
    FIGURES = "figures", _("Customers: a figure is too small")


#: Vocabulary of each coded name, for labels and the data dictionary.
BY_NAME: dict[str, type[TextChoices]] = {
    "kind": Kind,
    "sector": Sector,
    "status": Status,
    "outcome": Outcome,
    "cause_group": CauseGroup,
    "cause": Cause,
    "geo_precision": GeoPrecision,
    "date_precision": DatePrecision,
    "damage_level": DamageLevel,
    "method": Method,
    "usability": Usability,
    "in_use": InUse,
    "part_seen": PartSeen,
    "element": Element,
    "extent": Extent,
    "danger": Danger,
    "restriction": Restriction,
    "customers_unit": CustomersUnit,
    "crew": Crew,
    "priority": Priority,
    "withdrawal_reason": WithdrawalReason,
    "source_type": SourceType,
    "statement_type": StatementType,
    "certainty": Certainty,
    "link_type": LinkType,
    "geocode_state": GeocodeState,
    "entry_kind": EntryKind,
    "role": Role,
    "holder": Holder,
    "withheld": Withheld,
    "building_use": BuildingUse,
    "network_object": NetworkObject,
}

_LABELS: dict[str, dict] = {name: dict(vocabulary.choices) for name, vocabulary in BY_NAME.items()}
_LABELS["object_type"] = dict(OBJECT_TYPE_CHOICES)


def label(name: str, code: str):
    """The words for a code of the vocabulary ``name``; the code itself where the list does not hold it."""
    return _LABELS[name].get(code, code)
