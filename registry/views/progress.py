"""How far work in the background is, for its page."""

from datetime import datetime
from math import ceil
from typing import Any

from django.utils import timezone


def progress(done: int, rows: int, since: datetime | None) -> dict[str, Any]:
    """In per cent, and the minutes that remain at the speed so far; 0: not known yet."""
    spent = (timezone.now() - since).total_seconds() if since else 0.0
    minutes = ceil(spent * (rows - done) / done / 60) if done else 0
    return {"percent": 100 * done // max(rows, 1), "done": done, "rows": rows, "minutes": minutes}
