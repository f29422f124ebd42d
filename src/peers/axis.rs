//! Arguments that list axes.

use crate::{Error, Pool, Shape};

/// The pooling that a list of summed axes of `[N, C, spatial…]` amounts to.
pub(super) fn pool(peer: &'static str, axis: &[i64], shape: &Shape) -> Result<Pool, Error> {
    let rank = shape.dims().len();
    let mut summed = vec![false; rank];
    for &entry in axis {
        let positive = if entry < 0 { entry + rank as i64 } else { entry };
        let seen = usize::try_from(positive).ok().and_then(|index| summed.get_mut(index));
        match seen {
            Some(seen) if !*seen => *seen = true,
            Some(_) => return Err(Error::Peer { peer, reason: format!("axis {axis:?} names {entry} twice") }),
            None => {
                let reason =
                    format!("axis {entry} does not exist in {rank} dimensions; give the axes of {:?}", shape.dims());
                return Err(Error::Peer { peer, reason });
            }
        }
    }
    if summed[2..].contains(&false) {
        let reason = format!("axis {axis:?} leaves out a spatial axis of {:?}, which is not supported", shape.dims());
        return Err(Error::Peer { peer, reason });
    }
    Ok(match (summed[0], summed[1]) {
        (false, false) => Pool::None,
        (true, false) => Pool::Batch,
        (false, true) => Pool::Classes,
        (true, true) => Pool::All,
    })
}

/// The same of axes of `[N, spatial…, C]`.
pub(super) fn pool_channel_last(peer: &'static str, axis: &[i64], shape: &Shape) -> Result<Pool, Error> {
    let rank = shape.dims().len() as i64;
    let positive = |entry: i64| if entry < 0 { entry + rank } else { entry };
    // The last axis is the second here, those between move up by one. What does not exist stays as it is, for the message.
    let moved = |&entry: &i64| match positive(entry) {
        0 => 0,
        place if place == rank - 1 => 1,
        place if (1..rank - 1).contains(&place) => place + 1,
        _ => entry,
    };
    pool(peer, &axis.iter().map(moved).collect::<Vec<_>>(), shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axis_lists_become_pools() {
        let shape = Shape::new(&[2, 3, 5, 7]).unwrap();
        let pool = |axis: &[i64]| pool("dice_coe", axis, &shape);
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
        let shape = Shape::new(&[2, 3, 5, 7]).unwrap();
        let pool = |axis: &[i64]| pool_channel_last("Dice", axis, &shape);
        assert_eq!(pool(&[1, 2]), Ok(Pool::None));
        assert_eq!(pool(&[1, 2, 3]), Ok(Pool::Classes));
        assert_eq!(pool(&[0, 1, -2]), Ok(Pool::Batch));
        assert_eq!(pool(&[0, 1, 2, -1]), Ok(Pool::All));
        assert!(pool(&[1, 3]).unwrap_err().to_string().contains("leaves out"));
        assert!(pool(&[4]).unwrap_err().to_string().contains("does not exist"));
    }
}
