"""Files that people keep among their pictures and that are not read are called by their name."""

from __future__ import annotations

import pytest

from bilderatlas.errors import ImageProblem
from bilderatlas.indexing import images
from bilderatlas.indexing.images import unread

REST = bytes(range(256)) * 2
BEGINNINGS = [
    (b"\xff\x0a" + REST, "JPEG XL pictures", "a.jxl"),
    (b"\0\0\0\x0cJXL \r\n\x87\n" + REST, "JPEG XL pictures", "a.JXL"),
    (b"II\xbc\x01" + REST, "JPEG XR pictures", "a.jxr"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + REST, "HEIC pictures", "IMG_0001.HEIC"),
    (b"\0\0\0\x18ftyphevc\0\0\0\0hevc" + REST, "HEIC pictures", "a.heifs"),
    (b"II*\0\x10\0\0\0CR\x02\0" + REST, "raw files", "IMG_0001.CR2"),
    (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + REST, "raw files", "IMG_0001.CR3"),
    (b"FUJIFILMCCD-RAW 0201" + REST, "raw files", "DSCF0001.RAF"),
    (b"IIU\0\x18\0\0\0" + REST, "raw files", "P1000001.RW2"),
    (b"IIRO\x08\0\0\0" + REST, "raw files", "P1000001.ORF"),
    (b"8BPS\0\1" + bytes(6) + REST, "Photoshop files", "a.psd"),
    (b"gimp xcf file\0" + REST, "GIMP files", "a.xcf"),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "PostScript files", "a.eps"),
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + REST, "PDF documents", "a.pdf"),
    (b"AT&TFORM\0\0\1\0DJVM" + REST, "DjVu documents", "a.djvu"),
    (b"v/1\x01\2\0\0\0" + REST, "OpenEXR pictures", "a.exr"),
    (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n" + REST, "Radiance pictures", "a.hdr"),
    (b"SIMPLE  =                    T" + b" " * 50, "FITS pictures", "m31.fits"),
    (bytes(128) + b"DICM\2\0" + REST, "DICOM pictures", "a.dcm"),
    (b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0" + REST, "icons", "favicon.ico"),
    (b"icns\0\0\2\0" + REST, "icons", "a.icns"),
    (b"\x01\0\0\0" + bytes(36) + b" EMF" + REST, "Windows metafiles", "a.emf"),
    (b"RIFF\0\2\0\0CDR9vrsn" + REST, "CorelDRAW files", "a.cdr"),
    (b"qoif\0\0\0\x10\0\0\0\x10\3\0" + REST, "QOI pictures", "a.qoi"),
    (b"\0\0\0\x18ftypisom\0\0\0\0mp41mp42" + REST, "videos", "a.mp4"),
    (b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + REST, "videos", "IMG_0001.MOV"),
    (b"RIFF\0\2\0\0AVI LIST" + REST, "videos", "a.avi"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG drawings", "a.svg"),
    (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- by hand -->\n<svg/>    ", "SVG drawings", "a.svgz"),
    (b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' ''>\n<svg/>", "SVG drawings", "a.svg"),
]


@pytest.mark.parametrize(("content", "name", "file_name"), BEGINNINGS)
def test_a_kind_that_is_not_read_is_called_by_its_name(
    content: bytes, name: str, file_name: str
) -> None:
    by_suffix, by_content = unread.by_suffix(file_name), unread.by_content(content)
    assert by_suffix is not None
    assert by_suffix is by_content
    with pytest.raises(ImageProblem, match=f"{name} are not read; (convert|take)"):
        images.decode(content)


def test_no_suffix_has_two_kinds() -> None:
    suffixes = [suffix for kind in unread.KINDS for suffix in kind.suffixes.split()]
    assert len(suffixes) == len(set(suffixes))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"BMW drivers, a study in two volumes",
        b"<!DOCTYPE html><html><body><svg></svg></body></html>",
        b"<?xml version='1.0'?><catalogue><svgs/></catalogue>",
        b"<" * 100_000,
        bytes(300),
        b"PK\3\4" + bytes(300),
    ],
)
def test_other_files_are_of_no_kind(content: bytes) -> None:
    assert unread.by_content(content) is None


@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "notes.txt", "raw", ".svg.txt", ""])
def test_other_names_are_of_no_kind(name: str) -> None:
    assert unread.by_suffix(name) is None
