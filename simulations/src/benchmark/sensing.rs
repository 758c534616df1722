//! What a controller sees. Controllers that see more are not set against others that see less without saying so.

use crate::control::ENTRIES;

/// What a controller sees of the street, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sees {
    /// Nothing: it runs by the clock.
    Nothing,
    /// Loops: counts and occupancies at the stop bar and upstream.
    Loops,
    /// The demand as it truly is, before the run.
    Demand,
    /// Every vehicle near the junction, and where it goes next.
    Everything,
}

impl Sees {
    /// What the controller of a name sees, by the registry; everything when it does not say.
    #[must_use]
    pub fn of(controller: &str) -> Self {
        let entry = ENTRIES.iter().find(|e| e.name == controller || stands_for(e.name, controller));
        match entry.map(|e| e.sensing) {
            Some("none" | "nothing") => Self::Nothing,
            Some("loops") => Self::Loops,
            Some("demand" | "true demand") => Self::Demand,
            Some("full") => Self::Everything,
            _ if controller.starts_with("ours") => Self::Loops,
            _ => Self::Everything,
        }
    }

    /// As a heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Nothing => "By the clock: sees nothing",
            Self::Loops => "Sees loops: counts and occupancies at the stop bar and upstream",
            Self::Demand => "Knows the true demand beforehand",
            Self::Everything => "Sees every vehicle near the junction and where it goes",
        }
    }
}

/// True when a pattern such as `mp-D+Y` stands for a name such as `mp-15+5`.
fn stands_for(pattern: &str, name: &str) -> bool {
    let (Some((kind, placeholder)), Some((name_kind, times))) = (pattern.split_once('-'), name.split_once('-')) else {
        return false;
    };
    kind == name_kind
        && placeholder.chars().all(|c| c.is_ascii_uppercase() || c == '+')
        && times.chars().all(|c| c.is_ascii_digit() || c == '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_controllers_see() {
        assert_eq!(Sees::of("shipped"), Sees::Nothing);
        assert_eq!(Sees::of("actuated"), Sees::Loops);
        assert_eq!(Sees::of("ours"), Sees::Loops);
        assert_eq!(Sees::of("ours-schedule"), Sees::Everything);
        assert_eq!(Sees::of("fixed-25+5"), Sees::Nothing);
        assert_eq!(Sees::of("mp-15+5"), Sees::Everything);
        assert_eq!(Sees::of("max-pressure"), Sees::Everything);
        assert_eq!(Sees::of("somebody-else"), Sees::Everything);
        assert!(Sees::Loops < Sees::Everything);
    }
}
