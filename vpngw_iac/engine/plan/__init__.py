"""From documents to decisions: the passes of a plan, its guards, what it costs."""
