"""A built database brought to the end of a growing market, hour by hour.

Reading order: `plan` (how each table grows), `news` (what of the market is new), `tails`
(models over the last bars), `overlap` (what is made again), `carried` (replays that go
on), `record` (what a file says of it), `advance` (all of it, in one transaction).
"""
