"""Every address keeps its row of the access matrix, for every viewer."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.http import HttpResponse
from django.test import Client, TestCase, override_settings
from django.urls import get_resolver, resolve, reverse

from manyeyes.accounts import tokens
from manyeyes.cases import attachments, conversation, coreporters, disputes, drafts, families, prepared, saved
from manyeyes.cases.judged import Rescoring
from manyeyes.cases.keeping import Brought
from manyeyes.cases.models import SentBundle
from manyeyes.events.models import Delivery
from manyeyes.programs import guests, openpgp, policy
from manyeyes.programs.models import Program
from manyeyes.programs.setup import create_program
from manyeyes.publications import advisory
from manyeyes.rules.lifecycle import Role
from tests import people
from tests.house import calling
from tests.house.access_matrix import PACKAGES, PENDING, ROWS, VIEWERS, Row, names

OURS = [name for name in names(get_resolver().url_patterns) if not name.startswith(PACKAGES)]


def groups(patterns: list[Any], prefix: str = "", above: frozenset[str] = frozenset()) -> dict[str, set[str]]:
    """Named address → the parts of it that vary."""
    found: dict[str, set[str]] = {}
    for pattern in patterns:
        own = above | set(pattern.pattern.regex.groupindex)
        if hasattr(pattern, "url_patterns"):
            room = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            found |= groups(pattern.url_patterns, room, own)
        else:
            found[f"{prefix}{pattern.name}"] = set(own)
    return found


KEPT_OUT = ("nobody", "eve", "rhea", "theo", "finn")
"""One of each kind that something is closed to: nobody, another account, a reporter, the team, who has no cases."""
GROUPS = groups(get_resolver().url_patterns)


def test_every_address_has_a_name_and_a_row() -> None:
    assert [name for name in OURS if name.endswith("None")] == []
    assert [name for name, times in Counter(OURS).items() if times > 1] == [], "two addresses of one name"
    assert set(OURS) == set(ROWS) | PENDING
    assert not set(ROWS) & PENDING


def test_every_row_answers_every_viewer() -> None:
    for name, row in ROWS.items():
        assert set(row.expected()) == set(VIEWERS), name
        assert set(row.expected().values()) <= set("IR–s"), name


def invited_to_a_private_program() -> str:
    """The secret of a link to another program, whose manager nobody of the cast is."""
    olga = people.make_person("other_olga", "Olga C.")
    other = create_program(slug="quiet", name="Quiet", organisation="Larkfield", members={olga: [Role.PROGRAM_MANAGER]})
    policy.publish(policy.draft(other), by=olga)
    Program.objects.filter(pk=other.pk).update(state=Program.State.PRIVATE)
    guests.invite(other, by=olga, email="new@outside.example")
    mailed = Delivery.objects.get(reason="account.guest_invited")
    return mailed.words["body"].partition("/invited/")[2].partition("/")[0]


def word(response: HttpResponse) -> str:
    """The answer as the matrix writes it."""
    if response.status_code == 302 and urlsplit(response["Location"]).path.startswith("/accounts/login"):
        return "s"
    kinds = {200: "I", 201: "I", 401: "s", 302: "I", 403: "R", 409: "R", 422: "R", 404: "–"}
    return kinds.get(response.status_code, str(response.status_code))


@override_settings(MANYEYES_REQUIRE_MFA=False)
class TestAccess(TestCase):
    """One stage for all rows; every request is undone, so that none sees what another did."""

    cast: people.Cast
    cases: dict[str, Any]
    values: dict[str, Any]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.cast = people.make_cast()
        openpgp.make_key(cls.cast.program, by=cls.cast.lena)
        cls.cases = {rung: people.make_case(cls.cast, at=rung) for rung in ("resolved", "new", "rated")}
        case = cls.cases["resolved"]
        advisory.draft(case, by=cls.cast.theo, title="A code is told", summary="The assistant told what it may not.")
        published = advisory.publish(case, by=cls.cast.pia)
        cls.values = {"number": 1, "form": "md", "name": "reopen", "part": "target", "stream": "main", "index": 0}
        sent = attachments.attach(case, by=cls.cast.rhea, chunks=[b"a recording"], name="recording.txt")
        cls.values["file_id"] = sent.pk
        measured = SentBundle(case=case, key=case.key, attachment=sent, found={}, by=cls.cast.rhea)
        measured.save()
        cls.values["bundle_id"] = measured.pk
        rating = case.ratings.get()
        seen = Rescoring(case=case, key=case.key, rating=rating, replay=rating.replay, vector=rating.vector)
        seen.save()
        cls.values["rescoring_id"] = seen.pk
        cls.values["dispute_id"] = disputes.dispute(case, by=cls.cast.rhea, text="It is worse than that.").pk
        cls.values["person_id"] = cls.cast.theo.pk
        cls.values["item_id"] = cls.cast.program.scope.get().pk
        cls.values["token_id"] = tokens.issue(cls.cast.rhea, name="a computer", scopes=["read"], days=1)[0].pk
        cls.values |= {"slug": cls.cast.program.slug, "advisory": published.slug}
        cls.values["mend"] = {
            "api": conversation.say(case, by=cls.cast.rhea, text="Another word of mine.", public=True).pk,
            "portal": conversation.say(case, by=cls.cast.rhea, text="A word of mine.", public=True).pk,
            "console": conversation.say(case, by=cls.cast.theo, text="A note of mine.").pk,
        }
        kept = families.group([case, cls.cases["rated"]], by=cls.cast.theo)
        cls.values |= {"how": "duplicate", "family": kept.ref}
        cls.values["list_id"] = saved.save(cls.cast.rhea, name="Hers", query="view=late").pk
        cls.values["answer_id"] = prepared.add(cls.cast.program, by=cls.cast.lena, name="Thanks", text="{ref}").pk
        file = Brought(name="recording.txt", chunks=[b"a recording"])
        held = drafts.save(cls.cast.program, {"typed": {}}, by=cls.cast.rhea, brought=[file])
        cls.values |= {"draft_id": held.draft.pk, "draft_file": held.files[0].pk}
        cls.values["secret"] = coreporters.invite(case, by=cls.cast.rhea)
        coreporters.invite(case, by=cls.cast.rhea, handle=cls.cast.eve.handle)
        cls.values["guest"] = invited_to_a_private_program()
        cls.values["co_reporter_id"] = coreporters.standing(case)[0].pk
        cls.values["invitation_id"] = coreporters.waiting_for(cls.cast.eve)[0].pk

    def address(self, name: str, row: Row) -> str:
        """The path of a named address on the stage."""
        case = self.cases[row.at]
        purpose = row.place.get("purpose", "reproduction")
        link = case.reproductions.filter(purpose=purpose).first()
        of_advisory = name in ("portal:advisory", "portal:advisory_text", "api:advisory")
        slug = self.values["advisory" if of_advisory else "slug"]
        known = {**self.values, "slug": slug, "ref": case.ref, "replay_id": link.replay_id if link else None}
        known["secret"] = self.values["guest" if name == "portal:guest" else "secret"]
        known["file_id"] = self.values["draft_file" if name.startswith("api:draft_") else "file_id"]
        known["message_id"] = self.values["mend"][name.partition(":")[0]] if name.endswith(":mend") else None
        return reverse(name, kwargs={group: known[group] for group in GROUPS[name]})

    def answer(self, viewer: str, name: str, row: Row) -> str:
        """What this viewer is told there."""
        if name.startswith("api:"):
            return self.called(viewer, name, row)
        client = Client(raise_request_exception=False)
        if viewer != "nobody":
            client.force_login(getattr(self.cast, viewer))
        with transaction.atomic():
            told = word(getattr(client, row.method)(self.address(name, row), dict(row.form)))
            transaction.set_rollback(True)
        return told

    def called(self, viewer: str, name: str, row: Row) -> str:
        """What this viewer's token is told there."""
        with transaction.atomic():
            told = word(calling.call(self.cast, viewer, self.address(name, row), row, self.values["secret"]))
            transaction.set_rollback(True)
        return told

    def test_every_viewer_gets_the_answer_of_the_matrix(self) -> None:
        wrong = {}
        for name, row in ROWS.items():
            told = {viewer: self.answer(viewer, name, row) for viewer in VIEWERS}
            if told != row.expected():
                wrong[name] = " ".join(told.values())
        assert wrong == {}, "the matrix and the pages differ:\n" + "\n".join(f"{n:22} {t}" for n, t in wrong.items())

    def test_the_other_method_lets_nobody_in_who_is_kept_out(self) -> None:
        """A page that also takes a form is one row: who may not look may not send, and the other way round."""
        wrong = {}
        for name, row in ROWS.items():
            other = replace(row, method="post" if row.method == "get" else "get", form={})
            for viewer, expected in row.expected().items():
                if expected in "–s" and viewer in KEPT_OUT:
                    told = self.answer(viewer, name, other)
                    if told not in (expected, "405"):
                        wrong[f"{viewer} at {other.method} {name}"] = told
        assert wrong == {}

    def test_the_addresses_lead_to_their_own_names(self) -> None:
        for name, row in ROWS.items():
            assert resolve(self.address(name, row)).view_name == name
