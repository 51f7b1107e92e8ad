"""Settings of the test suite: a throw-away data directory and master key, fast hashing, mail in memory."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

_place = Path(tempfile.mkdtemp(prefix="manyeyes-tests-"))
os.environ.setdefault("MANYEYES_DATA_DIR", str(_place / "data"))
os.environ.setdefault("MANYEYES_MASTER_KEY_FILE", str(_place / "config" / "master.key"))
_key = Path(os.environ["MANYEYES_MASTER_KEY_FILE"])
if not _key.exists():
    _key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _key.touch(mode=0o600)
    _key.write_bytes(secrets.token_hex(32).encode() + b"\n")
Path(os.environ["MANYEYES_DATA_DIR"]).mkdir(parents=True, exist_ok=True, mode=0o700)
os.environ.setdefault("MANYEYES_ARGON2_MEMORY_KIB", "64")

from manyeyes.settings import *  # noqa: E402, F403

EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["*"]
ACCOUNT_RATE_LIMITS = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MANYEYES_REPORTS_PER_HOUR = 100_000
MANYEYES_PROGRAM_REPORTS_PER_HOUR = 100_000
MANYEYES_ALLOW_PRIVATE_TARGETS = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, not memory: threads and child processes must see the same rows.
    DATABASES["default"]["TEST"] = {"NAME": str(_place / "test.sqlite3")}  # noqa: F405
