"""Files that leave the application: registered, allowed by a right, harmless, and on record."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from revoir_web.common import audit, pages
from revoir_web.common.rights import Right, may, requires
from revoir_web.common.tables import Table, fits_a_sheet

Rows = Iterable[Sequence[Any]]
Maker = Callable[[HttpRequest], tuple[Sequence[str], Rows]]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Export:
    """A file that can be asked for.

    Attributes:
        name: Its name, in the address and as file name.
        make: Request → headings and rows of plain values.
        rights: What the user must be allowed, `Right.EXPORT_DATA` always among them.
    """

    name: str
    make: Maker
    rights: frozenset[Right]


class DoesNotFit(Exception):
    """The rows are more, or a text is longer, than a sheet of Excel can hold."""


_EXPORTS: dict[str, Export] = {}


def register(name: str, *rights: Right) -> Callable[[Maker], Maker]:
    """Register an export; `/exports/<name>.csv` and `.xlsx` give it.

    Args:
        name: Its name.
        rights: What is needed beside `Right.EXPORT_DATA`.

    Returns:
        The decorator for a function from request to headings and rows.
    """

    def keep(make: Maker) -> Maker:
        _EXPORTS[name] = Export(name, make, frozenset({Right.EXPORT_DATA, *rights}))
        return make

    return keep


def registered() -> Mapping[str, Export]:
    """Every export."""
    return _EXPORTS


def check_fits(request: HttpRequest, count: int) -> None:
    """Refuse a sheet of too many rows before any is written.

    Args:
        request: Whose address says whether CSV or XLSX is asked for.
        count: How many rows there are.

    Raises:
        DoesNotFit: A sheet is asked for, and has not so many.
    """
    if request.path.endswith(".xlsx") and not fits_a_sheet(count):
        raise DoesNotFit


def of_table(table: Table) -> tuple[list[str], Iterator[list[Any]]]:
    """What a list shows, as headings and rows: same filters, order and columns, every page.

    Raises:
        DoesNotFit: A sheet is asked for, and has not so many rows.
        PermissionDenied: The address searches for what the reader may not see.
    """
    if table.refused:
        raise PermissionDenied
    if table.request.path.endswith(".xlsx"):
        check_fits(table.request, table.count)
    columns = table.chosen

    def rows() -> Iterator[list[Any]]:
        for row in table.filtered.iterator(chunk_size=2000):
            if table.named:
                yield [column.plain(row) for column in columns]
            else:
                yield [column.masked(row) for column in columns]

    return [str(column.label) for column in columns], rows()


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection).

    Examples:
        >>> harmless("=1+1"), harmless(" =1+1"), harmless(-3), harmless("ok")
        ("'=1+1", "' =1+1", -3, 'ok')
    """
    if isinstance(value, str) and value.lstrip(" \t\r\n\xa0\u202f")[:1] in ("=", "+", "-", "@"):
        return f"'{value}"
    if isinstance(value, str) and value[:1] in ("\t", "\r", "\n"):
        return f"'{value}"
    return value


@requires(Right.EXPORT_DATA)
def download(request: HttpRequest, name: str, form: str) -> HttpResponseBase:
    """Give an export as CSV or XLSX, and put it on record."""
    export = _EXPORTS.get(name)
    if export is None or form not in ("csv", "xlsx"):
        raise Http404
    if not all(may(request.user, right) for right in export.rights):
        raise PermissionDenied
    # As on pages: moments are those of the company, also when rows are written after the request.
    zone = timezone.get_current_timezone()
    try:
        headings, rows = export.make(request)
        sheet = _xlsx(headings, rows, zone) if form == "xlsx" else None
    except DoesNotFit:
        return pages.not_possible(
            request,
            _("This is more than a sheet of Excel holds"),
            _("A sheet has 1,048,576 rows, and a cell 32,767 characters. Take it as CSV."),
        )
    # The filters may name a person: the trail keeps which were used, not their values.
    filters = sorted(request.GET)
    audit.record(
        "export", object=name, details={"form": form, "columns": len(headings), "filters": filters}
    )
    file_name = f"{name}-{timezone.localdate().isoformat()}.{form}"
    if sheet is not None:
        return FileResponse(sheet, as_attachment=True, filename=file_name, content_type=XLSX)
    response = StreamingHttpResponse(
        _csv(headings, rows, zone), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response


def _csv(headings: Sequence[str], rows: Rows, zone: dt.tzinfo) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    # Excel takes a file without this mark for Windows-1252.
    buffer.write("\ufeff")
    writer.writerow([harmless(heading) for heading in headings])
    for row in rows:
        writer.writerow([harmless(_plain(value, zone)) for value in row])
        if buffer.tell() > 65_536:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _xlsx(headings: Sequence[str], rows: Rows, zone: dt.tzinfo) -> Any:
    import xlsxwriter

    folder = settings.FILE_UPLOAD_TEMP_DIR
    how = {
        "constant_memory": True,
        "tmpdir": str(folder),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "default_date_format": "yyyy-mm-dd",
    }
    with contextlib.ExitStack() as opened:
        file = opened.enter_context(tempfile.TemporaryFile(suffix=".xlsx", dir=folder))
        with xlsxwriter.Workbook(file, how) as book:
            sheet = book.add_worksheet()
            bold = book.add_format({"bold": True})
            for place, heading in enumerate(headings):
                sheet.write_string(0, place, heading, bold)
            moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(rows, start=1):
                for place, value in enumerate(row):
                    _write(sheet, number, place, _plain(value, zone), moment)
        opened.pop_all()  # the response closes it
    file.seek(0)
    return file


def _write(sheet: Any, row: int, column: int, value: Any, moment: Any) -> None:
    match value:
        case None:
            return
        case bool():
            fault = sheet.write_boolean(row, column, value)
        case int() | float():
            fault = sheet.write_number(row, column, value)
        case dt.datetime():
            fault = sheet.write_datetime(row, column, value, moment)
        case dt.date():
            fault = sheet.write_datetime(row, column, value)
        case _:
            fault = sheet.write_string(row, column, harmless(str(value)))
    # The writer drops rows after the last and cuts long texts, and says so in this number alone.
    if fault:
        raise DoesNotFit


def _plain(value: Any, zone: dt.tzinfo) -> Any:
    match value:
        case Decimal():
            return float(value)
        case dt.datetime():
            return value.astimezone(zone).replace(tzinfo=None, microsecond=0)
        case None | bool() | int() | float() | str() | dt.date():
            return value
    return str(value)
