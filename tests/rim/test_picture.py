"""What is shown, by rule: the same facts at the same instant make the same picture."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.messages.base import Particulars
from common.rules.presence import LineMode
from common.rules.sessions import EndReason, Notice, SessionState
from common.rules.tickets import DenialReason
from common.words import LANGUAGES, Here, Said, notice_words_for, screen_words_for, words_for
from edge_agent.display.faces import (
    SIGN_OF,
    SIGN_OF_NOTICE,
    THANKS_FOR,
    Button,
    Cue,
    Face,
    Facts,
    Over,
    Picture,
    Told,
    Tone,
    Warned,
)
from edge_agent.display.picture import (
    ASKING_SECONDS,
    THANKS_SECONDS,
    TOLD_SECONDS,
    WARNING_SECONDS,
    WELCOME_SECONDS,
    picture_of,
)
from edge_agent.ports import DeviceOnScreen, NoticeShown, SessionOnScreen, Shown, Verdict

NOW = 1_000.0
HERE = Here(time_zone="Asia/Tokyo", now=1_790_000_000_000)
BOOTH = DeviceOnScreen(key="booth-1", title="Booth 1", device="d-1", number=7)
IDLE = Facts(seen=BOOTH, mode=LineMode.ASKS, serves=True)


def used(state: SessionState = SessionState.RUNNING) -> Facts:
    session = SessionOnScreen(session="s-1", state=state, ends_at=NOW + 1800, granted_seconds=3600)
    return replace(IDLE, seen=replace(BOOTH, session=session))


def told(shown: Shown) -> Told:
    return Told(shown=shown, at=NOW, moment="x-1")


def seen(facts: Facts, after: float = 0.0) -> Picture:
    return picture_of(facts, NOW + after, HERE)


def over(reason: EndReason) -> Over:
    return Over(session="s-1", reason=reason, delivered_seconds=3600.0, at=NOW)


def test_who_comes_to_a_free_device_reads_how_a_ticket_is_held():
    shown = seen(IDLE)
    assert (shown.face, shown.tone, shown.title, shown.number) == (
        Face.IDLE,
        Tone.CALM,
        "Booth 1",
        7,
    )
    assert shown.words["ja"] == screen_words_for(Said.SHOW_TICKET, "ja")
    assert (shown.countdown, shown.note, shown.buttons) == (None, None, (Button.HELP,))


def test_a_code_that_was_read_is_answered_at_once_and_never_for_ever():
    facts = replace(IDLE, asked_at=NOW)
    assert (seen(facts).face, seen(facts).cue) == (Face.ASKING, Cue.READ)
    assert seen(facts, ASKING_SECONDS).face is Face.IDLE


def test_a_yes_shows_the_countdown_behind_it_and_gives_way_to_it():
    facts = replace(used(), told=told(Verdict(device="d-1", scan="x-1", reason=None)))
    shown = seen(facts)
    assert (shown.face, shown.tone, shown.cue) == (Face.OPENED, Tone.GOOD, Cue.YES)
    assert shown.countdown is not None
    assert seen(facts, WELCOME_SECONDS).face is Face.RUNNING


@pytest.mark.parametrize("reason", DenialReason)
def test_each_no_says_why_in_every_language_with_a_colour_a_sign_and_a_sound(reason: DenialReason):
    facts = replace(IDLE, told=told(Verdict(device="d-1", scan="x-1", reason=reason)))
    shown = seen(facts)
    assert (shown.face, shown.tone) == (Face.TURNED_AWAY, SIGN_OF[reason])
    assert shown.tone in {Tone.WAIT, Tone.GO, Tone.NO}
    assert shown.cue in {Cue.WAIT, Cue.NO}
    assert shown.words == {each: words_for(reason, each, here=HERE) for each in LANGUAGES}
    assert shown.until == NOW + TOLD_SECONDS
    assert seen(facts, TOLD_SECONDS).face is Face.IDLE


def test_a_no_that_names_a_free_device_sends_there():
    reason = DenialReason.DEVICE_IN_USE
    free = Particulars(to="Booth 3", number=9)
    facts = replace(IDLE, told=told(Verdict(device="d-1", scan="x", reason=reason, told=free)))
    assert seen(facts).tone is Tone.GO
    assert "Booth 3" in seen(facts).words["en"].next


@pytest.mark.parametrize("notice", Notice)
def test_each_notice_has_its_sign(notice: Notice):
    facts = replace(IDLE, told=told(NoticeShown(device="d-1", notice=notice)))
    assert seen(facts).tone is SIGN_OF_NOTICE[notice]


@pytest.mark.parametrize(
    ("state", "face"),
    [
        (SessionState.GRANTED, Face.STARTING),
        (SessionState.STARTING, Face.STARTING),
        (SessionState.RUNNING, Face.RUNNING),
        (SessionState.ENDING, Face.FINISHING),
    ],
)
def test_a_session_is_shown_as_far_as_it_is(state: SessionState, face: Face):
    shown = seen(used(state))
    assert shown.face is face
    assert (shown.countdown is None) is (state is SessionState.ENDING)


def test_what_is_told_of_another_customer_never_hides_how_much_is_left():
    reason = DenialReason.ALREADY_USED
    facts = replace(used(), told=told(Verdict(device="d-1", scan="x-1", reason=reason)))
    assert seen(facts).face is Face.TURNED_AWAY
    assert seen(facts).countdown == seen(used()).countdown


def test_a_session_of_an_earlier_boot_has_no_countdown_that_would_lie():
    running = SessionState.RUNNING
    session = SessionOnScreen(session="s-1", state=running, ends_at=None, granted_seconds=3600)
    assert seen(replace(IDLE, seen=replace(BOOTH, session=session))).countdown is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(600, "10 minutes left"), (300, "5 minutes left"), (60, "60 seconds left")],
)
def test_a_warning_is_loud_and_says_how_little_is_left(seconds: int, said: str):
    facts = replace(used(), warned=Warned(session="s-1", seconds_left=seconds, at=NOW))
    shown = seen(facts)
    assert (shown.tone, shown.cue, shown.words["en"].what) == (Tone.WARN, Cue.WARN, said)
    assert Button.EXTEND in shown.buttons


def test_a_warning_grows_quiet_but_the_last_one():
    early = replace(used(), warned=Warned(session="s-1", seconds_left=300, at=NOW))
    last = replace(used(), warned=Warned(session="s-1", seconds_left=60, at=NOW))
    assert seen(early, WARNING_SECONDS).tone is Tone.CALM
    assert seen(early, WARNING_SECONDS).warned_seconds == 300
    assert seen(last, WARNING_SECONDS).tone is Tone.WARN


def test_nobody_is_warned_of_another_ones_end():
    facts = replace(used(), warned=Warned(session="s-0", seconds_left=60, at=NOW))
    assert seen(facts) == seen(used())


@pytest.mark.parametrize("reason", EndReason)
def test_whoever_has_gone_is_thanked_and_who_was_cut_off_is_told_of_his_money(reason: EndReason):
    facts = replace(IDLE, over=over(reason))
    shown = seen(facts)
    assert (shown.face, shown.cue, shown.delivered_seconds) == (Face.THANKS, Cue.END, 3600.0)
    assert shown.words["en"] == screen_words_for(THANKS_FOR[reason], "en")
    is_wished = reason in {EndReason.TIME_UP, EndReason.CUSTOMER_ENDED}
    assert is_wished or "get back" in shown.words["en"].next
    assert seen(facts, THANKS_SECONDS).face is Face.IDLE


def test_the_next_customers_verdict_is_not_kept_waiting_by_thanks():
    yes = told(Verdict(device="d-1", scan="x-2", reason=None))
    assert seen(replace(IDLE, over=over(EndReason.TIME_UP), told=yes)).face is Face.OPENED


def test_between_two_customers_the_state_of_the_device_is_shown():
    made_ready = replace(BOOTH, is_in_turnover=True)
    waits_for_code = replace(made_ready, takes_code=True)
    broken = replace(BOOTH, is_out_of_order=True, is_in_turnover=True)
    assert seen(replace(IDLE, seen=made_ready)).face is Face.TURNOVER
    assert Button.CONFIRM not in seen(replace(IDLE, seen=made_ready)).buttons
    assert Button.CONFIRM in seen(replace(IDLE, seen=waits_for_code)).buttons
    assert seen(replace(IDLE, seen=broken)).face is Face.OUT_OF_ORDER


@pytest.mark.parametrize(
    "closed", [replace(IDLE, serves=False), replace(IDLE, mode=LineMode.STOPPED)]
)
def test_a_terminal_that_serves_nobody_says_so(closed: Facts):
    assert seen(closed).face is Face.CLOSED


def test_a_session_goes_on_being_shown_where_nobody_else_is_served():
    assert seen(replace(used(), serves=False, mode=LineMode.STOPPED)).face is Face.RUNNING


def test_without_the_line_what_is_true_is_said_and_nothing_is_offered_that_cannot_be():
    idle, running = (replace(each, mode=LineMode.ALONE) for each in (IDLE, used()))
    assert "booked before" in (seen(idle).note or {})["en"].next
    assert "goes on to its end" in (seen(running).note or {})["en"].next
    assert seen(running).buttons == (Button.END, Button.HELP)
    assert seen(used()).buttons == (Button.EXTEND, Button.END, Button.HELP)


def test_a_call_for_help_is_told_as_sent_only_once_it_is():
    waits, is_told = (replace(used(), help_told=each) for each in (False, True))
    assert "on its way" in (seen(waits).note or {})["en"].what
    assert "has your call" in (seen(is_told).note or {})["en"].what


def test_every_picture_speaks_every_language():
    facts = [IDLE, used(), replace(IDLE, serves=False), replace(IDLE, over=over(EndReason.REBOOT))]
    assert all(set(seen(each).words) == set(LANGUAGES) for each in facts)


def test_after_a_power_cut_it_asks_for_the_ticket_again_and_counts_down_all_the_while():
    facts = used()
    assert facts.seen.session is not None
    waiting = replace(facts.seen.session, waits=True)
    shown = seen(replace(facts, seen=replace(facts.seen, session=waiting)))
    assert (shown.face, shown.tone) == (Face.IDLE, Tone.WAIT)
    assert shown.words["en"] == notice_words_for(Notice.SCAN_TO_GO_ON, "en", None)
    assert shown.buttons == (Button.END, Button.HELP)
    assert shown.countdown is not None
