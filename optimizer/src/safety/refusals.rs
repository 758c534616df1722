//! All the reasons to refuse one plan.

use super::refusal::Refusal;

/// Everything that is wrong with a plan; never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusals {
    subject: String,
    first: Refusal,
    others: Vec<Refusal>,
}

impl Refusals {
    /// `None` when there is nothing to refuse.
    pub(super) fn of(subject: &str, refusals: Vec<Refusal>) -> Option<Self> {
        let mut rest = refusals.into_iter();
        let first = rest.next()?;
        Some(Self { subject: subject.to_owned(), first, others: rest.collect() })
    }

    /// Name of the controller (the first one's, where a coordination group is refused).
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// All of them, first found first.
    pub fn iter(&self) -> impl Iterator<Item = &Refusal> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// True where nothing is wrong but the way back into the fallback: a plan that holds for longer or shorter finds another.
    #[must_use]
    pub fn are_about_the_way_back(&self) -> bool {
        self.iter().all(|r| {
            matches!(r, Refusal::NoTransition { into: "fallback", .. } | Refusal::InTransition { into: "fallback", .. })
        })
    }

    /// Numbers of the rules that were broken, rising, each once.
    #[must_use]
    pub fn rules(&self) -> Vec<u8> {
        let mut rules: Vec<u8> = self.iter().map(Refusal::rule).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }
}

impl std::fmt::Display for Refusals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "controller '{}': ", self.subject)?;
        for (i, refusal) in self.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{refusal} (rule {}", refusal.rule())?;
            match refusal.ntcip() {
                Some(name) => write!(f, ", {name})")?,
                None => f.write_str(")")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Refusals {}
