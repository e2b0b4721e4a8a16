"""Every address of the application."""

from __future__ import annotations

import importlib.util

from allauth.account import views as account_views
from allauth.mfa.base import views as mfa_views
from allauth.mfa.recovery_codes import views as codes_views
from allauth.mfa.totp import views as totp_views
from django.apps import apps
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from revoir_web.accounts.views import no_such_page, sign_in
from revoir_web.common import api

# The pages of allauth that this application has; those of sign-up and of further addresses it
# has not. Names are allauth's own: it builds links with them.
_SIGN_IN: list[URLPattern | URLResolver] = [
    path("login/", sign_in, name="account_login"),
    path("logout/", account_views.logout, name="account_logout"),
    path("signup/", no_such_page, name="account_signup"),
    path("inactive/", account_views.account_inactive, name="account_inactive"),
    path("reauthenticate/", account_views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account_views.password_change, name="account_change_password"),
    path("password/set/", account_views.password_set, name="account_set_password"),
    path("password/reset/", account_views.password_reset, name="account_reset_password"),
    path(
        "password/reset/done/",
        account_views.password_reset_done,
        name="account_reset_password_done",
    ),
    # The key has hyphens of its own: the first one ends the number of the account.
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account_views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        account_views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("2fa/authenticate/", mfa_views.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", mfa_views.reauthenticate, name="mfa_reauthenticate"),
    # Where a second factor that was removed leads to: what there is of it stands on the account.
    path("2fa/", RedirectView.as_view(pattern_name="accounts:account"), name="mfa_index"),
    path("2fa/totp/activate/", totp_views.activate_totp, name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", totp_views.deactivate_totp, name="mfa_deactivate_totp"),
    path("2fa/codes/", codes_views.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "2fa/codes/generate/",
        codes_views.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "2fa/codes/download/",
        codes_views.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include(_SIGN_IN)),
    path("api/", include((api.addresses(), "api"))),
]
# Each app of ours brings its own addresses.
urlpatterns += [
    path("", include(f"{config.name}.urls"))
    for config in apps.get_app_configs()
    if config.name.startswith("revoir_web.") and importlib.util.find_spec(f"{config.name}.urls")
]

handler400 = "revoir_web.common.pages.bad_request"
handler403 = "revoir_web.common.pages.denied"
handler404 = "revoir_web.common.pages.not_found"
handler500 = "revoir_web.common.pages.broken"
