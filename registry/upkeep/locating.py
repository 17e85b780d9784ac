"""Places that wait for the online geocoder: asked by the worker, never inside a request."""

from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from registry.actions import reports
from registry.forms.places import embedded, from_answer
from registry.geocoding.online import Online, Unavailable, retry_delay

#: Questions of one chunk: with a second between two and ten for each at most, they end within the lease.
_CHUNK = 20


@lru_cache(maxsize=1)
def service() -> Online:
    """The geocoder that the settings name."""
    cache = Path(settings.DATA_DIR) / "geocoder.sqlite3"
    return Online(settings.GEOCODER, settings.GEOCODER_OPTIONS, cache=cache)


def locate() -> bool:
    """Ask for a few places that are due, and say whether more wait.

    A service that is away is left alone until the next turn: the report asked for waits by itself, longer
    each time.
    """
    if not settings.GEOCODER:
        return False
    due = reports.due_places(_CHUNK)
    for report in due:
        try:
            answer = service().ask(
                report.place_typed,
                country=report.country or None,
                adm1_code=report.adm1_code or None,
                gazetteer=embedded(),
            )
        except Unavailable as away:
            wait = timedelta(seconds=retry_delay(report.geocode_tries + 1, away.retry_after))
            reports.place_unanswered(report.reference, report.geocode_query, wait=wait)
            return False
        columns = from_answer(answer, backend=settings.GEOCODER)
        reports.place_answered(report.reference, report.geocode_query, columns)
    return len(due) == _CHUNK
