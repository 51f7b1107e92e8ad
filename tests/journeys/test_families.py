"""Two people report one flaw: what the second of them sees from start to end, and what triagers do at once."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from manyeyes import events
from manyeyes.cases.models import Case
from manyeyes.events.models import Delivery
from manyeyes.programs.setup import create_program
from manyeyes.rules.lifecycle import Role
from tests import people
from tests.journeys.site import Stage, ok
from tests.people import Cast, make_case, make_person, submit

SECRET_TITLE = "The first reporter's own title"
AFTER = {"fix_deployed": "a fix is in service", "resolved": "the flaw is resolved"}


def mark(stage: Stage, name: str, case: Case, how: str, other: str, **typed: str) -> Any:
    """Name the other case on the page, read what would be sent, and send it."""
    path = f"/desk/cases/{case.ref}/same/{how}/"
    page = ok(stage.at(name).get(f"{path}?of={other}"))
    assert "What" in page.words
    return stage.at(name).send(page, page.form(f"/same/{how}/"), typed)


def mine(stage: Stage, name: str, case: Case) -> str:
    """What a reporter's own page says, as text."""
    return ok(stage.at(name).get(f"/my/{case.ref}/")).words


def test_the_second_reporter_from_start_to_end(cast: Cast) -> None:
    stage = Stage(cast)
    first = make_case(cast, at="signed", title=SECRET_TITLE)
    second = submit(cast, by=cast.eve)
    ok(mark(stage, "theo", second, "duplicate", first.ref, why="Word for word the same steps."))
    page = mine(stage, "eve", second)
    for said in ("Closed: duplicate", "same flaw as an earlier report", "Credit for the flaw", "within the 7 days",
                 "Appeal the decision", "it is not confirmed yet"):  # fmt: skip
        assert said in page, said
    stage.ref = first.ref
    ok(stage.press("theo", "move/confirm/"))
    assert "the flaw is confirmed" in mine(stage, "eve", second)
    for rung in people.LADDER[people.LADDER.index("confirmed") + 1 :]:
        people._STEPS[rung](cast, Case.objects.get(pk=first.pk))
        if rung in AFTER:
            assert AFTER[rung] in mine(stage, "eve", second), rung
    _write_the_advisory(stage, first)
    page = ok(stage.at("eve").get(f"/my/{second.ref}/"))
    [paper] = [href for href, words in page.links if words.strip() == "read it"]
    assert ok(stage.at("eve").get(paper)).status == 200
    _nothing_of_the_other(stage, first, second)
    _appeals_and_is_taken_up_again(stage, first, second)


def _write_the_advisory(stage: Stage, first: Case) -> None:
    """The advisory of the first case, by the publisher."""
    path = f"/desk/cases/{first.ref}/advisory/"
    words = {"title": "Wicket told a code", "summary": "It stood in the prompt."}
    page = ok(stage.at("pia").get(path))
    page = ok(stage.at("pia").send(page, page.form("/advisory/"), words, button="draft"))
    page = ok(stage.at("pia").get(path))
    ok(stage.at("pia").send(page, page.form("/advisory/"), button="publish"))
    assert Case.objects.get(pk=first.pk).public_at is not None


def _nothing_of_the_other(stage: Stage, first: Case, second: Case) -> None:
    """No page and no mail of the second reporter names the first, their case, or the family."""
    family = second.membership.family.ref
    for path in (f"/my/{second.ref}/", f"/my/{second.ref}/credit/", f"/my/{second.ref}/people/", "/my/"):
        page = ok(stage.at("eve").get(path))
        for hidden in (first.ref, SECRET_TITLE, "rhea", family, "Word for word"):
            assert hidden not in page.text, (path, hidden)
    for path in (f"/my/{first.ref}/", f"/my/{first.ref}/credit/"):
        page = ok(stage.at("rhea").get(path))
        for hidden in (second.ref, "eve_x", family, "Credit for the flaw"):
            assert hidden not in page.text, (path, hidden)
    for name in ("eve", "rhea"):
        assert stage.at(name).get(f"/desk/families/{family}/").status == 404
    mails = Delivery.objects.filter(person_id=stage.cast.eve.pk, reason__startswith="same_flaw.")
    told = {row.reason.partition(".")[2] for row in mails}
    assert told == {"confirmed", "fixed", "resolved", "published"}
    assert all(row.case_ref == second.ref and row.path == f"/my/{second.ref}/" for row in mails)


def _appeals_and_is_taken_up_again(stage: Stage, first: Case, second: Case) -> None:
    page = ok(stage.at("eve").get(f"/my/{second.ref}/"))
    ok(stage.at("eve").send(page, page.form("/say/"), {"text": "Mine needs no question."}, button="appeal"))
    stage.ref = second.ref
    page = ok(stage.at("mina").get(f"/desk/cases/{second.ref}/move/reopen/"))
    ok(stage.at("mina").send(page, page.form("/reopen/"), {"words": "You are right, it is another one."}))
    assert "You are right" in mine(stage, "eve", second)
    assert "Credit for the flaw" not in mine(stage, "eve", second)
    assert not Case.objects.filter(duplicate_of=first).exists()
    assert events.verify_chain(second.subject) is None


def test_a_merged_and_a_split_report_on_the_pages_of_both_sides(cast: Cast) -> None:
    stage = Stage(cast)
    lead, other = make_case(cast, at="triaged", title=SECRET_TITLE), submit(cast, by=cast.eve, title="Eve's title")
    ok(mark(stage, "mina", other, "merge", lead.ref))
    page = mine(stage, "eve", other)
    assert "Closed: merged with another report" in page
    assert lead.ref not in page
    stage.ref = lead.ref
    assert f"Evidence from {other.ref}" in stage.case("theo").words
    split = ok(stage.at("theo").get(f"/desk/cases/{lead.ref}/split/"))
    given = {"title": "It also books flights", "vuln_class": "AT", "why": "Two flaws."}
    came = ok(stage.at("theo").send(split, split.form("/split/"), given))
    ref = came.data["data-case"]
    assert f"Split from {lead.ref}" in re.sub(r"\s+", " ", came.words)
    theirs = ok(stage.at("rhea").get(f"/my/{ref}/")).words
    assert "describes more than one flaw" in theirs
    assert f"Your report {lead.ref}, as you sent it" in theirs
    assert ref in mine(stage, "rhea", lead)
    assert "Two flaws." not in theirs
    assert stage.at("eve").get(f"/my/{ref}/").status == 404


def test_a_family_from_the_queue_to_its_page(cast: Cast) -> None:
    stage = Stage(cast)
    rows = [submit(cast), submit(cast, by=cast.eve), submit(cast, by=cast.aud)]
    theo = stage.at("theo")
    pair = {"case": [rows[0].ref, rows[1].ref]}
    ticked = ok(theo.post("/desk/selected/", {**pair, "what": "group"}))
    assert all(f'value="{row.ref}" checked' in ticked.text for row in rows[:2])
    alone = theo.post("/desk/families/", {"case": rows[0].ref, "name": "Codes aloud"})
    assert alone.status == 422
    assert "at least two cases" in alone.words
    assert 'value="Codes aloud"' in alone.text
    made = ok(theo.post("/desk/families/", {**pair, "name": "Codes aloud", "why": "One prompt."}))
    assert "Codes aloud" in made.words
    assert "One prompt." in made.words
    family = made.url.rstrip("/").rsplit("/", 1)[1]
    stale = ok(stage.at("mina").get(made.url))
    ok(theo.send(made, made.form(f"/families/{family}/", having="name"), {"name": "Theo's words"}, button="describe"))
    late = stage.at("mina").send(
        stale, stale.form(f"/families/{family}/", having="name"), {"name": "Mina's words"}, button="describe"
    )
    assert late.status == 409
    assert "Theo L. changed this family" in late.words
    assert "Mina's words" in late.text.replace("&#x27;", "'")
    assert "Theo's words" in late.text.replace("&#x27;", "'"), "both versions"
    answer = ok(theo.get(f"/desk/together/?case={rows[0].ref}&case={rows[1].ref}"))
    assert rows[1].ref in answer.text
    for name in ("rhea", "eve", "finn", "nobody"):
        assert stage.at(name).get(f"/desk/families/{family}/").status in (404, 200)
        assert "Theo's words" not in stage.at(name).get(f"/desk/families/{family}/").text


def test_a_triager_of_another_program_learns_of_no_case_here(cast: Cast) -> None:
    nora = make_person("nora", "Nora K.")
    quill = create_program(
        slug="quill", name="Quill", organisation="Larkfield", members={nora: [Role.SECURITY_TRIAGER]}
    )
    assert quill.pk != cast.program.pk
    first, second = submit(cast), submit(cast, by=cast.eve)
    stage = Stage(cast)
    ok(mark(stage, "theo", second, "duplicate", first.ref))
    client = Client()
    client.force_login(nora, backend="allauth.account.auth_backends.AuthenticationBackend")
    family = second.membership.family.ref
    absent = client.get("/desk/families/FA-2222-2222/").content
    for path in (
        f"/desk/families/{family}/",
        f"/desk/cases/{first.ref}/same/duplicate/",
        f"/desk/cases/{first.ref}/split/",
    ):
        for answer in (client.get(path), client.post(path, {"of": second.ref, "title": "x", "vuln_class": "HC"})):
            assert answer.status_code == 404
            assert answer.content == absent
    assert client.post("/desk/families/", {"case": [first.ref, second.ref]}).status_code == 404
    named = client.post("/desk/families/", {"more": f"{first.ref} {second.ref}"})
    nowhere = client.post("/desk/families/", {"more": "ME-2222-2222"})
    assert named.status_code == nowhere.status_code == 422
    told = "There is no such case"
    assert told in named.content.decode()
    assert told in nowhere.content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_triagers_at_once_on_the_same_case_and_on_each_other(settings: Any) -> None:
    cast = people.make_cast()
    first, second, third = submit(cast), submit(cast), submit(cast, by=cast.eve)
    seen = {"version": str(third.version)}
    came = _at_once({
        "theo": (cast.theo, f"/desk/cases/{third.ref}/same/duplicate/", {**seen, "of": first.ref, "why": "Mine."}),
        "mina": (cast.mina, f"/desk/cases/{third.ref}/same/merge/", {**seen, "of": second.ref, "why": "Hers, kept."}),
    })  # fmt: skip
    assert sorted(answer.status_code for answer in came.values()) == [302, 409]
    [loser] = [name for name, answer in came.items() if answer.status_code == 409]
    page = came[loser].content.decode()
    assert "What you wanted" in page
    assert {"theo": "Mine.", "mina": "Hers, kept."}[loser] in page
    assert {"theo": "Mina A. changed this case", "mina": "Theo L. changed this case"}[loser] in page
    came = _at_once({
        "theo": (cast.theo, f"/desk/cases/{first.ref}/same/merge/", {"version": str(first.version), "of": second.ref}),
        "mina": (cast.mina, f"/desk/cases/{second.ref}/same/merge/", {"version": str(second.version), "of": first.ref}),
    })  # fmt: skip
    assert sorted(answer.status_code for answer in came.values()) == [302, 422], "no two cases follow each other"
    rows = {case.pk: case.duplicate_of_id for case in Case.objects.all()}
    [last] = [pk for pk, follows in rows.items() if follows is None]
    assert set(rows.values()) == {None, last}, "and everybody follows the one in which the work goes on"


def _at_once(todo: dict[str, tuple[Any, str, dict[str, str]]]) -> dict[str, Any]:
    together, came = threading.Barrier(len(todo)), {}

    def go(name: str, person: Any, path: str, form: dict[str, str]) -> None:
        try:
            client = Client()
            client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
            together.wait(60)
            came[name] = client.post(path, form)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(name, *rest)) for name, rest in todo.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return came
