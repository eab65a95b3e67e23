"""`python -m pipeline.drift dataset=penguins input=new.csv`: how new rows differ from those for training."""

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import argument_command
from pipeline.config import DriftConfig
from pipeline.layout import Layout

if TYPE_CHECKING:
    from pipeline.evaluation.drift import Measure

FOUND = 3  # the exit code where there is drift; 1 is Python's where a program fails


def drift(config: DriftConfig) -> None:
    """Print a table of differences, each with an interval, and write it as JSON where `output` names a file.

    `input` is what `predict` takes, with `format`, `separator`, `header`, `encoding`, `quote` and `newlines`. With
    `on_bad_row=skip`, rows that cannot be read, and files of other kinds, are left out.
    Ends with code 3 if the interval of a difference lies beyond `threshold` (0.1 unless you say otherwise), with 0 if
    none does, and with 2 if the input cannot be used.
    """
    from dataclasses import asdict

    from pipeline.data.profile.statistics import check_fits, kind_of, read_statistics
    from pipeline.data.related import read_related
    from pipeline.data.schema import Schema, remedy
    from pipeline.evaluation.drift import DRIFT, UNCLEAR, compare, together_of
    from pipeline.files import write_json
    from pipeline.processes import exit_lean
    from pipeline.serving.inputs import read_any

    layout = Layout.find()
    prepared = layout.prepared(config.dataset)
    schema = Schema.read(prepared)
    described, advice = layout.described(config.dataset), remedy(prepared, again=True)
    known = read_statistics(described, advice)
    check_fits(described, known, schema.features, advice)
    new = read_any(schema, config)
    rows, together = new.table, together_of(schema.features, read_related(prepared))
    found = compare(schema.features, known[:-1], new, config.threshold, config.confidence, together)
    print(table(found))
    if new.overlap > 1:
        print(f"Windows may share rows with others, as those for training do: {new.overlap} of them count as one.")
    if together > 1:
        print(f"Rows that hang together, {together:.4g} of the test rows on average, count as one.")
    unseen = [column.name for column in schema.features if kind_of(column) == "other"]
    if unseen:
        print(f"Of {', '.join(unseen)}, only missing and refused values were looked at.")
    drifted = list(dict.fromkeys(measure.column for measure in found if measure.verdict == DRIFT))
    told = f"drift in {', '.join(drifted)}" if drifted else "no drift"
    unclear = sum(measure.verdict == UNCLEAR for measure in found)
    counted = f"{rows.num_rows} rows, against {known[0].rows} for training; {unclear} differences are unclear"
    print(f"{config.input}: {told} beyond {config.threshold:g} in {counted}")
    if config.output is not None:
        values = {key: getattr(config, key) for key in ("dataset", "input", "threshold", "confidence")}
        about = {"rows": rows.num_rows, "drift": drifted, "not_looked_at": unseen}
        write_json(Path(config.output), values | about | {"measures": [asdict(measure) for measure in found]})
    if drifted:
        exit_lean(FOUND)


def table(found: "list[Measure]") -> str:
    """The differences that are not 0, and what was too little to tell."""
    from pipeline.evaluation.drift import LEAST_ROWS, TOO_FEW
    from pipeline.tracking.columns import aligned

    lines = [["column", "what", "difference", "interval", "rows", "verdict"]]
    for m in found:
        if m.value or m.verdict == TOO_FEW:
            lines.append([m.column, m.what, f"{m.value:.3f}", f"[{m.low:.3f}, {m.high:.3f}]", str(m.rows), m.verdict])
    told = [aligned(lines)]
    if same := len(found) + 1 - len(lines):
        told.append(f"{same} other differences are 0.")
    if any(measure.verdict == TOO_FEW for measure in found):
        told.append(f"Too few rows: a difference is told from {LEAST_ROWS} independent values on.")
    return "\n".join(told)


def main() -> None:
    argument_command(DriftConfig, drift, __doc__)


if __name__ == "__main__":
    main()
