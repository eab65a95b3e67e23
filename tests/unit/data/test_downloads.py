"""Files that are fetched: from a mirror or an address, whole and right or not at all."""

import hashlib
import re
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from pipeline.config import DatasetConfig, DownloadConfig
from pipeline.data.downloads import fetch
from pipeline.data.mirror import MIRROR
from pipeline.errors import ConfigError, DataError
from pipeline.layout import Layout

CONTENT = b"a,b\n" + b"1,2\n" * 50_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = "rows/rows.csv"


class Server:
    """Serves `files`. Of each answer it sends `most` bytes and then breaks off, unless `most` is None; `asked` are the
    paths and ranges that were asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"/rows.csv": CONTENT}
        self.most: int | None = None
        self.asked: list[tuple[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range", "")
                server.asked.append((self.path, wanted))
                if self.path not in server.files:
                    self.send_error(404)
                    return
                start = int(wanted.removeprefix("bytes=").rstrip("-") or 0)
                content = server.files[self.path][start:]
                self.send_response(206 if wanted else 200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: server.most])
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.delenv(MIRROR, raising=False)
    found = Server()
    yield found
    found.close()


def dataset(url: object, sha256: str = SHA256, member: str = "", name: str = NAME) -> DatasetConfig:
    return DatasetConfig("made", "table", "regression", downloads={name: DownloadConfig(url, sha256, member)})


def in_raw(root: Path) -> list[str]:
    return sorted(
        path.relative_to(root / "data").as_posix()
        for path in root.rglob("*")
        if path.is_file() and "data" in path.parts
    )


def refused(config: DatasetConfig, root: Path, message: str) -> None:
    with pytest.raises(DataError, match=message):
        fetch(config, Layout(root))
    assert not [name for name in in_raw(root) if ".partial/" not in name]


def test_a_file_comes_from_its_address_once(server: Server, tmp_path: Path) -> None:
    config = dataset([f"{server.url}/old.csv", f"{server.url}/rows.csv"])
    for _ in range(2):
        fetch(config, Layout(tmp_path))
        assert (tmp_path / "data" / "raw" / NAME).read_bytes() == CONTENT
    assert {path for path, _ in server.asked} == {"/old.csv", "/rows.csv"}
    assert [path for path, _ in server.asked].count("/rows.csv") == 1
    assert in_raw(tmp_path) == [f"raw/{NAME}"]


def test_a_download_that_breaks_off_goes_on(server: Server, tmp_path: Path) -> None:
    server.most = 70_000
    fetch(dataset(f"{server.url}/rows.csv"), Layout(tmp_path))
    assert (tmp_path / "data" / "raw" / NAME).read_bytes() == CONTENT
    starts = [int(wanted.removeprefix("bytes=").rstrip("-") or 0) for _, wanted in server.asked]
    assert len(starts) > 1
    assert starts == sorted(set(starts)), "nothing is asked for twice"


def test_a_later_command_goes_on_too(server: Server, tmp_path: Path) -> None:
    server.most = 20_000
    config = dataset(f"{server.url}/rows.csv")
    refused(config, tmp_path, "data/raw/rows/rows.csv: not there, and it cannot be fetched ")
    done = len(server.asked)
    server.most = None
    fetch(config, Layout(tmp_path))
    assert server.asked[done][1] != ""
    assert in_raw(tmp_path) == [f"raw/{NAME}"]


def set_mirror(how: str, mirror: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "environment":
        monkeypatch.setenv(MIRROR, mirror)
    else:
        root.mkdir()
        (root / "local.yaml").write_text(f"mirror: {mirror}\n")


@pytest.mark.parametrize("how", ["environment", "file"])
@pytest.mark.parametrize("kind", ["folder", "address"])
def test_a_mirror_comes_first(
    kind: str, how: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, root = tmp_path / "mirror", tmp_path / "checkout"
    (mirror / "rows").mkdir(parents=True)
    (mirror / NAME).write_bytes(CONTENT)
    server.files = {f"/mirror/{NAME}": CONTENT}
    set_mirror(how, str(mirror) if kind == "folder" else f"{server.url}/mirror/", root, monkeypatch)
    fetch(dataset(f"{server.url}/rows.csv"), Layout(root))
    assert (root / "data" / "raw" / NAME).read_bytes() == CONTENT
    assert server.asked == ([] if kind == "folder" else [(f"/mirror/{NAME}", "")])


def test_what_a_mirror_lacks_comes_from_the_address(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MIRROR, str(tmp_path / "mirror"))
    fetch(dataset(f"{server.url}/rows.csv"), Layout(tmp_path / "checkout"))
    server.files = {}
    refused(
        dataset(f"{server.url}/other.csv", name="other.csv"),
        tmp_path / "second",
        rf"data/raw/other.csv: not there, and it cannot be fetched \({re.escape(str(tmp_path))}/mirror/other.csv: "
        rf"No such file or directory; {server.url}/other.csv: 404 .*\). Put it there, or set {MIRROR}, or mirror "
        "in local.yaml, to a folder or an address that has other.csv.",
    )


def test_another_file_is_refused(server: Server, tmp_path: Path) -> None:
    other = "0" * 64
    refused(
        dataset(f"{server.url}/rows.csv", other),
        tmp_path,
        rf"cannot be fetched \({server.url}/rows.csv: found sha256 {SHA256}, expected {other}\)",
    )
    refused(
        dataset(f"{server.url}/rows.csv", ""),
        tmp_path,
        f"downloads.rows/rows.csv has no sha256. The file at {server.url}/rows.csv has {SHA256}: if that is the right "
        "file, write this as its sha256.",
    )


def test_an_address_with_another_file_is_passed_over(server: Server, tmp_path: Path) -> None:
    server.files["/login.html"] = b"<html>Who are you?</html>"
    fetch(dataset([f"{server.url}/login.html", f"{server.url}/rows.csv"]), Layout(tmp_path))
    assert in_raw(tmp_path) == [f"raw/{NAME}"]
    assert (tmp_path / "data" / "raw" / NAME).read_bytes() == CONTENT


def test_a_file_that_was_edited_is_refused(server: Server, tmp_path: Path) -> None:
    config = dataset(f"{server.url}/rows.csv")
    fetch(config, Layout(tmp_path))
    path = tmp_path / "data" / "raw" / NAME
    path.write_bytes(b"a,b\n3,4\n")
    with pytest.raises(DataError, match=r"rows.csv: found sha256 .*, but dataset made expects .* Remove the file"):
        fetch(config, Layout(tmp_path))
    assert path.read_bytes() == b"a,b\n3,4\n"
    with pytest.raises(
        DataError, match=r"found sha256 \w{64}, but downloads.rows/rows.csv of dataset made has no sha256"
    ):
        fetch(dataset(f"{server.url}/rows.csv", ""), Layout(tmp_path))


def test_a_member_of_an_archive(server: Server, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep/rows.csv", CONTENT)
        archive.writestr("zeros", b"0" * 10**8)
        archive.writestr("\u00e4", b"")
    whole = (tmp_path / "all.zip").read_bytes()
    no_utf_8 = whole.replace("\u00e4".encode(), b"\xe4\xe4")
    server.files = {"/all.zip": whole, "/rows.csv": CONTENT, "/no_utf_8.zip": no_utf_8}
    root = tmp_path / "checkout"
    fetch(dataset(f"{server.url}/all.zip", member="deep/rows.csv"), Layout(root))
    assert (root / "data" / "raw" / NAME).read_bytes() == CONTENT
    assert in_raw(root) == [f"raw/{NAME}"]
    for address, member, message in (
        ("all.zip", "rows.csv", "no zip archive with rows.csv"),
        ("rows.csv", "rows.csv", "no zip archive with rows.csv"),
        ("all.zip", "zeros", "it unpacks to more than"),
        ("no_utf_8.zip", "deep/rows.csv", r"no zip archive with deep/rows.csv \("),
    ):
        refused(dataset(f"{server.url}/{address}", member=member), tmp_path / "other", message)


FILES = {f"{name}.wav": f"sound {name} ".encode() * 100 for name in ("a b#", "c", "deep/d", "e")}


def folder_of(server: Server, root: Path) -> DatasetConfig:
    """A dataset that downloads FILES, from a server that has them."""
    server.files = {f"/sounds/{quote(name)}": content for name, content in FILES.items()}
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in FILES.items()]
    (root / "conf").mkdir(parents=True, exist_ok=True)
    (root / "conf" / "sounds.sha256").write_text("".join(sums))
    wanted = DownloadConfig(f"{server.url}/sounds/", sums="conf/sounds.sha256")
    return DatasetConfig("made", "files", "multiclass", downloads={"made/sounds": wanted})


def test_a_folder_of_files(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = folder_of(server, tmp_path)
    lacking = server.files.pop("/sounds/c.wav")
    with pytest.raises(DataError, match=r"data/raw/made/sounds/c.wav: not there, and it cannot be fetched \(.*404"):
        fetch(config, Layout(tmp_path))
    server.files["/sounds/c.wav"] = lacking
    there = {path.name for path in (tmp_path / "data").rglob("*.wav") if path.is_file()}
    server.asked.clear()
    for _ in range(2):
        fetch(config, Layout(tmp_path))
    # what was there is not asked for again
    asked = {unquote(path.split("/")[-1]) for path, _ in server.asked}
    assert asked == {"a b#.wav", "c.wav", "d.wav", "e.wav"} - there
    assert in_raw(tmp_path) == sorted(f"raw/made/sounds/{name}" for name in FILES)
    assert all((tmp_path / "data/raw/made/sounds" / name).read_bytes() == content for name, content in FILES.items())
    assert capsys.readouterr().out.startswith("made/sounds: 4 of 4 files\n")
    (tmp_path / "data/raw/made/sounds/e.wav").write_bytes(b"other")
    with pytest.raises(DataError, match=r"data/raw/made/sounds/e.wav: found sha256 .* Remove the file"):
        fetch(config, Layout(tmp_path))
    # a name that is left out of the sums, as when they are written anew, leaves no row behind
    (tmp_path / "data/raw/made/sounds/e.wav").write_bytes(FILES["e.wav"])
    sums = tmp_path / "conf" / "sounds.sha256"
    sums.write_text("".join(line for line in sums.read_text().splitlines(True) if "c.wav" not in line))
    with pytest.raises(DataError, match=r"data/raw/made/sounds/c.wav: conf/sounds.sha256 does not name this file"):
        fetch(config, Layout(tmp_path))
    config.downloads["made/sounds/c.wav"] = DownloadConfig("http://x", hashlib.sha256(FILES["c.wav"]).hexdigest())
    fetch(config, Layout(tmp_path))


@pytest.mark.parametrize("kind", ["folder", "address"])
def test_a_folder_comes_from_a_mirror(
    kind: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = folder_of(server, tmp_path)
    server.files = {path.replace("/sounds", "/mirror/made/sounds"): content for path, content in server.files.items()}
    for name, content in FILES.items():
        place = tmp_path / "mirror/made/sounds" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    monkeypatch.setenv(MIRROR, str(tmp_path / "mirror") if kind == "folder" else f"{server.url}/mirror")
    fetch(config, Layout(tmp_path))
    asked = [path for path, _ in server.asked]
    assert sorted(asked) == (sorted(server.files) if kind == "address" else [])
    assert in_raw(tmp_path) == sorted(f"raw/made/sounds/{name}" for name in FILES)


@pytest.mark.parametrize(
    ("sums", "message"),
    [
        (None, "sounds.sha256: cannot be read"),
        ("", "sounds.sha256: found 0 lines, expected a sha256 and a name for each file."),
        (f"{SHA256}  a.wav\n{SHA256} a\n", "sounds.sha256, line 2: found"),
        (f"{SHA256}  ../a.wav\n", "sounds.sha256, line 1: found"),
        (f"{SHA256}  /a.wav\n", "expected a sha256, two blanks and a new name."),
        (f"{SHA256}  a.wav\n{SHA256}  ./a.wav\n", "sounds.sha256, line 2: found"),
        (f"{SHA256}  .\n", "sounds.sha256, line 1: found"),
        (f"{SHA256}  a\n{SHA256}  a/b/c.wav\n", "sounds.sha256, line 2: found"),
        (f"{SHA256}  a/b/c.wav\n{SHA256}  a\n", "sounds.sha256, line 2: found"),
    ],
)
def test_what_are_no_sums(sums: str | None, message: str, server: Server, tmp_path: Path) -> None:
    config, path = folder_of(server, tmp_path), tmp_path / "conf" / "sounds.sha256"
    path.unlink() if sums is None else path.write_text(sums)
    refused(config, tmp_path, re.escape(message))


def test_sums_are_not_those_of_one_file() -> None:
    config = DatasetConfig("made", "table", "regression")
    config.downloads[NAME] = DownloadConfig("http://x", SHA256, sums="x")
    with pytest.raises(ConfigError, match=r"rows\.csv\.sums: found 'x', expected nothing with sha256 or member"):
        config.check()
    for sums in ("data/x.sha256", "conf/../x.sha256", "/conf/x.sha256"):
        config.downloads[NAME] = DownloadConfig("http://x", sums=sums)
        with pytest.raises(ConfigError, match=rf"sums: found '{sums}', expected a file in conf/"):
            config.check()
    config.downloads[NAME] = DownloadConfig("http://x", sums="conf/x.sha256")
    config.check()


@pytest.mark.parametrize(
    ("name", "url", "sha256", "message"),
    [
        ("../rows.csv", "https://x/y", SHA256, "dataset.downloads: found '../rows.csv', expected a path in data/raw/"),
        ("/rows.csv", "https://x/y", SHA256, "dataset.downloads: found '/rows.csv', expected a path in data/raw/"),
        ("rows.csv", "file:///etc/passwd", SHA256, "expected an address that begins with http:// or https://"),
        (
            "rows.csv",
            "https://x/y",
            "abc",
            "rows.csv.sha256: found 'abc', expected 64 hexadecimal digits in lower case",
        ),
    ],
)
def test_what_is_no_download(name: str, url: str, sha256: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        dataset(url, sha256, name=name).check()
