//! Is one controller better than another? Both run the same seeds, so runs are compared in pairs.
//!
//! * the mean difference with its 95 % interval and Student's paired t test,
//! * Wilcoxon's signed-rank test (Wilcoxon 1945; exact for up to 25 pairs, ties with average ranks; normal approximation with
//!   tie correction above), which asks for no normal distribution,
//! * the relative change as a ratio of means, with the interval of the ratio estimator (Cochran 1977, ch. 6).
//!
//! A difference is called significant when both tests say so at 5 %. Below six pairs Wilcoxon cannot reach 5 % whatever the
//! values, and the t test decides alone.

use serde::{Deserialize, Serialize};

use super::interval::Mean;

/// Level of both tests.
pub const LEVEL: f64 = 0.05;
/// Fewer pairs cannot make Wilcoxon's two-sided test reach 5 %.
const WILCOXON_PAIRS_MIN: usize = 6;
/// Up to so many pairs all signs are counted.
const EXACT_PAIRS_MAX: usize = 25;

/// How runs of one controller differ from runs of another on the same seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// Pairs.
    pub pairs: usize,
    /// Mean difference, ours minus theirs.
    pub difference: Mean,
    /// Relative change of the mean, ours over theirs minus one.
    pub change: f64,
    /// Half the width of its 95 % interval.
    pub change_half_width_95: Option<f64>,
    /// Two-sided p-value of the paired t test; none with fewer than two pairs.
    pub p_t: Option<f64>,
    /// Two-sided p-value of Wilcoxon's signed-rank test; none when no pair differs.
    pub p_wilcoxon: Option<f64>,
}

impl Paired {
    /// Compares; none without pairs, or when theirs is zero on average.
    #[must_use]
    pub fn of(ours: &[f64], theirs: &[f64]) -> Option<Self> {
        let pairs = ours.len().min(theirs.len());
        let (ours, theirs) = (&ours[..pairs], &theirs[..pairs]);
        let differences: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
        let difference = Mean::of(&differences)?;
        let (our_mean, their_mean) = (Mean::of(ours)?.mean, Mean::of(theirs)?.mean);
        if their_mean == 0.0 {
            return None;
        }
        let ratio = our_mean / their_mean;
        let residuals: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| (a - ratio * b) / their_mean).collect();
        Some(Self {
            pairs,
            difference,
            change: ratio - 1.0,
            change_half_width_95: Mean::of(&residuals).and_then(|m| m.half_width_95),
            p_t: p_of_t(&differences),
            p_wilcoxon: p_of_wilcoxon(&differences),
        })
    }

    /// True when the difference is more than chance.
    #[must_use]
    pub fn is_significant(&self) -> bool {
        let below = |p: Option<f64>| p.is_some_and(|p| p < LEVEL);
        below(self.p_t) && (self.pairs < WILCOXON_PAIRS_MIN || below(self.p_wilcoxon))
    }
}

/// Paired t test. Differences that are all the same have p = 0, or 1 when they are all zero.
fn p_of_t(differences: &[f64]) -> Option<f64> {
    let n = differences.len() as f64;
    if differences.len() < 2 {
        return None;
    }
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
    if variance == 0.0 {
        return Some(if mean == 0.0 { 1.0 } else { 0.0 });
    }
    let t = mean / (variance / n).sqrt();
    let freedom = n - 1.0;
    // Two-sided p of Student's t through the incomplete beta function (Abramowitz and Stegun 26.7.1).
    Some(incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5))
}

/// Wilcoxon's signed-rank test. Pairs without a difference are left out.
fn p_of_wilcoxon(differences: &[f64]) -> Option<f64> {
    let mut sizes: Vec<(f64, bool)> = differences.iter().filter(|d| **d != 0.0).map(|d| (d.abs(), *d > 0.0)).collect();
    if sizes.is_empty() {
        return None;
    }
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Twice the average rank, so that ties stay whole numbers.
    let mut ranks = vec![0_usize; sizes.len()];
    let mut tie_sum = 0.0;
    let mut start = 0;
    for tied in sizes.chunk_by(|a, b| a.0 == b.0) {
        let n = tied.len();
        ranks[start..start + n].fill(2 * start + n + 1);
        tie_sum += (n * n * n - n) as f64;
        start += n;
    }
    let all: usize = ranks.iter().sum();
    let plus: usize = ranks.iter().zip(&sizes).filter(|(_, s)| s.1).map(|(r, _)| r).sum();
    let smaller = plus.min(all - plus);
    let n = sizes.len();
    if n <= EXACT_PAIRS_MAX {
        // Number of ways to give signs that add up to each rank sum.
        let mut ways = vec![0.0_f64; all + 1];
        ways[0] = 1.0;
        for r in &ranks {
            for sum in (*r..=all).rev() {
                ways[sum] += ways[sum - r];
            }
        }
        let tail: f64 = ways[..=smaller].iter().sum();
        return Some((2.0 * tail / 2f64.powi(i32::try_from(n).unwrap_or(i32::MAX))).min(1.0));
    }
    let n = n as f64;
    let mean = n * (n + 1.0) / 4.0;
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - tie_sum / 48.0;
    let z = ((mean - smaller as f64 / 2.0 - 0.5).max(0.0)) / variance.sqrt();
    Some(erfc(z / std::f64::consts::SQRT_2))
}

/// Complementary error function for arguments not below zero (Abramowitz and Stegun 7.1.26, error below 1.5·10⁻⁷).
fn erfc(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    poly * (-x * x).exp()
}

/// Regularised incomplete beta function by its continued fraction (Abramowitz and Stegun 26.5.8, evaluated by Lentz's
/// method).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(1.0 - x, b, a) / b
    }
}

fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for m in 1..500 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        let step = d * c;
        result *= step;
        if (step - 1.0).abs() < 1e-14 {
            break;
        }
    }
    result
}

/// Logarithm of the gamma function for arguments above zero (Stirling's series after raising the argument; Abramowitz and
/// Stegun 6.1.41).
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 10.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let inv = 1.0 / (x * x);
    let series = (1.0 / 12.0 - inv * (1.0 / 360.0 - inv * (1.0 / 1_260.0 - inv / 1_680.0))) / x;
    shift + (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_and_wilcoxon_as_in_textbooks() {
        // Sleep data (Student 1908): t = -4.0621, p = 0.002833; Wilcoxon with the zero left out and ties averaged: V = 0 of
        // 9 pairs, exact p = 2/512.
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let paired = Paired::of(&first, &second).unwrap();
        assert!((paired.p_t.unwrap() - 0.002_833).abs() < 1e-6, "{paired:?}");
        assert!((paired.p_wilcoxon.unwrap() - 2.0 / 512.0).abs() < 1e-12, "{paired:?}");
        assert!((paired.difference.mean + 1.58).abs() < 1e-12);
        assert!(paired.is_significant());
    }

    #[test]
    fn the_incomplete_beta_function_gives_students_t() {
        // Two-sided 5 % points of Student's t.
        for (freedom, t) in [(1.0, 12.706_2), (4.0, 2.776_445), (9.0, 2.262_157), (30.0, 2.042_272), (200.0, 1.971_896)]
        {
            let p = incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5);
            assert!((p - 0.05).abs() < 1e-6, "{freedom}: {p}");
        }
    }

    #[test]
    fn many_pairs_are_judged_by_the_normal_distribution() {
        let differences: Vec<f64> = (1..=30).map(|i| if i % 4 == 0 { -f64::from(i) } else { f64::from(i) }).collect();
        // V- = 4·(1+…+7) = 112; z = (232.5 − 112 − 0.5)/√2363.75 = 2.4682, p = 0.01358.
        assert!((p_of_wilcoxon(&differences).unwrap() - 0.013_58).abs() < 5e-5);
    }

    #[test]
    fn the_change_is_a_ratio_of_means() {
        let paired = Paired::of(&[50.0, 55.0, 45.0], &[100.0, 110.0, 90.0]).unwrap();
        assert_eq!(paired.change, -0.5);
        assert!(paired.change_half_width_95.unwrap() < 1e-12, "every seed halves");
        assert!(paired.is_significant(), "three pairs: the t test decides");
        let noise = Paired::of(&[50.0, 150.0, 90.0], &[100.0, 110.0, 90.0]).unwrap();
        assert!(!noise.is_significant());
    }

    #[test]
    fn nothing_can_be_said_of_one_pair_or_of_equals() {
        let one = Paired::of(&[5.0], &[10.0]).unwrap();
        assert_eq!((one.p_t, one.change_half_width_95, one.is_significant()), (None, None, false));
        let equal = Paired::of(&[5.0, 6.0], &[5.0, 6.0]).unwrap();
        assert_eq!((equal.p_t, equal.p_wilcoxon, equal.is_significant()), (Some(1.0), None, false));
        assert_eq!(Paired::of(&[], &[]), None);
        assert_eq!(Paired::of(&[1.0], &[0.0]), None);
    }
}
