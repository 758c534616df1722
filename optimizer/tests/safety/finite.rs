//! Rule 20.

use greenkerb_models::plan::{Reason, ReasonKind};
use greenkerb_models::units::TimeDs;
use greenkerb_optimizer::safety::validate_stored;
use proptest::prelude::*;

use crate::sample::any_sample;
use crate::verdict::unbounded;

proptest! {
    #[test]
    fn a_reason_that_rests_on_no_number_is_refused(
        sample in any_sample(),
        number in prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
    ) {
        let mut plan = sample.published(TimeDs(5));
        let value = Some(("gain_s".into(), number));
        plan.reasons.push(Reason { kind: ReasonKind::ExpectedGain, text: "gain".into(), value });
        prop_assert_eq!(validate_stored(plan, &sample.controller, &unbounded()).unwrap_err().rules(), vec![20]);
    }
}
