"""What is installed is pinned twice and alike, and the repository names no registry."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.house.source import ROOT, project

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def locked() -> list[str]:
    """The requirement lines of the lock, without hashes."""
    lines = [line for line in LOCK.splitlines() if line and not line.startswith((" ", "#"))]
    return sorted(line.removesuffix("\\").strip() for line in lines)


def tracked() -> list[str]:
    """The files in git."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [file for file in done.stdout.split("\0") if file]


def test_the_constraints_are_those_of_the_lock() -> None:
    assert sorted(project()["tool"]["uv"]["constraint-dependencies"]) == locked()
    assert len(locked()) > 20


def test_every_pin_is_exact_and_has_a_hash() -> None:
    for requirement in re.split(r"\n(?=\S)", LOCK.strip()):
        assert re.match(r"[a-z0-9][a-z0-9._-]*==[^\s]+", requirement), requirement.splitlines()[0]
        assert "--hash=sha256:" in requirement


def test_the_lock_names_no_address() -> None:
    assert not re.search(r"://|--index|--find-links", LOCK)


def test_no_file_in_git_names_a_registry() -> None:
    files = tracked()
    assert "uv.lock" not in files
    # Written in pieces, so that this file does not find itself.
    address = re.compile(r"https?://[^\s\"'<>]*" + r"(?:/simple|pypi\.org/pypi|pythonhosted|artifactory|devpi|nexus)\b")
    option = re.compile("--(?:extra-)?index" + "-url")
    found = []
    for file in files:
        path = ROOT / file
        if path.is_file() and path.stat().st_size < 2_000_000:
            text = path.read_bytes().decode("utf-8", "replace")
            if address.search(text) or option.search(text):
                found.append(file)
    assert found == []
