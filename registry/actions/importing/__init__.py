"""Imports: judging < writing < batches < undoing, deciding < running.

A row that says what it said is left alone; another revises its report, unless a person has worked on that:
then it is a conflict, for a person.
"""

from . import columns, failing
from .batches import (
    KEPT,
    UNDOING,
    Taken,
    Upload,
    cancel,
    check,
    confirm,
    fitting,
    forget,
    receive,
    too_large,
    upload,
)
from .deciding import Part, decide, parts
from .judging import MARK, OUTCOMES, WHY, why
from .running import advance, preview, run_chunk, run_for, start
from .undoing import WorkedOn, undo

__all__ = [
    "KEPT",
    "MARK",
    "OUTCOMES",
    "UNDOING",
    "WHY",
    "Part",
    "Taken",
    "Upload",
    "WorkedOn",
    "advance",
    "cancel",
    "check",
    "columns",
    "confirm",
    "decide",
    "failing",
    "fitting",
    "forget",
    "parts",
    "preview",
    "receive",
    "run_chunk",
    "run_for",
    "start",
    "too_large",
    "undo",
    "upload",
    "why",
]
