from __future__ import annotations

from django.urls import path

from revoir_web.messaging import views

app_name = "messaging"
urlpatterns = [
    path("messages/", views.message_list, name="messages"),
    path("messages/<int:id>/", views.message, name="message"),
    path("messages/<int:id>/again/", views.message_again, name="message-again"),
]
