"""Parts that the engines on CTranslate2 share."""
