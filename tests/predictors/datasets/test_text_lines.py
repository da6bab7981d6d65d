"""Lines of text, compressed or not, in little memory."""

import lzma
import zlib

import pytest
from hysteron.core.errors import InputError, NotFoundError
from hysteron.predictors.datasets import text_lines
from hysteron.predictors.datasets.text_lines import text_lines as lines_of


@pytest.mark.parametrize("text", ["a\nb\n", "a\nb", "a\r\nb\r\n", "\n\na", "one " * 100_000 + "\nend"])
def test_lines_are_those_of_the_text(tmp_path, text):
    (tmp_path / "a.txt").write_bytes(text.encode())
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress(text.encode()))
    expected = text.replace("\r", "").removesuffix("\n").split("\n")
    assert list(lines_of(tmp_path / "a.txt")) == list(lines_of(tmp_path / "a.txt.xz")) == expected


def test_parts_that_were_compressed_one_after_another(tmp_path):
    (tmp_path / "a.xz").write_bytes(lzma.compress(b"one\ntw") + lzma.compress(b"o\n") + bytes(4))
    assert list(lines_of(tmp_path / "a.xz")) == ["one", "two"]


@pytest.mark.parametrize("kept", [0, 5, 40, -1])
def test_cut_off(tmp_path, kept):
    (tmp_path / "a.xz").write_bytes(lzma.compress(b"some line\n" * 5000)[:kept])
    with pytest.raises(InputError, match="cut off"):
        list(lines_of(tmp_path / "a.xz"))


def test_a_line_without_end_is_not_kept(tmp_path):
    """128 MB of one letter in 20 KB: only as much as a line may have is ever held."""
    (tmp_path / "a.xz").write_bytes(lzma.compress(bytes(text_lines.MAX_LINE_BYTES * 16)))
    with pytest.raises(InputError, match="a line of more than"):
        list(lines_of(tmp_path / "a.xz"))


def test_a_decompressor_that_asks_for_gigabytes(tmp_path):
    packer = lzma.LZMACompressor(lzma.FORMAT_XZ, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 12}])
    raw = bytearray(packer.compress(b"a\n") + packer.flush())
    raw[16] = 40  # the size of the dictionary: 4 GB; the check of the header goes with it
    raw[20:24] = zlib.crc32(bytes(raw[12:20])).to_bytes(4, "little")
    (tmp_path / "a.xz").write_bytes(raw)
    with pytest.raises(InputError, match="Memory usage limit"):
        list(lines_of(tmp_path / "a.xz"))


def test_no_text_and_no_file(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\n")
    with pytest.raises(InputError, match="UTF-8"):
        list(lines_of(tmp_path / "a.txt"))
    with pytest.raises(NotFoundError):
        list(lines_of(tmp_path / "b.txt"))
