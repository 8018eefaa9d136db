"""What the record says as a whole: decisions, people against models, scores, the lexicon, people against people."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import Response

from gatepost_server.console.actors import actor_of
from gatepost_server.console.guard import Page, account_of
from gatepost_server.console.insights import plots
from gatepost_server.console.insights.drift import Shift, drifts
from gatepost_server.console.insights.lexicon import top
from gatepost_server.console.insights.people import together
from gatepost_server.console.insights.period import DAYS, DEFAULT_DAYS, Period
from gatepost_server.console.insights.precision import outcomes, precision
from gatepost_server.console.parts import parts_of
from gatepost_server.console.render import render, words_for
from gatepost_server.domain.labels import CATEGORIES, Category, Decision
from gatepost_server.policy.book import PolicyBook
from gatepost_server.policy.comparison import rate
from gatepost_server.policy.load import Policy
from gatepost_server.records.accounts import AccountRole
from gatepost_server.records.insights import Handled, Scope

INSIGHTS = "/insights"

TABS = ("", "agreement", "scores", "lexicon", "people", "policy")  # below INSIGHTS

_HANDLED = 5_000  # verdicts that people looked at, on one page
_SAMPLE = 150  # verdicts of a day
_WORDS = 40
_SILENT = 0.05  # scores that never come so far say nothing


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know about; unknown values are as if nothing was said."""

    days: int
    tenant: str
    policy: str

    @classmethod
    def of(cls, said: QueryParams | FormData, book: PolicyBook) -> Asked:
        """From an address or a form."""
        days, policy = str(said.get("days", "")), str(said.get("policy", ""))
        return cls(
            days=int(days) if days in map(str, DAYS) else DEFAULT_DAYS,
            tenant=str(said.get("tenant", "")).strip()[:64],
            policy=policy if policy in {each.name for each in book} else "",
        )

    def scope(self, period: Period) -> Scope:
        """As the record takes it."""
        return Scope(period.since, period.until, self.tenant or None, self.policy or None)

    @property
    def query(self) -> str:
        """The same on another page."""
        days = str(self.days) if self.days != DEFAULT_DAYS else ""
        said = {"days": days, "tenant": self.tenant, "policy": self.policy}
        return urlencode({name: value for name, value in said.items() if value})


async def overview(request: Request) -> Response:
    """Decisions over time, and what waits."""
    parts, (asked, period) = parts_of(request), _asked(request)
    scope, t = asked.scope(period), words_for(request)
    counts = await parts.insights.counts(scope, period.edges)
    handled = await parts.insights.handled(scope, most=_HANDLED)
    totals = {decision: sum(each.get(decision, 0) for each in counts) for decision in Decision}
    return await _page(
        request,
        "",
        asked,
        period,
        totals=totals,
        rates={decision: rate(count, sum(totals.values())) for decision, count in totals.items()},
        waiting=await parts.insights.waiting(parts.clock(), scope.tenant),
        took=_took(handled),
        outcomes=outcomes(handled),
        rows=[(edge, each) for edge, each in zip(period.edges, counts, strict=False) if each],
        plot=Markup(await asyncio.to_thread(plots.decisions, period, counts, label=t("insights.plot_decisions"))),
    )


async def agreement(request: Request) -> Response:
    """Precision of today's thresholds, as people judge."""
    parts, (asked, period) = parts_of(request), _asked(request)
    t, policy = words_for(request), parts.policies.get(asked.policy)
    handled = await parts.insights.handled(asked.scope(period), most=_HANDLED)
    rows = precision(handled, policy.document.thresholds)
    names = {category.value: t(f"categories.{category}") for category in CATEGORIES}
    drawn = [row for row in rows if row.held.of]
    plot = await asyncio.to_thread(plots.precisions, drawn, names, label=t("insights.plot_precision")) if drawn else ""
    return await _page(request, "agreement", asked, period, rows=rows, judged_by=policy, plot=Markup(plot))


async def scores(request: Request) -> Response:
    """Whether scores are what they were, by category."""
    parts, (asked, period) = parts_of(request), _asked(request)
    sample = await parts.insights.sample(asked.scope(period), period.edges, most=_a_stretch(period))
    found, policy, t = await asyncio.to_thread(drifts, sample), parts.policies.get(asked.policy), words_for(request)
    heard = [each for each in found if each.highest >= _SILENT]
    labels = {each.category: t("insights.plot_scores", category=t(f"categories.{each.category}")) for each in heard}
    drawn = await asyncio.to_thread(
        lambda: [
            plots.quantiles(period, each.quantiles, _levels(policy, each.category), label=labels[each.category])
            for each in heard
        ]
    )
    return await _page(
        request,
        "scores",
        asked,
        period,
        drifts=[(each, Markup(plot)) for each, plot in zip(heard, drawn, strict=True)],
        silent=[each.category for each in found if each.highest < _SILENT],
        shifts=tuple(Shift),
        looked_at=sum(map(len, sample)),
        judged_by=policy,
    )


async def lexicon(request: Request) -> Response:
    """Which entries are found most, and what people made of it."""
    parts, (asked, period) = parts_of(request), _asked(request)
    scope = asked.scope(period)
    sample = await parts.insights.sample(scope, period.edges, most=_a_stretch(period))
    handled = await parts.insights.handled(scope, most=_HANDLED)
    found = top((seen for some in sample for seen in some), handled, most=_WORDS)
    return await _page(request, "lexicon", asked, period, found=found, looked_at=sum(map(len, sample)))


async def people(request: Request) -> Response:
    """Whether reviewers agree. Others' figures are for those who have more say."""
    parts, (asked, period) = parts_of(request), _asked(request)
    account = account_of(request)
    found = together(await parts.insights.handled(asked.scope(period), most=_HANDLED))
    everybody = account.role.covers(AccountRole.ADMIN)
    shown = [each for each in found.people if everybody or each.name == actor_of(account)]
    return await _page(request, "people", asked, period, together=found, shown=shown, everybody=everybody)


def _asked(request: Request) -> tuple[Asked, Period]:
    parts = parts_of(request)
    asked = Asked.of(request.query_params, parts.policies)
    return asked, Period.last(asked.days, parts.clock())


async def _page(request: Request, tab: str, asked: Asked, period: Period, **context: Any) -> Response:
    return render(
        request,
        f"insights/{tab or 'overview'}.html",
        tab=tab,
        asked=asked,
        period=period,
        **await around(request, asked, period),
        **context,
    )


async def around(request: Request, asked: Asked, period: Period) -> Mapping[str, Any]:
    """What every page of insights can be asked for."""
    parts = parts_of(request)
    return {
        "tabs": TABS,
        "all_days": DAYS,
        "tenants": await parts.insights.tenants(asked.scope(period)),
        "policies": [policy.name for policy in parts.policies],
        "default_policy": parts.policies.default,
        "decisions": (Decision.ALLOW, Decision.REVIEW, Decision.BLOCK, Decision.HOLD),
    }


def _levels(policy: Policy, category: Category) -> Sequence[tuple[Decision, float]]:
    levels = policy.document.thresholds.get(category)
    if levels is None:
        return ()
    return ((Decision.REVIEW, levels.review), *(((Decision.BLOCK, levels.block),) if levels.block is not None else ()))


def _a_stretch(period: Period) -> int:
    """Verdicts of each stretch of time, of which a day may have several."""
    return max(1, _SAMPLE * period.days // (len(period.edges) - 1)) if period.days > 1 else _SAMPLE


def _took(handled: Sequence[Handled]) -> float | None:
    """Seconds that people took, from verdict or appeal to what they decided: the median."""
    took = [
        each.standing.decided - (each.standing.appeal.at if each.standing.appeal is not None else each.seen.created)
        for each in handled
        if each.standing.decision is not None
    ]
    return median(took) if took else None


PAGES = tuple(
    Page(path, endpoint, role=AccountRole.VIEWER)
    for path, endpoint in (
        (INSIGHTS, overview),
        (f"{INSIGHTS}/agreement", agreement),
        (f"{INSIGHTS}/scores", scores),
        (f"{INSIGHTS}/lexicon", lexicon),
        (f"{INSIGHTS}/people", people),
    )
)
