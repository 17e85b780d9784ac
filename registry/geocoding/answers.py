"""What a geocoder answers: what became of a query, and the places that may be meant."""

from dataclasses import dataclass
from typing import Any, NamedTuple


class Candidate(NamedTuple):
    """A place that may be meant. `geo_precision`: a word of the register's; `score`: how well the name fits, 0 to 1."""

    lat: float
    lon: float
    name: str
    country: str
    adm1_code: str | None
    adm2_code: str | None
    geo_precision: str
    radius_m: int
    score: float
    geonames_id: int | None = None
    matched: str = ""
    how: str = ""
    population: int = 0
    timezone: str = ""

    def told(self) -> dict[str, Any]:
        """Its fields by name."""
        return self._asdict()


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a query. `found`: the first candidate is it. `ambiguous`: a person must choose among them, the
    likeliest first. `outside`: such places exist, but not in the named region, the nearest first. `not_found`: none.
    `remainder`: what is finer than a settlement."""

    outcome: str
    candidates: tuple[Candidate, ...] = ()
    remainder: str = ""

    @property
    def sure(self) -> bool:
        """Whether a name was found as it was typed, be it one place or several."""
        return self.outcome in ("found", "ambiguous") and self.candidates[0].how != "fuzzy"
