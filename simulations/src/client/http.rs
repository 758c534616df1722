//! One connection to the service.

use std::time::Duration;

use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::http::{Response, StatusCode};

use greenkerb_models::units::TimeDs;

use super::wire::{Accepted, Ack, Batch, Controllers, DetectorReport, Known, PictureReport, ServiceState, Timing};
use crate::field::{Acknowledgement, State};

/// How long the service may take over one answer, the planning of a step included.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer we read.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// Why the service did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It cannot be reached, or breaks off.
    #[error("{what}: {source}")]
    Unreachable {
        /// What was asked.
        what: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// It says no.
    #[error("{what}: {status}: {said}")]
    Refused {
        /// What was asked.
        what: String,
        /// HTTP status.
        status: u16,
        /// What it says.
        said: String,
    },
    /// It answers something else than was agreed.
    #[error("{what}: unreadable answer: {source}")]
    Unreadable {
        /// What was asked.
        what: String,
        /// Why.
        source: serde_json::Error,
    },
}

/// What a poll brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Polled {
    /// Nothing new.
    Unchanged,
    /// A timing, and the tag to ask with next time.
    Timing {
        /// The timing.
        timing: Box<Timing>,
        /// The body as it came.
        body: String,
        /// Its entity tag.
        etag: Option<String>,
    },
}

/// A client of the service at one address.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    base: String,
}

impl Client {
    /// A client of the service at an address like `http://127.0.0.1:8080`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            // The field talks to its service directly.
            .proxy(None)
            .user_agent(concat!("greenkerb-street/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Self { agent, base: base.trim_end_matches('/').to_owned() }
    }

    /// The controllers that the service knows.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn controllers(&self) -> Result<Vec<Known>, ClientError> {
        let what = "list of controllers";
        let answer = self.agent.get(format!("{}/v1/controllers", self.base)).call();
        let listed: Controllers = read(what, answer, &[StatusCode::OK]).and_then(|body| parse(what, &body))?;
        Ok(listed.controllers)
    }

    /// What time it is at the service; none while its clock is set by the data and there was none yet.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn clock(&self) -> Result<Option<TimeDs>, ClientError> {
        let what = "state of the network";
        let answer = self.agent.get(format!("{}/v1/network/state", self.base)).call();
        let state: ServiceState = read(what, answer, &[StatusCode::OK]).and_then(|body| parse(what, &body))?;
        let Some(clock) = state.clock else { return Ok(None) };
        let instant = TimeDs::parse_rfc3339(&clock);
        instant
            .map(Some)
            .map_err(|e| ClientError::Unreadable { what: what.to_owned(), source: serde::de::Error::custom(e) })
    }

    /// Reports what detectors saw, and what was seen of junctions. The same batch under the same key counts once.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn observe(
        &self,
        reports: &[DetectorReport<'_>],
        pictures: &[PictureReport],
        key: &str,
    ) -> Result<Accepted, ClientError> {
        let what = "observations";
        let body = to_json(what, &Batch { observations: reports, pictures })?;
        let request = self.agent.post(format!("{}/v1/observations", self.base));
        let request = request.header("content-type", "application/json").header("idempotency-key", key);
        let answer = request.send(&body[..]);
        read(what, answer, &[StatusCode::OK]).and_then(|body| parse(what, &body))
    }

    /// Asks for the timing of a controller.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn poll(&self, controller: &str, etag: Option<&str>) -> Result<Polled, ClientError> {
        let what = || format!("timing of '{controller}'");
        let mut request = self.agent.get(format!("{}/v1/controllers/{}/timing", self.base, encode(controller)));
        if let Some(etag) = etag {
            request = request.header("if-none-match", etag);
        }
        let answer = request.call().map_err(|e| ClientError::Unreachable { what: what(), source: Box::new(e) })?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(Polled::Unchanged);
        }
        let etag = answer.headers().get("etag").and_then(|e| e.to_str().ok()).map(str::to_owned);
        let body = read(&what(), Ok(answer), &[StatusCode::OK])?;
        let timing = parse(&what(), &body)?;
        Ok(Polled::Timing { timing, body, etag })
    }

    /// Tells how far an order has come.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn acknowledge(&self, controller: &str, told: &Acknowledgement) -> Result<(), ClientError> {
        let what = format!("acknowledgement of '{controller}'");
        let (state, reason) = match &told.state {
            State::Received => ("received", None),
            State::Validated => ("validated", None),
            State::Active => ("active", None),
            State::Rejected(why) => ("rejected", Some(why.to_string())),
            State::LocalMode => ("local_mode", None),
            State::SwitchedOn => ("local_mode", Some("switched on".to_owned())),
        };
        let ack = Ack { revision: told.revision.0, hash: &told.hash, state, reason, at: told.at.rfc3339() };
        let body = to_json(&what, &ack)?;
        let url = format!("{}/v1/controllers/{}/ack", self.base, encode(controller));
        let answer = self.agent.post(url).header("content-type", "application/json").send(&body[..]);
        read(&what, answer, &[StatusCode::NO_CONTENT, StatusCode::OK]).map(drop)
    }

    /// True when the service answers at all.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.agent.get(format!("{}/livez", self.base)).call().is_ok_and(|a| a.status().is_success())
    }
}

fn to_json(what: &str, value: &impl serde::Serialize) -> Result<Vec<u8>, ClientError> {
    serde_json::to_vec(value).map_err(|source| ClientError::Unreadable { what: what.to_owned(), source })
}

fn parse<T: DeserializeOwned>(what: &str, body: &str) -> Result<T, ClientError> {
    serde_json::from_str(body).map_err(|source| ClientError::Unreadable { what: what.to_owned(), source })
}

fn read(
    what: &str,
    answer: Result<Response<ureq::Body>, ureq::Error>,
    wanted: &[StatusCode],
) -> Result<String, ClientError> {
    let unreachable = |e| ClientError::Unreachable { what: what.to_owned(), source: Box::new(e) };
    let mut answer = answer.map_err(unreachable)?;
    let status = answer.status();
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(unreachable)?;
    if wanted.contains(&status) {
        return Ok(body);
    }
    let said = body.chars().take(500).collect();
    Err(ClientError::Refused { what: what.to_owned(), status: status.as_u16(), said })
}

/// A name as one segment of a path (RFC 3986: all but the unreserved characters as `%XX`).
fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_one_segment() {
        assert_eq!(encode("cluster_1/2 ä"), "cluster_1%2F2%20%C3%A4");
    }
}
