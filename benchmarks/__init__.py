"""c2kit beside its peers: ratios, measured in one run, of results that were verified equal."""
