"""Draw a ticket's QR: always dark on light, always the same size, so that every reader takes it."""

from __future__ import annotations

import io
import itertools
from typing import Final

from PIL import Image
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode
from qrcode.util import MODE_ALPHA_NUM, QRData

from common.rules.tickets import SHOWN_LENGTH
from common.seals import TOKEN_LENGTH

QR_VERSION: Final = 6
"""41 modules a side; holds 154 letters at error correction M."""

QUIET_MODULES: Final = 4
"""Light modules on each side; what ISO/IEC 18004 asks for."""

QR_MODULES: Final = 17 + 4 * QR_VERSION + 2 * QUIET_MODULES
"""Modules on each side of the picture, the quiet zone included."""

MODULE_PIXELS_MAX: Final = 40
"""Pixels; 40 make a picture of 1 960, enough to print a ticket at the width of a page."""

_MASK = 0
"""A token is as good as random: no mask suits it better, and trying all eight takes five times
as long."""

_DARK = 0
_LIGHT = 255


def ticket_png(token: str, *, module_pixels: int) -> bytes:
    """Return the ticket's QR as a PNG, `module_pixels` to a module, quiet zone included."""
    assert 1 <= module_pixels <= MODULE_PIXELS_MAX
    modules = bytes(_DARK if dark else _LIGHT for dark in itertools.chain(*_matrix(token)))
    side = QR_MODULES * module_pixels
    picture = Image.frombytes("L", (QR_MODULES, QR_MODULES), modules)
    file = io.BytesIO()
    picture.resize((side, side), Image.Resampling.NEAREST).convert("1").save(file, "PNG")
    return file.getvalue()


def ticket_rows(token: str) -> list[list[tuple[int, int]]]:
    """Return each row of the ticket's QR as runs of dark modules: (column, length)."""
    return [_dark_runs(line) for line in _matrix(token)]


def ticket_svg(token: str) -> str:
    """Return the ticket's QR as an SVG on its own light ground, quiet zone included."""
    return _svg(_matrix(token))


def address_svg(address: str) -> str:
    """Return any address, such as an authenticator app reads, in the same way and as large."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_MODULES)
    code.add_data(address)
    return _svg(code.get_matrix())


def _svg(rows: list[list[bool]]) -> str:
    path = "".join(
        f"M{column} {row}h{length}v1h-{length}z"
        for row, line in enumerate(rows)
        for column, length in _dark_runs(line)
    )
    side = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"'
        ' shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>'
    )


def _matrix(token: str) -> list[list[bool]]:
    """Return rows of modules, True for dark."""
    assert len(token) in {TOKEN_LENGTH, SHOWN_LENGTH}
    code = QRCode(
        version=QR_VERSION,
        error_correction=ERROR_CORRECT_M,
        border=QUIET_MODULES,
        mask_pattern=_MASK,
    )
    code.add_data(QRData(token, mode=MODE_ALPHA_NUM), optimize=0)
    code.make(fit=False)
    rows: list[list[bool]] = code.get_matrix()
    assert code.version == QR_VERSION
    assert len(rows) == QR_MODULES
    return rows


def _dark_runs(line: list[bool]) -> list[tuple[int, int]]:
    """Return (column, length) of each run of dark modules in a row."""
    runs = []
    column = 0
    for dark, group in itertools.groupby(line):
        length = len(list(group))
        if dark:
            runs.append((column, length))
        column += length
    return runs
