//! A test deck: a template drawn, filled with real glyphs, then degraded as paper and scanners do.
