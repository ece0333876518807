//! Points, rectangles, line segments and plane projections. The unit is the caller's: millimetres on a template, pixels
//! on a page. x grows to the right, y downwards.

use std::ops::{Add, Mul, Sub};

use serde::Serialize;

/// Millimetres per inch.
pub const MM_PER_INCH: f64 = 25.4;

/// A point or a displacement.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Point {
    /// Rightwards.
    pub x: f64,
    /// Downwards.
    pub y: f64,
}

impl Point {
    /// `(x, y)`.
    #[inline]
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// Length as a displacement.
    #[inline]
    pub fn norm(self) -> f64 {
        self.dot(self).sqrt()
    }

    /// Scalar product.
    #[inline]
    pub fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y
    }

    /// z component of the vector product: positive where `other` lies clockwise of `self` as seen on a page.
    #[inline]
    pub fn cross(self, other: Self) -> f64 {
        self.x * other.y - self.y * other.x
    }
}

impl Add for Point {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y)
    }
}

impl Sub for Point {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }
}

impl Mul<f64> for Point {
    type Output = Self;
    #[inline]
    fn mul(self, factor: f64) -> Self {
        Self::new(self.x * factor, self.y * factor)
    }
}

/// An upright rectangle; `x0 <= x1` and `y0 <= y1`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Rect {
    /// Left edge.
    pub x0: f64,
    /// Top edge.
    pub y0: f64,
    /// Right edge.
    pub x1: f64,
    /// Bottom edge.
    pub y1: f64,
}

impl Rect {
    /// From its left top corner, width and height.
    #[inline]
    pub const fn from_xywh(x: f64, y: f64, w: f64, h: f64) -> Self {
        Self { x0: x, y0: y, x1: x + w, y1: y + h }
    }

    /// From its edges: left, top, right, bottom.
    #[inline]
    pub const fn from_edges(x0: f64, y0: f64, x1: f64, y1: f64) -> Self {
        Self { x0, y0, x1, y1 }
    }

    /// The smallest rectangle that contains `points`; `None` where there are none.
    pub fn around(points: impl IntoIterator<Item = Point>) -> Option<Self> {
        points.into_iter().fold(None, |bounds, p| {
            let point = Self::from_edges(p.x, p.y, p.x, p.y);
            Some(bounds.map_or(point, |b: Self| b.union(point)))
        })
    }

    /// Width, never negative.
    #[inline]
    pub fn width(self) -> f64 {
        self.x1 - self.x0
    }

    /// Height, never negative.
    #[inline]
    pub fn height(self) -> f64 {
        self.y1 - self.y0
    }

    /// Width times height.
    #[inline]
    pub fn area(self) -> f64 {
        self.width() * self.height()
    }

    /// The centre.
    #[inline]
    pub fn centre(self) -> Point {
        Point::new((self.x0 + self.x1) / 2.0, (self.y0 + self.y1) / 2.0)
    }

    /// Corners clockwise from the left top one.
    #[inline]
    pub fn corners(self) -> [Point; 4] {
        [
            Point::new(self.x0, self.y0),
            Point::new(self.x1, self.y0),
            Point::new(self.x1, self.y1),
            Point::new(self.x0, self.y1),
        ]
    }

    /// Edges clockwise from the top one, each from one corner to the next.
    #[inline]
    pub fn edges(self) -> [Segment; 4] {
        let c = self.corners();
        [Segment::new(c[0], c[1]), Segment::new(c[1], c[2]), Segment::new(c[2], c[3]), Segment::new(c[3], c[0])]
    }

    /// Moves each edge outwards by `by`, or inwards where that is negative, but never past the centre.
    #[must_use]
    #[inline]
    pub fn inflate(self, by: f64) -> Self {
        let dx = by.max(-self.width() / 2.0);
        let dy = by.max(-self.height() / 2.0);
        Self::from_edges(self.x0 - dx, self.y0 - dy, self.x1 + dx, self.y1 + dy)
    }

    /// The smallest rectangle that contains both.
    #[must_use]
    #[inline]
    pub fn union(self, other: Self) -> Self {
        Self::from_edges(self.x0.min(other.x0), self.y0.min(other.y0), self.x1.max(other.x1), self.y1.max(other.y1))
    }

    /// The area of both; `None` where they do not overlap.
    #[inline]
    pub fn intersection(self, other: Self) -> Option<Self> {
        let both = Self::from_edges(
            self.x0.max(other.x0),
            self.y0.max(other.y0),
            self.x1.min(other.x1),
            self.y1.min(other.y1),
        );
        (both.x0 < both.x1 && both.y0 < both.y1).then_some(both)
    }

    /// Whether `point` lies inside or on the edge.
    #[inline]
    pub fn contains(self, point: Point) -> bool {
        (self.x0..=self.x1).contains(&point.x) && (self.y0..=self.y1).contains(&point.y)
    }
}

/// A straight line from `a` to `b`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Segment {
    /// Start.
    pub a: Point,
    /// End.
    pub b: Point,
}

impl Segment {
    /// From `a` to `b`.
    #[inline]
    pub const fn new(a: Point, b: Point) -> Self {
        Self { a, b }
    }

    /// Distance from end to end.
    #[inline]
    pub fn length(self) -> f64 {
        (self.b - self.a).norm()
    }

    /// Unit vector from `a` to `b`; zero for a point.
    #[inline]
    pub fn direction(self) -> Point {
        let length = self.length();
        if length > 0.0 { (self.b - self.a) * (1.0 / length) } else { Point::default() }
    }

    /// Distance of a point from the nearest point of the segment.
    #[must_use]
    pub fn distance_to(self, point: Point) -> f64 {
        let (from_a, along) = (point - self.a, self.b - self.a);
        let length_sq = along.dot(along);
        let t = if length_sq > 0.0 { (from_a.dot(along) / length_sq).clamp(0.0, 1.0) } else { 0.0 };
        (from_a - along * t).norm()
    }

    /// The midpoint.
    #[inline]
    pub fn middle(self) -> Point {
        (self.a + self.b) * 0.5
    }

    /// The point at `t`, 0 at `a` and 1 at `b`.
    #[inline]
    pub fn at(self, t: f64) -> Point {
        self.a + (self.b - self.a) * t
    }

    /// Whether it is nearer to horizontal than to vertical; a diagonal is horizontal.
    #[inline]
    pub fn is_horizontal(self) -> bool {
        (self.b.x - self.a.x).abs() >= (self.b.y - self.a.y).abs()
    }
}

/// A plane projective map (homography), 3 x 3, row-major. Transforms are named target first and read right to left:
/// `page_from_template` takes template millimetres and gives page pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projection(pub [f64; 9]);

impl Projection {
    /// The identity.
    pub const IDENTITY: Self = Self([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);

    /// Moves by `(dx, dy)`.
    pub const fn translation(dx: f64, dy: f64) -> Self {
        Self([1.0, 0.0, dx, 0.0, 1.0, dy, 0.0, 0.0, 1.0])
    }

    /// Scales x by `sx` and y by `sy` about the origin.
    pub const fn scaling(sx: f64, sy: f64) -> Self {
        Self([sx, 0.0, 0.0, 0.0, sy, 0.0, 0.0, 0.0, 1.0])
    }

    /// Rotates by `radians` about the origin, clockwise as seen on a page (y grows downwards).
    pub fn rotation(radians: f64) -> Self {
        let (sin, cos) = radians.sin_cos();
        Self([cos, -sin, 0.0, sin, cos, 0.0, 0.0, 0.0, 1.0])
    }

    /// The map of four points to four points (Hartley and Zisserman, 2004, section 4.1); `None` where three corners of a
    /// quadrilateral are collinear.
    pub fn from_quads(from: [Point; 4], to: [Point; 4]) -> Option<Self> {
        let mut rows = [[0.0; 9]; 8];
        for (i, (p, q)) in from.iter().zip(to).enumerate() {
            rows[2 * i] = [p.x, p.y, 1.0, 0.0, 0.0, 0.0, -q.x * p.x, -q.x * p.y, q.x];
            rows[2 * i + 1] = [0.0, 0.0, 0.0, p.x, p.y, 1.0, -q.y * p.x, -q.y * p.y, q.y];
        }
        let h = solve_augmented(rows)?;
        Some(Self([h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], 1.0]))
    }

    /// Maps a point. A point on the line that is mapped to infinity gives values that are not finite.
    #[inline]
    pub fn apply(&self, p: Point) -> Point {
        let m = &self.0;
        let w = m[6] * p.x + m[7] * p.y + m[8];
        let (x, y) = (m[0] * p.x + m[1] * p.y + m[2], m[3] * p.x + m[4] * p.y + m[5]);
        // most maps are affine, and a division is slow
        if w == 1.0 { Point::new(x, y) } else { Point::new(x / w, y / w) }
    }

    /// Maps both ends of a segment.
    #[inline]
    pub fn apply_segment(&self, s: Segment) -> Segment {
        Segment::new(self.apply(s.a), self.apply(s.b))
    }

    /// Maps the four corners of `r`, clockwise from the left top one.
    #[inline]
    pub fn apply_rect(&self, r: Rect) -> [Point; 4] {
        r.corners().map(|p| self.apply(p))
    }

    /// The same map with `centre` as its origin.
    #[must_use]
    pub fn about(&self, centre: Point) -> Self {
        let to_origin = Self::translation(-centre.x, -centre.y);
        Self::translation(centre.x, centre.y).compose(self).compose(&to_origin)
    }

    /// The map that applies `first`, then `self`.
    #[must_use]
    pub fn compose(&self, first: &Self) -> Self {
        let (a, b) = (&self.0, &first.0);
        let mut product = [0.0; 9];
        for row in 0..3 {
            for col in 0..3 {
                product[3 * row + col] = (0..3).map(|k| a[3 * row + k] * b[3 * k + col]).sum();
            }
        }
        Self(product)
    }

    /// The inverse map; `None` where this one is singular.
    pub fn inverse(&self) -> Option<Self> {
        let m = &self.0;
        let cofactor = |a: usize, b: usize, c: usize, d: usize| m[a] * m[d] - m[b] * m[c];
        let adjugate = [
            cofactor(4, 5, 7, 8),
            -cofactor(1, 2, 7, 8),
            cofactor(1, 2, 4, 5),
            -cofactor(3, 5, 6, 8),
            cofactor(0, 2, 6, 8),
            -cofactor(0, 2, 3, 5),
            cofactor(3, 4, 6, 7),
            -cofactor(0, 1, 6, 7),
            cofactor(0, 1, 3, 4),
        ];
        let determinant = m[0] * adjugate[0] + m[1] * adjugate[3] + m[2] * adjugate[6];
        let norm = m.iter().fold(0.0f64, |n, v| n.max(v.abs()));
        if !determinant.is_finite() || determinant.abs() <= 1e-12 * norm.powi(3) {
            return None;
        }
        Some(Self(adjugate.map(|v| v / determinant)))
    }

    /// Derivative at `p`: `[[dx/dx, dx/dy], [dy/dx, dy/dy]]`, row-major.
    #[inline]
    pub fn jacobian(&self, p: Point) -> [f64; 4] {
        let m = &self.0;
        let w = m[6] * p.x + m[7] * p.y + m[8];
        let q = self.apply(p);
        [(m[0] - q.x * m[6]) / w, (m[1] - q.x * m[7]) / w, (m[3] - q.y * m[6]) / w, (m[4] - q.y * m[7]) / w]
    }

    /// Whether parallel lines stay parallel.
    #[inline]
    pub fn is_affine(&self) -> bool {
        self.0[6] == 0.0 && self.0[7] == 0.0
    }

    /// Target units per source unit near `p`: the square root of the area's growth.
    #[inline]
    pub fn scale_at(&self, p: Point) -> f64 {
        let [a, b, c, d] = self.jacobian(p);
        (a * d - b * c).abs().sqrt()
    }
}

/// Solves N linear equations in N unknowns, given as rows of N coefficients and the right-hand side (M = N + 1), by
/// Gaussian elimination with partial pivoting. `None` where they are singular.
pub fn solve_augmented<const N: usize, const M: usize>(mut rows: [[f64; M]; N]) -> Option<[f64; N]> {
    debug_assert_eq!(M, N + 1);
    for col in 0..N {
        let pivot = (col..N).max_by(|&i, &j| rows[i][col].abs().total_cmp(&rows[j][col].abs()))?;
        let magnitude = rows[pivot][col].abs();
        if magnitude.is_nan() || magnitude <= 1e-12 {
            return None;
        }
        rows.swap(col, pivot);
        for row in 0..N {
            if row != col {
                let factor = rows[row][col] / rows[col][col];
                let pivot_row = rows[col];
                for (value, above) in rows[row].iter_mut().zip(pivot_row).skip(col) {
                    *value -= factor * above;
                }
            }
        }
    }
    let solution = std::array::from_fn(|i| rows[i][N] / rows[i][i]);
    solution.iter().all(|v: &f64| v.is_finite()).then_some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_close(a: Point, b: Point) {
        assert!((a - b).norm() < 1e-6, "{a:?} is not {b:?}");
    }

    #[test]
    fn projection_from_quads_maps_corners_and_its_inverse_back() {
        let from = Rect::from_xywh(10.0, 20.0, 200.0, 280.0).corners();
        let to = [Point::new(31.0, 8.0), Point::new(800.0, 60.0), Point::new(760.0, 1100.0), Point::new(2.0, 990.0)];
        let map = Projection::from_quads(from, to).expect("no three corners are in a line");
        let back = map.inverse().expect("it is regular");
        for (p, q) in from.into_iter().zip(to) {
            assert_close(map.apply(p), q);
            assert_close(back.apply(q), p);
            assert_close(back.compose(&map).apply(p), p);
        }
    }

    #[test]
    fn jacobian_equals_the_finite_difference() {
        let map = Projection([2.0, 0.3, 5.0, -0.2, 1.5, 7.0, 0.001, 0.002, 1.0]);
        let (p, h) = (Point::new(12.0, 30.0), 1e-5);
        let [a, b, c, d] = map.jacobian(p);
        let dx = (map.apply(Point::new(p.x + h, p.y)) - map.apply(p)) * (1.0 / h);
        let dy = (map.apply(Point::new(p.x, p.y + h)) - map.apply(p)) * (1.0 / h);
        assert!(
            (dx.x - a).abs() < 1e-4 && (dy.x - b).abs() < 1e-4 && (dx.y - c).abs() < 1e-4 && (dy.y - d).abs() < 1e-4
        );
    }

    #[test]
    fn projection_from_collinear_corners_is_none() {
        let line = [Point::new(0.0, 0.0), Point::new(1.0, 0.0), Point::new(2.0, 0.0), Point::new(3.0, 0.0)];
        assert_eq!(Projection::from_quads(line, Rect::from_xywh(0.0, 0.0, 1.0, 1.0).corners()), None);
    }
}
