"""Imports: judging < writing < batches.

A row that says what it said is left alone; another revises its report, unless a person has worked on that:
then it is a conflict, for a person.
"""

from .batches import Taken, advance, errors_file, preview, run_chunk, start, undo, write_errors
from .judging import OUTCOMES, Judged

__all__ = [
    "OUTCOMES",
    "Judged",
    "Taken",
    "advance",
    "errors_file",
    "preview",
    "run_chunk",
    "start",
    "undo",
    "write_errors",
]
