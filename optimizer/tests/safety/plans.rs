//! What is right passes.

use greenkerb_models::units::TimeDs;
use greenkerb_optimizer::safety::{Policy, Publication, validate_plan, validate_publication, validate_stored};
use proptest::prelude::*;

use crate::oracle;
use crate::sample::any_sample;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_plan_from_the_database_passes(sample in any_sample()) {
        let verdict = validate_plan(sample.plan.clone(), &sample.controller, &Policy::default());
        prop_assert!(verdict.is_ok(), "{}", verdict.unwrap_err());
        prop_assert_eq!(oracle::broken(&sample.plan, &sample.controller, 1200), Vec::<u8>::new());
    }
}
