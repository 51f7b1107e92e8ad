"""What exists but is not yours, and what does not exist, answer the same: bytes, headers, cookies and time."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from manyeyes.cases.models import Case
from tests import people
from tests.journeys.site import ORIGIN

GONE = "ME-2222-2222"
PAGES = (
    "/my/{ref}/", "/my/{ref}/retest/", "/my/{ref}/credit/", "/my/{ref}/embargo/",
    "/my/{ref}/replay/{replay}/", "/my/{ref}/fix/{fix}/",
    "/desk/cases/{ref}/", "/desk/cases/{ref}/replay/", "/desk/cases/{ref}/verify/", "/desk/cases/{ref}/severity/",
    "/desk/cases/{ref}/fix/", "/desk/cases/{ref}/advisory/", "/desk/cases/{ref}/reproducer/",
    "/desk/cases/{ref}/move/close/",
    "/desk/replays/{replay}/", "/desk/replays/{replay}/result.json", "/desk/replays/{replay}/manual/",
    "/desk/replays/{replay}/calls/main/0/", "/desk/fixes/{fix}/",
)  # fmt: skip
POSTS: dict[str, dict[str, str]] = {
    "/my/{ref}/say/": {"text": "hello"},
    "/my/{ref}/withdraw/": {},
    "/my/{ref}/retest/": {"claim_k": "0", "claim_n": "10"},
    "/my/{ref}/credit/": {"mode": "none"},
    "/my/{ref}/embargo/": {"action": "agree"},
    "/desk/cases/{ref}/say/": {"text": "hello", "audience": "public"},
    "/desk/cases/{ref}/acknowledge/": {},
    "/desk/cases/{ref}/assign/": {"what": "me"},
    "/desk/cases/{ref}/cause/": {"category": "wiring", "text": "x"},
    "/desk/cases/{ref}/move/reopen/": {"words": "x"},
    "/desk/cases/{ref}/move/close/": {"words": "x", "reason": "spam"},
    "/desk/cases/{ref}/signoff/": {"discipline": "security", "agrees": "yes"},
    "/desk/cases/{ref}/embargo/": {"action": "end"},
    "/desk/cases/{ref}/replay/": {"action": "start"},
    "/desk/cases/{ref}/severity/": {"DX": "H"},
    "/desk/cases/{ref}/fix/": {"summary": "x"},
    "/desk/cases/{ref}/advisory/": {"action": "publish"},
    "/desk/cases/{ref}/reproducer/": {"reproducer": "x"},
    "/desk/replays/{replay}/control/": {"action": "cancel"},
    "/desk/replays/{replay}/manual/": {"outcome": "success", "stream": "main", "index": "0"},
}
LIKE_ANY = ("Date",)


@pytest.fixture
def there(cast: people.Cast) -> dict[str, str]:
    """A case that went the whole way, as the parts of its addresses."""
    return _parts(people.make_case(cast, at="resolved"))


@pytest.fixture
def other_team(cast: people.Cast) -> Any:
    """A triager of another program."""
    from manyeyes.programs.setup import create_program
    from manyeyes.rules.lifecycle import Role

    outsider = people.make_person("otto", "Otto K.")
    create_program(
        slug="mole", name="Mole", organisation="Mole & Sons", contact_email="", public=True,
        members={outsider: [Role.SECURITY_TRIAGER, Role.PROGRAM_MANAGER]},
    )  # fmt: skip
    return outsider


def _parts(case: Case) -> dict[str, str]:
    links = {str(link.purpose): str(link.replay_id) for link in case.reproductions.all()}
    return {"ref": case.ref, "replay": links["reproduction"], "fix": links["verification"]}


def absent() -> dict[str, str]:
    """The same parts of nothing."""
    return {"ref": GONE, "replay": str(uuid.uuid4()), "fix": str(uuid.uuid4())}


def told(client: Client, method: str, path: str, form: dict[str, str]) -> tuple[int, bytes, dict[str, str], list[str]]:
    """Everything an answer tells: status, bytes, headers, cookies set."""
    answer = getattr(client, method)(path, form, **ORIGIN)
    headers = {name: value for name, value in answer.items() if name not in LIKE_ANY}
    return answer.status_code, answer.content, headers, sorted(answer.cookies)


def outsiders(cast: people.Cast, other_team: Any) -> Iterator[tuple[str, Client]]:
    """Everybody to whom the case must not exist."""
    people_of = {
        "eve": cast.eve, "a triager of another program": other_team, "an anonymous bearer": _bearer(cast),
        "finance": cast.finn,
    }  # fmt: skip
    for name, person in people_of.items():
        client = Client()
        client.force_login(person)
        yield name, client


def _bearer(cast: people.Cast) -> Any:
    from manyeyes.cases import intake

    return intake.submit(cast.program, people.make_report(cast, anonymous=True), by=None).case.reporter


def test_forbidden_and_absent_tell_the_same(cast: people.Cast, there: dict[str, str], other_team: Any) -> None:
    for name, client in outsiders(cast, other_team):
        for pattern, form in [*((page, None) for page in PAGES), *POSTS.items()]:
            method = "get" if form is None else "post"
            first = told(client, method, pattern.format(**there), form or {})
            second = told(client, method, pattern.format(**absent()), form or {})
            assert first[0] == 404, (name, method, pattern, first[0])
            assert first == second, (name, method, pattern)
    assert Case.objects.get(ref=there["ref"]).status == "resolved", "nothing of it was carried out"


def test_what_is_told_depends_on_nothing_but_the_refusal(cast: people.Cast, there: dict[str, str]) -> None:
    """The comparison can fail: whoever may see it is told something else."""
    own = Client()
    own.force_login(cast.rhea)
    for pattern in ("/my/{ref}/", "/my/{ref}/retest/"):
        assert told(own, "get", pattern.format(**there), {})[0] == 200
        assert told(own, "get", pattern.format(**there), {}) != told(own, "get", pattern.format(**absent()), {})


def test_not_signed_in_everything_leads_to_the_same_door(cast: people.Cast, there: dict[str, str]) -> None:
    gone = absent()
    for pattern in PAGES:
        first, second = Client().get(pattern.format(**there)), Client().get(pattern.format(**gone))
        assert (first.status_code, second.status_code) == (302, 302), pattern
        place = first["Location"]
        for name in ("ref", "replay", "fix"):
            place = place.replace(there[name], gone[name])
        assert place == second["Location"], pattern
        assert first.content == second.content


def test_the_researcher_finds_no_desk_and_no_unpublished_replay(cast: people.Cast) -> None:
    """The reporter's own case: its inside is as absent to them as a case that is not."""
    from manyeyes.cases import reproduction

    case = people.make_case(cast, at="triaged")
    link = reproduction.request(case, by=cast.theo)
    client = Client()
    client.force_login(cast.rhea)
    for pattern, here, gone in (
        ("/desk/cases/{}/", case.ref, GONE),
        ("/desk/replays/{}/", link.replay_id, uuid.uuid4()),
        (f"/my/{case.ref}/replay/{{}}/", link.replay_id, uuid.uuid4()),
        (f"/my/{case.ref}/fix/{{}}/", link.replay_id, uuid.uuid4()),
    ):
        first, second = (told(client, "get", pattern.format(part), {}) for part in (here, gone))
        assert first[0] == 404
        assert first == second, pattern


def test_a_replay_is_found_under_its_own_case_only(cast: people.Cast, there: dict[str, str]) -> None:
    mine = people.make_case(cast, at="new")
    client = Client()
    client.force_login(cast.rhea)
    assert client.get("/my/{ref}/replay/{replay}/".format(**there)).status_code == 200
    crossed = told(client, "get", f"/my/{mine.ref}/replay/{there['replay']}/", {})
    assert crossed == told(client, "get", f"/my/{mine.ref}/replay/{uuid.uuid4()}/", {})
    assert crossed[0] == 404


def test_drafts_and_absent_advisories_tell_the_same(cast: people.Cast, there: dict[str, str]) -> None:
    from manyeyes.publications import advisory

    case = Case.objects.get(ref=there["ref"])
    advisory.draft(case, by=cast.pia, title="A draft of ours", summary="Not yet.")
    slug = f"{cast.program.slug}-{case.ref.lower()}"
    first, second = (told(Client(), "get", f"/advisories/{one}/", {}) for one in (slug, "wicket-me-2222-2222"))
    assert first[0] == 404
    assert first == second
    published = advisory.publish(case, by=cast.pia)
    assert published.slug == slug, "the name that was asked for is the one it would have"
    assert Client().get(f"/advisories/{slug}/").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["/my/{ref}/", "/desk/cases/{ref}/"])
def test_forbidden_and_absent_take_the_same_time(cast: people.Cast, pattern: str, other_team: Any) -> None:
    """1,000 alternated requests; the medians lie within 5 % of each other. A busy computer gets one more chance."""
    case = people.make_case(cast, at="new")
    client = Client()
    client.force_login(other_team if "desk" in pattern else cast.eve)
    paths = pattern.format(ref=case.ref), pattern.format(ref=GONE)
    apart = [_apart(client, *paths)]
    if apart[-1] > 0.05:
        apart.append(_apart(client, *paths))
    assert apart[-1] <= 0.05, f"the medians are apart by {apart}"


def test_the_clock_of_these_tests_sees_a_single_row_more(cast: people.Cast) -> None:
    """The measurement can fail: a page that opens the case takes clearly longer than one that finds none."""
    case = people.make_case(cast, at="new")
    client = Client()
    client.force_login(cast.rhea)
    assert _apart(client, f"/my/{case.ref}/", f"/my/{GONE}/", rounds=20) > 0.05


def _apart(client: Client, one: str, other: str, rounds: int = 500) -> float:
    # SQLite works inside this process, so its time counts; another database's is only seen by the clock on the wall.
    tick = time.process_time if connection.vendor == "sqlite" else time.perf_counter
    for path in (one, other) * 10:
        client.get(path)
    took: dict[str, list[float]] = {one: [], other: []}
    for turn in range(rounds):
        for path in (one, other) if turn % 2 else (other, one):
            start = tick()
            client.get(path)
            took[path].append(tick() - start)
    first, second = (statistics.median(times) for times in took.values())
    return abs(first - second) / min(first, second)
