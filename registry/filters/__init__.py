"""Which reports: every filter once, for list, map, figures, API and exports alike.

``select`` is the one way from a person and a query string to rows. A parameter that is unknown or says
nothing sensible raises ``BadFilter`` and never means "all rows"; empty values are no filter where a form may
send them, and refused elsewhere (``refuse_blanks``). Outsiders filter on released values alone: they are
given other tables, and the office's columns have no filter there.

``values``: what a value may be. ``conditions``: the filters. ``walking``: how lists find their rows.
``paging``: pages and counts of such rows. ``selection``: what was asked for. ``asking``: ``select``.
"""

from .asking import holder_for, refuse_blanks, select, single
from .conditions import EVERY_FILTER, Also, ReportFilter, inside, near
from .paging import Busy, Count, Page
from .selection import Selection
from .values import BadFilter, BoxField, MomentField, ReferenceField, write_moment
from .walking import tried

__all__ = [
    "EVERY_FILTER", "Also", "BadFilter", "BoxField", "Busy", "Count", "MomentField", "Page", "ReferenceField",
    "ReportFilter", "Selection", "holder_for", "inside", "near", "refuse_blanks", "select", "single", "tried",
    "write_moment",
]  # fmt: skip
