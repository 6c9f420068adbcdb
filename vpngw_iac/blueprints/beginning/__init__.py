"""A first blueprint from a few answers: what each kind asks, and the smallest whole blueprint of it."""
