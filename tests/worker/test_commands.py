"""`init`, `check`, `serve` and `worker` as a person meets them: real processes in a place of their own."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.process, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
MINE = ("--organisation", "Larkfield", "--name", "Larkfield AI reports", "--slug", "larkfield")
WHO = ("--email", "lena@larkfield.example")


def run(place: Path, *words: str, typed: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MANYEYES_", "DJANGO_"))},
        "MANYEYES_DATA_DIR": str(place / "data"),
        "MANYEYES_MASTER_KEY_FILE": str(place / "config" / "master.key"),
        "PYTHONPATH": str(ROOT / "src"),
        **more,
    }
    command = [sys.executable, "-m", "manyeyes.cli", *words]
    return subprocess.run(command, env=environment, cwd=place, input=typed, capture_output=True, text=True, timeout=150)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("house")
    made = run(place, "init", *MINE, *WHO, "--publish")
    assert made.returncode == 0, made.stderr
    assert "Your password, shown once: " in made.stdout
    assert "/p/larkfield/ (public)" in made.stdout
    assert "manyeyes serve" in made.stdout
    skipped = re.search(r"Opened past the launch checklist: (\d+) of \d+ items were skipped\.", made.stdout)
    assert skipped is not None, made.stdout
    assert int(skipped[1]) == made.stdout.count("\n  - ") > 5
    assert "  - First responder: " in made.stdout
    assert "/desk/program/larkfield/launch/ until they are done" in made.stdout
    return place


def test_init_leaves_everything_closed_to_others(house: Path) -> None:
    for folder in ("data", "data/files", "data/mail", "data/log", "data/run"):
        assert stat.S_IMODE((house / folder).stat().st_mode) == 0o700
    for file in (house / "config" / "master.key", house / "data" / "db.sqlite3"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not (house / "data" / "master.key").exists()


def test_init_makes_a_small_real_program_and_no_demo_data(house: Path) -> None:
    with sqlite3.connect(house / "data" / "db.sqlite3") as database:

        def count(table: str) -> int:
            return int(database.execute(f"select count(*) from {table}").fetchone()[0])

        assert [count(f"programs_{name}") for name in ("program", "policyversion", "membership", "target")] == [1] * 4
        (access,) = database.execute("select access from programs_target").fetchone()
        assert access == "manual", "something to report about, and no machine that reaches it"
        assert count("accounts_person") == 1
        assert count("cases_case") == 0
        roles = database.execute("select roles from programs_membership").fetchone()[0]
    assert "security_triager" in roles
    assert "ml_triager" in roles


@pytest.mark.parametrize(
    ("who", "name"),
    [
        (("--email", "you@example.org"), "Team of Larkfield"),
        (("--email", "security@example.org"), "Team of Larkfield"),
        (("--email", "you@example.org", "--person", "Ada Example"), "Ada Example"),
        (WHO, "lena"),
    ],
)
def test_the_first_person_has_a_public_name_that_says_who_they_are(
    tmp_path: Path, who: tuple[str, ...], name: str
) -> None:
    assert run(tmp_path, "init", *MINE, *who).returncode == 0
    with sqlite3.connect(tmp_path / "data" / "db.sqlite3") as database:
        found = database.execute("select display_name, handle from accounts_person").fetchall()
    assert found == [(name, "larkfield-team")]


def test_init_again_changes_nothing(house: Path) -> None:
    key = (house / "config" / "master.key").read_bytes()
    again = run(house, "init", *MINE, *WHO)
    assert again.returncode == 0
    assert "exists already; nothing was changed" in again.stdout
    assert "password" not in again.stdout
    assert (house / "config" / "master.key").read_bytes() == key


def test_a_second_person_is_not_passed_over(house: Path) -> None:
    refused = run(house, "init", "--email", "mina@larkfield.example")
    assert refused.returncode == 2
    assert "--email: " in refused.stderr
    assert "Invite people at " in refused.stderr
    assert "changed" not in refused.stdout


def test_private_program_is_opened_later(tmp_path: Path) -> None:
    first = run(tmp_path, "init", *MINE, *WHO)
    assert "(draft)" in first.stdout
    assert "launch checklist" in first.stdout
    opened = run(tmp_path, "init", "--publish")
    assert (opened.returncode, "is open now" in opened.stdout, "(public)" in opened.stdout) == (0, True, True)
    assert "  - A test report, sent through and answered: " in opened.stdout


def test_check_is_content_and_then_names_what_is_wrong(house: Path) -> None:
    good = run(house, "check")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.count("ok ") == 7
    (house / "data" / "files").chmod(0o755)
    (house / "config" / "master.key").chmod(0o644)
    bad = run(house, "check", "--quiet")
    (house / "data" / "files").chmod(0o700)
    (house / "config" / "master.key").chmod(0o600)
    assert bad.returncode == 1
    assert "chmod 700" in bad.stderr
    assert "WRONG master key" in bad.stderr


def test_wrong_or_missing_master_key_is_said_and_never_replaced(house: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert run(other, "init", "--no-program").returncode == 0
    wrong = {"MANYEYES_MASTER_KEY_FILE": str(other / "config" / "master.key")}
    assert "data keys" in run(house, "check", **wrong).stderr
    missing = {"MANYEYES_MASTER_KEY_FILE": str(tmp_path / "gone.key")}
    for words in (("serve", "--port", "1"), ("worker",), ("init",)):
        refused = run(house, *words, **missing)
        assert refused.returncode == 2
        assert "MANYEYES_MASTER_KEY_FILE" in refused.stderr
        assert "Traceback" not in refused.stderr
    refused = run(house, "init", **wrong)
    assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)
    assert not (tmp_path / "gone.key").exists()


def test_changed_event_is_found(house: Path) -> None:
    script = (
        "import django; django.setup()\n"
        "from manyeyes import events\n"
        "for n in range(3): events.record('case:1', 'looked_at', actor='system', n=n)\n"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "manyeyes.settings",
        "MANYEYES_DATABASE_URL": "",
        "MANYEYES_DATA_DIR": str(house / "data"),
        "MANYEYES_MASTER_KEY_FILE": str(house / "config" / "master.key"),
        "PYTHONPATH": str(ROOT / "src"),
    }
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=150)
    assert run(house, "check").returncode == 0
    with sqlite3.connect(house / "data" / "db.sqlite3") as database:
        database.execute("update events_event set body = '{\"n\":9}' where seq = 2")
    found = run(house, "check")
    assert found.returncode == 1
    assert "case:1: event 2 was changed" in found.stderr


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        ((), "", "--organisation"),
        (("--organisation", "Larkfield"), "", "--email"),
        (("--organisation", "Larkfield", "--email", "nobody"), "", "email"),
        ((*MINE[:4], "--slug", "Not A Slug", *WHO), "", "slug"),
        ((*MINE, *WHO, "--zone", "Mars/North"), "", "zone"),
        ((*MINE, *WHO, "--password-stdin"), "short\n", "password"),
    ],
)
def test_init_names_the_answer_it_cannot_use(tmp_path: Path, words: tuple[str, ...], typed: str, said: str) -> None:
    refused = run(tmp_path, "init", *words, typed=typed)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    with sqlite3.connect(tmp_path / "data" / "db.sqlite3") as database:
        assert database.execute("select count(*) from programs_program").fetchone() == (0,)
        assert database.execute("select count(*) from accounts_person").fetchone() == (0,)


def test_nothing_runs_before_init(tmp_path: Path) -> None:
    for words in (("serve", "--port", "1"), ("worker", "--once")):
        refused = run(tmp_path, *words)
        assert (refused.returncode, "init" in refused.stderr) == (2, True)
        assert "Traceback" not in refused.stderr
    assert run(tmp_path, "check").returncode == 1
