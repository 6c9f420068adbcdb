"""From observed documents to nouns: the `Wire` markers backwards, and code for names, ids, lists and the rest."""
