import numpy as np
import pytest
from PIL import Image

from bilderatlas.analysis import duplicates
from bilderatlas.analysis.duplicates import candidate_pairs
from bilderatlas.arrays import Embeddings, to_unit_length
from bilderatlas.indexing import images
from tests.analysis.duplicates.pictures import scene

TURNED = {
    "mirrored": Image.Transpose.FLIP_LEFT_RIGHT,
    "flipped": Image.Transpose.FLIP_TOP_BOTTOM,
    "turned by 180°": Image.Transpose.ROTATE_180,
    "turned left": Image.Transpose.ROTATE_90,
    "turned right": Image.Transpose.ROTATE_270,
    "flipped and turned": Image.Transpose.TRANSPOSE,
    "mirrored and turned": Image.Transpose.TRANSVERSE,
}


def apart(n: int) -> Embeddings:
    """n rows at right angles."""
    return np.eye(n, dtype=np.float32)


def listed(pairs: duplicates.Pairs) -> set[tuple[int, int]]:
    return set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))


def hashes(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


def test_hashes_that_differ_in_few_bits_make_a_pair() -> None:
    some = np.random.default_rng(0).integers(0, 2**63, 4, np.uint64)
    some[2] = some[0] ^ np.uint64(0b10110)
    found = duplicates.candidates(some, apart(4), max_bits=3)
    assert listed(found) == {(0, 2)}
    assert found.bits.tolist() == [3]
    assert found.cosines.tolist() == [0]
    assert len(duplicates.candidates(some, apart(4), max_bits=2)) == 0


@pytest.mark.parametrize("turn", TURNED)
def test_a_turned_picture_is_found_by_its_hash_with_its_turn(turn: str) -> None:
    picture = scene(1)
    pair = hashes(
        images.perceptual_hash(picture), images.perceptual_hash(picture.transpose(TURNED[turn]))
    )
    found = duplicates.candidates(pair, apart(2))
    assert [duplicates.TURNS[each] for each in found.turns] == [turn]


def test_close_embeddings_make_a_pair() -> None:
    rows = to_unit_length(np.array([[1, 0, 0], [1, 0.3, 0], [0, 0, 1]]))
    far = hashes(0x0F0F_3C3C_5555_9999, 0x1234_5678_9ABC_DEF0, 0xFEDC_0123_8888_7777)
    found = duplicates.candidates(far, rows, max_bits=0, min_cosine=0.95)
    assert listed(found) == {(0, 1)}
    assert found.cosines[0] == pytest.approx(1 / np.sqrt(1.09))
    assert len(duplicates.candidates(far, rows, max_bits=0, min_cosine=0.97)) == 0


def test_main_directions_lose_no_pair_of_the_full_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rows = to_unit_length(rng.normal(size=(120, 40)) * np.arange(1, 41) ** -1.0)
    wanted = {(i, j) for i in range(120) for j in range(i + 1, 120) if rows[i] @ rows[j] >= 0.8}
    assert len(wanted) > 20
    assert candidate_pairs._bounding_rows(rows).shape[1] < 40
    monkeypatch.setattr(candidate_pairs, "_N_PARTNERS", 120)
    monkeypatch.setattr(candidate_pairs, "_N_SCORES", 1000)  # in several blocks
    some = rng.integers(0, 2**63, 120, np.uint64)
    assert listed(duplicates.candidates(some, rows, max_bits=0, min_cosine=0.8)) == wanted


def test_each_picture_has_few_partners_by_embedding_and_all_stay_joined() -> None:
    rows = np.repeat(apart(1), 30, axis=0)
    some = np.random.default_rng(0).integers(0, 2**63, 30, np.uint64)
    found = duplicates.candidates(some, rows, max_bits=0)
    assert len(found) < 4 * 30
    together = duplicates.groups(found.left, found.right, found.cosines)
    assert together == [list(range(30))]


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_pictures_make_no_pair(n: int) -> None:
    assert len(duplicates.candidates(hashes(*range(n)), np.ones((n, 3), np.float32))) == 0


@pytest.mark.parametrize("max_bits", [0, 3, 7, 9])
def test_hashes_looked_up_by_parts_are_those_of_every_comparison(
    monkeypatch: pytest.MonkeyPatch, max_bits: int
) -> None:
    rng = np.random.default_rng(0)
    some = rng.integers(0, 2**63, 300, np.uint64)
    some[150:] = [  # copies with up to 12 other bits
        some[row - 150] ^ np.uint64(sum(1 << int(bit) for bit in rng.choice(64, row % 13, False)))
        for row in range(150, 300)
    ]
    turned = candidate_pairs._turned(some)
    differing = np.bitwise_count(turned[:, :, None] ^ some).min(axis=0)  # (300, 300)
    wanted = {(i, j) for i, j in np.argwhere(differing <= max_bits).tolist() if i < j}
    monkeypatch.setattr(candidate_pairs, "_N_PARTNERS", 300)
    monkeypatch.setattr(candidate_pairs, "_N_HASHES", 100)  # in several pieces
    assert listed(duplicates.candidates(some, apart(300), max_bits=max_bits)) == wanted
    assert len(wanted) >= 10 * (max_bits + 1)
