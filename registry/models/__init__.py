"""All tables of the register."""

from .incidents import Incident, Statement
from .people import Invitation, Person, PersonChange
from .places import Area, AreaCode, Asset, CustomersServed
from .reports import CURRENT, PastReport, PublicReport, Report, ResearcherReport
from .rows import ReportRow
from .story import (
    CHILDREN,
    Assessment,
    Cluster,
    DayFigure,
    Edition,
    Entry,
    Estimate,
    Evidence,
    Link,
    OutageStep,
    Seal,
    Source,
    Tally,
    TallyDelta,
    ToldApart,
    Wording,
)
from .work import Batch, BatchRow, Command, Download, Draft, Progress, Request, SavedFilter, SourceRef

__all__ = [
    "CHILDREN",
    "CURRENT",
    "Area",
    "AreaCode",
    "Assessment",
    "Asset",
    "Batch",
    "BatchRow",
    "Cluster",
    "Command",
    "CustomersServed",
    "DayFigure",
    "Download",
    "Draft",
    "Edition",
    "Entry",
    "Estimate",
    "Evidence",
    "Incident",
    "Invitation",
    "Link",
    "OutageStep",
    "PastReport",
    "Person",
    "PersonChange",
    "Progress",
    "PublicReport",
    "Report",
    "ReportRow",
    "Request",
    "ResearcherReport",
    "SavedFilter",
    "Seal",
    "Source",
    "SourceRef",
    "Statement",
    "Tally",
    "TallyDelta",
    "ToldApart",
    "Wording",
]
