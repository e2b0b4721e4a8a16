"""The addresses of the application, and the page that shows every component."""

from __future__ import annotations

from django.urls import path

from revoir_web.testing.gallery import gallery
from revoir_web.urls import (
    handler400,
    handler403,
    handler404,
    handler500,
    urlpatterns,
)

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [*urlpatterns, path("gallery/", gallery, name="gallery")]
