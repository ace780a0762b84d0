"""The audit finds what was planted against a promise, and nothing in books that keep them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cloud_controller.flows import audit
from cloud_controller.flows.rights import pools
from common.rules.audit import FINDINGS_MAX, Finding, Invariant
from common.rules.sessions import EndReason
from tests.fakes.house import SLOT_SECONDS, STORE, HouseInHand
from tests.fakes.terminal import TerminalInHand
from tests.flows.audit_kit import found_in
from tests.flows.money_kit import an_order
from tests.flows.test_proof import Use, begun

DAY_SECONDS = 86_400


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with one device on offer."""
    return house.confirmed("vr")


@pytest.fixture
def use(house: HouseInHand, terminal: TerminalInHand) -> Use:
    """Return a session that the store ended after ten minutes, and that was paid back."""
    made = begun(house, terminal)
    made.play(600)
    made.beat()
    made.end(EndReason.STAFF_ENDED)
    house.tell_all(terminal)
    return made


def plant(house: HouseInHand, *statements: str) -> None:
    """Write what no flow would, with what holds the promise in the database taken away."""
    connection = house.books.connection
    connection.execute("PRAGMA foreign_keys=OFF")
    guards = connection.execute(
        "SELECT type, name FROM sqlite_schema WHERE type = 'trigger' OR name LIKE 'one_live_%'"
        " OR name = 'a_ticket_runs_once'"
    ).fetchall()
    for kind, name in guards:
        connection.execute(f"DROP {kind} {name}")
    for statement in statements:
        assert connection.execute(statement).rowcount > 0, statement


def put(house: HouseInHand, table: str, **row: Any) -> None:
    """Put a row into a table, whatever the database thinks of it."""
    plant(house)
    marks = ", ".join("?" for _ in row)
    statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - named here
    house.books.connection.execute(statement, list(row.values()))


def change(house: HouseInHand, table: str, **columns: Any) -> None:
    """Change every row of a table."""
    plant(house)
    changes = ", ".join(f"{name} = ?" for name in columns)
    statement = f"UPDATE {table} SET {changes}"  # noqa: S608 - named here
    assert house.books.connection.execute(statement, list(columns.values())).rowcount


def copy_row(house: HouseInHand, table: str, **changed: Any) -> None:
    """Put a second row beside the first one of a table, changed in these columns."""
    put(house, table, **house.books.rows(table)[0] | changed)


def test_books_that_keep_every_promise_have_no_finding(house: HouseInHand, use: Use):
    assert house.books.rows("compensations")
    assert use.is_over
    assert found_in(house) == []


@pytest.mark.usefixtures("terminal")
def test_a_planted_double_sale_is_found(house: HouseInHand):
    house.book()
    first = house.books.one("reservations")
    copy_row(house, "reservations", reservation_id="r-second", link="another")
    (finding,) = found_in(house)
    assert finding.invariant is Invariant.SOLD_TWICE
    assert {finding.subject, finding.facts["other"]} == {first["reservation_id"], "r-second"}
    assert finding.store == STORE


@pytest.mark.usefixtures("terminal")
def test_a_buffer_that_is_sold_is_a_double_sale(house: HouseInHand):
    house.book()
    plant(house, "UPDATE reservations SET blocked_until = ends_at + 600000")
    row = house.books.one("reservations")
    later = {"starts_at": row["ends_at"], "ends_at": row["ends_at"] + 1_800_000}
    copy_row(
        house,
        "reservations",
        reservation_id="r-second",
        link="another",
        blocked_until=later["ends_at"],
        **later,
    )
    (finding,) = found_in(house)
    assert finding.invariant is Invariant.SOLD_TWICE


@pytest.mark.usefixtures("use")
def test_a_second_use_of_time_that_was_used_is_found(house: HouseInHand):
    assert house.books.one("reservations")["state"] == "completed"
    copy_row(house, "reservations", reservation_id="r-second", link="another")
    assert [each.invariant for each in found_in(house)] == [Invariant.SOLD_TWICE]


@pytest.mark.usefixtures("use")
def test_a_planted_missing_compensation_is_found(house: HouseInHand):
    entered = house.books.one("compensations")
    plant(house, "DELETE FROM compensations")
    (finding,) = found_in(house)
    assert finding.invariant is Invariant.NOT_PAID_BACK
    assert finding.subject == entered["reservation_id"]
    assert finding.facts["owed_cents"] == entered["cents"]
    assert finding.facts["entered_cents"] == 0


@pytest.mark.usefixtures("use")
def test_a_compensation_that_moved_no_money_is_found(house: HouseInHand):
    plant(
        house,
        "DELETE FROM postings WHERE entry_id IN"
        " (SELECT entry_id FROM entries WHERE kind = 'compensated')",
        "DELETE FROM entries WHERE kind = 'compensated'",
    )
    (finding,) = found_in(house)
    assert finding.invariant is Invariant.NOT_PAID_BACK
    assert finding.facts["moved_cents"] == 0


@pytest.mark.usefixtures("use")
def test_a_planted_unbalanced_ledger_is_found(house: HouseInHand):
    plant(house, "UPDATE postings SET cents = cents + 7 WHERE account = 'compensation'")
    (finding,) = found_in(house)
    assert finding.invariant is Invariant.LEDGER_UNBALANCED
    assert finding.facts["cents"] == 7


@pytest.mark.usefixtures("use")
def test_an_entry_that_says_nothing_is_found(house: HouseInHand):
    order = an_order(house)
    put(house, "entries", kind="charged", store_id=STORE, order_id=order, at=1)
    assert [each.invariant for each in found_in(house)] == [Invariant.LEDGER_UNBALANCED]


def test_a_planted_leak_is_found(house: HouseInHand, terminal: TerminalInHand):
    (device,) = house.devices_of(terminal)
    began_at = house.clock.now
    change(house, "devices", state="in_use", state_at=began_at)
    assert found_in(house) == []
    house.clock.move(180)
    (finding,) = found_in(house)
    assert finding.invariant is Invariant.DEVICE_WITHOUT_SESSION
    assert finding.subject == device


def test_a_session_whose_device_stands_free_is_found(house: HouseInHand, terminal: TerminalInHand):
    begun(house, terminal)
    house.tell_all(terminal)
    change(house, "devices", state="available", state_at=house.clock.now)
    house.clock.move(180)
    assert [each.invariant for each in found_in(house)] == [Invariant.SESSION_WITHOUT_DEVICE]


FAULTS: dict[str, tuple[Invariant, str]] = {
    "a session ran without a right": (
        Invariant.STARTED_WITHOUT_RIGHT,
        "DELETE FROM rights WHERE session_id IS NOT NULL",
    ),
    "a session ran for longer than it was granted": (
        Invariant.RAN_TOO_LONG,
        "UPDATE sessions SET granted_seconds = 500.0, delivered_seconds = 600.0",
    ),
    "a program went on after its end": (
        Invariant.DEVICE_WITHOUT_SESSION,
        "UPDATE heartbeats SET last_at = last_at + 3600000",
    ),
    "a terminal serves that nobody confirmed": (
        Invariant.SERVED_UNCONFIRMED,
        "UPDATE terminals SET standing = 'claimed', broker_role = 'service'",
    ),
    "nobody is named who confirmed a terminal": (
        Invariant.ACT_UNRECORDED,
        "DELETE FROM audit WHERE act = 'registration.confirmed'",
    ),
    "more seats are in use than owned": (
        Invariant.SEATS_OVER_LIMIT,
        "UPDATE rights SET kind = 'module:engine', amount = 3",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("use")
def test_what_breaks_a_promise_is_found(house: HouseInHand, fault: str):
    invariant, statement = FAULTS[fault]
    house.books.do(pools.own_seats, "engine", 2, "tests")
    assert found_in(house) == []
    plant(house, statement)
    assert invariant in {each.invariant for each in found_in(house)}


@pytest.mark.usefixtures("use")
def test_a_ticket_that_has_run_twice_is_found(house: HouseInHand):
    fence = house.books.one("sessions")["fence"] + 1
    copy_row(house, "sessions", session_id="s-second", fence=fence, admission="held")
    assert Invariant.RAN_TWICE in {each.invariant for each in found_in(house)}


@pytest.mark.usefixtures("use")
def test_a_right_issued_twice_is_found(house: HouseInHand):
    connection = house.books.connection
    connection.execute("CREATE TABLE copy AS SELECT * FROM rights")
    connection.execute("DROP TABLE rights")
    connection.execute("ALTER TABLE copy RENAME TO rights")
    copy_row(house, "rights", right_id="g-second", session_id=None)
    assert [each.invariant for each in found_in(house)] == [Invariant.RIGHT_ISSUED_TWICE]


@pytest.mark.usefixtures("terminal")
def test_a_voucher_that_nobody_made_is_found(house: HouseInHand):
    terms = {"code_digest": "d", "terms": "{}", "starts_at": 1, "ends_at": 2, "uses_max": 1}
    put(house, "vouchers", voucher_id="v-1", made_at=1, **terms)
    assert [each.invariant for each in found_in(house)] == [Invariant.ACT_UNRECORDED]


@pytest.mark.usefixtures("terminal")
def test_a_number_of_a_receipt_that_is_left_out_is_found(house: HouseInHand):
    put(house, "receipt_numbers", store_id=STORE, year=2026, last=3)
    (finding,) = found_in(house)
    assert (finding.invariant, finding.subject) == (Invariant.RECEIPT_MISSING, f"{STORE}/2026")


def test_events_that_wait_for_one_that_never_comes_are_found(
    house: HouseInHand, terminal: TerminalInHand
):
    who = terminal.who
    facts = {"type": "session.running", "body": "{}", "received_at": house.clock.now}
    put(house, "inbox", terminal_id=who.terminal, epoch=who.epoch, seq=900, **facts)
    assert found_in(house) == []
    house.clock.move(DAY_SECONDS + 1)
    assert [each.invariant for each in found_in(house)] == [Invariant.EVENTS_STUCK]


def test_every_invariant_is_looked_for():
    assert {each for check in audit.CHECKS for each in check.finds} == set(Invariant)


@pytest.mark.usefixtures("terminal")
def test_a_slice_goes_on_where_the_last_one_ended(
    house: HouseInHand, monkeypatch: pytest.MonkeyPatch
):
    for n in range(5):
        house.book(in_seconds=n * SLOT_SECONDS)
    monkeypatch.setattr("cloud_controller.flows.audit.checks.SLICE_MAX", 2)
    (check,) = (each for each in audit.CHECKS if each.name == "reservations")
    rows: list[int] = []
    after: Any = check.first
    while after is not None:
        looked = house.books.do(check.look, after)
        rows.append(looked.rows)
        after = looked.last
    assert rows == [2, 2, 1]


def kept(house: HouseInHand, findings: list[Finding], asked_by: str = audit.NIGHTLY) -> str:
    audit_id: str = house.books.do(audit.keep, house.clock.now, asked_by, {"all": 1}, findings)
    return audit_id


def open_problems(house: HouseInHand) -> list[str]:
    return [
        row["subject"]
        for row in house.books.rows("problems")
        if row["kind"] == "promise_broken" and row["solved_at"] is None
    ]


def test_a_finding_is_one_problem_until_it_is_found_no_more(house: HouseInHand):
    finding = Finding(invariant=Invariant.SOLD_TWICE, subject="r-1", store=STORE, facts={"n": 1})
    first = kept(house, [finding])
    house.clock.move(DAY_SECONDS)
    kept(house, [finding])
    assert open_problems(house) == ["sold_twice/r-1"]
    problem = house.books.one("problems")
    assert (problem["store_id"], problem["reservation_id"]) == (STORE, "r-1")
    house.clock.move(DAY_SECONDS)
    kept(house, [])
    assert open_problems(house) == []
    told = house.books.do(audit.audits)
    assert [each.found for each in told] == [0, 1, 1]
    assert told[-1].audit == first
    assert told[-1].findings == (finding,)


@pytest.mark.usefixtures("use")
def test_an_audit_changes_nothing_but_what_it_keeps(house: HouseInHand):
    before = house.books.everything()
    found_in(house)
    assert house.books.everything() == before


def test_an_audit_that_somebody_asked_for_is_an_act_of_his(house: HouseInHand):
    kept(house, [])
    made = kept(house, [], asked_by="akiko")
    acts = [row for row in house.books.rows("audit") if row["act"] == "books.audited"]
    assert [(row["actor"], row["subject"]) for row in acts] == [("akiko", made)]


def test_findings_of_one_kind_are_counted_all_and_kept_to_a_limit(house: HouseInHand):
    many = [
        Finding(invariant=Invariant.RAN_TWICE, subject=f"s-{n}") for n in range(FINDINGS_MAX + 20)
    ]
    kept(house, many)
    (told,) = house.books.do(audit.audits)
    assert (told.found, len(told.findings)) == (FINDINGS_MAX + 20, FINDINGS_MAX)


Looking = Callable[[], None]


@pytest.fixture
def look(house: HouseInHand) -> Looking:
    """Return what looks for leaks as the running controller does, each minute."""
    before: set[str] = set()

    def go() -> None:
        seen = house.books.do(audit.leaks_now)
        house.books.do(audit.note_leaks, seen, set(before))
        before.clear()
        before.update(each.subject for each in seen)
        house.clock.move(60)

    return go


@pytest.mark.usefixtures("terminal")
def test_a_leak_is_kept_from_the_second_look_on_until_its_end(house: HouseInHand, look: Looking):
    change(house, "devices", state="in_use", state_at=house.clock.now)
    house.clock.move(180)
    look()
    assert house.books.rows("leaks") == []
    look()
    look()
    leak = house.books.one("leaks")
    assert (leak["kind"], leak["ended_at"]) == ("device_without_session", None)
    assert house.books.one("problems")["kind"] == "leak_found"
    change(house, "devices", state="available", state_at=house.clock.now)
    look()
    assert house.books.one("leaks")["ended_at"] is not None
    assert house.books.one("problems")["solved_at"] is not None


@pytest.mark.usefixtures("terminal")
def test_a_terminal_that_is_silent_leaks_nothing(house: HouseInHand, look: Looking):
    change(house, "devices", state="in_use", state_at=house.clock.now)
    change(house, "terminals", presence="gone")
    house.clock.move(600)
    look()
    look()
    assert house.books.rows("leaks") == []


@pytest.mark.usefixtures("terminal")
def test_more_that_went_back_than_came_in_is_found(house: HouseInHand):
    order = an_order(house)
    money = {"due_cents": 100, "currency": "JPY", "body": "{}", "made_at": 1, "changed_at": 1}
    paid = {"method": "free", "state": "refunded", "attempt": 1, "store_id": STORE}
    put(house, "payments", payment_id="p-1", order_id=order, **paid, **money)
    put(house, "entries", entry_id=9, kind="refunded", store_id=STORE, payment_id="p-1", at=1)
    for line, (account, cents) in enumerate((("cash:free", -100), ("refund", 100))):
        posting = {"account": account, "cents": cents, "currency": "JPY"}
        put(house, "postings", entry_id=9, line=line, **posting)
    assert [each.invariant for each in found_in(house)] == [Invariant.MORE_BACK_THAN_PAID]
