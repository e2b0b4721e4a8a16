from __future__ import annotations

from django.urls import path

from revoir_web.alerts import views

app_name = "alerts"
urlpatterns = [
    path("alerts/", views.inbox, name="list"),
    path("alerts/watch/", views.watch, name="watch"),
    path("alerts/<int:id>/", views.alert, name="alert"),
    path("signals/", views.signals, name="signals"),
    path("signals/<slug:name>/", views.signal, name="signal"),
    path("signals/<slug:name>/reset/", views.signal_reset, name="signal-reset"),
]
