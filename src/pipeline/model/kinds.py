"""The kinds of features: what the columns of a type become, and what a family takes."""

# the shapes of their features are (B, D), (B, T, C) and (B, H, W, C)
VECTOR, SEQUENCE, GRID = "vector", "sequence", "grid"
