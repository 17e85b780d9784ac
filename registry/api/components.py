"""Every named schema of the description: what each answer of the API holds."""

from registry.columns import COLUMNS
from registry.models import (
    Area,
    Assessment,
    Edition,
    Entry,
    Estimate,
    Evidence,
    Incident,
    OutageStep,
    Report,
    Source,
    Statement,
)

from . import shapes
from .shapes import Schema, an_object, flag, number, of_field, of_model, or_null, ref, some, text

_URL = text("Its address in this API.", format="uri")
_BY = text("Who wrote it down.", null=True)
_CODE = text("A code.")
_PAGE = {
    "next": text("The address of the next page.", null=True, format="uri"),
    "previous": text("The address of the page before.", null=True, format="uri"),
}


def _row() -> dict[str, Schema]:
    return {column.name: of_field(column.field) for column in COLUMNS}


def _page(name: str, items: Schema, **more: Schema) -> Schema:
    return an_object({name: some(items), **_PAGE, **more})


def components() -> dict[str, Schema]:
    """Every named schema of the description."""
    report, office = Report._meta, of_model(Report, shapes.OFFICE)
    office["properties"] |= {
        "assignee": text("Assigned to.", null=True),
        "logged_by": text("Who logged it.", null=True),
        "merged_into": text("The report it is a duplicate of.", null=True),
        "question": text("The question that waits for an answer.", null=True),
    }
    office["required"] = list(office["properties"])
    holder = text(
        "Whose row it is: the office's own, or what an audience sees.",
        enum=["office", "researcher", "public"],
    )
    named = an_object({"code": _CODE, "label": text("Its words.")})
    why = text("Why it is closed to you.", null=True)
    open_now = an_object(
        {
            "name": _CODE,
            "label": text("Its words."),
            "open": flag("Whether you may do it now."),
            "why_not": why,
            "url": _URL,
        }
    )
    return {
        "Problem": an_object(
            {
                "type": text("What kind of problem it is.", format="uri"),
                "title": text("The kind in words."),
                "status": number("The status of the answer."),
                "detail": text("What is wrong here."),
                "errors": some(ref("ProblemError"), "Each field or parameter that is wrong."),
            },
            optional=["errors"],
            description="A problem as RFC 9457 describes it.",
        ),
        "ProblemError": an_object(
            {
                "message": text("What is wrong with it."),
                "parameter": text("The parameter of the query."),
                "pointer": text("JSON pointer of the field in the body."),
                "column": text("After a conflict: the column of the report."),
                "now": {"description": "After a conflict: what the field says now."},
                "asked": {"description": "After a conflict: what you asked for."},
            },
            optional=["parameter", "pointer", "column", "now", "asked"],
        ),
        "Report": an_object(
            {**_row(), "holder": holder, "url": _URL, "office": or_null(ref("Office"))},
            description="A report: every outgoing column and, where you read as the office, what it alone knows.",
        ),
        "ReportRow": an_object(
            _row(), optional=shapes.REPORT, description="A report in a list: the columns asked for."
        ),
        "Office": office,
        "OwnReport": of_model(
            Report,
            shapes.OWN,
            {
                "holder": text("It is yours.", enum=["own"]),
                "status": text(
                    "Where it stands; not told of networks and of electricity.",
                    null=True,
                ),
                "question": text("What you are asked.", null=True),
                "url": _URL,
            },
        ),
        "Reports": _page(
            "reports",
            ref("ReportRow"),
            holder=holder,
            filter=text("What was asked for, in words."),
            as_of=text("The moment of which the rows are.", null=True, format="date-time"),
            count=an_object(
                {"n": number("How many were counted."), "more": flag("Whether there may be more.")}
            ),
            partial=flag("Whether the search stopped before the page was full: the next page goes on."),
        ),
        "TimelineEntry": an_object(
            {
                "number": number("Its number in the report."),
                "kind": of_field(Entry._meta.get_field("kind")),
                "move": text("The move it made or asked for.", null=True),
                "title": text("What was done, in words."),
                "by": text("Who did it, and by which role."),
                "happened_at": text("When it happened.", format="date-time"),
                "recorded_at": text("When it was written down.", format="date-time"),
                "from_status": of_field(report.get_field("status")),
                "to_status": of_field(report.get_field("status")),
                "changes": some(
                    an_object({name: text("") for name in ("label", "before", "after")}),
                    "Every field that it changed; none of its first entry, which is the report as it was logged.",
                ),
                "texts": some(
                    an_object({name: text("") for name in ("label", "text")}),
                    "What was said with it: a note, a question; of the first entry the texts of the report.",
                ),
            }
        ),
        "Timeline": an_object({"timeline": some(ref("TimelineEntry"), "The newest first.")}),
        "Assessment": of_model(Assessment, shapes.ASSESSMENT, {"recorded_by": _BY}),
        "Assessments": an_object(
            {"assessments": some(ref("Assessment"), "In the order of their recording.")}
        ),
        "Step": of_model(OutageStep, shapes.STEP, {"id": number("Its number, for the office.", null=True)}),
        "Steps": an_object(
            {"steps": or_null(some(ref("Step")))},
            description="Null: there are none, or none that you are given.",
        ),
        "Estimate": of_model(Estimate, shapes.ESTIMATE, {"recorded_by": _BY}),
        "Estimates": an_object({"estimates": some(ref("Estimate"), "The newest first.")}),
        "Source": of_model(Source, shapes.SOURCE, {"recorded_by": _BY}),
        "Sources": an_object({"sources": some(ref("Source"))}),
        "Evidence": of_model(Evidence, shapes.EVIDENCE, {"recorded_by": _BY, "url": _URL}),
        "EvidenceList": an_object({"evidence": some(ref("Evidence"))}),
        "Done": an_object(
            {
                "reference": text("The report."),
                "status": text("Its status after this act."),
                "version": number("Its version after this act: send it as `since`."),
                "url": _URL,
            },
            description="What an act answers, and answers again if it is sent again with its client_id.",
        ),
        "NextSteps": an_object({"moves": some(open_now), "deeds": some(open_now)}),
        "Incident": of_model(
            Incident,
            shapes.INCIDENT,
            {
                "areas": some(_CODE, "Codes of its areas."),
                "published": {
                    "type": ["boolean", "null"],
                    "description": "Whether outsiders see it; for the office.",
                },
                "url": _URL,
            },
        ),
        "Incidents": _page("incidents", ref("Incident")),
        "Statement": of_model(
            Statement,
            shapes.STATEMENT,
            {
                "area": text("Code of the area it is about.", null=True),
                "id": number("Its number, for the office.", null=True),
                "published": {
                    "type": ["boolean", "null"],
                    "description": "Whether outsiders see it; for the office.",
                },
                "voided_at": text("When it was struck out; for the office.", null=True, format="date-time"),
            },
        ),
        "IncidentDetail": an_object(
            {
                "incident": ref("Incident"),
                "statements": some(ref("Statement"), "What was said, the oldest first."),
                "linked": some(ref("Incident"), "Incidents linked to it that you see."),
            }
        ),
        "Asset": an_object(
            {
                "reference": text("Its reference."),
                "holder": holder,
                "name": text("Its name; for the office.", null=True),
                "part_of": text("The site it is part of; for the office.", null=True),
                "parts": some(_CODE, "References of its parts; for the office."),
                "reports": some(ref("Report"), "Every strike, the newest first."),
                "url": _URL,
            }
        ),
        "Area": of_model(
            Area, shapes.AREA, {"parent": text("Code of the area it lies in.", null=True), "url": _URL}
        ),
        "AreaDetail": an_object(
            {
                "area": ref("Area"),
                "within": some(ref("Area"), "What it lies in, the country first."),
                "codes": some(an_object({"scheme": _CODE, "code": _CODE}), "Its codes in other schemes."),
            }
        ),
        "Areas": _page("areas", ref("Area")),
        "Edition": of_model(Edition, shapes.EDITION),
        "Editions": _page("editions", ref("Edition")),
        "Vocabularies": an_object({"vocabularies": {"type": "object", "additionalProperties": some(named)}}),
        "Scales": an_object(
            {
                "crosswalk_version": text(""),
                "scales": some(
                    an_object(
                        {
                            "code": _CODE,
                            "label": text(""),
                            "grades": some(
                                an_object(
                                    {
                                        "code": _CODE,
                                        "label": text(""),
                                        "help": text("", null=True),
                                        "ems98_min": number("", null=True),
                                        "ems98_max": number("", null=True),
                                    }
                                )
                            ),
                        }
                    )
                ),
            }
        ),
        "Columns": an_object(
            {
                "columns": some(
                    an_object(
                        {
                            "name": _CODE,
                            "type": text("text, code, integer, decimal, boolean, date or moment."),
                            "label": text(""),
                            "help": text("", null=True),
                            "group": text("What an audience is given together."),
                            "hxl": text("Its HXL tag.", null=True),
                            "codes": some(named),
                        }
                    )
                )
            }
        ),
        "Filters": an_object(
            {"filters": some(an_object({"name": _CODE, "label": text(""), "takes": text("What it may be.")}))}
        ),
        "Me": an_object(
            {
                "name": text("Your name."),
                "email": text("Your address."),
                "role": text("Your role."),
                "is_administrator": flag("Whether you give rights."),
                "areas": some(_CODE, "Codes of your areas, each with all that lies in it."),
                "sectors": some(_CODE, "Of utility operators: your sectors."),
                "holder": text("Whose rows you are given."),
                "may": some(_CODE, "What your role does somewhere."),
                "token": or_null(
                    an_object(
                        {"name": text(""), "scope": text(""), "expires_at": text("", format="date-time")}
                    )
                ),
            }
        ),
        "Index": an_object(
            {
                "register": text("The name of this register."),
                "edition": text("The moment of the newest edition.", null=True, format="date-time"),
                "links": {"type": "object", "additionalProperties": text("", format="uri")},
            }
        ),
        "Problems": an_object(
            {"problems": some(an_object({"kind": _CODE, "status": number(""), "title": text("")}))}
        ),
    }
