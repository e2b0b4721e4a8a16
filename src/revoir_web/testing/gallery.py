"""Every component on one page, with words and figures of every kind, for eyes and for axe."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import mark_safe

from revoir.language import msg
from revoir_web.common.models import AuditEntry, Job
from revoir_web.common.rights import requires
from revoir_web.common.tables import Column, Filter, Table
from revoir_web.common.words import to_json


class Sample(forms.Form):
    """A field of each kind."""

    name = forms.CharField(label="Nom", help_text="Tel qu’il apparaît sur les courriels.")
    amount = forms.DecimalField(label="Montant", required=False)
    role = forms.ChoiceField(label="Rôle", choices=[("a", "Analyste"), ("b", "Conseiller")])
    agreed = forms.BooleanField(label="Le client a dit oui", required=False)
    channels = forms.MultipleChoiceField(
        label="Canaux",
        choices=[("mail", "Courriel"), ("sms", "SMS")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    note = forms.CharField(label="Note", widget=forms.Textarea(attrs={"rows": 3}), required=False)


def _table(request: HttpRequest, **changes: Any) -> Table:
    wide = [
        Column("at", "Quand", kind="moment", sort="at"),
        Column("actor_name", "Qui", sort="actor_name", personal=True),
        Column("action", "Action", sort="action"),
        Column(
            "amount", "Montant", kind="money", currency="EUR", value=lambda row: row.pk * 1234.5
        ),
        Column("share", "Part", kind="percent", digits=1, value=lambda row: row.pk / 77),
        Column("details", "Détails", value=lambda row: "", shown=False),
    ]
    options: dict[str, Any] = {
        "caption": "Ce qui s’est passé",
        "default_sort": "-at",
        "filters": [
            Filter("action", "Action", lambda rows, text: rows.filter(action=text)),
            Filter("kind", "Sorte", lambda rows, text: rows, choices=[("a", "A"), ("b", "B")]),
        ],
        "search": lambda rows, words: rows.filter(action__icontains=words),
        "url": lambda row: f"/gallery/?row={row.pk}",
        "export": "audit",
        "per_page": 5,
        "actions": [("tag", "Étiqueter"), ("export", "Exporter")],
    }
    return Table(request, AuditEntry.objects.all(), wide, **(options | changes))


def _heatmap() -> dict[str, Any]:
    rows = []
    for month in range(8):
        shares = [1.0, *(max(0.02, 0.62 - 0.07 * age) for age in range(7 - month))]
        cells = [
            {
                "text": f"{round(share * 100)}\xa0%",
                "step": min(6, int(share * 7)),
                "partial": age == 7 - month,
            }
            for age, share in enumerate(shares)
        ]
        cells += [{"text": "", "step": None, "partial": False}] * (8 - len(cells))
        rows.append({"label": f"2024-0{month + 1}", "size": 1200 + 37 * month, "cells": cells})
    title = "La moitié des clients gagnés en janvier sont revenus dans les trois mois"
    return {"title": title, "corner": "Premier achat", "ages": list(range(8)), "rows": rows}


def _jobs() -> list[Job]:
    if held := list(Job.objects.all()):
        return held
    now = timezone.now()
    told = to_json(msg("Reading {file}", file="commandes.csv"))
    wrong = {"what": to_json(msg("This address has an account already.")), "kind": "UsageError"}
    made = [
        Job(kind="test", state=Job.State.WAITING, not_before=now + dt.timedelta(days=1)),
        Job(
            kind="test",
            state=Job.State.RUNNING,
            progress_done=340_000,
            progress_total=1_000_000,
            progress_message=told,
            lease_until=now + dt.timedelta(days=1),
        ),
        Job(kind="test", state=Job.State.DONE, finished_at=now),
        Job(kind="test", state=Job.State.FAILED, error=wrong, finished_at=now),
    ]
    return Job.objects.bulk_create(made)


@requires()
def gallery(request: HttpRequest) -> HttpResponse:
    """Show every component."""
    form = Sample({"name": "", "amount": "abc", "role": "a"} if "wrong" in request.GET else None)
    spark = mark_safe(
        '<svg width="120" height="28" role="img" aria-label="En baisse">'
        '<polyline points="0,4 30,8 60,6 90,16 120,22" fill="none" stroke="currentColor"/></svg>'
    )
    tone = {"text": "−3,0 points sur un an", "word": "moins bien", "tone": "worse"}
    better = {"text": "+1,2 point sur un mois", "word": "mieux", "tone": "better"}
    goal = {"text": "Objectif 80 % : pas atteint", "tone": "worse"}
    small = "intervalle à 95 % : 69,8 % à 72,4 %, n = 5 120"
    context = {
        "form": form,
        "table": _table(request),
        "kpis": [
            {
                "label": "Taux de rétention",
                "url": "/gallery/",
                "period": "octobre 2026",
                "value": "71,0 %",
                "changes": [tone, better],
                "goal": goal,
                "spark": spark,
                "small": small,
            },
            {"label": "NPS", "value": None, "reason": "Aucune réponse à une enquête."},
        ],
        "heatmap": _heatmap(),
        "trend": {
            "title": "Le chiffre d’affaires monte depuis six mois",
            "svg": '<svg viewBox="0 0 600 120" role="img" aria-label="Chiffre d’affaires">'
            '<polyline points="0,100 200,80 400,60 600,20" fill="none" '
            'stroke="var(--c-blue)" stroke-width="2"/></svg>',
            "columns": ["Mois", "Chiffre d’affaires"],
            "rows": [["2026-09", "12 345 €"], ["2026-10", "13 456 €"]],
        },
        "timeline": [
            {
                "at": timezone.now(),
                "kind": "Commande",
                "title": "Commande C-1042",
                "text": "3 articles, 84,50 €",
                "url": "/gallery/",
            },
            {
                "at": timezone.now() - dt.timedelta(days=3),
                "kind": "Réclamation",
                "title": "Colis abîmé",
                "tone": "worse",
            },
        ],
        "jobs": _jobs(),
        "dialog": {
            "id": "erase",
            "title": "Effacer ce client",
            "text": "Son nom et ses adresses sont effacés ; les chiffres restent.",
            "action": "/gallery/",
            "submit": "Effacer",
            "word": "effacer",
        },
    }
    return render(request, "testing/gallery.html", context)
