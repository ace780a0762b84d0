"""Pictures and words of offerings: who says them, what is kept, and whose stand (E1)."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cloud_controller.flows import offerings
from cloud_controller.flows.offerings import telling
from cloud_controller.ports import NotAllowed, NotFound
from common.codec import Envelope, write
from common.messages.base import LANGUAGES_MAX
from common.messages.offerings import (
    LENGTHS_MAX,
    PICTURE_BYTES_MAX,
    PICTURES_MAX,
    OfferingPictured,
    OfferingRegistered,
    OfferingSaid,
    PictureNamed,
)
from common.messages.service import ServiceProfile
from common.pictures import drawn_small
from common.rules.offerings import PICTURES_OF_STORE_MAX
from common.topics import Channel
from edge_agent.drafts import drafts_of
from edge_agent.flows import offerings as offering
from edge_agent.settings import DeviceSettings
from tests.fakes.house import STORE, HouseInHand, an_offer

SAID = OfferingSaid(title="VR Palace", price_cents=2000, lengths_seconds=(3600,))


def told(body: bytes, digest: str | None = None) -> OfferingPictured:
    return OfferingPictured(
        sha256=digest or sha256(body).hexdigest(), body=b64encode(body).decode()
    )


def small(shade: int = 0) -> bytes:
    """Return a picture of one shade, which is the head and a little more."""
    body = b"RIFF____WEBPVP8X____" + b"\0" * 4 + b"\x0f\0\0" * 2
    return body + shade.to_bytes(2, "big")


def shown(house: HouseInHand) -> Any:
    return next(iter(house.books.do(offerings.front)), None)


def named(*bodies: bytes) -> tuple[PictureNamed, ...]:
    return tuple(
        PictureNamed(sha256=sha256(body).hexdigest(), alt={"en": "A sky"}) for body in bodies
    )


def settings(folder: Path, *, picture: str = "booth.png") -> DeviceSettings:
    """Return a device whose offering has words in two languages, and a picture."""
    return DeviceSettings.model_validate(
        {
            "key": "vr",
            "title": "Booth vr",
            "program": "game",
            "offering": {
                "key": "vr",
                "title": "VR Arena",
                "texts": [{"language": "ja", "title": "VRアリーナ", "content": "空を飛ぶ"}],
                "pictures": [{"file": folder / picture, "alt": {"en": "A sky"}}],
            },
        }
    )


def test_e1_a_terminal_tells_its_words_and_each_picture_once(house: HouseInHand, tmp_path: Path):
    terminal = house.confirmed("vr")
    Image.new("RGB", (60, 40), "navy").save(tmp_path / "booth.png")
    drafts = drafts_of([settings(tmp_path)], tmp_path / "kept")
    profile = ServiceProfile.model_validate_json(
        terminal.do(lambda journal: journal.rows.profile())["body"]
    )
    for _ in range(2):
        terminal.do(offering.offer, profile, drafts)
    events = ["offering.registered", "offering.on"]
    assert terminal.told_types() == ["offering.pictured", *events, *events]
    house.tell_all(terminal)
    found = shown(house)
    assert found.words("ja") == offerings.Words(title="VRアリーナ", content="空を飛ぶ")
    (picture,) = found.pictures
    body = house.books.do(offerings.picture, picture.sha256)
    assert body == drawn_small((tmp_path / "booth.png").read_bytes())
    assert drafts_of([settings(tmp_path)], tmp_path / "kept") == drafts, "it was drawn once"
    terminal.do(offering.offer, profile, {})
    terminal.do(offering.offer, profile, drafts)
    assert terminal.told_types().count("offering.pictured") == 1, "it was offered no more, and is"


def test_e1_the_longest_words_and_the_largest_picture_fit_a_message():
    codes = [f"a{letter}" for letter in "abcd"[:LANGUAGES_MAX]]
    words = {"title": "\N{GRINNING FACE}" * 200, "content": "\N{GRINNING FACE}" * 2_000}
    picture = {"sha256": "a" * 64, "alt": dict.fromkeys(codes, words["title"])}
    longest = OfferingRegistered.model_validate(
        {
            **words,
            "key": "k" * 64,
            "device": "d" * 64,
            "texts": dict.fromkeys(codes, words),
            "pictures": [picture] * PICTURES_MAX,
            "lengths_seconds": range(2**24 - LENGTHS_MAX, 2**24),
        }
    )
    largest = told(b"\0" * PICTURE_BYTES_MAX)
    for message in (longest, largest):
        write(Envelope(id="m" * 64, terminal="t" * 64, epoch="e" * 32, sent_at=1, message=message))


def test_e1_a_picture_that_cannot_be_read_is_left_out(tmp_path: Path):
    (tmp_path / "words.txt").write_text("no picture")
    for name in ("none.png", "words.txt"):
        draft = drafts_of([settings(tmp_path, picture=name)], tmp_path / "kept")["vr"]
        assert (draft["title"], draft["pictures"]) == ("VR Arena", [])


def test_e1_what_is_no_picture_is_not_kept_and_not_shown(house: HouseInHand):
    terminal = house.confirmed("vr")
    script = b"<svg><script>alert(1)</script></svg>"
    messages = [
        told(script),
        told(small(), sha256(script).hexdigest()),
        OfferingPictured(sha256="a" * 64, body="?"),
    ]
    for seq, message in enumerate(messages, start=1):
        house.take(terminal, message, Channel.EVENTS, seq)
    assert house.books.rows("offering_pictures") == []
    registered, _ = an_offer(house.devices_of(terminal)[0])
    naming = registered.model_copy(update={"pictures": named(script)})
    house.take(terminal, naming, Channel.EVENTS, 4)
    assert shown(house).pictures == ()


def test_e1_a_store_has_so_many_pictures_and_those_that_nobody_names_make_way(house: HouseInHand):
    house.confirmed("vr")
    kept = house.books.do(offerings.add_picture, STORE, small(), "tests")
    house.books.do(offerings.say, STORE, "vr", replaced(pictures=named(small())), "tests")
    for shade in range(1, PICTURES_OF_STORE_MAX + 1):
        house.clock.now += 1
        house.books.do(offerings.add_picture, STORE, small(shade), "tests")
    left = {row["sha256"] for row in house.books.rows("offering_pictures")}
    assert len(left) < PICTURES_OF_STORE_MAX
    assert kept in left, "an offering names it"
    assert sha256(small(1)).hexdigest() not in left
    assert sha256(small(PICTURES_OF_STORE_MAX)).hexdigest() in left


def replaced(**more: object) -> OfferingSaid:
    return SAID.model_copy(update=more)


def test_e1_an_operators_words_stand_before_a_terminals_until_he_gives_them_back(
    house: HouseInHand,
):
    terminal = house.confirmed("vr")
    (device,) = house.devices_of(terminal)
    registered, _ = an_offer(device)
    said = house.books.do(offerings.say, STORE, "vr", SAID, "tests")
    house.take(terminal, registered, Channel.EVENTS, 1)
    assert (shown(house).title, shown(house).price_cents) == ("VR Palace", 2000)
    assert said.offering == shown(house).offering
    given = house.books.do(offerings.hand_back, STORE, "vr", "tests")
    assert (given.teller, given.said.title) == (offerings.Teller.TERMINAL, "VR Palace")
    house.take(terminal, registered, Channel.EVENTS, 2)
    assert shown(house).title == "VR Arena"
    acts = [row["act"] for row in house.books.rows("audit")]
    assert acts[-2:] == ["offering.say", "offering.hand_back"]


def test_e1_what_an_operator_registers_is_on_no_page_before_a_terminal_serves_it(
    house: HouseInHand,
):
    terminal = house.confirmed("vr")
    (device,) = house.devices_of(terminal)
    said = house.books.do(offerings.say, STORE, "karaoke", SAID, "tests")
    assert said.devices == ()
    assert [each.key for each in house.books.do(offerings.front)] == ["vr"]
    for seq, message in enumerate(an_offer(device), start=1):
        house.take(terminal, message.model_copy(update={"key": "karaoke"}), Channel.EVENTS, seq)
    assert [each.title for each in house.books.do(offerings.front)] == ["VR Palace"]
    listed = house.books.do(offerings.registered, STORE)
    assert [(each.key, len(each.devices)) for each in listed] == [("karaoke", 1), ("vr", 0)]


def test_e1_a_terminal_registers_no_more_than_a_store_may_have(
    house: HouseInHand, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(telling, "OFFERINGS_MAX", 3)
    terminal = house.confirmed("vr")
    registered, _ = an_offer(house.devices_of(terminal)[0])
    for seq in range(1, 6):
        another = registered.model_copy(update={"key": f"k-{seq}"})
        house.take(terminal, another, Channel.EVENTS, seq)
    keys = [row["key"] for row in house.books.rows("offerings")]
    assert sorted(keys) == ["k-1", "k-2", "vr"]
    renamed = registered.model_copy(update={"title": "VR Palace"})
    house.take(terminal, renamed, Channel.EVENTS, 6)
    assert shown(house).title == "VR Palace", "what it has it can say anew"


def test_e1_an_operator_names_only_what_there_is(house: HouseInHand):
    wanted = replaced(pictures=named(small()))
    with pytest.raises(NotAllowed):
        house.books.do(offerings.say, STORE, "vr", wanted, "tests")
    with pytest.raises(NotAllowed):
        house.books.do(offerings.add_picture, STORE, b"<svg/>", "tests")
    for call in (
        lambda books: offerings.say(books, "nowhere", "vr", SAID, "tests"),
        lambda books: offerings.add_picture(books, "nowhere", small(), "tests"),
        lambda books: offerings.registered(books, "nowhere"),
        lambda books: offerings.hand_back(books, STORE, "vr", "tests"),
        lambda books: offerings.picture(books, "a" * 64),
    ):
        with pytest.raises(NotFound):
            house.books.do(call)
