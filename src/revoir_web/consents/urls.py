from __future__ import annotations

from django.urls import path

from revoir_web.consents import views

app_name = "consents"
urlpatterns = [
    path("consents/", views.purposes, name="purposes"),
    path("consents/purposes/new/", views.purpose_new, name="purpose-new"),
    path("consents/purposes/<int:id>/", views.purpose_edit, name="purpose"),
    path("consents/notice/", views.notice, name="notice"),
    path("consents/retention/", views.retention, name="retention"),
    path("customers/<slug:id>/consents/", views.customer_consents, name="customer"),
    path("customers/<slug:id>/data/", views.customer_data, name="data"),
    path("customers/<slug:id>/erase/", views.customer_erase, name="erase"),
    path("customers/<slug:id>/keep/", views.customer_keep, name="keep"),
    path("p/<str:signed>/", views.preferences, name="preferences"),
    path("p/<str:signed>/stop/", views.stop, name="stop"),
]
