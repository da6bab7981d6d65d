"""The list of public data sets can be trusted: addresses, checksums, places, groups."""

from itertools import combinations
from pathlib import PurePosixPath

import pytest
from hysteron.core.errors import NotFoundError, SettingsError
from hysteron.core.settings import home
from hysteron.flows.sources import sources, sources_named

FORMATS = {
    *(
        "oc20-extxyz",
        "oc20-lmdb",
        "oc20-trajectories",
        "oc20-mapping",
        "aselmdb",
        "cdvae-csv",
        "matbench-json",
    ),
    *("abx3-csv", "abx3-oqmd-csv", "wolverton-oxides-json", "csv"),
}


def own(text):
    path = home() / "data/sources.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


FAMILY = '[family.f]\ntitle = "t"\nlicence = "l"\ncitation = "c"\npage = "p"\n[[family.f.file]]\n'


def test_the_shipped_list_is_complete_and_names_what_readers_know():
    found = {source.name: source for source in sources()}
    assert {source.format for source in found.values()} == FORMATS
    assert all(
        source.licence and source.citation and source.page.startswith("https://") for source in found.values()
    )
    # published: fairchem's pages, matminer's dataset_metadata.json
    assert found["oc20-s2ef-train-200k"].md5 == "f8d0909c2623a393148435dede7d3a46"
    assert found["oc20-is2re"].unpacked_megabytes == 97_000
    assert found["matbench-dielectric"].sha256.startswith("83befa09bc2e")
    # the first validation sets held duplicates; the corrected ones are of 20 December 2024
    assert all("/241220/" in source.url for source in found.values() if source.group == "omat24-val")


def test_no_place_lies_inside_another_that_an_archive_replaces():
    places = {
        source.name: PurePosixPath(source.folder) / ("" if source.is_archive else source.file_name)
        for source in sources()
        if source.url
    }
    archives = {source.name for source in sources() if source.url and source.is_archive}
    for one, other in combinations(places, 2):
        assert places[one] != places[other]
        assert not (one in archives and places[one] in places[other].parents), (one, other)
        assert not (other in archives and places[other] in places[one].parents), (one, other)


def test_a_group_stands_for_its_files_and_a_family_only_where_it_may():
    names = [source.name for source in sources_named(["omat24-val", "omat24-val-rattled-relax", "omat24-1m"])]
    assert len(names) == 12
    assert names[-1] == "omat24-1m"
    assert len(sources_named(["oc20"], families=True)) == 20
    with pytest.raises(NotFoundError, match="no data set or group 'oc20'"):
        sources_named(["oc20"])
    with pytest.raises(NotFoundError, match="Did you mean 'omat24-val'"):
        sources_named(["omat24-vall"])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('url = "http://example.org/a"', "expected an https address"),
        ('url = "https://x.org/a"\nfolder = "../up"', "inside the data folder"),
        ('url = "https://x.org/a"\nfolder = "/etc"', "inside the data folder"),
        ('url = "https://x.org/a"\nfile = "../a"', "inside the data folder"),
        ('url = "https://x.org/a"\nmd5 = "abc"', "32 lowercase hexadecimal"),
        ('url = "https://x.org/a"\nby_hand = "ask"', "either url or by_hand"),
        ("megabytes = 3", "either url or by_hand"),
        ('url = "https://x.org/a"\nmegabyte = 3', "has no setting 'megabyte'"),
    ],
)
def test_a_list_with_a_mistake_is_refused(line, sentence):
    folder = "" if "folder" in line else 'folder = "f"\n'
    own(FAMILY + f'name = "n"\nformat = "csv"\n{folder}{line}\n')
    with pytest.raises(SettingsError, match=sentence):
        sources()


def test_a_list_that_is_no_toml_or_has_a_name_twice_is_refused():
    own("[family")
    with pytest.raises(SettingsError, match="cannot be read as TOML"):
        sources()
    file = 'name = "n"\nformat = "csv"\nfolder = "f"\nurl = "https://x.org/a"\n'
    own(FAMILY + file + "[[family.f.file]]\n" + file)
    with pytest.raises(SettingsError, match="two data sets 'n'"):
        sources()
