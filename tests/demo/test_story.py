"""The story hangs together: its reproducer is valid, its reporter's answers fit it, its people hold known roles."""

from __future__ import annotations

from manyeyes.demo import story
from manyeyes.demo.wicket import CODE, REPORTED, VERSIONS
from manyeyes.rules import mes


def test_the_reproducer_is_the_report() -> None:
    found = story.reproducer()
    assert found.success.canary == CODE == story.REPORT["success_text"]
    assert found.wording_list()[0].text == REPORTED == story.REPORT["steps"]
    assert found.vuln_class == story.REPORT["vuln_class"]
    rated = found.rated_setting()
    assert str(rated.temperature) == story.REPORT["temperature"]
    assert str(rated.max_tokens) == story.REPORT["max_tokens"]
    assert found.claim is not None
    assert (str(found.claim.successes), str(found.claim.trials)) == (story.REPORT["claim_k"], story.REPORT["claim_n"])


def test_the_settings_show_what_the_story_promises() -> None:
    settings = story.reproducer().setting_list()
    assert sorted({setting.temperature for setting in settings if setting.temperature}) == [0.7, 1.2]
    assert len({setting.max_tokens for setting in settings}) == 2
    assert sum(setting.deterministic for setting in settings) == 1


def test_the_deployed_versions_exist() -> None:
    assert {story.VULNERABLE, story.SYMPTOM_PATCH, story.ROOT_FIX} <= set(VERSIONS)


def test_people_are_told_apart_and_only_the_researcher_has_no_role() -> None:
    assert len({player.email for player in story.CAST}) == len({player.key for player in story.CAST}) == 5
    assert [player for player in story.CAST if not player.roles] == [story.RESEARCHER]


def test_the_rating_answers_every_metric() -> None:
    assert set(story.RATING_LETTERS) == set(story.RATING_REASONS) == set(mes.STANDARD.by_code)
    for code, letter in story.RATING_LETTERS.items():
        mes.STANDARD.by_code[code].option(letter)


def test_the_advisory_does_not_give_the_secret_away() -> None:
    texts = [story.ADVISORY_TITLE, story.ADVISORY_SUMMARY, story.ADVISORY_DETAILS, story.ADVISORY_ADVICE]
    assert not any(CODE in text for text in texts)


def test_a_retest_transcript_holds_each_exchange() -> None:
    assert story.retest_transcript([("a?", "b"), ("c?", "d")]) == "> a?\nb\n\n> c?\nd"
