"""Lines of JSON survive a kill."""

from hysteron.core.lines import append_lines, line_at, placed_lines, read_lines


def test_half_a_line_is_passed_over_and_closed(tmp_path):
    path = tmp_path / "log.jsonl"
    assert list(read_lines(path)) == []
    append_lines(path, [{"a": 1}, {"a": 2}])
    path.write_bytes(path.read_bytes()[:-4])
    append_lines(path, [{"a": 3}])
    assert [line["a"] for line in read_lines(path)] == [1, 3]


def test_a_line_is_found_again_by_its_place(tmp_path):
    path = tmp_path / "log.jsonl"
    append_lines(path, [{"a": "ä"}, {"a": 2}])
    with path.open("ab") as out:
        out.write(b"[1, 2]\nnot json\n")
    append_lines(path, [{"a": 3}])
    places = dict(placed_lines(path))
    assert [line_at(path, begin) for begin in places] == list(places.values())
    assert [line["a"] for line in places.values()] == ["ä", 2, 3]
