"""Python as a person calls it: a built database opened, asked, built."""
