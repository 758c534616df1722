//! Rule 20: no NaN, no infinity. Times are integers by type; what is left are the figures that reasons rest on. (That no
//! vector of a solve without a solution gets here is the solver's type: it returns none.)

use greenkerb_models::plan::Reason;

use super::refusal::Refusal;

/// Judges the reasons' figures.
pub(super) fn judge(reasons: &[Reason], refusals: &mut Vec<Refusal>) {
    for (index, reason) in reasons.iter().enumerate() {
        if let Some((name, value)) = &reason.value
            && !value.is_finite()
        {
            refusals.push(Refusal::NotFinite { index, name: name.clone(), value: *value });
        }
    }
}
