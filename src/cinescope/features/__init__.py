"""Signal and neural features of pictures, sound and text: `Clip -> Features`, one line here for each.

Nothing is imported until it is asked for. `cinescope features VIDEO --with hog,mfcc` reads this table.
"""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    # pictures
    "pixels": "cinescope.features.signal.pixels:Pixels",
    "frame_statistics": "cinescope.features.signal.pixels:FrameStatistics",
    "hog": "cinescope.features.signal.hog:Hog",
    "gradient_sum": "cinescope.features.signal.hog:GradientSum",
    "lbp": "cinescope.features.signal.lbp:Lbp",
    "colour_histogram": "cinescope.features.signal.colour_features:ColourHistogram",
    "colour_moments": "cinescope.features.signal.colour_features:ColourMoments",
    "sift_bow": "cinescope.features.signal.sift:SiftBow",
    "sift_vlad": "cinescope.features.signal.sift:SiftVlad",
    "flow": "cinescope.features.signal.flow_features:Flow",
    "hof": "cinescope.features.signal.flow_features:Hof",
    "mbh": "cinescope.features.signal.flow_features:Mbh",
}
EXTRACTORS = Catalogue("feature", "cinescope.features", CATALOGUE)
