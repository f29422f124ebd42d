//! Memory that is asked for in a way that can fail: how much is asked for, files decide.

use crate::Error;

/// Whether so many numbers of so many bytes are no more than may be kept.
pub(crate) fn check(count: usize, bytes_of_one: usize, most: u64) -> Result<(), Error> {
    let bytes = count.saturating_mul(bytes_of_one);
    if bytes as u64 <= most {
        return Ok(());
    }
    Err(format!("its {count} numbers take {bytes} bytes; at most {most} are read").into())
}

/// An empty vector with room for so many.
pub(crate) fn room<T>(count: usize) -> Result<Vec<T>, Error> {
    let mut vector = Vec::new();
    vector.try_reserve_exact(count).map_err(|_| none_for::<T>(count))?;
    Ok(vector)
}

/// Appends all of them. Where there is no room it is made for half as many more as there are, lest each time all are moved.
pub(crate) fn extend<T>(vector: &mut Vec<T>, items: impl ExactSizeIterator<Item = T>) -> Result<(), Error> {
    let more = items.len();
    if vector.capacity() - vector.len() < more {
        let all = vector.len().saturating_add(more);
        let some = vector.try_reserve_exact(more.max(vector.len() / 2));
        some.or_else(|_| vector.try_reserve_exact(more)).map_err(|_| none_for::<T>(all))?;
    }
    vector.extend(items);
    Ok(())
}

/// All of them, of which there are as many as they say, in memory that is asked for in a way that can fail.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub fn collected<T>(items: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>, Error> {
    let mut vector = room(items.len())?;
    vector.extend(items);
    Ok(vector)
}

/// Asks for so many bytes and gives them back: on behalf of code that would end the process if there were none.
pub(crate) fn try_for(bytes: usize) -> Result<(), Error> {
    room::<u8>(bytes).map(drop)
}

/// There is no memory for so many.
pub(crate) fn none_for<T>(count: usize) -> Error {
    Error::OutOfMemory { bytes: count.saturating_mul(size_of::<T>()) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_is_an_error() {
        let most = usize::MAX / 2;
        assert_eq!(room::<u8>(most).unwrap_err(), Error::OutOfMemory { bytes: most as u64 });
        assert_eq!(
            room::<u64>(most).unwrap_err().to_string(),
            format!("there is no memory for its {} bytes", usize::MAX)
        );
        assert_eq!(collected([1, 2, 3].into_iter()), Ok(vec![1, 2, 3]));
        let mut all = vec![1_u8];
        extend(&mut all, [2, 3].into_iter()).unwrap();
        extend(&mut all, 4..5).unwrap();
        assert_eq!(all, [1, 2, 3, 4]);
        let too_many = std::iter::repeat_n(0_u8, most);
        assert_eq!(extend(&mut all, too_many).unwrap_err(), Error::OutOfMemory { bytes: most as u64 + 4 });
        assert_eq!((try_for(1), try_for(most).is_err()), (Ok(()), true));
    }
}
