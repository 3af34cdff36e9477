"""Composition: which door answers at which address. Imported by nobody."""

from allauth.account import urls as accounts
from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView

from assets import urls as assets
from config import health, unfold
from config.kernel import views as kernel
from dispatch import urls as dispatch
from integrations import urls as integrations
from tickets import urls as tickets

unfold.withdraw_foreign_pages()
admin.site.index_title = _("总览")
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # one sign-in door
_apps = (assets, tickets, dispatch, integrations)
# Administrators make and reset accounts: the library's doors for sign-up, e-mail and forgotten passwords stay shut.
_ACCOUNTS = ("account_login", "account_logout", "account_inactive", "account_reauthenticate", "account_change_password")

urlpatterns = [
    path("", kernel.home, name="home"),
    path("login/", RedirectView.as_view(pattern_name="account_login", query_string=True), name="login"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("accounts/", include([route for route in accounts.urlpatterns if route.name in _ACCOUNTS])),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include([route for app in _apps for route in app.api])),
    *(route for app in _apps for route in app.urlpatterns),
]
if settings.DEBUG:
    urlpatterns.append(path("design/", kernel.gallery, name="design"))

handler400 = "config.kernel.views.bad_request"
handler403 = "config.kernel.views.permission_denied"
handler404 = "config.kernel.views.page_not_found"
handler500 = "config.kernel.views.server_error"
