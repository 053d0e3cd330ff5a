"""Find, fetch, convert and check models as files."""
