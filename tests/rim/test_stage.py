"""What stands on the screens: each change is one number, and nobody's news hides another's time."""

from __future__ import annotations

from dataclasses import replace

from common.rules.presence import LineMode
from common.rules.scanners import ScannerHint
from common.rules.sessions import EndReason
from common.rules.tickets import DenialReason
from edge_agent.display.faces import Face, Picture, Tone
from edge_agent.ports import Verdict
from tests.rim.display_kit import BOOTH, Kit, ended

OTHER = replace(BOOTH, key="booth-2", title="Booth 2", device="d-2", number=8)


def shown(kit: Kit, key: str = "booth-1") -> Picture:
    kit.stage.refresh()
    return next(each for each in kit.stage.pictures() if each.key == key)


def test_a_change_is_told_once_to_whoever_has_heard_of_those_before():
    kit = Kit([BOOTH, OTHER])
    kit.stage.refresh()
    heard = kit.stage.number
    assert len(kit.stage.pictures()) == 3
    kit.runs(600)
    assert [each.key for each in kit.stage.pictures(heard)] == ["booth-1"]
    assert kit.stage.pictures(kit.stage.number) == []


def test_nothing_new_makes_no_number():
    kit = Kit([BOOTH])
    kit.stage.refresh()
    heard = kit.stage.number
    kit.stage.refresh()
    assert kit.stage.number == heard


def test_a_verdict_on_one_device_is_shown_there_and_where_tickets_are_read():
    kit = Kit([BOOTH, OTHER])
    kit.stage.tell(Verdict(device="d-2", scan="x", reason=DenialReason.TOO_EARLY))
    assert shown(kit, "booth-2").face is shown(kit, "").face is Face.TURNED_AWAY
    assert shown(kit, "booth-1").face is Face.IDLE


def test_at_a_place_for_many_devices_a_yes_says_where_to_go():
    kit = Kit([BOOTH, OTHER])
    kit.stage.tell(Verdict(device="d-2", scan="x", reason=None))
    assert shown(kit, "").words["en"].what == "Booth 2 is open for you."
    assert shown(kit, "booth-2").words["en"].what == "Welcome"


def test_a_code_that_is_no_ticket_disturbs_nobody_who_uses_a_device():
    kit = Kit([BOOTH, OTHER])
    kit.runs(600)
    kit.stage.tell(Verdict(device=None, scan="x", reason=DenialReason.UNKNOWN_TICKET))
    assert shown(kit, "booth-1").face is Face.RUNNING
    assert shown(kit, "booth-2").face is Face.TURNED_AWAY


def test_a_reading_shows_at_once_until_its_verdict():
    kit = Kit([BOOTH])
    kit.stage.tell_reading()
    assert shown(kit).face is Face.ASKING
    kit.stage.tell(Verdict(device="d-1", scan="x", reason=None))
    assert shown(kit).face is Face.OPENED


def test_a_warning_is_shown_on_the_device_of_its_session():
    kit = Kit([BOOTH, OTHER])
    kit.runs(300)
    kit.stage.tell_warned("s-1", 300)
    assert shown(kit).tone is Tone.WARN
    assert shown(kit, "booth-2").tone is Tone.CALM


def test_a_session_that_has_ended_is_thanked_for_though_the_journal_has_forgotten_it():
    kit = Kit([BOOTH])
    kit.runs(5)
    kit.stage.tell_called("d-1")
    kit.device_is(session=None)
    kit.stage.tell_seen(ended(EndReason.TIME_UP))
    assert shown(kit).face is Face.THANKS
    assert shown(kit).note is None


def test_a_device_that_is_gone_is_shown_no_more():
    kit = Kit([BOOTH, OTHER])
    kit.stage.refresh()
    heard = kit.stage.number
    kit.devices.pop()
    kit.stage.refresh()
    assert [each.key for each in kit.stage.pictures()] == ["", "booth-1"]
    assert kit.stage.number > heard


def test_a_terminal_without_devices_shows_where_tickets_are_read():
    kit = Kit([])
    kit.stage.refresh()
    assert [each.face for each in kit.stage.pictures()] == [Face.IDLE]


def test_scanners_make_pictures_only_while_somebody_sees_them():
    """A program that draws 90 pictures a second shares its machine with nobody's camera preview."""
    kit = Kit([BOOTH])
    kit.stage.refresh()
    told = [kit.scanner.is_looked_at]
    with kit.stage.listening():
        told.append(kit.scanner.is_looked_at)
        kit.runs(600)
        told.append(kit.scanner.is_looked_at)
        kit.device_is(session=None)
        told.append(kit.scanner.is_looked_at)
        kit.scanner.sees(ScannerHint.TOO_FAR)
        assert kit.stage.scanner is not None
    told.append(kit.scanner.is_looked_at)
    assert told == [False, True, False, True, False]


def test_what_the_line_allows_is_shown_at_once():
    kit = Kit([BOOTH])
    kit.stage.tell_mode(LineMode.STOPPED)
    assert shown(kit).face is Face.CLOSED
