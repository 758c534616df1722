//! Rule 19: the plan is inside what the controller takes, and what is read back is what was written.

use greenkerb_models::signal::{PlanView, TimingPlan};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::refusal::Refusal;

/// Highest phase number of NTCIP 1202 that the rings of this model speak of.
const PHASE_MAX: u8 = 16;

/// Longest split that NTCIP 1202 can state (`splitTime`: one octet of seconds).
const SPLIT_DS_MAX: u64 = 2550;

/// Judges the figures of a plan.
pub(super) fn judge(plan: &TimingPlan, refusals: &mut Vec<Refusal>) {
    let PlanView::RingBarrier { splits } = &plan.view else { return };
    for (phase, split) in splits {
        let mut at_most = |what, given: u64, max: u64| {
            if given > max {
                refusals.push(Refusal::Capability { what, given, max });
            }
        };
        at_most("a phase number", u64::from(*phase), u64::from(PHASE_MAX));
        at_most("a split in deciseconds", u64::from(split.0), SPLIT_DS_MAX);
        if *phase == 0 {
            refusals.push(Refusal::Capability { what: "phases are numbered from 1", given: 0, max: PHASE_MAX.into() });
        }
    }
}

/// Writes and reads back in both formats that plans are kept and sent in.
pub(super) fn judge_encoding<T>(value: &T, refusals: &mut Vec<Refusal>)
where
    T: Serialize + DeserializeOwned + PartialEq,
{
    let read = |bytes: Vec<u8>| postcard::from_bytes::<T>(&bytes).ok();
    if postcard::to_stdvec(value).ok().and_then(read).as_ref() != Some(value) {
        refusals.push(Refusal::Encoding { format: "postcard" });
    }
    let read = |text: String| serde_json::from_str::<T>(&text).ok();
    if serde_json::to_string(value).ok().and_then(read).as_ref() != Some(value) {
        refusals.push(Refusal::Encoding { format: "JSON" });
    }
}
