//! File descriptors: every connection is one, and the store, the network file and the runtime need some as well.

/// Descriptors that are no connections.
const OTHERS: usize = 64;

/// Connections that can be served at a time, and what to say where those are fewer than wanted. The limit of this process
/// is raised as far as it may be.
pub(crate) fn connections(wanted: usize) -> (usize, Option<String>) {
    let Some(limit) = raised_to(wanted.saturating_add(OTHERS)) else { return (wanted, None) };
    fitting(wanted, limit)
}

fn fitting(wanted: usize, limit: usize) -> (usize, Option<String>) {
    let room = limit.saturating_sub(OTHERS).max(1);
    if room >= wanted {
        return (wanted, None);
    }
    let note = format!(
        "this process may have {limit} open files: {room} connections are served at a time, not connections_max = {wanted}; \
         'ulimit -n' raises it"
    );
    (room, Some(note))
}

/// The limit of open files, raised to `wanted` where it may be; `None` where there is none.
#[cfg(unix)]
fn raised_to(wanted: usize) -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    let soft = now.current?;
    let wanted = wanted as u64;
    if soft >= wanted {
        return usize::try_from(soft).ok();
    }
    let target = now.maximum.map_or(wanted, |hard| hard.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(target), maximum: now.maximum });
    usize::try_from(if raised.is_ok() { target } else { soft }).ok()
}

#[cfg(not(unix))]
fn raised_to(_wanted: usize) -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_than_wanted_is_told() {
        assert_eq!(fitting(200, 10_000), (200, None));
        let (room, note) = fitting(10_000, 256);
        assert_eq!(room, 192);
        assert!(note.is_some_and(|n| n.contains("256") && n.contains("192") && n.contains("10000")));
        assert_eq!(fitting(200, 10).0, 1);
    }
}
