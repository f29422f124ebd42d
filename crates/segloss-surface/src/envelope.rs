//! The lower envelope of parabolas along an axis.

/// The least of the parabolas h(v) + ((x − v)·s)², one for each point v of an axis, as a function of the point x.
///
/// Divided by s², with H = h/s², they are H(v) + v² − 2vx + x². The x² is common to all, so the least at x is that of the lines
/// H(v) + v² − 2vx, and the parabolas that are least anywhere are the vertices of the lower convex hull of the points
/// (v, H(v) + v²). Between neighbours u < w < v on the hull the slopes grow. With a(u, w) = (H(w) − H(u))/(w − u) the slope
/// from u to w is a(u, w) + u + w, so w is no vertex if
///
/// ```text
/// a(w, v) + w + v ≤ a(u, w) + u + w,  that is  a(w, v) + (v − u) ≤ a(u, w).
/// ```
///
/// In this form only differences of points occur: the rounding error does not grow with the length of the axis, and a parabola
/// left out by it is nowhere lower than those kept by more than the rounding of its own value.
pub(crate) struct Envelope {
    spacing: f64,
    /// 1/(k·s²) for k points between vertices.
    inverses: Vec<f64>,
    /// Those that are least somewhere, from left to right.
    parabolas: Vec<Parabola>,
}

struct Parabola {
    /// The point v.
    vertex: usize,
    /// Its value there, h(v).
    height: f64,
    /// a(u, v) with u the vertex before it, −∞ of the first.
    slope: f64,
}

/// The values of an envelope from left to right.
pub(crate) struct Walk<'a> {
    spacing: f64,
    parabolas: &'a [Parabola],
}

impl Envelope {
    /// An empty one, for an axis of so many points at a distance of `spacing`.
    pub(crate) fn new(points: usize, spacing: f64) -> Self {
        let inverses = (0..points).map(|steps| 1.0 / (steps as f64 * spacing * spacing)).collect();
        Self { spacing, inverses, parabolas: Vec::with_capacity(points) }
    }

    /// The envelope of the parabolas of these heights, a point each; where the height is infinite there is none.
    pub(crate) fn build(&mut self, heights: impl Iterator<Item = f64>) {
        self.parabolas.clear();
        for (vertex, height) in heights.enumerate().filter(|(_, height)| *height < f64::INFINITY) {
            let mut slope = f64::NEG_INFINITY;
            while let Some(last) = self.parabolas.last() {
                slope = (height - last.height) * self.inverses[vertex - last.vertex];
                let Some(before) = self.parabolas.len().checked_sub(2) else { break };
                let apart = vertex - self.parabolas[before].vertex;
                if slope + apart as f64 > last.slope {
                    break;
                }
                self.parabolas.pop();
            }
            self.parabolas.push(Parabola { vertex, height, slope });
        }
    }

    /// Its values, to be asked for from left to right.
    pub(crate) fn walk(&self) -> Walk<'_> {
        Walk { spacing: self.spacing, parabolas: &self.parabolas }
    }
}

impl Walk<'_> {
    /// The value at a point not left of the last one asked for; infinite if there is no parabola.
    ///
    /// As the point moves to the right, each parabola falls below the one before it once and for all.
    pub(crate) fn lowest_at(&mut self, point: usize) -> f64 {
        let value = |parabola: &Parabola| {
            let apart = point.abs_diff(parabola.vertex) as f64 * self.spacing;
            parabola.height + apart * apart
        };
        let mut lowest = self.parabolas.first().map_or(f64::INFINITY, value);
        while let Some(next) = self.parabolas.get(1).map(value).filter(|next| *next <= lowest) {
            lowest = next;
            self.parabolas = &self.parabolas[1..];
        }
        lowest
    }
}
