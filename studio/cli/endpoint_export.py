"""`studio endpoint export NAME --to kserve|docker`."""

import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from studio.cli.output import AsJson, Domain, out, show_json
from studio.cli.session import rest
from studio.errors import Invalid, StudioError
from studio.runtime import beneath


def export_endpoint(
    name: str,
    to: Annotated[str, typer.Option("--to", help="docker or kserve.")],
    folder: Annotated[Path | None, typer.Option("-o", "--output", help="Folder to make; default: NAME-TO.")] = None,
    registry: Annotated[str, typer.Option(help="Where its images go to, such as registry.example:5000/team.")] = "",
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Writes what it takes to run the endpoint without Studio: image and manifest of each variant, whole or not at
    all."""
    final = (folder or Path(f"{name}-{to}")).absolute()
    if final.is_symlink() or (final.exists() and (not final.is_dir() or any(final.iterdir()))):
        raise Invalid(f"{final} is there already.", "Name a folder that is not there yet: -o FOLDER.")
    with tempfile.TemporaryFile() as tar, rest() as api:
        api.download(f"domains/{domain}/endpoints/{name}/export", tar, to=to, registry=registry)
        tar.seek(0)
        final.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=final.parent))
        try:
            written = unpack(tar, partial)
            partial.chmod(0o755)
            partial.replace(final)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    if as_json:
        show_json({"folder": str(final), "files": written})
        return
    out.print(f"{final}: {len(written)} files. README.md says what to do with them.", markup=False, soft_wrap=True)


def unpack(tar: BinaryIO, folder: Path) -> list[str]:
    """Writes the ordinary files of `tar` below `folder`, without its first component, readable for every user of an
    image; their names. Anything else in it is an error."""
    written: list[str] = []
    try:
        with tarfile.open(fileobj=tar, mode="r:") as archive:
            for info in archive:
                source = archive.extractfile(info) if info.isreg() else None
                parts = beneath.parts_of(info.name)[1:]
                if source is None or not parts:
                    raise Invalid(f"{info.name!r} is no file of an exported endpoint.", "Export it again.")
                path = _folder(folder, parts[:-1]) / parts[-1]
                with path.open("xb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
                path.chmod(0o644)
                written.append("/".join(parts))
    except (tarfile.TarError, EOFError) as error:
        raise StudioError(f"What came is not whole ({error}).", "Export it again.") from error
    if not written:
        raise StudioError("Nothing came.", "Export it again.")
    return written


def _folder(top: Path, parts: tuple[str, ...]) -> Path:
    for part in parts:
        top /= part
        if not top.is_dir():
            top.mkdir()
            top.chmod(0o755)
    return top
