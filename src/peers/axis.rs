//! Arguments that list axes.

use crate::{AxisOrder, Error, Pool, Problem};

/// The pooling that a list of summed axes amounts to: of `[N, C, spatial…]` or of `[N, spatial…, C]`, as the tensor lies in memory.
pub(super) fn pool(peer: &'static str, axis: &[i64], problem: &Problem) -> Result<Pool, Error> {
    let mut dims = problem.shape.dims().to_vec();
    let mut class_axis = 1;
    if problem.axes == AxisOrder::ChannelLast {
        dims[1..].rotate_left(1);
        class_axis = dims.len() - 1;
    }
    pool_of(peer, axis, &dims, class_axis)
}

fn pool_of(peer: &'static str, axis: &[i64], dims: &[usize], class_axis: usize) -> Result<Pool, Error> {
    let rank = dims.len();
    let mut summed = vec![false; rank];
    for &entry in axis {
        let positive = if entry < 0 { entry + rank as i64 } else { entry };
        let seen = usize::try_from(positive).ok().and_then(|index| summed.get_mut(index));
        match seen {
            Some(seen) if !*seen => *seen = true,
            Some(_) => return Err(Error::Peer { peer, reason: format!("axis {axis:?} names {entry} twice") }),
            None => {
                let reason = format!("axis {entry} does not exist in {rank} dimensions; give the axes of {dims:?}");
                return Err(Error::Peer { peer, reason });
            }
        }
    }
    if (1..rank).any(|place| place != class_axis && !summed[place]) {
        let reason = format!("axis {axis:?} leaves out a spatial axis of {dims:?}, which is not supported");
        return Err(Error::Peer { peer, reason });
    }
    Ok(match (summed[0], summed[class_axis]) {
        (false, false) => Pool::None,
        (true, false) => Pool::Batch,
        (false, true) => Pool::Classes,
        (true, true) => Pool::All,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    fn pool(axes: AxisOrder, axis: &[i64]) -> Result<Pool, Error> {
        super::pool("dice_coe", axis, &Problem { axes, ..Problem::new(Shape::new(&[2, 3, 5, 7]).unwrap()) })
    }

    #[test]
    fn axis_lists_become_pools() {
        let pool = |axis: &[i64]| pool(AxisOrder::ChannelFirst, axis);
        assert_eq!(pool(&[1, 2, 3]), Ok(Pool::Classes));
        assert_eq!(pool(&[2, 3]), Ok(Pool::None));
        assert_eq!(pool(&[-1, -2, 0]), Ok(Pool::Batch));
        assert_eq!(pool(&[3, 2, 1, 0]), Ok(Pool::All));
        for (axis, message) in [(&[1, 2][..], "leaves out"), (&[1, 2, 3, 4], "does not exist"), (&[2, 2, 3], "twice")] {
            assert!(pool(axis).unwrap_err().to_string().contains(message));
        }
    }

    #[test]
    fn channels_may_be_last() {
        let pool = |axis: &[i64]| pool(AxisOrder::ChannelLast, axis);
        assert_eq!(pool(&[1, 2]), Ok(Pool::None));
        assert_eq!(pool(&[1, 2, 3]), Ok(Pool::Classes));
        assert_eq!(pool(&[0, 1, -2]), Ok(Pool::Batch));
        assert_eq!(pool(&[0, 1, 2, -1]), Ok(Pool::All));
        let reason = pool(&[1, 3]).unwrap_err().to_string();
        assert!(reason.contains("axis [1, 3] leaves out a spatial axis of [2, 5, 7, 3]"), "{reason}");
        assert!(pool(&[4]).unwrap_err().to_string().contains("does not exist"));
    }
}
