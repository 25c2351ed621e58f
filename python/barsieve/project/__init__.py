"""A project of one's own: made in an empty folder, renewed after an upgrade."""
