"""Sequences as a type of column: what is read, what is refused, and which are alike."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.types.sequence import AMBIGUOUS, LETTERS, Sequence, SequenceColumn, reverse_complement
from pipeline.errors import ConfigError
from tests.unit.data.test_bad_tables import prepare
from tests.unit.data.test_table_source import refusal
from tests.unit.data.test_types import BAD, column, read


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({}, ["ACGT", " acgtn  ", "RYSWKMBDHVN", None], ["ACGT", "ACGTN", "RYSWKMBDHVN", None]),
        ({}, ["", " ", "ACGU", "AC GT", "AC-GT", "ACGÅ", "NA", "nan"], [BAD] * 8),
        ({"ambiguous": "refuse"}, ["ACGT", "ACGN"], ["ACGT", BAD]),
        ({"alphabet": "rna"}, ["ACGU", "acgt", "N"], ["ACGU", BAD, "N"]),
        ({"alphabet": "protein"}, ["MKVX", "mkvbzj", "MKV*"], ["MKVX", "MKVBZJ", BAD]),
        ({"letters": "hp-"}, ["HPHP", "hp-", "HPX"], ["HPHP", "HP-", BAD]),
    ],
)
def test_sequences_are_read_or_refused(options: dict[str, Any], text: list[str], expected: list[Any]) -> None:
    assert read(column("sequence", **options), text) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alphabet": "dan"}, r"alphabet: 'dan' is unknown \(dna, rna, protein\). Did you mean 'dna'"),
        ({"ambiguous": "drop"}, "ambiguous: 'drop' is unknown"),
        ({"letters": "aA"}, "letters: found 'aA', expected 100 ASCII letters or signs at most, each once"),
        ({"letters": "A C"}, "letters: found 'A C'"),
    ],
)
def test_options_that_no_sequence_can_have(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        column("sequence", **options)


LETTERS_OF_DNA = "The letters of dna are ACGT, and RYSWKMBDHVN for several of them."


@pytest.mark.parametrize(
    ("value", "settings", "message"),
    [
        ("ACXGT", {}, f"'X' at position 3, in 'ACXGT'). {LETTERS_OF_DNA}"),
        (f"{'a' * 30}x{'c' * 30}", {}, f"'x' at position 31, in '{'a' * 10}x{'c' * 10}'). {LETTERS_OF_DNA}"),
        ("  acu ", {}, f"'u' at position 3, in 'acu'). {LETTERS_OF_DNA} Set alphabet: rna."),
        ("ACN", {"ambiguous": "refuse"}, "'N' at position 3, in 'ACN'). The letters of dna are ACGT. Set ambiguous:"),
        ("AC", {"letters": "AB"}, "'C' at position 2, in 'AC'). The letters of the column's alphabet are AB."),
        ("NA", {}, "'NA'). Write missing: ['NA'] if it stands for a missing value."),
        ("", {}, "''). Write missing: [''] if it stands for a missing value."),
    ],
)  # fmt: skip
def test_a_wrong_letter_is_named_with_row_and_position(
    tmp_path: Path, value: str, settings: dict[str, str], message: str
) -> None:
    rows = "".join(f"{text},{i}\n" for i, text in enumerate(["AA", value, "AAAA"]))
    kind = {"type": "sequence", **settings}
    found = refusal(tmp_path, f"s,y\n{rows}".encode(), columns={"s": kind})
    assert found.startswith(
        f"t.csv: column 's': 1 value is not a sequence of letters of its alphabet (row 2: {message}"
    )


def test_the_other_strand() -> None:
    assert reverse_complement("AACGTN", "dna") == "NACGTT"
    assert reverse_complement("AACGU", "rna") == "ACGUU"
    for alphabet in ("dna", "rna"):
        every = LETTERS[alphabet] + "".join(AMBIGUOUS[alphabet])
        assert reverse_complement(reverse_complement(every, alphabet), alphabet) == every
        assert set(reverse_complement(every, alphabet)) == set(every)
    # puRine and pYrimidine, Keto and aMino, and the two that are their own complements
    assert reverse_complement("RKWSBD", "dna") == "HVSWMY"


def test_both_strands_are_alike() -> None:
    values = pa.array(["AACG", "CGTT", "AACC", "ACGT"])
    found = Sequence().alike(values, SequenceColumn("sequence"))
    assert found is not None
    assert found[0] == found[1] != found[2]
    assert len(np.unique(found)) == 3
    assert Sequence().alike(values, SequenceColumn("sequence", alphabet="protein")) is None


@pytest.mark.parametrize("together", [False, True])
def test_reverse_complements_go_to_one_split_if_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], together: bool
) -> None:
    random = np.random.Generator(np.random.PCG64(0))
    own = ["".join(random.choice(list("ACGT"), 12)) for _ in range(100)]
    both = [*own, *(reverse_complement(text, "dna") for text in own)]
    rows = "".join(f"{text},{i % 2}\n" for i, text in enumerate(both))
    near = {"near_duplicates": "group"} if together else {}
    prepare(tmp_path, f"s,y\n{rows}", columns={"s": {"type": "sequence"}}, leakage="accept", **near)
    from pipeline.data.prepared import read_table

    places: dict[str, set[str]] = {}
    for split in ("train", "validation", "test"):
        for text in read_table(tmp_path / "prepared" / f"{split}.parquet")["s"].to_pylist():
            places.setdefault(min(text, reverse_complement(text, "dna")), set()).add(split)
    straddling = sum(len(found) > 1 for found in places.values())
    message = " test rows differ from a row for training or validation by the strand (each is the reverse complement"
    assert (straddling == 0) == together
    assert (message in capsys.readouterr().out) != together
