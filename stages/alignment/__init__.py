"""Better times for words than a recogniser's first guess."""
