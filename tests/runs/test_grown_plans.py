"""A small file cannot make a large request or plan: what is placed often, and what is multiplied, is bounded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from manyeyes.commands.gate_files import write_text
from manyeyes.reproducer.load import load_data
from manyeyes.reproducer.parse import ReproducerError
from manyeyes.runs.cells import PrepareError
from manyeyes.runs.document import TargetInfo
from manyeyes.runs.prepare import Options, prepare
from tests.reproducer.examples import EXAMPLE


def example(**changes: Any) -> dict[str, Any]:
    return {**yaml.safe_load(EXAMPLE), **changes}


def says(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_a_document_placed_again_and_again_is_refused() -> None:
    mail = [{"id": "mail", "title": "Mail", "content": "x" * 90_000}]
    fits = example(conversation=says("{{wording}} {{document:mail}}" * 20), documents=mail)
    assert load_data(fits).documents
    with pytest.raises(ReproducerError, match=r"comes to more than 4,000,000 characters"):
        load_data(example(conversation=says("{{wording}} {{document:mail}}" * 200), documents=mail))


def test_so_is_a_wording() -> None:
    wordings = [{"id": "reported", "text": "q" * 90_000}]
    with pytest.raises(ReproducerError, match=r"comes to more than 4,000,000 characters"):
        load_data(example(conversation=says("{{wording}}" * 200), wordings=wordings))
    mail = [{"id": "mail", "title": "Mail", "content": "{{wording}}" * 40}]
    with pytest.raises(ReproducerError, match=r"comes to more than 4,000,000 characters"):
        load_data(example(conversation=says("{{document:mail}}" * 40), wordings=wordings, documents=mail))


def test_a_plan_of_many_settings_and_long_texts_is_refused() -> None:
    settings = {"temperature": [number / 200 for number in range(200)], "max_tokens": 256}
    wordings = [{"id": f"w{number}", "text": f"{number} {'q' * 9_000}"} for number in range(40)]
    data = example(settings=settings, wordings=wordings, rated={"temperature": 0.5, "max_tokens": 256})
    data.pop("claim", None)
    found = load_data({name: value for name, value in data.items() if name != "systems"})
    with pytest.raises(PrepareError, match="more than 32,000,000 characters"):
        prepare(found, "map", targets={"main": TargetInfo(url="http://127.0.0.1:9")}, options=Options(wordings="all"))


def test_a_name_that_no_file_holds_loses_no_result(tmp_path: Path) -> None:
    write_text(tmp_path / "gate.xml", "caf\udce9")
    assert (tmp_path / "gate.xml").read_text() == "caf?"
