"""Another policy tried on what the record holds, from a form."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import Response

from gatepost_server.console.guard import Page
from gatepost_server.console.insights.period import Period
from gatepost_server.console.insights.trial import Outcome, as_yaml, parsed, with_thresholds
from gatepost_server.console.pages.insights import INSIGHTS, Asked, around
from gatepost_server.console.parts import parts_of
from gatepost_server.console.render import render
from gatepost_server.domain.labels import Category
from gatepost_server.policy.comparison import rate
from gatepost_server.policy.load import Policy, PolicyError
from gatepost_server.records.accounts import AccountRole

TRIAL = f"{INSIGHTS}/policy"

SIZES = (500, 2_000, 10_000)  # verdicts; a core judges about a thousand a second


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the form says."""

    base: Policy
    size: int
    against_given: bool  # else against the base policy as it is
    as_text: bool  # the whole policy was edited, and not its thresholds alone
    text: str
    thresholds: dict[Category, tuple[str, str]]

    @classmethod
    def of(cls, said: QueryParams | FormData, base: Policy) -> Wanted:
        """What was not said is as the base policy has it."""
        size = str(said.get("size", ""))
        thresholds = {
            category: (
                str(said.get(f"review-{category}", f"{levels.review:g}")),
                str(said.get(f"block-{category}", "" if levels.block is None else f"{levels.block:g}")),
            )
            for category, levels in base.document.thresholds.items()
        }
        return cls(
            base=base,
            size=int(size) if size in map(str, SIZES) else SIZES[0],
            against_given=said.get("against") == "given",
            as_text=said.get("how") == "text",
            text=str(said.get("text", "")) or as_yaml(base.document),
            thresholds=thresholds,
        )

    def policy(self) -> Policy:
        """What is to be tried. Raises PolicyError."""
        if self.as_text:
            return parsed(self.text, self.base)
        return with_thresholds(self.base, self.thresholds)


async def form(request: Request) -> Response:
    """A policy to begin with."""
    return await _page(request, request.query_params)


async def tried(request: Request) -> Response:
    """What would flip. Nothing is changed."""
    said = await request.form()
    parts = parts_of(request)
    asked = Asked.of(said, parts.policies)
    wanted = Wanted.of(said, parts.policies.get(asked.policy))
    try:
        new = wanted.policy()
    except PolicyError as error:
        return await _page(request, said, problem=str(error))
    # Verdicts of every policy: it is asked what this one would say of them.
    scope = Asked(asked.days, asked.tenant, "").scope(Period.last(asked.days, parts.clock()))
    against = None if wanted.against_given else wanted.base
    outcome = await parts.trials.run(parts.insights, scope, new, against, most=wanted.size)
    return await _page(request, said, outcome=outcome, new=new)


async def _page(
    request: Request,
    said: QueryParams | FormData,
    *,
    outcome: Outcome | None = None,
    new: Policy | None = None,
    problem: str = "",
) -> Response:
    parts = parts_of(request)
    asked = Asked.of(said, parts.policies)
    period = Period.last(asked.days, parts.clock())
    return render(
        request,
        "insights/policy.html",
        status=400 if problem else 200,
        tab="policy",
        asked=asked,
        period=period,
        wanted=Wanted.of(said, parts.policies.get(asked.policy)),
        sizes=SIZES,
        found=outcome.found if outcome is not None else None,
        stopped=outcome is not None and outcome.stopped,
        new=new,
        problem=problem,
        rate=rate,
        **await around(request, asked, period),
    )


PAGES = (
    Page(TRIAL, form, role=AccountRole.REVIEWER),
    Page(TRIAL, tried, role=AccountRole.REVIEWER, methods=("POST",)),
)
