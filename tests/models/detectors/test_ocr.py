"""Lines of text -> blocks, and what RapidOCR reads with its own models, offline."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from bilderatlas.models.detectors import ocr
from bilderatlas.models.detectors.ocr import Line, TextReader, join
from tests.assets import assets


def line(words: str, x: float, y: float, *, width: float = 100, height: float = 10) -> Line:
    return Line(words, 0.9, x, y, x + width, y + height)


def read(*lines: Line) -> list[list[str]]:
    return [[line.text for line in block] for block in join(lines)]


def test_lines_below_each_other_are_a_block() -> None:
    assert read(line("b", 5, 14), line("a", 0, 0), line("c", 0, 30)) == [["a", "b", "c"]]


def test_a_gap_of_a_line_parts_two_blocks() -> None:
    assert read(line("a", 0, 0), line("b", 0, 20)) == [["a"], ["b"]]


def test_columns_stay_apart() -> None:
    left, right = [line("a", 0, 0), line("b", 0, 12)], [line("c", 130, 0), line("d", 130, 12)]
    assert read(*left, *right) == [["a", "b"], ["c", "d"]]


def test_parts_of_one_line_are_joined_from_left_to_right() -> None:
    assert read(line("b", 110, 1), line("a", 0, 0)) == [["a", "b"]]


def test_a_heading_is_not_of_the_block_below_it() -> None:
    assert read(line("HEAD", 0, 0, height=20), line("a", 0, 24)) == [["HEAD"], ["a"]]


def test_slanted_lines_go_from_above_to_below() -> None:
    # Their boxes overlap by half their height, the second beginning further left.
    assert read(line("a", 10, 0, height=20), line("b", 0, 10, height=20)) == [["a", "b"]]


def test_a_line_joins_two_blocks_that_it_is_adjacent_to() -> None:
    assert read(line("a", 0, 0), line("c", 0, 24), line("b", 0, 12)) == [["a", "b", "c"]]


def test_no_lines_are_no_blocks() -> None:
    assert join([]) == []


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked for something")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.model
@pytest.mark.usefixtures("no_network")
def test_written_words_are_read_without_a_download() -> None:
    image = Image.new("RGB", (900, 600), "white")
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(40)
    pen.text((60, 60), "Fresh bread daily", "black", font=font)
    pen.text((60, 110), "from seven to noon", "black", font=font)
    pen.text((500, 480), "CLOSED", "red", font=font)
    above, below = TextReader().find(image)
    assert (above.kind, above.text) == ("text", "Fresh bread daily\nfrom seven to noon")
    assert below.text == "CLOSED"
    assert above.box == pytest.approx((60 / 900, 68 / 600, 405 / 900, 155 / 600), abs=0.03)
    assert TextReader().find(Image.new("RGB", (64, 64), "white")) == []


@pytest.mark.model
@pytest.mark.slow
def test_blocks_hold_every_word_that_rapidocr_reads() -> None:
    from rapidocr import RapidOCR

    by_hand = RapidOCR(params={"Global.log_level": "error"})
    reader = TextReader()
    for name in ("img_106", "img_108"):
        path = assets() / "data" / "words" / f"{name}.jpg"
        ours = " ".join(region.text or "" for region in reader.find(_open(path)))
        assert sorted(ours.split()) == sorted(" ".join(by_hand(path).txts).split())


def _open(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def test_without_rapidocr_finding_text_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(ocr.DetectorError, match=r"pip install 'bilderatlas\[ocr\]'"):
        TextReader()
