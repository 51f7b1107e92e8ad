"""What a kill leaves behind on the disk is removed a day later; what belongs to something never is."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from manyeyes.cases import drafts, intake
from manyeyes.cases.keeping import Brought
from manyeyes.rules import clock
from manyeyes.vault import files, orphans
from manyeyes.vault.models import DataKey, StoredFile
from tests.people import make_cast, make_report

DAY = 86_400


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, settings: Any) -> Path:
    settings.MANYEYES_DATA_DIR = tmp_path / "data"
    settings.MANYEYES_DATA_DIR.mkdir()
    return tmp_path / "data"


def aged(place: Path, seconds: float) -> Path:
    moment = time.time() - seconds
    os.utime(place, (moment, moment))
    return place


def test_a_file_without_a_row_goes_after_a_day(key: DataKey) -> None:
    old, fresh = (files.path_of(files.write(key, [b"x" * 100_000]).pk) for _ in range(2))
    StoredFile.objects.all().delete()  # as if the process had ended before the row was stored
    half = aged(old.rename(old.with_name(f".{old.name}.0a1b2c3d")), DAY + 60)
    aged(fresh, DAY - 60)
    strange = half.with_name("README")
    strange.write_text("not ours")
    aged(strange, DAY * 30)
    assert orphans.sweep() == 1
    assert not half.exists()
    assert fresh.exists(), "it may be on its way to its row"
    assert strange.exists(), "it is none of ours"
    aged(fresh, DAY + 60)
    assert orphans.sweep() == 1
    assert orphans.sweep() == 0


def test_a_row_that_nothing_refers_to_goes_with_its_file(transactional_db: None, key: DataKey) -> None:
    row = files.write(key, [b"x" * 100_000])
    place = aged(files.path_of(row.pk), DAY * 2)
    assert orphans.sweep() == 0, "it came a moment ago"
    StoredFile.objects.filter(pk=row.pk).update(created_at=clock.now() - timedelta(days=1, minutes=1))
    assert orphans.sweep() == 1
    assert not StoredFile.objects.exists()
    assert not place.exists()


def test_what_a_case_or_a_draft_holds_stays(transactional_db: None) -> None:
    cast = make_cast()
    a_file = Brought(name="proof.txt", chunks=[b"seen at ten"])
    intake.submit(cast.program, make_report(cast), by=cast.rhea, files=[a_file])
    drafts.save(cast.program, {}, by=cast.rhea, brought=[Brought(name="later.txt", chunks=[b"seen at two"])])
    StoredFile.objects.update(created_at=clock.now() - timedelta(days=13))
    rows = list(StoredFile.objects.all())
    for row in rows:
        aged(files.path_of(row.pk), DAY * 13)
    assert orphans.sweep() == 0
    assert len(rows) == 2
    assert {files.read_all(row) for row in rows} == {b"seen at ten", b"seen at two"}
