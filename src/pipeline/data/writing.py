"""From a dataset's source to its splits on disk.

Rows pass through memory a batch at a time. A first pass writes all rows to a file and takes note of a digest of each
row; when all digests are known, each row's split is known, and a second pass deals the rows out.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pipeline.config import PrepareConfig
from pipeline.config.data import GROUP, TOGETHER
from pipeline.data.ahead import ahead
from pipeline.data.collected import Collected, collect
from pipeline.data.dealing import deal_out
from pipeline.data.frequencies import tell_frequencies
from pipeline.data.heard import heard
from pipeline.data.profile.page import About, write_page
from pipeline.data.profile.seen import Seen
from pipeline.data.profile.statistics import statistics_of, write_statistics
from pipeline.data.refused_file import listing
from pipeline.data.related import Groups, Related, Stretches, tell_few_groups, write_related
from pipeline.data.remarks import check_columns
from pipeline.data.row_checks import check_names, check_rows, check_rules, check_weights, tell_duplicates
from pipeline.data.row_ids import RowIds
from pipeline.data.schema import Schema
from pipeline.data.sources import SOURCES
from pipeline.data.sources.source import Columns
from pipeline.data.splits import PLACES, Places, Summary
from pipeline.data.unknown_categories import tell_unknown_categories
from pipeline.files import digest_file, write_json
from pipeline.layout import BEST_POSSIBLE, MANIFEST, PAGE, SPLITS, STATISTICS, SUMMARY, TEST, Layout, split_file


def write_prepared(config: PrepareConfig, folder: Path, root: Path, described: Path | None = None) -> Summary:
    """Write train, validation and test as Parquet, schema.json, summary.json (rows by split and class, and what the
    source has left out) and manifest.json (bytes and digest of each split) into `folder`, and return the summary. Where
    the source knows the best possible scores, best_possible.json holds them. Write statistics.json and page.html into
    the folder `described`, if there is one.

    `root` is the checkout, to which the paths of a source are relative. Prints what a person should know of the rows.
    Raises DataError for rows that no model can learn from.
    """
    dataset = config.dataset
    source = SOURCES[dataset.source]
    columns = source.columns(dataset, root).with_roles_of(dataset)
    check_names(columns)
    check_rules(dataset, columns)
    with TemporaryDirectory(dir=folder) as between, heard() as told:
        with listing(Layout(root), dataset.name):
            found = collect(dataset, columns, ahead(source.batches(dataset, root)), Path(between))
        classes = found.classes(dataset, columns.target)
        features = found.features(columns)
        schema = Schema(dataset.name, dataset.task, dataset.split, features, columns.target.name, classes)
        places = found.places(dataset, config.split)
        repeated = found.digests.repeated()
        seen = None if described is None else Seen(schema)
        summary = deal_out(folder, found, schema, columns, RowIds(repeated), places, seen)
        duplicates = found.num_duplicates(repeated)
        tell_duplicates(dataset.name, duplicates)
        conflicts = check_rows(config, found, repeated, summary, places)
        if (related := related_tests(config, found, columns, places)) is not None:
            write_related(folder, related)
            tell_few_groups(dataset.name, related)
        check_weights(dataset, folder)
        found.tell_remarks(dataset.name)
        check_columns(dataset, schema, columns.target, folder, Path(between), found.share_alone(repeated))
        tell_unknown_categories(schema, folder)
        tell_frequencies(schema, folder)
    schema.write(folder)
    write_json(folder / SUMMARY, {**summary, **({"left_out": told.left_out} if told.left_out else {})})
    files = {split: folder / split_file(split) for split in SPLITS}
    manifest = {split: {"bytes": file.stat().st_size, "sha256": digest_file(file)} for split, file in files.items()}
    write_json(folder / MANIFEST, manifest)
    if best := source.best_possible(dataset):
        write_json(folder / BEST_POSSIBLE, best)
    if described is not None and seen is not None:
        statistics = statistics_of(seen)
        write_statistics(described / STATISTICS, statistics)
        about = About(dataset, schema, summary, seen, statistics, duplicates, conflicts, told.lines)
        write_page(described / PAGE, about)
    return summary


def related_tests(config: PrepareConfig, found: Collected, columns: Columns, places: Places | None) -> Related | None:
    """How the test rows hang together: by what deals them out together, or by their times. None where each of them is
    independent of all others; but of a fold, whose test rows are joined with those of others, all groups are kept."""
    dataset = config.dataset
    chosen = np.ones(found.digests.num_rows, bool) if places is None else places == PLACES[TEST]
    if found.times and not found.groups:
        ends = np.concatenate(found.times)[chosen]
        return Stretches(np.concatenate(found.starts)[chosen] if found.starts else ends, ends)
    if found.groups:
        groups = Groups(columns.roles[GROUP].name.lstrip(":"), np.concatenate(found.groups)[chosen])
    elif found.near is not None and dataset.near_duplicates == TOGETHER:
        groups = Groups("near copies", np.concatenate(list(found.near.digests.slices()))[chosen])
    else:
        return None
    alone = len(np.unique(groups.of_row)) == len(groups.of_row)
    return None if alone and config.split.folds is None else groups
