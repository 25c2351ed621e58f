"""What a person calls from Python: a built database opened, asked, built."""
