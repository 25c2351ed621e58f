"""Worth of a score before any replay: does it know anything of the hours that follow?"""
