"""What the engines on CTranslate2 share."""
