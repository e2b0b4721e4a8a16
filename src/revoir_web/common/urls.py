from __future__ import annotations

from django.urls import path

from revoir_web.common import exports, monitoring, views

app_name = "common"
urlpatterns = [
    path("healthz", monitoring.healthz, name="healthz"),
    path("readyz", monitoring.readyz, name="readyz"),
    path("prometheus", monitoring.prometheus, name="prometheus"),
    path("company/", views.company, name="company"),
    path("audit/", views.audit_trail, name="audit"),
    path("jobs/", views.job_list, name="jobs"),
    path("jobs/<uuid:id>/", views.job, name="job"),
    path("jobs/<uuid:id>/cancel/", views.job_cancel, name="job-cancel"),
    path("jobs/<uuid:id>/retry/", views.job_retry, name="job-retry"),
    path("exports/<slug:name>.<slug:form>", exports.download, name="export"),
]
