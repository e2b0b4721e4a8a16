from __future__ import annotations

from django.urls import path

from revoir_web.insights.views import figures, groups, plans, predictions

app_name = "insights"
urlpatterns = [
    path("", figures.dashboard, name="dashboard"),
    path("refresh/", figures.refresh, name="refresh"),
    path("report/", plans.report, name="report"),
    path("report/<uuid:id>/", plans.report_made, name="report-made"),
    path("report/<uuid:id>/<str:form>/", plans.report_file, name="report-file"),
    path("metrics/", figures.catalogue, name="metrics"),
    path("metrics/<slug:name>/", figures.metric, name="metric"),
    path("metrics/<slug:name>/rows/", figures.rows, name="rows"),
    path("cohorts/", groups.cohorts, name="cohorts"),
    path("rfm/", groups.rfm, name="rfm"),
    path("departures/", predictions.departures, name="departures"),
    path("worth/", predictions.worth, name="worth"),
    path("next/", predictions.upcoming, name="next"),
    path("products/", predictions.products, name="products"),
    path("stays/", predictions.stays, name="stays"),
    path("health/", predictions.health, name="health"),
    path("predictions/", predictions.runs_kept, name="predictions"),
    path("predictions/<str:number>/", predictions.card, name="card"),
    path("segments/", groups.segments, name="segments"),
    path("segments/new/", groups.segment_new, name="segment-new"),
    path("segments/count/", groups.segment_count, name="segment-count"),
    path("segments/<int:id>/", groups.segment, name="segment"),
    path("segments/<int:id>/edit/", groups.segment_edit, name="segment-edit"),
    path("segments/<int:id>/remove/", groups.segment_remove, name="segment-remove"),
    path("segments/<int:id>/restore/", groups.segment_restore, name="segment-restore"),
    path("segments/customers/", groups.rule_customers, name="rule-customers"),
    path("segments/<int:id>/customers/", groups.segment_customers, name="segment-customers"),
    path("what-if/", groups.what_if, name="what-if"),
    path("goals/", plans.goals, name="goals"),
    path("goals/<int:id>/remove/", plans.goal_remove, name="goal-remove"),
    path("digests/", plans.digests, name="digests"),
    path("digests/new/", plans.digest_new, name="digest-new"),
    path("digests/<int:id>/", plans.digest, name="digest"),
    path("digests/<int:id>/preview/", plans.digest_preview, name="digest-preview"),
    path("digests/<int:id>/send/", plans.digest_send, name="digest-send"),
    path("digests/<int:id>/remove/", plans.digest_remove, name="digest-remove"),
    path("digests/<int:id>/restore/", plans.digest_restore, name="digest-restore"),
    path("views/save/", plans.view_save, name="view-save"),
    path("views/<int:id>/remove/", plans.view_remove, name="view-remove"),
]
