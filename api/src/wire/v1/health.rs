//! Whether the service lives, and whether it can do its work.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The process answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Live {
    /// Always `live`.
    pub status: String,
    /// Version of the service.
    pub version: String,
}

/// The service can do its work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ready {
    /// Always `ready`.
    pub status: String,
    /// Name of the loaded network.
    pub network: String,
    /// Now, on the service's clock.
    pub clock: Option<String>,
    /// Age of the newest observation.
    pub feed_age_s: Option<f64>,
    /// Things that ask for attention and keep nobody from working.
    pub warnings: Vec<Trouble>,
}

/// The service cannot do its work, as problem details (RFC 9457).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NotReady {
    /// Kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// Kind of problem, in words.
    pub title: String,
    /// 503.
    pub status: u16,
    /// The first reason.
    pub detail: String,
    /// Every reason.
    pub reasons: Vec<Trouble>,
    /// Things that ask for attention and keep nobody from working.
    pub warnings: Vec<Trouble>,
    /// Now, on the service's clock.
    pub clock: Option<String>,
    /// Age of the newest observation.
    pub feed_age_s: Option<f64>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trouble {
    /// Short name, stable: `no_clock`, `no_plan`, `plan_expired`, `feed_stale`, `store_unreachable`,
    /// `optimizer_failed`, `network_file_changed`, `plan_dropped`, `deadline_missed`.
    #[schema(example = "feed_stale")]
    pub code: String,
    /// What it is, in a sentence.
    pub detail: String,
    /// Controllers it concerns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controllers: Vec<String>,
}
