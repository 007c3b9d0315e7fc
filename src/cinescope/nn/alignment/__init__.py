"""What happened when, matched: DTW, soft-DTW, CTC forced alignment, attention."""
