"""How a form's act is done: once for its command id, and what is refused becomes an error of the form, so
that nothing typed is lost."""

import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from registry.actions import journal
from registry.actions.journal import Conflict, Refused
from registry.models.reports import field_of

from .guards import command_id, person_of


def number(request: HttpRequest, name: str = "since") -> int | None:
    """A number that a form carries, as of the version it began from: None if it says none, and 0, which nothing has,
    for what is no number."""
    sent = request.POST.get(name, "")
    return (int(sent) if re.fullmatch("[0-9]{1,9}", sent) else 0) if sent else None


def once(request: HttpRequest, form: Any, act: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """The result of ``act`` (of the first time, if the form was sent twice), or None with the form's errors.

    After a conflict ``form.conflict`` lists label, value now and value asked for.
    """
    try:
        return journal.once(command_id(request), by=person_of(request), act=act)
    except Conflict as conflict:
        form.conflict = [
            (field_of(name).verbose_name, now, asked) for name, (now, asked) in conflict.fields.items()
        ]
        form.add_error(None, conflict.message)
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.message)
    return None
