{{ closed_blocks(ref('bars_1h'), 4) }}
