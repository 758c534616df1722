//! What passed between the field and the service.

use serde::{Deserialize, Serialize};

/// How many remarks are kept.
const REMARKS_MAX: usize = 20;

/// What passed between the field and the service.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Exchange {
    /// Polls made.
    pub polls: u64,
    /// Plans that a poll brought.
    pub plans_served: u64,
    /// Plans that took over.
    pub plans_activated: u64,
    /// Plans that a controller did not take.
    pub plans_rejected: u64,
    /// Times a controller returned to its own plan because what it was told had run out.
    pub fallbacks: u64,
    /// Detector reports sent.
    pub reports_sent: u64,
    /// Pictures of junctions sent.
    #[serde(default)]
    pub pictures_sent: u64,
    /// Detector reports and pictures the service refused.
    pub reports_refused: u64,
    /// Requests that failed.
    pub failures: u64,
    /// The first refusals, rejections and failures, in words.
    pub remarks: Vec<String>,
    /// The newest of them.
    #[serde(skip)]
    pub newest: Option<String>,
}

impl Exchange {
    /// Keeps a remark: the first ones as long as there is room, and the newest.
    pub fn remark(&mut self, text: String) {
        self.newest = Some(text.clone());
        if self.remarks.len() < REMARKS_MAX {
            self.remarks.push(text);
        }
    }
}
