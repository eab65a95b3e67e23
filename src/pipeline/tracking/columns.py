"""Tables for a terminal."""


def aligned(lines: list[list[str]]) -> str:
    """The lines of cells as text, each column as wide as its longest cell."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    padded = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "\n".join(line.rstrip() for line in padded)
