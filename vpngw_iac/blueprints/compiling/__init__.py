"""From nouns to resources: one module per noun, each a few pure functions; `assembly` joins what blueprints share."""
