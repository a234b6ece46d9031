"""When a picture was taken, in every way that files say it."""

from __future__ import annotations

from datetime import datetime

import pytest
from PIL import Image

from bilderatlas.indexing import images
from tests.pictures import quarters, saved

ORIGINAL, DIGITIZED, CHANGED = 0x9003, 0x9004, 0x0132
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description {}</rdf:Description></rdf:RDF>'
    "</x:xmpmeta>"
)


def exif_of(dates: dict[int, str]) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "Maker"  # Pillow saves none that has but inner tags
    for tag, text in dates.items():
        (exif if tag == CHANGED else exif.get_ifd(0x8769))[tag] = text
    return exif


@pytest.mark.parametrize("tag", [ORIGINAL, DIGITIZED, CHANGED])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_format_has_its_date(format: str, tag: int) -> None:
    how: dict = {"exif": exif_of({tag: "2019:01:02 03:04:05"})}
    if format == "TIFF" and tag != CHANGED:
        how = {"tiffinfo": {0x8769: {tag: "2019:01:02 03:04:05"}}}
    picture = images.decode(saved(quarters(), format, **how))
    assert picture.taken_at == datetime(2019, 1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019:01:02 03:04:05", datetime(2019, 1, 2, 3, 4, 5)),
        ("2019-01-02T03:04:05", datetime(2019, 1, 2, 3, 4, 5)),
        ("2019-01-02 03:04:05", datetime(2019, 1, 2, 3, 4, 5)),
        ("2019-01-02T03:04:05Z", datetime(2019, 1, 2, 3, 4, 5)),
        ("2019:01:02 03:04:05Z", datetime(2019, 1, 2, 3, 4, 5)),
        ("2019-01-02T03:04:05+09:00", datetime(2019, 1, 2, 3, 4, 5)),  # where it was taken
        ("2019:01:02 03:04:05.250", datetime(2019, 1, 2, 3, 4, 5, 250_000)),
        ("2019/01/02 03:04:05", datetime(2019, 1, 2, 3, 4, 5)),
        ("2019:01:02 03:04", datetime(2019, 1, 2, 3, 4)),
        ("2019:01:02", datetime(2019, 1, 2)),
        ("2019:01:02 03:04:05\0\0", datetime(2019, 1, 2, 3, 4, 5)),
        ("2019:13:02 03:04:05", None),
        ("2019:01:02 25:04:05", None),
        ("20190102", datetime(2019, 1, 2)),
        ("2019", None),
    ],
)
def test_a_date_is_read_however_it_is_written(text: str, expected: datetime | None) -> None:
    picture = images.decode(saved(quarters(), "JPEG", exif=exif_of({ORIGINAL: text})))
    assert picture.taken_at == expected


@pytest.mark.parametrize("blank", ["    :  :     :  :  ", "0000:00:00 00:00:00", "", "unknown"])
@pytest.mark.parametrize(
    ("good", "expected"),
    [
        ({ORIGINAL: "2016:02:03 04:05:06"}, 2016),
        ({DIGITIZED: "2016:02:03 04:05:06", CHANGED: "2020:02:03 04:05:06"}, 2016),
        ({CHANGED: "2016:02:03 04:05:06"}, 2016),
        ({}, None),
    ],
)
def test_a_date_that_is_none_gives_way_to_the_next(
    blank: str, good: dict[int, str], expected: int | None
) -> None:
    dates = {ORIGINAL: blank, DIGITIZED: blank, CHANGED: blank} | good
    taken_at = images.decode(saved(quarters(), "JPEG", exif=exif_of(dates))).taken_at
    assert (taken_at and taken_at.year) == expected


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    "said",
    [
        'exif:DateTimeOriginal="2011-05-06T07:08:09+02:00">',
        'xmp:CreateDate="2011-05-06T07:08:09">',
        "><photoshop:DateCreated>2011-05-06T07:08:09Z</photoshop:DateCreated>",
        'xmp:CreateDate="" photoshop:DateCreated="2011-05-06T07:08:09">',
    ],
)
def test_xmp_is_asked_where_exif_says_nothing(said: str, format: str) -> None:
    packet = XMP.format(said).encode()
    if format == "PNG":
        from PIL.PngImagePlugin import PngInfo

        texts = PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", packet.decode())
        content = saved(quarters(), "PNG", pnginfo=texts)
    elif format == "TIFF":
        content = saved(quarters(), "TIFF", tiffinfo={700: packet})
    else:
        content = saved(quarters(), format, xmp=packet)
    assert images.decode(content).taken_at == datetime(2011, 5, 6, 7, 8, 9)


def test_exif_comes_before_xmp() -> None:
    content = saved(
        quarters(),
        "JPEG",
        exif=exif_of({CHANGED: "2016:02:03 04:05:06"}),
        xmp=XMP.format('xmp:CreateDate="2011-05-06T07:08:09">').encode(),
    )
    assert images.decode(content).taken_at == datetime(2016, 2, 3, 4, 5, 6)
