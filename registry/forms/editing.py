"""The form that changes what a report says."""

from typing import Any
from zoneinfo import ZoneInfo

from registry.models import Report
from registry.rules.vocabularies import GeocodeState

from .reports import WHAT, WHEN, ReportForm


def edit_initial(row: Report) -> dict[str, Any]:
    """What the form begins with: what the report says."""
    zone = ZoneInfo(row.timezone or "UTC")
    typed = row.geocode_state in (GeocodeState.TYPED, GeocodeState.OUTSIDE)
    started = row.started_utc and row.started_utc.astimezone(zone).replace(tzinfo=None)
    names = [name for name in (*WHAT, *WHEN) if hasattr(row, name)]
    return {
        **{name: getattr(row, name) for name in names},
        "place": row.place_typed,
        "area": row.adm3_code or row.adm2_code or row.adm1_code or row.country,
        "lat": row.lat if typed else None,
        "lon": row.lon if typed else None,
        "address": row.address,
        "started_at": started,
        "danger": row.danger.split(),
        "contact": row.contact,
        "source_type": "own",
    }


PLACE_INPUTS = ("place", "area", "lat", "lon", "geo_precision")
#: What an edit does not touch: sources, grades and supply have forms of their own.
NOT_EDITED = (
    "source_type", "source_name", "source_url", "source_ref", "source_date", "scale", "scale_grade",
    "customers_lost", "restriction", "diverted_to",
)  # fmt: skip


class EditForm(ReportForm):
    """``ReportForm`` without what has a form of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in NOT_EDITED:
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        self.cleaned_data |= {
            name: None if name in ("customers_lost", "source_date") else "" for name in NOT_EDITED
        }
        self.cleaned_data["source_type"] = "own"
        return super().clean()
