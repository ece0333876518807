//! Estimates that a few wrong values do not move.

/// Intercept and slope of a straight line through points, of which up to 29 in 100 may be wrong (Sen, 1968).
pub(super) fn theil_sen(points: &[(f64, f64)]) -> (f64, f64) {
    let mut slopes: Vec<f64> = Vec::with_capacity(points.len() * points.len() / 2);
    for (i, p) in points.iter().enumerate() {
        slopes.extend(points[i + 1..].iter().map(|q| (q.1 - p.1) / (q.0 - p.0)));
    }
    // Two or three points are too few for a slope.
    let slope = if points.len() < 4 { 0.0 } else { median(&mut slopes) };
    let mut intercepts: Vec<f64> = points.iter().map(|p| p.1 - slope * p.0).collect();
    (median(&mut intercepts), slope)
}

/// The median; 0 of none. It reorders `values`.
pub(super) fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}
