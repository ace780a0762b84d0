"""A picture is made small and bare, whatever was sent; what is none is refused in one sentence."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from common.messages.offerings import PICTURE_BYTES_MAX
from common.pictures import LONGER_SIDE_PIXELS, PictureIsWrong, drawn_small
from common.rules.offerings import size_of

WHERE = "35.6895N 139.6917E"


def a_picture(size: tuple[int, int] = (1600, 800), kind: str = "JPEG") -> bytes:
    """Return a picture that lies on its side, and says where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = WHERE
    drawn = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(drawn, kind, exif=exif)
    return drawn.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_e1_a_picture_is_drawn_upright_small_and_without_what_it_carried(kind: str):
    small = drawn_small(a_picture(kind=kind))
    assert size_of(small) == (LONGER_SIDE_PIXELS // 2, LONGER_SIDE_PIXELS)
    assert len(small) <= PICTURE_BYTES_MAX
    assert WHERE.encode() not in small
    assert drawn_small(a_picture(kind=kind)) == small, "the same picture has one digest"


def test_e1_a_picture_of_noise_is_made_smaller_until_it_fits(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("common.pictures.PICTURE_BYTES_MAX", 2_000)
    drawn = io.BytesIO()
    Image.effect_noise((160, 160), 120).convert("RGB").save(drawn, "PNG")
    small = drawn_small(drawn.getvalue())
    assert len(small) <= 2_000
    assert 0 < max(size_of(small) or (0, 0)) < 160


def test_e1_a_file_that_is_no_picture_is_refused():
    bitmap = io.BytesIO()
    Image.new("RGB", (4, 4)).save(bitmap, "BMP")
    for sent in (b"", b"<svg/>", a_picture()[:400], bitmap.getvalue()):
        with pytest.raises(PictureIsWrong):
            drawn_small(sent)


def test_e1_a_picture_with_too_many_pixels_is_not_unfolded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("common.pictures.PIXELS_MAX", 100)
    with pytest.raises(PictureIsWrong, match="more than 100 pixels"):
        drawn_small(a_picture((20, 20)))
