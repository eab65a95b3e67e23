"""The page and the statistics of a dataset: the same bytes each time, and nothing in them is taken for HTML."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.config import DatasetConfig, PrepareConfig, SplitConfig
from pipeline.data import near_images
from pipeline.data.profile import drawing, page, recordings, sample, sequences
from pipeline.data.profile.details import details
from pipeline.data.profile.new_rows import counted
from pipeline.data.profile.sample import Sample
from pipeline.data.profile.seen import Seen
from pipeline.data.profile.statistics import ColumnStatistics, read_statistics, statistics_of
from pipeline.data.profile.view import View
from pipeline.data.reading import read_values
from pipeline.data.row_checks import tell_balance
from pipeline.data.schema import Column, Schema
from pipeline.data.sound import HEAD
from pipeline.data.sources import SOURCES
from pipeline.data.sources.source import Columns, Source, target_column
from pipeline.data.splits import Counts
from pipeline.data.types import TYPES
from pipeline.data.types.audio import AudioColumn
from pipeline.data.types.category import CategoryColumn
from pipeline.data.types.date import DateColumn
from pipeline.data.types.image import ImageColumn
from pipeline.data.types.number import NumberColumn
from pipeline.data.types.sequence import SequenceColumn
from pipeline.data.types.series import SeriesColumn
from pipeline.data.types.text import TextColumn
from pipeline.data.writing import write_prepared
from pipeline.errors import DataError
from pipeline.evaluation.drift import compare
from pipeline.layout import SPLITS, TEST, TRAIN

ROWS, RATE, SPLIT = 600, 4000, SplitConfig(1, 0.3, 0.1)
ODD = 'a<script>alert("1")</script>&\u202e{{ 7 * 7 }}'


def columns(config: DatasetConfig, root: Path) -> Columns:
    features = [
        Column(ODD, NumberColumn("number")),
        Column("when", DateColumn("date")),
        Column("kind", CategoryColumn("category")),
        Column("said", TextColumn("text")),
        Column("seen", ImageColumn("image", shape=[6, 5, 3], pixels="uint8")),
        Column("heard", AudioColumn("audio", rate=RATE, seconds=0.2)),
        Column("read", SequenceColumn("sequence")),
        Column("moved", SeriesColumn("series", window=170, channels=[ODD, "still"])),
    ]
    return Columns(features, target_column(config, "y"))


def batch() -> pa.RecordBatch:
    random = np.random.default_rng(0)
    texts = [f"{ODD} {'never seen' if i % 3 else 'x' * 400}\0 {i}" for i in range(ROWS)]
    images = pa.array(random.integers(0, 256, ROWS * 90).astype(np.uint8))
    sounds = [random.uniform(-0.5, 0.5, random.integers(10, 1000)) for _ in range(ROWS)]
    letters = ["".join(random.choice(list("AACGTN"), random.integers(5, 400))) for _ in range(ROWS)]
    moved = random.normal(size=(ROWS, 170, 2)) * [1, 0]
    return pa.RecordBatch.from_pydict(
        {
            ODD: pa.array(random.normal(size=ROWS), mask=random.random(ROWS) < 0.1),
            "when": pa.array(random.integers(0, 20_000, ROWS).astype(np.int32)).cast(pa.date32()),
            "kind": pa.array([ODD if value else "plain" for value in random.integers(0, 2, ROWS)]),
            "said": pa.array(texts),
            "seen": pa.FixedSizeListArray.from_arrays(images, 90),
            "heard": pa.array(sounds),
            "read": pa.array(letters),
            "moved": pa.FixedSizeListArray.from_arrays(pa.array(moved.reshape(-1)), 340),
            "y": pa.array(np.where(random.random(ROWS) < 0.05, ODD, "no").tolist()),
        }
    )


def described(folder: Path, monkeypatch: pytest.MonkeyPatch, size: int = ROWS) -> Path:
    """The folder with the page of a dataset, of whose rows the source gives so many at a time."""
    rows = batch()
    parts = [rows.slice(start, size) for start in range(0, ROWS, size)]
    source = Source(DatasetConfig, lambda config: list(TYPES), columns, lambda config, root: iter(parts))
    monkeypatch.setitem(SOURCES, "made", source)
    for name in ("rows", "about"):
        (folder / name).mkdir(parents=True)
    write_prepared(
        PrepareConfig(SPLIT, DatasetConfig("made", "made", "binary")), folder / "rows", folder, folder / "about"
    )
    return folder / "about"


class Reader(HTMLParser):
    """Takes note of all tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_has_the_same_bytes_each_time_and_nothing_runs_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = described(tmp_path / "first", monkeypatch)
    said = [line.removeprefix("made: ") for line in capsys.readouterr().out.splitlines()]
    second = described(tmp_path / "second", monkeypatch, 70)
    for name in ("page.html", "statistics.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    content = (first / "page.html").read_text()
    assert len(content) < 300_000
    reader = Reader()
    reader.feed(content)
    assert not {"script", "link", "iframe", "object"} & reader.tags
    assert not [name for name, _ in reader.attributes if name.startswith("on")]
    assert {value[:21] for name, value in reader.attributes if name in ("src", "href")} == {"data:image/png;base64"}
    assert not re.search("[\x00-\x08]", content)
    for shown in (ODD, "when", "never seen", "\\x00", "largest sample", "ambiguous", "still", *said):
        assert shown in reader.text
    assert "polyline" in reader.tags
    assert any("uneven classes" in line for line in said)


def test_a_page_stays_small_and_says_what_it_leaves_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST_BYTES", 9000)
    content = (described(tmp_path, monkeypatch) / "page.html").read_text()
    assert len(content) < 14_000
    assert re.search(r"\d more of the columns are not shown", content)


def test_the_statistics_are_those_of_the_training_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = described(tmp_path, monkeypatch)
    known = {column.name: column for column in read_statistics(about, "")}
    rows = pq.read_table(tmp_path / "rows" / "train.parquet")
    numbers = rows[ODD].drop_null().to_numpy()
    assert known[ODD].range == [numbers.min(), numbers.max()]
    assert np.abs(np.median(numbers) - known[ODD].quantiles[128]) < 0.05
    assert known[ODD].missing == rows[ODD].null_count > 0
    assert known["kind"].categories[ODD] == rows["kind"].to_pylist().count(ODD)
    assert known["said"].unknown_words > 0, "each row has a number of its own"
    assert list(known)[-1] == "target"
    features = Schema.read(tmp_path / "rows").features
    measures = compare(features, list(known.values())[:-1], counted(rows, {}), 0.1, 0.95)
    of_contents = {name: {m.what for m in measures if m.column == name} for name in ("seen", "heard", "read", "moved")}
    usual = {"missing", "none of its type"}
    colours = ("red", "green", "blue")
    assert of_contents["seen"] - usual == {f"{name} of {of}" for name in ("brightness", "contrast") for of in colours}
    assert of_contents["heard"] - usual == {"seconds", "peak", "level"}
    assert of_contents["read"] == usual | {"lengths", "letters", "pairs of letters"}
    of_channels = {f"{what} of {name}" for what in ("level", "spread", "autocorrelation") for name in (ODD, "still")}
    assert of_contents["moved"] == usual | of_channels
    with pytest.raises(DataError, match=r"statistics.json: not found. Run: again"):
        read_statistics(tmp_path, "Run: again")


def test_a_sample_is_the_rows_with_the_first_ids_however_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "MOST_ROWS", 50)
    ids = np.random.default_rng(0).permutation(1000)
    rows = pa.table({"row": [f"{i:04d}" for i in ids], "text": ["x" * int(i % 7) for i in ids]})
    for most, expected in ((2**24, 50), (200, None)):
        monkeypatch.setattr(sample, "MOST_BYTES", most)
        found = []
        for size in (1000, 13, 170):
            taken = Sample()
            for start in range(0, 1000, size):
                taken.add(rows.slice(start, size))
            found.append(taken.rows())
        assert found[0].equals(found[1])
        assert found[0].equals(found[2])
        assert sorted(found[0]["row"].to_pylist()) == [f"{i:04d}" for i in range(found[0].num_rows)]
        assert expected is None or found[0].num_rows == expected


@pytest.mark.parametrize("name", [name for name in TYPES if not TYPES[name].is_content])
def test_each_type_of_a_table_has_something_to_show(name: str) -> None:
    column = Column("x", TYPES[name].config(name))
    values = read_values(column, pa.array([*TYPES[name].examples, None]), ()).values
    rows = pa.table({"row": [str(i) for i in range(len(values))], "x": values, "target": ["a"] * len(values)})
    seen = Seen(Schema("made", "binary", "hash", [column], "y", ["a"]))
    for split in (TRAIN, TEST):
        seen.look_at(split, rows)
    known, _ = statistics_of(seen)
    assert (known.missing, known.distinct) == (1, len(values) - 1)
    assert details(View(column, known, rows, rows, ["a"]))


def test_recordings_too_short_for_a_spectrogram_and_silence_are_no_obstacle() -> None:
    whole = np.array([0, 0, 9], "<i2")
    for samples, seconds, num_pictures in ((whole, 3 / 4000, 0), (0 * whole, 0.5, 1), (whole[:0], 0.5, 1)):
        column = AudioColumn("audio", rate=4000, seconds=seconds)
        drawn = recordings.spectrograms(pa.chunked_array([[bytes(HEAD) + samples.tobytes()]]), column)
        assert len(drawn) == num_pictures
        assert not any(levels.any() for levels in drawn)


def encoded(pixels: np.ndarray, kind: str, **options: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def test_an_image_that_was_saved_anew_looks_the_same_and_another_does_not() -> None:
    random = np.random.default_rng(0)
    rough = [Image.fromarray(random.integers(0, 256, (9, 9), np.uint8)) for _ in range(20)]
    smooth = [np.asarray(image.resize((180, 160), Image.Resampling.BICUBIC)) for image in rough]
    stored = [encoded(pixels, "PNG") for pixels in smooth]
    again = [encoded(pixels, "JPEG", quality=90) for pixels in smooth]
    smaller = [encoded(np.asarray(Image.fromarray(pixels).resize((90, 80))), "PNG") for pixels in smooth]
    column = Column("seen", ImageColumn("image"))
    greys = [near_images.greys_of(column, pa.array(files)) for files in (stored, again, smaller)]
    hashes = [near_images.difference_hashes(grey) for grey in greys]
    found = [num_known([hashes[0], hashes[other]], [greys[0], greys[other]]) for other in (1, 2)]
    assert min(found) >= 18
    assert num_known([hashes[0][:10], hashes[0][10:]], [greys[0][:10], greys[0][10:]]) == 0


def num_known(hashes: list[np.ndarray], greys: list[np.ndarray]) -> int:
    """How many of the first images look the same as one of the second ones."""
    size, both = len(hashes[0]), np.concatenate(hashes)
    others = size + np.argsort(hashes[1], kind="stable")
    pixels = np.concatenate(greys).reshape(len(both), -1)
    return near_images.num_known(np.arange(size), others, both, pixels, near_images.Marks(both[others]))


def test_a_damaged_statistics_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "statistics.json").write_text('{"columns": [{"name": "x"}]}')
    with pytest.raises(DataError, match="not statistics of this version"):
        read_statistics(tmp_path, "")


def test_what_lies_far_out_is_in_the_outer_bars() -> None:
    far = np.array([0.5, 1e300, 1e308])
    drawn = drawing.histogram(np.append(np.linspace(0, 1, 1000), [-1.7e308, 1.7e308]), far)
    assert re.findall(r'"test" x="([0-9.]+)"', drawn) == ["134.9", "254.0"]
    whole = drawing.histogram(np.array([-1.7e308, 1.7e308]), far)
    assert len(re.findall('class="test"', whole)) == 2


def test_shares_are_those_of_counts() -> None:
    many = pa.table({"kind": [f"c{i:02d}" for i in range(20)]})
    known = ColumnStatistics("kind", "category", 20, 0, categories={f"c{i:02d}": 1 for i in range(20)})
    drawn = details(View(Column("kind", CategoryColumn("category")), known, many, many.slice(0, 0), []))
    assert drawn.count(" / 0.0 %") == 13, "no values, so nothing of them is another one"
    assert sequences.letter_counts(pa.chunked_array([["ACN", "A"]]), "ACGT") == [2, 1, 0, 0, 1]
    assert drawing.shares([0, 0]) == [0, 0]


def test_very_many_classes_are_counted_and_no_rows_of_the_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = [f"class number {i:05d}" for i in range(20_000)]
    summary = {split: Counts(rows=len(names), classes=dict.fromkeys(names, 1)) for split in SPLITS}
    told = page.counts(summary)
    assert len(told) == page.MOST_CLASSES + 2
    assert told[-1] == ("19,700 more classes", ["19,700 (98.5 %)"] * 3)
    tell_balance("made", summary)
    assert len(capsys.readouterr().out) < 2000
