//! The same work on every region, on one thread or several.

use rayon::ThreadPool;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use super::error::MicroError;

/// Who does the work.
#[derive(Debug)]
pub(crate) struct Crew(Option<ThreadPool>);

impl Crew {
    /// A crew of so many threads; with one, the calling thread works alone.
    ///
    /// # Errors
    /// [`MicroError::Unfit`] when the system refuses the threads.
    pub(crate) fn new(threads: usize) -> Result<Self, MicroError> {
        if threads <= 1 {
            return Ok(Self(None));
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.map(|pool| Self(Some(pool))).map_err(|e| MicroError::Unfit {
            kind: "number of threads",
            name: threads.to_string(),
            reason: e.to_string(),
        })
    }

    /// Does every task once, in any order.
    pub(crate) fn each<T: Send>(&self, tasks: Vec<T>, work: impl Fn(T) + Sync + Send) {
        match &self.0 {
            Some(pool) if tasks.len() > 1 => pool.install(|| tasks.into_par_iter().with_max_len(1).for_each(work)),
            _ => tasks.into_iter().for_each(work),
        }
    }
}

/// Cuts a table into stretches at `bounds`: the first bound is 0, the last its length.
pub(crate) fn cut<'a, T>(mut table: &'a mut [T], bounds: &[u32]) -> Vec<&'a mut [T]> {
    let mut parts = Vec::with_capacity(bounds.len());
    for w in bounds.windows(2) {
        let (part, rest) = std::mem::take(&mut table).split_at_mut((w[1] - w[0]) as usize);
        parts.push(part);
        table = rest;
    }
    parts
}
