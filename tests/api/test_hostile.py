"""What somebody tries who means harm: others' ids, hostile JSON, confused types, keys and tokens of others."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from manyeyes.accounts import tokens
from manyeyes.accounts.models import ApiToken
from manyeyes.cases import attachments, bundles_queue, conversation, coreporters, disclosure, drafts
from manyeyes.cases.keeping import Brought
from manyeyes.cases.models import Case, Message, Report, SentBundle
from manyeyes.rules import clock
from tests import people
from tests.api.conftest import V1, Caller
from tests.api.test_researcher import report
from tests.house.access_matrix import ROWS, Row
from tests.house.test_access import GROUPS
from tests.people import Cast

Calls = Callable[..., Caller]
KEY = "Idempotency-Key"
NONE = "00000000-0000-4000-8000-000000000000"
NOWHERE: dict[str, Any] = {"ref": "ME-2222-2222", "slug": "wicket"}


@pytest.fixture
def rheas(cast: Cast) -> dict[str, Any]:
    """The id of one thing of each kind that is hers."""
    case = people.make_case(cast, at="holds")
    file = attachments.attach(case, by=cast.rhea, chunks=[b"a recording"], name="recording.txt")
    bundle = SentBundle(case=case, key=case.key, attachment=file, found={}, by=cast.rhea)
    bundle.save()
    draft = drafts.save(cast.program, {"typed": {}}, by=cast.rhea, brought=[Brought(name="a.txt", chunks=[b"x"])])
    coreporters.invite(case, by=cast.rhea, handle=cast.mina.handle)
    return {
        "ref": case.ref, "slug": "wicket", "file_id": file.pk, "bundle_id": bundle.pk, "draft_id": draft.draft.pk,
        "draft_file": draft.files[0].pk, "replay_id": case.reproductions.all()[0].replay_id,
        "message_id": conversation.say(case, by=cast.rhea, text="A word.", public=True).pk,
        "co_reporter_id": coreporters.standing(case)[0].pk, "invitation_id": coreporters.standing(case)[0].pk,
    }  # fmt: skip


def of_somebody() -> Iterator[tuple[str, Row]]:
    """The addresses that belong to somebody, by what eve is answered there."""
    for name, row in ROWS.items():
        if name.startswith("api:") and row.expected()["eve"] == "–" and GROUPS[name] - {"slug"}:
            yield name, row


def asked(caller: Caller, name: str, row: Row, ids: dict[str, Any]) -> tuple[Any, int]:
    """The answer at these ids, and how many questions it put to the database."""
    file = ids.get("draft_file" if name.startswith("api:draft_") else "file_id", NONE)
    known = {group: {**ids, "file_id": file}.get(group, NONE) for group in GROUPS[name]}
    path = reverse(name, kwargs=known).removeprefix(V1)
    with CaptureQueriesContext(connection) as seen:
        if "file" in row.form:
            answer = caller.upload(path, b"hostile", "x.txt")
        else:
            answer = caller.get(path) if row.method == "get" else caller.post(path, dict(row.form))
    return answer, len(seen)


@pytest.mark.parametrize("who", ["eve", "theo", "bearer"])
def test_others_things_and_no_things_cannot_be_told_apart(
    cast: Cast, calls: Calls, rheas: dict[str, Any], who: str
) -> None:
    if who == "bearer":
        sent = calls("nobody").post("/programs/wicket/reports", report(cast, anonymous=True)).json()
        caller = Caller(calls("nobody").post("/tokens/receipt", {"digits": sent["receipt"]}).json()["token"])
    else:
        caller = calls(who)
    caller.get("/me")  # remembers when it was used, once
    before = (Message.objects.count(), Case.objects.get(ref=rheas["ref"]).version)
    tried = 0
    for name, row in of_somebody():
        hidden, cost = asked(caller, name, row, rheas)
        absent, usual = asked(caller, name, row, NOWHERE)
        assert hidden.status_code == 404, name
        assert (hidden.content, dict(hidden.headers)) == (absent.content, dict(absent.headers)), name
        assert who == "theo" or cost == usual, f"{name}: {cost} and {usual} questions to the database"
        tried += 1
    assert tried > 30
    assert (Message.objects.count(), Case.objects.get(ref=rheas["ref"]).version) == before


def test_ids_of_one_case_open_nothing_through_another(cast: Cast, calls: Calls, rheas: dict[str, Any]) -> None:
    own = people.submit(cast, by=cast.eve)
    other = people.make_case(cast, at="holds", by=cast.eve)
    disclosure.propose_embargo(
        Case.objects.get(ref=rheas["ref"]), by=cast.theo, until=clock.now() + people.timedelta(days=9)
    )
    proposal = disclosure.open_proposal(Case.objects.get(ref=rheas["ref"]))
    assert proposal is not None
    eve = calls("eve")
    for path in (f"/files/{rheas['file_id']}", f"/replays/{rheas['replay_id']}", f"/bundles/{rheas['bundle_id']}"):
        for case in (own, other):
            assert eve.get(f"/cases/{case.ref}{path}").status_code == 404
    assert eve.post(f"/cases/{own.ref}/messages/{rheas['message_id']}", {"text": "Mine."}).status_code == 404
    assert eve.post(f"/cases/{own.ref}/people/{rheas['co_reporter_id']}/end").status_code == 404
    assert eve.post(f"/cases/{own.ref}/embargo/agreement", {"proposal": str(proposal.pk)}).status_code in (404, 409)
    proposal.refresh_from_db()
    assert proposal.agreed_at is None


DEEP = 10_000
BODIES = {
    "lists": b"[" * DEEP + b"]" * DEEP,
    "objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep settings": b'{"settings":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
    "open lists": b"[" * 1_000_000,
    "half a character": b'{"text": "\\ud800"}',
    "half of another": b'{"text": "\\udc00 \\ud83d"}',
    "not utf-8": b'{"text": "\xff\xfe"}',
    "utf-16": '{"text": "hello"}'.encode("utf-16"),
    "no number": b'{"text": NaN}',
    "infinite": b'{"k": 1e999, "n": Infinity, "agrees": true}',
    "long number": b'{"k": ' + b"9" * 5_000 + b', "n": 1, "agrees": true}',
    "nothing": b"",
    "blank": b" ",
    "a word": b'"text"',
    "null": b"null",
    "many keys": b"{" + b",".join(b'"k%d": 1' % n for n in range(100_000)) + b"}",
    "two of one": b'{"text": "a", "text": "b", "a": 1}',
}


@pytest.mark.parametrize("path", ["/cases/{ref}/messages", "/cases/{ref}/retest", "/programs/wicket/reports",
                                  "/programs/wicket/drafts", "/me/profile/change"])  # fmt: skip
def test_hostile_json_is_refused_at_once(cast: Cast, calls: Calls, path: str) -> None:
    case, rhea = people.submit(cast), calls("rhea")
    for name, body in BODIES.items():
        began = time.perf_counter()
        answer = rhea.client.post(
            f"{V1}{path.format(ref=case.ref)}", body, content_type="application/json", headers=rhea.headers
        )
        assert answer.status_code in (400, 413, 422), f"{name}: {answer.status_code}"
        assert answer["Content-Type"] == "application/problem+json", name
        assert len(answer.content) < 30_000, name
        assert time.perf_counter() - began < 20, name
    assert not Message.objects.exists()
    assert Report.objects.count() == 1


@pytest.mark.parametrize("name", ["half a character", "not utf-8", "no number", "lists"])
def test_unreadable_json_is_told_where_and_how_to_mend_it(cast: Cast, calls: Calls, name: str) -> None:
    case, rhea = people.submit(cast), calls("rhea")
    path = f"{V1}/cases/{case.ref}/messages"
    answer = rhea.client.post(path, BODIES[name], content_type="application/json", headers=rhea.headers)
    assert answer.status_code == 400
    assert "JSON at line 1, column" in answer.json()["detail"]
    assert "Send UTF-8, no NaN" in answer.json()["detail"]


def test_a_body_that_is_too_large_is_told_the_limit_and_the_mend(cast: Cast, calls: Calls) -> None:
    case, rhea = people.submit(cast), calls("rhea")
    for more in ({}, {KEY: "once"}):
        answer = rhea.post(f"/cases/{case.ref}/messages", {"text": "x" * 10_000_000}, **more)
        assert answer.status_code == 413
        assert "may hold 6 MB. Send what is longer as a file." in answer.json()["detail"]


LINES = [f"{this}: &{this} [{','.join([f'*{one}'] * 8)}]" for one, this in zip("abcdefgh", "bcdefghi", strict=True)]
LAUGHS = "\n".join(["a: &a [lol,lol,lol,lol,lol,lol,lol,lol]", *LINES])
FILES = {
    "lists": "[" * DEEP, "maps": "{a: " * DEEP, "dashes": "- " * DEEP + "x", "laughs": LAUGHS, "nul": "\x00",
    "python": "!!python/object/apply:os.system [id]", "no reproducer": "a: \U0001f600",
    "of one's own kind": people.REPRODUCER.replace("claim:", "x: &x [1]\ny: [*x, *x]\nclaim:"),
}  # fmt: skip


@pytest.mark.parametrize("text", FILES.values(), ids=list(FILES))
def test_a_hostile_reproducer_is_refused_in_words(cast: Cast, calls: Calls, text: str) -> None:
    case, began = people.submit(cast, reproducer=""), time.perf_counter()
    answer = calls("rhea").post(f"/cases/{case.ref}/reproducers", {"text": text})
    assert answer.status_code == 422, answer.content
    assert set(answer.json()["fields"]) == {"reproducer"}
    assert time.perf_counter() - began < 5
    assert not case.reproducers.exists()


def test_nul_is_refused_by_its_field_or_kept_out_of_every_query(cast: Cast, calls: Calls) -> None:
    case, rhea = people.submit(cast), calls("rhea")
    for path, body in (
        (f"/cases/{case.ref}/messages", {"text": "a\0b"}),
        (f"/cases/{case.ref}/people/handle", {"handle": "a\0b"}),
        (f"/cases/{case.ref}/credit", {"mode": "name", "name": "a\0b"}),
        ("/programs/wicket/reports", report(cast, own_ref="a\0b")),
        ("/programs/wicket/reports", report(cast, settings={"temperature": "a\0b"})),
        ("/programs/wicket/reports", report(cast, co_reporters=["a\0b"])),
        ("/me/profile/change", {"handle": "a\0b"}),
        ("/me/profile/change", {"language": "a\0b"}),
        ("/me/key", {"openpgp_key": "a\0b"}),
        ("/tokens/receipt", {"digits": "a\0b"}),
        ("/receipts/claim", {"digits": "a\0b"}),
    ):
        assert rhea.post(path, body).status_code == 422, (path, body)
    assert rhea.post("/invitations/join", {"link": "a\0b"}).status_code == 404
    assert rhea.post("/programs/wicket/reports", report(cast, draft="a\0b")).status_code == 409
    for path in ("/cases?q=a%00b", "/cases?q=%00"):
        assert rhea.get(path).status_code == 200
    for path in ("/cases/%00", "/advisories/a%00", "/programs/a%00b"):
        assert rhea.get(path).status_code == 404, path
    for path in ("/cases?cursor=%00", "/cases?limit=%00"):
        assert rhea.get(path).status_code == 422, path


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", b'{"text": "a"}', 415),
        ("application/x-www-form-urlencoded", b"text=a", 415),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\na', 415),
        ("application/json+evil", b'{"text": "a"}', 415),
        ("", b'{"text": "a"}', 415),
        ("application/json; charset=utf-7", b'{"text": "+ADw-script+AD4-"}', 201),
        ("application/json", b"text=a", 400),
        ("APPLICATION/JSON", b'{"text": "a"}', 201),
    ],
)  # fmt: skip
def test_content_is_what_it_says_or_is_not_taken(cast: Cast, calls: Calls, kind: str, body: bytes, status: int) -> None:
    case, rhea = people.submit(cast), calls("rhea")
    path = f"{V1}/cases/{case.ref}/messages"
    answer = rhea.client.generic("POST", path, body, content_type=kind, headers=rhea.headers)
    assert answer.status_code == status, answer.content
    if status == 201:
        assert Message.objects.get().text in ("a", "+ADw-script+AD4-"), "no other alphabet is read into it"


FORMS = {
    "no boundary": ("multipart/form-data", b"--x\r\n", 400),
    "another boundary": ("multipart/form-data; boundary=y", b"--x\r\n\r\n--x--", 422),
    "another part": ("multipart/form-data; boundary=x",
                     b'--x\r\nContent-Disposition: form-data; name="upload"; filename="a"\r\n\r\na\r\n--x--\r\n', 422),
    "text in the place of a file": ("multipart/form-data; boundary=x",
                                    b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\na\r\n--x--\r\n', 422),
    "cut off": ("multipart/form-data; boundary=x",
                b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n', 422),
    "json": ("application/json", b'{"file": "a"}', 415),
    "too many parts": ("multipart/form-data; boundary=x", b"".join(
        b'--x\r\nContent-Disposition: form-data; name="f%d"; filename="a"\r\n\r\na\r\n' % n for n in range(200)
    ) + b"--x--\r\n", 400),
}  # fmt: skip


@pytest.mark.parametrize("name", list(FORMS))
def test_a_form_that_is_none_is_refused(cast: Cast, calls: Calls, name: str) -> None:
    kind, body, status = FORMS[name]
    case, rhea = people.submit(cast), calls("rhea")
    answer = rhea.client.generic("POST", f"{V1}/cases/{case.ref}/files", body, content_type=kind, headers=rhea.headers)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), answer.content
    assert not case.attachments.exists()


@pytest.mark.parametrize(
    "disposition",
    ["filename*=UTF-8''a%0d%0aX-Evil%3a%201.txt", 'filename="a\\"; filename=b.html"', 'filename="../../etc/passwd"',
     "filename*=UTF-8''%e2%80%aegnp.exe", 'filename="' + "a" * 300 + '"', "filename*=UTF-8''a%00.txt",
     'filename="..\\\\..\\\\a.txt"', 'filename="con"', "filename*=UTF-8''%ff%fe"],
)  # fmt: skip
def test_the_name_of_a_file_cannot_leave_its_header(cast: Cast, calls: Calls, disposition: str) -> None:
    case, rhea = people.submit(cast), calls("rhea")
    body = f'--x\r\nContent-Disposition: form-data; name="file"; {disposition}\r\n\r\nhello\r\n--x--\r\n'.encode()
    answer = rhea.client.generic(
        "POST", f"{V1}/cases/{case.ref}/files", body, content_type="multipart/form-data; boundary=x",
        headers=rhea.headers,
    )  # fmt: skip
    assert answer.status_code in (201, 422), answer.content
    if answer.status_code == 201:
        saved = rhea.get(f"/cases/{case.ref}/files/{answer.json()['id']}")
        assert b"".join(saved.streaming_content) == b"hello"
        said = saved["Content-Disposition"]
        assert said.startswith("attachment")
        assert "\r" not in said
        assert "\n" not in said
        assert "/" not in said.replace("utf-8''", "")
        assert "X-Evil" not in saved.headers
        assert saved["Content-Type"] == "application/octet-stream"


def test_a_key_of_another_account_opens_nothing_of_it(cast: Cast, calls: Calls) -> None:
    case, eves = people.submit(cast), people.submit(cast, by=cast.eve)
    rhea, eve, nobody = calls("rhea"), calls("eve"), calls("nobody")
    first = rhea.post(f"/cases/{case.ref}/messages", {"text": "Mine."}, **{KEY: "shared"})
    assert first.status_code == 201
    assert eve.post(f"/cases/{case.ref}/messages", {"text": "Mine."}, **{KEY: "shared"}).status_code == 404
    assert eve.post(f"/cases/{eves.ref}/messages", {"text": "Mine."}, **{KEY: "shared"}).status_code == 201
    assert nobody.post(f"/cases/{case.ref}/messages", {"text": "Mine."}, **{KEY: "shared"}).status_code == 401
    forged = nobody.post(
        f"/cases/{case.ref}/messages", {"text": "Mine."}, Authorization=f"Bearer  {rhea.token}x", **{KEY: "shared"}
    )
    assert forged.status_code == 401
    ApiToken.objects.filter(person=cast.rhea).update(revoked_at=clock.now())
    late = rhea.post(f"/cases/{case.ref}/messages", {"text": "Mine."}, **{KEY: "shared"})
    assert late.status_code == 401, "a kept answer is for a token that works"


@pytest.mark.parametrize("key", ["a" * 201, "a\x7fb", "é\u200b", "a\tb"])
def test_a_key_that_is_none_is_refused(cast: Cast, calls: Calls, key: str) -> None:
    case = people.submit(cast)
    answer = calls("rhea").post(f"/cases/{case.ref}/messages", {"text": "A word."}, **{KEY: key})
    assert answer.status_code == 422
    assert not Message.objects.exists()


def test_no_token_makes_itself_wider(cast: Cast, calls: Calls) -> None:
    narrow = calls("rhea", "read")
    for path, body in (
        ("/tokens", {"scopes": ["write"]}), ("/me", {"scopes": ["write"]}), ("/tokens/receipt", {"digits": "1" * 24}),
        ("/me/profile/change", {"scopes": ["write"]}), ("/receipts/claim", {"digits": "1" * 24}),
    ):  # fmt: skip
        assert narrow.post(path, body).status_code in (403, 404, 405, 422), path
    assert narrow.get("/me").json()["scopes"] == ["read"]
    for given in (f"Basic {narrow.token}", narrow.token, f"Bearer {narrow.token}, Bearer x", "Bearer", "Bearer \x00"):
        assert Caller().get("/me", Authorization=given).status_code == 401, given
    assert Caller().get(f"/me?token={narrow.token}&access_token={narrow.token}").status_code == 401
    row, _ = tokens.issue(cast.eve, name="eve's", scopes=["read"], days=1)
    browser = Client()
    browser.force_login(cast.rhea)
    assert browser.post(f"/my/tokens/{row.pk}/revoke/").status_code == 404
    assert browser.post("/my/tokens/", {"name": "x", "scopes": ["read", "admin"], "days": "1"}).status_code == 422


@pytest.mark.parametrize("until", ["0001-01-01", "9999-12-31", "2026-02-30", "1e9", "-1", "2999-01-01T00:00:00Z"])
def test_dates_at_the_end_of_the_world(cast: Cast, calls: Calls, until: str) -> None:
    case = people.submit(cast)
    answer = calls("rhea").post(f"/cases/{case.ref}/embargo/proposal", {"until": until})
    assert answer.status_code in (201, 409, 422), answer.content


def test_a_bundle_that_is_a_bomb_harms_nobody(cast: Cast, calls: Calls) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b"\0" * 50_000_000)
    case, rhea = people.submit(cast), calls("rhea")
    sent = rhea.upload(f"/cases/{case.ref}/bundles", out.getvalue())
    assert (sent.status_code, sent.json()["state"]) == (201, "waiting")
    assert bundles_queue.score_next("a worker")
    told = rhea.get(f"/cases/{case.ref}/bundles/{sent.json()['id']}").json()
    assert (told["state"], told["scored"]) == ("done", False)
    assert told["found"]["why"]


def test_the_same_request_twice_at_the_same_time_makes_one(
    cast: Cast, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the second had looked before the first was stored."""
    case, known, seen = people.submit(cast), drafts.find, []

    def late(*args: Any, **kwargs: Any) -> Any:
        seen.append(args)
        return None if len(seen) == 1 else known(*args, **kwargs)

    first = drafts.save(cast.program, {"typed": {"title": "One"}}, by=cast.rhea, sending="a" * 64)
    monkeypatch.setattr(drafts, "find", late)
    again = drafts.save(cast.program, {"typed": {"title": "Two"}}, by=cast.rhea, sending="a" * 64)
    assert again.draft.pk == first.draft.pk
    assert drafts.of(cast.rhea)[0].answers["typed"]["title"] == "One"
    link = coreporters.invite(case, by=cast.rhea, sending="a" * 64)
    monkeypatch.setattr(type(case.co_reporters), "filter", lambda *args, **kwargs: case.co_reporters.none())
    assert coreporters.invite(case, by=cast.rhea, sending="a" * 64) == link


def test_naming_somebody_twice_in_a_report_is_naming_them_once(cast: Cast, calls: Calls) -> None:
    named = [cast.eve.handle, f"@{cast.eve.handle.upper()}", "nobody_has_it", "Nobody_has_it"]
    sent = calls("rhea").post("/programs/wicket/reports", report(cast, co_reporters=named))
    assert sent.status_code == 201, sent.content
    assert coreporters.standing(Case.objects.get(ref=sent.json()["ref"])).count() == 2


def test_what_a_refusal_did_not_make_it_does_not_forget(cast: Cast, calls: Calls) -> None:
    rhea, path = calls("rhea"), "/programs/wicket/reports"
    sent = report(cast, submission_id=str(people.uuid.UUID(int=5, version=4)))
    assert rhea.post(path, sent, **{KEY: "k"}).status_code == 201
    cast.program.state = "private"
    cast.program.save()
    assert rhea.post(path, sent, **{KEY: "k"}).status_code == 404
    cast.program.state = "public"
    cast.program.save()
    assert rhea.post(path, {**sent, "impact": "Other."}, **{KEY: "k"}).status_code == 422, "the key is still taken"
