"""The page: a file a tab, the pieces that tabs share, the theme."""
