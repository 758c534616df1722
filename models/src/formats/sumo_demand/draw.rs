//! Choices among several, drawn once and for all by a name: the same file always gives the same demand.

/// Something that is one of several, each with its weight above zero.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mix<T> {
    options: Vec<(f64, T)>,
}

impl<T: Copy> Mix<T> {
    pub(super) fn one(of: T) -> Self {
        Self { options: vec![(1.0, of)] }
    }

    /// `None` when no weight is above zero.
    pub(super) fn of(options: Vec<(f64, T)>) -> Option<Self> {
        let options: Vec<(f64, T)> = options.into_iter().filter(|(w, _)| *w > 0.0).collect();
        (!options.is_empty()).then_some(Self { options })
    }

    /// Its options with their shares, which sum up to one.
    pub(super) fn shares(&self) -> impl Iterator<Item = (f64, T)> + '_ {
        let sum: f64 = self.options.iter().map(|o| o.0).sum();
        self.options.iter().map(move |(w, t)| (w / sum, *t))
    }

    /// The only option there is.
    pub(super) fn single(&self) -> Option<T> {
        if let [(_, only)] = self.options[..] { Some(only) } else { None }
    }

    /// The option that falls to this name.
    pub(super) fn draw(&self, salt: &str, name: &str) -> T {
        let mut left = unit(salt, name);
        for (share, option) in self.shares() {
            if left < share {
                return option;
            }
            left -= share;
        }
        // Rounding: shares may sum up to a hair less than one.
        self.options[self.options.len() - 1].1
    }
}

/// A number in [0, 1) that depends on two words only: FNV-1a, stirred by the finalizer of SplitMix64 (Steele 2014).
pub(super) fn unit(salt: &str, name: &str) -> f64 {
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    for b in salt.bytes().chain([0xff]).chain(name.bytes()) {
        h = (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
    }
    h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    h ^= h >> 31;
    (h >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_kept_over_many_names() {
        let mix = Mix::of(vec![(1.0, 'a'), (3.0, 'b'), (0.0, 'c')]).unwrap();
        let drawn: Vec<char> = (0..4_000).map(|i| mix.draw("kind", &format!("v{i}"))).collect();
        let a = drawn.iter().filter(|c| **c == 'a').count();
        assert!((900..1_100).contains(&a), "{a}");
        assert!(!drawn.contains(&'c'));
        assert_eq!(mix.draw("kind", "v7"), mix.draw("kind", "v7"));
    }

    #[test]
    fn nothing_can_be_drawn_from_nothing() {
        assert_eq!(Mix::of(vec![(0.0, 1)]), None);
        assert_eq!(Mix::of(Vec::<(f64, u8)>::new()), None);
        assert_eq!(Mix::one(5).single(), Some(5));
    }
}
