"""Tallies as the worker and editions keep them, computed anew: what the readers of them are tested with."""

from collections import Counter

from registry import geo
from registry.actions.journal import tally_key
from registry.models import CURRENT, Cluster, Report, Tally, TallyDelta
from registry.rules import access
from registry.rules.vocabularies import Holder


def tally(holder: str) -> None:
    """Write a holder's tallies and pyramid whole, from its rows."""
    Tally.objects.filter(holder=holder).delete()
    Cluster.objects.filter(holder=holder).delete()
    counts, customers, clusters = Counter(), Counter(), Counter()
    for row in CURRENT[holder]._default_manager.all():
        if holder != Holder.OFFICE:
            row.withdrawn = ""
        found = tally_key(row)
        if found is None:
            continue
        (area, kind, sector, status, level, cell), out = found
        counts[area, kind, sector, status, level] += 1
        customers[area, kind, sector, status, level] += out
        if cell is not None and status not in access.SET_ASIDE:
            for zoom in Cluster.ZOOMS:
                clusters[zoom, cell >> 2 * (geo.ZOOM - zoom), area, level] += 1
    names = ("area", "kind", "sector", "status", "damage_level")
    Tally.objects.bulk_create(
        Tally(holder=holder, n=n, customers_out=customers[key], **dict(zip(names, key, strict=True)))
        for key, n in counts.items()
    )
    names = ("zoom", "cell", "area", "damage_level")
    Cluster.objects.bulk_create(
        Cluster(holder=holder, n=n, **dict(zip(names, key, strict=True))) for key, n in clusters.items()
    )


def merge() -> None:
    """What the worker does: the office's deltas go into its tallies."""
    tally(Holder.OFFICE)
    TallyDelta.objects.all().delete()
    assert Report.objects.exists()
