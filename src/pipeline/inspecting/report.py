"""What was found, for a person to read."""

from pathlib import Path

from pipeline.data.formats.remote import is_url
from pipeline.inspecting.files import Files
from pipeline.inspecting.found import several
from pipeline.inspecting.proposal import Proposal
from pipeline.layout import Layout

HEADINGS = ("column", "type", "missing", "distinct", "range or examples", "remarks")
WIDEST = 48
SIGNS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|"}


def about_files(files: Files, layout: Layout) -> str:
    """Where the rows come from, and how they are written."""
    first = files.files[0].name
    names = first if len(files.files) == 1 else f"{len(files.files)} files, {first} to {files.files[-1].name}"
    parts = [files.format]
    if files.is_text:
        parts.append(files.layout.encoding + (" with a byte order mark" if files.mark else ""))
    if files.has_cells:
        parts.append(f"separator {SIGNS[files.layout.separator]}")
        parts.append(f"quotes {files.layout.quote}" if files.layout.quote else "no quotes")
        parts += ["line breaks in cells"] if files.layout.newlines else []
        parts.append("a header" if files.layout.header else "no header")
    rows = several(files.num_rows, "row")
    parts.append(rows if files.whole else f"more than {rows}, of which these were looked at")
    parts.append(several(len(files.names) + len(files.nested), "column"))
    lines = [f"{names}: {', '.join(parts)}"]
    if files.unreadable:
        lines.append(f"{several(files.unreadable, 'row')} cannot be read; {files.why}")
    outside = [file for file in files.files if not is_url(file.name) and not file.origin.is_relative_to(layout.raw)]
    if outside:
        raw = layout.raw.relative_to(layout.root)
        lines.append(
            f"DVC does not notice when {outside[0].name} changes, because it is not in {raw}/. Copy or link it there."
        )
    return "\n".join(lines)


def about_columns(proposal: Proposal) -> str:
    """A table with a line for each column."""
    rows = [
        (
            shortened(found.name or "''"),
            found.type or "none",
            f"{found.missing:,}",
            f"{found.distinct:,}",
            shortened(found.shown),
            "; ".join(found.remarks),
        )
        for found in proposal.columns
    ]
    widths = [max(len(row[i]) for row in (HEADINGS, *rows)) for i in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (HEADINGS, *rows)
    )


def shortened(text: str) -> str:
    one_line = text if text.isprintable() else repr(text)
    return one_line if len(one_line) <= WIDEST else f"{one_line[: WIDEST - 3]}..."


def relative(path: str, root: Path) -> str:
    """A path as a dataset names it: relative to the checkout where it can be."""
    there = Path(path)
    return there.relative_to(root).as_posix() if there.is_absolute() and there.is_relative_to(root) else path
