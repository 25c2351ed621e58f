"""A built database that follows a growing market, and paper accounts that trade by it.

Reading order of an advance: `plan` (how each table grows), `news` (what of the market
is new), `tails` (models over the last bars), `overlap` (what is made again), `carried`
(replays that go on), `record` (what a file says of it), `advance` (all of it, in one
transaction). Of paper trading: `accounts`, `reading` (inputs that are due), `decisions`
(what a file decided), `journal` (what was said), `journaling` (the one put into the
other), `parity` (verdicts), `messages`, `hour` (all of it), `status`, `page`.
"""
