"""What is found in the files of a table, and the configuration that follows from it."""
