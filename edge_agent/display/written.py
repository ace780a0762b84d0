"""A picture as the page reads it: JSON, in which an end is so many seconds from now."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from common.rules.help import CallEnd
from common.rules.scanners import ScannerHint
from common.rules.sessions import ExtensionNo
from common.words import (
    CALL_LABELS,
    LANGUAGES,
    READY_SENTENCES,
    SCREEN_LABELS,
    call_end_words_for,
    extension_words_for,
    hint_words_for,
)
from edge_agent.display.faces import Helping, InAll, Picture
from edge_agent.display.qr import rows_of
from edge_agent.flows.help import Call
from edge_agent.ports import ExtensionOffered, ScannerSeen


def event(name: str, body: Mapping[str, Any], number: str = "") -> bytes:
    """Return one server-sent event; `number` is where whoever has heard it goes on from."""
    head = f"id: {number}\n" if number else ""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return f"{head}event: {name}\ndata: {text}\n\n".encode()


def of_page(build: str, language: str, phone: str, *, has_sound: bool) -> dict[str, Any]:
    """Return what a page must know before all else; another `build` has it load itself anew."""
    return {
        "build": build,
        "language": language,
        "phone": phone,
        "sound": has_sound,
        "labels": {of: SCREEN_LABELS[of] | CALL_LABELS[of] for of in LANGUAGES},
        "ready": READY_SENTENCES,
    }


def of_picture(picture: Picture, now: float, *, has_call: bool = True) -> dict[str, Any]:
    """Return a picture at `now`, in seconds since boot: what is left is counted from there.

    What a customer writes is for the page of his own device: another's is told without `has_call`.
    """
    countdown = picture.countdown
    return {
        "key": picture.key,
        "title": picture.title,
        "number": picture.number,
        "face": picture.face,
        "tone": picture.tone,
        "words": of_words(picture.words),
        "note": of_words(picture.note),
        "cue": picture.cue,
        "moment": picture.moment,
        "session": None if countdown is None else countdown.session,
        "left_seconds": None if countdown is None else max(0.0, countdown.ends_at - now),
        "of_seconds": None if countdown is None else countdown.of_seconds,
        "warned_seconds": picture.warned_seconds,
        "message": picture.message,
        "delivered_seconds": picture.delivered_seconds,
        "buttons": picture.buttons,
        "around": asdict(picture.around),
        "helping": of_helping(picture.helping, has_call=has_call),
    }


def of_helping(helping: Helping, *, has_call: bool) -> dict[str, Any]:
    """Return who can be written with, and what is written."""
    call = helping.call
    return {
        "helpers": [each.model_dump() for each in helping.helpers],
        "is_reached": helping.is_reached,
        "call": _of_call(call) if call is not None and has_call else None,
    }


def of_end(why: CallEnd) -> dict[str, Any]:
    """Return why a call is over, in each language."""
    return {language: asdict(call_end_words_for(why, language)) for language in LANGUAGES}


def _of_call(call: Call) -> dict[str, Any]:
    known = call.why if call.why in set(CallEnd) else CallEnd.HELPER_ENDED
    return asdict(call) | {"over": of_end(CallEnd(known)) if call.state == "ended" else None}


def of_left(pictures: Iterable[Picture], now: float) -> dict[str, Any]:
    """Return what is left of each session, by which a page corrects its own counting."""
    ends = {each.key: each.countdown.ends_at for each in pictures if each.countdown is not None}
    return {"left_seconds": {key: max(0.0, end - now) for key, end in ends.items()}}


def of_scanner(seen: ScannerSeen | None) -> dict[str, Any]:
    """Return what a scanner sees; where nothing is the matter there are no words."""
    if seen is None:
        return {"hint": ScannerHint.NOTHING, "words": None, "picture": ""}
    hint = seen.hint
    words = None
    if hint not in {ScannerHint.NOTHING, ScannerHint.READS}:
        words = of_words({language: hint_words_for(hint, language) for language in LANGUAGES})
    picture = base64.b64encode(seen.picture or b"").decode("ascii")
    return {"hint": hint, "words": words, "picture": picture}


def of_words(words: InAll | None) -> dict[str, Any] | None:
    """Return words in each language."""
    return None if words is None else {language: asdict(said) for language, said in words.items()}


def of_offer(offer: ExtensionOffered) -> dict[str, Any]:
    """Return how much longer it can be and what ends it then, or why it cannot be."""
    why = offer.refused or (None if offer.choices else offer.bound or ExtensionNo.NOT_ALLOWED)
    return {
        "choices": [{**asdict(choice), "currency": offer.currency} for choice in offer.choices],
        "longest_seconds": offer.longest_seconds,
        "bound": None if offer.bound is None else of_no(offer.bound),
        "words": None if why is None else of_no(why),
        "pay": rows_of(offer.pay_url or ""),
        "pay_words": of_no(ExtensionNo.NOT_PAID) if offer.pay_url else None,
    }


def of_no(why: ExtensionNo) -> dict[str, Any]:
    """Return why there is no more time, in each language."""
    return {language: asdict(extension_words_for(why, language)) for language in LANGUAGES}
