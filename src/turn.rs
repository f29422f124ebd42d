//! One thread after the other, where a backend asks for it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

/// Whose turn it is, if anybody's.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    owner: Mutex<Option<ThreadId>>,
    over: Condvar,
}

/// A thread's turn, until it is dropped. It may be held by a future, since those of native devices are never suspended: they wait while
/// they are polled. On another thread than its own it would wait for itself.
#[derive(Debug)]
pub(crate) struct Turn<'a>(&'a Turns);

impl Turns {
    /// Waits until no other thread has its turn. `None` for a thread that has it already: what the device calls back may evaluate, too.
    pub(crate) fn take(&self) -> Option<Turn<'_>> {
        let me = std::thread::current().id();
        let mut owner = self.owner();
        if *owner == Some(me) {
            return None;
        }
        while owner.is_some() {
            owner = self.over.wait(owner).unwrap_or_else(PoisonError::into_inner);
        }
        *owner = Some(me);
        Some(Turn(self))
    }

    /// A panic elsewhere cannot leave it half-written.
    fn owner(&self) -> MutexGuard<'_, Option<ThreadId>> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.owner() = None;
        self.0.over.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::Turns;

    #[test]
    fn one_thread_has_its_turn_and_may_take_it_again() {
        let (turns, inside, rounds) = (Turns::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        let turn = turns.take();
                        assert!(turn.is_some());
                        assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                        assert!(turns.take().is_none());
                        rounds.fetch_add(1, Ordering::Relaxed);
                        assert_eq!(inside.fetch_sub(1, Ordering::Relaxed), 1);
                        drop(turn);
                    }
                });
            }
        });
        assert_eq!(rounds.into_inner(), 4000);
        assert!(turns.take().is_some());
    }

    #[test]
    fn a_panic_ends_a_turn() {
        let turns = Turns::default();
        let panicked = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let _turn = turns.take();
                panic!("in its turn");
            });
            thread.join()
        });
        assert!(panicked.is_err() && turns.take().is_some());
    }
}
