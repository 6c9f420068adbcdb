"""From nouns to resources: one module per noun, each a few pure functions; `merged_parts` joins them."""
