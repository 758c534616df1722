//! A mean over seeds, with the interval it is known to.

use serde::{Deserialize, Serialize};

/// 97.5 % points of Student's t for 1 to 30 degrees of freedom (Abramowitz and Stegun 1964, table 26.10).
const T_975: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];
/// The same for more degrees of freedom.
const NORMAL_975: f64 = 1.96;

/// Mean of some runs, with its 95 % confidence interval (Student's t).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Half the width of the 95 % interval; nothing can be said from one run.
    pub half_width_95: Option<f64>,
}

impl Mean {
    /// Mean of values; `None` of none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let freedom = values.len() - 1;
        let half_width_95 = (freedom > 0).then(|| {
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
            T_975.get(freedom - 1).copied().unwrap_or(NORMAL_975) * (variance / n).sqrt()
        });
        Some(Self { mean, half_width_95 })
    }
}

/// A number with so many decimals; what rounds to nought has no sign.
#[must_use]
pub fn plain(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let is_nought = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
    if is_nought { text.trim_start_matches('-').to_owned() } else { text }
}

/// A change with its sign; what rounds to nought has none.
#[must_use]
pub fn signed(value: f64, decimals: usize) -> String {
    let text = plain(value, decimals);
    let rises = value > 0.0 && text.chars().any(|c| ('1'..='9').contains(&c));
    if rises { format!("+{text}") } else { text }
}

impl std::fmt::Display for Mean {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&plain(self.mean, 1))?;
        self.half_width_95.map_or(Ok(()), |half| write!(f, " ± {half:.1}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_interval_of_three() {
        let mean = Mean::of(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(mean.mean, 2.0);
        assert!((mean.half_width_95.unwrap() - 4.303 / 3f64.sqrt()).abs() < 1e-12);
        assert_eq!(mean.to_string(), "2.0 ± 2.5");
    }

    #[test]
    fn nought_has_no_sign() {
        assert_eq!([plain(-0.0, 1), plain(-0.04, 1), plain(-0.05, 2), plain(3.0, 0)], ["0.0", "0.0", "-0.05", "3"]);
        assert_eq!(
            [signed(-0.04, 1), signed(0.04, 1), signed(0.06, 1), signed(-2.0, 1)],
            ["0.0", "0.0", "+0.1", "-2.0"]
        );
        // The sum of no numbers at all is negative zero.
        let nothing: f64 = [0.0_f64; 0].iter().sum();
        assert_eq!(Mean::of(&[nothing, nothing]).unwrap().to_string(), "0.0 ± 0.0");
    }

    #[test]
    fn one_run_has_no_interval_and_none_no_mean() {
        assert_eq!(Mean::of(&[5.0]), Some(Mean { mean: 5.0, half_width_95: None }));
        assert_eq!(Mean::of(&[]), None);
    }
}
