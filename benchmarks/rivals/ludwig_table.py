"""Ludwig with its defaults on the splits of a prepared dataset; run by a Python that has Ludwig.

python benchmarks/rivals/ludwig_table.py <table.csv> <columns.json> <answers.json>

The table has a column `split` (0 train, 1 validation, 2 test). columns.json says `features` (name: number or category),
`target` and `kind`. The answers to the test rows are written in the table's order.
"""

import json
import sys
import tempfile
from pathlib import Path

import pandas as pd
from ludwig.api import LudwigModel


def main() -> None:
    table, columns, answers = sys.argv[1:]
    given = json.loads(Path(columns).read_text())
    config = {
        "input_features": [{"name": name, "type": kind} for name, kind in given["features"].items()],
        "output_features": [{"name": given["target"], "type": given["kind"]}],
        "preprocessing": {"split": {"type": "fixed", "column": "split"}},
    }
    rows = pd.read_csv(table)
    with tempfile.TemporaryDirectory() as folder:
        model = LudwigModel(config, logging_level=40)
        model.train(dataset=rows, output_directory=folder, skip_save_processed_input=True)
        test = rows[rows["split"] == 2].reset_index(drop=True)
        found, _ = model.predict(dataset=test, skip_save_predictions=True, output_directory=folder)
    Path(answers).write_text(json.dumps(found[f"{given['target']}_predictions"].tolist()))


if __name__ == "__main__":
    main()
