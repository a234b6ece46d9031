import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from bilderatlas.analysis import duplicates
from bilderatlas.analysis.duplicates import detail
from tests.analysis.duplicates.pictures import grey, scene


def test_a_picture_is_like_itself_and_unlike_others() -> None:
    assert duplicates.likeness(grey(scene(0)), grey(scene(0))) == pytest.approx(1, abs=1e-3)
    assert max(duplicates.likeness(grey(scene(0)), grey(scene(n))) for n in range(1, 8)) < 0.6


@pytest.mark.parametrize("share", [0.03, 0.1, 0.2])
def test_a_part_is_found_in_the_whole_and_the_whole_around_its_part(share: float) -> None:
    whole = scene(3)
    part = grey(whole.crop((0, 0, round(240 * (1 - 2 * share)), round(160 * (1 - 2 * share)))))
    assert duplicates.likeness(grey(whole), part) > 0.8
    assert duplicates.likeness(part, grey(whole)) > 0.8


def test_a_part_of_another_shape_is_found() -> None:
    part = scene(3).crop((60, 0, 240, 160))
    assert duplicates.likeness(grey(scene(3)), grey(part)) > 0.8


def test_brightness_and_contrast_are_no_detail() -> None:
    lighter = ImageEnhance.Brightness(scene(2)).enhance(1.2)
    weaker = ImageEnhance.Contrast(scene(2)).enhance(0.5)
    assert duplicates.likeness(grey(lighter), grey(weaker)) > 0.9


@pytest.mark.parametrize(
    ("turn", "how"),
    [
        (1, Image.Transpose.FLIP_LEFT_RIGHT), (2, Image.Transpose.FLIP_TOP_BOTTOM),
        (3, Image.Transpose.ROTATE_180), (4, Image.Transpose.TRANSPOSE),
        (5, Image.Transpose.ROTATE_270), (6, Image.Transpose.ROTATE_90),
        (7, Image.Transpose.TRANSVERSE),
    ],
)  # fmt: skip
def test_a_turned_picture_is_like_the_other_in_that_turn_alone(
    turn: int, how: Image.Transpose
) -> None:
    picture, turned = grey(scene(5)), grey(scene(5).transpose(how))
    assert duplicates.likeness(picture, turned, turn=turn) > 0.9
    assert duplicates.likeness(picture, turned) < 0.6


@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_pictures_are_copies_of_nothing(level: int) -> None:
    rng = np.random.default_rng(level)
    first, second = (
        np.clip(level + rng.normal(0, 0.8, (48, 64)), 0, 255).astype(np.uint8) for _ in range(2)
    )
    assert duplicates.likeness(first, second) == 0
    assert duplicates.likeness(first, grey(scene(1))) == 0


def test_a_line_of_pixels_can_be_compared() -> None:
    line = np.arange(64, dtype=np.uint8)[None] % 7 * 30
    assert 0 <= duplicates.likeness(line, grey(scene(0))) <= 1


def test_the_first_look_dismisses_strangers_and_no_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, part = grey(scene(3)), grey(scene(3).crop((20, 12, 200, 132)))
    stranger = grey(scene(1))
    found = duplicates.likeness(whole, part)
    monkeypatch.setattr(detail, "_FINE", None)  # a closer look would fail
    assert duplicates.likeness(whole, stranger) < 0.4
    monkeypatch.undo()
    monkeypatch.setattr(detail, "_UNLIKE", 0.0)  # everything is looked at closely
    assert duplicates.likeness(whole, part) == found > 0.8
    assert duplicates.likeness(whole, stranger) < 0.6


@pytest.mark.parametrize("level", [0, 255])
def test_a_plain_frame_is_taken_off(level: int) -> None:
    picture = scene(4).convert("L")
    framed = np.asarray(ImageOps.expand(picture, border=10, fill=level))
    assert np.array_equal(duplicates.without_frame(framed), np.asarray(picture)[1:-1, 1:-1])


def test_what_is_no_frame_on_four_sides_stays() -> None:
    picture = np.asarray(scene(4).convert("L"))
    three_sides = np.pad(picture, ((0, 10), (10, 10)), constant_values=255)
    assert np.array_equal(duplicates.without_frame(three_sides), three_sides)
    assert np.array_equal(duplicates.without_frame(picture), picture)


def test_blank_pictures_and_dots_keep_their_frame() -> None:
    dot = np.full((60, 80), 255, np.uint8)
    assert np.array_equal(duplicates.without_frame(dot), dot)
    dot[30:40, 40:50] = 0
    assert np.array_equal(duplicates.without_frame(dot), dot)
