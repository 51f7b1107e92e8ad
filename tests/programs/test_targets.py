"""Targets: pinned versions with sealed credentials, permits, and addresses that may be reached."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from manyeyes.accounts.models import Person
from manyeyes.programs import targets
from manyeyes.programs.models import Target, TargetVersion
from manyeyes.programs.setup import create_program
from manyeyes.rules import clock
from manyeyes.rules.errors import Conflict, Invalid
from tests.people import make_cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def target() -> Target:
    program = create_program(slug="wicket", name="Wicket", organisation="Larkfield")
    return targets.add_target(program, name="Wicket", access="api", in_scope="The support assistant, all versions")


def test_credential_is_sealed_and_readable_only_through_the_row(target: Target) -> None:
    version = targets.add_version(target, label="v1", endpoint_url="http://127.0.0.1:9/v1", api_key="sk-MARKER-1")
    assert TargetVersion.objects.get(pk=version.pk).api_key == "sk-MARKER-1"
    with connection.cursor() as cursor:
        cursor.execute("select * from programs_targetversion")
        assert all(b"MARKER" not in bytes(v) for row in cursor for v in row if isinstance(v, bytes | memoryview))
    assert target.program.scope.get().target == target


def test_current_version_is_the_last_deployed_that_is_not_retired(target: Target) -> None:
    url = "http://127.0.0.1:9/v1"
    old = targets.add_version(target, label="v1", endpoint_url=url, deployed_at=NOW - timedelta(days=2))
    new = targets.add_version(target, label="v2", endpoint_url=url, deployed_at=NOW)
    assert target.current == new
    new.retired_at = NOW
    new.save()
    assert target.current == old
    with pytest.raises(Conflict, match="v1"):
        targets.add_version(target, label="v1", endpoint_url=url)


def test_permit_runs_out(target: Target) -> None:
    olga = Person.objects.create_person(email="olga@larkfield.example", handle="olga")
    with clock.freeze(NOW):
        targets.grant(target, by=olga, operator="Larkfield", basis="Our own system", until=NOW + timedelta(hours=1))
        permit = targets.permit_of(target)
        assert permit is not None
        assert (permit.operator, permit.granted_by) == ("Larkfield", str(olga.pk))
    with clock.freeze(NOW + timedelta(hours=2)):
        assert targets.permit_of(target) is None
    with pytest.raises(Invalid) as refused:
        targets.grant(target, by=olga, operator="", basis="", environment="moon", hazard_classes=["zzz"])
    assert set(refused.value.fields) == {"operator", "basis", "environment", "hazard_classes"}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/v1",
        "https://127.1/v1",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://localhost:8000/",
        "https://db.internal/",
        "https://10.0.0.8/v1",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:192.168.1.1]/",
        "https://[fd00::1]/",
        "https://224.0.0.1/",
        "http://models.example/v1",
    ],
)
def test_private_or_plain_addresses_are_refused_unless_allowed(url: str, settings: Any) -> None:
    settings.MANYEYES_ALLOW_PRIVATE_TARGETS = False
    with pytest.raises(Invalid) as refused:
        targets.check_url(url)
    assert "endpoint_url" in refused.value.fields
    settings.MANYEYES_ALLOW_PRIVATE_TARGETS = True
    assert targets.check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "models.example/v1",
        "file:///etc/passwd",
        "ftp://models.example/",
        "https://user:word@models.example/",
        "https://models.example/#x",
        "https://models.example/v1?api-key=sk-live",
        "https://models.example/v1?",
        "https://models.example:0/",
        "https://models.example:99999/",
        "https://good.example\\@evil.example/",
        "https://[::1",
        "https://modèles.example/",
        "https://models.example/\nHost: x",
    ],
)
def test_addresses_that_make_no_sense_are_refused_always(url: str, settings: Any) -> None:
    settings.MANYEYES_ALLOW_PRIVATE_TARGETS = True
    with pytest.raises(Invalid):
        targets.check_url(url)


def test_public_address_is_fine(settings: Any) -> None:
    settings.MANYEYES_ALLOW_PRIVATE_TARGETS = False
    assert targets.check_url("https://models.example/v1") == "https://models.example/v1"


def test_what_a_column_cannot_hold_is_refused_on_every_database(db: None) -> None:
    program = make_cast().program
    with pytest.raises(Invalid) as refused:
        targets.add_target(program, name="W" * 121, access="none", in_scope="x" * 301)
    assert set(refused.value.fields) == {"name", "in_scope"}
    target = targets.add_target(program, name="Another", access="none")
    with pytest.raises(Invalid) as refused:
        targets.add_version(target, label="v" * 61, model="m" * 121)
    assert set(refused.value.fields) == {"label", "model"}
