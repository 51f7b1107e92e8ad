"""What a reproducer means: settings, wordings, messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from manyeyes.reproducer.load import ReproducerError, load_data, load_file, load_text
from manyeyes.reproducer.model import CLASSES, Reproducer, Wording
from tests.reproducer.examples import EXAMPLE


def made(**changes: Any) -> Reproducer:
    data = {**yaml.safe_load(EXAMPLE), **changes}
    return load_data({name: value for name, value in data.items() if value is not None})


def test_grid_is_a_product_and_the_rated_setting_is_one_of_it() -> None:
    found = made()
    assert [setting.id for setting in found.setting_list()] == ["t0.7-m24", "t0.7-m48", "t1.2-m24", "t1.2-m48"]
    assert found.rated_setting().id == "t0.7-m48"


def test_rated_outside_the_grid_comes_first() -> None:
    found = made(rated={"temperature": 0, "max_tokens": 5})
    assert found.setting_list()[0] == found.rated_setting()
    assert found.rated_setting().id == "t0-m5"
    assert found.rated_setting().deterministic
    assert len(found.setting_list()) == 5


def test_rated_defaults_to_the_claim_then_to_the_first() -> None:
    assert (
        made(rated=None, claim={"successes": 1, "trials": 2, "settings": {"temperature": 1.2}}).rated_setting().id
        == "t1.2-m24"
    )
    assert made(rated=None, claim=None).rated_setting().id == "t0.7-m24"
    assert (
        made(rated={}, claim={"successes": 1, "trials": 2, "settings": {"temperature": 2}}).rated_setting().id
        == "t0.7-m24"
    )


def test_settings_may_be_listed_or_left_out() -> None:
    rows = [{"id": "deployed", "temperature": 0.7}, {"id": "cold", "temperature": 0}]
    assert [setting.id for setting in made(settings=rows, rated={"temperature": 0.7}).setting_list()] == [
        "deployed",
        "cold",
    ]
    assert [setting.id for setting in made(settings=None, rated=None, claim=None).setting_list()] == ["default"]


def test_too_many_settings_are_refused() -> None:
    with pytest.raises(ReproducerError, match=r"settings: make 400 combinations; at most 256"):
        made(settings={"temperature": [i / 100 for i in range(20)], "max_tokens": list(range(1, 21))})


def test_wording_takes_its_place() -> None:
    found = made()
    other = Wording(id="x", text="Say it.")
    assert found.messages(found.rated_setting(), other) == [{"role": "user", "content": "Say it."}]


def test_without_wordings_the_last_user_message_is_the_wording() -> None:
    rows = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "Code?"},
    ]
    found = made(conversation=rows, wordings=None)
    (wording,) = found.wording_list()
    assert wording.text == "Code?"
    assert found.messages(found.rated_setting(), wording) == rows
    other = Wording(id="x", text="The code, please.")
    assert [row["content"] for row in found.messages(found.rated_setting(), other)] == [
        "Hi",
        "Yes?",
        "The code, please.",
    ]


def test_system_prompt_variants() -> None:
    rows = [{"role": "system", "content": "Old."}, {"role": "user", "content": "{{wording}}"}]
    found = made(
        conversation=rows, systems={"strict": "Be strict."}, settings={"system": "strict"}, rated=None, claim=None
    )
    (setting,) = found.setting_list()
    assert setting.id == "strict"
    assert found.messages(setting, found.wording_list()[0])[0] == {"role": "system", "content": "Be strict."}
    plain = made(systems={"strict": "Be strict."}, settings={"system": ["strict"]}, rated=None, claim=None)
    assert [row["role"] for row in plain.messages(plain.setting_list()[0], plain.wording_list()[0])] == [
        "system",
        "user",
    ]


def test_hash_is_of_the_meaning_not_the_layout() -> None:
    assert load_text(EXAMPLE).hash == load_text("# a remark\n" + EXAMPLE).hash
    assert load_text(EXAMPLE).hash != made(retry_budget=4).hash


def test_the_classes_of_the_taxonomy_are_known() -> None:
    assert len(CLASSES) == 16
    for code in CLASSES:
        assert made(**{"class": code}).vuln_class == code


def test_files_of_the_first_version_keep_their_hash() -> None:
    assert made().hash == "db200ea0279f0c1ebce404051db61189239a8d7b9fae619327d764301ada325a"
    wicket = Path(__file__).parents[2] / "src/manyeyes/demo/wicket.poc.yaml"
    assert load_file(wicket).hash == "c988d05273851dfe54110a294298b54746866524d6b884fb016ca0d78d32e6ee"
