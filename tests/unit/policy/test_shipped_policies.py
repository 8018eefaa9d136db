"""Promises of the shipped policies that go beyond thresholds."""

from __future__ import annotations

import pytest

from gatepost_server.domain.labels import Decision
from gatepost_server.policy.book import open_book, shipped_policies
from gatepost_server.policy.evaluate import evaluate
from tests.builders import evidence, line, request

POLICIES = [policy.name for policy in shipped_policies()]


@pytest.mark.parametrize("name", POLICIES)
def test_words_that_could_not_be_read_with_certainty_are_a_question_for_a_person(name):
    unsure = evidence(lines=[line("Happy Birthday"), line("傻逼去死", confidence=0.3)])
    judged = evaluate(unsure, request(), open_book().get(name))
    assert judged.decision is Decision.REVIEW
    assert [reason.detail for reason in judged.reasons] == ["unreadable-text"]


@pytest.mark.parametrize("name", POLICIES)
def test_an_ornament_that_was_read_as_a_character_is_not(name):
    ornament = evidence(lines=[line("Happy Birthday"), line("O", confidence=0.3)])
    assert evaluate(ornament, request(), open_book().get(name)).decision is Decision.ALLOW
