"""The stages of a film, a module or package each."""
