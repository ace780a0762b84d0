"""How often one peer, and all together, may call: each pace with its reason."""

from __future__ import annotations

from typing import Final

ENROLMENTS_A_MINUTE: Final = 10
"""A person who types a code needs a few; behind a proxy all PCs of a chain are one peer."""

ENROLMENTS_A_MINUTE_IN_ALL: Final = 600
"""A code has 49 bits and lives fifteen minutes: 9 000 guesses from everywhere never meet one. With
fewer, six outsiders who guess would let nobody enrol."""

RENEWALS_A_MINUTE: Final = 120
"""Behind a proxy a thousand terminals are one peer; checking so many signatures takes 12 ms."""

PAPERS_A_MINUTE: Final = 60
"""A print takes some 10 ms of a processor; a family of tickets is printed at once."""

FINDS_A_MINUTE: Final = 5
"""A person mistypes an address twice; who tries many addresses is not a person."""

FINDS_A_MINUTE_IN_ALL: Final = 120
"""Each is a row and perhaps a letter: no crowd of callers makes us a source of mail."""

BOOKINGS_A_MINUTE: Final = 600
"""From one peer: behind a proxy all customers of a chain are one, and so many is a rush."""

QUOTES_A_MINUTE: Final = 60
QUOTES_A_MINUTE_IN_ALL: Final = 3_000
"""A quote says whether a voucher's code is one: 58 bits are not guessed at this pace."""

LETTERS_A_MINUTE: Final = 10
"""Each writes to an address that a caller names; behind a proxy all customers are one peer."""

PHOTOS_A_MINUTE: Final = 30
PHOTOS_A_MINUTE_IN_ALL: Final = 300
"""A photo takes up to a second of a processor; the cleaners of a chain may be one peer."""

CHANGES_A_MINUTE: Final = 30
"""Each writes a letter; a person changes his mind less often."""

LINES_A_MINUTE: Final = 240
"""From one peer: behind a proxy the customers of a store are one, and each types a dozen lines."""

HERE_A_MINUTE: Final = 600
"""A helper's page says it twelve times a minute: fifty of them in one office are one peer."""

ENTRIES_A_MINUTE: Final = 30
"""A helper opens his link once; 128 bits are not guessed at this pace."""
