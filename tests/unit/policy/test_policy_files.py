"""Reading policy files: what is refused, with which words, and what the version is a hash of."""

from __future__ import annotations

import pytest
import yaml

from gatepost_server.domain.errors import ErrorCode, ErrorReason, GatepostError
from gatepost_server.domain.labels import CATEGORIES, StageName
from gatepost_server.policy.book import open_book, shipped_policies
from gatepost_server.policy.load import PolicyError, load_policy, parse_policy
from tests.unit.policy.policy_text import MESSAGE, content, policy


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"treshold": {}}, "test.yaml: treshold: Extra inputs are not permitted"),
        ({"thresholds": {"insult": {"review": 0.5, "blok": 0.9}}}, "thresholds.insult.blok: Extra inputs"),
        ({"thresholds": {"insult": {"review": 1.5}}}, "thresholds.insult.review: Input should be less than"),
        ({"thresholds": {"insult": {"review": "0.5"}}}, "thresholds.insult.review: Input should be a valid number"),
        ({"thresholds": {"insult": {"review": True}}}, "thresholds.insult.review: Input should be a valid number"),
        ({"thresholds": {"insult": {"review": 0.9, "block": 0.5}}}, "block (0.5) is below review (0.9)"),
        ({"thresholds": {"rudeness": {"review": 0.9}}}, "thresholds.rudeness"),
        ({"thresholds": {}}, "thresholds: "),
        ({"mandatory_stages": []}, "mandatory_stages: "),
        ({"mandatory_stages": ["decode"]}, "'fusion' is missing"),
        ({"mandatory_stages": ["fusion", "decod"]}, "mandatory_stages[1]: "),
        ({"tolerated_skips": [" "]}, "tolerated_skips[0]: "),
        ({"name": "Has Spaces"}, "name: "),
        ({"messages": {"zh": {"review": MESSAGE, "block": MESSAGE, "hold": MESSAGE}}}, "'en' is missing"),
        ({"messages": {"en": {"review": MESSAGE, "block": MESSAGE}}}, "messages.en.hold: Field required"),
        ({"block_list": [{"id": "a", "text": "x", "decision": "ALLOW"}]}, "block_list[0].decision: "),
        ({"block_list": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]}, "block_list: two entries share a name"),
        ({"block_list": [{"id": "a", "text": "\u200b"}]}, "block_list[0].text: nothing is left of it"),
        ({"rules": [{"name": "a", "expression": "1 +", "decision": "BLOCK"}]}, "rules[0].expression (a): not a CEL"),
        ({"rules": [{"name": "a", "expression": "true", "decision": "ALLOW"}]}, "rules[0].decision: "),
    ],
)
def test_a_bad_document_is_refused_with_the_place_of_the_mistake(changed, said):
    with pytest.raises(PolicyError) as caught:
        policy(**changed)
    assert said in str(caught.value)
    assert str(caught.value).startswith("test.yaml: ")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "a policy is a mapping"),
        (b"- a\n- b\n", "a policy is a mapping"),
        (b"name: [", "not YAML"),
        (b"\xff\xfe\x00", "not YAML"),
        (b"name: a\nname: b\n", "key 'name' twice"),
        (b"name: !!python/object/apply:os.system ['true']\n", "not YAML"),
        (b"name: 2026-01-01\n", "holds a value that no policy uses"),
        (b"#" * ((1 << 20) + 1), "larger than"),
    ],
)
def test_a_file_that_is_no_policy_is_refused(data, said):
    with pytest.raises(PolicyError, match=said):
        parse_policy(data, source="test.yaml")


def test_a_missing_file_is_named_without_its_folder(tmp_path):
    with pytest.raises(PolicyError, match=r"^gone\.yaml: cannot be read"):
        load_policy(tmp_path / "gone.yaml")


def test_the_version_is_a_hash_of_what_the_policy_says_and_not_of_how_it_is_written():
    written = yaml.safe_dump(content()).encode()
    reordered = b"# a comment\n" + yaml.safe_dump(dict(reversed(content().items())), default_flow_style=True).encode()
    version = parse_policy(written, source="a").version
    assert parse_policy(reordered, source="b").version == version
    assert len(version) == 16
    assert int(version, 16) >= 0
    changed = content(thresholds={"insult": {"review": 0.5, "block": 0.81}})
    assert parse_policy(yaml.safe_dump(changed).encode(), source="a").version != version


def test_the_shipped_policies_judge_every_category_and_need_every_stage():
    shipped = {policy.name: policy.document for policy in shipped_policies()}
    assert shipped.keys() == {"greeting-card", "strict"}
    for document in shipped.values():
        assert document.thresholds.keys() == set(CATEGORIES)
        assert set(document.mandatory_stages) == set(StageName)
        assert {"en", "zh"} <= document.messages.keys()


def test_strict_is_nowhere_looser_than_the_default():
    book = open_book()
    default, strict = book.get("greeting-card").document, book.get("strict").document
    for category, thresholds in default.thresholds.items():
        assert strict.thresholds[category].review <= thresholds.review
        assert (strict.thresholds[category].block or 1.0) <= (thresholds.block or 1.0)


def test_messages_for_the_user_name_no_category_and_blame_nobody():
    blunt = (
        "insult",
        "hate",
        "offensive",
        "violat",
        "abus",
        "you tried",
        "辱骂",
        "侮辱",
        "违规",
        "违反",
        "仇恨",
        "色情",
    )
    for policy_ in shipped_policies():
        for locale, messages in policy_.document.messages.items():
            for message in (messages.review, messages.block, messages.hold):
                for text in (message.default, *message.by_category.values()):
                    assert not any(word in text.lower() for word in blunt), (locale, text)


def test_an_operator_may_add_policies_and_replace_shipped_ones(tmp_path):
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content(name="mine")))
    (tmp_path / "strict.yaml").write_text(yaml.safe_dump(content(name="strict", description="Ours.")))
    book = open_book(tmp_path, default="mine")
    assert [policy.name for policy in book] == ["greeting-card", "mine", "strict"]
    assert book.get("").name == "mine"
    assert book.get("strict").document.description == "Ours."


def test_two_files_of_one_folder_must_not_share_a_name(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(yaml.safe_dump(content()))
    with pytest.raises(PolicyError, match=r"b\.yaml: name: another file"):
        open_book(tmp_path)


def test_a_default_that_is_not_there_stops_the_start(tmp_path):
    with pytest.raises(PolicyError, match="no policy 'gone'"):
        open_book(tmp_path, default="gone")
    with pytest.raises(PolicyError, match="not a folder"):
        open_book(tmp_path / "gone")


def test_an_unknown_policy_is_the_requests_mistake_in_moderate_and_not_found_in_get_policy():
    with pytest.raises(GatepostError) as caught:
        open_book().for_request("nope")
    assert (caught.value.code, caught.value.reason, caught.value.field) == (
        ErrorCode.INVALID_ARGUMENT,
        ErrorReason.POLICY_UNKNOWN,
        "policy",
    )
    with pytest.raises(GatepostError) as caught:
        open_book().get("nope")
    assert caught.value.code is ErrorCode.NOT_FOUND
