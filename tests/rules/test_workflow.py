"""Every status × status × role × kind, against tables written out by hand from the two of the standard."""

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest

from registry.rules import access, workflow
from registry.rules.access import Scope, Verb

ROLES = ("resident", "official", "inspector", "operator", "supervisor", "researcher")
DAMAGE_STATUSES = [
    "reported",
    "needs_info",
    "unverifiable",
    "rejected",
    "duplicate",
    "verified",
    "repair_planned",
    "repair_in_progress",
    "repaired",
    "closed",
]
OUTAGE_STATUSES = [
    "reported",
    "rejected",
    "duplicate",
    "confirmed",
    "partially_restored",
    "restored",
    "closed",
]
STATUSES = {"building": DAMAGE_STATUSES, "network": DAMAGE_STATUSES, "outage": OUTAGE_STATUSES}
STATES = [(kind, status) for kind, statuses in STATUSES.items() for status in statuses]

# from, to, the move's name, and who: o(fficial) i(nspector) u(tility's operator) s(upervisor).
# A supervisor does whatever an official or an inspector does. `before` and `started` mark what the row itself
# decides: the status before the merge; planned, or verified where it began as urgent.
DAMAGE = """
reported            needs_info          ask                  o i - s
needs_info          reported            answer               o - - s
reported            verified            verify               - i - s
needs_info          verified            verify               - i - s
unverifiable        verified            verify               - i - s
reported            unverifiable        set_unverifiable     - i - s
needs_info          unverifiable        set_unverifiable     - i - s
reported            rejected            reject               o i - s
needs_info          rejected            reject               o i - s
unverifiable        rejected            reject               o i - s
reported            duplicate           merge                o i - s
needs_info          duplicate           merge                o i - s
unverifiable        duplicate           merge                o i - s
verified            duplicate           merge                o i - s
duplicate           before              unmerge              o i - s
verified            repair_planned      approve_plan         - - - s
repair_planned      repair_in_progress  start_repair         o - u s
verified            repair_in_progress  start_urgent_repair  - - - s
repair_in_progress  started             stop_repair          o - u s
repair_planned      verified            withdraw_plan        - - - s
repair_in_progress  repaired            finish_repair        o - u s
repaired            closed              pass_repair          - i - s
repaired            repair_in_progress  fail_repair          - i - s
verified            closed              close                - - - s
repair_planned      closed              close                - - - s
repair_in_progress  closed              close                - - - s
closed              verified            reopen               - - - s
verified            reported            set_back             - - - s
rejected            reported            reconsider           - - - s
"""
# Between confirmed, partially restored and restored there is no move: the steps decide.
OUTAGE = """
reported            confirmed           confirm              o - u s
reported            rejected            reject               o - u s
confirmed           rejected            reject_confirmed     - - - s
partially_restored  rejected            reject_confirmed     - - - s
restored            rejected            reject_confirmed     - - - s
reported            duplicate           merge                o - u s
confirmed           duplicate           merge                o - u s
partially_restored  duplicate           merge                o - u s
restored            duplicate           merge                o - u s
duplicate           before              unmerge              o - u s
restored            closed              close                - - u s
closed              restored            reopen               - - - s
rejected            reported            reconsider           - - - s
"""
LETTERS = {"o": "official", "i": "inspector", "u": "operator", "s": "supervisor"}
BEFORE_MERGE = {
    "damage": ("reported", "needs_info", "unverifiable", "verified"),
    "outage": ("reported", "confirmed", "partially_restored", "restored"),
}


def expected(kind: str, before: str, urgent: bool) -> dict[tuple[str, str], tuple[str, set[str]]]:
    """From and to → the move's name and the roles that may make it."""
    table = {}
    for line in (OUTAGE if kind == "outage" else DAMAGE).strip().splitlines():
        source, to, name, *letters = line.split()
        to = {"before": before, "started": "verified" if urgent else "repair_planned"}.get(to, to)
        roles = {LETTERS[letter] for letter in letters if letter != "-"}
        # A utility works on networks and outages alone.
        table[source, to] = name, roles - {"operator"} if kind == "building" else roles
    return table


@dataclass
class Person:
    pk: int = 1
    role: str = "official"
    scope: Scope | None = None
    is_active: bool = True

    def __post_init__(self) -> None:
        if self.scope is None:
            sectors = ("electricity",) if self.role == "operator" else None
            self.scope = Scope.of([(1, "UA-63")], sectors)


@dataclass
class Row:
    kind: str = "building"
    status: str = "reported"
    sector: str = ""
    country: str = "UA"
    adm1_code: str = "UA-63"
    adm2_code: str = "11"
    adm3_code: str = ""
    hands: dict[str, Any] = field(default_factory=dict)
    withdrawn: str = ""
    plan_scope: str = "A new roof"
    started_urgently: bool = False
    status_before_merge: str = "reported"
    logged_by_id: int | None = None

    def __post_init__(self) -> None:
        if self.kind != "building" and not self.sector:
            self.sector = "electricity"


def check(name: str, person: Person, row: Row, *, others: bool = True) -> workflow.Refusal | None:
    move = workflow.move_named(name, row.kind)
    return workflow.check(move, person, row, others=lambda *_: others)


def code(name: str, person: Person, row: Row, *, others: bool = True) -> str | None:
    refusal = check(name, person, row, others=others)
    return refusal and refusal.code


# -- the walk ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", STATUSES)
def test_every_pair_of_statuses_is_open_to_exactly_whom_the_standard_names(kind: str, role: str) -> None:
    person = Person(role=role)
    before_merge = BEFORE_MERGE["outage" if kind == "outage" else "damage"]
    for before, urgent in product(before_merge, (False, True)):
        table = expected(kind, before, urgent)
        for source, to in product(STATUSES[kind], repeat=2):
            row = Row(kind, source, started_urgently=urgent, status_before_merge=before)
            name, roles = table.get((source, to), (None, set()))
            moves = [m for m in workflow.moves_from(row) if workflow.destination(m, row) == to]
            assert [move.name for move in moves] == ([name] if name else []), (source, to)
            opened = {move.name for move in moves if code(move.name, person, row) is None}
            assert opened == ({name} if role in roles else set()), (source, to)
            assert all(code(move.name, person, row) in (None, "role", "area") for move in moves)


def test_a_move_is_refused_at_every_status_it_does_not_start_from() -> None:
    boss = Person(role="supervisor", scope=Scope.of([(1, "UA-63")]))
    for kind, statuses in STATUSES.items():
        table = expected(kind, "reported", False)
        for name, status in product({name for name, _ in table.values()}, statuses):
            starts = any(source == status and name == found for (source, _), (found, _) in table.items())
            assert (code(name, boss, Row(kind, status)) == "status") is not starts, (kind, name, status)


def test_the_statuses_of_a_kind_are_those_of_its_table() -> None:
    assert {kind: set(statuses) for kind, statuses in workflow.STATUSES.items()} == {
        kind: set(statuses) for kind, statuses in STATUSES.items()
    }
    damage = ["verified", "repair_planned", "repair_in_progress", "repaired", "closed"]
    assert list(workflow.FROM_VERIFIED) == damage
    assert set(workflow.LIVE) == {*DAMAGE_STATUSES, *OUTAGE_STATUSES} - {"rejected", "duplicate"}


def test_everybody_but_a_researcher_may_log() -> None:
    may_log = {role for role in ROLES if access.may(Person(role=role), Verb.LOG)}
    assert may_log == {"resident", "official", "inspector", "operator", "supervisor"}


def test_no_name_is_used_twice_for_a_kind_and_unknown_names_raise() -> None:
    for kind in STATUSES:
        names = [move.name for move in workflow.MOVES if kind in move.kinds]
        assert len(names) == len(set(names))
    with pytest.raises(KeyError):
        workflow.move_named("confirm", "building")


# -- what a move takes, and how it may end -------------------------------------------------------------

INSPECTION = (
    "happened_on method grade usability hazards part_seen elements act_number act_members image "
    "independent_source note"
)
TAKES = {
    "damage": {
        "ask": "question",
        "answer": "answer",
        "verify": INSPECTION,
        "set_unverifiable": "reason",
        "reject": "outcome note",
        "merge": "original",
        "unmerge": "note",
        "approve_plan": "note",
        "start_repair": "contractor happened_on",
        "start_urgent_repair": "contractor happened_on reason",
        "stop_repair": "reason",
        "withdraw_plan": "reason",
        "finish_repair": "happened_on photos_after repair_cost repair_currency",
        "pass_repair": "happened_on note",
        "fail_repair": "reason",
        "close": "outcome happened_on note",
        "reopen": "reason",
        "set_back": "reason",
        "reconsider": "reason",
    },
    "outage": {
        "confirm": "cause_group cause customers_unit customers_served customers_lost restriction diverted_to note",
        "reject": "note",
        "reject_confirmed": "outcome reason",
        "merge": "original",
        "unmerge": "note",
        "close": "happened_on note",
        "reopen": "reason",
        "reconsider": "reason",
    },
}
OUTCOMES = {
    "damage": {
        "reject": "no_damage not_found out_of_scope false",
        "pass_repair": "repaired",
        "close": "no_repair_needed repaired_by_owner demolished superseded cancelled out_of_scope",
    },
    "outage": {"reject": "no_fault", "reject_confirmed": "no_fault out_of_scope false"},
}


@pytest.mark.parametrize("kind", STATUSES)
def test_each_move_takes_its_evidence_and_has_its_outcomes(kind: str) -> None:
    table = "outage" if kind == "outage" else "damage"
    moves = [move for move in workflow.MOVES if kind in move.kinds]
    assert {move.name: " ".join(move.takes) for move in moves} == TAKES[table]
    assert {move.name: " ".join(move.outcomes) for move in moves if move.outcomes} == OUTCOMES[table]


def test_a_plan_is_approved_only_once_it_is_drafted() -> None:
    boss, row = Person(role="supervisor"), Row(status="verified", plan_scope="")
    assert code("approve_plan", boss, row) == "plan"
    row.plan_scope = "A new roof"
    assert code("approve_plan", boss, row) is None


# -- where a move leads when the row decides -----------------------------------------------------------


def test_an_urgent_start_stopped_leads_back_to_verified() -> None:
    stop = workflow.move_named("stop_repair", "building")
    assert workflow.destination(stop, Row(status="repair_in_progress")) == "repair_planned"
    urgent = Row(status="repair_in_progress", started_urgently=True)
    assert workflow.destination(stop, urgent) == "verified"


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        *(("building", status) for status in BEFORE_MERGE["damage"]),
        *(("outage", status) for status in BEFORE_MERGE["outage"]),
    ],
)
def test_a_merge_undone_leads_to_the_status_before_it(kind: str, before: str) -> None:
    row = Row(kind, "duplicate", status_before_merge=before)
    assert workflow.destination(workflow.move_named("unmerge", kind), row) == before


# -- separation by person ------------------------------------------------------------------------------

ME, SOMEBODY = 1, 2
BARS = [
    # status, move, what I did on the row, the refusal
    ("reported", "verify", {"logged": [ME]}, "apart_logged"),
    ("reported", "verify", {"logged": [SOMEBODY, ME]}, "apart_logged"),  # logged a report merged into it
    ("needs_info", "verify", {"logged": [ME]}, "apart_logged"),
    ("unverifiable", "verify", {"logged": [ME]}, "apart_logged"),
    ("reported", "verify", {"logged": [SOMEBODY], "shaped": {"place": ME}}, "apart_logged"),
    ("reported", "verify", {"logged": [SOMEBODY], "shaped": {"kind": ME}}, "apart_logged"),
    ("reported", "verify", {"logged": [SOMEBODY], "shaped": {"date": ME}}, "apart_logged"),
    ("verified", "approve_plan", {"graded": [ME]}, "apart_graded"),
    ("verified", "approve_plan", {"drafted": [ME]}, "apart_drafted"),
    ("repaired", "pass_repair", {"ran": [SOMEBODY, ME]}, "apart_ran"),
    ("repaired", "fail_repair", {"ran": [ME]}, "apart_ran"),
]


@pytest.mark.parametrize("kind", ["building", "network"])
@pytest.mark.parametrize(("status", "name", "hands", "refusal"), BARS)
def test_who_did_it_does_not_check_it(kind, status, name, hands, refusal) -> None:
    row = Row(kind, status, hands=hands)
    me = Person(ME, "supervisor")
    other = Person(3, "supervisor")
    assert code(name, me, row) == refusal
    assert code(name, other, row) is None
    assert not workflow.could(workflow.move_named(name, kind), me, row)
    assert workflow.could(workflow.move_named(name, kind), other, row)


@pytest.mark.parametrize(("status", "name", "hands", "refusal"), BARS)
def test_where_nobody_else_can_a_supervisor_may_with_a_reason(status, name, hands, refusal) -> None:
    row, me = Row(status=status, hands=hands), Person(ME, "supervisor")
    with_others, alone = check(name, me, row, others=True), check(name, me, row, others=False)
    assert with_others
    assert not with_others.reason_opens
    assert alone
    assert alone.code == refusal
    assert alone.reason_opens


def test_nobody_but_a_supervisor_goes_on_with_a_reason() -> None:
    alone = check("verify", Person(ME, "inspector"), Row(hands={"logged": [ME]}), others=False)
    assert alone
    assert alone.code == "apart_logged"
    assert not alone.reason_opens


def test_a_reason_opens_no_right_and_no_status() -> None:
    boss = Person(ME, "supervisor")
    closed = check("verify", boss, Row(status="closed", hands={"logged": [ME]}), others=False)
    away = check("verify", boss, Row(adm1_code="UA-14", hands={"logged": [ME]}), others=False)
    unplanned = Row(status="verified", plan_scope="", hands={"graded": [ME]})
    assert closed
    assert closed.code == "status"
    assert not closed.reason_opens
    assert away
    assert away.code == "area"
    assert not away.reason_opens
    assert code("approve_plan", boss, unplanned, others=False) == "plan"


def test_what_i_did_bars_me_from_that_check_alone() -> None:
    """By the table of the standard: verify asks who logged, approve who graded and drafted, pass who ran."""
    everything = {"logged": [ME], "shaped": {"place": ME}, "graded": [ME], "drafted": [ME], "ran": [ME]}
    asked = {"verify": "logged", "approve_plan": "graded", "pass_repair": "ran", "fail_repair": "ran"}
    boss = Person(ME, "supervisor", Scope.of([(0, "UA")]))
    for kind, status in STATES:
        row = Row(kind, status, hands=everything)
        for move in workflow.moves_from(row):
            refusal = f"apart_{asked[move.name]}" if move.name in asked else None
            assert code(move.name, boss, row) == refusal, (kind, status, move.name)
    unlike = {"verify": "graded", "approve_plan": "logged", "pass_repair": "graded", "fail_repair": "logged"}
    for name, deed in unlike.items():
        status = {"verify": "reported", "approve_plan": "verified"}.get(name, "repaired")
        assert code(name, boss, Row(status=status, hands={deed: [ME]})) is None


def test_one_supervisor_logs_another_verifies_a_third_decides() -> None:
    """Separation is by person: an office of three supervisors can do all."""
    anna, boris, vera = (Person(pk, "supervisor") for pk in (1, 2, 3))
    hands: dict[str, Any] = {"logged": [anna.pk]}
    assert code("verify", anna, Row(hands=hands)) == "apart_logged"
    assert code("verify", boris, Row(hands=hands)) is None
    hands |= {"graded": [boris.pk], "drafted": [anna.pk]}
    approve = {
        p.pk: code("approve_plan", p, Row(status="verified", hands=hands)) for p in (anna, boris, vera)
    }
    assert approve == {1: "apart_drafted", 2: "apart_graded", 3: None}
    hands |= {"ran": [anna.pk, vera.pk]}
    passed = {p.pk: code("pass_repair", p, Row(status="repaired", hands=hands)) for p in (anna, boris, vera)}
    assert passed == {1: "apart_ran", 2: None, 3: "apart_ran"}


def test_an_import_satisfies_and_bars_nobody() -> None:
    assert workflow.did(Row(), "logged") == set()
    assert code("verify", Person(ME, "inspector"), Row(hands={})) is None


# -- who answers, and where people work ----------------------------------------------------------------


@pytest.mark.parametrize("role", ["resident", "official", "inspector", "operator", "supervisor"])
def test_who_reported_it_answers_whatever_the_role_and_area(role: str) -> None:
    reporter = Person(ME, role, Scope.of([(1, "UA-14")]))
    assert code("answer", reporter, Row(status="needs_info", logged_by_id=ME)) is None
    assert code("answer", reporter, Row(status="needs_info", logged_by_id=SOMEBODY)) in ("role", "area")


def test_who_reported_it_makes_no_other_move_by_that() -> None:
    resident = Person(ME, "resident", access.NOWHERE)
    for kind, status in STATES:
        row = Row(kind, status, logged_by_id=ME)
        opened = [m.name for m in workflow.moves_from(row) if code(m.name, resident, row) is None]
        assert opened == (["answer"] if status == "needs_info" else [])


def test_a_disabled_person_and_a_visitor_make_no_move() -> None:
    @dataclass
    class Visitor:
        pk: None = None
        is_active: bool = False

    row = Row(status="needs_info", logged_by_id=ME)
    disabled = Person(ME, "supervisor", is_active=False)
    answer = workflow.move_named("answer", "building")
    assert code("answer", disabled, row) == "role"
    assert not workflow.could(answer, disabled, row)
    row.logged_by_id = None
    refusal = workflow.check(answer, Visitor(), row, others=lambda *_: True)
    assert refusal
    assert refusal.code == "role"


@pytest.mark.parametrize(
    ("areas", "inside"),
    [
        ([(0, "UA")], True),
        ([(1, "UA-63")], True),
        ([(2, "11")], True),
        ([(1, "UA-14"), (2, "11")], True),
        ([(1, "UA-14")], False),
        ([(2, "12")], False),
        ([(3, "111")], False),
        ([], False),
    ],
)
def test_a_move_needs_the_right_in_the_area(areas, inside: bool) -> None:
    person = Person(role="inspector", scope=Scope.of(areas))
    assert code("verify", person, Row()) == (None if inside else "area")
    assert workflow.could(workflow.move_named("verify", "building"), person, Row()) is inside


@pytest.mark.parametrize(
    ("kind", "status", "name"),
    [("outage", "reported", "confirm"), ("network", "repair_planned", "start_repair")],
)
def test_an_operator_works_in_their_own_sectors_there(kind: str, status: str, name: str) -> None:
    power = Person(role="operator", scope=Scope.of([(1, "UA-63")], ["electricity", "heat"]))
    assert code(name, power, Row(kind, status, "electricity")) is None
    assert code(name, power, Row(kind, status, "heat")) is None
    assert code(name, power, Row(kind, status, "water")) == "area"
    assert code(name, power, Row(kind, status, "electricity", adm1_code="UA-14")) == "area"
    assert (
        code(name, Person(role="operator", scope=Scope.of([(1, "UA-63")], [])), Row(kind, status)) == "area"
    )


@pytest.mark.parametrize("reason", ["safety", "privacy", "error"])
def test_a_withdrawn_report_makes_no_move(reason: str) -> None:
    boss = Person(role="supervisor", scope=Scope.of([(0, "UA")]))
    for kind, status in STATES:
        row = Row(kind, status, withdrawn=reason, logged_by_id=boss.pk)
        assert {code(move.name, boss, row) for move in workflow.moves_from(row)} <= {"withdrawn"}
