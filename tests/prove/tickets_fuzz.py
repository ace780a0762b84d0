"""One execution of the ticket fuzz: bytes become a text, the text is read and its seal checked.

The law: what is accepted is, to the letter, a token that a key of ours signed; and whatever comes,
nothing is raised but `TokenIsMalformed`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final, TypeAlias

from common import seals
from common.errors import TokenIsMalformed
from common.seals import ReadToken
from tests.rim import rsb1_reference as reference

LETTERS: Final = reference.LETTERS
RAW_UP_TO: Final = 64
"""First bytes below this: the rest is the text itself, as a scanner would give it."""

Reads: TypeAlias = Callable[[str], ReadToken]
Believes: TypeAlias = Callable[[ReadToken, Mapping[int, Any]], bool]


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """Tokens that were signed, and the keys that signed them."""

    texts: tuple[str, ...]
    signed: frozenset[str]
    keys: Mapping[int, Any]


def vectors() -> Vectors:
    """Return the golden vectors, read once."""
    lines = [json.loads(line) for line in reference.VECTORS.read_text().splitlines()]
    texts = tuple(line["text"] for line in lines if line["kind"] == "good")
    public = lines[0]["public"]
    keys = {int(key): seals.verifying_key(bytes.fromhex(raw)) for key, raw in public.items()}
    return Vectors(texts=texts, signed=frozenset(texts), keys=keys)


@dataclass
class Tally:
    """What came of the executions so far."""

    executions: int = 0
    well_formed: int = 0
    accepted: int = 0
    violations: list[str] = field(default_factory=list)


class Fuzz:
    """Executes, counts, and keeps what breaks the law."""

    def __init__(
        self,
        given: Vectors,
        *,
        read: Reads = seals.read_token,
        believe: Believes = seals.token_is_ours,
    ) -> None:
        """Take the reader and the check that are tried: ours, or a broken variant of them."""
        self.tally = Tally()
        self._given = given
        self._read = read
        self._believe = believe

    def __call__(self, raw: bytes) -> None:
        """Execute once."""
        tally = self.tally
        tally.executions += 1
        text = self.text_of(raw)
        try:
            read = self._read(text)
            tally.well_formed += 1
            if self._believe(read, self._given.keys):
                tally.accepted += 1
                if text not in self._given.signed:
                    tally.violations.append(f"accepted, and no key signed it: {text!r}")
        except TokenIsMalformed:
            return
        except Exception as fault:  # noqa: BLE001 - whatever it is, that is what is looked for
            tally.violations.append(f"{type(fault).__name__} of {text!r}: {fault}")

    def text_of(self, raw: bytes) -> str:
        """Return what is read: the bytes themselves, or a signed token and what they do to it.

        Of an edit, three bytes say what, where, and with which letter.
        """
        if not raw or raw[0] < RAW_UP_TO:
            return raw[1:].decode("latin-1")
        texts = self._given.texts
        text = texts[(raw[0] << 8 | raw[1] if len(raw) > 1 else 0) % len(texts)]
        for at in range(2, len(raw) - 2, 3):
            text = self._edited(text, raw[at], raw[at + 1], raw[at + 2])
        return text

    def _edited(self, text: str, what: int, place: int, letter: int) -> str:
        kind, place = what & 7, place % (len(text) + 1)
        if kind < 4:
            return text[:place] + LETTERS[letter & 31] + text[place + 1 :]
        if kind == 4:
            other = self._given.texts[letter % len(self._given.texts)]
            return text[:place] + other[place:]
        if kind == 5:
            return text[:place] + chr(letter) + text[place + 1 :]
        if kind == 6:
            return text[:place] + text[place + 1 :]
        return text[:place] + LETTERS[letter & 31] + text[place:]


def seeds(given: Vectors) -> Iterator[bytes]:
    """Yield what a corpus begins with: tokens as they are, and tokens with one edit."""
    for number, text in enumerate(given.texts[:64]):
        yield b"\x00" + text.encode()
        yield bytes((64 + number, number, number & 7, 5 + number, number))


def drawn(dice: Random) -> bytes:
    """Return bytes for one execution, without a fuzzer: for the short run of the tests."""
    if dice.random() < 0.2:
        return b"\x00" + dice.randbytes(dice.choice((0, 3, 143, 144, 145, 600)))
    return bytes((dice.randrange(64, 256), dice.randrange(256))) + dice.randbytes(
        3 * dice.randint(1, 3)
    )


# --- Broken variants: a fuzz that does not find these is worth nothing ---------------------------


def _reads_lower_case(text: str) -> ReadToken:
    return seals.read_token(text.upper())


def _forgives_the_last_bits(text: str) -> ReadToken:
    if len(text) == seals.TOKEN_LENGTH and text[-1] in LETTERS:
        text = text[:-1] + LETTERS[LETTERS.index(text[-1]) & 0x10]
    return seals.read_token(text)


def _lets_a_key_fault_through(text: str) -> ReadToken:
    dict.fromkeys(LETTERS)[text[-1]]  # of an empty text, and of a strange letter
    return seals.read_token(text)


def _ignores_the_flags(read: ReadToken, keys: Mapping[int, Any]) -> bool:
    flagless = replace(read, body=read.body[:-1] + b"\x00")
    return seals.token_is_ours(read, keys) or seals.token_is_ours(flagless, keys)


def _believes_half_a_signature(read: ReadToken, keys: Mapping[int, Any]) -> bool:
    return read.token.key_id in keys and read.signature[:2] in _FIRST_HALVES


_FIRST_HALVES: Final = frozenset(seals.read_token(t).signature[:2] for t in vectors().texts)

VARIANTS: Final[Mapping[str, tuple[Reads, Believes]]] = {
    "lower case is read": (_reads_lower_case, seals.token_is_ours),
    "the last bits are forgiven": (_forgives_the_last_bits, seals.token_is_ours),
    "a strange letter is a key fault": (_lets_a_key_fault_through, seals.token_is_ours),
    "the flags are not signed": (seals.read_token, _ignores_the_flags),
    "half a signature is enough": (seals.read_token, _believes_half_a_signature),
}
VARIANT_EXECUTIONS_MAX: Final = 60_000


def variant_found(name: str, given: Vectors, seed: int) -> Tally:
    """Return what is found of a broken variant, up to its first fault."""
    read, believe = VARIANTS[name]
    fuzz = Fuzz(given, read=read, believe=believe)
    dice = Random(seed)
    while not fuzz.tally.violations and fuzz.tally.executions < VARIANT_EXECUTIONS_MAX:
        fuzz(drawn(dice))
    return fuzz.tally
