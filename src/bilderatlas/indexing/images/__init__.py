"""A picture's bytes -> upright RGB pixels, its facts, its thumbnail, its hashes.

The one home of these rules: image ids, what counts as upright, how big pictures are made
small, how thumbnails look.
"""

from __future__ import annotations

import hashlib
import io
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from bilderatlas.arrays import Box
from bilderatlas.errors import ImageProblem
from bilderatlas.indexing.images import dates, jpeg, libtiff, png, tiff, unread
from bilderatlas.indexing.images.colours import UNKNOWN, Scale
from bilderatlas.indexing.images.colours import to_rgb as to_rgb  # it is one of `images`, too
from bilderatlas.indexing.images.damage import DAMAGE

PICTURE_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "dib", "tif", "tiff"),
        *("jp2", "j2k", "jpx", "avif", "heic", "heif", "ppm", "pgm", "pbm", "pnm"),
    )
)
# Pillow would also open EPS by running Ghostscript, and formats that no picture pile has.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "JPEG2000", "AVIF", "PPM")
UPRIGHT = {  # EXIF orientation -> what to do about it
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
THUMBNAIL_SIDE = 320
MAX_ASPECT = 2.0  # of a crop; a longer one is given more of what is around it
ROUNDING = 0.01  # pixels; a box that was kept in float32 cuts out the same as before
MAX_MEGAPIXELS = 400.0  # a page of A3 at 1200 dpi has 280
ORDINARY_MEGAPIXELS, MAX_PIXELS_PER_BYTE = 100, 1000  # larger ones must have bytes to show for it
TRIVIAL_BYTES = 16

# Several at once would take gigabytes: 100 megapixels are 300 MB as RGB, and as much while reduced.
_one_huge_at_a_time = threading.Lock()

# Our own limit, in `decode`, names the size and becomes a problem of that picture; Pillow's is a
# process-wide warning.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture and what its file says of it."""

    image: Image.Image  # upright RGB, perhaps reduced
    width: int  # of the full upright picture, pixels
    height: int
    media_type: str
    taken_at: datetime | None
    left_out: str | None = None  # what of the file was not read


def image_id(content: bytes) -> str:
    """The name of a picture: BLAKE2b-128 of its file's bytes, 32 hex digits."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def looks_like_picture(head: bytes) -> bool:
    """Whether a file's first 32 bytes are those of a picture."""
    if head.startswith((b"\xff\xd8\xff", png.START, b"GIF87a", b"GIF89a")):
        return True
    if head.startswith((*tiff.STARTS, b"\x00\x00\x00\x0cjP  ")):
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return True
    if head[4:8] == b"ftyp":
        return head[8:12] in (b"avif", b"avis", *unread.HEIC_BRANDS)
    # "BM" begins many texts too; the size of the header that follows does not
    return head[:2] == b"BM" and len(head) > 18 and head[14] in (12, 40, 52, 56, 64, 108, 124)


def decode(content: bytes, *, min_side: int | None = None) -> Picture:
    """Read a picture as upright RGB.

    With `min_side`, a large picture is reduced while it is decoded, to a shorter side of at
    least `min_side` pixels: JPEG by its own DCT scaling (libjpeg, `scale_denom`), others by a
    box filter. Transparency lies on white, or on grey where what is opaque is nearly white; of an
    animation the first frame counts, of a TIFF file the first page that is no thumbnail.

    Raises ImageProblem for what is not a picture, is damaged or cut off, or is larger than
    MAX_MEGAPIXELS.
    """
    page = _page(content)
    with libtiff.listening() as said:
        try:
            picture = _decode(content, page, min_side)
        except ImageProblem as problem:
            if not said:
                raise
            raise ImageProblem(f"{problem} ({said[0]})") from problem
    return replace(picture, left_out="; ".join(_left_out(page, said)) or None)


def passed_over(content: bytes) -> str | None:
    """What `decode` would leave out, as far as can be told without decoding."""
    return "; ".join(_left_out(_page(content), [])) or None


def _page(content: bytes) -> tiff.Page | None:
    return tiff.main_page(content) if content.startswith(tiff.STARTS) else None


def _left_out(page: tiff.Page | None, said: Sequence[str]) -> Iterator[str]:
    if page and page.n_passed:
        pages = "1 further page" if page.n_passed == 1 else f"{page.n_passed:,} further pages"
        yield f"{pages} of this file passed over; only the first is read"
    if said:
        more = f" (and {len(said) - 1:,} more)" if len(said) > 1 else ""
        yield f"damaged in places: {said[0]}{more}"


def _decode(content: bytes, page: tiff.Page | None, min_side: int | None) -> Picture:
    file = _open(content, page)
    _check_megapixels(*file.size, len(content))
    is_huge = file.width * file.height > ORDINARY_MEGAPIXELS * 1e6
    with _one_huge_at_a_time if is_huge else nullcontext():
        try:
            return _picture(file, content, page.scale if page else UNKNOWN, min_side)
        except DAMAGE as error:
            raise ImageProblem(f"damaged or cut off: {error}") from error


def _check_megapixels(width: int, height: int, n_bytes: int) -> None:
    megapixels = width * height / 1e6
    told = f"{width} x {height} pixels are {megapixels:.0f} megapixels"
    if megapixels > MAX_MEGAPIXELS:
        raise ImageProblem(f"{told}; more than {MAX_MEGAPIXELS:g} are not read")
    if megapixels > ORDINARY_MEGAPIXELS and width * height > MAX_PIXELS_PER_BYTE * n_bytes:
        raise ImageProblem(f"{told}, too many for a file of {n_bytes} bytes")


def _open(content: bytes, page: tiff.Page | None) -> ImageFile.ImageFile:
    if len(content) < TRIVIAL_BYTES:
        raise ImageProblem("the file is empty" if not content else f"only {len(content)} bytes")
    if content.startswith(png.START):
        content = png.without_large_texts(content)
    try:
        file = Image.open(io.BytesIO(page.content if page else content), formats=FORMATS)
        if file.format == "PNG":
            png.mend_transparency(file)
        if page:
            file.tile = tiff.native(file.tile)
    except UnidentifiedImageError:
        raise ImageProblem(_why_unidentified(content, page)) from None
    except DAMAGE as error:
        raise ImageProblem(f"damaged or cut off: {error}") from error
    return file


def _why_unidentified(content: bytes, page: tiff.Page | None) -> str:
    if kind := unread.by_content(content):
        return kind.reason
    if not any(content[:4096]):
        return "not a picture: the file holds only zeros"
    if page:
        return f"TIFF pictures of this sort are not read ({page.kind}); convert them to PNG"
    if looks_like_picture(content[:32]):
        return "damaged: it begins like a picture, but its header cannot be read"
    return "not a picture, whatever its name says"


def _picture(
    file: ImageFile.ImageFile, content: bytes, scale: Scale, min_side: int | None
) -> Picture:
    width, height = file.size
    media_type = file.get_format_mimetype() or "application/octet-stream"
    file = _loaded(file, content, min_side)
    orientation = _orientation(file)
    image = _small_rgb(file, scale, min_side)
    if orientation in UPRIGHT:
        image = image.transpose(UPRIGHT[orientation])
    if orientation >= 5:  # it was lying down
        width, height = height, width
    return Picture(image, width, height, media_type, dates.taken_at(file))


def _loaded(file: ImageFile.ImageFile, content: bytes, min_side: int | None) -> ImageFile.ImageFile:
    """With its pixels; a JPEG may lack its last marker, and nothing else."""
    if min_side:
        _draft(file, min_side)
    try:
        file.load()
    except OSError:
        whole = jpeg.completed(content) if file.format in ("JPEG", "MPO") else None
        if whole is None:
            raise
        return _loaded(_open(whole, None), whole, min_side)
    return file


def _draft(image: ImageFile.ImageFile, min_side: int) -> None:
    """Ask a JPEG for the smallest DCT scale whose shorter side is still `min_side`."""
    shrink = min_side / min(image.size)
    if image.format in ("JPEG", "MPO") and shrink < 1:
        image.draft(None, (math.ceil(image.width * shrink), math.ceil(image.height * shrink)))


def _small_rgb(image: Image.Image, scale: Scale, min_side: int | None) -> Image.Image:
    if not min_side or min(image.size) < 2 * min_side:
        return to_rgb(image, scale)
    if image.mode in ("I", "F"):
        return to_rgb(reduced(image, min_side), scale)
    return reduced(to_rgb(image, scale), min_side)


def reduced(image: Image.Image, min_side: int) -> Image.Image:
    """Smaller by a whole factor (box filter), its shorter side still at least `min_side`."""
    factor = min(image.size) // min_side
    return image.reduce(factor) if factor > 1 else image


def crop(image: Image.Image, box: Box) -> Image.Image:
    """A part of a picture, with what is around it where it is longer than twice its width.

    Encoders look at a square from the middle: of a standing person they would see the belt.
    Crops of COCO's objects by their names: mAP .498 as they are, .526 so, .510 as squares.
    """
    x0, x1 = _widened(box[0] * image.width, box[2] * image.width, (box[3] - box[1]) * image.height)
    y0, y1 = _widened(box[1] * image.height, box[3] * image.height, x1 - x0)
    left, right = _within(x0, x1, image.width)
    top, bottom = _within(y0, y1, image.height)
    return image.crop((left, top, right, bottom))


def _widened(low: float, high: float, other: float) -> tuple[float, float]:
    """A stretch that is half as long as the other side, at least, about the same middle."""
    missing = max(0.0, other / MAX_ASPECT - (high - low)) / 2
    return low - missing, high + missing


def _within(low: float, high: float, side: int) -> tuple[int, int]:
    """Whole pixels inside the picture, at least one; moved rather than cut where there is room."""
    moved = max(0.0, -low) - max(0.0, high - side)
    first = min(max(0, math.floor(low + moved + ROUNDING)), side - 1)
    return first, max(first + 1, min(side, math.ceil(high + moved - ROUNDING)))


def _orientation(image: Image.Image) -> int:
    """How the camera was held, by EXIF; 1 is upright. Pillow turns TIFF files by itself."""
    try:
        orientation = image.getexif().get(0x0112, 1)
    except DAMAGE:  # EXIF is damaged more often than the picture
        return 1
    return orientation if orientation in UPRIGHT else 1


def thumbnail(image: Image.Image) -> bytes:
    """A JPEG whose longer side is 320 pixels at most."""
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return to_jpeg(small)


def to_jpeg(image: Image.Image, *, quality: int = 85) -> bytes:
    """Encode an RGB picture as JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def perceptual_hash(image: Image.Image) -> int:
    """64 bits that near copies share but for a few (pHash: DCT of 32 x 32 grey, Zauner 2010)."""
    from scipy.fft import dctn

    grey = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX), dtype=np.float32)
    low = dctn(grey, norm="ortho")[:8, :8].ravel()  # (64,)
    bits = low > np.median(low[1:])  # the first is the mean brightness
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
