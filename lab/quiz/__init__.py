"""The quiz: forms, values, grading, progress. Knows nothing of terminal, page, files or clocks."""
