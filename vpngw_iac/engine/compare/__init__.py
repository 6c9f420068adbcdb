"""Documents of one resource side by side: declared, applied, observed."""
