"""Files that come with the package are found wherever it was installed to, and those of others are not."""

import shutil

import pytest

from fastdepth_ros import places


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Installs the package with a configuration: ``put(folder of the package, its prefix)``."""
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)

    def put(package, prefix):
        config = tmp_path / prefix / "share" / "fastdepth_ros" / "config"
        config.mkdir(parents=True)
        (config / "fastdds.xml").write_text("")
        monkeypatch.setattr(places, "PACKAGE", tmp_path / package / "fastdepth_ros")
        return config / "fastdds.xml"

    return put


@pytest.mark.parametrize(
    ("package", "prefix"),
    [
        ("home/.local/lib/python3.11/site-packages", "home/.local"),
        ("usr/local/lib/python3.12/dist-packages", "usr/local"),
        ("target", "target"),
    ],
    ids=["--user", "Debian", "--target"],
)
def test_pip_s_places_are_known(installed, package, prefix):
    file = installed(package, prefix)
    assert places.find("config/fastdds.xml") == file
    assert file.parent.parent in places.shares()


def test_the_ament_prefix_path_is_heeded(installed, tmp_path, monkeypatch):
    file = installed("src", "install")
    assert file.parent.parent not in places.shares()
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"/nowhere:{tmp_path / 'install'}")
    assert places.find("config/fastdds.xml") == file


def test_folders_of_the_same_names_in_site_packages_are_of_others(installed, tmp_path):
    file = installed("lib/python3.11/site-packages", ".")
    shutil.copytree(file.parent, tmp_path / "lib/python3.11/site-packages/config")
    assert places.find("config/fastdds.xml") == file


def test_what_is_nowhere_is_none():
    assert places.find("config/nosuch.xml") is None
