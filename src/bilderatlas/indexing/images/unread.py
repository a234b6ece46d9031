"""Kinds of files that people keep among their pictures and that are not read here, by name.

The one home of their suffixes and first bytes; what is read is told in `indexing.images`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"heif")


@dataclass(frozen=True, slots=True)
class Unread:
    """A kind of file that is not read."""

    name: str  # of several: "3 raw files"
    suffixes: str  # of file names, lower case, without the dot
    starts: tuple[bytes, ...] = ()  # each a regular expression for a file's first bytes
    advice: str = "convert them to JPEG or PNG"

    @property
    def reason(self) -> str:
        """Why such a file is a problem."""
        return f"{self.name} are not read; {self.advice}"


_SVG = rb"(?i)(?:\xef\xbb\xbf)?\s*(?:<[?!](?!doctype html).{,2000}?)?<svg\b"
RAW = Unread(
    "raw files",
    "3fr arw bay cr2 cr3 crw dcr dng erf fff gpr iiq k25 kdc mef mos mrw nef nrw orf pef raf raw "
    "rw2 rwl sr2 srf srw x3f",
    (
        *(rb"II\*\0.{4}CR", rb"....ftypcrx ", rb"II\x1a\0\0\0HEAPCCDR", rb"IIR[OS]", rb"MMOR"),
        *(rb"IIU\0", rb"FUJIFILMCCD-RAW", rb"\0MRM", rb"FOVb"),
    ),
)

KINDS = (
    RAW,
    Unread(
        "HEIC pictures",
        "heic heics heif heifs hif",
        (rb"....ftyp(?:" + b"|".join(HEIC_BRANDS) + rb")",),
    ),
    Unread("JPEG XL pictures", "jxl", (rb"\xff\x0a", rb"\0\0\0\x0cJXL \r\n\x87\n")),
    Unread("JPEG XR pictures", "hdp jxr wdp", (rb"II\xbc",)),
    Unread("SVG drawings", "svg svgz", (_SVG,)),
    Unread("Photoshop files", "psb psd", (rb"8BPS",)),
    Unread("GIMP files", "xcf", (rb"gimp xcf",)),
    Unread("Krita and OpenRaster files", "kra ora"),
    Unread("Affinity files", "af afdesign afphoto afpub"),
    Unread("PostScript files", "ai eps epsf ps", (rb"%!PS", rb"\xc5\xd0\xd3\xc6")),
    Unread("CorelDRAW files", "cdr", (rb"RIFF....CDR",)),
    Unread("Windows metafiles", "emf wmf", (rb"\xd7\xcd\xc6\x9a", rb"\x01\0\0\0.{36} EMF")),
    Unread("OpenEXR pictures", "exr", (rb"v/1\x01",)),
    Unread("Radiance pictures", "hdr", (rb"#\?R(?:ADIANCE|GBE)",)),
    Unread("FITS pictures", "fits fts", (rb"SIMPLE  =",)),
    Unread("DICOM pictures", "dcm dicom", (rb".{128}DICM",)),
    Unread("DjVu documents", "djv djvu", (rb"AT&TFORM",)),
    Unread("PDF documents", "pdf", (rb"%PDF-",)),
    Unread("icons", "cur icns ico", (rb"\0\0[\x01\x02]\0[^\0]\0", rb"icns")),
    Unread("Targa pictures", "tga"),
    Unread("PCX pictures", "pcx", (rb"\x0a[\x02-\x05]\x01",)),
    Unread("SGI pictures", "bw rgb rgba sgi", (rb"\x01\xda[\0\x01][\x01\x02]",)),
    Unread("DirectDraw textures", "dds", (rb"DDS ",)),
    Unread("QOI pictures", "qoi", (rb"qoif",)),
    Unread("BPG pictures", "bpg", (rb"BPG\xfb",)),
    Unread("FLIF pictures", "flif", (rb"FLIF",)),
    Unread(
        "videos",
        "3gp avi flv m2ts m4v mkv mov mp4 mpeg mpg mts webm wmv",
        (
            *(rb"....ftyp(?:isom|iso\d|mp4\d|avc1|M4V |MSNV|3gp|qt  )", rb"RIFF....AVI "),
            *(rb"\x1aE\xdf\xa3", rb"....(?:moov|mdat)", rb"\0\0\x01\xba", rb"FLV\x01"),
        ),
        advice="take still pictures out of them",
    ),
)

_BY_SUFFIX = {suffix: kind for kind in KINDS for suffix in kind.suffixes.split()}
_STARTS = [(re.compile(start, re.DOTALL), kind) for kind in KINDS for start in kind.starts]


def by_suffix(file_name: str) -> Unread | None:
    """The kind of a file that is not read, by its name."""
    return _BY_SUFFIX.get(PurePath(file_name).suffix.lower()[1:])


def by_content(head: bytes) -> Unread | None:
    """The kind of a file that is not read, by its first bytes.

    32 bytes tell most; SVG, DICOM and metafiles need some hundred more. Raw files that begin like
    TIFF are found by decoding them.
    """
    return next((kind for start, kind in _STARTS if start.match(head)), None)
