from __future__ import annotations

from django.urls import path

from revoir_web.ingest.views import hooks, imports, sources

app_name = "ingest"
urlpatterns = [
    path("imports/", imports.imports, name="imports"),
    path("imports/new/", imports.new, name="new"),
    path("imports/<uuid:id>/", imports.one, name="import"),
    path("imports/<uuid:id>/files/", imports.add_files, name="add-files"),
    path("imports/<uuid:id>/files/<uuid:file>/remove/", imports.remove_file, name="remove-file"),
    path("imports/<uuid:id>/read/", imports.read, name="read"),
    path("imports/<uuid:id>/mapping/", imports.change_mapping, name="mapping"),
    path("imports/<uuid:id>/preview/<int:place>/", imports.preview, name="preview"),
    path("imports/<uuid:id>/confirm/", imports.confirm, name="confirm"),
    path("imports/<uuid:id>/cancel/", imports.cancel, name="cancel"),
    path("imports/<uuid:id>/undo/", imports.undo, name="undo"),
    path("imports/<uuid:id>/quarantine/<int:place>.csv", imports.quarantine, name="quarantine"),
    path("sources/", sources.sources, name="sources"),
    path("sources/new/<str:kind>/", sources.new_source, name="new-source"),
    path("sources/<int:id>/", sources.source, name="source"),
    path("sources/<int:id>/run/", sources.run_source, name="run-source"),
    path("sources/<int:id>/key/", sources.host_key, name="host-key"),
    path("sources/<int:id>/remove/", sources.remove_source, name="remove-source"),
    path("sources/events/", sources.events, name="events"),
    path("sources/events/set-aside.jsonl", sources.set_aside, name="set-aside"),
    path("sources/events/again/", sources.take_again, name="take-again"),
    path("webhooks/", hooks.webhooks_page, name="webhooks"),
    path("webhooks/<int:id>/", hooks.webhook, name="webhook"),
    path("webhooks/<int:id>/test/", hooks.test, name="webhook-test"),
    path("webhooks/<int:id>/remove/", hooks.remove, name="webhook-remove"),
    path("webhooks/deliveries/<uuid:id>/again/", hooks.again, name="delivery-again"),
    path("v1/<str:call>", sources.call, name="call"),
]
