"""The receipt: what was looked at, and what each gap in it leads to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from gatepost_server.domain.decision import ReasonCode
from gatepost_server.domain.evidence import Evidence, ImageFacts, Skipped, View
from gatepost_server.domain.labels import Category, Decision, StageName
from gatepost_server.policy.book import open_book
from gatepost_server.policy.evaluate import evaluate
from gatepost_server.policy.load import PolicyError
from gatepost_server.policy.scripts import scripts_of
from tests.builders import evidence, line, request
from tests.unit.policy.policy_text import policy

CARD = open_book().get("greeting-card")


def judged(seen: Evidence, asked=None, judging=CARD):
    return evaluate(seen, asked or request(), judging)


def details(judgement) -> list[str]:
    return [reason.detail for reason in judgement.reasons if reason.code is ReasonCode.COVERAGE]


def told(seen: Evidence, stage: StageName, **counts: int | None) -> Evidence:
    """The evidence with a stage's counts changed; None takes a count away."""

    def changed(looked_at: Mapping[str, int]) -> Mapping[str, int]:
        return {what: count for what, count in {**looked_at, **counts}.items() if count is not None}

    return replace(
        seen,
        reports=tuple(
            replace(report, looked_at=changed(report.looked_at)) if report.stage is stage else report
            for report in seen.reports
        ),
    )


@pytest.mark.parametrize(
    ("stage", "counts", "gap"),
    [
        (StageName.OCR_DETECT, {"views": 0}, "ocr_detect:views"),
        (StageName.CLIP, {"views": 2}, "clip:views"),
        (StageName.CLIP, {"tiles": 0}, "clip:tiles"),
        (StageName.DECODE, {"frames": 0}, "decode:frames"),
        (StageName.OCR_RECOGNIZE, {"lines": 0}, "ocr_recognize:lines"),
        (StageName.OCR_RECOGNIZE, {"unread": 1}, "ocr_recognize:lines"),
        (StageName.TEXT_TOXICITY, {"lines": 0}, "text_toxicity:lines"),
        (StageName.FUSION, {"lines": 2}, "fusion:lines"),
        (StageName.OCR_DETECT, {"lines": None}, "ocr_detect:lines"),
        (StageName.TEXT_TOXICITY, {"windows": -1}, "text_toxicity:counts"),
    ],
)
def test_a_stage_that_did_not_take_all_that_it_was_given_is_a_hold(stage, counts, gap):
    judgement = judged(told(evidence(lines=[line("Happy Birthday")]), stage, **counts))
    assert judgement.decision is Decision.HOLD
    assert gap in details(judgement)
    assert not judgement.coverage.complete


def animation(frames: int, *looked_at: int) -> Evidence:
    views = tuple(View(frame) for frame in looked_at)
    seen = replace(evidence(), image=ImageFacts("ab" * 32, "cd" * 32, 100, 64, 48, "GIF", frames, views))
    for stage in (StageName.DECODE, StageName.OCR_DETECT, StageName.CLIP):
        seen = told(seen, stage, views=len(views), frames=len(views), tiles=len(views))
    return seen


def test_frames_that_are_neither_in_a_view_nor_like_one_that_is_are_a_hold():
    assert details(judged(animation(3, 0, 2))) == ["decode:frames"]
    assert judged(told(animation(3, 0, 2), StageName.DECODE, frames_alike=1)).decision is Decision.ALLOW


def test_frames_that_decode_says_it_left_out_go_to_a_person():
    seen = told(animation(3, 0, 2), StageName.DECODE, frames_left_out=1)
    decode, *others = seen.reports
    seen = replace(seen, reports=(replace(decode, skipped=(Skipped("1 of 3 frames", "more than 2"),)), *others))
    assert judged(seen).decision is Decision.REVIEW
    assert details(judged(seen)) == ["decode:skipped"]


def test_something_else_that_decode_left_out_does_not_excuse_frames():
    decode, *others = animation(5, 0).reports
    told_of_print = replace(decode, skipped=(Skipped("small text", "the image is too large"),))
    assert judged(replace(animation(5, 0), reports=(told_of_print, *others))).decision is Decision.HOLD


def test_frames_that_are_left_out_without_a_word_are_a_hold():
    assert details(judged(told(animation(3, 0, 2), StageName.DECODE, frames_left_out=1))) == ["decode:frames"]


@pytest.mark.parametrize("stage", [stage for stage in StageName if stage is not StageName.DECODE])
def test_a_stage_that_names_no_net_is_a_hold(stage):
    seen = evidence()
    reports = tuple(replace(report, models=()) if report.stage is stage else report for report in seen.reports)
    assert details(judged(replace(seen, reports=reports))) == [f"{stage}:models"]


@pytest.mark.parametrize("score", [math.nan, math.inf, -0.5, 1.5])
def test_numbers_that_are_no_probabilities_are_a_hold_wherever_they_stand(score):
    words = line("Happy Birthday")
    for broken in (
        evidence(lines=[replace(words, confidence=score)]),
        evidence(lines=[replace(words, scores={**words.scores, Category.HATE: score})]),
        replace(evidence(), joined_scores={**evidence().joined_scores, Category.HATE: score}),
    ):
        assert judged(broken).decision is Decision.HOLD


def test_a_prompt_that_the_picture_was_not_held_against_is_a_hold():
    assert details(judged(evidence(), request(prompt="a card"))) == ["clip:prompt"]
    assert judged(evidence(prompt_similarity=0.2), request(prompt="a card")).decision is Decision.ALLOW
    assert judged(evidence(prompt_similarity=math.nan)).decision is Decision.HOLD


def test_a_stage_that_the_policy_does_not_require_may_be_incomplete():
    lenient = policy(mandatory_stages=["decode", "fusion"])
    assert judged(told(evidence(), StageName.CLIP, views=0), judging=lenient).decision is Decision.ALLOW


class TestScripts:
    """Text that no text model judges is not cleared by having been read."""

    @pytest.mark.parametrize("name", ["greeting-card", "strict"])
    @pytest.mark.parametrize(
        ("text", "script"),
        [
            ("С днём рождения", "Cyrl"),
            ("مبروك", "Arab"),
            ("생일 축하합니다", "Hang"),
            ("くたばれ", "Hira"),
            ("バカ", "Kana"),
            ("Χρόνια πολλά", "Grek"),
        ],
    )
    def test_it_goes_to_a_person(self, name, text, script):
        judgement = judged(evidence(lines=[line("Happy Birthday"), line(text)]), judging=open_book().get(name))
        assert judgement.decision is Decision.REVIEW
        assert details(judgement) == [f"script:{script}"]
        assert judgement.coverage.scripts == {script: 1, "Latn": 1}
        assert judgement.coverage.unjudged_scripts == (script,)

    def test_a_policy_may_tolerate_a_script_and_the_receipt_still_names_it(self):
        seen = evidence(lines=[line("おめでとう"), line("Поздравляю")])
        judgement = judged(seen, judging=policy(tolerated_scripts=["Hira"]))
        assert details(judgement) == ["script:Cyrl"]
        assert judged(seen, judging=policy(tolerated_scripts=["Hira", "Cyrl"])).decision is Decision.ALLOW
        assert judgement.coverage.scripts == {"Cyrl": 1, "Hira": 1}
        assert judgement.coverage.unjudged_scripts == ("Cyrl", "Hira")

    def test_a_policy_with_an_unknown_script_is_refused(self):
        with pytest.raises(PolicyError, match="Cyril"):
            policy(tolerated_scripts=["Cyril"])

    @pytest.mark.parametrize(
        ("text", "confidence", "scripts"),
        [
            ("茶の味", 0.99, {"Hani"}),  # one letter is decoration
            ("Unsinφ", 0.9, {"Latn"}),
            ("JCっワ人", 0.56, {"Latn", "Hani"}),  # ornaments that were read as letters, unsurely
            ("Happy Birthday dear ヨシ", 0.95, {"Latn"}),  # a few among many
            ("バカ", 0.0, frozenset()),  # told to be an ornament
            ("福", 0.9, {"Hani"}),
        ],
    )
    def test_stray_letters_are_no_text(self, text, confidence, scripts):
        assert scripts_of(line(text, confidence=confidence)) == scripts


class TestGuesses:
    """A recogniser that does not know a script guesses; where every line is a guess, a person looks."""

    GUESSED = (line("IO CI4LU AUU", confidence=0.75), line("Y石品HHY", confidence=0.66))

    @pytest.mark.parametrize("name", ["greeting-card", "strict"])
    def test_text_of_which_nothing_was_read_surely_goes_to_a_person(self, name):
        judgement = judged(evidence(lines=self.GUESSED), judging=open_book().get(name))
        assert judgement.decision is Decision.REVIEW
        assert details(judgement) == ["ocr_recognize:skipped"]
        assert judgement.coverage.skipped == (Skipped("text", "no letter could be read surely"),)

    @pytest.mark.parametrize(
        "beside",
        [
            line("福", confidence=0.9),  # something was read
            line("Happy Birthday", confidence=0.99),
        ],
    )
    def test_beside_a_sure_line_it_is_an_ornament(self, beside):
        assert judged(evidence(lines=[*self.GUESSED, beside])).decision is Decision.ALLOW

    def test_a_few_letters_or_what_was_told_to_be_an_ornament_are_no_text(self):
        lines = [line("Q:8", confidence=0.6), line("LAGOSA", confidence=0.0)]
        assert judged(evidence(lines=lines)).decision is Decision.ALLOW

    def test_a_policy_may_tolerate_it(self):
        lenient = policy(tolerated_skips=["no letter could be read surely"])
        assert judged(evidence(lines=self.GUESSED), judging=lenient).decision is Decision.ALLOW
