"""From operations to outcomes: the loop, its workers, its records, resume and repair."""
