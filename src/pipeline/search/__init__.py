"""Searches for good settings: which trials there are, who works on them, and what they gave.

Optuna suggests values and keeps the study; Hydra's words describe what is searched. Nothing here trains anything.
"""
