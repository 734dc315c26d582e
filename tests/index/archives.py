"""Archives to read, made by the standard library."""

from __future__ import annotations

import io
import tarfile
import zipfile

METADATA = b"Metadata-Version: 2.2\nName: foo\nVersion: 1.0\nRequires-Dist: bar\n" + b"x" * 3000
NAME = "foo-1.0-py3-none-any.whl"
MEMBER = "foo-1.0.dist-info/METADATA"


class Pipe(io.RawIOBase):
    """A sink that cannot seek, so that zipfile writes data descriptors."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.data += data
        return len(data)


def make_zip(
    *members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, streamed: bool = False, zip64: bool = False
) -> bytes:
    """Make an archive of ``members``."""
    pipe, file = Pipe(), io.BytesIO()
    with zipfile.ZipFile(pipe if streamed else file, "w", method) as archive:
        for name, content in members:
            with archive.open(name, "w", force_zip64=zip64) as member:
                member.write(content)
    return bytes(pipe.data) if streamed else file.getvalue()


def make_wheel(method: int = zipfile.ZIP_DEFLATED, *, streamed: bool = False, zip64: bool = False) -> bytes:
    """Make a wheel of foo 1.0."""
    members = (("foo/__init__.py", b"x = 1\n" * 50), (MEMBER, METADATA), ("foo-1.0.dist-info/RECORD", b""))
    return make_zip(*members, method=method, streamed=streamed, zip64=zip64)


def make_tar(*members: tuple[str | tarfile.TarInfo, bytes], kind: int = tarfile.PAX_FORMAT) -> bytes:
    """Make a gzipped tar of ``members``."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", format=kind) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()
