"""The report as plain data: documented, stable, ready for JSON.

Figures are numbers (shares are fractions), dates are ISO, sentences are in the report's
language. `figures` of an answer, insight or action are addresses in this same tree:
``headline.revenue`` is the entry of `headline` whose `key` is ``revenue``; ``rfm.at_risk`` the
segment of that key; ``leavers.once`` an entry of `leavers`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from revoir.language import Message, written
from revoir.metrics.benchmarks import Benchmark
from revoir.periods import Period
from revoir.reports.figures import Change, Goal, Kpi, Point
from revoir.reports.model import (
    Breakdown,
    Chapter,
    CohortSection,
    GapsSection,
    Leavers,
    LifecycleSection,
    Quality,
    Report,
    RfmSection,
    WhatIf,
)
from revoir.reports.wording import ONE_DAY


def to_json(report: Report, language: str | None = None) -> str:
    """Write a report as JSON text.

    Args:
        report: The report.
        language: Language of its sentences (None: the report's own).

    Returns:
        An object with the members of `to_plain`.
    """
    return json.dumps(to_plain(report, language), ensure_ascii=False, indent=1) + "\n"


def to_plain(report: Report, language: str | None = None) -> dict[str, Any]:
    """Turn a report into plain values.

    Args:
        report: The report.
        language: Language of its sentences (None: the report's own).

    Returns:
        `title`, `as_of`, `language`, `settings`, `answers`, `actions`, `headline`, `trend`,
        `insights`, `leavers`, `cohorts`, `lifecycle`, `rfm`, `gaps`, `what_if`, `breakdowns`,
        `chapters`, `quality`, `definitions`, `warnings` and `missing` (why a section is null).
    """
    return _Writer(language or report.language).report(report)


class _Writer:
    def __init__(self, language: str) -> None:
        self.language = language

    def text(self, message: Message | None) -> str | None:
        return None if message is None else message.text(self.language)

    def report(self, report: Report) -> dict[str, Any]:
        return {
            "title": report.title,
            "as_of": report.as_of.isoformat() if report.as_of else None,
            "language": self.language,
            "settings": {
                "currency": report.currency,
                "sector": report.sector,
                "grain": report.grain.value if report.grain else None,
                "data_start": report.span[0].isoformat() if report.span else None,
                "data_end": (report.span[1] + ONE_DAY).isoformat() if report.span else None,
                "activity": self.text(report.rule),
            },
            "answers": [
                {
                    "question": self.text(answer.question),
                    "verdict": answer.verdict,
                    "sentences": [self.text(sentence) for sentence in answer.sentences],
                    "figures": list(answer.figures),
                }
                for answer in report.answers
            ],
            "actions": [
                {
                    "title": self.text(action.title),
                    "why": self.text(action.why),
                    "customers": action.customers,
                    "stake": action.stake,
                    "segment": action.segment,
                    "rule": action.rule,
                    "figures": list(action.figures),
                }
                for action in report.actions
            ],
            "headline": [{"key": key, **self.kpi(kpi)} for key, kpi in report.headline],
            "trend": self.kpi(report.trend) if report.trend else None,
            "insights": [
                {
                    "kind": insight.kind,
                    "text": self.text(insight.text),
                    "figures": list(insight.figures),
                }
                for insight in report.insights
            ],
            "leavers": self.leavers(report.leavers),
            "cohorts": self.cohorts(report.cohorts),
            "lifecycle": self.lifecycle(report.lifecycle),
            "rfm": self.rfm(report.rfm),
            "gaps": self.gaps(report.gaps),
            "what_if": self.what_if(report.what_if),
            "breakdowns": [self.breakdown(section) for section in report.breakdowns],
            "chapters": [self.chapter(chapter) for chapter in report.chapters],
            "quality": self.quality(report.quality),
            "definitions": [
                {
                    "metric": one.metric,
                    "label": self.text(one.label),
                    "formula": self.text(one.formula),
                    "source": one.source,
                }
                for one in report.definitions
            ],
            "warnings": [self.text(warning) for warning in report.warnings],
            "missing": {name: self.text(reason) for name, reason in report.missing.items()},
        }

    def goal(self, goal: Goal | None) -> dict[str, Any] | None:
        """What a figure is to reach, and whether it does."""
        return None if goal is None else asdict(goal)

    def kpi(self, kpi: Kpi) -> dict[str, Any]:
        """A figure: the row that the metric itself answers with, and what it is compared with."""
        row = {
            "metric": kpi.metric,
            "label": self.text(kpi.label),
            "unit": kpi.unit.value,
            "currency": kpi.currency,
            **(self.point(kpi.point) if kpi.point else self.point(Point(None, False, None))),
            "n": kpi.n,
            "parts": dict(kpi.parts),
            "previous": self.change(kpi.previous),
            "year_before": self.change(kpi.year_before),
            "goal": self.goal(kpi.goal),
            "benchmarks": [self.benchmark(one) for one in kpi.benchmarks],
            "series": [self.point(point) for point in kpi.series],
        }
        if kpi.goal_apart is not None:
            row["goal_apart"] = self.text(kpi.goal_apart)
        if kpi.reason is not None:
            row["reason"] = self.text(kpi.reason)
        if kpi.note is not None:
            row["note"] = self.text(kpi.note)
        return row

    def point(self, point: Point) -> dict[str, Any]:
        return {
            **_dates(point.period),
            "complete": point.complete,
            "value": point.value,
            "numerator": point.numerator,
            "denominator": point.denominator,
            "low": point.low,
            "high": point.high,
        }

    def change(self, change: Change | None) -> dict[str, Any] | None:
        if change is None:
            return None
        return {
            **_dates(change.against),
            "value": change.base,
            "difference": change.difference,
            "share": change.share,
            "clear": change.clear,
        }

    def benchmark(self, one: Benchmark) -> dict[str, Any]:
        return {
            "low": one.low,
            "high": one.high,
            "scope": written(one.scope(), self.language),
            "source": written(one.source(), self.language),
            "publisher": one.publisher,
            "year": one.year or None,
            "period": one.period or None,
            "url": one.url or None,
            "grade": one.grade,
        }

    def leavers(self, left: Leavers | None) -> dict[str, Any] | None:
        if left is None:
            return None
        groups = {
            name: {"present": group.present, "lost": group.lost, "rate": group.rate}
            for name, group in (("once", left.once), ("again", left.again))
        }
        return {
            **_dates(left.period),
            **groups,
            "due": left.due,
            "due_after_days": left.due_after_days,
            "late": left.late,
            "late_after_days": left.late_after_days,
            "late_amount": left.late_amount,
            "window_days": left.window_days,
            "purchases_alone": left.purchases_alone,
        }

    def cohorts(self, section: CohortSection | None) -> dict[str, Any] | None:
        if section is None:
            return None
        return {
            "title": self.text(section.title),
            "grain": section.grain.value,
            "average": list(section.average),
            "rows": [
                {
                    **_dates(row.period),
                    "size": row.size,
                    "shares": list(row.cells),
                    "customers": list(row.customers),
                    "complete": list(row.complete),
                }
                for row in section.rows
            ],
        }

    def lifecycle(self, section: LifecycleSection | None) -> dict[str, Any] | None:
        if section is None:
            return None
        return {
            "title": self.text(section.title),
            "grain": section.grain.value,
            "rows": [
                {
                    **_dates(row.period),
                    "complete": row.complete,
                    "new": row.new,
                    "returning": row.returning,
                    "resurrected": row.resurrected,
                    "dormant": row.dormant,
                }
                for row in section.rows
            ],
        }

    def rfm(self, section: RfmSection | None) -> dict[str, Any] | None:
        if section is None:
            return None
        return {
            "title": self.text(section.title),
            "bins": section.bins,
            "cutoffs": [self.text(line) for line in section.cutoffs],
            "segments": [
                {
                    "key": row.key,
                    "label": self.text(row.label),
                    "advice": self.text(row.advice),
                    "customers": row.customers,
                    "share": row.share,
                    "revenue": row.revenue,
                    "revenue_share": row.revenue_share,
                    "days_since_last": row.days_since_last,
                    "frequency": row.frequency,
                    "monetary": row.monetary,
                }
                for row in section.segments
            ],
            "map": [
                {"recency": recency, "frequency": frequency, "customers": count}
                for (recency, frequency), count in sorted(section.cells.items())
            ],
            "note": self.text(section.note),
        }

    def gaps(self, section: GapsSection | None) -> dict[str, Any] | None:
        if section is None:
            return None
        return {
            "title": self.text(section.title),
            "total": section.total,
            "median": section.median,
            "third_quartile": section.third_quartile,
            "window_days": section.window_days,
            "rule": self.text(section.rule),
            "reason": self.text(section.reason),
            "bands": [
                {"from_days": first, "to_days": end, "returns": count}
                for first, end, count in section.counts
            ],
            "longer": section.longer,
        }

    def what_if(self, section: WhatIf | None) -> dict[str, Any] | None:
        if section is None:
            return None
        return {
            **_dates(section.period),
            "customers_at_start": section.at_start,
            "retention_rate": section.retention,
            "revenue": section.revenue,
            "spend": section.spend,
            "margin": section.margin,
            "acquisition_cost": section.acquisition_cost,
            "clv": section.clv,
            "scenarios": [vars(scenario) for scenario in section.scenarios],
            "formula": self.text(section.formula),
            "notes": [self.text(note) for note in section.notes],
            "claims": [
                {
                    "claim": self.text(claim.claim),
                    "source": claim.source,
                    "url": claim.url,
                    "criticism": self.text(claim.criticism),
                    "critic": claim.critic,
                    "critic_url": claim.critic_url,
                }
                for claim in section.claims
            ],
        }

    def breakdown(self, section: Breakdown) -> dict[str, Any]:
        return {
            "column": section.column,
            "metric": section.metric,
            **_dates(section.period),
            "rows": [
                {
                    "group": written(row.group, self.language),
                    "customers": row.customers,
                    "value": row.value,
                    "low": row.low,
                    "high": row.high,
                    "reason": self.text(row.reason),
                }
                for row in section.rows
            ],
            "others": section.others,
            "notes": [self.text(note) for note in section.notes],
        }

    def chapter(self, chapter: Chapter) -> dict[str, Any]:
        return {
            "key": chapter.key,
            "title": self.text(chapter.title),
            "figures": [self.kpi(kpi) for kpi in chapter.kpis],
            "reasons": [
                {"reason": reason, "n": count}
                for reason, count in (chapter.reasons.rows if chapter.reasons else ())
            ],
            "reasons_total": chapter.reasons.total if chapter.reasons else 0,
            "asked": [
                {
                    "question": one.question,
                    "answers": one.answers,
                    "mean": one.mean,
                    "counts": {str(score): count for score, count in one.counts},
                }
                for one in chapter.asked
            ],
        }

    def quality(self, quality: Quality) -> dict[str, Any]:
        return {
            "files": [
                {**_without_notes(vars(file)), "notes": [self.text(note) for note in file.notes]}
                for file in quality.files
            ],
            "counts": [self.text(line) for line in quality.counts],
            "decisions": [self.text(line) for line in quality.decisions],
        }


def _without_notes(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "notes"}


def _dates(period: Period | None) -> dict[str, Any]:
    return {
        "period_start": period.start.isoformat() if period else None,
        "period_end": period.end.isoformat() if period else None,
    }
