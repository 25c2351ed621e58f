{{ mean_crosses(ref('features'), 'sma_50') }}
