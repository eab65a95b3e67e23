"""Rows in: sources, the schema of a prepared dataset, splits, order."""
