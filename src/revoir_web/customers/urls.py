from __future__ import annotations

from django.urls import path

from revoir_web.customers import views

app_name = "customers"
urlpatterns = [
    path("customers/", views.customer_list, name="list"),
    path("customers/views/", views.view_save, name="view-save"),
    path("customers/views/<int:id>/delete/", views.view_delete, name="view-delete"),
    path("customers/merges/", views.merges, name="merges"),
    path("customers/merges/compare/", views.compare, name="compare"),
    path("customers/merges/<int:id>/", views.proposal, name="proposal"),
    path("customers/merges/<int:id>/undo/", views.merge_undo, name="merge-undo"),
    path("customers/<slug:id>/", views.customer_page, name="customer"),
    path("customers/<slug:id>/edit/", views.customer_edit, name="edit"),
    path("customers/<slug:id>/changes/<int:change>/undo/", views.customer_undo, name="undo"),
    path("customers/<slug:id>/notes/", views.note_add, name="note-add"),
    path("customers/<slug:id>/notes/<int:note>/", views.note_edit, name="note-edit"),
    path("customers/<slug:id>/notes/<int:note>/delete/", views.note_delete, name="note-delete"),
]
