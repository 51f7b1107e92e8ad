"""A triager limited to a program sees no other: no case, list, count, search, name, file or page, by any address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse

from manyeyes.cases import access, assignment, conversation, families, intake, queue, triage
from manyeyes.cases.keeping import Brought
from manyeyes.events.models import Delivery, Event
from manyeyes.programs.models import Program
from manyeyes.programs.setup import add_member, create_program
from manyeyes.programs.targets import add_target, add_version, grant
from manyeyes.rules.errors import NotFound
from manyeyes.rules.lifecycle import Role
from tests.house.access_matrix import names
from tests.people import Cast, make_case, make_person, make_report, reproduce

As = Callable[[str], Client]
MARK = "QUILL-7719"


@pytest.fixture
def other(cast: Cast) -> Cast:
    """A second program with people of its own; nobody of the first works in it."""
    nora, omar, vera = (make_person(name, name.capitalize()) for name in ("nora", "omar", "vera"))
    program = create_program(
        slug="quill", name=f"Quill {MARK}", organisation="Larkfield",
        members={vera: [Role.PROGRAM_MANAGER], nora: [Role.SECURITY_TRIAGER], omar: [Role.ML_TRIAGER]}, public=True,
    )  # fmt: skip
    Program.objects.filter(pk=program.pk).update(state="private")
    target = add_target(program, name=f"Quill {MARK}", access="api", owner=vera, in_scope="Quill")
    v1 = add_version(target, label="v1", endpoint_url="http://127.0.0.1:9/v1", model="quill")
    grant(target, by=vera, operator="Larkfield", basis="our own", environment="sandbox")
    return replace(
        cast, program=program, target=target, v1=v1, v2=v1, v3=v1, theo=nora, mina=omar, lena=vera, olga=vera,
        rhea=make_person("rolf", handle="rolf"),
    )  # fmt: skip


def addresses(other: Cast, case: Any) -> list[str]:
    """Every address of the console that speaks of a thing of the other program."""
    link = case.reproductions.first()
    said = case.messages.first()
    values = {
        "ref": case.ref, "slug": other.program.slug, "replay_id": link.replay_id, "file_id": case.attachments.get().pk,
        "person_id": other.theo.pk, "message_id": said.pk, "answer_id": said.pk, "name": "close", "part": "target",
        "stream": "main", "index": 0, "item_id": other.program.scope.get().pk, "number": 1,
        **dict.fromkeys(("list_id", "bundle_id", "rescoring_id", "dispute_id"), said.pk), "how": "duplicate",
        "family": families.group([case, make_case(other)], by=other.theo, name=f"{MARK} family").ref,
    }  # fmt: skip
    found = []
    for name in sorted(names(get_resolver().url_patterns)):
        if name.startswith("console:"):
            pattern = get_resolver(None).namespace_dict["console"][1].reverse_dict.getlist(name.partition(":")[2])
            wanted = {part for possible, *_ in pattern for _, parts in possible for part in parts}
            if wanted & {"ref", "slug", "replay_id", "file_id", "family"}:
                try:
                    found.append(reverse(name, kwargs={part: values[part] for part in wanted}))
                except NoReverseMatch:
                    raise AssertionError(f"{name} needs {wanted}") from None
    return found


def test_no_address_of_another_program_answers(cast: Cast, other: Cast, as_: As) -> None:
    report = make_report(other, title=f"{MARK} title", happened=f"{MARK} happened")
    case = intake.submit(other.program, report, by=other.rhea, files=[Brought(name="log.txt", chunks=[b"log"])]).case
    conversation.say(case, by=other.theo, text=f"{MARK} word", public=True)
    triage.accept(case, by=other.theo)
    reproduce(other, case)
    found = addresses(other, case)
    before = Event.objects.filter(subject=case.subject).count()
    assert len(found) > 40
    for name in ("theo", "mina", "lena", "ada", "aud"):
        browser = as_(name)
        for path in found:
            for answer in (browser.get(path), browser.post(path, {"sent": "1", "what": "me", "audience": "public"})):
                assert answer.status_code in (404, 405), (name, path, answer.status_code)
                assert MARK not in answer.content.decode(), (name, path)
    assert Event.objects.filter(subject=case.subject).count() == before, "nothing was done, and nothing was recorded"


def test_no_list_count_search_or_form_tells_of_another_program(cast: Cast, other: Cast, as_: As) -> None:
    mine = make_case(cast, at="rated")
    theirs = make_case(other, at="rated", title=f"{MARK} title")
    theo = as_("theo")
    assert queue.counts(cast.theo)["all"] == 1
    assert queue.counts(other.theo)["all"] == 1
    assert set(access.visible_to(cast.theo)) == {mine}
    pages = [
        "/desk/", "/desk/?view=needs_me", "/desk/?view=mine", f"/desk/?q={theirs.ref}", f"/desk/?q={MARK}",
        "/desk/?q=rolf", "/desk/me/", "/desk/program/", f"/desk/program/{cast.program.slug}/people/",
        f"/desk/cases/{mine.ref}/reassign/", f"/desk/cases/{mine.ref}/",
    ]  # fmt: skip
    for path in pages:
        page = theo.get(path, follow=True).content.decode()
        for told in (MARK, "Nora", "Omar", "Vera", theirs.ref):
            assert told not in page or told in path, (path, told)
            assert f"/desk/cases/{theirs.ref}/" not in page, path
    sent = theo.post("/desk/selected/", {"case": [theirs.ref], "what": "assign"})
    assert sent.status_code == 404
    named = theo.post(f"/desk/cases/{mine.ref}/same/duplicate/", {"of": theirs.ref})
    absent = theo.post(f"/desk/cases/{mine.ref}/same/duplicate/", {"of": "ME-0000-0000"})
    assert named.status_code == absent.status_code == 422
    told = "There is no such case"
    assert told in named.content.decode()
    assert told in absent.content.decode()


def test_people_of_another_program_get_no_case_and_no_mail(cast: Cast, other: Cast) -> None:
    mine = make_case(cast, at="triaged")
    with pytest.raises(NotFound):
        access.case_for(other.theo, mine.ref)
    seated = {seat.person_id for seat in mine.seats.all()} | {seat.backup_id for seat in mine.seats.all()}
    assert not seated & {other.theo.pk, other.mina.pk, other.lena.pk}
    assert {one.person for one in assignment.choices(mine)} == {cast.theo, cast.mina, cast.lena}
    conversation.say(mine, by=cast.theo, text="See this, @nora and @omar.")
    mailed = set(Delivery.objects.filter(case_ref=mine.ref).values_list("person_id", flat=True))
    assert not mailed & {other.theo.pk, other.mina.pk, other.lena.pk}


def test_somebody_in_two_programs_has_the_roles_of_each(cast: Cast, other: Cast, as_: As) -> None:
    add_member(other.program, cast.theo, [Role.FINANCE])
    theirs = make_case(other, at="triaged")
    assert as_("theo").get(f"/desk/cases/{theirs.ref}/").status_code == 404, "finance opens no case"
    add_member(other.program, cast.theo, [Role.AUDITOR])
    assert as_("theo").get(f"/desk/cases/{theirs.ref}/").status_code == 200
    assert as_("theo").post(f"/desk/cases/{theirs.ref}/assign/", {"what": "me"}).status_code == 403
