"""From decisions to operations: what comes after what, what excludes what, how long it takes."""
