"""What a policy file may say. Unknown keys are refused, so that a typo never loosens a policy."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal, Self

import langcodes
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gatepost_server.domain.keeping import KeepImages
from gatepost_server.domain.labels import Category, Decision, StageName
from gatepost_server.domain.ticket import DEFAULT_TICKET_S, LONGEST_TICKET_S
from gatepost_server.text.scripts import is_script

NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,63}$"
FALLBACK_LOCALE = "en"

Probability = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Opinions = Annotated[int, Field(ge=1, le=5)]
Factor = Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)]
# A rule or list entry can only make a decision graver: nothing in a policy file says ALLOW.
Adverse = Annotated[
    Literal[Decision.REVIEW, Decision.HOLD, Decision.BLOCK],
    BeforeValidator(lambda value: Decision(value) if value in tuple(Decision) else value),
]


def _known_script(code: str) -> str:
    if not is_script(code):
        raise ValueError(f"{code!r} is not an ISO 15924 code such as 'Cyrl'")
    return code


Script = Annotated[str, AfterValidator(_known_script)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Thresholds(_Section):
    """REVIEW at `review` or above, BLOCK at `block` or above. `block: null` leaves it to people."""

    review: Probability
    block: Probability | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.block is not None and self.block < self.review:
            raise ValueError(f"block ({self.block}) is below review ({self.review})")
        return self


class BlockEntry(_Section):
    """A text that must not be drawn. Compared normalised: case, width, disguises and script do not matter."""

    id: str = Field(pattern=NAME_PATTERN)
    text: str = Field(min_length=1, max_length=1_024)
    category: Category | None = None
    decision: Adverse = Decision.BLOCK


class AllowEntry(_Section):
    """A text that may stand in a picture whatever the classifier says of it.

    It clears lines that hold nothing else, never the picture and never the other lines.
    """

    id: str = Field(pattern=NAME_PATTERN)
    text: str = Field(min_length=1, max_length=1_024)


class Message(_Section):
    """What the person who asked is told. Kind, without blame, and never what was found."""

    default: str = Field(min_length=1, max_length=500)
    by_category: dict[Category, str] = Field(default_factory=dict)


class LocaleMessages(_Section):
    """One language's messages. Nobody is told anything on ALLOW."""

    review: Message
    block: Message
    hold: Message


class RuleText(_Section):
    """A CEL expression over the evidence (policy.rules lists its variables) and what it leads to."""

    name: str = Field(pattern=NAME_PATTERN)
    expression: str = Field(min_length=1, max_length=4_096)
    decision: Adverse


class Decoration(_Section):
    """Texts that nobody needs to ask for. They count where a line, or a stretch of one, holds nothing else."""

    texts: tuple[Annotated[str, Field(min_length=1, max_length=256)], ...] = (
        "福",
        "囍",
        "喜",
        "春",
        "寿",
        "禄",
        "财",
        "吉",
    )
    dates: bool = True  # 2026, 2026年1月1日, 丙午年, 正月初一, Jan 1 2026
    brand: tuple[Annotated[str, Field(min_length=1, max_length=256)], ...] = ()  # also as "Made with NAME"


class AskedTextRules(_Section):
    """What counts as asked for, and what becomes of a picture that lacks it."""

    quoted_in_prompt: bool = False
    decorative: Decoration = Decoration()
    missing: Adverse | None = None  # null: the verdict says so, and nothing more


class LongConversation(_Section):
    """From so many turns on."""

    turns: Annotated[int, Field(ge=1)]
    factor: Factor


class Conversation(_Section):
    """What every threshold is multiplied by, for what went before the picture; several multiply. null: nothing."""

    long: LongConversation | None = None
    frustration: Factor | None = None
    abuse: Factor | None = None


class Ticket(_Section):
    """What the release tickets of this policy say. `audience` is the policy's name where it is not given."""

    audience: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    # At least longer than the same question has the same answer, ticket and all (gateway: same_request_s).
    ttl_s: Annotated[int, Field(ge=600, le=LONGEST_TICKET_S)] = DEFAULT_TICKET_S


class ReviewRules(_Section):
    """What people are asked about this policy's verdicts, and what is kept for them. null: as the gateway's settings.

    It changes no judgement, and is no part of the policy's version.
    """

    opinions: Opinions = 1  # so many people must agree
    opinions_by_category: dict[Category, Opinions] = Field(default_factory=dict)  # the highest of the reasons'
    keep_images: KeepImages | None = None
    due_s: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None = None  # how soon a person looks

    def opinions_on(self, categories: Collection[Category]) -> int:
        """How many people decide together on a verdict for these reasons."""
        return max((self.opinions_by_category.get(each, self.opinions) for each in categories), default=self.opinions)


class PolicyDocument(_Section):
    """One policy file."""

    name: str = Field(pattern=NAME_PATTERN)
    description: str = Field(min_length=1, max_length=1_000)
    thresholds: dict[Category, Thresholds] = Field(min_length=1)
    mandatory_stages: tuple[StageName, ...] = Field(min_length=1)
    # Prefixes of `Skipped.why`. Anything else that a mandatory stage left out goes to a person.
    tolerated_skips: tuple[Annotated[str, Field(min_length=1)], ...] = ()  # "" would tolerate everything
    # ISO 15924 codes. Text in a script that no text model judges goes to a person unless the script is named here.
    tolerated_scripts: tuple[Script, ...] = ()
    block_list: tuple[BlockEntry, ...] = ()
    allow_list: tuple[AllowEntry, ...] = ()
    rules: tuple[RuleText, ...] = ()
    asked_text: AskedTextRules = AskedTextRules()
    conversation: Conversation = Conversation()
    ticket: Ticket = Ticket()
    review: ReviewRules = ReviewRules()
    messages: dict[str, LocaleMessages]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if FALLBACK_LOCALE not in self.messages:
            raise ValueError(f"messages: {FALLBACK_LOCALE!r} is missing; other languages fall back to it")
        for locale in self.messages:
            if not langcodes.tag_is_valid(locale):
                raise ValueError(f"messages: {locale!r} is not a BCP 47 language tag")
        for what, names in (
            ("block_list", [entry.id for entry in self.block_list]),
            ("allow_list", [entry.id for entry in self.allow_list]),
            ("rules", [rule.name for rule in self.rules]),
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"{what}: two entries share a name")
        if StageName.FUSION not in self.mandatory_stages:
            raise ValueError("mandatory_stages: 'fusion' is missing; without it there are no scores")
        return self
