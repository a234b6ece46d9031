"""Every kind of picture file -> upright RGB, or a plain word on why not."""

from __future__ import annotations

import io
import os
import random
import resource
import struct
import subprocess
import sys
import time
import zlib
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from bilderatlas.errors import ImageProblem
from bilderatlas.indexing import images
from bilderatlas.models import encoders
from tests.assets import assets
from tests.pictures import BLUE, GREEN, RED, WHITE, corners, plain, quarters, saved

UPRIGHT = [RED, GREEN, BLUE, WHITE]
BLACK = (0, 0, 0)


def problem(content: bytes) -> str:
    with pytest.raises(ImageProblem) as refused:
        images.decode(content, min_side=8)
    return str(refused.value)


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def laid_down(orientation: int) -> Image.Image:
    """What a camera stores when it was held so that EXIF says `orientation`."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return quarters().transpose(undo[orientation]) if orientation in undo else quarters()


# -- upright


@pytest.mark.parametrize("min_side", [None, 8])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_come_upright(orientation: int, format: str, min_side: int | None) -> None:
    content = saved(laid_down(orientation), format, exif=exif_of(orientation))
    picture = images.decode(content, min_side=min_side)
    assert (picture.width, picture.height) == (48, 32)
    assert picture.image.width > picture.image.height
    assert corners(picture.image) == UPRIGHT


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation: int) -> None:
    content = saved(quarters(), "JPEG", exif=exif_of(orientation))
    assert corners(images.decode(content).image) == UPRIGHT


def test_an_almost_square_picture_swaps_its_sides_however_far_it_is_reduced() -> None:
    content = saved(Image.new("RGB", (1002, 1001)), "JPEG", exif=exif_of(6))
    picture = images.decode(content, min_side=100)
    assert (picture.width, picture.height) == (1001, 1002)


def test_damaged_exif_costs_neither_the_picture_nor_anything_else() -> None:
    broken = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40
    with pytest.warns(UserWarning, match="EXIF"):
        picture = images.decode(saved(quarters(), "JPEG", exif=broken))
    assert corners(picture.image) == UPRIGHT
    assert picture.taken_at is None


def test_the_date_is_when_the_camera_took_it() -> None:
    exif = exif_of(1)
    exif[0x0132] = "2020:05:06 07:08:09"  # changed
    assert images.decode(saved(quarters(), "JPEG", exif=exif)).taken_at == datetime(
        2020, 5, 6, 7, 8, 9
    )
    exif.get_ifd(0x8769)[0x9003] = "2019:01:02 03:04:05"  # taken
    picture = images.decode(saved(quarters(), "JPEG", exif=exif))
    assert picture.taken_at == datetime(2019, 1, 2, 3, 4, 5)


@pytest.mark.parametrize("date", ["0000:00:00 00:00:00", "    :  :     :  :  ", "yesterday", ""])
def test_a_date_that_is_none_is_no_date(date: str) -> None:
    exif = exif_of(1)
    exif[0x0132] = date
    assert images.decode(saved(quarters(), "JPEG", exif=exif)).taken_at is None


# -- colours


@pytest.mark.parametrize(
    ("format", "media_type"),
    [
        ("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"),
        ("GIF", "image/gif"), ("BMP", "image/bmp"), ("TIFF", "image/tiff"),
        ("JPEG2000", "image/jp2"), ("AVIF", "image/avif"),
        ("PPM", "image/x-portable-pixmap"), ("MPO", "image/mpo"),
    ],
)  # fmt: skip
def test_every_format_gives_the_same_picture(format: str, media_type: str) -> None:
    how = {"save_all": True, "append_images": [quarters()]} if format == "MPO" else {}
    picture = images.decode(saved(quarters(), format, **how))
    assert picture.image.mode == "RGB"
    assert corners(picture.image) == UPRIGHT
    assert picture.media_type == media_type


def test_cmyk_is_seen_in_its_colours() -> None:
    content = saved(quarters().convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in content  # which stores its values inverted
    assert corners(images.decode(content).image) == UPRIGHT
    assert corners(images.decode(saved(quarters().convert("CMYK"), "TIFF")).image) == UPRIGHT


def test_lab_is_seen_in_its_colours() -> None:
    lab = ImageCms.profileToProfile(
        quarters(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    assert corners(images.decode(saved(lab, "TIFF")).image) == UPRIGHT


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_range(format: str) -> None:
    values = np.repeat(np.array([0, 257 * 64, 257 * 128, 65535], np.uint16), 16).reshape(2, 32)
    content = saved(Image.fromarray(np.tile(values, (8, 1))), format)
    row = np.asarray(images.decode(content).image)[0, ::16, 0]
    assert row.tolist() == [0, 64]
    assert np.asarray(images.decode(content).image)[1, ::16, 0].tolist() == [128, 255]


def test_floats_are_stretched_to_their_range_whatever_is_among_them() -> None:
    values = np.full((8, 8), -1.5, np.float32)
    values[:, 4:] = 2.5
    values[0, :3] = np.nan, np.inf, -np.inf
    grey = np.asarray(images.decode(saved(Image.fromarray(values), "TIFF")).image)[..., 0]
    assert grey[4].tolist() == [0] * 4 + [255] * 4
    assert grey[0, :3].tolist() == [0, 255, 0]


def test_one_bit_is_black_and_white() -> None:
    page = Image.new("1", (16, 16), 1)
    page.paste(0, (0, 0, 8, 16))
    for how in ({"format": "PNG"}, {"format": "TIFF", "compression": "group4"}):
        image = images.decode(saved(page, **how)).image
        assert corners(image) == [BLACK, WHITE, BLACK, WHITE]


def half_gone(mode: str) -> Image.Image:
    """Black, its right half transparent."""
    image = Image.new("RGBA", (32, 32), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (16, 0, 32, 32))
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_on_white(mode: str) -> None:
    image = images.decode(saved(half_gone(mode), "PNG")).image
    assert corners(image) == [BLACK, WHITE, BLACK, WHITE]


@pytest.mark.parametrize("transparent", [1, b"\xff\x00"])
def test_a_palette_with_a_transparent_colour_lies_on_white(transparent: int | bytes) -> None:
    image = Image.new("P", (32, 32), 0)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.paste(1, (16, 0, 32, 32))
    content = saved(image, "PNG", transparency=transparent)
    assert corners(images.decode(content).image) == [BLACK, WHITE, BLACK, WHITE]


@pytest.mark.parametrize(("mode", "gone"), [("RGB", (1, 2, 3)), ("L", 7)])
def test_a_colour_declared_transparent_lies_on_white(
    mode: str, gone: int | tuple[int, int, int]
) -> None:
    image = Image.new(mode, (32, 32), 0)
    image.paste(gone, (16, 0, 32, 32))
    content = saved(image, "PNG", transparency=gone)
    assert corners(images.decode(content).image) == [BLACK, WHITE, BLACK, WHITE]


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_of_several_frames_the_first_counts(format: str) -> None:
    rest = [Image.new("RGB", (48, 32), colour) for colour in ("black", "yellow")]
    content = saved(quarters(), format, save_all=True, append_images=rest)
    assert corners(images.decode(content).image) == UPRIGHT


def wide_gamut() -> bytes:
    """A profile whose green and red change places: a conversion that cannot be overlooked."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    n_tags = struct.unpack_from(">I", profile, 128)[0]
    tags = {bytes(profile[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(n_tags)}
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


@pytest.mark.parametrize("min_side", [None, 8])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_are_meant_as_their_profile_says(mode: str, min_side: int | None) -> None:
    content = saved(quarters().convert(mode), "PNG", icc_profile=wide_gamut())
    image = images.decode(content, min_side=min_side).image
    assert corners(image) == [GREEN, RED, BLUE, WHITE]


def test_a_profile_of_srgb_changes_no_pixel() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))
    image = images.decode(saved(noise, "PNG", icc_profile=srgb)).image
    assert np.array_equal(np.asarray(image), np.asarray(noise))


def test_a_broken_profile_says_nothing() -> None:
    content = saved(quarters(), "PNG", icc_profile=b"not a profile" * 20)
    assert corners(images.decode(content).image) == UPRIGHT


# -- what is no picture


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\xff\xd8\xff", "only 3 bytes"),
        (bytes(5000), "only zeros"),
        (b"Dear diary, today I took no picture.", "not a picture"),
        (b"<html><body>404 Not Found</body></html>", "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "begins like a picture"),
    ],
)
def test_what_is_no_picture_is_told_apart(content: bytes, reason: str) -> None:
    assert reason in problem(content)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
@pytest.mark.parametrize("kept", [0.2, 0.6])
def test_a_picture_that_is_cut_off_is_a_problem(format: str, kept: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    content = saved(noise, format)
    assert problem(content[: int(len(content) * kept)])


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "PPM"])
def test_damage_anywhere_is_a_picture_or_a_problem_and_never_an_error(format: str) -> None:
    content, dice = saved(quarters(), format, exif=exif_of(6)), random.Random(format)
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(dice.choice((1, 2, 8))):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            picture = images.decode(bytes(damaged), min_side=8)
        except ImageProblem:
            continue
        assert picture.image.mode == "RGB"


def png_that_claims(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = saved(quarters(), "PNG")
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [
        (50_000, 50_000, "2500 megapixels; more than 400 are not read"),
        (20_000, 19_000, "380 megapixels, too many for a file of"),
    ],
)
def test_an_enormous_picture_is_refused_at_once(width: int, height: int, reason: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    assert reason in problem(png_that_claims(width, height))
    assert time.monotonic() - started < 0.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


def test_a_blank_page_of_a_large_scan_is_no_bomb() -> None:
    page = Image.new("1", (9000, 7000), 1)
    picture = images.decode(saved(page, "TIFF", compression="group4"), min_side=320)
    assert (picture.width, picture.height) == (9000, 7000)


def test_ghostscript_is_never_run(tmp_path: Path) -> None:
    """Pillow would run `gs` on PostScript; a `gs` on the path would leave a trace."""
    (tmp_path / "gs").write_text(f"#!/bin/sh\n: > {tmp_path}/was-run\n")
    (tmp_path / "gs").chmod(0o755)
    code = (
        "from bilderatlas.indexing import images\n"
        "from PIL import Image; import io\n"
        "b = io.BytesIO(); Image.new('RGB', (9, 9)).save(b, 'EPS')\n"
        "try: images.decode(b.getvalue())\n"
        "except images.ImageProblem as problem: print(problem)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "PostScript files are not read" in done.stdout
    assert not (tmp_path / "was-run").exists()


# -- small ones


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_reducing_keeps_the_shorter_side(format: str) -> None:
    content = saved(quarters(1000, 700), format)
    small = images.decode(content, min_side=100).image
    assert 100 <= small.height < 200
    assert images.decode(content, min_side=701).image.size == (1000, 700)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
def test_a_picture_of_any_shape_has_a_thumbnail_and_a_hash(size: tuple[int, int]) -> None:
    image = images.decode(saved(Image.new("RGB", size, "red"), "PNG"), min_side=8).image
    with Image.open(io.BytesIO(images.thumbnail(image))) as small:
        assert max(small.size) <= 320
    assert 0 <= images.perceptual_hash(image) < 2**64


def test_a_thumbnail_is_a_jpeg_of_320_pixels() -> None:
    with Image.open(io.BytesIO(images.thumbnail(quarters(1000, 700)))) as small:
        assert (small.format, small.size) == ("JPEG", (320, 224))


def test_near_copies_have_near_hashes_and_others_have_not() -> None:
    photograph, other = [images.decode(path.read_bytes()).image for path in photographs(2)]
    smaller = images.decode(images.to_jpeg(photograph.resize((200, 150)), quality=40)).image
    one = images.perceptual_hash(photograph)
    assert (one ^ images.perceptual_hash(smaller)).bit_count() <= 8
    assert (one ^ images.perceptual_hash(other)).bit_count() >= 16


def test_an_image_id_is_of_the_content() -> None:
    assert images.image_id(b"") == "cae66941d9efbd404e4d88758ea67670"  # b2sum -l 128 </dev/null
    assert images.image_id(plain("red")) != images.image_id(plain("blue"))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "JPEG2000"])
def test_a_picture_is_known_by_its_first_bytes(format: str) -> None:
    assert images.looks_like_picture(saved(quarters(), format)[:32])


@pytest.mark.parametrize("content", [b"", b"BM", b"BMW drivers, a study in two volumes", b"PK\3\4"])
def test_other_files_do_not_look_like_pictures(content: bytes) -> None:
    assert not images.looks_like_picture(content)


# -- reduced decoding and the encoder


def photographs(n: int) -> list[Path]:
    return sorted((assets() / "data" / "coco" / "images").glob("*.jpg"))[:n]


@pytest.mark.model
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_reduced_picture_has_almost_the_same_embedding(format: str) -> None:
    encoder = encoders.load("builtin")
    for path in photographs(4 if format == "JPEG" else 1):
        with Image.open(path) as small:
            content = saved(small.convert("RGB").resize((4000, 3000)), format, **FAST[format])
        full = encoder.prepare(images.decode(content).image)
        reduced = encoder.prepare(images.decode(content, min_side=encoder.input_side).image)
        made = encoder.embed_images(np.stack([full, reduced]))
        assert made.vectors[0] @ made.vectors[1] >= 0.97
        assert made.joint is not None
        assert made.joint[0] @ made.joint[1] >= 0.97


FAST: dict[str, dict[str, int]] = {"JPEG": {"quality": 90}, "PNG": {"compress_level": 1}}


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ((0.25, 0.25, 0.75, 0.75), (100, 50)),  # twice as wide as high: as it is
        ((0.0, 0.0, 1.0, 0.1), (200, 100)),  # a line of text: with what is below it
        ((0.45, 0.0, 0.5, 1.0), (50, 100)),  # a post: with what is beside it
        ((0.999, 0.999, 1.0, 1.0), (1, 1)),
        ((1.0, 1.0, 1.0, 1.0), (1, 1)),  # no area at all
    ],
)
def test_a_crop_is_at_most_twice_as_long_as_wide(box: tuple, size: tuple) -> None:
    assert images.crop(Image.new("RGB", (200, 100)), box).size == size


def test_a_crop_shows_the_box() -> None:
    crop = images.crop(quarters(64, 64), (0.5, 0.0, 1.0, 0.5))
    assert crop.getcolors() == [(32 * 32, GREEN)]


def test_a_reduced_picture_keeps_its_shorter_side() -> None:
    assert images.reduced(Image.new("RGB", (1000, 700)), 320).size == (500, 350)
    assert images.reduced(Image.new("RGB", (600, 500)), 320).size == (600, 500)
