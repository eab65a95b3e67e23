"""How rows come in: sources, the schema of a prepared dataset, its splits, and the order of rows."""
