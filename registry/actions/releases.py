"""Releases: asked for, finished, and retracted when something in them must not stay in sight.

Their files lie in ``DATA_DIR/releases/NUMBER``, written once. Beside them, outside the bundle, ``rows`` holds the
references that stand in it as sorted numbers, so that a withdrawal finds the releases it concerns at once.
"""

import csv
import re
import shutil
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.http import QueryDict
from django.utils.translation import gettext as _

from registry.filters import Selection, select
from registry.models import Edition, Person, Release, Report, Seal, Statement
from registry.models.incidents import published
from registry.models.releases import MOST_QUERY
from registry.models.sql import sort_key
from registry.rules import access
from registry.rules.access import Verb

from . import editions
from .journal import Refused, now

State = Release.State
#: The file of the references that stand in a release.
ROWS = "rows"
#: What turns the direction of the text around it; a title stands in citations for good.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
#: The file of what was said.
STATEMENTS = "statements.csv"


def folder(release: Release) -> Path:
    """Where a release's files lie."""
    return Path(settings.DATA_DIR, "releases", str(release.number))


# -- asking and making -------------------------------------------------------------------------------------


def selected(
    audience: str, edition: Edition, query: str, *, since: Release | None = None, using: str = "default"
) -> Selection:
    """The rows of a release: what the filter gives of the edition; ``since`` another, what changed after its
    edition. Raises BadFilter."""
    params = QueryDict(query, mutable=True)
    if since:
        # What that edition itself changed is in that release; moments are whole seconds.
        params["updated_since"] = (since.edition.at + timedelta(seconds=1)).isoformat()
    return select(None, params, holder=audience, as_of=edition.at.isoformat(), using=using)


def ask(
    *,
    audience: str,
    by: Person | None,
    query: str = "",
    title: str = "",
    edition: Edition | None = None,
    since: Release | None = None,
) -> Release:
    """The release of these rows, which the worker makes; the one there is, if it was asked for before.

    ``by``: None for a command of the installation; ``edition``: the newest if neither this nor ``as_of`` in the filter
    names one. Raises BadFilter and Refused.
    """
    if by is not None and not access.may(by, Verb.RELEASE):
        raise Refused(_("Releases are made by officials and researchers."), code="role")
    if audience not in access.AUDIENCES or (by is not None and not access.reads(by, audience)):
        raise Refused(_("There is no such audience."), code="audience", field="audience")
    if at := select(None, QueryDict(query), holder=audience).as_of:
        named = Edition.objects.get(at=at)
        if edition not in (None, named):
            raise Refused(_("The filter names another edition."), code="edition", field="edition")
        edition = named
    edition = edition or Edition.objects.first()
    if edition is None:
        raise Refused(_("No edition has been made yet."), code="edition", field="edition")
    selection = selected(audience, edition, query)
    query = selection.query_without("as_of", "view")
    if "updated_since" in selection.params and since:
        raise Refused(_("“since” and “updated_since” cannot both be asked for."), code="since", field="since")
    if len(query) > MOST_QUERY:
        raise Refused(_("The filter is too long for a release."), code="query", field="query")
    if since and (since.audience, since.query) != (audience, query):
        raise Refused(_("That release is of other rows."), code="since", field="since")
    if since and since.edition.at >= edition.at:
        raise Refused(_("That release is not older than this edition."), code="since", field="since")
    if _TURNING.search(title):
        raise Refused(_("It holds signs that turn the direction of text."), code="title", field="title")
    title = " ".join(title.split()) or select(None, QueryDict(query), holder=audience).sentence
    wanted = Release(
        audience=audience, edition=edition, query=query, since=since, by=by, title=title[:200], asked_at=now()
    )
    for _try in range(3):
        there = Release.objects.alike(wanted).filter(state__in=(State.WAITING, State.MADE)).first()
        if there:
            return there
        wanted.number = (Release.objects.aggregate(last=Max("number"))["last"] or 0) + 1
        try:
            with transaction.atomic():
                wanted.save(force_insert=True)
                return wanted
        except IntegrityError:
            continue
    raise Refused(_("Somebody else is making releases. Try again."), code="busy")


def finish(release: Release, folder_made: Path, *, made: dict[str, Any], checksum: str, seal: Seal) -> bool:
    """The files made for a release become its files; False if something in them was withdrawn meanwhile, so
    that they must be made anew."""
    with transaction.atomic():
        # Nothing is withdrawn between the look and the commit.
        editions.take_turn()
        row = Release.objects.select_for_update(of=("self",)).get(pk=release.pk)
        if row.state != State.WAITING:
            return True
        gone = Report.objects.filled("withdrawn").values_list("reference", flat=True)
        if holds(folder_made / ROWS, gone.iterator()) or quotes_hidden(folder_made / STATEMENTS):
            return False
        there = folder(row)
        shutil.rmtree(there, ignore_errors=True)
        folder_made.rename(there)
        row.state, row.percent, row.made, row.checksum, row.seal = State.MADE, 100, made, checksum, seal
        row.save()
        # What it takes the place of leads to it.
        earlier = Release.objects.alike(row).filter(state=State.RETRACTED, successor=None)
        earlier.update(successor=row)
    release.refresh_from_db()
    return True


def fail(release: Release, problem: str) -> None:
    """It cannot be made; asking again tries again."""
    Release.objects.filter(pk=release.pk, state=State.WAITING).update(state=State.FAILED, problem=problem)


# -- retracting --------------------------------------------------------------------------------------------


def retract_holding(reports: Iterable[Report]) -> None:
    """Retract the releases in which one of these reports stands: their files go when this commits.

    Must run in the transaction that takes the reports out of sight, after ``editions.retract``.
    """
    references = [report.reference for report in reports]
    _retract(lambda made: holds(made / ROWS, references))


def retract_quoting() -> None:
    """Retract the releases that quote a statement which is not published any more, in the transaction that hides it."""
    editions.take_turn()
    _retract(lambda made: quotes_hidden(made / STATEMENTS))


def _retract(is_concerned: Callable[[Path], bool]) -> None:
    for release in Release.objects.select_for_update(of=("self",)).filter(state=State.MADE):
        if is_concerned(folder(release)):
            release.state, release.retracted_at = State.RETRACTED, now()
            release.save(update_fields=["state", "retracted_at"])
            transaction.on_commit(partial(shutil.rmtree, folder(release), ignore_errors=True))


def write_rows(file: Path, references: Iterable[str]) -> None:
    """Keep which references stand in a release."""
    numbers = array("Q", sorted({_number(reference) for reference in references}))
    file.write_bytes(numbers.tobytes())


def holds(file: Path, references: Iterable[str]) -> bool:
    """Whether one of these stands in a release; where that is not known any more, all of them may."""
    numbers = array("Q")
    try:
        numbers.frombytes(file.read_bytes())
    except (OSError, ValueError):
        return any(True for _reference in references)
    for number in map(_number, references):
        place = bisect_left(numbers, number)
        if place < len(numbers) and numbers[place] == number:
            return True
    return False


def quotes_hidden(file: Path) -> bool:
    """Whether a statement stands there that is not published; where that is not known any more, one may."""
    shown = Statement.objects.filter(published(None), published(None, "incident"))
    known = set(shown.values_list("incident__reference", "text"))
    try:
        with file.open(newline="") as rows:
            return any((row["incident"], row["text"]) not in known for row in csv.DictReader(rows))
    except OSError:
        return True


def _number(reference: str) -> int:
    return sort_key(date.min, reference)
