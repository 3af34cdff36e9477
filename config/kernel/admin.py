"""Bases of the admin pages: rights come from the role, what a service owns is read-only, nothing is deleted in bulk."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR, ChangeList
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.db.models.expressions import Combinable
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin

from config.kernel.moments import sane


class HouseFields:
    """`hints` says under a field what it does; here and not in the model, since words are no migration. Dates are sane."""

    hints: ClassVar[dict[str, Any]] = {}

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        field: forms.Field | None = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None and db_field.name in self.hints:
            field.help_text = self.hints[db_field.name]
        if isinstance(field, forms.DateField | forms.DateTimeField | forms.SplitDateTimeField):
            field.validators.append(sane)
        return field


class FirstRows(Paginator):  # type: ignore[type-arg]
    """Counts and turns the pages of the first rows only: to count millions takes longer than to read a page of them."""

    MOST: Final = 10_000
    template_name = "admin/first_rows.html"

    @cached_property
    def count(self) -> int:
        return int(self.object_list[: self.MOST].count())  # type: ignore[attr-defined]

    @property
    def ends_early(self) -> bool:
        return self.count == self.MOST


class HouseAdmin(HouseFields, ModelAdmin):
    """A page over one table. `warn_unsaved_form` keeps typed work; a list is counted once, not with and without filters."""

    list_per_page = 25
    show_full_result_count = False
    warn_unsaved_form = True
    list_fullwidth = True
    compressed_fields = True

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return dict(actions)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the address fills in, as its fields read it; what they cannot read is left empty."""
        wanted, read = super().get_changeform_initial_data(request), {}
        for name, value in wanted.items():
            try:
                field: Any = self.opts.get_field(name)
                key = field.target_field if field.is_relation else field
                found = [key.to_python(one) for one in (value if isinstance(value, list) else [value])]
                for one in found:
                    key.run_validators(one)
                read[name] = found if isinstance(value, list) else found[0]
            except (FieldDoesNotExist, ValidationError, ValueError, OverflowError):
                continue
        return read

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """An address may ask for days beyond the calendar, which shows only when the database is asked: Django then
        answers with the list as a whole. Asked for that, an error is ours."""
        try:
            found: ChangeList = super().get_changelist_instance(request)
        except (OverflowError, ValueError) as error:
            if ERROR_FLAG in request.GET:
                raise
            raise IncorrectLookupParameters from error
        if not request.GET.keys() - {PAGE_VAR, ORDER_VAR, ERROR_FLAG}:
            found.full_result_count = found.result_count  # nothing is left out: no offer to show the rest
        return found


def only_as_dialog(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Over an `@action` with a dialog: opened by itself, in another tab, its address leads to the row's page.

    Who may take the action is asked first, and then whether there is such a row: a way on tells a stranger something too.
    """
    rights = tuple(getattr(view, "allowed_permissions", ()))

    @wraps(view)
    def asked(page: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        if not all(getattr(page, f"has_{right}_permission")(request) for right in rights):
            raise PermissionDenied
        if page.get_object(request, object_id) is None:
            raise Http404
        if request.method == "GET" and "HX-Request" not in request.headers:
            return redirect(f"admin:{page.opts.app_label}_{page.opts.model_name}_change", object_id)
        return view(page, request, object_id=object_id)

    return asked


class MasterAdmin(SimpleHistoryAdmin, HouseAdmin):
    """Master data: editable by those whose role says so, every change kept with who and when."""

    def render_history_view(
        self, request: HttpRequest, template: str, context: dict[str, Any], **more: Any
    ) -> HttpResponse:
        """Without the button to the history of a version: a version has none, and the path above leads to the row's.
        A reason that nobody gave is a dash, not the word None."""
        for version in context.get("page_obj", ()):
            version.history_change_reason = version.history_change_reason or "—"
        found: HttpResponse = super().render_history_view(request, template, context | {"show_history": False}, **more)
        return found


class AsTheyCame(ChangeList):
    """Newest first, whatever the address asks: to sort millions by another column takes seconds for one page."""

    def get_ordering(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> list[str | Combinable]:
        self.params.pop(ORDER_VAR, None)
        return list(super().get_ordering(request, queryset))


class ReadOnlyAdmin(HouseAdmin):
    """Rows that services write, and without end: to look at and search, never to edit here.

    What such a page offers answers as fast at a million rows: a search or filter goes through an index (`bench growth`
    asks them), and no column sorts. Where fields to search in would mean to read all rows, `found` takes the rows and the
    words: it finds first what they name, then the rows by its key. `search_help_text` says what that is.
    """

    paginator = FirstRows
    sortable_by = ()
    ordering = ("-pk",)
    found: ClassVar[Callable[[models.QuerySet[Any], str], models.QuerySet[Any]] | None] = None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return AsTheyCame

    def get_search_fields(self, request: HttpRequest) -> Any:
        return ("pk",) if self.found else super().get_search_fields(request)  # Django shows the box for it

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        term = search_term.strip()
        found = type(self).found
        if found and term:
            return found(queryset, term), False
        return super().get_search_results(request, queryset, term)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyLines(admin.TabularInline):  # type: ignore[type-arg]
    """Lines of a ticket shown beneath it."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
