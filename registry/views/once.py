"""What a page draws once for all who would be shown the same, until that may have changed."""

from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import get_language

from registry.filters import Selection
from registry.models import Edition, Entry
from registry.outputs.telling import FORGETTING
from registry.rules.vocabularies import Holder

Made = TypeVar("Made")

#: What was made, by what it is and all that may change it, and how many are kept.
_kept: dict[tuple[Any, ...], Any] = {}
FORGETTING.append(_kept.clear)
_MOST_KEPT = 100
#: What changes without an entry, or is committed after a later one, staff see so many seconds later.
_SECONDS = 5


def once(what: str, selection: Selection, edition: Edition | None, make: Callable[[], Made]) -> Made:
    """``make()``, or what it gave for the same selection in the same language when the register was the same.

    ``edition``: the newest one an audience sees, None for the office. What the register was during the
    making itself is not kept if it changed meanwhile.
    """
    before = what, *_state(selection, edition)
    if before in _kept:
        return _kept[before]
    made = make()
    newest = edition and Edition.objects.using(selection.using).first()
    if (what, *_state(selection, newest)) == before:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[before] = made
    return made


def _state(selection: Selection, edition: Edition | None) -> tuple[Any, ...]:
    """What tells apart what two people are shown: what they asked for, and the state of the rows they see.

    An audience's change with its edition alone, and when something is retracted, which the edition counts;
    the office's with every entry and day.
    """
    asked = selection.holder, get_language(), selection.query
    if selection.holder != Holder.OFFICE:
        if edition is None:
            return (*asked, None)
        return (*asked, edition.pk, edition.at, edition.made_at, edition.vanished.get(selection.holder, 0))
    scope = selection.person.scope
    newest = Entry.objects.using(selection.using).aggregate(Max("pk"))["pk__max"]
    then = monotonic() // _SECONDS
    return (*asked, *scope.areas.items(), scope.sectors, timezone.localdate(), newest, then)
