"""E4-E6: a helper is there, is chosen at a screen or on a ticket's page, talks, and leaves."""

from __future__ import annotations

import pytest

from cloud_controller.flows import help as calls
from cloud_controller.flows.sessions import proof_of
from cloud_controller.ports import NotAllowed, NotFound
from common.messages.help import (
    LINES_MAX,
    LINES_TOLD_MAX,
    HelpChosen,
    HelpHeard,
    HelpLeft,
    HelpLine,
    HelpTold,
)
from common.messages.registration import Hello
from common.rules.help import (
    GRACE_SECONDS,
    LEASE_SECONDS,
    SILENCE_SECONDS_MAX,
    WAIT_SECONDS_MAX,
    WAITING_MAX,
    CallEnd,
)
from common.rules.sessions import MomentKind
from common.topics import Channel
from tests.fakes.house import STORE, HouseInHand
from tests.flows.call_kit import Desk, Screen, a_desk, look_after, why_of


@pytest.fixture
def desk(house: HouseInHand) -> Desk:
    """Return a helper of the store who has opened his link."""
    return a_desk(house)


@pytest.fixture
def screen(house: HouseInHand) -> Screen:
    """Return a confirmed terminal with one device."""
    return Screen(house, house.confirmed("vr"))


def test_e6_only_who_has_logged_in_and_is_heard_of_is_offered(house, desk, screen):
    assert house.books.do(calls.helpers_there, STORE) == ()
    desk.costs(0)
    desk.log_in()
    screen.hear()
    (helper,) = screen.there[-1].helpers
    assert (helper.helper, helper.name, helper.title.en) == (desk.helper, "Aoi", "Controls")
    house.clock.move(LEASE_SECONDS)
    assert house.books.do(calls.helpers_there, STORE) == (), "at once, whoever looks"
    screen.hear(look_after(house))
    assert screen.there[-1].helpers == ()
    desk.stay()
    screen.hear()
    assert len(screen.there[-1].helpers) == 1
    assert [each.number for each in screen.there] == sorted({e.number for e in screen.there})


def test_a_terminal_that_comes_back_is_told_who_is_there_and_how_its_calls_stand(
    house, desk, screen
):
    desk.log_in()
    screen.choose(desk)
    desk.answer("c-1", "Hello")
    screen.hear()
    screen.there.clear(), screen.told.clear()
    hello = Hello(protocol=(1, 1), boot="b", outbox_first=2, outbox_last=1, applied_revision=0)
    screen.hear(house.take(screen.terminal, hello, Channel.HELLO))
    assert [each.helper for each in screen.there[-1].helpers] == [desk.helper]
    assert [line.text for line in screen.told[-1].lines] == ["Hello"]


def test_e4_both_sides_write_and_each_line_is_kept_once(house, desk, screen):
    desk.log_in()
    assert screen.choose(desk).state == "waiting"
    line = HelpLine(call="c-1", number=1, text="It does not start\x00", at=1)
    told = screen.say(line)
    assert told.lines[-1].own == 1
    screen.say(line)
    assert len(house.books.do(calls.talk, "c-1").lines) == 1
    desk.answer("c-1", "Which booth are you in?")
    screen.hear()
    told = screen.told[-1]
    assert told.state == "open"
    assert [(each.number, each.by, each.text) for each in told.lines] == [
        (1, "customer", "It does not start"),
        (2, "helper", "Which booth are you in?"),
    ]
    talk = house.books.do(calls.talk, "c-1")
    assert [each.text for each in talk.lines] == [each.text for each in told.lines]


def test_what_a_terminal_has_confirmed_is_told_no_more(house, desk, screen):
    desk.log_in()
    screen.choose(desk)
    for number in range(LINES_TOLD_MAX + 5):
        desk.answer("c-1", f"line {number}")
    screen.hear()
    assert len(screen.told[-1].lines) == LINES_TOLD_MAX
    more = screen.say(HelpHeard(call="c-1", number=LINES_TOLD_MAX, state="open"))
    assert more is not None
    assert [each.number for each in more.lines] == list(range(21, 26))
    assert screen.say(HelpHeard(call="c-1", number=25, state="open")) is None
    assert look_after(house) == []
    desk.answer("c-1", "one more")
    screen.told.clear()
    screen.hear(look_after(house))
    assert [each.number for each in screen.told[-1].lines] == [26], "until it is confirmed"


def test_either_side_ends_it_and_it_stays_over(house, desk, screen):
    desk.log_in()
    for call, act in {
        "c-1": lambda: screen.say(HelpLeft(call="c-1", at=1)),
        "c-2": lambda: house.books.do(
            lambda books: calls.end(books, books.help.call(call_id="c-2"), CallEnd.HELPER_ENDED)
        ),
    }.items():
        screen.choose(desk, call)
        desk.answer(call, "Hello")
        act()
        desk.answer(call, "Are you there?")
        screen.say(HelpLine(call=call, number=1, text="Yes", at=1))
        assert len(house.books.do(calls.talk, call).lines) == 1
    assert why_of(house, "c-1") == CallEnd.CUSTOMER_LEFT
    assert why_of(house, "c-2") == CallEnd.HELPER_ENDED
    assert (
        screen.say(
            HelpChosen(call="c-1", helper=desk.helper, device=screen.device, language="ja", at=1)
        ).state
        == "ended"
    ), "a call that is over is never opened again"


def test_a_helper_who_is_gone_ends_his_calls_after_his_grace_and_not_before(house, desk, screen):
    desk.log_in()
    screen.choose(desk)
    house.clock.move(LEASE_SECONDS + GRACE_SECONDS - 1)
    look_after(house)
    assert why_of(house) == "waiting"
    house.clock.move(1)
    look_after(house)
    assert why_of(house) == CallEnd.HELPER_GONE
    desk.stay()
    assert house.books.do(calls.helpers_there, STORE) == (), "who was let go logs in anew"


def test_who_logs_out_is_offered_no_more_and_leaves_nobody_waiting(house, desk, screen):
    desk.log_in()
    screen.choose(desk)
    house.books.do(calls.log_out, desk.row)
    assert why_of(house) == CallEnd.HELPER_GONE
    assert screen.choose(desk, "c-2").why == CallEnd.NOT_THERE


def test_e6_a_price_is_agreed_to_before_the_call_opens_and_kept_with_it(house, desk, screen):
    desk.costs(500)
    desk.log_in()
    assert screen.choose(desk, "c-1").why == CallEnd.PRICE_CHANGED
    assert screen.choose(desk, "c-2", price_cents=500).state == "waiting"
    assert house.books.do(calls.talk, "c-2").row["price_cents"] == 500
    desk.costs(700)
    assert house.books.do(calls.talk, "c-2").row["price_cents"] == 500, "agreed is agreed"
    assert screen.choose(desk, "c-3", price_cents=500).why == CallEnd.PRICE_CHANGED


def test_a_device_has_one_call_and_chooses_anew_at_the_price_of_the_one_before(house, desk, screen):
    other = a_desk(house, "Ren").log_in()
    desk.log_in()
    screen.choose(desk)
    screen.choose(other, "c-2")
    assert (why_of(house, "c-1"), why_of(house, "c-2")) == (CallEnd.CHOSE_ANOTHER, "waiting")


def test_a_call_that_nobody_takes_up_and_one_that_falls_silent_end_by_time(house, desk, screen):
    desk.log_in()
    screen.choose(desk)
    for _ in range(int(WAIT_SECONDS_MAX / 10)):
        house.clock.move(10)
        desk.stay()
    look_after(house)
    assert why_of(house) == CallEnd.NOT_ANSWERED
    screen.choose(desk, "c-2")
    desk.answer("c-2", "Hello")
    for _ in range(int(SILENCE_SECONDS_MAX / 10)):
        house.clock.move(10)
        desk.stay()
    look_after(house)
    assert why_of(house, "c-2") == CallEnd.SILENT


def test_no_more_wait_for_one_helper_than_he_can_answer_and_each_knows_his_place(house, desk):
    desk.log_in()
    terminal = house.confirmed(*(f"b{number}" for number in range(WAITING_MAX + 1)))
    screen = Screen(house, terminal)
    for number, device in enumerate(house.devices_of(terminal)):
        chosen = HelpChosen(
            call=f"c-{number}", helper=desk.helper, device=device, language="en", at=1
        )
        house.clock.move(0.1)
        told = screen.say(chosen)
        assert told is not None
        if number < WAITING_MAX:
            assert (told.state, told.place) == ("waiting", number)
        else:
            assert (told.state, told.why) == ("ended", CallEnd.TOO_MANY)
    screen.told.clear()
    house.books.do(calls.take_up, desk.helper, "c-0")
    screen.hear()
    places = {each.call: each.place for each in screen.told if each.state == "waiting"}
    assert places["c-1"] == 0
    assert places["c-19"] == 18


def test_a_call_has_so_many_lines_and_is_over_then(house, desk, screen):
    desk.log_in()
    screen.choose(desk)
    for number in range(LINES_MAX + 2):
        desk.answer("c-1", str(number))
    assert len(house.books.do(calls.talk, "c-1").lines) == LINES_MAX
    assert why_of(house) == CallEnd.TOO_LONG


def test_a_terminal_speaks_for_its_own_devices_and_calls_alone(house, desk, screen):
    desk.log_in()
    screen.choose(desk)
    desk.answer("c-1", "Hello")
    rogue = Screen(house, house.confirmed("x"))
    stolen = HelpChosen(call="c-9", helper=desk.helper, device=screen.device, language="ja", at=1)
    for message in (
        stolen,
        HelpLine(call="c-1", number=1, text="I am he", at=1),
        HelpHeard(call="c-1", number=1, state="open"),
        HelpLeft(call="c-1", at=1),
    ):
        assert rogue.say(message) is None
    (row,) = house.books.rows("help_calls")
    assert (row["state"], row["lines"], row["heard"]) == ("open", 1, 0)


def test_a_helper_reads_and_answers_his_own_calls_alone(house, desk, screen):
    other = a_desk(house, "Ren").log_in()
    desk.log_in()
    screen.choose(desk)
    for act in (calls.take_up, calls.note_seen):
        with pytest.raises(NotFound):
            house.books.do(act, other.helper, "c-1")
    with pytest.raises(NotFound):
        other.answer("c-1", "Hello")
    with pytest.raises(NotFound):
        desk.answer("c-none", "Hello")


def test_a_helpers_link_lets_one_browser_in_once_and_a_new_one_shuts_the_old_out(house, desk):
    with pytest.raises(NotFound):
        house.books.do(calls.enter, "0" * 32)
    made = house.books.do(calls.new_link, desk.helper, "tests")
    assert desk.row is not None, "until it is opened, whoever is known stays so"
    key = house.books.do(calls.enter, made.link)
    with pytest.raises(NotFound):
        house.books.do(calls.enter, made.link)
    assert desk.row is None
    assert house.books.do(calls.known, key)["helper_id"] == desk.helper
    house.books.do(calls.remove, desk.helper, "tests")
    assert house.books.do(calls.known, key) is None


def test_a_helper_of_another_store_is_called_here_by_nobody(house, screen):
    far = Desk(house, "h-none", "")
    assert screen.choose(far).why == CallEnd.NOT_THERE
    assert house.books.rows("help_calls") == []
    with pytest.raises(NotFound):
        house.books.do(calls.add, "Nobody", ["nowhere"], "tests")


def test_e6_a_ticket_calls_from_its_page_and_its_screen_is_told_nothing_of_it(house, desk, screen):
    desk.log_in()
    house.book(screen.device)
    link = house.books.rows("reservations")[0]["link"]
    wanted = calls.Wanted(
        call="c-t", helper=desk.helper, language="en", agreed_cents=0, agreed_currency="JPY"
    )
    house.books.do(calls.choose, link, wanted)
    house.books.do(calls.say, link, "Where do I park?")
    desk.answer("c-t", "Behind the house")
    found = house.books.do(calls.at_ticket, link)
    assert found.may_call
    assert [each.helper for each in found.helpers] == [desk.helper]
    assert [each.text for each in found.talk.lines] == ["Where do I park?", "Behind the house"]
    (customer,) = house.books.do(calls.customers_of, desk.helper)
    assert (customer.device_state, customer.unread) == ("available", 2)
    house.books.do(calls.note_seen, desk.helper, "c-t")
    house.books.do(calls.leave, link)
    assert why_of(house, "c-t") == CallEnd.CUSTOMER_LEFT
    assert not [each for each in house.books.heard() if isinstance(each, HelpTold)]
    with pytest.raises(NotFound):
        house.books.do(calls.say, "no-such-link", "x")
    house.give_up()
    with pytest.raises(NotAllowed):
        house.books.do(calls.choose, link, wanted)


def test_e6_the_timeline_of_a_use_tells_that_somebody_helped_and_for_how_long(house, desk, screen):
    desk.log_in()
    token = house.book(screen.device)
    right = house.scan(screen.terminal, screen.device, token)
    session = right.document["session"]
    screen.choose(desk, session=session)
    house.clock.move(7)
    desk.answer("c-1", "The secret of the house")
    house.clock.move(60)
    desk.stay()
    screen.say(HelpLeft(call="c-1", at=1))
    row = house.books.rows("reservations")[0]
    proof = house.books.do(proof_of, row["reservation_id"])
    told = [each for each in proof.moments if each.kind.startswith("help")]
    assert [each.kind for each in told] == [
        MomentKind.HELP_CALLED,
        MomentKind.HELP_OPENED,
        MomentKind.HELP_ENDED,
    ]
    assert [each.facts.get("seconds") for each in told] == [None, 7, 60]
    assert all("secret" not in str(each.facts) for each in told), "lines stand elsewhere"
    (talk,) = house.books.do(calls.talks_of, row["reservation_id"])
    assert (talk.row["helper_name"], [each.text for each in talk.lines]) == (
        "Aoi",
        ["The secret of the house"],
    )


def test_what_was_said_is_forgotten_after_a_quarter_and_that_it_was_said_is_not(
    house, desk, screen
):
    desk.log_in()
    screen.choose(desk)
    desk.answer("c-1", "Hello")
    screen.say(HelpLeft(call="c-1", at=1))
    house.clock.move(89 * 86_400)
    house.books.do(calls.forget_old)
    assert len(house.books.do(calls.talk, "c-1").lines) == 1
    house.clock.move(2 * 86_400)
    house.books.do(calls.forget_old)
    talk = house.books.do(calls.talk, "c-1")
    assert (talk.lines, talk.row["lines"]) == ((), 1)
