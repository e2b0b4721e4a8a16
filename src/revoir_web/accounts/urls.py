from __future__ import annotations

from django.urls import path

from revoir_web.accounts import views

app_name = "accounts"
urlpatterns = [
    path("welcome/", views.welcome_page, name="welcome"),
    path("invitation/<str:token>/", views.accept, name="accept"),
    path("language/", views.set_language, name="language"),
    path("people/", views.people, name="people"),
    path("people/<int:id>/", views.person_change, name="person"),
    path("people/invitations/<int:id>/revoke/", views.invitation_revoke, name="invitation-revoke"),
    path("account/", views.account, name="account"),
    path("account/sessions/end/", views.sessions_end, name="sessions-end"),
    path("keys/", views.keys, name="keys"),
    path("keys/<int:id>/revoke/", views.key_revoke, name="key-revoke"),
]
