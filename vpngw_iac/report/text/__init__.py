"""Text for people: every report as plain text with ANSI colours, and nothing that a terminal cannot show."""
