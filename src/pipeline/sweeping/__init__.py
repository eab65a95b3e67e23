"""Running a search: from Hydra's command line to workers that train its trials, and to what is told at its end."""
