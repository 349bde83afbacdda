"""model.tar.gz: unpacked into the same folder as its files would be, or refused whole."""

import gzip
import io
import os
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.errors import Invalid, NotFound, StudioError, TooLarge
from studio.serving import archives, materialise

Fill = Callable[[tarfile.TarFile], None]
SCRIPT = b"def model_fn(model_dir): ..."


def member(name: str, data: bytes = b"x", **more: object) -> tuple[tarfile.TarInfo, io.BytesIO]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, io.BytesIO(data)


def pack(folder: Path, fill: Fill, name: str = "model.tar.gz") -> Path:
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / name, "w:gz") as archive:
        fill(archive)
    return folder


def make(source: Path, tmp_path: Path) -> Path:
    return tmp_path / "store" / materialise.materialise(source, tmp_path / "store").digest


def refused(source: Path, tmp_path: Path, words: str, kind: type[StudioError] = Invalid) -> None:
    with pytest.raises(kind, match=words):
        make(source, tmp_path)
    store = tmp_path / "store"
    assert not store.exists() or list(store.iterdir()) == []
    assert not (tmp_path / "outside").exists()


def test_an_archive_is_the_folder_that_was_packed(tmp_path: Path) -> None:
    files = {"code/inference.py": SCRIPT, "model.joblib": b"\0" * 3_000_000, "code/more/words.txt": "Wörter".encode()}
    for name, data in files.items():
        (tmp_path / "plain" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "plain" / name).write_bytes(data)
    packed = tmp_path / "packed"
    packed.mkdir()
    with tarfile.open(packed / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "plain", "./")
    made = make(packed, tmp_path)
    assert {str(path.relative_to(made)): path.read_bytes() for path in made.rglob("*") if path.is_file()} == files
    assert all(path.stat().st_mode & 0o222 == 0 for path in made.rglob("*") if path.is_file())
    # The content decides the name, not how it was packed: the same as plain files, and as the bare archive.
    assert made == make(tmp_path / "plain", tmp_path) == make(packed / "model.tar.gz", tmp_path)


def test_an_archive_beside_a_model_is_one_of_its_files(tmp_path: Path) -> None:
    source = pack(tmp_path / "source", lambda archive: archive.addfile(*member("inference.py")))
    (source / "MLmodel").write_text("flavors: {}")
    assert {path.name for path in make(source, tmp_path).iterdir()} == {"MLmodel", "model.tar.gz"}


def test_other_files_beside_the_archive_are_kept(tmp_path: Path) -> None:
    source = pack(tmp_path / "source", lambda archive: archive.addfile(*member("code/inference.py", SCRIPT)))
    (source / "serving_input_example.json").write_text("[[1]]")
    made = make(source, tmp_path)
    assert (made / "code" / "inference.py").read_bytes() == SCRIPT
    assert (made / "serving_input_example.json").exists() and not (made / "model.tar.gz").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../outside", "not below"),
        ("code/../../outside", "not below"),
        ("/tmp/outside", "not below"),
        ("././../outside", "not below"),
        ("a\\..\\outside", "cannot be used"),
        ("a\nb", "cannot be used"),
        ("a/" * 600 + "b", "cannot be used"),
        ("b" * 300, "too long"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str, words: str) -> None:
    refused(pack(tmp_path / "source", lambda archive: archive.addfile(*member(name))), tmp_path, words)


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"Z"],
    ids=["symlink", "hard link", "character device", "block device", "fifo", "unknown"],
)
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    def fill(archive: tarfile.TarFile) -> None:
        archive.addfile(*member("inference.py", SCRIPT))
        archive.addfile(member("x", b"", type=kind, linkname="/etc/passwd")[0])

    refused(pack(tmp_path / "source", fill), tmp_path, "x in model.tar.gz is a link or no file")


def test_a_link_that_a_file_goes_through_is_refused(tmp_path: Path) -> None:
    def fill(archive: tarfile.TarFile) -> None:
        archive.addfile(member("code", b"", type=tarfile.SYMTYPE, linkname=str(tmp_path))[0])
        archive.addfile(*member("code/outside"))

    refused(pack(tmp_path / "source", fill), tmp_path, "code in model.tar.gz is a link")


@pytest.mark.parametrize(
    "names", [("a", "a"), ("a", "./a"), ("a", "a/b"), ("a/b", "a")], ids=["twice", "dot", "folder", "file"]
)
def test_two_members_for_one_place_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    def fill(archive: tarfile.TarFile) -> None:
        for name in names:
            archive.addfile(*member(name))

    refused(pack(tmp_path / "source", fill), tmp_path, "twice")


def test_a_member_in_the_place_of_a_file_beside_the_archive_is_refused(tmp_path: Path) -> None:
    for name in ("weights", "weights/x", "code"):
        source = pack(tmp_path / name.replace("/", "-"), lambda archive, name=name: archive.addfile(*member(name)))
        (source / "weights").write_text("")
        (source / "code").mkdir()
        (source / "code" / "other.py").write_text("")
        refused(source, tmp_path, "twice")


def test_a_sparse_file_is_refused(tmp_path: Path) -> None:
    def fill(archive: tarfile.TarFile) -> None:
        more = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(1 << 40), "GNU.sparse.major": "0"}
        info, data = member("huge")
        info.pax_headers = more
        archive.addfile(info, data)

    refused(pack(tmp_path / "source", fill), tmp_path, "huge in model.tar.gz is a link or no file")


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(materialise, "MAX_FILES", 20)

    def fill(archive: tarfile.TarFile) -> None:
        for number in range(21):
            archive.addfile(*member(f"{number}"))

    refused(pack(tmp_path / "source", fill), tmp_path, "more than 20 files", TooLarge)


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LITTLE", 1 << 20)
    source = pack(tmp_path / "source", lambda archive: archive.addfile(*member("zeros", bytes(30 << 20))))
    assert (source / "model.tar.gz").stat().st_size < 40_000
    refused(source, tmp_path, "becomes too large", TooLarge)


def test_a_file_that_only_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    info = member("huge", size=1 << 40)[0]
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "model.tar.gz").write_bytes(gzip.compress(info.tobuf() + bytes(10_000)))
    refused(tmp_path / "source", tmp_path, "cannot be unpacked", Invalid)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME], ids=["pax", "long name"])
def test_a_huge_header_is_not_read_into_memory(tmp_path: Path, kind: bytes) -> None:
    info = member("header", size=20 << 20, type=kind)[0]
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "model.tar.gz").write_bytes(gzip.compress(info.tobuf() + bytes(20 << 20), 1))
    refused(tmp_path / "source", tmp_path, "header in model.tar.gz has more than")


@pytest.mark.parametrize("damage", ["cut", "no gzip", "no tar", "flipped", "empty", "headers without end"])
def test_what_is_broken_is_said(tmp_path: Path, damage: str) -> None:
    source = pack(tmp_path / "source", lambda archive: archive.addfile(*member("weights", os.urandom(500_000))))
    path = source / "model.tar.gz"
    whole = path.read_bytes()
    endless = member("", b"", type=tarfile.XHDTYPE)[0].tobuf() * 3000
    path.write_bytes(
        {
            "cut": whole[: len(whole) // 2],
            "no gzip": b"PK\3\4" + bytes(2000),
            "no tar": gzip.compress(os.urandom(5000)),
            "flipped": whole[:-6] + bytes([whole[-6] ^ 255]) + whole[-5:],
            "empty": b"",
            "headers without end": gzip.compress(endless),
        }[damage]
    )
    refused(source, tmp_path, "model.tar.gz (cannot be unpacked|has no files)", StudioError)


def test_an_archive_without_files_says_so(tmp_path: Path) -> None:
    refused(pack(tmp_path / "source", lambda archive: None), tmp_path, "no files", NotFound)


def test_a_size_below_zero_does_not_lead_back(tmp_path: Path) -> None:
    def fill(archive: tarfile.TarFile) -> None:
        for name in ("a", "b"):
            info, data = member(name)
            info.pax_headers = {"size": "-1536"} if name == "b" else {}
            archive.addfile(info, data)

    refused(pack(tmp_path / "source", fill), tmp_path, "b in model.tar.gz is a link or no file")


def test_whatever_is_changed_in_it_is_refused_or_stays_below_the_folder(tmp_path: Path) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(*member("code/inference.py", SCRIPT))
        archive.addfile(*member("long/" + "n" * 120, b"y" * 700, pax_headers={"mtime": "1.5"}))
        archive.addfile(member("empty", b"", type=tarfile.DIRTYPE)[0])
        archive.addfile(*member("weights", os.urandom(600)))
    generator = random.Random(11)
    made = 0
    for number in range(120):
        data = bytearray(whole.getvalue())
        for _ in range(generator.randint(1, 6)):
            at = generator.choice((generator.randrange(512), generator.randrange(len(data))))
            data[at] = generator.choice((0, 0x2E, 0x2F, 0x35, 0xFF, generator.randrange(256)))
        source = tmp_path / f"source-{number}"
        source.mkdir()
        (source / "model.tar.gz").write_bytes(gzip.compress(mended(data), 1))
        try:
            made += make(source, tmp_path).is_dir()
        except StudioError:
            continue
    outside = {path.name for path in tmp_path.iterdir()} - {"store"}
    assert outside == {f"source-{number}" for number in range(120)} and 0 < made < 120


def mended(data: bytearray) -> bytes:
    """The same with the checksums of its headers made right, or changes would only ever be found by them."""
    for at in range(0, len(data) - 511, 512):
        if data[at + 257 : at + 262] == b"ustar":
            data[at + 148 : at + 156] = b" " * 8
            data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])
    return bytes(data)
