"""The journal: append-only, never a point twice, a cut line is no harm."""

from pathlib import Path

from pipeline.tracking.journal import FINISHED, KILLED, Journal, read, status


def write(path: Path, epochs: int, end: str | None) -> Journal:
    journal = Journal(path)
    journal.start("cnn-1", "cnn", {"seed": 1}, {"a": "b"})
    for epoch in range(1, epochs + 1):
        journal.metrics(epoch, {"loss": 1 / epoch})
    if end:
        journal.end(end)
    return journal


def epochs_of(path: Path) -> list[int]:
    return [record["epoch"] for record in read(path) if record["type"] == "metrics"]


def test_a_rerun_after_a_kill_adds_only_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, 3, KILLED)
    before = read(path)
    write(path, 5, FINISHED)
    assert epochs_of(path) == [1, 2, 3, 4, 5]
    assert read(path)[: len(before)] == before
    assert status(read(path)) == FINISHED


def test_a_rerun_of_a_finished_run_adds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, 3, FINISHED)
    content = path.read_bytes()
    journal = write(path, 3, FINISHED)
    assert path.read_bytes() == content
    assert journal.differing == []


def test_other_values_for_the_same_identity_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, 2, FINISHED)
    journal = Journal(path)
    journal.metrics(1, {"loss": 0.5})
    assert journal.differing == [1]


def test_a_cut_last_line_is_left_out_and_written_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, 2, None)
    path.write_bytes(path.read_bytes()[:-5])
    assert epochs_of(path) == [1]
    write(path, 2, FINISHED)
    assert epochs_of(path) == [1, 2]
