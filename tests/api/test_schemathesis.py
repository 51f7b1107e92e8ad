"""The document under fire: seeded requests made from it, right and wrong ones, as a stranger and as a researcher.

None may end in a 5xx, and every answer must be one that the document names, in the shape that it gives.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from manyeyes.accounts import tokens
from manyeyes.api.calls import api
from manyeyes.api.document import document
from manyeyes.cases import conversation, coreporters, drafts
from manyeyes.cases.keeping import Brought
from manyeyes.cases.models import Case
from manyeyes.wsgi import application
from tests import people
from tests.people import Cast

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 12
LONGEST = 120.0
"""Seconds for each of the two callers; what is left then is not tried in this run."""
ENDS = ("/tokens/revoke",)
"""Would end the caller's own token, and so everything after it."""

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TAKES_AWAY = ("/removal", "/end", "/refusal", "/acceptance")
"""Would take away what the addresses after it speak of, so they are called with ids of nothing."""


def there(cast: Cast, case: Case) -> dict[str, str]:
    """Ids of things that are there and belong to rhea, by the names of the path's parameters."""
    draft = drafts.save(cast.program, {}, by=cast.rhea, brought=[Brought(name="a.txt", chunks=[b"a recording"])])
    coreporters.invite(case, by=cast.rhea, handle="somebody_else")
    return {
        "slug": cast.program.slug, "ref": case.ref, "replay_id": str(case.reproductions.all()[0].replay_id),
        "draft_id": str(draft.draft.pk), "file_id": str(draft.files[0].pk),
        "message_id": str(conversation.say(case, by=cast.rhea, text="A word.", public=True).pk),
        "co_reporter_id": str(coreporters.standing(case)[0].pk),
    }  # fmt: skip


def operations() -> list[Any]:
    """Every address of the document with its method."""
    schema = schemathesis.openapi.from_dict(document(api))
    schema.app = application
    return [found.ok() for found in schema.get_all_operations()]


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """The requests are made within the transaction of the test, so its connection stays open."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("who", ["nobody", "rhea"])
def test_no_request_breaks_it_and_every_answer_is_as_described(cast: Cast, who: str) -> None:
    case = people.make_case(cast, at="holds")
    known = there(cast, case)
    headers = {"Host": "localhost"}
    if who != "nobody":
        headers["Authorization"] = f"Bearer {tokens.issue(cast.rhea, name='a', scopes=list(tokens.SCOPES), days=1)[1]}"
    until, tried = time.monotonic() + LONGEST, 0
    for operation in operations():
        if operation.path.endswith(ENDS):
            continue
        tried += _fired(operation, known, headers, until)
    assert tried > 100
    assert Case.objects.filter(pk=case.pk).exists()


def _fired(operation: Any, known: dict[str, str], headers: dict[str, str], until: float) -> int:
    """How many requests were made of one address."""
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))
    made = 0

    @seed(20261123)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases, real=st.integers(0, 3))
    def fire(case: Any, real: int) -> None:
        nonlocal made
        if time.monotonic() > until:
            return
        # Most of the time the address is one that is there, so that the body is looked at.
        if real and not operation.path.endswith(TAKES_AWAY):
            case.path_parameters = {**case.path_parameters, **{
                name: value for name, value in known.items() if name in case.path_parameters
            }}  # fmt: skip
        answer = case.call(headers=headers)
        made += 1
        as_made = not real and "Authorization" not in headers
        case.validate_response(answer, checks=(*CHECKS, negative_data_rejection) if as_made else CHECKS)

    fire()
    return made
