"""Files of imports that leave the application."""

from __future__ import annotations

from django.http import FileResponse, Http404

from revoir_web.common import audit
from revoir_web.ingest import understanding
from revoir_web.ingest.models import Import


def quarantine_file(held: Import, place: int) -> FileResponse:
    """The rows of a file that were not accepted, to be corrected and brought in again.

    Args:
        held: The import.
        place: Which of its files and sheets, from 0, as `understanding.kept` has them.

    Returns:
        A CSV file; that it was taken is on record.

    Raises:
        Http404: No row of it was set aside, or its rows are no longer kept.
    """
    files = (understanding.kept(held) or {"files": []})["files"]
    path = understanding.quarantine_of(held, place)
    if place >= len(files) or not path.is_file():
        raise Http404
    audit.record("import.quarantine", object=held, details={"file": place})
    stem = files[place]["file"].rpartition(".")[0] or "file"
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=f"{stem}-quarantine.csv",
        content_type="text/csv; charset=utf-8",
    )  # fmt: skip
