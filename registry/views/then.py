"""What a page as of a moment in the past says at its top."""

from datetime import datetime
from typing import NamedTuple

from django.http import HttpRequest

from registry.filters import Selection
from registry.rules.vocabularies import Holder


class Then(NamedTuple):
    """``edition``: whether the moment is an edition's; ``gone``: how many reports that stood then are not shown;
    ``query``: what keeps a link at that moment."""

    at: datetime
    edition: bool
    gone: int
    now_url: str
    query: str


def then(request: HttpRequest, selection: Selection, *, gone: bool = True) -> Then | None:
    """The moment that a page is as of, and on pages of many what is ``gone``; None if it is now. Pages of a list
    lead back to its first."""
    if selection.as_of is None:
        return None
    params = request.GET.copy()
    for name in ("as_of", "after", "before"):
        params.pop(name, None)
    now_url = f"{request.path}?{params.urlencode()}" if params else request.path
    edition = selection.holder != Holder.OFFICE
    return Then(selection.as_of, edition, selection.gone if gone else 0, now_url, selection.query_of("as_of"))
