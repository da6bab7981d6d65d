"""How does an archive become a folder without writing anywhere else, or half of it?

Files and folders only, inside the target, as Python's `data` filter allows; links and devices are left out and counted, since
no data set needs them. What is unpacked stands in `NAME.unpacking` until it is complete.
"""

from __future__ import annotations

import lzma
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

from ..core.errors import OutputError, StageError

MOST_MEMBERS = 20_000_000
"""OC20's largest set has some 54,000 files, its trajectories 466,000."""


def unpack(
    archive: Path,
    folder: Path,
    most_bytes: int,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> int:
    """Unpack a tar archive; a single folder inside it becomes the target itself.

    Args:
        archive: Compressed or not.
        folder: Replaced if it exists.
        most_bytes: What unpacks to more is refused.
        progress: Told of bytes read, and of the archive in all.

    Returns:
        How many links and devices were left out.

    Raises:
        StageError: the archive is damaged, leads out of the folder or is larger than allowed.
        OutputError: the disk is full or cannot be written.
    """
    draft = folder.with_name(folder.name + ".unpacking")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        left_out = _extract(archive, draft, most_bytes, progress)
        shutil.rmtree(folder, ignore_errors=True)
        content = list(draft.iterdir())
        (content[0] if len(content) == 1 and content[0].is_dir() else draft).rename(folder)
    except tarfile.FilterError as error:
        raise StageError(f"{archive.name} is refused: {error}.") from None
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise StageError(f"{archive.name} cannot be unpacked: {error}. Fetch it again with --anew.") from None
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return left_out


def _extract(archive: Path, draft: Path, most_bytes: int, progress: Callable[[int, int | None], None]) -> int:
    size = archive.stat().st_size
    left_out = written = 0
    with archive.open("rb") as raw, tarfile.open(fileobj=raw, mode="r|*") as members:
        for count, member in enumerate(members):
            if count >= MOST_MEMBERS:
                raise StageError(f"{archive.name} has more than {MOST_MEMBERS} files.")
            if not (member.isfile() or member.isdir()):
                left_out += 1
                continue
            written += member.size
            if written > most_bytes:
                raise StageError(f"{archive.name} unpacks to more than the {most_bytes} bytes expected.")
            members.extract(member, draft, filter="data")
            progress(raw.tell(), size)
    return left_out
