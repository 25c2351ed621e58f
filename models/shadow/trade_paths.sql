{{ paths_of(ref('shadow_positions'), ['profile', 'entries', 'draw']) }}
