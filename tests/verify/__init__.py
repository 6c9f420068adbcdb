"""Whether it is really so: expectations, answers, verdicts."""
