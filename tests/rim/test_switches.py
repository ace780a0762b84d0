"""A lamp on a real broker is what it should be: told, heard, told again, or told of."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from common.rules.actions import Kind, Level, Standing, Trouble, When
from common.rules.enrolment import Ladder
from common.switches import MqttSwitch, SwitchBroker, read_status
from tests.rim.broker_kit import Papers
from tests.rim.lamp_kit import Lamp, lamp_switch, moving, store_broker
from tests.waiting import until


async def test_a_lamp_is_on_for_a_session_and_put_off_again_whoever_turns_it_by_hand(tmp_path):
    with store_broker(tmp_path) as broker:
        async with Lamp(broker) as lamp, moving(broker.settings(), lamp_switch()) as moved:
            moved.becomes("available")
            await until(lambda: moved.standing() is Standing.CONFIRMED)
            moved.becomes("preparing")
            await until(lambda: lamp.is_on)
            await until(lambda: moved.standing() is Standing.CONFIRMED)
            moved.becomes("available")
            await until(lambda: not lamp.is_on)
            lamp.turn_by_hand(on=True)
            await until(lambda: moved.standing() is Standing.ASKED)
            await until(lambda: not lamp.is_on)
            await until(lambda: moved.standing() is Standing.CONFIRMED)
            await until(lambda: moved.shelf.noted)
    assert set(moved.shelf.standings()) == {Standing.CONFIRMED}


@pytest.mark.parametrize(
    ("mood", "trouble"),
    [
        ("ignores", Trouble.NO_ANSWER),
        ("lies", Trouble.CONTRADICTS),
        ("babbles", Trouble.UNREADABLE),
    ],
)
async def test_a_lamp_that_does_not_obey_is_a_problem_until_it_does(tmp_path, mood, trouble):
    switch = lamp_switch(answer_seconds=0.1, again_seconds=0.1)
    with store_broker(tmp_path) as broker:
        async with Lamp(broker) as lamp, moving(broker.settings(), switch) as moved:
            lamp.mood = mood
            moved.becomes("in_use")
            await until(lambda: moved.shelf.noted)
            assert [(seen.wanted, seen.standing, seen.trouble) for seen in moved.shelf.noted] == [
                (Level.ON, Standing.UNANSWERED, trouble)
            ]
            lamp.mood = "obeys"
            await until(lambda: lamp.is_on and len(moved.shelf.noted) == 2)
            assert moved.shelf.noted[1].standing is Standing.CONFIRMED
            assert moved.shelf.noted[1].trouble is None


async def test_a_lamp_that_is_unplugged_is_missed_although_it_last_said_that_all_is_well(tmp_path):
    switch = lamp_switch(answer_seconds=0.1, again_seconds=0.1)
    silent = lamp_switch(switch="silent", status_topic="", answer_seconds=0.1, again_seconds=0.1)
    with store_broker(tmp_path) as broker:
        async with Lamp(broker) as lamp, moving(broker.settings(), switch, silent) as moved:
            moved.becomes("in_use")
            await until(lambda: moved.standing() is Standing.CONFIRMED)
            await until(lambda: moved.standing("silent") is Standing.CONFIRMED)
            await lamp.unplug()
            await until(lambda: moved.standing() is Standing.UNANSWERED)
            await until(lambda: moved.standing("silent") is Standing.UNANSWERED)
            await until(lambda: len(moved.shelf.noted) == 4)
            last = {seen.switch: seen.trouble for seen in moved.shelf.noted}
            assert last == {"lamp": Trouble.NOBODY_LISTENS, "silent": Trouble.NOBODY_LISTENS}
            await lamp.plug_in()
            await until(lambda: moved.standing() is Standing.CONFIRMED)
            await until(lambda: lamp.is_on)


async def test_switches_are_told_at_once_when_their_broker_is_back(tmp_path):
    switch = lamp_switch(again_seconds=60.0)
    with store_broker(tmp_path) as broker:
        async with Lamp(broker) as lamp, moving(broker.settings(), switch) as moved:
            moved.becomes("available")
            await until(lambda: moved.standing() is Standing.CONFIRMED)
            broker.kill()
            moved.becomes("in_use")
            await until(lambda: moved.standing() is Standing.ASKED)
            lamp.turn_by_hand(on=False)
            broker.start()
            await until(lambda: lamp.is_on)
            await until(lambda: moved.standing() is Standing.CONFIRMED)


async def test_a_broker_that_does_not_know_us_is_named_as_the_cause(tmp_path):
    with store_broker(tmp_path) as broker:
        strange = broker.settings(user="burglar")
        switch = lamp_switch(answer_seconds=0.1, again_seconds=0.1)
        async with moving(strange, switch) as moved:
            moved.becomes("in_use")
            await until(lambda: moved.shelf.noted)
            assert moved.shelf.noted[0].trouble is Trouble.BROKER_REFUSES


async def test_a_broker_is_spoken_to_over_tls_and_believed_only_by_its_certificate(tmp_path):
    papers = Papers(tmp_path, Ladder.PASSWORD)
    shown = papers.files
    lines = (f"certfile {shown.certificate}", f"keyfile {shown.key}")
    switch = lamp_switch(status_topic="", answer_seconds=0.1, again_seconds=0.1)
    with store_broker(tmp_path, *lines) as broker:
        trusted = broker.settings(tls=True, authority=shown.authority)
        async with moving(trusted, switch) as moved:
            moved.becomes("in_use")
            await until(lambda: moved.shelf.noted)
            assert moved.shelf.noted[0].trouble is Trouble.NOBODY_LISTENS
        async with moving(broker.settings(tls=True), switch) as moved:
            moved.becomes("in_use")
            await until(lambda: moved.shelf.noted)
            assert moved.shelf.noted[0].trouble is Trouble.BROKER_AWAY


async def test_a_door_opens_once_a_session_and_is_shut_when_its_time_is_over(tmp_path):
    door = lamp_switch(kind=Kind.PULSE, after_seconds=0.4, again_seconds=60.0)
    with store_broker(tmp_path) as broker:
        async with Lamp(broker) as lock, moving(broker.settings(), door) as moved:
            moved.becomes("available")
            await until(lambda: lock.told == ["OFF"])
            moved.becomes("preparing", session="s-1")
            await until(lambda: lock.told == ["OFF", "ON"])
            moved.becomes("in_use", session="s-1")
            await until(lambda: lock.told == ["OFF", "ON", "OFF"])
            moved.becomes("preparing", session="s-2", place="booth-2")
            await until(lambda: lock.told == ["OFF", "ON", "OFF", "ON"])
            await until(lambda: not lock.is_on)


async def test_a_door_waits_for_a_broker_that_is_soon_back_and_opens_then(tmp_path):
    door = lamp_switch(kind=Kind.PULSE, payload_off="", status_topic="")
    with store_broker(tmp_path) as broker:
        async with Lamp(broker) as lock, moving(broker.settings(), door) as moved:
            broker.kill()
            moved.becomes("preparing")
            await until(lambda: moved.shelf.pulses)
            broker.start()
            await until(lambda: lock.told)
            await until(lambda: moved.standing() is Standing.CONFIRMED)
            assert lock.told == ["ON"]


async def test_a_lamp_that_speaks_only_of_changes_is_believed_what_it_last_said(tmp_path):
    switch = lamp_switch(speaks_on_change_only=True, status_pointer="/power/state")
    with store_broker(tmp_path) as broker:
        async with Lamp(broker) as lamp, moving(broker.settings(), switch) as moved:
            lamp.speaks_json = True
            moved.becomes("in_use")
            await until(lambda: moved.standing() is Standing.CONFIRMED)
            lamp.mood = "keeps silent"
            before = len(lamp.told)
            await until(lambda: len(lamp.told) > before + 2)
            assert moved.standing() is not Standing.UNANSWERED
            assert moved.shelf.standings() == [Standing.CONFIRMED]


@pytest.mark.parametrize(
    ("pointer", "words", "payload", "level"),
    [
        ("", ("ON", "OFF"), b" ON\n", Level.ON),
        ("", ("ON", "OFF"), b"on", None),
        ("/state", ("ON", "OFF"), b'{"state": "OFF", "linkquality": 90}', Level.OFF),
        ("/output", ("true", "false"), b'{"id": 0, "output": true}', Level.ON),
        ("/lights/0/ison", ("true", "false"), b'{"lights": [{"ison": false}]}', Level.OFF),
        ("/a~1b/~0", ("1", "0"), b'{"a/b": {"~": 1}}', Level.ON),
        ("/state", ("ON", "OFF"), b"ON", None),
        ("/state", ("ON", "OFF"), b'["ON"]', None),
        ("/state", ("ON", "OFF"), b"[" * 10_000, None),
        ("/state/0", ("O", "F"), b'{"state": 7}', None),
        ("/x", ("ON", "OFF"), b"\xff\xfe", None),
        ("", ("ON", "OFF"), b"ON" + b" " * 20_000, None),
    ],
)
def test_a_status_is_read_as_its_firmware_writes_it_or_not_at_all(pointer, words, payload, level):
    switch = lamp_switch(status_pointer=pointer, status_on=words[0], status_off=words[1])
    read, heard = read_status(switch, payload)
    assert read is level
    assert heard.isprintable()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"topic": "lamps/+/set"}, "leave out"),
        ({"topic": "$SYS/x"}, "leave out"),
        ({"topic": "rusuban/v1/t-1/service/down/desired"}, "own topics"),
        ({"topic": ""}, "`topic`"),
        ({"payload_off": ""}, "only a pulse"),
        ({"kind": "pulse", "after_seconds": 0}, "after_seconds"),
        ({"kind": "pulse", "after_seconds": 5, "when": "available"}, "a pulse is for"),
        ({"status_on": "OFF"}, "same word"),
        ({"status_pointer": "state"}, "pattern"),
    ],
)
def test_settings_that_make_no_switch_are_refused_in_a_sentence(wrong, why):
    with pytest.raises(ValidationError, match=why):
        lamp_switch(**wrong)


def test_a_password_in_the_clear_has_to_be_asked_for():
    assert SwitchBroker(host="hub.lan").tls
    assert isinstance(lamp_switch(when=When.PRESENCE_HERE), MqttSwitch)
    with pytest.raises(ValidationError, match="come together"):
        SwitchBroker(host="hub.lan", user="switches")
