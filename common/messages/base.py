"""What every message has in common: it is frozen, named, and forgives fields it does not know."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from common.ids import NAME_PATTERN

TEXT_LENGTH_MAX = 2_000
"""Characters; the longest free text a message may carry, so that none fills a page or a log."""

COMM_ID_LENGTH_MAX = 256
"""Characters; the longest communication id its parts allow."""

INSTANT_MAX = 253_402_300_799_999
"""Milliseconds; the last instant of the year 9999, which every date on a page can still show."""

COUNT_MAX = 2**62
"""The highest number of an event or a revision: it fits a column of either database."""

DEVICES_MAX = 64
"""Devices one terminal may host: more than any PC drives, few enough for one message."""

PROGRAMS_MAX = 200
"""Programs in one terminal's catalogue."""

CHOICES_MAX = 16
"""Programs one device may carry, levels one program may have, modules it may need."""

LEAD_SECONDS_MAX = 366 * 86_400
"""How long before its slot a claim may have to be made, changed or given up: a year."""

HORIZON_SECONDS_MAX = 2 * 366 * 86_400
"""How far ahead anything can be booked: two years."""

HOLD_SECONDS_MIN = 1
"""The shortest hold; a second serves tests and nobody else."""

PARTY_MAX = 1_000
"""People one claim may be for: more than any room holds."""

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Text = Annotated[str, Field(max_length=TEXT_LENGTH_MAX)]
SHORT_TEXT_MAX: Final = 200
"""Characters of a sentence that is shown."""

ShortText = Annotated[str, Field(max_length=SHORT_TEXT_MAX)]
PackageName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
PackageVersion = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]
CommIdText = Annotated[str, Field(max_length=COMM_ID_LENGTH_MAX)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Signature = Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]
Instant = Annotated[int, Field(ge=0, le=INSTANT_MAX)]
Count = Annotated[int, Field(ge=0, le=COUNT_MAX)]
Bytes = Annotated[int, Field(ge=0, le=COUNT_MAX)]
Pixels = Annotated[int, Field(ge=1, le=100_000)]
Seconds = Annotated[float, Field(ge=0, le=10_000_000)]


LANGUAGES_MAX: Final = 4
"""Languages that one thing may be described in, or one person speak; more, at their longest, would
not fit a message."""

Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class WordsTold(BaseModel):
    """What an offering is called and what it is, in one language."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: Annotated[str, Field(min_length=1, max_length=SHORT_TEXT_MAX)]
    content: Text = ""


Texts = Annotated[dict[Language, WordsTold], Field(max_length=LANGUAGES_MAX)]
"""The same in several languages; where one is missing, what is said without a language stands."""


class ClaimTerms(BaseModel):
    """Until when an offering can be booked, changed and given up, and for how many people.

    What is not said is easy on the customer. Without `grace_seconds` a claim waits for its ticket
    until its slot is over.
    """

    lead_seconds: Annotated[int, Field(ge=0, le=LEAD_SECONDS_MAX)] = 0
    horizon_seconds: Annotated[int, Field(ge=1, le=HORIZON_SECONDS_MAX)] = 60 * 86_400
    change_seconds: Annotated[int, Field(ge=0, le=LEAD_SECONDS_MAX)] = 0
    cancel_seconds: Annotated[int, Field(ge=0, le=LEAD_SECONDS_MAX)] = 0
    hold_seconds: Annotated[int, Field(ge=HOLD_SECONDS_MIN, le=86_400)] = 600
    grace_seconds: Annotated[int | None, Field(ge=0, le=86_400)] = None
    party_max: Annotated[int, Field(ge=1, le=PARTY_MAX)] = 1
    rotates_code: bool = False

    @property
    def terms(self) -> dict[str, int | None]:
        """Return each of these terms by its name, as a row has it: a flag is 0 or 1."""
        said = self.model_dump(include=set(ClaimTerms.model_fields))
        return {name: int(term) if term is not None else None for name, term in said.items()}


class Message(BaseModel):
    """One message of the protocol; `type` is its name on the wire."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]


class Particulars(Message):
    """What a verdict says in particular: when, where, how many. What is not known is left out.

    Attributes:
        opens_at: when the same scan would do.
        store_opens_at: when the store opens again, where that is too late for this ticket.
        released_at: when the reservation was given to others.
        pay_by: until when the slot is kept for whoever has not paid.
        to: title of the device to go to, with its `number`, and its `place`: where it stands.
        store: title of the store that it is for.
        free_now: devices of the offering that are free now.
    """

    opens_at: Instant | None = None
    store_opens_at: Instant | None = None
    released_at: Instant | None = None
    pay_by: Instant | None = None
    to: ShortText | None = None
    number: Annotated[int, Field(ge=1, le=65_535)] | None = None
    place: ShortText | None = None
    store: ShortText | None = None
    free_now: Annotated[int, Field(ge=0, le=65_535)] | None = None


NOTHING_IN_PARTICULAR: Final = Particulars()
"""Where a reason says all that there is to say."""
