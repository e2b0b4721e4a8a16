"""Sources as pages and programs set them up: what may be asked, and with whose password."""

from __future__ import annotations

import json
import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from revoir.errors import UsageError
from revoir_web.common.models import AuditEntry, Job, Schedule
from revoir_web.common.rights import Right
from revoir_web.consents.erasure import erase_persons
from revoir_web.customers.actions import resolve_many
from revoir_web.customers.models import Customer
from revoir_web.ingest import actions, called, fetching, outside, planning, vault
from revoir_web.ingest.models import Import, Source, SourceFile, Upload
from revoir_web.testing.calls import Api

from .conftest import lake, work

pytestmark = pytest.mark.django_db
FIELDS = {"name": "S", "user_name": "ana", "every": "day", "pattern": "*"}


@pytest.fixture
def source(company: object) -> Source:
    """An address that is asked with a password."""
    return planning.save_source(
        source=Source(kind="url"),
        fields={"name": "S", "location": "https://8.8.8.8/a.csv", "password": "secret"},
    )


def test_a_password_is_for_its_own_server(source: Source, as_role: Any) -> None:
    """Whoever named another server was sent the password that only the first was to see."""
    owner, path = as_role("owner"), f"/sources/{source.pk}/"
    for location in ("https://8.8.4.4/a.csv", "http://8.8.8.8/a.csv", "https://8.8.8.8:444/a.csv"):
        answer = owner.post(path, {**FIELDS, "location": location})
        assert answer.status_code == 200
        assert list(answer.context["form"].errors) == ["password"], location
    source.refresh_from_db()
    assert source.location == "https://8.8.8.8/a.csv"
    assert owner.post(path, {**FIELDS, "location": "https://8.8.8.8/b.csv"}).status_code == 302
    other = {**FIELDS, "location": "https://8.8.4.4/a.csv", "password": "other"}
    assert owner.post(path, other).status_code == 302
    source.refresh_from_db()
    assert source.location == "https://8.8.4.4/a.csv"
    assert vault.opened(source.secret) == "other"


def test_a_server_without_a_password_is_asked_without_one() -> None:
    """It was said that the secret key of the installation had changed."""
    assert vault.opened("") == ""
    with pytest.raises(UsageError, match="has changed"):
        vault.opened("x")


def test_a_source_whose_host_is_gone_can_be_put_to_rest(
    source: Source, as_role: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its place was looked at again whatever was changed, so that nothing could be."""

    def gone(host: str, port: int) -> str:
        raise outside.Unreachable(outside.msg("There is no host “{host}”.", host=host))

    monkeypatch.setattr(outside, "checked", gone)
    owner, path = as_role("owner"), f"/sources/{source.pk}/"
    told = {**FIELDS, "location": source.location, "every": "never"}
    assert owner.post(path, told).status_code == 302
    source.refresh_from_db()
    assert source.every == "never"
    answer = owner.post(path, {**told, "location": "https://8.8.8.8/b.csv"})
    assert list(answer.context["form"].errors) == ["location"]


def test_all_that_a_source_brought_can_be_reached(source: Source, as_role: Any) -> None:
    """The page stopped at ten imports, and did not say so."""
    for number in range(23):
        Import.objects.create(source=source, title=f"fichier-{number:02}")
    owner, path = as_role("owner"), f"/sources/{source.pk}/"
    pages = [owner.get(path, {"imports.page": n}).content.decode() for n in "123"]
    assert len({name for page in pages for name in re.findall(r"fichier-\d\d", page)}) == 23


# -- By programs ---------------------------------------------------------------------------------
FOLDER = {"kind": "folder", "name": "caisse", "location": "till"}


def test_a_program_sets_a_source_up_and_changes_it(company: object, tmp_path: Path) -> None:
    api = Api(Right.MANAGE_SOURCES)
    answer = api("post", "/sources", {**FOLDER, "every": "week", "weekday": 0, "at": "07:30"})
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["pattern"], made["lands_by_itself"]) == ("*", True)
    assert (made["weekday"], made["at"], made["has_password"]) == (0, "07:30:00", False)
    schedule = Schedule.objects.get(name=f"source:{made['id']}")
    assert (schedule.every, schedule.weekday) == ("week", 0)
    path = f"/sources/{made['id']}"
    # What was read may be sent back.
    told = {"at": made["at"], "weekday": 4, "lands_by_itself": False, "name": None}
    changed = api("patch", path, told).json()
    assert changed == {**made, "weekday": 4, "lands_by_itself": False}
    assert api("get", path).json() == changed
    assert api("patch", path, {"every": "never"}).json()["every"] == "never"
    assert not Schedule.objects.filter(name=f"source:{made['id']}").exists()
    assert api("delete", path).status_code == 204
    assert api("delete", path).status_code == api("patch", path, {}).status_code == 404
    found = AuditEntry.objects.filter(action__startswith="source.").order_by("pk")
    assert [entry.action for entry in found] == [
        "source.create", "source.change", "source.change", "source.remove",
    ]  # fmt: skip
    assert all(entry.actor_name.startswith("test (rvr_") for entry in found)


def test_a_password_goes_in_and_never_comes_out(company: object) -> None:
    api = Api(Right.MANAGE_SOURCES)
    told = {
        "kind": "url", "name": "shop", "location": "https://8.8.8.8/a.csv",
        "user_name": "ana", "password": " s3cret ",
    }  # fmt: skip
    answers = [api("post", "/sources", told)]
    path = f"/sources/{answers[0].json()['id']}"
    held = Source.objects.get()
    assert vault.opened(held.secret) == " s3cret "
    answers += [
        api("patch", path, {"password": "s3cret2"}), api("get", path), api("get", "/sources"),
        # Kept where the server is the same, and where it is said to be empty.
        api("patch", path, {"location": "https://8.8.8.8/b.csv", "password": ""}),
        api("patch", path, {"location": "https://8.8.4.4/b.csv"}),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 422]
    for text in ("s3cret", held.secret):
        assert not any(text in answer.content.decode() for answer in answers)
        assert text not in str(list(AuditEntry.objects.values_list("details", flat=True)))
    held.refresh_from_db()
    assert (held.location, vault.opened(held.secret)) == ("https://8.8.8.8/b.csv", "s3cret2")
    assert "password" in answers[-1].json()["error"]["message"]
    assert answers[2].json()["has_password"] is True


@pytest.mark.parametrize(
    ("kind", "location"),
    [
        ("folder", "../.."), ("folder", "/etc"), ("url", "http://169.254.169.254/latest"),
        ("url", "https://127.0.0.1/a"), ("url", "https://ana:x@8.8.8.8/a"), ("url", "file:///etc"),
        ("sftp", "sftp://10.0.0.1/x"), ("sftp", "sftp://ana:x@8.8.8.8/x"), ("sftp", "sftp://[::1]/"),
        ("database", "sqlite:///etc/passwd"), ("database", "postgresql://192.168.0.1/shop"),
        ("database", "postgresql://ana:x@8.8.8.8/shop"),
    ],
)  # fmt: skip
def test_no_place_inside_is_asked(company: object, settings: Any, kind: str, location: str) -> None:
    """The page's own checks: whoever could get round them by a call would read the network."""
    api = Api(Right.MANAGE_SOURCES)
    answer = api("post", "/sources", {"kind": kind, "name": "s", "location": location})
    assert answer.status_code == 422, answer.content
    assert answer.json()["error"]["message"].startswith("location: ")
    good = {
        "folder": "till", "url": "https://8.8.8.8/a", "sftp": "sftp://8.8.8.8/",
        "database": "postgresql://8.8.8.8/shop",
    }[kind]  # fmt: skip
    made = api("post", "/sources", {"kind": kind, "name": "s", "location": good})
    assert made.status_code == 201, made.content
    answer = api("patch", f"/sources/{made.json()['id']}", {"location": location})
    assert answer.status_code == 422
    assert Source.objects.get().location == good


@pytest.mark.parametrize(
    "told",
    [
        {"name": ""}, {"name": "  "}, {"name": "x" * 101}, {"name": "there"}, {"every": "minute"},
        {"at": "25:00"}, {"at": "07:00Z"}, {"weekday": 7}, {"day": 0}, {"location": ""},
        {"query": "SELECT 1"}, {"user_name": "ana"}, {"password": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_source_is_refused(company: object, told: dict[str, Any]) -> None:
    """Also what sources of another kind have: it would be kept, and never asked for."""
    api = Api(Right.MANAGE_SOURCES)
    api("post", "/sources", {**FOLDER, "name": "there"})
    held = api("post", "/sources", FOLDER).json()
    assert api("post", "/sources", {**FOLDER, "name": "new", **told}).status_code == 422
    assert api("patch", f"/sources/{held['id']}", told).status_code == 422
    assert api("get", f"/sources/{held['id']}").json() == held
    assert Source.objects.count() == 2


def test_only_databases_that_can_be_spoken_to_are_taken() -> None:
    drivers = {entry.name for entry in entry_points(group="ibis.backends")} | {"postgresql"}
    assert set(fetching._DATABASES) <= drivers


def test_a_source_needs_a_kind_a_name_and_a_place(company: object) -> None:
    api = Api(Right.MANAGE_SOURCES)
    for name in FOLDER:
        told = {other: value for other, value in FOLDER.items() if other != name}
        assert api("post", "/sources", told).status_code == 422
    assert api("post", "/sources", {**FOLDER, "kind": "ftp"}).status_code == 422
    assert Api(Right.IMPORT_DATA)("post", "/sources", FOLDER).status_code == 403
    assert not Source.objects.exists()


def test_the_same_source_is_set_up_once(company: object) -> None:
    api = Api(Right.MANAGE_SOURCES)
    api.headers["Idempotency-Key"] = "k1"
    first, again = api("post", "/sources", FOLDER), api("post", "/sources", FOLDER)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert Source.objects.count() == 1


def test_a_program_looks_at_the_key_of_a_server_and_keeps_it(
    company: object, settings: Any, tmp_path: Path
) -> None:
    from .sftp_server import running

    settings.PRIVATE_NETWORKS = ("127.0.0.0/8",)
    api = Api(Right.MANAGE_SOURCES)
    (tmp_path / "remote").mkdir()
    with running(tmp_path / "remote", "ana", "secret") as port:
        told = {"kind": "sftp", "name": "s", "location": f"sftp://127.0.0.1:{port}/"}
        path = f"/sources/{api('post', '/sources', told).json()['id']}"
        assert api("get", path).json()["fingerprint"] is None
        shown = api("get", f"{path}/host-key").json()
        assert shown["fingerprint"].startswith("SHA256:")
        assert shown["kept"] is False
        kept = api("put", f"{path}/host-key", {"key": shown["key"]})
        assert kept.json() == {**shown, "kept": True} == api("get", f"{path}/host-key").json()
    assert api("get", path).json()["fingerprint"] == shown["fingerprint"]
    assert Source.objects.get().host_key == shown["key"]
    assert api("put", f"{path}/host-key", {"key": "no key"}).status_code == 409
    gone = api("get", f"{path}/host-key")
    assert (gone.status_code, gone.json()["error"]["code"]) == (409, "unreachable")
    # At another place it is another server.
    settings.PRIVATE_NETWORKS = ()
    api("patch", path, {"location": "sftp://8.8.8.8/"})
    assert api("get", path).json()["fingerprint"] is None
    other = api("post", "/sources", FOLDER).json()["id"]
    assert api("get", f"/sources/{other}/host-key").status_code == 404
    assert api("put", f"/sources/{other}/host-key", {"key": shown["key"]}).status_code == 404
    assert fetching.fingerprint(shown["key"]) == shown["fingerprint"]


def test_what_a_run_notes_while_a_source_is_changed_stays(source: Source) -> None:
    """The whole row was written: who saved a form put the notes of the last run back."""
    opened = Source.objects.get(pk=source.pk)
    Source.objects.filter(pk=source.pk).update(
        last_error={"text": "x"}, last_found=3, location="ftp.example.com:22/other"
    )
    kept = planning.save_source(source=opened, fields={"name": "Till"})
    assert (kept.name, kept.last_found) == ("Till", 3)
    source.refresh_from_db()
    assert (source.name, source.last_found) == ("Till", 3)
    assert source.location == "ftp.example.com:22/other"
    assert source.last_error


def test_a_place_that_changed_meanwhile_does_not_get_the_password(source: Source) -> None:
    """A form that was checked against the server of before let it go to another."""
    kept = planning.save_source(source=source, fields={"location": "https://8.8.4.4/a.csv"})
    assert kept.secret == ""
    source.refresh_from_db()
    assert source.secret == ""


# -- What a folder may hold ------------------------------------------------------------------------
SALES = "order_id,client,date,montant\nB{n},C1,2025-01-0{n},1\n"


@pytest.fixture
def folder(company: object, settings: Any) -> tuple[Source, Path]:
    """A source that is asked for files of a folder, and the folder."""
    path = Path(settings.SOURCE_FOLDERS[0])
    path.mkdir(parents=True)
    told = {"name": "till", "location": ".", "every": "never", "pattern": "*"}
    return planning.save_source(source=Source(kind="folder"), fields=told), path


def ask(source: Source) -> Source:
    """Ask a source now, and do all that follows."""
    planning.run_source(source=source)
    work()
    source.refresh_from_db()
    return source


def test_an_empty_file_holds_up_no_other(folder: tuple[Source, Path]) -> None:
    """Nothing of a folder came in any more, and each time the others were copied once more."""
    source, path = folder
    (path / "a.csv").write_text(SALES.format(n=1))
    (path / "b.csv").write_text("")
    assert ask(source).last_error is None
    assert [held.state for held in Import.objects.all()] == ["landed"]
    (path / "b.csv").write_text(SALES.format(n=2))  # it is filled later
    assert ask(source).last_found == 1
    assert lake("SELECT count(*) FROM orders") == [(2,)]


def test_a_file_called_after_somebody_erased_does_not_come_again(
    folder: tuple[Source, Path],
) -> None:
    source, path = folder
    (path / "Marie Dupont.csv").write_text(SALES.format(n=1))
    assert ask(source).last_found == 1
    id = Customer.objects.values_list("pk", flat=True)[0]
    Customer.objects.filter(pk=id).update(name="Marie Dupont")
    erase_persons(customers=[Customer.objects.get(pk=id)], reason="request")
    assert not SourceFile.objects.filter(name__contains="Dupont").exists()
    assert ask(source).last_found == 0
    assert [held.title for held in Import.objects.all()] == ["….csv"]
    # Changed, or called as that of the next month: it comes, and brings no name.
    (path / "Marie Dupont.csv").write_text(SALES.format(n=2))
    (path / "2025-02_marie_DUPONT-v2.csv").write_text(SALES.format(n=3))
    (path / "Marie Dupontel.csv").write_text(SALES.format(n=4))
    assert ask(source).last_found == 3
    names = sorted(Upload.objects.values_list("name", flat=True))
    assert names == ["2025-02_…-v2.csv", "Marie Dupontel.csv", "….csv", "….csv"]
    told = [*SourceFile.objects.values("name"), *Import.objects.values("title", "mapping")]
    told += Job.objects.values("arguments", "progress_message", "result")
    words = json.dumps(told, default=str).casefold().replace("dupontel", "")
    assert "dupont" not in words
    assert ask(source).last_found == 0


@pytest.mark.parametrize(
    ("key", "name", "expected"),
    [
        ({"email": "ana@example.com"}, "ventes Ana@Example.com 2025.csv", "ventes … 2025.csv"),
        ({"email": "ana@example.com"}, "bana@example.com.csv", "bana@example.com.csv"),
        ({"customer_id": "CL-000123"}, "CL-000123_2.csv", "…_2.csv"),
        ({"phone": "06 12 34 56 78"}, "appels 0612345678.csv", "appels ….csv"),
        ({"phone": "06 12 34 56 78"}, "appels 06-12-34-56-78.csv", "appels ….csv"),
        ({"customer_id": "20250301"}, "caisse 20250301.csv", "caisse 20250301.csv"),
    ],
)
def test_a_file_called_by_an_address_or_number_of_somebody_erased(
    folder: tuple[Source, Path], key: dict[str, str], name: str, expected: str
) -> None:
    source, path = folder
    [id] = resolve_many([key], source="test")
    erase_persons(customers=[Customer.objects.get(pk=id)], reason="request")
    (path / name).write_text(SALES.format(n=1))
    assert ask(source).last_found == 1
    assert [upload.name for upload in Upload.objects.all()] == [expected]
    assert ask(source).last_found == 0


def test_a_name_of_which_the_hash_alone_is_kept_does_not_come_again(
    folder: tuple[Source, Path],
) -> None:
    """Erasures of earlier versions kept no more than that."""
    source, path = folder
    erased = resolve_many([{"email": "ana@example.com"}], source="test")
    erase_persons(customers=[Customer.objects.get(pk__in=erased)], reason="request")
    name = "Léa Martin.csv"
    SourceFile.objects.create(source=source, name=called.hash_of(name), mark="1:1")
    (path / name).write_text(SALES.format(n=1))
    assert ask(source).last_found == 1
    assert [upload.name for upload in Upload.objects.all()] == ["….csv"]
    assert not SourceFile.objects.filter(name__contains="Martin").exists()


def test_more_files_than_an_import_can_have_come_in_one_after_another(
    folder: tuple[Source, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of five hundred and one files was refused each time it was asked."""
    monkeypatch.setattr(actions, "FILES_MAX", 2)
    source, path = folder
    for n in range(1, 6):
        (path / f"{n}.csv").write_text(SALES.format(n=n))
    assert ask(source).last_error is None
    assert sorted(held.uploads.count() for held in Import.objects.all()) == [1, 2, 2]
    assert lake("SELECT count(*) FROM orders") == [(5,)]


def test_what_may_not_be_read_is_told_on_the_page(
    folder: tuple[Source, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job failed as if by an error of the program, and the source said nothing."""
    source, path = folder
    (path / "a.csv").write_text(SALES.format(n=1))

    def denied(**arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(actions, "add_file", denied)
    failure = ask(source).failure
    assert failure is not None
    assert "Permission denied" in failure.text("en")
    assert [held.state for held in Import.objects.all()] == ["cancelled"]


def test_a_query_over_several_lines_is_no_table(
    company: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "checked", lambda host, port: "93.184.216.34")
    source = Source(kind="database", location="postgresql://db.example.com/shop")
    source.query = "SELECT\n*\nFROM\norders\n"
    assert "?query=SELECT%0A" in fetching.database_url(source)
    source.query = " orders "
    assert fetching.database_url(source).endswith("?table=orders")
