"""Damage of a collection: every verb refuses it or works, `doctor` finds it, --repair mends it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from bilderatlas.cli import app
from bilderatlas.collection import Collection, doctor
from bilderatlas.errors import (
    BilderatlasError,
    CollectionBusy,
    CollectionDamaged,
    CollectionNotFound,
)
from bilderatlas.storage import Store, decision_file
from tests import damages
from tests.pictures import put
from tests.toy_encoder import ToyEncoder

SLOW = ("cluster", "index")  # they read and write what other verbs do
DAMAGES = [
    *(f"{file}: {act}" for file, act in damages.damages() if damages.is_chosen(file, act)),
    *damages.LARGER,
]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return damages.prepare(tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="session")
def sound(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, object]:
    """What the verbs answer of the sound collection."""
    return asked(damages.copied(prepared, tmp_path_factory.mktemp("sound")), prepared)


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    return damages.copied(prepared, tmp_path)


def opened(folder: Path) -> Collection:
    return Collection(Store.open(folder), encoder=ToyEncoder())


def asked(folder: Path, prepared: Path, *, but: tuple[str, ...] = ()) -> dict[str, object]:
    """What each verb answers, or its refusal; any other error is one of the test."""
    answers: dict[str, object] = {}
    try:
        verbs = damages.verbs(opened(folder), prepared.parent / "pile")
    except CollectionDamaged as error:
        return {"open": error}
    for name, verb in verbs.items():
        if name not in but:
            try:
                answers[name] = verb()
            except BilderatlasError as error:
                answers[name] = error
    return answers


def index(folder: Path, prepared: Path) -> None:
    dogs = prepared.parent / "dogs.onnx"
    opened(folder).index(prepared.parent / "pile" / "table.csv", find=["objects"], detector=dogs)


def damage(folder: Path, name: str) -> None:
    if name in damages.LARGER:
        damages.LARGER[name](folder)
    else:
        damages.damage(folder, *name.split(": "))


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_refused_found_and_mended(
    name: str, folder: Path, prepared: Path, sound: Mapping[str, object]
) -> None:
    before = set(decisions_of(folder))
    damage(folder, name)
    examined = doctor.examine_collection(folder)
    assert not examined.is_sound
    for verb, answer in asked(folder, prepared, but=SLOW).items():
        if isinstance(answer, CollectionDamaged):
            assert "bilderatlas doctor toy" in str(answer)
            assert "\n" not in str(answer)
        elif not name.startswith(damages.SEEN_BY_COUNTS_ONLY):
            assert answer == sound[verb], verb
    doctor.repair(folder, given=damages.ENCODERS)
    index(folder, prepared)
    assert not doctor.examine_collection(folder).damages
    assert before <= set(decisions_of(folder))
    assert set(decisions_of(folder)) == {row["decision"] for row in kept(folder)}
    after = asked(folder, prepared, but=(*SLOW, "decide", "label"))
    lost = damages.LOST.get(name.split(": ")[0], ())
    differing = {verb for verb, answer in after.items() if answer != sound[verb]}
    assert differing <= {*lost, "decisions"}  # this very test decided something


def decisions_of(folder: Path) -> list[str]:
    return [row["decision"] for row in Store.open(folder).read("decisions").to_pylist()]


def kept(folder: Path) -> list[dict[str, Any]]:
    return [dict(row) for row in decision_file.read(folder).rows]


# -- decisions


def test_decisions_come_back_from_their_file_exactly(folder: Path) -> None:
    before = Store.open(folder).read("decisions").to_pylist()
    shutil.rmtree(folder / "decisions.lance")
    with pytest.raises(CollectionDamaged, match="bilderatlas doctor toy --repair"):
        opened(folder).decisions()
    doctor.repair(folder, given=damages.ENCODERS)
    after = Store.open(folder).read("decisions").to_pylist()
    assert after == decision_file.sorted_rows(before) == kept(folder)


def test_what_only_the_table_or_only_the_file_has_is_kept(folder: Path) -> None:
    store = Store.open(folder)
    before = decisions_of(folder)
    store.delete("decisions", "decision", [before[0]])
    lines = (folder / "decisions.jsonl").read_bytes().split(b"\n")
    (folder / "decisions.jsonl").write_bytes(b"\n".join([*lines[:1], b"garbled", *lines[2:]]))
    doctor.repair(folder, given=damages.ENCODERS)
    assert sorted(decisions_of(folder)) == sorted(before)
    assert doctor.examine_collection(folder).is_sound


@pytest.mark.parametrize("act", ["delete", "truncate"])
def test_decisions_that_are_damaged_in_both_forms_are_not_said_to_be_safe(
    folder: Path, act: str
) -> None:
    damages.damage(folder, "decisions data", "flip")
    damages.damage(folder, "decisions.jsonl", act)
    costs = {d.cost for d in doctor.examine_collection(folder).damages}
    assert costs
    assert not [cost for cost in costs if "restored" in cost or "nothing" in cost]
    assert "Both forms of decisions were damaged" in " ".join(
        doctor.repair(folder, given=damages.ENCODERS).left
    )


def test_a_repair_of_something_else_leaves_decisions_as_they_are(folder: Path) -> None:
    def files() -> dict[Path, bytes]:
        own = [*(folder / "decisions.lance" / "data").iterdir(), folder / "decisions.jsonl"]
        return {file: file.read_bytes() for file in own}

    before = files()
    damages.damage(folder, "regions data", "delete")
    damages.damage(folder, "runs data", "delete")
    doctor.repair(folder, given=damages.ENCODERS)
    assert files() == before


def test_what_is_taken_out_is_kept(folder: Path) -> None:
    damages.damage(folder, "decisions data", "truncate")
    damages.damage(folder, "atlas.json", "truncate")
    content = (folder / "atlas.json").read_bytes()
    table = {file.name: file.read_bytes() for file in (folder / "decisions.lance/data").iterdir()}
    doctor.repair(folder, given=damages.ENCODERS)
    (aside,) = (folder / "damaged").iterdir()
    assert (aside / "atlas.json").read_bytes() == content
    assert {
        file.name: file.read_bytes() for file in (aside / "decisions.lance" / "data").iterdir()
    } == table


# -- what is made again, and what is not


class Counting(ToyEncoder):
    """Counts the pictures that it embeds."""

    n_embedded = 0

    def embed_images(self, pixels: Any) -> Any:
        self.n_embedded += len(pixels)
        return super().embed_images(pixels)


def n_lost(folder: Path, table: str) -> int:
    state = doctor.examine_collection(folder).tables[table]
    return state.n_lost


def test_only_embeddings_that_were_lost_are_made_again(folder: Path) -> None:
    before = embeddings_of(folder)
    damages.damage(folder, "embeddings/toy data", "flip")
    lost = n_lost(folder, "embeddings/toy")
    assert 0 < lost < len(before)
    counting = Counting()
    doctor.repair(folder, given={"toy": counting})
    assert counting.n_embedded == lost
    after = embeddings_of(folder)
    assert after.keys() == before.keys()
    assert all(np.array_equal(after[region], before[region]) for region in before)


def embeddings_of(folder: Path) -> dict[str, Any]:
    rows = Store.open(folder).read("embeddings/toy")
    return dict(zip(rows["region_id"].to_pylist(), rows["vector"].to_pylist(), strict=True))


def test_pictures_that_were_lost_are_read_again_where_they_lay(folder: Path) -> None:
    before = Store.open(folder).read("images").sort_by("image_id")
    damages.damage(folder, "images data", "garble")
    lost = n_lost(folder, "images")
    counting = Counting()
    mended = doctor.repair(folder, given={"toy": counting})
    assert mended.after.is_sound
    assert counting.n_embedded == 2 * lost  # each has a part
    assert Store.open(folder).read("images").sort_by("image_id") == before


def test_what_cannot_be_had_is_told(prepared: Path, tmp_path: Path) -> None:
    shutil.copytree(prepared.parent / "pile", tmp_path / "pile")
    atlas = Collection(Store.create(tmp_path / "own.atlas"), encoder=ToyEncoder())
    atlas.index(tmp_path / "pile")
    shutil.rmtree(tmp_path / "pile")
    damages.damage(atlas.path, "images data", "flip")
    mended = doctor.repair(atlas.path, given=damages.ENCODERS)
    assert "24 pictures could not be read again" in " ".join(mended.left)
    problems = opened(atlas.path).problems()
    assert len(problems) == 24
    assert "No such file" in problems[0].reason


def test_without_its_encoder_the_rest_is_mended(folder: Path) -> None:
    damages.damage(folder, "embeddings/toy data", "flip")
    mended = doctor.repair(folder)
    told = " ".join(mended.left)
    assert "No encoder goes by 'toy'" in told
    assert "bilderatlas reindex toy --encoder toy" in told
    assert len(opened(folder).search("red", k=99)) > 0


def test_a_description_is_made_of_the_tables_when_both_are_gone(folder: Path) -> None:
    before = Store.open(folder).spaces
    damages.lose_all_descriptions(folder)
    doctor.repair(folder, given=damages.ENCODERS)
    assert Store.open(folder).spaces == before
    active = Store.open(folder).active_space
    assert active is not None
    assert active.space == "toy"


# -- collections from before, and examinations that change nothing


def test_a_collection_from_before_is_read_and_gets_its_checksums(folder: Path) -> None:
    shutil.rmtree(folder / "spare")
    stated = json.loads((folder / "atlas.json").read_text())
    del stated["checksum"]
    put(folder / "atlas.json", json.dumps(stated).encode())
    examined = doctor.examine_collection(folder)
    assert examined.is_sound
    assert "no checksums yet" in " ".join(examined.notes)
    assert len(opened(folder).search("red", k=99)) == damages.N_PICTURES
    doctor.repair(folder, given=damages.ENCODERS)
    damages.damage(folder, "embeddings/toy data", "flip")
    assert not doctor.examine_collection(folder).is_sound


def test_without_checksums_what_cannot_be_is_found(folder: Path) -> None:
    shutil.rmtree(folder / "spare")
    store = Store.open(folder)
    rows = store.read("embeddings/toy").to_pylist()[:2]
    store.delete("embeddings/toy", "region_id", [row["region_id"] for row in rows])
    for row, value in zip(rows, (float("nan"), 3.0), strict=True):
        row["vector"] = [value, *row["vector"][1:]]
    schema = store._dataset("embeddings/toy").schema
    store.add_rows("embeddings/toy", pa.Table.from_pylist(rows, schema))
    image = store.read("images").to_pylist()[0]
    store.delete("images", "image_id", [image["image_id"]])
    image["thumbnail"] = image["thumbnail"][:40]
    store.add_rows("images", pa.Table.from_pylist([image], store._dataset("images").schema))
    told = " ".join(damage.finding for damage in doctor.examine_collection(folder).damages)
    assert "2 rows: its embedding is not of length 1" in told
    assert "1 rows: its thumbnail cannot be read" in told
    assert doctor.repair(folder, given=damages.ENCODERS).after.is_sound


def test_looking_changes_nothing(folder: Path) -> None:
    def files() -> dict[Path, bytes]:
        return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    before = files()
    damages.damage(folder, "images data", "flip")
    damaged = files()
    assert damaged != before
    doctor.examine_collection(folder)
    assert files() == damaged


def test_a_repair_of_a_sound_collection_takes_nothing_out(folder: Path) -> None:
    mended = doctor.repair(folder, given=damages.ENCODERS)
    assert mended.after.is_sound
    assert not mended.done
    assert not (folder / "damaged").exists()


def test_a_folder_copied_without_its_times_is_sound(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copied" / "toy.atlas"
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    assert len(opened(copy).search("red", k=99)) == damages.N_PICTURES
    assert doctor.examine_collection(copy).is_sound


def test_nothing_is_repaired_while_others_write(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["bilderatlas.collection.doctor.repair"], "WAIT_S", 0.1)
    store = Store.open(folder)
    for busy in (store.writing, store.deciding):
        with busy(), pytest.raises(CollectionBusy, match="Another process is writing"):
            doctor.repair(folder)


# -- the command


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["doctor", *map(str, arguments)])


def test_the_command_says_what_is_damaged_and_what_to_do(folder: Path) -> None:
    assert run(folder).exit_code == 0
    damages.damage(folder, "runs data", "delete")
    told = run(folder)
    assert told.exit_code == 1
    assert "BAD  table runs" in told.output
    assert "It costs: " in told.output
    assert f"Next: bilderatlas doctor {folder} --repair" in told.output
    assert run(folder, "--repair").exit_code == 0
    assert run(folder).exit_code == 0


def test_json_of_an_examination_and_of_a_repair(folder: Path) -> None:
    damages.damage(folder, "runs data", "delete")
    examined = run(folder, "--json")
    found = json.loads(examined.stdout)
    assert found.keys() == {
        "collection",
        "path",
        "is_sound",
        "damages",
        "notes",
        "n_rows",
        "n_bytes",
        "seconds",
    }
    assert found["damages"][0].keys() == {"part", "finding", "cost"}
    assert (found["is_sound"], examined.exit_code) == (False, 1)
    mended = json.loads(run(folder, "--repair", "--json").stdout)
    assert mended.keys() - found.keys() == {"damages_before", "done", "left"}
    assert mended["is_sound"]
    assert mended["damages_before"] == found["damages"]


def test_repair_needs_a_collection_that_is_there(tmp_path: Path) -> None:
    assert run("--repair").exit_code != 0
    with pytest.raises(CollectionNotFound):
        doctor.repair(tmp_path / "none.atlas")
    with pytest.raises(CollectionNotFound):
        doctor.examine_collection(tmp_path / "none.atlas")
