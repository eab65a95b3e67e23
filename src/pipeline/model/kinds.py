"""Kinds of features: what a modality gives, what a family takes."""

VECTOR, SEQUENCE, GRID = "vector", "sequence", "grid"
