//! Signal groups of a controller as the letters of SUMO's state strings.

use greenkerb_models::signal::{Controller, Indication};

use super::error::SumoError;

/// One traffic light in SUMO, as last set.
#[derive(Debug)]
pub(super) struct Light {
    state: String,
}

impl Light {
    /// A light that shows `state` now. Link indices that no group drives keep their letter for ever.
    pub(super) fn new(controller: &Controller, state: String) -> Result<Self, SumoError> {
        let indices = || controller.groups.iter().flat_map(|g| g.link_indices.iter().copied());
        let width = |index| SumoError::LightWidth { controller: controller.name.clone(), letters: state.len(), index };
        // SUMO's letters are ASCII; anything else is no state of a light.
        let letters = if state.is_ascii() { state.len() } else { 0 };
        match indices().max().filter(|i| *i as usize >= letters) {
            Some(index) => Err(width(index)),
            None => Ok(Self { state }),
        }
    }

    /// Sets what the groups show; the new state when it differs from the last.
    pub(super) fn show(&mut self, controller: &Controller, heads: &[Indication]) -> Option<&str> {
        let mut letters: Vec<char> = self.state.chars().collect();
        for (group, shows) in controller.groups.iter().zip(heads) {
            for index in &group.link_indices {
                if let Some(letter) = letters.get_mut(*index as usize) {
                    *letter = shows.letter();
                }
            }
        }
        let state: String = letters.into_iter().collect();
        if state == self.state {
            return None;
        }
        self.state = state;
        Some(&self.state)
    }
}
