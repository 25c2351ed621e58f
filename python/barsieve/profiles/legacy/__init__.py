"""Files of other times as profiles of today: every key of theirs accounted for.

Configs of Bull Machine v1.8, and profiles with keys that have another name now.
"""
