"""Every kind of problem has its words in every language: what is wrong, and what to do next."""

from __future__ import annotations

import pytest

from common.rules.problems import ProblemKind
from common.words import LANGUAGES, PROBLEM_WORDS, problem_words_for

FULL_STOP = {"en": ".", "ja": "。"}
LENGTH_MAX = 120
"""Characters of a sentence that is read at a glance on a phone."""


def test_the_words_of_problems_are_complete_in_every_language():
    assert set(PROBLEM_WORDS) == set(LANGUAGES)
    for language in LANGUAGES:
        assert set(PROBLEM_WORDS[language]) == set(ProblemKind)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ProblemKind)
def test_a_problem_is_told_in_short_sentences(kind: ProblemKind, language: str):
    words = problem_words_for(kind, language)
    for sentence in (words.what, words.next):
        assert sentence.endswith(FULL_STOP[language])
        assert len(sentence) <= LENGTH_MAX


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_problems_are_told_alike(language: str):
    told = [problem_words_for(kind, language) for kind in ProblemKind]
    assert len({words.what for words in told}) == len({words.next for words in told}) == len(told)


def test_whoever_reads_none_of_our_languages_reads_english():
    kind = ProblemKind.REGISTRATION_WAITING
    assert problem_words_for(kind, "tlh") == problem_words_for(kind, "en")
