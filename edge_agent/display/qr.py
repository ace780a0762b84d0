"""An address as a code for the customer's phone, as rows of 0 and 1 that the page draws."""

from __future__ import annotations

from typing import Final

import qrcode

BORDER_CELLS: Final = 4
"""The quiet zone that readers need, in cells."""

CHARACTERS_MAX: Final = 500
"""Of an address; a longer one makes a code too fine to be read from a screen."""


def rows_of(text: str) -> list[str]:
    """Return the rows of a text's code, quiet zone included; none where the text is too long."""
    if not 0 < len(text) <= CHARACTERS_MAX:
        return []
    code = qrcode.QRCode(border=BORDER_CELLS, error_correction=qrcode.ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    return ["".join("1" if cell else "0" for cell in row) for row in code.get_matrix()]
