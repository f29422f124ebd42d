//! wgpu's complaints, as errors instead of panics.

use crate::{Error, Gpu};

impl Gpu {
    /// Runs `create` and returns wgpu's complaint, if any, as an error instead of a panic.
    ///
    /// Of a lost device wgpu does not complain, it only tells the callback: what it creates there cannot be mapped, so that the
    /// wait for a result finds out.
    pub(crate) fn guarded<T>(&self, create: impl FnOnce(&wgpu::Device) -> T) -> Result<T, Error> {
        let (created, complaint) = self.scoped(create);
        self.judged(created, complaint)
    }

    /// Runs `create` and returns wgpu's complaint, if any, beside what it made.
    pub(crate) fn scoped<T>(&self, create: impl FnOnce(&wgpu::Device) -> T) -> (T, Option<wgpu::Error>) {
        use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};
        let scopes = [OutOfMemory, Internal, Validation].map(|filter| self.device().push_error_scope(filter));
        let created = create(self.device());
        // All are popped, the innermost first, as wgpu asks for on pain of a panic. On the web scopes answer later, and waiting
        // would block the page: there the page's own handler reports. Elsewhere the answer is ready.
        let popped = scopes.into_iter().rev().map(wgpu::ErrorScopeGuard::pop);
        #[cfg(not(target_arch = "wasm32"))]
        let complaint = popped.fold(None, |first, scope| first.or(pollster::block_on(scope)));
        #[cfg(target_arch = "wasm32")]
        let complaint: Option<wgpu::Error> = popped.fold(None, |_, scope| {
            drop(scope);
            None
        });
        (created, complaint)
    }

    /// What was made, or the error that a complaint is.
    pub(crate) fn judged<T>(&self, created: T, complaint: Option<wgpu::Error>) -> Result<T, Error> {
        match complaint {
            // Of some memory wgpu cannot be refused without giving the device up.
            Some(error @ wgpu::Error::OutOfMemory { .. }) => {
                Err(self.lost_by_now().unwrap_or(Error::OutOfMemory(error.to_string())))
            }
            Some(error) => Err(self.failure(error.to_string())),
            None => self.lost().map_or(Ok(created), Err),
        }
    }

    /// What failed with this message; where the device is lost, that.
    pub(crate) fn failure(&self, message: String) -> Error {
        self.lost_by_now().unwrap_or(Error::Device(message))
    }

    /// [`lost`](Self::lost), of which wgpu tells while it is polled.
    fn lost_by_now(&self) -> Option<Error> {
        // What it says of this is not what failed.
        let _ = self.device().poll(wgpu::PollType::Poll);
        self.lost()
    }
}
