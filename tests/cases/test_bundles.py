"""A researcher's own measurement: scored again, shown beside the claim to both sides, no verdict of the program."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from manyeyes import events
from manyeyes.cases import attachments, bundles, bundles_queue, timeline
from manyeyes.cases.models import Attachment, Case, SentBundle
from manyeyes.reproducer.load import load_text
from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid, NotAllowed
from manyeyes.runs import rescoring
from manyeyes.runs.bundle import Evidence, bundled
from manyeyes.vault import keyring
from manyeyes.vault.models import StoredFile
from tests import marker, people
from tests.people import Cast
from tests.reproducer.examples import EXAMPLE
from tests.runs.test_bundle import KEY, evidence, files_of, packed, sometimes


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return evidence("reproduce", sometimes, tmp_path_factory.mktemp("run"))


@pytest.fixture(autouse=True)
def no_second_factor(settings: Any) -> None:
    settings.MANYEYES_REQUIRE_MFA = False


def sent(cast: Cast, data: bytes, **changes: Any) -> tuple[Case, SentBundle]:
    """A case with a bundle that the worker has scored."""
    case = people.submit(cast, **changes)
    row, again = bundles.receive(case, by=cast.rhea, chunks=[data], name="evidence.zip")
    assert not again
    assert bundles_queue.score_next("a worker")
    return case, SentBundle.objects.get(pk=row.pk)


def page(cast: Cast, name: str, case: Case) -> str:
    client = Client()
    client.force_login(getattr(cast, name))
    path = f"/my/{case.ref}/" if name == "rhea" else f"/desk/cases/{case.ref}/"
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_claim_verdict_and_agreement_stand_on_both_pages(cast: Cast, held: Evidence) -> None:
    case, row = sent(cast, bundled(held, KEY), claim_k=10, claim_n=30)
    assert row.scored
    assert row.found["identical"]
    for name in ("rhea", "theo"):
        told = page(cast, name, case)
        assert "10 of 30" in told
        assert f"{row.found['measured']['k']} of 30" in told
        assert f'scored again here, give <b class="mono">{held.result["verdict"]}</b>' in told
        assert "Nothing differs." in told
        assert "The claim lies within what was measured." not in told, "another thing was measured"
        assert "It was measured with another reproducer than this case holds." in told
        assert KEY.fingerprint in told
        assert "It decides nothing here" in told


def test_the_claim_is_judged_where_nothing_else_was_measured(cast: Cast, held: Evidence) -> None:
    case, row = sent(cast, bundled(held, KEY), claim_k=10, claim_n=30, reproducer="")
    assert row.found["same_file"] is None
    for name in ("rhea", "theo"):
        told = page(cast, name, case)
        assert "The claim lies within what was measured." in told
        assert "another reproducer" not in told


def test_what_no_machine_could_check_is_said_on_both_pages(cast: Cast, held: Evidence) -> None:
    case, _ = sent(cast, bundled(held, KEY, texts=False))
    for name in ("theo", "rhea"):
        assert "Nothing in it could be checked by machine:" in page(cast, name, case)
    case, _ = sent(cast, bundled(held, KEY))
    assert "Nothing in it could be checked by machine:" not in page(cast, "theo", case)


def test_it_decides_nothing(cast: Cast, held: Evidence) -> None:
    case, _ = sent(cast, bundled(held, KEY))
    case.refresh_from_db()
    assert case.status == "new"
    assert not case.reproductions.exists()
    assert case.acknowledged_at is None


def test_the_same_reproducer_is_recognised(cast: Cast, held: Evidence) -> None:
    _, row = sent(cast, bundled(held, KEY), reproducer=EXAMPLE)
    assert (load_text(EXAMPLE).hash == held.document.reproducer_hash) is row.found["same_file"]


def test_what_differs_is_said(cast: Cast, held: Evidence) -> None:
    better = Evidence(document=held.document, trials=held.trials, result={**held.result, "k": held.result["n"]})
    case, row = sent(cast, bundled(better, KEY), claim_k=99, claim_n=100)
    assert not row.found["identical"]
    told = page(cast, "theo", case)
    assert "The verdict is the same, yet the file is not what its outcomes give." in told
    assert f"on record {held.result['n']}, found {held.result['k']}" in told
    assert "than what was measured" not in told, "beside a file that is not what it says no claim is right or wrong"


def test_no_count_is_taken_from_a_file_that_is_not_what_it_says(cast: Cast, held: Evidence) -> None:
    rows = [{**row, "k": 900_000, "n": 900_000} for row in held.result["settings"]]
    forged = {**held.result, "k": 900_000, "n": 900_000, "settings": rows}
    trials = [dataclasses.replace(one, outcome="success") if one.stream == "score" else one for one in held.trials]
    case, row = sent(cast, bundled(Evidence(document=held.document, trials=trials, result=forged), KEY))
    assert row.found["measured"] is None
    assert row.found["place"] == ""
    assert not row.found["differences"][0][0].startswith("trial "), "the result comes before single trials"
    assert row.found["differing"] >= len(row.found["differences"])
    told = page(cast, "theo", case)
    assert "no count is taken from a file that is not what it says" in told
    assert "900000 of 900000" not in told


def test_a_changed_file_is_called_changed(cast: Cast, held: Evidence) -> None:
    files = files_of(bundled(held, KEY))
    files["verdict.json"] = files["verdict.json"].replace(b'"reproduced"', b'"reproduces"')
    case, _ = sent(cast, packed(files))
    assert "The file was changed after it was signed." in page(cast, "theo", case)


def test_hostile_words_in_it_are_inert(cast: Cast, held: Evidence) -> None:
    bad = "<script>alert(1)</script>\u202egnp.exe"
    worse = Evidence(document=held.document, trials=held.trials, result={**held.result, "verdict": bad, bad: bad})
    case, _ = sent(cast, bundled(worse, KEY))
    for name in ("rhea", "theo"):
        told = page(cast, name, case)
        assert "<script>alert" not in told
        assert "\u202e" not in told
        assert "&lt;script&gt;alert" in told


def test_the_same_file_again_is_one(cast: Cast, held: Evidence) -> None:
    case, row = sent(cast, bundled(held, KEY))
    again, was_there = bundles.receive(case, by=cast.rhea, chunks=[bundled(held, KEY)], name="other.zip")
    assert was_there
    assert again.pk == row.pk
    assert Attachment.objects.count() == StoredFile.objects.count() == 1
    assert [one.kind for one in events.log(case.subject)].count("bundle.received") == 1


@pytest.mark.parametrize("data", [b"a recording", b"\x89PNG\r\n\x1a\n" + bytes(99), b""])
def test_what_is_no_bundle_is_refused_and_not_kept(cast: Cast, data: bytes) -> None:
    case = people.submit(cast)
    with pytest.raises(Invalid) as refused:
        bundles.receive(case, by=cast.rhea, chunks=[data], name="evidence.zip")
    assert "file" in refused.value.fields
    assert not StoredFile.objects.exists()
    assert not SentBundle.objects.exists()


def test_one_that_takes_too_long_is_kept_and_says_so(
    cast: Cast, held: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescoring, "WALL", 0.05)
    case, row = sent(cast, bundled(held, KEY))
    assert not row.scored
    assert "Not scored again." in page(cast, "theo", case)


def test_only_who_reported_it_sends_one(cast: Cast, held: Evidence) -> None:
    case = people.submit(cast)
    for name in ("theo", "eve"):
        with pytest.raises(NotAllowed):
            bundles.receive(case, by=getattr(cast, name), chunks=[bundled(held, KEY)], name="evidence.zip")
    assert not StoredFile.objects.exists()


def test_it_is_kept_encrypted_and_can_be_saved_by_both_sides(cast: Cast, held: Evidence, tmp_path: Path) -> None:
    data = bundled(held, KEY)
    case, row = sent(cast, data)
    assert marker.find_in_database(people.SECRET, connection) == []
    assert marker.find_in_database(held.document.title, connection) == []
    assert b"".join(attachments.content(row.attachment)) == data
    entry = next(one for one in timeline.entries(case, cast.rhea) if one.kind == "bundle.received")
    assert [one.kind for one in timeline.entries(case, cast.rhea)][-1] == "bundle.scored"
    assert entry.item.pk == row.pk
    assert "size" not in entry.data


def test_until_the_worker_has_scored_it_everybody_is_told_that_it_is_being_scored(cast: Cast, held: Evidence) -> None:
    case = people.submit(cast, claim_k=10, claim_n=30)
    row, _ = bundles.receive(case, by=cast.rhea, chunks=[bundled(held, KEY)], name="evidence.zip")
    lease = bundles_queue.claim("a worker")
    for state in ("waiting", "scoring"):
        SentBundle.objects.filter(pk=row.pk).update(state=state)
        for name in ("rhea", "theo"):
            told = page(cast, name, case)
            assert "It is being scored again." in told
            assert "10 of 30" in told, "the claim is known already"
            assert "Not scored again." not in told
    bundles_queue.release(lease)
    assert bundles_queue.score_next("another")
    for name in ("rhea", "theo"):
        told = page(cast, name, case)
        assert "It is being scored again." not in told
        assert "Nothing differs." in told
        assert "scored the researcher&#x27;s measurement again" in told


def test_two_workers_never_score_the_same_one(cast: Cast, held: Evidence) -> None:
    case = people.submit(cast)
    bundles.receive(case, by=cast.rhea, chunks=[bundled(held, KEY)], name="evidence.zip")
    first = bundles_queue.claim("one")
    assert first is not None
    assert bundles_queue.claim("two") is None
    assert not bundles_queue.score_next("two")
    SentBundle.objects.update(lease_until=clock.now() - timedelta(seconds=1))  # its worker was killed
    assert bundles_queue.score_next("two")
    with pytest.raises(bundles_queue.LeaseLost):
        bundles_queue.conclude(first, {"why": "late"}, scored=False)
    row = SentBundle.objects.get()
    assert (row.state, row.scored, row.attempts) == ("done", True, 2)
    assert [one.kind for one in events.log(case.subject)].count("bundle.scored") == 1
    assert bundles_queue.claim("three") is None


def test_one_that_takes_every_worker_down_is_left_alone(cast: Cast, held: Evidence) -> None:
    case = people.submit(cast)
    bundles.receive(case, by=cast.rhea, chunks=[bundled(held, KEY)], name="evidence.zip")
    for _ in range(bundles_queue.MOST_TRIES):
        assert bundles_queue.claim("one") is not None
        SentBundle.objects.update(lease_until=clock.now() - timedelta(seconds=1))
    assert bundles_queue.score_next("two")
    row = SentBundle.objects.get()
    assert (row.state, row.scored) == ("done", False)
    assert row.found["why"] == rescoring.FAILED


def test_a_worker_that_is_told_to_end_gives_it_back(
    cast: Cast, held: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescoring, "LOOK", 0.01)
    case = people.submit(cast)
    bundles.receive(case, by=cast.rhea, chunks=[bundled(held, KEY)], name="evidence.zip")
    assert not bundles_queue.score_next("one", lambda: True)
    row = SentBundle.objects.get()
    assert (row.state, row.attempts, row.lease_owner) == ("waiting", 0, "")
    assert bundles_queue.score_next("two")


def test_a_case_whose_key_is_destroyed_takes_its_bundle_along(cast: Cast, held: Evidence) -> None:
    case = people.submit(cast)
    bundles.receive(case, by=cast.rhea, chunks=[bundled(held, KEY)], name="evidence.zip")
    keyring.shred(case.key)
    assert bundles_queue.claim("one") is None
