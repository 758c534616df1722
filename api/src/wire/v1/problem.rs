//! Problem details (RFC 9457).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is wrong with a request, or with us. Media type `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Kind of problem: a URI reference that stays the same.
    #[serde(rename = "type")]
    #[schema(example = "/problems/unknown-controller")]
    pub kind: String,
    /// Kind of problem, in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What is wrong this time.
    pub detail: String,
}
