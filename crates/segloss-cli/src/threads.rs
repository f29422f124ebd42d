//! Threads that have ended before the process does.

use std::thread::{Builder, JoinHandle};

use crate::failure::Failure;

/// Does the work on so many threads, or on as many as there are cores, and waits until the last of them is gone.
///
/// A pool that is dropped only tells its threads to end. Those that have used EGL then free what it keeps for each thread while
/// the process, ending too, frees the same: now and then one of both frees it twice.
pub(crate) fn install<T: Send>(threads: Option<u16>, work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    let mut handles: Vec<JoinHandle<()>> = vec![];
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.map_or(0, usize::from))
        .spawn_handler(|thread| {
            handles.push(Builder::new().spawn(|| thread.run())?);
            Ok(())
        })
        .build()
        .map_err(|error| Failure::new(format!("the threads cannot be started: {error}")))?;
    let done = pool.install(work);
    drop(pool);
    for handle in handles {
        handle.join().map_err(|_| Failure::new("a thread panicked; please report this"))?;
    }
    Ok(done)
}
