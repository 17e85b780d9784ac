"""Seals: each holds the digest of the one before and of all entries since."""

import hashlib

from django.db import transaction

from registry.actions.journal import now
from registry.models import Entry, Seal


def seal() -> Seal:
    """Seal all entries not sealed yet, even if there are none, and return the seal."""
    with transaction.atomic():
        last = Seal.objects.select_for_update().order_by("-number").first()
        number = last.number + 1 if last else 1
        # Marked first and read after, so that what commits meanwhile waits for the next seal; the foreign
        # key is checked when the transaction ends.
        count = Entry.objects.filter(seal=None).update(seal_id=number)
        digest = chained(last, Entry.objects.filter(seal_id=number))
        return Seal.objects.create(pk=number, number=number, sealed_at=now(), entries=count, digest=digest)


def chained(last: Seal | None, entries) -> str:
    """SHA-256 of the seal before and of the digests of ``entries``, in order of their ids."""
    total = hashlib.sha256((last.digest if last else "").encode())
    for digest in entries.order_by("pk").values_list("digest", flat=True).iterator():
        total.update(digest)
    return total.hexdigest()
