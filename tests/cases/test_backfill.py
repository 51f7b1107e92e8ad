"""What the migrations do to rows that are there already."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from manyeyes.cases import attachments
from manyeyes.cases.models import Case, Report, SentBundle
from manyeyes.cases.ownnumbers import search_own
from manyeyes.vault import keyring
from tests import people
from tests.people import Cast

STEP = ("cases", "0006_bundles_in_line")


@pytest.fixture
def then(cast: Cast) -> Any:
    """The tables as that migration sees them."""
    return MigrationLoader(connection).project_state([STEP]).apps


def test_older_numbers_are_found_afterwards(cast: Cast, then: Any) -> None:
    case, other = people.submit(cast, own_ref="LS 2026/17"), people.submit(cast, own_ref="another")
    unnumbered = people.submit(cast)
    gone = people.submit(cast, own_ref="gone")
    named = Report.objects.get(case=case).own_ref_token
    for numbered, number in ((case, "LS 2026/17"), (other, "another"), (gone, "gone")):
        _of_then(numbered, number)
    Report.objects.update(own_ref_token="")
    keyring.shred(gone.key)
    assert list(search_own(cast.rhea, "LS 2026/17")) == []
    import_module("manyeyes.cases.migrations.0006_bundles_in_line").name_own_numbers(then, None)
    assert list(search_own(cast.rhea, "ls  2026/17")) == [case]
    assert list(search_own(cast.rhea, "another")) == [other]
    assert Report.objects.get(case=case).own_ref_token == named
    assert Report.objects.get(case=unnumbered).own_ref_token == ""
    assert Report.objects.get(case=gone).own_ref_token == "", "what nobody can read is passed over"


def _of_then(case: Case, number: str) -> None:
    """Put the number where reports of that time hold it: in the report itself."""
    row = Report.objects.get(case=case)
    row.own_ref = number
    super(Report, row).save()


def test_bundles_that_were_scored_on_arrival_are_not_scored_again(cast: Cast, then: Any) -> None:
    case = people.submit(cast)
    file = attachments.attach(case, by=cast.rhea, chunks=[b"PK\x03\x04"], name="evidence.zip")
    SentBundle(case=case, key=case.key, attachment=file, scored=True, found={}, by=cast.rhea).save()
    import_module("manyeyes.cases.migrations.0006_bundles_in_line").were_scored(then, None)
    assert SentBundle.objects.get().state == "done"
