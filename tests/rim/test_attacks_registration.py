"""Enrolment, registration and the gate under attack: nothing is gained, grows or stays broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509

from cloud_controller.broker import BrokerAccount, BrokerSettings, EmbeddedBroker
from cloud_controller.broker.child import BrokerIsAnothers
from cloud_controller.certificates import Authority
from cloud_controller.flows.enrolment import RENEWALS_LATELY_MAX
from cloud_controller.flows.sessions import REVISION_BELIEVED_MAX
from cloud_controller.ports import LATELY_SECONDS
from cloud_controller.storage.sqlite import migrate
from common.codec import read
from common.messages.base import COUNT_MAX
from common.messages.registration import Hello, Welcome
from common.rules.problems import ProblemKind
from common.rules.registration import CONFIRMED_LATELY_MAX, Policy, Standing
from common.seals import new_signing_key, public_bytes
from common.system import SystemClock
from common.topics import Channel
from edge_agent.courier import Courier
from edge_agent.flows import registration
from edge_agent.gate import Gate
from tests.fakes.house import HouseInHand, a_specification
from tests.fakes.names import CountedNames
from tests.fakes.store import ClockInHand
from tests.fakes.terminal import ASKED, TerminalInHand, an_answer, say_number
from tests.rim.test_web_enrolment import API, OTHER_KEY, STORE, a_code, enrol, renew
from tests.rim.web_kit import assert_problem, web_kit

KEY = new_signing_key(b"r" * 32)
HONEST_KEY: Final = public_bytes(KEY).hex()

OK: Final = 200
CREATED: Final = 201

FORGED_REVISION = 2**62
"""The highest revision there is: nothing honest comes after it."""

SMALL_ORDER = (
    "00" * 32,
    "00" * 31 + "80",
    "01" + "00" * 31,
    "ec" + "ff" * 30 + "7f",
    "ed" + "ff" * 30 + "7f",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
)
"""Public keys by which anybody can sign, with their sign and unreduced twins."""

FLAPS = 3 * CONFIRMED_LATELY_MAX


@pytest.fixture
def terminal(tmp_path: Path) -> TerminalInHand:
    """Return a terminal that has been told that it is confirmed."""
    answer = an_answer({1: public_bytes(KEY).hex()})
    made = TerminalInHand(tmp_path, clock=SystemClock(), names=CountedNames(), answer=answer)
    made.is_now(a_specification())
    made.hear_standing(Standing.CONFIRMED, 5)
    return made


def test_a_forged_revision_locks_nobody_out_for_ever(terminal: TerminalInHand):
    """What is pushed may be old; what answers our own question is not."""
    terminal.hear_standing(Standing.SUSPENDED, FORGED_REVISION)
    terminal.hear_standing(Standing.CONFIRMED, 6)
    assert not _is_open(terminal)
    terminal.hear_standing(Standing.CONFIRMED, 6, corr=ASKED)
    assert _is_open(terminal)
    terminal.hear_standing(Standing.SUSPENDED, 7)
    assert not _is_open(terminal)


def test_after_an_old_backup_was_put_back_a_terminal_hears_that_it_is_suspended(
    terminal: TerminalInHand,
):
    terminal.hear_standing(Standing.CONFIRMED, 2, corr=ASKED)
    assert _is_open(terminal)
    terminal.hear_standing(Standing.SUSPENDED, 3)
    assert not _is_open(terminal)


@pytest.mark.parametrize("lie", [{"epoch": "e1"}, {"gate_digest": "0" * 64}])
def test_an_answer_for_another_epoch_or_another_pc_opens_nothing(
    terminal: TerminalInHand, lie: dict[str, str]
):
    terminal.hear_standing(Standing.SUSPENDED, 6)
    terminal.hear_standing(Standing.CONFIRMED, 7, corr=ASKED, **lie)
    assert not _is_open(terminal)


def test_an_answer_counts_once_and_only_for_the_last_question(terminal: TerminalInHand):
    """Played back, it is as old as any other word."""
    sent: list[bytes] = []

    def publish(topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        assert (topic[-13:], qos, retain) == ("specification", 1, False)
        sent.append(payload)

    courier = Courier(
        terminal.who,
        terminal.journal,
        Gate(terminal.journal),
        publish=publish,
        clock=SystemClock(),
        names=CountedNames(),
    )
    terminal.journal.on_asked = courier.post
    courier.ask_standing()
    courier.ask_standing()
    first, last = (read(payload).corr for payload in sent)
    assert [courier.answers_us(corr) for corr in ("", first, last, last)] == [0, 0, 1, 0]


@pytest.fixture
def make_house(tmp_path: Path) -> Iterator[Callable[[Policy], HouseInHand]]:
    """Return what makes a controller with books of its own."""
    books = tmp_path / "books.db"
    migrate(books)
    made: list[HouseInHand] = []

    def make(policy: Policy) -> HouseInHand:
        made.append(HouseInHand(tmp_path, books, policy=policy))
        return made[0]

    yield make
    for house in made:
        house.books.close()


def test_what_changes_too_often_is_confirmed_by_a_person(make_house):
    house = make_house(Policy.AUTOMATIC)
    terminal = house.enrol()
    _flap(house, terminal)
    assert _standing(house) == Standing.PENDING
    often = ["registration.confirmed"] * CONFIRMED_LATELY_MAX
    assert _decisions(house) == [*often, "registration.pending"]
    (problem,) = house.books.rows("problems")
    assert problem["kind"] == ProblemKind.REGISTRATION_WAITING
    house.clock.move(LATELY_SECONDS + 1)
    _say(house, terminal, number=9)
    assert _standing(house) == Standing.CONFIRMED


def test_who_waits_for_an_operator_fills_no_audit(make_house):
    house = make_house(Policy.MANUAL)
    _flap(house, house.enrol())
    assert _standing(house) == Standing.PENDING
    assert _decisions(house) == ["registration.pending"]
    (problem,) = house.books.rows("problems")
    assert problem["times"] == FLAPS


def test_events_go_on_after_an_old_backup_was_put_back(make_house):
    """Promise 9: what was acknowledged and lost holds up nothing that comes after."""
    house = make_house(Policy.AUTOMATIC)
    terminal = house.confirmed("vr")
    terminal.do(say_number, 1)
    house.tell_all(terminal)
    house.books.connection.execute("DELETE FROM inbox_marks")
    terminal.do(say_number, 2)
    house.tell_all(terminal)
    assert [seq for seq, _, _ in terminal.tells()] == [2]
    _greet(house, terminal)
    house.tell_all(terminal)
    assert terminal.tells() == []
    (lost,) = [row for row in house.books.rows("ledger") if row["type"] == "events.lost"]
    assert json.loads(lost["body"]) == {"from": 1, "to": 1}


def test_a_terminal_that_has_told_everything_says_so(make_house):
    """Also before its first event, and when all of them have been acknowledged."""
    house = make_house(Policy.AUTOMATIC)
    terminal = house.confirmed("vr")
    assert _hello_of(terminal).outbox_first == 1
    terminal.do(say_number, 1)
    assert _hello_of(terminal).outbox_first == 1
    house.tell_all(terminal)
    assert _hello_of(terminal).outbox_first == 2
    _greet(house, terminal)
    assert [row for row in house.books.rows("ledger") if row["type"] == "events.lost"] == []


@pytest.mark.parametrize(
    ("applied", "desired"),
    [(7, 8), (REVISION_BELIEVED_MAX, REVISION_BELIEVED_MAX + 1), (COUNT_MAX, 0)],
)
def test_what_is_desired_is_above_what_a_terminal_knows(make_house, applied: int, desired: int):
    """A terminal that lies cannot bring its revision to where it can be raised no more."""
    house = make_house(Policy.AUTOMATIC)
    terminal = house.confirmed("vr")
    hello = _hello_of(terminal).model_copy(update={"applied_revision": applied})
    welcome, *_ = house.take(terminal, hello, Channel.HELLO)
    assert isinstance(welcome, Welcome)
    assert welcome.desired_revision == desired


async def test_a_terminal_that_renews_without_end_is_stopped(tmp_path: Path):
    """Its certificates may all have to be taken back; another terminal notices nothing."""
    async with web_kit(tmp_path) as kit:
        await kit.told(f"{API}/stores", STORE)
        who = (await enrol(kit, await a_code(kit))).json
        other = (await enrol(kit, await a_code(kit), key=OTHER_KEY)).json
        for _ in range(RENEWALS_LATELY_MAX):
            assert (await renew(kit, who)).status == OK
        assert_problem(await renew(kit, who), 429, "too_many_attempts")
        assert (await renew(kit, other, key=OTHER_KEY)).status == OK
        kit.store.clock.move(LATELY_SECONDS + 1)
        assert (await renew(kit, who)).status == OK


@pytest.mark.parametrize("public_key", SMALL_ORDER)
async def test_a_key_by_which_anybody_can_sign_enrols_nobody(tmp_path: Path, public_key: str):
    async with web_kit(tmp_path) as kit:
        await kit.told(f"{API}/stores", STORE)
        asked = {"code": await a_code(kit), "public_key": public_key, "hostname": "pc-7"}
        assert_problem(await kit.post(f"{API}/enrolments", json=asked), 422, "invalid_body")
        enrolled = await kit.post(f"{API}/enrolments", json=asked | {"public_key": HONEST_KEY})
        assert enrolled.status == CREATED


@pytest.mark.parametrize("years", [-56, -10, 10])
def test_an_authority_made_by_a_wrong_clock_is_good_by_the_right_one(tmp_path: Path, years: int):
    """A PC without a clock battery begins in 1970: nobody can put another into what is pinned."""
    wrong, right = ClockInHand(), ClockInHand()
    wrong.move(years * 365 * 86_400)
    made = Authority(tmp_path, wrong, CountedNames())
    made.server_files(["localhost"])
    again = Authority(tmp_path, right, CountedNames())
    assert again.pem == made.pem
    again.server_files(["localhost"])
    for file in ("authority.pem", "server.pem"):
        certificate = x509.load_pem_x509_certificate((tmp_path / file).read_bytes())
        now_at = right.now_ms() / 1000
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        assert begins.timestamp() < now_at < ends.timestamp()


async def test_a_second_controller_on_the_same_folder_does_not_start(tmp_path: Path):
    """Of two brokers each would know half of what was decided; the first notices nothing."""
    first, second = (_a_broker(tmp_path) for _ in range(2))
    await first.start()
    with pytest.raises(BrokerIsAnothers):
        await second.start()
    await first.stop()
    await second.start()
    await second.stop()


def _is_open(terminal: TerminalInHand) -> bool:
    return terminal.gate.is_open


def _say(house: HouseInHand, terminal: TerminalInHand, *, number: int) -> None:
    """Have a terminal say that it has so many gibibytes."""
    house.take(terminal, a_specification(memory_bytes=number << 30), Channel.SPECIFICATION)


def _flap(house: HouseInHand, terminal: TerminalInHand) -> None:
    for number in range(FLAPS):
        _say(house, terminal, number=1 + number % 2)


def _standing(house: HouseInHand) -> str:
    return str(house.books.one("terminals")["standing"])


def _decisions(house: HouseInHand) -> list[str]:
    acts = [str(row["act"]) for row in house.books.rows("audit")]
    return [act for act in acts if act.startswith("registration.")]


def _hello_of(terminal: TerminalInHand) -> Hello:
    terminal.asks()
    terminal.do(registration.greet, "c-1")
    (hello,) = terminal.asks()
    assert isinstance(hello, Hello)
    return hello


def _greet(house: HouseInHand, terminal: TerminalInHand) -> None:
    house.take(terminal, _hello_of(terminal), Channel.HELLO)


def _a_broker(folder: Path) -> EmbeddedBroker:
    async def accounts() -> list[BrokerAccount]:
        return []

    def report(where: str, fault: BaseException) -> None:
        raise AssertionError(where) from fault

    return EmbeddedBroker(BrokerSettings(folder=folder), accounts=accounts, report=report)
