//! What can be polled, and what controllers say about it.
//!
//! Every timing is serialised once, when it is published; a poll copies a pointer. Nothing is shown here that is not
//! `Validated` and in the store.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use axum::http::HeaderValue;
use bytes::Bytes;
use greenkerb_models::ids::ControllerId;
use greenkerb_models::network::Network;
use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::signal::TransitionMethod;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_optimizer::safety::Validated;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::store::AckRecord;
use crate::wire::v1::{Ack, AckState, Timing};

/// Revisions of each controller that may still be acknowledged.
const ACKNOWLEDGEABLE_MAX: usize = 64;

/// How far a controller's clock may be off.
const ACK_OFF_MAX: Ds = Ds::from_s(600);

/// Polls that a controller may miss before it is stale.
const MISSED_POLLS: i64 = 3;

/// Stands for "never" in the atomics.
const NEVER: i64 = i64::MIN;

/// A timing as it is served.
#[derive(Debug)]
pub struct Shown {
    /// The plan.
    pub plan: Validated<PublishedPlan>,
    /// Its JSON.
    pub body: Bytes,
    /// Its entity tag, quoted.
    pub etag: HeaderValue,
}

/// What is known about one controller.
#[derive(Debug)]
struct Place {
    shown: ArcSwapOption<Shown>,
    changed: watch::Sender<u64>,
    polled: AtomicI64,
    /// Long polls and streams that are open.
    waiting: AtomicU32,
    known: Mutex<VecDeque<Known>>,
    ack: Mutex<Option<AckRecord>>,
}

/// What is remembered of a publication after a newer one has taken its place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    revision: u64,
    hash: String,
    computed_at: TimeDs,
    valid_from: TimeDs,
    valid_until: TimeDs,
}

/// The board of all controllers.
#[derive(Debug)]
pub struct Board {
    network: Arc<Network>,
    places: Vec<Place>,
    poll_after: Ds,
    transition: TransitionMethod,
}

/// Why an acknowledgement is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AckError {
    /// The revision was never published, or is too old to be acknowledged.
    #[error("revision {revision} of this controller is not known")]
    Unknown {
        /// The revision.
        revision: u64,
    },
    /// The hash is not that of the revision.
    #[error("revision {revision} has another hash")]
    OtherHash {
        /// The revision.
        revision: u64,
    },
    /// The instant cannot be read.
    #[error("at '{at}' is no RFC 3339 instant")]
    Instant {
        /// What was given.
        at: String,
    },
    /// The instant lies before the revision was made, or after now.
    #[error("at {at} is more than {} s before revision {revision} was computed, or after the service's clock", ACK_OFF_MAX.seconds())]
    FarOff {
        /// What was given.
        at: String,
        /// The revision.
        revision: u64,
    },
}

/// A controller that is connected and waits.
#[derive(Debug)]
pub struct Waiting {
    board: Arc<Board>,
    id: ControllerId,
}

impl Waiting {
    /// The board it waits at.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.board.places[self.id.index()].waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Names the bytes that are served, whatever of them has changed.
fn etag_of(revision: u64, body: &[u8]) -> Result<HeaderValue, axum::http::header::InvalidHeaderValue> {
    HeaderValue::from_str(&format!("\"{revision}-{}\"", hex::encode(&Sha256::digest(body)[..8])))
}

impl Board {
    /// An empty board.
    #[must_use]
    pub fn new(network: Arc<Network>, poll_after: Ds, transition: TransitionMethod) -> Self {
        let places = network
            .controllers()
            .iter()
            .map(|_| Place {
                shown: ArcSwapOption::empty(),
                changed: watch::Sender::new(0),
                polled: AtomicI64::new(NEVER),
                waiting: AtomicU32::new(0),
                known: Mutex::new(VecDeque::new()),
                ack: Mutex::new(None),
            })
            .collect();
        Self { network, places, poll_after, transition }
    }

    /// Shows a plan to pollers. An older revision than the one shown is never shown again.
    pub fn show(&self, plan: Validated<PublishedPlan>) {
        let Some(id) = self.network.controller_named(&plan.get().controller) else { return };
        let place = &self.places[id.index()];
        let revision = plan.get().revision.0;
        if place.shown.load().as_ref().is_some_and(|s| s.plan.get().revision.0 >= revision) {
            return;
        }
        let timing = Timing::of(plan.get(), self.network.controller(id), self.transition, self.poll_after.seconds());
        let Ok(body) = serde_json::to_vec(&timing) else { return };
        let Ok(etag) = etag_of(revision, &body) else { return };
        self.remember(id, plan.get());
        place.shown.store(Some(Arc::new(Shown { plan, body: body.into(), etag })));
        place.changed.send_replace(revision);
    }

    /// Remembers a publication, so that it can be acknowledged. They come in the order of their revisions.
    pub fn remember(&self, id: ControllerId, plan: &PublishedPlan) {
        let mut known = self.places[id.index()].known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.back().is_some_and(|k| k.revision >= plan.revision.0) {
            return;
        }
        known.push_back(Known {
            revision: plan.revision.0,
            hash: plan.hash(self.transition),
            computed_at: plan.computed_at,
            valid_from: plan.valid_from,
            valid_until: plan.valid_until,
        });
        if known.len() > ACKNOWLEDGEABLE_MAX {
            known.pop_front();
        }
    }

    /// Revision that ought to run at an instant: the newest that had taken over by then and had not run out.
    #[must_use]
    pub fn expected(&self, id: ControllerId, at: TimeDs) -> Option<u64> {
        let known = self.places[id.index()].known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().rev().find(|k| k.valid_from <= at).filter(|k| at < k.valid_until).map(|k| k.revision)
    }

    /// What a controller is shown, if anything.
    #[must_use]
    pub fn shown(&self, id: ControllerId) -> Option<Arc<Shown>> {
        self.places[id.index()].shown.load_full()
    }

    /// Every plan shown, in the order of the network.
    #[must_use]
    pub fn plans(&self) -> Vec<Validated<PublishedPlan>> {
        self.places.iter().filter_map(|p| p.shown.load().as_ref().map(|s| s.plan.clone())).collect()
    }

    /// Tells when something new is shown; the value is the revision.
    #[must_use]
    pub fn watch(&self, id: ControllerId) -> watch::Receiver<u64> {
        self.places[id.index()].changed.subscribe()
    }

    /// Takes note of a poll.
    pub fn polled(&self, id: ControllerId, now: Option<TimeDs>) {
        if let Some(now) = now {
            self.places[id.index()].polled.store(now.0, Ordering::Relaxed);
        }
    }

    /// When a controller last polled.
    #[must_use]
    pub fn polled_at(&self, id: ControllerId) -> Option<TimeDs> {
        Some(self.places[id.index()].polled.load(Ordering::Relaxed)).filter(|t| *t != NEVER).map(TimeDs)
    }

    /// Takes note of a controller that stays connected and waits for what comes; it does so until the guard is dropped.
    #[must_use]
    pub fn wait(self: &Arc<Self>, id: ControllerId) -> Waiting {
        self.places[id.index()].waiting.fetch_add(1, Ordering::AcqRel);
        Waiting { board: Arc::clone(self), id }
    }

    /// True when a controller has missed three polls, or has never polled. One that waits at the other end of a
    /// connection misses none.
    #[must_use]
    pub fn is_stale(&self, id: ControllerId, now: Option<TimeDs>) -> bool {
        if self.places[id.index()].waiting.load(Ordering::Acquire) > 0 {
            return false;
        }
        match (self.polled_at(id), now) {
            (Some(at), Some(now)) => now.since(at) > MISSED_POLLS * i64::from(self.poll_after.0) + 10,
            _ => true,
        }
    }

    /// Takes an acknowledgement, once `keep` has taken it too. One that is older than what the controller said last tells
    /// nothing new, and is let pass.
    ///
    /// # Errors
    /// [`AckError`] when it is about something that was not published, or cannot be read or meant; else the error of
    /// `keep`, and nothing is taken.
    pub fn acknowledge<E: From<AckError>>(
        &self,
        id: ControllerId,
        ack: &Ack,
        now: Option<TimeDs>,
        keep: impl FnOnce(AckRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        let place = &self.places[id.index()];
        let at = self.judge(place, ack, now)?;
        let mut last = place.ack.lock().unwrap_or_else(PoisonError::into_inner);
        // What was said at a time that has not come is from before the clock was set back.
        let said = last.as_ref().filter(|last| now.is_none_or(|now| last.at <= now + ACK_OFF_MAX));
        if said.is_some_and(|last| last.at > at) {
            return Ok(());
        }
        let before = last.as_ref().and_then(|a| a.running);
        let running = match ack.state {
            AckState::Active => Some(ack.revision),
            AckState::LocalMode => None,
            AckState::Received | AckState::Validated | AckState::Rejected => before,
        };
        let state =
            serde_json::to_value(ack.state).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        let reason = ack.reason.as_ref().map(|r| r.chars().take(500).collect());
        let record = AckRecord { revision: ack.revision, state, reason, at, running };
        keep(record.clone())?;
        *last = Some(record);
        Ok(())
    }

    /// When it was said, if it may be taken.
    fn judge(&self, place: &Place, ack: &Ack, now: Option<TimeDs>) -> Result<TimeDs, AckError> {
        let revision = ack.revision;
        let known = place.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.iter().find(|k| k.revision == revision).ok_or(AckError::Unknown { revision })?;
        if known.hash != ack.hash {
            return Err(AckError::OtherHash { revision });
        }
        let at =
            TimeDs::parse_rfc3339(&ack.at).map_err(|_| AckError::Instant { at: ack.at.chars().take(60).collect() })?;
        if at < known.computed_at - ACK_OFF_MAX || now.is_some_and(|now| at > now + ACK_OFF_MAX) {
            return Err(AckError::FarOff { at: at.rfc3339(), revision });
        }
        Ok(at)
    }

    /// Takes up an acknowledgement from before a restart.
    pub fn recall(&self, id: ControllerId, ack: AckRecord) {
        *self.places[id.index()].ack.lock().unwrap_or_else(PoisonError::into_inner) = Some(ack);
    }

    /// What a controller last said.
    #[must_use]
    pub fn ack(&self, id: ControllerId) -> Option<AckRecord> {
        self.places[id.index()].ack.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
