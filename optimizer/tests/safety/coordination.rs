//! Rule 3.

use proptest::prelude::*;

use crate::sample::any_ringed;
use crate::verdict::rules;

proptest! {
    #[test]
    fn coordination_on_both_sides_of_a_barrier_or_twice_in_a_ring_is_refused(
        sample in any_ringed(),
        phases in prop::sample::select(vec![vec![], vec![2], vec![2, 4], vec![2, 8], vec![6, 4], vec![2, 6, 6], vec![2, 9], vec![5, 6]]),
    ) {
        let mut controller = sample.controller.clone();
        controller.ring_barrier.as_mut().unwrap().coordinated = phases;
        let broken = rules(&sample.plan, &controller);
        // Where the coordinated phase is another one, the reference point is elsewhere too (rule 5).
        prop_assert!(broken.starts_with(&[3]) && broken.iter().all(|r| [3, 5].contains(r)), "{:?}", broken);
    }

    #[test]
    fn an_omitted_phase_coordinates_nothing(sample in any_ringed()) {
        let mut controller = sample.controller.clone();
        let rings = controller.ring_barrier.as_mut().unwrap();
        let Some(omitted) = rings.barrier_groups[0].rings[0].iter().find(|p| p.omitted).map(|p| p.phase) else {
            return Ok(());
        };
        rings.coordinated = vec![omitted, 6];
        prop_assert!(rules(&sample.plan, &controller).contains(&3));
    }
}
