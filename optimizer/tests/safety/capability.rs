//! Rule 19.

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::signal::{PlanView, TimingPlan};
use greenkerb_models::units::TimeDs;
use proptest::prelude::*;

use crate::sample::{any_ringed, any_sample};
use crate::verdict::rules;

proptest! {
    #[test]
    fn what_is_read_back_is_what_was_written(sample in any_sample(), text: String, figure in any::<f64>()) {
        let mut plan = sample.published(TimeDs(5));
        plan.reasons[0].text = text.clone();
        plan.reasons[0].value = figure.is_finite().then_some((text, figure));
        let bytes = postcard::to_stdvec(&plan).unwrap();
        prop_assert_eq!(&postcard::from_bytes::<PublishedPlan>(&bytes).unwrap(), &plan);
        let json = serde_json::to_string(&plan.plan).unwrap();
        prop_assert_eq!(&serde_json::from_str::<TimingPlan>(&json).unwrap(), &plan.plan);
    }

    #[test]
    fn phases_are_numbered_from_1_to_16(sample in any_ringed(), number in prop::sample::select(vec![0_u8, 16, 17, 255])) {
        let (mut plan, mut controller) = (sample.plan.clone(), sample.controller.clone());
        let rings = controller.ring_barrier.as_mut().unwrap();
        for p in rings.barrier_groups.iter_mut().flat_map(|b| b.rings.iter_mut().flatten()).filter(|p| p.phase == 8) {
            p.phase = number;
        }
        let PlanView::RingBarrier { splits } = &mut plan.view else { unreachable!("a ringed sample") };
        splits.iter_mut().filter(|s| s.0 == 8).for_each(|s| s.0 = number);
        prop_assert_eq!(rules(&plan, &controller), if number == 16 { vec![] } else { vec![19] });
    }
}
